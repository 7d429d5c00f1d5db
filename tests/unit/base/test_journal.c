/* The journal, played by a socket of the test's own. */
#include "journal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "oom.h"

static char folder[] = "/tmp/tenon-journal-XXXXXX";
static char path[64];
static int server = -1;
static tn_journal *journal;
static tn_err err;
static char entry[8192];

static void
listen_on_path(void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  strcpy(address.sun_path, path);
  cr_assert_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
}

static void
set_up(void)
{
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/socket", folder);
  listen_on_path();
}

static void
tear_down(void)
{
  close(server);
  unlink(path);
  rmdir(folder);
}

TestSuite(journal, .init = set_up, .fini = tear_down, .timeout = 60);

static void
open_journal(uint32_t level)
{
  cr_assert_eq(tn_journal__open(path, "shop", level, &journal, &err), TN_OK,
               "%s", err.message);
}

/* The next entry, its message's size spelt as "<N>"; "" for none. */
static const char *
receive(void)
{
  char raw[8192];
  ssize_t size = recv(server, raw, sizeof raw - 1, MSG_DONTWAIT);
  char *message;
  uint64_t length = 0;

  entry[0] = '\0';
  if (size < 0)
    return entry;
  raw[size] = '\0';
  message = strstr(raw, "MESSAGE\n");
  cr_assert_not_null(message);
  message += strlen("MESSAGE\n");
  for (int i = 7; i >= 0; i--)
    length = length << 8 | (unsigned char)message[i];
  cr_assert_eq(message + 8 + length + 1, raw + size, "the size is another");
  snprintf(entry, sizeof entry, "%.*s<%llu>%s", (int)(message - raw), raw,
           (unsigned long long)length, message + 8);
  return entry;
}

Test(journal, each_line_is_an_entry_with_its_fields)
{
  open_journal(TN_LOG_DEBUG);
  tn_log_write(tn_journal_log(journal), TN_LOG_WARNING, "pool: %d are lent", 5);
  cr_expect_str_eq(receive(),
                   "PRIORITY=4\nSYSLOG_IDENTIFIER=shop\nTENON_SUBJECT=pool\n"
                   "MESSAGE\n<16>pool: 5 are lent\n",
                   "%s", entry);
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO,
               "statement of \"x\": 1 ms: SELECT 1");
  cr_expect_str_eq(receive(),
                   "PRIORITY=6\nSYSLOG_IDENTIFIER=shop\n"
                   "TENON_SUBJECT=statement\n"
                   "MESSAGE\n<32>statement of \"x\": 1 ms: SELECT 1\n",
                   "%s", entry);
  tn_log_write(tn_journal_log(journal), TN_LOG_ERROR, "No subject here");
  cr_expect_str_eq(receive(),
                   "PRIORITY=3\nSYSLOG_IDENTIFIER=shop\n"
                   "MESSAGE\n<15>No subject here\n",
                   "%s", entry);
  tn_log_write(tn_journal_log(journal), TN_LOG_DEBUG, "x: y");
  cr_expect_not_null(strstr(receive(), "PRIORITY=7\n"));
  tn_journal_close(&journal);
  cr_expect_null(journal);
}

Test(journal, the_level_is_kept)
{
  open_journal(TN_LOG_WARNING);
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: y");
  cr_expect_str_eq(receive(), "");
  tn_journal_close(&journal);
}

Test(journal, a_line_break_in_a_message_makes_no_field)
{
  open_journal(TN_LOG_INFO);
  tn_journal_log(journal)->write(TN_LOG_INFO, "x: y\nPRIORITY=0", journal);
  cr_expect_not_null(strstr(receive(), "MESSAGE\n<15>x: y\nPRIORITY=0\n"), "%s",
                     entry);
  tn_journal_close(&journal);
}

