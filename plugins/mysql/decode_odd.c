/* Dates and times that Tenon's types do not hold, as the text that MySQL shows:
 * 0000-00-00, a day that is not in the calendar, a time of 200 hours. Kept out
 * of the fetch loop, which meets them hardly ever. */
#include "decode.h"

#include <stdio.h>
#include <string.h>

/* The fraction as MySQL shows it, behind `size` characters of the scratch. */
static size_t
print_fraction(struct mysql__cell *in, size_t size)
{
  unsigned long micros = in->as.time.second_part % 1000000;
  uint32_t digits = in->decimals;
  char text[8];

  if (digits > 6) /* as many as it takes */
    digits = micros == 0 ? 0 : 6;
  if (digits == 0 || size + 1 + digits >= sizeof in->scratch)
    return size;
  snprintf(text, sizeof text, "%06lu", micros);
  in->scratch[size] = '.';
  memcpy(in->scratch + size + 1, text, digits);
  return size + 1 + digits;
}

static size_t
print_date(struct mysql__cell *in)
{
  const MYSQL_TIME *time = &in->as.time;

  return (size_t)snprintf(in->scratch, sizeof in->scratch, "%04u-%02u-%02u",
                          time->year % 10000, time->month % 100,
                          time->day % 100);
}

static size_t
print_datetime(struct mysql__cell *in)
{
  const MYSQL_TIME *time = &in->as.time;
  size_t size = print_date(in);

  size += (size_t)snprintf(in->scratch + size, sizeof in->scratch - size,
                           " %02u:%02u:%02u", time->hour % 100,
                           time->minute % 100, time->second % 100);
  return print_fraction(in, size);
}

static size_t
print_time(struct mysql__cell *in)
{
  const MYSQL_TIME *time = &in->as.time;
  uint64_t hours = (uint64_t)time->day * 24 + time->hour;
  int size = snprintf(in->scratch, sizeof in->scratch, "%s%02llu:%02u:%02u",
                      time->neg ? "-" : "", (unsigned long long)hours,
                      time->minute % 100, time->second % 100);

  return print_fraction(in, (size_t)size);
}

void
mysql__show_date(struct mysql__cell *in, tn_value *out)
{
  mysql__set_other(out, in, in->scratch, print_date(in));
}

void
mysql__show_time(struct mysql__cell *in, tn_value *out)
{
  mysql__set_other(out, in, in->scratch, print_time(in));
}

void
mysql__show_datetime(struct mysql__cell *in, tn_value *out)
{
  mysql__set_other(out, in, in->scratch, print_datetime(in));
}
