/* Cells to values: the inside of the fetch loop.
 *
 * What a cell is stored as counts, column or not: a column of SQLite's may
 * hold anything. The declared type only says how to read what is there, and a
 * cell that cannot be read so is handed out as it is stored. */
#include "sqlite_priv.h"

#include <string.h>

#define ASCII_MASK UINT64_C(0x8080808080808080)

static inline uint64_t
load(const char *text)
{
  uint64_t word;

  memcpy(&word, text, sizeof word);
  return word;
}

/* Eight bytes at a time; the last eight may overlap those before. */
static inline bool
is_ascii(const char *text, size_t size)
{
  uint64_t seen = 0;
  size_t i;

  if (size >= 8) {
    for (i = 0; i < size - 8; i += 8)
      seen |= load(text + i);
    seen |= load(text + size - 8);
  } else {
    for (i = 0; i < size; i++)
      seen |= (unsigned char)text[i];
  }
  return (seen & ASCII_MASK) == 0;
}

/* Any program may have stored any bytes as text. Those that are none are
 * handed out as a blob. */
static inline void
check_text(const struct tn_host *host, tn_value *cell)
{
  tn_value ignored;

  if (!is_ascii(cell->as.bytes.data, cell->as.bytes.size) &&
      host->value_parse(TN_TEXT, cell->as.bytes.data, cell->as.bytes.size,
                        &ignored) != TN_OK)
    cell->type = TN_BLOB;
}

static inline bool
read_text(sqlite3_value *value, tn_value *cell)
{
  const unsigned char *text = sqlite3_value_text(value);

  cell->type = TN_TEXT;
  cell->as.bytes.data = (const char *)text;
  cell->as.bytes.size = (size_t)sqlite3_value_bytes(value);
  return text != NULL;
}

static bool
read_blob(sqlite3_value *value, tn_value *cell)
{
  const void *data = sqlite3_value_blob(value);
  int size = sqlite3_value_bytes(value);

  cell->type = TN_BLOB;
  cell->as.bytes.data = data == NULL ? "" : data;
  cell->as.bytes.size = (size_t)size;
  return data != NULL || size == 0;
}

/* Read the cell as it is stored, its text not checked; false without memory.
 * SQLite has NULL for an empty blob, too. */
static inline bool
read_stored(sqlite3_value *value, tn_value *cell)
{
  cell->flags = 0;
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    cell->type = TN_INT64;
    cell->as.int64 = sqlite3_value_int64(value);
    return true;
  case SQLITE_FLOAT:
    cell->type = TN_DOUBLE;
    cell->as.real = sqlite3_value_double(value);
    return true;
  case SQLITE_TEXT:
    return read_text(value, cell);
  case SQLITE_BLOB:
    return read_blob(value, cell);
  default:
    cell->type = TN_NULL;
    return true;
  }
}

uint32_t
sqlite__stored_type(sqlite3_value *value)
{
  static const uint32_t types[] = {
    [SQLITE_INTEGER] = TN_INT64, [SQLITE_FLOAT] = TN_DOUBLE,
    [SQLITE_TEXT] = TN_TEXT,     [SQLITE_BLOB] = TN_BLOB,
    [SQLITE_NULL] = TN_NULL,
  };

  return types[sqlite3_value_type(value)];
}

/* ------------------------------------------------------------------ */
/* Texts that are times, in the one form that nearly all of them have.
 * Any other form is the host's to read.                               */

/* Two digits as a number; sets `*bad` if they are none. Without branches, as a
 * timestamp has ten of these. */
static inline int
pair(const char *text, unsigned *bad)
{
  unsigned tens = (unsigned)(unsigned char)text[0] - '0';
  unsigned ones = (unsigned)(unsigned char)text[1] - '0';

  *bad |= (unsigned)(tens > 9) | (unsigned)(ones > 9);
  return (int)(tens * 10 + ones);
}

static bool
has_day(int year, int month, int day)
{
  static const int8_t lengths[] = { 31, 28, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };
  bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return day <= lengths[month - 1] + (month == 2 && is_leap);
}

/* Days from 1970-01-01 of "YYYY-MM-DD". By years that start in March, so that
 * a leap day is the last of its year. */
static inline bool
quick_date(const char *text, int64_t *ret_days)
{
  unsigned bad = (unsigned)(text[4] != '-') | (unsigned)(text[7] != '-');
  int year = pair(text, &bad) * 100 + pair(text + 2, &bad);
  int month = pair(text + 5, &bad), day = pair(text + 8, &bad);
  int years, days;

  if (bad || year < 1 || month < 1 || month > 12 || day < 1 ||
      (day > 28 && !has_day(year, month, day)))
    return false;
  years = month > 2 ? year : year - 1;
  days = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  *ret_days = (int64_t)years * 365 + years / 4 - years / 100 + years / 400 +
              days - 719468;
  return true;
}

