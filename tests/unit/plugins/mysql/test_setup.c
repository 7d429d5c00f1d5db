/* What a session is told, without a server. */
#include <criterion/criterion.h>

#include "fake_host.h"
#include "my_priv.h"

static int32_t
read_setup(const char *name, const char *value, struct mysql__conn *conn,
           struct fake_call *fake)
{
  const struct tn_option option = { name, value };
  const struct tn_connect_args args = { .size = sizeof args,
                                        .option_count = name != NULL,
                                        .options = &option };

  fake_call_init(fake, &mysql__dialect_table);
  memset(conn, 0, sizeof *conn);
  conn->host = fake->call.host;
  mysql__enter(conn, &fake->call);
  return mysql__setup_read(conn, &args);
}

Test(setup, the_usual_session_is_utf8_utc_and_strict)
{
  struct mysql__conn conn;
  struct fake_call fake;

  cr_assert_eq(read_setup(NULL, NULL, &conn, &fake), TN_OK);
  cr_expect_str_eq(conn.setup,
                   "SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION "
                   "autocommit = 1, SESSION lc_messages = 'en_US', SESSION "
                   "sql_mode = 'TRADITIONAL'");
}

Test(setup, an_empty_sql_mode_is_none_and_default_the_servers_own)
{
  static const struct {
    const char *mode;
    const char *said;
  } cases[] = {
    { "", ", SESSION sql_mode = ''" },
    { "default", ", SESSION sql_mode = DEFAULT" },
    { "DeFault", ", SESSION sql_mode = DEFAULT" },
    { "defaults", ", SESSION sql_mode = 'defaults'" },
    { "STRICT_ALL_TABLES", ", SESSION sql_mode = 'STRICT_ALL_TABLES'" },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    struct mysql__conn conn;
    struct fake_call fake;
    const char *said;

    cr_assert_eq(read_setup("sql_mode", cases[i].mode, &conn, &fake), TN_OK);
    said = strstr(conn.setup, ", SESSION sql_mode");
    cr_assert_not_null(said, "case %zu: \"%s\"", i, conn.setup);
    cr_expect_str_eq(said, cases[i].said, "case %zu: \"%s\"", i, said);
  }
}

Test(setup, waiting_for_the_cluster_is_asked_for_only_where_it_is_said)
{
  struct mysql__conn conn;
  struct fake_call fake;

  cr_assert_eq(read_setup("wsrep_sync_wait", "-1", &conn, &fake), TN_OK);
  cr_expect_null(strstr(conn.setup, "wsrep"));
  cr_assert_eq(read_setup("wsrep_sync_wait", "7", &conn, &fake), TN_OK);
  cr_expect_not_null(strstr(conn.setup, ", SESSION wsrep_sync_wait = 7"));
}

Test(setup, a_mode_that_changes_quotes_or_is_no_list_of_words_is_refused)
{
  static const struct {
    const char *mode;
    bool is_good;
  } cases[] = {
    { "TRADITIONAL", true },
    { "STRICT_ALL_TABLES,NO_ZERO_DATE", true },
    { "strict_all_tables, no_zero_date", true },
    { "PAD_CHAR_TO_FULL_LENGTH", true },
    { "", true },
    { "ANSI_QUOTES", false },
    { "ansi_quotes", false },
    { "TRADITIONAL,NO_BACKSLASH_ESCAPES", false },
    { "ANSI", false },
    { "ORACLE", false },
    { "TRADITIONAL, MSSQL", false },
    { "TRADITIONAL', @@x = '", false },
    { "TRADITIONAL\\", false },
  };
  struct mysql__conn conn;
  struct fake_call fake;
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    int32_t rc = read_setup("sql_mode", cases[i].mode, &conn, &fake);

    cr_expect_eq(rc, cases[i].is_good ? TN_OK : TN_E_CONFIG, "case %zu: \"%s\"",
                 i, cases[i].mode);
  }
}

Test(setup, the_longest_setup_fits)
{
  struct mysql__conn conn;
  struct fake_call fake;
  char mode[402];

  memset(mode, 'X', sizeof mode);
  mode[401] = '\0';
  cr_expect_eq(read_setup("sql_mode", mode, &conn, &fake), TN_E_CONFIG);
  mode[400] = '\0';
  cr_assert_eq(read_setup("sql_mode", mode, &conn, &fake), TN_OK);
  cr_expect_not_null(strstr(conn.setup, mode));
}
