/* The table of result codes against the library's header. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fake_host.h"
#include "sqlite_priv.h"

static const struct tn_error_row *
row_of(const char *name)
{
  size_t i;

  for (i = 0; i < SQLITE__ERROR_COUNT; i++)
    if (strcmp(sqlite__errors[i].name, name) == 0)
      return &sqlite__errors[i];
  return NULL;
}

/* "#define SQLITE_IOERR_READ (SQLITE_IOERR | (1<<8))" */
Test(error_rows, every_extended_code_has_one)
{
  FILE *file = fopen(TN_SQLITE3_H, "r");
  char line[512], name[128], primary[128];
  int number, found = 0;

  cr_assert_not_null(file, "%s", TN_SQLITE3_H);
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "#define %127s (%127[A-Z_] | (%d<<8))", name, primary,
               &number) != 3 ||
        strncmp(primary, "SQLITE_OK", 9) == 0)
      continue;
    cr_expect_not_null(row_of(name), "%s has no row", name);
    cr_expect_not_null(row_of(primary), "%s has no row", primary);
    if (row_of(name) != NULL && row_of(primary) != NULL)
      cr_expect_eq(row_of(name)->native,
                   row_of(primary)->native | (number << 8), "%s", name);
    found++;
  }
  fclose(file);
  cr_expect_gt(found, 60, "%d", found);
}
