/* Names and values from the server's texts. The texts are those of MariaDB
 * 10.11 unless a row says MySQL's. */
#include <criterion/criterion.h>

#include "fake_host.h"
#include "my_priv.h"

struct message_case {
  unsigned number;
  bool is_mysql;
  const char *text;
  const char *schema;
  const char *table;
  const char *columns; /* between commas */
  const char *constraint;
  const char *value;
};

static const struct message_case cases[] = {
  { 1062, false, "Duplicate entry '5' for key 'c1'", "", "", "", "c1", "5" },
  { 1062, false, "Duplicate entry 'it's' for key 'uq'", "", "", "", "uq",
    "it's" },
  { 1062, false, "Duplicate entry 'a' for key 'b' for key 'uq'", "", "", "",
    "uq", "a' for key 'b" },
  { 1062, false, "Duplicate entry '' for key 'PRIMARY'", "", "", "", "PRIMARY",
    "" },
  { 1062, false, "Duplicate entry 'x' for key 'with.dot'", "", "", "",
    "with.dot", "x" },
  { 1062, true, "Duplicate entry '5' for key 'users.c1'", "", "users", "", "c1",
    "5" },
  { 1569, false,
    "ALTER TABLE causes auto_increment resequencing, resulting in duplicate "
    "entry '1' for key 'PRIMARY'",
    "", "", "", "PRIMARY", "1" },
  { 1452, false,
    "Cannot add or update a child row: a foreign key constraint fails "
    "(`shop`.`child2`, CONSTRAINT `c2_fk` FOREIGN KEY (`a`, `b`) REFERENCES "
    "`parent2` (`a`, `b`))",
    "shop", "child2", "a,b", "c2_fk", "" },
  { 1451, false,
    "Cannot delete or update a parent row: a foreign key constraint fails "
    "(`shop`.`or``ders`, CONSTRAINT `fk``1` FOREIGN KEY (`cu``st`) REFERENCES "
    "`customers` (`id`) ON DELETE CASCADE)",
    "shop", "or`ders", "cu`st", "fk`1", "" },
  { 1451, false,
    "Cannot delete or update a parent row: a foreign key constraint fails", "",
    "", "", "", "" },
  { 1701, false,
    "Cannot truncate a table referenced in a foreign key constraint "
    "(`shop`.`child4`, CONSTRAINT `c4_fk` FOREIGN KEY (`b`) REFERENCES "
    "`shop`.`parent` (`id`))",
    "shop", "child4", "b", "c4_fk", "" },
  { 3730, true,
    "Cannot drop table 'parent' referenced by a foreign key constraint "
    "'child_fk' on table 'child'.",
    "", "child", "", "child_fk", "" },
  { 4025, false, "CONSTRAINT `ck_age` failed for `shop`.`users`", "shop",
    "users", "", "ck_age", "" },
  { 4025, false, "CONSTRAINT `users.age` failed for `shop`.`users`", "shop",
    "users", "age", "age", "" },
  { 4025, false, "CONSTRAINT `a.b.c.d` failed for `shop`.`a.b`", "shop", "a.b",
    "c.d", "c.d", "" },
  { 4025, false, "CONSTRAINT `user.age` failed for `shop`.`users`", "shop",
    "users", "", "user.age", "" },
  { 4025, false, "CONSTRAINT `users.` failed for `shop`.`users`", "shop",
    "users", "", "users.", "" },
  { 3819, true, "Check constraint 'users_chk_1' is violated.", "", "", "",
    "users_chk_1", "" },
  { 1048, false, "Column 'name' cannot be null", "", "", "name", "", "" },
  { 1364, false, "Field 'name' doesn't have a default value", "", "", "name",
    "", "" },
  { 1264, false, "Out of range value for column 'b' at row 1", "", "", "b", "",
    "" },
  { 1265, false, "Data truncated for column 'e' at row 1", "", "", "e", "",
    "" },
  { 1406, false, "Data too long for column 'resource' at row 1", "", "",
    "resource", "", "" },
  { 1366, false,
    "Incorrect string value: '\\xF0\\x9F\\x98\\x80' for column "
    "`shop`.`users`.`name` at row 1",
    "shop", "users", "name", "", "\\xF0\\x9F\\x98\\x80" },
  { 1366, true, "Incorrect integer value: 'abc' for column 'n' at row 1", "",
    "", "n", "", "abc" },
  { 1292, false,
    "Incorrect datetime value: '2020-13-45' for column `shop`.`t9`.`d` at row "
    "1",
    "shop", "t9", "d", "", "2020-13-45" },
  { 1292, false, "Truncated incorrect DOUBLE value: 'x'", "", "", "", "", "x" },
  { 1146, false, "Table 'shop.nope' doesn't exist", "shop", "nope", "", "",
    "" },
  { 1051, false, "Unknown table 'shop.nope'", "shop", "nope", "", "", "" },
  { 1051, true, "Unknown table 'nope'", "", "nope", "", "", "" },
  { 4092, false, "Unknown VIEW: 'shop.nope_view'", "shop", "nope_view", "", "",
    "" },
  { 1054, false, "Unknown column 'nocol' in 'SELECT'", "", "", "nocol", "",
    "" },
  { 1054, false, "Unknown column 't.nocol' in 'field list'", "", "t", "nocol",
    "", "" },
  { 1091, false, "Can't DROP FOREIGN KEY `nope_fk`; check that it exists", "",
    "", "", "nope_fk", "" },
  { 1091, false, "Can't DROP COLUMN `nope_col`; check that it exists", "", "",
    "nope_col", "", "" },
  { 1091, true, "Can't DROP 'nope_fk'; check that column/key exists", "", "",
    "", "nope_fk", "" },
  { 1049, false, "Unknown database 'nope_db'", "nope_db", "", "", "", "" },
  { 1060, false, "Duplicate column name 'c1'", "", "", "c1", "", "" },
  { 1061, false, "Duplicate key name 'c1'", "", "", "", "c1", "" },
  { 1142, false,
    "SELECT command denied to user 'u'@'h' for table `shop`.`users`", "shop",
    "users", "", "", "" },
  { 1020, false, "Record has changed since last read in table 'users'", "",
    "users", "", "", "" },
  /* A text in another language, or a number without names. */
  { 1062, false, "Doppelter Eintrag '5' für Schlüssel 'c1'", "", "", "", "",
    "" },
  { 1062, false, "", "", "", "", "", "" },
  { 1213, false, "Deadlock found when trying to get lock", "", "", "", "", "" },
};

