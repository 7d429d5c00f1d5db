#include "places.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_ROWS 10000

/* ------------------------------------------------------------------ */
/* What is done before the network dies, and then                      */

static void
add_options(const struct try *try, char *url, size_t size)
{
  const char *options = try->place->options;

  snprintf(url, size, "%s%s%s", try->url, options != NULL ? "?" : "",
           options != NULL ? options : "");
}

static void
open_session(struct try *try)
{
  char url[512];

  add_options(try, url, sizeof url);
  try->login_ns = -tn_clock_now();
  try->conn = faults_open(url, TIME_MS);
  try->login_ns += tn_clock_now();
  try->session = faults_number(try->conn, try->words->session);
}

static void
begin_work(struct try *try)
{
  open_session(try);
  must(tn_conn_begin(try->conn, NULL, &try->err), &try->err, "begin");
  faults_exec(try->conn, "INSERT INTO place (number) VALUES (1)");
}

/* A transaction with an id of its own. */
static void
begin_global(struct try *try)
{
  const struct tn_txn_options options = { .global_id = try->global_id };
  char sql[64];

  open_session(try);
  snprintf(try->global_id, sizeof try->global_id, "place-%lld-%lld",
           (long long)try->session, (long long)tn_clock_now());
  snprintf(sql, sizeof sql, "INSERT INTO place (number) VALUES (%d)",
           PLACE_PREPARED);
  must(tn_txn_begin(try->conn, &options, &try->txn, &try->err), &try->err,
       "begin");
  faults_exec(try->conn, sql);
}

/* Its session may be lost by that. */
static void
prepare_global(struct try *try)
{
  begin_global(try);
  must(tn_txn_prepare(try->txn, &try->err), &try->err, "prepare");
  tn_txn_end(&try->txn);
  tn_conn_close(&try->conn);
  open_session(try);
}

static void
prepare_statement(struct try *try)
{
  open_session(try);
  must(tn_conn_prepare(try->conn, "INSERT INTO place (number) VALUES (?)", 0,
                       &try->prepared, &try->err),
       &try->err, "prepare");
}

static void
open_load(struct try *try)
{
  static const char *const columns[] = { "number", "body" };
  const struct tn_bulk_options options = { .table = "place",
                                           .columns = columns,
                                           .column_count = 2 };

  open_session(try);
  must(tn_bulk_open(try->conn, &options, &try->bulk, &try->err), &try->err,
       "bulk");
}

/* The deadline runs from here. */
static void
start_reading(struct try *try)
{
  const tn_value *row = NULL;
  struct tn_query query = { .sql = try->words->numbers };
  int i;

  try->deadline = query.deadline = tn_deadline_after_ms(2 * TIME_MS);
  must(tn_conn_query(try->conn, &query, &try->result, &try->err), &try->err,
       "query");
  for (i = 0; i < 10; i++)
    must(tn_result_next(try->result, &row, &try->err), &try->err, "next");
}

static enum tn_code
act_open(struct try *try)
{
  const struct tn_conn_options options = { .deadline = try->deadline };
  char url[512];

  add_options(try, url, sizeof url);
  return tn_conn_open(url, &options, &try->conn, &try->err);
}

static enum tn_code
act_query(struct try *try)
{
  const struct tn_query query = { .sql = "SELECT 1",
                                  .deadline = try->deadline };

  return tn_conn_query(try->conn, &query, &try->result, &try->err);
}

static char long_text[12 << 20];

static void
fill_long_text(void)
{
  memset(long_text, 'x', sizeof long_text);
}

static void
prepare_long_text(struct try *try)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, fill_long_text);
  open_session(try);
}

/* More than all buffers on the way can hold, so that the server never has it
 * whole. */
static enum tn_code
act_long_query(struct try *try)
{
  const tn_value value = tn_bytes(TN_TEXT, long_text, sizeof long_text);
  const struct tn_query query = { .sql = "INSERT INTO place (body) VALUES (?)",
                                  .values = &value,
                                  .value_count = 1,
                                  .deadline = try->deadline };

  return tn_conn_query(try->conn, &query, &try->result, &try->err);
}

