/* A plug-in that does what a test tells it. See fake_plugin.h. */
#include "fake_priv.h"

#include <stdlib.h>
#include <string.h>

struct fake_statement {
  struct fake_connection *connection;
  const struct fake_result *answer; /* NULL: no rows */
};

struct fake_rows {
  struct fake_statement *statement;
  const struct fake_result *answer; /* the present set */
  uint64_t next;                    /* row of it */
  uint64_t batch_rows;              /* rows of values that it was made for */
  uint64_t sets_left;               /* of a batch */
};

/* ---- connections ---- */

static void
add_arg(char *out, size_t size, const char *name, const char *value)
{
  size_t used = strlen(out);

  if (value != NULL)
    snprintf(out + used, size - used, "%s%s=%s", used > 0 ? " " : "", name,
             value);
}

static void
note_tls(char *out, size_t size, const struct tn_tls *tls)
{
  static const char *const modes[] = {
    [TN_TLS_OFF] = "off",
    [TN_TLS_PREFER] = "prefer",
    [TN_TLS_REQUIRE] = "require",
    [TN_TLS_VERIFY_CA] = "verify-ca",
    [TN_TLS_VERIFY_FULL] = "verify-full",
  };

  if (tls == NULL)
    return;
  add_arg(out, size, "tls", modes[tls->mode]);
  add_arg(out, size, "tls_ca", tls->ca);
}

static void
note_args(struct fake_script *script, const struct tn_connect_args *args)
{
  char address[256];
  char *out = script->args;
  size_t size = sizeof(script->args);

  out[0] = '\0';
  add_arg(out, size, "dialect", args->dialect);
  add_arg(out, size, "driver", args->driver);
  add_arg(out, size, "user", args->user);
  add_arg(out, size, "password", args->password);
  for (uint32_t i = 0; i < args->address_count; i++) {
    snprintf(address, sizeof(address), "%s:%u", args->addresses[i].host,
             (unsigned)args->addresses[i].port);
    add_arg(out, size, "host", address);
  }
  add_arg(out, size, "database", args->database);
  for (uint32_t i = 0; i < args->option_count; i++) {
    if (strcmp(args->options[i].name, "script") != 0)
      add_arg(out, size, args->options[i].name, args->options[i].value);
  }
  note_tls(out, size, args->tls);
}

static int32_t
fake_connect(const struct tn_connect_args *args, struct tn_call *call,
             void **ret)
{
  const char *script = tn_connect_option(args, "script");
  struct fake_connection *connection = fake__make(call, sizeof(*connection));
  int skips;
  int32_t rc;

  if (connection == NULL)
    return TN_E_MEMORY;
  connection->host = call->host;
  connection->script =
      script != NULL
          ? (struct fake_script *)(uintptr_t)strtoull(script, NULL, 16)
          : &connection->own;
  note_args(connection->script, args);
  connection->script->deadline = call->deadline;
  rc = fake__follow(connection->script, FAKE_CONNECT, call, &skips);
  if (rc != TN_OK || skips) {
    call->host->release(connection);
    return rc;
  }
  atomic_fetch_add(&connection->script->open_connections, 1);
  *ret = connection;
  return TN_OK;
}

static void
fake_disconnect(void *handle, struct tn_call *call)
{
  struct fake_connection *connection = handle;

  (void)call;
  fake__count_call(connection->script, FAKE_DISCONNECT);
  atomic_fetch_sub(&connection->script->open_connections, 1);
  connection->host->release(connection);
}

static int32_t
fake_ping(void *handle, struct tn_call *call)
{
  return fake__follow_simple(handle, FAKE_PING, call);
}

static void
fake_cancel(void *handle)
{
  fake__count(handle, FAKE_CANCEL);
}

static uint64_t
fake_server_caps(void *handle)
{
  const struct fake_connection *connection = handle;

  fake__count(handle, FAKE_SERVER_CAPS);
  return connection->script->server_caps != 0 ? connection->script->server_caps
                                              : UINT64_MAX;
}

static const char *
fake_server_version(void *handle)
{
  const struct fake_connection *connection = handle;

  fake__count(handle, FAKE_SERVER_VERSION);
  return connection->script->server_version != NULL
             ? connection->script->server_version
             : "Fake 1.0";
}

static int32_t
fake_abandon(void *handle)
{
  struct fake_connection *connection = handle;

  fake__count_call(connection->script, FAKE_ABANDON);
  return TN_OK;
}

/* ---- statements ---- */

