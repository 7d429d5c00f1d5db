/* A backend that has one table of its own, "greetings", and knows one
 * statement: SELECT * FROM greetings. It is where a backend begins: each part
 * says what belongs in its place.
 *
 * It includes tenon/plugin.h, whose comments are the rules, and nothing else of
 * Tenon. README.md says how it is built, checked and packaged. */
#include <ctype.h>
#include <strings.h>
#include <tenon/plugin.h>

/* One session. A connection of your client library's stands here. */
struct session {
  const struct tn_host *host;
};

/* One statement, and its open result: there is one at a time. */
struct statement {
  uint32_t row; /* that comes next */
};

/* ------------------------------------------------------------------ */
/* Errors: what your server's codes mean. The first row that matches wins. */

static const struct tn_error_row errors[] = {
  { 0, TN_E_NO_TABLE, 0, 0, "42S02", "no such table" },
  { 0, TN_E_SYNTAX, 0, 0, "42000", "not understood" },
};

/* Say what failed at the point of failure, before the client library is called
 * again: the code, and its own words. */
static int32_t
fail_state(struct tn_call *call, const char *sqlstate, const char *message)
{
  struct tn_failure failure;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.sqlstate = sqlstate;
  failure.message = message;
  return call->host->fail(call, &failure);
}

/* ------------------------------------------------------------------ */
/* Connections                                                         */

/* Connect to args->addresses, log in, set the session up, until call->deadline;
 * wait through host->wait(), and for what the library can only do blocking
 * through host->offload(). */
static int32_t
skeleton_connect(const struct tn_connect_args *args, struct tn_call *call,
                 void **ret)
{
  const struct tn_host *host = call->host;
  struct session *session;
  int32_t rc = host->check(call);

  (void)args;
  if (rc != TN_OK)
    return rc;
  session = host->alloc(sizeof *session);
  if (session == NULL)
    return tn_fail(call, TN_E_MEMORY, "skeleton: out of memory");
  session->host = host;
  *ret = session;
  return TN_OK;
}

static void
skeleton_disconnect(void *handle, struct tn_call *call)
{
  const struct session *session = handle;

  (void)call;
  session->host->release(handle);
}

static int32_t
skeleton_ping(void *handle, struct tn_call *call)
{
  (void)handle;
  return call->host->check(call);
}

/* ------------------------------------------------------------------ */
/* Statements                                                          */

/* Is `word` what comes next? Then it is behind us. */
static int
skip_word(const char **at, const char *word)
{
  size_t size = strlen(word);

  while (isspace((unsigned char)**at))
    (*at)++;
  if (strncasecmp(*at, word, size) != 0)
    return 0;
  *at += size;
  return 1;
}

/* Which table is it about? The error says so in a field of its own. */
static int32_t
fail_table(struct tn_call *call, const char *name)
{
  size_t size = strcspn(name, " ;\t\r\n");
  int32_t rc =
      fail_state(call, "42S02", "skeleton: there is no table but greetings");

  call->host->fail_field(call, TN_ERR_TABLE, name, size);
  return rc;
}

/* What a server would do with the text. */
static int32_t
parse(const char *sql, struct tn_call *call)
{
  if (!skip_word(&sql, "SELECT") || !skip_word(&sql, "*") ||
      !skip_word(&sql, "FROM"))
    return fail_state(call, "42000",
                      "skeleton: only SELECT * FROM greetings is understood");
  if (!skip_word(&sql, "greetings"))
    return fail_table(call, sql);
  (void)skip_word(&sql, ";");
  while (isspace((unsigned char)*sql))
    sql++;
  return *sql == '\0'
             ? TN_OK
             : fail_state(call, "42000", "skeleton: more than one statement");
}

static int32_t
skeleton_prepare(void *handle, const char *sql, size_t sql_size,
                 struct tn_call *call, void **ret,
                 struct tn_statement_info *info)
{
  struct statement *statement;
  int32_t rc = parse(sql, call);

