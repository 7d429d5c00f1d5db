/* Arrays: values of one type in a row, rows of such rows, and their text.
 *
 * Their text is JSON, because no other form of an array is understood by more
 * than one server, and because what a tool prints of a cell must not depend on
 * the cell standing in an array. */
#include "value_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "text.h"

/* ------------------------------------------------------------------ */
/* What is well-formed                                                 */

static enum tn_code
refuse_item(const tn_value *array, size_t index, tn_err *err)
{
  const uint32_t type = array->as.array.items[index].type;

  return tn_err_set(err, TN_E_DATA, "value: item %zu of an array of %s is %s",
                    index + 1, tn_type_name((uint32_t)array->more.element_type),
                    tn_type_name(type)[0] == '\0' ? "of no type"
                                                  : tn_type_name(type));
}

static enum tn_code
check_array(const tn_value *array, unsigned depth, tn_err *err)
{
  const uint64_t type = array->more.element_type;
  const size_t count = array->as.array.count;
  enum tn_code rc = TN_OK;
  size_t i;

  if (depth == TN_ARRAY_DEPTH_MAX)
    return tn_err_set(err, TN_E_DATA,
                      "value: an array nested more than %d deep",
                      TN_ARRAY_DEPTH_MAX);
  if (type < TN_BOOL || type > TN_ARRAY)
    return tn_err_set(err, TN_E_DATA,
                      "value: an array of %" PRIu64 ", which is no type", type);
  if (array->as.array.items == NULL && count > 0)
    return tn_err_set(err, TN_E_DATA,
                      "value: an array of %zu items that are not there", count);
  for (i = 0; i < count && rc == TN_OK; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (item->type == TN_NULL)
      continue;
    if (item->type != type)
      return refuse_item(array, i, err);
    rc = item->type == TN_ARRAY ? check_array(item, depth + 1, err)
                                : tn_value_check(item, err);
  }
  return rc;
}

enum tn_code
tn_array__check(const tn_value *value, tn_err *err)
{
  return check_array(value, 0, err);
}

/* Can it be walked? What its items are is another matter. */
static bool
is_sound(const tn_value *array, unsigned depth)
{
  size_t i;

  if (depth == TN_ARRAY_DEPTH_MAX ||
      (array->as.array.items == NULL && array->as.array.count > 0))
    return false;
  for (i = 0; i < array->as.array.count; i++)
    if (array->as.array.items[i].type == TN_ARRAY &&
        !is_sound(&array->as.array.items[i], depth + 1))
      return false;
  return true;
}

/* ------------------------------------------------------------------ */
/* What is equal                                                       */

static bool
equal_arrays(const tn_value *a, const tn_value *b)
{
  size_t i;

  if (a->as.array.count != b->as.array.count ||
      a->more.element_type != b->more.element_type)
    return false;
  for (i = 0; i < a->as.array.count; i++) {
    const tn_value *x = &a->as.array.items[i];
    const tn_value *y = &b->as.array.items[i];

    if (x->type == TN_ARRAY && y->type == TN_ARRAY ? !equal_arrays(x, y)
                                                   : !tn_value_equal(x, y))
      return false;
  }
  return true;
}

bool
tn_array__equal(const tn_value *a, const tn_value *b)
{
  return is_sound(a, 0) && is_sound(b, 0) && equal_arrays(a, b);
}

/* ------------------------------------------------------------------ */
/* What is printed                                                     */

/* A buffer, and the length that the whole text would have. */
struct printed {
  char *buffer;
  size_t size;
  size_t length;
};

static void
put(struct printed *out, const char *text, size_t size)
{
  if (out->length + 1 < out->size && size > 0) {
    size_t room = out->size - 1 - out->length;

    memcpy(out->buffer + out->length, text, size < room ? size : room);
  }
  out->length += size;
}

static void
put_text(struct printed *out, const char *text)
{
  put(out, text, strlen(text));
}

/* How JSON writes a byte that may not stand in a string as it is; "" for all
 * others (RFC 8259, section 7). */