static void
join_columns(const tn_err *err, char *text, size_t size)
{
  uint32_t i;

  text[0] = '\0';
  for (i = 0; i < err->column_count; i++)
    snprintf(text + strlen(text), size - strlen(text), "%s%s",
             i == 0 ? "" : ",", tn_err_column(err, i));
}

Test(messages, the_names_and_values_of_a_text_become_fields)
{
  struct fake_call fake;
  char columns[300];
  size_t i;

  fake_call_init(&fake, &mysql__dialect_table);
  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    const struct message_case *c = &cases[i];

    tn_fail(&fake.call, TN_E_OTHER, "%s", c->text);
    mysql__message_fields(&fake.call, c->number, c->text, !c->is_mysql);
    join_columns(&fake.err, columns, sizeof columns);
    cr_expect_str_eq(fake.err.schema, c->schema, "case %zu: \"%s\"", i,
                     c->text);
    cr_expect_str_eq(fake.err.table, c->table, "case %zu: \"%s\"", i, c->text);
    cr_expect_str_eq(columns, c->columns, "case %zu: \"%s\": %s", i, c->text,
                     columns);
    cr_expect_str_eq(fake.err.constraint, c->constraint, "case %zu: \"%s\"", i,
                     c->text);
    cr_expect_str_eq(fake.err.value, c->value, "case %zu: \"%s\"", i, c->text);
  }
}

Test(messages, a_syntax_error_is_found_where_the_text_is_once_in_that_line)
{
  static const struct {
    const char *message;
    const char *sql;
    int32_t position;
  } positions[] = {
    { "… right syntax to use near 'selec 1' at line 1", "selec 1", 1 },
    { "… near 'FROM WHERE' at line 1", "SELECT FROM WHERE", 8 },
    { "… near 'x y' at line 2", "SELECT 'x y',\nx y", 15 },
    { "… near 'x y' at line 1", "x y, x y", 0 },
    { "… near '' at line 1", "SELECT (", 9 },
    { "… near 'é x' at line 1", "SELECT 'ä' é x", 12 },
    { "… near 'it's' at line 3' at line 1", "it's' at line 3", 1 },
    { "… near 'gone' at line 1", "SELECT 1", 0 },
    { "no such words", "SELECT 1", 0 },
    { "near 'SELECT", "SELECT 1", 0 },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(positions); i++)
    cr_expect_eq(
        mysql__message_position(positions[i].message, positions[i].sql),
        positions[i].position, "case %zu: \"%s\": %d", i, positions[i].message,
        mysql__message_position(positions[i].message, positions[i].sql));
}

Test(messages, of_a_foreign_key_name_its_other_table)
{
  static const struct {
    unsigned number;
    const char *text;
    const char *key;
    const char *other;
  } rows[] = {
    { 1452,
      "Cannot add or update a child row: a foreign key constraint fails "
      "(`shop`.`child2`, CONSTRAINT `c2_fk` FOREIGN KEY (`a`, `b`) REFERENCES "
      "`parent2` (`a`, `b`))",
      "a, b", "parent2" },
    { 1451,
      "Cannot delete or update a parent row: a foreign key constraint fails "
      "(`shop`.`o`, CONSTRAINT `fk` FOREIGN KEY (`c`) REFERENCES "
      "`crm`.`p``9` (`id`) ON DELETE CASCADE)",
      "c", "p`9" },
    { 1451,
      "Cannot delete or update a parent row: a foreign key constraint fails "
      "(`shop`.`o`, CONSTRAINT `fk` FOREIGN KEY (`c`) REFERENCES `with.dot` "
      "(`id`))",
      "c", "with.dot" },
    { 1701,
      "Cannot truncate a table referenced in a foreign key constraint "
      "(`shop`.`child4`, CONSTRAINT `c4_fk` FOREIGN KEY (`b`) REFERENCES "
      "`shop`.`parent` (`id`))",
      "b", "parent" },
    { 3730,
      "Cannot drop table 'parent' referenced by a foreign key constraint "
      "'child_fk' on table 'child'.",
      "", "parent" },
    { 1451,
      "Cannot delete or update a parent row: a foreign key constraint fails",
      "", "" },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(rows); i++) {
    struct fake_call fake;

    fake_call_init(&fake, NULL);
    tn_fail(&fake.call, TN_E_REFERENCE, "%s", "x");
    mysql__message_fields(&fake.call, rows[i].number, rows[i].text, true);
    cr_expect_str_eq(fake.err.key, rows[i].key, "case %zu: %s", i,
                     fake.err.key);
    cr_expect_str_eq(tn_err_key_table(&fake.err), rows[i].other, "case %zu: %s",
                     i, tn_err_key_table(&fake.err));
  }
}
