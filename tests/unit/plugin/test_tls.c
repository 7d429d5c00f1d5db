/* The options about TLS: what they come to, and what is refused. */
#include "tls.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "oom.h"

static struct tn_plugin plugin;
static struct tn_address addresses[3];
static struct tn_connect_args args;
static struct tn_option options[12];
static struct tn_tls tls;
static tn_err err;

static void
set_up(void)
{
  memset(&args, 0, sizeof(args));
  memset(addresses, 0, sizeof(addresses));
  plugin = (struct tn_plugin){ .size = sizeof(plugin),
                               .name = "fake",
                               .caps = TN_CAP_NETWORK };
  addresses[0].host = "db.example.com";
  args.size = sizeof(args);
  args.addresses = addresses;
  args.address_count = 1;
}

TestSuite(tls, .init = set_up);

/* "tls=off&label=x" as options, which live until the next call. */
static enum tn_code
take(const char *text)
{
  static char copy[2048];
  char *rest = copy;
  char *word;

  snprintf(copy, sizeof(copy), "%s", text);
  args.option_count = 0;
  args.options = options;
  args.tls = NULL;
  memset(&tls, 0, sizeof(tls));
  tn_err_clear(&err);
  while ((word = strsep(&rest, "&")) != NULL && *word != '\0') {
    struct tn_option *option = &options[args.option_count++];

    option->name = strsep(&word, "=");
    option->value = word;
  }
  return tn_tls_take(&plugin, options, &args, &tls, &err);
}

/* ---- what the options come to ---- */

Test(tls, without_options_it_is_preferred)
{
  cr_assert_eq(take(""), TN_OK, "%s", err.message);
  cr_expect_eq(args.tls, &tls);
  cr_expect_eq(tls.size, sizeof(tls));
  cr_expect_eq(tls.mode, TN_TLS_PREFER);
  cr_expect_eq(tls.min_version, 0x0303);
  cr_expect_eq(tls.clear_password, 1);
  cr_expect_eq(tls.ca, NULL);
  cr_expect_eq(tls.cert, NULL);
  cr_expect_eq(tls.key, NULL);
  cr_expect_eq(tls.crl, NULL);
}

static const struct {
  const char *options;
  uint32_t mode;
} modes[] = {
  { "tls=off", TN_TLS_OFF },
  { "tls=prefer", TN_TLS_PREFER },
  { "tls=require", TN_TLS_REQUIRE },
  { "tls=verify-ca", TN_TLS_VERIFY_CA },
  { "tls=verify-full", TN_TLS_VERIFY_FULL },
  { "sslmode=disable", TN_TLS_OFF },
  { "sslmode=allow", TN_TLS_PREFER },
  { "sslmode=prefer", TN_TLS_PREFER },
  { "sslmode=require", TN_TLS_REQUIRE },
  { "sslmode=verify-ca", TN_TLS_VERIFY_CA },
  { "sslmode=verify-full", TN_TLS_VERIFY_FULL },
  { "ssl_mode=DISABLED", TN_TLS_OFF },
  { "ssl_mode=preferred", TN_TLS_PREFER },
  { "ssl-mode=Required", TN_TLS_REQUIRE },
  { "ssl-mode=VERIFY_CA", TN_TLS_VERIFY_CA },
  { "ssl_mode=verify_identity", TN_TLS_VERIFY_FULL },
  { "ssl_verify_cert=true", TN_TLS_VERIFY_CA },
  { "ssl_verify_cert=1", TN_TLS_VERIFY_CA },
  { "ssl_verify_cert=False", TN_TLS_PREFER },
  { "ssl_verify_identity=True", TN_TLS_VERIFY_FULL },
  { "ssl_check_hostname=true", TN_TLS_VERIFY_FULL },
  { "ssl_check_hostname=false", TN_TLS_PREFER },
  { "ssl_verify_cert=true&ssl_verify_identity=true", TN_TLS_VERIFY_FULL },
  { "ssl_verify_cert=true&ssl_check_hostname=false", TN_TLS_VERIFY_CA },
  { "ssl_verify_identity=false&ssl_check_hostname=0", TN_TLS_PREFER },
  { "ssl_verify_identity=true&ssl_check_hostname=on", TN_TLS_VERIFY_FULL },
  { "tls=require&ssl_verify_cert=yes", TN_TLS_VERIFY_CA },
  { "tls=verify-full&ssl_verify_cert=true", TN_TLS_VERIFY_FULL },
  { "tls=verify-ca&ssl_check_hostname=false", TN_TLS_VERIFY_CA },
  { "tls=off&ssl_verify_cert=false", TN_TLS_OFF },
  { "tls=require&sslmode=require", TN_TLS_REQUIRE },
  { "sslmode=disable&ssl_mode=DISABLED&tls=off", TN_TLS_OFF },
};

