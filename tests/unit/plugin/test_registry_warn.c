/* What is said once: that a server on another machine is not verified. */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_plugin.h"
#include "oom.h"
#include "plugin_priv.h"

static tn_registry *registry;
static struct tn_backend backend;
static struct tn_address addresses[2];
static struct tn_tls tls;
static struct tn_connect_args args;
static tn_err err;

static char logged[512];
static size_t log_count;

/* A sink that would wait for ever if the registry's lock were held. */
static void
write_log(uint32_t level, const char *line, void *user)
{
  (void)user;
  cr_assert_eq(pthread_mutex_trylock(&registry->lock), 0);
  pthread_mutex_unlock(&registry->lock);
  snprintf(logged, sizeof(logged), "%s: %s", tn_log_level_name(level), line);
  log_count++;
}

static struct tn_log sink = { .level = TN_LOG_WARNING, .write = write_log };

static void
set_up(void)
{
  static const struct tn_registry_options nowhere = {
    .plugin_dir = "/nowhere/1",
    .manifest_dir = "/nowhere/plugins.d",
    .admin_dir = "/nowhere/admin",
  };

  cr_assert_eq(tn_registry__open(&nowhere, NULL, false, &registry, &err),
               TN_OK);
  backend.plugin.name = "fake";
  tls.mode = TN_TLS_PREFER;
  args.size = sizeof(args);
  args.tls = &tls;
  args.addresses = addresses;
  args.address_count = 1;
  addresses[0].host = "db.example.com";
  addresses[1].host = "other.example.com";
}

static void
tear_down(void)
{
  tn_registry_free(&registry);
}

TestSuite(registry_warn, .init = set_up, .fini = tear_down);

/* How many lines it writes. */
static size_t
warn(void)
{
  log_count = 0;
  tn_registry_warn_tls(registry, &backend, &args, &sink);
  return log_count;
}

Test(registry_warn, a_host_is_warned_of_once)
{
  cr_expect_eq(warn(), 1);
  cr_expect_str_eq(
      logged, "warning: fake: db.example.com: with tls=prefer the server's "
              "certificate is not verified, and who is on the way can "
              "read and change everything; set tls=verify-full, and "
              "tls_ca=FILE if its authority is not one of the system's");
  cr_expect_eq(warn(), 0);
  tls.mode = TN_TLS_OFF;
  cr_expect_eq(warn(), 0);
  args.address_count = 2;
  cr_expect_eq(warn(), 1);
  cr_expect(strstr(logged, "other.example.com: with tls=off ") != NULL, "%s",
            logged);

  /* Another registry has another memory. */
  tn_registry_free(&registry);
  set_up();
  cr_expect_eq(warn(), 1);
}

Test(registry_warn, there_is_nothing_to_warn_of)
{
  static const struct tn_option socket = { "unix_socket", "/run/x" };

  tls.mode = TN_TLS_VERIFY_CA;
  cr_expect_eq(warn(), 0);
  tls.mode = TN_TLS_VERIFY_FULL;
  cr_expect_eq(warn(), 0);

  tls.mode = TN_TLS_REQUIRE;
  addresses[0].host = "localhost";
  cr_expect_eq(warn(), 0);
  addresses[0].host = "/run/x";
  cr_expect_eq(warn(), 0);
  args.address_count = 0;
  cr_expect_eq(warn(), 0);

  args.address_count = 1;
  addresses[0].host = "db.example.com";
  args.options = &socket;
  args.option_count = 1;
  cr_expect_eq(warn(), 0);
  args.option_count = 0;
  args.tls = NULL;
  cr_expect_eq(warn(), 0);
  args.tls = &tls;
  cr_expect_eq(warn(), 1);
}

Test(registry_warn, a_warning_that_nobody_hears_is_not_counted)
{
  sink.level = TN_LOG_ERROR;
  cr_expect_eq(warn(), 0);
  tn_registry_warn_tls(registry, &backend, &args, NULL);
  sink.level = TN_LOG_WARNING;
  cr_expect_eq(warn(), 1);
}

Test(registry_warn, the_memory_is_bounded_and_forgets_the_oldest)
{
  char hosts[TN_COUNT(registry->warned) + 1][32];

  for (size_t i = 0; i < TN_COUNT(hosts); i++) {
    snprintf(hosts[i], sizeof(hosts[i]), "h%zu.example.com", i);
    addresses[0].host = hosts[i];
    cr_expect_eq(warn(), 1, "host %zu", i);
    cr_expect_eq(warn(), 0, "host %zu", i);
  }
  addresses[0].host = hosts[1];
  cr_expect_eq(warn(), 0);
  addresses[0].host = hosts[0];
  cr_expect_eq(warn(), 1);
}

Test(registry_warn, without_memory_it_is_said_again)
{
  oom_fail_nth(1, true);
  cr_expect_eq(warn(), 1);
  oom_reset();
  cr_expect_eq(warn(), 1);
  cr_expect_eq(warn(), 0);
}
