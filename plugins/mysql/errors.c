/* The server's and the client library's numbers as the categories of Tenon.
 *
 * The number decides, by the table at the end, because the library says HY000
 * for most of what happens to a connection; numbers of servers to come are
 * judged by their SQLSTATE. Two things no number tells: whether InnoDB has
 * rolled the transaction back, which the server is asked, and what became of a
 * commit whose answer was lost. */
#include "my_priv.h"

#include <stdio.h>
#include <string.h>

/* A commit that failed in the engine; in a cluster, one that lost its
 * majority. */
#define ERROR_DURING_COMMIT 1180

unsigned
mysql__errno(const struct mysql__conn *conn, MYSQL_STMT *stmt)
{
  unsigned number = stmt == NULL ? 0 : mysql_stmt_errno(stmt);

  return number != 0 ? number : mysql_errno(conn->mysql);
}

static const struct tn_error_row *
row_of(unsigned number)
{
  size_t i;

  for (i = 0; i < MYSQL__ERROR_COUNT; i++)
    if (mysql__errors[i].native == (int32_t)number)
      return &mysql__errors[i];
  return NULL;
}

int32_t
mysql__category(unsigned number)
{
  const struct tn_error_row *row = row_of(number);

  return row == NULL ? TN_E_OTHER : row->category;
}

bool
mysql__is_loss(unsigned number)
{
  const struct tn_error_row *row = row_of(number);

  return row != NULL &&
         (row->connection == TN_CONNECTION_DEAD || row->category == TN_E_LOST ||
          row->category == TN_E_CONNECT);
}

/* ------------------------------------------------------------------ */
/* Transactions                                                         */

/* After what kinds of failure may the transaction be over? Of the rest the
 * server undoes the statement alone. */
static bool
may_end_txn(int32_t category)
{
  switch (category) {
  case TN_E_DEADLOCK:
  case TN_E_SERIALIZATION:
  case TN_E_LOCK_TIMEOUT:
  case TN_E_TIMEOUT:
  case TN_E_CANCELED:
  case TN_E_BUSY:
  case TN_E_LIMIT:
  case TN_E_IO:
  case TN_E_INTERNAL:
  case TN_E_OTHER:
    return true;
  default:
    return false;
  }
}

/* An error does not tell how the transaction stands; the answer to a statement
 * that does nothing does. */
static void
ask_txn(struct mysql__conn *conn, int32_t category)
{
  int32_t connection = TN_CONNECTION_USABLE;

  conn->host->grace(conn->call, MYSQL__GRACE_NS);
  if (mysql__calm(conn) != TN_OK)
    mysql__bury(conn);
  if (conn->is_dead)
    connection = TN_CONNECTION_DEAD;
  else if (conn->is_aborted)
    connection = TN_CONNECTION_ABORTED;
  conn->host->fail_verdicts(conn->call, connection,
                            category == TN_E_BUSY ? 0 : TN_REPLAY_TRANSACTION);
}

/* Nothing of the statement, or of the transaction, has taken effect. */
static void
give_server_up(struct mysql__conn *conn)
{
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD,
                            conn->in_txn ? TN_REPLAY_TRANSACTION : 0);
  mysql__bury(conn);
}

/* What the failure means for the session. */
static void
take_stock(struct mysql__conn *conn, unsigned number, int32_t category,
           const char *text)
{
  if (mysql__is_loss(number) || category == TN_E_LOST) {
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
    mysql__bury(conn);
    return;
  }
  if (mysql__role_is_lost(conn, number, text)) {
    give_server_up(conn);
    return;
  }
  if (conn->is_settling || !may_end_txn(category))
    return;
  if (conn->in_txn)
    ask_txn(conn, category);
  else if (category == TN_E_DEADLOCK || category == TN_E_SERIALIZATION)
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_USABLE, TN_REPLAY_SAFE);
}

/* ------------------------------------------------------------------ */
/* Reporting                                                            */

/* 0 where the table decides. */
static int32_t
category_of(const struct mysql__conn *conn, unsigned number, int32_t category)
{
  if (conn->is_committing && mysql__is_loss(number))
    return TN_E_UNCERTAIN;
  if (conn->is_cluster && number == ERROR_DURING_COMMIT)
    return TN_E_LOST;
  return category;
}

struct where {
  uint64_t row;    /* of many, from 1 */
  const char *sql; /* that was being prepared, or NULL */
  int32_t category;
  int32_t reserved;
};

