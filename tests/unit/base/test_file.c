/* Reading files, and telling which of them can be trusted. */
#include "file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oom.h"

/* Somebody who is neither root nor, in all likelihood, who runs the tests. */
#define STRANGER 54321

static char folder[64]; /* this test's own, below /tmp, mode 0700 */

static void
make_folder(void)
{
  strcpy(folder, "/tmp/tenon-file-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
}

/* The path of `name` in the test's folder; good for the next few calls. */
static const char *
in(const char *name)
{
  static char paths[8][PATH_MAX];
  static unsigned next;
  char *path = paths[next++ % 8];

  snprintf(path, PATH_MAX, "%s/%s", folder, name);
  return path;
}

static void
write_file(const char *name, const char *bytes, size_t size)
{
  FILE *file = fopen(in(name), "wb");

  cr_assert_not_null(file, "%s", in(name));
  cr_assert_eq(fwrite(bytes, 1, size, file), size);
  cr_assert_eq(fclose(file), 0);
  cr_assert_eq(chmod(in(name), 0644), 0);
}

static void
make_dir(const char *name, mode_t mode)
{
  cr_assert_eq(mkdir(in(name), 0700), 0, "%s", in(name));
  cr_assert_eq(chmod(in(name), mode), 0);
}

static void
make_link(const char *target, const char *name)
{
  cr_assert_eq(symlink(target, in(name)), 0, "%s", in(name));
}

static void
remove_folder(void)
{
  char command[128];

  snprintf(command, sizeof(command), "rm -rf %s", folder);
  if (folder[0] != '\0' && system(command) != 0)
    fprintf(stderr, "%s: cannot be removed\n", folder);
}

/* A test that is skipped gets no .fini. */
static void
skip(const char *reason)
{
  remove_folder();
  cr_skip_test("%s", reason);
}

TestSuite(file, .init = make_folder, .fini = remove_folder);

static int
open_descriptors(void)
{
  int count = 0;

  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* Is `path` opened, as the file that holds "content"? No descriptor but the
 * one handed out may be left. */
static void
expect_trusted(const char *path)
{
  int fd = -1, before = open_descriptors();
  tn_err err = TN_ERR_INIT;
  char bytes[8] = "";
  enum tn_code rc = tn_file_open_trusted(path, &fd, &err);

  cr_expect_eq(rc, TN_OK, "%s: %s", path, err.message);
  if (rc != TN_OK)
    return;
  cr_expect_eq(open_descriptors(), before + 1);
  cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC, "%s", path);
  cr_expect_eq(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_PATH), 0);
  cr_expect_eq(read(fd, bytes, sizeof(bytes)), 7, "%s", path);
  cr_expect_arr_eq(bytes, "content", 7);
  close(fd);
}

/* Is `path` refused with `code`, by a message that has `part` in it? */
static void
expect_refused(const char *path, enum tn_code code, const char *part)
{
  int fd = 777, before = open_descriptors();
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_file_open_trusted(path, &fd, &err);

  cr_expect_eq(rc, code, "%.100s: %s: %s", path, tn_code_name((int32_t)rc),
               err.message);
  cr_expect_not_null(strstr(err.message, part), "%s", err.message);
  cr_expect_eq(fd, 777, "untouched");
  cr_expect_eq(open_descriptors(), before, "%.100s", path);
}

Test(file, a_file_of_ours_in_folders_of_ours_is_trusted)
{
  make_dir("a", 0755);
  make_dir("a/b", 0700);
  write_file("a/b/f", "content", 7);
  expect_trusted(in("a/b/f"));
  expect_trusted(in("a//b/.//f"));
  expect_trusted(in("a/b/../b/f"));
}

Test(file, leaving_the_root_upwards_stays_there)
{
  char path[PATH_MAX];

  write_file("f", "content", 7);
  snprintf(path, sizeof(path), "/../..%s", in("f"));
  expect_trusted(path);
  snprintf(path, sizeof(path), "//./%s", in("f"));
  expect_trusted(path);
}

