/* The table of numbers against the headers that come with the library: what an
 * application can meet has a row. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fake_host.h"
#include "my_priv.h"

/* What of the server's header needs no row, by a part of its name. */
static const char *const no_rows[] = {
  /* marks, not errors */
  "UNUSED_",
  "ERROR_FIRST_SECTION",
  "ERROR_LAST",
  "LAST_MYSQL_ERROR",
  /* said to replicas and of them, in their log or to who administers them */
  "SLAVE",
  "MASTER",
  "RELAY",
  "MTS_",
  "GTID",
  "GNO_",
  "BINLOG",
  "RPL_",
  "RBR",
  "EVENT_CHECKSUM",
  "SQLTHREAD",
  "CONFLICT_FN",
  "UPDATE_LOG",
  "LOG_PURGE",
  /* in the server's own files and log */
  "FPARSER",
  "WSAS",
  "DEBUG_SYNC",
  "RDB_",
  "MYROCKS",
  /* the SQLSTATE that SIGNAL chose decides */
  "ER_SIGNAL_EXCEPTION",
  "ER_SIGNAL_WARN",
};

/* And of the client's: bounds, and the reader of binary logs. */
static const char *const no_client_rows[] = {
  "MIN_ERROR", "MAX_ERROR", "LAST_ERROR", "BINLOG", "CHECKSUM",
};

static bool
is_left_out(const char *name, const char *const *parts, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++)
    if (strstr(name, parts[i]) != NULL)
      return true;
  return false;
}

static const struct tn_error_row *
row_of(int number)
{
  size_t i;

  for (i = 0; i < MYSQL__ERROR_COUNT; i++)
    if (mysql__errors[i].native == number)
      return &mysql__errors[i];
  return NULL;
}

/* Returns how many numbers of `path` have a row. */
static int
compare(const char *path, const char *prefix, const char *const *parts,
        size_t count)
{
  FILE *file = fopen(path, "r");
  char line[512], name[256];
  int number, found = 0;

  cr_assert_not_null(file, "%s", path);
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "#define %255s %d", name, &number) != 2 || number < 1000 ||
        is_left_out(name, parts, count))
      continue;
    if (strncmp(name, prefix, strlen(prefix)) != 0 &&
        strncmp(name, "WARN_", 5) != 0)
      continue;
    cr_expect_not_null(row_of(number), "%d %s has no row", number, name);
    found += row_of(number) != NULL;
  }
  fclose(file);
  return found;
}

Test(error_rows, every_number_of_the_server_has_one)
{
  int found = compare(TN_MYSQLD_ERROR_H, "ER_", no_rows, MYSQL__COUNT(no_rows));

  cr_expect_gt(found, 900, "%d", found);
}

Test(error_rows, every_number_of_the_library_has_one)
{
  int found =
      compare(TN_ERRMSG_H, "CR_", no_client_rows, MYSQL__COUNT(no_client_rows));

  cr_expect_gt(found, 40, "%d", found);
}

/* A row carries the name that its server gives it. */
Test(error_rows, mariadbs_numbers_have_mariadbs_names)
{
  FILE *file = fopen(TN_MYSQLD_ERROR_H, "r");
  char line[512], name[256];
  int number;

  cr_assert_not_null(file);
  while (fgets(line, sizeof line, file) != NULL) {
    const struct tn_error_row *row;

    /* Older ones were renamed since. */
    if (sscanf(line, "#define %255s %d", name, &number) != 2 || number < 4000 ||
        is_left_out(name, no_rows, MYSQL__COUNT(no_rows)))
      continue;
    row = row_of(number);
    cr_expect(row == NULL || strcmp(row->name, name) == 0, "%d: %s, not %s",
              number, row == NULL ? "" : row->name, name);
  }
  fclose(file);
}

/* 4031 is a trigger that is not there on MariaDB; on MySQL the session is
 * over. */
Test(error_rows, a_number_means_what_its_server_means_by_it)
{
  static const struct {
    unsigned number;
    bool is_mariadb;
    int32_t category;
    bool is_loss;
  } cases[] = {
    { 4031, true, TN_E_NOT_FOUND, false }, { 4031, false, TN_E_LOST, true },
    { 4025, true, TN_E_CHECK, false },     { 4025, false, TN_E_DATA, false },
    { 4081, true, TN_E_NOT_FOUND, false }, { 4081, false, TN_E_LIMIT, true },
    { 4151, true, TN_E_AUTH, false },      { 4151, false, TN_E_OTHER, false },
    { 3819, true, TN_E_CHECK, false },     { 3819, false, TN_E_CHECK, false },
    { 5013, false, TN_E_LOST, true },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    int32_t native = mysql__lookup(cases[i].number, cases[i].is_mariadb);

    cr_expect_eq(mysql__category(native), cases[i].category, "case %zu: %s", i,
                 tn_code_name(mysql__category(native)));
    cr_expect_eq(mysql__is_loss(native), cases[i].is_loss, "case %zu", i);
  }
}
