/* However the conversation arrives, in pieces of one byte or cut off after any
 * byte, the answer is the right one or the right error.
 *
 * Each conversation inserts a row in a transaction and one outside, and notes
 * what it was told of each. In the end what was acknowledged must be in the
 * table, what failed must not be, and what is unknown may.
 *
 *   faults_split SERVER [N]   cuts at each N-th byte only */
#include "faults.h"

#include <stdatomic.h>
#include <stdlib.h>

#define CUTS        2000
#define THREADS     2
#define PATIENCE_MS 10000

/* Long enough for the parts of a conversation to spread over the cuts. */
#define LONG_TEXT 700

enum outcome { NOT_TRIED, FAILED, UNKNOWN, DONE };

/* A row's number: the cut, and how it is made. */
#define WAYS_MAX 16
static unsigned char told[2][WAYS_MAX][CUTS + 1];

static const struct words *words;
static struct proxy proxies[THREADS];
static unsigned stride = 1;
static atomic_uint completed;

struct way {
  const char *rule; /* of the proxy, with the byte */
  const char *options;
  unsigned step; /* of the bytes at which is cut */
};

static const struct way ways[] = {
  { "reset # down", "tls=off", 1 },     { "half # down", "tls=off", 1 },
  { "reset # up", "tls=off", 1 },       { "half # up", "tls=off", 1 },
  { "reset # down", "tls=require", 7 }, { "half # down", "tls=require", 7 },
  { "reset # up", "tls=require", 7 },
};

#define WAYS (sizeof ways / sizeof ways[0])

/* ------------------------------------------------------------------ */
/* One conversation                                                    */

struct talk {
  tn_conn *conn;
  const char *what; /* the cut, for messages */
  bool is_half_up;  /* the server learns of the end and may still answer */
  int64_t number;   /* of its rows: this one, and its negative */
  enum outcome in_transaction;
  enum outcome alone;
};

static void
complain(const struct talk *talk, const char *step, enum tn_code rc,
         const tn_err *err)
{
  fail("%s: %s: %s, %s, %s: %s", talk->what, step, tn_code_name((int32_t)rc),
       tn_connection_verdict_name(err->connection),
       tn_replay_verdict_name(err->replay), err->message);
}

/* An error must say that the connection is lost. True if it went well. */
static bool
is_well(const struct talk *talk, const char *step, enum tn_code rc,
        const tn_err *err)
{
  if (rc == TN_OK)
    return true;
  if (rc != TN_E_LOST || err->connection != TN_CONNECTION_DEAD)
    complain(talk, step, rc, err);
  return false;
}