/* Microseconds of "HH:MM:SS" or "HH:MM:SS.ffffff". */
static inline bool
quick_time(const char *text, size_t size, int64_t *ret_micros)
{
  unsigned bad = 0;
  int hour, minute, second, micros = 0;

  if (size != 8 && size != 15)
    return false;
  bad = (unsigned)(text[2] != ':') | (unsigned)(text[5] != ':');
  hour = pair(text, &bad);
  minute = pair(text + 3, &bad);
  second = pair(text + 6, &bad);
  if (size == 15) {
    bad |= (unsigned)(text[8] != '.');
    micros = (pair(text + 9, &bad) * 100 + pair(text + 11, &bad)) * 100 +
             pair(text + 13, &bad);
  }
  if (bad || hour > 23 || minute > 59 || second > 59)
    return false;
  *ret_micros =
      (INT64_C(3600) * hour + INT64_C(60) * minute + second) * 1000000 + micros;
  return true;
}

static bool
quick_timestamp(const char *text, size_t size, int64_t *ret_micros)
{
  int64_t days, micros;

  if (size < 19 || text[10] != ' ' || !quick_date(text, &days) ||
      !quick_time(text + 11, size - 11, &micros))
    return false;
  *ret_micros = days * TN_DAY_MICROS + micros;
  return true;
}

/* ------------------------------------------------------------------ */
/* Readers of declared types. Each is given the cell as it is stored and
 * changes it if it can be read as the declaration says.                */

/* Everything that a reader needs. */
struct reading {
  const struct tn_host *host;
  char *scratch; /* of the column, TN_VALUE_PRINT_MAX bytes */
};

/* Have the host read text or bytes as `type`; leave it if it is none. */
static void
parse_as(const struct reading *reading, uint32_t type, tn_value *cell)
{
  tn_value parsed;

  if (cell->type == TN_TEXT &&
      reading->host->value_parse(type, cell->as.bytes.data, cell->as.bytes.size,
                                 &parsed) == TN_OK)
    *cell = parsed;
}

/* Field by field: a whole value copied from parts just written stalls the
 * processor for as long as reading the rest takes. */
static inline void
set_number(tn_value *cell, uint32_t type, int64_t number)
{
  cell->type = type;
  cell->as.int64 = number;
}

static void
read_bool(const struct reading *reading, tn_value *cell)
{
  (void)reading;
  if (cell->type == TN_INT64 && (cell->as.int64 == 0 || cell->as.int64 == 1))
    cell->type = TN_BOOL;
}

static void
read_date(const struct reading *reading, tn_value *cell)
{
  int64_t days;

  if (cell->type == TN_TEXT && cell->as.bytes.size == 10 &&
      quick_date(cell->as.bytes.data, &days))
    set_number(cell, TN_DATE, days);
  else
    parse_as(reading, TN_DATE, cell);
}

static void
read_time(const struct reading *reading, tn_value *cell)
{
  int64_t micros;

  if (cell->type == TN_TEXT &&
      quick_time(cell->as.bytes.data, cell->as.bytes.size, &micros))
    set_number(cell, TN_TIME, micros);
  else
    parse_as(reading, TN_TIME, cell);
}

static void
read_timestamp(const struct reading *reading, tn_value *cell)
{
  int64_t micros;

  if (cell->type == TN_TEXT &&
      quick_timestamp(cell->as.bytes.data, cell->as.bytes.size, &micros))
    set_number(cell, TN_TIMESTAMP, micros);
  else
    parse_as(reading, TN_TIMESTAMP, cell);
}

static size_t
count_digits(const char *text)
{
  size_t count = 0;

  for (; *text != '\0' && *text != 'e' && *text != 'E'; text++)
    count += *text >= '0' && *text <= '9' && (count > 0 || *text != '0');
  return count;
}

/* Are these doubles the same, or neighbours? */
static bool
is_next_to(double a, double b)
{
  int64_t bits_a, bits_b;

  memcpy(&bits_a, &a, sizeof a);
  memcpy(&bits_b, &b, sizeof b);
  return (bits_a < 0) == (bits_b < 0) && bits_a - bits_b <= 1 &&
         bits_b - bits_a <= 1;
}

