/* What a violated key is made of, from the catalogue.
 *
 * A message names a key, or its columns, but seldom both, and its text is not
 * made to be taken apart. The catalogue knows; to ask it takes a query, which
 * must not run inside of the transaction that has failed, and which most
 * programs do not need. So it is asked when a program wants to know. */
#include "db_priv.h"

/* The columns of a row of constraint_sql. */
enum cell { CELL_SCHEMA, CELL_TABLE, CELL_CONSTRAINT, CELL_COLUMN, CELL_OTHER };
#define CELLS 6

/* Longest text of a cell that is looked at. */
#define TEXT_SIZE 512

static enum tn_code
check(const tn_conn *conn, const tn_err *about, tn_err *err)
{
  if (about == NULL ||
      (about->code != TN_E_DUPLICATE && about->code != TN_E_REFERENCE))
    return tn_err_set(err, TN_E_USAGE,
                      "complete: the error is neither a duplicate nor of a "
                      "foreign key");
  if (strcmp(about->backend, conn->backend->plugin.name) != 0)
    return tn_err_set(err, TN_E_USAGE,
                      "complete: the error is of backend \"%s\", the "
                      "connection of \"%s\"",
                      about->backend, conn->backend->plugin.name);
  if (conn->dialect.constraint_sql == NULL)
    return tn_err_set(err, TN_E_UNSUPPORTED,
                      "complete: %s has no catalogue of keys",
                      conn->backend->plugin.name);
  if (tn_conn_txn_state(conn) != TN_TXN_NONE)
    return tn_err_set(err, TN_E_STATE,
                      "complete: a transaction is open; roll back first, or "
                      "take another connection");
  return TN_OK;
}

/* The columns that are known, between ", ". */
static void
join_columns(const tn_err *about, char *text, size_t size)
{
  size_t used = 0;

  text[0] = '\0';
  for (uint32_t i = 0; i < about->column_count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s",
                             i > 0 ? ", " : "", tn_err_column(about, i));
}

static enum tn_code
ask(tn_conn *conn, const tn_err *about, tn_deadline deadline, tn_result **ret,
    tn_err *err)
{
  static const char *const names[] = { "category", "schema", "table",
                                       "constraint", "columns" };
  char columns[2 * sizeof(about->columns)];
  tn_value values[TN_COUNT(names)];
  const struct tn_query query = {
    .sql = conn->dialect.constraint_sql,
    .values = values,
    .names = names,
    .value_count = TN_COUNT(names),
    .deadline = deadline,
  };

  join_columns(about, columns, sizeof(columns));
  values[0] = tn_text(tn_code_name(about->code));
  values[1] = tn_text(about->schema);
  values[2] = tn_text(about->table);
  values[3] = tn_text(about->constraint);
  values[4] = tn_text(columns);
  return tn_conn_query(conn, &query, ret, err);
}

/* ---- rows ---- */

/* What the rows have said so far. */
struct finding {
  tn_err found;
  bool is_ambiguous;
};

/* The text of a cell, cut to what an error has room for; "" for NULL. */
static void
read_cell(const tn_value *row, enum cell cell, char text[TEXT_SIZE])
{
  text[0] = '\0';
  if (row[cell].type != TN_NULL)
    (void)tn_value_print(&row[cell], text, TEXT_SIZE);
}

/* A name that all rows have alike. */
static void
take_name(struct finding *finding, const tn_value *row, enum cell cell,
          enum tn_err_field field, const char *before, bool is_first)
{
  char text[TEXT_SIZE];

  read_cell(row, cell, text);
  if (is_first)
    tn_err_add(&finding->found, field, text);
  else if (strcmp(before, text) != 0)
    finding->is_ambiguous = true;
}

static void
take_row(struct finding *finding, const tn_value *row, bool is_first)
{
  tn_err *found = &finding->found;
  char text[TEXT_SIZE];

  take_name(finding, row, CELL_SCHEMA, TN_ERR_SCHEMA, found->schema, is_first);
  take_name(finding, row, CELL_TABLE, TN_ERR_TABLE, found->table, is_first);
  take_name(finding, row, CELL_CONSTRAINT, TN_ERR_CONSTRAINT, found->constraint,
            is_first);
  take_name(finding, row, CELL_OTHER, TN_ERR_KEY_TABLE, tn_err_key_table(found),
            is_first);
  read_cell(row, CELL_COLUMN, text);
  tn_err_add(found, TN_ERR_COLUMN, text);
}

static enum tn_code
read_rows(tn_result *result, struct finding *finding, tn_err *err)
{
  const tn_value *row = NULL;
  bool is_first = true;
  enum tn_code rc;

  if (tn_result_column_count(result) != CELLS)
    return tn_err_set(err, TN_E_INTERNAL,
                      "complete: fault of the plug-in: its catalogue has %zu "
                      "columns",
                      tn_result_column_count(result));
  while ((rc = tn_result_next(result, &row, err)) == TN_OK && row != NULL) {
    take_row(finding, row, is_first);
    is_first = false;
  }
  return rc;
}

/* What is not in the catalogue stays as the error had it. */
static void
merge(tn_err *about, const tn_err *found)
{
  tn_err_add(about, TN_ERR_SCHEMA, found->schema);
  tn_err_add(about, TN_ERR_TABLE, found->table);
  tn_err_add(about, TN_ERR_CONSTRAINT, found->constraint);
  if (found->column_count > 0 || found->key_table_at != 0) {
    memcpy(about->columns, found->columns, sizeof(about->columns));
    about->column_count = found->column_count;
    about->columns_used = found->columns_used;
    about->key_table_at = found->key_table_at;
  }
  if (found->column_count > 0)
    about->source = TN_SOURCE_CATALOGUE;
}

enum tn_code
tn_conn_complete(tn_conn *conn, tn_err *about, tn_deadline deadline,
                 tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  struct finding finding = { .is_ambiguous = false };
  enum tn_code rc = check(conn, about, err);

  if (rc != TN_OK || (about->constraint[0] == '\0' && about->table[0] == '\0'))
    return rc;
  rc = ask(conn, about, deadline, &result, err);
  if (rc != TN_OK)
    return rc;
  tn_err_set(&finding.found, (enum tn_code)about->code, "%s", about->message);
  rc = read_rows(result, &finding, err);
  if (rc == TN_OK && !finding.is_ambiguous)
    merge(about, &finding.found);
  return rc;
}
