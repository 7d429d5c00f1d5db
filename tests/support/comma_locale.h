/* A locale whose decimal point is a comma, for what must not depend on it. No
 * such locale need be installed: localedef comes with the C library. */
#ifndef TENON_TESTS_COMMA_LOCALE_H
#define TENON_TESTS_COMMA_LOCALE_H

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Make one, and use it. False: there is no localedef. */
static inline bool
comma_locale_begin(void)
{
  static char folder[] = "/tmp/tenon-locale-XXXXXX";
  static const char recipe[] =
      "cd \"$LOCPATH\" || exit 1\n"
      "cat >charmap <<'end'\n"
      "<code_set_name> ANSI_X3.4-1968\n"
      "<comment_char> %\n"
      "<escape_char> /\n"
      "CHARMAP\n"
      "<U0000>..<U007F> /x00 ALL\n"
      "END CHARMAP\n"
      "end\n"
      "cat >source <<'end'\n"
      "comment_char %\n"
      "escape_char /\n"
      "LC_NUMERIC\n"
      "decimal_point \",\"\n"
      "thousands_sep \".\"\n"
      "grouping 3;3\n"
      "END LC_NUMERIC\n"
      "end\n"
      "localedef --no-archive -c -f ./charmap -i ./source ./comma "
      ">/dev/null 2>&1\n"
      "test -f comma/LC_NUMERIC\n";

  if (mkdtemp(folder) == NULL || setenv("LOCPATH", folder, 1) != 0)
    return false;
  return system(recipe) == 0 && setlocale(LC_NUMERIC, "comma") != NULL &&
         strcmp(localeconv()->decimal_point, ",") == 0;
}

/* Once, at the end. */
static inline bool
comma_locale_end(void)
{
  setlocale(LC_NUMERIC, "C");
  return system("rm -r \"$LOCPATH\"") == 0;
}

#endif
