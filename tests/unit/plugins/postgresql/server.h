/* A session with the server that TENON_TEST_POSTGRESQL names, under a fake
 * host. For the tests of this folder only. */
#ifndef TENON_TESTS_POSTGRESQL_SERVER_H
#define TENON_TESTS_POSTGRESQL_SERVER_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <tenon/url.h>

#include "fake_host.h"
#include "pg_priv.h"

struct session {
  struct fake_call fake;
  void *handle;
};

static inline void
session_open(struct session *s)
{
  const char *text = getenv("TENON_TEST_POSTGRESQL");
  struct tn_tls tls = { .size = sizeof tls,
                        .mode = TN_TLS_OFF,
                        .min_version = 0x0303 };
  struct tn_connect_args args = { .size = sizeof args, .tls = &tls };
  struct tn_address address = { .host = NULL };
  tn_url *url = NULL;
  int32_t rc;

  if (text == NULL)
    cr_skip("TENON_TEST_POSTGRESQL names no server");
  s->handle = NULL;
  fake_call_init(&s->fake, &pg__dialect_table);
  cr_assert_eq(tn_url_parse(text, &url, &s->fake.err), TN_OK, "%s",
               s->fake.err.message);
  address.host = tn_url_host(url, 0);
  address.port = tn_url_port(url, 0);
  args.address_count = 1;
  args.addresses = &address;
  args.dialect = "postgresql";
  args.user = tn_url_user(url);
  args.password = tn_url_password(url);
  args.database = tn_url_database(url);
  rc = pg__connection_table.connect(&args, &s->fake.call, &s->handle);
  tn_url_free(&url);
  cr_assert_eq(rc, TN_OK, "%s", s->fake.err.message);
}

static inline void
session_close(struct session *s)
{
  fake_call_again(&s->fake, 0);
  pg__connection_table.disconnect(s->handle, &s->fake.call);
}

#endif