Test(journal, the_longest_line_fits_into_an_entry)
{
  static char text[5000];

  memset(text, 'x', sizeof text - 1);
  open_journal(TN_LOG_INFO);
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "%s", text);
  cr_expect_not_null(strstr(receive(), "MESSAGE\n<4095>xxx"), "%.80s", entry);
  tn_journal_close(&journal);
}

Test(journal, what_finds_no_room_is_counted_and_waits_for_nobody)
{
  unsigned received = 0;

  open_journal(TN_LOG_INFO);
  for (int i = 0; i < 2000; i++)
    tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: y");
  while (receive()[0] != '\0')
    received++;
  cr_expect_lt(received, 2000);
  errno = 4711;
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: y");
  cr_expect_eq(errno, 4711);
  cr_expect_not_null(strstr(receive(), "TENON_LOST="), "%s", entry);
  cr_expect_eq(strtoul(strstr(entry, "TENON_LOST=") + 11, NULL, 10),
               2000 - received);
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: y");
  cr_expect_null(strstr(receive(), "TENON_LOST="), "%s", entry);
  tn_journal_close(&journal);
}

Test(journal, it_goes_on_when_the_journal_was_started_again)
{
  open_journal(TN_LOG_INFO);
  close(server);
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: nobody there");
  unlink(path);
  listen_on_path();
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: y");
  cr_expect_not_null(strstr(receive(), "TENON_LOST=1\n"), "%s", entry);
  tn_journal_close(&journal);
}

Test(journal, what_cannot_be_is_refused)
{
  char expected[256];
  char large[200];

  cr_expect_eq(tn_journal__open(path, "x", 0, &journal, &err), TN_E_USAGE);
  cr_expect_eq(tn_journal__open(path, "x", 5, &journal, &err), TN_E_USAGE);
  cr_expect_eq(tn_journal__open(path, "a\nb", 3, &journal, &err), TN_E_USAGE);
  memset(large, 'x', sizeof large - 1);
  large[sizeof large - 1] = '\0';
  cr_expect_eq(tn_journal__open(path, large, 3, &journal, &err), TN_E_USAGE);
  cr_expect_eq(tn_journal__open(large, "x", 3, &journal, &err), TN_E_USAGE);
  unlink(path);
  cr_expect_eq(tn_journal__open(path, "x", 3, &journal, &err), TN_E_CONNECT);
  snprintf(expected, sizeof expected,
           "journal: cannot write to %s: No such file or directory; is "
           "systemd-journald running?",
           path);
  cr_expect_str_eq(err.message, expected, "%s", err.message);
  oom_fail_nth(1, false);
  cr_expect_eq(tn_journal__open(path, "x", 3, &journal, &err), TN_E_MEMORY);
  oom_reset();
  cr_expect_null(journal);
  tn_journal_close(&journal);
  tn_journal_close(NULL);
}

/* The system's own, which may be there or not. */
Test(journal, the_systems_is_opened_if_it_is_there)
{
  static const char there[] = "/run/systemd/journal/socket";
  enum tn_code rc = tn_journal_open("tenon-test", 0, &journal, &err);

  cr_expect_eq(rc, TN_E_USAGE, "the level");
  rc = tn_journal_open("tenon-test", TN_LOG_INFO, &journal, &err);
  if (access(there, W_OK) == 0) {
    cr_expect_eq(rc, TN_OK, "%s", err.message);
  } else {
    cr_expect_eq(rc, TN_E_CONNECT);
    cr_expect_not_null(strstr(err.message, there), "%s", err.message);
  }
  tn_journal_close(&journal);
}

Test(journal, without_a_name_it_is_the_program_s)
{
  char expected[200];

  cr_assert_eq(tn_journal__open(path, NULL, TN_LOG_INFO, &journal, &err),
               TN_OK);
  tn_log_write(tn_journal_log(journal), TN_LOG_INFO, "x: y");
  snprintf(expected, sizeof expected, "SYSLOG_IDENTIFIER=%s\n",
           program_invocation_short_name);
  cr_expect_not_null(strstr(receive(), expected), "%s", entry);
  tn_journal_close(&journal);
}
