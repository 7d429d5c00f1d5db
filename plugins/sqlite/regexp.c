/* X REGEXP Y, by PCRE2.
 *
 * SQLite has the operator but not the function behind it. This one searches as
 * Python's re.search() does, as oslo.db has it for SQLite; but NULL on either
 * side gives NULL, as everywhere in SQL, where oslo.db searches the text
 * "None". A pattern may take time without end: PCRE2 calls out at each of its
 * items, and the host is asked whether to go on. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sqlite_priv.h"

/* Work between two questions to the host: some hundred microseconds. */
#define WORK_BETWEEN_CHECKS 65536

/* Memory for what a match must remember, in KiB. */
#define HEAP_LIMIT_KIB 65536

/* A compiled pattern with what a match of it needs. */
struct regexp {
  pcre2_code *code;
  pcre2_match_data *data;
  pcre2_match_context *context;
  struct sqlite__conn *conn;
  int64_t work; /* left before the host is asked again */
  int64_t step; /* the work of one item; a subject is walked in items */
};

/* PCRE2 allocates where the plug-in does. */
static void *
take(size_t size, void *user)
{
  const struct tn_host *host = user;

  return host->alloc(size);
}

static void
give(void *memory, void *user)
{
  const struct tn_host *host = user;

  host->release(memory);
}

static void
release(void *user)
{
  struct regexp *regexp = user;
  const struct tn_host *host = regexp->conn->host;

  pcre2_match_data_free(regexp->data);
  pcre2_match_context_free(regexp->context);
  pcre2_code_free(regexp->code);
  host->release(regexp);
}

static int
call_out(pcre2_callout_block *block, void *user)
{
  struct regexp *regexp = user;
  struct sqlite__conn *conn = regexp->conn;

  (void)block;
  regexp->work -= regexp->step;
  if (regexp->work > 0 || conn->call == NULL)
    return 0;
  regexp->work = WORK_BETWEEN_CHECKS;
  if (conn->stopped == 0)
    conn->stopped = conn->host->check(conn->call);
  return conn->stopped == 0 ? 0 : PCRE2_ERROR_CALLOUT;
}

/* Code of a message of the library's, as SQL's error. */
static void
fail_pattern(sqlite3_context *context, int code, size_t offset)
{
  PCRE2_UCHAR reason[160];
  char text[256];

  if (code == PCRE2_ERROR_HEAP_FAILED) {
    sqlite3_result_error_nomem(context);
    return;
  }
  pcre2_get_error_message(code, reason, sizeof reason);
  sqlite3_snprintf((int)sizeof text, text,
                   "regexp: the pattern is wrong at offset %lld: %s",
                   (long long)offset, (const char *)reason);
  sqlite3_result_error(context, text, -1);
}

/* Python's rules: characters not bytes, classes by Unicode, '.' is any but a
 * newline. Callouts at each item are what makes a match stoppable. */
#define COMPILE_OPTIONS                                                        \
  (PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | \
   PCRE2_AUTO_CALLOUT)

static bool
compile(struct regexp *regexp, pcre2_general_context *general,
        sqlite3_context *context, sqlite3_value *pattern)
{
  pcre2_compile_context *options = pcre2_compile_context_create(general);
  const unsigned char *text = sqlite3_value_text(pattern);
  size_t size = (size_t)sqlite3_value_bytes(pattern);
  int code = PCRE2_ERROR_HEAP_FAILED;
  size_t offset = 0;

  if (options != NULL && text != NULL) {
    pcre2_set_newline(options, PCRE2_NEWLINE_LF);
    regexp->code =
        pcre2_compile(text, size, COMPILE_OPTIONS, &code, &offset, options);
  }
  pcre2_compile_context_free(options);
  if (regexp->code == NULL)
    fail_pattern(context, code, offset);
  return regexp->code != NULL;
}

