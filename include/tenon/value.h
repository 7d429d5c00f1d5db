/* Typed values: what is bound to a statement and what a row is made of.
 *
 * A value is a small struct passed by pointer or copied freely. Text, blob,
 * decimal, JSON and "other" values borrow their bytes; who lends them says for
 * how long. tn_value_copy() makes a value that owns its bytes. */
#ifndef TENON_VALUE_H
#define TENON_VALUE_H

#include <string.h>
#include <tenon/err.h>

TN_BEGIN_DECLS

/* Part of the ABI: appended, never moved; 0 is no type. */
enum tn_type {
  TN_NULL = 1,
  TN_BOOL,
  TN_INT64,
  TN_UINT64,
  TN_DOUBLE,
  TN_DECIMAL,   /* exact decimal text: [+-]digits[.digits][e[+-]digits] */
  TN_TEXT,      /* UTF-8 */
  TN_BLOB,      /* bytes */
  TN_DATE,      /* proleptic Gregorian calendar, years 1 to 9999 */
  TN_TIME,      /* time of day */
  TN_TIMESTAMP, /* date and time of day, with or without a zone offset */
  TN_UUID,      /* RFC 4122 */
  TN_JSON,      /* RFC 8259, as text */
  TN_OTHER,     /* a type of the backend's own: its name and its bytes */
  TN_ARRAY,     /* values of one type, or NULL among them; may be nested */
};

/* How deep arrays may be nested. */
#define TN_ARRAY_DEPTH_MAX 6

/* Flags of a value. */
#define TN_VALUE_ZONED UINT32_C(1) /* TN_TIMESTAMP: `micros` is UTC */
#define TN_VALUE_OWNED UINT32_C(2) /* the bytes are the value's own */

/* The layout keeps for the life of the SONAME: 32 bytes. */
typedef struct tn_value tn_value;
struct tn_value {
  uint32_t type;  /* enum tn_type */
  uint32_t flags; /* TN_VALUE_… */
  union {
    int64_t int64;   /* TN_INT64; TN_BOOL as 0 or 1 */
    uint64_t uint64; /* TN_UINT64 */
    double real;     /* TN_DOUBLE */
    int64_t days;    /* TN_DATE, from 1970-01-01 */
    int64_t micros;  /* TN_TIME, from midnight; TN_TIMESTAMP, from 1970-01-01
                        00:00: of UTC if zoned, else of the calendar shown */
    uint8_t uuid[16];
    struct {
      const char *data;
      size_t size;
    } bytes; /* TN_DECIMAL, TN_TEXT, TN_BLOB, TN_JSON, TN_OTHER; `data` need
                not end with NUL and is never NULL when `size` is not 0 */
    struct {
      const tn_value *items;
      size_t count;
    } array; /* TN_ARRAY */
  } as;
  union {
    int64_t offset_s;      /* TN_TIMESTAMP, zoned: seconds east of UTC */
    const char *type_name; /* TN_OTHER */
    uint64_t element_type; /* TN_ARRAY: of all items that are not NULL */
  } more;
};

/* The narrowest and the widest day and microsecond that a value may hold. */
#define TN_DAYS_MIN   INT64_C(-719162) /* 0001-01-01 */
#define TN_DAYS_MAX   INT64_C(2932896) /* 9999-12-31 */
#define TN_DAY_MICROS INT64_C(86400000000)
#define TN_MICROS_MIN (TN_DAYS_MIN * TN_DAY_MICROS)
#define TN_MICROS_MAX ((TN_DAYS_MAX + 1) * TN_DAY_MICROS - 1)

/* What the values below are made of: a type and `size` borrowed bytes.
 *
 * Field by field: a value that was cleared as a whole and is read as a whole
 * right after costs more than all the rest of binding it. */
static inline tn_value
tn_value_make(uint32_t type, const char *data, size_t size)
{
  tn_value value;

  value.type = type;
  value.flags = 0;
  value.as.bytes.data = data;
  value.as.bytes.size = size;
  value.more.offset_s = 0;
  return value;
}

/* NULL; then numbers, as they are. */
static inline tn_value
tn_null(void)
{
  return tn_value_make(TN_NULL, NULL, 0);
}