Test(file, a_mode_that_lets_others_write_is_refused_by_name)
{
  static const struct {
    mode_t mode;
    const char *cause;
  } cases[] = {
    { 0666, "mode 0666: others may write here; chmod go-w" },
    { 0646, "mode 0646: others may write here; chmod go-w" },
    { 0664, "mode 0664: its group may write here; chmod go-w" },
    { 04777, "mode 4777: others may write here; chmod go-w" },
  };

  write_file("f", "content", 7);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    char part[256];

    cr_assert_eq(chmod(in("f"), cases[i].mode), 0);
    snprintf(part, sizeof(part), "%s: owner %u, %s", in("f"),
             (unsigned)geteuid(), cases[i].cause);
    expect_refused(in("f"), TN_E_PERMISSION, part);
  }
  cr_assert_eq(chmod(in("f"), 0600), 0);
  expect_trusted(in("f"));
}

Test(file, a_folder_that_others_may_write_to_is_refused_wherever_it_stands)
{
  make_dir("a", 0755);
  make_dir("a/b", 0755);
  write_file("a/b/f", "content", 7);

  cr_assert_eq(chmod(in("a"), 0777), 0);
  expect_refused(in("a/b/f"), TN_E_PERMISSION, "/a: owner");
  expect_refused(in("a/b/f"), TN_E_PERMISSION, "mode 0777");
  cr_assert_eq(chmod(in("a"), 0755), 0);
  cr_assert_eq(chmod(in("a/b"), 0775), 0);
  expect_refused(in("a/b/f"), TN_E_PERMISSION, "/a/b: owner");
  cr_assert_eq(chmod(in("a/b"), 0755), 0);
  cr_assert_eq(chmod(folder, 0770), 0);
  expect_refused(in("a/b/f"), TN_E_PERMISSION, folder);
  cr_assert_eq(chmod(folder, 0700), 0);
  expect_trusted(in("a/b/f"));
}

Test(file, a_shared_folder_is_accepted_above_the_files_own_folder_only)
{
  char path[] = "/tmp/tenon-file-XXXXXX";
  struct stat st;
  int fd = mkstemp(path);

  cr_assert_geq(fd, 0);
  close(fd);
  if (stat("/tmp", &st) != 0 || st.st_uid != 0 || (st.st_mode & 07777) != 01777)
    skip("/tmp is not root's with mode 1777");
  expect_refused(path, TN_E_PERMISSION, "/tmp: owner 0, mode 1777: everybody");
  cr_assert_eq(unlink(path), 0);

  write_file("f", "content", 7); /* below /tmp as well */
  expect_trusted(in("f"));
  if (geteuid() != 0)
    return;
  make_dir("shared", 01777);
  make_dir("shared/own", 0755);
  write_file("shared/own/f", "content", 7);
  write_file("shared/f", "content", 7);
  expect_trusted(in("shared/own/f"));
  expect_refused(in("shared/f"), TN_E_PERMISSION, "/shared: owner 0");
  /* The sticky bit of somebody else's folder promises nothing. */
  cr_assert_eq(chown(in("shared"), STRANGER, 0), 0);
  expect_refused(in("shared/own/f"), TN_E_PERMISSION, "/shared: owner 54321");
}

Test(file, what_a_stranger_owns_is_refused)
{
  if (geteuid() != 0)
    skip("only root can give files away");
  make_dir("a", 0755);
  write_file("a/f", "content", 7);
  make_link("f", "a/l");
  expect_trusted(in("a/l"));

  cr_assert_eq(lchown(in("a/l"), STRANGER, 0), 0);
  expect_refused(in("a/l"), TN_E_PERMISSION, "/a/l: owner 54321, mode 0777");
  expect_trusted(in("a/f"));
  cr_assert_eq(chown(in("a/f"), STRANGER, 0), 0);
  expect_refused(in("a/f"), TN_E_PERMISSION, "/a/f: owner 54321, mode 0644");
  cr_assert_eq(chown(in("a/f"), 0, 0), 0);
  cr_assert_eq(chown(in("a"), STRANGER, 0), 0);
  expect_refused(in("a/f"), TN_E_PERMISSION, "/a: owner 54321, mode 0755");
}

