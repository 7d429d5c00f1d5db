/* What is said of a plug-in without running it: its manifest NAME.ini.
 *
 *   [plugin]
 *   name = sqlite                     as the manifest's own file name
 *   abi = 1                           major number
 *   schemes = sqlite                  between blanks
 *   file = sqlite.so                  a file name; NAME.so if it is not said
 *   aliases = sqlite3 sqlite+pysqlite further names of schemes
 *   package = tenon-backend-sqlite    that has it
 *   client = sqlite3                  library that it needs
 *   description = …
 *
 * The first three must be there. Nothing is passed over: another section, an
 * unknown or repeated key is an error with file, line and the nearest name. */
#ifndef TENON_MANIFEST_H
#define TENON_MANIFEST_H

#include "arena.h"
#include "ini_reader.h"

/* Largest manifest and drop-in that is read, in bytes. */
#define TN_MANIFEST_MAX 65536

/* Most words of one list, such as the schemes of a plug-in. */
#define TN_MANIFEST_WORDS_MAX 64

/* A letter, then letters, digits and '_', lower case: up to 23 characters for
 * a plug-in (it has to fit tn_err.backend), up to 32 for a scheme. An alias is
 * a scheme, or two of them with a '+' between. */
bool tn_manifest_is_name(const char *text);
bool tn_manifest_is_scheme(const char *text);
bool tn_manifest_is_alias(const char *text);

/* Texts live in `arena` and are never NULL. */
struct tn_manifest {
  const char *path;
  const char *name;
  const char *file;
  const char *package;
  const char *client;
  const char *description;
  const char *const *schemes; /* ended by NULL, as are the aliases */
  const char *const *aliases;
  uint32_t abi_major;
  struct tn_arena arena;
};

/* Read the text of the manifest `path`; all is copied. `*ret` is released with
 * tn_manifest_free(). Fails: TN_E_CONFIG, "PATH:LINE: …" or "PATH: …";
 * TN_E_MEMORY. */
enum tn_code tn_manifest_parse(const char *text, size_t size, const char *path,
                               struct tn_manifest **ret, tn_err *err);

/* The same from a file, which must be one that can be trusted (file.h).
 * Fails: also as tn_file_open_trusted() and tn_file_read_fd(). */
enum tn_code tn_manifest_read(const char *path, struct tn_manifest **ret,
                              tn_err *err);

void tn_manifest_free(struct tn_manifest **manifest);

/* ---- for dropin.c ---- */

/* A text that is being read. */
struct tn_manifest_source {
  const char *path; /* lives in `arena` */
  struct tn_arena *arena;
};

/* "PATH:LINE: KEY: CAUSE", with the value if it is not NULL. */
enum tn_code tn_manifest__refuse(const struct tn_manifest_source *source,
                                 const struct tn_ini_item *item,
                                 const char *value, const char *cause,
                                 tn_err *err);

/* "unknown key", with the nearest of `count` names. */
enum tn_code tn_manifest__refuse_key(const struct tn_manifest_source *source,
                                     const struct tn_ini_item *item,
                                     const char *(*name)(size_t index),
                                     size_t count, tn_err *err);

/* The item's value, copied into the arena. */
enum tn_code tn_manifest__text(const struct tn_manifest_source *source,
                               const struct tn_ini_item *item, const char **ret,
                               tn_err *err);

/* The item's value as words of which `is_word` holds, ended by NULL. */
enum tn_code tn_manifest__words(const struct tn_manifest_source *source,
                                const struct tn_ini_item *item,
                                bool (*is_word)(const char *text),
                                const char *const **ret, tn_err *err);

/* The text of a file that can be trusted, to be released with
 * tn_memory_free(). */
enum tn_code tn_manifest__load(const char *path, char **ret_text,
                               size_t *ret_size, tn_err *err);

#endif
