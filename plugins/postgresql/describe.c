/* What the server says of a statement's parameters and columns.
 *
 * Types that are not built into every server are looked up once a session:
 * enums are texts, the rest is left as it is, with its name. */
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

/* A domain may be made of a domain. */
#define DOMAIN_DEPTH_MAX 32

struct entry {
  struct pg__custom custom;
  Oid base; /* of a domain; else 0 */
};

/* Entries stay where they are: their names are lent to statements. */
struct pg__catalog {
  uint32_t count;
  uint32_t capacity;
  struct entry **entries;
};

void
pg__catalog_clear(struct pg__conn *conn)
{
  uint32_t i;

  if (conn->catalog == NULL)
    return;
  for (i = 0; i < conn->catalog->count; i++)
    conn->host->release(conn->catalog->entries[i]);
  conn->host->release(conn->catalog->entries);
  conn->host->release(conn->catalog);
  conn->catalog = NULL;
}

static const struct entry *
find(const struct pg__conn *conn, Oid oid)
{
  uint32_t i;

  for (i = 0; conn->catalog != NULL && i < conn->catalog->count; i++)
    if (conn->catalog->entries[i]->custom.oid == oid)
      return conn->catalog->entries[i];
  return NULL;
}

/* Room for one more. */
static bool
reserve(struct pg__conn *conn)
{
  struct pg__catalog *catalog = conn->catalog;
  struct entry **entries;
  uint32_t capacity;

  if (catalog == NULL) {
    catalog = conn->host->alloc(sizeof *catalog);
    if (catalog == NULL)
      return false;
    memset(catalog, 0, sizeof *catalog);
    conn->catalog = catalog;
  }
  if (catalog->count < catalog->capacity)
    return true;
  capacity = catalog->capacity == 0 ? 8 : catalog->capacity * 2;
  entries = conn->host->resize(catalog->entries, capacity * sizeof *entries);
  if (entries == NULL)
    return false;
  catalog->entries = entries;
  catalog->capacity = capacity;
  return true;
}

/* ------------------------------------------------------------------ */
/* Looking up                                                           */

static const char lookup_sql[] =
    "SELECT t.typtype, t.typbasetype, pg_catalog.format_type(t.oid, NULL), "
    "CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem ELSE 0 END, "
    "e.typtype, e.typbasetype, pg_catalog.format_type(e.oid, NULL) "
    "FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e "
    "ON e.oid = t.typelem WHERE t.oid = $1::pg_catalog.oid";

static Oid
oid_at(const PGresult *result, int column)
{
  return (Oid)strtoul(PQgetvalue(result, 0, column), NULL, 10);
}

/* An entry of the row that was found; without one, of a type that has gone. */
static struct entry *
new_entry(const struct tn_host *host, Oid oid, const PGresult *result)
{
  bool is_found = PQntuples(result) == 1;
  const char *name = is_found ? PQgetvalue(result, 0, 2) : "";
  const char *element_name = is_found ? PQgetvalue(result, 0, 6) : "";
  size_t size = strlen(name) + 1;
  size_t element_size = strlen(element_name) + 1;
  struct entry *entry = host->alloc(sizeof *entry + size + element_size);
  char *texts;

  if (entry == NULL)
    return NULL;
  memset(entry, 0, sizeof *entry);
  texts = (char *)&entry[1];
  memcpy(texts, name, size);
  memcpy(texts + size, element_name, element_size);
  entry->custom.oid = oid;
  entry->custom.name = texts;
  entry->custom.element_name = texts + size;
  if (!is_found)
    return entry;
  entry->custom.kind = PQgetvalue(result, 0, 0)[0];
  entry->base = oid_at(result, 1);
  entry->custom.element = oid_at(result, 3);
  entry->custom.element_kind = PQgetvalue(result, 0, 4)[0];
  entry->custom.element_base = oid_at(result, 5);
  return entry;
}

