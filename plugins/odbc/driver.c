/* Which installed driver a URL means. A scheme has no blanks and no capitals,
 * the names in odbcinst.ini have both; so only letters and digits count. */
#include "odbc_priv.h"

#include <string.h>

#define NAME_SIZE 128

/* How well a driver's name fits what was asked for. */
enum fit {
  FIT_NONE = 0,
  FIT_BEGINNING,
  FIT_UNICODE, /* the beginning, then "Unicode" */
  FIT_WHOLE,
};

static enum fit
fit_of(const char *name, const char *wanted)
{
  char folded[NAME_SIZE];
  size_t size = strlen(wanted);

  odbc__fold(name, folded, sizeof folded);
  if (strncmp(folded, wanted, size) != 0)
    return FIT_NONE;
  if (folded[size] == '\0')
    return FIT_WHOLE;
  return strcmp(folded + size, "unicode") == 0 ? FIT_UNICODE : FIT_BEGINNING;
}

struct search {
  char found[NAME_SIZE];
  char known[400]; /* all names, for a message */
  enum fit fit;
  unsigned equals; /* that fit as well as the one found */
};

static void
offer(struct search *search, const char *name, const char *wanted)
{
  enum fit fit = fit_of(name, wanted);
  size_t used = strlen(search->known);

  if (used + strlen(name) + 5 < sizeof search->known)
    snprintf(search->known + used, sizeof search->known - used, "%s\"%s\"",
             used > 0 ? ", " : "", name);
  if (fit == FIT_NONE || fit < search->fit)
    return;
  search->equals = fit == search->fit ? search->equals + 1 : 1;
  search->fit = fit;
  snprintf(search->found, sizeof search->found, "%s", name);
}

int32_t
odbc__driver_name(SQLHENV env, const char *word, struct tn_call *call,
                  char *ret, size_t size)
{
  struct search search = { .fit = FIT_NONE };
  SQLCHAR name[NAME_SIZE];
  SQLCHAR attributes[512];
  SQLSMALLINT name_size;
  SQLSMALLINT attributes_size;
  SQLUSMALLINT direction = SQL_FETCH_FIRST;
  char wanted[NAME_SIZE];

  odbc__fold(word, wanted, sizeof wanted);
  while (SQL_SUCCEEDED(SQLDrivers(env, direction, name, NAME_SIZE, &name_size,
                                  attributes, sizeof attributes,
                                  &attributes_size))) {
    offer(&search, (const char *)name, wanted);
    direction = SQL_FETCH_NEXT;
  }
  if (search.fit == FIT_NONE || wanted[0] == '\0')
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: no driver \"%.64s\" in odbcinst.ini; known: %s", word,
                   search.known[0] == '\0' ? "none" : search.known);
  if (search.equals > 1)
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: driver \"%.64s\" is not clear; write more of one of "
                   "%s",
                   word, search.known);
  snprintf(ret, size, "%s", search.found);
  return TN_OK;
}
