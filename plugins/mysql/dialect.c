/* How MySQL writes SQL, as data. Sessions are never in a mode that changes what
 * quotes and backslashes mean; see setup.c. */
#include "my_priv.h"

#define BIT(type) (UINT32_C(1) << (type))

#define VALUE_TYPES                                                            \
  (BIT(TN_NULL) | BIT(TN_BOOL) | BIT(TN_INT64) | BIT(TN_UINT64) |              \
   BIT(TN_DOUBLE) | BIT(TN_DECIMAL) | BIT(TN_TEXT) | BIT(TN_BLOB) |            \
   BIT(TN_DATE) | BIT(TN_TIME) | BIT(TN_TIMESTAMP) | BIT(TN_UUID) |            \
   BIT(TN_JSON))

/* MariaDB names the key alone: it counts if there is one of that name. */
static const char constraint_sql[] =
    "SELECT s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.COLUMN_NAME, NULL,"
    " s.SEQ_IN_INDEX"
    " FROM information_schema.STATISTICS s"
    " WHERE :category = 'duplicate' AND s.NON_UNIQUE = 0"
    " AND s.TABLE_SCHEMA = coalesce(nullif(:schema, ''), database())"
    " AND s.INDEX_NAME = :constraint AND :table IN ('', s.TABLE_NAME)"
    " AND :columns IS NOT NULL "
    "UNION ALL "
    "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME,"
    " k.REFERENCED_TABLE_NAME, k.ORDINAL_POSITION"
    " FROM information_schema.KEY_COLUMN_USAGE k"
    " WHERE :category = 'reference' AND k.REFERENCED_TABLE_NAME IS NOT NULL"
    " AND k.TABLE_SCHEMA = coalesce(nullif(:schema, ''), database())"
    " AND k.CONSTRAINT_NAME = :constraint AND :table IN ('', k.TABLE_NAME) "
    "ORDER BY 1, 2, 6";

/* Names have 64 characters of at most three bytes. */
const struct tn_dialect_table mysql__dialect_table = {
  .size = sizeof(struct tn_dialect_table),
  .lexer = TN_LEX_BACKSLASH | TN_LEX_HASH_COMMENT | TN_LEX_DASH_NEEDS_SPACE |
           TN_LEX_BACKTICK_NAME | TN_LEX_DOUBLE_STRING | TN_LEX_AT_VARIABLE |
           TN_LEX_TRIGGER_BODY | TN_LEX_CODE_COMMENT,
  .placeholder = TN_PLACEHOLDER_QUESTION,
  .value_types = VALUE_TYPES,
  .max_parameters = 65535,
  .max_identifier_bytes = 192,
  .max_value_bytes = MYSQL__PACKET_MAX - 1,
  .max_statement_bytes = MYSQL__PACKET_MAX - 1,
  .quote_open = '`',
  .quote_close = '`',
  .ping_sql = "DO 0",
  .errors = mysql__errors,
  .error_count = MYSQL__ERROR_COUNT,
  .bulk_rows = 250,
  .explain_prefix = "EXPLAIN ",
  .constraint_sql = constraint_sql,
  .error_fields = mysql__error_fields,
  .session_words = "get_lock",
};
