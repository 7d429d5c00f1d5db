/* What a column's declared type means.
 *
 * SQLite keeps the words of a declaration and little else. The first word
 * decides here what is handed out; the whole text decides, by SQLite's own
 * rules, what it makes of a number that is stored. */
#include "sqlite_priv.h"

#include <string.h>

static const struct type_word {
  const char *word; /* upper case */
  uint32_t decoder; /* enum sqlite__decoder */
  uint32_t type;    /* enum tn_type */
} type_words[] = {
  { "BOOLEAN", SQLITE__AS_BOOL, TN_BOOL },
  { "BOOL", SQLITE__AS_BOOL, TN_BOOL },
  { "DATE", SQLITE__AS_DATE, TN_DATE },
  { "TIME", SQLITE__AS_TIME, TN_TIME },
  { "DATETIME", SQLITE__AS_TIMESTAMP, TN_TIMESTAMP },
  { "TIMESTAMP", SQLITE__AS_TIMESTAMP, TN_TIMESTAMP },
  { "TIMESTAMPTZ", SQLITE__AS_TIMESTAMP, TN_TIMESTAMP },
  { "DECIMAL", SQLITE__AS_DECIMAL, TN_DECIMAL },
  { "NUMERIC", SQLITE__AS_DECIMAL, TN_DECIMAL },
  { "DEC", SQLITE__AS_DECIMAL, TN_DECIMAL },
  { "UUID", SQLITE__AS_UUID, TN_UUID },
  { "GUID", SQLITE__AS_UUID, TN_UUID },
  { "JSON", SQLITE__AS_JSON, TN_JSON },
  { "JSONB", SQLITE__AS_JSON, TN_JSON },
};

static char
upper(char c)
{
  return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Does `text` start with `word`, which is given in upper case? */
static bool
starts_with(const char *text, const char *word)
{
  for (; *word != '\0'; text++, word++)
    if (upper(*text) != *word)
      return false;
  return true;
}

static bool
has_word(const char *text, const char *word)
{
  for (; *text != '\0'; text++)
    if (starts_with(text, word))
      return true;
  return false;
}

enum sqlite__affinity
sqlite__affinity_of(const char *declared)
{
  static const struct {
    const char *word;
    enum sqlite__affinity affinity;
  } rules[] = {
    { "INT", SQLITE__AFFINITY_INTEGER }, { "CHAR", SQLITE__AFFINITY_TEXT },
    { "CLOB", SQLITE__AFFINITY_TEXT },   { "TEXT", SQLITE__AFFINITY_TEXT },
    { "BLOB", SQLITE__AFFINITY_BLOB },   { "REAL", SQLITE__AFFINITY_REAL },
    { "FLOA", SQLITE__AFFINITY_REAL },   { "DOUB", SQLITE__AFFINITY_REAL },
  };
  size_t i;

  if (declared == NULL || declared[0] == '\0')
    return SQLITE__AFFINITY_BLOB;
  for (i = 0; i < SQLITE__COUNT(rules); i++)
    if (has_word(declared, rules[i].word))
      return rules[i].affinity;
  return SQLITE__AFFINITY_NUMERIC;
}

static bool
is_word_part(char c)
{
  c = upper(c);
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The row of the first word; NULL if it has none. */
static const struct type_word *
find_word(const char *declared)
{
  size_t i;

  for (i = 0; i < SQLITE__COUNT(type_words); i++)
    if (starts_with(declared, type_words[i].word) &&
        !is_word_part(declared[strlen(type_words[i].word)]))
      return &type_words[i];
  return NULL;
}

enum sqlite__decoder
sqlite__decoder_of(const char *declared, uint32_t *ret_type)
{
  static const uint32_t types[] = {
    [SQLITE__AFFINITY_BLOB] = TN_BLOB,     [SQLITE__AFFINITY_TEXT] = TN_TEXT,
    [SQLITE__AFFINITY_INTEGER] = TN_INT64, [SQLITE__AFFINITY_REAL] = TN_DOUBLE,
    [SQLITE__AFFINITY_NUMERIC] = 0, /* a word of nobody's: see the first row */
  };
  const struct type_word *found;

  *ret_type = 0;
  if (declared == NULL || declared[0] == '\0')
    return SQLITE__AS_STORED;
  found = find_word(declared);
  if (found != NULL) {
    *ret_type = found->type;
    return (enum sqlite__decoder)found->decoder;
  }
  *ret_type = types[sqlite__affinity_of(declared)];
  return SQLITE__AS_STORED;
}
