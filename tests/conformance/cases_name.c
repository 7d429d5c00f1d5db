/* Names that are quoted come back as they were, whatever is in them. */
#include "suite.h"

/* Longest name that is tried on a backend without a limit, in bytes. */
#define NAME_MAX_BYTES 2000

static bool
quote(struct suite *suite, const tn_conn *conn, const char *name, char *quoted,
      size_t size)
{
  size_t length = tn_conn_quote_name(conn, name, quoted, size);

  CHECK(suite, length > 0 && length < size, "\"%s\" cannot be quoted", name);
  return length > 0 && length < size;
}

/* A table and its column of this name; the column's name and value again. */
static void
check_name(struct suite *suite, tn_conn *conn, const char *name)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  char quoted[NAME_MAX_BYTES * 2 + 8];
  char sql[sizeof quoted * 4 + 128];
  tn_err err = TN_ERR_INIT;

  if (!quote(suite, conn, name, quoted, sizeof quoted))
    return;
  snprintf(sql, sizeof sql,
           "DROP TABLE IF EXISTS %s; CREATE TABLE %s (%s INTEGER); "
           "INSERT INTO %s VALUES (7)",
           quoted, quoted, quoted, quoted);
  if (!suite_run(suite, conn, sql))
    return;
  snprintf(sql, sizeof sql, "SELECT %s FROM %s WHERE %s = 7", quoted, quoted,
           quoted);
  result = suite_query(suite, conn, sql, NULL, 0);
  if (result == NULL)
    return;
  CHECK(suite, strcmp(tn_result_column_name(result, 0), name) == 0,
        "\"%s\" came back as \"%s\"", name, tn_result_column_name(result, 0));
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  CHECK(suite, row != NULL && row->as.int64 == 7, "\"%s\": no row", name);
  tn_result_close(&result);
  snprintf(sql, sizeof sql, "DROP TABLE %s", quoted);
  suite_run(suite, conn, sql);
}

static void
hostile_names_come_back(struct suite *suite)
{
  static const char *const names[] = {
    "tn_name",
    "select",
    "Tn Name",
    "tn \"name\"",
    "\"",
    "tn `name`",
    "`",
    "tn [name]",
    "tn 'name'",
    "tn \\name\\",
    "tn;name -- x",
    "tn /* name */",
    "tn #name",
    "tn ? :name $1 @x %s %%",
    "$tn$name$tn$",
    "1tn",
    " tn",
    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xe8\xa1\xa8",
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  size_t i;

  if (!suite_owes(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    check_name(suite, conn, names[i]);
  if (quirk_is(suite, "names.full_stop", "yes"))
    check_name(suite, conn, "tn.name");
  if (quirk_is(suite, "names.supplementary", "yes"))
    check_name(suite, conn, "tn \xf0\x9f\x98\x80");
  if (quirk_is(suite, "names.blank_at_end", "yes"))
    check_name(suite, conn, "tn ");
}

/* A column with a name of this length, if the backend and the server take it;
 * what is taken comes back whole. */
static bool
check_length(struct suite *suite, tn_conn *conn, size_t length)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  char name[NAME_MAX_BYTES + 1];
  char quoted[NAME_MAX_BYTES * 2 + 8];
  char sql[sizeof quoted + 64];

  memset(name, 'n', length);
  name[length - 1] = 'm';
  name[length] = '\0';
  if (tn_conn_quote_name(conn, name, quoted, sizeof quoted) == 0)
    return false;
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_long");
  snprintf(sql, sizeof sql, "CREATE TABLE tn_long (%s INTEGER)", quoted);
  if (tn_conn_exec(conn, sql, NULL, NULL) != TN_OK)
    return false;
  result = suite_query(suite, conn, "SELECT * FROM tn_long", NULL, 0);
  if (result != NULL)
    CHECK(suite, strcmp(tn_result_column_name(result, 0), name) == 0,
          "of %zu bytes came back %zu", length,
          strlen(tn_result_column_name(result, 0)));
  return true;
}

static void
long_names_are_kept_whole_or_refused(struct suite *suite)
{
  static const size_t lengths[] = { 1,   30,  63,  64,  65,   127,
                                    128, 255, 256, 257, 1000, NAME_MAX_BYTES };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  bool is_taken = true;
  size_t i;

  if (!suite_owes(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    const bool was_taken = is_taken;

    is_taken = check_length(suite, conn, lengths[i]);
    CHECK(suite, is_taken || lengths[i] > 30, "%zu bytes are too long",
          lengths[i]);
    CHECK(suite, was_taken || !is_taken, "%zu bytes are not too long",
          lengths[i]);
    CHECK_USABLE(suite, conn);
  }
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_long");
}

static void
what_cannot_be_a_name_is_refused(struct suite *suite)
{
  static const char *const names[] = { "", "\xff", "tn\xc3", "\xed\xa0\x80" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  char quoted[64];
  size_t i;

  for (i = 0; conn != NULL && i < sizeof names / sizeof names[0]; i++) {
    memset(quoted, '#', sizeof quoted);
    CHECK(suite, tn_conn_quote_name(conn, names[i], quoted, sizeof quoted) == 0,
          "name %zu is quoted as %.20s", i, quoted);
  }
}

static void
a_short_buffer_is_told_the_length(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  char whole[64];
  char part[64];
  size_t length;
  size_t size;

  if (conn == NULL)
    return;
  length = tn_conn_quote_name(conn, "tn \"name\"", whole, sizeof whole);
  CHECK(suite, length == strlen(whole), "length %zu of %s", length, whole);
  for (size = 0; size <= length; size++) {
    memset(part, '#', sizeof part);
    CHECK(suite, tn_conn_quote_name(conn, "tn \"name\"", part, size) == length,
          "size %zu", size);
    CHECK(suite, part[size] == '#', "size %zu: written past the end", size);
    CHECK(suite,
          size == 0 ||
              (memcmp(part, whole, size - 1) == 0 && part[size - 1] == '\0'),
          "size %zu: not its beginning", size);
  }
}

const struct suite_case cases_name[] = {
  { "name: hostile ones come back when quoted", hostile_names_come_back },
  { "name: a long one is kept whole or refused",
    long_names_are_kept_whole_or_refused },
  { "name: what cannot be one is refused", what_cannot_be_a_name_is_refused },
  { "name: a short buffer is told the length",
    a_short_buffer_is_told_the_length },
  { NULL, NULL },
};
