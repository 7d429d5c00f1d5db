/* Fuzzes the readers of manifests and drop-ins, for libFuzzer.
 *
 * Besides not crashing: what is accepted keeps to the grammar, so that no
 * name in it can lead out of a folder; what is refused says where. */
#include "dropin.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int condition)
{
  if (!condition)
    abort();
}

static void
check_words(const char *const *words, bool (*is_word)(const char *text))
{
  size_t count = 0;

  for (; words[count] != NULL; count++)
    must(is_word(words[count]) && strchr(words[count], '/') == NULL);
  must(count <= TN_MANIFEST_WORDS_MAX);
}

static void
check_error(const tn_err *err, const char *path)
{
  must(err->code == TN_E_CONFIG);
  must(strncmp(err->message, path, strlen(path)) == 0);
}

static void
check_manifest(const char *text, size_t size)
{
  struct tn_manifest *manifest = NULL;
  tn_err err = TN_ERR_INIT;

  if (tn_manifest_parse(text, size, "/m/sqlite.ini", &manifest, &err) !=
      TN_OK) {
    must(manifest == NULL);
    check_error(&err, "/m/sqlite.ini:");
    return;
  }
  must(strcmp(manifest->name, "sqlite") == 0);
  must(manifest->abi_major > 0);
  must(manifest->file[0] != '.' && strchr(manifest->file, '/') == NULL);
  must(manifest->schemes[0] != NULL);
  must(manifest->package != NULL && manifest->client != NULL &&
       manifest->description != NULL);
  check_words(manifest->schemes, tn_manifest_is_scheme);
  check_words(manifest->aliases, tn_manifest_is_alias);
  tn_manifest_free(&manifest);
}

/* Twice, as two files: what was said in one may be said again in another. */
static void
check_dropins(const char *text, size_t size)
{
  struct tn_dropins dropins = { .first = NULL };
  tn_err err = TN_ERR_INIT;

  if (tn_dropins_parse(&dropins, text, size, "/a/1.ini", &err) == TN_OK)
    must(tn_dropins_parse(&dropins, text, size, "/a/2.ini", &err) == TN_OK);
  else
    check_error(&err, "/a/1.ini:");
  for (const struct tn_dropin *dropin = dropins.first; dropin != NULL;
       dropin = dropin->next) {
    must(tn_manifest_is_name(dropin->name));
    must(tn_dropins_find(&dropins, dropin->name) == dropin);
    must(dropin->pin == NULL || dropin->pin[0] == '/');
    check_words(dropin->aliases, tn_manifest_is_alias);
    for (size_t i = 0; i < dropin->default_count; i++)
      must(dropin->defaults[i].name[0] != '\0' &&
           dropin->defaults[i].value != NULL);
  }
  tn_dropins_clear(&dropins);
  tn_dropins_clear(&dropins);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  /* Not ended by NUL, and behind it memory that is not ours. */
  char *text = malloc(size > 0 ? size : 1);

  must(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  check_manifest(text, size);
  check_dropins(text, size);
  free(text);
  return 0;
}