static const struct fake_result *
find_result(const struct fake_script *script, const char *sql)
{
  for (size_t i = 0; i < script->result_count; i++) {
    const char *wanted = script->results[i].sql;

    if (wanted == NULL || strncmp(sql, wanted, strlen(wanted)) == 0)
      return &script->results[i];
  }
  return NULL;
}

static int32_t
fake_prepare(void *handle, const char *sql, size_t sql_size,
             struct tn_call *call, void **ret, struct tn_statement_info *info)
{
  struct fake_connection *connection = handle;
  struct fake_script *script = connection->script;
  struct fake_statement *statement;
  int skips;
  int32_t rc = fake__follow(script, FAKE_PREPARE, call, &skips);

  snprintf(script->sql, sizeof(script->sql), "%s", sql);
  if (rc != TN_OK || skips)
    return rc;
  statement = fake__make(call, sizeof(*statement));
  if (statement == NULL)
    return TN_E_MEMORY;
  statement->connection = connection;
  statement->answer = find_result(script, sql);
  info->parameter_count = 0;
  for (size_t i = 0; i < sql_size; i++)
    info->parameter_count += sql[i] == '?';
  info->column_count = statement->answer != NULL && !script->is_columns_late
                           ? statement->answer->column_count
                           : 0;
  atomic_fetch_add(&script->open_statements, 1);
  *ret = statement;
  return TN_OK;
}

static struct fake_rows *
make_rows(struct fake_statement *statement, struct tn_call *call)
{
  struct fake_rows *rows = fake__make(call, sizeof(*rows));

  if (rows == NULL)
    return NULL;
  rows->statement = statement;
  rows->answer = statement->answer;
  rows->batch_rows = 1;
  atomic_fetch_add(&statement->connection->script->open_results, 1);
  return rows;
}

static int32_t
fake_execute(void *handle, const tn_value *values, uint32_t count,
             struct tn_call *call, void **ret)
{
  struct fake_statement *statement = handle;
  struct fake_script *script = statement->connection->script;
  struct fake_rows *rows;
  int skips;
  int32_t rc = fake__follow(script, FAKE_EXECUTE, call, &skips);

  script->call_flags = call->flags;
  fake__note_values(script, values, count, 1);
  if (rc != TN_OK || skips)
    return rc;
  rows = make_rows(statement, call);
  if (rows == NULL)
    return TN_E_MEMORY;
  *ret = rows;
  return TN_OK;
}

static int32_t
fake_execute_batch(void *handle, const tn_value *values, uint32_t count,
                   uint64_t row_count, struct tn_call *call, void **ret)
{
  struct fake_statement *statement = handle;
  struct fake_script *script = statement->connection->script;
  struct fake_rows *rows;
  int skips;
  int32_t rc = fake__follow(script, FAKE_EXECUTE_BATCH, call, &skips);

  script->call_flags = call->flags;
  script->batch_rows += row_count;
  fake__note_values(script, values, count, row_count);
  if (rc != TN_OK || skips)
    return rc;
  rows = make_rows(statement, call);
  if (rows == NULL)
    return TN_E_MEMORY;
  rows->batch_rows = row_count;
  if (rows->answer != NULL && rows->answer->column_count > 0)
    rows->sets_left = row_count - 1;
  *ret = rows;
  return TN_OK;
}

static void
fake_close_statement(void *handle, struct tn_call *call)
{
  struct fake_statement *statement = handle;

  (void)fake__follow_simple(statement->connection, FAKE_CLOSE_STATEMENT, call);
  atomic_fetch_sub(&statement->connection->script->open_statements, 1);
  statement->connection->host->release(statement);
}

/* ---- results ---- */

static int32_t
fake_columns(void *handle, struct tn_call *call, const struct tn_column **ret,
             uint32_t *ret_count)
{
  const struct fake_rows *rows = handle;
  const struct fake_result *answer = rows->answer;
  int skips;
  int32_t rc = fake__follow(rows->statement->connection->script, FAKE_COLUMNS,
                            call, &skips);

  if (rc != TN_OK)
    return rc;
  *ret_count = answer != NULL ? answer->column_count : 0;
  if (!skips)
    *ret = answer != NULL ? answer->columns : NULL;
  return TN_OK;
}

static int32_t
fake_fetch(void *handle, tn_value *cells, struct tn_call *call)
{
  struct fake_rows *rows = handle;
  const struct fake_result *answer = rows->answer;
  int skips;
  int32_t rc = fake__follow(rows->statement->connection->script, FAKE_FETCH,
                            call, &skips);

  if (rc != TN_OK)
    return -rc;
  if (skips)
    return 2; /* neither a row nor the end */
  if (answer == NULL || rows->next == answer->row_count)
    return 0;
  memcpy(cells, answer->rows + rows->next * answer->column_count,
         answer->column_count * sizeof(*cells));
  rows->next++;
  return 1;
}

