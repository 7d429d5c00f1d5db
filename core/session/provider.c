/* A provider is an engine that was found by name; a worker is a list of
 * sessions; a session is a transaction that is begun when it is needed. */
#include <tenon/provider.h>

#include <stdio.h>
#include <string.h>

#include "base_priv.h"
#include "session_priv.h"

struct tn_provider {
  tn_engine *engine;
};

struct tn_session {
  tn_worker *worker;
  tn_session *next; /* of the worker, in the order of their making */
  struct tn_session_options options;
  tn_txn *txn;     /* NULL: none is open */
  bool is_running; /* a function, which must not end it */
};

struct tn_worker {
  tn_provider *provider;
  const char *label;
  tn_session *own; /* NULL: nobody has asked */
  tn_session *sessions;
};

/* ---- of a service ---- */

/* "@SERVICE.BASE" if there is such a database, else "@SERVICE". */
static enum tn_code
find_target(const struct tn_provider_options *options, char *target,
            size_t size, tn_err *err)
{
  const tn_config *config = options->engine.config;
  const char *dot = options->base != NULL ? "." : "";
  const char *base = options->base != NULL ? options->base : "";
  int length = snprintf(target, size, "@%s%s%s", options->service, dot, base);

  if (length < 0 || (size_t)length >= size)
    return tn_err_set(err, TN_E_USAGE,
                      "provider: service \"%.64s\": its name is too long",
                      options->service);
  if (tn_config_origin(config, target + 1, "connection") != NULL)
    return TN_OK;
  target[1 + strlen(options->service)] = '\0';
  if (tn_config_origin(config, target + 1, "connection") != NULL)
    return TN_OK;
  if (options->base == NULL)
    return tn_err_set(err, TN_E_NOT_FOUND,
                      "provider: service \"%s\" has no database: there is no "
                      "section [database:%s]",
                      options->service, options->service);
  return tn_err_set(err, TN_E_NOT_FOUND,
                    "provider: service \"%s\" has no database \"%s\": there is "
                    "neither a section [database:%s.%s] nor [database:%s]",
                    options->service, base, options->service, base,
                    options->service);
}

static enum tn_code
check_options(const struct tn_provider_options *options, tn_err *err)
{
  if (options == NULL || options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "provider: begin the options with "
                      "TN_PROVIDER_OPTIONS_INIT");
  if (options->service == NULL || options->service[0] == '\0')
    return tn_err_set(err, TN_E_USAGE, "provider: no service is named");
  if (options->engine.config == NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "provider: service \"%.64s\": no configuration to find "
                      "its database in",
                      options->service);
  return TN_OK;
}

enum tn_code
tn_provider_open(const struct tn_provider_options *options, tn_provider **ret,
                 tn_err *err)
{
  char target[256];
  tn_provider *provider;
  enum tn_code rc = check_options(options, err);

  if (rc == TN_OK)
    rc = find_target(options, target, sizeof target, err);
  if (rc != TN_OK)
    return rc;
  provider = tn_memory_zalloc(sizeof *provider);
  if (provider == NULL)
    return tn_err_memory(err, "provider");
  rc = tn_engine_open(target, &options->engine, &provider->engine, err);
  if (rc == TN_OK)
    *ret = provider;
  else
    tn_provider_close(&provider);
  return rc;
}

tn_engine *
tn_provider_engine(tn_provider *provider)
{
  return provider->engine;
}

void
tn_provider_close(tn_provider **provider)
{
  tn_provider *closed = provider != NULL ? *provider : NULL;

  if (closed == NULL)
    return;
  *provider = NULL;
  tn_engine_close(&closed->engine);
  tn_memory_free(closed);
}

/* ---- sessions ---- */

/* Copy them, or the usual ones for NULL. */
static enum tn_code
read_options(const struct tn_session_options *options,
             struct tn_session_options *ret, tn_err *err)
{
  static const struct tn_session_options usual = TN_SESSION_OPTIONS_INIT;

  if (options == NULL)
    options = &usual;
  if (options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "session: begin the options with "
                      "TN_SESSION_OPTIONS_INIT");
  *ret = *options;
  return TN_OK;
}

static enum tn_code
make_session(tn_worker *worker, const struct tn_session_options *options,
             tn_session **ret, tn_err *err)
{
  struct tn_session_options own = TN_SESSION_OPTIONS_INIT;
  tn_session *session;
  enum tn_code rc = read_options(options, &own, err);

  if (rc != TN_OK)
    return rc;
  session = tn_memory_zalloc(sizeof *session);
  if (session == NULL)
    return tn_err_memory(err, "session");
  session->worker = worker;
  session->options = own;
  *ret = session;
  return TN_OK;
}

enum tn_code
tn_session_txn(tn_session *session, tn_txn **ret, tn_err *err)
{
  const struct tn_loan loan = { .label = session->worker->label };
  enum tn_code rc = TN_OK;

  if (session->txn == NULL)
    rc = tn_txn_take(session->worker->provider->engine, &loan,
                     &session->options.txn, &session->txn, err);
  if (rc == TN_OK)
    *ret = session->txn;
  return rc;
}

static enum tn_code
require_idle(const tn_session *session, tn_err *err)
{
  return session->is_running
             ? tn_err_set(err, TN_E_STATE,
                          "session: it runs a function, whose end commits or "
                          "rolls back; nest with tn_run_in()")
             : TN_OK;
}

static enum tn_code
commit(tn_session *session, tn_err *err)
{
  enum tn_code rc;

  if (session->txn == NULL)
    return TN_OK;
  rc = tn_txn_commit(session->txn, err);
  if (rc != TN_E_BUSY)
    tn_txn_end(&session->txn);
  return rc;
}

