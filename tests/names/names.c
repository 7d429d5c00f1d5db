/* Random names, made of what has ended a quoted name somewhere: each is refused
 * or names a table and a column that come back exactly, and no other object is
 * touched.
 *
 *   names URL COUNT SQL [SEED]
 *
 * SQL counts the tables of the database. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <tenon/tenon.h>

#define NAME_SIZE   120
#define QUOTED_SIZE (2 * NAME_SIZE + 8)
#define SQL_SIZE    (3 * QUOTED_SIZE + 64)
#define PARTS_MAX   9
#define EVERY       100 /* names between two looks at the others */
#define PLAIN_MAX   30  /* bytes that every backend takes */
#define WITNESS     "tn_witness"
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const char *const parts[] = {
  "a",
  "Z",
  "0",
  "_",
  " ",
  "$",
  ".",
  "\"",
  "\"\"",
  "`",
  "``",
  "'",
  "''",
  "[",
  "]",
  "]]",
  "\\",
  "\\\"",
  "\\`",
  "\\'",
  ";",
  "--",
  "-- ",
  "#",
  "/*",
  "*/",
  "/*!",
  "?",
  "??",
  ":a",
  "::int",
  "$1",
  "$$",
  "$a$",
  "@a",
  "@@b",
  "%",
  "%s",
  "\n",
  "\r\n",
  "\t",
  "\x01",
  "\x1b",
  "\x7f",
  "select",
  "NULL",
  WITNESS,
  "\"; DROP TABLE " WITNESS "; --",
  "`; DROP TABLE " WITNESS "; -- ",
  "'; DROP TABLE " WITNESS "; --",
  "\xc3\xa4",
  "\xc2\x85",
  "\xe2\x82\xac",
  "\xef\xbc\x82", /* a wide quotation mark */
  "\xca\xbc",     /* an apostrophe that some servers fold */
  "\xe2\x80\xae",
  "\xef\xbf\xbf",
  "\xf0\x9f\x98\x80",
  /* Not UTF-8: halves of characters that swallow what follows, and others. */
  "\xc3",
  "\xe2\x82",
  "\xf0\x9f\x98",
  "\xbf\\",
  "\xbf\x27",
  "\x81`",
  "\xff",
  "\xc0\xa2",
  "\xed\xa0\x80",
  "\xf4\x90\x80\x80",
};

static tn_conn *conn;
static unsigned seed = 1;
static unsigned failures;

static void
fail(const char *what, const char *name, const char *detail)
{
  failures++;
  printf("not ok - %s: %s:", what, detail);
  for (; *name != '\0'; name++)
    printf(" %02x", (unsigned char)*name);
  printf("\n");
}

static void
make_name(char name[NAME_SIZE])
{
  int count = 1 + rand_r(&seed) % PARTS_MAX;
  size_t size = 0;

  for (int i = 0; i < count; i++) {
    const char *part = parts[(size_t)rand_r(&seed) % COUNT_OF(parts)];
    size_t part_size = strlen(part);

    if (size + part_size >= NAME_SIZE)
      break;
    memcpy(name + size, part, part_size);
    size += part_size;
  }
  name[size] = '\0';
}

/* Of printing ASCII and short: no backend has a reason to refuse it. */
static bool
is_plain(const char *name)
{
  size_t size = strlen(name);

  for (size_t i = 0; i < size; i++)
    if (name[i] < ' ' || name[i] > '~')
      return false;
  return size <= PLAIN_MAX && name[size - 1] != ' ';
}

/* The first cell of the first row as a number; -1 if there is none. */
static int64_t
number_of(const char *sql, char *ret_column, size_t size)
{
  const struct tn_query query = { .sql = sql };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (tn_conn_query(conn, &query, &result, &err) != TN_OK ||
      tn_result_next(result, &row, &err) != TN_OK || row == NULL) {
    printf("%s: %s\n", sql, err.message);
    return -1;
  }
  if (ret_column != NULL)
    snprintf(ret_column, size, "%s", tn_result_column_name(result, 0));
  return row[0].type == TN_INT64 ? row[0].as.int64 : -1;
}

/* What CREATE took, everything else must take too. */
static void
check_table(const char *name, const char *quoted)
{
  char sql[SQL_SIZE], column[QUOTED_SIZE];
  tn_err err = TN_ERR_INIT;

  snprintf(sql, sizeof(sql), "INSERT INTO %s (%s) VALUES (7)", quoted, quoted);
  if (tn_conn_exec(conn, sql, NULL, &err) != TN_OK)
    fail("insert", name, err.message);
  snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE %s = 7", quoted, quoted,
           quoted);
  if (number_of(sql, column, sizeof(column)) != 7)
    fail("select", name, "no row");
  else if (strcmp(column, name) != 0)
    fail("select", name, column);
  snprintf(sql, sizeof(sql), "DROP TABLE %s", quoted);
  if (tn_conn_exec(conn, sql, NULL, &err) != TN_OK)
    fail("drop", name, err.message);
}

/* Returns whether the name was taken. */
static bool
try_name(const char *name)
{
  char quoted[QUOTED_SIZE], sql[SQL_SIZE];
  tn_err err = TN_ERR_INIT;
  size_t size = tn_conn_quote_name(conn, name, quoted, sizeof(quoted));
  enum tn_code rc;

  if (size == 0 || size >= sizeof(quoted)) {
    if (is_plain(name))
      fail("refused", name, "by quoting");
    return false;
  }
  snprintf(sql, sizeof(sql), "CREATE TABLE %s (%s INTEGER)", quoted, quoted);
  rc = tn_conn_exec(conn, sql, NULL, &err);
  if (rc != TN_OK && is_plain(name))
    fail("refused", name, err.message);
  if (rc != TN_OK && tn_conn_verdict(conn) != TN_CONNECTION_USABLE)
    fail("the session ends", name, err.message);
  if (rc == TN_OK)
    check_table(name, quoted);
  return rc == TN_OK;
}

int
main(int argc, char **argv)
{
  char name[NAME_SIZE] = "";
  tn_err err = TN_ERR_INIT;
  long count, taken = 0;
  int64_t tables;

  if (argc < 4)
    return 2;
  count = strtol(argv[2], NULL, 10);
  if (argc > 4)
    seed = (unsigned)strtoul(argv[4], NULL, 10);
  if (tn_conn_open(argv[1], NULL, &conn, &err) != TN_OK ||
      tn_conn_script(conn,
                     "DROP TABLE IF EXISTS " WITNESS ";"
                     "CREATE TABLE " WITNESS " (a INTEGER);"
                     "INSERT INTO " WITNESS " VALUES (42)",
                     NULL, NULL, &err) != TN_OK) {
    printf("%s\n", err.message);
    return 2;
  }
  tables = number_of(argv[3], NULL, 0);
  for (long i = 1; i <= count && failures == 0; i++) {
    make_name(name);
    if (strcasecmp(name, WITNESS) != 0)
      taken += try_name(name);
    if ((i % EVERY == 0 || i == count) &&
        (number_of("SELECT a FROM " WITNESS, NULL, 0) != 42 ||
         number_of(argv[3], NULL, 0) != tables))
      fail("another object is touched", name, "at the latest by");
  }
  if (tables < 1 || taken < count / 10 || taken > count * 9 / 10)
    fail("these names prove nothing", "", "too few were taken or refused");
  if (tn_conn_exec(conn, "DROP TABLE " WITNESS, NULL, &err) != TN_OK)
    fail("drop", WITNESS, err.message);
  tn_conn_close(&conn);
  printf("%ld names, %ld taken, %u failures\n", count, taken, failures);
  return failures != 0;
}
