/* Opening: what a URL's parts come to, and what a wrong one is told. */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

Test(connect, the_descriptor_names_its_tables_and_options)
{
  struct session s;
  uint32_t i;

  session_init(&s);
  cr_assert_eq(s.plugin->size, sizeof *s.plugin);
  cr_assert_eq(s.plugin->abi_major, TN_ABI_MAJOR);
  cr_assert_str_eq(s.plugin->schemes[0], "sqlite");
  cr_assert_null(s.plugin->schemes[1]);
  cr_assert_str_eq(s.plugin->client_version(), sqlite3_libversion());
  for (i = TN_TABLE_CONNECTION; i <= TN_TABLE_SESSION; i++)
    cr_expect_not_null(s.plugin->get_table(i), "table %u", i);
  cr_expect_null(s.plugin->get_table(0));
  cr_expect_null(s.plugin->get_table(7));
  for (i = 0; i < s.plugin->option_count; i++) {
    const struct tn_option_row *row = &s.plugin->options[i];

    cr_expect(row->name != NULL && row->help != NULL && row->initial != NULL,
              "option %u", i);
    cr_expect(row->type != TN_OPTION_CHOICE || row->choices != NULL,
              "option %s", row->name);
  }
}

Test(connect, no_name_an_empty_one_and_memory_are_databases_of_their_own)
{
  static const char *const names[] = { NULL, "", ":memory:" };
  struct session s;
  char text[64];
  size_t i;

  for (i = 0; i < COUNT(names); i++) {
    session_open(&s, names[i], "");
    must(&s, "CREATE TABLE t(a)");
    cr_expect_str_eq(text_of(&s, "PRAGMA journal_mode", text, sizeof text),
                     "memory", "case %zu", i);
    session_close(&s);
  }
}

Test(connect, a_file_is_found_again_by_every_way_to_name_it)
{
  static const struct {
    const char *name;
    const char *options;
  } cases[] = {
    { "plain.db", "" },
    { "with space and #hash?query%41&x=y.db", "" },
    { "with space and #hash?query%41&x=y.db", "mode=rw" },
    { "with space and #hash?query%41&x=y.db", "mode=ro immutable=0" },
    { "with space and #hash?query%41&x=y.db", "cache=private nolock=yes" },
    { "with space and #hash?query%41&x=y.db", "psow=1 vfs=unix" },
    { "\xc3\xa4\xe2\x82\xac.db", "mode=rwc" },
    { "uri=true.db", "uri=true mode=rw" },
  };
  struct folder folder = folder_new();
  char path[256];
  struct session s;
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    path_in(&folder, cases[i].name, path);
    session_open(&s, path, "mode=rwc");
    must(&s, "CREATE TABLE IF NOT EXISTS t(a)");
    session_close(&s);
    cr_expect_eq(access(path, F_OK), 0, "case %zu: \"%s\"", i, path);
    session_open(&s, path, cases[i].options);
    cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 0,
                 "case %zu: \"%s\" %s", i, cases[i].name, cases[i].options);
    session_close(&s);
  }
  folder_free(&folder);
}

Test(connect, a_relative_name_that_looks_like_a_uri_is_a_file)
{
  struct folder folder = folder_new();
  struct session s;

  cr_assert_eq(chdir(folder.path), 0);
  session_open(&s, "file:x.db", "");
  must(&s, "CREATE TABLE t(a)");
  session_close(&s);
  cr_expect_eq(access("file:x.db", F_OK), 0);
  session_open(&s, "file:x.db", "mode=rw");
  must(&s, "SELECT * FROM t");
  session_close(&s);
  cr_expect_neq(access("x.db", F_OK), 0);
  folder_free(&folder);
}