/* A text comes back as it went. */
static bool
echo(struct talk *talk, char letter)
{
  char text[LONG_TEXT];
  tn_value value;
  const struct tn_query query = { .sql = words->text_back,
                                  .values = &value,
                                  .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  memset(text, letter, sizeof text);
  value = tn_bytes(TN_TEXT, text, sizeof text);
  rc = tn_conn_query(talk->conn, &query, &result, &err);
  if (rc == TN_OK)
    rc = tn_result_next(result, &row, &err);
  if (!is_well(talk, "query", rc, &err))
    return false;
  if (row == NULL || row[0].type != TN_TEXT ||
      row[0].as.bytes.size != sizeof text ||
      memcmp(row[0].as.bytes.data, text, sizeof text) != 0)
    fail("%s: another text came back", talk->what);
  rc = tn_result_next(result, &row, &err);
  if (rc == TN_OK && row != NULL)
    fail("%s: a row too many", talk->what);
  return is_well(talk, "end of rows", rc, &err);
}

static enum tn_code
insert(struct talk *talk, int64_t number, tn_err *err)
{
  const tn_value value = tn_int64(number);
  const struct tn_query query = { .sql = "INSERT INTO split VALUES (?)",
                                  .values = &value,
                                  .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(talk->conn, &query, &result, err);

  if (rc == TN_OK && tn_result_affected(result) != 1)
    fail("%s: %d rows inserted", talk->what, (int)tn_result_affected(result));
  return rc;
}

static bool
work_in_transaction(struct talk *talk)
{
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_begin(talk->conn, NULL, &err);

  if (!is_well(talk, "begin", rc, &err))
    return false;
  talk->in_transaction = FAILED;
  rc = insert(talk, talk->number, &err);
  if (!is_well(talk, "insert", rc, &err))
    return false;
  rc = tn_conn_commit(talk->conn, &err);
  if (rc == TN_OK) {
    talk->in_transaction = DONE;
    return true;
  }
  if (rc == TN_E_UNCERTAIN)
    talk->in_transaction = UNKNOWN;
  if (rc != TN_E_UNCERTAIN && rc != TN_E_LOST)
    complain(talk, "commit", rc, &err);
  if (err.connection != TN_CONNECTION_DEAD ||
      (rc == TN_E_UNCERTAIN && err.replay != TN_REPLAY_UNKNOWN))
    complain(talk, "verdicts of commit", rc, &err);
  return false;
}

/* Here the verdict on a replay tells what may have happened. */
static bool
work_alone(struct talk *talk)
{
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = insert(talk, -talk->number, &err);

  talk->alone = rc == TN_OK                       ? DONE
                : err.replay == TN_REPLAY_UNKNOWN ? UNKNOWN
                                                  : FAILED;
  return is_well(talk, "insert alone", rc, &err);
}

static bool
run_talk(struct talk *talk, const char *url)
{
  const struct tn_conn_options options = {
    .deadline = tn_deadline_after_ms(PATIENCE_MS),
    .timeout_ms = PATIENCE_MS,
  };
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_open(url, &options, &talk->conn, &err);
  bool is_complete;

  if (rc != TN_OK) {
    /* A server that is told half a password says that it is wrong. */
    if (rc != TN_E_CONNECT && !(rc == TN_E_AUTH && talk->is_half_up))
      complain(talk, "open", rc, &err);
    return false;
  }
  is_complete = echo(talk, 'a') && work_in_transaction(talk) &&
                work_alone(talk) && echo(talk, 'b');
  tn_conn_close(&talk->conn);
  return is_complete;
}

/* ------------------------------------------------------------------ */
/* Cuts                                                                */

/* A thread has every second cut of each way. */
static void *
run_cuts(void *item)
{
  struct proxy *proxy = item;
  size_t way;
  unsigned byte;

  for (way = 0; way < WAYS; way++) {
    unsigned step = ways[way].step * stride;

    for (byte = 1 + (unsigned)(proxy - proxies) * step; byte <= CUTS;
         byte += THREADS * step) {
      char url[512];
      char rule[32];
      char what[128];
      struct talk talk = { .what = what };

      faults_fill(rule, sizeof rule, ways[way].rule, "%u", byte);
      snprintf(what, sizeof what, "%s, %s", rule, ways[way].options);
      faults_url(words, proxy->port, ways[way].options, url, sizeof url);
      talk.is_half_up = strcmp(ways[way].rule, "half # up") == 0;
      talk.number = (int64_t)(way * 10000 + byte);
      proxy_tell(proxy, "%s", rule);
      if (run_talk(&talk, url))
        atomic_fetch_add(&completed, 1);
      told[0][way][byte] = (unsigned char)talk.in_transaction;
      told[1][way][byte] = (unsigned char)talk.alone;
    }
  }
  return NULL;
}

static void
count_told(unsigned counts[4])
{
  size_t i;
  const unsigned char *all = &told[0][0][0];

  for (i = 0; i < sizeof told; i++)
    counts[all[i]]++;
}

/* What is in the table must not have failed, and what was done must be. */
static void
check_table(tn_conn *conn)
{
  const struct tn_query query = { .sql = "SELECT number FROM split" };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  unsigned counts[4] = { 0 };
  unsigned kept = 0;
  unsigned done = 0;

  count_told(counts);
  must(tn_conn_query(conn, &query, &result, &err), &err, query.sql);
  for (;;) {
    int64_t number;
    enum outcome outcome;

    must(tn_result_next(result, &row, &err), &err, query.sql);
    if (row == NULL)
      break;
    number = llabs(row[0].as.int64);
    outcome = told[row[0].as.int64 < 0][number / 10000][number % 10000];
    done += outcome == DONE;
    kept += outcome == UNKNOWN;
    if (outcome == NOT_TRIED || outcome == FAILED)
      fail("%s at byte %d: a row is there that was said to have failed",
           ways[number / 10000].rule, (int)(number % 10000));
  }
  printf("told: %u failed, %u unknown, %u done; %u of the unknown are there\n",
         counts[FAILED], counts[UNKNOWN], counts[DONE], kept);
  if (done != counts[DONE])
    fail("%u rows are lost that were acknowledged", counts[DONE] - done);
  if (counts[FAILED] == 0 || counts[UNKNOWN] == 0 || counts[DONE] == 0)
    fail("the cuts did not hit all parts of a conversation");
}

static void
check_cuts(tn_conn *conn)
{
  faults_threads(run_cuts, proxies, THREADS, sizeof proxies[0]);
  printf("%u conversations were shorter than their cut\n",
         atomic_load(&completed));
  check_table(conn);
}

/* ------------------------------------------------------------------ */
/* Pieces                                                              */

static void
check_pieces(void)
{
  static const char *const rules[] = { "slice 1", "slice 1 20", "slice 3",
                                       "slice 7 100" };
  static const char *const options[] = { "tls=off", "tls=require" };
  char url[512];
  char what[64];
  size_t i;

  for (i = 0; i < 2 * sizeof rules / sizeof rules[0]; i++) {
    struct talk talk = { .what = what, .number = 100000 + (int64_t)i };

    snprintf(what, sizeof what, "%s, %s", rules[i / 2], options[i % 2]);
    faults_url(words, proxies[0].port, options[i % 2], url, sizeof url);
    proxy_tell(&proxies[0], "pass");
    proxy_tell(&proxies[0], "%s", rules[i / 2]);
    if (!run_talk(&talk, url) || talk.in_transaction != DONE ||
        talk.alone != DONE)
      fail("%s: the conversation did not come to its end", what);
  }
}

int
main(int argc, char **argv)
{
  tn_conn *conn;
  size_t i;

  words = faults_begin(argc, argv);
  if (argc > 2)
    stride = (unsigned)strtoul(argv[2], NULL, 10);
  if (stride == 0)
    die("each N-th byte: N is 1 or more");
  for (i = 0; i < THREADS; i++)
    proxy_start(&proxies[i], words, NULL);
  conn = faults_open(getenv(words->variable), 0);
  faults_exec(conn, "DROP TABLE IF EXISTS split");
  faults_exec(conn, "CREATE TABLE split (number bigint)");
  check_pieces();
  faults_exec(conn, "DELETE FROM split");
  check_cuts(conn);
  faults_exec(conn, "DROP TABLE split");
  tn_conn_close(&conn);
  for (i = 0; i < THREADS; i++)
    proxy_stop(&proxies[i]);
  return faults_end();
}
