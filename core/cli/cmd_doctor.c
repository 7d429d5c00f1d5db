/* tenon plugins doctor: load every plug-in and tell why one cannot be used,
 * with every place that was looked at. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "display.h"
#include "reports.h"

/* What loading it by its name says: more than the one line of the report,
 * namely every file that was tried. A file without a manifest cannot be asked
 * for, nor can a folder, and a bad manifest has been told of. */
static void
get_detail(struct cli *cli, const struct tn_plugin_report *report, tn_err *err)
{
  struct tn_plugin_report ignored;

  tn_err_clear(err);
  if (report->state == TN_PLUGIN_BROKEN && report->manifest[0] != '\0' &&
      strcmp(report->name, report->manifest) != 0)
    (void)!tn_registry_inspect(cli->registry, report->name, &ignored, err);
  if (strcmp(err->detail, report->problem) == 0)
    err->detail[0] = '\0';
}

static void
write_lines(const struct cli *cli, const char *indent, const char *text)
{
  FILE *stream = cli->out.stream;

  while (*text != '\0') {
    size_t length = strcspn(text, "\n");

    fputs(indent, stream);
    display_write(stream, text, length);
    putc('\n', stream);
    text += length;
    text += *text == '\n';
  }
}

static void
write_diagnosis(struct cli *cli, const struct tn_plugin_report *report,
                const tn_err *detail)
{
  static const char *const headings[] = {
    [TN_PLUGIN_KNOWN] = "known, not loaded",
    [TN_PLUGIN_LOADED] = "ok",
    [TN_PLUGIN_BROKEN] = "broken",
    [TN_PLUGIN_DISABLED] = "disabled by the administrator",
  };
  FILE *stream = cli->out.stream;
  const char *name = report->name[0] == '\0' ? report->file : report->name;

  display_write(stream, name, strlen(name));
  fprintf(stream, ": %s\n",
          report->state < COUNT(headings) && headings[report->state] != NULL
              ? headings[report->state]
              : "?");
  if (report->problem[0] != '\0')
    write_lines(cli, "  ", report->problem);
  if (report->schemes[0] != '\0')
    fprintf(stream, "  schemes:  %s\n", report->schemes);
  if (report->file[0] != '\0')
    fprintf(stream, "  file:     %s\n", report->file);
  if (report->manifest[0] != '\0')
    fprintf(stream, "  manifest: %s\n", report->manifest);
  if (report->client_library[0] != '\0')
    fprintf(stream, "  client:   %s %s\n", report->client_library,
            report->client_version);
  if (report->state == TN_PLUGIN_BROKEN && report->package[0] != '\0')
    fprintf(stream, "  package:  %s\n", report->package);
  if (detail->detail[0] != '\0') {
    fputs("  tried:\n", stream);
    write_lines(cli, "    ", detail->detail);
  }
}

static enum tn_code
write_row(struct cli *cli, const struct tn_plugin_report *report,
          const tn_err *detail, tn_err *err)
{
  const tn_value row[] = {
    tn_text(report->name),    tn_text(reports_state_name(report->state)),
    tn_text(report->file),    tn_text(report->manifest),
    tn_text(report->problem), tn_text(detail->detail),
  };

  return output_row(&cli->out, row, err);
}

static enum tn_code
diagnose_all(struct cli *cli, const struct reports *reports, tn_err *err)
{
  tn_err detail = TN_ERR_INIT;
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && i < reports->count; i++) {
    const struct tn_plugin_report *report = &reports->items[i];

    get_detail(cli, report, &detail);
    if (cli->out.writer == &output_table)
      write_diagnosis(cli, report, &detail);
    else
      rc = write_row(cli, report, &detail, err);
  }
  return rc;
}

/* ---- schemes that more than one plug-in claims ---- */

static bool
has_word(const char *words, const char *word, size_t length)
{
  while (*words != '\0') {
    size_t next = strcspn(words, " ");

    if (next == length && strncmp(words, word, length) == 0)
      return true;
    words += next;
    words += strspn(words, " ");
  }
  return false;
}

/* Of the plug-ins from `first` to before `last`, does one serve the scheme? */
static bool
is_claimed(const struct reports *reports, size_t first, size_t last,
           const char *scheme, size_t length)
{
  size_t i;

  for (i = first; i < last; i++)
    if (reports->items[i].state != TN_PLUGIN_DISABLED &&
        has_word(reports->items[i].schemes, scheme, length))
      return true;
  return false;
}

/* The registry says who gets a scheme when a URL asks for it. This URL never
 * gets as far as a connection, since no backend has such an option. */
static bool
is_ambiguous(struct cli *cli, const char *scheme, size_t length, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  const struct tn_conn_options options = { .registry = cli->registry };
  char url[128];

  (void)snprintf(url, sizeof url, "%.*s://?tenon_doctor_asks=1", (int)length,
                 scheme);
  return tn_conn_open(url, &options, &conn, err) == TN_E_PLUGIN;
}

