/* From a target to the arguments of the plug-in's connect(). */
#include <tenon/engine.h>

#include "fixture.h"

TestSuite(conn_open, .init = fixture_init, .timeout = 60);

static tn_config *config;

static struct tn_conn_options
options_with(const char *text)
{
  struct tn_conn_options options = fixture_options();

  tn_config_free(&config);
  cr_assert_eq(
      tn_config_parse(text, strlen(text), "test.ini", NULL, &config, &err),
      TN_OK, "%s", err.message);
  options.config = config;
  return options;
}

/* A file whose default database is `script`, with `more` in the URL, and
 * `lines` after it. */
static const char *
configured(const char *more, const char *lines)
{
  static char text[2048];

  snprintf(text, sizeof text, "[database]\nconnection = %s\n%s",
           fixture_url(more), lines);
  return text;
}

/* `text` with the script's address in place of the word SCRIPT. */
static void
put_script(const char *text, char *out, size_t size)
{
  const char *place = strstr(text, "SCRIPT");

  cr_assert_neq(place, NULL, "%s", text);
  snprintf(out, size, "%.*s%p%s", (int)(place - text), text, (void *)&script,
           place + strlen("SCRIPT"));
}

static void
close_all(void)
{
  fixture_close();
  tn_config_free(&config);
}

static void
expect_args(const char *args, size_t i)
{
  cr_expect_str_eq(script.args, args, "case %zu", i);
}

/* ---- URLs ---- */

Test(conn_open, hands_every_part_of_the_url_to_the_plug_in)
{
  static const struct {
    const char *url;
    const char *args;
  } cases[] = {
    { "fake://u:p%40%3a@h1:1,h2/db?script=SCRIPT&label=x",
      "dialect=fake user=u password=p@: host=h1:1 host=h2:0 database=db "
      "label=x" },
    { "fake+other:///?script=SCRIPT", "dialect=fake driver=other database=" },
    { "FAKE://?script=SCRIPT", "dialect=fake" },
    { "fake://[::1]:7/a/b?script=SCRIPT&size=9&mode=off",
      "dialect=fake host=::1:7 database=a/b size=9 mode=off" },
    { "fake:///d?host=/run/x&script=SCRIPT",
      "dialect=fake host=/run/x:0 database=d" },
    { "fake://h/?script=SCRIPT&charset=utf8",
      "dialect=fake host=h:0 database=" },
  };
  struct tn_conn_options options = fixture_options();
  char text[256];

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    put_script(cases[i].url, text, sizeof text);
    cr_assert_eq(tn_conn_open(text, &options, &conn, &err), TN_OK,
                 "case %zu: %s", i, err.message);
    expect_args(cases[i].args, i);
    cr_expect_eq(script.calls[FAKE_CONNECT], i + 1);
    tn_conn_close(&conn);
  }
  fixture_close();
}

Test(conn_open, takes_a_parsed_url_and_copies_it)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  struct tn_conn_options options = fixture_options();

  cr_assert_eq(tn_url_parse(fixture_url("&label=x"), &url, &err), TN_OK);
  cr_assert_eq(tn_conn_open_url(url, &options, &conn, &err), TN_OK);
  tn_url_free(&url);
  expect_args("dialect=fake host=h:0 database=db label=x", 0);
  fixture_expect_usable("the URL was released");
  fixture_close();
}

