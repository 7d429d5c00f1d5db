/* What a column's metadata means. The rows are what MariaDB 10.11 and MySQL 8
 * send for a column of each type. */
#include "fields.h"

struct type_case {
  uint32_t number;
  uint32_t flags;
  unsigned long length;
  uint32_t charset;
  uint32_t decoder;
  uint32_t type;
  const char *name;
};

static const struct type_case cases[] = {
  { MYSQL_TYPE_NULL, BINARY_FLAG, 0, 63, MYSQL__AS_NULL, TN_NULL, "null" },
  { MYSQL_TYPE_TINY, 0, 4, 63, MYSQL__AS_INT8, TN_INT64, "tinyint" },
  { MYSQL_TYPE_TINY, 0, 1, 63, MYSQL__AS_BOOL, TN_BOOL, "tinyint(1)" },
  { MYSQL_TYPE_TINY, UNSIGNED_FLAG, 3, 63, MYSQL__AS_UINT8, TN_UINT64,
    "tinyint unsigned" },
  { MYSQL_TYPE_TINY, UNSIGNED_FLAG, 1, 63, MYSQL__AS_UINT8, TN_UINT64,
    "tinyint unsigned" },
  { MYSQL_TYPE_SHORT, 0, 6, 63, MYSQL__AS_INT16, TN_INT64, "smallint" },
  { MYSQL_TYPE_SHORT, UNSIGNED_FLAG, 5, 63, MYSQL__AS_UINT16, TN_UINT64,
    "smallint unsigned" },
  { MYSQL_TYPE_INT24, 0, 9, 63, MYSQL__AS_INT32, TN_INT64, "mediumint" },
  { MYSQL_TYPE_INT24, UNSIGNED_FLAG, 8, 63, MYSQL__AS_UINT32, TN_UINT64,
    "mediumint unsigned" },
  { MYSQL_TYPE_LONG, 0, 11, 63, MYSQL__AS_INT32, TN_INT64, "int" },
  { MYSQL_TYPE_LONG, BINARY_FLAG, 1, 63, MYSQL__AS_INT32, TN_INT64, "int" },
  { MYSQL_TYPE_LONG, UNSIGNED_FLAG | ZEROFILL_FLAG, 10, 63, MYSQL__AS_UINT32,
    TN_UINT64, "int unsigned" },
  { MYSQL_TYPE_LONGLONG, 0, 20, 63, MYSQL__AS_INT64, TN_INT64, "bigint" },
  { MYSQL_TYPE_LONGLONG, UNSIGNED_FLAG, 20, 63, MYSQL__AS_UINT64, TN_UINT64,
    "bigint unsigned" },
  { MYSQL_TYPE_YEAR, UNSIGNED_FLAG | ZEROFILL_FLAG, 4, 63, MYSQL__AS_INT16,
    TN_INT64, "year" },
  { MYSQL_TYPE_FLOAT, 0, 12, 63, MYSQL__AS_FLOAT, TN_DOUBLE, "float" },
  { MYSQL_TYPE_DOUBLE, UNSIGNED_FLAG, 22, 63, MYSQL__AS_DOUBLE, TN_DOUBLE,
    "double" },
  { MYSQL_TYPE_NEWDECIMAL, 0, 67, 63, MYSQL__AS_DECIMAL, TN_DECIMAL,
    "decimal" },
  { MYSQL_TYPE_DECIMAL, 0, 10, 63, MYSQL__AS_DECIMAL, TN_DECIMAL, "decimal" },
  { MYSQL_TYPE_BIT, UNSIGNED_FLAG, 1, 63, MYSQL__AS_BIT, TN_UINT64, "bit" },
  { MYSQL_TYPE_BIT, UNSIGNED_FLAG, 64, 63, MYSQL__AS_BIT, TN_UINT64, "bit" },
  { MYSQL_TYPE_DATE, BINARY_FLAG, 10, 63, MYSQL__AS_DATE, TN_DATE, "date" },
  { MYSQL_TYPE_TIME, BINARY_FLAG, 10, 63, MYSQL__AS_TIME, TN_TIME, "time" },
  { MYSQL_TYPE_DATETIME, BINARY_FLAG, 26, 63, MYSQL__AS_DATETIME, TN_TIMESTAMP,
    "datetime" },
  { MYSQL_TYPE_TIMESTAMP, BINARY_FLAG | UNSIGNED_FLAG, 26, 63, MYSQL__AS_MOMENT,
    TN_TIMESTAMP, "timestamp" },
  { MYSQL_TYPE_STRING, 0, 12, 45, MYSQL__AS_TEXT, TN_TEXT, "char" },
  { MYSQL_TYPE_STRING, BINARY_FLAG, 3, 63, MYSQL__AS_BLOB, TN_BLOB, "binary" },
  { MYSQL_TYPE_STRING, ENUM_FLAG, 4, 45, MYSQL__AS_TEXT, TN_TEXT, "enum" },
  { MYSQL_TYPE_STRING, SET_FLAG, 12, 45, MYSQL__AS_TEXT, TN_TEXT, "set" },
  { MYSQL_TYPE_ENUM, 0, 4, 45, MYSQL__AS_TEXT, TN_TEXT, "enum" },
  { MYSQL_TYPE_SET, 0, 4, 45, MYSQL__AS_TEXT, TN_TEXT, "set" },
  { MYSQL_TYPE_STRING, ENUM_FLAG | BINARY_FLAG, 1, 63, MYSQL__AS_BLOB, TN_BLOB,
    "enum" },
  { MYSQL_TYPE_VAR_STRING, 0, 40, 45, MYSQL__AS_TEXT, TN_TEXT, "varchar" },
  { MYSQL_TYPE_VAR_STRING, BINARY_FLAG, 40, 46, MYSQL__AS_TEXT, TN_TEXT,
    "varchar" },
  { MYSQL_TYPE_VAR_STRING, BINARY_FLAG, 9, 63, MYSQL__AS_BLOB, TN_BLOB,
    "varbinary" },
  { MYSQL_TYPE_VARCHAR, 0, 9, 255, MYSQL__AS_TEXT, TN_TEXT, "varchar" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG, 1020, 45, MYSQL__AS_TEXT, TN_TEXT, "tinytext" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG, 262140, 45, MYSQL__AS_TEXT, TN_TEXT, "text" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG, 67108860, 45, MYSQL__AS_TEXT, TN_TEXT,
    "mediumtext" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG, 4294967295UL, 45, MYSQL__AS_TEXT, TN_TEXT,
    "longtext" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG | BINARY_FLAG, 255, 63, MYSQL__AS_BLOB, TN_BLOB,
    "tinyblob" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG | BINARY_FLAG, 65535, 63, MYSQL__AS_BLOB,
    TN_BLOB, "blob" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG | BINARY_FLAG, 16777215, 63, MYSQL__AS_BLOB,
    TN_BLOB, "mediumblob" },
  { MYSQL_TYPE_BLOB, BLOB_FLAG | BINARY_FLAG, 4294967295UL, 63, MYSQL__AS_BLOB,
    TN_BLOB, "longblob" },
  { MYSQL_TYPE_TINY_BLOB, 0, 1020, 45, MYSQL__AS_TEXT, TN_TEXT, "tinytext" },
  { MYSQL_TYPE_MEDIUM_BLOB, 0, 1600016, 45, MYSQL__AS_TEXT, TN_TEXT,
    "mediumtext" },
  { MYSQL_TYPE_LONG_BLOB, BINARY_FLAG, 5, 63, MYSQL__AS_BLOB, TN_BLOB,
    "longblob" },
  { MYSQL_TYPE_JSON, BLOB_FLAG | BINARY_FLAG, 4294967295UL, 63, MYSQL__AS_JSON,
    TN_JSON, "json" },
  { MYSQL_TYPE_GEOMETRY, BLOB_FLAG | BINARY_FLAG, 4294967295UL, 63,
    MYSQL__AS_OTHER, TN_OTHER, "geometry" },
};

