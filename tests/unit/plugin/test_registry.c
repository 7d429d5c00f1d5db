/* Where plug-ins are looked for, who serves a scheme, and what stands in the
 * way. Loading itself is in test_registry_load.c. */
#include "registry_folders.h"

#include <criterion/criterion.h>

#include "oom.h"

TestSuite(registry, .init = folders_make, .fini = folders_remove);

/* ---- schemes ---- */

Test(registry, a_scheme_leads_to_its_plugin_with_or_without_a_driver)
{
  const struct tn_backend *backend;

  install("fake", "aliases = lite lite+x\n");
  open_registry();
  backend = backend_for("fake", NULL);
  cr_assert_neq(backend, NULL, "%s", err.message);
  cr_expect_eq(backend_for("fake", NULL), backend);
  cr_expect_eq(backend_for("fake", ""), backend);
  cr_expect_eq(backend_for("fake", "pyfake"), backend);
  cr_expect_eq(backend_for("lite", NULL), backend);
  cr_expect_eq(backend_for("lite", "x"), backend);
  cr_expect_eq(backend_for("lite", "y"), backend);
  cr_expect_eq(backend_for("lite+x", NULL), backend);
}

Test(registry, a_driver_can_lead_to_a_plugin_of_its_own)
{
  install("fake", "");
  install("long_table", "aliases = fake+long\n");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  cr_expect_str_eq(server_of("fake", "short"), "fake");
  cr_expect_str_eq(server_of("fake", "long"), "long_table");
  cr_expect_str_eq(server_of("fake", "longer"), "fake");
}

Test(registry, an_unknown_scheme_is_refused_with_what_there_is)
{
  char line[PATH_MAX + 64];

  install("fake", "");
  install("long_table", "");
  open_registry();
  cr_expect_str_eq(server_of("fak", NULL),
                   "plugin: no backend for scheme \"fak\"; known: fake, "
                   "long_table; did you mean \"fake\"?");
  cr_expect_eq(err.code, TN_E_PLUGIN);
  cr_expect_str_eq(server_of("oracle", "cx"),
                   "plugin: no backend for scheme \"oracle\"; known: fake, "
                   "long_table; package tenon-backend-oracle may have it");
  cr_expect(has_text(err.detail, "package tenon-backend-oracle may have it"));
  snprintf(line, sizeof(line), "%s: no manifest here has this scheme", extra1);
  cr_expect(has_text(err.detail, line), "%s", err.detail);
  cr_expect(has_text(err.detail, extra2), "%s", err.detail);
  cr_expect(has_text(err.detail, manifests), "%s", err.detail);
}

Test(registry, without_any_plugin_the_folders_are_told)
{
  open_registry();
  cr_expect_str_eq(server_of("sqlite", NULL),
                   "plugin: no backend for scheme \"sqlite\"; package "
                   "tenon-backend-sqlite may have it");
  cr_expect(has_text(err.detail, manifests), "%s", err.detail);
}

Test(registry, a_scheme_is_only_ever_a_key)
{
  static const char *const hostile[] = {
    "",
    ".",
    "..",
    "/",
    "../plugins/fake",
    "plugins/fake",
    "fake.so",
    "fake/",
    "/etc/passwd",
    "fake\n",
    "fake%00",
    "fake%2e%2e",
    " fake",
    "FAKE",
    "fake+",
    "+fake",
    "*",
    "\033[2J",
    "\xff\xfe",
    "%s%n",
  };
  static char huge[1 << 20];

  install("fake", "");
  open_registry();
  for (size_t i = 0; i < TN_COUNT(hostile); i++) {
    cr_expect_eq(backend_for(hostile[i], NULL), NULL, "case %zu", i);
    cr_expect_eq(err.code, TN_E_PLUGIN, "case %zu", i);
    cr_expect(has_text(err.message, "no backend for scheme"), "case %zu", i);
    cr_expect(!has_text(err.message, "tenon-backend-"), "case %zu: %s", i,
              err.message);
    cr_expect_eq(backend_for("lite", hostile[i]), NULL, "case %zu", i);
    cr_expect_neq(backend_for("fake", hostile[i]), NULL, "case %zu", i);
  }
  memset(huge, 'a', sizeof(huge) - 1);
  cr_expect_eq(backend_for(huge, NULL), NULL);
  cr_expect_eq(backend_for("lite", huge), NULL);
}

/* ---- two for one scheme ---- */

static void
install_rivals(void)
{
  install("fake", "");
  install("long_table", "aliases = fake\n");
}

