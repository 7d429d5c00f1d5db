/* Loading: which file is taken, what is remembered of a failure, and that it
 * happens once, whoever asks. */
#include "registry_folders.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include "oom.h"

TestSuite(registry_load, .init = folders_make, .fini = folders_remove);

/* ---- which file ---- */

Test(registry_load, files_are_tried_in_the_order_of_the_folders)
{
  char path[PATH_MAX];

  install("fake", "");
  put_plugin("extra2", "fake", path);
  open_registry();
  cr_assert_neq(backend_for("fake", NULL), NULL, "%s", err.message);
  cr_expect_str_eq(backend_for("fake", NULL)->path, path);
}

Test(registry_load, a_file_that_is_no_good_does_not_hide_the_next)
{
  char path[PATH_MAX];

  install("fake", "");
  files_write("extra1/fake.so", "no shared object", path);
  files_copy_plugin("wrong_abi", "extra2/fake.so", path);
  open_registry();
  cr_assert_neq(backend_for("fake", NULL), NULL, "%s", err.message);
  cr_expect(has_text(backend_for("fake", NULL)->path, plugins));
  cr_expect_eq(err.code, TN_OK);
}

Test(registry_load, every_file_that_was_tried_is_listed_with_its_reason)
{
  char path[PATH_MAX], expected[4 * PATH_MAX];

  install("fake", "package = tenon-backend-fake\n");
  files_write("extra2/fake.so", "no shared object", path);
  files_copy_plugin("undefined_symbol", "plugins/fake.so", path);
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL),
                   "plugin: fake: cannot be loaded: not an ELF file");
  snprintf(expected, sizeof(expected),
           "%s/fake.so: absent\n"
           "%s/fake.so: not an ELF file\n"
           "%s/fake.so: undefined symbol tn_test_function_that_nobody_has",
           extra1, extra2, plugins);
  cr_expect_str_eq(err.detail, expected);
}

Test(registry_load, a_shadowed_manifest_is_listed_as_well)
{
  char expected[4 * PATH_MAX];

  files_manifest("extra1", "fake", "fake", "file = other.so\n");
  files_manifest("extra2", "fake", "fake", "");
  install("fake", "");
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  snprintf(expected, sizeof(expected),
           "%s/other.so: absent\n"
           "%s/other.so: absent\n"
           "%s/other.so: absent\n"
           "%s/fake.ini: shadowed by %s/fake.ini\n"
           "%s/fake.ini: shadowed by %s/fake.ini",
           extra1, extra2, plugins, extra2, extra1, manifests, extra1);
  cr_expect_str_eq(err.detail, expected);
}

Test(registry_load, a_file_that_is_nowhere_leads_to_the_package)
{
  files_manifest("manifests", "fake", "fake", "file = fake-3.so\n");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL),
                   "plugin: fake: cannot be loaded: fake-3.so is in none of "
                   "the folders");
  files_manifest("manifests", "fake", "fake", "package = tenon-backend-fake\n");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL),
                   "plugin: fake: cannot be loaded: fake.so is in none of the "
                   "folders; install package tenon-backend-fake");
}

Test(registry_load, a_pinned_file_and_no_other_is_taken)
{
  char path[PATH_MAX], text[2 * PATH_MAX], expected[3 * PATH_MAX];

  install("fake", "");
  files_mkdir("pinned");
  files_path("pinned/my-fake.so", path);
  snprintf(text, sizeof(text), "[plugin:fake]\npin = %s\n", path);
  put_dropin("x.ini", text);
  open_registry();
  snprintf(expected, sizeof(expected),
           "plugin: fake: cannot be loaded: the file that %s/x.ini pins is "
           "absent",
           admin);
  cr_expect_str_eq(server_of("fake", NULL), expected);
  snprintf(expected, sizeof(expected), "%s: absent", path);
  cr_expect_str_eq(err.detail, expected);

  files_copy_plugin("fake", "pinned/my-fake.so", path);
  cr_assert_neq(backend_for("fake", NULL), NULL, "%s", err.message);
  cr_expect_str_eq(backend_for("fake", NULL)->path, path);
}

Test(registry_load, a_manifest_of_another_abi_is_enough_to_refuse)
{
  char path[PATH_MAX], expected[2 * PATH_MAX];

  put_plugin("plugins", "spy", path);
  files_write("manifests/spy.ini",
              "[plugin]\nname = spy\nabi = 2\nschemes = spy\n", path);
  open_registry();
  snprintf(expected, sizeof(expected),
           "plugin: spy: cannot be loaded: %s: ABI 2, this core has 1", path);
  cr_expect_str_eq(server_of("spy", NULL), expected);
}

/* ---- what is remembered ---- */

Test(registry_load, a_missing_file_that_is_installed_is_found)
{
  char path[PATH_MAX];

  files_manifest("manifests", "fake", "fake", "");
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  files_write("plugins/fake.so", "half of it", path);
  cr_expect_str_eq(server_of("fake", NULL),
                   "plugin: fake: cannot be loaded: not an ELF file");
  put_plugin("plugins", "fake", path);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
}

