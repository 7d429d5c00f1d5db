/* How a scope comes to its connection and its transaction: which engine, after
 * which position, inside of what. */
#include "engine_priv.h"
#include "scope_priv.h"
#include "session_priv.h"

#define USUAL_AFTER_MS 1000
#define USUAL_TAKE_S   30
#define MS_PER_S       1000

/* ---- what fits together ---- */

/* All flags of `flags`, and perhaps modes and options, that cannot be together.
 */
static const struct contradiction {
  uint32_t flags;
  uint32_t modes; /* a bit each; 0: in every mode */
  const char *why;
} contradictions[] = {
#define IN(mode) (UINT32_C(1) << (mode))
  { TN_SCOPE_INDEPENDENT | TN_SCOPE_SAVEPOINT, 0,
    "INDEPENDENT and SAVEPOINT: outside of a transaction, and inside" },
  { TN_SCOPE_CONNECTION | TN_SCOPE_SAVEPOINT, 0,
    "CONNECTION and SAVEPOINT: no transaction, and a part of one" },
  { TN_SCOPE_ALLOW_ASYNC, IN(TN_SCOPE_WRITER),
    "ALLOW_ASYNC is for readers, and this is a writer" },
  { TN_SCOPE_SYNCHRONOUS, IN(TN_SCOPE_WRITER) | IN(TN_SCOPE_ASYNC_READER),
    "SYNCHRONOUS is for plain readers" },
  { TN_SCOPE_SYNCHRONOUS | TN_SCOPE_ALLOW_ASYNC, 0,
    "SYNCHRONOUS and ALLOW_ASYNC: on the primary, and not" },
  { TN_SCOPE_FALL_BACK, IN(TN_SCOPE_WRITER),
    "FALL_BACK is for readers, and this is a writer" },
};

static bool
asks_for_txn(const struct tn_txn_options *txn)
{
  return txn->isolation != 0 || txn->access != 0 || txn->lock_mode != 0 ||
         txn->flags != 0;
}

static const char *
find_contradiction(const struct tn_scope_options *options)
{
  uint32_t flags = options->flags;
  size_t i;

  for (i = 0; i < sizeof contradictions / sizeof contradictions[0]; i++) {
    const struct contradiction *row = &contradictions[i];

    if ((flags & row->flags) == row->flags &&
        (row->modes == 0 || (row->modes & IN(options->mode)) != 0))
      return row->why;
  }
  if ((flags & TN_SCOPE_CONNECTION) != 0 && asks_for_txn(&options->txn))
    return "CONNECTION, and how to begin a transaction";
  if (options->txn.global_id != NULL)
    return "what it does is committed; begin by hand what is to be prepared";
  if ((options->txn.flags & TN_BEGIN_RESOLVABLE) != 0 &&
      options->mode != TN_SCOPE_WRITER)
    return "RESOLVABLE is for writers: a reader commits nothing";
  if (options->after != NULL && options->mode == TN_SCOPE_WRITER)
    return "a position is waited for by readers, and this is a writer";
  return NULL;
}

enum tn_code
tn_scope__check(const struct tn_scope_options *options, tn_err *err)
{
  const uint32_t known = TN_SCOPE_INDEPENDENT | TN_SCOPE_SAVEPOINT |
                         TN_SCOPE_CONNECTION | TN_SCOPE_ALLOW_ASYNC |
                         TN_SCOPE_SYNCHRONOUS | TN_SCOPE_FALL_BACK;
  const char *why;

  if (options == NULL || options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "scope: begin the options with TN_SCOPE_OPTIONS_INIT");
  if (options->mode < TN_SCOPE_WRITER || options->mode > TN_SCOPE_ASYNC_READER)
    return tn_err_set(err, TN_E_USAGE,
                      "scope: there is no mode %u: writer, reader or async "
                      "reader",
                      (unsigned)options->mode);
  if ((options->flags & ~known) != 0)
    return tn_err_set(err, TN_E_USAGE, "scope: unknown flags 0x%x",
                      (unsigned)(options->flags & ~known));
  why = find_contradiction(options);
  return why == NULL ? TN_OK : tn_err_set(err, TN_E_USAGE, "scope: %s", why);
}

/* ---- the outermost ---- */