/* The decimal that a stored double stands for, into the scratch; its length.
 * The shortest text that reads back equal would do, but that SQLite's own
 * reading of text is off by one step now and then (up to 3.42 at least): a
 * stored 2.0000123 would come back as 2.0000122999999998. So the nearest
 * number of fifteen digits is taken, if it is no further than that. */
static size_t
print_double(const struct reading *reading, const tn_value *cell)
{
  char *scratch = reading->scratch;
  char rounded[TN_VALUE_PRINT_MAX];
  tn_value parsed;
  size_t size = reading->host->value_print(cell, scratch, TN_VALUE_PRINT_MAX);

  if (count_digits(scratch) <= 15)
    return size;
  sqlite3_snprintf((int)sizeof rounded, rounded, "%.15g", cell->as.real);
  if (reading->host->value_parse(TN_DOUBLE, rounded, strlen(rounded),
                                 &parsed) != TN_OK ||
      !is_next_to(parsed.as.real, cell->as.real))
    return size;
  memcpy(scratch, rounded, strlen(rounded) + 1);
  return strlen(rounded);
}

/* A number as text in the scratch, checked as `type` by the host: infinity is
 * neither a decimal nor JSON. */
static void
print_number(const struct reading *reading, uint32_t type, tn_value *cell)
{
  tn_value parsed;
  size_t size;

  if (cell->type == TN_INT64)
    size =
        reading->host->value_print(cell, reading->scratch, TN_VALUE_PRINT_MAX);
  else
    size = print_double(reading, cell);
  if (reading->host->value_parse(type, reading->scratch, size, &parsed) ==
      TN_OK)
    *cell = parsed;
}

static void
read_decimal(const struct reading *reading, tn_value *cell)
{
  if (cell->type == TN_INT64 || cell->type == TN_DOUBLE)
    print_number(reading, TN_DECIMAL, cell);
  else
    parse_as(reading, TN_DECIMAL, cell);
}

static void
read_json(const struct reading *reading, tn_value *cell)
{
  if (cell->type == TN_INT64 || cell->type == TN_DOUBLE)
    print_number(reading, TN_JSON, cell);
  else
    parse_as(reading, TN_JSON, cell);
}

static int
hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits, or 36 characters with the hyphens of RFC 4122. */
static bool
read_uuid_text(const char *text, size_t size, uint8_t uuid[16])
{
  size_t i;

  if (size != 32 && size != 36)
    return false;
  for (i = 0; i < 16; i++) {
    int high, low;

    if (size == 36 && (i == 4 || i == 6 || i == 8 || i == 10))
      if (*text++ != '-')
        return false;
    high = hex_digit(*text++);
    low = hex_digit(*text++);
    if (high < 0 || low < 0)
      return false;
    uuid[i] = (uint8_t)(high * 16 + low);
  }
  return true;
}

static void
read_uuid(const struct reading *reading, tn_value *cell)
{
  uint8_t uuid[16];

  (void)reading;
  if (cell->type == TN_TEXT &&
      read_uuid_text(cell->as.bytes.data, cell->as.bytes.size, uuid))
    *cell = tn_uuid(uuid);
  else if (cell->type == TN_BLOB && cell->as.bytes.size == 16)
    *cell = tn_uuid((const uint8_t *)cell->as.bytes.data);
}

static void (*const readers[])(const struct reading *reading,
                               tn_value *cell) = {
  [SQLITE__AS_BOOL] = read_bool,           [SQLITE__AS_DATE] = read_date,
  [SQLITE__AS_TIME] = read_time,           [SQLITE__AS_JSON] = read_json,
  [SQLITE__AS_TIMESTAMP] = read_timestamp, [SQLITE__AS_UUID] = read_uuid,
  [SQLITE__AS_DECIMAL] = read_decimal,
};

int32_t
sqlite__decode_row(struct sqlite__statement *statement, tn_value *cells)
{
  const struct tn_host *host = statement->conn->host;
  uint32_t count = statement->column_count;
  uint32_t i;

  for (i = 0; i < count; i++) {
    struct sqlite__column *column = &statement->decoders[i];

    if (!read_stored(sqlite__cell(statement, i), &cells[i]))
      return tn_fail(statement->conn->call, TN_E_MEMORY,
                     "sqlite: out of memory");
    if (column->decoder != SQLITE__AS_STORED) {
      struct reading reading = { host, column->scratch };

      readers[column->decoder](&reading, &cells[i]);
    }
    if (cells[i].type == TN_TEXT)
      check_text(host, &cells[i]);
  }
  return TN_OK;
}
