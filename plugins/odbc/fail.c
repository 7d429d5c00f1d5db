/* A driver's diagnosis, as the core wants to have it. */
#include "odbc_priv.h"

#include <string.h>

/* Longest text of one record, and of all further ones. */
#define TEXT_UNITS  1024
#define DETAIL_SIZE 1024

/* MariaDB's number for whatever is called and is not there. */
#define NO_SUCH_SAVEPOINT 1305

struct record {
  char state[6];
  SQLINTEGER native;
  char text[TEXT_UNITS * 3 + 1];
};

static bool
read_record(SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number,
            struct record *record)
{
  SQLWCHAR state[6] = { 0 };
  SQLWCHAR text[TEXT_UNITS] = { 0 };
  SQLSMALLINT units = 0;
  SQLRETURN rc = SQLGetDiagRecW(type, handle, number, state, &record->native,
                                text, TEXT_UNITS, &units);
  char wide[16];

  if (!SQL_SUCCEEDED(rc))
    return false;
  if (units < 0 || units >= TEXT_UNITS)
    units = TEXT_UNITS - 1;
  odbc__to_utf8(state, 5, wide);
  wide[5] = '\0';
  memcpy(record->state, wide, 6);
  odbc__to_utf8(text, (size_t)units, record->text);
  return true;
}

/* Behind the names of those that handed it on: "[unixODBC][Driver]text". */
static char *
skip_names(char *text)
{
  while (*text == '[') {
    char *end = strchr(text, ']');

    if (end == NULL)
      break;
    text = end + 1;
  }
  return text + strspn(text, " ");
}

/* Cut off what a driver has below the first line, which is where it goes on, or
 * adds what it was doing. */
static const char *
cut_line(char *text)
{
  char *end = text + strcspn(text, "\n");
  const char *rest = *end == '\0' ? end : end + 1;

  *end = '\0';
  while (end > text && strchr(";\r ", end[-1]) != NULL)
    *--end = '\0';
  return rest;
}

static void
add_detail(char detail[DETAIL_SIZE], const char *text)
{
  size_t used = strlen(detail);
  size_t size = strlen(text);

  if (size == 0 || used + size + 2 > DETAIL_SIZE)
    return;
  if (used > 0)
    detail[used++] = '\n';
  memcpy(detail + used, text, size + 1);
}

/* Of the first record, and of all others. */
static void
read_details(SQLSMALLINT type, SQLHANDLE handle, const char *rest,
             struct record *record, char detail[DETAIL_SIZE])
{
  SQLSMALLINT number;

  detail[0] = '\0';
  add_detail(detail, rest);
  for (number = 2; read_record(type, handle, number, record); number++)
    add_detail(detail, skip_names(record->text));
}

static void
tell_names(struct odbc__conn *conn, struct tn_call *call,
           const struct odbc__names *names)
{
  static const uint32_t fields[] = { TN_ERR_TABLE, TN_ERR_COLUMN,
                                     TN_ERR_CONSTRAINT };
  size_t i;

  for (i = 0; i < ODBC__COUNT(fields); i++)
    if (names->text[i][0] != '\0')
      conn->host->fail_field(call, fields[i], names->text[i],
                             strlen(names->text[i]));
}

static void
abort_transaction(struct odbc__conn *conn, struct tn_call *call)
{
  conn->is_aborted = true;
  conn->host->fail_verdicts(call, TN_CONNECTION_ABORTED, 0);
}

/* What became of the session. */
static void
judge(struct odbc__conn *conn, struct tn_call *call, int32_t category)
{
  SQLUINTEGER is_dead = SQL_CD_FALSE;

  if (category == TN_E_DEADLOCK || category == TN_E_SERIALIZATION) {
    conn->is_aborted = conn->in_txn;
    return;
  }
  if (conn->in_txn && (conn->family->flags & ODBC__FAILURE_ABORTS) != 0)
    abort_transaction(conn, call);
  if (conn->is_connected)
    SQLGetConnectAttr(conn->dbc, SQL_ATTR_CONNECTION_DEAD, &is_dead,
                      sizeof is_dead, NULL);
  if (category != TN_E_LOST && is_dead != SQL_CD_TRUE)
    return;
  conn->is_dead = true;
  conn->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
}

int32_t
odbc__fail(struct odbc__conn *conn, struct tn_call *call, SQLSMALLINT type,
           SQLHANDLE handle)
{
  struct tn_failure failure = { .size = sizeof failure };
  struct odbc__names names = { { "", "", "" } };
  struct record first = { .native = 0 };
  struct record other;
  char detail[DETAIL_SIZE];
  char *message;
  int32_t category;

  if (!read_record(type, handle, 1, &first))
    return tn_fail(call, TN_E_OTHER, "odbc: the driver failed without a word");
  message = skip_names(first.text);
  category = odbc__read_message(message, &names);
  read_details(type, handle, cut_line(message), &other, detail);
  failure.native = first.native;
  failure.sqlstate = first.state;
  failure.message = message;
  failure.detail = detail;
  if (conn->family->lookup != 0 && first.native > 0)
    failure.lookup =
        (int32_t)conn->family->lookup * TN_ERROR_OTHERS + first.native;
  if ((conn->family->flags & ODBC__MESSAGES) != 0)
    failure.category = category;
  if (conn->is_savepoint && first.native == NO_SUCH_SAVEPOINT)
    failure.category = TN_E_STATE;
  category = conn->host->fail(call, &failure);
  tell_names(conn, call, &names);
  judge(conn, call, category);
  return category;
}

int32_t
odbc__fail_memory(struct tn_call *call)
{
  return tn_fail(call, TN_E_MEMORY, "odbc: out of memory");
}

int32_t
odbc__fail_aborted(struct tn_call *call)
{
  tn_fail(call, TN_E_STATE,
          "odbc: the transaction has failed; only a rollback is accepted");
  call->host->fail_verdicts(call, TN_CONNECTION_ABORTED, 0);
  return TN_E_STATE;
}

int32_t
odbc__ready(struct odbc__conn *conn, struct tn_call *call)
{
  if (conn->is_dead) {
    tn_fail(call, TN_E_LOST, "odbc: the connection was given up");
    conn->host->fail_verdicts(call, TN_CONNECTION_DEAD, TN_REPLAY_SAFE);
    return TN_E_LOST;
  }
  return TN_OK;
}
