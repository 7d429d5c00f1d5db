/* Type numeric: exact decimals of up to 131072 digits before the point and
 * 16383 behind it.
 *
 * The binary form is a head of four numbers of 16 bits (count of groups, weight
 * of the first one, sign, digits shown behind the point) and groups of four
 * decimal digits. The group of weight w counts 10000^w; groups that are zero
 * at both ends are left out. Nothing is computed here: digits are only moved,
 * so that none can be lost. */
#include <math.h>

#include "codec_priv.h"

#define HEAD_SIZE 8

#define SIGN_PLUS         0x0000
#define SIGN_MINUS        0x4000
#define SIGN_NAN          0xC000
#define SIGN_INFINITE     0xD000
#define SIGN_NEG_INFINITE 0xF000

#define WEIGHT_MAX 32767
#define SCALE_MAX  16383
#define GROUP      4 /* digits */

static const char too_long[] =
    "more than 131072 digits before the point or 16383 behind it";

/* ------------------------------------------------------------------ */
/* To text                                                              */

struct groups {
  const char *data;
  int count;
  int weight;
  int scale;
};

/* The group of weight `weight`; 0 where none was sent. */
static inline unsigned
group_at(const struct groups *groups, int weight)
{
  int index = groups->weight - weight;

  if (index < 0 || index >= groups->count)
    return 0;
  return pg__get16(groups->data + 2 * (size_t)index);
}

static inline char *
put_group(char *out, unsigned group)
{
  out[0] = (char)('0' + group / 1000);
  out[1] = (char)('0' + group / 100 % 10);
  out[2] = (char)('0' + group / 10 % 10);
  out[3] = (char)('0' + group % 10);
  return out + GROUP;
}

static bool
are_digits(const struct groups *groups)
{
  unsigned bad = 0;
  int i;

  for (i = 0; i < groups->count; i++)
    bad |= pg__get16(groups->data + 2 * (size_t)i) >= 10000;
  return bad == 0;
}

/* Digits before the point, without zeros in front of them. */
static char *
put_whole(char *out, const struct groups *groups)
{
  char *start = out;
  char *first = out;
  int weight;

  for (weight = groups->weight; weight >= 0; weight--)
    out = put_group(out, group_at(groups, weight));
  while (first < out && *first == '0')
    first++;
  if (first == out) {
    *start = '0';
    return start + 1;
  }
  memmove(start, first, (size_t)(out - first));
  return out - (first - start);
}

/* May write up to three characters past what it returns. */
static char *
put_fraction(char *out, const struct groups *groups)
{
  char *end;
  int weight;

  if (groups->scale == 0)
    return out;
  *out++ = '.';
  end = out + groups->scale;
  for (weight = -1; out < end; weight--)
    out = put_group(out, group_at(groups, weight));
  return end;
}

static size_t
room_for(const struct groups *groups)
{
  size_t whole = groups->weight < 0 ? 0 : (size_t)groups->weight + 1;

  return 1 + (whole + 1) * GROUP + 1 + (size_t)groups->scale + GROUP;
}

static int32_t
decode_special(struct pg__reader *reader, unsigned sign, struct tn_call *call,
               tn_value *cell)
{
  if (sign == SIGN_NAN)
    pg__set_other(reader, "NaN", 3, cell);
  else if (sign == SIGN_INFINITE)
    pg__set_other(reader, "Infinity", 8, cell);
  else if (sign == SIGN_NEG_INFINITE)
    pg__set_other(reader, "-Infinity", 9, cell);
  else
    return pg__malformed(reader, call);
  return TN_OK;
}