static bool
prepare_match(struct regexp *regexp, pcre2_general_context *general,
              sqlite3_context *context)
{
  regexp->data = pcre2_match_data_create_from_pattern(regexp->code, general);
  regexp->context = pcre2_match_context_create(general);
  if (regexp->data == NULL || regexp->context == NULL) {
    sqlite3_result_error_nomem(context);
    return false;
  }
  pcre2_set_callout(regexp->context, call_out, regexp);
  pcre2_set_heap_limit(regexp->context, HEAP_LIMIT_KIB);
  return true;
}

/* A pattern of the host's memory; NULL after the context was given the
 * error. */
static struct regexp *
new_regexp(struct sqlite__conn *conn, sqlite3_context *context,
           sqlite3_value *pattern)
{
  const struct tn_host *host = conn->host;
  pcre2_general_context *general =
      pcre2_general_context_create(take, give, (void *)host);
  struct regexp *regexp = host->alloc(sizeof *regexp);
  bool is_ready = false;

  if (general == NULL || regexp == NULL) {
    sqlite3_result_error_nomem(context);
  } else {
    struct regexp empty = { .conn = conn };

    *regexp = empty;
    is_ready = compile(regexp, general, context, pattern) &&
               prepare_match(regexp, general, context);
  }
  pcre2_general_context_free(general);
  if (is_ready)
    return regexp;
  if (regexp != NULL && general != NULL)
    release(regexp);
  else
    host->release(regexp);
  return NULL;
}

/* PCRE2's answer as SQL's. */
static void
give_result(sqlite3_context *context, int code)
{
  switch (code) {
  case PCRE2_ERROR_NOMATCH:
    sqlite3_result_int(context, 0);
    break;
  case PCRE2_ERROR_CALLOUT: /* the host has said why */
    sqlite3_result_error_code(context, SQLITE_INTERRUPT);
    break;
  case PCRE2_ERROR_NOMEMORY:
    sqlite3_result_error_nomem(context);
    break;
  case PCRE2_ERROR_MATCHLIMIT:
  case PCRE2_ERROR_DEPTHLIMIT:
  case PCRE2_ERROR_HEAPLIMIT:
    sqlite3_result_error(context, "regexp: too much work to match this pattern",
                         -1);
    break;
  default:
    if (code >= 0)
      sqlite3_result_int(context, 1);
    else
      fail_pattern(context, code, 0);
  }
}

static void
match(struct regexp *regexp, sqlite3_context *context, sqlite3_value *value)
{
  const unsigned char *text = sqlite3_value_text(value);
  size_t size = (size_t)sqlite3_value_bytes(value);

  if (text == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  regexp->work = WORK_BETWEEN_CHECKS;
  regexp->step = 16 + (int64_t)(size / 8);
  give_result(context, pcre2_match(regexp->code, text, size, 0, 0, regexp->data,
                                   regexp->context));
}

/* regexp(pattern, text). SQLite keeps the compiled pattern with the statement
 * as long as the pattern is a constant or a parameter. */
static void
call(sqlite3_context *context, int count, sqlite3_value **values)
{
  struct sqlite__conn *conn = sqlite3_user_data(context);
  struct regexp *regexp;
  bool is_new;

  (void)count;
  if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
      sqlite3_value_type(values[1]) == SQLITE_NULL)
    return; /* NULL */
  regexp = sqlite3_get_auxdata(context, 0);
  is_new = regexp == NULL;
  if (is_new)
    regexp = new_regexp(conn, context, values[0]);
  if (regexp == NULL)
    return;
  match(regexp, context, values[1]);
  if (is_new) /* last, because SQLite may release it at once */
    sqlite3_set_auxdata(context, 0, regexp, release);
}

/* Deterministic, so that it may stand in an index or a CHECK; innocuous,
 * because it reads nothing but its arguments. */
int
sqlite__regexp_install(struct sqlite__conn *conn)
{
  return sqlite3_create_function_v2(conn->db, "regexp", 2,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC |
                                        SQLITE_INNOCUOUS,
                                    conn, call, NULL, NULL, NULL);
}
