/* From what stands on the command line to an open connection, or an engine.
 * Secrets are looked up here and wiped here. */
#include "cli.h"

#include <stdlib.h>
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

/* The URL that `target` is or leads to, which is wiped, with its password. */
static enum tn_code
take_url(const struct cli *cli, char *target, tn_url **ret, tn_err *err)
{
  enum tn_code rc = target_url(target, ret, err);

  explicit_bzero(target, strlen(target));
  if (rc == TN_OK && cli->options[OPTION_PASSWORD] != NULL)
    rc = password_give(cli->options[OPTION_PASSWORD], *ret, err);
  return rc;
}

/* A password, in a URL that names no user and no host: who reads the URL would
 * not find it there. */
static bool
has_only_password(const tn_url *url)
{
  return tn_url_password(url) != NULL && tn_url_user(url)[0] == '\0' &&
         tn_url_host_count(url) == 0;
}

static enum tn_code
open_url(struct cli *cli, char *target, const struct tn_conn_options *options,
         tn_conn **ret, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  enum tn_code rc = take_url(cli, target, &url, err);

  if (rc != TN_OK)
    return rc;
  cli->stage = STAGE_OPEN;
  rc = tn_conn_open_url(url, options, ret, err);
  if (rc == TN_E_CONFIG && cli->options[OPTION_PASSWORD] != NULL &&
      has_only_password(url))
    tn_err_add(err, TN_ERR_DETAIL, "the password is that of --password");
  return rc;
}

/* What the connections to `target` are made with. */
static enum tn_code
need_all(struct cli *cli, const char *target, tn_err *err)
{
  enum tn_code rc = cli_need_registry(cli, err);

  if (rc == TN_OK && (target[0] == '@' || cli->options[OPTION_CONFIG] != NULL))
    rc = cli_need_config(cli, err);
  return rc;
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
  enum tn_code rc = need_all(cli, target, err);

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

void
target_warn_of_txn(const struct cli *cli, const tn_conn *conn)
{
  if (tn_conn_txn_state(conn) == TN_TXN_OPEN)
    tn_log_write(
        &cli->log, TN_LOG_WARNING,
        "%s: a transaction is still open at the end, so what it did is "
        "rolled back; COMMIT keeps it",
        cli->command->words);
}

/* An engine takes its target as a text. */
static enum tn_code
engine_of_url(struct cli *cli, char *target,
              const struct tn_engine_options *options, tn_engine **ret,
              tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  enum tn_code rc = take_url(cli, target, &url, err);
  char *text;
  size_t size;

  if (rc != TN_OK)
    return rc;
  size = tn_url_print(url, TN_URL_PASSWORD, NULL, 0) + 1;
  text = malloc(size);
  if (text == NULL)
    return tn_err_set(err, TN_E_MEMORY, "target: out of memory");
  (void)tn_url_print(url, TN_URL_PASSWORD, text, size);
  cli->stage = STAGE_OPEN;
  rc = tn_engine_open(text, options, ret, err);
  explicit_bzero(text, size);
  free(text);
  return rc;
}

enum tn_code
target_engine(struct cli *cli, char *target, tn_wait_fn wait, void *wait_user,
              tn_engine **ret, tn_err *err)
{
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  enum tn_code rc = need_all(cli, target, err);

  options.registry = cli->registry;
  options.config = cli->config;
  options.log = &cli->log;
  options.wait = wait;
  options.wait_user = wait_user;
  if (rc == TN_OK && target[0] != '@')
    return engine_of_url(cli, target, &options, ret, err);
  if (rc == TN_OK)
    rc = check_name(cli, target + 1, err);
  if (rc != TN_OK)
    return rc;
  cli->stage = STAGE_OPEN;
  return tn_engine_open(target, &options, ret, err);
}