static int32_t
report(struct mysql__conn *conn, MYSQL_STMT *stmt, const struct where *where)
{
  bool is_stmt = stmt != NULL && mysql_stmt_errno(stmt) != 0;
  unsigned number = mysql__errno(conn, stmt);
  struct tn_failure failure;
  char text[MYSQL_ERRMSG_SIZE];
  int32_t category;

  snprintf(text, sizeof text, "%s",
           is_stmt ? mysql_stmt_error(stmt) : mysql_error(conn->mysql));
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.native = (int32_t)number;
  failure.category = category_of(conn, number, where->category);
  failure.sqlstate =
      is_stmt ? mysql_stmt_sqlstate(stmt) : mysql_sqlstate(conn->mysql);
  failure.message = text;
  failure.row = where->row;
  if (where->sql != NULL)
    failure.position = mysql__message_position(text, where->sql);
  category = conn->host->fail(conn->call, &failure);
  mysql__message_fields(conn->call, number, text, conn->is_mariadb);
  take_stock(conn, number, category, text);
  return category;
}

int32_t
mysql__fail(struct mysql__conn *conn, MYSQL_STMT *stmt)
{
  static const struct where where = { .row = 0 };

  return report(conn, stmt, &where);
}

int32_t
mysql__fail_row(struct mysql__conn *conn, MYSQL_STMT *stmt, uint64_t row)
{
  const struct where where = { .row = row };

  return report(conn, stmt, &where);
}

int32_t
mysql__fail_sql(struct mysql__conn *conn, MYSQL_STMT *stmt, const char *sql,
                int32_t category)
{
  const struct where where = { .sql = sql, .category = category };

  return report(conn, stmt, &where);
}

int32_t
mysql__fail_as(struct mysql__conn *conn, int32_t category)
{
  const struct where where = { .category = category };

  return report(conn, NULL, &where);
}

int32_t
mysql__fail_reason(struct tn_call *call, const struct mysql__reason *reason,
                   const char *text)
{
  struct tn_failure failure;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.native = reason->native;
  failure.category = reason->category;
  failure.sqlstate = reason->sqlstate;
  failure.message = text == NULL ? reason->text : text;
  return call->host->fail(call, &failure);
}

