/* Questions about bytes that are meant to be text.
 *
 * Names, URLs, INI files and server messages are bytes until something has
 * looked at them. None of this asks the locale: the same file must mean the
 * same in every process. */
#include "text.h"

#include <string.h>

/* Words longer than this get no suggestion; option names are shorter. */
#define WORD_MAX 64

#define ELLIPSIS      "..."
#define ELLIPSIS_SIZE (sizeof(ELLIPSIS) - 1)

/* By first byte: how long the sequence is, and which second bytes keep out
 * overlong forms, surrogates and what is above U+10FFFF (RFC 3629, section
 * 4). Every further byte is 80 to BF. */
struct utf8_row {
  unsigned char first_low, first_high;
  unsigned char size;
  unsigned char second_low, second_high;
};

static const struct utf8_row utf8_rows[] = {
  { 0xC2, 0xDF, 2, 0x80, 0xBF }, { 0xE0, 0xE0, 3, 0xA0, 0xBF },
  { 0xE1, 0xEC, 3, 0x80, 0xBF }, { 0xED, 0xED, 3, 0x80, 0x9F },
  { 0xEE, 0xEF, 3, 0x80, 0xBF }, { 0xF0, 0xF0, 4, 0x90, 0xBF },
  { 0xF1, 0xF3, 4, 0x80, 0xBF }, { 0xF4, 0xF4, 4, 0x80, 0x8F },
};

/* Bytes of the character at `text`, of which `size` bytes (not 0) are left; 0
 * if it is none. */
static size_t
character_size(const char *text, size_t size)
{
  const unsigned char *bytes = (const unsigned char *)text;
  const struct utf8_row *row = utf8_rows;

  if (bytes[0] < 0x80)
    return 1;
  while (row < utf8_rows + TN_COUNT(utf8_rows) && bytes[0] > row->first_high)
    row++;
  if (row == utf8_rows + TN_COUNT(utf8_rows) || bytes[0] < row->first_low ||
      size < row->size || bytes[1] < row->second_low ||
      bytes[1] > row->second_high)
    return 0;
  for (size_t i = 2; i < row->size; i++) {
    if (bytes[i] < 0x80 || bytes[i] > 0xBF)
      return 0;
  }
  return row->size;
}

/* C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well. */
static bool
is_control(const char *character, size_t size)
{
  unsigned char first = (unsigned char)character[0];

  if (size == 1)
    return first < 0x20 || first == 0x7F;
  return size == 2 && first == 0xC2 && (unsigned char)character[1] < 0xA0;
}

#define WORD_SIZE sizeof(uint64_t)

/* Are the next WORD_SIZE bytes ASCII? */
static inline bool
is_ascii_word(const char *text)
{
  uint64_t word;

  memcpy(&word, text, sizeof(word));
  return (word & UINT64_C(0x8080808080808080)) == 0;
}

/* How many bytes of ASCII `text` starts with: by words as far as they go, the
 * last of which may overlap the one before it, and around another character by
 * bytes. */
static size_t
ascii_size(const char *text, size_t size)
{
  size_t i = 0;

  while (size - i >= WORD_SIZE && is_ascii_word(text + i))
    i += WORD_SIZE;
  if (i > 0 && size - i < WORD_SIZE && is_ascii_word(text + size - WORD_SIZE))
    return size;
  while (i < size && ((unsigned char)text[i] & 0x80) == 0)
    i++;
  return i;
}

bool
tn_text_is_utf8(const char *text, size_t size, size_t *ret_offset)
{
  size_t i = 0;

  while (i < size) {
    size_t step = ascii_size(text + i, size - i);

    if (step == 0)
      step = character_size(text + i, size - i);
    if (step == 0) {
      if (ret_offset != NULL)
        *ret_offset = i;
      return false;
    }
    i += step;
  }
  return true;
}

char
tn_text_lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
tn_text_equal_nocase(const char *a, const char *b)
{
  while (*a != '\0' && tn_text_lower(*a) == tn_text_lower(*b)) {
    a++;
    b++;
  }
  return tn_text_lower(*a) == tn_text_lower(*b);
}

bool
tn_text_is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
tn_text_is_digit(char c)
{
  return c >= '0' && c <= '9';
}

bool
tn_text_is_alpha(char c)
{
  c = tn_text_lower(c);
  return c >= 'a' && c <= 'z';
}

