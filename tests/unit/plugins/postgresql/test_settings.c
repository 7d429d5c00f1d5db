/* Whatever the environment says, libpq is told all that it would look up. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "fake_host.h"
#include "oom.h"
#include "pg_priv.h"

static const struct tn_tls plain = { .size = sizeof plain,
                                     .mode = TN_TLS_PREFER,
                                     .min_version = 0x0303,
                                     .clear_password = 1 };

static const char *
value_of(const struct pg__options *options, const char *name)
{
  const char *value = NULL;
  size_t i;

  for (i = 0; i < options->count; i++)
    if (strcmp(options->names[i], name) == 0) {
      cr_expect_null(value, "%s is given twice", name);
      value = options->values[i];
    }
  return value;
}

static void
init(struct pg__settings *settings, struct fake_call *fake,
     const struct tn_tls *tls, const struct tn_option *options, uint32_t count)
{
  const struct tn_address address = { .host = "db" };
  const struct tn_connect_args args = { .size = sizeof args,
                                        .address_count = 1,
                                        .addresses = &address,
                                        .user = "anna",
                                        .option_count = count,
                                        .options = options,
                                        .tls = tls };

  fake_call_init(fake, NULL);
  cr_assert_eq(pg__settings_init(settings, &args, &fake->call), TN_OK, "%s",
               fake->err.message);
}

/* libpq's own list, so that one it will have later is not forgotten: those
 * that the environment can set. An attempt adds the first line's; the second
 * line's cannot be kept out, as README.md says. */
