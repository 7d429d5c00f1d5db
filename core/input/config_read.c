/* INI text into values: which sections are ours, and what may stand in them.
 *
 * A slip of the pen in a configuration must not be silent: a key that nobody
 * reads, or that another line takes back, is a database with the wrong
 * password or without TLS. So in our sections everything is known or refused,
 * and a section whose name is nearly ours is refused too. The sections of
 * other programs, with whom we may share the file, are none of our business,
 * but for the old names of our options that oslo.db kept in three of them. */
#include "config_priv.h"

#include <stdio.h>
#include <string.h>

#include "ini_reader.h"
#include "mask.h"
#include "text.h"

/* How a section that is nearly "database" is told from another word. */
#define NEAR_DISTANCE 2

/* Bytes of a user's text that a message shows. */
#define SHOWN_SIZE 80

/* Bytes that tn_text_mask() may add. */
#define MASK_ROOM 64

/* Room for "[SECTION] key" in a message, and with the file before it. */
#define PLACE_SIZE      (2 * SHOWN_SIZE + 8)
#define FULL_PLACE_SIZE (PLACE_SIZE + 256)

enum section_kind {
  SECTION_OTHER,   /* another program's */
  SECTION_NONE,    /* before the first one */
  SECTION_DEFAULT, /* [database] */
  SECTION_NAMED,   /* [database:NAME] */
  SECTION_OLD,     /* has old names */
  SECTION_SIMILAR, /* as a named one, but for what parts the name */
  SECTION_WRONG,   /* nearly ours */
};

struct reading {
  tn_config *config;
  struct tn_config_file *file;
  struct tn_config_database *database; /* of the section */
  const struct tn_log *log;
};

/* A value on its way from the file into the configuration. */
struct incoming {
  const struct tn_ini_item *item;
  const struct tn_config_option *option;
  char place[PLACE_SIZE]; /* "[SECTION] key" */
  bool refers;
  bool has_number;
  int64_t number;
};

/* ------------------------------------------------------------------ */
/* Sections                                                            */

/* Is `size` bytes of it nearly, but not quite, our name? */
static bool
is_near(const char *section, size_t size)
{
  char word[sizeof(TN_CONFIG_DEFAULT) + NEAR_DISTANCE];
  struct tn_suggestion suggestion = { .wanted = word };

  if (size >= sizeof(word) ||
      size + NEAR_DISTANCE < sizeof(TN_CONFIG_DEFAULT) - 1)
    return false;
  memcpy(word, section, size);
  word[size] = '\0';
  tn_suggestion_offer(&suggestion, TN_CONFIG_DEFAULT);
  return suggestion.best != NULL && suggestion.distance <= NEAR_DISTANCE;
}

/* Does the section have a name behind another mark than ':'? */
static bool
is_similar(const char *section)
{
  size_t size = sizeof(TN_CONFIG_DEFAULT) - 1;

  return strncmp(section, TN_CONFIG_DEFAULT, size) == 0 &&
         section[size] != '\0' && strchr("./ ", section[size]) != NULL &&
         section[size + 1] != '\0';
}

static enum section_kind
classify(const char *section)
{
  size_t size = strcspn(section, ":");

  if (*section == '\0')
    return SECTION_NONE;
  if (size == sizeof(TN_CONFIG_DEFAULT) - 1 &&
      memcmp(section, TN_CONFIG_DEFAULT, size) == 0)
    return section[size] == '\0' ? SECTION_DEFAULT : SECTION_NAMED;
  if (tn_config__is_old_section(section))
    return SECTION_OLD;
  if (is_similar(section))
    return SECTION_SIMILAR;
  return is_near(section, size) ? SECTION_WRONG : SECTION_OTHER;
}

static bool
wants(void *user, const char *section)
{
  (void)user;
  return classify(section) != SECTION_OTHER;
}

/* oslo.config takes [DATABASE] for [database]. Whoever relies on that should
 * hear that we do not. */
static void
warn_of_capitals(const struct reading *reading, const char *section,
                 const char *key)
{
  size_t index;

  if (tn_text_equal_nocase(section, TN_CONFIG_DEFAULT) &&
      tn_config__find_key(key, &index))
    tn_log_write(reading->log, TN_LOG_WARNING,
                 "%s: [%s] %s: not read here; write it in [%s]",
                 reading->file->name, section, key, TN_CONFIG_DEFAULT);
}

static bool
picks(void *user, const char *section, const char *key)
{
  size_t index;

  if (key == NULL)
    return classify(section) == SECTION_OLD ||
           classify(section) == SECTION_SIMILAR;
  if (tn_config__find_alias(section, key, &index))
    return true;
  warn_of_capitals(user, section, key);
  return false;
}

static bool
is_name(const char *name)
{
  size_t size = strlen(name);
  size_t i;

  if (size == 0 || size > TN_CONFIG_NAME_MAX)
    return false;
  for (i = 0; i < size; i++)
    if (!tn_text_is_alpha(name[i]) && !tn_text_is_digit(name[i]) &&
        strchr("_.-", name[i]) == NULL)
      return false;
  return true;
}

