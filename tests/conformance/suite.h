/* What every backend owes, written once and run against each.
 *
 * The suite belongs to no backend. A case is a function over a context; where
 * a backend lacks a capability the case asks the opposite: that it says
 * "unsupported". What differs beyond that is data: a row in the backend's
 * quirks file (plugins/NAME/NAME.quirks.ini), with its reason. There is no
 * `if` on a name here. Public headers only, so that the suite ships with the
 * SDK as `tenon plugins check`. */
#ifndef TENON_SUITE_H
#define TENON_SUITE_H

#include <stdbool.h>
#include <stdio.h>
#include <tenon/tenon.h>

/* Longest value of a quirk. */
#define QUIRK_MAX 190

/* A difference that a backend may declare; the table is in quirks.c. */
struct quirk {
  const char *key;
  const char *usual; /* what a backend without the row does */
  const char *help;
};

struct quirk_value {
  char text[QUIRK_MAX + 1];
  char reason[QUIRK_MAX + 1];
};

extern const struct quirk quirk_rows[];
extern const size_t quirk_count;

struct suite {
  const char *url;
  tn_registry *registry;
  struct tn_plugin_report report; /* of the plug-in under test */
  uint64_t caps;                  /* of this server, which may have less */
  struct quirk_value *quirks;     /* quirk_count values */

  const char *case_name;
  unsigned checks; /* of the running case */
  unsigned failed_checks;
  unsigned passed; /* cases */
  unsigned failed;
};

/* One promise. */
struct suite_case {
  const char *name; /* a sentence */
  void (*run)(struct suite *suite);
};

/* Read a quirks file. False, having said why, if it is wrong. */
bool quirks_read(struct suite *suite, const char *path);

/* What a setting of the session is to come to. */
enum tn_code suite_settings_code(const struct suite *suite);

/* The type as which a column of `type` is read. */
uint32_t suite_read_type(const struct suite *suite, uint32_t type);

/* The value of a quirk; the usual one if the backend declares none. */
const char *quirk(const struct suite *suite, const char *key);
bool quirk_is(const struct suite *suite, const char *key, const char *value);

/* Print the declared differences as rows of a Markdown table. */
void quirks_print(const struct suite *suite);

/* Learn what the server under test can do of what the code of the backend can;
 * all of that, if it cannot be asked. */
void suite_ask_caps(struct suite *suite);

/* Can the server under test do it (TN_CAP_…)? */
bool has_cap(const struct suite *suite, uint64_t cap);

/* Count a check; print what failed and `where`, "file:line". */
void check_that(struct suite *suite, bool is_good, const char *where,
                const char *fmt, ...) TN_PRINTF(4, 5);
#define CHECK(suite, condition, ...)                                           \
  check_that(suite, condition, WHERE, __VA_ARGS__)

/* That `got` is `wanted`, else print both and the error. */
bool check_code(struct suite *suite, enum tn_code got, enum tn_code wanted,
                const tn_err *err, const char *where, const char *what);
#define CHECK_CODE(suite, got, wanted, err, what)                              \
  check_code(suite, got, wanted, err, WHERE, what)

#define WHERE_TEXT(line) #line
#define WHERE_LINE(line) WHERE_TEXT(line)
#define WHERE            __FILE__ ":" WHERE_LINE(__LINE__)

/* A connection to the database under test, or NULL after a failed check. */
tn_conn *suite_connect(struct suite *suite);

/* Replace a session that was given up when its statement was stopped; `*conn`
 * may be NULL then. Was that the server's or the road's doing? The statement is
 * stopped by a session of its own, so where a login is slow there is no time.
 */
bool suite_replace(struct suite *suite, tn_conn **conn);

/* Run statements for their effect; false after a failed check. */
bool suite_run(struct suite *suite, tn_conn *conn, const char *sql);

/* Start a query of `count` values; NULL after a failed check. */
tn_result *suite_query(struct suite *suite, tn_conn *conn, const char *sql,
                       const tn_value *values, size_t count);

/* Run one statement of `count` values to its end; its code. `ret_affected` may
 * be NULL. */
enum tn_code suite_exec(tn_conn *conn, const char *sql, const tn_value *values,
                        size_t count, uint64_t *ret_affected, tn_err *err);

/* The first cell of the first row as an integer; -1 after a failed check. */
int64_t suite_number(struct suite *suite, tn_conn *conn, const char *sql);

/* Does the backend have what a case is about? Counts a check, because one that
 * has not owes nothing. */
bool suite_owes(struct suite *suite, uint64_t caps);

/* A connection to a database with a new table of these columns; NULL if the
 * backend has no tables of its own making, or after a failed check. */
tn_conn *suite_table(struct suite *suite, const char *table,
                     const char *columns);

/* Begin and roll back, with a check each. */
bool suite_begin(struct suite *suite, tn_conn *conn);
void suite_rollback(struct suite *suite, tn_conn *conn);

/* That the session goes on as if nothing had been. */
void suite_check_usable(struct suite *suite, tn_conn *conn, const char *where);
#define CHECK_USABLE(suite, conn) suite_check_usable(suite, conn, WHERE)

/* That the two are the same value of the same type. */
void suite_check_value(struct suite *suite, const tn_value *got,
                       const tn_value *wanted, const char *where,
                       const char *what);
#define CHECK_VALUE(suite, got, wanted, what)                                  \
  suite_check_value(suite, got, wanted, WHERE, what)

/* The cases, by subject; each array ends with a NULL name. */
extern const struct suite_case cases_load[];
extern const struct suite_case cases_connect[];
extern const struct suite_case cases_query[];
extern const struct suite_case cases_cache[];
extern const struct suite_case cases_buffer[];
extern const struct suite_case cases_sets[];
extern const struct suite_case cases_name[];
extern const struct suite_case cases_value[];
extern const struct suite_case cases_select[];
extern const struct suite_case cases_array[];
extern const struct suite_case cases_batch[];
extern const struct suite_case cases_bulk[];
extern const struct suite_case cases_error[];
extern const struct suite_case cases_txn[];
extern const struct suite_case cases_scope[];
extern const struct suite_case cases_facade[];
extern const struct suite_case cases_two_phase[];
extern const struct suite_case cases_outcome[];
extern const struct suite_case cases_session[];
extern const struct suite_case cases_lock[];
extern const struct suite_case cases_time[];
extern const struct suite_case cases_stop[];
extern const struct suite_case cases_thread[];

#endif
