/* tenon errors explain, list: what an error of a backend means, and who says
 * so. */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reports.h"

/* "/etc/tenon/plugins.d/x.ini:3", or "plug-in". */
static void
print_origin(const struct tn_error_info *info, char *text, size_t size)
{
  if (info->file[0] == '\0')
    (void)snprintf(text, size, "plug-in");
  else
    (void)snprintf(text, size, "%s:%u", info->file, (unsigned)info->line);
}

static void
print_code(const struct tn_error_info *info, char *text, size_t size)
{
  if (info->native != 0)
    (void)snprintf(text, size, "%d", (int)info->native);
  else
    (void)snprintf(text, size, "%s", info->sqlstate);
}

/* ---- explain ---- */

/* How well a row fits what was asked for; the best are shown. */
enum fit { FIT_NONE, FIT_CLASS, FIT_SQLSTATE, FIT_NAME, FIT_NATIVE };

struct search {
  struct cli *cli;
  const char *wanted;
  enum fit best;
  bool is_printing;
  enum tn_code rc;
  tn_err *err;
};

static bool
is_number(const char *text, int32_t *ret)
{
  char *end;
  long number = strtol(text, &end, 10);

  *ret = (int32_t)number;
  return *text != '\0' && *end == '\0' && number != 0 &&
         labs(number) < INT32_MAX;
}

/* The name as the backend has it, or without what its names begin with. */
static bool
is_name(const char *name, const char *wanted)
{
  size_t size = strcspn(name, " ");
  const char *rest = memchr(name, '_', size);

  if (strlen(wanted) == size && strncasecmp(name, wanted, size) == 0)
    return true;
  if (rest == NULL)
    return false;
  rest++;
  size -= (size_t)(rest - name);
  return strlen(wanted) == size && strncasecmp(rest, wanted, size) == 0;
}

static enum fit
fit_of(const struct tn_error_info *info, const char *wanted)
{
  int32_t number;

  if (info->native != 0 && is_number(wanted, &number) && info->native == number)
    return FIT_NATIVE;
  if (is_name(info->name, wanted))
    return FIT_NAME;
  if (info->native != 0)
    return FIT_NONE;
  if (strcasecmp(info->sqlstate, wanted) == 0)
    return FIT_SQLSTATE;
  return strlen(info->sqlstate) == 2 && strlen(wanted) == 5 &&
                 strncasecmp(info->sqlstate, wanted, 2) == 0
             ? FIT_CLASS
             : FIT_NONE;
}

/* The names of a set of fields, as they are called in tn_err. */
static void
print_fields(uint32_t set, char *text, size_t size)
{
  static const struct {
    enum tn_err_field field;
    const char *name;
  } fields[] = {
    { TN_ERR_SCHEMA, "schema" },
    { TN_ERR_TABLE, "table" },
    { TN_ERR_COLUMN, "columns" },
    { TN_ERR_CONSTRAINT, "constraint" },
    { TN_ERR_KEY, "key" },
    { TN_ERR_VALUE, "value" },
    { TN_ERR_KEY_TABLE, "key_table" },
  };
  size_t used = 0;
  size_t i;

  text[0] = '\0';
  for (i = 0; i < COUNT(fields); i++)
    if ((set & TN_ERR_BIT(fields[i].field)) != 0)
      used += (size_t)snprintf(text + used, size - used, "%s%s",
                               used > 0 ? ", " : "", fields[i].name);
}

static enum tn_code
print_row(struct cli *cli, const struct tn_error_info *info, tn_err *err)
{
  static const struct output_column columns[] = { { "field", TN_TEXT },
                                                  { "value", TN_TEXT } };
  char code[32];
  char origin[512];
  char sets[3][80];
  const char *const fields[][2] = {
    { "code", code },
    { "name", info->name },
    { "category", tn_code_name(info->category) },
    { "meaning", tn_code_summary(info->category) },
    { "connection", tn_connection_verdict_name(info->connection) },
    { "replay", tn_replay_verdict_name(info->replay) },
    { "protocol", sets[0] },
    { "message", sets[1] },
    { "catalogue", sets[2] },
    { "said by", origin },
  };
  enum tn_code rc;
  size_t i;

  print_fields(info->protocol, sets[0], sizeof sets[0]);
  print_fields(info->message, sets[1], sizeof sets[1]);
  print_fields(info->catalogue, sets[2], sizeof sets[2]);
  print_code(info, code, sizeof code);
  print_origin(info, origin, sizeof origin);
  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  for (i = 0; rc == TN_OK && i < COUNT(fields); i++) {
    const tn_value row[] = { tn_text(fields[i][0]), tn_text(fields[i][1]) };

    rc = output_row(&cli->out, row, err);
  }
  return output_finish(&cli->out, rc, err);
}