  (void)handle;
  (void)sql_size;
  if (rc != TN_OK)
    return rc;
  statement = call->host->arena_alloc(call->arena, sizeof *statement);
  if (statement == NULL)
    return tn_fail(call, TN_E_MEMORY, "skeleton: out of memory");
  statement->row = 0;
  info->column_count = 2;
  info->parameter_count = 0;
  *ret = statement;
  return TN_OK;
}

/* Bind the values, send it, and return as soon as its fate is known. */
static int32_t
skeleton_execute(void *handle, const tn_value *values, uint32_t count,
                 struct tn_call *call, void **ret)
{
  struct statement *statement = handle;
  int32_t rc = call->host->check(call);

  (void)values;
  (void)count;
  if (rc != TN_OK)
    return rc;
  statement->row = 0;
  *ret = statement;
  return TN_OK;
}

static void
skeleton_close_statement(void *handle, struct tn_call *call)
{
  (void)handle; /* it lives in the call's arena */
  (void)call;
}

/* ------------------------------------------------------------------ */
/* Results                                                             */

static const struct tn_column columns[] = {
  { .name = "language", .type_name = "text", .type = TN_TEXT },
  { .name = "greeting", .type_name = "text", .type = TN_TEXT },
};

static const char *const greetings[][2] = {
  { "English", "hello" },
  { "Finnish", "hei" },
  { "Swahili", "habari" },
};

static int32_t
skeleton_columns(void *result, struct tn_call *call,
                 const struct tn_column **ret, uint32_t *ret_count)
{
  (void)result;
  (void)call;
  *ret = columns;
  *ret_count = sizeof columns / sizeof columns[0];
  return TN_OK;
}

/* The cells may point into what you hold until the next fetch. */
static int32_t
skeleton_fetch(void *result, tn_value *cells, struct tn_call *call)
{
  struct statement *statement = result;
  int32_t rc = call->host->check(call);

  if (rc != TN_OK)
    return -rc;
  if (statement->row == sizeof greetings / sizeof greetings[0])
    return 0;
  cells[0] = tn_text(greetings[statement->row][0]);
  cells[1] = tn_text(greetings[statement->row][1]);
  statement->row++;
  return 1;
}

static void
skeleton_close_result(void *result, struct tn_call *call)
{
  (void)result;
  (void)call;
}

/* ------------------------------------------------------------------ */
/* Tables                                                              */

static const struct tn_connection_table connection_table = {
  .size = sizeof connection_table,
  .connect = skeleton_connect,
  .disconnect = skeleton_disconnect,
  .ping = skeleton_ping,
};

static const struct tn_statement_table statement_table = {
  .size = sizeof statement_table,
  .prepare = skeleton_prepare,
  .execute = skeleton_execute,
  .close = skeleton_close_statement,
};

static const struct tn_result_table result_table = {
  .size = sizeof result_table,
  .columns = skeleton_columns,
  .fetch = skeleton_fetch,
  .close = skeleton_close_result,
};

static const struct tn_dialect_table dialect_table = {
  .size = sizeof dialect_table,
  .placeholder = TN_PLACEHOLDER_QUESTION,
  .value_types = 1u << TN_TEXT,
  .errors = errors,
  .error_count = sizeof errors / sizeof errors[0],
};

static const void *
get_table(uint32_t id)
{
  switch (id) {
  case TN_TABLE_CONNECTION:
    return &connection_table;
  case TN_TABLE_STATEMENT:
    return &statement_table;
  case TN_TABLE_RESULT:
    return &result_table;
  case TN_TABLE_DIALECT:
    return &dialect_table;
  default:
    return NULL;
  }
}

static const char *
client_version(void)
{
  return "0";
}

/* Set a capability when its case in the suite passes: it is a promise. */
const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static const char *const schemes[] = { "skeleton", NULL };
  static const struct tn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = TN_ABI_MAJOR,
    .abi_minor = TN_ABI_MINOR,
    .caps = TN_CAP_STREAMING,
    .name = "skeleton",
    .version = "0.1",
    .license = "Apache-2.0",
    .schemes = schemes,
    .client_library = "none",
    .client_version = client_version,
    .get_table = get_table,
  };

  (void)call;
  return &plugin;
}