/* Not as root: that user's files, and root's, are trusted; what it may not
 * read is told with owner and mode. */
Test(file, the_effective_user_counts)
{
  if (geteuid() != 0)
    skip("only root can become somebody else");
  cr_assert_eq(chmod(folder, 0755), 0);
  make_dir("a", 0755);
  write_file("a/f", "content", 7);
  write_file("a/root", "content", 7);
  write_file("a/unreadable", "content", 7);
  make_dir("closed", 0700);
  write_file("closed/f", "content", 7);
  cr_assert_eq(chmod(in("a/unreadable"), 0600), 0);
  cr_assert_eq(chown(in("a/f"), STRANGER, 0), 0);
  cr_assert_eq(chown(in("a"), STRANGER, 0), 0);

  cr_assert_eq(seteuid(STRANGER), 0);
  expect_trusted(in("a/f"));
  expect_trusted(in("a/root"));
  expect_refused(in("a/unreadable"), TN_E_PERMISSION,
                 "/a/unreadable: owner 0, mode 0600: the effective user may "
                 "not read it");
  expect_refused(in("closed/f"), TN_E_PERMISSION,
                 "/closed/f: permission denied");
  cr_assert_eq(seteuid(0), 0);
}

Test(file, links_are_followed_and_their_targets_checked)
{
  make_dir("a", 0755);
  make_dir("b", 0755);
  write_file("b/f", "content", 7);
  make_link("../b/f", "a/relative");
  make_link(in("b/f"), "a/absolute");
  make_link("relative", "a/twice");
  make_link("a", "to_a");
  make_link(".//b///", "to_b");
  make_link("../../../../../..", "up");
  make_dir("open", 0777);
  write_file("open/f", "content", 7);
  make_link("open/f", "into_open");
  make_link("open", "open_folder");

  expect_trusted(in("a/relative"));
  expect_trusted(in("a/absolute"));
  expect_trusted(in("a/twice"));
  expect_trusted(in("to_a/twice"));
  expect_trusted(in("to_b/f"));
  expect_trusted(in("to_a/../b/f"));
  expect_refused(in("into_open"), TN_E_PERMISSION, "/open: owner");
  expect_refused(in("open_folder/f"), TN_E_PERMISSION, "/open: owner");
  expect_refused(in("to_a/../open/f"), TN_E_PERMISSION, "/open: owner");
  expect_refused(in("up"), TN_E_IO, "not a regular file");
}

Test(file, a_link_through_an_open_folder_is_refused)
{
  write_file("f", "content", 7);
  make_dir("open", 0777);
  make_link("../f", "open/l");
  expect_refused(in("open/l"), TN_E_PERMISSION, "/open: owner");
}

Test(file, forty_links_are_followed_and_no_more)
{
  write_file("l0", "content", 7);
  for (int i = 1; i <= 41; i++) {
    char name[16], target[16];

    snprintf(name, sizeof(name), "l%d", i);
    snprintf(target, sizeof(target), "l%d", i - 1);
    make_link(target, name);
  }
  make_link("loop", "loop");
  make_link("loop_b", "loop_a");
  make_link("loop_a/x", "loop_b");
  expect_trusted(in("l40"));
  expect_refused(in("l41"), TN_E_IO, "too many symbolic links");
  expect_refused(in("loop"), TN_E_IO, "/loop: too many symbolic links");
  expect_refused(in("loop_a"), TN_E_IO, "too many symbolic links");
}

