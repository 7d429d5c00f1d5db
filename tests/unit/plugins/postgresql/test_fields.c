/* Names and values are found in what the server says, in its own languages
 * too. */
#include <criterion/criterion.h>

#include "fake_host.h"
#include "pg_priv.h"

struct row {
  int32_t category;
  const char *message;
  const char *detail;
  const char *sql;
  int position;
  const char *schema;
  const char *table;
  const char *columns; /* joined by ' ' */
  const char *constraint;
  const char *key;
  const char *value;
};

/* clang-format off */
static const struct row rows[] = {
  { TN_E_NO_DATABASE, "database \"nope\" does not exist", NULL, NULL, 0, "nope", "", "", "", "", "" },
  { TN_E_NO_DATABASE, "Schema \xc2\xbbnope\xc2\xab existiert nicht", NULL, NULL, 0, "nope", "", "", "", "", "" },
  { TN_E_NO_TABLE, "relation \"nope\" does not exist", NULL, NULL, 0, "", "nope", "", "", "", "" },
  { TN_E_NO_TABLE, "relation \"a.nope\" does not exist", NULL, NULL, 0, "a", "nope", "", "", "", "" },
  { TN_E_NO_TABLE, "Relation \xc2\xbbnope\xc2\xab existiert nicht", NULL, NULL, 0, "", "nope", "", "", "", "" },
  { TN_E_NO_TABLE, "la relation \xc2\xab\xc2\xa0nope\xc2\xa0\xc2\xbb n'existe pas", NULL, NULL, 0, "", "nope", "", "", "", "" },
  { TN_E_NO_TABLE, "relacja \xe2\x80\x9enope\xe2\x80\x9d nie istnieje", NULL, NULL, 0, "", "nope", "", "", "", "" },
  { TN_E_NO_TABLE, "no quotes", NULL, "SELECT * FROM Nope", 15, "", "nope", "", "", "", "" },
  { TN_E_NO_TABLE, "no quotes", NULL, "SELECT * FROM \"No\"\"pe\"", 15, "", "No\"pe", "", "", "", "" },
  { TN_E_NO_TABLE, "no quotes", NULL, "SELECT", 15, "", "", "", "", "", "" },
  { TN_E_NO_COLUMN, "column \"x\" does not exist", NULL, NULL, 0, "", "", "x", "", "", "" },
  { TN_E_NO_COLUMN, "column \"x\" of relation \"t\" does not exist", NULL, NULL, 0, "", "t", "x", "", "", "" },
  { TN_E_NO_COLUMN, "column t.x does not exist", NULL, "SELECT '\xc3\xbc', t.x", 13, "", "", "x", "", "", "" },
  { TN_E_NO_COLUMN, "column t.x does not exist", NULL, NULL, 0, "", "", "", "", "", "" },
  { TN_E_NO_CONSTRAINT, "constraint \"c\" of relation \"t\" does not exist", NULL, NULL, 0, "", "t", "", "c", "", "" },
  { TN_E_DUPLICATE, "", "Key (c1)=(5) already exists.", NULL, 0, "", "", "c1", "", "c1", "5" },
  { TN_E_DUPLICATE, "", "Schl\xc3\xbcssel \xc2\xbb(c1)=(5)\xc2\xab existiert bereits.", NULL, 0, "", "", "c1", "", "c1", "5" },
  { TN_E_DUPLICATE, "", "Key (name, deleted)=(2, 3) already exists.", NULL, 0, "", "", "name deleted", "", "name, deleted", "2, 3" },
  { TN_E_DUPLICATE, "", "Key (lower(n), \"Odd\")=(bob, 1) already exists.", NULL, 0, "", "", "lower(n) Odd", "", "lower(n), \"Odd\"", "bob, 1" },
  { TN_E_DUPLICATE, "", "Key (n)=(a)=(b) already exists.", NULL, 0, "", "", "n", "", "n", "a)=(b" },
  { TN_E_DUPLICATE, "", "Key (n)=() already exists.", NULL, 0, "", "", "n", "", "n", "" },
  { TN_E_DUPLICATE, "", "Key (n)=(:-)) already exists.", NULL, 0, "", "", "n", "", "n", ":-)" },
  { TN_E_DUPLICATE, "", "Key (\"c,d\", e)=(1, 2) already exists.", NULL, 0, "", "", "c,d e", "", "\"c,d\", e", "1, 2" },
  { TN_E_DUPLICATE, "", "Key (\"a)\"\"(b\", \"c\" COLLATE \"C\")=(1, 2) already exists.", NULL, 0, "", "", "a)\"(b \"c\" COLLATE \"C\"", "", "\"a)\"\"(b\", \"c\" COLLATE \"C\"", "1, 2" },
  { TN_E_DUPLICATE, "", "Key ((n || '), '::text))=(x), ) already exists.", NULL, 0, "", "", "(n || '), '::text)", "", "(n || '), '::text)", "x), " },
  { TN_E_DUPLICATE, "", "Key (\"n)=(1) already exists.", NULL, 0, "", "", "", "", "", "" },
  { TN_E_DUPLICATE, "", "Key (n=(", NULL, 0, "", "", "", "", "", "" },
  { TN_E_DUPLICATE, "", "no key at all", NULL, 0, "", "", "", "", "", "" },
  { TN_E_EXCLUSION, "", "Key (r)=([1,3)) conflicts with existing key (r)=([2,4)).", NULL, 0, "", "", "r", "", "r", "[1,3)" },
  { TN_E_EXCLUSION, "", "Key (r)=([7,9)) conflicts with existing key (r)=((6,8]).", NULL, 0, "", "", "r", "", "r", "[7,9)" },
  { TN_E_EXCLUSION, "", "Schl\xc3\xbcssel (a, r)=((x, :-)) kollidiert mit vorhandenem Schl\xc3\xbcssel (a, r)=(), [1,3)).", NULL, 0, "", "", "a r", "", "a, r", "(x, :-)" },
  { TN_E_EXCLUSION, "", "Key (n)=(a) conflicts with existing key (n)=(b) conflicts with existing key (n)=(c).", NULL, 0, "", "", "n", "", "n", "" },
  { TN_E_EXCLUSION, "", "Key (n)=(a) conflicts", NULL, 0, "", "", "n", "", "n", "" },
  { TN_E_REFERENCE, "", "Key (a, b)=(1, 2) is not present in table \"p\".", NULL, 0, "", "", "", "", "a, b", "1, 2" },
  { TN_E_SYNTAX, "syntax error at \"x\"", "(a)=(b)", NULL, 0, "", "", "", "", "", "" },
};
/* clang-format on */

