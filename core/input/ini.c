/* INI text through inih, without the losses of a packaged build.
 *
 * inih is built by the distributions for short lines: it silently splits a
 * longer one, ends a value at " ;", and joins an indented line to the key
 * above. A password or a TLS option that vanishes that way is worse than any
 * error. So inih parses stand-ins, one short line for each line that counts:
 *
 *   [database]                                  becomes  [12]  and  s=12
 *   connection = postgresql://… ;sslmode=…      becomes  k=13
 *
 * The numbers are those of the lines. What inih reports is compared with what
 * was handed out, so that a stand-in that is lost, changed or put into another
 * section is found; then the line itself is delivered, whole. */
#include "ini_reader.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Room for a number and for a message without its place. */
#define NUMBER_SIZE 16
#define REASON_SIZE 160

struct parse {
  const struct tn_ini_reader *reader;
  const char *name;
  tn_err *err;
  enum tn_code code;

  /* A copy of the text. Keys and values are ended by NUL in place. */
  char *at;
  char *end;

  const char *section;
  unsigned section_line; /* of the last header that inih has seen; 0: none */
  bool is_wanted;
  bool is_shared;
  bool is_picked; /* the line before had, or went on, a key that was picked */

  /* The line that is with inih. */
  const char *key; /* NULL: a section's header */
  const char *value;
  unsigned line;
  bool owes_header; /* inih has its "[12]" but not its "s=12" yet */
  bool is_out;      /* inih has not reported it yet */
};

/* Remember the failure of this line; false, for the caller to return. */
static bool TN_PRINTF(2, 3) refuse(struct parse *parse, const char *fmt, ...)
{
  char reason[REASON_SIZE];
  va_list values;

  va_start(values, fmt);
  (void)vsnprintf(reason, sizeof(reason), fmt, values);
  va_end(values);
  parse->code = tn_err_set(parse->err, TN_E_CONFIG, "%s:%u: %s", parse->name,
                           parse->line, reason);
  return false;
}

/* inih did not give back what it got. */
static void
distrust(struct parse *parse)
{
  parse->code = tn_err_set(parse->err, TN_E_INTERNAL,
                           "%s:%u: inih did not report this line as it is",
                           parse->name, parse->line);
}

static bool
is_blank(char c)
{
  return c == ' ' || c == '\t';
}

/* ------------------------------------------------------------------ */
/* Checking a line                                                     */

/* Offset of the first control character but tab, C1 included; `size` if there
 * is none. */
static size_t
find_control(const char *line, size_t size)
{
  size_t i;

  for (i = 0; i < size; i++) {
    unsigned char c = (unsigned char)line[i];
    unsigned char next = i + 1 < size ? (unsigned char)line[i + 1] : 0;

    if ((c < 0x20 && c != '\t') || c == 0x7F ||
        (c == 0xC2 && next >= 0x80 && next < 0xA0))
      return i;
  }
  return size;
}

/* Is the line text that can be shown, stored and compared? */
static bool
check_bytes(struct parse *parse, const char *line, size_t size)
{
  size_t offset = 0;

  if (size > TN_INI_LINE_MAX)
    return refuse(parse, "line of %zu bytes, more than %d", size,
                  TN_INI_LINE_MAX);
  if (!tn_text_is_utf8(line, size, &offset))
    return refuse(parse, "byte %zu of the line is not UTF-8", offset + 1);
  offset = find_control(line, size);
  if (offset < size)
    return refuse(parse, "byte %zu of the line is a control character, 0x%02X",
                  offset + 1, (unsigned char)line[offset]);
  return true;
}

/* ------------------------------------------------------------------ */
/* Reading a line                                                      */

/* Cut the next line off. `*ret_size` is without its end; `line[*ret_size]` may
 * be written to. */
static char *
take_line(struct parse *parse, size_t *ret_size)
{
  char *line = parse->at;
  char *end = memchr(line, '\n', (size_t)(parse->end - line));

  parse->at = end != NULL ? end + 1 : parse->end;
  if (end == NULL)
    end = parse->end;
  if (end > line && end[-1] == '\r')
    end--;
  *ret_size = (size_t)(end - line);
  return line;
}

