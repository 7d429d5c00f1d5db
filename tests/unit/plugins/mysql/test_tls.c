/* The first packet of a server, and what the URL says of TLS. */
#include <criterion/criterion.h>

#include "fake_host.h"
#include "my_priv.h"

/* As a server sends it: length, number, protocol 10, version, … */
static size_t
make_greeting(unsigned char *bytes, unsigned flags)
{
  static const char version[] = "5.5.5-10.11.19-MariaDB";
  size_t size = 4;

  memset(bytes, 'x', 256);
  bytes[size++] = 10;
  memcpy(bytes + size, version, sizeof version);
  size += sizeof version + 13;
  bytes[size++] = (unsigned char)(flags & 0xff);
  bytes[size++] = (unsigned char)(flags >> 8);
  size += 44;
  bytes[0] = (unsigned char)(size - 4);
  bytes[1] = bytes[2] = bytes[3] = 0;
  return size;
}

static int
check(const unsigned char *bytes, size_t size, uint32_t mode,
      struct mysql__reason *reason)
{
  const struct mysql__endpoint endpoint = { .host = "h", .tls_mode = mode };

  memset(reason, 0, sizeof *reason);
  return mysql__tls_check_greeting(bytes, size, &endpoint, reason);
}

Test(tls, a_server_without_tls_gets_no_login_where_it_is_required)
{
  static const struct {
    uint32_t mode;
    int verdict;
  } cases[] = {
    { TN_TLS_OFF, 1 },          { TN_TLS_PREFER, 1 },
    { TN_TLS_REQUIRE, -1 },     { TN_TLS_VERIFY_CA, -1 },
    { TN_TLS_VERIFY_FULL, -1 },
  };
  unsigned char bytes[256];
  struct mysql__reason reason;
  size_t size, i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    size = make_greeting(bytes, 0xf7fe & ~0x0800U);
    cr_expect_eq(check(bytes, size, cases[i].mode, &reason), cases[i].verdict,
                 "without, mode %u", cases[i].mode);
    cr_expect_eq(reason.text[0] != '\0', cases[i].verdict < 0);
    size = make_greeting(bytes, 0xf7fe | 0x0800U);
    cr_expect_eq(check(bytes, size, cases[i].mode, &reason), 1, "with, mode %u",
                 cases[i].mode);
  }
}

Test(tls, a_greeting_in_pieces_is_waited_for)
{
  unsigned char bytes[256];
  struct mysql__reason reason;
  size_t size = make_greeting(bytes, 0xffff), i;

  for (i = 0; i < size; i++)
    cr_expect_eq(check(bytes, i, TN_TLS_REQUIRE, &reason), 0, "%zu bytes", i);
  cr_expect_eq(check(bytes, size, TN_TLS_REQUIRE, &reason), 1);
}

Test(tls, bytes_before_tls_has_begun_are_refused)
{
  unsigned char bytes[256];
  struct mysql__reason reason;
  size_t size = make_greeting(bytes, 0xffff);

  cr_expect_eq(check(bytes, size + 1, TN_TLS_PREFER, &reason), -1);
  cr_expect_eq(check(bytes, size + 1, TN_TLS_OFF, &reason), 1);
}

Test(tls, an_error_packet_is_for_the_library_to_report)
{
  static const unsigned char error[] = { 5, 0, 0, 0, 0xff, 0x10, 0x04, 'T' };
  struct mysql__reason reason;

  cr_expect_eq(check(error, sizeof error, TN_TLS_REQUIRE, &reason), 1);
}

Test(tls, what_is_no_greeting_is_refused)
{
  unsigned char bytes[256];
  struct mysql__reason reason;
  size_t size;

  make_greeting(bytes, 0xffff);
  bytes[4] = 9;
  cr_expect_eq(check(bytes, 256, TN_TLS_OFF, &reason), -1, "protocol 9");
  cr_expect_eq(
      check((const unsigned char *)"HTTP/1.1 400 Bad", 16, TN_TLS_OFF, &reason),
      -1, "another protocol");
  make_greeting(bytes, 0xffff);
  bytes[1] = bytes[2] = 0xff;
  cr_expect_eq(check(bytes, 256, TN_TLS_OFF, &reason), -1, "megabytes");
  size = make_greeting(bytes, 0xffff);
  memset(bytes + 5, 'x', size - 5);
  cr_expect_eq(check(bytes, size, TN_TLS_OFF, &reason), -1, "no end");
  make_greeting(bytes, 0xffff);
  bytes[0] = 30;
  cr_expect_eq(check(bytes, 34, TN_TLS_OFF, &reason), -1, "too short");
}

static void
read_tls(const struct tn_tls *tls, struct mysql__endpoint *ret)
{
  const struct tn_connect_args args = { .size = sizeof args, .tls = tls };
  struct fake_call fake;

  fake_call_init(&fake, &mysql__dialect_table);
  memset(ret, 0, sizeof *ret);
  ret->host = "h";
  cr_assert_eq(mysql__tls_read(&args, &fake.call, ret), TN_OK, "%s",
               fake.err.message);
}

Test(tls, authorities_are_given_only_where_they_are_to_verify_by)
{
  struct tn_tls tls = { .size = sizeof tls,
                        .mode = TN_TLS_REQUIRE,
                        .min_version = 0x0304,
                        .ca = "/ca.pem",
                        .crl = "/crl.pem",
                        .cert = "/cert.pem",
                        .key = "/key.pem" };
  struct mysql__endpoint endpoint;

  read_tls(&tls, &endpoint);
  cr_expect_null(endpoint.ca);
  cr_expect_null(endpoint.crl);
  cr_expect_str_eq(endpoint.cert, "/cert.pem");
  cr_expect_eq(endpoint.tls_version, 0x0304);
  tls.mode = TN_TLS_VERIFY_CA;
  read_tls(&tls, &endpoint);
  cr_expect_str_eq(endpoint.ca, "/ca.pem");
  cr_expect_str_eq(endpoint.crl, "/crl.pem");
}
