/* What a registry tells of its plug-ins, and files that are added by hand. */
#include "registry_folders.h"

#include <criterion/criterion.h>
#include <fcntl.h>

#include "oom.h"

TestSuite(registry_report, .init = folders_make, .fini = folders_remove);

/* ---- the report ---- */

Test(registry_report, a_plugin_is_told_from_its_manifest_without_loading)
{
  char path[PATH_MAX];

  install("fake", "aliases = lite\npackage = tenon-backend-fake\n"
                  "client = fakelib\n");
  put_dropin("x.ini", "[plugin:fake]\nalias = a+b\n");
  open_registry();
  make_report(0);
  cr_assert_eq(row_count, 1);
  cr_expect_str_eq(rows[0].name, "fake");
  cr_expect_str_eq(rows[0].schemes, "fake lite a+b");
  files_path("plugins/fake.so", path);
  cr_expect_str_eq(rows[0].file, path);
  files_path("manifests/fake.ini", path);
  cr_expect_str_eq(rows[0].manifest, path);
  cr_expect_str_eq(rows[0].problem, "");
  cr_expect_eq(rows[0].report.state, TN_PLUGIN_KNOWN);
  cr_expect_str_eq(rows[0].report.package, "tenon-backend-fake");
  cr_expect_str_eq(rows[0].report.client_library, "fakelib");
  cr_expect_str_eq(rows[0].report.version, "");
  cr_expect_str_eq(rows[0].report.license, "");
  cr_expect_str_eq(rows[0].report.client_version, "");
  cr_expect_eq(rows[0].report.abi_major, 0);
  cr_expect_eq(rows[0].report.options, NULL);
}

Test(registry_report, a_loaded_plugin_tells_more)
{
  install("fake", "");
  open_registry();
  make_report(1);
  cr_assert_eq(row_count, 1);
  cr_expect_eq(rows[0].report.state, TN_PLUGIN_LOADED);
  cr_expect_str_eq(rows[0].report.version, "1.2");
  cr_expect_str_eq(rows[0].report.license, "Apache-2.0");
  cr_expect_str_eq(rows[0].report.client_library, "fakelib");
  cr_expect_str_eq(rows[0].report.client_version, "1.0");
  cr_expect_eq(rows[0].report.abi_major, 1);
  cr_expect_eq(rows[0].report.abi_minor, 0);
  cr_expect_gt(rows[0].report.option_count, 5);
  cr_expect_str_eq(rows[0].report.options[0].name, "script");
  cr_expect((rows[0].report.caps & TN_CAP_SAVEPOINT) != 0);
}

/* Twenty plug-ins, five of them broken in as many ways. */
Test(registry_report, one_bad_plugin_does_not_harm_others)
{
  static const char *const broken[] = { "init_fails", "undefined_symbol",
                                        "wrong_abi", "missing_slot" };
  char name[32], text[PATH_MAX + 64], path[PATH_MAX];

  install("fake", "");
  for (int i = 0; i < 14; i++) {
    snprintf(name, sizeof(name), "p%02d", i);
    files_manifest("manifests", name, name, "file = no_such_file.so\n");
  }
  for (size_t i = 0; i < TN_COUNT(broken); i++)
    install(broken[i], "");
  files_write("manifests/bad.ini", "[plugin]\nname = good\n", path);
  open_registry();
  make_report(0);
  cr_expect_eq(row_count, 20);
  cr_expect_eq(find_row("bad")->report.state, TN_PLUGIN_BROKEN);
  snprintf(text, sizeof(text),
           "%s:2: name: \"good\" is not what the file is "
           "called",
           path);
  cr_expect_str_eq(find_row("bad")->problem, text);
  for (size_t i = 1; i < row_count; i++)
    cr_expect_lt(strcmp(rows[i - 1].name, rows[i].name), 0, "row %zu", i);

  make_report(1);
  cr_expect_eq(row_count, 20);
  cr_expect_eq(find_row("fake")->report.state, TN_PLUGIN_LOADED);
  for (size_t i = 0; i < TN_COUNT(broken); i++) {
    cr_expect_eq(find_row(broken[i])->report.state, TN_PLUGIN_BROKEN);
    cr_expect_str_neq(find_row(broken[i])->problem, "");
  }
  cr_expect_eq(find_row("p00")->report.state, TN_PLUGIN_BROKEN);
  cr_expect(has_text(find_row("p00")->problem, "is in none of the folders"));
}

Test(registry_report, listing_runs_no_code)
{
  int fds[2];
  char number[16], byte, path[PATH_MAX];

  cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
  snprintf(number, sizeof(number), "%d", fds[1]);
  cr_assert_eq(setenv("TENON_TEST_SPY", number, 1), 0);
  install("spy", "");
  files_copy_plugin("spy", "plugins/stray.so", path);
  open_registry();
  make_report(0);
  cr_expect_eq(row_count, 2);
  cr_expect_eq(read(fds[0], &byte, 1), -1, "its code was run");
  make_report(1);
  cr_expect_eq(read(fds[0], &byte, 1), 1, "the spy does not work");
  cr_expect_eq(read(fds[0], &byte, 1), -1, "the stray was run");
}