Test(conn_open, refuses_before_anything_is_sent)
{
  static const struct {
    const char *target; /* NULL: the script's URL with `more` */
    const char *more;
    enum tn_code code;
    const char *message;
  } cases[] = {
    { "no url", "", TN_E_CONFIG, "" },
    { "", "", TN_E_CONFIG, "" },
    { "other://h/d", "", TN_E_PLUGIN, "no backend for scheme \"other\"" },
    { "@billing", "", TN_E_CONFIG, "\"@billing\" names a configured" },
    { "@", "", TN_E_CONFIG, "no configuration is loaded" },
    { NULL, "&lable=x", TN_E_CONFIG, "did you mean \"label\"?" },
    { NULL, "&max_pool_sise=3", TN_E_CONFIG,
      "did you mean \"max_pool_size\"?" },
    { NULL, "&size=101", TN_E_CONFIG, "outside -1 to 100" },
    { NULL, "&mode=Off", TN_E_CONFIG, "none of off|normal|full" },
    { NULL, "&pin_code=secret", TN_E_CONFIG, "the value is not" },
    { NULL, "&label=a&label=b", TN_E_CONFIG, "" },
  };
  struct tn_conn_options options = fixture_options();

  conn = UNTOUCHED(tn_conn);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    const char *target =
        cases[i].target != NULL ? cases[i].target : fixture_url(cases[i].more);

    cr_expect_eq(tn_conn_open(target, &options, &conn, &err), cases[i].code,
                 "case %zu: \"%s\": %s", i, target, err.message);
    cr_expect_eq(err.code, (int32_t)cases[i].code, "case %zu", i);
    cr_expect(strstr(err.message, cases[i].message) != NULL,
              "case %zu: \"%s\": %s", i, target, err.message);
    cr_expect_eq(strstr(err.message, "secret"), NULL);
    cr_expect_eq(tn_conn_open(target, &options, &conn, NULL), cases[i].code,
                 "case %zu", i);
  }
  cr_expect_eq(conn, UNTOUCHED(tn_conn));
  conn = NULL;
  cr_expect_eq(script.calls[FAKE_CONNECT], 0);
  fixture_close();
}

Test(conn_open, refuses_what_is_not_there)
{
  tn_engine *engine = NULL;
  tn_url *url = NULL;

  conn = NULL;
  cr_expect_eq(tn_conn_open(NULL, NULL, &conn, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "conn: no target: name a URL or \"@database\"");
  cr_expect_eq(tn_conn_open(NULL, NULL, &conn, NULL), TN_E_USAGE);
  cr_expect_eq(tn_conn_open_url(NULL, NULL, &conn, &err), TN_E_USAGE);
  cr_expect_eq(tn_engine_open(NULL, NULL, &engine, &err), TN_E_USAGE);
  cr_expect_not_null(strstr(err.message, "no target"), "%s", err.message);
  cr_expect_eq(tn_url_parse(NULL, &url, &err), TN_E_USAGE);
  cr_expect_null(conn);
  cr_expect_null(engine);
  cr_expect_null(url);
}

Test(conn_open, a_refused_session_keeps_the_cause_and_leaves_the_output)
{
  static const struct {
    struct fake_answer answer;
    enum tn_code code;
    const char *message;
  } cases[] = {
    { { .slot = FAKE_CONNECT, .category = TN_E_AUTH, .message = "who?" },
      TN_E_AUTH,
      "who?" },
    { { .slot = FAKE_CONNECT, .category = -1, .sqlstate = "08006" },
      TN_E_LOST,
      "" },
    { { .slot = FAKE_CONNECT, .category = TN_E_CONNECT, .flags = FAKE_SILENT },
      TN_E_INTERNAL,
      "failed without saying why" },
    { { .slot = FAKE_CONNECT, .flags = FAKE_NO_OUTPUT },
      TN_E_INTERNAL,
      "succeeded without a handle" },
  };
  struct tn_conn_options options = fixture_options();

  conn = UNTOUCHED(tn_conn);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    script.answers = &cases[i].answer;
    script.answer_count = 1;
    cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, &err),
                 cases[i].code, "case %zu: %s", i, err.message);
    cr_expect_str_eq(err.backend, "fake", "case %zu", i);
    cr_expect(strstr(err.message, cases[i].message) != NULL, "case %zu: %s", i,
              err.message);
    cr_expect_eq(err.connection, TN_CONNECTION_DEAD, "case %zu", i);
    cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, NULL),
                 cases[i].code, "case %zu", i);
  }
  cr_expect_eq(conn, UNTOUCHED(tn_conn));
  conn = NULL;
  fixture_close();
}

Test(conn_open, without_a_deadline_takes_thirty_seconds_at_most)
{
  struct tn_conn_options options = fixture_options();
  const tn_deadline before = tn_deadline_after_ms(30000);

  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK);
  cr_expect(script.deadline >= before &&
                script.deadline <= tn_deadline_after_ms(30000),
            "%lld ms", (long long)((script.deadline - before) / 1000000));
  tn_conn_close(&conn);
  options.deadline = TN_DEADLINE_NONE;
  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK);
  cr_expect_eq(script.deadline, TN_DEADLINE_NONE);
  fixture_close();
}