Test(tls, every_name_of_the_mode_means_the_same)
{
  for (size_t i = 0; i < TN_COUNT(modes); i++) {
    cr_expect_eq(take(modes[i].options), TN_OK, "case %zu: \"%s\": %s", i,
                 modes[i].options, err.message);
    cr_expect_eq(tls.mode, modes[i].mode, "case %zu: \"%s\": %s", i,
                 modes[i].options, tn_tls_mode_name(tls.mode));
    cr_expect_eq(args.option_count, 0, "case %zu", i);
  }
}

Test(tls, an_authority_is_one_to_verify_against, .init = files_make,
     .fini = files_remove)
{
  static const struct {
    const char *options;
    uint32_t mode;
  } cases[] = {
    { "tls_ca=", TN_TLS_VERIFY_CA },
    { "ssl_ca=", TN_TLS_VERIFY_CA },
    { "sslmode=require&sslrootcert=", TN_TLS_VERIFY_CA },
    { "ssl_mode=REQUIRED&ssl_ca=", TN_TLS_VERIFY_CA },
    { "ssl_verify_identity=true&ssl_ca=", TN_TLS_VERIFY_FULL },
    { "sslmode=verify-full&sslrootcert=", TN_TLS_VERIFY_FULL },
    { "sslmode=prefer&sslrootcert=", TN_TLS_PREFER },
    { "sslmode=disable&sslrootcert=", TN_TLS_OFF },
    { "tls=require&tls_ca=", TN_TLS_REQUIRE },
    { "tls=prefer&tls_ca=", TN_TLS_PREFER },
  };
  char path[PATH_MAX];
  char text[PATH_MAX + 64];

  set_up();
  files_write("ca", "", path);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    snprintf(text, sizeof(text), "%s%s/ca", cases[i].options, files_folder);
    cr_expect_eq(take(text), TN_OK, "case %zu: %s", i, err.message);
    cr_expect_eq(tls.mode, cases[i].mode, "case %zu: \"%s\": %s", i, text,
                 tn_tls_mode_name(tls.mode));
  }
}

Test(tls, versions_and_clear_passwords_are_numbers_then)
{
  cr_assert_eq(take("tls_min_version=1.3&clear_password=never"), TN_OK);
  cr_expect_eq(tls.min_version, 0x0304);
  cr_expect_eq(tls.clear_password, 0);
  cr_assert_eq(take("ssl_min_protocol_version=TLSv1.3&clear_password=verified"),
               TN_OK);
  cr_expect_eq(tls.min_version, 0x0304);
  cr_expect_eq(tls.clear_password, 1);
  cr_assert_eq(take("ssl_min_protocol_version=tlsv1.2&tls_min_version=1.2&"
                    "clear_password=always"),
               TN_OK);
  cr_expect_eq(tls.min_version, 0x0303);
  cr_expect_eq(tls.clear_password, 2);
}

Test(tls, other_options_are_left_in_their_order)
{
  cr_assert_eq(take("a=1&tls=off&b=2&sslmode=disable&c=3"), TN_OK);
  cr_assert_eq(args.option_count, 3);
  cr_expect_str_eq(args.options[0].name, "a");
  cr_expect_str_eq(args.options[1].name, "b");
  cr_expect_str_eq(args.options[2].value, "3");
}

Test(tls, a_backend_without_a_network_has_none_of_it)
{
  plugin.caps = 0;
  cr_assert_eq(take("tls=whatever&sslmode=x"), TN_OK);
  cr_expect_eq(args.tls, NULL);
  cr_expect_eq(args.option_count, 2);
}

/* ---- files ---- */

