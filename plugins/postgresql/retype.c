/* Parameters of which the server knows no type.
 *
 * In SELECT ? it takes the parameter for a text, and what was bound as a number
 * would come back as one. Where such a parameter meets a column that is of no
 * table, the statement is prepared once more with the types of the values. If
 * the server does not like that, they stay texts.
 *
 * In ? + ?, ? IS NULL or concat(?, ?) it has no guess and refuses, and in
 * (SELECT ? AS a) it guesses a text, with which a + 1 is refused. Such a
 * statement is left open: not prepared before there are values, and then with
 * the types of those that the server asks for. The rest it finds out as ever,
 * which takes a value to more places than a type of its own would. */
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

/* How many names may wait to be let go before preparations in a transaction,
 * where none can be, go without a guard, which takes a name each. */
#define WAITING_MAX 256

/* ------------------------------------------------------------------ */
/* Preparing without harm                                               */

static bool
is_in_txn(const struct pg__conn *conn)
{
  return PQtransactionStatus(conn->pq) == PQTRANS_INTRANS;
}

/* Have the statement prepared with types, or none. What follows in the guard
 * takes the place of what has no name. */
static int32_t
prepare_as(struct pg__statement *statement, struct pg__preparation *how)
{
  struct pg__conn *conn = statement->conn;
  bool needs_name = how->is_guarded && !conn->has_proxy;

  pg__name_drop(statement);
  pg__name_set(statement, needs_name ? ++conn->names : 0);
  return pg__prepare(statement, how);
}

/* Has the server refused it, and goes on? */
static bool
is_refused(const struct pg__preparation *how, int32_t rc)
{
  return rc == TN_OK && how->failed != NULL && !pg__is_fatal(how->failed);
}

static int32_t
undo(struct pg__conn *conn, const struct pg__preparation *how)
{
  if (!how->is_guarded)
    return TN_OK;
  return pg__exec(conn, "ROLLBACK TO tenon_prepare; RELEASE tenon_prepare",
                  PG__READ, NULL, 0);
}

static void
clear(struct pg__preparation *how)
{
  PQclear(how->failed);
  PQclear(how->description);
  how->failed = NULL;
  how->description = NULL;
}

/* ------------------------------------------------------------------ */
/* Statements that are taken for texts                                  */

/* What the server takes for a guess: a text, or among numbers a double. */
static bool
is_guess(Oid type)
{
  return type == PG__OID_TEXT || type == PG__OID_FLOAT8;
}

/* May a parameter of which the type was guessed come back in a column? */
static bool
is_free(const struct pg__statement *statement, const PGresult *description)
{
  uint32_t i;
  int column;

  for (i = 0; i < statement->parameter_count; i++)
    if (is_guess(statement->types[i]))
      break;
  if (i == statement->parameter_count)
    return false;
  for (column = 0; column < PQnfields(description); column++) {
    Oid type = PQftype(description, column);

    if ((is_guess(type) || type == pg__type_find(PG__OID_TEXT)->array) &&
        PQftable(description, column) == 0)
      return true;
  }
  return false;
}

static int32_t
keep_first(struct pg__statement *statement)
{
  size_t size = statement->parameter_count * sizeof *statement->types;

  statement->first_types = statement->conn->host->alloc(size);
  if (statement->first_types == NULL)
    return pg__fail_memory(statement->conn->call);
  memcpy(statement->first_types, statement->types, size);
  return TN_OK;
}

int32_t
pg__free_look(struct pg__statement *statement, const PGresult *description)
{
  if (statement->first_types != NULL || !is_free(statement, description))
    return TN_OK;
  return keep_first(statement);
}

static Oid
type_of(const tn_value *value)
{
  Oid type = pg__oid_of_value(value);

  return type == 0 ? PG__OID_TEXT : type;
}

static bool
is_exact_number(const tn_value *value)
{
  return value->type == TN_INT64 || value->type == TN_UINT64 ||
         value->type == TN_DECIMAL;
}

/* The type that the parameter is to have. 0: the server's guess, which for a
 * NULL follows the others. */
static Oid
wanted_type(const struct pg__statement *statement, const tn_value *value,
            uint32_t i)
{
  Oid first = statement->first_types[i];

  if (first == PG__OID_TEXT)
    return value->type == TN_NULL ? 0 : type_of(value);
  if (first == PG__OID_FLOAT8 && is_exact_number(value) &&
      (statement->text & PG__TEXT_READS) != 0)
    return type_of(value);
  return first;
}