Test(file, what_is_not_there_is_not_found)
{
  make_dir("a", 0755);
  write_file("a/f", "content", 7);
  make_link("nowhere", "dangling");
  expect_refused(in("a/g"), TN_E_NOT_FOUND, "/a/g: no such file");
  expect_refused(in("b/f"), TN_E_NOT_FOUND, "/b: no such file");
  expect_refused(in("dangling"), TN_E_NOT_FOUND, "/nowhere: no such file");
  expect_refused(in("a/f/x"), TN_E_NOT_FOUND, "/a/f: part of the path");
}

Test(file, what_is_no_regular_file_is_refused_without_waiting)
{
  make_dir("a", 0755);
  cr_assert_eq(mkfifo(in("fifo"), 0600), 0);
  expect_refused(in("fifo"), TN_E_IO, "/fifo: not a regular file");
  expect_refused(in("a"), TN_E_IO, "/a: a folder, not a regular file");
  expect_refused(in("a/"), TN_E_IO, "not a regular file");
  expect_refused("/", TN_E_IO, "/: a folder, not a regular file");
  expect_refused("/dev/null", TN_E_IO, "/dev/null: not a regular file");
}

Test(file, a_path_must_be_absolute_and_of_a_usual_length)
{
  static char path[3 * PATH_MAX];

  expect_refused("", TN_E_USAGE, "not an absolute path");
  expect_refused("f", TN_E_USAGE, "f: not an absolute path");
  expect_refused("./f", TN_E_USAGE, "not an absolute path");

  memset(path, '/', sizeof(path) - 1);
  expect_refused(path, TN_E_IO, "the name is too long");
  path[PATH_MAX - 1] = '\0';
  expect_refused(path, TN_E_IO, "a folder, not a regular file");
  memset(path + 1, 'n', NAME_MAX + 1);
  expect_refused(path, TN_E_IO, "the name is too long");
  path[1 + NAME_MAX] = '\0';
  expect_refused(path, TN_E_NOT_FOUND, "no such file");
}

Test(file, links_cannot_make_a_path_longer_than_its_place)
{
  char target[PATH_MAX];
  size_t size = 0;

  for (; size < 4000; size += 2)
    memcpy(target + size, "./", 2);
  target[size] = '\0';
  make_dir("a", 0755);
  write_file("a/f", "content", 7);
  make_link(target, "long");
  make_link(target, "long2");
  expect_trusted(in("long/long2/a/f"));
  strcpy(target + size, "long");
  make_link(target, "more");
  expect_refused(in("more/./././././././././././././././././././././././././"
                    "./././././././././././././././././././././././././././"),
                 TN_E_IO, "the name is too long");
}

/* ------------------------------------------------------------------ */

static enum tn_code
read_whole(const char *name, size_t max, char **text, size_t *size, tn_err *err)
{
  return tn_file_read(in(name), max, text, size, err);
}

Test(file, a_file_is_read_whole_and_ends_with_nul)
{
  static char bytes[200000];
  static const size_t sizes[] = { 0, 1, 2, 511, 512, 4096, 65537, 200000 };

  for (size_t i = 0; i < sizeof(bytes); i++)
    bytes[i] = (char)(i * 7 % 256); /* NUL among them */
  for (size_t i = 0; i < TN_COUNT(sizes); i++) {
    char *text = NULL;
    size_t size = 777;

    write_file("f", bytes, sizes[i]);
    cr_assert_eq(read_whole("f", sizes[i], &text, &size, NULL), TN_OK);
    cr_expect_eq(size, sizes[i]);
    cr_expect_eq(memcmp(text, bytes, size), 0, "case %zu", i);
    cr_expect_eq(text[size], '\0');
    tn_memory_free(text);

    text = NULL;
    cr_assert_eq(read_whole("f", SIZE_MAX, &text, &size, NULL), TN_OK);
    cr_expect_eq(size, sizes[i]);
    tn_memory_free(text);
  }
}

