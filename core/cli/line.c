/* Lines that are typed, edited by libedit, or read from anywhere else.
 *
 * libedit goes on reading when a signal comes, so characters are read here:
 * SIGINT is let through only while we wait for one, and then ends the line.
 * Between two lines it stays blocked, for interrupt.c to take. */
#include "line.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "history.h"

#define HISTORY_LINES 1000

struct line_reader {
  EditLine *edit; /* NULL: plain lines */
  History *history;
  char *history_path; /* NULL: not kept */
  const char *prompt;
  char *line;
  size_t capacity;
  bool was_interrupted;
  sigset_t usual_mask;
  struct sigaction usual_action;
};

/* SIGINT must have a handler to end ppoll(); that it came is all there is to
 * know. */
static void
take_signal(int number)
{
  (void)number;
}

static char *
get_prompt(EditLine *edit)
{
  struct line_reader *reader = NULL;

  (void)el_get(edit, EL_CLIENTDATA, &reader);
  return (char *)reader->prompt;
}

/* One byte; 0 at the end, -1 with EINTR when SIGINT came. */
static int
read_byte(char *byte)
{
  struct pollfd poll_fd = { .fd = STDIN_FILENO, .events = POLLIN };
  sigset_t open_mask;
  ssize_t got;

  (void)pthread_sigmask(SIG_SETMASK, NULL, &open_mask);
  (void)sigdelset(&open_mask, SIGINT);
  if (ppoll(&poll_fd, 1, NULL, &open_mask) < 0)
    return -1;
  got = read(STDIN_FILENO, byte, 1);
  return (int)got;
}

/* libedit's source of characters. Bytes that are no text in the locale are
 * dropped. */
static int
read_character(EditLine *edit, wchar_t *ret)
{
  struct line_reader *reader = NULL;
  mbstate_t state;
  char byte;

  (void)el_get(edit, EL_CLIENTDATA, &reader);
  memset(&state, 0, sizeof state);
  for (;;) {
    int got = read_byte(&byte);
    size_t used;

    if (got <= 0) {
      reader->was_interrupted = got < 0 && errno == EINTR;
      return got;
    }
    used = mbrtowc(ret, &byte, 1, &state);
    if (used == (size_t)-1)
      memset(&state, 0, sizeof state);
    else if (used != (size_t)-2)
      return 1;
  }
}

static void
load_history(struct line_reader *reader)
{
  HistEvent event;

  reader->history = history_init();
  if (reader->history == NULL)
    return;
  (void)history(reader->history, &event, H_SETSIZE, HISTORY_LINES);
  (void)history(reader->history, &event, H_SETUNIQUE, 1);
  reader->history_path = history_path();
  if (reader->history_path != NULL)
    (void)history(reader->history, &event, H_LOAD, reader->history_path);
  (void)el_set(reader->edit, EL_HIST, history, reader->history);
}

static bool
write_history(FILE *stream, void *user)
{
  HistEvent event;

  return history(user, &event, H_SAVE_FP, stream) >= 0;
}

static void
save_history(const struct line_reader *reader)
{
  if (reader->history != NULL && reader->history_path != NULL)
    history_save(reader->history_path, write_history, reader->history);
}

static bool
start_editing(struct line_reader *reader)
{
  struct sigaction action;
  sigset_t set;

  reader->edit = el_init("tenon", stdin, stdout, stderr);
  if (reader->edit == NULL)
    return false;
  (void)el_set(reader->edit, EL_CLIENTDATA, reader);
  (void)el_set(reader->edit, EL_PROMPT, get_prompt);
  (void)el_set(reader->edit, EL_EDITOR, "emacs");
  (void)el_set(reader->edit, EL_GETCFN, read_character);
  load_history(reader);
  (void)el_source(reader->edit, NULL);

  memset(&action, 0, sizeof action);
  action.sa_handler = take_signal;
  (void)sigaction(SIGINT, &action, &reader->usual_action);
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGINT);
  (void)pthread_sigmask(SIG_BLOCK, &set, &reader->usual_mask);
  return true;
}

enum tn_code
line_reader_open(struct line_reader **ret, tn_err *err)
{
  struct line_reader *reader = calloc(1, sizeof *reader);

  if (reader == NULL)
    return tn_err_set(err, TN_E_MEMORY, "shell: out of memory");
  if (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 &&
      !start_editing(reader)) {
    free(reader);
    return tn_err_set(err, TN_E_IO, "shell: the terminal cannot be used");
  }
  *ret = reader;
  return TN_OK;
}

void
line_reader_close(struct line_reader **reader)
{
  struct line_reader *old = *reader;

  if (old == NULL)
    return;
  if (old->edit != NULL) {
    save_history(old);
    el_end(old->edit);
    (void)sigaction(SIGINT, &old->usual_action, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &old->usual_mask, NULL);
  }
  if (old->history != NULL)
    history_end(old->history);
  free(old->history_path);
  free(old->line);
  free(old);
  *reader = NULL;
}

bool
line_is_edited(const struct line_reader *reader)
{
  return reader->edit != NULL;
}

static void
cut_end(char *line, size_t length)
{
  if (length > 0 && line[length - 1] == '\n')
    line[--length] = '\0';
  if (length > 0 && line[length - 1] == '\r')
    line[length - 1] = '\0';
}

static enum line_status
read_plain(struct line_reader *reader, const char **ret)
{
  ssize_t length;

  errno = 0;
  length = getline(&reader->line, &reader->capacity, stdin);
  if (length < 0)
    return errno == 0 ? LINE_END : LINE_FAILED;
  cut_end(reader->line, (size_t)length);
  *ret = reader->line;
  return LINE_READ;
}

static enum line_status
read_edited(struct line_reader *reader, const char **ret)
{
  const char *typed;
  int length = 0;

  reader->was_interrupted = false;
  el_resize(reader->edit);

  /* By itself it would show the prompt first and take the terminal over then;
   * a Ctrl-D that came in between would be lost. */
  (void)el_set(reader->edit, EL_PREP_TERM, 1);
  typed = el_gets(reader->edit, &length);
  if (reader->was_interrupted) {
    fputs("^C\n", stdout);
    el_reset(reader->edit);
    return LINE_INTERRUPTED;
  }
  if (typed == NULL || length <= 0)
    return LINE_END;
  free(reader->line);
  reader->line = strndup(typed, (size_t)length);
  if (reader->line == NULL)
    return LINE_FAILED;
  cut_end(reader->line, (size_t)length);
  *ret = reader->line;
  return LINE_READ;
}

void
line_remember(struct line_reader *reader, const char *text)
{
  HistEvent event;

  if (reader->history != NULL && history_wants(text))
    (void)history(reader->history, &event, H_ENTER, text);
}

enum line_status
line_read(struct line_reader *reader, const char *prompt, const char **ret)
{
  reader->prompt = prompt;
  return reader->edit == NULL ? read_plain(reader, ret)
                              : read_edited(reader, ret);
}
