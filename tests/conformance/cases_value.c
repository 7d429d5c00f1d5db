/* For every type: what is bound comes back equal, extremes included, and what
 * the backend cannot hold is refused before it is sent, by its number. */
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* 64 MiB, the largest value that has to come back. */
#define BIG_BYTES ((size_t)64 << 20)

static const char DIGITS_65[] =
    "12345678901234567890123456789012345.678901234567890123456789012345";

struct sample {
  const char *type;  /* quirk with the column's type */
  const char *holds; /* quirk: "yes" it comes back; "no" it is refused before
                        it is sent; "refused" by the server */
  tn_value value;
};

static void
check_cell(struct suite *suite, const tn_value *got, const tn_value *wanted,
           const char *type)
{
  char got_text[160];
  char wanted_text[160];

  tn_value_print(got, got_text, sizeof got_text);
  tn_value_print(wanted, wanted_text, sizeof wanted_text);
  CHECK(suite, got->type == wanted->type, "%s: came back as %s: %s", type,
        tn_type_name(got->type), got_text);
  CHECK(suite, tn_value_equal(got, wanted), "%s: %s came back as %s", type,
        wanted_text, got_text);
}

static void
check_refusal(struct suite *suite, tn_conn *conn, const char *holds,
              enum tn_code rc, const tn_err *err)
{
  CHECK(suite, rc == TN_E_DATA || rc == TN_E_UNSUPPORTED || rc == TN_E_CHARSET,
        "%s: not refused but %s", holds, tn_code_name((int32_t)rc));
  if (quirk_is(suite, holds, "no"))
    CHECK(suite, err->parameter == 1, "%s: refused without its number: %s",
          holds, err->message);
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_value") == 0,
        "%s: refused, but something was stored", holds);
}

/* A row of the value and a second with NULL, so that both are seen. */
static void
round_trip(struct suite *suite, tn_conn *conn, const struct sample *sample)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const struct tn_query insert = {
    .sql = "INSERT INTO tn_value VALUES (1, ?)",
    .values = &sample->value,
    .value_count = 1,
  };
  const tn_value *row = NULL;
  tn_value wanted = sample->value;
  char create[256];
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  snprintf(create, sizeof create,
           "DROP TABLE IF EXISTS tn_value;"
           "CREATE TABLE tn_value (id INTEGER, v %s)",
           quirk(suite, sample->type));
  if (!suite_run(suite, conn, create))
    return;
  rc = tn_conn_query(conn, &insert, &result, &err);
  tn_result_close(&result);
  if (sample->holds != NULL && !quirk_is(suite, sample->holds, "yes")) {
    check_refusal(suite, conn, sample->holds, rc, &err);
    return;
  }
  if (!CHECK_CODE(suite, rc, TN_OK, &err, quirk(suite, sample->type)) ||
      !suite_run(suite, conn, "INSERT INTO tn_value VALUES (2, NULL)"))
    return;
  result =
      suite_query(suite, conn, "SELECT v FROM tn_value ORDER BY id", NULL, 0);
  if (result == NULL || !CHECK_CODE(suite, tn_result_next(result, &row, &err),
                                    TN_OK, &err, "next"))
    return;
  wanted.type = suite_read_type(suite, wanted.type);
  CHECK(suite, tn_result_column_type(result, 0) == wanted.type,
        "%s: column type %s", quirk(suite, sample->type),
        tn_type_name(tn_result_column_type(result, 0)));
  if (row != NULL)
    check_cell(suite, row, &wanted, quirk(suite, sample->type));
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  CHECK(suite, row != NULL && row->type == TN_NULL, "%s: NULL is not NULL",
        quirk(suite, sample->type));
}

static void
round_trips(struct suite *suite, const struct sample *samples, size_t count)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  size_t i;

  CHECK(suite, true, "a backend without tables of its own owes none");
  if (!has_cap(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < count; i++)
    round_trip(suite, conn, &samples[i]);
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_value");
}

#define ROUND_TRIPS(suite, samples)                                            \
  round_trips(suite, samples, sizeof(samples) / sizeof((samples)[0]))

static void
bools_and_integers(struct suite *suite)
{
  const struct sample samples[] = {
    { "type.bool", NULL, tn_bool(1) },
    { "type.bool", NULL, tn_bool(0) },
    { "type.int64", NULL, tn_int64(0) },
    { "type.int64", NULL, tn_int64(-1) },
    { "type.int64", NULL, tn_int64(INT64_MIN) },
    { "type.int64", NULL, tn_int64(INT64_MAX) },
    { "type.int64", NULL, tn_int64((INT64_C(1) << 53) + 1) },
  };

  ROUND_TRIPS(suite, samples);
}