Test(registry_load, a_package_that_is_installed_meanwhile_is_found)
{
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  install("fake", "");
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  install("long_table", "");
  cr_expect_str_eq(server_of("long_table", NULL), "long_table");
}

Test(registry_load, a_folder_that_is_made_meanwhile_is_read)
{
  char command[PATH_MAX + 16];

  snprintf(command, sizeof(command), "rmdir %s", manifests);
  cr_assert_eq(system(command), 0);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  files_mkdir("manifests");
  install("fake", "");
  cr_expect_str_eq(server_of("fake", NULL), "fake");
}

/* Set the time at which the folder of manifests was changed. */
static void
set_changed(time_t seconds)
{
  const struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };

  cr_assert_eq(utimensat(AT_FDCWD, manifests, times, 0), 0);
}

Test(registry_load, a_change_within_one_tick_of_the_clock_is_seen)
{
  time_t now = time(NULL);

  set_changed(now);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  install("fake", "");
  set_changed(now);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
}

Test(registry_load, a_folder_that_has_not_changed_is_not_read_again)
{
  set_changed(1000000000);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  install("fake", "");
  set_changed(1000000000);
  cr_expect_eq(backend_for("fake", NULL), NULL);
  set_changed(1000000001);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
}

Test(registry_load, a_manifest_that_is_mended_in_place_is_read_again)
{
  char path[PATH_MAX];
  FILE *file;

  put_plugin("plugins", "fake", path);
  files_write("manifests/fake.ini", "[plugin]\nname = fake\nabi = 1\n", path);
  set_changed(1000000000);
  open_registry();
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect(has_text(err.detail, "fake.ini: [plugin] has no schemes"), "%s",
            err.detail);
  cr_expect_eq(backend_for("fake", NULL), NULL);
  cr_expect_eq(log_count, 1, "it is told once");
  cr_expect(has_text(logged[0], "warning: plugin: fake: "), "%s", logged[0]);

  file = fopen(path, "a");
  cr_assert_neq(file, NULL);
  fputs("schemes = fake\n", file);
  fclose(file);
  cr_expect_str_eq(server_of("fake", NULL), "fake");
}

Test(registry_load, what_the_plugin_itself_refused_is_remembered)
{
  char path[PATH_MAX];

  install("init_fails", "");
  open_registry();
  cr_expect_str_eq(server_of("init_fails", NULL),
                   "plugin: init_fails: cannot be loaded: init failed: "
                   "init_fails: the license has run out");

  /* Mended, but too late for this process. */
  files_copy_plugin("long_table", "plugins/init_fails.so", path);
  cr_expect_str_eq(server_of("init_fails", NULL),
                   "plugin: init_fails: cannot be loaded: init failed: "
                   "init_fails: the license has run out");
  cr_expect(has_text(err.detail, "plugins/init_fails.so: init failed"), "%s",
            err.detail);
}

/* ---- at the same time ---- */

static void *
ask_for_talkative(void *user)
{
  const struct tn_backend *backend = NULL;

  (void)user;
  (void)!tn_registry_backend(registry, "talkative", NULL, &backend, NULL, NULL);
  return (void *)(uintptr_t)backend;
}

static size_t
count_logged(const char *part)
{
  size_t count = 0;

  for (size_t i = 0; i < log_count && i < TN_COUNT(logged); i++)
    count += has_text(logged[i], part);
  return count;
}

Test(registry_load, threads_that_want_the_same_plugin_load_it_once)
{
  pthread_t threads[8];
  void *backends[8];

  install("talkative", "");
  open_registry();
  for (size_t i = 0; i < TN_COUNT(threads); i++)
    pthread_create(&threads[i], NULL, ask_for_talkative, NULL);
  for (size_t i = 0; i < TN_COUNT(threads); i++)
    pthread_join(threads[i], &backends[i]);
  for (size_t i = 0; i < TN_COUNT(threads); i++) {
    cr_expect_neq(backends[i], NULL, "thread %zu", i);
    cr_expect_eq(backends[i], backends[0], "thread %zu", i);
  }
  cr_expect_eq(count_logged("entered"), 1);
}

Test(registry_load, threads_that_wait_for_a_failure_share_it)
{
  char path[PATH_MAX];
  pthread_t threads[8];
  void *backend;

  /* Talks and takes its time, then has the wrong name. */
  files_copy_plugin("talkative", "plugins/other.so", path);
  files_manifest("manifests", "other", "talkative", "");
  open_registry();
  for (size_t i = 0; i < TN_COUNT(threads); i++)
    pthread_create(&threads[i], NULL, ask_for_talkative, NULL);
  for (size_t i = 0; i < TN_COUNT(threads); i++) {
    pthread_join(threads[i], &backend);
    cr_expect_eq(backend, NULL, "thread %zu", i);
  }
  cr_expect_eq(count_logged("entered"), 1);
}

