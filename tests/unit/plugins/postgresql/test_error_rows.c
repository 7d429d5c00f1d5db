/* The table of SQLSTATEs against the server's own list. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fake_host.h"
#include "pg_priv.h"

static const struct tn_error_row *
row_of(const char *sqlstate)
{
  size_t i;

  for (i = 0; i < PG__ERROR_COUNT; i++)
    if (strcmp(pg__errors[i].sqlstate, sqlstate) == 0)
      return &pg__errors[i];
  return NULL;
}

/* "23505    E    ERRCODE_UNIQUE_VIOLATION    unique_violation"; a second macro
 * for the same code has no name. */
Test(error_rows, every_code_of_the_server_has_one_with_its_name)
{
  FILE *file = fopen(TN_ERRCODES_TXT, "r");
  char line[512], code[6], name[128];
  int found = 0;

  cr_assert_not_null(file, "%s", TN_ERRCODES_TXT);
  while (fgets(line, sizeof line, file) != NULL) {
    if (line[0] == '#' ||
        sscanf(line, "%5s %*1[EWS] %*s %127s", code, name) != 2 ||
        strlen(code) != 5)
      continue;
    cr_expect_not_null(row_of(code), "%s %s has no row", code, name);
    if (row_of(code) != NULL)
      cr_expect_str_eq(row_of(code)->name, name, "%s", code);
    found++;
  }
  fclose(file);
  cr_expect_gt(found, 250, "%d", found);
}

/* "Section: Class 23 - Integrity Constraint Violation" */
Test(error_rows, every_class_of_the_server_has_one)
{
  FILE *file = fopen(TN_ERRCODES_TXT, "r");
  char line[512], code[3];
  int found = 0;

  cr_assert_not_null(file, "%s", TN_ERRCODES_TXT);
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "Section: Class %2s", code) != 1)
      continue;
    cr_expect_not_null(row_of(code), "class %s has no row", code);
    found++;
  }
  fclose(file);
  cr_expect_gt(found, 40, "%d", found);
}