static enum tn_code
start_named(struct reading *reading, const struct tn_ini_item *item,
            tn_err *err)
{
  const char *name = strchr(item->section, ':') + 1;
  const char *file = reading->file->name;
  char shown[SHOWN_SIZE];

  tn_text_escape(item->section, strlen(item->section), shown, sizeof(shown));
  if (!is_name(name))
    return tn_err_set(err, TN_E_CONFIG,
                      "%s:%u: section [%s]: the name of a database is 1 to %d "
                      "letters, digits, '_', '.' and '-'",
                      file, item->line, shown, TN_CONFIG_NAME_MAX);
  if (strcmp(name, TN_CONFIG_DEFAULT) == 0)
    return tn_err_set(err, TN_E_CONFIG,
                      "%s:%u: section [%s]: that name is the default "
                      "database's; write [%s]",
                      file, item->line, shown, TN_CONFIG_DEFAULT);

  reading->database = tn_config__find_database(reading->config, name);
  if (reading->database != NULL)
    return TN_OK;
  reading->database = tn_config__add_database(reading->config, name);
  return reading->database != NULL ? TN_OK : tn_err_memory(err, "config");
}

static enum tn_code
start_section(struct reading *reading, const struct tn_ini_item *item,
              tn_err *err)
{
  enum section_kind kind = classify(item->section);
  char shown[SHOWN_SIZE];
  const char *name;

  if (kind == SECTION_NAMED)
    return start_named(reading, item, err);
  reading->database = reading->config->databases;
  if (kind != SECTION_WRONG && kind != SECTION_SIMILAR)
    return TN_OK;

  tn_text_escape(item->section, strlen(item->section), shown, sizeof(shown));
  if (kind == SECTION_SIMILAR) {
    tn_log_write(reading->log, TN_LOG_WARNING,
                 "%s:%u: section [%s]: not read here; a database of that name "
                 "has the section [%s:%s]",
                 reading->file->name, item->line, shown, TN_CONFIG_DEFAULT,
                 shown + sizeof(TN_CONFIG_DEFAULT));
    return TN_OK;
  }
  name = strchr(shown, ':');
  return tn_err_set(err, TN_E_CONFIG,
                    "%s:%u: section [%s]: did you mean [%s%s]?",
                    reading->file->name, item->line, shown, TN_CONFIG_DEFAULT,
                    name != NULL ? name : "");
}

/* ------------------------------------------------------------------ */
/* Values                                                              */

/* One with a reference is checked once that is resolved. */
static enum tn_code
check_value(struct incoming *in, const char *file, tn_err *err)
{
  char place[FULL_PLACE_SIZE];

  in->refers = strchr(in->item->value, '$') != NULL;
  if (in->refers)
    return TN_OK;
  snprintf(place, sizeof place, "%s:%u: %s", file, in->item->line, in->place);
  return tn_config__check_given(&in->option->row, in->item->value, place,
                                &in->has_number, &in->number, err);
}

/* Would masking change the text? Then there is a password in it. */
static enum tn_code
has_password(const char *text, bool *ret, tn_err *err)
{
  size_t size = strlen(text);
  char *copy = tn_memory_alloc(size + MASK_ROOM);

  if (copy == NULL)
    return tn_err_memory(err, "config");
  memcpy(copy, text, size + 1);
  tn_text_mask(copy, size + MASK_ROOM);
  *ret = strcmp(copy, text) != 0;
  tn_memory_wipe(copy, size + MASK_ROOM);
  tn_memory_free(copy);
  return TN_OK;
}

/* Remember whether the file must be kept from other users. */
static enum tn_code
note_secret(struct reading *reading, const struct incoming *in, tn_err *err)
{
  const char *text = in->item->value;

  if (!in->option->row.is_secret || reading->file->has_secret ||
      *text == '\0' || tn_secret__is_reference(text))
    return TN_OK;
  reading->file->has_secret = true;
  if ((in->option->traits & TN_CONFIG_URL) == 0)
    return TN_OK;
  return has_password(text, &reading->file->has_secret, err);
}

/* Put a value into its place; one from an earlier file goes. */
static enum tn_code
store(struct reading *reading, struct tn_config_value *value,
      const struct incoming *in, tn_err *err)
{
  struct tn_arena *arena = &reading->config->arena;
  size_t origin_size = strlen(reading->file->name) + sizeof(":4294967295");
  char *origin = tn_arena_alloc(arena, origin_size);
  char *given = tn_arena_text(arena, in->place, strlen(in->place));
  char *text;

  if (origin == NULL || given == NULL)
    return tn_err_memory(err, "config");
  text = tn_arena_text(arena, in->item->value, strlen(in->item->value));
  if (text == NULL)
    return tn_err_memory(err, "config");

  (void)snprintf(origin, origin_size, "%s:%u", reading->file->name,
                 in->item->line);
  if (value->text != NULL && in->option->row.is_secret)
    tn_memory_wipe(value->text, strlen(value->text));
  *value = (struct tn_config_value){ .text = text,
                                     .refers = in->refers,
                                     .origin = origin,
                                     .given = given,
                                     .file = reading->file,
                                     .line = in->item->line,
                                     .has_number = in->has_number,
                                     .number = in->number };
  return note_secret(reading, in, err);
}

