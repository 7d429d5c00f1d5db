/* The values of a statement as they stand on the command line:
 * `[NAME=][TYPE:]TEXT`. */
#ifndef TENON_CLI_PARAM_H
#define TENON_CLI_PARAM_H

#include <tenon/value.h>

struct params {
  tn_value *values;
  const char **names; /* one a value; NULL: they have none */
  size_t count;
};

/* Read `args`, which are written to and lend their bytes to the values.
 * Fails: TN_E_USAGE, with the number of the parameter; TN_E_MEMORY. */
enum tn_code params_parse(char *const *args, size_t count, struct params *ret,
                          tn_err *err);
void params_clear(struct params *params);

#endif