Test(tls, files_are_handed_on_under_all_their_names, .init = files_make,
     .fini = files_remove)
{
  char text[1024];
  char paths[4][64];
  char path[PATH_MAX];

  set_up();
  for (size_t i = 0; i < TN_COUNT(paths); i++) {
    static const char *const names[] = { "ca", "cert", "key", "crl" };

    files_write(names[i], "", path);
    snprintf(paths[i], sizeof(paths[i]), "%s/%s", files_folder, names[i]);
  }
  for (size_t i = 0; i < 3; i++) {
    static const char *const names[3][4] = {
      { "tls_ca", "tls_cert", "tls_key", "tls_crl" },
      { "sslrootcert", "sslcert", "sslkey", "sslcrl" },
      { "ssl_ca", "ssl_cert", "ssl_key", "ssl_crl" },
    };

    snprintf(text, sizeof(text), "%s=%s&%s=%s&%s=%s&%s=%s", names[i][0],
             paths[0], names[i][1], paths[1], names[i][2], paths[2],
             names[i][3], paths[3]);
    cr_assert_eq(take(text), TN_OK, "case %zu: %s", i, err.message);
    cr_expect_str_eq(tls.ca, paths[0], "case %zu", i);
    cr_expect_str_eq(tls.cert, paths[1], "case %zu", i);
    cr_expect_str_eq(tls.key, paths[2], "case %zu", i);
    cr_expect_str_eq(tls.crl, paths[3], "case %zu", i);
  }

  snprintf(text, sizeof(text), "tls_ca=%s&ssl_ca=%s", paths[0], paths[0]);
  cr_expect_eq(take(text), TN_OK, "%s", err.message);
  snprintf(text, sizeof(text), "ssl_ca=%s&tls_ca=%s", paths[0], paths[3]);
  cr_expect_eq(take(text), TN_E_CONFIG);
  cr_expect(strstr(err.message, "options \"ssl_ca\" and \"tls_ca\" contradict "
                                "each other") != NULL,
            "%s", err.message);
}

Test(tls, a_file_that_cannot_be_read_is_refused_with_the_reason,
     .init = files_make, .fini = files_remove)
{
  static const char *const names[] = { "tls_ca", "tls_crl", "sslrootcert",
                                       "ssl_crl" };
  char fifo[64];
  char text[1024];

  set_up();
  for (size_t i = 0; i < TN_COUNT(names); i++) {
    char expected[256];

    snprintf(text, sizeof(text), "%s=/nowhere/x.pem", names[i]);
    snprintf(expected, sizeof(expected),
             "fake: option \"%s\": \"/nowhere/x.pem\" cannot be read: No such "
             "file or directory",
             names[i]);
    cr_expect_eq(take(text), TN_E_CONFIG, "case %zu", i);
    cr_expect_str_eq(err.message, expected);
    cr_expect_eq(args.tls, NULL);
  }
  cr_expect_eq(take("tls_ca="), TN_E_CONFIG);
  cr_expect_str_eq(err.message, "fake: option \"tls_ca\": \"\" cannot be read: "
                                "No such file or directory");
  cr_expect_eq(take("tls_ca"), TN_E_CONFIG);
  cr_expect_eq(take("tls_cert=/nowhere/x&tls_key=/nowhere/y"), TN_E_CONFIG);
  cr_expect(strstr(err.message, "\"tls_cert\": \"/nowhere/x\"") != NULL, "%s",
            err.message);

  snprintf(text, sizeof(text), "tls_ca=%s", files_folder);
  cr_expect_eq(take(text), TN_E_CONFIG);
  cr_expect(strstr(err.message, "cannot be read: it is not a file") != NULL,
            "%s", err.message);

  /* One that nobody writes to would be waited for. */
  snprintf(fifo, sizeof(fifo), "%s/fifo", files_folder);
  cr_assert_eq(mkfifo(fifo, 0600), 0);
  snprintf(text, sizeof(text), "tls_crl=%s", fifo);
  cr_expect_eq(take(text), TN_E_CONFIG);
  cr_expect(strstr(err.message, "it is not a file") != NULL, "%s", err.message);
}

Test(tls, a_certificate_and_its_key_go_together)
{
  static const struct {
    const char *options;
    const char *message;
  } cases[] = {
    { "tls_cert=/x", "fake: option \"tls_cert\" is of no use without "
                     "\"tls_key\"" },
    { "ssl_key=/x", "fake: option \"ssl_key\" is of no use without "
                    "\"tls_cert\"" },
    { "tls=off&sslcert=/x", "fake: option \"sslcert\" is of no use without "
                            "\"tls_key\"" },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    cr_expect_eq(take(cases[i].options), TN_E_CONFIG, "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu", i);
  }
}

/* ---- what is refused ---- */

