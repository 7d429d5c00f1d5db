/* Options of a URL against the rows of a backend. */
#include "option.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_plugin.h"

static const struct {
  const char *name;
  const char *value;
  const char *message; /* NULL: accepted */
} cases[] = {
  { "label", "", NULL },
  { "label", NULL, NULL },
  { "label", "any text ü", NULL },
  { "size", "-1", NULL },
  { "size", "100", NULL },
  { "size", "0", NULL },
  { "size", "007", NULL },
  { "size", "101", "fake: option \"size\": \"101\" is outside -1 to 100" },
  { "size", "-2", "fake: option \"size\": \"-2\" is outside -1 to 100" },
  { "size", "99999999999999999999",
    "fake: option \"size\": \"99999999999999999999\" is outside -1 to 100" },
  { "size", "-99999999999999999999",
    "fake: option \"size\": \"-99999999999999999999\" is outside -1 to 100" },
  { "size", "", "fake: option \"size\": \"\" is not a whole number" },
  { "size", NULL, "fake: option \"size\": \"\" is not a whole number" },
  { "size", " 1", "fake: option \"size\": \" 1\" is not a whole number" },
  { "size", "+1", "fake: option \"size\": \"+1\" is not a whole number" },
  { "size", "1 ", "fake: option \"size\": \"1 \" is not a whole number" },
  { "size", "-", "fake: option \"size\": \"-\" is not a whole number" },
  { "size", "1.0", "fake: option \"size\": \"1.0\" is not a whole number" },
  { "size", "0x10", "fake: option \"size\": \"0x10\" is not a whole number" },
  { "size", "1\n", "fake: option \"size\": \"1\\x0a\" is not a whole number" },
  { "strict", "1", NULL },
  { "strict", "0", NULL },
  { "strict", "True", NULL },
  { "strict", "FALSE", NULL },
  { "strict", "yes", NULL },
  { "strict", "no", NULL },
  { "strict", "on", NULL },
  { "strict", "off", NULL },
  { "strict", "",
    "fake: option \"strict\": \"\" is none of 1/0, true/false, yes/no, "
    "on/off" },
  { "strict", "maybe",
    "fake: option \"strict\": \"maybe\" is none of 1/0, true/false, yes/no, "
    "on/off" },
  { "timeout", "100ms", NULL },
  { "timeout", "60", NULL },
  { "timeout", "1m", NULL },
  { "timeout", "99ms",
    "fake: option \"timeout\": \"99ms\" is outside 100 to 60000 "
    "milliseconds" },
  { "timeout", "2h",
    "fake: option \"timeout\": \"2h\" is outside 100 to 60000 milliseconds" },
  { "timeout", "soon",
    "fake: option \"timeout\": \"soon\" is not a duration; write 250ms, 5s, "
    "2m, 1h or seconds" },
  { "mode", "off", NULL },
  { "mode", "normal", NULL },
  { "mode", "full", NULL },
  { "mode", "", "fake: option \"mode\": \"\" is none of off|normal|full" },
  { "mode", "Full",
    "fake: option \"mode\": \"Full\" is none of "
    "off|normal|full" },
  { "mode", "off|normal",
    "fake: option \"mode\": \"off|normal\" is none of off|normal|full" },
  { "mode", "of", "fake: option \"mode\": \"of\" is none of off|normal|full" },
  { "pin_code", "1234", NULL },
  { "pin_code", "geheim",
    "fake: option \"pin_code\": the value is not a whole number" },
  { "pin_code", "12345",
    "fake: option \"pin_code\": the value is outside 0 to 9999" },
  { "charset", "anything", NULL },
  { "pool_size", "not a number", NULL },
  { "mod", "off", "fake: option \"mod\": unknown; did you mean \"mode\"?" },
  { "Mode", "off", "fake: option \"Mode\": unknown; did you mean \"mode\"?" },
  { "gssapi", "x", "fake: option \"gssapi\": unknown" },
  { "", "x", "fake: option \"\": unknown" },
  { "a\033b", "x", "fake: option \"a\\x1bb\": unknown" },
};

Test(option, a_value_keeps_to_its_row_or_is_refused_with_the_reason)
{
  const struct tn_plugin *plugin = fake_plugin_entry(NULL);

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    const struct tn_option option = { cases[i].name, cases[i].value };
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = tn_option_check(plugin, &option, &err);

    cr_expect_eq(rc, cases[i].message != NULL ? TN_E_CONFIG : TN_OK,
                 "case %zu: %s=%s: %s", i, option.name, option.value,
                 err.message);
    cr_expect_eq(tn_option_check(plugin, &option, NULL), rc, "case %zu", i);
    if (cases[i].message != NULL)
      cr_expect_str_eq(err.message, cases[i].message, "case %zu", i);
  }
}