/* The URL's escapes are undone before the plug-in sees the name. */
Test(connect, a_uri_names_the_file_that_its_decoded_path_says)
{
  static const char *const names[] = {
    "a b.db", "x?y.db", "x#y.db", "a%20b.db", "100%.db", "x?mode=ro", "%00.db",
  };
  static const struct {
    const char *options;
    int32_t rc; /* of a write */
  } cases[] = {
    { "uri=true", TN_OK },
    { "uri=1 mode=rw", TN_OK },
    { "uri=true mode=ro", TN_E_READ_ONLY },
    { "uri=true immutable=1 mode=ro", TN_E_READ_ONLY },
  };
  struct folder folder = folder_new();
  char path[256], uri[512];
  struct session s;
  size_t i, k;

  for (i = 0; i < COUNT(names); i++) {
    session_open(&s, path_in(&folder, names[i], path), "");
    must(&s, "CREATE TABLE t(a)");
    session_close(&s);
    for (k = 0; k < 2 * COUNT(cases); k++) {
      const char *start = k % 2 == 0 ? "file:" : "file://localhost";

      snprintf(uri, sizeof uri, "%s%s", start, path);
      session_open(&s, uri, cases[k / 2].options);
      cr_expect_eq(run(&s, "INSERT INTO t VALUES (1)"), cases[k / 2].rc,
                   "case %zu: \"%s\" %s: %s", i, uri, cases[k / 2].options,
                   s.fake.err.message);
      session_close(&s);
    }
  }
  folder_free(&folder);
}

Test(connect, memory_databases_of_one_name_can_be_shared)
{
  static const struct {
    const char *name;
    const char *options;
  } cases[] = {
    { "shared1", "mode=memory cache=shared" },
    { "file:shared2", "uri=true mode=memory cache=shared" },
    { ":memory:", "cache=shared" },
  };
  struct session a, b;
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    session_open(&a, cases[i].name, cases[i].options);
    must(&a, "CREATE TABLE t(a)");
    session_open(&b, cases[i].name, cases[i].options);
    cr_expect_eq(run(&b, "SELECT * FROM t"), TN_OK, "case %zu: %s", i,
                 b.fake.err.message);
    cr_expect(a.connection->server_caps(a.handle) & TN_CAP_READ_UNCOMMITTED,
              "case %zu", i);
    session_close(&b);
    session_close(&a);
  }
}

Test(connect, what_cannot_be_opened_is_told_with_path_and_cause)
{
  static const struct {
    const char *name; /* in the folder */
    const char *options;
    int32_t category;
    const char *says;
  } cases[] = {
    { "missing.db", "mode=rw", TN_E_NO_DATABASE, "no such file" },
    { "missing.db", "mode=ro", TN_E_NO_DATABASE, "no such file" },
    { "no/folder.db", "", TN_E_CONNECT, "folder is not there" },
    { "no/folder.db", "mode=ro", TN_E_CONNECT, "folder is not there" },
    { "text.db/x.db", "", TN_E_CONNECT, "no folder" },
    { "sub", "", TN_E_CONFIG, "this is a folder" },
    { "text.db", "", TN_E_IO, "file is not a database" },
    { "text.db", "mode=ro", TN_E_IO, "file is not a database" },
    { "short.db", "", TN_E_IO, "file is not a database" },
    { "x.db", "vfs=nosuch", TN_E_CONFIG, "no such vfs: nosuch" },
  };
  struct folder folder = folder_new();
  char path[256];
  struct session s;
  FILE *file;
  size_t i;

  file = fopen(path_in(&folder, "text.db", path), "w");
  for (i = 0; i < 4000; i++)
    fputs("no database\n", file);
  fclose(file);
  file = fopen(path_in(&folder, "short.db", path), "w");
  fputs("xy", file); /* one byte counts as none, says SQLite */
  fclose(file);
  mkdir(path_in(&folder, "sub", path), 0700);

  for (i = 0; i < COUNT(cases); i++) {
    path_in(&folder, cases[i].name, path);
    session_init(&s);
    cr_expect_eq(session_try(&s, path, cases[i].options), cases[i].category,
                 "case %zu: %s", i, s.fake.err.message);
    cr_expect_null(s.handle, "case %zu", i);
    cr_expect_not_null(strstr(s.fake.err.message, path), "case %zu: %s", i,
                       s.fake.err.message);
    cr_expect_not_null(strstr(s.fake.err.message, cases[i].says),
                       "case %zu: %s", i, s.fake.err.message);
    cr_expect_eq(s.fake.err.code, cases[i].category, "case %zu", i);
  }
  rmdir(path_in(&folder, "sub", path));
  folder_free(&folder);
}