Test(registry_report, files_that_no_manifest_names_are_told)
{
  char path[PATH_MAX], stray[PATH_MAX];

  install("fake", "");
  put_plugin("extra1", "fake", path);
  put_plugin("extra2", "long_table", stray);
  files_write("plugins/README", "no plug-in", path);
  files_write("plugins/.hidden.so", "no plug-in", path);
  open_registry();
  make_report(1);
  cr_assert_eq(row_count, 2);
  cr_expect_str_eq(rows[1].name, "long_table");
  cr_expect_str_eq(rows[1].file, stray);
  cr_expect_str_eq(rows[1].manifest, "");
  cr_expect_str_eq(rows[1].problem, "no manifest names it");
  cr_expect_eq(rows[1].report.state, TN_PLUGIN_BROKEN);
}

Test(registry_report, a_manifest_that_others_may_write_is_broken)
{
  char path[PATH_MAX];

  install("fake", "");
  files_path("manifests/fake.ini", path);
  cr_assert_eq(chmod(path, 0646), 0);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  make_report(1);
  cr_assert_eq(row_count, 1, "its file is told of as if nobody named it");
  cr_expect_str_eq(rows[0].name, "fake");
  cr_expect_eq(rows[0].report.state, TN_PLUGIN_BROKEN);
  cr_expect(has_text(rows[0].problem, "mode 0646"), "%s", rows[0].problem);
}

Test(registry_report, a_folder_in_place_of_a_manifest_is_broken)
{
  files_mkdir("manifests/fake.ini");
  install("long_table", "");
  open_registry();
  cr_expect_str_eq(server_of("long_table", NULL), "long_table");
  make_report(0);
  cr_assert_neq(find_row("fake"), NULL);
  cr_expect_eq(find_row("fake")->report.state, TN_PLUGIN_BROKEN);
}

Test(registry_report, each_allocation_of_a_report_may_fail)
{
  char path[PATH_MAX];

  install("fake", "");
  put_plugin("plugins", "long_table", path);
  put_dropin("x.ini", "[defaults:nobody]\nx = 1\n");
  for (long nth = 1;; nth++) {
    oom_fail_nth(0, false);
    open_registry();
    oom_fail_nth(nth, false);
    make_report(1);
    if (oom_count() < nth)
      break;
    tn_registry_free(&registry);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
  }
  cr_expect_eq(row_count, 3);
  tn_registry_free(&registry);
  oom_reset();
}

/* ---- one plug-in by name ---- */

Test(registry_report, inspect_loads_one_plugin)
{
  struct tn_plugin_report report = { .name = NULL };

  install("fake", "");
  install("long_table", "");
  open_registry();
  cr_assert_eq(tn_registry_inspect(registry, "fake", &report, &err), TN_OK,
               "%s", err.message);
  cr_expect_str_eq(report.name, "fake");
  cr_expect_eq(report.state, TN_PLUGIN_LOADED);
  make_report(0);
  cr_expect_eq(find_row("fake")->report.state, TN_PLUGIN_LOADED);
  cr_expect_eq(find_row("long_table")->report.state, TN_PLUGIN_KNOWN);
}

static void
count_error(const struct tn_error_info *info, void *user)
{
  unsigned *count = user;

  (void)info;
  (*count)++;
}

Test(registry_report, a_scheme_stands_for_the_plugin_that_serves_it)
{
  struct tn_plugin_report report = { .name = NULL };
  unsigned count = 0;

  install("fake", "aliases = faux\n");
  install("long_table", "aliases = table\n");
  open_registry();
  cr_assert_eq(tn_registry_inspect(registry, "table", &report, &err), TN_OK,
               "%s", err.message);
  cr_expect_str_eq(report.name, "long_table");
  cr_assert_eq(tn_registry_errors(registry, "faux", count_error, &count, &err),
               TN_OK, "%s", err.message);
  cr_expect_gt(count, 0);
}