/* A sink that comes back into the registry. */
static char reentered[4][512];

static void
write_reentrant(uint32_t level, const char *line, void *user)
{
  static bool is_inside;
  const struct tn_backend *backend = NULL;
  tn_err inner = TN_ERR_INIT;
  struct tn_plugin_report report;

  (void)level;
  (void)user;
  if (is_inside || !has_text(line, "entered"))
    return;
  is_inside = true;
  (void)!tn_registry_backend(registry, "talkative", NULL, &backend, NULL,
                             &inner);
  strcpy(reentered[0], inner.message);
  if (tn_registry_backend(registry, "fake", NULL, &backend, NULL, &inner) ==
      TN_OK)
    strcpy(reentered[1], backend->plugin.name);
  (void)!tn_registry_backend(registry, "none", NULL, &backend, NULL, &inner);
  strcpy(reentered[2], inner.message);
  (void)tn_registry_report(registry, 1, note_row, NULL);
  if (tn_registry_inspect(registry, "fake", &report, &inner) == TN_OK)
    strcpy(reentered[3], report.name);
  is_inside = false;
}

Test(registry_load, a_log_sink_may_come_back_while_a_plugin_loads,
     .timeout = 20)
{
  static const struct tn_log log = { .level = TN_LOG_DEBUG,
                                     .write = write_reentrant };

  install("talkative", "");
  install("fake", "");
  options.log = &log;
  open_registry();
  cr_expect_str_eq(server_of("talkative", NULL), "talkative");
  cr_expect_str_eq(reentered[0],
                   "plugin: talkative: is being loaded; this thread cannot "
                   "wait for it while it loads a plug-in itself");
  cr_expect_str_eq(reentered[1], "fake");
  cr_expect(has_text(reentered[2], "no backend for scheme \"none\""));
  cr_expect_str_eq(reentered[3], "fake");
  cr_expect_eq(row_count, 2);
  cr_expect_eq(find_row("talkative")->report.state, TN_PLUGIN_KNOWN);
}

/* ---- sealed ---- */

Test(registry_load, after_a_seal_only_what_is_loaded_is_served)
{
  tn_registry *late = NULL;
  struct tn_plugin_report report;
  char path[PATH_MAX];

  install("fake", "");
  install("long_table", "");
  open_registry();
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  tn_seal();
  cr_expect_str_eq(server_of("fake", NULL), "fake");
  cr_expect_str_eq(server_of("long_table", NULL),
                   "plugin: long_table: cannot be loaded: the process is "
                   "sealed (tn_seal) and loads no plug-in");
  files_path("plugins/fake.so", path);
  cr_assert_eq(tn_registry__open(&options, NULL, false, &late, &err), TN_OK);
  cr_expect_eq(tn_registry_add_file(late, path, &report, &err), TN_E_PLUGIN);
  tn_registry_free(&late);
}

/* ---- out of memory ---- */

Test(registry_load, each_allocation_of_a_load_may_fail)
{
  char path[PATH_MAX];

  install("fake", "");
  files_write("extra1/fake.so", "no shared object", path);
  for (long nth = 1;; nth++) {
    const struct tn_backend *backend = NULL;
    enum tn_code rc;

    oom_fail_nth(0, false);
    open_registry();
    oom_fail_nth(nth, false);
    rc = tn_registry_backend(registry, "fake", NULL, &backend, NULL, &err);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      break;
    }

    /* What is only gathered for a message may be missing. */
    if (rc != TN_OK) {
      cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
      cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
    }

    /* It is not remembered. */
    oom_fail_nth(0, false);
    cr_expect_str_eq(server_of("fake", NULL), "fake", "allocation %ld", nth);
    tn_registry_free(&registry);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
  }
  oom_reset();
}

Test(registry_load, each_allocation_of_a_refusal_may_fail)
{
  static const char *const schemes[] = { "none", "fake" };
  char path[PATH_MAX];

  files_manifest("manifests", "fake", "fake", "");
  files_write("extra1/fake.so", "no shared object", path);
  for (size_t i = 0; i < TN_COUNT(schemes); i++) {
    for (long nth = 1;; nth++) {
      const struct tn_backend *backend = NULL;
      enum tn_code rc;

      oom_fail_nth(0, false);
      open_registry();
      oom_fail_nth(nth, false);
      rc =
          tn_registry_backend(registry, schemes[i], NULL, &backend, NULL, &err);
      if (oom_count() < nth) {
        cr_expect_eq(rc, TN_E_PLUGIN, "%s", schemes[i]);
        break;
      }
      cr_expect_eq(rc, TN_E_MEMORY, "%s: allocation %ld", schemes[i], nth);
    }
    tn_registry_free(&registry);
    cr_assert_eq(oom_live(), 0);
  }
  oom_reset();
}