Test(registry, two_plugins_for_one_scheme_are_refused_with_the_way_out)
{
  install_rivals();
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect_eq(err.code, TN_E_PLUGIN);
  cr_expect(has_text(err.message, "plugin: scheme \"fake\" is claimed by both"),
            "%s", err.message);
  cr_expect(has_text(err.message, "manifests/fake.ini and "), "%s",
            err.message);
  cr_expect(has_text(err.message, "manifests/long_table.ini; say enabled = no "
                                  "in [plugin:fake] or [plugin:long_table] "
                                  "in "),
            "%s", err.message);
  cr_expect(has_text(err.message, admin), "%s", err.message);
  cr_expect_str_eq(server_of("long_table", NULL), "long_table");
}

Test(registry, the_administrator_decides_by_disabling_one)
{
  install_rivals();
  put_dropin("x.ini", "[plugin:fake]\nenabled = no\n");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL), "long_table");
}

Test(registry, the_administrator_decides_by_an_alias)
{
  install_rivals();
  put_dropin("x.ini", "[plugin:fake]\nalias = fake other\n");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  cr_expect_str_eq(server_of("other", NULL), "fake");
}

Test(registry, a_folder_before_does_not_decide_between_different_names)
{
  put_both("extra1", "fake");
  install("long_table", "aliases = fake\n");
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect(has_text(err.message, "is claimed by both"), "%s", err.message);
}

Test(registry, of_one_name_the_first_folder_wins)
{
  put_both("extra2", "fake");
  install("fake", "aliases = lite\n");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  cr_expect(has_text(backend_for("fake", NULL)->path, extra2), "%s",
            backend_for("fake", NULL)->path);
  cr_expect_eq(backend_for("lite", NULL), NULL,
               "the manifest behind has no say");
  make_report(0);
  cr_expect_eq(row_count, 1);
}

/* Rather than that there is none, or which package has it. */
Test(registry, a_scheme_whose_plugin_is_refused_is_told_why)
{
  char path[PATH_MAX];

  files_write("extra1/fake.ini", "garbage\n", path);
  install("fake", "");
  install("long_table", "");
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect(has_text(err.message, "the plug-in of that name is refused: "),
            "%s", err.message);
  cr_expect(has_text(err.message, "extra1/fake.ini:1: line of 7 bytes"), "%s",
            err.message);
  cr_expect(!has_text(err.detail, "package"), "%s", err.detail);
}

/* ---- the administrator ---- */

Test(registry, a_disabled_plugin_says_who_disabled_it)
{
  char expected[2 * PATH_MAX];

  install("fake", "");
  put_dropin("x.ini", "[plugin:fake]\nenabled = no\nalias = lite\n");
  open_registry();
  snprintf(expected, sizeof(expected), "plugin: fake: disabled by %s/x.ini",
           admin);
  cr_expect_str_eq(server_of("fake", NULL), expected);
  cr_expect_str_eq(server_of("lite", NULL), expected);
  cr_expect(!has_text(server_of("none", NULL), "known:"), "%s", err.message);
  make_report(1);
  cr_expect_eq(row_count, 1);
  cr_expect_eq(rows[0].report.state, TN_PLUGIN_DISABLED);
  cr_expect_str_eq(rows[0].problem, "");
}

Test(registry, defaults_of_the_administrator_are_handed_out)
{
  struct tn_registry_defaults defaults = { .count = 9 };
  const struct tn_backend *backend;

  install("fake", "");
  install("long_table", "");
  put_dropin("1.ini", "[defaults:fake]\nmode = full\ntimeout = 5s\n");
  put_dropin("2.ini", "[defaults:fake]\nmode = off\n");
  open_registry();
  cr_assert_eq(
      tn_registry_backend(registry, "fake", NULL, &backend, &defaults, &err),
      TN_OK, "%s", err.message);
  cr_assert_eq(defaults.count, 2);
  cr_expect_str_eq(defaults.options[0].name, "mode");
  cr_expect_str_eq(defaults.options[0].value, "off");
  cr_expect_str_eq(defaults.options[1].name, "timeout");
  cr_assert_eq(tn_registry_backend(registry, "long_table", NULL, &backend,
                                   &defaults, &err),
               TN_OK);
  cr_expect_eq(defaults.count, 0);
}

static const struct {
  const char *text;
  mode_t mode;
  const char *problem;
} bad_dropins[] = {
  { "[plugin:fake]\nenable = no\n", 0644,
    "x.ini:2: unknown key \"enable\"; did you mean \"enabled\"?" },
  { "[plugin:other]\nenabled = no\n", 0666, "x.ini: owner " },
};