static bool
is_left_out(const char *name)
{
  static const char *const names[] = {
    "host",    "hostaddr",    "port", "password", "target_session_attrs",
    "service", "requirepeer", NULL
  };
  size_t i;

  for (i = 0; names[i] != NULL; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

Test(settings, leave_nothing_to_the_environment)
{
  PQconninfoOption *all = PQconndefaults();
  const PQconninfoOption *at;
  struct pg__settings settings;
  struct fake_call fake;

  cr_assert_not_null(all);
  init(&settings, &fake, &plain, NULL, 0);
  for (at = all; at->keyword != NULL; at++)
    if (at->envvar != NULL && !is_left_out(at->keyword))
      cr_expect_not_null(value_of(&settings.options, at->keyword), "%s",
                         at->keyword);
  cr_expect_str_eq(value_of(&settings.options, "dbname"), "anna");
  cr_expect_str_eq(value_of(&settings.options, "sslmode"), "prefer");
  cr_expect_str_eq(value_of(&settings.options, "gssencmode"), "disable");
  pg__settings_clear(&settings, fake.call.host);
  PQconninfoFree(all);
}

Test(settings, put_ours_behind_those_of_the_url)
{
  const struct tn_option options[] = {
    { "options", "-c TimeZone=CET -c work_mem=1MB" },
    { "application_name", "billing" },
    { "keepalives", "no" },
    { "connect_timeout", "250ms" },
  };
  struct pg__settings settings;
  struct fake_call fake;
  const char *session;

  init(&settings, &fake, &plain, options, 4);
  session = value_of(&settings.options, "options");
  cr_expect_eq(strncmp(session, "-c TimeZone=CET -c work_mem=1MB ", 32), 0);
  cr_expect(strstr(session, "-c TimeZone=UTC") > session);
  cr_expect_str_eq(value_of(&settings.options, "application_name"), "billing");
  cr_expect_str_eq(value_of(&settings.options, "keepalives"), "0");
  cr_expect_eq(settings.timeout_ns, 250000000);
  pg__settings_clear(&settings, fake.call.host);
}

Test(settings, name_every_file_of_tls)
{
  static const char *const modes[] = { "",        "disable",   "prefer",
                                       "require", "verify-ca", "verify-full" };
  struct pg__settings settings;
  struct fake_call fake;
  uint32_t mode;

  for (mode = TN_TLS_OFF; mode <= TN_TLS_VERIFY_FULL; mode++) {
    struct tn_tls tls = plain;

    tls.mode = mode;
    tls.ca = "/ca.pem";
    tls.min_version = mode % 2 == 0 ? 0x0304 : 0x0303;
    init(&settings, &fake, &tls, NULL, 0);
    cr_expect_str_eq(value_of(&settings.options, "sslmode"), modes[mode]);
    cr_expect_str_eq(value_of(&settings.options, "sslrootcert"),
                     mode >= TN_TLS_VERIFY_CA ? "/ca.pem" : PG__NO_FILE);
    cr_expect_str_eq(value_of(&settings.options, "sslcert"), PG__NO_FILE);
    cr_expect_str_eq(value_of(&settings.options, "sslcrl"), PG__NO_FILE);
    cr_expect_str_eq(value_of(&settings.options, "ssl_min_protocol_version"),
                     mode % 2 == 0 ? "TLSv1.3" : "TLSv1.2");
    pg__settings_clear(&settings, fake.call.host);
  }
}

Test(settings, have_one_word_for_which_server_will_do)
{
  static const struct {
    const char *policy; /* NULL: not given */
    const char *attributes;
    const char *wanted; /* of libpq; NULL: refused */
    bool is_random;
  } cases[] = {
    { NULL, NULL, "any", false },
    { "first", NULL, "any", false },
    { "random", NULL, "any", true },
    { "primary", NULL, "primary", false },
    { "standby", NULL, "standby", false },
    { "prefer-standby", NULL, "prefer-standby", false },
    { NULL, "read-write", "read-write", false },
    { "first", "read-only", "read-only", false },
    { "random", "primary", "primary", true },
    { "primary", "primary", "primary", false },
    { "primary", "standby", NULL, false },
    { "primary", "read-write", NULL, false },
    { "standby", "any", NULL, false },
    { "prefer-standby", "standby", NULL, false },
  };
  size_t i;

  for (i = 0; i < PG__COUNT(cases); i++) {
    const struct tn_option options[] = {
      { cases[i].policy == NULL ? "-" : "host_policy", cases[i].policy },
      { cases[i].attributes == NULL ? "-" : "target_session_attrs",
        cases[i].attributes },
    };
    const struct tn_connect_args args = { .size = sizeof args,
                                          .user = "anna",
                                          .option_count = 2,
                                          .options = options,
                                          .tls = &plain };
    struct pg__settings settings;
    struct fake_call fake;
    int32_t rc;

    fake_call_init(&fake, NULL);
    rc = pg__settings_init(&settings, &args, &fake.call);
    cr_expect_eq(rc, cases[i].wanted == NULL ? TN_E_CONFIG : TN_OK, "case %zu",
                 i);
    if (rc == TN_OK) {
      cr_expect_str_eq(settings.attributes, cases[i].wanted, "case %zu", i);
      cr_expect_eq(settings.is_random, cases[i].is_random, "case %zu", i);
    } else {
      char both[100];

      snprintf(both, sizeof both, "host_policy=%s and target_session_attrs=%s ",
               cases[i].policy, cases[i].attributes);
      cr_expect(strstr(fake.err.message, both) != NULL, "case %zu: %s", i,
                fake.err.message);
    }
    pg__settings_clear(&settings, fake.call.host);
  }
}

/* libpq would go on without it. */
Test(settings, refuse_a_list_of_revoked_certificates_that_is_none)
{
  struct tn_tls tls = plain;
  struct pg__options options = { .count = 0 };
  struct fake_call fake;

  tls.mode = TN_TLS_VERIFY_CA;
  tls.ca = "/ca.pem";
  tls.crl = "/dev/null";
  fake_call_init(&fake, NULL);
  cr_expect_eq(pg__tls_options(&tls, &fake.call, &options), TN_E_CONFIG);
  cr_expect(strstr(fake.err.message, "tls_crl") != NULL);
}

Test(settings, know_where_a_socket_is_looked_for)
{
  const struct tn_connect_args args = { .size = sizeof args,
                                        .user = "anna",
                                        .tls = &plain };
  struct pg__settings settings;
  struct fake_call fake;

  setenv("PGHOST", "elsewhere", 1);
  setenv("PGHOSTADDR", "192.0.2.1", 1);
  fake_call_init(&fake, NULL);
  cr_assert_eq(pg__settings_init(&settings, &args, &fake.call), TN_OK);
  cr_expect_eq(settings.default_host[0], '/', "%s", settings.default_host);
  pg__settings_clear(&settings, fake.call.host);
}

Test(settings, read_durations)
{
  cr_expect_eq(pg__nanoseconds("5"), INT64_C(5000000000));
  cr_expect_eq(pg__nanoseconds("250ms"), INT64_C(250000000));
  cr_expect_eq(pg__nanoseconds("1.5m"), INT64_C(90000000000));
  cr_expect_eq(pg__nanoseconds("2h"), INT64_C(7200000000000));
  cr_expect_eq(pg__nanoseconds("0.25s"), INT64_C(250000000));
}