Test(file, a_file_longer_than_the_maximum_is_refused)
{
  tn_err err = TN_ERR_INIT;
  char *text = NULL;
  size_t size = 777;
  char message[256];

  write_file("f", "content", 7);
  cr_expect_eq(read_whole("f", 6, &text, &size, &err), TN_E_LIMIT);
  snprintf(message, sizeof(message), "%s: longer than 6 bytes", in("f"));
  cr_expect_str_eq(err.message, message);
  cr_expect_eq(read_whole("f", 0, &text, &size, &err), TN_E_LIMIT);
  cr_expect_null(text);
  cr_expect_eq(size, 777);
}

/* The files of /proc have a size of 0 and more bytes than that, as has a file
 * that grows while it is read. */
Test(file, a_file_that_is_longer_than_it_says_is_read_and_limited_all_the_same)
{
  char *text = NULL;
  size_t size = 0;

  if (access("/proc/self/status", R_OK) != 0)
    skip("no /proc/self/status");
  cr_assert_eq(tn_file_read("/proc/self/status", 100000, &text, &size, NULL),
               TN_OK);
  cr_expect_gt(size, 100);
  cr_expect_eq(strlen(text), size);
  cr_expect_not_null(strstr(text, "\nPid:"));
  tn_memory_free(text);
  text = NULL;
  for (size_t max = 0; max < 70; max++)
    cr_expect_eq(tn_file_read("/proc/self/status", max, &text, &size, NULL),
                 TN_E_LIMIT, "max %zu", max);
  cr_expect_null(text);
}

Test(file, reading_a_descriptor_goes_on_from_where_it_stands)
{
  char *text = NULL;
  size_t size = 0;
  char bytes[3];
  int fd;

  write_file("f", "content", 7);
  fd = open(in("f"), O_RDONLY);
  cr_assert_eq(read(fd, bytes, 3), 3);
  cr_assert_eq(tn_file_read_fd(fd, "f", 100, &text, &size, NULL), TN_OK);
  cr_expect_str_eq(text, "tent");
  cr_expect_eq(size, 4);
  cr_expect_eq(fcntl(fd, F_GETFD), 0, "it is still the caller's");
  tn_memory_free(text);
  close(fd);
}

Test(file, what_cannot_be_read_is_told_by_its_name)
{
  tn_err err = TN_ERR_INIT;
  char *text = NULL;
  size_t size = 777;
  int fd;

  cr_expect_eq(read_whole("f", 9, &text, &size, &err), TN_E_NOT_FOUND);
  cr_expect_not_null(strstr(err.message, in("f")), "%s", err.message);
  make_dir("a", 0755);
  cr_expect_eq(read_whole("a", 9, &text, &size, &err), TN_E_IO);
  cr_assert_eq(mkfifo(in("fifo"), 0600), 0);
  cr_expect_eq(read_whole("fifo", 9, &text, &size, &err), TN_E_IO);
  cr_expect_not_null(strstr(err.message, "/fifo: not a regular file"));
  cr_expect_eq(tn_file_read_fd(-1, "nothing", 9, &text, &size, &err), TN_E_IO);
  cr_expect_eq(strncmp(err.message, "nothing: ", 9), 0, "%s", err.message);

  write_file("f", "content", 7);
  fd = open(in("f"), O_WRONLY);
  cr_expect_eq(tn_file_read_fd(fd, "f", 9, &text, &size, &err), TN_E_IO);
  close(fd);
  cr_expect_null(text);
  cr_expect_eq(size, 777);
  if (geteuid() == 0) {
    cr_assert_eq(chmod(in("f"), 0600), 0);
    cr_assert_eq(seteuid(STRANGER), 0);
    cr_expect_eq(read_whole("f", 9, &text, &size, &err), TN_E_PERMISSION);
    cr_assert_eq(seteuid(0), 0);
  }
}