Test(registry, a_dropin_that_cannot_be_read_stops_all_loading)
{
  char path[PATH_MAX];

  install("fake", "");
  for (size_t i = 0; i < TN_COUNT(bad_dropins); i++) {
    put_dropin("x.ini", bad_dropins[i].text);
    files_path("admin/x.ini", path);
    cr_assert_eq(chmod(path, bad_dropins[i].mode), 0);
    log_count = 0;
    open_registry();
    cr_expect_eq(backend_for("fake", NULL), NULL, "case %zu", i);
    cr_expect(has_text(err.message, bad_dropins[i].problem), "case %zu: %s", i,
              err.message);
    cr_expect(has_text(err.message, "no plug-in is loaded until that is "
                                    "mended"),
              "case %zu: %s", i, err.message);
    cr_expect_eq(log_count, 1, "case %zu", i);
    cr_expect_eq(strncmp(logged[0], "error: plugin: ", 15), 0, "%s", logged[0]);
    make_report(1);
    cr_expect_eq(row_count, 2, "case %zu", i);
    cr_expect_eq(find_row("fake")->report.state, TN_PLUGIN_KNOWN);
    cr_assert_neq(find_row(path), NULL, "case %zu", i);
    cr_expect(has_text(find_row(path)->problem, bad_dropins[i].problem));
  }
}

Test(registry, a_dropin_for_a_plugin_that_is_not_there_is_reported)
{
  char path[PATH_MAX];

  install("fake", "");
  put_dropin("x.ini", "[plugin:fakee]\nenabled = no\n");
  files_path("admin/x.ini", path);
  open_registry();
  make_report(0);
  cr_assert_neq(find_row(path), NULL);
  cr_expect_str_eq(find_row(path)->problem,
                   "speaks of plug-in \"fakee\", which has no manifest");
}

/* ---- folders ---- */

Test(registry, the_environment_names_further_folders_between_colons)
{
  char path[3 * PATH_MAX];

  put_both("extra1", "fake");
  put_both("extra2", "long_table");
  options.extra_dirs = NULL;
  snprintf(path, sizeof(path), ":%s::%s:", extra1, extra2);
  cr_assert_eq(tn_registry__open(&options, path, false, &registry, &err),
               TN_OK);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  cr_expect_str_eq(server_of("long_table", NULL), "long_table");
  cr_expect(has_text(server_of("none", NULL), "known: fake, long_table"));
}

Test(registry, extra_folders_come_before_the_environment)
{
  static const char *first[] = { extra2, NULL };

  put_both("extra1", "fake");
  put_both("extra2", "fake");
  options.extra_dirs = first;
  cr_assert_eq(tn_registry__open(&options, extra1, false, &registry, &err),
               TN_OK);
  cr_expect(has_text(backend_for("fake", NULL)->path, extra2));
}

Test(registry, raised_privileges_switch_environment_and_extra_folders_off)
{
  put_both("extra1", "fake");
  put_both("extra2", "long_table");
  cr_assert_eq(tn_registry__open(&options, extra2, true, &registry, &err),
               TN_OK);
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect_eq(backend_for("long_table", NULL), NULL);
  cr_expect(!has_text(err.detail, extra1), "%s", err.detail);
  cr_expect(has_text(err.detail, manifests), "%s", err.detail);
  cr_expect_eq(log_count, 1);
  cr_expect_str_eq(logged[0],
                   "warning: plugin: this process has raised privileges; "
                   "TENON_PLUGIN_PATH and further folders are left alone");
}

Test(registry, raised_privileges_alone_are_no_reason_to_warn)
{
  options.extra_dirs = NULL;
  install("fake", "");
  cr_assert_eq(tn_registry__open(&options, NULL, true, &registry, &err), TN_OK);
  cr_expect_eq(log_count, 0);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
}

Test(registry, a_relative_folder_is_refused_and_told)
{
  static const char *relative[] = { "extra1", "", NULL };

  put_both("extra1", "fake");
  cr_assert_eq(chdir(files_folder), 0);
  options.extra_dirs = relative;
  cr_assert_eq(tn_registry__open(&options, "./extra1", false, &registry, &err),
               TN_OK);
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect(has_text(err.detail, "extra1: not an absolute path; such folders "
                                 "are never searched"),
            "%s", err.detail);
  cr_expect(has_text(err.message, "scheme \"fake\"; extra1: not an absolute "
                                  "path"),
            "%s", err.message);
  cr_expect(!has_text(err.detail, "package"), "%s", err.detail);
  cr_expect_eq(log_count, 3);
  cr_expect(has_text(logged[0], "warning: plugin: folder extra1: not an "
                                "absolute path"),
            "%s", logged[0]);
  make_report(0);
  cr_expect_eq(row_count, 3);
  cr_expect_str_eq(rows[0].name, "extra1");
  cr_expect_eq(rows[0].report.state, TN_PLUGIN_BROKEN);
  cr_expect(has_text(rows[0].problem, "not an absolute path"));
  cr_assert_eq(chdir("/"), 0);
}

Test(registry, a_relative_admin_folder_stops_all_loading)
{
  install("fake", "");
  options.admin_dir = "admin";
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect(has_text(err.message, "admin: not an absolute path"), "%s",
            err.message);
}

