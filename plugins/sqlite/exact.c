/* Numbers that SQLite would round.
 *
 * A column of NUMERIC affinity turns text that looks like a number into an
 * integer or a double, and says nothing about the digits that are lost
 * (https://sqlite.org/datatype3.html, section 3). Fifteen digits survive, and
 * whole numbers of 64 bits. For the rare number beyond that the columns which
 * the statement writes to are looked up, and the value refused if one of them
 * is meant for numbers and would round it. */
#include "sqlite_priv.h"

#include <string.h>

#define DIGITS_KEPT 15

/* Powers of ten between which fifteen digits survive: short of the ends of a
 * double's range, where SQLite's conversion gets imprecise. */
#define EXPONENT_MIN (-280)
#define EXPONENT_MAX 300

/* A number's digits, without the zeros around them. */
struct digits {
  char significant[20]; /* the first ones, as far as they fit */
  size_t count;
  int64_t exponent; /* of the last digit */
  bool is_negative;
};

/* Far beyond any double, but with room to add a length to it. */
#define EXPONENT_HUGE INT64_C(1000000000000)

static int64_t
read_exponent(const char *text, size_t size)
{
  bool is_negative = size > 0 && *text == '-';
  int64_t exponent = 0;
  size_t i;

  for (i = size > 0 && (*text == '-' || *text == '+'); i < size; i++)
    if (text[i] >= '0' && text[i] <= '9' && exponent < EXPONENT_HUGE)
      exponent = exponent * 10 + (text[i] - '0');
  return is_negative ? -exponent : exponent;
}

/* Zeros at the end are only counted when another digit follows them. */
static void
read_digits(const char *text, size_t size, struct digits *ret)
{
  bool is_fraction = false;
  int64_t zeros = 0;
  size_t i;

  memset(ret, 0, sizeof *ret);
  for (i = 0; i < size && text[i] != 'e' && text[i] != 'E'; i++) {
    if (text[i] == '-')
      ret->is_negative = true;
    if (text[i] == '.')
      is_fraction = true;
    if (text[i] < '0' || text[i] > '9')
      continue;
    ret->exponent -= is_fraction;
    if (text[i] == '0') {
      zeros++;
      continue;
    }
    for (; zeros > 0; zeros--)
      if (ret->count > 0 && ret->count++ < sizeof ret->significant)
        ret->significant[ret->count - 1] = '0';
    if (ret->count++ < sizeof ret->significant)
      ret->significant[ret->count - 1] = text[i];
  }
  ret->exponent += zeros;
  if (i < size)
    ret->exponent += read_exponent(text + i + 1, size - i - 1);
}

/* Is it written without point and exponent? Only such a text is read as an
 * integer. */
static bool
is_plain(const char *text, size_t size)
{
  return memchr(text, '.', size) == NULL && memchr(text, 'e', size) == NULL &&
         memchr(text, 'E', size) == NULL;
}

/* Does a number of at most 19 digits fit 64 bits? */
static bool
is_int64(const struct digits *digits)
{
  const char *limit =
      digits->is_negative ? "9223372036854775808" : "9223372036854775807";
  char number[20] = "0000000000000000000";

  memcpy(number, digits->significant, digits->count);
  return digits->count + (size_t)digits->exponent < 19 ||
         memcmp(number, limit, 19) <= 0;
}

/* A text with a point or an exponent is read as a double, and one between
 * 10^15 and 2^63 is then made an integer, with digits that were never there. */
bool
sqlite__is_exact(const char *text, size_t size)
{
  struct digits digits;
  int64_t magnitude;

  if (size <= DIGITS_KEPT && is_plain(text, size))
    return true;
  read_digits(text, size, &digits);
  if (digits.count == 0)
    return true;
  magnitude = digits.exponent + (int64_t)digits.count;
  if (is_plain(text, size) && magnitude <= 19 && is_int64(&digits))
    return true;
  if (digits.count > DIGITS_KEPT || magnitude <= EXPONENT_MIN ||
      magnitude >= EXPONENT_MAX)
    return false;
  return is_plain(text, size) || magnitude <= DIGITS_KEPT || magnitude > 19;
}