int
tn_text_hex(char c)
{
  if (tn_text_is_digit(c))
    return c - '0';
  c = tn_text_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static unsigned
min_of(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

/* Edit distance in which a swap of neighbours counts one ("optimal string
 * alignment"). Three rows of the matrix are enough; row `i` is at i % 3. */
static unsigned
edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
  unsigned rows[3][WORD_MAX + 1];

  for (size_t j = 0; j <= b_size; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= a_size; i++) {
    unsigned *row = rows[i % 3];
    const unsigned *above = rows[(i - 1) % 3];
    char c = tn_text_lower(a[i - 1]);

    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b_size; j++) {
      char d = tn_text_lower(b[j - 1]);

      row[j] =
          min_of(min_of(above[j], row[j - 1]) + 1, above[j - 1] + (c != d));
      if (i > 1 && j > 1 && c == tn_text_lower(b[j - 2]) &&
          d == tn_text_lower(a[i - 2]))
        row[j] = min_of(row[j], rows[(i - 2) % 3][j - 2] + 1);
    }
  }
  return rows[a_size % 3][b_size];
}

void
tn_suggestion_offer(struct tn_suggestion *suggestion, const char *candidate)
{
  size_t wanted_size = strlen(suggestion->wanted);
  size_t size = strlen(candidate);
  unsigned near = min_of((unsigned)(wanted_size / 3), 3);
  unsigned distance;

  if (wanted_size == 0 || wanted_size > WORD_MAX || size > WORD_MAX)
    return;
  if (near == 0)
    near = 1;
  distance = edit_distance(suggestion->wanted, wanted_size, candidate, size);
  if (distance > near)
    return;
  if (suggestion->best == NULL || distance < suggestion->distance) {
    suggestion->best = candidate;
    suggestion->distance = distance;
  }
}

/* Where escaped text goes. `edge` is the last place at which it can be cut
 * with room for the ellipsis. */
struct escaped {
  char *out;
  size_t capacity;
  size_t size;
  size_t edge;
};

static bool
put(struct escaped *escaped, const char *bytes, size_t size)
{
  if (size >= escaped->capacity - escaped->size)
    return false;
  memcpy(escaped->out + escaped->size, bytes, size);
  escaped->size += size;
  if (escaped->size + ELLIPSIS_SIZE < escaped->capacity)
    escaped->edge = escaped->size;
  return true;
}

static bool
put_hex(struct escaped *escaped, const char *bytes, size_t size)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    char code[4] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };

    if (!put(escaped, code, sizeof(code)))
      return false;
  }
  return true;
}

/* Finish what did not fit. */
static void
cut(struct escaped *escaped)
{
  if (escaped->capacity > ELLIPSIS_SIZE) {
    memcpy(escaped->out + escaped->edge, ELLIPSIS, ELLIPSIS_SIZE);
    escaped->size = escaped->edge + ELLIPSIS_SIZE;
  }
}

/* A character of `size` bytes; 0: one byte that is none. */
static bool
put_character(struct escaped *escaped, const char *text, size_t size,
              bool keep_lines)
{
  if (size == 0)
    return put_hex(escaped, text, 1);
  if (is_control(text, size) && !(keep_lines && *text == '\n'))
    return put_hex(escaped, text, size);
  return put(escaped, text, size);
}

static void
escape(const char *text, size_t size, struct escaped *escaped, bool keep_lines)
{
  bool fits = true;

  for (size_t i = 0; fits && i < size;) {
    size_t step;

    if (keep_lines && size - i >= 2 && memcmp(text + i, "\r\n", 2) == 0)
      i++;
    step = character_size(text + i, size - i);
    fits = put_character(escaped, text + i, step, keep_lines);
    i += step > 0 ? step : 1;
  }
  if (!fits)
    cut(escaped);
  escaped->out[escaped->size] = '\0';
}

void
tn_text_escape(const char *text, size_t size, char *out, size_t capacity)
{
  struct escaped escaped = { .out = out, .capacity = capacity };

  if (capacity > 0)
    escape(text, size, &escaped, false);
}

void
tn_text_escape_lines(const char *text, size_t size, char *out, size_t capacity)
{
  struct escaped escaped = { .out = out, .capacity = capacity };

  if (capacity > 0)
    escape(text, size, &escaped, true);
}
