/* Is a text JSON? RFC 8259, nothing more and nothing less.
 *
 * A value of type JSON is kept as text, so the core never needs a tree; it
 * must only be sure that the text is what it is said to be. One pass, no
 * memory but a bit for each level of nesting, and no recursion, since the text
 * may come from anyone. */
#include "value_priv.h"

#include "text.h"

static const char too_early[] = "ends too early";
static const char unexpected[] = "unexpected byte";

/* What may come next. */
enum expectation {
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END, /* after '[' */
  EXPECT_KEY,
  EXPECT_KEY_OR_END, /* after '{' */
  EXPECT_REST,       /* after a value: a comma or an end */
};

struct reader {
  const char *text;
  size_t size;
  size_t at;
  size_t depth;
  enum expectation expectation;
  uint8_t is_object[TN_JSON_DEPTH_MAX / 8]; /* a bit a level */
};

static int
peek(const struct reader *reader)
{
  return reader->at < reader->size ? (unsigned char)reader->text[reader->at]
                                   : -1;
}

static bool
take(struct reader *reader, char c)
{
  if (peek(reader) != c)
    return false;
  reader->at++;
  return true;
}

static void
skip_blanks(struct reader *reader)
{
  while (take(reader, ' ') || take(reader, '\t') || take(reader, '\n') ||
         take(reader, '\r'))
    ;
}

static bool
take_digits(struct reader *reader)
{
  size_t start = reader->at;

  while (reader->at < reader->size &&
         tn_text_is_digit(reader->text[reader->at]))
    reader->at++;
  return reader->at > start;
}

static bool
take_number(struct reader *reader)
{
  take(reader, '-');
  if (!take(reader, '0') && !take_digits(reader))
    return false;
  if (take(reader, '.') && !take_digits(reader))
    return false;
  if (!take(reader, 'e') && !take(reader, 'E'))
    return true;
  if (!take(reader, '+'))
    take(reader, '-');
  return take_digits(reader);
}

/* What follows a backslash. */
static bool
take_escape(struct reader *reader)
{
  int c = peek(reader);
  int i;

  if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
    return false;
  reader->at++;
  for (i = 0; c == 'u' && i < 4; i++) {
    if (peek(reader) < 0 || tn_text_hex(reader->text[reader->at]) < 0)
      return false;
    reader->at++;
  }
  return true;
}

static bool
take_string(struct reader *reader)
{
  if (!take(reader, '"'))
    return false;
  while (peek(reader) >= 0x20) { /* -1 at the end, too */
    if (take(reader, '"'))
      return true;
    if (take(reader, '\\')) {
      if (!take_escape(reader))
        return false;
    } else {
      reader->at++;
    }
  }
  return false;
}

static bool
take_word(struct reader *reader, const char *word)
{
  for (; *word != '\0'; word++)
    if (!take(reader, *word))
      return false;
  return true;
}

static bool
take_scalar(struct reader *reader)
{
  reader->expectation = EXPECT_REST;
  switch (peek(reader)) {
  case '"':
    return take_string(reader);
  case 't':
    return take_word(reader, "true");
  case 'f':
    return take_word(reader, "false");
  case 'n':
    return take_word(reader, "null");
  default:
    return take_number(reader);
  }
}

static bool
is_in_object(const struct reader *reader)
{
  size_t level = reader->depth - 1;

  return (reader->is_object[level / 8] >> (level % 8) & 1) != 0;
}

/* Go one level down; false if that is too deep. */
static bool
push(struct reader *reader, bool is_object)
{
  size_t level = reader->depth;
  unsigned bit = 1U << (level % 8);

  if (level == TN_JSON_DEPTH_MAX)
    return false;
  if (is_object)
    reader->is_object[level / 8] |= (uint8_t)bit;
  else
    reader->is_object[level / 8] &= (uint8_t)~bit;
  reader->depth++;
  reader->expectation = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
  return true;
}

static bool
take_end(struct reader *reader)
{
  if (reader->depth == 0 || !take(reader, is_in_object(reader) ? '}' : ']'))
    return false;
  reader->depth--;
  reader->expectation = EXPECT_REST;
  return true;
}

static const char *
take_value(struct reader *reader)
{
  int c = peek(reader);

  if (c != '[' && c != '{')
    return take_scalar(reader) ? NULL : unexpected;
  if (!push(reader, c == '{'))
    return "deeper than 512 levels";
  reader->at++;
  return NULL;
}

static const char *
take_key(struct reader *reader)
{
  if (!take_string(reader))
    return unexpected;
  skip_blanks(reader);
  if (!take(reader, ':'))
    return unexpected;
  reader->expectation = EXPECT_VALUE;
  return NULL;
}

static const char *
take_rest(struct reader *reader)
{
  if (take_end(reader))
    return NULL;
  if (reader->depth == 0 || !take(reader, ','))
    return unexpected;
  reader->expectation = is_in_object(reader) ? EXPECT_KEY : EXPECT_VALUE;
  return NULL;
}

/* Take one token, or a key with its colon. */
static const char *
take_next(struct reader *reader)
{
  switch (reader->expectation) {
  case EXPECT_VALUE_OR_END:
    return take_end(reader) ? NULL : take_value(reader);
  case EXPECT_VALUE:
    return take_value(reader);
  case EXPECT_KEY_OR_END:
    return take_end(reader) ? NULL : take_key(reader);
  case EXPECT_KEY:
    return take_key(reader);
  case EXPECT_REST:
  default:
    return take_rest(reader);
  }
}

const char *
tn_json__check(const char *text, size_t size, size_t *ret_offset)
{
  struct reader reader = { .text = text, .size = size };
  const char *cause = NULL;

  for (;;) {
    skip_blanks(&reader);
    if (reader.at == size && reader.depth == 0 &&
        reader.expectation == EXPECT_REST)
      return NULL;
    cause = take_next(&reader);
    if (cause != NULL)
      break;
  }
  if (ret_offset != NULL)
    *ret_offset = reader.at;
  return reader.at == size ? too_early : cause;
}