static inline tn_value
tn_int64(int64_t number)
{
  tn_value value = tn_value_make(TN_INT64, NULL, 0);

  value.as.int64 = number;
  return value;
}

/* 0 is false, anything else true. */
static inline tn_value
tn_bool(int is_true)
{
  tn_value value = tn_int64(is_true != 0);

  value.type = TN_BOOL;
  return value;
}

static inline tn_value
tn_uint64(uint64_t number)
{
  tn_value value = tn_value_make(TN_UINT64, NULL, 0);

  value.as.uint64 = number;
  return value;
}

static inline tn_value
tn_double(double number)
{
  tn_value value = tn_value_make(TN_DOUBLE, NULL, 0);

  value.as.real = number;
  return value;
}

/* A value of `type` over `size` borrowed bytes; a NULL `data` makes NULL. */
static inline tn_value
tn_bytes(uint32_t type, const void *data, size_t size)
{
  if (data == NULL)
    return tn_null();
  return tn_value_make(type, (const char *)data, size);
}

/* Text up to its NUL, borrowed; NULL makes NULL. */
static inline tn_value
tn_text(const char *text)
{
  return tn_bytes(TN_TEXT, text, text == NULL ? 0 : strlen(text));
}

/* As tn_text(); tn_value_check() says whether it is one. */
static inline tn_value
tn_decimal(const char *text)
{
  return tn_bytes(TN_DECIMAL, text, text == NULL ? 0 : strlen(text));
}

/* Likewise. */
static inline tn_value
tn_json(const char *text)
{
  return tn_bytes(TN_JSON, text, text == NULL ? 0 : strlen(text));
}

/* `size` borrowed bytes; a NULL `data` makes NULL. */
static inline tn_value
tn_blob(const void *data, size_t size)
{
  return tn_bytes(TN_BLOB, data, size);
}

/* `days` from 1970-01-01; tn_date_from_civil() computes it. */
static inline tn_value
tn_date(int64_t days)
{
  tn_value value = tn_value_make(TN_DATE, NULL, 0);

  value.as.days = days;
  return value;
}

/* Microseconds from midnight. */
static inline tn_value
tn_time(int64_t micros)
{
  tn_value value = tn_value_make(TN_TIME, NULL, 0);

  value.as.micros = micros;
  return value;
}

/* A date and time of day that name no zone. */
static inline tn_value
tn_timestamp(int64_t micros)
{
  tn_value value = tn_value_make(TN_TIMESTAMP, NULL, 0);

  value.as.micros = micros;
  return value;
}

/* A moment: microseconds of UTC, shown `offset_s` seconds east of it. */
static inline tn_value
tn_timestamp_zoned(int64_t micros, int32_t offset_s)
{
  tn_value value = tn_timestamp(micros);

  value.flags = TN_VALUE_ZONED;
  value.more.offset_s = offset_s;
  return value;
}

/* The 16 bytes of it, copied. */
static inline tn_value
tn_uuid(const uint8_t uuid[16])
{
  tn_value value = tn_value_make(TN_UUID, NULL, 0);

  memcpy(value.as.uuid, uuid, 16);
  return value;
}

/* An array over `count` borrowed items, each of `element_type` or NULL. An
 * array of arrays has items of TN_ARRAY. */
static inline tn_value
tn_array(uint32_t element_type, const tn_value *items, size_t count)
{
  tn_value value = tn_value_make(TN_ARRAY, NULL, 0);

  value.as.array.items = items;
  value.as.array.count = count;
  value.more.element_type = element_type;
  return value;
}

/* "null", "bool", "int64", … "array"; "" for a number that is no type. */
TN_API const char *tn_type_name(uint32_t type);

/* The type of that name; 0 if there is none. */
TN_API uint32_t tn_type_from_name(const char *name);

/* Exact conversions. What does not fit is an error, never a wrap, a rounding
 * or a cut: a double converts to an integer if it is whole and in range, a
 * text if all of it is a number, an integer to a double up to 2^53 and where
 * it is exact beyond, a decimal to a double that is it or is printed as it
 * (0.1), a text also if the double rounded to as many digits is the text
 * (0.10000000000000001). NULL converts to nothing.
 * Fails: TN_E_DATA, saying the value and the type; output untouched. */