static void
join_columns(const tn_err *err, char *text, size_t size)
{
  const char *column;
  uint32_t i;

  text[0] = '\0';
  for (i = 0; (column = tn_err_column(err, i)) != NULL; i++)
    snprintf(text + strlen(text), size - strlen(text), "%s%s",
             i == 0 ? "" : " ", column);
}

Test(fields, are_found_in_texts)
{
  size_t i;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *row = &rows[i];
    const struct pg__texts texts = { .category = row->category,
                                     .message = row->message,
                                     .detail = row->detail,
                                     .sql = row->sql,
                                     .position = row->position };
    struct fake_call fake;
    char columns[256];

    fake_call_init(&fake, NULL);
    tn_fail(&fake.call, row->category, "%s", "x");
    pg__fail_fields(&fake.call, &texts);
    join_columns(&fake.err, columns, sizeof columns);
    cr_expect_str_eq(fake.err.schema, row->schema, "case %zu", i);
    cr_expect_str_eq(fake.err.table, row->table, "case %zu", i);
    cr_expect_str_eq(columns, row->columns, "case %zu", i);
    cr_expect_str_eq(fake.err.constraint, row->constraint, "case %zu", i);
    cr_expect_str_eq(fake.err.key, row->key, "case %zu", i);
    cr_expect_str_eq(fake.err.value, row->value, "case %zu", i);
  }
}

Test(fields, do_not_take_the_place_of_those_of_the_protocol)
{
  const struct pg__texts texts = { .category = TN_E_NO_TABLE,
                                   .message = "relation \"a\" is missing",
                                   .has_table = true };
  struct fake_call fake;

  fake_call_init(&fake, NULL);
  tn_fail(&fake.call, TN_E_NO_TABLE, "%s", "x");
  pg__fail_fields(&fake.call, &texts);
  cr_expect_str_eq(fake.err.table, "");
}

#define CHILD                                                                  \
  "insert or update on table \"c\" violates foreign key constraint \"fk\""

/* In Japanese the table comes first. */
#define JA_TABLE "\xe3\x83\x86\xe3\x83\xbc\xe3\x83\x96\xe3\x83\xab"
#define JA_KEY   "\xe3\x81\xab\xe3\x82\xad\xe3\x83\xbc"
#define JA_MISSING                                                             \
  "\xe3\x81\x8c\xe3\x81\x82\xe3\x82\x8a\xe3\x81\xbe\xe3\x81\x9b\xe3\x82\x93"

