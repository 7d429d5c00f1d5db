/* Where what is typed into the shell ends. */
#ifndef TENON_CLI_STATEMENT_H
#define TENON_CLI_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

struct statement_scan {
  size_t count;     /* statements that have ended */
  bool is_complete; /* nothing but blanks and comments follows the last one */
  bool is_empty;    /* there is no statement, at most a ';' */
};

/* Look for the ';' that end statements: not those in strings, quoted names,
 * comments, dollar quotes and bodies of triggers. The shell does not know the
 * backend's dialect, so this decides only when to run what was typed; the
 * library finds the statements in it by its own, exact rules. */
struct statement_scan statement_scan(const char *text);

#endif