static void
fake_close_result(void *handle, struct tn_call *call)
{
  struct fake_rows *rows = handle;
  struct fake_connection *connection = rows->statement->connection;

  (void)fake__follow_simple(connection, FAKE_CLOSE_RESULT, call);
  atomic_fetch_sub(&connection->script->open_results, 1);
  connection->host->release(rows);
}

static int32_t
fake_info(void *handle, struct tn_result_info *info)
{
  const struct fake_rows *rows = handle;
  const struct fake_result *answer = rows->answer;
  const struct fake_script *script = rows->statement->connection->script;
  const struct fake_answer *told;

  fake__count(rows->statement->connection, FAKE_INFO);
  told = fake__find_answer(script, FAKE_INFO, script->calls[FAKE_INFO]);
  if (told != NULL && told->category != TN_OK)
    return told->category;
  if (answer == NULL)
    return TN_OK;
  info->flags = answer->info_flags;
  info->affected = answer->affected;
  if (answer->column_count == 0)
    info->affected *= rows->batch_rows;
  info->generated_key = answer->generated_key;
  return TN_OK;
}

static int32_t
fake_next_set(void *handle, struct tn_call *call)
{
  struct fake_rows *rows = handle;
  int skips;
  int32_t rc = fake__follow(rows->statement->connection->script, FAKE_NEXT_SET,
                            call, &skips);

  if (rc != TN_OK)
    return -rc;
  if (skips)
    return 2;
  rows->next = rows->answer != NULL ? rows->answer->row_count : 0;
  if (rows->sets_left > 0)
    rows->sets_left--;
  else if (rows->answer != NULL && rows->answer->next != NULL)
    rows->answer = rows->answer->next;
  else
    return 0;
  rows->next = 0;
  return 1;
}

static int32_t
fake_is_complete(void *handle)
{
  const struct fake_rows *rows = handle;

  fake__count(rows->statement->connection, FAKE_IS_COMPLETE);
  return rows->statement->connection->script->is_complete;
}

/* Without a count: it is no call that a test waits for. */
static int32_t
fake_socket(void *handle)
{
  const struct fake_connection *connection = handle;
  const int *number = connection->script->socket;

  return number != NULL ? *number : -1;
}

/* ---- tables ---- */

static const struct tn_connection_table connection_table = {
  .size = sizeof(connection_table),
  .connect = fake_connect,
  .disconnect = fake_disconnect,
  .ping = fake_ping,
  .cancel = fake_cancel,
  .server_caps = fake_server_caps,
  .server_version = fake_server_version,
  .abandon = fake_abandon,
  .socket = fake_socket,
};

static const struct tn_statement_table statement_table = {
  .size = sizeof(statement_table),
  .prepare = fake_prepare,
  .execute = fake_execute,
  .close = fake_close_statement,
};

static const struct tn_result_table result_table = {
  .size = sizeof(result_table),
  .columns = fake_columns,
  .fetch = fake_fetch,
  .close = fake_close_result,
  .info = fake_info,
};

static const struct tn_statement_table rich_statement_table = {
  .size = sizeof(rich_statement_table),
  .prepare = fake_prepare,
  .execute = fake_execute,
  .close = fake_close_statement,
  .execute_batch = fake_execute_batch,
};

static const struct tn_result_table rich_result_table = {
  .size = sizeof(rich_result_table),
  .columns = fake_columns,
  .fetch = fake_fetch,
  .close = fake_close_result,
  .info = fake_info,
  .next_set = fake_next_set,
  .is_complete = fake_is_complete,
};

/* Codes of several servers, so that tests can use those they know. */
static const struct tn_error_row errors[] = {
  { 19, TN_E_CONSTRAINT, 0, 0, NULL, "FAKE_CONSTRAINT" },
  { 2067, TN_E_DUPLICATE, 0, 0, "23505", "FAKE_UNIQUE" },
  { 1213, TN_E_DEADLOCK, 0, 0, NULL, "FAKE_DEADLOCK" },
  { 1205, TN_E_LOCK_TIMEOUT, 0, 0, "HY000", "FAKE_LOCK_TIMEOUT" },
  { 2013, TN_E_LOST, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN, NULL, "FAKE_LOST" },
  { 0, TN_E_DUPLICATE, 0, 0, "23505", "unique_violation" },
  { 0, TN_E_SERIALIZATION, TN_CONNECTION_ABORTED, TN_REPLAY_TRANSACTION,
    "40001", "serialization_failure" },
  { 0, TN_E_CONSTRAINT, 0, 0, "23", "class 23" },
  { 0, TN_E_LOST, TN_CONNECTION_DEAD, 0, "08", "class 08" },
};

