/* Text as a terminal may see it.
 *
 * What comes from a server or a file may hold escape sequences that move the
 * cursor, set the title or turn the reading direction. None of it reaches a
 * terminal: such characters are shown as escapes. */
#ifndef TENON_CLI_DISPLAY_H
#define TENON_CLI_DISPLAY_H

#include <stdbool.h>
#include <stdio.h>
#include <tenon/value.h>

/* Longest that display_next() writes. */
#define DISPLAY_MAX 12

/* How to show the first character of `text`: into `out` goes itself or its
 * escape, `*ret_size` bytes of it, without a NUL. Returns the bytes of `text`
 * that are dealt with. `size` is not 0. */
size_t display_next(const char *text, size_t size, char out[DISPLAY_MAX],
                    size_t *ret_size);

/* Write a text so. */
void display_write(FILE *stream, const char *text, size_t size);

/* Columns of a terminal that a text takes. */
size_t display_width(const char *text, size_t size);

/* A growing text. Failures stick. */
struct display {
  char *data; /* NULL, or ended by NUL */
  size_t size;
  size_t capacity;
  bool failed; /* out of memory */
};

void display_clear(struct display *text);
void display_add(struct display *text, const char *bytes, size_t size);

/* Add at most `max` characters of `bytes` as display_next() shows them; "…"
 * stands for the rest. */
void display_add_safe(struct display *text, const char *bytes, size_t size,
                      size_t max);

/* Add a value as a cell of a table shows it. */
void display_add_value(struct display *text, const tn_value *value, size_t max);

#endif