Test(conn_open, ends_at_its_deadline_and_not_at_the_timeout_of_calls)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 60 },
  };
  struct tn_conn_options options = fixture_options();

  SCRIPT_ANSWERS(slow);
  options.timeout_ms = 1;
  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK,
               "%s", err.message);
  tn_conn_close(&conn);

  options.timeout_ms = 0;
  options.deadline = tn_deadline_after_ms(10);
  cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, &err),
               TN_E_TIMEOUT);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(script.calls[FAKE_CONNECT], 2);
  options.deadline = 1;
  cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, &err),
               TN_E_TIMEOUT);
  cr_expect_eq(script.calls[FAKE_CONNECT], 2, "nothing is sent");
  cr_expect_eq(conn, NULL);
  fixture_close();
}

static void
keep_line(uint32_t level, const char *line, void *user)
{
  (void)level;
  snprintf(user, 256, "%s", line);
}

Test(conn_open, copies_the_log)
{
  char line[256] = "";
  struct tn_conn_options options = fixture_options();
  struct tn_log log = { TN_LOG_DEBUG, 0, keep_line, line };

  options.log = &log;
  cr_assert_eq(tn_conn_open(fixture_url("&pool_size=3"), &options, &conn, &err),
               TN_OK);
  memset(&log, 0, sizeof log);
  cr_expect(strstr(line, "ignored: pool_size") != NULL, "%s", line);
  fixture_expect_usable("the log was released");
  fixture_close();
}

/* ---- configured databases ---- */

Test(conn_open, opens_the_default_and_a_named_database)
{
  struct tn_conn_options options;
  char text[1024];

  snprintf(text, sizeof text,
           "[database]\nconnection = fake://h/one?script=%p\n"
           "[database:billing]\nconnection = fake://u:p@h/two?script=%p\n",
           (void *)&script, (void *)&script);
  options = options_with(text);
  cr_assert_eq(tn_conn_open("@database", &options, &conn, &err), TN_OK, "%s",
               err.message);
  expect_args("dialect=fake host=h:0 database=one", 0);
  tn_conn_close(&conn);
  cr_assert_eq(tn_conn_open("@billing", &options, &conn, &err), TN_OK, "%s",
               err.message);
  expect_args("dialect=fake user=u password=p host=h:0 database=two", 1);
  tn_config_free(&config);
  fixture_expect_usable("the configuration was released");
  close_all();
}

Test(conn_open, adds_connection_parameters_and_the_password)
{
  static const struct {
    const char *url;
    const char *lines;
    const char *args;
  } cases[] = {
    { "fake://h/db?script=SCRIPT", "connection_parameters = label=x&size=3\n",
      "dialect=fake host=h:0 database=db label=x size=3" },
    { "fake://u:old@h/db?script=SCRIPT", "password = n?w@/&#\n",
      "dialect=fake user=u password=n?w@/&# host=h:0 database=db" },
    { "fake://u@h/db", "connection_parameters = script=SCRIPT\npassword = p\n",
      "dialect=fake user=u password=p host=h:0 database=db" },
    { "fake://u:a?b@h/db", "connection_parameters = script=SCRIPT\n",
      "dialect=fake user=u password=a?b host=h:0 database=db" },
    { "fake://h/db", "connection_parameters = script=SCRIPT&host=h2:5\n",
      "dialect=fake host=h:0 host=h2:5 database=db" },
    { "fake:///db?host=h2", "connection_parameters = script=SCRIPT\n",
      "dialect=fake host=h2:0 database=db" },
    { "fake://h/db?script=SCRIPT", "connection_parameters =\n",
      "dialect=fake host=h:0 database=db" },
  };
  char filled[512];
  char text[512];

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_conn_options options;

    snprintf(filled, sizeof filled, "[database]\nconnection = %s\n%s",
             cases[i].url, cases[i].lines);
    put_script(filled, text, sizeof text);
    options = options_with(text);
    script.args[0] = '\0';
    cr_assert_eq(tn_conn_open("@database", &options, &conn, &err), TN_OK,
                 "case %zu: %s", i, err.message);
    expect_args(cases[i].args, i);
    tn_conn_close(&conn);
  }
  close_all();
}

