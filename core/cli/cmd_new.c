/* tenon plugins new: a plug-in that builds, passes the suite and makes packages
 * at once, to go on from. It is a copy of the folder "skeleton", which is such
 * a plug-in itself, with another name wherever that word stands. */
#include "cli.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the folder is installed. */
#ifndef TN_SKELETON
#define TN_SKELETON "/usr/share/tenon/skeleton"
#endif

#define WORD     "skeleton"
#define TEMPLATE ".in" /* at the end of a file's name there */

struct copy {
  struct cli *cli;
  const char *name;
};

static enum tn_code
fail_errno(tn_err *err, const char *path)
{
  enum tn_code rc = errno == ENOMEM ? TN_E_MEMORY : TN_E_IO;

  return tn_err_set(err, rc, "plugins new: %.300s: %s", path, strerror(errno));
}

/* ---- names ---- */

/* It becomes a scheme, a file's name, a part of functions' names and of a
 * package's. */
static enum tn_code
check_name(const char *name, tn_err *err)
{
  static const char *const taken[] = { "all",  "clean",   "help", "install",
                                       "test", "package", WORD };
  size_t size = strlen(name);
  size_t i;

  for (i = 0; i < COUNT(taken); i++)
    if (strcmp(name, taken[i]) == 0)
      return tn_err_set(err, TN_E_USAGE,
                        "plugins new: \"%s\" means something to the build; "
                        "take another name",
                        name);
  for (i = 0; i < size; i++)
    if (!(name[i] >= 'a' && name[i] <= 'z') &&
        (i == 0 || !(name[i] >= '0' && name[i] <= '9')))
      break;
  if (size == 0 || size > TN_PLUGIN_NAME_MAX || i < size)
    return tn_err_set(err, TN_E_USAGE,
                      "plugins new: \"%.64s\": a name is 1 to %d small letters "
                      "and digits, a letter first",
                      name, TN_PLUGIN_NAME_MAX);
  return TN_OK;
}

/* `text` with the word replaced, into `path` behind `folder`. */
static bool
join(char path[PATH_MAX], const char *folder, const char *text,
     const char *name)
{
  const char *at = strstr(text, WORD);
  int length = at == NULL || name == NULL
                   ? snprintf(path, PATH_MAX, "%s/%s", folder, text)
                   : snprintf(path, PATH_MAX, "%s/%.*s%s%s", folder,
                              (int)(at - text), text, name, at + strlen(WORD));

  return length > 0 && length < PATH_MAX;
}

/* ---- files ---- */

static void
write_renamed(FILE *out, const char *text, const char *name)
{
  const char *at;

  for (; (at = strstr(text, WORD)) != NULL; text = at + strlen(WORD)) {
    (void)fwrite(text, 1, (size_t)(at - text), out);
    (void)fputs(name, out);
  }
  (void)fputs(text, out);
}

static enum tn_code
copy_file(const struct copy *copy, const char *from, const char *to,
          mode_t mode, tn_err *err)
{
  const tn_value row[] = { tn_text(to) };
  char *text = NULL;
  enum tn_code rc = read_text(from, 0, &text, err);
  FILE *out;

  out = rc == TN_OK ? fopen(to, "wxe") : NULL;
  if (rc == TN_OK && out == NULL)
    rc = fail_errno(err, to);
  if (out != NULL) {
    bool is_bad;

    write_renamed(out, text, copy->name);
    is_bad = ferror(out) != 0;
    if (fclose(out) != 0 || is_bad ||
        ((mode & S_IXUSR) != 0 && chmod(to, 0755) != 0))
      rc = fail_errno(err, to);
  }
  free(text);
  return rc == TN_OK ? output_row(&copy->cli->out, row, err) : rc;
}

/* ---- folders ---- */

static int
is_visible(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static void
drop_template(char *path)
{
  size_t size = strlen(path);

  if (size > strlen(TEMPLATE) &&
      strcmp(path + size - strlen(TEMPLATE), TEMPLATE) == 0)
    path[size - strlen(TEMPLATE)] = '\0';
}

static enum tn_code copy_folder(const struct copy *copy, const char *from,
                                const char *to, tn_err *err);

static enum tn_code
copy_entry(const struct copy *copy, const char *from_folder,
           const char *to_folder, const char *entry, tn_err *err)
{
  char from[PATH_MAX];
  char to[PATH_MAX];
  struct stat info;

  if (!join(from, from_folder, entry, NULL) ||
      !join(to, to_folder, entry, copy->name))
    return tn_err_set(err, TN_E_LIMIT, "plugins new: %.300s: path too long",
                      to_folder);
  if (stat(from, &info) != 0)
    return fail_errno(err, from);
  if (S_ISDIR(info.st_mode))
    return copy_folder(copy, from, to, err);
  drop_template(to);
  return copy_file(copy, from, to, info.st_mode, err);
}

static enum tn_code
copy_folder(const struct copy *copy, const char *from, const char *to,
            tn_err *err)
{
  struct dirent **entries = NULL;
  enum tn_code rc = TN_OK;
  int count = scandir(from, &entries, is_visible, alphasort);
  int i;

  if (count < 0)
    return fail_errno(err, from);
  if (mkdir(to, 0777) != 0)
    rc = fail_errno(err, to);
  for (i = 0; i < count; i++) {
    if (rc == TN_OK)
      rc = copy_entry(copy, from, to, entries[i]->d_name, err);
    free(entries[i]);
  }
  free(entries);
  return rc;
}

/* nftw() */
static int
remove_one(const char *path, const struct stat *info, int kind,
           struct FTW *place)
{
  (void)info;
  (void)kind;
  (void)place;
  return remove(path);
}

enum tn_code
cmd_plugins_new(struct cli *cli, tn_err *err)
{
  static const struct output_column columns[] = { { "file", TN_TEXT } };
  const struct copy copy = { .cli = cli, .name = cli->args[0] };
  char folder[PATH_MAX];
  struct stat info;
  bool is_ours;
  enum tn_code rc = check_name(copy.name, err);

  if (rc != TN_OK)
    return rc;
  (void)snprintf(folder, sizeof folder, "%s%s",
                 cli->arg_count > 1 ? "" : "tenon-backend-",
                 cli->args[cli->arg_count > 1 ? 1 : 0]);
  if (access(TN_SKELETON, R_OK) != 0)
    return tn_err_set(err, TN_E_NOT_FOUND,
                      "plugins new: %s: %s; libtenon-dev has it", TN_SKELETON,
                      strerror(errno));
  is_ours = lstat(folder, &info) != 0 && errno == ENOENT;
  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  if (rc == TN_OK)
    rc = copy_folder(&copy, TN_SKELETON, folder, err);

  /* Half a plug-in is of no use, and in the way of the next try. */
  if (rc != TN_OK && is_ours)
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  return output_finish(&cli->out, rc, err);
}
