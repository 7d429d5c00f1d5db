/* Errors that programs know which came from oslo.db: each is brought about on a
 * real server, or looked up, and compared with what it is to be.
 *
 * The one argument names the backend, whose events are in BACKEND.events; for
 * SQLite a second one the file. How many agree with oslo.db's class for them,
 * or the better one that it should have, is printed; those that do not have a
 * reason in the file. */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* oslo.db's classes for the categories, as include/README.md has them. */
static const struct {
  int32_t category;
  const char *answer;
} answers[] = {
  { TN_E_CONNECT, "DBConnectionError" },
  { TN_E_LOST, "DBConnectionError" },
  { TN_E_UNCERTAIN, "DBConnectionError" },
  { TN_E_DEADLOCK, "DBDeadlock" },
  { TN_E_SERIALIZATION, "DBDeadlock" },
  { TN_E_LOCK_TIMEOUT, "DBDeadlock" },
  { TN_E_BUSY, "DBDeadlock" },
  { TN_E_DUPLICATE, "DBDuplicateEntry" },
  { TN_E_REFERENCE, "DBReferenceError" },
  { TN_E_CHECK, "DBConstraintError" },
  { TN_E_DATA, "DBDataError" },
  { TN_E_CHARSET, "DBDataError" },
  { TN_E_NO_DATABASE, "DBNonExistentDatabase" },
  { TN_E_NO_TABLE, "DBNonExistentTable" },
  { TN_E_NO_CONSTRAINT, "DBNonExistentConstraint" },
  { TN_E_UNSUPPORTED, "DBNotSupportedError" },
};

/* Its other names for what we have one category for. */
static const char *const same[][2] = {
  { "DBConsistencyError", "DBDeadlock" },
  { "DBInvalidUnicodeParameter", "DBDataError" },
};

struct event {
  const char *number;
  const char *how;
  const char *what;
  const char *category;
  const char *answer;
  char *fields;
};

struct tally {
  unsigned count;
  unsigned live;
  unsigned agreeing;
  unsigned none;
  unsigned broken;
  char differing[512];
};

tn_conn *
events_open(const struct run *run)
{
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (tn_conn_open(run->url, NULL, &conn, &err) != TN_OK) {
    fprintf(stderr, "open: %s\n", err.message);
    exit(1);
  }
  return conn;
}

void
events_must(tn_conn *conn, const char *sql)
{
  tn_err err = TN_ERR_INIT;

  if (tn_conn_exec(conn, sql, NULL, &err) != TN_OK) {
    fprintf(stderr, "%s: %s\n", sql, err.message);
    exit(1);
  }
}

/* ---- bringing it about ---- */

static void
run_sql(const struct run *run, const char *sql, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);
  tn_err failure = TN_ERR_INIT;

  (void)!tn_conn_script(conn, sql, NULL, NULL, err);
  if (err->code != TN_E_DUPLICATE && err->code != TN_E_REFERENCE)
    return;
  if (tn_conn_rollback(conn, &failure) != TN_OK ||
      tn_conn_complete(conn, err, 0, &failure) != TN_OK)
    tn_err_set(err, TN_E_INTERNAL, "complete: %s", failure.message);
}

struct search {
  const char *code;
  int32_t category;
};

static void
look_up(const struct tn_error_info *info, void *user)
{
  struct search *search = user;
  char number[32];

  snprintf(number, sizeof number, "%d", (int)info->native);
  if (strcmp(search->code, info->native != 0 ? number : info->sqlstate) == 0 ||
      strstr(info->name, search->code) != NULL)
    search->category = info->category;
}

static void
ask_table(const struct run *run, const char *code, tn_err *err)
{
  struct search search = { .code = code };

  if (tn_registry_errors(tn_registry_default(), run->backend, look_up, &search,
                         err) == TN_OK)
    tn_err_set(err, (enum tn_code)search.category, "looked up");
}

/* ---- comparing ---- */

static void
print_field(const tn_err *err, const char *name, char *text, size_t size)
{
  const struct {
    const char *name;
    const char *value;
  } fields[] = {
    { "schema", err->schema },
    { "table", err->table },
    { "constraint", err->constraint },
    { "key", err->key },
    { "key_table", tn_err_key_table(err) },
    { "value", err->value },
    { "source", tn_err_source_name(err->source) },
    { "connection", tn_connection_verdict_name(err->connection) },
  };
  size_t used = 0;

  text[0] = '\0';
  for (size_t i = 0; i < COUNT(fields); i++)
    if (strcmp(fields[i].name, name) == 0)
      snprintf(text, size, "%s", fields[i].value);
  for (uint32_t i = 0; strcmp(name, "columns") == 0 && i < err->column_count;
       i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s",
                             i > 0 ? ", " : "", tn_err_column(err, i));
}

static bool
are_fields_right(const struct event *event, const tn_err *err)
{
  char *rest = event->fields;
  char *field;
  bool is_right = true;

  while (rest != NULL && (field = rest)[0] != '\0') {
    char text[512];
    char *value = strchr(field, '=');

    rest = strstr(field, "; ");
    if (rest != NULL) {
      *rest = '\0';
      rest += 2;
    }
    if (value == NULL)
      break;
    *value++ = '\0';
    print_field(err, field, text, sizeof text);
    if (strcmp(text, value) == 0)
      continue;
    printf("%s: %s is \"%s\", not \"%s\": %s\n", event->number, field, text,
           value, err->message);
    is_right = false;
  }
  return is_right;
}

