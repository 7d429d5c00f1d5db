/* Any bytes as INI text and as a configuration: parsed or refused, and what is
 * delivered stands in the text, on the line that is told.
 *
 *   fuzz_ini -dict=ini.dict corpus/ini */
#include "config_priv.h"

#include <stdlib.h>
#include <string.h>

#include "ini_reader.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise. */
static void
require(bool is_kept)
{
  if (!is_kept)
    abort();
}

/* ------------------------------------------------------------------ */
/* INI text                                                            */

struct input {
  const char *at; /* of the line that was delivered last */
  const char *end;
  unsigned line;
  bool is_shared;
};

/* Go on to `line`. `*ret_size` is without its end. */
static const char *
find_line(struct input *input, unsigned line, size_t *ret_size)
{
  const char *end;

  require(line >= input->line);
  for (; input->line < line; input->line++) {
    input->at = memchr(input->at, '\n', (size_t)(input->end - input->at));
    require(input->at != NULL);
    input->at++;
  }
  end = memchr(input->at, '\n', (size_t)(input->end - input->at));
  *ret_size = (size_t)((end != NULL ? end : input->end) - input->at);
  return input->at;
}

/* Every section but those that start with 'x'. */
static bool
wants(void *user, const char *section)
{
  (void)user;
  return *section != 'x';
}

/* In a shared section, the keys that start with 'c' or 's'. */
static bool
picks(void *user, const char *section, const char *key)
{
  const struct input *input = user;

  require(section != NULL);
  return key == NULL ? input->is_shared : *key == 'c' || *key == 's';
}

static void
require_text(const char *text, const char *line, size_t size)
{
  size_t length = strlen(text);

  require(tn_text_is_utf8(text, length, NULL));
  require(length == 0 || memmem(line, size, text, length) != NULL);
}

static enum tn_code
take(void *user, const struct tn_ini_item *item, tn_err *err)
{
  struct input *input = user;
  size_t size;
  const char *line = find_line(input, item->line, &size);

  (void)err;
  require(*item->section != 'x');
  require(tn_text_is_utf8(item->section, strlen(item->section), NULL));
  if (item->key == NULL) {
    require(*line == '[' && item->value == NULL);
    require_text(item->section, line, size);
    return TN_OK;
  }
  require(*item->key != '\0' && size >= 2 && size <= TN_INI_LINE_MAX + 1);
  require(strncmp(line, item->key, strlen(item->key)) == 0);
  require_text(item->value, line, size);
  return TN_OK;
}

static void
read_ini(const char *text, size_t size, bool is_shared)
{
  struct input input = {
    .at = text, .end = text + size, .line = 1, .is_shared = is_shared
  };
  const struct tn_ini_reader reader = {
    .wants = wants, .item = take, .user = &input, .picks = picks
  };
  tn_err err = TN_ERR_INIT;
  enum tn_code code;

  if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
    input.at += 3;
  code = tn_ini_parse(text, size, "f.ini", &reader, &err);
  require(code == TN_OK || code == TN_E_CONFIG);
  require(code == TN_OK || strncmp(err.message, "f.ini:", 6) == 0);
}

/* ------------------------------------------------------------------ */
/* Configurations                                                      */

static void
ask(const tn_config *config, const struct tn_config_database *database,
    size_t index)
{
  const struct tn_config_row *row = tn_config_row(index);
  const char *given =
      database->values != NULL ? database->values[index].text : NULL;
  const char *text = NULL;
  int64_t number = 0;

  require(tn_config_origin(config, database->name, row->key) != NULL);

  /* A fuzzer must not read the files that it makes up. */
  if (row->is_secret && given != NULL && tn_secret__is_reference(given))
    return;
  require(tn_config_text(config, database->name, row->key, &text, NULL) ==
          TN_OK);
  require(text == (given != NULL ? given : row->initial));
  if (row->unit == TN_UNIT_TEXT || row->unit == TN_UNIT_CHOICE)
    return;
  if (tn_config_number(config, database->name, row->key, &number, NULL) ==
      TN_OK)
    require(number >= row->min && number <= row->max);
  else
    require(row->initial == NULL && (text == NULL || *text == '\0'));
}

static void
discard(uint32_t level, const char *line, void *user)
{
  (void)level;
  (void)line;
  (void)user;
}

static void
read_config(const char *text, size_t size)
{
  const struct tn_log log = { .level = TN_LOG_DEBUG, .write = discard };
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  const struct tn_config_database *database;
  tn_err err = TN_ERR_INIT;
  enum tn_code code;
  size_t i;

  code = tn_config_parse(text, size, "f.ini", &log, &config, &err);
  require(code == TN_OK || code == TN_E_CONFIG);
  require((code == TN_OK) == (config != NULL));
  if (config == NULL) {
    require(strncmp(err.message, "f.ini:", 6) == 0);
    return;
  }
  for (database = config->databases; database != NULL;
       database = database->next)
    for (i = 0; tn_config_row(i) != NULL; i++)
      ask(config, database, i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  /* A copy of exactly that size, so that a byte read past its end is seen. */
  char *text = malloc(size > 0 ? size : 1);

  if (text == NULL)
    return 0;
  if (size > 0)
    memcpy(text, data, size);
  read_ini(text, size, false);
  read_ini(text, size, true);
  read_config(text, size);
  free(text);
  return 0;
}