enum tn_code
tn_session_commit(tn_session *session, tn_err *err)
{
  enum tn_code rc = require_idle(session, err);

  return rc == TN_OK ? commit(session, err) : rc;
}

enum tn_code
tn_session_rollback(tn_session *session, tn_err *err)
{
  enum tn_code rc = require_idle(session, err);

  if (rc != TN_OK || session->txn == NULL)
    return rc;
  rc = tn_txn_rollback(session->txn, err);
  tn_txn_end(&session->txn);
  return rc;
}

/* After the rollback. What the transaction had done before `call` is undone
 * too, so that `call` can be run again by itself only if it had begun it. */
static void
settle(tn_err *err, bool is_whole)
{
  if (is_whole)
    tn_run__settle(err);
  else if (err->connection == TN_CONNECTION_ABORTED)
    tn_err_verdicts(err, TN_CONNECTION_USABLE, 0);
}

enum tn_code
tn_session_run(tn_session *session, tn_run_fn call, void *user, tn_err *err)
{
  bool is_whole;
  tn_err own = TN_ERR_INIT;
  tn_txn *txn = NULL;
  enum tn_code rc;

  if (session == NULL || call == NULL)
    return tn_err_set(err, TN_E_USAGE, "session: %s is NULL",
                      call == NULL ? "the function" : "it");
  rc = require_idle(session, err);
  if (rc != TN_OK)
    return rc;
  is_whole = session->txn == NULL;
  if (err == NULL)
    err = &own;
  tn_err_clear(err);
  rc = tn_session_txn(session, &txn, err);
  if (rc == TN_OK) {
    session->is_running = true;
    rc = tn_run__judge(txn, call(txn, user, err), err);
    session->is_running = false;
  }
  if (rc == TN_OK)
    rc = commit(session, err);
  if (rc != TN_OK) {
    tn_txn_end(&session->txn);
    settle(err, is_whole);
  }
  return rc;
}

/* Fails: as its rollback did. */
static enum tn_code
close_session(tn_session *session, tn_err *err)
{
  enum tn_code rc = tn_session_rollback(session, err);

  tn_memory_free(session);
  return rc;
}

void
tn_session_close(tn_session **session)
{
  tn_session *closed = session != NULL ? *session : NULL;
  tn_session **at;

  if (closed == NULL || closed->is_running)
    return;
  *session = NULL;
  if (closed == closed->worker->own)
    closed->worker->own = NULL;
  for (at = &closed->worker->sessions; *at != NULL; at = &(*at)->next)
    if (*at == closed) {
      *at = closed->next;
      break;
    }
  (void)close_session(closed, NULL);
}

/* ---- of a request ---- */

enum tn_code
tn_worker_begin(tn_provider *provider, const char *label, tn_worker **ret,
                tn_err *err)
{
  tn_worker *worker = tn_memory_zalloc(sizeof *worker);

  if (worker == NULL)
    return tn_err_memory(err, "worker");
  worker->provider = provider;
  worker->label = label != NULL ? label : "worker";
  *ret = worker;
  return TN_OK;
}

enum tn_code
tn_worker_open(tn_worker *worker, const struct tn_session_options *options,
               tn_session **ret, tn_err *err)
{
  tn_session *session = NULL;
  tn_session **at = &worker->sessions;
  enum tn_code rc = make_session(worker, options, &session, err);

  if (rc != TN_OK)
    return rc;
  while (*at != NULL)
    at = &(*at)->next;
  *at = session;
  *ret = session;
  return TN_OK;
}

enum tn_code
tn_worker_session(tn_worker *worker, tn_session **ret, tn_err *err)
{
  enum tn_code rc = TN_OK;

  if (worker->own == NULL)
    rc = make_session(worker, NULL, &worker->own, err);
  if (rc == TN_OK)
    *ret = worker->own;
  return rc;
}

enum tn_code
tn_worker_run(tn_worker *worker, const struct tn_session_options *options,
              tn_run_fn call, void *user, tn_err *err)
{
  struct tn_run_options run = TN_RUN_OPTIONS_INIT;
  struct tn_retry once = TN_RETRY_INIT;
  struct tn_session_options own = TN_SESSION_OPTIONS_INIT;
  enum tn_code rc = read_options(options, &own, err);

  if (rc != TN_OK)
    return rc;
  once.max_attempts = 1;
  run.retry = own.retry != NULL ? own.retry : &once;
  run.label = worker->label;
  run.txn = own.txn;
  return tn_run(worker->provider->engine, &run, call, user, err);
}

static enum tn_code
require_all_idle(const tn_worker *worker, tn_err *err)
{
  const tn_session *session;
  enum tn_code rc =
      worker->own != NULL ? require_idle(worker->own, err) : TN_OK;

  for (session = worker->sessions; rc == TN_OK && session != NULL;
       session = session->next)
    rc = require_idle(session, err);
  return rc;
}

enum tn_code
tn_worker_end(tn_worker **worker, tn_err *err)
{
  tn_worker *ended = worker != NULL ? *worker : NULL;
  enum tn_code first = TN_OK;
  tn_session *session;

  if (ended == NULL)
    return TN_OK;
  first = require_all_idle(ended, err);
  if (first != TN_OK)
    return first;
  *worker = NULL;
  if (ended->own != NULL)
    first = close_session(ended->own, err);
  while ((session = ended->sessions) != NULL) {
    enum tn_code rc;

    ended->sessions = session->next;
    rc = close_session(session, first == TN_OK ? err : NULL);
    first = first == TN_OK ? rc : first;
  }
  tn_memory_free(ended);
  return first;
}