Test(conn_open, tells_what_is_wrong_with_a_configured_database)
{
  static const struct {
    const char *target;
    const char *text;
    enum tn_code code;
    const char *message;
  } cases[] = {
    { "@bilings", "[database:billing]\nconnection = fake://h/d\n",
      TN_E_NOT_FOUND, "did you mean \"billing\"?" },
    { "@", "[database]\n", TN_E_NOT_FOUND,
      "the name of the database is empty" },
    { "@database", "[database]\n", TN_E_CONFIG,
      "database \"database\" has no connection" },
    { "@database",
      "[database]\nconnection = fake://h/d\n"
      "connection_parameters = a=1&a=2\n",
      TN_E_CONFIG, "" },
    { "@database",
      "[database]\nconnection = fake://h/d\n"
      "connection_parameters = lable=1\n",
      TN_E_CONFIG, "did you mean \"label\"?" },
    { "@database",
      "[database]\nconnection = fake://u@h/d\n"
      "password = env:TENON_TEST_NO_SUCH_VARIABLE\n",
      TN_E_CONFIG, "TENON_TEST_NO_SUCH_VARIABLE" },
    { "@database", "[database]\nconnection = env:TENON_TEST_NO_SUCH_VARIABLE\n",
      TN_E_CONFIG, "TENON_TEST_NO_SUCH_VARIABLE" },
  };

  conn = UNTOUCHED(tn_conn);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_conn_options options = options_with(cases[i].text);

    cr_expect_eq(tn_conn_open(cases[i].target, &options, &conn, &err),
                 cases[i].code, "case %zu: %s", i, err.message);
    cr_expect_eq(err.code, (int32_t)cases[i].code, "case %zu", i);
    cr_expect(strstr(err.message, cases[i].message) != NULL, "case %zu: %s", i,
              err.message);
    cr_expect_eq(tn_conn_open(cases[i].target, &options, &conn, NULL),
                 cases[i].code, "case %zu", i);
  }
  cr_expect_eq(conn, UNTOUCHED(tn_conn));
  conn = NULL;
  close_all();
}

/* ---- whose word on an option counts ---- */

static const char *const sqlite_schemes[] = { "sqlite", NULL };

/* Let the plug-in be one that configuration rows are about. */
static void
be_sqlite(const char *dropin)
{
  static struct tn_option_row rows[3];

  rows[0] = plugin.options[0]; /* "script" */
  rows[1] = plugin.options[5]; /* a choice of words */
  rows[1].name = "synchronous";
  rows[2] = plugin.options[1];
  plugin.name = "sqlite";
  plugin.schemes = sqlite_schemes;
  plugin.options = rows;
  plugin.option_count = TN_COUNT(rows);
  fixture_registry(dropin);
}

Test(conn_open, options_come_from_url_then_configuration_then_administrator)
{
  static const struct {
    const char *url;
    const char *lines;
    const char *dropin;
    const char *wanted;
  } cases[] = {
    { "", "", NULL, "" },
    { "", "sqlite_synchronous = true\n", NULL, "" },
    { "", "sqlite_synchronous = false\n", NULL, " synchronous=off" },
    { "", "", "synchronous = normal\n", " synchronous=normal" },
    { "", "sqlite_synchronous = false\n", "synchronous = normal\n",
      " synchronous=off" },
    { "", "sqlite_synchronous = true\n", "synchronous = off\n", "" },
    { "&synchronous=full", "sqlite_synchronous = false\n",
      "synchronous = normal\n", " synchronous=full" },
    { "&synchronous=full", "sqlite_synchronous = true\n", NULL,
      " synchronous=full" },
    { "&synchronous=off", "", "label = y\n", " synchronous=off label=y" },
    { "&label=x", "sqlite_synchronous = false\n", "label = y\n",
      " label=x synchronous=off" },
    { "&sqlite_synchronous=false", "", NULL, " synchronous=off" },
    { "&sqlite_synchronous=0", "sqlite_synchronous = true\n",
      "synchronous = normal\n", " synchronous=off" },
    { "&sqlite_synchronous=true", "sqlite_synchronous = false\n",
      "synchronous = normal\n", "" },
    { "&synchronous=full&sqlite_synchronous=false", "", NULL,
      " synchronous=full" },
    { "",
      "connection_parameters = synchronous=normal\n"
      "sqlite_synchronous = false\n",
      NULL, " synchronous=normal" },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_conn_options options;
    char dropin[128];
    char wanted[128];

    snprintf(dropin, sizeof dropin, "[defaults:sqlite]\n%s",
             cases[i].dropin != NULL ? cases[i].dropin : "");
    snprintf(wanted, sizeof wanted, "dialect=sqlite host=h:0 database=db%s",
             cases[i].wanted);
    fixture_init();
    be_sqlite(cases[i].dropin != NULL ? dropin : NULL);
    options = options_with(configured(cases[i].url, cases[i].lines));
    cr_assert_eq(tn_conn_open("@database", &options, &conn, &err), TN_OK,
                 "case %zu: %s", i, err.message);
    expect_args(wanted, i);
    fixture_close();
  }
  tn_config_free(&config);
}