/* Take blanks off both ends and put a NUL behind the rest. */
static char *
trim(char *start, char *end)
{
  while (start < end && is_blank(*start))
    start++;
  while (end > start && is_blank(end[-1]))
    end--;
  *end = '\0';
  return start;
}

static char *
unquote(char *value)
{
  size_t size = strlen(value);

  if (size < 2 || (*value != '"' && *value != '\'') ||
      value[size - 1] != *value)
    return value;
  value[size - 1] = '\0';
  return value + 1;
}

/* A header. True if it is to be handed out. */
static bool
read_header(struct parse *parse, char *line, size_t size)
{
  const struct tn_ini_reader *reader = parse->reader;
  char *close;

  if (!check_bytes(parse, line, size))
    return false;
  trim(line, line + size);
  close = strchr(line, ']');
  if (close == NULL)
    return refuse(parse, "section header is not closed by ']'");
  if (close[1] != '\0')
    return refuse(parse, "text after the ']' of a section header");
  if (close == line + 1)
    return refuse(parse, "section header without a name");

  *close = '\0';
  parse->section = line + 1;
  parse->is_wanted = reader->wants(reader->user, parse->section);
  parse->is_shared = parse->is_wanted && reader->picks != NULL &&
                     reader->picks(reader->user, parse->section, NULL);
  parse->key = NULL;
  parse->value = NULL;
  return parse->is_wanted;
}

/* The end of the key: the first '=' or ':', whichever is first. */
static char *
find_separator(char *line, size_t size)
{
  size_t i;

  for (i = 0; i < size; i++)
    if (line[i] == '=' || line[i] == ':')
      return line + i;
  return NULL;
}

/* In a section of another program: is the line one of ours? An indented line
 * goes on with the key above it. Our keys have no such lines: the value that
 * the other program sees would not be the one that we see. */
static bool
is_ours(struct parse *parse, char *line, size_t size)
{
  const struct tn_ini_reader *reader = parse->reader;
  char *separator, *key_end, kept;

  if (is_blank(*line))
    return parse->is_picked;
  parse->is_picked = false;
  separator = find_separator(line, size);
  if (*line == '#' || *line == ';' || separator == NULL)
    return false;

  key_end = separator;
  while (key_end > line && is_blank(key_end[-1]))
    key_end--;
  kept = *key_end;
  *key_end = '\0';
  parse->is_picked = reader->picks(reader->user, parse->section, line);
  *key_end = kept;
  return parse->is_picked;
}

/* A line of a wanted section. True if it is to be handed out. */
static bool
read_key(struct parse *parse, char *line, size_t size)
{
  char *separator;

  if (!check_bytes(parse, line, size))
    return false;
  if (*line == '#' || *line == ';')
    return false;
  if (is_blank(*line))
    return refuse(parse, "line starts with a blank; a value is one line, and "
                         "keys and comments start at the margin");
  separator = find_separator(line, size);
  if (separator == NULL) {
    /* Not its text: it may be the rest of a password. */
    return refuse(parse, "line of %zu bytes without '='", size);
  }
  if (separator == line)
    return refuse(parse, "no key before the '%c'", *separator);

  parse->value = unquote(trim(separator + 1, line + size));
  parse->key = trim(line, separator);
  return true;
}

static bool
is_all_blank(const char *line, size_t size)
{
  while (size > 0 && is_blank(line[size - 1]))
    size--;
  return size == 0;
}

/* Go to the next line that inih must see. False at the end and on failure. */
static bool
next_item(struct parse *parse)
{
  while (parse->code == TN_OK && parse->at < parse->end) {
    size_t size;
    char *line = take_line(parse, &size);

    parse->line++;
    if (is_all_blank(line, size))
      parse->is_picked = false;
    else if (*line == '[') {
      parse->is_picked = false;
      if (read_header(parse, line, size))
        return true;
    } else if (parse->is_wanted &&
               (!parse->is_shared || is_ours(parse, line, size)) &&
               read_key(parse, line, size))
      return true;
  }
  return false;
}

