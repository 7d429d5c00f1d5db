/* How SQL is written for SQLite (https://sqlite.org/lang.html). */
#include "sqlite_priv.h"

#define BIT(type) (UINT32_C(1) << (type))

/* Every type but TN_OTHER. */
#define VALUE_TYPES                                                            \
  (BIT(TN_NULL) | BIT(TN_BOOL) | BIT(TN_INT64) | BIT(TN_UINT64) |              \
   BIT(TN_DOUBLE) | BIT(TN_DECIMAL) | BIT(TN_TEXT) | BIT(TN_BLOB) |            \
   BIT(TN_DATE) | BIT(TN_TIME) | BIT(TN_TIMESTAMP) | BIT(TN_UUID) |            \
   BIT(TN_JSON))

/* SQLite names the columns, or the index if it has expressions, and nothing at
 * all of a foreign key. A row id has no index. */
static const char constraint_sql[] =
    "SELECT NULL, m.name, l.name, i.name, NULL, i.seqno"
    " FROM sqlite_master m, pragma_index_list(m.name) l,"
    " pragma_index_info(l.name) i"
    " WHERE :category = 'duplicate' AND m.type = 'table' AND l.\"unique\""
    " AND :schema IN ('', 'main') AND :table IN ('', m.name)"
    " AND (l.name = :constraint OR :constraint = '' AND :columns ="
    " (SELECT group_concat(x.name, ', ') FROM pragma_index_info(l.name) x)) "
    "ORDER BY 2, 3, 6";

/* Limits are those SQLite is built with unless told otherwise
 * (https://sqlite.org/limits.html). A library with lower ones refuses by
 * itself. */
const struct tn_dialect_table sqlite__dialect_table = {
  .size = sizeof(struct tn_dialect_table),
  .lexer = TN_LEX_BACKTICK_NAME | TN_LEX_BRACKET_NAME | TN_LEX_TRIGGER_BODY,
  .placeholder = TN_PLACEHOLDER_QUESTION_NUMBER,
  .value_types = VALUE_TYPES,
  .max_parameters = 32766,
  .max_value_bytes = 1000000000,
  .max_statement_bytes = 1000000000,
  .quote_open = '"',
  .quote_close = '"',
  .ping_sql = "SELECT 1",
  .errors = sqlite__errors,
  .error_count = SQLITE__ERROR_COUNT,
  .bulk_rows = 100, /* 1.8 times as fast as 1; 200 gain 4 % more */
  .explain_prefix = "EXPLAIN QUERY PLAN ",
  .constraint_sql = constraint_sql,
  .error_fields = sqlite__error_fields,
};
