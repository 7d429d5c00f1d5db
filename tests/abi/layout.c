/* Where things are, by the headers that this is compiled with: twice, once with
 * those of the first release. `members` has made the list from them. */
#include <stddef.h>
#include <tenon/plugin.h>

#include "layout.h"

const struct abi_place LAYOUT[] = {
#define MEMBER(type, member)                                                   \
  { #type "." #member, offsetof(type, member), sizeof(((type *)0)->member) },
#define SIZE(type)     { "sizeof(" #type ")", sizeof(type), 0 },
#define CONSTANT(name) { #name, (uint64_t)(name), 0 },
#include "members.inc"
  { NULL, 0, 0 },
};
