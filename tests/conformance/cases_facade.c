/* Readers and writers of a facade, and the sessions of a service's workers. */
#include <string.h>

#include "suite.h"

/* A facade of the database under test, with an empty table tn_facade. */
struct stage {
  struct suite *suite;
  tn_facade *facade;
  tn_context *context;
  tn_engine *engine;
  uint32_t flags; /* of a scope inside */
};

static void
clear(struct stage *stage)
{
  tn_err err = TN_ERR_INIT;

  if (stage->engine != NULL)
    CHECK_CODE(
        stage->suite,
        tn_engine_exec(stage->engine, "DROP TABLE tn_facade", NULL, &err),
        TN_OK, &err, "drop");
  tn_context_close(&stage->context);
  tn_facade_close(&stage->facade);
}

/* False: none is owed, or after a failed check. */
static bool
prepare(struct stage *stage, struct suite *suite, const char *option)
{
  struct tn_facade_options options = TN_FACADE_OPTIONS_INIT;
  const struct tn_setting setting = { option, "true" };
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  stage->suite = suite;
  if (!suite_owes(suite, TN_CAP_TRANSACTION | TN_CAP_WRITE | TN_CAP_DDL))
    return false;
  options.target = suite->url;
  options.engine.registry = suite->registry;
  options.engine.settings = &setting;
  options.engine.setting_count = option != NULL;
  rc = tn_facade_open(&options, &stage->facade, &err);
  if (rc == TN_OK)
    rc = tn_context_open(0, &stage->context, &err);
  if (rc == TN_OK)
    rc = tn_facade_engine(stage->facade, TN_SCOPE_WRITER, &stage->engine, &err);
  if (rc == TN_OK)
    rc = tn_engine_exec(stage->engine, "DROP TABLE IF EXISTS tn_facade", NULL,
                        &err);
  if (rc == TN_OK)
    rc = tn_engine_exec(stage->engine, "CREATE TABLE tn_facade (v INTEGER)",
                        NULL, &err);
  return CHECK_CODE(suite, rc, TN_OK, &err, "set-up");
}

static int64_t
count(struct stage *stage)
{
  TN_CLEANUP(tn_pool_give) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(stage->suite,
                  tn_engine_take(stage->engine, NULL, &conn, &err), TN_OK, &err,
                  "take"))
    return -1;
  return suite_number(stage->suite, conn, "SELECT count(*) FROM tn_facade");
}

static enum tn_code
insert(tn_conn *conn, tn_err *err)
{
  return tn_conn_exec(conn, "INSERT INTO tn_facade VALUES (1)", NULL, err);
}

/* tn_scope_fn */
static enum tn_code
write_one(tn_scope *scope, void *user, tn_err *err)
{
  (void)user;
  return insert(tn_scope_conn(scope), err);
}

/* tn_scope_fn: one row, then what fails. */
static enum tn_code
write_half(tn_scope *scope, void *user, tn_err *err)
{
  enum tn_code rc = insert(tn_scope_conn(scope), err);

  (void)user;
  return rc == TN_OK ? tn_err_set(err, TN_E_NOT_FOUND, "half is done") : rc;
}

/* tn_scope_fn: has half of it done in a scope with the stage's flags, and goes
 * on as if nothing had been. */
static enum tn_code
hide_half(tn_scope *scope, void *user, tn_err *err)
{
  struct stage *stage = user;
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  enum tn_code rc = insert(tn_scope_conn(scope), err);

  how.mode = TN_SCOPE_WRITER;
  how.flags = stage->flags;
  if (rc == TN_OK)
    CHECK_CODE(stage->suite,
               tn_scope_run(stage->facade, stage->context, &how, write_half,
                            NULL, err),
               TN_E_NOT_FOUND, err, "the half");
  tn_err_clear(err);
  return rc;
}

/* tn_scope_fn */
static enum tn_code
nest(tn_scope *scope, void *user, tn_err *err)
{
  struct stage *stage = user;
  enum tn_code rc = insert(tn_scope_conn(scope), err);

  return rc == TN_OK
             ? tn_write(stage->facade, stage->context, write_one, NULL, err)
             : rc;
}

static void
scopes_share_a_transaction(struct suite *suite)
{
  TN_CLEANUP(clear) struct stage stage = { .facade = NULL };
  tn_err err = TN_ERR_INIT;

  if (!prepare(&stage, suite, NULL))
    return;
  CHECK_CODE(suite, tn_write(stage.facade, stage.context, nest, &stage, &err),
             TN_OK, &err, "nested");
  CHECK(suite, count(&stage) == 2, "both are there");
  CHECK_CODE(suite,
             tn_write(stage.facade, stage.context, write_half, NULL, &err),
             TN_E_NOT_FOUND, &err, "half");
  CHECK(suite, count(&stage) == 2, "nothing is left of what failed");
}