Test(connect, a_wrong_uri_is_a_wrong_configuration)
{
  static const struct {
    const char *uri;
    const char *options;
    int32_t category;
  } cases[] = {
    { "file://elsewhere/x.db", "uri=true", TN_E_CONFIG },
    { "file:x.db", "uri=true vfs=nosuch", TN_E_CONFIG },
    { "file:/nosuchfolder/x.db", "uri=true mode=rw", TN_E_CONNECT },
    { "file:nosuchfile.db", "uri=true mode=rw", TN_E_NO_DATABASE },
    { "file:nosuchfile.db?mode=rwc", "uri=true mode=rw", TN_E_NO_DATABASE },
  };
  struct session s;
  size_t i;

  session_init(&s);
  for (i = 0; i < COUNT(cases); i++)
    cr_expect_eq(session_try(&s, cases[i].uri, cases[i].options),
                 cases[i].category, "case %zu: %s: %s", i, cases[i].uri,
                 s.fake.err.message);
}

Test(connect, a_host_or_a_user_is_refused_with_the_way_to_name_a_file)
{
  static const struct tn_address host = { .host = "app.db" };
  const struct tn_connect_args bad[] = {
    { .size = sizeof bad[0], .address_count = 1, .addresses = &host },
    { .size = sizeof bad[0], .user = "u", .database = "x.db" },
    { .size = sizeof bad[0], .user = "u", .password = "p", .database = "x.db" },
  };
  struct session s;
  size_t i;

  session_init(&s);
  for (i = 0; i < COUNT(bad); i++) {
    cr_expect_eq(s.connection->connect(&bad[i], &s.fake.call, &s.handle),
                 TN_E_CONFIG, "case %zu", i);
    cr_expect(strstr(s.fake.err.message, "sqlite:///app.db") != NULL,
              "case %zu: %s", i, s.fake.err.message);
    cr_expect_null(s.handle);
  }
}

Test(connect, a_password_alone_is_refused_as_such)
{
  const struct tn_connect_args bad[] = {
    { .size = sizeof bad[0], .password = "p", .database = "x.db" },
    { .size = sizeof bad[0], .user = "", .password = "p", .database = "x.db" },
  };
  struct session s;
  size_t i;

  session_init(&s);
  for (i = 0; i < COUNT(bad); i++) {
    cr_expect_eq(s.connection->connect(&bad[i], &s.fake.call, &s.handle),
                 TN_E_CONFIG, "case %zu", i);
    cr_expect_str_eq(s.fake.err.message, "sqlite: a file has no password",
                     "case %zu", i);
    cr_expect_null(s.handle);
  }
}

Test(connect, a_file_or_folder_that_is_not_ours_is_refused)
{
  struct folder folder = folder_new();
  char path[256];
  struct session s;
  int fd;

  path_in(&folder, "secret.db", path);
  fd = open(path, O_CREAT | O_WRONLY, 0000);
  close(fd);
  cr_assert_eq(chmod(folder.path, 0755), 0);
  if (geteuid() == 0)
    cr_assert_eq(seteuid(65534), 0);
  session_init(&s);
  cr_expect_eq(session_try(&s, path, ""), TN_E_PERMISSION, "%s",
               s.fake.err.message);
  cr_expect_eq(s.fake.err.replay, TN_REPLAY_NEVER);
  if (getuid() == 0)
    cr_expect_eq(session_try(&s, path_in(&folder, "new.db", path), ""),
                 TN_E_PERMISSION, "%s", s.fake.err.message);
  if (getuid() == 0)
    cr_assert_eq(seteuid(0), 0);
  folder_free(&folder);
}

Test(connect, a_write_protected_file_is_opened_for_reading_and_said_so)
{
  struct folder folder = folder_new();
  char path[256];
  struct session s;

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(a)");
  session_close(&s);
  cr_assert_eq(chmod(path, 0444), 0);
  cr_assert_eq(chmod(folder.path, 0755), 0);
  if (geteuid() == 0)
    cr_assert_eq(seteuid(65534), 0);
  session_open(&s, path, "");
  cr_expect_not_null(strstr(s.fake.log, "can only be read"));
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1)"), TN_E_READ_ONLY);
  session_close(&s);
  if (getuid() == 0)
    cr_assert_eq(seteuid(0), 0);
  folder_free(&folder);
}