/* The entry of a type; `*ret` NULL for one that is built in. */
static int32_t
look_up(struct pg__conn *conn, Oid oid, const struct entry **ret)
{
  char number[16];
  const char *const values[] = { number };
  PGresult *result = NULL;
  struct entry *entry;
  int32_t rc;

  *ret = oid == 0 || pg__type_find(oid) != NULL ? NULL : find(conn, oid);
  if (oid == 0 || *ret != NULL || pg__type_find(oid) != NULL)
    return TN_OK;
  snprintf(number, sizeof number, "%u", (unsigned)oid);
  rc = pg__query(conn, lookup_sql, values, 1, &result);
  if (rc != TN_OK)
    return rc;
  entry = reserve(conn) ? new_entry(conn->host, oid, result) : NULL;
  PQclear(result);
  if (entry == NULL)
    return pg__fail_memory(conn->call);
  conn->catalog->entries[conn->catalog->count++] = entry;
  *ret = entry;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Parameters                                                           */

/* What a domain is made of in the end. */
static int32_t
find_base(struct pg__conn *conn, Oid *oid)
{
  int depth;

  for (depth = 0; depth < DOMAIN_DEPTH_MAX; depth++) {
    const struct entry *entry = NULL;
    int32_t rc = look_up(conn, *oid, &entry);

    if (rc != TN_OK)
      return rc;
    if (entry == NULL || entry->custom.kind != 'd' || entry->base == 0)
      return TN_OK;
    *oid = entry->base;
  }
  return TN_OK;
}

/* The server's types, and those without domains for the encoder. */
static int32_t
describe_parameters(struct pg__statement *statement,
                    const PGresult *description)
{
  struct pg__conn *conn = statement->conn;
  uint32_t count = (uint32_t)PQnparams(description);
  Oid *types = conn->host->alloc(((size_t)count + 1) * 2 * sizeof *types);
  int32_t rc = TN_OK;
  uint32_t i;

  if (types == NULL)
    return pg__fail_memory(conn->call);
  for (i = 0; i < count && rc == TN_OK; i++) {
    types[i] = PQparamtype(description, (int)i);
    types[count + i] = types[i];
    rc = find_base(conn, &types[count + i]);
  }
  if (rc == TN_OK)
    rc = pg__params_types(&statement->params, types + count, count, conn->call);
  if (rc != TN_OK) {
    conn->host->release(types);
    return rc;
  }
  conn->host->release(statement->types);
  statement->types = types;
  statement->parameter_count = count;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Columns                                                              */

bool
pg__is_described(const struct pg__statement *statement, const PGresult *result)
{
  int count = PQnfields(result);
  int i;

  if ((uint32_t)count != statement->column_count)
    return false;
  for (i = 0; i < count; i++)
    if (PQftype(result, i) != statement->column_types[i])
      return false;
  return true;
}

static void
release_columns(struct pg__statement *statement)
{
  statement->conn->host->release(statement->columns);
  statement->columns = NULL;
  statement->readers = NULL;
  statement->column_types = NULL;
  statement->column_count = 0;
}

/* One block for all that is known of them, names at its end. */
static bool
new_columns(struct pg__statement *statement, const PGresult *result)
{
  size_t count = (size_t)PQnfields(result);
  size_t size = sizeof *statement->columns + sizeof *statement->readers +
                sizeof *statement->column_types;
  size_t names = 0;
  char *at;
  size_t i;

  for (i = 0; i < count; i++)
    names += strlen(PQfname(result, (int)i)) + 1;
  at = statement->conn->host->alloc(count * size + names + 1);
  if (at == NULL)
    return false;
  release_columns(statement);
  statement->columns = (struct tn_column *)(void *)at;
  statement->readers =
      (struct pg__reader *)(void *)(statement->columns + count);
  statement->column_types = (Oid *)(void *)(statement->readers + count);
  statement->column_count = (uint32_t)count;
  at = (char *)(statement->column_types + count);
  memset(statement->columns, 0, count * size);
  for (i = 0; i < count; i++) {
    const char *name = PQfname(result, (int)i);

    statement->columns[i].name = at;
    statement->column_types[i] = PQftype(result, (int)i);
    memcpy(at, name, strlen(name) + 1);
    at += strlen(name) + 1;
  }
  return true;
}

/* All in one format, because libpq can ask for no more than one: in text if
 * any of them cannot be had or read in binary. */
static void
init_readers(struct pg__statement *statement, int format)
{
  const struct pg__conn *conn = statement->conn;
  bool wants_text = false;
  uint32_t i;

  for (i = 0; i < statement->column_count; i++) {
    struct pg__reader *reader = &statement->readers[i];
    const struct entry *entry = find(conn, statement->column_types[i]);

    pg__reader_init(reader, statement->column_types[i],
                    entry == NULL ? NULL : &entry->custom, format);
    wants_text |= reader->wants_text;
    statement->columns[i].type_name = reader->type_name;
    statement->columns[i].type = reader->tn_type;
  }
  statement->format = format;
  if (wants_text && format == PG__FORMAT_BINARY)
    init_readers(statement, PG__FORMAT_TEXT);
}

static int32_t
describe_columns(struct pg__statement *statement, const PGresult *description)
{
  struct pg__conn *conn = statement->conn;
  const struct entry *entry = NULL;
  uint32_t i;

  if (!new_columns(statement, description))
    return pg__fail_memory(conn->call);
  for (i = 0; i < statement->column_count; i++) {
    int32_t rc = look_up(conn, statement->column_types[i], &entry);

    if (rc != TN_OK)
      return rc;
  }
  init_readers(statement, PG__FORMAT_BINARY);
  return TN_OK;
}

/* What has come cannot be read: the next run has the columns described anew. */
static int32_t
fail_outdated(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;

  statement->is_outdated = true;
  tn_fail(conn->call, TN_E_OTHER,
          "postgresql: the columns have changed since the statement was "
          "prepared, and its rows cannot be read");
  conn->host->fail_verdicts(
      conn->call, TN_CONNECTION_USABLE,
      (statement->text & PG__TEXT_READS) != 0 ? 0 : TN_REPLAY_NEVER);
  return TN_E_OTHER;
}

int32_t
pg__describe_again(struct pg__statement *statement, const PGresult *result)
{
  int format = PQnfields(result) > 0 ? PQfformat(result, 0) : 0;

  if (!new_columns(statement, result))
    return pg__fail_memory(statement->conn->call);
  init_readers(statement, format);
  return statement->format == format ? TN_OK : fail_outdated(statement);
}

int32_t
pg__describe(struct pg__statement *statement, const PGresult *description)
{
  int32_t rc = describe_parameters(statement, description);

  statement->is_outdated = false;
  return rc == TN_OK ? describe_columns(statement, description) : rc;
}

void
pg__describe_clear(struct pg__statement *statement)
{
  release_columns(statement);
  statement->conn->host->release(statement->types);
  statement->types = NULL;
}
