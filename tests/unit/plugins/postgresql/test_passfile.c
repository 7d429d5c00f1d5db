/* Files of passwords are read as libpq reads them, and by nobody else. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_host.h"
#include "oom.h"
#include "pg_priv.h"

static const char text[] = "# comment:5432:*:*:no\n"
                           "db1:5432:shop:anna:first\n"
                           "db1:*:*:anna:second\r\n"
                           "odd\\:host:5432:*:*:pass\\:word\\\\\n"
                           "localhost:5432:*:bert:socket\n"
                           "short:5432\n"
                           "*:*:*:last:at the end";

static const struct {
  struct pg__passkey key;
  const char *password;
} rows[] = {
  { { "db1", "5432", "shop", "anna" }, "first" },
  { { "db1", "5433", "shop", "anna" }, "second" },
  { { "db1", "5432", "shop", "carl" }, "" },
  { { "odd:host", "5432", "x", "y" }, "pass:word\\" },
  { { "/var/run/postgresql", "5432", "x", "bert" }, "socket" },
  { { "db2", "5432", "x", "bert" }, "" },
  { { "short", "5432", "x", "y" }, "" },
  { { "any", "1", "x", "last" }, "at the end" },
  { { "# comment", "5432", "x", "y" }, "" },
};

Test(passfile, gives_the_password_of_the_first_line_that_fits)
{
  char password[PG__PASSWORD_MAX];
  size_t i;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    pg__passfile_find(text, sizeof text - 1, &rows[i].key, password);
    cr_expect_str_eq(password, rows[i].password, "case %zu", i);
  }
}

static void
make_file(char path[32], mode_t mode)
{
  int fd;

  strcpy(path, "/tmp/tenon-passfile-XXXXXX");
  fd = mkstemp(path);
  cr_assert(fd >= 0);
  cr_assert_eq(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
  fchmod(fd, mode);
  close(fd);
}

Test(passfile, that_others_can_read_is_refused)
{
  struct fake_call fake;
  char password[PG__PASSWORD_MAX];
  char path[32];

  fake_call_init(&fake, NULL);
  make_file(path, 0600);
  cr_expect_eq(pg__passfile(&fake.call, path, &rows[0].key, password), TN_OK);
  cr_expect_str_eq(password, "first");
  chmod(path, 0640);
  cr_expect_eq(pg__passfile(&fake.call, path, &rows[0].key, password),
               TN_E_CONFIG);
  cr_expect_str_eq(password, "");
  cr_expect(strstr(fake.err.message, path) != NULL);
  unlink(path);
  cr_expect_eq(pg__passfile(&fake.call, path, &rows[0].key, password),
               TN_E_CONFIG);
  cr_expect_eq(pg__passfile(&fake.call, "/tmp", &rows[0].key, password),
               TN_E_CONFIG);
}

Test(passfile, without_memory_is_no_password)
{
  struct fake_call fake;
  char password[PG__PASSWORD_MAX];
  char path[32];

  make_file(path, 0600);
  fake_call_init(&fake, NULL);
  oom_fail_nth(1, false);
  cr_expect_eq(pg__passfile(&fake.call, path, &rows[0].key, password),
               TN_E_MEMORY);
  oom_reset();
  unlink(path);
}
