/* Text as a terminal may see it: control characters, bytes that are no UTF-8
 * and marks that turn the reading direction are shown as escapes. Backslashes
 * stay single, because paths are more common than escapes. */
#include "display.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "output.h"

/* Characters that are well-formed and still not for a terminal. */
struct range {
  uint32_t first;
  uint32_t last;
};

static const struct range hidden[] = {
  { 0x00, 0x1f },     { 0x7f, 0x9f }, /* C0, DEL, C1 */
  { 0x061c, 0x061c },                 /* Arabic letter mark */
  { 0x200e, 0x200f },                 /* direction marks */
  { 0x2028, 0x202e },                 /* line ends, direction overrides */
  { 0x2066, 0x2069 },                 /* direction isolates */
  { 0xfeff, 0xfeff },                 /* byte-order mark */
};

struct named {
  char character;
  char letter;
};

static const struct named letters[] = {
  { '\n', 'n' },
  { '\r', 'r' },
  { '\t', 't' },
};

/* Lead bytes of UTF-8 by the length they announce, with the least character
 * that needs this length. */
struct lead {
  unsigned char mask;
  unsigned char bits;
  unsigned char size;
  uint32_t least;
};

static const struct lead leads[] = {
  { 0x80, 0x00, 1, 0 },
  { 0xe0, 0xc0, 2, 0x80 },
  { 0xf0, 0xe0, 3, 0x800 },
  { 0xf8, 0xf0, 4, 0x10000 },
};

/* Bytes of the character at `text`; 0 if it is none. */
static size_t
decode(const unsigned char *text, size_t size, uint32_t *ret)
{
  size_t i;
  size_t k;

  for (i = 0; i < sizeof leads / sizeof leads[0]; i++) {
    const struct lead *lead = &leads[i];
    uint32_t character = text[0] & (unsigned char)~lead->mask;

    if ((text[0] & lead->mask) != lead->bits)
      continue;
    for (k = 1; k < lead->size; k++) {
      if (k >= size || (text[k] & 0xc0) != 0x80)
        return 0;
      character = character << 6 | (text[k] & 0x3fU);
    }
    if (character < lead->least || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
      return 0;
    *ret = character;
    return lead->size;
  }
  return 0;
}

static bool
is_hidden(uint32_t character)
{
  size_t i;

  for (i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
    if (character >= hidden[i].first && character <= hidden[i].last)
      return true;
  return false;
}

static size_t
escape(uint32_t character, char out[DISPLAY_MAX])
{
  size_t i;

  for (i = 0; i < sizeof letters / sizeof letters[0]; i++)
    if ((char)character == letters[i].character && character < 0x80) {
      out[0] = '\\';
      out[1] = letters[i].letter;
      return 2;
    }
  return (size_t)snprintf(out, DISPLAY_MAX,
                          character < 0x80 ? "\\x%02x" : "\\u%04x",
                          (unsigned)character);
}

size_t
display_next(const char *text, size_t size, char out[DISPLAY_MAX],
             size_t *ret_size)
{
  uint32_t character = 0;
  size_t used = decode((const unsigned char *)text, size, &character);

  if (used == 0) {
    *ret_size = (size_t)snprintf(out, DISPLAY_MAX, "\\x%02x",
                                 (unsigned)(unsigned char)text[0]);
    return 1;
  }
  if (is_hidden(character)) {
    *ret_size = escape(character, out);
    return used;
  }
  memcpy(out, text, used);
  *ret_size = used;
  return used;
}

void
display_write(FILE *stream, const char *text, size_t size)
{
  char shown[DISPLAY_MAX];
  size_t shown_size;

  while (size > 0) {
    size_t used = display_next(text, size, shown, &shown_size);

    fwrite(shown, 1, shown_size, stream);
    text += used;
    size -= used;
  }
}

void
display_clear(struct display *text)
{
  free(text->data);
  memset(text, 0, sizeof *text);
}

void
display_add(struct display *text, const char *bytes, size_t size)
{
  if (text->failed)
    return;
  if (text->capacity - text->size <= size) {
    size_t capacity = (text->size + size + 1) * 2;
    char *data = realloc(text->data, capacity);

    if (data == NULL) {
      text->failed = true;
      return;
    }
    text->data = data;
    text->capacity = capacity;
  }
  memcpy(text->data + text->size, bytes, size);
  text->size += size;
  text->data[text->size] = '\0';
}

void
display_add_safe(struct display *text, const char *bytes, size_t size,
                 size_t max)
{
  char shown[DISPLAY_MAX];
  size_t shown_size;

  display_add(text, "", 0);
  while (size > 0 && max-- > 0) {
    size_t used = display_next(bytes, size, shown, &shown_size);

    display_add(text, shown, shown_size);
    bytes += used;
    size -= used;
  }
  if (size > 0)
    display_add(text, "…", strlen("…"));
}

static void
add_hex(struct display *text, const char *bytes, size_t size, size_t max)
{
  static const char digits[] = "0123456789abcdef";
  char pair[2];
  size_t i;

  display_add(text, "\\x", 2);
  for (i = 0; i < size && i < max / 2; i++) {
    pair[0] = digits[(unsigned char)bytes[i] >> 4];
    pair[1] = digits[(unsigned char)bytes[i] & 15];
    display_add(text, pair, 2);
  }
  if (i < size)
    display_add(text, "…", strlen("…"));
}

static void
add_array(struct display *text, const tn_value *value, size_t max)
{
  size_t size = 0;
  char *json = output_print(value, &size);

  if (json == NULL) {
    text->failed = true;
    return;
  }
  display_add_safe(text, json, size, max);
  free(json);
}

void
display_add_value(struct display *text, const tn_value *value, size_t max)
{
  char buffer[TN_VALUE_PRINT_MAX];
  size_t size;

  switch (value->type) {
  case TN_NULL:
    display_add(text, "NULL", 4);
    break;
  case TN_BLOB:
    add_hex(text, value->as.bytes.data, value->as.bytes.size, max);
    break;
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_JSON:
  case TN_OTHER:
    display_add_safe(text, value->as.bytes.data, value->as.bytes.size, max);
    break;
  case TN_ARRAY:
    add_array(text, value, max);
    break;
  default:
    size = tn_value_print(value, buffer, sizeof buffer);
    display_add(text, buffer, size < sizeof buffer ? size : sizeof buffer - 1);
    break;
  }
}

size_t
display_width(const char *text, size_t size)
{
  mbstate_t state;
  size_t width = 0;

  memset(&state, 0, sizeof state);
  while (size > 0) {
    wchar_t wide = 0;
    size_t used = mbrtowc(&wide, text, size, &state);

    if (used == 0 || used > size)
      return width + size;
    width += wcwidth(wide) < 0 ? 1 : (size_t)wcwidth(wide);
    text += used;
    size -= used;
  }
  return width;
}