int32_t
mysql__fail_memory(struct tn_call *call)
{
  return tn_fail(call, TN_E_MEMORY, "mysql: out of memory");
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
#define CLIENT(number, name, category, connection, replay) \
  ROW(number, CR, name, category, connection, replay)
#define STATE(state, category, name) \
  { 0, category, 0, 0, state, name }

/* Names are those of MySQL's and MariaDB's manuals; neither library's header
 * has them all. */
const struct tn_error_row mysql__errors[] = {
  /* The session could not be opened. */
  SERVER(1040, CON_COUNT_ERROR, TN_E_LIMIT, DEAD, SAFE),
  SERVER(1203, TOO_MANY_USER_CONNECTIONS, TN_E_LIMIT, DEAD, SAFE),
  SERVER(1226, USER_LIMIT_REACHED, TN_E_LIMIT, 0, SAFE),
  SERVER(1042, BAD_HOST_ERROR, TN_E_CONNECT, 0, 0),
  SERVER(1043, HANDSHAKE_ERROR, TN_E_CONNECT, 0, 0),
  SERVER(1129, HOST_IS_BLOCKED, TN_E_CONNECT, 0, NEVER),
  SERVER(1130, HOST_NOT_PRIVILEGED, TN_E_AUTH, 0, 0),
  SERVER(1045, ACCESS_DENIED_ERROR, TN_E_AUTH, 0, 0),
  SERVER(1698, ACCESS_DENIED_NO_PASSWORD_ERROR, TN_E_AUTH, 0, 0),
  SERVER(1251, NOT_SUPPORTED_AUTH_MODE, TN_E_AUTH, 0, 0),
  SERVER(1275, SERVER_IS_IN_SECURE_AUTH_MODE, TN_E_AUTH, 0, 0),
  SERVER(1524, PLUGIN_IS_NOT_LOADED, TN_E_AUTH, 0, 0),
  SERVER(1820, MUST_CHANGE_PASSWORD, TN_E_AUTH, 0, 0),
  SERVER(1862, MUST_CHANGE_PASSWORD_LOGIN, TN_E_AUTH, 0, 0),
  SERVER(3118, ACCOUNT_HAS_BEEN_LOCKED, TN_E_AUTH, 0, 0),
  SERVER(4151, ACCOUNT_HAS_BEEN_LOCKED, TN_E_AUTH, 0, 0),
  SERVER(3159, SECURE_TRANSPORT_REQUIRED, TN_E_AUTH, 0, 0),
  /* It is over. 1047 and 1180 are what a Galera node without a majority says. */
  SERVER(1047, UNKNOWN_COM_ERROR, TN_E_LOST, 0, 0),
  SERVER(1053, SERVER_SHUTDOWN, TN_E_LOST, 0, 0),
  SERVER(1077, NORMAL_SHUTDOWN, TN_E_LOST, 0, 0),
  SERVER(1079, SHUTDOWN_COMPLETE, TN_E_LOST, 0, 0),
  SERVER(1152, ABORTING_CONNECTION, TN_E_LOST, 0, 0),
  SERVER(1184, NEW_ABORTING_CONNECTION, TN_E_LOST, 0, 0),
  SERVER(1154, NET_READ_ERROR_FROM_PIPE, TN_E_LOST, 0, 0),
  SERVER(1155, NET_FCNTL_ERROR, TN_E_LOST, 0, 0),
  SERVER(1156, NET_PACKETS_OUT_OF_ORDER, TN_E_LOST, 0, 0),
  SERVER(1157, NET_UNCOMPRESS_ERROR, TN_E_LOST, 0, 0),
  SERVER(1158, NET_READ_ERROR, TN_E_LOST, 0, 0),
  SERVER(1159, NET_READ_INTERRUPTED, TN_E_LOST, 0, 0),
  SERVER(1160, NET_ERROR_ON_WRITE, TN_E_LOST, 0, 0),
  SERVER(1161, NET_WRITE_INTERRUPTED, TN_E_LOST, 0, 0),
  SERVER(1927, CONNECTION_KILLED, TN_E_LOST, 0, 0),
  SERVER(3169, SESSION_WAS_KILLED, TN_E_LOST, 0, 0),
  SERVER(4031, CLIENT_INTERACTION_TIMEOUT, TN_E_LOST, 0, 0),
  SERVER(1153, NET_PACKET_TOO_LARGE, TN_E_LIMIT, DEAD, NEVER),
  /* Stopped, or stopped by one another. Whether InnoDB has rolled back the whole
   * transaction is asked of the server. */
  SERVER(1317, QUERY_INTERRUPTED, TN_E_CANCELED, 0, 0),
  SERVER(1969, STATEMENT_TIMEOUT, TN_E_TIMEOUT, 0, 0),
  SERVER(3024, QUERY_TIMEOUT, TN_E_TIMEOUT, 0, 0),
  SERVER(1213, LOCK_DEADLOCK, TN_E_DEADLOCK, 0, 0),
  SERVER(1614, XA_RBDEADLOCK, TN_E_DEADLOCK, 0, 0),
  SERVER(3058, USER_LOCK_DEADLOCK, TN_E_DEADLOCK, USABLE, 0),
  SERVER(1020, CHECKREAD, TN_E_SERIALIZATION, 0, 0),
  SERVER(3101, TRANSACTION_ROLLBACK_DURING_COMMIT, TN_E_SERIALIZATION, 0, 0),
  SERVER(1402, XA_RBROLLBACK, TN_E_SERIALIZATION, 0, 0),
  SERVER(1205, LOCK_WAIT_TIMEOUT, TN_E_LOCK_TIMEOUT, 0, 0),
  SERVER(1613, XA_RBTIMEOUT, TN_E_LOCK_TIMEOUT, 0, 0),
  SERVER(3572, LOCK_NOWAIT, TN_E_LOCK_TIMEOUT, 0, 0),
  SERVER(1615, NEED_REPREPARE, TN_E_BUSY, 0, SAFE),
  SERVER(1206, LOCK_TABLE_FULL, TN_E_LIMIT, 0, TRANSACTION),
  SERVER(1197, TRANS_CACHE_FULL, TN_E_LIMIT, 0, TRANSACTION),
  SERVER(1180, ERROR_DURING_COMMIT, TN_E_IO, 0, TRANSACTION),
  SERVER(1181, ERROR_DURING_ROLLBACK, TN_E_IO, DEAD, TRANSACTION),
  /* Constraints. */
  SERVER(1062, DUP_ENTRY, TN_E_DUPLICATE, 0, 0),
  SERVER(1586, DUP_ENTRY_WITH_KEY_NAME, TN_E_DUPLICATE, 0, 0),
  SERVER(1022, DUP_KEY, TN_E_DUPLICATE, 0, 0),
  SERVER(1169, DUP_UNIQUE, TN_E_DUPLICATE, 0, 0),
  SERVER(1569, DUP_ENTRY_AUTOINCREMENT_CASE, TN_E_DUPLICATE, 0, 0),
  SERVER(1557, FOREIGN_DUPLICATE_KEY, TN_E_DUPLICATE, 0, 0),
  SERVER(1761, FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO, TN_E_DUPLICATE, 0, 0),
  SERVER(1762, FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO, TN_E_DUPLICATE, 0, 0),
  SERVER(1859, DUP_UNKNOWN_IN_INDEX, TN_E_DUPLICATE, 0, 0),
  SERVER(1216, NO_REFERENCED_ROW, TN_E_REFERENCE, 0, 0),
  SERVER(1217, ROW_IS_REFERENCED, TN_E_REFERENCE, 0, 0),
  SERVER(1451, ROW_IS_REFERENCED_2, TN_E_REFERENCE, 0, 0),
  SERVER(1452, NO_REFERENCED_ROW_2, TN_E_REFERENCE, 0, 0),
  SERVER(1701, TRUNCATE_ILLEGAL_FK, TN_E_REFERENCE, 0, 0),
  SERVER(3730, FK_CANNOT_DROP_PARENT, TN_E_REFERENCE, 0, 0),
  SERVER(4025, CONSTRAINT_FAILED, TN_E_CHECK, 0, 0),
  SERVER(3819, CHECK_CONSTRAINT_VIOLATED, TN_E_CHECK, 0, 0),
  SERVER(1369, VIEW_CHECK_FAILED, TN_E_CHECK, 0, 0),
  SERVER(1048, BAD_NULL_ERROR, TN_E_NOT_NULL, 0, 0),
  SERVER(1263, WARN_NULL_TO_NOTNULL, TN_E_NOT_NULL, 0, 0),
  SERVER(1364, NO_DEFAULT_FOR_FIELD, TN_E_NOT_NULL, 0, 0),
  SERVER(1215, CANNOT_ADD_FOREIGN, TN_E_CONSTRAINT, 0, 0),
  SERVER(1553, DROP_INDEX_FK, TN_E_CONSTRAINT, 0, 0),
  SERVER(1828, FK_COLUMN_CANNOT_DROP, TN_E_CONSTRAINT, 0, 0),
  SERVER(1829, FK_COLUMN_CANNOT_DROP_CHILD, TN_E_CONSTRAINT, 0, 0),
  SERVER(1832, FK_COLUMN_CANNOT_CHANGE, TN_E_CONSTRAINT, 0, 0),
  SERVER(1833, FK_COLUMN_CANNOT_CHANGE_CHILD, TN_E_CONSTRAINT, 0, 0),
  SERVER(1830, FK_COLUMN_NOT_NULL, TN_E_CONSTRAINT, 0, 0),
  /* Values. */
  SERVER(1264, WARN_DATA_OUT_OF_RANGE, TN_E_DATA, 0, 0),
  SERVER(1265, WARN_DATA_TRUNCATED, TN_E_DATA, 0, 0),
  SERVER(1292, TRUNCATED_WRONG_VALUE, TN_E_DATA, 0, 0),
  SERVER(1366, TRUNCATED_WRONG_VALUE_FOR_FIELD, TN_E_DATA, 0, 0),
  SERVER(1367, ILLEGAL_VALUE_FOR_TYPE, TN_E_DATA, 0, 0),
  SERVER(1406, DATA_TOO_LONG, TN_E_DATA, 0, 0),
  SERVER(1411, WRONG_VALUE_FOR_TYPE, TN_E_DATA, 0, 0),
  SERVER(1416, CANT_CREATE_GEOMETRY_OBJECT, TN_E_DATA, 0, 0),
  SERVER(1441, DATETIME_FUNCTION_OVERFLOW, TN_E_DATA, 0, 0),
  SERVER(1525, WRONG_VALUE, TN_E_DATA, 0, 0),
  SERVER(1526, NO_PARTITION_FOR_GIVEN_VALUE, TN_E_DATA, 0, 0),
  SERVER(1748, ROW_DOES_NOT_MATCH_GIVEN_PARTITION_SET, TN_E_DATA, 0, 0),
  SERVER(1365, DIVISION_BY_ZERO, TN_E_DATA, 0, 0),
  SERVER(1690, DATA_OUT_OF_RANGE, TN_E_DATA, 0, 0),
  SERVER(1231, WRONG_VALUE_FOR_VAR, TN_E_DATA, 0, 0),
  SERVER(1242, SUBQUERY_NO_1_ROW, TN_E_DATA, 0, 0),
  SERVER(1172, TOO_MANY_ROWS, TN_E_DATA, 0, 0),
  SERVER(1139, REGEXP_ERROR, TN_E_DATA, 0, 0),
  SERVER(3037, GIS_INVALID_DATA, TN_E_DATA, 0, 0),
  SERVER(3055, GIS_DATA_WRONG_ENDIANESS, TN_E_DATA, 0, 0),
  SERVER(3140, INVALID_JSON_TEXT, TN_E_DATA, 0, 0),
  SERVER(3141, INVALID_JSON_TEXT_IN_PARAM, TN_E_DATA, 0, 0),
  SERVER(3143, INVALID_JSON_PATH, TN_E_DATA, 0, 0),
  SERVER(3144, INVALID_JSON_CHARSET, TN_E_DATA, 0, 0),
  SERVER(3146, INVALID_TYPE_FOR_JSON, TN_E_DATA, 0, 0),
  SERVER(3147, INVALID_CAST_TO_JSON, TN_E_DATA, 0, 0),
  SERVER(3150, JSON_VALUE_TOO_BIG, TN_E_DATA, 0, 0),
  SERVER(3156, INVALID_JSON_VALUE_FOR_CAST, TN_E_DATA, 0, 0),
  SERVER(3157, JSON_DOCUMENT_TOO_DEEP, TN_E_DATA, 0, 0),
  SERVER(3685, REGEXP_ILLEGAL_ARGUMENT, TN_E_DATA, 0, 0),
  SERVER(1906, WARNING_NON_DEFAULT_VALUE_FOR_VIRTUAL_COLUMN, TN_E_DATA, 0, 0),
  SERVER(3105, NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN, TN_E_DATA, 0, 0),
  SERVER(1300, INVALID_CHARACTER_STRING, TN_E_CHARSET, 0, 0),
  SERVER(3854, CANNOT_CONVERT_STRING, TN_E_CHARSET, 0, 0),
  /* Things that are not there, or are there already. */
  SERVER(1049, BAD_DB_ERROR, TN_E_NO_DATABASE, 0, 0),
  SERVER(1046, NO_DB_ERROR, TN_E_NO_DATABASE, 0, 0),
  SERVER(1008, DB_DROP_EXISTS, TN_E_NO_DATABASE, 0, 0),
  SERVER(1146, NO_SUCH_TABLE, TN_E_NO_TABLE, 0, 0),
  SERVER(1051, BAD_TABLE_ERROR, TN_E_NO_TABLE, 0, 0),
  SERVER(1109, UNKNOWN_TABLE, TN_E_NO_TABLE, 0, 0),
  SERVER(1824, FK_CANNOT_OPEN_PARENT, TN_E_NO_TABLE, 0, 0),
  SERVER(1932, NO_SUCH_TABLE_IN_ENGINE, TN_E_NO_TABLE, 0, 0),
  SERVER(4091, UNKNOWN_SEQUENCES, TN_E_NO_TABLE, 0, 0),
  SERVER(4092, UNKNOWN_VIEW, TN_E_NO_TABLE, 0, 0),
  SERVER(1054, BAD_FIELD_ERROR, TN_E_NO_COLUMN, 0, 0),
  SERVER(1072, KEY_COLUMN_DOES_NOT_EXIST, TN_E_NO_COLUMN, 0, 0),
  SERVER(1128, FUNCTION_NOT_DEFINED, TN_E_NO_FUNCTION, 0, 0),
  SERVER(1305, SP_DOES_NOT_EXIST, TN_E_NO_FUNCTION, 0, 0),
  SERVER(1630, FUNC_INEXISTENT_NAME_COLLISION, TN_E_NO_FUNCTION, 0, 0),
  SERVER(1091, CANT_DROP_FIELD_OR_KEY, TN_E_NO_CONSTRAINT, 0, 0),
  SERVER(1176, KEY_DOES_NOT_EXIST, TN_E_NO_CONSTRAINT, 0, 0),
  SERVER(3821, CHECK_CONSTRAINT_NOT_FOUND, TN_E_NO_CONSTRAINT, 0, 0),
  SERVER(3940, CONSTRAINT_NOT_FOUND, TN_E_NO_CONSTRAINT, 0, 0),
  SERVER(1094, NO_SUCH_THREAD, TN_E_NOT_FOUND, 0, 0),
  SERVER(1115, UNKNOWN_CHARACTER_SET, TN_E_NOT_FOUND, 0, 0),
  SERVER(1133, PASSWORD_NO_MATCH, TN_E_NOT_FOUND, 0, 0),
  SERVER(1141, NONEXISTING_GRANT, TN_E_NOT_FOUND, 0, 0),
  SERVER(1147, NONEXISTING_TABLE_GRANT, TN_E_NOT_FOUND, 0, 0),
  SERVER(1193, UNKNOWN_SYSTEM_VARIABLE, TN_E_NOT_FOUND, 0, 0),
  SERVER(1273, UNKNOWN_COLLATION, TN_E_NOT_FOUND, 0, 0),
  SERVER(1286, UNKNOWN_STORAGE_ENGINE, TN_E_NOT_FOUND, 0, 0),
  SERVER(1298, UNKNOWN_TIME_ZONE, TN_E_NOT_FOUND, 0, 0),
  SERVER(1329, SP_FETCH_NO_DATA, TN_E_NOT_FOUND, 0, 0),
  SERVER(1360, TRG_DOES_NOT_EXIST, TN_E_NOT_FOUND, 0, 0),
  SERVER(1397, XAER_NOTA, TN_E_NOT_FOUND, 0, 0),
  SERVER(1539, EVENT_DOES_NOT_EXIST, TN_E_NOT_FOUND, 0, 0),
  SERVER(1735, UNKNOWN_PARTITION, TN_E_NOT_FOUND, 0, 0),
  SERVER(1959, INVALID_ROLE, TN_E_NOT_FOUND, 0, 0),
  SERVER(1007, DB_CREATE_EXISTS, TN_E_EXISTS, 0, 0),
  SERVER(1050, TABLE_EXISTS_ERROR, TN_E_EXISTS, 0, 0),
  SERVER(1060, DUP_FIELDNAME, TN_E_EXISTS, 0, 0),
  SERVER(1061, DUP_KEYNAME, TN_E_EXISTS, 0, 0),
  SERVER(1125, UDF_EXISTS, TN_E_EXISTS, 0, 0),
  SERVER(1304, SP_ALREADY_EXISTS, TN_E_EXISTS, 0, 0),
  SERVER(1359, TRG_ALREADY_EXISTS, TN_E_EXISTS, 0, 0),
  SERVER(1440, XAER_DUPID, TN_E_EXISTS, 0, 0),
  SERVER(1517, SAME_NAME_PARTITION, TN_E_EXISTS, 0, 0),
  SERVER(1537, EVENT_ALREADY_EXISTS, TN_E_EXISTS, 0, 0),
  SERVER(1826, DUP_CONSTRAINT_NAME, TN_E_EXISTS, 0, 0),
  SERVER(3822, CHECK_CONSTRAINT_DUP_NAME, TN_E_EXISTS, 0, 0),
  /* The statement. */
  SERVER(1065, EMPTY_QUERY, TN_E_USAGE, 0, 0),
  SERVER(1398, XAER_INVAL, TN_E_USAGE, 0, 0),
  SERVER(1063, WRONG_FIELD_SPEC, TN_E_SYNTAX, 0, 0),
  SERVER(1093, UPDATE_TABLE_USED, TN_E_SYNTAX, 0, 0),
  SERVER(1111, INVALID_GROUP_FUNC_USE, TN_E_SYNTAX, 0, 0),
  SERVER(1136, WRONG_VALUE_COUNT_ON_ROW, TN_E_SYNTAX, 0, 0),
  SERVER(1058, WRONG_VALUE_COUNT, TN_E_SYNTAX, 0, 0),
  SERVER(1210, WRONG_ARGUMENTS, TN_E_SYNTAX, 0, 0),
  SERVER(1221, WRONG_USAGE, TN_E_SYNTAX, 0, 0),
  SERVER(1253, COLLATION_CHARSET_MISMATCH, TN_E_SYNTAX, 0, 0),
  SERVER(1267, CANT_AGGREGATE_2COLLATIONS, TN_E_SYNTAX, 0, 0),
  SERVER(1270, CANT_AGGREGATE_3COLLATIONS, TN_E_SYNTAX, 0, 0),
  SERVER(1271, CANT_AGGREGATE_NCOLLATIONS, TN_E_SYNTAX, 0, 0),
  SERVER(1347, WRONG_OBJECT, TN_E_SYNTAX, 0, 0),
  SERVER(1442, CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG, TN_E_SYNTAX, 0, 0),
  /* Permissions. */
  SERVER(1044, DBACCESS_DENIED_ERROR, TN_E_PERMISSION, 0, 0),
  SERVER(1095, KILL_DENIED_ERROR, TN_E_PERMISSION, 0, 0),
  SERVER(1131, PASSWORD_ANONYMOUS_USER, TN_E_PERMISSION, 0, 0),
  SERVER(1132, PASSWORD_NOT_ALLOWED, TN_E_PERMISSION, 0, 0),
  SERVER(1142, TABLEACCESS_DENIED_ERROR, TN_E_PERMISSION, 0, 0),
  SERVER(1143, COLUMNACCESS_DENIED_ERROR, TN_E_PERMISSION, 0, 0),
  SERVER(1227, SPECIFIC_ACCESS_DENIED_ERROR, TN_E_PERMISSION, 0, 0),
  SERVER(1345, VIEW_NO_EXPLAIN, TN_E_PERMISSION, 0, 0),
  SERVER(1370, PROCACCESS_DENIED_ERROR, TN_E_PERMISSION, 0, 0),
  SERVER(1410, CANT_CREATE_USER_WITH_GRANT, TN_E_PERMISSION, 0, 0),
  SERVER(1419, BINLOG_CREATE_ROUTINE_NEED_SUPER, TN_E_PERMISSION, 0, 0),
  SERVER(1036, OPEN_AS_READONLY, TN_E_READ_ONLY, 0, 0),
  SERVER(1207, READ_ONLY_TRANSACTION, TN_E_READ_ONLY, 0, 0),
  SERVER(1290, OPTION_PREVENTS_STATEMENT, TN_E_READ_ONLY, 0, 0),
  SERVER(1792, CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, TN_E_READ_ONLY, 0, 0),
  SERVER(1836, READ_ONLY_MODE, TN_E_READ_ONLY, 0, 0),
  SERVER(1874, INNODB_READ_ONLY, TN_E_READ_ONLY, 0, 0),
  /* What the server cannot do, or not now. */
  SERVER(1031, ILLEGAL_HA, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1112, UNSUPPORTED_EXTENSION, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1148, NOT_ALLOWED_COMMAND, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1178, CHECK_NOT_IMPLEMENTED, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1214, TABLE_CANT_HANDLE_FT, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1235, NOT_SUPPORTED_YET, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1289, FEATURE_DISABLED, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1295, UNSUPPORTED_PS, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1845, ALTER_OPERATION_NOT_SUPPORTED, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1846, ALTER_OPERATION_NOT_SUPPORTED_REASON, TN_E_UNSUPPORTED, 0, 0),
  SERVER(3948, CLIENT_LOCAL_FILES_DISABLED, TN_E_UNSUPPORTED, 0, 0),
  SERVER(4166, LOAD_INFILE_CAPABILITY_DISABLED, TN_E_UNSUPPORTED, 0, 0),
  SERVER(1099, TABLE_NOT_LOCKED_FOR_WRITE, TN_E_STATE, 0, 0),
  SERVER(1100, TABLE_NOT_LOCKED, TN_E_STATE, 0, 0),
  SERVER(1179, CANT_DO_THIS_DURING_AN_TRANSACTION, TN_E_STATE, 0, 0),
  SERVER(1192, LOCK_OR_ACTIVE_TRANSACTION, TN_E_STATE, 0, 0),
  SERVER(1223, CANT_UPDATE_WITH_READLOCK, TN_E_STATE, 0, 0),
  SERVER(1243, UNKNOWN_STMT_HANDLER, TN_E_STATE, 0, 0),
  SERVER(1325, SP_CURSOR_ALREADY_OPEN, TN_E_STATE, 0, 0),
  SERVER(1326, SP_CURSOR_NOT_OPEN, TN_E_STATE, 0, 0),
  SERVER(1399, XAER_RMFAIL, TN_E_STATE, 0, 0),
  SERVER(1400, XAER_OUTSIDE, TN_E_STATE, 0, 0),
  SERVER(1422, COMMIT_NOT_ALLOWED_IN_SF_OR_TRG, TN_E_STATE, 0, 0),
  SERVER(1568, CANT_CHANGE_TX_CHARACTERISTICS, TN_E_STATE, 0, 0),
  /* Limits. */
  SERVER(1037, OUTOFMEMORY, TN_E_LIMIT, 0, 0),
  SERVER(1038, OUT_OF_SORTMEMORY, TN_E_LIMIT, 0, 0),
  SERVER(1041, OUT_OF_RESOURCES, TN_E_LIMIT, 0, 0),
  SERVER(1059, TOO_LONG_IDENT, TN_E_LIMIT, 0, 0),
  SERVER(1069, TOO_MANY_KEYS, TN_E_LIMIT, 0, 0),
  SERVER(1070, TOO_MANY_KEY_PARTS, TN_E_LIMIT, 0, 0),
  SERVER(1071, TOO_LONG_KEY, TN_E_LIMIT, 0, 0),
  SERVER(1074, TOO_BIG_FIELDLENGTH, TN_E_LIMIT, 0, 0),
  SERVER(1104, TOO_BIG_SELECT, TN_E_LIMIT, 0, 0),
  SERVER(1116, TOO_MANY_TABLES, TN_E_LIMIT, 0, 0),
  SERVER(1117, TOO_MANY_FIELDS, TN_E_LIMIT, 0, 0),
  SERVER(1118, TOO_BIG_ROWSIZE, TN_E_LIMIT, 0, 0),
  SERVER(1119, STACK_OVERRUN, TN_E_LIMIT, 0, 0),
  SERVER(1135, CANT_CREATE_THREAD, TN_E_LIMIT, 0, 0),
  SERVER(1301, WARN_ALLOWED_PACKET_OVERFLOWED, TN_E_LIMIT, 0, 0),
  SERVER(1390, PS_MANY_PARAM, TN_E_LIMIT, 0, 0),
  SERVER(1436, STACK_OVERRUN_NEED_MORE, TN_E_LIMIT, 0, 0),
  SERVER(1456, SP_RECURSION_LIMIT, TN_E_LIMIT, 0, 0),
  SERVER(1461, MAX_PREPARED_STMT_COUNT_REACHED, TN_E_LIMIT, 0, 0),
  SERVER(1637, TOO_MANY_CONCURRENT_TRXS, TN_E_LIMIT, 0, 0),
  SERVER(1705, STMT_CACHE_FULL, TN_E_LIMIT, 0, 0),
  SERVER(3636, CTE_MAX_RECURSION_DEPTH, TN_E_LIMIT, 0, 0),
  /* Files, and the server's own faults. */
  SERVER(1016, CANT_OPEN_FILE, TN_E_IO, 0, 0),
  SERVER(1017, FILE_NOT_FOUND, TN_E_IO, 0, 0),
  SERVER(1021, DISK_FULL, TN_E_IO, 0, 0),
  SERVER(1023, ERROR_ON_CLOSE, TN_E_IO, 0, 0),
  SERVER(1024, ERROR_ON_READ, TN_E_IO, 0, 0),
  SERVER(1026, ERROR_ON_WRITE, TN_E_IO, 0, 0),
  SERVER(1030, GET_ERRNO, TN_E_IO, 0, 0),
  SERVER(1034, NOT_KEYFILE, TN_E_IO, 0, 0),
  SERVER(1035, OLD_KEYFILE, TN_E_IO, 0, 0),
  SERVER(1114, RECORD_FILE_FULL, TN_E_IO, 0, 0),
  SERVER(1194, CRASHED_ON_USAGE, TN_E_IO, 0, 0),
  SERVER(1195, CRASHED_ON_REPAIR, TN_E_IO, 0, 0),
  SERVER(1815, INTERNAL_ERROR, TN_E_INTERNAL, 0, 0),
  SERVER(1105, UNKNOWN_ERROR, TN_E_OTHER, 0, 0),
  /* The client library's own. */
  CLIENT(2001, SOCKET_CREATE_ERROR, TN_E_LIMIT, DEAD, SAFE),
  CLIENT(2004, IPSOCK_ERROR, TN_E_LIMIT, DEAD, SAFE),
  CLIENT(2002, CONNECTION_ERROR, TN_E_CONNECT, 0, 0),
  CLIENT(2003, CONN_HOST_ERROR, TN_E_CONNECT, 0, 0),
  CLIENT(2005, UNKNOWN_HOST, TN_E_CONNECT, 0, 0),
  CLIENT(2006, SERVER_GONE_ERROR, TN_E_LOST, 0, 0),
  CLIENT(2007, VERSION_ERROR, TN_E_CONNECT, 0, NEVER),
  CLIENT(2008, OUT_OF_MEMORY, TN_E_MEMORY, DEAD, TRANSACTION),
  CLIENT(2012, SERVER_HANDSHAKE_ERR, TN_E_CONNECT, 0, 0),
  CLIENT(2013, SERVER_LOST, TN_E_LOST, 0, 0),
  CLIENT(2014, COMMANDS_OUT_OF_SYNC, TN_E_LOST, 0, 0),
  CLIENT(2019, CANT_READ_CHARSET, TN_E_CONFIG, 0, 0),
  CLIENT(2020, NET_PACKET_TOO_LARGE, TN_E_LIMIT, DEAD, NEVER),
  CLIENT(2026, SSL_CONNECTION_ERROR, TN_E_CONNECT, 0, 0),
  CLIENT(2027, MALFORMED_PACKET, TN_E_LOST, 0, 0),
  CLIENT(2049, SECURE_AUTH, TN_E_AUTH, 0, 0),
  CLIENT(2054, NOT_IMPLEMENTED, TN_E_UNSUPPORTED, 0, 0),
  CLIENT(2055, SERVER_LOST_EXTENDED, TN_E_LOST, 0, 0),
  CLIENT(2056, STMT_CLOSED, TN_E_STATE, 0, 0),
  CLIENT(2057, NEW_STMT_METADATA, TN_E_STATE, 0, 0),
  CLIENT(2059, AUTH_PLUGIN_CANNOT_LOAD, TN_E_AUTH, 0, 0),
  CLIENT(2061, AUTH_PLUGIN_ERR, TN_E_AUTH, 0, 0),
  CLIENT(2068, LOAD_DATA_LOCAL_INFILE_REJECTED, TN_E_UNSUPPORTED, 0, 0),
  CLIENT(5003, FUNCTION_NOT_SUPPORTED, TN_E_UNSUPPORTED, 0, 0),
  CLIENT(5004, FILE_NOT_FOUND, TN_E_CONFIG, 0, 0),
  CLIENT(5005, FILE_READ, TN_E_CONFIG, 0, 0),
  CLIENT(5010, PLUGIN_NOT_ALLOWED, TN_E_AUTH, 0, 0),
  CLIENT(5012, ERR_LOAD_PLUGIN, TN_E_AUTH, 0, 0),
  CLIENT(5013, ERR_NET_READ, TN_E_LOST, 0, 0),
  CLIENT(5014, ERR_NET_WRITE, TN_E_LOST, 0, 0),
  CLIENT(5015, ERR_NET_UNCOMPRESS, TN_E_LOST, 0, 0),
  CLIENT(5026, ERR_MISSING_ERROR_INFO, TN_E_LOST, 0, 0),
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
  STATE("70100", TN_E_CANCELED, "query interrupted"),
  STATE("XA", TN_E_STATE, "X/Open transactions"),
};
/* clang-format on */

_Static_assert(MYSQL__COUNT(mysql__errors) == MYSQL__ERROR_COUNT,
               "the header says how many rows there are");
