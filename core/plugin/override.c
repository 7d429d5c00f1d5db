/* Rows of errors that an administrator writes.
 *
 * He knows his servers: that a proxy in front of them says 1105 for a session
 * that it has closed, that a lock is worth another try. What he says counts
 * where the plug-in's table decides; what was lost stays lost. */
#include "override.h"

#include <string.h>

#include "text.h"

#define ITEMS_MAX  256
#define ITEMS_STEP 16

#define NATIVE   "native."
#define SQLSTATE "sqlstate."

/* Longest word of a value. */
#define WORD_SIZE 32

/* ---- the key ---- */

static enum tn_code
refuse_key(const struct tn_manifest_source *source,
           const struct tn_ini_item *item, tn_err *err)
{
  return tn_manifest__refuse(
      source, item, NULL,
      "is neither \"native.NUMBER\" nor \"sqlstate.\" and five capital letters "
      "and digits, or two for a class",
      err);
}

static bool
read_native(const char *text, int32_t *ret)
{
  bool is_negative = *text == '-';
  int64_t number = 0;

  text += is_negative;
  if (*text == '\0')
    return false;
  for (; *text != '\0'; text++) {
    if (!tn_text_is_digit(*text) || number > INT32_MAX)
      return false;
    number = number * 10 + (*text - '0');
  }
  if (number == 0 || number > INT32_MAX)
    return false;
  *ret = (int32_t)(is_negative ? -number : number);
  return true;
}

static bool
read_sqlstate(const char *text, char ret[6])
{
  size_t size = strlen(text);

  if (size != 2 && size != 5)
    return false;
  for (size_t i = 0; i < size; i++) {
    if (!tn_text_is_digit(text[i]) && (text[i] < 'A' || text[i] > 'Z'))
      return false;
  }
  memcpy(ret, text, size + 1);
  return true;
}

static bool
read_key(const char *key, struct tn_override *ret)
{
  if (strncmp(key, NATIVE, sizeof(NATIVE) - 1) == 0)
    return read_native(key + sizeof(NATIVE) - 1, &ret->native);
  if (strncmp(key, SQLSTATE, sizeof(SQLSTATE) - 1) == 0)
    return read_sqlstate(key + sizeof(SQLSTATE) - 1, ret->sqlstate);
  return false;
}

/* ---- the value ---- */

static int32_t
verdict_of(const char *(*name)(int32_t verdict), const char *word)
{
  for (int32_t i = 1; name(i)[0] != '\0'; i++) {
    if (strcmp(name(i), word) == 0)
      return i;
  }
  return 0;
}

/* No word is both a category and a verdict. */
static int32_t *
place_of(struct tn_override *override, const char *word, int32_t *ret)
{
  *ret = tn_code_from_name(word);
  if (*ret > TN_OK)
    return &override->category;
  *ret = verdict_of(tn_connection_verdict_name, word);
  if (*ret != 0)
    return &override->connection;
  *ret = verdict_of(tn_replay_verdict_name, word);
  return *ret != 0 ? &override->replay : NULL;
}

static enum tn_code
refuse_word(const struct tn_manifest_source *source,
            const struct tn_ini_item *item, const char *word, tn_err *err)
{
  return tn_manifest__refuse(source, item, word,
                             "is neither a category nor a verdict: usable, "
                             "aborted, dead, safe, transaction, never, unknown",
                             err);
}