/* Where the column is a decimal, the number is what counts. */
static void
large_unsigned_integers(struct suite *suite)
{
  static const uint64_t numbers[] = { UINT64_C(1) << 63, UINT64_MAX };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  size_t i;

  CHECK(suite, true, "a backend without tables of its own owes none");
  if (!has_cap(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < 2; i++) {
    const struct sample sample = { "type.uint64", "holds.uint64",
                                   tn_uint64(numbers[i]) };
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;
    uint64_t number = 0;
    tn_err err = TN_ERR_INIT;

    if (!quirk_is(suite, "holds.uint64", "yes")) {
      round_trip(suite, conn, &sample);
      continue;
    }
    suite_run(suite, conn, "DROP TABLE IF EXISTS tn_value");
    result = suite_query(suite, conn, "SELECT ?", &sample.value, 1);
    if (result == NULL || tn_result_next(result, &row, &err) != TN_OK ||
        row == NULL)
      continue;
    CHECK_CODE(suite, tn_value_to_uint64(row, &number, &err), TN_OK, &err,
               "uint64");
    CHECK(suite, number == numbers[i], "%llu", (unsigned long long)number);
  }
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_value");
}

static void
doubles(struct suite *suite)
{
  const struct sample samples[] = {
    { "type.double", NULL, tn_double(0.0) },
    { "type.double", NULL, tn_double(0.1) },
    { "type.double", "holds.all_digits", tn_double(1.0 / 3.0) },
    { "type.double", "holds.all_digits", tn_double(-1.7976931348623157e308) },
    { "type.double", "holds.all_digits", tn_double(2.2250738585072014e-308) },
    { "type.double", "holds.all_digits", tn_double(123456789012345680.0) },
    { "type.double", "holds.infinity", tn_double((double)INFINITY) },
    { "type.double", "holds.infinity", tn_double(-(double)INFINITY) },
    { "type.double", "holds.nan", tn_double((double)NAN) },
  };

  ROUND_TRIPS(suite, samples);
}

static void
decimals(struct suite *suite)
{
  const struct sample samples[] = {
    { "type.decimal", NULL, tn_decimal("0") },
    { "type.decimal", NULL, tn_decimal("1.5") },
    { "type.decimal", NULL, tn_decimal("-0.000000000000000000000000000001") },
    { "type.decimal", NULL, tn_decimal("9223372036854775808") },
    { "type.decimal", NULL, tn_decimal("0.1") },
    { "type.decimal", NULL, tn_decimal(DIGITS_65) },
    { "type.decimal", NULL,
      tn_decimal("-99999999999999999999999999999999999."
                 "999999999999999999999999999999") },
  };

  ROUND_TRIPS(suite, samples);
}

static void
texts(struct suite *suite)
{
  const struct sample samples[] = {
    { "type.text", NULL, tn_text("") },
    { "type.text", NULL, tn_text("a") },
    { "type.text", NULL, tn_text("it's \"quoted\" \\ `back` ? :name") },
    { "type.text", NULL, tn_text(" blanks \t\r\n ") },
    { "type.text", NULL, tn_text("gr\xc3\xbc\xc3\x9f \xe2\x82\xac") },
    { "type.text", NULL, tn_text("\xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf") },
    { "type.text", NULL, tn_text("12345678901234567890.50") },
    { "type.text", "holds.nul_in_text", tn_bytes(TN_TEXT, "a\0b", 3) },
  };

  ROUND_TRIPS(suite, samples);
}

static void
blobs(struct suite *suite)
{
  const struct sample samples[] = {
    { "type.blob", NULL, tn_blob("", 0) },
    { "type.blob", NULL, tn_blob("\0", 1) },
    { "type.blob", NULL, tn_blob("a\0b\xff\xfe'\\", 7) },
    { "type.blob", NULL, tn_blob("\xde\xad\xbe\xef", 4) },
  };

  ROUND_TRIPS(suite, samples);
}

static void
big_blob(struct suite *suite)
{
  const size_t count = BIG_BYTES / sizeof(uint64_t);
  uint64_t *words = malloc(BIG_BYTES);
  uint64_t state = 1;
  size_t i;

  CHECK(suite, words != NULL, "no memory");
  if (words == NULL)
    return;
  for (i = 0; i < count; i++) {
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    words[i] = state ^ state >> 32;
  }
  {
    const struct sample samples[] = {
      { "type.blob", NULL, tn_blob(words, BIG_BYTES) },
    };

    ROUND_TRIPS(suite, samples);
  }
  free(words);
}

static void
dates_and_times(struct suite *suite)
{
  const struct sample samples[] = {
    { "type.date", NULL, tn_date(0) },
    { "type.date", NULL, tn_date(TN_DAYS_MIN) },
    { "type.date", NULL, tn_date(TN_DAYS_MAX) },
    { "type.time", NULL, tn_time(0) },
    { "type.time", NULL, tn_time(TN_DAY_MICROS - 1) },
    { "type.timestamp", NULL, tn_timestamp(0) },
    { "type.timestamp", NULL, tn_timestamp(-1) },
    { "type.timestamp", NULL, tn_timestamp(TN_MICROS_MIN) },
    { "type.timestamp", NULL, tn_timestamp(TN_MICROS_MAX) },
    { "type.timestamp", NULL, tn_timestamp(INT64_C(1700000000123456)) },
    { "type.timestamp_zoned", NULL,
      tn_timestamp_zoned(INT64_C(1700000000123456), 0) },
    { "type.timestamp_zoned", NULL,
      tn_timestamp_zoned(INT64_C(1700000000000001), 19800) },
    { "type.timestamp_zoned", "holds.early_moment",
      tn_timestamp_zoned(INT64_C(-1700000000999999), -12600) },
  };

  ROUND_TRIPS(suite, samples);
}

static void
uuids_and_json(struct suite *suite)
{
  static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                    0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                    0x44, 0x55, 0x66, 0x77 };
  static const uint8_t zero[16] = { 0 };
  const struct sample samples[] = {
    { "type.uuid", NULL, tn_uuid(uuid) },
    { "type.uuid", NULL, tn_uuid(zero) },
    { "type.json", NULL, tn_json("{\"a\": [1, 2.5, null, \"\xe2\x82\xac\"]}") },
    { "type.json", NULL, tn_json("[]") },
    { "type.json", NULL, tn_json("\"text\"") },
    { "type.json", NULL, tn_json("17") },
  };

  ROUND_TRIPS(suite, samples);
}

