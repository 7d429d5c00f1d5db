/* The table of types: complete, consistent, found by OID. */
#include "bytes.h"

/* All OIDs of built-in types lie below. */
#define OID_MAX 10000

Test(types, what_is_found_has_the_oid_asked_for)
{
  unsigned found = 0;
  uint32_t oid;

  for (oid = 0; oid < OID_MAX; oid++) {
    const struct pg__type *type = pg__type_find(oid);

    if (type == NULL)
      continue;
    cr_expect_eq(type->oid, oid);
    cr_expect_not_null(type->parse, "%s", type->name);
    cr_expect_not_null(type->encode, "%s", type->name);
    cr_expect_neq(type->name[0], '\0', "%u", (unsigned)oid);
    cr_expect_neq(type->tn_type, 0, "%s", type->name);
    found++;
  }
  cr_expect_eq(found, 159, "%u", found);
}

Test(types, arrays_and_elements_know_one_another)
{
  char name[64];
  uint32_t oid;

  for (oid = 0; oid < OID_MAX; oid++) {
    const struct pg__type *type = pg__type_find(oid);
    const struct pg__type *other;

    if (type != NULL && type->array != 0) {
      other = pg__type_find(type->array);
      cr_assert_not_null(other, "%s", type->name);
      snprintf(name, sizeof name, "%s[]", type->name);
      cr_expect_str_eq(other->name, name);
      cr_expect(other->element == oid || type->element != 0, "%s", name);
    }
    if (type != NULL && type->element != 0) {
      other = pg__type_find(type->element);
      cr_assert_not_null(other, "%s", type->name);
      cr_expect_eq(type->tn_type, TN_ARRAY, "%s", type->name);
    }
  }
}

Test(types, an_oid_that_is_not_built_in_is_not_found)
{
  static const uint32_t oids[] = { 0, 1, 15, 71, 16384, 4294967295 };
  size_t i;

  for (i = 0; i < COUNT(oids); i++)
    cr_expect_null(pg__type_find(oids[i]), "%u", (unsigned)oids[i]);
}

Test(types, a_value_knows_the_type_that_holds_it)
{
  static const uint8_t uuid[16] = { 0 };
  const tn_value number = tn_int64(1);
  const tn_value nulls[2] = { tn_null(), tn_null() };
  const tn_value zoned[2] = { tn_null(), tn_timestamp_zoned(0, 0) };
  const tn_value inner[2] = { tn_array(TN_INT64, NULL, 0),
                              tn_array(TN_INT64, &number, 1) };
  const tn_value other = tn_bytes(TN_OTHER, "1 day", 5);
  const struct {
    tn_value value;
    uint32_t oid;
  } cases[] = {
    { tn_null(), 0 },
    { tn_bool(1), 16 },
    { tn_int64(1), 20 },
    { tn_uint64(1), 1700 },
    { tn_double(1), 701 },
    { tn_decimal("1"), 1700 },
    { tn_text("a"), 25 },
    { tn_blob("a", 1), 17 },
    { tn_date(0), 1082 },
    { tn_time(0), 1083 },
    { tn_timestamp(0), 1114 },
    { tn_timestamp_zoned(0, 3600), 1184 },
    { tn_uuid(uuid), 2950 },
    { tn_json("1"), 114 },
    { other, 0 },
    { tn_array(TN_INT64, &number, 1), 1016 },
    { tn_array(TN_INT64, NULL, 0), 1016 },
    { tn_array(TN_TEXT, nulls, 2), 1009 },
    { tn_array(TN_TIMESTAMP, zoned, 2), 1185 },
    { tn_array(TN_TIMESTAMP, NULL, 0), 1115 },
    { tn_array(TN_ARRAY, inner, 2), 1016 },
    { tn_array(TN_ARRAY, inner, 1), 0 },
    { tn_array(TN_OTHER, &other, 1), 0 },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++)
    cr_expect_eq(pg__oid_of_value(&cases[i].value), cases[i].oid, "case %zu",
                 i);
}
