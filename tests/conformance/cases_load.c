/* What a plug-in says of itself, and how it opens and closes. */
#include "suite.h"

static void
descriptor_is_complete(struct suite *suite)
{
  const struct tn_plugin_report *report = &suite->report;

  CHECK(suite, report->name[0] != '\0', "no name");
  CHECK(suite, report->schemes[0] != '\0', "no schemes");
  CHECK(suite, report->version[0] != '\0', "no version");
  CHECK(suite, report->license[0] != '\0', "no license");
  CHECK(suite, report->client_version[0] != '\0', "no client version");
  CHECK(suite, report->state == TN_PLUGIN_LOADED, "state %u",
        (unsigned)report->state);
  CHECK(suite, report->abi_major == TN_ABI_MAJOR, "abi %u",
        (unsigned)report->abi_major);
}

static void
options_have_help(struct suite *suite)
{
  uint32_t i;

  CHECK(suite, suite->report.option_count < 1000, "a count that is none");
  for (i = 0; i < suite->report.option_count; i++) {
    const struct tn_option_row *row = &suite->report.options[i];

    CHECK(suite, row->help != NULL && row->help[0] != '\0', "%s: no help",
          row->name);
    CHECK(suite,
          row->type != TN_OPTION_CHOICE ||
              (row->choices != NULL && row->choices[0] != '\0'),
          "%s: no choices", row->name);
    CHECK(suite, row->min <= row->max, "%s: min above max", row->name);
  }
}

static void
caps_are_known_and_honest(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  unsigned bit;

  for (bit = 0; bit < 64; bit++)
    CHECK(suite,
          (suite->report.caps & (UINT64_C(1) << bit)) == 0 ||
              tn_cap_name(bit) != NULL,
          "capability bit %u has no name", bit);
  if (conn != NULL)
    CHECK(suite, (tn_conn_caps(conn) & ~suite->report.caps) == 0,
          "this server can do more than the plug-in says it can at all");
}

static void
opens_and_closes_many_times(struct suite *suite)
{
  unsigned i;

  for (i = 0; i < 50; i++) {
    TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);

    if (conn == NULL)
      return;
    CHECK(suite, tn_conn_server_version(conn)[0] != '\0', "no version");
    CHECK(suite, strcmp(tn_conn_backend(conn), suite->report.name) == 0,
          "the wrong backend");
  }
}

static void
ping_answers(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_ping(conn, tn_deadline_after_ms(5000), &err), TN_OK,
             &err, "ping");
  CHECK(suite, tn_conn_verdict(conn) == TN_CONNECTION_USABLE, "not usable");
}

static void
unknown_option_is_refused(struct suite *suite)
{
  const struct tn_conn_options options = { .registry = suite->registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char url[1024];
  tn_err err = TN_ERR_INIT;

  snprintf(url, sizeof url, "%s%ctn_no_such_option=1", suite->url,
           strchr(suite->url, '?') == NULL ? '?' : '&');
  if (!quirk_is(suite, "options.unknown", "refused")) {
    CHECK_CODE(suite, tn_conn_open(url, &options, &conn, &err), TN_OK, &err,
               "open");
    return;
  }
  CHECK_CODE(suite, tn_conn_open(url, &options, &conn, &err), TN_E_CONFIG, &err,
             "open");
  CHECK(suite, strstr(err.message, "tn_no_such_option") != NULL,
        "the message does not name the option: %s", err.message);
}

static void
past_deadline_refuses_to_open(struct suite *suite)
{
  const struct tn_conn_options options = { .registry = suite->registry,
                                           .deadline = 1 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_conn_open(suite->url, &options, &conn, &err),
             TN_E_TIMEOUT, &err, "open");
}

static void
reset_is_done_or_refused(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_reset(conn, &err),
             has_cap(suite, TN_CAP_RESET) ? TN_OK : TN_E_UNSUPPORTED, &err,
             "reset");
}

static void
sql_mode_is_set_or_refused(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_set_sql_mode(conn, "", &err), TN_OK, &err,
             "sql-mode \"\"");
  CHECK_CODE(suite, tn_conn_set_sql_mode(conn, "TRADITIONAL", &err),
             has_cap(suite, TN_CAP_SQL_MODE) ? TN_OK : TN_E_UNSUPPORTED, &err,
             "sql-mode TRADITIONAL");
}

const struct suite_case cases_load[] = {
  { "load: the descriptor is complete", descriptor_is_complete },
  { "load: every option has its help", options_have_help },
  { "load: capabilities are known and honest", caps_are_known_and_honest },
  { "load: opens and closes many times", opens_and_closes_many_times },
  { "load: a ping is answered", ping_answers },
  { "load: an unknown option is refused by name", unknown_option_is_refused },
  { "load: a deadline that has passed refuses to open",
    past_deadline_refuses_to_open },
  { "session: reset is done or refused", reset_is_done_or_refused },
  { "session: the sql-mode is set or refused", sql_mode_is_set_or_refused },
  { NULL, NULL },
};
