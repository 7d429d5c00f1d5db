/* The buffers that a result is fetched into. */
#include "fields.h"
#include "oom.h"

static char name_id[] = "id";
static char name_text[] = "text";
static char name_blob[] = "data";

static void
three_fields(MYSQL_FIELD fields[3])
{
  fields[0] = make_field(name_id, MYSQL_TYPE_LONGLONG, UNSIGNED_FLAG, 20, 63);
  fields[1] = make_field(name_text, MYSQL_TYPE_VAR_STRING, 0, 40, UTF8MB4);
  fields[2] =
      make_field(name_blob, MYSQL_TYPE_BLOB, BINARY_FLAG, 4294967295UL, 63);
}

Test(reader, columns_and_binds_follow_the_fields)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD fields[3];

  fake_call_init(&fake, NULL);
  three_fields(fields);
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  cr_expect_eq(reader.count, 3);
  cr_expect(reader.is_stale);
  cr_expect_str_eq(reader.columns[0].name, "id");
  cr_expect_str_eq(reader.columns[0].type_name, "bigint unsigned");
  cr_expect_eq(reader.columns[0].type, TN_UINT64);
  cr_expect_str_eq(reader.columns[2].type_name, "longblob");
  cr_expect_eq(reader.binds[0].buffer_type, MYSQL_TYPE_LONGLONG);
  cr_expect(reader.binds[0].is_unsigned);
  cr_expect_eq(reader.binds[1].buffer_type, MYSQL_TYPE_BLOB);
  cr_expect_eq(reader.binds[1].buffer_length, 48);
  cr_expect_lt(reader.binds[2].buffer_length, 1024,
               "4 GiB are not set aside beforehand");
  mysql__reader_clear(&reader);
  cr_expect_null(reader.memory);
  mysql__reader_clear(&reader);
}

Test(reader, names_are_copied)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD field;
  char name[] = "first";

  fake_call_init(&fake, NULL);
  field = make_field(name, MYSQL_TYPE_LONG, 0, 11, 63);
  cr_assert_eq(mysql__reader_set(&reader, &field, 1, false, &fake.call), TN_OK);
  memset(name, 'x', sizeof name - 1);
  cr_expect_str_eq(reader.columns[0].name, "first");
  mysql__reader_clear(&reader);
}

Test(reader, the_same_fields_change_nothing)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD fields[3];
  const struct tn_column *columns;

  fake_call_init(&fake, NULL);
  three_fields(fields);
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  columns = reader.columns;
  reader.is_stale = false;
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  cr_expect_eq(reader.columns, columns);
  cr_expect_not(reader.is_stale);
  mysql__reader_clear(&reader);
}

/* Each edit makes another result of it. */
static void
change_type(MYSQL_FIELD *field)
{
  field->type = MYSQL_TYPE_STRING;
}

static void
change_name(MYSQL_FIELD *field)
{
  static char other[] = "other";

  field->name = other;
}

static void
change_length(MYSQL_FIELD *field)
{
  field->length = 44;
}

static void
change_charset(MYSQL_FIELD *field)
{
  field->charsetnr = MYSQL__BINARY;
}

static void
change_flags(MYSQL_FIELD *field)
{
  field->flags = ENUM_FLAG;
}

static void
change_decimals(MYSQL_FIELD *field)
{
  field->decimals = 3;
}

Test(reader, whatever_changes_in_a_field_is_noticed)
{
  static void (*const edits[])(MYSQL_FIELD * field) = {
    change_type,    change_name,  change_length,
    change_charset, change_flags, change_decimals,
  };
  struct fake_call fake;
  size_t i;

  fake_call_init(&fake, NULL);
  for (i = 0; i < COUNT(edits); i++) {
    struct mysql__reader reader = { 0 };
    MYSQL_FIELD fields[3];

    three_fields(fields);
    cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call),
                 TN_OK);
    reader.is_stale = false;
    edits[i](&fields[1]);
    cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call),
                 TN_OK);
    cr_expect(reader.is_stale, "case %zu", i);
    cr_expect_str_eq(reader.columns[1].name, fields[1].name, "case %zu", i);
    mysql__reader_clear(&reader);
  }
}

/* The core looks whether there is another set before it is done with one. */
Test(reader, columns_stay_while_the_next_set_is_looked_for)
{
  struct mysql__reader reader = { 0 };
  const struct tn_column *columns;
  struct fake_call fake;
  MYSQL_FIELD fields[3];

  fake_call_init(&fake, NULL);
  three_fields(fields);
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  columns = reader.columns;
  cr_assert_eq(mysql__reader_set(&reader, fields + 1, 2, false, &fake.call),
               TN_OK);
  cr_expect_neq(reader.columns, columns);
  cr_expect_str_eq(columns[0].name, "id");
  cr_expect_str_eq(columns[2].type_name, "longblob");
  columns = reader.columns;
  cr_assert_eq(mysql__reader_set(&reader, fields + 2, 1, true, &fake.call),
               TN_OK);
  cr_expect_str_eq(columns[0].name, "text");
  mysql__reader_clear(&reader);
}

