/* What a backend cannot be given, refused before anything is sent. */
#include "backend.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_plugin.h"

/* A descriptor like the fake plug-in's, with a dialect to be changed. */
static struct tn_plugin plugin;
static struct tn_dialect_table dialect;

static struct tn_backend *backend;
static tn_err err;

static const void *
get_table(uint32_t id)
{
  return id == TN_TABLE_DIALECT ? &dialect
                                : fake_plugin_entry(NULL)->get_table(id);
}

static void
set_up(void)
{
  plugin = *fake_plugin_entry(NULL);
  memcpy(&dialect, plugin.get_table(TN_TABLE_DIALECT), sizeof(dialect));
  plugin.get_table = get_table;
}

static void
tear_down(void)
{
  tn_backend_free(&backend);
}

TestSuite(backend_value, .init = set_up, .fini = tear_down);

static enum tn_code
make(void)
{
  return tn_backend_new(&plugin, "/lib/fake.so", &backend, &err);
}

Test(backend_value, values_that_fit_are_accepted)
{
  char big[1000];
  tn_value values[] = {
    tn_null(),       tn_bool(1),         tn_int64(INT64_MIN),
    tn_uint64(1),    tn_double(0.5),     tn_decimal("1.50"),
    tn_text("ä"),    tn_blob("\xff", 1), tn_date(TN_DAYS_MAX),
    tn_timestamp(0), tn_json("{}"),      tn_blob(big, sizeof(big)),
  };

  cr_assert_eq(make(), TN_OK);
  memset(big, 0, sizeof(big));
  cr_expect_eq(tn_backend_check_values(backend, values, TN_COUNT(values), &err),
               TN_OK, "%s", err.message);
  cr_expect_eq(tn_backend_check_values(backend, NULL, 0, NULL), TN_OK);
}

Test(backend_value, values_that_the_backend_cannot_hold_are_refused_by_number)
{
  static const char big[1001];
  static const uint8_t uuid[16];
  const struct {
    tn_value value;
    int32_t code;
    const char *message;
  } cases[] = {
    { tn_uuid(uuid), TN_E_UNSUPPORTED,
      "parameter 2: fake takes no value of type uuid" },
    { tn_time(0), TN_E_UNSUPPORTED,
      "parameter 2: fake takes no value of type time" },
    { tn_blob(big, sizeof(big)), TN_E_LIMIT,
      "parameter 2: 1001 bytes; fake takes 1000" },
    { tn_bytes(TN_TEXT, "\xff", 1), TN_E_CHARSET, NULL },
    { tn_decimal("x"), TN_E_DATA, NULL },
    { tn_date(TN_DAYS_MAX + 1), TN_E_DATA, NULL },
    { { .type = 0 }, TN_E_DATA, NULL },
    { { .type = 15 }, TN_E_DATA, NULL },
    { { .type = 31 }, TN_E_DATA, NULL },
    { { .type = 32 }, TN_E_DATA, NULL },
    { { .type = 33 }, TN_E_DATA, NULL },
    { { .type = UINT32_MAX }, TN_E_DATA, NULL },
    { { .type = TN_BOOL, .as.int64 = 2 }, TN_E_DATA, NULL },
  };

  cr_assert_eq(make(), TN_OK);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    tn_value values[2] = { tn_int64(1), cases[i].value };

    cr_expect_eq(tn_backend_check_values(backend, values, 2, &err),
                 (enum tn_code)cases[i].code, "case %zu: %s", i, err.message);
    cr_expect_eq(err.code, cases[i].code, "case %zu", i);
    cr_expect_eq(err.parameter, 2, "case %zu", i);
    cr_expect_str_eq(err.backend, "fake", "case %zu", i);
    cr_expect(strncmp(err.message, "parameter 2: ", 13) == 0, "case %zu: %s", i,
              err.message);
    if (cases[i].message != NULL)
      cr_expect_str_eq(err.message, cases[i].message, "case %zu", i);
    cr_expect_eq(tn_backend_check_values(backend, values, 2, NULL),
                 (enum tn_code)cases[i].code, "case %zu", i);
  }
}

Test(backend_value, what_is_too_long_is_refused_without_a_look_at_it)
{
  static const uint32_t types[] = { TN_TEXT, TN_BLOB, TN_DECIMAL, TN_JSON };
  size_t size = SIZE_MAX / 2;
  void *nowhere =
      mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  cr_assert_eq(make(), TN_OK);
  cr_assert_neq(nowhere, MAP_FAILED);
  for (size_t i = 0; i < TN_COUNT(types); i++) {
    tn_value value = tn_bytes(types[i], nowhere, size);

    cr_expect_eq(tn_backend_check_values(backend, &value, 1, &err), TN_E_LIMIT,
                 "%s: %s", tn_type_name((int32_t)types[i]), err.message);
    cr_expect_eq(err.parameter, 1);
  }
}