/* No more of that: back to what the server made of them. */
static int32_t
give_up(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  Oid *types = statement->first_types;
  int32_t rc;

  statement->first_types = NULL;
  rc = pg__statement_prepare(statement, types);
  conn->host->release(types);
  return rc;
}

/* A failure that is the server's does no harm. */
static int32_t
prepare_again(struct pg__statement *statement, const Oid *types)
{
  struct pg__conn *conn = statement->conn;
  struct pg__preparation how = { .types = types,
                                 .is_guarded = is_in_txn(conn) };
  int32_t rc = prepare_as(statement, &how);

  if (!is_refused(&how, rc))
    return pg__statement_take(statement, &how, rc);
  clear(&how);
  rc = undo(conn, &how);
  return rc == TN_OK ? give_up(statement) : rc;
}

static int32_t
retype_free(struct pg__statement *statement, const tn_value *values)
{
  const struct tn_host *host = statement->conn->host;
  uint32_t count = statement->parameter_count;
  Oid *types;
  int32_t rc;
  uint32_t i;

  for (i = 0; i < count; i++) {
    Oid wanted = wanted_type(statement, &values[i], i);

    if (wanted != 0 && wanted != statement->types[i])
      break;
  }
  if (i == count)
    return TN_OK;
  types = host->alloc(count * sizeof *types);
  if (types == NULL)
    return pg__fail_memory(statement->conn->call);
  for (i = 0; i < count; i++)
    types[i] = wanted_type(statement, &values[i], i);
  rc = prepare_again(statement, types);
  host->release(types);
  return rc;
}

/* ------------------------------------------------------------------ */
/* Statements that are left open                                        */

/* May the server lack the type of a parameter? It may also have taken one for a
 * text, which then fits nowhere. */
static bool
is_about_types(const PGresult *failed)
{
  static const char *const states[] = {
    "42P18", /* none to be found */
    "42P08", /* another in each place */
    "42725", /* several functions or operators fit */
    "42883", /* none does */
    "42804", /* types that do not go together */
  };
  size_t i;

  for (i = 0; i < PG__COUNT(states); i++)
    if (strcmp(pg__sqlstate(failed), states[i]) == 0)
      return true;
  return false;
}

/* The parameter that the server names, in whatever language: an index, or
 * `count` if it names none. */
static uint32_t
named_parameter(const PGresult *failed, uint32_t count)
{
  const char *message = PQresultErrorField(failed, PG_DIAG_MESSAGE_PRIMARY);
  const char *mark = message == NULL ? NULL : strchr(message, '$');
  unsigned long number = mark == NULL ? 0 : strtoul(mark + 1, NULL, 10);

  if (strncmp(pg__sqlstate(failed), "42P", 3) != 0 || number == 0 ||
      number > count)
    return count;
  return (uint32_t)number - 1;
}

static int32_t
leave_open(struct pg__statement *statement, uint32_t count, uint32_t lacking)
{
  size_t size = count * sizeof *statement->asked_types;

  statement->asked_types = statement->conn->host->alloc(size);
  if (statement->asked_types == NULL)
    return pg__fail_memory(statement->conn->call);
  memset(statement->asked_types, 0, size);
  statement->parameter_count = count;
  statement->lacking = lacking;
  return TN_OK;
}

int32_t
pg__prepare_first(struct pg__statement *statement, uint32_t count)
{
  struct pg__conn *conn = statement->conn;
  bool in_txn = is_in_txn(conn);
  struct pg__preparation how = {
    .is_guarded = count > 0 && in_txn && conn->idle_count < WAITING_MAX,
  };
  bool can_be_open = count > 0 && how.is_guarded == in_txn;
  int32_t rc = prepare_as(statement, &how);
  uint32_t lacking;

  if (!is_refused(&how, rc) || !can_be_open || !is_about_types(how.failed))
    return pg__statement_take(statement, &how, rc);
  lacking = named_parameter(how.failed, count);
  clear(&how);
  rc = undo(conn, &how);
  return rc == TN_OK ? leave_open(statement, count, lacking) : rc;
}

/* Ask for types of all that have none: of numbers and the like, else of texts
 * too. A NULL is a number here: it is among these that the server could not
 * choose. */