/* ------------------------------------------------------------------ */
/* Keys                                                                */

static enum tn_code
refuse_unknown(const struct reading *reading, const struct incoming *in,
               tn_err *err)
{
  const char *meant = tn_config__nearest_key(in->item->key);

  return tn_err_set(err, TN_E_CONFIG, "%s:%u: %s: unknown key%s%s%s",
                    reading->file->name, in->item->line, in->place,
                    meant != NULL ? "; did you mean " : "",
                    meant != NULL ? meant : "", meant != NULL ? "?" : "");
}

/* Find the row that is meant. */
static enum tn_code
find_row(const struct reading *reading, struct incoming *in, size_t *ret_index,
         tn_err *err)
{
  const struct tn_ini_item *item = in->item;
  enum section_kind kind = classify(item->section);
  bool is_found;

  if (kind == SECTION_NONE)
    return tn_err_set(err, TN_E_CONFIG,
                      "%s:%u: the key stands before the first section; put "
                      "[%s] above it",
                      reading->file->name, item->line, TN_CONFIG_DEFAULT);
  if (kind == SECTION_OLD)
    is_found = tn_config__find_alias(item->section, item->key, ret_index);
  else
    is_found = tn_config__find_key(item->key, ret_index) ||
               tn_config__find_alias(TN_CONFIG_DEFAULT, item->key, ret_index);
  if (!is_found)
    return refuse_unknown(reading, in, err);
  in->option = tn_config__option(*ret_index);
  return TN_OK;
}

static enum tn_code
take_key(struct reading *reading, const struct tn_ini_item *item, tn_err *err)
{
  struct incoming in = { .item = item };
  char section[SHOWN_SIZE], key[SHOWN_SIZE];
  struct tn_config_value *value;
  size_t index = 0;
  enum tn_code rc;

  tn_text_escape(item->section, strlen(item->section), section,
                 sizeof(section));
  tn_text_escape(item->key, strlen(item->key), key, sizeof(key));
  (void)snprintf(in.place, sizeof(in.place), "[%s] %s", section, key);

  rc = find_row(reading, &in, &index, err);
  if (rc != TN_OK)
    return rc;
  value = tn_config__place(reading->config, reading->database, index);
  if (value == NULL)
    return tn_err_memory(err, "config");
  if (value->text != NULL && value->file == reading->file)
    return tn_err_set(err, TN_E_CONFIG,
                      "%s:%u: %s: line %u gave it already, as %s; keep one of "
                      "the two",
                      reading->file->name, item->line, in.place, value->line,
                      value->given);
  rc = check_value(&in, reading->file->name, err);
  if (rc != TN_OK)
    return rc;
  return store(reading, value, &in, err);
}

static enum tn_code
take_item(void *user, const struct tn_ini_item *item, tn_err *err)
{
  return item->key != NULL ? take_key(user, item, err)
                           : start_section(user, item, err);
}

/* ------------------------------------------------------------------ */
/* For the other files                                                 */

enum tn_code
tn_config__read(tn_config *config, const char *text, size_t size,
                struct tn_config_file *file, const struct tn_log *log,
                tn_err *err)
{
  struct reading reading = {
    .config = config, .file = file, .database = config->databases, .log = log
  };
  const struct tn_ini_reader reader = {
    .wants = wants, .item = take_item, .user = &reading, .picks = picks
  };

  enum tn_code rc = tn_ini_parse(text, size, file->name, &reader, err);

  if (rc != TN_OK)
    return rc;
  return tn_config__keep_text(config, file->name, text, size, err);
}

static void
tell_of_value(const struct tn_config_value *value,
              const struct tn_config_option *option, const struct tn_log *log)
{
  const char *key = strchr(value->given, ']') + 2;

  if ((option->traits & TN_CONFIG_OBSOLETE) != 0)
    tn_log_write(log, TN_LOG_WARNING,
                 "%s: %s: obsolete and without effect; remove it",
                 value->origin, value->given);
  else if (strcmp(key, option->row.key) != 0)
    tn_log_write(log, TN_LOG_INFO, "%s: %s: an old name of %s", value->origin,
                 value->given, option->row.key);
}

static void
tell(const tn_config *config, const struct tn_log *log)
{
  const struct tn_config_database *database;
  size_t i;

  for (database = config->databases; database != NULL;
       database = database->next) {
    for (i = 0; database->values != NULL && i < tn_config__option_count(); i++)
      if (database->values[i].text != NULL)
        tell_of_value(&database->values[i], tn_config__option(i), log);
  }
}

enum tn_code
tn_config__finish(tn_config *config, const struct tn_log *log, tn_err *err)
{
  enum tn_code rc = tn_config__refer(config, err);

  if (rc == TN_OK)
    tell(config, log);
  return rc;
}
