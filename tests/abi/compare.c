/* A plug-in that was compiled with the headers of the first release finds all
 * in its place: members are where they were, numbers are what they were, and a
 * struct has only grown. Those without a size of their own have not even. */
#include <stdio.h>
#include <string.h>

#include "layout.h"

static const char *const fixed[] = {
  "sizeof(struct tn_err)",        "sizeof(struct tn_value)",
  "sizeof(struct tn_column)",     "sizeof(struct tn_error_row)",
  "sizeof(struct tn_option_row)", "sizeof(struct tn_address)",
  "sizeof(struct tn_option)",
};

static int
may_grow(const char *name)
{
  size_t i;

  for (i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
    if (strcmp(name, fixed[i]) == 0)
      return 0;
  return strncmp(name, "sizeof(", 7) == 0;
}

int
main(void)
{
  const struct abi_place *was = layout_v1;
  const struct abi_place *is = layout_now;
  int moved = 0;

  for (; was->name != NULL; was++, is++) {
    int is_kept = may_grow(was->name) ? is->at >= was->at : is->at == was->at;

    if (is_kept && is->size == was->size)
      continue;
    printf("%s: %llu (%llu bytes), but was %llu (%llu bytes)\n", was->name,
           (unsigned long long)is->at, (unsigned long long)is->size,
           (unsigned long long)was->at, (unsigned long long)was->size);
    moved++;
  }
  printf("%d of %d have moved\n", moved, (int)(was - layout_v1));
  return moved != 0;
}
