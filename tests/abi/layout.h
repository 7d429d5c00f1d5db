/* What layout.c tells. */
#ifndef TENON_TESTS_LAYOUT_H
#define TENON_TESTS_LAYOUT_H

#include <stdint.h>

/* A member with its offset and size, or a size or number. */
struct abi_place {
  const char *name; /* NULL: the end */
  uint64_t at;
  uint64_t size;
};

extern const struct abi_place layout_v1[];
extern const struct abi_place layout_now[];

#endif
