/* tenon plugins list, inspect, check: which backends there are, what one can
 * do, and whether it keeps the suite's rules. */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "display.h"
#include "reports.h"

/* Where the conformance suite is installed. */
#ifndef TN_PLUGIN_CHECK
#define TN_PLUGIN_CHECK "/usr/libexec/tenon/plugin-check"
#endif

/* The variable by which a URL with a password in it reaches the suite: a
 * process's environment is its own, its arguments are everybody's. */
#define CHECK_URL "TENON_CHECK_URL"

enum tn_code
cmd_plugins_list(struct cli *cli, tn_err *err)
{
  static const struct output_column columns[] = {
    { "name", TN_TEXT },    { "schemes", TN_TEXT }, { "state", TN_TEXT },
    { "version", TN_TEXT }, { "client", TN_TEXT },  { "package", TN_TEXT },
    { "file", TN_TEXT },
  };
  TN_CLEANUP(reports_clear) struct reports reports = { .items = NULL };
  enum tn_code rc = reports_get(cli, 0, &reports, err);
  size_t i;

  if (rc != TN_OK)
    return rc;
  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  for (i = 0; rc == TN_OK && i < reports.count; i++) {
    const struct tn_plugin_report *report = &reports.items[i];
    const tn_value row[] = {
      tn_text(report->name),
      tn_text(report->schemes),
      tn_text(reports_state_name(report->state)),
      tn_text(report->version),
      tn_text(report->client_library),
      tn_text(report->package),
      tn_text(report->file),
    };

    rc = output_row(&cli->out, row, err);
  }
  return output_finish(&cli->out, rc, err);
}

static enum tn_code
print_field(struct cli *cli, const char *field, const char *text, tn_err *err)
{
  const tn_value row[] = { tn_text(field), tn_text(text) };

  return output_row(&cli->out, row, err);
}

/* The names of the capabilities that are set, between spaces. */
static enum tn_code
print_caps(struct cli *cli, uint64_t caps, tn_err *err)
{
  TN_CLEANUP(display_clear) struct display names = { .data = NULL };
  unsigned bit;

  display_add(&names, "", 0);
  for (bit = 0; bit < 64; bit++) {
    const char *name = tn_cap_name(bit);

    if ((caps >> bit & 1) == 0 || name == NULL)
      continue;
    if (names.size > 0)
      display_add(&names, " ", 1);
    display_add(&names, name, strlen(name));
  }
  if (names.failed)
    return tn_err_set(err, TN_E_MEMORY, "plugins: out of memory");
  return print_field(cli, "capabilities", names.data, err);
}

static enum tn_code
print_descriptor(struct cli *cli, const struct tn_plugin_report *report,
                 tn_err *err)
{
  static const struct output_column columns[] = { { "field", TN_TEXT },
                                                  { "value", TN_TEXT } };
  char abi[32];
  const char *const fields[][2] = {
    { "name", report->name },
    { "schemes", report->schemes },
    { "version", report->version },
    { "abi", abi },
    { "license", report->license },
    { "client library", report->client_library },
    { "client version", report->client_version },
    { "package", report->package },
    { "file", report->file },
    { "manifest", report->manifest },
  };
  enum tn_code rc;
  size_t i;

  (void)snprintf(abi, sizeof abi, "%u.%u", (unsigned)report->abi_major,
                 (unsigned)report->abi_minor);
  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  for (i = 0; rc == TN_OK && i < COUNT(fields); i++)
    rc = print_field(cli, fields[i][0], fields[i][1], err);
  if (rc == TN_OK)
    rc = print_caps(cli, report->caps, err);
  return output_finish(&cli->out, rc, err);
}

static const char *const option_types[] = {
  [TN_OPTION_TEXT] = "text",     [TN_OPTION_INTEGER] = "integer",
  [TN_OPTION_BOOL] = "bool",     [TN_OPTION_DURATION] = "duration",
  [TN_OPTION_CHOICE] = "choice",
};

/* "1 to 9", "off|normal|full", or "" where anything goes. */
static void
describe_range(const struct tn_option_row *option, char *text, size_t size)
{
  text[0] = '\0';
  if (option->choices != NULL)
    (void)snprintf(text, size, "%s", option->choices);
  else if (option->min != option->max)
    (void)snprintf(text, size, "%lld to %lld%s", (long long)option->min,
                   (long long)option->max,
                   option->type == TN_OPTION_DURATION ? " ms" : "");
}

static enum tn_code
print_options(struct cli *cli, const struct tn_plugin_report *report,
              tn_err *err)
{
  static const struct output_column columns[] = {
    { "option", TN_TEXT },  { "type", TN_TEXT }, { "values", TN_TEXT },
    { "default", TN_TEXT }, { "help", TN_TEXT },
  };
  char range[256];
  enum tn_code rc;
  uint32_t i;

  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  for (i = 0; rc == TN_OK && i < report->option_count; i++) {
    const struct tn_option_row *option = &report->options[i];
    const char *type =
        option->type < COUNT(option_types) ? option_types[option->type] : NULL;
    tn_value row[COUNT(columns)];

    describe_range(option, range, sizeof range);
    row[0] = tn_text(option->name);
    row[1] = tn_text(type);
    row[2] = tn_text(range);
    row[3] = tn_text(option->initial == NULL ? "" : option->initial);
    row[4] = tn_text(option->help == NULL ? "" : option->help);
    rc = output_row(&cli->out, row, err);
  }
  return output_finish(&cli->out, rc, err);
}

enum tn_code
cmd_plugins_inspect(struct cli *cli, tn_err *err)
{
  struct tn_plugin_report report;
  enum tn_code rc = cli_need_registry(cli, err);

  if (rc == TN_OK)
    rc = tn_registry_inspect(cli->registry, cli->args[0], &report, err);
  if (rc == TN_OK)
    rc = print_descriptor(cli, &report, err);
  if (rc == TN_OK && report.options != NULL && report.option_count > 0)
    rc = print_options(cli, &report, err);
  return rc;
}

/* ---- check ---- */

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

enum tn_code
cmd_plugins_check(struct cli *cli, tn_err *err)
{
  const char *url = cli->options[OPTION_URL];
  const char *quirks = cli->options[OPTION_QUIRKS];
  char file[PATH_MAX];
  char path[PATH_MAX];
  bool is_secret = false;
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
  if (is_secret && setenv(CHECK_URL, url, 1) != 0)
    return tn_err_set(err, TN_E_MEMORY, "plugins: out of memory");
  find_suite(path, sizeof path);
  (void)fflush(stdout);
  (void)execl(path, path, file, "--url", is_secret ? "env:" CHECK_URL : url,
              quirks == NULL ? (char *)NULL : "--quirks", quirks, (char *)NULL);
  return tn_err_set(err, TN_E_USAGE,
                    "plugins check: %s: %s; libtenon-dev has the suite", path,
                    strerror(errno));
}
