/* tenon config: what is configured, where each value came from, and what is
 * wrong with it. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct output_column columns[] = {
  { "database", TN_TEXT }, { "key", TN_TEXT },    { "value", TN_TEXT },
  { "unit", TN_TEXT },     { "origin", TN_TEXT },
};

static const char *const units[] = {
  [TN_UNIT_TEXT] = "text",       [TN_UNIT_BOOL] = "bool",
  [TN_UNIT_COUNT] = "count",     [TN_UNIT_SECONDS] = "seconds",
  [TN_UNIT_PERCENT] = "percent", [TN_UNIT_CHOICE] = "choice",
};

static const char hidden[] = "***";

static void
free_text(char **text)
{
  free(*text);
  *text = NULL;
}

/* A secret as it may be seen: a URL without its password, else nothing of it.
 * `*ret_owned` is released with free(). */
static enum tn_code
mask(const char *secret, char **ret_owned, const char **ret, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  size_t size;

  *ret = hidden;
  if (strstr(secret, "://") == NULL ||
      tn_url_parse(secret, &url, NULL) != TN_OK)
    return TN_OK;
  size = tn_url_print(url, 0, NULL, 0) + 1;
  *ret_owned = malloc(size);
  if (*ret_owned == NULL)
    return tn_err_set(err, TN_E_MEMORY, "config: out of memory");
  (void)tn_url_print(url, 0, *ret_owned, size);
  *ret = *ret_owned;
  return TN_OK;
}

/* A secret that is not where it should be does not hide the rest: its value is
 * null, and the failure is told in the end. Further ones are details of the
 * first. */
struct showing {
  struct cli *cli;
  enum tn_code failure;
  tn_err cause;
};

static enum tn_code
find_value(struct showing *showing, const char *database, const char *key,
           const char **ret, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;
  enum tn_code rc =
      tn_config_text(showing->cli->config, database, key, ret, &cause);

  if (rc == TN_OK)
    return TN_OK;
  if (rc == TN_E_MEMORY) {
    *err = cause;
    return rc;
  }
  *ret = NULL;
  if (showing->failure != TN_OK) {
    tn_err_add(&showing->cause, TN_ERR_DETAIL, cause.message);
    return TN_OK;
  }
  showing->failure = rc;
  showing->cause = cause;
  return TN_OK;
}

static enum tn_code
print_key(struct showing *showing, const char *database,
          const struct tn_config_row *row, tn_err *err)
{
  TN_CLEANUP(free_text) char *masked = NULL;
  struct cli *cli = showing->cli;
  const char *value = NULL;
  tn_value cells[COUNT(columns)];
  enum tn_code rc = find_value(showing, database, row->key, &value, err);

  if (rc == TN_OK && row->is_secret && value != NULL)
    rc = mask(value, &masked, &value, err);
  if (rc != TN_OK)
    return rc;
  cells[0] = tn_text(database);
  cells[1] = tn_text(row->key);
  cells[2] = tn_text(value);
  cells[3] = tn_text(row->unit < COUNT(units) ? units[row->unit] : NULL);
  cells[4] = tn_text(tn_config_origin(cli->config, database, row->key));
  return output_row(&cli->out, cells, err);
}

static enum tn_code
print_database(struct showing *showing, const char *database, tn_err *err)
{
  const struct tn_config_row *row;
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && (row = tn_config_row(i)) != NULL; i++)
    rc = print_key(showing, database, row, err);
  return rc;
}

/* The one database that was asked for, or NULL. A '@' in front is how a target
 * has it. */
static const char *
wanted_database(const struct cli *cli)
{
  if (cli->arg_count == 0)
    return NULL;
  return cli->args[0] + (cli->args[0][0] == '@');
}

static enum tn_code
print_databases(struct showing *showing, tn_err *err)
{
  const struct cli *cli = showing->cli;
  const char *name = wanted_database(cli);
  enum tn_code rc = TN_OK;
  size_t i;

  if (name != NULL)
    return print_database(showing, name, err);
  for (i = 0;
       rc == TN_OK && (name = tn_config_database(cli->config, i)) != NULL; i++)
    rc = print_database(showing, name, err);
  return rc;
}

