/* The server's and the client library's numbers as the categories of Tenon.
 *
 * The number decides, because the library says HY000 for most of what happens
 * to a connection, and the server for most of what came after the standard.
 * Numbers without a row are judged by their SQLSTATE: those of servers to come,
 * those of replicas and of the binary log, and those of SIGNAL, whose SQLSTATE
 * a procedure chose. A test compares the rows with the library's headers.
 *
 * Names are those of MySQL's and MariaDB's manuals; neither library's header
 * has them all. Verdicts of 0 are those that a category usually has. */
#include "my_priv.h"

/* From here on the two servers have numbered apart from each other. */
#define FIRST_CLASH 4000
#define LAST_CLASH  4999

int32_t
mysql__lookup(unsigned number, bool is_mariadb)
{
  if (is_mariadb || number < FIRST_CLASH || number > LAST_CLASH)
    return (int32_t)number;
  return (int32_t)number + TN_ERROR_OTHERS;
}

static const struct tn_error_row *
row_of(int32_t native)
{
  size_t i;

  for (i = 0; i < MYSQL__ERROR_COUNT; i++)
    if (mysql__errors[i].native == native)
      return &mysql__errors[i];
  return NULL;
}

int32_t
mysql__category(int32_t native)
{
  const struct tn_error_row *row = row_of(native);

  return row == NULL ? TN_E_OTHER : row->category;
}

bool
mysql__is_loss(int32_t native)
{
  const struct tn_error_row *row = row_of(native);

  return row != NULL &&
         (row->connection == TN_CONNECTION_DEAD || row->category == TN_E_LOST ||
          row->category == TN_E_CONNECT);
}

/* ------------------------------------------------------------------ */

#define USABLE      TN_CONNECTION_USABLE
#define DEAD        TN_CONNECTION_DEAD
#define SAFE        TN_REPLAY_SAFE
#define TRANSACTION TN_REPLAY_TRANSACTION
#define NEVER       TN_REPLAY_NEVER
/* clang-format off */
#define ROW(number, prefix, name, category, connection, replay) \
  { number, category, connection, replay, NULL, #prefix "_" #name }
#define SERVER(number, name, category, connection, replay) \
  ROW(number, ER, name, category, connection, replay)
#define WARNING(number, name, category, connection, replay) \
  ROW(number, WARN, name, category, connection, replay)
#define OTHER(number, name, category, connection, replay) \
  { (number) + TN_ERROR_OTHERS, category, connection, replay, NULL, \
    "ER_" #name " (MySQL)" }
#define CLIENT(number, name, category, connection, replay) \
  ROW(number, CR, name, category, connection, replay)
#define STATE(state, category, name) \
  { 0, category, 0, 0, state, name }

const struct tn_error_row mysql__errors[] = {
#include "errors_session.inc"
#include "errors_data.inc"
#include "errors_syntax.inc"
#include "errors_server.inc"
#include "errors_mysql.inc"
#include "errors_client.inc"
  /* Numbers that are not above, of servers to come: by SQLSTATE. */
  STATE("02", TN_E_NOT_FOUND, "no data"),
  STATE("08", TN_E_LOST, "connection exception"),
  STATE("0A", TN_E_UNSUPPORTED, "feature not supported"),
  STATE("21S01", TN_E_SYNTAX, "insert value list does not match column list"),
  STATE("21", TN_E_DATA, "cardinality violation"),
  STATE("22", TN_E_DATA, "data exception"),
  STATE("23", TN_E_CONSTRAINT, "integrity constraint violation"),
  STATE("25006", TN_E_READ_ONLY, "read-only transaction"),
  STATE("25", TN_E_STATE, "invalid transaction state"),
  STATE("28", TN_E_AUTH, "invalid authorization"),
  STATE("3D", TN_E_NO_DATABASE, "invalid catalog name"),
  STATE("40001", TN_E_SERIALIZATION, "serialization failure"),
  STATE("40", TN_E_SERIALIZATION, "transaction rollback"),
  STATE("42S01", TN_E_EXISTS, "base table or view already exists"),
  STATE("42S02", TN_E_NO_TABLE, "base table or view not found"),
  STATE("42S21", TN_E_EXISTS, "column already exists"),
  STATE("42S22", TN_E_NO_COLUMN, "column not found"),
  STATE("42", TN_E_SYNTAX, "syntax error or access rule violation"),
  STATE("44", TN_E_CHECK, "with check option violation"),
  STATE("45", TN_E_OTHER, "unhandled user-defined exception"),
  STATE("70100", TN_E_CANCELED, "query interrupted"),
  STATE("XA", TN_E_STATE, "X/Open transactions"),
};
/* clang-format on */

_Static_assert(MYSQL__COUNT(mysql__errors) == MYSQL__ERROR_COUNT,
               "the header says how many rows there are");