static enum tn_code
read_value(const struct tn_manifest_source *source,
           const struct tn_ini_item *item, struct tn_override *ret, tn_err *err)
{
  const char *rest = item->value;
  char word[WORD_SIZE];

  for (;;) {
    size_t size;
    int32_t value;
    int32_t *place;

    rest += strspn(rest, " \t");
    size = strcspn(rest, " \t");
    if (size == 0)
      break;
    snprintf(word, sizeof(word), "%.*s",
             (int)(size < sizeof(word) ? size : sizeof(word) - 1), rest);
    place = place_of(ret, word, &value);
    if (place == NULL || size >= sizeof(word))
      return refuse_word(source, item, word, err);
    if (*place != 0)
      return tn_manifest__refuse(source, item, word,
                                 "is the second of its kind", err);
    *place = value;
    rest += size;
  }
  if (ret->category == 0 && ret->connection == 0 && ret->replay == 0)
    return tn_manifest__refuse(source, item, NULL,
                               "has no category and no verdict", err);
  return TN_OK;
}

/* ---- the list ---- */

static struct tn_override *
find_same(const struct tn_overrides *overrides,
          const struct tn_override *wanted)
{
  for (size_t i = 0; i < overrides->count; i++) {
    struct tn_override *item = &overrides->items[i];

    if (item->native == wanted->native &&
        strcmp(item->sqlstate, wanted->sqlstate) == 0)
      return item;
  }
  return NULL;
}

/* Room for one more; arrays that were too small stay in the arena. */
static bool
grow(struct tn_overrides *overrides, struct tn_arena *arena)
{
  struct tn_override *items;

  if (overrides->count % ITEMS_STEP != 0)
    return true;
  items =
      tn_arena_alloc(arena, (overrides->count + ITEMS_STEP) * sizeof(*items));
  if (items == NULL)
    return false;
  if (overrides->count > 0)
    memcpy(items, overrides->items, overrides->count * sizeof(*items));
  overrides->items = items;
  return true;
}

enum tn_code
tn_overrides_take(struct tn_overrides *overrides,
                  const struct tn_manifest_source *source,
                  const struct tn_ini_item *item, tn_err *err)
{
  struct tn_override override = { .path = source->path, .line = item->line };
  struct tn_override *place;
  enum tn_code rc;

  if (!read_key(item->key, &override))
    return refuse_key(source, item, err);
  rc = read_value(source, item, &override, err);
  if (rc != TN_OK)
    return rc;
  place = find_same(overrides, &override);
  if (place != NULL && place->path == source->path)
    return tn_manifest__refuse(source, item, NULL, "the key is there twice",
                               err);
  if (place == NULL) {
    if (overrides->count == ITEMS_MAX)
      return tn_manifest__refuse(source, item, NULL, "more than 256 errors",
                                 err);
    if (!grow(overrides, source->arena))
      return tn_err_memory(err, source->path);
    place = &overrides->items[overrides->count++];
  }
  *place = override;
  return TN_OK;
}

/* ---- failures ---- */

static const struct tn_override *
find_native(const struct tn_overrides *overrides, int32_t native)
{
  for (size_t i = 0; native != 0 && i < overrides->count; i++) {
    if (overrides->items[i].native == native)
      return &overrides->items[i];
  }
  return NULL;
}

static const struct tn_override *
find_sqlstate(const struct tn_overrides *overrides, const char *sqlstate,
              size_t size)
{
  if (sqlstate == NULL || strlen(sqlstate) < size)
    return NULL;
  for (size_t i = 0; i < overrides->count; i++) {
    const struct tn_override *item = &overrides->items[i];

    if (strlen(item->sqlstate) == size &&
        memcmp(item->sqlstate, sqlstate, size) == 0)
      return item;
  }
  return NULL;
}

const struct tn_override *
tn_overrides_find(const struct tn_overrides *overrides,
                  const struct tn_failure *failure)
{
  const struct tn_override *found;

  if (overrides->count == 0)
    return NULL;
  found = find_native(overrides, failure->lookup);
  if (found == NULL)
    found = find_native(overrides, failure->native);
  if (found == NULL)
    found = find_native(overrides, failure->fallback);
  if (found == NULL)
    found = find_sqlstate(overrides, failure->sqlstate, 5);
  if (found == NULL)
    found = find_sqlstate(overrides, failure->sqlstate, 2);
  return found;
}
