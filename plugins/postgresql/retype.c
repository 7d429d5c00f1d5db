/* Parameters of which the server knows no type.
 *
 * In SELECT ? it takes the parameter for a text, and what was bound as a number
 * would come back as one. Where such a parameter meets a column that is of no
 * table, the statement is prepared once more with the types of the values. If
 * the server does not like that, they stay texts. */
#include <string.h>

#include "pg_priv.h"

/* May a parameter that was taken for a text come back in a column? */
static bool
is_free(const struct pg__statement *statement, const PGresult *description)
{
  uint32_t i;
  int column;

  for (i = 0; i < statement->parameter_count; i++)
    if (statement->types[i] == PG__OID_TEXT)
      break;
  if (i == statement->parameter_count)
    return false;
  for (column = 0; column < PQnfields(description); column++)
    if (PQftype(description, column) == PG__OID_TEXT &&
        PQftable(description, column) == 0)
      return true;
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

/* The type that the parameter is to have; as it is for a NULL. */
static Oid
wanted_type(const struct pg__statement *statement, const tn_value *value,
            uint32_t i)
{
  Oid type;

  if (statement->first_types[i] != PG__OID_TEXT || value->type == TN_NULL)
    return statement->types[i];
  type = pg__oid_of_value(value);
  return type == 0 ? PG__OID_TEXT : type;
}

/* Have the statement prepared with `types`. A failure that is the server's
 * does no harm: `*ret_is_refused`. */
static int32_t
prepare_as(struct pg__statement *statement, const Oid *types,
           bool *ret_is_refused)
{
  struct pg__conn *conn = statement->conn;
  bool in_txn = PQtransactionStatus(conn->pq) == PQTRANS_INTRANS;
  struct pg__preparation how = { .types = types, .is_guarded = in_txn };
  int32_t rc;

  /* What follows in the guard takes the place of what has no name. */
  pg__name_drop(statement);
  pg__name_set(statement, in_txn && !conn->has_proxy ? ++conn->names : 0);
  rc = pg__prepare(statement, &how);
  *ret_is_refused = how.failed != NULL;
  if (rc == TN_OK && how.failed != NULL && in_txn)
    rc = pg__exec(conn, "ROLLBACK TO tenon_prepare; RELEASE tenon_prepare",
                  PG__READ, NULL, 0);
  else if (rc == TN_OK && how.failed == NULL)
    rc = pg__describe(statement, how.description);
  PQclear(how.failed);
  PQclear(how.description);
  return rc;
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

int32_t
pg__retype(struct pg__statement *statement, const tn_value *values)
{
  const struct tn_host *host = statement->conn->host;
  uint32_t count = statement->parameter_count;
  bool is_refused = false;
  Oid *types;
  int32_t rc;
  uint32_t i;

  if (statement->first_types == NULL)
    return TN_OK;
  for (i = 0; i < count; i++)
    if (wanted_type(statement, &values[i], i) != statement->types[i])
      break;
  if (i == count)
    return TN_OK;
  types = host->alloc(count * sizeof *types);
  if (types == NULL)
    return pg__fail_memory(statement->conn->call);
  for (i = 0; i < count; i++)
    types[i] = wanted_type(statement, &values[i], i);
  rc = prepare_as(statement, types, &is_refused);
  host->release(types);
  return rc == TN_OK && is_refused ? give_up(statement) : rc;
}
