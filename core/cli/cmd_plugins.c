/* tenon plugins list, inspect: which backends there are, and what one can do.
 */
#include "cli.h"

#include <string.h>

#include "display.h"
#include "reports.h"

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
