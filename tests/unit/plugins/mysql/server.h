/* A session with the server that TENON_TEST_MYSQL names, under a fake host, and
 * short ways to run SQL on it. For the tests of this folder only. */
#ifndef TENON_TESTS_MYSQL_SERVER_H
#define TENON_TESTS_MYSQL_SERVER_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/url.h>

#include "fake_host.h"
#include "my_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define URL_OPTIONS_MAX 8

struct session {
  struct fake_call fake;
  const struct tn_dialect_table *dialect;
  void *handle;
};

/* The arguments of a connect without TLS, which the server only offers. */
struct arguments {
  struct tn_connect_args args;
  struct tn_address address;
  struct tn_tls tls;
  struct tn_option options[URL_OPTIONS_MAX];
  tn_url *url;
};

static inline void
arguments_init(struct arguments *arguments, const char *text)
{
  struct tn_connect_args *args = &arguments->args;
  tn_err err = TN_ERR_INIT;
  size_t i;

  memset(arguments, 0, sizeof *arguments);
  cr_assert_eq(tn_url_parse(text, &arguments->url, &err), TN_OK, "%s",
               err.message);
  arguments->address.host = tn_url_host(arguments->url, 0);
  arguments->address.port = tn_url_port(arguments->url, 0);
  args->size = sizeof *args;
  args->address_count = tn_url_host_count(arguments->url) > 0;
  args->addresses = &arguments->address;
  args->dialect = tn_url_dialect(arguments->url);
  args->user = tn_url_user(arguments->url);
  args->password = tn_url_password(arguments->url);
  args->database = tn_url_database(arguments->url);
  args->options = arguments->options;
  for (i = 0; i < tn_url_option_count(arguments->url); i++)
    if (strncmp(tn_url_option_name(arguments->url, i), "tls", 3) != 0 &&
        args->option_count < URL_OPTIONS_MAX) {
      struct tn_option *option = &arguments->options[args->option_count++];

      option->name = tn_url_option_name(arguments->url, i);
      option->value = tn_url_option_value(arguments->url, i);
    }
  arguments->tls.size = sizeof arguments->tls;
  arguments->tls.mode = TN_TLS_OFF;
  arguments->tls.min_version = 0x0303;
  args->tls = &arguments->tls;
}

/* `more`: options of the URL besides those it has, like "a=1&b=2". */
static inline void
session_open_with(struct session *s, const char *more)
{
  const char *url = getenv("TENON_TEST_MYSQL");
  struct arguments arguments;
  char text[512];
  int32_t rc;

  memset(s, 0, sizeof *s);
  if (url == NULL)
    cr_skip("TENON_TEST_MYSQL names no server");
  snprintf(text, sizeof text, "%s%s%s", url,
           strchr(url, '?') == NULL ? "?" : "&", more);
  s->dialect = &mysql__dialect_table;
  fake_call_init(&s->fake, s->dialect);
  arguments_init(&arguments, text);
  rc = mysql__connection_table.connect(&arguments.args, &s->fake.call,
                                       &s->handle);
  tn_url_free(&arguments.url);
  cr_assert_eq(rc, TN_OK, "%s: %s", more, s->fake.err.message);
}

static inline void
session_open(struct session *s)
{
  session_open_with(s, "");
}

static inline void
session_close(struct session *s)
{
  if (s->handle != NULL)
    mysql__connection_table.disconnect(s->handle, &s->fake.call);
  s->handle = NULL;
}

/* A statement with its result open. */
struct running {
  void *statement;
  void *result;
  struct tn_statement_info info;
};

static inline int32_t
start(struct session *s, const char *sql, const tn_value *values,
      uint32_t count, struct running *ret)
{
  int32_t rc;

  memset(ret, 0, sizeof *ret);
  ret->info.size = sizeof ret->info;
  rc = mysql__statement_table.prepare(
      s->handle, sql, strlen(sql), &s->fake.call, &ret->statement, &ret->info);
  if (rc != TN_OK)
    return rc;
  rc = mysql__statement_table.execute(ret->statement, values, count,
                                      &s->fake.call, &ret->result);
  if (rc != TN_OK)
    mysql__statement_table.close(ret->statement, &s->fake.call);
  return rc;
}

/* 1 a row, 0 the end. */
static inline int32_t
next(struct session *s, struct running *running, tn_value *cells)
{
  int32_t rc = mysql__result_table.fetch(running->result, cells, &s->fake.call);

  cr_assert_geq(rc, 0, "%s", s->fake.err.message);
  return rc;
}

static inline const struct tn_column *
columns(struct session *s, struct running *running, uint32_t *ret_count)
{
  const struct tn_column *list = NULL;

  cr_assert_eq(mysql__result_table.columns(running->result, &s->fake.call,
                                           &list, ret_count),
               TN_OK);
  return list;
}

static inline void
stop(struct session *s, struct running *running)
{
  mysql__result_table.close(running->result, &s->fake.call);
  mysql__statement_table.close(running->statement, &s->fake.call);
}

static inline void
run(struct session *s, const char *sql)
{
  struct running running;

  cr_assert_eq(start(s, sql, NULL, 0, &running), TN_OK, "%s: %s", sql,
               s->fake.err.message);
  stop(s, &running);
}

/* The one number that a query returns. */
static inline int64_t
number(struct session *s, const char *sql)
{
  struct running running;
  tn_value cells[4], found;

  cr_assert_eq(start(s, sql, NULL, 0, &running), TN_OK, "%s: %s", sql,
               s->fake.err.message);
  cr_assert_eq(next(s, &running, cells), 1, "%s: no row", sql);
  cr_assert_eq(s->fake.call.host->value_parse(TN_INT64, "0", 1, &found), TN_OK);
  if (cells[0].type != TN_NULL)
    cr_assert_eq(tn_value_convert(&cells[0], TN_INT64, NULL, 0, &found, NULL),
                 TN_OK, "%s", sql);
  stop(s, &running);
  return found.as.int64;
}

#endif