/* What oslo.db lets through, or has no class for, may be anything that its
 * callers would not act on otherwise. */
static bool
is_agreeing(const struct event *event, int32_t category)
{
  const char *wanted = event->answer;
  const char *answer = "DBError";

  for (size_t i = 0; i < COUNT(answers); i++)
    if (answers[i].category == category)
      answer = answers[i].answer;
  for (size_t i = 0; i < COUNT(same); i++)
    if (strcmp(wanted, same[i][0]) == 0)
      wanted = same[i][1];
  if (strcmp(wanted, "not-null") == 0)
    return category == TN_E_NOT_NULL;
  if (strcmp(wanted, "raw") == 0 || strcmp(wanted, "DBError") == 0)
    return strcmp(answer, "DBConnectionError") != 0 &&
           strcmp(answer, "DBDeadlock") != 0;
  return strcmp(wanted, answer) == 0;
}

static void
judge(const struct run *run, struct tally *tally, const struct event *event,
      const tn_err *err)
{
  size_t used = strlen(tally->differing);
  bool is_counted = strcmp(event->answer, "-") != 0;

  tally->count += is_counted;
  tally->live += is_counted && strcmp(event->how, "code") != 0;
  if (strcmp(tn_code_name(err->code), event->category) != 0) {
    printf("%s: %s, not %s: %s\n", event->number, tn_code_name(err->code),
           event->category, err->message);
    tally->broken++;
  } else if (strcmp(event->how, "code") != 0 &&
             (!are_fields_right(event, err) ||
              !events_are_told(run->backend, err))) {
    tally->broken++;
  } else if (is_counted && is_agreeing(event, err->code)) {
    tally->agreeing++;
  } else if (is_counted) {
    snprintf(tally->differing + used, sizeof tally->differing - used, " %s",
             event->number);
  }
}

static void
run_event(const struct run *run, const struct event *event, struct tally *tally)
{
  tn_err err = TN_ERR_INIT;

  if (strcmp(event->how, "none") == 0) {
    tally->none++;
    return;
  }
  if (strcmp(event->how, "sql") == 0)
    run_sql(run, event->what, &err);
  else if (strcmp(event->how, "code") == 0)
    ask_table(run, event->what, &err);
  else if (!events_provoke(run, event->what, &err))
    tn_err_set(&err, TN_E_INTERNAL, "nobody knows how");
  judge(run, tally, event, &err);
}

/* ---- the file ---- */

static void
take_line(const struct run *run, char *line, struct tally *tally)
{
  struct event event = { .fields = NULL };
  char *rest = line;

  line[strcspn(line, "\n")] = '\0';
  if (line[0] == '\0' || line[0] == '#')
    return;
  event.number = strsep(&rest, "\t");
  if (strcmp(event.number, "setup") == 0) {
    TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);

    events_must(conn, rest);
    return;
  }
  event.how = strsep(&rest, "\t");
  event.what = strsep(&rest, "\t");
  event.category = strsep(&rest, "\t");
  event.answer = strsep(&rest, "\t");
  event.fields = rest;
  if (event.answer == NULL) {
    printf("%s: a field is missing\n", event.number);
    tally->broken++;
    return;
  }
  run_event(run, &event, tally);
}

static void
read_events(const struct run *run, const char *path, struct tally *tally)
{
  static char line[4096];
  FILE *file = fopen(path, "r");

  if (file == NULL) {
    perror(path);
    exit(1);
  }
  while (fgets(line, sizeof line, file) != NULL)
    take_line(run, line, tally);
  fclose(file);
}

int
main(int argc, char **argv)
{
  struct run run = { .backend = argc > 2 ? argv[2] : "" };
  struct tally tally = { .count = 0 };
  char url[1024];
  char path[1024];

  if (argc > 3) {
    (void)remove(argv[3]);
    snprintf(url, sizeof url, "sqlite:///%s", argv[3]);
    run.url = url;
  } else {
    run.url =
        getenv(strcmp(run.backend, "mysql") == 0 ? "TENON_TEST_MYSQL"
                                                 : "TENON_TEST_POSTGRESQL");
    run.admin = getenv("TENON_TEST_MYSQL_ADMIN");
  }
  if (argc < 3 || run.url == NULL) {
    fprintf(stderr, "usage: events FOLDER BACKEND [FILE]\n");
    return 1;
  }
  snprintf(path, sizeof path, "%s/%s.events", argv[1], run.backend);
  read_events(&run, path, &tally);
  printf("%s: %u of %u events agree with oslo.db's class or the better one, %u "
         "of them live; not:%s; no such thing here: %u\n",
         run.backend, tally.agreeing, tally.count, tally.live,
         tally.differing[0] != '\0' ? tally.differing : " none", tally.none);
  if (tally.count < 20)
    printf("only %u events were read\n", tally.count);
  return tally.broken > 0 || tally.count < 20;
}