Test(types, every_column_type_has_its_type_its_name_and_its_reader)
{
  static char name[] = "c";
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    const struct type_case *c = &cases[i];
    MYSQL_FIELD field =
        make_field(name, c->number, c->flags, c->length, c->charset);
    struct mysql__type type;

    memset(&type, 0xaa, sizeof type);
    mysql__type_of(&field, &type);
    cr_expect_eq(type.decoder, c->decoder, "case %zu: \"%s\": decoder %u", i,
                 c->name, (unsigned)type.decoder);
    cr_expect_eq(type.type, c->type, "case %zu: \"%s\": type %u", i, c->name,
                 (unsigned)type.type);
    cr_expect_str_eq(type.name, c->name, "case %zu: \"%s\"", i, c->name);
    cr_expect_eq(type.name_size, strlen(c->name), "case %zu", i);
    cr_expect(type.is_known, "case %zu: \"%s\"", i, c->name);
  }
}

Test(types, no_number_is_without_a_type)
{
  static char name[] = "c";
  uint32_t number;

  for (number = 0; number < 300; number++) {
    MYSQL_FIELD field = make_field(name, number, 0, 4, UTF8MB4);
    struct mysql__type type;

    mysql__type_of(&field, &type);
    cr_expect(type.decoder > 0 && type.decoder < MYSQL__DECODER_COUNT,
              "type %u", (unsigned)number);
    cr_expect(type.type >= TN_NULL && type.type <= TN_OTHER, "type %u",
              (unsigned)number);
    cr_expect_eq(type.is_known,
                 type.decoder != MYSQL__AS_OTHER ||
                     number == MYSQL_TYPE_GEOMETRY,
                 "type %u", (unsigned)number);
  }
}

/* Numbers that belong in a binary log. */
Test(types, a_type_that_the_library_cannot_fetch_is_marked)
{
  static const uint32_t numbers[] = { MYSQL_TYPE_NEWDATE,
                                      MYSQL_TYPE_TIMESTAMP2,
                                      MYSQL_TYPE_DATETIME2,
                                      MYSQL_TYPE_TIME2,
                                      100,
                                      243 };
  static char name[] = "c";
  size_t i;

  for (i = 0; i < COUNT(numbers); i++) {
    MYSQL_FIELD field = make_field(name, numbers[i], 0, 4, MYSQL__BINARY);
    struct mysql__type type;

    mysql__type_of(&field, &type);
    cr_expect_not(type.is_known, "type %u", (unsigned)numbers[i]);
    cr_expect_str_eq(type.name, "unknown");
  }
}
