/* Under which names statements stand on a PostgreSQL server, and what becomes
 * of them when others have been there: a proxy, or the program itself.
 *
 *   process_names URL
 *
 * TENON_TEST_POSTGRESQL_ADMIN is the superuser's. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

static const char *url;
static unsigned failures;

static void
check(bool is_so, const char *what, const tn_err *err)
{
  if (is_so)
    return;
  failures++;
  printf("not so: %s: %s\n", what, err == NULL ? "" : err->message);
}

static tn_conn *
open_as(const char *mode)
{
  tn_conn *conn = NULL;
  char target[512];
  tn_err err = TN_ERR_INIT;

  snprintf(target, sizeof target, "%s?proxy_mode=%s", url, mode);
  if (tn_conn_open(target, NULL, &conn, &err) == TN_OK)
    return conn;
  printf("open: %s\n", err.message);
  exit(1);
}

static void
run(tn_conn *conn, const char *sql)
{
  tn_err err = TN_ERR_INIT;

  check(tn_conn_exec(conn, sql, NULL, &err) == TN_OK, sql, &err);
}

/* Run a statement for its first cell, which belongs to `*result`. */
static const tn_value *
cell(tn_conn *conn, const char *sql, tn_result **result)
{
  const struct tn_query query = { .sql = sql };
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  check(tn_conn_query(conn, &query, result, &err) == TN_OK &&
            tn_result_next(*result, &row, &err) == TN_OK && row != NULL,
        sql, &err);
  return row;
}

static int64_t
number(tn_conn *conn, const char *sql)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = cell(conn, sql, &result);

  return row == NULL || row[0].type != TN_INT64 ? -1 : row[0].as.int64;
}

/* Each of two texts is prepared again when the other one has been run. */
static void
run_in_turn(tn_conn *conn)
{
  int i;

  for (i = 0; i < 6; i++)
    check(number(conn, i % 2 == 0 ? "SELECT CAST(10 AS bigint)"
                                  : "SELECT CAST(11 AS bigint)") == 10 + i % 2,
          "two texts in turn", NULL);
}

static int64_t
names_of(tn_conn *conn)
{
  return number(conn, "SELECT count(*) FROM pg_prepared_statements WHERE name "
                      "LIKE 'tenon%'");
}

static void
names_are_for_sessions_of_our_own(void)
{
  static const struct {
    const char *mode;
    int64_t names;
  } rows[] = { { "auto", 1 }, { "session", 1 }, { "transaction", 0 } };
  size_t i;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    TN_CLEANUP(tn_conn_close) tn_conn *conn = open_as(rows[i].mode);

    run_in_turn(conn);
    check(names_of(conn) == rows[i].names, rows[i].mode, NULL);
  }
}

/* As behind a proxy that is not known for one. */
static void
a_name_that_is_taken_is_no_error(void)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_as("auto");

  run(conn, "PREPARE tenon_1 AS SELECT 1");
  run(conn, "PREPARE tenon_2 AS SELECT 2");
  run_in_turn(conn);
  check(names_of(conn) == 2, "no further names", NULL);
}

static void
a_name_that_is_gone_is_no_error(void)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_as("auto");

  run_in_turn(conn);
  run(conn, "DEALLOCATE ALL");
  run_in_turn(conn);
}

static void
who_may_not_ask_has_no_names(const char *admin)
{
  TN_CLEANUP(tn_conn_close) tn_conn *other = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  check(tn_conn_open(admin, NULL, &other, &err) == TN_OK, "admin", &err);
  run(other, "REVOKE EXECUTE ON FUNCTION pg_backend_pid() FROM PUBLIC");
  conn = open_as("auto");
  run(other, "GRANT EXECUTE ON FUNCTION pg_backend_pid() TO PUBLIC");
  run_in_turn(conn);
  check(names_of(conn) == 0, "names of one who may not ask", NULL);
}