TN_API TN_MUST_USE enum tn_code tn_value_to_bool(const tn_value *value,
                                                 int *ret, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_value_to_int32(const tn_value *value,
                                                  int32_t *ret, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_value_to_int64(const tn_value *value,
                                                  int64_t *ret, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_value_to_uint64(const tn_value *value,
                                                   uint64_t *ret, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_value_to_double(const tn_value *value,
                                                   double *ret, tn_err *err);

/* Convert to `type` exactly, e.g. a text to a timestamp. Bytes are borrowed
 * from `value`, except that a number or time turned to text, decimal or JSON
 * is written into `buffer` of `size` bytes (TN_VALUE_PRINT_MAX always does).
 * Fails: TN_E_DATA. */
TN_API TN_MUST_USE enum tn_code tn_value_convert(const tn_value *value,
                                                 uint32_t type, char *buffer,
                                                 size_t size, tn_value *ret,
                                                 tn_err *err);

/* Long enough for every value that is not made of bytes. */
#define TN_VALUE_PRINT_MAX 48

/* Write the value as text into `buffer` of `size` bytes, always ended by NUL
 * if `size` is not 0, and return the length of the whole text without the NUL,
 * as snprintf does. Dates and times are ISO 8601 with a space before the time
 * and as many digits of the fraction as there are (none, or 1 to 6); a zone as
 * +HH:MM, with seconds if it has some; doubles the shortest text that reads
 * back equal, "inf", "-inf", "nan"; bool "true" and "false"; blobs as
 * lower-case hexadecimal; "other" as its bytes if they are UTF-8, else as a
 * blob; an array as JSON, its items as the tool prints them (numbers, true,
 * false, null, other types as strings, blobs in base64); NULL, and what is out
 * of its type's range, as "". Independent of the locale. */
TN_API size_t tn_value_print(const tn_value *value, char *buffer, size_t size);

/* Read `size` bytes of text as a value of `type`. Decimal, text, JSON and blob
 * borrow `text` (a blob takes the bytes as they are). Times accept ISO 8601
 * with a space or T, an offset as Z, +HH, +HHMM or +HH:MM[:SS], and 1 to 6
 * digits of a fraction. TN_NULL, TN_OTHER and TN_ARRAY
 * cannot be read.
 * Fails: TN_E_DATA; TN_E_CHARSET, not UTF-8. */
TN_API TN_MUST_USE enum tn_code tn_value_parse(uint32_t type, const char *text,
                                               size_t size, tn_value *ret,
                                               tn_err *err);

/* Is the value well-formed: a known type, text in UTF-8, a decimal's and a
 * JSON's grammar, days and times in range, an array's items of its element
 * type and not nested too deep? Fails: TN_E_DATA, TN_E_CHARSET. */
TN_API TN_MUST_USE enum tn_code tn_value_check(const tn_value *value,
                                               tn_err *err);

/* Same type and same value: decimals by number (1.50 is 1.5), zoned
 * timestamps by moment, doubles by value with NaN equal to itself, JSON by its
 * bytes. */
TN_API int tn_value_equal(const tn_value *a, const tn_value *b);

/* Make `*ret`, which is overwritten and not cleared, a copy of `value` that
 * owns its bytes, each followed by a NUL. Fails: TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_value_copy(const tn_value *value,
                                              tn_value *ret, tn_err *err);

/* Release what the value owns and make it NULL. A NULL is a no-op. */
TN_API void tn_value_clear(tn_value *value);

/* The proleptic Gregorian calendar. Fails: TN_E_DATA, no such day. */
TN_API TN_MUST_USE enum tn_code tn_date_from_civil(int year, int month, int day,
                                                   int64_t *ret_days,
                                                   tn_err *err);

/* Any of the outputs may be NULL. A day outside TN_DAYS_MIN to TN_DAYS_MAX
 * gives 0, 0, 0. */
TN_API void tn_date_to_civil(int64_t days, int *ret_year, int *ret_month,
                             int *ret_day);

TN_END_DECLS

#endif