Test(registry, folders_that_are_not_there_are_no_error)
{
  static const char *missing[] = { "/nonexistent/a", NULL };

  options.extra_dirs = missing;
  options.plugin_dir = "/nonexistent/b";
  options.manifest_dir = "/nonexistent/c";
  options.admin_dir = "/nonexistent/d";
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect_str_eq(err.detail, "package tenon-backend-fake may have it\n"
                               "/nonexistent/a: there is no such folder\n"
                               "/nonexistent/c: there is no such folder");
  make_report(1);
  cr_expect_eq(row_count, 0);
  cr_expect_eq(log_count, 0);
}

/* What cannot be read may have it. */
Test(registry, a_folder_with_a_manifest_that_is_refused_tells_of_that_alone)
{
  char path[PATH_MAX], line[PATH_MAX + 64];

  install("fake", "");
  install("long_table", "");
  files_path("manifests/fake.ini", path);
  cr_assert_eq(chmod(path, 0646), 0);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  snprintf(line, sizeof(line), "%s: no manifest", manifests);
  cr_expect_not(has_text(err.detail, line), "%s", err.detail);
  snprintf(line, sizeof(line), "%s: owner ", path);
  cr_expect(has_text(err.detail, line), "%s", err.detail);
  snprintf(line, sizeof(line), "%s: no manifest here has this scheme", extra1);
  cr_expect(has_text(err.detail, line), "%s", err.detail);
}

Test(registry, a_folder_that_cannot_be_trusted_is_told_of_once)
{
  const char *first;
  char line[PATH_MAX + 64];

  install("fake", "");
  install("long_table", "");
  cr_assert_eq(chmod(manifests, 0777), 0);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  snprintf(line, sizeof(line), "%s: owner ", manifests);
  first = strstr(err.detail, line);
  cr_assert_not_null(first, "%s", err.detail);
  cr_expect_null(strstr(first + 1, manifests), "%s", err.detail);
  cr_assert_eq(chmod(manifests, 0755), 0);
}

Test(registry, a_folder_named_twice_is_searched_once)
{
  static const char *twice[] = { extra1, extra1, NULL };
  const char *first;

  options.extra_dirs = twice;
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  first = strstr(err.detail, extra1);
  cr_assert_neq(first, NULL);
  cr_expect_eq(strstr(first + 1, extra1), NULL, "%s", err.detail);
}

/* ---- the process's registry ---- */

Test(registry, the_default_one_is_made_once_and_after_want_of_memory_again)
{
  tn_registry *first;

  oom_fail_nth(1, true);
  cr_expect_eq(tn_registry_default(), NULL);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
  first = tn_registry_default();
  cr_expect_neq(first, NULL);
  cr_expect_eq(tn_registry_default(), first);
}

Test(registry, new_reads_the_environment)
{
  put_both("extra1", "fake");
  options.extra_dirs = NULL;
  cr_assert_eq(setenv("TENON_PLUGIN_PATH", extra1, 1), 0);
  cr_assert_eq(tn_registry_new(&options, &registry, &err), TN_OK);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  tn_registry_free(&registry);
  tn_registry_free(&registry);
  tn_registry_free(NULL);
}

Test(registry, each_allocation_of_new_may_fail)
{
  install("fake", "aliases = a b\n");
  put_both("extra1", "long_table");
  files_manifest("extra2", "bad", "BAD", "");
  put_dropin("x.ini",
             "[plugin:fake]\nalias = c\n[defaults:fake]\nmode = off\n");
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_registry__open(&options, extra2, false, &registry, &err);
    if (rc == TN_OK)
      tn_registry_free(&registry);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
}

Test(registry, each_capability_has_a_name)
{
  const char *names[64];

  for (unsigned bit = 0; bit < 28; bit++) {
    names[bit] = tn_cap_name(bit);
    cr_assert_neq(names[bit], NULL, "bit %u", bit);
    for (unsigned other = 0; other < bit; other++)
      cr_expect_str_neq(names[bit], names[other]);
  }
  cr_expect_str_eq(tn_cap_name(0), "write");
  cr_expect_str_eq(tn_cap_name(14), "returning");
  cr_expect_str_eq(tn_cap_name(22), "reset");
  cr_expect_str_eq(tn_cap_name(23), "network");
  cr_expect_str_eq(tn_cap_name(24), "array");
  cr_expect_str_eq(tn_cap_name(25), "procedure");
  cr_expect_str_eq(tn_cap_name(26), "deferrable");
  cr_expect_str_eq(tn_cap_name(27), "outcome");
  cr_expect_eq(tn_cap_name(28), NULL);
  cr_expect_eq(tn_cap_name(64), NULL);
  cr_expect_eq(tn_cap_name(UINT_MAX), NULL);
}
