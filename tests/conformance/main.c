/* plugin-check FILE --url URL [--quirks FILE]... [--case WORD] [--table]
 *
 * Loads the plug-in from FILE by the loader's own rules and holds it to the
 * suite. URL may be env:NAME or file:PATH, so that its password need not stand
 * on a command line. Prints one line a case and "N passed, N failed"; exits 0
 * if all passed, 1 if not, 2 if it could not start. */
#include "suite.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

static const struct suite_case *const all_cases[] = {
  cases_load,      cases_connect, cases_query,  cases_cache,   cases_buffer,
  cases_sets,      cases_name,    cases_value,  cases_select,  cases_array,
  cases_batch,     cases_bulk,    cases_error,  cases_txn,     cases_scope,
  cases_two_phase, cases_outcome, cases_facade, cases_session, cases_lock,
  cases_time,      cases_stop,    cases_thread,
};

static void
run_case(struct suite *suite, const struct suite_case *test)
{
  suite->case_name = test->name;
  suite->checks = 0;
  suite->failed_checks = 0;
  test->run(suite);
  if (suite->checks == 0)
    CHECK(suite, false, "the case checked nothing");
  if (suite->failed_checks == 0)
    suite->passed++;
  else
    suite->failed++;
  printf("%s - %s\n", suite->failed_checks == 0 ? "ok" : "not ok", test->name);
  fflush(stdout);
}

static void
run_all(struct suite *suite, const char *wanted)
{
  size_t i;
  const struct suite_case *test;

  for (i = 0; i < sizeof all_cases / sizeof all_cases[0]; i++)
    for (test = all_cases[i]; test->name != NULL; test++)
      if (wanted == NULL || strstr(test->name, wanted) != NULL)
        run_case(suite, test);
}

static const char usage[] =
    "usage: plugin-check FILE --url URL [--quirks FILE]... [--case WORD] "
    "[--table]\n";

static const char manual[] =
    "\n"
    "Holds the plug-in in FILE to what all backends do, on a database that is\n"
    "there for that, and prints a line for each case. Exit code 0 if all "
    "passed,\n"
    "1 if not, 2 if it could not start.\n"
    "\n"
    "  --url URL      of the database; or env:NAME, file:PATH\n"
    "  --quirks FILE  what differs, and why; several add up\n"
    "  --case WORD    only cases that have WORD in their name\n"
    "  --table        print the quirks instead, as a table for a README\n";

#define QUIRKS_FILES_MAX 4

/* A pool that may have a second session has begun to open it by then. */
#define SECOND_SESSION_MS 300

struct arguments {
  const char *file;
  const char *url;
  const char *quirks[QUIRKS_FILES_MAX]; /* later ones add to those before */
  size_t quirks_count;
  const char *wanted;
  bool is_table;
  bool is_help;
};

static bool
read_arguments(int argc, char **argv, struct arguments *arguments)
{
  static const struct option options[] = {
    { "url", required_argument, NULL, 'u' },
    { "quirks", required_argument, NULL, 'q' },
    { "case", required_argument, NULL, 'c' },
    { "table", no_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  int option;

  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'u')
      arguments->url = optarg;
    else if (option == 'q' && arguments->quirks_count < QUIRKS_FILES_MAX)
      arguments->quirks[arguments->quirks_count++] = optarg;
    else if (option == 'c')
      arguments->wanted = optarg;
    else if (option == 't')
      arguments->is_table = true;
    else if (option == 'h')
      arguments->is_help = true;
    else
      return false;
  }
  if (arguments->is_help)
    return true;
  if (optind + 1 != argc)
    return false;
  arguments->file = argv[optind];
  return arguments->url != NULL || arguments->is_table;
}

static bool
read_quirks(struct suite *suite, const struct arguments *arguments)
{
  size_t i;

  for (i = 0; i < arguments->quirks_count; i++)
    if (!quirks_read(suite, arguments->quirks[i]))
      return false;
  return true;
}

static bool
load_plugin(struct suite *suite, const char *file)
{
  /* Only this one: what else is installed must not answer for it. */
  static const struct tn_registry_options nothing_else = {
    .plugin_dir = "/nonexistent",
    .manifest_dir = "/nonexistent",
    .admin_dir = "/nonexistent",
  };
  char path[PATH_MAX];
  tn_err err = TN_ERR_INIT;

  /* The loader takes absolute paths only; a person may name one from here. */
  if (realpath(file, path) != NULL)
    file = path;
  unsetenv("TENON_PLUGIN_PATH");
  if (tn_registry_new(&nothing_else, &suite->registry, &err) == TN_OK &&
      tn_registry_add_file(suite->registry, file, &suite->report, &err) ==
          TN_OK)
    return true;
  fprintf(stderr, "plugin-check: %s\n%s\n", err.message, err.detail);
  return false;
}