static const struct {
  const char *message;
  const char *detail;
  const char *columns;
  const char *key;
  const char *value;
  const char *other;
} references[] = {
  { "insert or update on table \"child2\" violates foreign key constraint "
    "\"c2_fk\"",
    "Key (a, b)=(1, 2) is not present in table \"parent2\".", "a b", "a, b",
    "1, 2", "parent2" },
  { "update or delete on table \"parent\" violates foreign key constraint "
    "\"child_fk\" on table \"child\"",
    "Key (id)=(1) is still referenced from table \"child\".", "", "id", "1",
    "parent" },
  { "insert or update on table \"c\" violates foreign key constraint "
    "\"fk\"",
    "Key (a)=(\"x\" )) is not present in table \"p\".", "a", "a", "\"x\" )",
    "p" },
  { CHILD, "Key (a)=(:-)) is not present in table \"p\".", "a", "a", ":-)",
    "p" },
  { CHILD, "Key (a)=((x) is not present in table \"p\".", "a", "a", "(x", "p" },
  { CHILD, "Key (a)=(x) \"evil) is not present in table \"p\".", "a", "a",
    "x) \"evil", "p" },
  { CHILD,
    "Key (a)=(x) is not present in table \"evil\".) is not present in table "
    "\"p\".",
    "a", "a", "x) is not present in table \"evil\".", "p" },
  { CHILD, "Key (a)=(\"evil\") is not present in table \"p)x\".", "a", "a",
    "\"evil\"", "p)x" },
  { CHILD, "Key (a)=(x) is not present in table \"we\"ird\".", "a", "a", "x",
    "we\"ird" },
  { CHILD, "Key (a(, \"b)=(1, 2) is not present in table \"p\".", "a( \"b",
    "a(, \"b", "1, 2", "p" },
  { CHILD, "Key (a)=(\"evil\") is wrong.", "a", "a", "\"evil\"", "" },
  { CHILD, "Key is not present in table \"p\".", "", "", "", "" },
  { CHILD, JA_TABLE "\"p\"" JA_KEY "(a)=(x \"evil\")" JA_MISSING, "a", "a",
    "x \"evil\"", "p" },
  { CHILD, JA_TABLE "\"p(x)\"" JA_KEY "(a)=(\"evil\")" JA_MISSING, "a", "a",
    "\"evil\"", "p(x)" },
  { CHILD,
    "La cl\xc3\xa9 (a)=(\"x\") est absente de la table \xc2\xab\xc2\xa0p"
    "\xc2\xa0\xc2\xbb.",
    "a", "a", "\"x\"", "p" },
  { "Einf\xc3\xbcgen oder Aktualisieren in Tabelle \xc2\xbb"
    "child\xc2\xab verletzt Fremdschl\xc3\xbcssel-Constraint \xc2\xbb"
    "fk\xc2\xab",
    "Schl\xc3\xbcssel (pid)=(9) ist nicht in Tabelle \xc2\xbbp\xc2\xab "
    "vorhanden.",
    "pid", "pid", "9", "p" },
  { "no quotes", "Key (a)=(1) is not present in table \"p\".", "", "a", "1",
    "p" },
};

/* Who has the foreign key is the protocol's to say; which the other table is,
 * and the columns, the texts'. What a value has in it is none of these. */
Test(fields, of_a_foreign_key_have_its_other_table)
{
  size_t i;

  for (i = 0; i < sizeof references / sizeof references[0]; i++) {
    const struct pg__texts texts = { .category = TN_E_REFERENCE,
                                     .message = references[i].message,
                                     .detail = references[i].detail };
    struct fake_call fake;
    char columns[256];

    fake_call_init(&fake, NULL);
    tn_fail(&fake.call, TN_E_REFERENCE, "%s", "x");
    pg__fail_fields(&fake.call, &texts);
    join_columns(&fake.err, columns, sizeof columns);
    cr_expect_str_eq(columns, references[i].columns, "case %zu: %s", i,
                     columns);
    cr_expect_str_eq(fake.err.key, references[i].key, "case %zu", i);
    cr_expect_str_eq(fake.err.value, references[i].value, "case %zu: %s", i,
                     fake.err.value);
    cr_expect_str_eq(tn_err_key_table(&fake.err), references[i].other,
                     "case %zu: %s", i, tn_err_key_table(&fake.err));
  }
}
