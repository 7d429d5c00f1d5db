/* What a '$' in a value stands for.
 *
 * oslo.config puts the values of other options where a value names them, and
 * the files of its programs go by that: to take such a value as it is would
 * open another database, or send another password. An option of another
 * program is looked for once everything is read, since a later file may
 * replace it; until then the texts of the files are kept.
 *
 * No message quotes a name: what follows a '$' may be a piece of a password
 * that should have had two of them. It gives the place instead. */
#include "config_priv.h"

#include <stdio.h>
#include <string.h>

#include "ini_reader.h"
#include "text.h"

/* How many options may refer to one another in a row; a circle has more. */
#define DEPTH_MAX 16

/* Where oslo.config looks for what the own section does not have. */
#define COMMON_SECTION "DEFAULT"

/* Room for "FILE:LINE: [SECTION] key". */
#define PLACE_SIZE 512

/* An option of another program. */
struct other {
  struct other *next;
  char *section;
  char *key;
  char *text;       /* NULL: no file sets it */
  const char *file; /* of the line */
  unsigned line;
  bool refers;
};

struct referral {
  tn_config *config;
  struct other *others; /* that were looked for */
  tn_err *err;
};

/* A text with references in it. */
struct source {
  const char *text;
  const char *place;
  struct tn_config_database *database; /* that it belongs to; NULL: */
  const char *section;                 /* it is another program's */
  unsigned depth;
};

/* Where a text goes; without `at` it is measured. */
struct sink {
  char *at;
  size_t size;
  bool has_others; /* it is made of other options' values */
};

/* ------------------------------------------------------------------ */
/* Texts that are kept                                                 */

enum tn_code
tn_config__keep_text(tn_config *config, const char *file, const char *text,
                     size_t size, tn_err *err)
{
  struct tn_config_text *kept = tn_arena_alloc(&config->arena, sizeof(*kept));

  if (kept == NULL)
    return tn_err_memory(err, "config");
  kept->text = tn_memory_text(text, size);
  if (kept->text == NULL)
    return tn_err_memory(err, "config");
  kept->size = size;
  kept->file = file;
  kept->next = config->texts;
  config->texts = kept;
  return TN_OK;
}

void
tn_config__forget_texts(tn_config *config)
{
  while (config->texts != NULL) {
    struct tn_config_text *gone = config->texts;

    config->texts = gone->next;
    tn_memory_wipe(gone->text, gone->size);
    tn_memory_free(gone->text);
  }
}

/* ------------------------------------------------------------------ */
/* Options of other programs                                           */

static void
free_text(char **text)
{
  if (*text != NULL)
    tn_memory_wipe(*text, strlen(*text));
  tn_memory_free(*text);
  *text = NULL;
}

static void
free_others(struct referral *referral)
{
  while (referral->others != NULL) {
    struct other *gone = referral->others;

    referral->others = gone->next;
    free_text(&gone->text);
    free_text(&gone->section);
    free_text(&gone->key);
    tn_memory_free(gone);
  }
}

static bool
wants(void *user, const char *section)
{
  const struct other *other = user;

  return strcmp(section, other->section) == 0;
}

static bool
picks(void *user, const char *section, const char *key)
{
  const struct other *other = user;

  (void)section;
  return key == NULL || strcmp(key, other->key) == 0;
}

/* The last line counts, as it does there. */
static enum tn_code
take(void *user, const struct tn_ini_item *item, tn_err *err)
{
  struct other *other = user;

  if (item->key == NULL)
    return TN_OK;
  free_text(&other->text);
  other->text = tn_memory_text(item->value, strlen(item->value));
  other->line = item->line;
  return other->text != NULL ? TN_OK : tn_err_memory(err, "config");
}

static enum tn_code
search_texts(const struct referral *referral, struct other *other)
{
  const struct tn_ini_reader reader = {
    .wants = wants, .item = take, .user = other, .picks = picks
  };
  const struct tn_config_text *in = referral->config->texts;
  enum tn_code rc = TN_OK;

  for (; in != NULL && rc == TN_OK && other->text == NULL; in = in->next) {
    other->file = in->file;
    rc = tn_ini_parse(in->text, in->size, in->file, &reader, referral->err);
  }
  other->refers = other->text != NULL && strchr(other->text, '$') != NULL;
  return rc;
}

/* `*ret` has no text if there is none of that name. */
static enum tn_code
find_other(struct referral *referral, const char *section, const char *key,
           struct other **ret)
{
  struct other *other = referral->others;

  while (other != NULL &&
         (strcmp(other->section, section) != 0 || strcmp(other->key, key) != 0))
    other = other->next;
  *ret = other;
  if (other != NULL)
    return TN_OK;