static const struct {
  const char *options;
  const char *message;
} bad[] = {
  { "tls=on", "fake: option \"tls\": \"on\" is none of off, prefer, require, "
              "verify-ca, verify-full" },
  { "tls=verify_full",
    "fake: option \"tls\": \"verify_full\" is none of off, prefer, require, "
    "verify-ca, verify-full; did you mean \"verify-full\"?" },
  { "tls=OFF", "fake: option \"tls\": \"OFF\" is none of off, prefer, require, "
               "verify-ca, verify-full; did you mean \"off\"?" },
  { "tls=", "fake: option \"tls\": \"\" is none of off, prefer, require, "
            "verify-ca, verify-full" },
  { "tls", "fake: option \"tls\": \"\" is none of off, prefer, require, "
           "verify-ca, verify-full" },
  { "sslmode=requrie",
    "fake: option \"sslmode\": \"requrie\" is none of disable, allow, prefer, "
    "require, verify-ca, verify-full; did you mean \"require\"?" },
  { "ssl_mode=VERIFY-CA",
    "fake: option \"ssl_mode\": \"VERIFY-CA\" is none of DISABLED, PREFERRED, "
    "REQUIRED, VERIFY_CA, VERIFY_IDENTITY; did you mean \"VERIFY_CA\"?" },
  { "tls_min_version=1.1",
    "fake: option \"tls_min_version\": \"1.1\" is none of 1.2, 1.3; did you "
    "mean \"1.2\"?" },
  { "ssl_min_protocol_version=TLSv1",
    "fake: option \"ssl_min_protocol_version\": \"TLSv1\" is none of TLSv1.2, "
    "TLSv1.3" },
  { "clear_password=yes",
    "fake: option \"clear_password\": \"yes\" is none of never, verified, "
    "always" },
  { "ssl_verify_cert=2",
    "fake: option \"ssl_verify_cert\": \"2\" is none of true, false, yes, no, "
    "on, off, 1, 0; did you mean \"1\"?" },
  { "tls=o\nff", "fake: option \"tls\": \"o\\x0aff\" is none of off, prefer, "
                 "require, verify-ca, verify-full; did you mean \"off\"?" },

  { "tls=off&sslmode=require",
    "fake: options \"tls\" and \"sslmode\" contradict each other: \"off\" and "
    "\"require\"" },
  { "ssl_mode=REQUIRED&ssl-mode=VERIFY_CA",
    "fake: options \"ssl_mode\" and \"ssl-mode\" contradict each other: "
    "\"REQUIRED\" and \"VERIFY_CA\"" },
  { "tls=off&ssl_verify_cert=true",
    "fake: options \"tls\" and \"ssl_verify_cert\" contradict each other: "
    "\"off\" and \"true\"" },
  { "sslmode=verify-full&ssl_verify_cert=false",
    "fake: options \"sslmode\" and \"ssl_verify_cert\" contradict each other: "
    "\"verify-full\" and \"false\"" },
  { "sslmode=verify-full&ssl_check_hostname=false",
    "fake: options \"sslmode\" and \"ssl_check_hostname\" contradict each "
    "other: \"verify-full\" and \"false\"" },
  { "ssl_verify_identity=true&ssl_check_hostname=false",
    "fake: options \"ssl_verify_identity\" and \"ssl_check_hostname\" "
    "contradict each other: \"true\" and \"false\"" },
  { "ssl_verify_cert=false&ssl_verify_identity=true",
    "fake: options \"ssl_verify_identity\" and \"ssl_verify_cert\" contradict "
    "each other: \"true\" and \"false\"" },
  { "tls_min_version=1.3&ssl_min_protocol_version=TLSv1.2",
    "fake: options \"tls_min_version\" and \"ssl_min_protocol_version\" "
    "contradict each other: \"1.3\" and \"TLSv1.2\"" },
};

Test(tls, bad_values_and_contradictions_are_refused_in_one_line)
{
  for (size_t i = 0; i < TN_COUNT(bad); i++) {
    cr_expect_eq(take(bad[i].options), TN_E_CONFIG, "case %zu: \"%s\"", i,
                 bad[i].options);
    cr_expect_str_eq(err.message, bad[i].message, "case %zu: \"%s\"", i,
                     bad[i].options);
    cr_expect_eq(args.tls, NULL, "case %zu", i);
  }
}

Test(tls, every_value_of_a_row_is_one)
{
  size_t count;
  const struct tn_option_row *rows = tn_tls_rows(&count);

  cr_assert_eq(count, 7);
  for (size_t i = 0; i < count; i++) {
    char values[128];
    char *rest = values;
    char *word;
    bool has_initial = rows[i].choices == NULL;

    cr_expect_str_eq(tn_tls_name(rows[i].name), rows[i].name);
    cr_expect_neq(rows[i].help[0], '\0');
    snprintf(values, sizeof(values), "%s",
             rows[i].choices != NULL ? rows[i].choices : "");
    while ((word = strsep(&rest, "|")) != NULL && *word != '\0') {
      char text[160];

      snprintf(text, sizeof(text), "%s=%s", rows[i].name, word);
      cr_expect_eq(take(text), TN_OK, "%s: %s", text, err.message);
      has_initial = has_initial || strcmp(word, rows[i].initial) == 0;
    }
    cr_expect(has_initial, "%s", rows[i].name);
  }
}