static void
nothing_is_committed_by_half(struct suite *suite)
{
  TN_CLEANUP(clear) struct stage stage = { .facade = NULL };
  tn_err err = TN_ERR_INIT;

  if (!prepare(&stage, suite, NULL))
    return;
  CHECK_CODE(suite,
             tn_write(stage.facade, stage.context, hide_half, &stage, &err),
             TN_E_STATE, &err, "what hides a half");
  CHECK(suite, count(&stage) == 0, "the half was committed");
  if (!has_cap(suite, TN_CAP_SAVEPOINT))
    return;
  stage.flags = TN_SCOPE_SAVEPOINT;
  CHECK_CODE(suite,
             tn_write(stage.facade, stage.context, hide_half, &stage, &err),
             TN_OK, &err, "a savepoint");
  CHECK(suite, count(&stage) == 1, "only the half is undone");
}

static void
readers_leave_nothing(struct suite *suite)
{
  TN_CLEANUP(clear) struct stage stage = { .facade = NULL };
  tn_err err = TN_ERR_INIT;

  if (!prepare(&stage, suite, NULL))
    return;
  CHECK_CODE(suite, tn_read(stage.facade, stage.context, write_one, NULL, &err),
             TN_OK, &err, "a reader that writes");
  CHECK(suite, count(&stage) == 0, "it was kept");
}

static void
readers_are_refused_if_that_is_said(struct suite *suite)
{
  TN_CLEANUP(clear) struct stage stage = { .facade = NULL };
  struct tn_scope_options bare = TN_SCOPE_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;
  const enum tn_code refusal =
      has_cap(suite, TN_CAP_READ_ONLY) ? TN_E_READ_ONLY : TN_E_UNSUPPORTED;
  const enum tn_code settings = suite_settings_code(suite);

  if (!prepare(&stage, suite, "reader_read_only"))
    return;
  bare.mode = TN_SCOPE_READER;
  bare.flags = TN_SCOPE_CONNECTION;
  CHECK_CODE(
      suite,
      tn_scope_run(stage.facade, stage.context, &bare, write_one, NULL, &err),
      settings == TN_OK ? refusal : settings, &err,
      "a reader that writes without a transaction");
  CHECK_CODE(suite, tn_read(stage.facade, stage.context, write_one, NULL, &err),
             refusal, &err, "a reader that writes");
  CHECK_CODE(suite,
             tn_write(stage.facade, stage.context, write_one, NULL, &err),
             TN_OK, &err, "a writer after it");
  CHECK(suite, count(&stage) == 1, "the writer's is there");
}

/* ---- workers ---- */

/* tn_run_fn */
static enum tn_code
work(tn_txn *txn, void *user, tn_err *err)
{
  (void)user;
  return insert(tn_txn_conn(txn), err);
}

static void
use(struct suite *suite, tn_session *session, bool commits)
{
  tn_txn *txn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(suite, tn_session_txn(session, &txn, &err), TN_OK, &err,
                  "begin"))
    return;
  CHECK_CODE(suite, insert(tn_txn_conn(txn), &err), TN_OK, &err, "insert");
  if (commits)
    CHECK_CODE(suite, tn_session_commit(session, &err), TN_OK, &err, "commit");
}

/* In each of the ways to a session, and once without a commit. */
static void
work_in_all_ways(struct suite *suite, tn_worker *worker)
{
  tn_session *session = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_worker_run(worker, NULL, work, NULL, &err), TN_OK, &err,
             "a function");
  if (CHECK_CODE(suite, tn_worker_open(worker, NULL, &session, &err), TN_OK,
                 &err, "open"))
    use(suite, session, true);
  if (!CHECK_CODE(suite, tn_worker_session(worker, &session, &err), TN_OK, &err,
                  "its own"))
    return;
  CHECK_CODE(suite, tn_session_run(session, work, NULL, &err), TN_OK, &err,
             "in its own");
  use(suite, session, false);
}

static void
workers_leave_nothing_open(struct suite *suite)
{
  TN_CLEANUP(clear) struct stage stage = { .facade = NULL };
  struct tn_provider_options options = TN_PROVIDER_OPTIONS_INIT;
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  TN_CLEANUP(tn_provider_close) tn_provider *provider = NULL;
  tn_worker *worker = NULL;
  tn_err err = TN_ERR_INIT;
  char text[1024];
  enum tn_code rc;

  if (!prepare(&stage, suite, NULL))
    return;
  snprintf(text, sizeof text, "[database:service]\nconnection = %s\n",
           suite->url);
  rc = tn_config_parse(text, strlen(text), "suite", NULL, &config, &err);
  options.service = "service";
  options.engine.config = config;
  options.engine.registry = suite->registry;
  if (rc == TN_OK)
    rc = tn_provider_open(&options, &provider, &err);
  if (rc == TN_OK)
    rc = tn_worker_begin(provider, NULL, &worker, &err);
  if (!CHECK_CODE(suite, rc, TN_OK, &err, "a worker"))
    return;
  work_in_all_ways(suite, worker);
  CHECK_CODE(suite, tn_worker_end(&worker, &err), TN_OK, &err, "end");
  CHECK(suite, count(&stage) == 3, "what was committed is there, and no more");
}

const struct suite_case cases_facade[] = {
  { "facade: scopes inside share the transaction around",
    scopes_share_a_transaction },
  { "facade: what was done by half is never committed",
    nothing_is_committed_by_half },
  { "facade: a reader leaves nothing", readers_leave_nothing },
  { "facade: a read-only reader is refused to write",
    readers_are_refused_if_that_is_said },
  { "provider: a worker's sessions end with it", workers_leave_nothing_open },
  { NULL, NULL },
};
