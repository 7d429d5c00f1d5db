/* Configuration from INI files.
 *
 *   [database]            the default database, "@database"
 *   [database:billing]    a named one, "@billing"
 *
 * The keys are those of oslo.db's [database] section, so that an existing file
 * loads as it is; conf/tenon.ini lists every one with unit, range and default.
 * Other sections are other programs' and are left alone, but for the old names
 * of keys in [DEFAULT], [DATABASE] and [sql]. In ours nothing is passed over:
 * an unknown key, a repeated one, a value out of range, a line that cannot be
 * read is an error with file and line, and the nearest name.
 *
 * Rules of the text: UTF-8; a value is all that follows the first '=' (or ':',
 * whichever is first), without the blanks around it and without one pair of
 * quotes around it; there are no comments after a value; '#' and ';' start a
 * comment line; a line has at most 65536 bytes. A value of a secret key may be
 * "env:NAME" or "file:PATH" (one trailing newline is dropped).
 *
 * Files: the one named, then the *.conf files of the folder NAME.d beside it
 * (tenon.ini.d for tenon.ini, or conf.d if that is there), in C-locale order;
 * hidden and backup files are not read. A later value replaces an earlier one.
 * A file that others may write, or own, is refused; one with secrets that
 * others may read is warned about. */
#ifndef TENON_CONFIG_H
#define TENON_CONFIG_H

#include <tenon/err.h>
#include <tenon/log.h>

TN_BEGIN_DECLS

/* Immutable once loaded, so it can be shared by threads. */
typedef struct tn_config tn_config;

enum tn_config_unit {
  TN_UNIT_TEXT = 1,
  TN_UNIT_BOOL,
  TN_UNIT_COUNT,
  TN_UNIT_SECONDS,
  TN_UNIT_PERCENT,
  TN_UNIT_CHOICE, /* a text that is one of a few */
};

/* One option. The table of all is static. */
struct tn_config_row {
  const char *key;
  const char
      *initial;     /* the default, as it would stand in a file; NULL: none */
  const char *help; /* one line, with the unit */
  const char *aliases; /* older names, "SECTION/key" between spaces; "" */
  uint32_t unit;       /* enum tn_config_unit */
  uint32_t is_secret;
  int64_t min;
  int64_t max;
  const char *choices; /* "one|other" for TN_UNIT_CHOICE, else NULL */
};

/* Row `index` of [database]; NULL past the end. */
TN_API const struct tn_config_row *tn_config_row(size_t index);

/* Read `path`; NULL: the file that $TENON_CONFIG names (not in a process with
 * raised privileges), else ${sysconfdir}/tenon/tenon.ini, which may be absent.
 * `*ret` is the caller's until tn_config_free(); untouched on failure.
 * Fails: TN_E_CONFIG, with file, line, key and what to do; TN_E_IO, cannot
 * read; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_config_load(const char *path,
                                               const struct tn_log *log,
                                               tn_config **ret, tn_err *err);

/* Read text that is in memory; `name` stands for the file in messages. All is
 * copied. Fails: TN_E_CONFIG, as tn_config_load(); TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_config_parse(const char *text, size_t size,
                                                const char *name,
                                                const struct tn_log *log,
                                                tn_config **ret, tn_err *err);

/* Release, with what was borrowed from it. Stores NULL; NULL in either place is
 * a no-op. */
TN_API void tn_config_free(tn_config **config);

/* Names of the databases: first "database", the default one's, which is there
 * without a section too. NULL past the end. Borrowed. */
TN_API const char *tn_config_database(const tn_config *config, size_t index);

/* A value of a database, or its default. Secrets are resolved now. `*ret` is
 * borrowed from `config`, NULL if neither is there.
 * Fails: TN_E_NOT_FOUND, no such database or key, with the nearest name;
 * TN_E_CONFIG, an env: or file: secret that cannot be read. */
TN_API TN_MUST_USE enum tn_code tn_config_text(const tn_config *config,
                                               const char *database,
                                               const char *key,
                                               const char **ret, tn_err *err);

/* The same for numbers and bools (0, 1); TN_E_NOT_FOUND also if it has neither
 * a value nor a default. */
TN_API TN_MUST_USE enum tn_code tn_config_number(const tn_config *config,
                                                 const char *database,
                                                 const char *key, int64_t *ret,
                                                 tn_err *err);

/* Where the value came from: "FILE:LINE", or "default". Borrowed; NULL for a
 * database or key that there is not. */
TN_API const char *tn_config_origin(const tn_config *config,
                                    const char *database, const char *key);

/* Files that were read, in order; NULL past the end. Borrowed. */
TN_API const char *tn_config_file(const tn_config *config, size_t index);

/* A secret as it stands in a file or on a command line: "env:NAME" and
 * "file:PATH" are looked up, any other text is itself. The path is absolute;
 * its file is refused if others may read it, or a group and it is not root's.
 * `*ret` is the caller's until tn_secret_free(). Fails: TN_E_CONFIG, naming the
 * variable or file; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_secret_resolve(const char *text, char **ret,
                                                  tn_err *err);

/* Wipe, release, store NULL. */
TN_API void tn_secret_free(char **secret);

TN_END_DECLS

#endif
