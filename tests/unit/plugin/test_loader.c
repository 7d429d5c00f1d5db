/* From a file to a backend, and every way in which that goes wrong. */
#include "loader.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "oom.h"

static struct tn_backend *backend;
static struct tn_loader_wish wish;
static char path[PATH_MAX];
static bool is_final;
static tn_err err;

static char logged[8][512];
static size_t log_count;

static void
write_log(uint32_t level, const char *line, void *user)
{
  (void)user;
  if (log_count < TN_COUNT(logged))
    snprintf(logged[log_count], sizeof(logged[0]), "%s: %s",
             tn_log_level_name(level), line);
  log_count++;
}

static void
set_up(void)
{
  files_make();
}

static void
tear_down(void)
{
  tn_backend_free(&backend);
  files_remove();
}

TestSuite(loader, .init = set_up, .fini = tear_down);

static enum tn_code
load(const char *name, const char *scheme)
{
  const char *schemes[] = { scheme, NULL };

  tn_backend_free(&backend);
  tn_err_clear(&err);
  wish.path = path;
  wish.name = name;
  wish.schemes = scheme != NULL ? schemes : NULL;
  if (wish.package == NULL)
    wish.package = "";
  is_final = true;
  return tn_loader_load(&wish, &backend, &is_final, &err);
}

static void
expect_refused(const char *reason)
{
  cr_expect_eq(load("fake", "fake"), TN_E_PLUGIN, "%s", reason);
  cr_expect_eq(backend, NULL);
  cr_expect_str_eq(err.message, reason);
}

