/* What the readers of binary rows and of text rows share. */
#ifndef TENON_MYSQL_DECODE_H
#define TENON_MYSQL_DECODE_H

#include "codec.h"

/* Make a value of a cell. `out->flags` is 0; the cell is not NULL. */
typedef void (*mysql__read_function)(const struct tn_host *host,
                                     struct mysql__cell *in, tn_value *out);

/* By enum mysql__decoder, for binary rows; those of bytes serve text, too. */
extern const mysql__read_function mysql__readers[MYSQL__DECODER_COUNT];

/* decode_odd.c: what is no value of the column's type, as text. */
void mysql__show_date(struct mysql__cell *in, tn_value *out);
void mysql__show_time(struct mysql__cell *in, tn_value *out);
void mysql__show_datetime(struct mysql__cell *in, tn_value *out);

/* Field by field: a whole value copied from parts just written stalls the
 * processor for as long as reading the rest takes. */
static inline void
mysql__set_number(tn_value *out, uint32_t type, int64_t number)
{
  out->type = type;
  out->as.int64 = number;
}

static inline void
mysql__set_bytes(tn_value *out, uint32_t type, const char *bytes, size_t size)
{
  out->type = type;
  out->as.bytes.data = bytes;
  out->as.bytes.size = size;
}

static inline void
mysql__set_other(tn_value *out, const struct mysql__cell *in, const char *bytes,
                 size_t size)
{
  mysql__set_bytes(out, TN_OTHER, bytes, size);
  out->more.type_name = in->type_name;
}

static inline void
mysql__set_unsigned(tn_value *out, uint64_t number)
{
  out->type = TN_UINT64;
  out->as.uint64 = number;
}

/* BOOLEAN is a small integer, and may hold any. */
static inline void
mysql__set_bool(tn_value *out, int64_t number)
{
  mysql__set_number(out, number == 0 || number == 1 ? TN_BOOL : TN_INT64,
                    number);
}

static inline bool
mysql__is_day(unsigned year, unsigned month, unsigned day)
{
  static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31 };
  bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return day <= (unsigned)lengths[month - 1] + (is_leap && month == 2);
}

/* Days from 1970-01-01; false if there is no such day. By years that start in
 * March, so that a leap day is the last of its year. */
static inline bool
mysql__days_of(unsigned year, unsigned month, unsigned day, int64_t *ret)
{
  static const uint16_t passed[] = { 306, 337, 0,   31,  61,  92,
                                     122, 153, 184, 214, 245, 275 };
  unsigned years, centuries;

  if (year - 1 > 9998 || month - 1 > 11 || day - 1 > 30 ||
      (day > 28 && !mysql__is_day(year, month, day)))
    return false;
  years = year - (month < 3);
  centuries = years / 100;
  *ret = (int64_t)(years * 365 + years / 4 - centuries + centuries / 4 +
                   passed[month - 1] + day) -
         719469;
  return true;
}

static inline bool
mysql__micros_of(const MYSQL_TIME *time, int64_t *ret)
{
  if (time->hour > 23 || time->minute > 59 || time->second > 59 ||
      time->second_part > 999999)
    return false;
  *ret = (int64_t)(time->hour * 3600 + time->minute * 60 + time->second) *
             1000000 +
         (int64_t)time->second_part;
  return true;
}

static inline void
mysql__set_zoned(tn_value *out)
{
  out->flags = TN_VALUE_ZONED;
  out->more.offset_s = 0;
}

#endif