static enum tn_code
write_clash_row(struct cli *cli, const char *scheme, size_t length,
                const tn_err *clash, tn_err *err)
{
  const tn_value row[] = {
    tn_bytes(TN_TEXT, scheme, length),
    tn_text("ambiguous"),
    tn_text(""),
    tn_text(""),
    tn_text(clash->message),
    tn_text(clash->detail),
  };

  return output_row(&cli->out, row, err);
}

static void
write_clash(const struct cli *cli, const char *scheme, size_t length,
            const tn_err *clash)
{
  fprintf(cli->out.stream, "scheme %.*s: ambiguous\n", (int)length, scheme);
  write_lines(cli, "  ", clash->message);
  write_lines(cli, "    ", clash->detail);
}

/* Go through the schemes of plug-in `index` that one before it has not, and
 * one behind it has too. */
static enum tn_code
diagnose_schemes(struct cli *cli, const struct reports *reports, size_t index,
                 size_t *count, tn_err *err)
{
  const char *scheme = reports->items[index].schemes;
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && *scheme != '\0') {
    size_t length = strcspn(scheme, " ");
    tn_err clash = TN_ERR_INIT;

    if (!is_claimed(reports, 0, index, scheme, length) &&
        is_claimed(reports, index + 1, reports->count, scheme, length) &&
        is_ambiguous(cli, scheme, length, &clash)) {
      (*count)++;
      if (cli->out.writer == &output_table)
        write_clash(cli, scheme, length, &clash);
      else
        rc = write_clash_row(cli, scheme, length, &clash, err);
    }
    scheme += length;
    scheme += strspn(scheme, " ");
  }
  return rc;
}

/* ---- the command ---- */

static enum tn_code
write_all(struct cli *cli, const struct reports *reports, size_t *clashes,
          tn_err *err)
{
  enum tn_code rc = diagnose_all(cli, reports, err);
  size_t i;

  for (i = 0; rc == TN_OK && i < reports->count; i++)
    if (reports->items[i].state != TN_PLUGIN_DISABLED)
      rc = diagnose_schemes(cli, reports, i, clashes, err);
  return rc;
}

static enum tn_code
write_doctor(struct cli *cli, const struct reports *reports, size_t *clashes,
             tn_err *err)
{
  static const struct output_column columns[] = {
    { "name", TN_TEXT },     { "state", TN_TEXT },   { "file", TN_TEXT },
    { "manifest", TN_TEXT }, { "problem", TN_TEXT }, { "detail", TN_TEXT },
  };
  enum tn_code rc;

  if (cli->out.writer == &output_table)
    return write_all(cli, reports, clashes, err);
  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  if (rc == TN_OK)
    rc = write_all(cli, reports, clashes, err);
  return output_finish(&cli->out, rc, err);
}

/* Where it was looked, the error of asking for one by name tells. */
static enum tn_code
refuse_none(struct cli *cli, tn_err *err)
{
  struct tn_plugin_report ignored;
  tn_err places = TN_ERR_INIT;

  (void)!tn_registry_inspect(cli->registry, "any", &ignored, &places);
  (void)tn_err_set(err, TN_E_PLUGIN,
                   "plugins: there is none in any of the folders; install a "
                   "tenon-backend package or name a folder with --plugin-dir");
  tn_err_add(err, TN_ERR_DETAIL, places.detail);
  return TN_E_PLUGIN;
}

/* A folder that is not there has no plug-ins, says the registry; but whoever
 * names one means one that is. */
static enum tn_code
add_missing_folders(const struct cli *cli, struct reports *reports, tn_err *err)
{
  struct tn_plugin_report report = {
    .schemes = "",
    .file = "",
    .manifest = "",
    .package = "",
    .version = "",
    .license = "",
    .client_library = "",
    .client_version = "",
    .problem = "there is no such folder",
    .state = TN_PLUGIN_BROKEN,
  };
  size_t i;

  for (i = 0; cli->plugin_dirs[i] != NULL; i++) {
    report.name = cli->plugin_dirs[i];
    if (access(report.name, F_OK) != 0 && errno == ENOENT)
      reports_add(&report, reports);
  }
  if (reports->failed)
    return tn_err_set(err, TN_E_MEMORY, "plugins: out of memory");
  return TN_OK;
}

enum tn_code
cmd_plugins_doctor(struct cli *cli, tn_err *err)
{
  TN_CLEANUP(reports_clear) struct reports reports = { .items = NULL };
  enum tn_code rc;
  size_t broken = 0;
  size_t clashes = 0;
  size_t i;

  /* What the registry would warn of is told below. */
  if (cli->verbosity == 0)
    cli->log.level = 0;
  rc = reports_get(cli, 1, &reports, err);
  if (rc == TN_OK)
    rc = add_missing_folders(cli, &reports, err);
  if (rc == TN_OK)
    rc = write_doctor(cli, &reports, &clashes, err);
  if (rc != TN_OK)
    return rc;
  for (i = 0; i < reports.count; i++)
    broken += reports.items[i].state == TN_PLUGIN_BROKEN;
  if (reports.count == 0)
    return refuse_none(cli, err);
  if (broken == 0 && clashes == 0)
    return TN_OK;
  return tn_err_set(
      err, TN_E_PLUGIN,
      "plugins: %zu of %zu cannot be used; ambiguous schemes: %zu", broken,
      reports.count, clashes);
}
