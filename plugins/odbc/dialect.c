/* How SQL is written for the servers behind the drivers. */
#include "odbc_priv.h"

#define BIT(type) (UINT32_C(1) << (type))

/* Every type but TN_OTHER and TN_ARRAY. */
#define VALUE_TYPES                                                            \
  (BIT(TN_NULL) | BIT(TN_BOOL) | BIT(TN_INT64) | BIT(TN_UINT64) |              \
   BIT(TN_DOUBLE) | BIT(TN_DECIMAL) | BIT(TN_TEXT) | BIT(TN_BLOB) |            \
   BIT(TN_DATE) | BIT(TN_TIME) | BIT(TN_TIMESTAMP) | BIT(TN_UUID) |            \
   BIT(TN_JSON))

/* The count goes into a SQLSMALLINT; lengths are of 31 bits in most drivers. */
#define COMMON                                                                 \
  .size = sizeof(struct tn_dialect_table),                                     \
  .placeholder = TN_PLACEHOLDER_QUESTION, .value_types = VALUE_TYPES,          \
  .errors = odbc__errors, .max_value_bytes = 1000000000

const struct tn_dialect_table odbc__dialect = {
  COMMON,
  .error_count = ODBC__ERROR_COUNT,
  .max_parameters = 32766,
};

const struct tn_dialect_table odbc__dialect_sqlite = {
  COMMON,
  .error_count = ODBC__ERROR_COUNT,
  .lexer = TN_LEX_BACKTICK_NAME | TN_LEX_BRACKET_NAME | TN_LEX_TRIGGER_BODY,
  .max_parameters = 32766,
  .bulk_rows = 100,
};

const struct tn_dialect_table odbc__dialect_postgresql = {
  COMMON,
  .error_count = ODBC__ERROR_COUNT,
  .lexer = TN_LEX_E_STRING | TN_LEX_DOLLAR_QUOTE | TN_LEX_NESTED_COMMENT |
           TN_LEX_SLICE | TN_LEX_ATOMIC_BODY,
  .max_parameters = 32766,
  .max_identifier_bytes = 63,
  .bulk_rows = 100,
};

const struct tn_dialect_table odbc__dialect_mysql = {
  COMMON,
  .error_count = ODBC__ERROR_COUNT,
  .lexer = TN_LEX_BACKSLASH | TN_LEX_HASH_COMMENT | TN_LEX_DASH_NEEDS_SPACE |
           TN_LEX_BACKTICK_NAME | TN_LEX_DOUBLE_STRING | TN_LEX_AT_VARIABLE |
           TN_LEX_TRIGGER_BODY | TN_LEX_CODE_COMMENT,
  .max_parameters = 32766,
  .max_identifier_bytes = 256,
  .quote_open = '`',
  .quote_close = '`',
  .bulk_rows = 100,
};
