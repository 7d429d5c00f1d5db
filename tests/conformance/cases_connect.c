/* A server that cannot be reached is told from one that does not want us, and
 * of several hosts the first good one is taken. */
#include "suite.h"

/* Longest URL that is taken apart. */
#define URL_SIZE 2048

/* A port of this machine on which nobody listens. */
#define NOBODY "127.0.0.1:1"

/* A URL in pieces that together are its text. Escaped, so that each mark
 * between them stands where it first comes. */
struct pieces {
  char text[URL_SIZE];
  int before; /* length of what stands before the hosts */
  int hosts;  /* length of the hosts */
  const char *database;
  const char *options; /* with their '?' */
};

/* False if the suite was not given a host, but a socket or a file. */
static bool
take_apart(struct suite *suite, struct pieces *pieces)
{
  tn_url *url = NULL;
  const char *start;
  const char *end;
  size_t size;
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(suite, tn_url_parse(suite->url, &url, &err), TN_OK, &err,
                  "the URL"))
    return false;
  size = tn_url_print(url, TN_URL_PASSWORD, pieces->text, sizeof pieces->text);
  tn_url_free(&url);
  if (size >= sizeof pieces->text)
    return false;
  start = strstr(pieces->text, "://");
  if (start == NULL)
    return false;
  start = strchr(start, '@') != NULL ? strchr(start, '@') + 1 : start + 3;
  end = strchr(start, '/');
  if (end == NULL || end == start)
    return false;
  pieces->before = (int)(start - pieces->text);
  pieces->hosts = (int)(end - start);
  pieces->database = end + 1;
  pieces->options = end + strcspn(end, "?");
  return true;
}

/* Open the URL under test with other hosts or another database. */
static enum tn_code
open_changed(struct suite *suite, const struct pieces *pieces,
             const char *hosts, const char *database, tn_err *err)
{
  const struct tn_conn_options options = {
    .registry = suite->registry,
    .deadline = tn_deadline_after_ms(10000),
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char url[2 * URL_SIZE];
  enum tn_code rc;

  if ((size_t)snprintf(url, sizeof url, "%.*s%s/%s", pieces->before,
                       pieces->text, hosts, database) >= sizeof url) {
    CHECK(suite, false, "the URL is too long for this case");
    return TN_E_LIMIT;
  }
  rc = tn_conn_open(url, &options, &conn, err);
  if (rc == TN_OK)
    CHECK_USABLE(suite, conn);
  return rc;
}

static bool
owes(struct suite *suite, struct pieces *pieces)
{
  return suite_owes(suite, TN_CAP_NETWORK) && take_apart(suite, pieces);
}

static void
nobody_there_is_told_with_the_host(struct suite *suite)
{
  struct pieces pieces;
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, &pieces))
    return;
  CHECK_CODE(suite, open_changed(suite, &pieces, NOBODY, pieces.database, &err),
             TN_E_CONNECT, &err, "a port without a server");
  CHECK(suite, strstr(err.detail, "127.0.0.1") != NULL,
        "the detail does not name the host: %s", err.detail);
  CHECK_CODE(suite,
             open_changed(suite, &pieces,
                          NOBODY ","
                                 "127.0.0.2:1",
                          pieces.database, &err),
             TN_E_CONNECT, &err, "two ports without a server");
  CHECK(suite,
        strstr(err.detail, "127.0.0.1") != NULL &&
            strstr(err.detail, "127.0.0.2") != NULL,
        "the detail does not name both hosts: %s", err.detail);
  CHECK_CODE(suite,
             open_changed(suite, &pieces, "tn-no-such-host.invalid",
                          pieces.database, &err),
             TN_E_CONNECT, &err, "a name that is none");
}

static void
the_first_good_host_is_taken(struct suite *suite)
{
  struct pieces pieces;
  char hosts[URL_SIZE + 64];
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, &pieces))
    return;
  snprintf(hosts, sizeof hosts, NOBODY ",%.*s", pieces.hosts,
           pieces.text + pieces.before);
  CHECK_CODE(suite, open_changed(suite, &pieces, hosts, pieces.database, &err),
             TN_OK, &err, "the second host");
  snprintf(hosts, sizeof hosts, "%.*s," NOBODY, pieces.hosts,
           pieces.text + pieces.before);
  CHECK_CODE(suite, open_changed(suite, &pieces, hosts, pieces.database, &err),
             TN_OK, &err, "the first host");
}

static void
a_missing_database_is_told(struct suite *suite)
{
  struct pieces pieces;
  char hosts[URL_SIZE];
  char database[URL_SIZE];
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, &pieces))
    return;
  snprintf(hosts, sizeof hosts, "%.*s", pieces.hosts,
           pieces.text + pieces.before);
  snprintf(database, sizeof database, "tn_no_such_database%s", pieces.options);
  CHECK_CODE(suite, open_changed(suite, &pieces, hosts, database, &err),
             (enum tn_code)tn_code_from_name(quirk(suite, "error.no_database")),
             &err, "a database that is not there");
}

static void
a_wrong_password_is_told_and_not_shown(struct suite *suite)
{
  static const char wrong[] = "tn-wrong-word";
  const struct tn_conn_options options = { .registry = suite->registry };
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  struct pieces pieces;
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, &pieces) || tn_url_parse(suite->url, &url, &err) != TN_OK ||
      tn_url_password(url) == NULL)
    return;
  if (!CHECK_CODE(suite, tn_url_set_password(url, wrong, &err), TN_OK, &err,
                  "password"))
    return;
  CHECK_CODE(suite, tn_conn_open_url(url, &options, &conn, &err), TN_E_AUTH,
             &err, "a wrong password");
  CHECK(suite,
        strstr(err.message, wrong) == NULL && strstr(err.detail, wrong) == NULL,
        "the password is shown");
}

const struct suite_case cases_connect[] = {
  { "connect: nobody there is told, with the host",
    nobody_there_is_told_with_the_host },
  { "connect: the first good host is taken", the_first_good_host_is_taken },
  { "connect: a missing database is told", a_missing_database_is_told },
  { "connect: a wrong password is told, and not shown",
    a_wrong_password_is_told_and_not_shown },
  { NULL, NULL },
};