static enum tn_code
take(tn_scope *scope, tn_engine *engine, const struct tn_scope_options *options,
     tn_deadline deadline, tn_err *err)
{
  const struct tn_loan loan = {
    .label = options->label != NULL ? options->label : "tn_scope",
    .deadline = deadline,
  };

  scope->engine = engine;
  return tn_engine_take(engine, &loan, &scope->conn, err);
}

/* How long the replica may take before the primary is asked, for which half of
 * the time is kept; 0: as its pool has it, which waits for nobody. */
static tn_deadline
replica_deadline(const struct tn_engine *engine,
                 const struct tn_scope_options *options)
{
  tn_deadline now = tn_clock_now();
  uint64_t ms = options->after_ms != 0 ? options->after_ms : USUAL_AFTER_MS;
  tn_deadline until;

  if (options->after == NULL)
    ms = (uint64_t)tn_target__number(&engine->target, "pool_timeout",
                                     USUAL_TAKE_S) *
         MS_PER_S / 2;
  until = tn_deadline_after_ms(ms);
  if (options->deadline == 0)
    return ms != 0 ? until : 0;
  if (ms != 0 && options->deadline - until >= until - now)
    return until;
  return options->deadline > now ? now + (options->deadline - now) / 2 : now;
}

/* `*ret` false: not there in time, or it cannot be said. */
static enum tn_code
catch_up(tn_scope *scope, const struct tn_scope_options *options,
         tn_deadline until, bool *ret, tn_err *err)
{
  int is_reached = 0;
  enum tn_code rc = tn_conn_wait_position(scope->conn, options->after, until,
                                          &is_reached, err);

  *ret = rc == TN_OK && is_reached != 0;
  return rc;
}

/* May the primary stand in for a replica that fails so? */
static bool
is_away(const tn_err *err)
{
  return err->code == TN_E_CONNECT || err->code == TN_E_LOST ||
         err->code == TN_E_TIMEOUT || err->code == TN_E_LIMIT;
}

static void
tell_fall_back(const tn_engine *engine, const char *why)
{
  tn_log_write(engine->options.log, TN_LOG_INFO,
               "scope: a reader uses the primary, not %s: %s", engine->label,
               why);
}

/* With no connection in the scope and TN_OK, the primary is to be used. */
static enum tn_code
take_replica(tn_scope *scope, const struct tn_facade_ends *ends,
             const struct tn_scope_options *options, tn_err *err)
{
  bool waits = options->after != NULL && options->after->text[0] != '\0';
  bool may_fall = waits || (options->flags & TN_SCOPE_FALL_BACK) != 0;
  tn_deadline until =
      may_fall ? replica_deadline(ends->reader, options) : options->deadline;
  bool is_there = true;
  enum tn_code rc;

  if (waits && strcmp(options->after->text, TN_POSITION_PRIMARY) == 0)
    return TN_OK;
  rc = take(scope, ends->reader, options, until, err);
  if (rc == TN_OK && waits)
    rc = catch_up(scope, options, until, &is_there, err);
  if (rc == TN_OK && is_there) {
    scope->is_replica = true;
    return TN_OK;
  }
  tn_pool_give(&scope->conn);
  if (rc != TN_OK && !(may_fall && is_away(err)) &&
      !(waits && rc == TN_E_UNSUPPORTED))
    return rc;
  tell_fall_back(ends->reader, rc != TN_OK ? err->message : "it is behind");
  tn_err_clear(err);
  return TN_OK;
}

static bool
uses_replica(const tn_scope *scope, const struct tn_facade_ends *ends)
{
  if (ends->reader == ends->writer || scope->mode == TN_SCOPE_WRITER)
    return false;
  return scope->mode == TN_SCOPE_ASYNC_READER ||
         (!ends->is_synchronous && (scope->flags & TN_SCOPE_SYNCHRONOUS) == 0);
}

static enum tn_code
begin(tn_scope *scope, const struct tn_scope_options *options, tn_err *err)
{
  struct tn_txn_options txn = options->txn;

  if (txn.deadline == 0)
    txn.deadline = options->deadline;
  if (scope->is_read_only && txn.access == 0)
    txn.access = TN_ACCESS_READ_ONLY;
  if (scope->mode == TN_SCOPE_WRITER && txn.lock_mode == 0 &&
      (tn_conn_caps(scope->conn) & TN_CAP_LOCK_MODES) != 0)
    txn.lock_mode = TN_LOCK_IMMEDIATE;
  tn_run__spare_server(scope->conn, options->check, &txn);
  return tn_txn_begin(scope->conn, &txn, &scope->txn, err);
}