static enum tn_code
act_read_rest(struct try *try)
{
  const tn_value *row = NULL;
  enum tn_code rc;

  do
    rc = tn_result_next(try->result, &row, &try->err);
  while (rc == TN_OK && row != NULL);
  return rc;
}

static enum tn_code
act_read(struct try *try)
{
  const struct tn_query query = { .sql = try->words->numbers,
                                  .deadline = try->deadline };
  enum tn_code rc = tn_conn_query(try->conn, &query, &try->result, &try->err);

  return rc != TN_OK ? rc : act_read_rest(try);
}

static enum tn_code
act_batch(struct try *try)
{
  tn_value *values = calloc(BATCH_ROWS, sizeof *values);
  const struct tn_batch batch = { .values = values,
                                  .value_count = 1,
                                  .row_count = BATCH_ROWS,
                                  .deadline = try->deadline };
  enum tn_code rc;
  size_t i;

  if (values == NULL)
    die("no memory");
  for (i = 0; i < BATCH_ROWS; i++)
    values[i] = tn_int64(5);
  rc = tn_prepared_batch(try->prepared, &batch, &try->result, &try->err);
  free(values);
  return rc;
}

static enum tn_code
act_finish_load(struct try *try)
{
  const tn_value values[] = { tn_int64(6), tn_text("text") };
  enum tn_code rc = tn_bulk_write(try->bulk, values, 1, &try->err);

  return rc != TN_OK ? rc : tn_bulk_finish(try->bulk, NULL, &try->err);
}

static enum tn_code
act_begin(struct try *try)
{
  return tn_conn_begin(try->conn, NULL, &try->err);
}

static enum tn_code
act_commit(struct try *try)
{
  return tn_conn_commit(try->conn, &try->err);
}

static enum tn_code
act_prepare_global(struct try *try)
{
  return tn_txn_prepare(try->txn, &try->err);
}

static enum tn_code
act_commit_prepared(struct try *try)
{
  return tn_two_phase_commit(try->conn, try->global_id, &try->err);
}

static enum tn_code
act_rollback(struct try *try)
{
  return tn_conn_rollback(try->conn, &try->err);
}

static enum tn_code
act_reset(struct try *try)
{
  return tn_conn_reset(try->conn, &try->err);
}

static enum tn_code
act_ping(struct try *try)
{
  return tn_conn_ping(try->conn, try->deadline, &try->err);
}

static enum tn_code
act_prepare(struct try *try)
{
  return tn_conn_prepare(try->conn, "SELECT 2", 0, &try->prepared, &try->err);
}

static enum tn_code
act_run_prepared(struct try *try)
{
  const tn_value value = tn_int64(7);
  const struct tn_query query = { .values = &value,
                                  .value_count = 1,
                                  .deadline = try->deadline };

  return tn_prepared_query(try->prepared, &query, &try->result, &try->err);
}

/* Has a second of its own, and no answer to give. */
static enum tn_code
act_close(struct try *try)
{
  tn_conn_close(&try->conn);
  return TN_OK;
}

static enum tn_code
act_close_result(struct try *try)
{
  tn_result_close(&try->result);
  return TN_OK;
}