enum tn_code
cmd_config_show(struct cli *cli, tn_err *err)
{
  struct showing showing = { .cli = cli, .cause = TN_ERR_INIT };
  enum tn_code rc = cli_need_config(cli, err);
  const char *value = NULL;

  /* Before the first line is written: is there such a database? */
  if (rc == TN_OK && wanted_database(cli) != NULL)
    rc = tn_config_text(cli->config, wanted_database(cli), "max_retries",
                        &value, err);
  if (rc != TN_OK)
    return rc;
  rc = output_begin(&cli->out, columns, COUNT(columns), err);
  if (rc == TN_OK)
    rc = print_databases(&showing, err);
  rc = output_finish(&cli->out, rc, err);
  if (rc != TN_OK || showing.failure == TN_OK)
    return rc;
  *err = showing.cause;
  return showing.failure;
}

/* Would an engine take it? Its plug-in is loaded for that and looks at the
 * options of the URL; nothing is connected. */
static enum tn_code
try_engine(struct cli *cli, const char *target, tn_err *err)
{
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  enum tn_code rc = cli_need_registry(cli, err);

  options.registry = cli->registry;
  options.config = cli->config;
  options.log = &cli->log;
  return rc == TN_OK ? tn_engine_open(target, &options, &engine, err) : rc;
}

/* Say in front of a URL's error whose URL it is. The one of the database itself
 * is tried by name, with all that is configured for it. */
static enum tn_code
check_url(struct cli *cli, const char *database, const char *key, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  const char *text = NULL;
  char name[80]; /* 64 bytes and an '@' */
  tn_err cause = TN_ERR_INIT;
  enum tn_code rc = tn_config_text(cli->config, database, key, &text, err);

  if (rc != TN_OK || text == NULL || text[0] == '\0')
    return rc;
  snprintf(name, sizeof name, "@%s", database);
  rc = tn_url_parse(text, &url, &cause);
  if (rc == TN_OK)
    rc = try_engine(cli, strcmp(key, "connection") == 0 ? name : text, &cause);
  if (rc == TN_OK)
    return TN_OK;
  tn_err_set(err, rc, "%s: %s of \"%s\": %s",
             tn_config_origin(cli->config, database, key), key, database,
             cause.message);
  tn_err_add(err, TN_ERR_DETAIL, cause.detail);
  return rc;
}

/* Reading it has told of every wrong line; what is left are secrets that are
 * looked up when they are needed, and what only engines and plug-ins know. */
static enum tn_code
check_database(struct cli *cli, const char *database, tn_err *err)
{
  const struct tn_config_row *row;
  const char *value = NULL;
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && (row = tn_config_row(i)) != NULL; i++)
    rc = tn_config_text(cli->config, database, row->key, &value, err);
  if (rc == TN_OK)
    rc = check_url(cli, database, "connection", err);
  if (rc == TN_OK)
    rc = check_url(cli, database, "slave_connection", err);
  return rc;
}

static enum tn_code
print_files(struct cli *cli, tn_err *err)
{
  static const struct output_column file_columns[] = { { "file", TN_TEXT } };
  const char *file;
  enum tn_code rc;
  tn_value cell;
  size_t i;

  rc = output_begin(&cli->out, file_columns, 1, err);
  for (i = 0; rc == TN_OK && (file = tn_config_file(cli->config, i)) != NULL;
       i++) {
    cell = tn_text(file);
    rc = output_row(&cli->out, &cell, err);
  }
  return output_finish(&cli->out, rc, err);
}

static void
say_ok(const struct cli *cli)
{
  const char *file;
  size_t i;

  fputs("ok:", cli->out.stream);
  for (i = 0; (file = tn_config_file(cli->config, i)) != NULL; i++)
    fprintf(cli->out.stream, "%s %s", i == 0 ? "" : ",", file);
  fputs(i == 0 ? " there is no file, all values are defaults\n" : "\n",
        cli->out.stream);
}

enum tn_code
cmd_config_check(struct cli *cli, tn_err *err)
{
  enum tn_code rc = cli_need_config(cli, err);
  const char *name;
  size_t i;

  if (rc != TN_OK)
    return rc;
  for (i = 0;
       rc == TN_OK && (name = tn_config_database(cli->config, i)) != NULL; i++)
    rc = check_database(cli, name, err);
  if (rc != TN_OK)
    return rc;
  if (cli->out.writer != &output_table)
    return print_files(cli, err);
  say_ok(cli);
  return TN_OK;
}