/* Is `dialect` or "dialect+driver" among the words of `schemes`? */
static bool
has_scheme(const char *schemes, const char *dialect, const char *driver)
{
  size_t dialect_size = strlen(dialect);
  size_t driver_size = strlen(driver);

  while (schemes[0] != '\0') {
    size_t size = strcspn(schemes, " ");
    bool is_begun =
        size >= dialect_size && strncmp(schemes, dialect, dialect_size) == 0;

    if (is_begun &&
        (size == dialect_size ||
         (size == dialect_size + 1 + driver_size &&
          schemes[dialect_size] == '+' &&
          strncmp(schemes + dialect_size + 1, driver, driver_size) == 0)))
      return true;
    schemes += size;
    schemes += strspn(schemes, " ");
  }
  return false;
}

/* No other plug-in is there to serve another scheme: each case would fail. */
static bool
check_url(const struct suite *suite)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  const char *driver;
  tn_err err = TN_ERR_INIT;

  if (tn_url_parse(suite->url, &url, &err) != TN_OK) {
    fprintf(stderr, "plugin-check: %s\n", err.message);
    return false;
  }
  driver = tn_url_driver(url);
  if (has_scheme(suite->report.schemes, tn_url_dialect(url),
                 driver == NULL ? "" : driver))
    return true;
  fprintf(stderr,
          "plugin-check: --url: plug-in \"%s\" does not serve scheme \"%s\", "
          "but %s\n",
          suite->report.name, tn_url_dialect(url), suite->report.schemes);
  return false;
}

/* Does the database end with its session? An engine then has one session, and
 * connects for no other borrower. */
static bool
is_fleeting(const struct suite *suite)
{
  static const struct tn_setting settings[] = { { "pool_kind", "auto" },
                                                { "max_pool_size", "2" } };
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  TN_CLEANUP(tn_pool_give) tn_conn *first = NULL;
  TN_CLEANUP(tn_pool_give) tn_conn *second = NULL;
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  struct tn_loan loan = { .label = "suite" };

  options.registry = suite->registry;
  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  if (tn_engine_open(suite->url, &options, &engine, NULL) != TN_OK ||
      tn_engine_take(engine, NULL, &first, NULL) != TN_OK)
    return false; /* the cases tell */
  loan.deadline = tn_deadline_after_ms(SECOND_SESSION_MS);
  if (tn_engine_take(engine, &loan, &second, NULL) != TN_E_TIMEOUT)
    return false;
  tn_pool_stats(tn_engine_pool(engine), &stats);
  return stats.connects == 1 && stats.connecting == 0 &&
         stats.connect_failures == 0;
}

/* Most cases need two sessions, or look at what an earlier one has left. */
static bool
check_database(const struct suite *suite)
{
  if (!is_fleeting(suite))
    return true;
  fprintf(stderr,
          "plugin-check: --url: the database ends with its session; the suite "
          "needs one that several sessions see\n");
  return false;
}

int
main(int argc, char **argv)
{
  struct arguments arguments = { .file = NULL };
  struct suite suite = { .url = NULL };
  TN_CLEANUP(tn_secret_free) char *url = NULL;
  tn_err err = TN_ERR_INIT;
  int status = 2;

  if (!read_arguments(argc, argv, &arguments)) {
    fputs(usage, stderr);
    return status;
  }
  if (arguments.is_help)
    return fputs(usage, stdout) < 0 || fputs(manual, stdout) < 0 ? status : 0;
  if (arguments.url != NULL &&
      tn_secret_resolve(arguments.url, &url, &err) != TN_OK) {
    fprintf(stderr, "plugin-check: %s\n", err.message);
    return 2;
  }
  suite.url = url;
  suite.quirks = calloc(quirk_count, sizeof *suite.quirks);
  if (suite.quirks == NULL)
    return 2;
  if (load_plugin(&suite, arguments.file) && read_quirks(&suite, &arguments)) {
    if (arguments.is_table) {
      quirks_print(&suite);
      status = 0;
    } else if (check_url(&suite) && check_database(&suite)) {
      suite_ask_caps(&suite);
      run_all(&suite, arguments.wanted);
      printf("%u passed, %u failed\n", suite.passed, suite.failed);
      status = suite.failed == 0 && suite.passed > 0 ? 0 : 1;
    }
  }
  tn_registry_free(&suite.registry);
  free(suite.quirks);
  return status;
}
