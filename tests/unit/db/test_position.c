/* Positions of one connection. */
#include <tenon/position.h>

#include "fixture.h"

TestSuite(position, .init = fixture_init, .timeout = 60);

static tn_position position = TN_POSITION_INIT;
static int is_reached = 7;

static enum tn_code
wait_for(const char *text)
{
  snprintf(position.text, sizeof position.text, "%s", text);
  return tn_conn_wait_position(conn, &position, tn_deadline_after_ms(10),
                               &is_reached, &err);
}

Test(position, is_told_and_waited_for)
{
  fixture_open();
  cr_assert_eq(tn_conn_position(conn, &position, &err), TN_OK, "%s",
               err.message);
  cr_expect_str_eq(position.text, "fake:1");
  cr_expect_eq(wait_for("fake:1"), TN_OK);
  cr_expect_eq(is_reached, 0);
  cr_expect_str_eq(script.waited, "fake:1");
  script.has_position = 1;
  cr_expect_eq(wait_for("fake:2"), TN_OK);
  cr_expect_eq(is_reached, 1);
  fixture_close();
}

Test(position, the_first_is_always_there)
{
  fixture_open();
  cr_expect_eq(wait_for(""), TN_OK);
  cr_expect_eq(is_reached, 1);
  cr_expect_eq(script.calls[FAKE_WAIT_POSITION], 0);
  fixture_close();
}

Test(position, is_none_of_a_transaction)
{
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_position(conn, &position, &err), TN_E_STATE);
  cr_expect_eq(wait_for("fake:1"), TN_E_STATE);
  cr_expect_eq(is_reached, 7);
  cr_expect_eq(script.calls[FAKE_GET_POSITION], 0);
  fixture_close();
}

Test(position, without_the_slots_is_unsupported)
{
  static struct tn_session_table session;

  session = *(const struct tn_session_table *)fixture_table(TN_TABLE_SESSION);
  session.get_position = NULL;
  session.wait_position = NULL;
  tables[TN_TABLE_SESSION] = &session;
  fixture_open();
  cr_expect_eq(tn_conn_position(conn, &position, &err), TN_E_UNSUPPORTED);
  cr_expect_eq(wait_for("fake:1"), TN_E_UNSUPPORTED);
  fixture_close();
}

/* A plug-in that says nothing, or no word of whether, is blamed. */
Test(position, a_plugin_must_say)
{
  fixture_open();
  script.has_position = 5;
  cr_expect_eq(wait_for("fake:1"), TN_E_INTERNAL);
  cr_expect_eq(is_reached, 7);
  tn_conn_close(&conn);
  fixture_close();
}