enum tn_code
tn_scope__open(tn_scope *scope, const struct tn_scope_options *options,
               tn_err *err)
{
  struct tn_facade_ends ends;
  tn_err own = TN_ERR_INIT;
  enum tn_code rc;

  if (err == NULL)
    err = &own;
  rc = tn_facade__ends(scope->facade, &ends, err);
  if (rc == TN_OK && uses_replica(scope, &ends))
    rc = take_replica(scope, &ends, options, err);
  if (rc == TN_OK && scope->conn == NULL)
    rc = take(scope, ends.writer, options, options->deadline, err);
  scope->is_read_only =
      rc == TN_OK && ends.is_read_only && scope->mode != TN_SCOPE_WRITER;
  if (rc == TN_OK && (scope->flags & TN_SCOPE_CONNECTION) == 0)
    rc = begin(scope, options, err);
  else if (rc == TN_OK && scope->is_read_only)
    rc = tn_conn_set_access(scope->conn, TN_ACCESS_READ_ONLY, err);
  if (rc != TN_OK) {
    tn_pool_give(&scope->conn);
    return rc;
  }
  scope->ret_position = options->ret_position;
  if (scope->ret_position != NULL)
    *scope->ret_position = (tn_position){ TN_POSITION_PRIMARY };
  return TN_OK;
}

/* ---- inside another ---- */

static const char *
name_of(enum tn_scope_mode mode)
{
  static const char *const names[] = { "", "writer", "reader", "async reader" };

  return names[mode];
}

/* Mode rules of oslo.db's enginefacade. */
static enum tn_code
check_mode(const tn_scope *scope, tn_err *err)
{
  enum tn_scope_mode around = tn_scope_mode(scope->joined);
  bool is_async = scope->mode == TN_SCOPE_ASYNC_READER ||
                  (scope->flags & TN_SCOPE_ALLOW_ASYNC) != 0;

  if (around == TN_SCOPE_WRITER ||
      (around == TN_SCOPE_READER && scope->mode != TN_SCOPE_WRITER))
    return TN_OK;
  if (around == TN_SCOPE_ASYNC_READER && is_async)
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE,
                    "scope: a %s cannot join: the transaction around is that "
                    "of a%s %s; begin it INDEPENDENT",
                    name_of((enum tn_scope_mode)scope->mode),
                    around == TN_SCOPE_ASYNC_READER ? "n" : "",
                    name_of(around));
}

static enum tn_code
check_demands(const tn_scope *scope, const struct tn_scope_options *options,
              tn_err *err)
{
  const char *what = NULL;

  if (asks_for_txn(&options->txn) && tn_scope__txn(scope->joined) != NULL)
    what = "how to begin a transaction";
  else if (options->after != NULL)
    what = "a position to wait for";
  else if (options->ret_position != NULL)
    what = "a position to be told";
  if (what != NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "scope: it joins another, which settles %s", what);
  if ((scope->flags & TN_SCOPE_SYNCHRONOUS) != 0 &&
      tn_scope_is_replica(scope->joined))
    return tn_err_set(err, TN_E_USAGE,
                      "scope: SYNCHRONOUS, but the scope around is on the "
                      "replica; begin it INDEPENDENT");
  return TN_OK;
}

enum tn_code
tn_scope__join(tn_scope *scope, const struct tn_scope_options *options,
               tn_err *err)
{
  tn_txn *txn = tn_scope__txn(scope->joined);
  enum tn_code rc = check_mode(scope, err);

  if (rc == TN_OK)
    rc = check_demands(scope, options, err);
  if (rc != TN_OK)
    return rc;
  scope->engine = scope->joined->engine;
  scope->conn = scope->joined->conn;
  scope->is_read_only = scope->joined->is_read_only;
  if ((scope->flags & TN_SCOPE_CONNECTION) != 0)
    return TN_OK;
  if (txn == NULL)
    return begin(scope, options, err);
  if ((scope->flags & TN_SCOPE_SAVEPOINT) == 0)
    return TN_OK;
  rc = tn_txn_nest(txn, &scope->txn, err);
  scope->is_savepoint = rc == TN_OK;
  return rc;
}
