/* Transactions that outlive their sessions, for a driver that kills the server
 * in between, by lines.
 *
 *   faults_prepared URL
 *
 *   setup          a new table of numbers
 *   prepare ID N   a transaction that writes N, prepared
 *   open ID N      the same, not prepared; it stays
 *   list           what is prepared
 *   commit ID
 *   rollback ID    of what is prepared
 *   rows           how many numbers there are
 *   write N        a transaction that writes N, and can be asked about
 *   begin N        the same, not committed; it stays
 *   both ID N      the same, prepared
 *   outcome        of the last one of those: 1, it was committed; 0
 *
 * Each is answered by a line: "ok" and what there is to tell, or the category
 * of the failure and its text. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#define ID_SIZE 65

static tn_engine *engine;
static struct tn_txn_id last;
static char answer[4096];

/* What stays open is not ended: its server or this process is killed. */
static enum tn_code
write_number(const char *global_id, uint32_t flags, long number, tn_txn **ret,
             tn_err *err)
{
  const struct tn_txn_options options = { .flags = flags,
                                          .global_id = global_id };
  const tn_value value = tn_int64(number);
  const struct tn_query query = {
    .sql = "INSERT INTO prepared_numbers VALUES (?)",
    .values = &value,
    .value_count = 1,
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_txn_take(engine, NULL, &options, ret, err);

  if (rc == TN_OK && flags != 0)
    rc = tn_txn_identify(*ret, &last, err);
  if (rc == TN_OK)
    rc = tn_conn_query(tn_txn_conn(*ret), &query, &result, err);
  return rc;
}

/* tn_two_phase_fn */
static enum tn_code
note(const char *global_id, void *user, tn_err *err)
{
  size_t used = strlen(answer);

  (void)user;
  (void)err;
  snprintf(answer + used, sizeof answer - used, " %s", global_id);
  return TN_OK;
}

static enum tn_code
run_on(tn_conn *conn, const char *verb, const char *id, tn_err *err)
{
  if (strcmp(verb, "commit") == 0)
    return tn_two_phase_commit(conn, id, err);
  if (strcmp(verb, "rollback") == 0)
    return tn_two_phase_rollback(conn, id, err);
  if (strcmp(verb, "list") == 0)
    return tn_two_phase_list(conn, note, NULL, err);
  if (strcmp(verb, "rows") == 0) {
    snprintf(answer, sizeof answer, " %lld",
             (long long)faults_number(conn,
                                      "SELECT count(*) FROM prepared_numbers"));
    return TN_OK;
  }
  if (strcmp(verb, "setup") != 0)
    die("no command \"%s\"", verb);
  faults_exec(conn, "DROP TABLE IF EXISTS prepared_numbers");
  faults_exec(conn, "CREATE TABLE prepared_numbers (n BIGINT PRIMARY KEY)");
  return TN_OK;
}

static enum tn_code
run_outcome(tn_err *err)
{
  int is_committed = 0;
  enum tn_code rc =
      tn_txn_resolve(engine, NULL, NULL, &last, &is_committed, err);

  snprintf(answer, sizeof answer, " %d", is_committed);
  return rc;
}

/* A transaction; true: that is what was asked for. */
static bool
run_txn(const char *verb, const char *id, long number, enum tn_code *ret,
        tn_err *err)
{
  static const struct {
    const char *verb;
    bool has_id, is_asked, is_ended;
  } kinds[] = {
    { "prepare", true, false, true }, { "open", true, false, false },
    { "write", false, true, true },   { "begin", false, true, false },
    { "both", true, true, true },
  };
  tn_txn *txn = NULL;
  size_t i = 0;

  while (i < sizeof kinds / sizeof kinds[0] && strcmp(verb, kinds[i].verb) != 0)
    i++;
  if (i == sizeof kinds / sizeof kinds[0])
    return false;
  *ret = write_number(kinds[i].has_id ? id : NULL,
                      kinds[i].is_asked ? TN_BEGIN_RESOLVABLE : 0, number, &txn,
                      err);
  if (*ret == TN_OK && kinds[i].is_ended)
    *ret = kinds[i].has_id ? tn_txn_prepare(txn, err) : tn_txn_commit(txn, err);
  if (*ret != TN_OK || kinds[i].is_ended)
    tn_txn_end(&txn);
  return true;
}

static void
obey(const char *line)
{
  TN_CLEANUP(tn_pool_give) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  char verb[16] = "", id[ID_SIZE] = "", text[24] = "";
  long number;
  enum tn_code rc = TN_OK;

  answer[0] = '\0';
  if (sscanf(line, "%15s %64s %23s", verb, id, text) == 2)
    snprintf(text, sizeof text, "%.23s", id);
  number = strtol(text, NULL, 10);
  if (strcmp(verb, "outcome") == 0) {
    rc = run_outcome(&err);
  } else if (!run_txn(verb, id, number, &rc, &err)) {
    rc = tn_engine_take(engine, NULL, &conn, &err);
    if (rc == TN_OK)
      rc = run_on(conn, verb, id, &err);
  }
  if (rc == TN_OK)
    printf("ok%s\n", answer);
  else
    printf("%s %s\n", tn_code_name((int32_t)rc), err.message);
}

int
main(int argc, char **argv)
{
  static const struct tn_setting settings[] = { { "pool_retry_time", "0" },
                                                { "query_timeout", "5" } };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;
  char line[256];

  if (argc != 2)
    die("usage: %s URL", argv[0]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  must(tn_engine_open(argv[1], &options, &engine, &err), &err, argv[1]);
  printf("ready\n");
  while (fgets(line, sizeof line, stdin) != NULL)
    obey(line);
  tn_engine_close(&engine);
  return faults_end();
}
