/* The text of types that have no counterpart among Tenon's, as the server
 * itself would print it (IntervalStyle postgres, DateStyle ISO, zone UTC): so
 * a person can read it, and the server reads it back. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec_priv.h"

/* Long enough for every text here but that of bits. */
#define TEXT_MAX 128

#define MICROS_PER_SECOND INT64_C(1000000)

/* A text under construction. */
struct text {
  char bytes[TEXT_MAX];
  size_t size;
};

static void add(struct text *text, const char *fmt, ...) TN_PRINTF(2, 3);

static void
add(struct text *text, const char *fmt, ...)
{
  va_list values;
  int length;

  va_start(values, fmt);
  length = vsnprintf(text->bytes + text->size, sizeof text->bytes - text->size,
                     fmt, values);
  va_end(values);
  if (length > 0 && (size_t)length < sizeof text->bytes - text->size)
    text->size += (size_t)length;
}

static int32_t
give(struct pg__reader *reader, const struct text *text, struct tn_call *call,
     tn_value *cell)
{
  return pg__copy_other(reader, text->bytes, text->size, call, cell);
}

/* ------------------------------------------------------------------ */
/* Times                                                                */

/* ":05.25": seconds with as much of a fraction as there is. */
static void
add_seconds(struct text *text, uint64_t micros)
{
  unsigned fraction = (unsigned)(micros % 1000000);

  add(text, ":%02u", (unsigned)(micros / 1000000 % 60));
  if (fraction == 0)
    return;
  add(text, ".%06u", fraction);
  while (text->bytes[text->size - 1] == '0')
    text->size--;
}

/* Hours of any number of digits, minutes, seconds. */
static void
add_clock(struct text *text, uint64_t micros)
{
  add(text, "%02" PRIu64 ":%02u", micros / 1000000 / 3600,
      (unsigned)(micros / 1000000 / 60 % 60));
  add_seconds(text, micros);
}

/* The proleptic Gregorian calendar, by years that start in March, so that a
 * leap day is the last of its year. Years before 1 are counted by BC. */
static bool
add_date(struct text *text, int64_t days)
{
  int64_t shifted = days + PG__EPOCH_DAYS + 719468;
  int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  int64_t day = shifted - era * 146097;
  int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  int month;

  day -= year * 365 + year / 4 - year / 100;
  month = (int)((5 * day + 2) / 153);
  day -= (153 * month + 2) / 5 - 1;
  year += era * 400 + (month >= 10);
  add(text, "%04" PRId64 "-%02d-%02d", year > 0 ? year : 1 - year,
      month < 10 ? month + 3 : month - 9, (int)day);
  return year > 0;
}

static int32_t
give_infinity(struct pg__reader *reader, bool is_negative, tn_value *cell)
{
  const char *text = is_negative ? "-infinity" : "infinity";

  pg__set_other(reader, text, strlen(text), cell);
  return TN_OK;
}

int32_t
pg__far_date(struct pg__reader *reader, int32_t days, struct tn_call *call,
             tn_value *cell)
{
  struct text text = { .size = 0 };

  if (days == INT32_MIN || days == INT32_MAX)
    return give_infinity(reader, days < 0, cell);
  if (!add_date(&text, days))
    add(&text, " BC");
  return give(reader, &text, call, cell);
}

int32_t
pg__far_timestamp(struct pg__reader *reader, int64_t micros, const char *zone,
                  struct tn_call *call, tn_value *cell)
{
  struct text text = { .size = 0 };
  int64_t days = micros / TN_DAY_MICROS;
  bool is_common_era;

  if (micros == INT64_MIN || micros == INT64_MAX)
    return give_infinity(reader, micros < 0, cell);
  if (micros % TN_DAY_MICROS < 0)
    days--;
  is_common_era = add_date(&text, days);
  add(&text, " ");
  add_clock(&text, (uint64_t)micros - (uint64_t)days * (uint64_t)TN_DAY_MICROS);
  add(&text, "%s%s", zone, is_common_era ? "" : " BC");
  return give(reader, &text, call, cell);
}

/* Microseconds and seconds west of UTC. */
PG__DECODER(pg__decode_timetz)
{
  struct text text = { .size = 0 };
  uint64_t micros;
  int32_t zone;
  unsigned east;

  if (size != 12)
    return pg__malformed(reader, call);
  micros = pg__get64(data);
  zone = (int32_t)pg__get32(data + 8);
  if (micros > (uint64_t)TN_DAY_MICROS || zone <= -86400 || zone >= 86400)
    return pg__malformed(reader, call);
  east = (unsigned)abs(zone);
  add_clock(&text, micros);
  add(&text, "%c%02u", zone > 0 ? '-' : '+', east / 3600);
  if (east % 3600 != 0)
    add(&text, ":%02u", east / 60 % 60);
  if (east % 60 != 0)
    add(&text, ":%02u", east % 60);
  return give(reader, &text, call, cell);
}

/* One part of an interval. After a negative part a positive one wears its
 * sign. */