Test(reader, another_count_and_another_protocol_are_noticed)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD fields[3];

  fake_call_init(&fake, NULL);
  three_fields(fields);
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  reader.is_stale = false;
  cr_assert_eq(mysql__reader_set(&reader, fields, 2, false, &fake.call), TN_OK);
  cr_expect(reader.is_stale);
  cr_expect_eq(reader.count, 2);
  cr_assert_eq(mysql__reader_set(&reader, fields, 2, true, &fake.call), TN_OK);
  cr_expect(reader.is_text);
  mysql__reader_clear(&reader);
}

Test(reader, a_type_the_library_cannot_fetch_is_refused_but_not_as_text)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD fields[2];

  fake_call_init(&fake, NULL);
  fields[0] = number_field(MYSQL_TYPE_LONG, 0);
  fields[1] = number_field(242, 0);
#if defined(MARIADB_PACKAGE_VERSION) || MYSQL_VERSION_ID < 90000
  cr_expect_eq(mysql__reader_set(&reader, fields, 2, false, &fake.call),
               TN_E_UNSUPPORTED);
  cr_expect_str_eq(fake.err.message,
                   "mysql: column 2 has the type 242, which the client library "
                   "cannot read");
  cr_expect_null(reader.memory);
#endif
  cr_expect_eq(mysql__reader_set(&reader, fields, 2, true, &fake.call), TN_OK);
  cr_expect_str_eq(reader.columns[1].type_name, "vector");
  mysql__reader_clear(&reader);
}

Test(reader, more_columns_than_a_server_has_are_refused)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD field = number_field(MYSQL_TYPE_LONG, 0);

  fake_call_init(&fake, NULL);
  cr_expect_eq(
      mysql__reader_set(&reader, &field, 4000000000u, true, &fake.call),
      TN_E_LIMIT);
  cr_expect_null(reader.memory);
}

Test(reader, a_statement_that_is_not_prepared_cannot_be_bound)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD fields[3];
  MYSQL *mysql = mysql_init(NULL);
  MYSQL_STMT *stmt;

  cr_assert_not_null(mysql);
  stmt = mysql_stmt_init(mysql);
  cr_assert_not_null(stmt);
  fake_call_init(&fake, NULL);
  three_fields(fields);
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  cr_expect_eq(mysql__reader_bind(&reader, stmt, &fake.call), TN_E_INTERNAL);
  cr_expect(reader.is_stale);
  mysql__reader_clear(&reader);
  mysql_stmt_close(stmt);
  mysql_close(mysql);
}

/* There is no row to fetch it from. */
Test(reader, a_value_that_cannot_be_fetched_again_is_an_error)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  MYSQL_FIELD fields[3];
  MYSQL *mysql = mysql_init(NULL);
  MYSQL_STMT *stmt;
  tn_value cells[3];

  cr_assert_not_null(mysql);
  stmt = mysql_stmt_init(mysql);
  cr_assert_not_null(stmt);
  fake_call_init(&fake, NULL);
  three_fields(fields);
  cr_assert_eq(mysql__reader_set(&reader, fields, 3, false, &fake.call), TN_OK);
  reader.is_stale = false;
  reader.cells[0].is_null = 1;
  reader.cells[1].length = 100;
  cr_expect_eq(mysql__decode_row(&reader, stmt, cells, &fake.call),
               TN_E_INTERNAL);
  mysql__reader_clear(&reader);
  mysql_stmt_close(stmt);
  mysql_close(mysql);
}

/* As above, but that the buffer cannot be had. */
Test(reader, out_of_memory_is_told_and_leaves_nothing_behind)
{
  MYSQL *mysql = mysql_init(NULL);
  MYSQL_STMT *stmt;
  long nth;

  cr_assert_not_null(mysql);
  stmt = mysql_stmt_init(mysql);
  cr_assert_not_null(stmt);
  for (nth = 1;; nth++) {
    struct mysql__reader reader = { 0 };
    struct fake_call fake;
    MYSQL_FIELD fields[3];
    tn_value cells[3];
    int32_t rc;

    fake_call_init(&fake, NULL);
    three_fields(fields);
    oom_fail_nth(nth, false);
    rc = mysql__reader_set(&reader, fields, 3, false, &fake.call);
    if (rc == TN_OK) {
      reader.cells[0].is_null = 1;
      reader.cells[1].length = 300;
      reader.cells[2].is_null = 1;
      rc = mysql__decode_row(&reader, stmt, cells, &fake.call);
      mysql__reader_rest(&reader);
    }
    cr_expect_eq(rc, oom_count() < nth ? TN_E_INTERNAL : TN_E_MEMORY,
                 "allocation %ld", nth);
    mysql__reader_clear(&reader);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  cr_expect_eq(nth, 3);
  oom_reset();
  mysql_stmt_close(stmt);
  mysql_close(mysql);
}