/* ------------------------------------------------------------------ */
/* The two callbacks of inih                                           */

/* Write the next stand-in into `out`, as fgets() would. */
static char *
hand_out(char *out, int size, void *stream)
{
  struct parse *parse = stream;
  const char *before = "s=", *after = "";
  int used;

  if (parse->code == TN_OK && parse->is_out)
    distrust(parse);
  if (parse->code != TN_OK || (!parse->owes_header && !next_item(parse)))
    return NULL;

  if (!parse->owes_header && parse->key == NULL) {
    before = "[";
    after = "]";
    parse->section_line = parse->line;
    parse->owes_header = true;
  } else {
    if (!parse->owes_header)
      before = "k=";
    parse->owes_header = false;
    parse->is_out = true;
  }
  used = snprintf(out, (size_t)size, "%s%u%s\n", before, parse->line, after);
  if (used >= 0 && used < size)
    return out;
  distrust(parse);
  return NULL;
}

static bool
is_number(const char *text, unsigned number)
{
  char expected[NUMBER_SIZE] = "";

  if (number > 0)
    (void)snprintf(expected, sizeof(expected), "%u", number);
  return text != NULL && strcmp(text, expected) == 0;
}

/* Deliver the line that inih reports. 0 tells inih to fail. */
static int
take_back(void *user, const char *section, const char *name, const char *value)
{
  struct parse *parse = user;
  struct tn_ini_item item = { parse->section, parse->key, parse->value,
                              parse->line };

  if (name == NULL) /* a build that reports the headers as well */
    return 1;
  if (parse->code != TN_OK)
    return 0;
  if (!parse->is_out || !is_number(section, parse->section_line) ||
      !is_number(value, parse->line) ||
      strcmp(name, parse->key != NULL ? "k" : "s") != 0) {
    distrust(parse);
    return 0;
  }
  parse->is_out = false;
  parse->code = parse->reader->item(parse->reader->user, &item, parse->err);
  return parse->code == TN_OK;
}

#if INI_HANDLER_LINENO
static int
take_back_numbered(void *user, const char *section, const char *name,
                   const char *value, int line)
{
  (void)line; /* of the stand-ins */
  return take_back(user, section, name, value);
}
#define TAKE_BACK take_back_numbered
#else
#define TAKE_BACK take_back
#endif

static enum tn_code
run(struct parse *parse)
{
  const struct tn_ini_reader *reader = parse->reader;
  int rc;

  parse->is_wanted = reader->wants(reader->user, "");
  parse->is_shared = parse->is_wanted && reader->picks != NULL &&
                     reader->picks(reader->user, "", NULL);
  rc = ini_parse_stream(hand_out, parse, TAKE_BACK, parse);
  if (parse->code == TN_OK && rc == -2)
    parse->code = tn_err_memory(parse->err, parse->name);
  if (parse->code == TN_OK && (rc != 0 || parse->is_out || parse->owes_header ||
                               parse->at != parse->end))
    distrust(parse);
  return parse->code;
}

enum tn_code
tn_ini_parse(const char *text, size_t size, const char *name,
             const struct tn_ini_reader *reader, tn_err *err)
{
  struct parse parse = { .reader = reader, .name = name, .err = err };
  char *copy = tn_memory_text(text, size);
  enum tn_code code;

  if (copy == NULL)
    return tn_err_memory(err, name);
  parse.section = "";
  parse.at = copy;
  parse.end = copy + size;
  if (size >= 3 && memcmp(copy, "\xEF\xBB\xBF", 3) == 0)
    parse.at += 3;
  code = run(&parse);

  /* It had passwords in it. */
  tn_memory_wipe(copy, size);
  tn_memory_free(copy);
  return code;
}