  other = tn_memory_zalloc(sizeof(*other));
  if (other == NULL)
    return tn_err_memory(referral->err, "config");
  other->next = referral->others;
  referral->others = *ret = other;
  other->section = tn_memory_text(section, strlen(section));
  other->key = tn_memory_text(key, strlen(key));
  if (other->section == NULL || other->key == NULL)
    return tn_err_memory(referral->err, "config");
  return search_texts(referral, other);
}

/* ------------------------------------------------------------------ */
/* One reference                                                       */

static enum tn_code settle_value(struct referral *referral,
                                 struct tn_config_database *database,
                                 size_t index, unsigned depth);
static enum tn_code settle_other(struct referral *referral, struct other *other,
                                 unsigned depth);

/* An option of ours, which has at least a default. */
static enum tn_code
text_of_row(struct referral *referral, struct tn_config_database *database,
            size_t index, unsigned depth, const char **ret)
{
  const char *initial = tn_config_row(index)->initial;
  enum tn_code rc = TN_OK;

  *ret = initial != NULL ? initial : "";
  if (database->values == NULL || database->values[index].text == NULL)
    return TN_OK;
  rc = settle_value(referral, database, index, depth);
  *ret = database->values[index].text;
  return rc;
}

static enum tn_code
text_of_other(struct referral *referral, const char *section, const char *key,
              unsigned depth, const char **ret)
{
  struct other *other;
  enum tn_code rc = find_other(referral, section, key, &other);

  if (rc == TN_OK && other->text != NULL)
    rc = settle_other(referral, other, depth);
  if (rc == TN_OK)
    *ret = other->text;
  return rc;
}

static bool
find_row(const char *key, size_t *ret_index)
{
  return tn_config__find_key(key, ret_index) ||
         tn_config__find_alias(TN_CONFIG_DEFAULT, key, ret_index);
}

/* The text that a name stands for. `*ret` is NULL if it stands for none. */
static enum tn_code
look_up(struct referral *referral, const struct source *source, char *name,
        const char **ret)
{
  struct tn_config_database *database = source->database;
  const char *section = source->section, *key = name;
  char *dot = strchr(name, '.');
  unsigned depth = source->depth + 1;
  enum tn_code rc = TN_OK;
  size_t index;

  *ret = NULL;
  if (dot != NULL) {
    *dot = '\0';
    section = name;
    key = dot + 1;
    database = strcmp(section, TN_CONFIG_DEFAULT) == 0
                   ? referral->config->databases
                   : NULL;
    if (*key == '\0')
      return TN_OK;
  }
  if (database != NULL && find_row(key, &index))
    return text_of_row(referral, database, index, depth, ret);
  if (database == NULL)
    rc = text_of_other(referral, section, key, depth, ret);
  if (rc == TN_OK && *ret == NULL && dot == NULL)
    rc = text_of_other(referral, COMMON_SECTION, key, depth, ret);
  return rc;
}

/* ------------------------------------------------------------------ */
/* A text                                                              */

static bool
starts_name(char c)
{
  return tn_text_is_alpha(c) || c == '_';
}

/* A reference, "$name" or "${name}". */
struct reference {
  const char *name;
  size_t name_size;
  size_t size; /* of all of it */
};

/* Does one begin at the '$'? Else that is a dollar. */
static bool
find_reference(const char *at, struct reference *ret)
{
  size_t is_braced = at[1] == '{';
  const char *name = at + 1 + is_braced;
  size_t size = 0;

  if (!starts_name(*name))
    return false;
  while (starts_name(name[size]) || tn_text_is_digit(name[size]) ||
         name[size] == '.')
    size++;
  if (is_braced != 0 && name[size] != '}')
    return false;
  ret->name = name;
  ret->name_size = size;
  ret->size = 1 + size + 2 * is_braced;
  return true;
}

static void
put(struct sink *out, const char *text, size_t size)
{
  if (out->at != NULL)
    memcpy(out->at + out->size, text, size);
  out->size += size;
}

static enum tn_code
put_reference(struct referral *referral, const struct source *source,
              const struct reference *reference, struct sink *out)
{
  char *name = tn_memory_text(reference->name, reference->name_size);
  size_t place = (size_t)(reference->name - source->text);
  const char *text = NULL;
  enum tn_code rc;

  if (name == NULL)
    return tn_err_memory(referral->err, "config");
  rc = look_up(referral, source, name, &text);
  tn_memory_wipe(name, reference->name_size);
  tn_memory_free(name);
  if (rc == TN_OK && text == NULL)
    return tn_err_set(referral->err, TN_E_CONFIG,
                      "%s: the name at byte %zu of the value, behind a '$', is "
                      "that of no option that a file sets; write $$ for a "
                      "dollar",
                      source->place, place + 1);
  if (rc == TN_OK)
    put(out, text, strlen(text));
  out->has_others = true;
  return rc;
}