Test(tls, a_unix_socket_has_no_tls)
{
  static const struct {
    const char *hosts[2];
    const char *options;
    bool is_refused;
  } cases[] = {
    { { "/run/x" }, "tls=require", true },
    { { "/run/x" }, "tls=verify-ca", true },
    { { "/run/x" }, "sslmode=verify-full", true },
    { { "/run/x" }, "ssl_verify_cert=true", true },
    { { "/run/x" }, "tls=prefer", false },
    { { "/run/x" }, "tls=off", false },
    { { "/run/x" }, "", false },
    { { "" }, "tls=require", true },
    { { NULL }, "tls=require", true },
    { { NULL }, "", false },
    { { "h", "/run/x" }, "tls=require", true },
    { { "h", "i" }, "tls=require", false },
    { { "h" }, "unix_socket=/run/x&tls=require", true },
    { { "h" }, "unix_socket=/run/x&tls=prefer", false },
    { { "localhost" }, "tls=require", false },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    args.address_count = 0;
    for (size_t at = 0; at < 2 && cases[i].hosts[at] != NULL; at++)
      addresses[args.address_count++].host = cases[i].hosts[at];
    cr_expect_eq(take(cases[i].options),
                 cases[i].is_refused ? TN_E_CONFIG : TN_OK, "case %zu: %s", i,
                 err.message);
  }
  cr_expect_eq((args.address_count = 0, take("ssl_mode=REQUIRED")),
               TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "fake: option \"ssl_mode\": \"REQUIRED\" asks for TLS, "
                   "which a unix socket does not have; name a host, or set "
                   "tls=off");
}

Test(tls, each_allocation_of_a_refusal_may_fail)
{
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = take("tls=verify_full");
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_E_CONFIG);
      break;
    }
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
}

/* ---- names and hosts ---- */

Test(tls, names_lead_to_what_they_are_about)
{
  static const struct {
    const char *name;
    const char *is;
  } cases[] = {
    { "tls", "tls" },
    { "sslmode", "tls" },
    { "ssl-mode", "tls" },
    { "ssl_verify_cert", "tls" },
    { "ssl_check_hostname", "tls" },
    { "sslrootcert", "tls_ca" },
    { "ssl_key", "tls_key" },
    { "ssl_min_protocol_version", "tls_min_version" },
    { "clear_password", "clear_password" },
    { "label", NULL },
    { "", NULL },
    { "TLS", NULL },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    const char *found = tn_tls_name(cases[i].name);

    if (cases[i].is == NULL)
      cr_expect_eq(found, NULL, "case %zu", i);
    else
      cr_expect_str_eq(found, cases[i].is, "case %zu", i);
  }
  cr_expect_str_eq(tn_tls_mode_name(TN_TLS_VERIFY_CA), "verify-ca");
  cr_expect_str_eq(tn_tls_mode_name(0), "");
  cr_expect_str_eq(tn_tls_mode_name(6), "");
}

Test(tls, a_misspelled_name_is_near_to_one_of_them)
{
  struct tn_suggestion suggestion = { .wanted = "ssl_mod" };

  tn_tls_offer(&suggestion);
  cr_expect_str_eq(suggestion.best, "ssl_mode");
}

Test(tls, another_machine_is_remote)
{
  static const struct {
    const char *host;
    bool is_remote;
  } cases[] = {
    { NULL, false },
    { "", false },
    { "/run/x", false },
    { "localhost", false },
    { "LocalHost", false },
    { "127.0.0.1", false },
    { "127.255.0.3", false },
    { "::1", false },
    { "0:0:0:0:0:0:0:1", false },
    { "::ffff:127.0.0.1", false },
    { "::ffff:10.0.0.1", true },
    { "128.0.0.1", true },
    { "10.0.0.127", true },
    { "0.0.0.0", true },
    { "::2", true },
    { "fe80::1", true },
    { "localhost.example.com", true },
    { "127.0.0.1.example.com", true },
    { "db", true },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++)
    cr_expect_eq(tn_tls_is_remote(cases[i].host), cases[i].is_remote,
                 "case %zu: \"%s\"", i, cases[i].host);
}