/* Descriptors that are open. */
static int
count_fds(void)
{
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;

  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

/* ---- it works ---- */

Test(loader, a_plugin_is_loaded_checked_and_logged)
{
  const struct tn_log log = { .level = TN_LOG_INFO, .write = write_log };
  char expected[2 * PATH_MAX];

  wish.log = &log;
  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(load("fake", "fake"), TN_OK, "%s", err.message);
  cr_expect(is_final);
  cr_expect_str_eq(backend->path, path);
  cr_expect_str_eq(backend->plugin.version, "1.2");
  cr_assert_eq(log_count, 1);
  snprintf(expected, sizeof(expected),
           "info: plugin: fake 1.2 is loaded from %s (build-id ", path);
  cr_expect_eq(strncmp(logged[0], expected, strlen(expected)), 0, "%s",
               logged[0]);
  cr_expect(strstr(logged[0], ", fakelib 1.0)") != NULL, "%s", logged[0]);
}

Test(loader, a_file_is_mapped_once_and_keeps_one_descriptor)
{
  int before = count_fds();
  struct tn_backend *first;

  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(load(NULL, NULL), TN_OK, "%s", err.message);
  cr_expect_eq(count_fds(), before + 1);
  first = backend;
  backend = NULL;
  cr_assert_eq(load("fake", "fake"), TN_OK, "%s", err.message);
  cr_expect_eq(count_fds(), before + 1);
  cr_expect_eq(first->plugin.schemes, backend->plugin.schemes);
  tn_backend_free(&first);
}

Test(loader, a_copy_in_another_file_is_another_plugin)
{
  const char *const *schemes;

  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(load("fake", "fake"), TN_OK, "%s", err.message);
  schemes = backend->plugin.schemes;
  files_copy_plugin("fake", "fake2.so", path);
  cr_assert_eq(load("fake", "fake"), TN_OK, "%s", err.message);
  cr_expect_neq(schemes, backend->plugin.schemes);
}

/* The descriptor of a file. */
static int
find_fd(const char *wanted)
{
  for (int fd = 0; fd < 1024; fd++) {
    char name[64], target[PATH_MAX];
    ssize_t size;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    size = readlink(name, target, sizeof(target) - 1);
    if (size > 0) {
      target[size] = '\0';
      if (strcmp(target, wanted) == 0)
        return fd;
    }
  }
  return -1;
}

Test(loader, a_daemon_that_closes_all_descriptors_still_gets_the_right_file)
{
  int fd;

  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(load("fake", "fake"), TN_OK, "%s", err.message);
  fd = find_fd(path);
  cr_assert_gt(fd, 2);
  close(fd);

  /* The next file gets the very number of which the linker knows the first. */
  files_copy_plugin("long_table", "long_table.so", path);
  cr_assert_eq(load("long_table", "long_table"), TN_OK, "%s", err.message);
  cr_expect_neq(find_fd(path), fd);

  /* And the first one is still recognised, by file and not by number. */
  files_path("fake.so", path);
  cr_assert_eq(load("fake", "fake"), TN_OK, "%s", err.message);
  cr_expect_str_eq(backend->plugin.name, "fake");
}

Test(loader, the_numbers_of_the_standard_streams_are_left_alone)
{
  int saved[3];
  enum tn_code rc;
  int fd;

  files_copy_plugin("fake", "fake.so", path);
  for (int i = 0; i < 3; i++)
    saved[i] = dup(i);
  for (int i = 0; i < 3; i++)
    close(i);
  rc = load("fake", "fake");
  fd = find_fd(path);
  for (int i = 0; i < 3; i++) {
    dup2(saved[i], i);
    close(saved[i]);
  }
  cr_expect_eq(rc, TN_OK, "%s", err.message);
  cr_expect_gt(fd, 2);
}

Test(loader, an_older_plugin_with_shorter_tables_works)
{
  struct tn_txn_request request = { .size = sizeof(request) };
  struct tn_host_call call;

  files_copy_plugin("short_table", "short_table.so", path);
  cr_assert_eq(load("short_table", "short_table"), TN_OK, "%s", err.message);
  tn_host_call_init(&call, 0, NULL, &err);
  cr_expect_eq(tn_backend_begin(backend, NULL, &request, &call), TN_OK);
  cr_expect_eq(tn_backend_txn_state(backend, NULL), TN_TXN_OPEN);
  cr_expect_eq(tn_backend_reset(backend, NULL, &call), TN_OK);
  cr_expect_eq(
      tn_backend_savepoint(backend, NULL, TN_SAVEPOINT_SET, "s", &call),
      TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_set_sql_mode(backend, NULL, "x", &call),
               TN_E_UNSUPPORTED);
}

Test(loader, a_newer_plugin_with_longer_tables_works)
{
  void *handle = NULL;
  struct tn_host_call call;
  struct tn_connect_args args = { .size = sizeof(args) };

  files_copy_plugin("long_table", "long_table.so", path);
  cr_assert_eq(load("long_table", "long_table"), TN_OK, "%s", err.message);
  cr_expect_eq(backend->plugin.abi_minor, 7);
  cr_expect_eq(backend->plugin.shutdown, NULL);
  tn_host_call_init(&call, 0, NULL, &err);
  cr_expect_eq(tn_backend_connect(backend, &args, &call, &handle),
               TN_E_UNSUPPORTED);
  cr_expect_str_eq(err.message, "long_table: can do nothing");
}

/* ---- the file is no good ---- */

Test(loader, a_file_that_is_not_there_is_absent)
{
  files_path("fake.so", path);
  cr_expect_eq(load("fake", "fake"), TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message, "absent");
  cr_expect(!is_final);
  files_path("nowhere/fake.so", path);
  cr_expect_eq(load("fake", "fake"), TN_E_NOT_FOUND);
}

Test(loader, a_relative_path_is_refused)
{
  strcpy(path, "fake.so");
  expect_refused("not an absolute path");
}

Test(loader, a_file_that_others_may_write_is_refused)
{
  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(chmod(path, 0646), 0);
  cr_expect_eq(load("fake", "fake"), TN_E_PLUGIN);
  cr_expect(strstr(err.message, "mode 0646") != NULL, "%s", err.message);
  cr_expect(strstr(err.message, path) == NULL, "%s", err.message);
  cr_expect(!is_final);
  cr_assert_eq(chmod(path, 0644), 0);
  cr_assert_eq(chmod(files_folder, 0775), 0);
  cr_expect_eq(load("fake", "fake"), TN_E_PLUGIN);
  cr_expect_eq(strncmp(err.message, files_folder, strlen(files_folder)), 0,
               "%s", err.message);
  cr_expect(strstr(err.message, "mode 0775") != NULL, "%s", err.message);
  cr_assert_eq(chmod(files_folder, 0755), 0);
  cr_expect_eq(load("fake", "fake"), TN_OK);
}

Test(loader, a_file_of_another_user_is_refused)
{
  /* Only root can give a file away. */
  if (geteuid() != 0)
    return;
  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(chown(path, 12345, 0), 0);
  cr_expect_eq(load("fake", "fake"), TN_E_PLUGIN);
  cr_expect(strstr(err.message, "owner 12345") != NULL, "%s", err.message);
}

Test(loader, what_is_no_shared_object_for_this_machine_is_refused)
{
  size_t size;
  char *bytes = files_load_plugin("fake", &size);
  ElfW(Ehdr) *header = (ElfW(Ehdr) *)(void *)bytes;
  ElfW(Ehdr) good = *header;

  files_write("fake.so", "", path);
  expect_refused("not an ELF file (it is empty)");
  files_write("fake.so", "#!/bin/sh\nexit 0\n", path);
  expect_refused("not an ELF file");
  files_write("fake.so",
              "\x7f"
              "ELF",
              path);
  expect_refused("not an ELF file");

  header->e_machine = good.e_machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  files_write_bytes("fake.so", bytes, size, path);
  expect_refused(good.e_machine == EM_AARCH64
                     ? "wrong machine: file is x86-64, this is aarch64"
                     : "wrong machine: file is aarch64, this is x86-64");
  header->e_machine = 0xbeef;
  files_write_bytes("fake.so", bytes, size, path);
  cr_expect_eq(load("fake", "fake"), TN_E_PLUGIN);
  cr_expect(strstr(err.message, "file is of another kind") != NULL, "%s",
            err.message);

  *header = good;
  header->e_ident[EI_CLASS] =
      good.e_ident[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
  files_write_bytes("fake.so", bytes, size, path);
  expect_refused(good.e_ident[EI_CLASS] == ELFCLASS64
                     ? "wrong machine: file is for 32 bits, this has 64 bits"
                     : "wrong machine: file is for 64 bits, this has 32 bits");
  *header = good;
  header->e_ident[EI_DATA] =
      good.e_ident[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
  files_write_bytes("fake.so", bytes, size, path);
  expect_refused("wrong machine: file has another byte order");
  *header = good;
  header->e_type = ET_EXEC;
  files_write_bytes("fake.so", bytes, size, path);
  expect_refused("not a shared object (ELF type 2)");
  *header = good;
  header->e_phnum = 5000;
  files_write_bytes("fake.so", bytes, size, path);
  expect_refused("damaged: unusual ELF header");
  cr_expect(!is_final);
  free(bytes);
}

Test(loader, a_file_cut_short_anywhere_is_refused)
{
  size_t size;
  char *bytes = files_load_plugin("fake", &size);
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(void *)bytes;
  size_t end = 0;

  for (size_t i = 0; i < header->e_phnum; i++) {
    ElfW(Phdr) segment;

    memcpy(&segment, bytes + header->e_phoff + i * sizeof(segment),
           sizeof(segment));
    if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > end)
      end = segment.p_offset + segment.p_filesz;
  }
  cr_assert_gt(end, 1000);
  for (size_t cut = 0; cut < end; cut += cut < 100 ? 1 : end / 37) {
    files_write_bytes("fake.so", bytes, cut, path);
    cr_expect_eq(load("fake", "fake"), TN_E_PLUGIN, "at %zu", cut);
  }
  files_write_bytes("fake.so", bytes, end - 1, path);
  expect_refused("damaged: the file is cut short");
  free(bytes);
}

/* ---- the dynamic linker refuses it ---- */

/* Copy no_entry.so to the file `as`, depending on the library `library`
 * instead of its first one. */
static void
make_dependent(const char *as, const char *library)
{
  static const char room[] = "tn_room_for_a_name_";
  size_t size;
  char *bytes = files_load_plugin("no_entry", &size);
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(void *)bytes;
  const ElfW(Shdr) *sections =
      (const ElfW(Shdr) *)(void *)(bytes + header->e_shoff);
  bool is_done = false;

  for (size_t i = 0; i < header->e_shnum; i++) {
    ElfW(Dyn) * entry;
    char *strings, *place;

    if (sections[i].sh_type != SHT_DYNAMIC)
      continue;
    strings = bytes + sections[sections[i].sh_link].sh_offset;
    place = memmem(strings, sections[sections[i].sh_link].sh_size, room,
                   sizeof(room) - 1);
    cr_assert_neq(place, NULL);
    cr_assert_lt(strlen(library), strlen(place));
    strcpy(place, library);
    entry = (ElfW(Dyn) *)(void *)(bytes + sections[i].sh_offset);
    while (entry->d_tag != DT_NEEDED && entry->d_tag != DT_NULL)
      entry++;
    cr_assert_eq(entry->d_tag, DT_NEEDED);
    entry->d_un.d_val = (ElfW(Addr))(place - strings);
    is_done = true;
  }
  cr_assert(is_done);
  files_write_bytes(as, bytes, size, path);
  free(bytes);
}

Test(loader, a_missing_dependency_is_named_with_the_package)
{
  make_dependent("fake.so", "libtenon_absent.so.7");
  expect_refused("missing dependency libtenon_absent.so.7");
  cr_expect(!is_final, "it may be installed meanwhile");
  wish.package = "tenon-backend-fake";
  expect_refused("missing dependency libtenon_absent.so.7 (package "
                 "tenon-backend-fake has it)");
}

Test(loader, an_undefined_symbol_is_named)
{
  files_copy_plugin("undefined_symbol", "fake.so", path);
  expect_refused("undefined symbol tn_test_function_that_nobody_has");
  cr_expect(!is_final);
}

Test(loader, an_entry_point_in_a_dependency_does_not_count)
{
  char dependency[PATH_MAX];

  files_copy_plugin("fake", "dependency.so", dependency);
  make_dependent("fake.so", dependency);
  expect_refused("no entry point tn_plugin_entry; only one of its dependencies "
                 "has it");
  cr_expect(is_final);
}

Test(loader, other_words_of_the_linker_name_the_real_path)
{
  size_t size;
  char *bytes = files_load_plugin("fake", &size);
  ElfW(Ehdr) *header = (ElfW(Ehdr) *)(void *)bytes;

  /* No PT_DYNAMIC: an object without a dynamic section. */
  for (size_t i = 0; i < header->e_phnum; i++) {
    ElfW(Phdr) *segment = (ElfW(Phdr) *)(void *)(bytes + header->e_phoff) + i;

    if (segment->p_type == PT_DYNAMIC)
      segment->p_type = PT_NULL;
  }
  files_write_bytes("fake.so", bytes, size, path);
  expect_refused("object file has no dynamic section");
  free(bytes);
}

/* ---- its own word ---- */

static const struct {
  const char *file, *name, *scheme;
  const char *reason;
} broken[] = {
  { "no_entry", "no_entry", NULL, "no entry point tn_plugin_entry" },
  { "data_entry", "data_entry", NULL,
    "tn_plugin_entry is not a function (ELF symbol type 1)" },
  { "wrong_abi", "wrong_abi", NULL, "ABI 2, this core has 1" },
  { "newer_core", "newer_core", NULL,
    "needs a newer core: ABI 1.99, this core has 1.0" },
  { "init_fails", "init_fails", NULL,
    "init failed: init_fails: the license has run out" },
  { "init_silent", "init_silent", NULL, "init failed: it does not say why" },
  { "null_tables", "null_tables", NULL,
    "missing table connection, table statement, table result, table "
    "dialect" },
  { "missing_slot", "missing_slot", NULL,
    "missing connection.connect, result.fetch" },
  { "wrong_name", "wrong_name", NULL,
    "its manifest calls it \"wrong_name\", it calls itself \"another\"" },
  { "wrong_scheme", "wrong_scheme", "wrong_scheme",
    "it serves scheme \"stowaway\", which its manifest lacks" },
  { "fake", "fake", "other",
    "it does not serve scheme \"other\" of its manifest" },
};

Test(loader, a_plugin_that_breaks_a_promise_is_refused_with_the_reason)
{
  for (size_t i = 0; i < TN_COUNT(broken); i++) {
    char file[64];

    snprintf(file, sizeof(file), "%s.so", broken[i].file);
    files_copy_plugin(broken[i].file, file, path);
    cr_expect_eq(load(broken[i].name, broken[i].scheme), TN_E_PLUGIN,
                 "case %zu: %s", i, file);
    cr_expect_str_eq(err.message, broken[i].reason, "case %zu: %s", i, file);
    cr_expect(is_final, "case %zu: %s", i, file);
    cr_expect_eq(backend, NULL, "case %zu: %s", i, file);
  }
}

Test(loader, a_descriptor_that_ends_too_early_is_refused)
{
  files_copy_plugin("small_descriptor", "fake.so", path);
  cr_expect_eq(load("small_descriptor", NULL), TN_E_PLUGIN);
  cr_expect(strstr(err.message, "at least") != NULL, "%s", err.message);
}

Test(loader, what_a_plugin_logs_while_it_loads_is_passed_on)
{
  const struct tn_log log = { .level = TN_LOG_INFO, .write = write_log };

  wish.log = &log;
  files_copy_plugin("talkative", "talkative.so", path);
  cr_assert_eq(load("talkative", NULL), TN_OK, "%s", err.message);
  cr_expect_eq(log_count, 3);
  cr_expect_str_eq(logged[0], "info: talkative: entered");
  cr_expect_str_eq(logged[1], "info: talkative: left");
}

/* ---- limits ---- */

Test(loader, a_sealed_process_maps_nothing_more)
{
  static const char words[] =
      "the process is sealed (tn_seal) and loads no plug-in";

  files_copy_plugin("fake", "fake.so", path);
  cr_assert_eq(load("fake", "fake"), TN_OK);
  tn_loader_seal();
  expect_refused(words);
  cr_expect(!is_final);
  files_copy_plugin("long_table", "long_table.so", path);
  cr_expect_eq(load("long_table", NULL), TN_E_PLUGIN);
  cr_expect_str_eq(err.message, words);
}

Test(loader, a_process_maps_256_files_at_most)
{
  size_t size;
  char *bytes = files_load_plugin("no_entry", &size);
  char name[32];

  for (int i = 0; i < 256; i++) {
    snprintf(name, sizeof(name), "p%d.so", i);
    files_write_bytes(name, bytes, size, path);
    cr_expect_eq(load("fake", NULL), TN_E_PLUGIN);
    cr_expect_str_eq(err.message, "no entry point tn_plugin_entry", "file %d",
                     i);
  }
  files_write_bytes("one_more.so", bytes, size, path);
  expect_refused("this process has loaded 256 plug-in files already");
  files_path("p0.so", path);
  expect_refused("no entry point tn_plugin_entry");
  free(bytes);
}

Test(loader, each_allocation_may_fail)
{
  files_copy_plugin("fake", "fake.so", path);
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = load("fake", "fake");
    tn_backend_free(&backend);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
}