/* First the best fit is found, then all that fit so are shown. */
static void
look_at(const struct tn_error_info *info, void *user)
{
  struct search *search = user;
  enum fit fit = fit_of(info, search->wanted);

  if (!search->is_printing) {
    if (fit > search->best)
      search->best = fit;
  } else if (search->rc == TN_OK && fit == search->best) {
    search->rc = print_row(search->cli, info, search->err);
  }
}

enum tn_code
cmd_errors_explain(struct cli *cli, tn_err *err)
{
  const char *backend = cli->args[0];
  struct search search = { .cli = cli, .wanted = cli->args[1], .err = err };
  enum tn_code rc = cli_need_registry(cli, err);

  if (rc == TN_OK)
    rc = tn_registry_errors(cli->registry, backend, look_at, &search, err);
  if (rc != TN_OK)
    return rc;
  if (search.best == FIT_NONE)
    return tn_err_set(err, TN_E_USAGE,
                      "errors explain: %s has no row for \"%.40s\": such an "
                      "error is judged by its SQLSTATE, else it is \"other\"; "
                      "tenon errors list %s has all rows",
                      backend, search.wanted, backend);
  search.is_printing = true;
  rc = tn_registry_errors(cli->registry, backend, look_at, &search, err);
  return rc == TN_OK ? search.rc : rc;
}

/* ---- list ---- */

struct listing {
  struct cli *cli;
  const char *backend;
  enum tn_code rc;
  tn_err *err;
};

static enum tn_code
add_row(struct listing *listing, const struct tn_error_info *info)
{
  char code[32];
  char origin[512];
  tn_value row[7];

  print_code(info, code, sizeof code);
  print_origin(info, origin, sizeof origin);
  row[0] = tn_text(listing->backend);
  row[1] = tn_text(code);
  row[2] = tn_text(info->name);
  row[3] = tn_text(tn_code_name(info->category));
  row[4] = tn_text(tn_connection_verdict_name(info->connection));
  row[5] = tn_text(tn_replay_verdict_name(info->replay));
  row[6] = tn_text(origin);
  return output_row(&listing->cli->out, row, listing->err);
}

static void
list_row(const struct tn_error_info *info, void *user)
{
  struct listing *listing = user;

  if (listing->rc == TN_OK)
    listing->rc = add_row(listing, info);
}

static enum tn_code
list_backend(struct listing *listing, const char *backend)
{
  enum tn_code rc;

  listing->backend = backend;
  rc = tn_registry_errors(listing->cli->registry, backend, list_row, listing,
                          listing->err);
  return rc == TN_OK ? listing->rc : rc;
}

static enum tn_code
list_all(struct listing *listing)
{
  TN_CLEANUP(reports_clear) struct reports reports = { .items = NULL };
  enum tn_code rc = reports_get(listing->cli, 1, &reports, listing->err);
  size_t i;

  for (i = 0; rc == TN_OK && i < reports.count; i++)
    if (reports.items[i].state == TN_PLUGIN_LOADED)
      rc = list_backend(listing, reports.items[i].name);
  return rc;
}

enum tn_code
cmd_errors_list(struct cli *cli, tn_err *err)
{
  static const struct output_column columns[] = {
    { "backend", TN_TEXT },  { "code", TN_TEXT },       { "name", TN_TEXT },
    { "category", TN_TEXT }, { "connection", TN_TEXT }, { "replay", TN_TEXT },
    { "said by", TN_TEXT },
  };
  struct listing listing = { .cli = cli, .err = err };
  struct tn_plugin_report report = { .name = NULL };
  enum tn_code rc = cli_need_registry(cli, err);

  /* No header of a table that cannot come. */
  if (rc == TN_OK && cli->arg_count > 0)
    rc = tn_registry_inspect(cli->registry, cli->args[0], &report, err);
  if (rc == TN_OK)
    rc = output_begin(&cli->out, columns, COUNT(columns), err);
  if (rc != TN_OK)
    return rc;
  rc = cli->arg_count > 0 ? list_backend(&listing, report.name)
                          : list_all(&listing);
  return output_finish(&cli->out, rc, err);
}
