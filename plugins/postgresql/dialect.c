/* How SQL is written for PostgreSQL
 * (https://www.postgresql.org/docs/current/sql-syntax-lexical.html). */
#include "pg_priv.h"

#define BIT(type) (UINT32_C(1) << (type))

/* Every type: what is bound as TN_OTHER is a type's own text. */
#define VALUE_TYPES                                                            \
  (BIT(TN_NULL) | BIT(TN_BOOL) | BIT(TN_INT64) | BIT(TN_UINT64) |              \
   BIT(TN_DOUBLE) | BIT(TN_DECIMAL) | BIT(TN_TEXT) | BIT(TN_BLOB) |            \
   BIT(TN_DATE) | BIT(TN_TIME) | BIT(TN_TIMESTAMP) | BIT(TN_UUID) |            \
   BIT(TN_JSON) | BIT(TN_OTHER) | BIT(TN_ARRAY))

/* The server counts parameters in 16 bits and keeps no value of a gibibyte.
 * Longer names are cut by it without more than a notice. */
const struct tn_dialect_table pg__dialect_table = {
  .size = sizeof(struct tn_dialect_table),
  .lexer = TN_LEX_E_STRING | TN_LEX_DOLLAR_QUOTE | TN_LEX_NESTED_COMMENT |
           TN_LEX_SLICE,
  .placeholder = TN_PLACEHOLDER_DOLLAR_NUMBER,
  .value_types = VALUE_TYPES,
  .max_parameters = 65535,
  .max_identifier_bytes = 63,
  .max_value_bytes = (1 << 30) - 64,
  .max_statement_bytes = (1 << 30) - 64,
  .quote_open = '"',
  .quote_close = '"',
  .ping_sql = "SELECT 1",
  .errors = pg__errors,
  .error_count = PG__ERROR_COUNT,
  .bulk_rows = 1,
  .explain_prefix = "EXPLAIN ",
};