/* Many runs whose rows have become unreadable are told once. */
static void
check_batch(tn_conn *conn, tn_conn *other)
{
  static const char sql[] =
      "INSERT INTO tn_names VALUES (?, DEFAULT) RETURNING more";
  const tn_value values[] = { tn_int64(7), tn_int64(8) };
  const struct tn_batch batch = { .values = values,
                                  .value_count = 1,
                                  .row_count = 2 };
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  tn_err err = TN_ERR_INIT;
  int i;

  run(other, "ALTER TABLE tn_names ADD COLUMN more bigint DEFAULT 3");
  check(tn_conn_prepare(conn, sql, 0, &prepared, &err) == TN_OK, sql, &err);
  run(other, "ALTER TABLE tn_names ALTER COLUMN more DROP DEFAULT, "
             "ALTER COLUMN more TYPE money, "
             "ALTER COLUMN more SET DEFAULT 3");
  for (i = 0; i < 2; i++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;
    enum tn_code rc = tn_prepared_batch(prepared, &batch, &result, &err);

    if (rc == TN_OK)
      rc = tn_result_next(result, &row, &err);
    check(rc == (i == 0 ? TN_E_OTHER : TN_OK), "a batch", &err);
    check(i == 0 || (row != NULL && row[0].type == TN_OTHER), "its rows", NULL);
  }
}

/* Rows of money come in text only, those of integers in binary. */
static void
columns_that_change_are_read(void)
{
  static const char insert[] =
      "INSERT INTO tn_names VALUES (DEFAULT, 5) RETURNING v";
  static const char update[] = "UPDATE tn_names SET v = v RETURNING v";
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_as("transaction");
  TN_CLEANUP(tn_conn_close) tn_conn *other = open_as("auto");
  const struct tn_query query = { .sql = insert };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  TN_CLEANUP(tn_result_close) tn_result *rows = NULL;
  const tn_value *row;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  run(other, "DROP TABLE IF EXISTS tn_names");
  run(other, "CREATE TABLE tn_names (id serial, v bigint)");
  check(number(conn, insert) == 5, insert, NULL);
  check(number(conn, "SELECT v FROM tn_names") == 5, "before", NULL);
  run(other, "ALTER TABLE tn_names ALTER COLUMN v TYPE money");
  row = cell(conn, "SELECT v FROM tn_names", &result);
  check(row != NULL && row[0].type == TN_OTHER && row[0].as.bytes.size == 5 &&
            memcmp(row[0].as.bytes.data, "$5.00", 5) == 0,
        "a read is made again", NULL);
  tn_result_close(&result);

  /* What writes is not run again. */
  rc = tn_conn_query(conn, &query, &result, &err);
  check(rc == TN_E_OTHER && err.replay == TN_REPLAY_NEVER &&
            err.connection == TN_CONNECTION_USABLE,
        "a write that cannot be read is told", &err);
  check(number(conn, "SELECT count(*) FROM tn_names") == 2, "and made", NULL);
  row = cell(conn, insert, &rows);
  check(row != NULL && row[0].type == TN_OTHER, "and read the next time", NULL);
  tn_result_close(&rows);
  check_batch(conn, other);
  row = cell(conn, update, &rows);
  check(row != NULL && row[0].type == TN_OTHER, "another text", NULL);
  tn_result_close(&rows);
  run(other, "DROP TABLE tn_names");
}

/* Somebody else may have set it where a proxy gives us his session. */
static void
both_forms_of_bytes_are_read(void)
{
  static const char *const forms[] = { "SET bytea_output = 'hex'",
                                       "SET bytea_output = 'escape'" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_as("auto");
  int i;

  for (i = 0; i < 2; i++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row;

    run(conn, forms[i]);
    row =
        cell(conn, "SELECT CAST('\\x00415cff27' AS bytea), CAST('1' AS money)",
             &result);
    check(row != NULL && row[0].type == TN_BLOB && row[0].as.bytes.size == 5 &&
              memcmp(row[0].as.bytes.data, "\0A\\\xff'", 5) == 0,
          forms[i], NULL);
  }
}

int
main(int argc, char **argv)
{
  const char *admin = getenv("TENON_TEST_POSTGRESQL_ADMIN");

  if (argc != 2 || admin == NULL) {
    puts("usage: process_names URL");
    return 2;
  }
  url = argv[1];
  names_are_for_sessions_of_our_own();
  a_name_that_is_taken_is_no_error();
  a_name_that_is_gone_is_no_error();
  who_may_not_ask_has_no_names(admin);
  columns_that_change_are_read();
  both_forms_of_bytes_are_read();
  printf("%u failures\n", failures);
  return failures == 0 ? 0 : 1;
}
