/* A session with the SQLite plug-in under a fake host, and short ways to run
 * SQL on it. For the tests of this folder only. */
#ifndef TENON_TESTS_SQLITE_FIXTURE_H
#define TENON_TESTS_SQLITE_FIXTURE_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct session {
  const struct tn_plugin *plugin;
  const struct tn_connection_table *connection;
  const struct tn_statement_table *statement;
  const struct tn_result_table *result;
  const struct tn_dialect_table *dialect;
  const struct tn_txn_table *txn;
  const struct tn_session_table *session;
  struct fake_call fake;
  void *handle;
  int32_t is_fleeting; /* as the plug-in says of the arguments */
};

/* "name=value" each. */
#define OPTIONS_MAX 8

static inline void
session_init(struct session *s)
{
  memset(s, 0, sizeof *s);
  fake_call_init(&s->fake, NULL);
  s->plugin = tn_plugin_entry(&s->fake.call);
  cr_assert_not_null(s->plugin);
  s->connection = s->plugin->get_table(TN_TABLE_CONNECTION);
  s->statement = s->plugin->get_table(TN_TABLE_STATEMENT);
  s->result = s->plugin->get_table(TN_TABLE_RESULT);
  s->dialect = s->plugin->get_table(TN_TABLE_DIALECT);
  s->txn = s->plugin->get_table(TN_TABLE_TXN);
  s->session = s->plugin->get_table(TN_TABLE_SESSION);
  s->fake.dialect = s->dialect;
}

/* Open `database` with options between blanks, "mode=ro cache=shared". */
static inline int32_t
session_try(struct session *s, const char *database, const char *options)
{
  struct tn_option rows[OPTIONS_MAX];
  struct tn_connect_args args;
  char text[1024];
  char *word, *state = NULL;
  uint32_t count = 0;

  snprintf(text, sizeof text, "%s", options);
  for (word = strtok_r(text, " ", &state); word != NULL && count < OPTIONS_MAX;
       word = strtok_r(NULL, " ", &state)) {
    char *value = strchr(word, '=');

    *value++ = '\0';
    rows[count].name = word;
    rows[count++].value = value;
  }
  memset(&args, 0, sizeof args);
  args.size = sizeof args;
  args.dialect = "sqlite";
  args.database = database;
  args.option_count = count;
  args.options = rows;
  s->is_fleeting = s->connection->is_fleeting(&args);
  return s->connection->connect(&args, &s->fake.call, &s->handle);
}

static inline void
session_open(struct session *s, const char *database, const char *options)
{
  session_init(s);
  cr_assert_eq(session_try(s, database, options), TN_OK, "%s",
               s->fake.err.message);
}

static inline void
session_close(struct session *s)
{
  if (s->handle != NULL)
    s->connection->disconnect(s->handle, &s->fake.call);
  s->handle = NULL;
}

/* A statement, run and with its result open; *ret NULL if it failed. */
struct running {
  void *statement;
  void *result;
  struct tn_statement_info info;
};

static inline int32_t
start(struct session *s, const char *sql, const tn_value *values,
      uint32_t count, struct running *ret)
{
  int32_t rc;

  memset(ret, 0, sizeof *ret);
  ret->info.size = sizeof ret->info;
  rc = s->statement->prepare(s->handle, sql, strlen(sql), &s->fake.call,
                             &ret->statement, &ret->info);
  if (rc != TN_OK)
    return rc;
  cr_assert_eq(ret->info.parameter_count, count, "%s", sql);
  rc = s->statement->execute(ret->statement, values, count, &s->fake.call,
                             &ret->result);
  if (rc != TN_OK) {
    s->statement->close(ret->statement, &s->fake.call);
    ret->statement = NULL;
  }
  return rc;
}

static inline void
finish(struct session *s, struct running *running)
{
  if (running->result != NULL)
    s->result->close(running->result, &s->fake.call);
  if (running->statement != NULL)
    s->statement->close(running->statement, &s->fake.call);
  memset(running, 0, sizeof *running);
}

#define CELLS_MAX 64

/* Run to the end; TN_OK or a category. `rows` and `info` may be NULL. */
static inline int32_t
run_values(struct session *s, const char *sql, const tn_value *values,
           uint32_t count, long *rows, struct tn_result_info *info)
{
  tn_value cells[CELLS_MAX];
  struct running running;
  int32_t rc = start(s, sql, values, count, &running);
  long fetched = 0;

  if (rc != TN_OK)
    return rc;
  while ((rc = s->result->fetch(running.result, cells, &s->fake.call)) == 1)
    fetched++;
  if (rows != NULL)
    *rows = fetched;
  if (info != NULL) {
    memset(info, 0, sizeof *info);
    info->size = sizeof *info;
    cr_assert_eq(s->result->info(running.result, info), TN_OK);
  }
  finish(s, &running);
  return -rc;
}

static inline int32_t
run(struct session *s, const char *sql)
{
  return run_values(s, sql, NULL, 0, NULL, NULL);
}

/* It must succeed. */
static inline void
must(struct session *s, const char *sql)
{
  cr_assert_eq(run(s, sql), TN_OK, "%s: %s", sql, s->fake.err.message);
}

/* The first cell of the first row, a copy to be cleared; NULL without rows. */
static inline tn_value
cell_of(struct session *s, const char *sql, const tn_value *values,
        uint32_t count)
{
  tn_value cells[CELLS_MAX], copy = tn_null();
  struct running running;
  int32_t rc = start(s, sql, values, count, &running);

  cr_assert_eq(rc, TN_OK, "%s: %s", sql, s->fake.err.message);
  rc = s->result->fetch(running.result, cells, &s->fake.call);
  cr_assert(rc >= 0, "%s: %s", sql, s->fake.err.message);
  if (rc == 1)
    cr_assert_eq(tn_value_copy(&cells[0], &copy, NULL), TN_OK);
  finish(s, &running);
  return copy;
}

static inline int64_t
number_of(struct session *s, const char *sql)
{
  tn_value value = cell_of(s, sql, NULL, 0);

  cr_assert_eq(value.type, TN_INT64, "%s: %s", sql, tn_type_name(value.type));
  return value.as.int64;
}

/* The first cell as text, in a buffer of the caller's; returns it. */
static inline const char *
text_of(struct session *s, const char *sql, char *text, size_t size)
{
  tn_value value = cell_of(s, sql, NULL, 0);

  tn_value_print(&value, text, size);
  tn_value_clear(&value);
  return text;
}

/* A folder of the test's own, removed with its files. */
struct folder {
  char path[64];
};

static inline struct folder
folder_new(void)
{
  struct folder folder = { "/tmp/tenon-sqlite-XXXXXX" };

  cr_assert_not_null(mkdtemp(folder.path));
  return folder;
}

static inline void
folder_free(struct folder *folder)
{
  DIR *dir = opendir(folder->path);
  struct dirent *entry;
  char path[512];

  while (dir != NULL && (entry = readdir(dir)) != NULL) {
    snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name);
    if (entry->d_name[0] != '.' || entry->d_name[1] == 'x')
      remove(path);
  }
  if (dir != NULL)
    closedir(dir);
  rmdir(folder->path);
}

/* `folder`/`name`, in a buffer of the caller's of 256 bytes. */
static inline const char *
path_in(const struct folder *folder, const char *name, char path[256])
{
  snprintf(path, 256, "%s/%s", folder->path, name);
  return path;
}

#endif
