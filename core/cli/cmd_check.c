/* tenon plugins check: does a plug-in keep the rules that all keep? The suite
 * is a program of its own, which takes the place of this one. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports.h"

/* Where the conformance suite is installed. */
#ifndef TN_PLUGIN_CHECK
#define TN_PLUGIN_CHECK "/usr/libexec/tenon/plugin-check"
#endif

/* The variable by which a URL with a password in it reaches the suite: a
 * process's environment is its own, its arguments are everybody's. */
#define CHECK_URL "TENON_CHECK_URL"

/* The suite: in a build tree beside the tool, else where it is installed. */
static void
find_suite(char *path, size_t size)
{
  static const char name[] = "/tenon-plugin-check";
  ssize_t length = readlink("/proc/self/exe", path, size - sizeof name);
  char *slash;

  if (length > 0) {
    path[length] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL) {
      memcpy(slash, name, sizeof name);
      if (access(path, X_OK) == 0)
        return;
    }
  }
  (void)snprintf(path, size, "%s", TN_PLUGIN_CHECK);
}

/* Has the URL anything in it that a process list must not show? */
static enum tn_code
has_secret(const char *text, bool *ret, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  enum tn_code rc;

  *ret = false;
  if (strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0)
    return TN_OK;
  rc = tn_url_parse(text, &url, err);
  if (rc == TN_OK)
    *ret = tn_url_print(url, 0, NULL, 0) !=
               tn_url_print(url, TN_URL_PASSWORD, NULL, 0) ||
           tn_url_password(url) != NULL;
  return rc;
}

/* The suite loads by the loader's rules, which take absolute paths. */
static bool
absolute(const char *file, char *path, size_t size)
{
  char folder[PATH_MAX];
  int length;

  if (file[0] == '/')
    folder[0] = '\0';
  else if (getcwd(folder, sizeof folder) == NULL)
    return false;
  length =
      snprintf(path, size, "%s%s%s", folder, file[0] == '/' ? "" : "/", file);
  return length > 0 && (size_t)length < size;
}

/* ---- quirks ---- */

/* "FOLDER/NAME.ini" or "FOLDER/NAME.so" with another ending: is it there? */
static bool
quirks_beside(const char *file, char *path, size_t size)
{
  static const char ending[] = ".quirks.ini";
  const char *slash = strrchr(file, '/');
  const char *dot = strrchr(file, '.');
  int length = (int)strlen(file);

  if (dot != NULL && (slash == NULL || dot > slash))
    length = (int)(dot - file);
  length = snprintf(path, size, "%.*s%s", length, file, ending);
  return length > 0 && (size_t)length < size && access(path, R_OK) == 0;
}

static bool
is_same_file(const char *a, const char *b)
{
  struct stat of_a, of_b;

  return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/* What the plug-in is known to do otherwise is installed beside its manifest,
 * and lies beside the plug-in where it is built. */
static enum tn_code
find_quirks(struct cli *cli, const char *file, char *path, size_t size,
            bool *ret, tn_err *err)
{
  TN_CLEANUP(reports_clear) struct reports reports = { .items = NULL };
  enum tn_code rc = reports_get(cli, 0, &reports, err);
  size_t i;

  *ret = false;
  for (i = 0; rc == TN_OK && i < reports.count && !*ret; i++)
    *ret = is_same_file(reports.items[i].file, file) &&
           quirks_beside(reports.items[i].manifest, path, size);
  *ret = *ret || quirks_beside(file, path, size);
  return rc;
}

/* ---- the command ---- */

static enum tn_code
run_suite(const char *file, const char *url, const char *quirks, tn_err *err)
{
  char path[PATH_MAX];

  find_suite(path, sizeof path);
  (void)fflush(stdout);
  (void)execl(path, path, file, "--url", url,
              quirks == NULL ? (char *)NULL : "--quirks", quirks, (char *)NULL);
  return tn_err_set(err, TN_E_USAGE,
                    "plugins check: %s: %s; libtenon-dev has the suite", path,
                    strerror(errno));
}

enum tn_code
cmd_plugins_check(struct cli *cli, tn_err *err)
{
  const char *url = cli->options[OPTION_URL];
  const char *quirks = cli->options[OPTION_QUIRKS];
  char file[PATH_MAX], beside[PATH_MAX];
  bool is_secret = false, has_quirks = false;
  enum tn_code rc;

  if (url == NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "plugins check: --url URL is missing: the database to "
                      "check the plug-in on");
  rc = has_secret(url, &is_secret, err);
  if (rc != TN_OK)
    return rc;
  if (!absolute(cli->args[0], file, sizeof file))
    return tn_err_set(err, TN_E_USAGE, "plugins check: %.200s: %s",
                      cli->args[0], strerror(errno));
  if (quirks == NULL)
    rc = find_quirks(cli, file, beside, sizeof beside, &has_quirks, err);
  if (rc != TN_OK)
    return rc;
  if (has_quirks) {
    quirks = beside;
    fprintf(cli->out.stream, "quirks: %s\n", quirks);
  }
  if (is_secret && setenv(CHECK_URL, url, 1) != 0)
    return tn_err_set(err, TN_E_MEMORY, "plugins: out of memory");
  return run_suite(file, is_secret ? "env:" CHECK_URL : url, quirks, err);
}
