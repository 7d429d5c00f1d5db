/* A loaded configuration: what it holds and what it answers.
 *
 * Several threads read it, and what they get stays good until it is released.
 * Only a secret that stands elsewhere is looked up anew each time, so that a
 * changed password takes effect without a restart; what was handed out before
 * is kept, under the one lock there is. */
#include "config_priv.h"

#include <pthread.h>
#include <string.h>

#include "text.h"

/* A secret that was looked up. */
struct resolved {
  struct resolved *next;
  const struct tn_config_value *of;
  char *text;
};

struct tn_config_secrets {
  pthread_mutex_t lock;
  struct resolved *newest;
};

/* ------------------------------------------------------------------ */
/* Making and releasing it                                             */

static void
free_secrets(struct tn_config_secrets *secrets)
{
  if (secrets == NULL)
    return;
  while (secrets->newest != NULL) {
    struct resolved *gone = secrets->newest;

    secrets->newest = gone->next;
    tn_secret_free(&gone->text);
    tn_memory_free(gone);
  }
  (void)pthread_mutex_destroy(&secrets->lock);
  tn_memory_free(secrets);
}

static void
wipe_values(const struct tn_config_database *database)
{
  size_t i;

  for (i = 0; database->values != NULL && i < tn_config__option_count(); i++) {
    char *text = database->values[i].text;

    if (text != NULL && tn_config__option(i)->row.is_secret)
      tn_memory_wipe(text, strlen(text));
  }
}

void
tn_config_free(tn_config **config)
{
  const struct tn_config_database *database;

  if (config == NULL || *config == NULL)
    return;
  for (database = (*config)->databases; database != NULL;
       database = database->next)
    wipe_values(database);
  tn_config__forget_texts(*config);
  free_secrets((*config)->secrets);
  tn_arena_clear(&(*config)->arena);
  tn_memory_free(*config);
  *config = NULL;
}

static struct tn_config_secrets *
new_secrets(void)
{
  struct tn_config_secrets *secrets = tn_memory_zalloc(sizeof(*secrets));

  if (secrets != NULL && pthread_mutex_init(&secrets->lock, NULL) != 0) {
    tn_memory_free(secrets);
    return NULL;
  }
  return secrets;
}

tn_config *
tn_config__new(void)
{
  tn_config *config = tn_memory_zalloc(sizeof(*config));

  if (config == NULL)
    return NULL;
  tn_arena_init(&config->arena);
  config->databases_end = &config->databases;
  config->secrets = new_secrets();
  if (config->secrets == NULL ||
      tn_config__add_database(config, TN_CONFIG_DEFAULT) == NULL)
    tn_config_free(&config);
  return config;
}

/* FNV-1a. */
static size_t
bucket_of(const char *name)
{
  uint32_t hash = UINT32_C(2166136261);

  for (; *name != '\0'; name++)
    hash = (hash ^ (unsigned char)*name) * UINT32_C(16777619);
  return hash % TN_CONFIG_BUCKETS;
}

struct tn_config_database *
tn_config__add_database(tn_config *config, const char *name)
{
  struct tn_config_database **bucket = &config->buckets[bucket_of(name)];
  struct tn_config_database *database;

  database = tn_arena_alloc(&config->arena, sizeof(*database));
  if (database == NULL)
    return NULL;
  database->name = tn_arena_text(&config->arena, name, strlen(name));
  if (database->name == NULL)
    return NULL;
  database->values = NULL;
  database->next = NULL;
  database->next_in_bucket = *bucket;

  *bucket = database;
  *config->databases_end = database;
  config->databases_end = &database->next;
  return database;
}

struct tn_config_value *
tn_config__place(tn_config *config, struct tn_config_database *database,
                 size_t index)
{
  size_t size = tn_config__option_count() * sizeof(struct tn_config_value);

  if (database->values == NULL) {
    database->values = tn_arena_alloc(&config->arena, size);
    if (database->values == NULL)
      return NULL;
    memset(database->values, 0, size);
  }
  return &database->values[index];
}