static void
bad_values_are_refused_by_number(struct suite *suite)
{
  tn_value bad[] = {
    tn_bytes(TN_TEXT, "\xff\xfe", 2),
    tn_bytes(TN_TEXT, "\xc0\x80", 2),
    tn_bytes(TN_TEXT, "\xed\xa0\x80", 3),
    tn_decimal("1.2.3"),
    tn_decimal("abc"),
    tn_json("{\"a\":"),
    tn_date(TN_DAYS_MAX + 1),
    tn_time(TN_DAY_MICROS),
    tn_timestamp(TN_MICROS_MAX + 1),
    { .type = 0 },
    { .type = 99 },
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  size_t i;

  CHECK(suite, true, "a backend without expressions owes none");
  if (!has_cap(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    const tn_value values[2] = { tn_int64(1), bad[i] };
    const struct tn_query query = { .sql = "SELECT ?, ?",
                                    .values = values,
                                    .value_count = 2 };
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = tn_conn_query(conn, &query, &result, &err);

    CHECK(suite, rc == TN_E_DATA || rc == TN_E_CHARSET, "bad value %zu: %s: %s",
          i, tn_code_name(rc), err.message);
    CHECK(suite, err.parameter == 2, "bad value %zu: parameter %d", i,
          (int)err.parameter);
  }
}

static void
random_bytes_come_back_or_are_refused(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  unsigned char bytes[64];
  uint32_t state = 7;
  tn_err err = TN_ERR_INIT;
  int round;

  CHECK(suite, true, "a backend without expressions owes none");
  if (!has_cap(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL ||
      !CHECK_CODE(suite,
                  tn_conn_prepare(conn, "SELECT ?, ?", 0, &prepared, &err),
                  TN_OK, &err, "prepare"))
    return;
  for (round = 0; round < 20000; round++) {
    size_t size = (size_t)round % (sizeof bytes + 1);
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    struct tn_query query = { .value_count = 2 };
    const tn_value *row = NULL;
    tn_value values[2];
    enum tn_code rc;
    size_t i;

    for (i = 0; i < size; i++) {
      state = state * 1664525u + 1013904223u;
      bytes[i] = (unsigned char)(state >> 24);
    }
    values[0] = tn_blob(bytes, size);
    values[1] = tn_bytes(round % 2 == 0 ? TN_TEXT : TN_BLOB, bytes, size);
    query.values = values;
    rc = tn_prepared_query(prepared, &query, &result, &err);
    if (rc == TN_E_CHARSET && values[1].type == TN_TEXT)
      continue;
    if (rc != TN_OK || tn_result_next(result, &row, &err) != TN_OK ||
        row == NULL || !tn_value_equal(&row[0], &values[0]) ||
        !tn_value_equal(&row[1], &values[1])) {
      CHECK(suite, false, "round %d: %s: %s", round, tn_code_name(rc),
            err.message);
      return;
    }
  }
}

static void
buffered_rows_keep_their_bytes(struct suite *suite)
{
  const struct tn_query query = {
    .sql = "SELECT 'first' AS v UNION ALL SELECT 'second' UNION ALL SELECT ''",
    .flags = TN_QUERY_BUFFERED,
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  static const char *const wanted[] = { "first", "second", "" };
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  int i;

  CHECK(suite, true, "a backend without expressions owes none");
  if (!has_cap(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL ||
      !CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, "query"))
    return;
  for (i = 0; i < 3; i++) {
    const tn_value text = tn_text(wanted[i]);

    suite_number(suite, conn, "SELECT 1");
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next") ||
        row == NULL)
      return;
    suite_number(suite, conn, "SELECT 2");
    CHECK_VALUE(suite, row, &text, "a buffered row");
  }
}

/* ---- far too long ---- */

/* More memory than that must not be taken for what is refused. */
#define COPY_MAX_KIB (64 * 1024)

static long
peak_kib(void)
{
  struct rusage usage;

  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static void
check_huge(struct suite *suite, tn_conn *conn, uint32_t type, const void *bytes,
           size_t size)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value values[] = { tn_int64(1), tn_bytes(type, bytes, size) };
  const struct tn_query insert = {
    .sql = "INSERT INTO tn_value VALUES (?, ?)",
    .values = values,
    .value_count = 2,
  };
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_query(conn, &insert, &result, &err);

  CHECK_CODE(suite, rc, TN_E_LIMIT, &err, tn_type_name((int32_t)type));
  CHECK(suite, err.parameter == 2, "%s of %zu bytes: parameter %d: %s",
        tn_type_name((int32_t)type), size, (int)err.parameter, err.message);
  CHECK_USABLE(suite, conn);
}

/* Some kernels count pages of zeros that were read, though they take no
 * memory. */
static void
read_pages(const volatile char *bytes, size_t size)
{
  enum { PAGE = 4096 };

  for (size_t i = 0; i < size; i += PAGE)
    (void)bytes[i];
}

/* The bytes are pages of zeros that take no memory as long as they are only
 * read. */
static void
huge_values_are_refused_by_their_length(struct suite *suite)
{
  static const uint64_t sizes[] = { (UINT64_C(1) << 30) - 1, UINT64_C(1) << 30,
                                    UINT64_C(2) << 30,
                                    (UINT64_C(4) << 30) + 7 };
  static const char *const columns[] = { "type.text", "type.blob" };
  static const uint32_t types[] = { TN_TEXT, TN_BLOB };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char create[128];
  size_t room = sizeof(size_t) > 4 ? (size_t)sizes[3] : (size_t)sizes[1];
  void *bytes = mmap(NULL, room, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  long before;

  CHECK(suite, bytes != MAP_FAILED, "no address space");
  if (bytes != MAP_FAILED)
    read_pages(bytes, (size_t)sizes[1]);
  if (bytes != MAP_FAILED && suite_owes(suite, TN_CAP_WRITE | TN_CAP_DDL))
    conn = suite_connect(suite);
  for (size_t i = 0; conn != NULL && i < 2; i++) {
    snprintf(create, sizeof create,
             "DROP TABLE IF EXISTS tn_value;"
             "CREATE TABLE tn_value (id INTEGER, v %s)",
             quirk(suite, columns[i]));
    if (!suite_run(suite, conn, create))
      break;
    before = peak_kib();
    for (size_t j = 0; j < 4 && sizes[j] <= room; j++)
      check_huge(suite, conn, types[i], bytes, (size_t)sizes[j]);
    CHECK(suite, peak_kib() - before < COPY_MAX_KIB, "%ld KiB were taken",
          peak_kib() - before);
    CHECK(suite,
          suite_number(suite, conn, "SELECT count(*) FROM tn_value") == 0,
          "something was stored");
  }
  if (conn != NULL)
    suite_run(suite, conn, "DROP TABLE IF EXISTS tn_value");
  if (bytes != MAP_FAILED)
    munmap(bytes, room);
}

const struct suite_case cases_value[] = {
  { "value: bools and integers come back equal", bools_and_integers },
  { "value: integers above 2^63-1 come back or are refused",
    large_unsigned_integers },
  { "value: doubles come back equal", doubles },
  { "value: decimals come back with every digit", decimals },
  { "value: texts come back equal", texts },
  { "value: blobs come back equal", blobs },
  { "value: a blob of 64 MiB comes back equal", big_blob },
  { "value: gigabytes are refused by their length",
    huge_values_are_refused_by_their_length },
  { "value: dates and times come back equal", dates_and_times },
  { "value: uuids and JSON come back equal", uuids_and_json },
  { "value: what is no value is refused by its number",
    bad_values_are_refused_by_number },
  { "value: random bytes come back or are refused",
    random_bytes_come_back_or_are_refused },
  { "value: buffered rows keep their bytes", buffered_rows_keep_their_bytes },
  { NULL, NULL },
};