static void
add_part(struct text *text, int64_t number, const char *unit, bool *is_before)
{
  if (number == 0)
    return;
  add(text, "%s%s%" PRId64 " %s%s", text->size == 0 ? "" : " ",
      *is_before && number > 0 ? "+" : "", number, unit,
      number == 1 ? "" : "s");
  *is_before = number < 0;
}

/* Microseconds, days, months: three counts that are not converted into one
 * another, as days and months differ in length. */
PG__DECODER(pg__decode_interval)
{
  struct text text = { .size = 0 };
  bool is_before = false;
  int64_t micros;
  int32_t days, months;

  if (size != 16)
    return pg__malformed(reader, call);
  micros = (int64_t)pg__get64(data);
  days = (int32_t)pg__get32(data + 8);
  months = (int32_t)pg__get32(data + 12);
  if (micros == INT64_MAX && days == INT32_MAX && months == INT32_MAX)
    return give_infinity(reader, false, cell);
  if (micros == INT64_MIN && days == INT32_MIN && months == INT32_MIN)
    return give_infinity(reader, true, cell);
  add_part(&text, months / 12, "year", &is_before);
  add_part(&text, months % 12, "mon", &is_before);
  add_part(&text, days, "day", &is_before);
  if (text.size == 0 || micros != 0) {
    add(&text, "%s%s", text.size == 0 ? "" : " ",
        micros < 0  ? "-"
        : is_before ? "+"
                    : "");
    add_clock(&text,
              micros < 0 ? UINT64_C(0) - (uint64_t)micros : (uint64_t)micros);
  }
  return give(reader, &text, call, cell);
}

/* ------------------------------------------------------------------ */
/* Addresses                                                            */

#define INET_V4 2
#define INET_V6 3

/* Family, bits of the net, whether it is a cidr, size, bytes. */
PG__DECODER(pg__decode_inet)
{
  struct text text = { .size = 0 };
  char address[INET6_ADDRSTRLEN];
  unsigned family, bits, is_cidr, bytes;

  if (size < 4)
    return pg__malformed(reader, call);
  family = (unsigned char)data[0];
  bits = (unsigned char)data[1];
  is_cidr = (unsigned char)data[2];
  bytes = (unsigned char)data[3];
  if ((family != INET_V4 || bytes != 4) && (family != INET_V6 || bytes != 16))
    return pg__malformed(reader, call);
  if (size != 4 + (size_t)bytes || bits > bytes * 8 ||
      inet_ntop(family == INET_V4 ? AF_INET : AF_INET6, data + 4, address,
                sizeof address) == NULL)
    return pg__malformed(reader, call);
  add(&text, "%s", address);
  if (is_cidr || bits != bytes * 8)
    add(&text, "/%u", bits);
  return give(reader, &text, call, cell);
}

/* Six bytes, or eight. */
PG__DECODER(pg__decode_macaddr)
{
  struct text text = { .size = 0 };
  size_t i;

  if (size != 6 && size != 8)
    return pg__malformed(reader, call);
  for (i = 0; i < size; i++)
    add(&text, "%s%02x", i == 0 ? "" : ":", (unsigned)(unsigned char)data[i]);
  return give(reader, &text, call, cell);
}

/* ------------------------------------------------------------------ */
/* The rest                                                             */

/* Types bit and varbit: a count of bits, and the bits. */
PG__DECODER(pg__decode_bit)
{
  char *text;
  size_t count, i;

  if (size < 4 || pg__get32(data) > INT32_MAX)
    return pg__malformed(reader, call);
  count = pg__get32(data);
  if (size != 4 + (count + 7) / 8)
    return pg__malformed(reader, call);
  text = pg__cell_memory(reader, count == 0 ? 1 : count, call);
  if (text == NULL)
    return TN_E_MEMORY;
  for (i = 0; i < count; i++)
    text[i] = ((unsigned char)data[4 + i / 8] >> (7 - i % 8) & 1) ? '1' : '0';
  pg__set_other(reader, text, count, cell);
  return TN_OK;
}

/* A place in the log of changes. */
PG__DECODER(pg__decode_lsn)
{
  struct text text = { .size = 0 };

  if (size != 8)
    return pg__malformed(reader, call);
  add(&text, "%" PRIX32 "/%" PRIX32, pg__get32(data), pg__get32(data + 4));
  return give(reader, &text, call, cell);
}

/* A row's block and number. */
PG__DECODER(pg__decode_tid)
{
  struct text text = { .size = 0 };

  if (size != 6)
    return pg__malformed(reader, call);
  add(&text, "(%" PRIu32 ",%u)", pg__get32(data),
      (unsigned)pg__get16(data + 4));
  return give(reader, &text, call, cell);
}

/* The text behind a version number. */
PG__DECODER(pg__decode_jsonpath)
{
  if (size < 1 || data[0] != 1)
    return pg__malformed(reader, call);
  pg__set_other(reader, data + 1, size - 1, cell);
  return TN_OK;
}

/* What a function returns that returns nothing. */
PG__DECODER(pg__decode_void)
{
  (void)call;
  pg__set_other(reader, data, size, cell);
  return TN_OK;
}
