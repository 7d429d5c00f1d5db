/* What is told of a code, compared with an error that has it: "tenon errors
 * explain" must not be a story. */
#include "events.h"

#include <stdio.h>
#include <string.h>

struct search {
  const tn_err *err;
  bool is_found;
  bool by_class;                           /* no row has the whole SQLSTATE */
  uint32_t sources[TN_SOURCE_MESSAGE + 1]; /* sets of fields */
};

static bool
is_of(const struct search *search, const struct tn_error_info *info)
{
  const tn_err *err = search->err;

  if (info->native != 0)
    return info->native == err->native;
  return info->sqlstate[0] != '\0' &&
         strncmp(info->sqlstate, err->sqlstate, search->by_class ? 2 : 5) ==
             0 &&
         strlen(info->sqlstate) == (search->by_class ? 2 : 5);
}

/* Servers that disagree on a number have a row each. */
static void
take(const struct tn_error_info *info, void *user)
{
  struct search *search = user;

  if (!is_of(search, info))
    return;
  search->is_found = true;
  search->sources[TN_SOURCE_PROTOCOL] |= info->protocol;
  search->sources[TN_SOURCE_MESSAGE] |= info->message;
  search->sources[TN_SOURCE_CATALOGUE] |= info->catalogue;
}

static uint32_t
fields_of(const tn_err *err)
{
  const struct {
    enum tn_err_field field;
    const char *text;
  } fields[] = {
    { TN_ERR_SCHEMA, err->schema },
    { TN_ERR_TABLE, err->table },
    { TN_ERR_COLUMN, err->column_count > 0 ? "some" : "" },
    { TN_ERR_CONSTRAINT, err->constraint },
    { TN_ERR_KEY, err->key },
    { TN_ERR_VALUE, err->value },
    { TN_ERR_KEY_TABLE, tn_err_key_table(err) },
  };
  uint32_t set = 0;

  for (size_t i = 0; i < COUNT(fields); i++)
    if (fields[i].text[0] != '\0')
      set |= TN_ERR_BIT(fields[i].field);
  return set;
}

bool
events_are_told(const char *backend, const tn_err *err)
{
  struct search search = { .err = err };
  tn_err failure = TN_ERR_INIT;
  uint32_t untold = fields_of(err);

  if (err->native == 0 && err->sqlstate[0] == '\0')
    return true; /* none of the server's */
  for (int i = 0; i < 2 && !search.is_found; i++) {
    search.by_class = i > 0;
    if (tn_registry_errors(tn_registry_default(), backend, take, &search,
                           &failure) != TN_OK) {
      printf("%s\n", failure.message);
      return false;
    }
  }
  if (err->column_count > 0 &&
      (search.sources[err->source] & TN_ERR_BIT(TN_ERR_COLUMN)) == 0) {
    printf("%d %s: its columns are from the %s, which is not told\n",
           (int)err->native, err->sqlstate, tn_err_source_name(err->source));
    return false;
  }
  untold &=
      ~(search.sources[TN_SOURCE_PROTOCOL] | search.sources[TN_SOURCE_MESSAGE] |
        search.sources[TN_SOURCE_CATALOGUE]);
  if (untold != 0)
    printf("%d %s: has fields %#x that are not told\n", (int)err->native,
           err->sqlstate, (unsigned)untold);
  return untold == 0;
}