/* A column that is meant for such values and would make a double of them. */
static bool
would_round(const char *declared, uint32_t value_type)
{
  uint32_t type;
  enum sqlite__decoder decoder = sqlite__decoder_of(declared, &type);

  if (decoder != SQLITE__AS_DECIMAL &&
      !(decoder == SQLITE__AS_JSON && value_type == TN_JSON))
    return false;
  return sqlite__affinity_of(declared) == SQLITE__AFFINITY_NUMERIC;
}

/* One entry of a statement's targets. */
struct entry {
  const char *schema;
  const char *table;
  const char *column; /* "": all */
};

static int32_t
refuse(struct sqlite__statement *statement, uint32_t index,
       const struct entry *entry, sqlite3_stmt *found)
{
  const struct tn_host *host = statement->conn->host;
  struct tn_call *call = statement->conn->call;
  const char *column = (const char *)sqlite3_column_text(found, 0);
  const char *declared = (const char *)sqlite3_column_text(found, 1);
  char text[512];

  if (column == NULL || declared == NULL)
    return sqlite__refuse(statement->conn, TN_E_MEMORY, index + 1,
                          "sqlite: out of memory");
  sqlite3_snprintf((int)sizeof text, text,
                   "sqlite: the number has more digits than column %s.%s, "
                   "declared %s, keeps: declare it %.*s TEXT, which keeps "
                   "every digit",
                   entry->table, column, declared, (int)strcspn(declared, " ("),
                   declared);
  sqlite__refuse(statement->conn, TN_E_DATA, index + 1, text);
  host->fail_field(call, TN_ERR_TABLE, entry->table, strlen(entry->table));
  host->fail_field(call, TN_ERR_COLUMN, column, strlen(column));
  return TN_E_DATA;
}

/* Look at the columns of one entry. */
static int32_t
check_entry(struct sqlite__statement *statement, uint32_t index,
            const struct entry *entry, uint32_t value_type)
{
  static const char sql[] = "SELECT name, type FROM pragma_table_xinfo(?1, ?2)";
  struct sqlite__conn *conn = statement->conn;
  sqlite3_stmt *stmt = NULL;
  int32_t rc = TN_OK;
  int code = sqlite__compile(conn, sql, -1, &stmt, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_bind_text(stmt, 1, entry->table, -1, SQLITE_STATIC);
  if (code == SQLITE_OK)
    code = sqlite3_bind_text(stmt, 2, entry->schema, -1, SQLITE_STATIC);
  if (code == SQLITE_OK)
    code = sqlite__step(conn, stmt);
  for (; rc == TN_OK && code == SQLITE_ROW;
       code = sqlite__step_on(conn, stmt)) {
    const char *name = (const char *)sqlite3_column_text(stmt, 0);
    const char *declared = (const char *)sqlite3_column_text(stmt, 1);

    if (name != NULL && would_round(declared, value_type) &&
        (entry->column[0] == '\0' || sqlite3_stricmp(entry->column, name) == 0))
      rc = refuse(statement, index, entry, stmt);
  }
  if (rc == TN_OK && code != SQLITE_DONE)
    rc = sqlite__fail(conn, code, NULL);
  sqlite3_finalize(stmt);
  return rc;
}

int32_t
sqlite__check_targets(struct sqlite__statement *statement, uint32_t index,
                      uint32_t value_type)
{
  const char *at = statement->targets;
  const char *end = at + statement->targets_size;
  int32_t rc = TN_OK;

  while (rc == TN_OK && at < end) {
    struct entry entry;

    entry.schema = at;
    entry.table = entry.schema + strlen(entry.schema) + 1;
    entry.column = entry.table + strlen(entry.table) + 1;
    at = entry.column + strlen(entry.column) + 1;
    rc = check_entry(statement, index, &entry, value_type);
  }
  return rc;
}