/* By the category, so that tests see which one is asked about. */
static void
fake_error_fields(const struct tn_error_row *row, struct tn_error_fields *ret)
{
  if (row->category == TN_E_DUPLICATE)
    ret->protocol = TN_ERR_BIT(TN_ERR_CONSTRAINT);
  if (row->category == TN_E_DEADLOCK)
    ret->message = TN_ERR_BIT(TN_ERR_TABLE);
}

#define TYPE(type) (UINT32_C(1) << (type))

static const struct tn_dialect_table dialect_table = {
  .size = sizeof(dialect_table),
  .placeholder = TN_PLACEHOLDER_QUESTION,
  .value_types = TYPE(TN_NULL) | TYPE(TN_BOOL) | TYPE(TN_INT64) |
                 TYPE(TN_UINT64) | TYPE(TN_DOUBLE) | TYPE(TN_DECIMAL) |
                 TYPE(TN_TEXT) | TYPE(TN_BLOB) | TYPE(TN_DATE) |
                 TYPE(TN_TIMESTAMP) | TYPE(TN_JSON),
  .max_parameters = 100,
  .max_identifier_bytes = 63,
  .max_value_bytes = 1000,
  .errors = errors,
  .error_count = COUNT(errors),
  .error_fields = fake_error_fields,
};

static const void *const all_tables[] = {
  [TN_TABLE_CONNECTION] = &connection_table,
  [TN_TABLE_STATEMENT] = &statement_table,
  [TN_TABLE_RESULT] = &result_table,
  [TN_TABLE_DIALECT] = &dialect_table,
  [TN_TABLE_TXN] = &fake__txn_table,
  [TN_TABLE_SESSION] = &fake__session_table,
};

static const void *
get_table(uint32_t id)
{
  return id < COUNT(all_tables) ? all_tables[id] : NULL;
}

static const void *const rich_tables[] = {
  [TN_TABLE_STATEMENT] = &rich_statement_table,
  [TN_TABLE_RESULT] = &rich_result_table,
  [TN_TABLE_BULK] = &fake__bulk_table,
};

const void *
fake_rich_table(uint32_t id)
{
  return id < COUNT(rich_tables) ? rich_tables[id] : NULL;
}

static const char *
client_version(void)
{
  return "1.0";
}

static const char *const schemes[] = { "fake", NULL };

static const struct tn_option_row options[] = {
  { "script", TN_OPTION_TEXT, 0, 0, 0, NULL, "", "address of the script" },
  { "label", TN_OPTION_TEXT, 0, 0, 0, NULL, "", "any text" },
  { "size", TN_OPTION_INTEGER, 0, -1, 100, NULL, "7", "a number" },
  { "strict", TN_OPTION_BOOL, 0, 0, 0, NULL, "off", "a switch" },
  { "timeout", TN_OPTION_DURATION, 0, 100, 60000, NULL, "5s", "a duration" },
  { "mode", TN_OPTION_CHOICE, 0, 0, 0, "off|normal|full", "normal", "a word" },
  { "pin_code", TN_OPTION_INTEGER, TN_OPTION_SECRET, 0, 9999, NULL, "",
    "a number that is never shown" },
  { "charset", TN_OPTION_TEXT, TN_OPTION_IGNORED, 0, 0, NULL, "",
    "of another driver" },
  { "pool_size", TN_OPTION_INTEGER, TN_OPTION_IGNORED, 0, 0, NULL, "",
    "of another driver" },
};

static const struct tn_plugin plugin = {
  .size = sizeof(plugin),
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .option_count = COUNT(options),
  .caps = TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_EXPRESSIONS | TN_CAP_TRANSACTION |
          TN_CAP_SAVEPOINT | TN_CAP_READ_ONLY | TN_CAP_SERIALIZABLE |
          TN_CAP_SQL_MODE | TN_CAP_GENERATED_KEY | TN_CAP_CANCEL |
          TN_CAP_DEADLINE | TN_CAP_STREAMING | TN_CAP_CONSTRAINT_NAMES |
          TN_CAP_RESET,
  .name = "fake",
  .version = "1.2",
  .license = "Apache-2.0",
  .schemes = schemes,
  .client_library = "fakelib",
  .options = options,
  .client_version = client_version,
  .get_table = get_table,
};

const struct tn_plugin *
fake_plugin_entry(struct tn_call *call)
{
  (void)call;
  return &plugin;
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  return fake_plugin_entry(call);
}
