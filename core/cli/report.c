/* Errors as a person or a program is told of them, and the exit codes.
 *
 * Text: "tenon: CATEGORY: MESSAGE", the category once if the message begins
 * with that word, its details indented, and the place in the statement if that
 * is known. JSON: one line on standard error, with the same
 * keys for every error. */
#include "cli.h"

#include <string.h>

#include "display.h"

/* How much of a statement's line is shown around the place, in columns. */
#define BEFORE_MAX    60
#define LINE_MAX_WIDE 76

/* What a category means wherever it turns up; the rest goes by the stage. */
struct fixed_exit {
  int32_t code;
  enum exit_code exit;
};

static const struct fixed_exit fixed_exits[] = {
  { TN_OK, EXIT_OK },
  { TN_E_USAGE, EXIT_USAGE },
  { TN_E_CONFIG, EXIT_USAGE },
  { TN_E_PLUGIN, EXIT_PLUGIN },
  { TN_E_TIMEOUT, EXIT_DEADLINE },
  { TN_E_CANCELED, EXIT_DEADLINE },
  { TN_E_MEMORY, EXIT_INTERNAL },
  { TN_E_INTERNAL, EXIT_INTERNAL },
};

static enum exit_code
exit_code_of(const struct cli *cli, const tn_err *err)
{
  size_t i;

  if (cli->out.failed)
    return EXIT_INTERNAL;
  for (i = 0; i < COUNT(fixed_exits); i++)
    if (fixed_exits[i].code == err->code)
      return fixed_exits[i].exit;
  if (cli->stage == STAGE_SETUP)
    return EXIT_USAGE;
  return cli->stage == STAGE_OPEN ? EXIT_CONNECT : EXIT_REFUSED;
}

/* ---- JSON ---- */

/* A text, or null for one that is not known. */
static void
write_member(const char *key, const char *text)
{
  fprintf(stderr, "\"%s\":", key);
  if (text[0] == '\0' || !json_write_text(stderr, text, strlen(text)))
    fputs("null", stderr);
}

static void
write_number(const char *key, int32_t number)
{
  if (number == 0)
    fprintf(stderr, "\"%s\":null", key);
  else
    fprintf(stderr, "\"%s\":%d", key, (int)number);
}

static void
write_columns(const tn_err *err)
{
  uint32_t i;

  fputs("\"columns\":[", stderr);
  for (i = 0; i < err->column_count; i++) {
    const char *name = tn_err_column(err, i);

    if (i > 0)
      putc(',', stderr);
    if (name == NULL || !json_write_text(stderr, name, strlen(name)))
      fputs("null", stderr);
  }
  putc(']', stderr);
}

static void
report_json(const tn_err *err)
{
  fputs("{\"error\":{", stderr);
  write_member("category", tn_code_name(err->code));
  putc(',', stderr);
  write_member("sqlstate", err->sqlstate);
  putc(',', stderr);
  write_number("native", err->native);
  putc(',', stderr);
  write_member("message", err->message);
  putc(',', stderr);
  write_member("schema", err->schema);
  putc(',', stderr);
  write_member("table", err->table);
  putc(',', stderr);
  write_columns(err);
  putc(',', stderr);
  write_member("columns_from", tn_err_source_name(err->source));
  putc(',', stderr);
  write_member("constraint", err->constraint);
  putc(',', stderr);
  write_member("key", err->key);
  putc(',', stderr);
  write_member("key_table", tn_err_key_table(err));
  putc(',', stderr);
  write_member("value", err->value);
  putc(',', stderr);
  write_member("connection", tn_connection_verdict_name(err->connection));
  putc(',', stderr);
  write_member("replay", tn_replay_verdict_name(err->replay));
  putc(',', stderr);
  write_member("detail", err->detail);
  putc(',', stderr);
  write_number("position", err->position);
  putc(',', stderr);
  write_number("parameter", err->parameter);
  fputs("}}\n", stderr);
}

/* ---- text ---- */

