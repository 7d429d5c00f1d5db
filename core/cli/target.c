/* From what stands on the command line to an open connection. Secrets are
 * looked up here and wiped here. */
#include "cli.h"

#include <string.h>

enum tn_code
cli_need_config(struct cli *cli, tn_err *err)
{
  if (cli->config != NULL)
    return TN_OK;
  return tn_config_load(cli->options[OPTION_CONFIG], &cli->log, &cli->config,
                        err);
}

enum tn_code
cli_need_registry(struct cli *cli, tn_err *err)
{
  const struct tn_registry_options options = {
    .extra_dirs = (const char *const *)cli->plugin_dirs,
    .log = &cli->log,
  };

  if (cli->registry != NULL)
    return TN_OK;
  return tn_registry_new(&options, &cli->registry, err);
}

enum tn_code
target_url(const char *text, tn_url **ret, tn_err *err)
{
  TN_CLEANUP(tn_secret_free) char *looked_up = NULL;
  enum tn_code rc;

  if (strncmp(text, "env:", 4) != 0 && strncmp(text, "file:", 5) != 0)
    rc = tn_url_parse(text, ret, err);
  else
    rc = tn_secret_resolve(text, &looked_up, err);
  if (looked_up != NULL)
    rc = tn_url_parse(looked_up, ret, err);
  return rc;
}

/* A name that the configuration does not have is its fault, not a server's. */
static enum tn_code
check_name(struct cli *cli, const char *name, tn_err *err)
{
  const char *connection = NULL;

  if (cli->options[OPTION_PASSWORD] != NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "--password: \"@%.64s\" takes it from its "
                      "configuration; set password = file:PATH or env:NAME "
                      "there",
                      name);
  return tn_config_text(cli->config, name, "connection", &connection, err);
}

static enum tn_code
open_named(struct cli *cli, const char *target,
           const struct tn_conn_options *options, tn_conn **ret, tn_err *err)
{
  enum tn_code rc = check_name(cli, target + 1, err);

  if (rc != TN_OK)
    return rc;
  cli->stage = STAGE_OPEN;
  return tn_conn_open(target, options, ret, err);
}

static enum tn_code
open_url(struct cli *cli, char *target, const struct tn_conn_options *options,
         tn_conn **ret, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  enum tn_code rc = target_url(target, &url, err);

  explicit_bzero(target, strlen(target));
  if (rc == TN_OK && cli->options[OPTION_PASSWORD] != NULL)
    rc = password_give(cli->options[OPTION_PASSWORD], url, err);
  if (rc != TN_OK)
    return rc;
  cli->stage = STAGE_OPEN;
  return tn_conn_open_url(url, options, ret, err);
}

enum tn_code
target_open(struct cli *cli, char *target, uint64_t timeout_ms, tn_conn **ret,
            tn_err *err)
{
  struct tn_conn_options options = {
    .deadline = cli->deadline,
    .timeout_ms = timeout_ms,
    .log = &cli->log,
  };
  enum tn_code rc = cli_need_registry(cli, err);

  if (rc == TN_OK && (target[0] == '@' || cli->options[OPTION_CONFIG] != NULL))
    rc = cli_need_config(cli, err);
  if (rc != TN_OK)
    return rc;
  options.registry = cli->registry;
  options.config = cli->config;
  if (target[0] == '@')
    rc = open_named(cli, target, &options, ret, err);
  else
    rc = open_url(cli, target, &options, ret, err);
  if (rc == TN_OK)
    cli->stage = STAGE_STATEMENT;
  return rc;
}