PG__DECODER(pg__decode_numeric)
{
  struct groups groups;
  unsigned sign;
  char *text;
  char *end;

  if (size < HEAD_SIZE)
    return pg__malformed(reader, call);
  groups.data = data + HEAD_SIZE;
  groups.count = pg__get16(data);
  groups.weight = (int16_t)pg__get16(data + 2);
  groups.scale = pg__get16(data + 6);
  sign = pg__get16(data + 4);
  if (size != HEAD_SIZE + 2 * (size_t)groups.count ||
      groups.scale > SCALE_MAX || !are_digits(&groups))
    return pg__malformed(reader, call);
  if (sign != SIGN_PLUS && sign != SIGN_MINUS)
    return decode_special(reader, sign, call, cell);

  text = pg__cell_memory(reader, room_for(&groups), call);
  if (text == NULL)
    return TN_E_MEMORY;
  end = text;
  if (sign == SIGN_MINUS)
    *end++ = '-';
  end = put_fraction(put_whole(end, &groups), &groups);
  cell->type = TN_DECIMAL;
  cell->flags = 0;
  cell->as.bytes.data = text;
  cell->as.bytes.size = (size_t)(end - text);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* From text                                                            */

/* A decimal, taken apart. */
struct decimal {
  const char *digits; /* with the point among them, if there is one */
  int64_t whole;      /* digits before the point */
  int64_t fraction;   /* behind it */
  int64_t exponent;
  bool is_negative;
};

/* Far beyond any limit, with room to add a length to it. */
#define EXPONENT_HUGE INT64_C(1000000000000)

static inline bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static int64_t
count_digits(const char *text, const char *end)
{
  const char *at = text;

  while (at < end && is_digit(*at))
    at++;
  return at - text;
}

static int64_t
read_exponent(const char *text, const char *end)
{
  bool is_negative = text < end && *text == '-';
  int64_t exponent = 0;

  for (; text < end; text++)
    if (is_digit(*text) && exponent < EXPONENT_HUGE)
      exponent = exponent * 10 + (*text - '0');
  return is_negative ? -exponent : exponent;
}

/* The text is well-formed: the host has seen to that. */
static void
read_decimal(const char *text, size_t size, struct decimal *ret)
{
  const char *end = text + size;

  ret->is_negative = size > 0 && *text == '-';
  if (size > 0 && (*text == '-' || *text == '+'))
    text++;
  ret->digits = text;
  ret->whole = count_digits(text, end);
  text += ret->whole;
  ret->fraction = 0;
  if (text < end && *text == '.') {
    ret->fraction = count_digits(text + 1, end);
    text += 1 + ret->fraction;
  }
  ret->exponent = text < end ? read_exponent(text + 1, end) : 0;
}

/* The `index`th digit; 0 where none was written. */
static inline unsigned
digit_at(const struct decimal *decimal, int64_t index)
{
  if (index < 0 || index >= decimal->whole + decimal->fraction)
    return 0;
  return (unsigned)(decimal->digits[index + (index >= decimal->whole)] - '0');
}

static int64_t
floor_group(int64_t position)
{
  return position >= 0 ? position / GROUP : -((-position + GROUP - 1) / GROUP);
}

static char *
add_head(struct pg__sink *sink, unsigned count, int weight, unsigned sign,
         unsigned scale)
{
  char *out = pg__buffer_add(sink->buffer, HEAD_SIZE + 2 * (size_t)count);

  if (out == NULL)
    return NULL;
  pg__put16(out, (uint16_t)count);
  pg__put16(out + 2, (uint16_t)weight);
  pg__put16(out + 4, (uint16_t)sign);
  pg__put16(out + 6, (uint16_t)scale);
  return out + HEAD_SIZE;
}

/* The decimal's digits `first` to `last` are the ones that are not zero; the
 * units have the index `units`. */
static enum pg__encoded
write_groups(struct pg__sink *sink, const struct decimal *decimal,
             int64_t units, int64_t first, int64_t last, int64_t scale)
{
  int64_t weight = floor_group(units - first);
  int64_t lowest = floor_group(units - last);
  int64_t index = units - weight * GROUP - (GROUP - 1);
  unsigned sign = decimal->is_negative ? SIGN_MINUS : SIGN_PLUS;
  char *out = add_head(sink, (unsigned)(weight - lowest + 1), (int)weight, sign,
                       (unsigned)scale);

  if (out == NULL)
    return PG__NO_MEMORY;
  for (; weight >= lowest; weight--, index += GROUP, out += 2)
    pg__put16(out, (uint16_t)(digit_at(decimal, index) * 1000 +
                              digit_at(decimal, index + 1) * 100 +
                              digit_at(decimal, index + 2) * 10 +
                              digit_at(decimal, index + 3)));
  return PG__ENCODED;
}

static enum pg__encoded
encode_decimal(const char *text, size_t size, const tn_value *value,
               struct pg__sink *sink)
{
  struct decimal decimal;
  int64_t first = 0, last, units, scale;

  read_decimal(text, size, &decimal);
  last = decimal.whole + decimal.fraction - 1;
  units = decimal.whole - 1 + decimal.exponent;
  scale = decimal.fraction - decimal.exponent;
  if (scale < 0)
    scale = 0;
  while (first <= last && digit_at(&decimal, first) == 0)
    first++;
  while (last > first && digit_at(&decimal, last) == 0)
    last--;
  if (scale > SCALE_MAX)
    return pg__refuse(sink, value, too_long);
  if (first > last)
    return add_head(sink, 0, 0, SIGN_PLUS, (unsigned)scale) == NULL
               ? PG__NO_MEMORY
               : PG__ENCODED;
  if (floor_group(units - first) > WEIGHT_MAX)
    return pg__refuse(sink, value, too_long);
  return write_groups(sink, &decimal, units, first, last, scale);
}

/* ------------------------------------------------------------------ */
/* From other values                                                    */

static enum pg__encoded
encode_integer(uint64_t magnitude, bool is_negative, struct pg__sink *sink)
{
  uint16_t groups[5];
  unsigned count = 0;
  unsigned skipped = 0;
  char *out;

  for (; magnitude != 0; magnitude /= 10000)
    groups[count++] = (uint16_t)(magnitude % 10000);
  while (skipped < count && groups[skipped] == 0)
    skipped++;
  out = add_head(sink, count - skipped, count == 0 ? 0 : (int)count - 1,
                 is_negative ? SIGN_MINUS : SIGN_PLUS, 0);
  if (out == NULL)
    return PG__NO_MEMORY;
  for (; count > skipped; out += 2)
    pg__put16(out, groups[--count]);
  return PG__ENCODED;
}

static enum pg__encoded
encode_special(unsigned sign, struct pg__sink *sink)
{
  return add_head(sink, 0, 0, sign, 0) == NULL ? PG__NO_MEMORY : PG__ENCODED;
}

static enum pg__encoded
encode_double(const tn_value *value, struct pg__sink *sink)
{
  char text[TN_VALUE_PRINT_MAX];
  size_t size;

  if (isnan(value->as.real))
    return encode_special(SIGN_NAN, sink);
  if (isinf(value->as.real))
    return encode_special(
        value->as.real < 0 ? SIGN_NEG_INFINITE : SIGN_INFINITE, sink);
  size = sink->call->host->value_print(value, text, sizeof text);
  return encode_decimal(text, size, value, sink);
}

/* What pg__decode_numeric() gives out as "other" goes back as it came. */
static enum pg__encoded
encode_word(const tn_value *value, struct pg__sink *sink)
{
  if (pg__is_word(value, "NaN"))
    return encode_special(SIGN_NAN, sink);
  if (pg__is_word(value, "Infinity"))
    return encode_special(SIGN_INFINITE, sink);
  if (pg__is_word(value, "-Infinity"))
    return encode_special(SIGN_NEG_INFINITE, sink);
  return PG__AS_TEXT;
}

PG__ENCODER(pg__encode_numeric)
{
  (void)type;
  switch (value->type) {
  case TN_BOOL:
  case TN_INT64:
    return encode_integer(value->as.int64 < 0
                              ? UINT64_C(0) - (uint64_t)value->as.int64
                              : (uint64_t)value->as.int64,
                          value->as.int64 < 0, sink);
  case TN_UINT64:
    return encode_integer(value->as.uint64, false, sink);
  case TN_DOUBLE:
    return encode_double(value, sink);
  case TN_DECIMAL:
    return encode_decimal(value->as.bytes.data, value->as.bytes.size, value,
                          sink);
  case TN_TEXT:
  case TN_OTHER:
    return encode_word(value, sink);
  default:
    return pg__refuse(sink, value, "not a number");
  }
}
