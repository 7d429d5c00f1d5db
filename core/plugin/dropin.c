/* The administrator's drop-ins.
 *
 * They are read before any manifest and stand above all of them: a plug-in
 * that he disabled is not loaded whoever installs it, and where two plug-ins
 * claim a scheme his word decides. */
#include "dropin.h"

#include <string.h>

#include "text.h"

/* Longest part of a name that a message shows. */
#define SHOWN_SIZE 80

/* Most options of one plug-in, and by how many their list grows. */
#define DEFAULTS_MAX  256
#define DEFAULTS_STEP 16

struct reading {
  struct tn_dropins *dropins;
  struct tn_manifest_source source;
};

/* ---- what is known of one plug-in ---- */

static struct tn_dropin *
find(const struct tn_dropins *dropins, const char *name)
{
  for (struct tn_dropin *dropin = dropins->first; dropin != NULL;
       dropin = dropin->next) {
    if (strcmp(dropin->name, name) == 0)
      return dropin;
  }
  return NULL;
}

/* The one for `name`, made if need be; NULL without memory. */
static struct tn_dropin *
find_or_add(struct reading *reading, const char *name)
{
  static const char *const none[] = { NULL };
  struct tn_arena *arena = &reading->dropins->arena;
  struct tn_dropin *dropin = find(reading->dropins, name);

  if (dropin == NULL) {
    dropin = tn_arena_alloc(arena, sizeof(*dropin));
    if (dropin == NULL)
      return NULL;
    memset(dropin, 0, sizeof(*dropin));
    dropin->name = tn_arena_text(arena, name, strlen(name));
    if (dropin->name == NULL)
      return NULL;
    dropin->aliases = none;
    dropin->next = reading->dropins->first;
    reading->dropins->first = dropin;
  }
  if (dropin->path != reading->source.path) {
    dropin->path = reading->source.path;
    dropin->seen = 0;
  }
  return dropin;
}

/* ---- the keys of [plugin:NAME] ---- */

static enum tn_code
take_enabled(struct reading *reading, const struct tn_ini_item *item,
             struct tn_dropin *dropin, tn_err *err)
{
  static const char *const words[] = { "no",  "false", "off", "0",
                                       "yes", "true",  "on",  "1" };

  for (size_t i = 0; i < TN_COUNT(words); i++) {
    if (tn_text_equal_nocase(item->value, words[i])) {
      dropin->disabled = i < TN_COUNT(words) / 2 ? reading->source.path : NULL;
      return TN_OK;
    }
  }
  return tn_manifest__refuse(&reading->source, item, item->value,
                             "is neither yes nor no", err);
}

static enum tn_code
take_alias(struct reading *reading, const struct tn_ini_item *item,
           struct tn_dropin *dropin, tn_err *err)
{
  return tn_manifest__words(&reading->source, item, tn_manifest_is_alias,
                            &dropin->aliases, err);
}

static enum tn_code
take_pin(struct reading *reading, const struct tn_ini_item *item,
         struct tn_dropin *dropin, tn_err *err)
{
  if (item->value[0] != '/')
    return tn_manifest__refuse(&reading->source, item, item->value,
                               "is not an absolute path", err);
  return tn_manifest__text(&reading->source, item, &dropin->pin, err);
}

struct key_row {
  const char *name;
  enum tn_code (*take)(struct reading *reading, const struct tn_ini_item *item,
                       struct tn_dropin *dropin, tn_err *err);
};

static const struct key_row keys[] = {
  { "enabled", take_enabled },
  { "alias", take_alias },
  { "pin", take_pin },
};

static const char *
key_name(size_t index)
{
  return keys[index].name;
}

static enum tn_code
refuse_repeated(const struct reading *reading, const struct tn_ini_item *item,
                tn_err *err)
{
  return tn_manifest__refuse(&reading->source, item, NULL,
                             "the key is there twice", err);
}

static enum tn_code
take_key(struct reading *reading, const struct tn_ini_item *item,
         struct tn_dropin *dropin, tn_err *err)
{
  for (size_t i = 0; i < TN_COUNT(keys); i++) {
    if (strcmp(keys[i].name, item->key) != 0)
      continue;
    if ((dropin->seen & UINT32_C(1) << i) != 0)
      return refuse_repeated(reading, item, err);
    dropin->seen |= UINT32_C(1) << i;
    return keys[i].take(reading, item, dropin, err);
  }
  return tn_manifest__refuse_key(&reading->source, item, key_name,
                                 TN_COUNT(keys), err);
}

/* ---- the keys of [defaults:NAME] ---- */

/* Room for one more. The arrays that were too small stay in the arena; a
 * drop-in has a handful of options. */
static bool
grow_defaults(struct tn_arena *arena, struct tn_dropin *dropin)
{
  size_t count = dropin->default_count;
  struct tn_registry_default_option *defaults;
  const char **paths;

  if (count % DEFAULTS_STEP != 0)
    return true;
  defaults = tn_arena_alloc(arena, (count + DEFAULTS_STEP) * sizeof(*defaults));
  paths = tn_arena_alloc(arena, (count + DEFAULTS_STEP) * sizeof(*paths));
  if (defaults == NULL || paths == NULL)
    return false;
  if (count > 0) {
    memcpy(defaults, dropin->defaults, count * sizeof(*defaults));
    memcpy(paths, dropin->default_paths, count * sizeof(*paths));
  }
  dropin->defaults = defaults;
  dropin->default_paths = paths;
  return true;
}