Test(backend_value, a_type_of_plain_numbers_can_be_refused_too)
{
  tn_value value = tn_int64(1);

  dialect.value_types = 1u << TN_TEXT;
  cr_assert_eq(make(), TN_OK);
  cr_expect_eq(tn_backend_check_values(backend, &value, 1, &err),
               TN_E_UNSUPPORTED);
  value = tn_null();
  cr_expect_eq(tn_backend_check_values(backend, &value, 1, &err),
               TN_E_UNSUPPORTED);
}

Test(backend_value, too_many_values_are_refused)
{
  tn_value values[101];

  for (size_t i = 0; i < TN_COUNT(values); i++)
    values[i] = tn_int64(1);
  cr_assert_eq(make(), TN_OK);
  cr_expect_eq(tn_backend_check_values(backend, values, 100, &err), TN_OK);
  cr_expect_eq(tn_backend_check_values(backend, values, 101, &err), TN_E_LIMIT);
  cr_expect_str_eq(err.message, "101 parameters; fake takes 100");
}

Test(backend_value, the_first_bad_value_of_rows_is_told_with_its_row)
{
  tn_value values[3 * 4];
  size_t i;

  for (i = 0; i < TN_COUNT(values); i++)
    values[i] = i % 3 == 0 ? tn_text("ä") : tn_int64(1);
  cr_assert_eq(make(), TN_OK);
  cr_expect_eq(tn_backend_check_rows(backend, values, 3, 4, &err), TN_OK);
  cr_expect_eq(tn_backend_check_rows(backend, values, 0, 4, &err), TN_OK);
  for (i = TN_COUNT(values); i-- > 0;) {
    values[i] = tn_text("\xff");
    cr_expect_eq(tn_backend_check_rows(backend, values, 3, 4, &err),
                 TN_E_CHARSET);
    cr_expect_eq(err.row, i / 3 + 1, "value %zu: row %llu", i,
                 (unsigned long long)err.row);
    cr_expect_eq(err.parameter, (int32_t)(i % 3 + 1), "value %zu", i);
  }
  cr_expect_eq(tn_backend_check_rows(backend, values, 101, 2, &err),
               TN_E_LIMIT);
  cr_expect_eq(err.row, 1);
}

Test(backend_value, an_array_is_as_good_as_its_items)
{
  static const char big[1001];
  static const uint8_t uuid[16];
  const tn_value numbers[] = { tn_int64(1), tn_null(), tn_int64(-1) };
  const tn_value bytes[] = { tn_blob(big, 1000), tn_blob(big, 1001) };
  const tn_value uuids[] = { tn_uuid(uuid) };
  const tn_value mixed[] = { tn_int64(1), tn_text("x") };
  const tn_value nested[] = { tn_array(TN_INT64, numbers, 3), tn_null(),
                              tn_array(TN_BLOB, bytes, 2) };
  const struct {
    tn_value value;
    const char *message; /* NULL: accepted */
  } cases[] = {
    { tn_array(TN_INT64, numbers, 3), NULL },
    { tn_array(TN_INT64, NULL, 0), NULL },
    { tn_array(TN_BLOB, bytes, 1), NULL },
    { tn_array(TN_ARRAY, nested, 2), NULL },
    { tn_array(TN_BLOB, bytes, 2), "parameter 1: 1001 bytes; fake takes 1000" },
    { tn_array(TN_ARRAY, nested, 3),
      "parameter 1: 1001 bytes; fake takes 1000" },
    { tn_array(TN_UUID, uuids, 1), "parameter 1: fake takes no array of uuid" },
    { tn_array(TN_UUID, NULL, 0), "parameter 1: fake takes no array of uuid" },
    { tn_array(TN_INT64, mixed, 2),
      "parameter 1: value: item 2 of an array of int64 is text" },
  };

  cr_assert_eq(make(), TN_OK);
  cr_expect_eq(tn_backend_check_values(backend, &cases[0].value, 1, &err),
               TN_E_UNSUPPORTED);
  cr_expect_str_eq(err.message, "parameter 1: fake takes no value of type "
                                "array");

  tn_backend_free(&backend);
  dialect.value_types |= 1u << TN_ARRAY;
  cr_assert_eq(make(), TN_OK);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    enum tn_code rc;

    tn_err_clear(&err);
    rc = tn_backend_check_values(backend, &cases[i].value, 1, &err);
    if (cases[i].message == NULL) {
      cr_expect_eq(rc, TN_OK, "case %zu: %s", i, err.message);
      continue;
    }
    cr_expect_neq(rc, TN_OK, "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu", i);
    cr_expect_eq(err.parameter, 1, "case %zu", i);
  }
}
