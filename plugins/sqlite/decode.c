/* Cells to values: the inside of the fetch loop.
 *
 * What a cell is stored as counts, column or not: a column of SQLite's may
 * hold anything. The declared type only says how to read what is there, and a
 * cell that cannot be read so is handed out as it is stored. */
#include "sqlite_priv.h"

#include <endian.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Eight characters, the first in the lowest byte. */
static inline uint64_t
load(const char *text)
{
  uint64_t word;

  memcpy(&word, text, sizeof word);
  return le64toh(word);
}

/* Sixteen bytes at a time, the first and the last of which may overlap. */
static inline bool
is_ascii(const char *text, size_t size)
{
  uint64_t seen = 0;
  size_t i;

  if (size >= 16) {
    seen = load(text) | load(text + 8) | load(text + size - 16) |
           load(text + size - 8);
    for (i = 16; i + 16 < size; i += 16)
      seen |= load(text + i) | load(text + i + 8);
  } else if (size >= 8) {
    seen = load(text) | load(text + size - 8);
  } else {
    for (i = 0; i < size; i++)
      seen |= (unsigned char)text[i];
  }
  return (seen & HIGH_BITS) == 0;
}

/* Type and flags in one, as they are one store. */
static inline void
set_type(tn_value *cell, uint32_t type)
{
  cell->type = type;
  cell->flags = 0;
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

/* SQLite has NULL for an empty blob, too. */
static bool
read_blob(sqlite3_value *value, tn_value *cell)
{
  const void *data = sqlite3_value_blob(value);
  int size = sqlite3_value_bytes(value);

  set_type(cell, TN_BLOB);
  cell->as.bytes.data = data == NULL ? "" : data;
  cell->as.bytes.size = (size_t)size;
  return data != NULL || size == 0;
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

/* Eight characters that should be as `form` says: a digit for each 0, all else
 * as it is there. Of those that are, what the digits stand for, and 0 for the
 * others. `room` has for each what may be added to it without reaching the high
 * bit: 'v' for a digit, DEL for what must be 0. `*bad` gets some of HIGH_BITS
 * if they are not. */
static inline uint64_t
match(const char *text, const char *form, const char *room, uint64_t *bad)
{
  uint64_t word = load(text) ^ load(form);

  *bad |= word | (word + load(room));
  return word;
}

/* Each two neighbours as one number, where the first is. */
static inline uint64_t
pairs(uint64_t digits)
{
  return digits * 10 + (digits >> 8);
}

static inline unsigned
pair_at(uint64_t word, unsigned index)
{
  return (unsigned)(word >> (index * 8)) & 0xff;
}

static bool
has_day(unsigned year, unsigned month, unsigned day)
{
  static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31 };
  bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return day <= lengths[month - 1] + (unsigned)(month == 2 && is_leap);
}

/* Days from 1970-01-01 of "YYYY-MM-DD". By years that start in March, so that
 * a leap day is the last of its year. */
static inline bool
quick_date(const char *text, int64_t *ret_days)
{
  uint64_t bad = 0;
  uint64_t front = pairs(match(text, "0000-00-", "vvvv\177vv\177", &bad));
  uint64_t back = pairs(match(text + 2, "00-00-00", "vv\177vv\177vv", &bad));
  unsigned year = pair_at(front, 0) * 100 + pair_at(front, 2);
  unsigned month = pair_at(front, 5), day = pair_at(back, 6);
  unsigned is_early = month < 3, centuries, days;

  if ((bad & HIGH_BITS) != 0 || year < 1 || month - 1 > 11 || day < 1 ||
      (day > 28 && !has_day(year, month, day)))
    return false;
  year -= is_early;
  centuries = year / 100;
  days = 146097 * centuries / 4 + 1461 * (year - 100 * centuries) / 4 +
         (153 * (month + 12 * is_early - 3) + 2) / 5 + day - 1;
  *ret_days = (int64_t)days - 719468;
  return true;
}

/* Microseconds of "HH:MM:SS" or "HH:MM:SS.ffffff". */
static inline bool
quick_time(const char *text, size_t size, int64_t *ret_micros)
{
  uint64_t bad = 0, clock, fraction;
  unsigned hour, minute, second, micros = 0;

  if (size != 8 && size != 15)
    return false;
  clock = pairs(match(text, "00:00:00", "vv\177vv\177vv", &bad));
  hour = pair_at(clock, 0);
  minute = pair_at(clock, 3);
  second = pair_at(clock, 6);
  if (size == 15) {
    fraction = pairs(match(text + 7, "0.000000", "v\177vvvvvv", &bad));
    micros = pair_at(fraction, 2) * 10000 + pair_at(fraction, 4) * 100 +
             pair_at(fraction, 6);
  }
  if ((bad & HIGH_BITS) != 0 || hour > 23 || minute > 59 || second > 59)
    return false;
  *ret_micros =
      (int64_t)((hour * 60 + minute) * 60 + second) * 1000000 + micros;
  return true;
}

/* The day of a text, unless it is the last one still. */
static inline bool
quick_day(const char *text, struct sqlite__day *last)
{
  uint64_t front = load(text);
  uint64_t back = load(text + 2);

  if (front == last->front && back == last->back)
    return true;
  if (!quick_date(text, &last->days))
    return false;
  last->front = front;
  last->back = back;
  return true;
}

static inline bool
quick_timestamp(const char *text, size_t size, struct sqlite__day *last,
                int64_t *ret_micros)
{
  int64_t micros;

  if (size < 19 || text[10] != ' ' || !quick_day(text, last) ||
      !quick_time(text + 11, size - 11, &micros))
    return false;
  *ret_micros = last->days * TN_DAY_MICROS + micros;
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

/* One that was not quick: see decode_text(). */
static void
read_timestamp(const struct reading *reading, tn_value *cell)
{
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

/* Read what is declared to be something else than what it is stored as. */
static inline void
read_declared(const struct tn_host *host, struct sqlite__column *column,
              tn_value *cell)
{
  struct reading reading = { host, column->scratch };

  readers[column->decoder](&reading, cell);
}

/* A timestamp in place: it is the longest of what is usual. */
static inline bool
decode_text(const struct tn_host *host, struct sqlite__column *column,
            tn_value *cell)
{
  const char *text = (const char *)sqlite3_value_text(column->cell);
  size_t size = (size_t)sqlite3_value_bytes(column->cell);
  int64_t micros;

  if (text == NULL)
    return false;
  set_type(cell, TN_TEXT);
  if (column->decoder == SQLITE__AS_TIMESTAMP &&
      quick_timestamp(text, size, &column->last_day, &micros)) {
    set_number(cell, TN_TIMESTAMP, micros);
    return true;
  }
  cell->as.bytes.data = text;
  cell->as.bytes.size = size;
  if (column->decoder != SQLITE__AS_STORED)
    read_declared(host, column, cell);
  if (cell->type == TN_TEXT)
    check_text(host, cell);
  return true;
}

/* False without memory. */
static inline bool
decode_cell(const struct tn_host *host, struct sqlite__column *column,
            tn_value *cell)
{
  sqlite3_value *value = column->cell;

  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    set_type(cell, TN_INT64);
    cell->as.int64 = sqlite3_value_int64(value);
    break;
  case SQLITE_FLOAT:
    set_type(cell, TN_DOUBLE);
    cell->as.real = sqlite3_value_double(value);
    break;
  case SQLITE_TEXT:
    return decode_text(host, column, cell);
  case SQLITE_BLOB:
    if (!read_blob(value, cell))
      return false;
    break;
  default:
    set_type(cell, TN_NULL);
    return true;
  }
  if (column->decoder != SQLITE__AS_STORED)
    read_declared(host, column, cell);
  return true;
}

/* Where the cells of the current row are. SQLite has a row in an array of its
 * values, mostly the same for all rows: if the first and the last are where
 * they were, so is what is between them. Asking for each takes an eighth of the
 * time of a fetch. Not of rows that were kept, each of whose cells is by
 * itself. */
static inline void
find_cells(struct sqlite__statement *statement)
{
  struct sqlite__column *columns = statement->decoders;
  uint32_t count = statement->column_count;
  uint32_t i;

  if (statement->is_query && columns[0].cell == sqlite__cell(statement, 0) &&
      columns[count - 1].cell == sqlite__cell(statement, count - 1))
    return;
  for (i = 0; i < count; i++)
    columns[i].cell = sqlite__cell(statement, i);
}

int32_t
sqlite__decode_row(struct sqlite__statement *statement, tn_value *cells)
{
  const struct tn_host *host = statement->conn->host;
  struct sqlite__column *columns = statement->decoders;
  uint32_t count = statement->column_count;
  uint32_t i;

  find_cells(statement);
  for (i = 0; i < count; i++)
    if (!decode_cell(host, &columns[i], &cells[i]))
      return tn_fail(statement->conn->call, TN_E_MEMORY,
                     "sqlite: out of memory");
  return TN_OK;
}