static enum tn_code
add_default(struct reading *reading, const struct tn_ini_item *item,
            struct tn_dropin *dropin, tn_err *err)
{
  struct tn_arena *arena = &reading->dropins->arena;
  const char *name = tn_arena_text(arena, item->key, strlen(item->key));

  if (dropin->default_count == DEFAULTS_MAX)
    return tn_manifest__refuse(&reading->source, item, NULL,
                               "more than 256 options", err);
  if (name == NULL || !grow_defaults(arena, dropin))
    return tn_err_memory(err, reading->source.path);
  dropin->defaults[dropin->default_count].name = name;
  dropin->default_paths[dropin->default_count] = NULL;
  dropin->default_count++;
  return TN_OK;
}

static enum tn_code
take_default(struct reading *reading, const struct tn_ini_item *item,
             struct tn_dropin *dropin, tn_err *err)
{
  const char *value = NULL;
  size_t i = 0;
  enum tn_code rc = tn_manifest__text(&reading->source, item, &value, err);

  if (rc != TN_OK)
    return rc;
  while (i < dropin->default_count &&
         strcmp(dropin->defaults[i].name, item->key) != 0)
    i++;
  if (i == dropin->default_count) {
    rc = add_default(reading, item, dropin, err);
    if (rc != TN_OK)
      return rc;
  }
  if (dropin->default_paths[i] == reading->source.path)
    return refuse_repeated(reading, item, err);
  dropin->defaults[i].value = value;
  dropin->default_paths[i] = reading->source.path;
  return TN_OK;
}

static enum tn_code
take_error(struct reading *reading, const struct tn_ini_item *item,
           struct tn_dropin *dropin, tn_err *err)
{
  return tn_overrides_take(&dropin->errors, &reading->source, item, err);
}

/* ---- sections ---- */

struct section_row {
  const char *prefix;
  enum tn_code (*take)(struct reading *reading, const struct tn_ini_item *item,
                       struct tn_dropin *dropin, tn_err *err);
};

static const struct section_row sections[] = {
  { "plugin:", take_key },
  { "defaults:", take_default },
  { "errors:", take_error },
};

/* The row of a section, and the plug-in it is about; NULL if it is none. */
static const struct section_row *
find_section(const char *section, const char **ret_name)
{
  for (size_t i = 0; i < TN_COUNT(sections); i++) {
    size_t size = strlen(sections[i].prefix);

    if (strncmp(section, sections[i].prefix, size) == 0 &&
        tn_manifest_is_name(section + size)) {
      *ret_name = section + size;
      return &sections[i];
    }
  }
  return NULL;
}

static enum tn_code
refuse_section(const struct reading *reading, const struct tn_ini_item *item,
               tn_err *err)
{
  char shown[SHOWN_SIZE];

  if (item->section[0] == '\0')
    return tn_manifest__refuse(&reading->source, item, NULL,
                               "stands before the first section", err);
  tn_text_escape(item->section, strlen(item->section), shown, sizeof(shown));
  return tn_err_set(err, TN_E_CONFIG,
                    "%s:%u: unknown section [%s]; a drop-in has "
                    "[plugin:NAME], [defaults:NAME] and [errors:NAME]",
                    reading->source.path, item->line, shown);
}

static bool
wants(void *user, const char *section)
{
  (void)user;
  (void)section;
  return true;
}

static enum tn_code
take_item(void *user, const struct tn_ini_item *item, tn_err *err)
{
  struct reading *reading = user;
  const char *name = NULL;
  const struct section_row *section = find_section(item->section, &name);
  struct tn_dropin *dropin;

  if (section == NULL)
    return refuse_section(reading, item, err);
  dropin = find_or_add(reading, name);
  if (dropin == NULL)
    return tn_err_memory(err, reading->source.path);
  return item->key != NULL ? section->take(reading, item, dropin, err) : TN_OK;
}

enum tn_code
tn_dropins_parse(struct tn_dropins *dropins, const char *text, size_t size,
                 const char *path, tn_err *err)
{
  struct reading reading = { .dropins = dropins };
  const struct tn_ini_reader reader = { .wants = wants,
                                        .item = take_item,
                                        .user = &reading };

  reading.source.arena = &dropins->arena;
  reading.source.path = tn_arena_text(&dropins->arena, path, strlen(path));
  if (reading.source.path == NULL)
    return tn_err_memory(err, path);
  return tn_ini_parse(text, size, path, &reader, err);
}

enum tn_code
tn_dropins_read(struct tn_dropins *dropins, const char *path, tn_err *err)
{
  char *text;
  size_t size;
  enum tn_code rc = tn_manifest__load(path, &text, &size, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_dropins_parse(dropins, text, size, path, err);

  /* A default may be a secret. */
  tn_memory_wipe(text, size);
  tn_memory_free(text);
  return rc;
}

void
tn_dropins_clear(struct tn_dropins *dropins)
{
  tn_arena_clear(&dropins->arena);
  dropins->first = NULL;
}

const struct tn_dropin *
tn_dropins_find(const struct tn_dropins *dropins, const char *name)
{
  return find(dropins, name);
}
