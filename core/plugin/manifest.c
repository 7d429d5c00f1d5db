/* Manifests: which schemes a file of code would serve, told without running
 * it.
 *
 * A manifest lies where only root, or the user himself, can write; still it is
 * taken for nothing but data. What it names is a key (schemes) or a name
 * inside a folder that is already known (file), and after the plug-in was
 * loaded its own word is compared with it. */
#include "manifest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

#define SCHEME_MAX_SIZE 32

/* Longest part of a value that a message shows. */
#define SHOWN_SIZE 80

static const char suffix[] = ".ini";
static const char object_suffix[] = ".so";

/* ---- grammar ---- */

/* How many characters of `text` are a name. */
static size_t
name_size(const char *text)
{
  size_t size = 0;

  if (text[0] < 'a' || text[0] > 'z')
    return 0;
  while ((text[size] >= 'a' && text[size] <= 'z') ||
         tn_text_is_digit(text[size]) || text[size] == '_')
    size++;
  return size;
}

bool
tn_manifest_is_name(const char *text)
{
  size_t size = name_size(text);

  return size > 0 && size <= TN_PLUGIN_NAME_MAX && text[size] == '\0';
}

bool
tn_manifest_is_scheme(const char *text)
{
  size_t size = name_size(text);

  return size > 0 && size <= SCHEME_MAX_SIZE && text[size] == '\0';
}

bool
tn_manifest_is_alias(const char *text)
{
  size_t size = name_size(text);

  if (size == 0 || size > SCHEME_MAX_SIZE || text[size] != '+')
    return tn_manifest_is_scheme(text);
  return tn_manifest_is_scheme(text + size + 1);
}

static bool
ends_with(const char *text, size_t size, const char *end)
{
  size_t end_size = strlen(end);

  return size > end_size && memcmp(text + size - end_size, end, end_size) == 0;
}

/* A name inside a folder: no slash, not hidden, a shared object. */
static bool
is_file_name(const char *text)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._+-";
  size_t size = strlen(text);

  return text[0] != '.' && size <= 128 && strspn(text, allowed) == size &&
         ends_with(text, size, object_suffix);
}

/* ---- what manifests and drop-ins have in common ---- */

enum tn_code
tn_manifest__refuse(const struct tn_manifest_source *source,
                    const struct tn_ini_item *item, const char *value,
                    const char *cause, tn_err *err)
{
  char shown[SHOWN_SIZE];

  if (value == NULL)
    return tn_err_set(err, TN_E_CONFIG, "%s:%u: %s: %s", source->path,
                      item->line, item->key, cause);
  tn_text_escape(value, strlen(value), shown, sizeof(shown));
  return tn_err_set(err, TN_E_CONFIG, "%s:%u: %s: \"%s\" %s", source->path,
                    item->line, item->key, shown, cause);
}

enum tn_code
tn_manifest__refuse_key(const struct tn_manifest_source *source,
                        const struct tn_ini_item *item,
                        const char *(*name)(size_t index), size_t count,
                        tn_err *err)
{
  struct tn_suggestion suggestion = { .wanted = item->key };
  char shown[SHOWN_SIZE];

  for (size_t i = 0; i < count; i++)
    tn_suggestion_offer(&suggestion, name(i));
  tn_text_escape(item->key, strlen(item->key), shown, sizeof(shown));
  if (suggestion.best == NULL)
    return tn_err_set(err, TN_E_CONFIG, "%s:%u: unknown key \"%s\"",
                      source->path, item->line, shown);
  return tn_err_set(err, TN_E_CONFIG,
                    "%s:%u: unknown key \"%s\"; did you mean \"%s\"?",
                    source->path, item->line, shown, suggestion.best);
}

enum tn_code
tn_manifest__text(const struct tn_manifest_source *source,
                  const struct tn_ini_item *item, const char **ret, tn_err *err)
{
  char *copy = tn_arena_text(source->arena, item->value, strlen(item->value));

  if (copy == NULL)
    return tn_err_memory(err, source->path);
  *ret = copy;
  return TN_OK;
}

static bool
has_word(const char *const *words, size_t count, const char *word)
{
  for (size_t i = 0; i < count; i++) {
    if (strcmp(words[i], word) == 0)
      return true;
  }
  return false;
}