Test(connect, opening_a_locked_database_ends_by_the_deadline)
{
  struct folder folder = folder_new();
  struct session s;
  sqlite3 *other;
  char path[256];

  cr_assert_eq(sqlite3_open(path_in(&folder, "x.db", path), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE t(a); BEGIN EXCLUSIVE", NULL, NULL, NULL);
  session_init(&s);
  fake_call_again(&s.fake, 50);
  cr_expect_eq(session_try(&s, path, ""), TN_E_TIMEOUT, "%s",
               s.fake.err.message);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(session_try(&s, path, "timeout=20ms"), TN_E_BUSY, "%s",
               s.fake.err.message);
  cr_expect_eq(s.fake.err.replay, TN_REPLAY_SAFE);
  sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
  cr_expect_eq(session_try(&s, path, "timeout=20ms"), TN_OK, "%s",
               s.fake.err.message);
  session_close(&s);
  sqlite3_close(other);
  folder_free(&folder);
}

Test(connect, options_set_what_they_name)
{
  static const struct {
    const char *options;
    const char *sql;
    const char *value;
  } cases[] = {
    { "", "PRAGMA foreign_keys", "0" },
    { "foreign_keys=on", "PRAGMA foreign_keys", "1" },
    { "foreign_keys=no", "PRAGMA foreign_keys", "0" },
    { "", "PRAGMA synchronous", "2" },
    { "synchronous=off", "PRAGMA synchronous", "0" },
    { "synchronous=extra", "PRAGMA synchronous", "3" },
    { "", "PRAGMA journal_mode", "delete" },
    { "journal_mode=truncate", "PRAGMA journal_mode", "truncate" },
    { "journal_mode=persist", "PRAGMA journal_mode", "persist" },
    { "journal_mode=wal synchronous=normal", "PRAGMA journal_mode", "wal" },
    { "check_same_thread=false detect_types=0", "SELECT 1", "1" },
  };
  struct folder folder = folder_new();
  struct session s;
  char path[256], name[32], text[64];
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    snprintf(name, sizeof name, "%zu.db", i);
    session_open(&s, path_in(&folder, name, path), cases[i].options);
    cr_expect_str_eq(text_of(&s, cases[i].sql, text, sizeof text),
                     cases[i].value, "case %zu: \"%s\"", i, cases[i].options);
    session_close(&s);
  }
  folder_free(&folder);
}

Test(connect, a_journal_mode_that_cannot_be_had_is_refused)
{
  struct folder folder = folder_new();
  struct session s;
  char path[256];

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(a)");
  session_close(&s);
  session_init(&s);
  cr_expect_eq(session_try(&s, path, "mode=ro immutable=1 journal_mode=wal"),
               TN_E_UNSUPPORTED, "%s", s.fake.err.message);
  cr_expect_null(s.handle);
  cr_expect_eq(session_try(&s, ":memory:", "journal_mode=wal"),
               TN_E_UNSUPPORTED, "%s", s.fake.err.message);
  cr_expect_null(s.handle);
  session_open(&s, ":memory:", "journal_mode=memory");
  session_close(&s);
  folder_free(&folder);
}

Test(connect, a_session_tells_what_it_is)
{
  char version[64];
  struct session s;
  uint64_t caps;

  session_open(&s, NULL, "");
  snprintf(version, sizeof version, "SQLite %s", sqlite3_libversion());
  cr_expect_str_eq(s.connection->server_version(s.handle), version);
  caps = s.connection->server_caps(s.handle);
  cr_expect_eq(caps, s.plugin->caps & ~TN_CAP_READ_UNCOMMITTED);
  cr_expect(caps & TN_CAP_SERIALIZABLE);
  cr_expect_not(caps & TN_CAP_READ_COMMITTED);
  session_close(&s);
}

Test(connect, a_ping_notices_that_the_file_is_gone)
{
  struct folder folder = folder_new();
  struct session s;
  char path[256];

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(a)");
  cr_expect_eq(s.connection->ping(s.handle, &s.fake.call), TN_OK);
  remove(path);
  cr_expect_eq(s.connection->ping(s.handle, &s.fake.call), TN_E_LOST);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_DEAD);
  session_close(&s);
  session_open(&s, NULL, "");
  cr_expect_eq(s.connection->ping(s.handle, &s.fake.call), TN_OK);
  session_close(&s);
  folder_free(&folder);
}