Test(option, long_names_and_values_are_cut_in_messages)
{
  static char text[5000];
  const struct tn_plugin *plugin = fake_plugin_entry(NULL);
  struct tn_option option = { text, "1" };
  tn_err err = TN_ERR_INIT;

  memset(text, 'x', sizeof(text) - 1);
  cr_expect_eq(tn_option_check(plugin, &option, &err), TN_E_CONFIG);
  cr_expect_lt(strlen(err.message), 150);
  option = (struct tn_option){ "size", text };
  cr_expect_eq(tn_option_check(plugin, &option, &err), TN_E_CONFIG);
  cr_expect_lt(strlen(err.message), 150);
  cr_expect(strstr(err.message, "x...\" is not") != NULL, "%s", err.message);
}

Test(option, a_number_of_the_widest_range_is_still_checked)
{
  static const struct tn_option_row row = {
    "n", TN_OPTION_INTEGER, 0, INT64_MIN, INT64_MAX, NULL, "", ""
  };
  const struct tn_plugin plugin = { .name = "p",
                                    .option_count = 1,
                                    .options = &row };
  const struct {
    const char *value;
    enum tn_code code;
  } numbers[] = {
    { "9223372036854775807", TN_OK },
    { "9223372036854775808", TN_E_CONFIG },
    { "-9223372036854775808", TN_OK },
    { "-9223372036854775809", TN_E_CONFIG },
  };

  for (size_t i = 0; i < TN_COUNT(numbers); i++) {
    const struct tn_option option = { "n", numbers[i].value };

    cr_expect_eq(tn_option_check(&plugin, &option, NULL), numbers[i].code,
                 "case %zu: %s", i, option.value);
  }
}

Test(option, a_row_is_found_by_its_exact_name)
{
  const struct tn_plugin *plugin = fake_plugin_entry(NULL);

  cr_expect_str_eq(tn_option_find(plugin, "mode")->name, "mode");
  cr_expect_eq(tn_option_find(plugin, "mod"), NULL);
  cr_expect_eq(tn_option_find(plugin, "modes"), NULL);
}

Test(option, a_row_for_all_others_takes_what_has_no_row)
{
  static const struct tn_option_row rows[] = {
    { "*", TN_OPTION_TEXT, 0, 0, 0, NULL, "", "" },
    { "n", TN_OPTION_INTEGER, 0, 0, 9, NULL, "", "" },
  };
  const struct tn_plugin plugin = { .name = "p",
                                    .option_count = 2,
                                    .options = rows };
  const struct tn_option other = { "Other Word", "x" };
  const struct tn_option number = { "n", "x" };

  cr_expect_eq(tn_option_find(&plugin, "n"), &rows[1]);
  cr_expect_eq(tn_option_find(&plugin, "other"), &rows[0]);
  cr_expect_eq(tn_option_check(&plugin, &other, NULL), TN_OK);
  cr_expect_eq(tn_option_check(&plugin, &number, NULL), TN_E_CONFIG);
}

Test(option, with_a_network_a_misspelled_word_may_be_about_tls)
{
  static const struct {
    const char *name;
    const char *nearest;
  } misspelled[] = {
    { "tsl", "tls" },
    { "sslmod", "sslmode" },
    { "ssl_verify_certs", "ssl_verify_cert" },
    { "tls_cacert", "tls_cert" },
    { "xyzzy", NULL },
    { "modes", "mode" },
  };
  struct tn_plugin plugin = *fake_plugin_entry(NULL);
  tn_err err = TN_ERR_INIT;

  for (size_t i = 0; i < TN_COUNT(misspelled); i++) {
    const struct tn_option option = { misspelled[i].name, "x" };
    char expected[128];

    plugin.caps |= TN_CAP_NETWORK;
    snprintf(expected, sizeof(expected), "fake: option \"%s\": unknown%s%s%s",
             option.name,
             misspelled[i].nearest != NULL ? "; did you mean \"" : "",
             misspelled[i].nearest != NULL ? misspelled[i].nearest : "",
             misspelled[i].nearest != NULL ? "\"?" : "");
    cr_expect_eq(tn_option_check(&plugin, &option, &err), TN_E_CONFIG);
    cr_expect_str_eq(err.message, expected, "case %zu", i);

    plugin.caps &= ~TN_CAP_NETWORK;
    cr_expect_eq(tn_option_check(&plugin, &option, &err), TN_E_CONFIG);
    cr_expect(strstr(strstr(err.message, "unknown"), "sl") == NULL,
              "case %zu: %s", i, err.message);
  }
}
