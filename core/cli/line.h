/* Lines that are typed, with a history, or read from anywhere else. */
#ifndef TENON_CLI_LINE_H
#define TENON_CLI_LINE_H

#include <stdbool.h>
#include <tenon/err.h>

struct line_reader;

enum line_status {
  LINE_READ = 1,
  LINE_END,         /* there are no more */
  LINE_INTERRUPTED, /* Ctrl-C: the line is dropped */
  LINE_FAILED,      /* no memory, or a read error; errno says which */
};

/* With standard input and output on a terminal, lines are edited and SIGINT
 * stays blocked, but while one is typed. Fails: TN_E_MEMORY, TN_E_IO. */
enum tn_code line_reader_open(struct line_reader **ret, tn_err *err);

/* Save the history, release; stores NULL. NULL is a no-op. */
void line_reader_close(struct line_reader **reader);

bool line_is_edited(const struct line_reader *reader);

/* Put a text into the history, if it is fit for that, as one entry however many
 * lines it has: it then comes back as a whole, in one "line". */
void line_remember(struct line_reader *reader, const char *text);

/* Read one line, without its end, borrowed until the next call. */
enum line_status line_read(struct line_reader *reader, const char *prompt,
                           const char **ret);

#endif