static enum tn_code
put_text(struct referral *referral, const struct source *source,
         struct sink *out)
{
  const char *at = source->text;
  struct reference reference;
  enum tn_code rc = TN_OK;

  while (*at != '\0' && rc == TN_OK) {
    size_t size = strcspn(at, "$\\");

    put(out, at, size);
    at += size;
    if (*at != '\0' && at[1] == '$') { /* "$$", and "\$" */
      put(out, "$", 1);
      at += 2;
    } else if (*at == '$' && find_reference(at, &reference)) {
      rc = put_reference(referral, source, &reference, out);
      at += reference.size;
    } else if (*at != '\0') {
      put(out, at++, 1);
    }
  }
  return rc;
}

/* How long will it be? What it refers to is settled by then. */
static enum tn_code
measure(struct referral *referral, const struct source *source, size_t *ret)
{
  struct sink out = { .at = NULL };
  enum tn_code rc;

  if (source->depth > DEPTH_MAX)
    return tn_err_set(referral->err, TN_E_CONFIG,
                      "%s: refers to itself, or is referred to through more "
                      "than %d others",
                      source->place, DEPTH_MAX);
  rc = put_text(referral, source, &out);
  if (rc == TN_OK && out.size > TN_INI_LINE_MAX)
    return tn_err_set(referral->err, TN_E_CONFIG,
                      "%s: longer than %d bytes with what it refers to",
                      source->place, TN_INI_LINE_MAX);
  *ret = out.size;
  return rc;
}

/* Write the text, which has been measured. */
static enum tn_code
write_text(struct referral *referral, const struct source *source,
           struct sink *out)
{
  enum tn_code rc = put_text(referral, source, out);

  out->at[out->size] = '\0';
  return rc;
}

static enum tn_code
settle_value(struct referral *referral, struct tn_config_database *database,
             size_t index, unsigned depth)
{
  const struct tn_config_row *row = tn_config_row(index);
  struct tn_config_value *value = &database->values[index];
  char place[PLACE_SIZE], *text;
  const struct source source = {
    .text = value->text, .place = place, .database = database, .depth = depth
  };
  struct sink out = { .size = 0 };
  size_t size = 0;
  enum tn_code rc;

  if (!value->refers)
    return TN_OK;
  (void)snprintf(place, sizeof(place), "%s: %s", value->origin, value->given);
  rc = measure(referral, &source, &size);
  if (rc != TN_OK)
    return rc;
  text = tn_arena_alloc(&referral->config->arena, size + 1);
  if (text == NULL)
    return tn_err_memory(referral->err, "config");
  out.at = text;
  rc = write_text(referral, &source, &out);
  if (row->is_secret)
    tn_memory_wipe(value->text, strlen(value->text));
  value->text = text;
  value->refers = false;
  if (rc != TN_OK)
    return rc;
  rc = tn_config__check_given(row, text, place, &value->has_number,
                              &value->number, referral->err);

  /* Told once more, of what gives nothing away: others may be secrets. */
  if (rc != TN_OK && out.has_others)
    rc = tn_config__check(row, "(what it refers to)", place, &value->number,
                          referral->err);
  return rc;
}

static enum tn_code
settle_other(struct referral *referral, struct other *other, unsigned depth)
{
  char place[PLACE_SIZE], *text;
  const struct source source = { .text = other->text,
                                 .place = place,
                                 .section = other->section,
                                 .depth = depth };
  struct sink out = { .size = 0 };
  size_t size = 0;
  enum tn_code rc;

  if (!other->refers)
    return TN_OK;
  (void)snprintf(place, sizeof(place), "%s:%u: [%s] %s", other->file,
                 other->line, other->section, other->key);
  rc = measure(referral, &source, &size);
  if (rc != TN_OK)
    return rc;
  text = tn_memory_alloc(size + 1);
  if (text == NULL)
    return tn_err_memory(referral->err, "config");
  out.at = text;
  rc = write_text(referral, &source, &out);
  free_text(&other->text);
  other->text = text;
  other->refers = false;
  return rc;
}

/* ------------------------------------------------------------------ */
/* All of it                                                           */

static enum tn_code
settle_database(struct referral *referral, struct tn_config_database *database)
{
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0;
       database->values != NULL && rc == TN_OK && i < tn_config__option_count();
       i++)
    rc = settle_value(referral, database, i, 0);
  return rc;
}

enum tn_code
tn_config__refer(tn_config *config, tn_err *err)
{
  struct referral referral = { .config = config, .err = err };
  struct tn_config_database *database = config->databases;
  enum tn_code rc = TN_OK;

  for (; database != NULL && rc == TN_OK; database = database->next)
    rc = settle_database(&referral, database);
  free_others(&referral);
  tn_config__forget_texts(config);
  return rc;
}
