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

/* An index has its constraint's name. A column that is an expression is shown
 * as its definition. */
static const char constraint_sql[] =
    "SELECT n.nspname, c.relname, i.relname,"
    " coalesce(CAST(a.attname AS text),"
    " pg_catalog.pg_get_indexdef(x.indexrelid, k.n, true)),"
    " CAST(NULL AS text), k.n"
    " FROM pg_catalog.pg_index x"
    " JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid"
    " JOIN pg_catalog.pg_class c ON c.oid = x.indrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL pg_catalog.generate_series(1,"
    " CAST(x.indnkeyatts AS integer)) AS k(n)"
    " LEFT JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum = x.indkey[k.n - 1]"
    " WHERE CAST(:category AS text) = 'duplicate'"
    " AND i.relname = CAST(:constraint AS text)"
    " AND CAST(:table AS text) IN ('', c.relname)"
    " AND CAST(:schema AS text) IN ('', n.nspname)"
    " AND CAST(:columns AS text) IS NOT NULL "
    "UNION ALL "
    "SELECT n.nspname, c.relname, o.conname, CAST(a.attname AS text),"
    " CAST(f.relname AS text), CAST(k.n AS integer)"
    " FROM pg_catalog.pg_constraint o"
    " JOIN pg_catalog.pg_class c ON c.oid = o.conrelid"
    " JOIN pg_catalog.pg_class f ON f.oid = o.confrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL pg_catalog.unnest(o.conkey)"
    " WITH ORDINALITY AS k(attnum, n)"
    " JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum = k.attnum"
    " WHERE CAST(:category AS text) = 'reference' AND o.contype = 'f'"
    " AND o.conname = CAST(:constraint AS text)"
    " AND CAST(:table AS text) IN ('', c.relname)"
    " AND CAST(:schema AS text) IN ('', n.nspname) "
    "ORDER BY 1, 2, 6";

/* The server counts parameters in 16 bits and keeps no value of a gibibyte.
 * Longer names are cut by it without more than a notice. */
const struct tn_dialect_table pg__dialect_table = {
  .size = sizeof(struct tn_dialect_table),
  .lexer = TN_LEX_E_STRING | TN_LEX_DOLLAR_QUOTE | TN_LEX_NESTED_COMMENT |
           TN_LEX_SLICE | TN_LEX_ATOMIC_BODY,
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
  .constraint_sql = constraint_sql,
  .error_fields = pg__error_fields,
  .session_words = "pg_advisory_lock pg_advisory_lock_shared "
                   "pg_try_advisory_lock pg_try_advisory_lock_shared "
                   "set_config pg_settings setseed dblink_connect "
                   "dblink_connect_u",
};