static void
escape(char byte, char out[8])
{
  static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
  size_t i;

  out[0] = '\0';
  for (i = 0; i + 1 < sizeof named; i += 2)
    if (named[i] == byte) {
      snprintf(out, 8, "\\%c", named[i + 1]);
      return;
    }
  if ((unsigned char)byte < 0x20)
    snprintf(out, 8, "\\u%04X", (unsigned)(unsigned char)byte);
}

static void
put_string(struct printed *out, const char *text, size_t size)
{
  char escaped[8];
  size_t start = 0;
  size_t i;

  put_text(out, "\"");
  for (i = 0; i < size; i++) {
    escape(text[i], escaped);
    if (escaped[0] == '\0')
      continue;
    put(out, text + start, i - start);
    put_text(out, escaped);
    start = i + 1;
  }
  if (size > 0)
    put(out, text + start, size - start);
  put_text(out, "\"");
}

static void
put_base64(struct printed *out, const char *bytes, size_t size)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *in = (const unsigned char *)bytes;
  size_t i;

  put_text(out, "\"");
  for (i = 0; i < size; i += 3) {
    uint32_t group = (uint32_t)in[i] << 16;
    char four[4];

    if (i + 1 < size)
      group |= (uint32_t)in[i + 1] << 8;
    if (i + 2 < size)
      group |= in[i + 2];
    four[0] = digits[group >> 18];
    four[1] = digits[group >> 12 & 63];
    four[2] = i + 1 < size ? digits[group >> 6 & 63] : '=';
    four[3] = i + 2 < size ? digits[group & 63] : '=';
    put(out, four, sizeof four);
  }
  put_text(out, "\"");
}

/* Text, JSON if it is some, or base64 if it is no text. */
static void
put_bytes(struct printed *out, const tn_value *item)
{
  const char *bytes = item->as.bytes.data;
  size_t size = item->as.bytes.size;

  if (item->type == TN_JSON && tn_value_check(item, NULL) == TN_OK)
    put(out, bytes, size);
  else if (item->type != TN_BLOB &&
           (size == 0 || tn_text_is_utf8(bytes, size, NULL)))
    put_string(out, bytes, size);
  else
    put_base64(out, bytes, size);
}

/* A number, that a reader takes for the same and for a double; or a text. */
static void
put_double(struct printed *out, const tn_value *item)
{
  char text[TN_VALUE_PRINT_MAX];
  size_t size = tn_value_print(item, text, sizeof text);

  if (!isfinite(item->as.real)) {
    put_string(out, text, size);
    return;
  }
  put(out, text, size);
  if (strpbrk(text, ".eE") == NULL)
    put_text(out, ".0");
}

static bool
is_bare(uint32_t type)
{
  return type == TN_BOOL || type == TN_INT64 || type == TN_UINT64;
}

static void
put_item(struct printed *out, const tn_value *item)
{
  char text[TN_VALUE_PRINT_MAX];
  size_t size;

  if (item->type == TN_NULL) {
    put_text(out, "null");
  } else if (tn_value__has_bytes(item->type)) {
    put_bytes(out, item);
  } else if (item->type == TN_DOUBLE) {
    put_double(out, item);
  } else {
    size = tn_value_print(item, text, sizeof text);
    if (is_bare(item->type) && size > 0)
      put(out, text, size);
    else
      put_string(out, text, size);
  }
}

static void
put_array(struct printed *out, const tn_value *array)
{
  size_t i;

  put_text(out, "[");
  for (i = 0; i < array->as.array.count; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (i > 0)
      put_text(out, ",");
    if (item->type == TN_ARRAY)
      put_array(out, item);
    else
      put_item(out, item);
  }
  put_text(out, "]");
}

size_t
tn_array__print(const tn_value *value, char *buffer, size_t size)
{
  struct printed out = { buffer, size, 0 };

  if (is_sound(value, 0))
    put_array(&out, value);
  if (size > 0)
    buffer[out.length < size ? out.length : size - 1] = '\0';
  return out.length;
}
