/* What the files of the config module share.
 *
 *   config_rows.c   the table of options, found by name and by old name
 *   config_read.c   INI text into values
 *   config_refer.c  what a '$' in a value stands for
 *   config_load.c   which files, and whether they can be trusted
 *   config.c        the loaded object and the questions it answers
 *   secret.c        env: and file: */
#ifndef TENON_CONFIG_PRIV_H
#define TENON_CONFIG_PRIV_H

#include <sys/stat.h>
#include <tenon/config.h>

#include "arena.h"
#include "base_priv.h"

#define TN_CONFIG_DEFAULT "database"

/* Longest name of a named database. */
#define TN_CONFIG_NAME_MAX 64

/* ------------------------------------------------------------------ */
/* Rows                                                                */

/* Traits of an option that only we need. */
#define TN_CONFIG_OBSOLETE                                                     \
  UINT32_C(1)                         /* read, warned about, without effect    \
                                       */
#define TN_CONFIG_URL     UINT32_C(2) /* secret only if a password is in it */
#define TN_CONFIG_OWN     UINT32_C(4) /* of the core's own: may stand in a URL */
#define TN_CONFIG_BACKEND UINT32_C(8) /* an option of one backend */

struct tn_config_option {
  struct tn_config_row row;
  uint32_t traits;
};

size_t tn_config__option_count(void);
const struct tn_config_option *tn_config__option(size_t index);

/* The row of that key; the one whose aliases have SECTION/KEY. False: none. */
bool tn_config__find_key(const char *key, size_t *ret_index);
bool tn_config__find_alias(const char *section, const char *key,
                           size_t *ret_index);

/* Is it a section, other than [database], that an alias names? */
bool tn_config__is_old_section(const char *section);

/* The key that was meant: the one of which `key` is an old name in some
 * section, else the nearest one. NULL: none is near. Static. */
const char *tn_config__nearest_key(const char *key);

/* Read a number or bool. False: it is none, or out of the row's range. */
bool tn_config__parse_number(const struct tn_config_row *row, const char *text,
                             int64_t *ret);

/* Is the text a value of the row? `*ret` is written for numbers and bools.
 * Fails: TN_E_CONFIG, beginning with `place`. */
enum tn_code tn_config__check(const struct tn_config_row *row, const char *text,
                              const char *place, int64_t *ret, tn_err *err);

/* The same of a value that a file gives: without a default, an empty one is
 * oslo.config's way of saying: none. */
enum tn_code tn_config__check_given(const struct tn_config_row *row,
                                    const char *text, const char *place,
                                    bool *ret_has_number, int64_t *ret,
                                    tn_err *err);

/* ------------------------------------------------------------------ */
/* The object                                                          */

struct tn_config_file {
  struct tn_config_file *next;
  const char *name;
  bool has_secret; /* a password stands in it, not only where to find one */
};

/* A value as some file gave it. All texts are in the arena. */
struct tn_config_value {
  char *text;         /* NULL: not given */
  bool refers;        /* has a '$', which stands for something yet */
  const char *origin; /* "FILE:LINE" */
  const char *given;  /* "[SECTION] key", as written */
  const struct tn_config_file *file;
  unsigned line;
  bool has_number;
  int64_t number;
};

struct tn_config_database {
  struct tn_config_database *next;
  struct tn_config_database *next_in_bucket;
  const char *name;
  struct tn_config_value *values; /* one for each row; NULL: all not given */
};

/* Names are found through this many lists, lest a file with thousands of
 * databases take the square of that. */
#define TN_CONFIG_BUCKETS 64

struct tn_config_secrets;

/* A file's text, while there may be references to what is in it. */
struct tn_config_text {
  struct tn_config_text *next; /* an earlier file's */
  const char *file;
  char *text;
  size_t size;
};

struct tn_config {
  struct tn_arena arena;
  struct tn_config_database *databases; /* the default one first */
  struct tn_config_database **databases_end;
  struct tn_config_database *buckets[TN_CONFIG_BUCKETS];
  struct tn_config_file *files;
  struct tn_config_text *texts;      /* the last file's first */
  struct tn_config_secrets *secrets; /* has its own lock */
};

/* With the default database and no values. NULL without memory, as are the
 * results of the next ones. */
tn_config *tn_config__new(void);

/* At the end of the list, without values. */
struct tn_config_database *tn_config__add_database(tn_config *config,
                                                   const char *name);
struct tn_config_file *tn_config__add_file(tn_config *config, const char *name);

/* Where the value of row `index` goes. */
struct tn_config_value *tn_config__place(tn_config *config,
                                         struct tn_config_database *database,
                                         size_t index);

/* NULL: there is none. */
struct tn_config_database *tn_config__find_database(const tn_config *config,
                                                    const char *name);

/* Add what a text says to `config`, which is only good for tn_config_free()
 * after a failure. */
enum tn_code tn_config__read(tn_config *config, const char *text, size_t size,
                             struct tn_config_file *file,
                             const struct tn_log *log, tn_err *err);

/* Once everything is read: put in what references stand for, and tell of old
 * names and obsolete options. Fails: TN_E_CONFIG, TN_E_MEMORY. */
enum tn_code tn_config__finish(tn_config *config, const struct tn_log *log,
                               tn_err *err);

/* Keep a copy of a text for tn_config__refer(), which puts into the values
 * what they refer to, and forgets the texts. `file` is in the arena. */
enum tn_code tn_config__keep_text(tn_config *config, const char *file,
                                  const char *text, size_t size, tn_err *err);
enum tn_code tn_config__refer(tn_config *config, tn_err *err);
void tn_config__forget_texts(tn_config *config);

/* ------------------------------------------------------------------ */
/* Files and secrets                                                   */

/* Open `path` for reading, without waiting for the other end of a pipe. The
 * caller's to close. Fails: TN_E_NOT_FOUND, TN_E_IO. */
enum tn_code tn_config__open(const char *path, int *ret_fd,
                             struct stat *ret_status, tn_err *err);
void tn_config__close(int *fd);

/* Refuse, with TN_E_CONFIG, a file or folder that others may write: of another
 * owner than root and the effective user, or writable by all, or by a group
 * that is not root's. */
enum tn_code tn_config__check_writers(const char *path,
                                      const struct stat *status, tn_err *err);

/* Is it "env:…" or "file:…"? */
bool tn_secret__is_reference(const char *text);

#endif