Test(registry_report, inspect_says_why_it_cannot)
{
  struct tn_plugin_report report = { .name = NULL };
  char path[PATH_MAX];

  install("fake", "");
  install("init_fails", "");
  install("long_table", "aliases = both\n");
  install("short_table", "aliases = both\n");
  files_write("manifests/bad.ini", "[plugin]\nabi = x\n", path);
  open_registry();
  cr_expect_eq(tn_registry_inspect(registry, "both", &report, &err),
               TN_E_PLUGIN);
  cr_expect(has_text(err.message, "scheme \"both\" is claimed by both "), "%s",
            err.message);
  cr_expect_eq(tn_registry_inspect(registry, "fke", &report, &err),
               TN_E_PLUGIN);
  cr_expect_str_eq(err.message,
                   "plugin: none is named \"fke\"; did you mean \"fake\"?");
  cr_expect(has_text(err.detail, ": no manifest here has this name"), "%s",
            err.detail);
  cr_expect_eq(tn_registry_inspect(registry, "", &report, &err), TN_E_PLUGIN);
  cr_expect_eq(tn_registry_inspect(registry, "init_fails", &report, &err),
               TN_E_PLUGIN);
  cr_expect(has_text(err.message, "the license has run out"));
  cr_expect_eq(tn_registry_inspect(registry, "bad", &report, &err),
               TN_E_PLUGIN);
  cr_expect(has_text(err.message, "plugin: bad: cannot be loaded: "), "%s",
            err.message);
  cr_expect(has_text(err.detail, "bad.ini:2: abi: \"x\""), "%s", err.detail);
  cr_expect_eq(report.name, NULL);
}

Test(registry_report, inspect_finds_what_was_installed_meanwhile)
{
  struct tn_plugin_report report;

  open_registry();
  cr_expect_eq(tn_registry_inspect(registry, "fake", &report, &err),
               TN_E_PLUGIN);
  install("fake", "");
  cr_expect_eq(tn_registry_inspect(registry, "fake", &report, &err), TN_OK);
}

/* ---- a file ---- */

Test(registry_report, a_file_is_added_and_serves_its_schemes)
{
  struct tn_plugin_report report = { .name = NULL };
  char path[PATH_MAX];

  files_copy_plugin("fake", "libtesting.so", path);
  open_registry();
  cr_assert_eq(tn_registry_add_file(registry, path, &report, &err), TN_OK, "%s",
               err.message);
  cr_expect_str_eq(report.name, "fake");
  cr_expect_str_eq(report.schemes, "fake");
  cr_expect_str_eq(report.file, path);
  cr_expect_str_eq(report.manifest, "");
  cr_expect_str_eq(report.version, "1.2");
  cr_expect_eq(report.state, TN_PLUGIN_LOADED);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  cr_expect_str_eq(server_of("fake", "driver"), "fake");
  cr_expect(has_text(server_of("none", NULL), "known: fake"));

  cr_assert_eq(tn_registry_add_file(registry, path, &report, &err), TN_OK,
               "adding it once more is no error: %s", err.message);
  make_report(1);
  cr_expect_eq(row_count, 1);
}

static void
expect_not_added(const char *path, const char *reason)
{
  struct tn_plugin_report report = { .name = NULL };

  cr_expect_eq(tn_registry_add_file(registry, path, &report, &err), TN_E_PLUGIN,
               "%s", reason);
  cr_expect(has_text(err.message, reason), "%s", err.message);
  cr_expect_eq(report.name, NULL);
}

Test(registry_report, a_file_that_gets_in_the_way_is_not_added)
{
  char path[PATH_MAX];

  install("fake", "");
  files_manifest("manifests", "rival", "long_table", "");
  put_dropin("x.ini", "[plugin:talkative]\nenabled = no\n");
  open_registry();
  files_copy_plugin("fake", "fake.so", path);
  expect_not_added(path, "manifests/fake.ini has a plug-in of this name "
                         "already");
  files_copy_plugin("long_table", "long.so", path);
  expect_not_added(path, "plugin: long_table: its scheme \"long_table\" is "
                         "served by ");
  files_copy_plugin("talkative", "talkative.so", path);
  expect_not_added(path, "plugin: talkative: disabled by ");
  files_path("absent.so", path);
  expect_not_added(path, "absent.so: absent");
  expect_not_added("fake.so", "plugin: fake.so: not an absolute path");
  files_copy_plugin("wrong_abi", "wrong.so", path);
  expect_not_added(path, "wrong.so: ABI 2, this core has 1");
  cr_expect(has_text(err.detail, "wrong.so: ABI 2, this core has 1"));
  make_report(0);
  cr_expect_eq(find_row("long_table"), NULL);
  cr_expect_eq(find_row("talkative"), NULL);
}

Test(registry_report, a_bad_dropin_stops_adding_too)
{
  char path[PATH_MAX];

  put_dropin("x.ini", "nonsense\n");
  files_copy_plugin("fake", "fake.so", path);
  open_registry();
  expect_not_added(path, "no plug-in is loaded until that is mended");
}

Test(registry_report, each_allocation_of_adding_a_file_may_fail)
{
  char path[PATH_MAX];

  files_copy_plugin("fake", "fake.so", path);
  for (long nth = 1;; nth++) {
    struct tn_plugin_report report;
    enum tn_code rc;

    oom_fail_nth(0, false);
    open_registry();
    oom_fail_nth(nth, false);
    rc = tn_registry_add_file(registry, path, &report, &err);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      break;
    }
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
    tn_registry_free(&registry);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
  }
  tn_registry_free(&registry);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
}