/* The byte at which character `position` stands, counted from 1. */
static size_t
byte_of(const char *text, int32_t position)
{
  size_t at = 0;

  while (position > 1 && text[at] != '\0') {
    at++;
    while (((unsigned char)text[at] & 0xc0) == 0x80)
      at++;
    position--;
  }
  return at;
}

/* Tabs would move the caret away, so a blank stands for each. */
static void
add_blank_tabs(struct display *text, const char *bytes, size_t size)
{
  display_add(text, "", 0);
  while (size > 0) {
    size_t length = 0;

    while (length < size && bytes[length] != '\t')
      length++;
    display_add_safe(text, bytes, length, SIZE_MAX);
    if (length < size)
      display_add(text, " ", 1);
    length += length < size;
    bytes += length;
    size -= length;
  }
}

static bool
is_blank(const struct display *text)
{
  return strspn(text->data, " ") == text->size;
}

/* Keep at most `max` characters of a text. */
static void
cut(struct display *text, size_t max)
{
  size_t end = byte_of(text->data, (int32_t)max + 1);

  text->size = end;
  text->data[end] = '\0';
}

/* The line that `position` is in, and a caret under it; nothing of a line that
 * is empty, as behind the last line end, where some servers see the error. */
static void
write_place(const char *statement, int32_t position)
{
  TN_CLEANUP(display_clear) struct display before = { .data = NULL };
  TN_CLEANUP(display_clear) struct display after = { .data = NULL };
  size_t at = byte_of(statement, position);
  size_t start = at;
  size_t characters = 0;

  while (start > 0 && strchr("\r\n", statement[start - 1]) == NULL &&
         characters < BEFORE_MAX) {
    start--;
    characters += ((unsigned char)statement[start] & 0xc0) != 0x80;
  }
  while (start < at && ((unsigned char)statement[start] & 0xc0) == 0x80)
    start++;
  add_blank_tabs(&before, statement + start, at - start);
  add_blank_tabs(&after, statement + at, strcspn(statement + at, "\r\n"));
  if (before.failed || after.failed || (is_blank(&before) && is_blank(&after)))
    return;
  cut(&after, LINE_MAX_WIDE - characters);
  fprintf(stderr, "    %s%s\n    %*s^\n", before.data, after.data,
          (int)display_width(before.data, before.size), "");
}

static void
write_details(const char *detail)
{
  while (*detail != '\0') {
    size_t length = strcspn(detail, "\n");

    fputs("  ", stderr);
    display_write(stderr, detail, length);
    putc('\n', stderr);
    detail += length;
    detail += *detail == '\n';
  }
}

/* "plugin: no backend" of the category plugin says it itself. */
static bool
has_category(const tn_err *err)
{
  const char *name = tn_code_name(err->code);
  size_t size = strlen(name);

  return strncmp(err->message, name, size) == 0 && err->message[size] == ':';
}

/* One without a name, which neither the message nor a detail tells. */
static void
write_parameter(const tn_err *err)
{
  static const char word[] = "parameter";

  if (err->parameter > 0 && strstr(err->message, word) == NULL &&
      strstr(err->detail, word) == NULL)
    fprintf(stderr, "  %s %d\n", word, (int)err->parameter);
}

static void
report_text(const struct cli *cli, const tn_err *err)
{
  fputs("tenon: ", stderr);
  if (!has_category(err))
    fprintf(stderr, "%s: ", tn_code_name(err->code));
  display_write(stderr, err->message, strlen(err->message));
  putc('\n', stderr);
  write_parameter(err);
  write_details(err->detail);
  if (cli->statement != NULL && err->position > 0)
    write_place(cli->statement, err->position);
}

enum exit_code
report_error(const struct cli *cli, const tn_err *err)
{
  /* Results first, so that the two streams read in order on a terminal. */
  (void)fflush(stdout);
  if (cli->out.writer->is_json)
    report_json(err);
  else
    report_text(cli, err);
  (void)fflush(stderr);
  return exit_code_of(cli, err);
}