enum tn_code
tn_manifest__words(const struct tn_manifest_source *source,
                   const struct tn_ini_item *item,
                   bool (*is_word)(const char *text), const char *const **ret,
                   tn_err *err)
{
  const char *words[TN_MANIFEST_WORDS_MAX + 1] = { NULL };
  const char **kept;
  size_t count = 0;
  char *rest = tn_arena_text(source->arena, item->value, strlen(item->value));
  char *word;

  if (rest == NULL)
    return tn_err_memory(err, source->path);
  while ((word = strsep(&rest, " \t")) != NULL) {
    if (*word == '\0')
      continue;
    if (!is_word(word))
      return tn_manifest__refuse(source, item, word, "is no scheme", err);
    if (has_word(words, count, word))
      return tn_manifest__refuse(source, item, word, "is there twice", err);
    if (count == TN_MANIFEST_WORDS_MAX)
      return tn_manifest__refuse(source, item, NULL, "more than 64 names", err);
    words[count++] = word;
  }

  kept = tn_arena_alloc(source->arena, (count + 1) * sizeof(*kept));
  if (kept == NULL)
    return tn_err_memory(err, source->path);
  memcpy(kept, words, (count + 1) * sizeof(*kept));
  *ret = kept;
  return TN_OK;
}

static void
close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
}

enum tn_code
tn_manifest__load(const char *path, char **ret_text, size_t *ret_size,
                  tn_err *err)
{
  TN_CLEANUP(close_fd) int fd = -1;
  enum tn_code rc = tn_file_open_trusted(path, &fd, err);

  if (rc != TN_OK)
    return rc;
  return tn_file_read_fd(fd, path, TN_MANIFEST_MAX, ret_text, ret_size, err);
}

/* ---- the keys of a manifest ---- */

struct reading {
  struct tn_manifest *manifest;
  struct tn_manifest_source source;
  uint32_t seen; /* a bit for each row of `keys` */
};

static enum tn_code
take_text(struct reading *reading, const struct tn_ini_item *item, void *place,
          tn_err *err)
{
  return tn_manifest__text(&reading->source, item, place, err);
}

static enum tn_code
take_name(struct reading *reading, const struct tn_ini_item *item, void *place,
          tn_err *err)
{
  const char *base = strrchr(reading->source.path, '/');
  size_t size = strlen(item->value);

  if (!tn_manifest_is_name(item->value))
    return tn_manifest__refuse(&reading->source, item, item->value,
                               "is no name; use a-z, 0-9 and '_', up to 23",
                               err);
  base = base != NULL ? base + 1 : reading->source.path;
  if (strncmp(base, item->value, size) != 0 || strcmp(base + size, suffix) != 0)
    return tn_manifest__refuse(&reading->source, item, item->value,
                               "is not what the file is called", err);
  return tn_manifest__text(&reading->source, item, place, err);
}

static enum tn_code
take_file(struct reading *reading, const struct tn_ini_item *item, void *place,
          tn_err *err)
{
  if (!is_file_name(item->value))
    return tn_manifest__refuse(&reading->source, item, item->value,
                               "is no file name like NAME.so, without a folder",
                               err);
  return tn_manifest__text(&reading->source, item, place, err);
}

static enum tn_code
take_abi(struct reading *reading, const struct tn_ini_item *item, void *place,
         tn_err *err)
{
  uint32_t number = 0;
  const char *at = item->value;

  while (tn_text_is_digit(*at) && number <= UINT16_MAX)
    number = number * 10 + (uint32_t)(*at++ - '0');
  if (number == 0 || number > UINT16_MAX || *at != '\0')
    return tn_manifest__refuse(&reading->source, item, item->value,
                               "is no major number of the ABI", err);
  *(uint32_t *)place = number;
  return TN_OK;
}

static enum tn_code
take_schemes(struct reading *reading, const struct tn_ini_item *item,
             void *place, tn_err *err)
{
  const char *const **schemes = place;
  enum tn_code rc = tn_manifest__words(&reading->source, item,
                                       tn_manifest_is_scheme, schemes, err);

  if (rc == TN_OK && (*schemes)[0] == NULL)
    return tn_manifest__refuse(&reading->source, item, NULL, "names no scheme",
                               err);
  return rc;
}

static enum tn_code
take_aliases(struct reading *reading, const struct tn_ini_item *item,
             void *place, tn_err *err)
{
  return tn_manifest__words(&reading->source, item, tn_manifest_is_alias, place,
                            err);
}

struct key_row {
  const char *name;
  uint32_t is_required;
  size_t offset; /* in struct tn_manifest */
  enum tn_code (*take)(struct reading *reading, const struct tn_ini_item *item,
                       void *place, tn_err *err);
};

static const struct key_row keys[] = {
  { "name", 1, offsetof(struct tn_manifest, name), take_name },
  { "abi", 1, offsetof(struct tn_manifest, abi_major), take_abi },
  { "schemes", 1, offsetof(struct tn_manifest, schemes), take_schemes },
  { "file", 0, offsetof(struct tn_manifest, file), take_file },
  { "aliases", 0, offsetof(struct tn_manifest, aliases), take_aliases },
  { "package", 0, offsetof(struct tn_manifest, package), take_text },
  { "client", 0, offsetof(struct tn_manifest, client), take_text },
  { "description", 0, offsetof(struct tn_manifest, description), take_text },
};