Test(connect, a_ping_takes_a_foreign_lock_for_a_sign_of_life)
{
  struct folder folder = folder_new();
  struct session s;
  sqlite3 *other;
  char path[256];

  session_open(&s, path_in(&folder, "x.db", path), "timeout=10ms");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
  sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
  cr_expect_eq(s.connection->ping(s.handle, &s.fake.call), TN_OK);
  session_close(&s);
  sqlite3_close(other);
  folder_free(&folder);
}

Test(connect, a_close_after_the_deadline_leaves_the_log_for_the_next)
{
  struct folder folder = folder_new();
  struct session s;
  char path[256], log[256];
  struct stat status;

  session_open(&s, path_in(&folder, "x.db", path), "journal_mode=wal");
  must(&s, "CREATE TABLE t(a)");
  s.fake.call.deadline = 1;
  session_close(&s);
  cr_expect_eq(stat(path_in(&folder, "x.db-wal", log), &status), 0);
  session_open(&s, path, "");
  must(&s, "INSERT INTO t VALUES (1)");
  session_close(&s);
  cr_expect_neq(stat(log, &status), 0);
  folder_free(&folder);
}

Test(connect, too_many_open_files_is_a_limit)
{
  struct folder folder = folder_new();
  struct session s;
  char path[256];
  int fds[1024];
  size_t i, count = 0;

  path_in(&folder, "x.db", path);
  session_init(&s);
  while (count < COUNT(fds) && (fds[count] = dup(0)) >= 0)
    count++;
  if (count < COUNT(fds)) /* else the limit is far away */
    cr_expect_eq(session_try(&s, path, ""), TN_E_LIMIT, "%s",
                 s.fake.err.message);
  for (i = 0; i < count; i++)
    close(fds[i]);
  cr_expect_eq(session_try(&s, path, ""), TN_OK, "%s", s.fake.err.message);
  session_close(&s);
  folder_free(&folder);
}

/* It is asked before anything is opened, and must be right. */
Test(connect, a_database_that_ends_with_its_session_is_known_beforehand)
{
  static const struct {
    const char *name;
    const char *options;
  } cases[] = {
    { NULL, "" },
    { "", "" },
    { ":memory:", "" },
    { ":memory:", "cache=shared" },
    { "x.db", "mode=memory" },
    { "x.db", "mode=memory cache=shared" },
    { "/x.db", "vfs=memdb" },
    { "file::memory:", "uri=true" },
    { "file::memory:", "uri=true cache=shared" },
    { "file:", "uri=true" },
    { "file:", "uri=true cache=shared" },
    { "file:y", "uri=true mode=memory cache=shared" },
    { "file:/y", "uri=true vfs=memdb" },
    { "memory", "" },
    { "plain.db", "mode=rwc" },
    { "file::memory:", "" },
    { "file:plain2.db", "uri=true" },
    { "file:plain3.db", "uri=true cache=shared" },
    { "file:plain4.db?mode=memory", "uri=true" },
    { "file::memory:x", "uri=true" },
  };
  struct folder folder = folder_new();
  struct session s;

  cr_assert_eq(chdir(folder.path), 0);
  for (size_t i = 0; i < COUNT(cases); i++) {
    int32_t is_fleeting;

    session_open(&s, cases[i].name, cases[i].options);
    is_fleeting = s.is_fleeting;
    must(&s, "CREATE TABLE t(a)");
    session_close(&s);
    session_open(&s, cases[i].name, cases[i].options);
    cr_expect_eq(number_of(&s, "SELECT count(*) FROM sqlite_schema"),
                 !is_fleeting, "case %zu: %s %s", i, cases[i].name,
                 cases[i].options);
    session_close(&s);
  }
  cr_assert_eq(chdir("/"), 0);
  folder_free(&folder);
}