struct tn_config_file *
tn_config__add_file(tn_config *config, const char *name)
{
  struct tn_config_file **link = &config->files;
  struct tn_config_file *file = tn_arena_alloc(&config->arena, sizeof(*file));

  if (file == NULL)
    return NULL;
  file->next = NULL;
  file->has_secret = false;
  file->name = tn_arena_text(&config->arena, name, strlen(name));
  if (file->name == NULL)
    return NULL;

  while (*link != NULL)
    link = &(*link)->next;
  *link = file;
  return file;
}

enum tn_code
tn_config_parse(const char *text, size_t size, const char *name,
                const struct tn_log *log, tn_config **ret, tn_err *err)
{
  TN_CLEANUP(tn_config_free) tn_config *config = tn_config__new();
  struct tn_config_file *file;
  enum tn_code rc;

  if (config == NULL)
    return tn_err_memory(err, "config");
  file = tn_config__add_file(config, name);
  if (file == NULL)
    return tn_err_memory(err, "config");
  rc = tn_config__read(config, text, size, file, log, err);
  if (rc == TN_OK)
    rc = tn_config__finish(config, log, err);
  if (rc != TN_OK)
    return rc;
  *ret = config;
  config = NULL;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Finding a value                                                     */

struct tn_config_database *
tn_config__find_database(const tn_config *config, const char *name)
{
  struct tn_config_database *database = config->buckets[bucket_of(name)];

  while (database != NULL && strcmp(database->name, name) != 0)
    database = database->next_in_bucket;
  return database;
}

static void
refuse_database(const tn_config *config, const char *name, tn_err *err)
{
  struct tn_suggestion suggestion = { .wanted = name };
  const struct tn_config_database *database = config->databases;

  for (; database != NULL; database = database->next)
    tn_suggestion_offer(&suggestion, database->name);
  if (*name == '\0')
    (void)tn_err_set(err, TN_E_NOT_FOUND,
                     "config: the name of the database is empty; that of the "
                     "section [%s] is \"%s\"",
                     TN_CONFIG_DEFAULT, TN_CONFIG_DEFAULT);
  else if (suggestion.best == NULL)
    (void)tn_err_set(err, TN_E_NOT_FOUND,
                     "config: no database \"%s\"; add a section [%s:%s]", name,
                     TN_CONFIG_DEFAULT, name);
  else
    (void)tn_err_set(err, TN_E_NOT_FOUND,
                     "config: no database \"%s\"; did you mean \"%s\"?", name,
                     suggestion.best);
}

static void
refuse_key(const char *key, tn_err *err)
{
  const char *meant = tn_config__nearest_key(key);

  (void)tn_err_set(err, TN_E_NOT_FOUND, "config: no key \"%s\"%s%s%s", key,
                   meant != NULL ? "; did you mean \"" : "",
                   meant != NULL ? meant : "", meant != NULL ? "\"?" : "");
}

/* A row, and its value in one database. */
struct found {
  const struct tn_config_value *value;
  const struct tn_config_row *row;
};

/* False: TN_E_NOT_FOUND. */
static bool
find(const tn_config *config, const char *database, const char *key,
     struct found *ret, tn_err *err)
{
  /* Stands for the values of a database that was given none. */
  static const struct tn_config_value none;
  const struct tn_config_database *in;
  size_t index;

  in = tn_config__find_database(config, database);
  if (in == NULL) {
    refuse_database(config, database, err);
    return false;
  }
  if (!tn_config__find_key(key, &index)) {
    refuse_key(key, err);
    return false;
  }
  ret->value = in->values != NULL ? &in->values[index] : &none;
  ret->row = tn_config_row(index);
  return true;
}

/* ------------------------------------------------------------------ */
/* Secrets                                                             */

/* The text last found for `value`, if it is still the same. With the lock. */
static const char *
find_resolved(const struct tn_config_secrets *secrets,
              const struct tn_config_value *value, const char *text)
{
  const struct resolved *entry = secrets->newest;

  for (; entry != NULL; entry = entry->next)
    if (entry->of == value && strcmp(entry->text, text) == 0)
      return entry->text;
  return NULL;
}

/* Keep `*text`, or the equal one that is kept already. Always takes it. */
static const char *
keep_resolved(struct tn_config_secrets *secrets,
              const struct tn_config_value *value, char **text)
{
  struct resolved *entry = tn_memory_alloc(sizeof(*entry));
  const char *kept;

  (void)pthread_mutex_lock(&secrets->lock);
  kept = find_resolved(secrets, value, *text);
  if (kept == NULL && entry != NULL) {
    *entry = (struct resolved){ secrets->newest, value, *text };
    secrets->newest = entry;
    kept = *text;
    *text = NULL;
    entry = NULL;
  }
  (void)pthread_mutex_unlock(&secrets->lock);

  tn_memory_free(entry);
  tn_secret_free(text);
  return kept;
}

static enum tn_code
resolve(const tn_config *config, const struct tn_config_value *value,
        const char **ret, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;
  char *text = NULL;
  const char *kept;
  enum tn_code rc;

  rc = tn_secret_resolve(value->text, &text, &cause);
  if (rc == TN_E_MEMORY)
    return tn_err_memory(err, "config");
  if (rc != TN_OK)
    return tn_err_set(err, rc, "%s: %s: %s", value->origin, value->given,
                      cause.message);
  kept = keep_resolved(config->secrets, value, &text);
  if (kept == NULL)
    return tn_err_memory(err, "config");
  *ret = kept;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Questions                                                           */

const char *
tn_config_database(const tn_config *config, size_t index)
{
  const struct tn_config_database *database = config->databases;

  while (database != NULL && index > 0) {
    database = database->next;
    index--;
  }
  return database != NULL ? database->name : NULL;
}

const char *
tn_config_file(const tn_config *config, size_t index)
{
  const struct tn_config_file *file = config->files;

  while (file != NULL && index > 0) {
    file = file->next;
    index--;
  }
  return file != NULL ? file->name : NULL;
}

enum tn_code
tn_config_text(const tn_config *config, const char *database, const char *key,
               const char **ret, tn_err *err)
{
  struct found found;
  const char *text;

  if (!find(config, database, key, &found, err))
    return TN_E_NOT_FOUND;
  text = found.value->text;
  if (text != NULL && found.row->is_secret && tn_secret__is_reference(text))
    return resolve(config, found.value, ret, err);
  *ret = text != NULL ? text : found.row->initial;
  return TN_OK;
}

enum tn_code
tn_config_number(const tn_config *config, const char *database, const char *key,
                 int64_t *ret, tn_err *err)
{
  struct found found;

  if (!find(config, database, key, &found, err))
    return TN_E_NOT_FOUND;
  if (found.row->unit == TN_UNIT_TEXT || found.row->unit == TN_UNIT_CHOICE)
    return tn_err_set(err, TN_E_USAGE, "config: %s is a text, not a number",
                      key);
  if (found.value->text == NULL && found.row->initial != NULL &&
      tn_config__parse_number(found.row, found.row->initial, ret))
    return TN_OK;
  if (!found.value->has_number)
    return tn_err_set(err, TN_E_NOT_FOUND,
                      "config: %s of database \"%s\" has no value and no "
                      "default",
                      key, database);
  *ret = found.value->number;
  return TN_OK;
}

const char *
tn_config_origin(const tn_config *config, const char *database, const char *key)
{
  struct found found;

  if (!find(config, database, key, &found, NULL))
    return NULL;
  return found.value->text != NULL ? found.value->origin : "default";
}