static bool
ask_for_all(struct pg__statement *statement, const tn_value *values,
            bool with_texts)
{
  bool is_more = false;
  uint32_t i;

  for (i = 0; i < statement->parameter_count; i++) {
    Oid type = values[i].type == TN_NULL ? PG__OID_INT8 : type_of(&values[i]);
    bool is_plain = values[i].type == TN_NULL || type == PG__OID_TEXT;

    if (statement->asked_types[i] != 0 || (is_plain && !with_texts))
      continue;
    statement->asked_types[i] = type;
    is_more = true;
  }
  return is_more;
}

static bool
is_small(const tn_value *value)
{
  return value->type == TN_INT64 && value->as.int64 >= INT32_MIN &&
         value->as.int64 <= INT32_MAX;
}

/* There is no date + bigint, nor many another function of one. */
static bool
ask_for_small(struct pg__statement *statement, const tn_value *values)
{
  bool is_more = false;
  uint32_t i;

  for (i = 0; i < statement->parameter_count; i++)
    if (statement->asked_types[i] == PG__OID_INT8 && is_small(&values[i])) {
      statement->asked_types[i] = PG__OID_INT4;
      is_more = true;
    }
  return is_more;
}

/* For the type of one, or of all: `i` as above. False: there is nothing more
 * to ask for. */
static bool
ask_for_more(struct pg__statement *statement, const tn_value *values,
             uint32_t i)
{
  if (i == statement->parameter_count)
    return ask_for_all(statement, values, false) ||
           ask_for_small(statement, values) ||
           ask_for_all(statement, values, true);
  if (statement->asked_types[i] != 0)
    return false;
  statement->asked_types[i] = type_of(&values[i]); /* a NULL is a text */
  return true;
}

/* One try; `*ret_goes_on`: another is to follow. */
static int32_t
prepare_open(struct pg__statement *statement, const tn_value *values,
             bool *ret_goes_on)
{
  struct pg__conn *conn = statement->conn;
  struct pg__preparation how = { .types = statement->asked_types,
                                 .is_guarded = is_in_txn(conn) };
  int32_t rc = prepare_as(statement, &how);

  *ret_goes_on = false;
  if (!is_refused(&how, rc))
    return pg__statement_take(statement, &how, rc);
  *ret_goes_on =
      is_about_types(how.failed) &&
      ask_for_more(statement, values,
                   named_parameter(how.failed, statement->parameter_count));
  pg__describe_clear(statement);
  clear(&how);
  return undo(conn, &how);
}

/* Types that were asked for follow the values. A NULL has any. */
static bool
follow(struct pg__statement *statement, const tn_value *values)
{
  bool is_other = false;
  uint32_t i;

  for (i = 0; i < statement->parameter_count; i++) {
    Oid *asked = &statement->asked_types[i];

    if (*asked == 0 || values[i].type == TN_NULL ||
        type_of(&values[i]) == *asked ||
        (*asked == PG__OID_INT4 && is_small(&values[i])))
      continue;
    *asked = type_of(&values[i]);
    is_other = true;
  }
  return is_other;
}

/* Not yet, or not any more. */
static bool
is_unasked(const struct pg__statement *statement)
{
  uint32_t i;

  for (i = 0; i < statement->parameter_count; i++)
    if (statement->asked_types[i] != 0)
      return false;
  return true;
}

static int32_t
retype_open(struct pg__statement *statement, const tn_value *values)
{
  bool goes_on = follow(statement, values) || statement->types == NULL;
  int32_t rc = TN_OK;

  if (is_unasked(statement))
    (void)ask_for_more(statement, values, statement->lacking);
  while (rc == TN_OK && goes_on)
    rc = prepare_open(statement, values, &goes_on);
  if (rc != TN_OK)
    pg__describe_clear(statement); /* of the types before, or of none */
  if (rc != TN_OK || statement->types != NULL)
    return rc;

  /* Once more without a guard, as any statement that fails. */
  rc = pg__statement_prepare(statement, statement->asked_types);
  memset(statement->asked_types, 0,
         statement->parameter_count * sizeof *statement->asked_types);
  return rc;
}

int32_t
pg__retype(struct pg__statement *statement, const tn_value *values)
{
  if (statement->asked_types != NULL)
    return retype_open(statement, values);
  return statement->first_types == NULL ? TN_OK
                                        : retype_free(statement, values);
}