static const char *
key_name(size_t index)
{
  return keys[index].name;
}

static bool
wants(void *user, const char *section)
{
  (void)user;
  (void)section;
  return true;
}

static enum tn_code
refuse_section(const struct reading *reading, const struct tn_ini_item *item,
               tn_err *err)
{
  char shown[SHOWN_SIZE];

  if (item->section[0] == '\0')
    return tn_manifest__refuse(&reading->source, item, NULL,
                               "stands before the section [plugin]", err);
  tn_text_escape(item->section, strlen(item->section), shown, sizeof(shown));
  return tn_err_set(err, TN_E_CONFIG,
                    "%s:%u: unknown section [%s]; a manifest has [plugin]",
                    reading->source.path, item->line, shown);
}

static enum tn_code
take_item(void *user, const struct tn_ini_item *item, tn_err *err)
{
  struct reading *reading = user;

  if (strcmp(item->section, "plugin") != 0)
    return refuse_section(reading, item, err);
  if (item->key == NULL)
    return TN_OK;
  for (size_t i = 0; i < TN_COUNT(keys); i++) {
    if (strcmp(keys[i].name, item->key) != 0)
      continue;
    if ((reading->seen & UINT32_C(1) << i) != 0)
      return tn_manifest__refuse(&reading->source, item, NULL,
                                 "the key is there twice", err);
    reading->seen |= UINT32_C(1) << i;
    return keys[i].take(reading, item,
                        (char *)reading->manifest + keys[i].offset, err);
  }
  return tn_manifest__refuse_key(&reading->source, item, key_name,
                                 TN_COUNT(keys), err);
}

/* ---- manifests ---- */

static enum tn_code
check_keys(const struct reading *reading, tn_err *err)
{
  for (size_t i = 0; i < TN_COUNT(keys); i++) {
    if (keys[i].is_required != 0 && (reading->seen & UINT32_C(1) << i) == 0)
      return tn_err_set(err, TN_E_CONFIG, "%s: [plugin] has no %s",
                        reading->source.path, keys[i].name);
  }
  return TN_OK;
}

/* What was not said. */
static enum tn_code
fill_defaults(struct tn_manifest *manifest, tn_err *err)
{
  static const char *const none[] = { NULL };
  char file[TN_PLUGIN_NAME_MAX + sizeof(object_suffix)];
  const char **texts[] = { &manifest->package, &manifest->client,
                           &manifest->description };

  for (size_t i = 0; i < TN_COUNT(texts); i++) {
    if (*texts[i] == NULL)
      *texts[i] = "";
  }
  if (manifest->aliases == NULL)
    manifest->aliases = none;
  if (manifest->file != NULL)
    return TN_OK;
  snprintf(file, sizeof(file), "%s%s", manifest->name, object_suffix);
  manifest->file = tn_arena_text(&manifest->arena, file, strlen(file));
  return manifest->file != NULL ? TN_OK : tn_err_memory(err, manifest->path);
}

static enum tn_code
parse_into(struct tn_manifest *manifest, const char *text, size_t size,
           const char *path, tn_err *err)
{
  struct reading reading = { .manifest = manifest };
  const struct tn_ini_reader reader = { .wants = wants,
                                        .item = take_item,
                                        .user = &reading };
  enum tn_code rc;

  manifest->path = tn_arena_text(&manifest->arena, path, strlen(path));
  if (manifest->path == NULL)
    return tn_err_memory(err, path);
  reading.source.path = manifest->path;
  reading.source.arena = &manifest->arena;
  rc = tn_ini_parse(text, size, path, &reader, err);
  if (rc == TN_OK)
    rc = check_keys(&reading, err);
  return rc == TN_OK ? fill_defaults(manifest, err) : rc;
}

enum tn_code
tn_manifest_parse(const char *text, size_t size, const char *path,
                  struct tn_manifest **ret, tn_err *err)
{
  TN_CLEANUP(tn_manifest_free)
  struct tn_manifest *manifest = tn_memory_zalloc(sizeof(*manifest));
  enum tn_code rc;

  if (manifest == NULL)
    return tn_err_memory(err, path);
  rc = parse_into(manifest, text, size, path, err);
  if (rc != TN_OK)
    return rc;
  *ret = manifest;
  manifest = NULL;
  return TN_OK;
}

enum tn_code
tn_manifest_read(const char *path, struct tn_manifest **ret, tn_err *err)
{
  char *text;
  size_t size;
  enum tn_code rc = tn_manifest__load(path, &text, &size, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_manifest_parse(text, size, path, ret, err);
  tn_memory_free(text);
  return rc;
}

void
tn_manifest_free(struct tn_manifest **manifest)
{
  if (manifest == NULL || *manifest == NULL)
    return;
  tn_arena_clear(&(*manifest)->arena);
  tn_memory_free(*manifest);
  *manifest = NULL;
}