Test(conn_open, a_plain_url_takes_nothing_from_the_configuration)
{
  struct tn_conn_options options;

  be_sqlite(NULL);
  options = options_with(
      "[database]\nconnection = x://h/d\nsqlite_synchronous = off\n"
      "password = p\n");
  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK,
               "%s", err.message);
  expect_args("dialect=sqlite host=h:0 database=db", 0);
  close_all();
}

Test(conn_open, the_word_of_a_program_counts_before_its_url)
{
  const struct tn_setting setting = { "sqlite_synchronous", "false" };
  struct tn_engine_options how = TN_ENGINE_OPTIONS_INIT;
  tn_engine *engine = NULL;

  be_sqlite(NULL);
  how.registry = registry;
  how.settings = &setting;
  how.setting_count = 1;
  cr_assert_eq(
      tn_engine_open(fixture_url("&synchronous=full"), &how, &engine, &err),
      TN_OK, "%s", err.message);
  cr_assert_eq(tn_engine_take(engine, NULL, &conn, &err), TN_OK, "%s",
               err.message);
  expect_args("dialect=sqlite host=h:0 database=db synchronous=off", 0);
  tn_pool_give(&conn);
  tn_engine_close(&engine);
  close_all();
}

Test(conn_open, a_default_of_the_administrator_is_checked_like_any_option)
{
  struct tn_conn_options options;

  fixture_registry("[defaults:fake]\nsize = 1000\n");
  options = fixture_options();
  cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, &err),
               TN_E_CONFIG);
  cr_expect(strstr(err.message, "\"1000\"") != NULL, "%s", err.message);
  cr_expect_eq(conn, NULL);
  fixture_close();
}

/* ---- TLS ---- */

static size_t warnings;

static void
count_warnings(uint32_t level, const char *line, void *user)
{
  warnings += level == TN_LOG_WARNING;
  keep_line(level, line, user);
}

/* Open with what the URL and the administrator say. */
static enum tn_code
open_network(const char *host, const char *url, const char *dropin)
{
  char text[512];
  char target[512];
  struct tn_conn_options options;

  fixture_init();
  plugin.caps |= TN_CAP_NETWORK;
  snprintf(text, sizeof text, "[defaults:fake]\n%s", dropin);
  fixture_registry(text);
  options = fixture_options();
  snprintf(target, sizeof target, "fake://%s/db?script=%p%s", host,
           (void *)&script, url);
  return tn_conn_open(target, &options, &conn, &err);
}

Test(conn_open, tells_a_backend_with_a_network_how_to_protect_the_session)
{
  static const struct {
    const char *url;
    const char *dropin;
    const char *wanted;
  } cases[] = {
    { "", "", "tls=prefer" },
    { "&tls=verify-full&label=x", "", "label=x tls=verify-full" },
    { "&sslmode=require", "", "tls=require" },
    { "", "tls = verify-ca\n", "tls=verify-ca" },
    { "", "sslmode = verify-full\ntls_ca = " TN_CONF_FILE "\n",
      "tls=verify-full tls_ca=" TN_CONF_FILE },

    /* The URL counts, whatever it calls the thing. */
    { "&tls=off", "tls = verify-ca\n", "tls=off" },
    { "&ssl_mode=DISABLED", "tls = verify-ca\n", "tls=off" },
    { "&ssl_verify_cert=true", "sslmode = disable\n", "tls=verify-ca" },
    { "&tls=require", "tls_ca = " TN_CONF_FILE "\n",
      "tls=require tls_ca=" TN_CONF_FILE },

    /* What one place says by two names counts together. */
    { "&tls=require&ssl_verify_cert=true", "", "tls=verify-ca" },
    { "", "tls = require\nssl_verify_cert = yes\n", "tls=verify-ca" },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    char wanted[512];

    snprintf(wanted, sizeof wanted, "dialect=fake host=h:0 database=db %s",
             cases[i].wanted);
    cr_assert_eq(open_network("h", cases[i].url, cases[i].dropin), TN_OK,
                 "case %zu: %s", i, err.message);
    expect_args(wanted, i);
    fixture_close();
  }
}