/* ------------------------------------------------------------------ */

Test(file, a_list_has_the_names_with_the_suffix_in_order)
{
  static const char *const made[] = {
    "b.ini",  "a.ini", "C.ini",  "z.conf", ".x.ini",         ".ini",   "ini",
    "10.ini", "9.ini", "a.ini~", "x.INI",  "gr\xC3\xBC.ini", "a b.ini"
  };
  static const char *const listed[] = { "10.ini",        "9.ini", "C.ini",
                                        "a b.ini",       "a.ini", "b.ini",
                                        "gr\xC3\xBC.ini" };
  char **names = NULL;
  size_t count = 0;

  for (size_t i = 0; i < TN_COUNT(made); i++)
    write_file(made[i], "", 0);
  cr_assert_eq(tn_file_list(folder, ".ini", &names, &count, NULL), TN_OK);
  cr_assert_eq(count, TN_COUNT(listed));
  for (size_t i = 0; i < count; i++)
    cr_expect_str_eq(names[i], listed[i], "case %zu: \"%s\"", i, names[i]);
  tn_memory_free(names);

  cr_assert_eq(tn_file_list(folder, "", &names, &count, NULL), TN_OK);
  cr_expect_eq(count, TN_COUNT(made) - 2, "all but those that start with '.'");
  tn_memory_free(names);
}

Test(file, a_folder_that_is_empty_or_not_there_has_no_names)
{
  char **names = (char **)folder;
  size_t count = 777;

  cr_assert_eq(tn_file_list(folder, ".ini", &names, &count, NULL), TN_OK);
  cr_expect_eq(count, 0);
  cr_expect_null(names);
  count = 777;
  cr_assert_eq(tn_file_list(in("none"), ".ini", &names, &count, NULL), TN_OK);
  cr_expect_eq(count, 0);
  cr_expect_null(names);
}

Test(file, what_is_no_folder_cannot_be_listed)
{
  tn_err err = TN_ERR_INIT;
  char **names = NULL;
  size_t count = 777;

  write_file("f", "", 0);
  cr_expect_eq(tn_file_list(in("f"), "", &names, &count, &err), TN_E_IO);
  cr_expect_not_null(strstr(err.message, "/f: not a folder"), "%s",
                     err.message);
  if (geteuid() == 0) {
    cr_assert_eq(seteuid(STRANGER), 0);
    cr_expect_eq(tn_file_list(folder, "", &names, &count, &err),
                 TN_E_PERMISSION, "%s", err.message);
    cr_assert_eq(seteuid(0), 0);
  }
  cr_expect_null(names);
  cr_expect_eq(count, 777);
}

Test(file, without_memory_nothing_is_read_or_listed_and_nothing_leaks)
{
  for (long nth = 1;; nth++) {
    tn_err err = TN_ERR_INIT;
    char *text = NULL;
    char **names = NULL;
    size_t size, count;
    enum tn_code rc;
    int before = open_descriptors();

    if (nth == 1) {
      for (int i = 0; i < 40; i++) {
        char name[32];

        snprintf(name, sizeof(name), "name-%d.ini", i);
        write_file(name, "content", 7);
      }
    }
    oom_fail_nth(nth, false);
    rc = read_whole("name-1.ini", 100, &text, &size, &err);
    if (rc == TN_OK)
      rc = tn_file_list(folder, ".ini", &names, &count, &err);
    if (rc == TN_OK) {
      tn_memory_free(text);
      text = NULL;
      rc = tn_file_read("/proc/self/status", 100000, &text, &size, &err);
    }
    tn_memory_free(text);
    tn_memory_free(names);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    cr_assert_eq(open_descriptors(), before);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      cr_expect_gt(nth, 5);
      break;
    }
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, err.message);
    cr_assert_not_null(strstr(err.message, ": out of memory"));
  }
  oom_reset();
}
