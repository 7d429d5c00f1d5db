/* Global transaction identifiers of MariaDB, "domain-server-number,…": what was
 * committed, and what a replica has applied of it. Other servers have other
 * ones, and none that they tell the session that made them. */
#include "my_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one statement waits at most; the connection can be stopped meanwhile. */
#define WAIT_NS   INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define MS_PER_S  1000

struct gtid {
  uint64_t domain;
  uint64_t number;
};

/* Digits and the character behind them; NULL: not so. */
static const char *
read_number(const char *text, char behind, uint64_t *ret)
{
  char *end;

  if (*text < '0' || *text > '9')
    return NULL;
  *ret = strtoull(text, &end, 10);
  if (*end == behind)
    return end + 1;
  return behind == ',' && *end == '\0' ? end : NULL; /* the last one */
}

/* Read the first of a list: what follows it; NULL, it is none. */
static const char *
read_gtid(const char *text, struct gtid *ret)
{
  uint64_t server;

  text = read_number(text, '-', &ret->domain);
  if (text != NULL)
    text = read_number(text, '-', &server);
  return text != NULL ? read_number(text, ',', &ret->number) : NULL;
}

static bool
is_list(const char *text)
{
  struct gtid gtid;

  while (text != NULL && *text != '\0')
    text = read_gtid(text, &gtid);
  return text != NULL;
}

/* Is what is wanted in one domain among what is there? */
static bool
has_gtid(const char *there, const struct gtid *wanted)
{
  struct gtid gtid;

  while ((there = read_gtid(there, &gtid)) != NULL)
    if (gtid.domain == wanted->domain && gtid.number >= wanted->number)
      return true;
  return false;
}

static bool
has_all(const char *there, const char *wanted)
{
  struct gtid gtid;

  while ((wanted = read_gtid(wanted, &gtid)) != NULL)
    if (!has_gtid(there, &gtid))
      return false;
  return true;
}

static int32_t
enter(struct mysql__conn *conn, struct tn_call *call)
{
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK || conn->is_mariadb)
    return rc;
  return tn_fail(call, TN_E_UNSUPPORTED,
                 "mysql: position: only MariaDB tells a session its GTIDs");
}

int32_t
mysql__get_position(void *handle, char *ret, uint32_t size,
                    struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  char cells[2][MYSQL__CELL_MAX];
  const char *gtid = cells[0];
  int32_t rc = enter(conn, call);

  /* Since the session was reset it may have written nothing. */
  if (rc == TN_OK)
    rc = mysql__ask(conn,
                    "SELECT @@SESSION.last_gtid, @@GLOBAL.gtid_current_pos",
                    cells, 2);
  if (rc != TN_OK)
    return rc;
  if (*gtid == '\0')
    gtid = cells[1];
  if (*gtid == '\0' || strlen(gtid) + sizeof "gtid:" > size)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "mysql: position: the server keeps no binary log%s",
                   *gtid == '\0' ? "" : " of so few domains");
  snprintf(ret, size, "gtid:%s", gtid);
  return TN_OK;
}

/* A server that was promoted has its own commits in another place than those
 * that it has applied. */
static int32_t
ask(struct mysql__conn *conn, const char *wanted, uint32_t *ret)
{
  char cells[1][MYSQL__CELL_MAX];
  int32_t rc = mysql__ask(conn, "SELECT @@GLOBAL.gtid_current_pos", cells, 1);

  if (rc == TN_OK)
    *ret = has_all(cells[0], wanted);
  return rc;
}

static int32_t
wait_there(struct mysql__conn *conn, const char *wanted, int64_t nanoseconds)
{
  char sql[64 + TN_POSITION_SIZE];
  char cells[1][MYSQL__CELL_MAX];
  int64_t ms = (nanoseconds < WAIT_NS ? nanoseconds : WAIT_NS) / NS_PER_MS;

  /* Not by %f, whose point is a comma in some locales. */
  snprintf(sql, sizeof sql, "SELECT MASTER_GTID_WAIT('%s', %lld.%03lld)",
           wanted, (long long)(ms / MS_PER_S), (long long)(ms % MS_PER_S));
  return mysql__ask(conn, sql, cells, 1);
}

int32_t
mysql__wait_position(void *handle, const char *position, int64_t until,
                     struct tn_call *call, uint32_t *ret)
{
  struct mysql__conn *conn = handle;
  const char *wanted = position + strlen("gtid:");
  int32_t rc = enter(conn, call);

  if (rc != TN_OK)
    return rc;
  if (strncmp(position, "gtid:", strlen("gtid:")) != 0 || !is_list(wanted))
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "mysql: position: \"%.40s\" is no list of GTIDs", position);
  rc = ask(conn, wanted, ret);
  while (rc == TN_OK && *ret == 0) {
    int64_t left = until - call->host->now();

    if (left <= 0)
      break;
    rc = wait_there(conn, wanted, left);
    if (rc == TN_OK)
      rc = ask(conn, wanted, ret);
  }
  return rc;
}