Test(conn_open, refuses_tls_that_cannot_be_before_anything_is_sent)
{
  static const struct {
    const char *host;
    const char *url;
    const char *dropin;
    const char *message;
  } cases[] = {
    { "h", "&tls=yes", "", "\"yes\" is none of " },
    { "h", "&tls=off&sslmode=require", "", "contradict each other" },
    { "h", "", "tls = off\nsslmode = require\n", "contradict each other" },
    { "", "&tls=require", "", "a unix socket" },
    { "", "&host=/run/x&tls=verify-full", "", "a unix socket" },
    { "", "&host=/run/x", "tls = verify-full\n", "a unix socket" },
    { "h", "&tls_ca=/nowhere/ca.pem", "",
      "\"/nowhere/ca.pem\" cannot be read" },
    { "h", "&tls_key=/nowhere/key.pem", "", "without \"tls_cert\"" },
    { "h", "&ssl_modes=x", "", "did you mean \"ssl_mode\"?" },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    cr_expect_eq(open_network(cases[i].host, cases[i].url, cases[i].dropin),
                 TN_E_CONFIG, "case %zu", i);
    cr_expect(strstr(err.message, cases[i].message) != NULL, "case %zu: %s", i,
              err.message);
    cr_expect_eq(script.calls[FAKE_CONNECT], 0, "case %zu", i);
    fixture_close();
  }
}

Test(conn_open, a_backend_without_a_network_knows_no_tls)
{
  struct tn_conn_options options = fixture_options();

  cr_expect_eq(tn_conn_open(fixture_url("&tls=off"), &options, &conn, &err),
               TN_E_CONFIG);
  cr_expect_str_eq(err.message, "fake: option \"tls\": unknown");
  fixture_close();
}

Test(conn_open, warns_once_of_a_server_that_is_not_verified)
{
  char line[256] = "";
  char target[256];
  const struct tn_log log = { TN_LOG_WARNING, 0, count_warnings, line };
  struct tn_conn_options options;

  plugin.caps |= TN_CAP_NETWORK;
  options = fixture_options();
  options.log = &log;
  for (int i = 0; i < 3; i++) {
    cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK,
                 "%s", err.message);
    tn_conn_close(&conn);
    cr_expect_eq(warnings, 1);
    cr_expect(strncmp(line, "fake: h: with tls=prefer ", 25) == 0, "%s", line);
  }
  snprintf(target, sizeof target, "fake://127.0.0.1/db?script=%p",
           (void *)&script);
  cr_assert_eq(tn_conn_open(target, &options, &conn, &err), TN_OK);
  cr_expect_eq(warnings, 1);
  fixture_close();
}

/* ---- memory ---- */

Test(conn_open, gets_by_without_memory)
{
  struct tn_conn_options options;

  plugin.caps |= TN_CAP_NETWORK;
  be_sqlite("[defaults:sqlite]\nlabel = y\n");
  options = options_with(
      configured("", "connection_parameters = label=x\npassword = p\n"
                     "sqlite_synchronous = false\n"));
  for (long nth = 1;; nth++) {
    enum tn_code rc;
    long live;

    oom_fail_nth(nth, false);
    live = oom_live();
    rc = tn_conn_open("@database", &options, &conn, &err);
    if (rc != TN_OK)
      cr_expect_eq(conn, NULL, "allocation %ld", nth);
    tn_conn_close(&conn);
    cr_assert_eq(oom_live(), live, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, tn_code_name(rc));
    cr_expect_eq(err.code, TN_E_MEMORY);
  }
  oom_reset();
  close_all();
}