const struct place places[] = {
  { .name = "SYN",
    .rule = "backlog",
    .ways = PLACE_HOLE | PLACE_LOSS,
    .act = act_open,
    .work = WORK_OPEN },
  { .name = "server that accepts",
    .rule = "silent",
    .ways = PLACE_HOLE | PLACE_STOP,
    .act = act_open,
    .work = WORK_OPEN },
  { .name = "TLS hello",
    .rule = "hole # down",
    .beginning = BEGINNING_TLS,
    .ways = PLACE_HOLE,
    .options = "tls=require",
    .act = act_open,
    .work = WORK_OPEN },
  { .name = "authentication",
    .rule = "hole # down",
    .beginning = BEGINNING_PASSWORD,
    .ways = PLACE_HOLE,
    .options = "tls=off",
    .act = act_open,
    .work = WORK_OPEN },
  { .name = "statement sent",
    .rule = "hole 0 up",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .prepare = open_session,
    .act = act_query,
    .work = WORK_READ },
  { .name = "long statement sent",
    .rule = "hole 0 up",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .options = "tls=off",
    .prepare = prepare_long_text,
    .act = act_long_query,
    .work = WORK_READ },
  { .name = "long statement sent in TLS",
    .rule = "hole 0 up",
    .ways = PLACE_HOLE | PLACE_RESET,
    .options = "tls=require",
    .prepare = prepare_long_text,
    .act = act_long_query,
    .work = WORK_READ },
  { .name = "prepare",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = open_session,
    .act = act_prepare,
    .work = WORK_READ },
  { .name = "reply due",
    .rule = "hole 0 down",
    .ways = PLACE_HOLE,
    .prepare = open_session,
    .act = act_query,
    .work = WORK_READ },
  { .name = "reply due to a prepared INSERT",
    .rule = "hole 0 down",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = prepare_statement,
    .act = act_run_prepared,
    .work = WORK_WRITE },
  { .name = "reply due in a transaction",
    .rule = "hole 0 down",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = begin_work,
    .act = act_query,
    .work = WORK_IN_TRANSACTION },
  { .name = "middle of a result",
    .rule = "hole 100000 down",
    .lets_cancels_through = true,
    .ways = PLACE_HOLE,
    .prepare = open_session,
    .act = act_read,
    .work = WORK_READ },
  { .name = "rest of a result",
    .ways = PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .prepare = open_session,
    .start = start_reading,
    .act = act_read_rest,
    .work = WORK_READ },
  { .name = "batch",
    .rule = "hole 100 down",
    .lets_cancels_through = true,
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = prepare_statement,
    .act = act_batch,
    .work = WORK_WHOLE },
  { .name = "load",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = open_load,
    .act = act_finish_load,
    .work = WORK_WHOLE },
  { .name = "begin",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = open_session,
    .act = act_begin,
    .work = WORK_READ },
  { .name = "COMMIT sent",
    .rule = "hole 0 up",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .prepare = begin_work,
    .act = act_commit,
    .work = WORK_COMMIT },
  { .name = "COMMIT done",
    .rule = "hole 0 down",
    .ways = PLACE_HOLE,
    .prepare = begin_work,
    .act = act_commit,
    .work = WORK_COMMIT },
  { .name = "first phase",
    .rule = "hole 0 down",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = begin_global,
    .act = act_prepare_global,
    .work = WORK_WHOLE },
  { .name = "second phase",
    .rule = "hole 0 down",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = prepare_global,
    .act = act_commit_prepared,
    .work = WORK_COMMIT },
  { .name = "rollback",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .prepare = begin_work,
    .act = act_rollback,
    .work = WORK_IN_TRANSACTION },
  { .name = "reset",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_RESET,
    .prepare = begin_work,
    .act = act_reset,
    .work = WORK_IN_TRANSACTION },
  { .name = "ping",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .prepare = open_session,
    .act = act_ping,
    .work = WORK_READ },
  { .name = "close",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_STOP | PLACE_RESET,
    .prepare = begin_work,
    .act = act_close,
    .work = WORK_CLOSE },
  { .name = "close of a result with rows to come",
    .rule = "hole 0 both",
    .ways = PLACE_HOLE | PLACE_LOSS | PLACE_RESET,
    .prepare = open_session,
    .start = start_reading,
    .act = act_close_result,
    .work = WORK_CLOSE },
  { .name = NULL },
};

/* ------------------------------------------------------------------ */

/* tn_two_phase_fn; a session may have let go of it late, and ended it */
static enum tn_code
roll_back(const char *global_id, void *user, tn_err *err)
{
  enum tn_code rc = TN_OK;

  if (strncmp(global_id, "place-", 6) == 0)
    rc = tn_two_phase_rollback(user, global_id, err);
  return rc == TN_E_NOT_FOUND ? TN_OK : rc;
}

void
places_clear(tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;

  must(tn_two_phase_list(conn, roll_back, conn, &err), &err, "clear");
}
