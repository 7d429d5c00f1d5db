/* From the tables that an author filled in to the completed copy.
 *
 * A plug-in may be older than this core (its tables are shorter), newer (they
 * are longer), or wrong. All of that is met here, once, by rows of data: what
 * is required, what belongs together, what a capability promises. What was
 * left out gets its default from backend_default.c. */
#include "backend.h"

#include <stddef.h>
#include <string.h>

#include "manifest.h"
#include "strbuf.h"
#include "tls.h"

/* Longest reason for a refusal, in bytes. */
#define REASON_MAX 400

/* ---- what a descriptor and its tables must have ---- */

struct table_row {
  uint32_t id;
  uint32_t is_required;
  const char *name;
  size_t offset; /* in struct tn_backend */
  size_t size;
};

#define TABLE(id, is_required, member)                                         \
  {                                                                            \
    id, is_required, #member, offsetof(struct tn_backend, member),             \
        sizeof(((struct tn_backend *)NULL)->member)                            \
  }

static const struct table_row tables[] = {
  TABLE(TN_TABLE_CONNECTION, 1, connection),
  TABLE(TN_TABLE_STATEMENT, 1, statement),
  TABLE(TN_TABLE_RESULT, 1, result),
  TABLE(TN_TABLE_DIALECT, 1, dialect),
  TABLE(TN_TABLE_TXN, 0, txn),
  TABLE(TN_TABLE_SESSION, 0, session),
  TABLE(TN_TABLE_BULK, 0, bulk),
};

/* A slot, or a field that must not be 0. */
struct slot_row {
  uint32_t table;
  const char *name;
  size_t offset; /* in struct tn_backend */
  size_t size;
};

#define SLOT(table, member)                                                    \
  {                                                                            \
    table, #member, offsetof(struct tn_backend, member),                       \
        sizeof(((struct tn_backend *)NULL)->member)                            \
  }

/* Required in their table, if there is that table. */
static const struct slot_row required[] = {
  SLOT(TN_TABLE_CONNECTION, connection.connect),
  SLOT(TN_TABLE_CONNECTION, connection.disconnect),
  SLOT(TN_TABLE_STATEMENT, statement.prepare),
  SLOT(TN_TABLE_STATEMENT, statement.execute),
  SLOT(TN_TABLE_STATEMENT, statement.close),
  SLOT(TN_TABLE_RESULT, result.columns),
  SLOT(TN_TABLE_RESULT, result.fetch),
  SLOT(TN_TABLE_RESULT, result.close),
  SLOT(TN_TABLE_DIALECT, dialect.placeholder),
  SLOT(TN_TABLE_DIALECT, dialect.value_types),
  SLOT(TN_TABLE_TXN, txn.begin),
  SLOT(TN_TABLE_TXN, txn.commit),
  SLOT(TN_TABLE_TXN, txn.rollback),
  SLOT(TN_TABLE_TXN, txn.state),
  SLOT(TN_TABLE_BULK, bulk.open),
  SLOT(TN_TABLE_BULK, bulk.write),
  SLOT(TN_TABLE_BULK, bulk.finish),
  SLOT(TN_TABLE_BULK, bulk.close),
};

/* All of a group, or none of it. A missing one is named. */
struct group_row {
  uint32_t count;
  struct slot_row slots[4];
};

static const struct group_row groups[] = {
  { 3,
    { SLOT(TN_TABLE_TXN, txn.savepoint),
      SLOT(TN_TABLE_TXN, txn.release_savepoint),
      SLOT(TN_TABLE_TXN, txn.rollback_savepoint) } },
  { 4,
    { SLOT(TN_TABLE_TXN, txn.prepare), SLOT(TN_TABLE_TXN, txn.commit_prepared),
      SLOT(TN_TABLE_TXN, txn.rollback_prepared),
      SLOT(TN_TABLE_TXN, txn.list_prepared) } },
  { 2, { SLOT(TN_TABLE_TXN, txn.identify), SLOT(TN_TABLE_TXN, txn.outcome) } },
  { 2,
    { SLOT(TN_TABLE_SESSION, session.set_isolation),
      SLOT(TN_TABLE_SESSION, session.get_isolation) } },
  { 2,
    { SLOT(TN_TABLE_SESSION, session.get_position),
      SLOT(TN_TABLE_SESSION, session.wait_position) } },
};

/* What a capability cannot be without. */
struct promise_row {
  uint64_t cap;
  struct slot_row slot;
};

static const struct promise_row promises[] = {
  { TN_CAP_TRANSACTION, SLOT(TN_TABLE_TXN, txn.begin) },
  { TN_CAP_SAVEPOINT, SLOT(TN_TABLE_TXN, txn.savepoint) },
  { TN_CAP_TWO_PHASE, SLOT(TN_TABLE_TXN, txn.prepare) },
  { TN_CAP_OUTCOME, SLOT(TN_TABLE_TXN, txn.outcome) },
  { TN_CAP_SQL_MODE, SLOT(TN_TABLE_SESSION, session.set_sql_mode) },
  { TN_CAP_RESET, SLOT(TN_TABLE_SESSION, session.reset) },
  { TN_CAP_MULTI_RESULT, SLOT(TN_TABLE_RESULT, result.next_set) },
  { TN_CAP_PROCEDURE, SLOT(TN_TABLE_RESULT, result.next_set) },
};

/* ---- the descriptor ---- */

/* Major and minor first: what the rest means depends on them. */
static enum tn_code
check_abi(const struct tn_plugin *plugin, tn_err *err)
{
  size_t needed = offsetof(struct tn_plugin, shutdown);

  if (plugin->size < offsetof(struct tn_plugin, abi_minor))
    return tn_err_set(err, TN_E_PLUGIN, "the descriptor has %u bytes",
                      (unsigned)plugin->size);
  if (plugin->abi_major != TN_ABI_MAJOR)
    return tn_err_set(err, TN_E_PLUGIN, "ABI %u, this core has %u",
                      (unsigned)plugin->abi_major, (unsigned)TN_ABI_MAJOR);
  if (plugin->size < needed)
    return tn_err_set(err, TN_E_PLUGIN,
                      "the descriptor has %u bytes, at least %zu are needed",
                      (unsigned)plugin->size, needed);
  if (plugin->min_host_minor > TN_ABI_MINOR)
    return tn_err_set(err, TN_E_PLUGIN,
                      "needs a newer core: ABI %u.%u, this core has %u.%u",
                      (unsigned)TN_ABI_MAJOR, (unsigned)plugin->min_host_minor,
                      (unsigned)TN_ABI_MAJOR, (unsigned)TN_ABI_MINOR);
  return TN_OK;
}

static enum tn_code
check_schemes(const struct tn_plugin *plugin, tn_err *err)
{
  if (plugin->schemes == NULL || plugin->schemes[0] == NULL)
    return tn_err_set(err, TN_E_PLUGIN, "the descriptor has no scheme");
  for (size_t i = 0; plugin->schemes[i] != NULL; i++) {
    if (!tn_manifest_is_scheme(plugin->schemes[i]))
      return tn_err_set(err, TN_E_PLUGIN, "\"%.40s\" is no scheme",
                        plugin->schemes[i]);
  }
  return TN_OK;
}

static bool
is_option_row(const struct tn_option_row *row)
{
  return row->name != NULL && row->name[0] != '\0' &&
         row->type >= TN_OPTION_TEXT && row->type <= TN_OPTION_CHOICE &&
         (row->type != TN_OPTION_CHOICE || row->choices != NULL) &&
         (row->type == TN_OPTION_TEXT || strcmp(row->name, "*") != 0);
}

static enum tn_code
check_descriptor(const struct tn_plugin *plugin, tn_err *err)
{
  enum tn_code rc;

  if (plugin->name == NULL || !tn_manifest_is_name(plugin->name))
    return tn_err_set(err, TN_E_PLUGIN, "\"%.40s\" is no name of a plug-in",
                      plugin->name != NULL ? plugin->name : "");
  rc = check_schemes(plugin, err);
  if (rc != TN_OK)
    return rc;
  if (plugin->client_version == NULL || plugin->get_table == NULL)
    return tn_err_set(err, TN_E_PLUGIN, "missing %s",
                      plugin->get_table == NULL ? "get_table"
                                                : "client_version");
  if (plugin->option_count > 0 && plugin->options == NULL)
    return tn_err_set(err, TN_E_PLUGIN, "missing options");
  for (uint32_t i = 0; i < plugin->option_count; i++) {
    if (!is_option_row(&plugin->options[i]))
      return tn_err_set(err, TN_E_PLUGIN,
                        "option row %u has no name, no type or no choices",
                        (unsigned)i + 1);
  }
  return TN_OK;
}

/* The options that the core reads for every backend with a network stand
 * behind its own, for whoever lists them or misspells one. */
static enum tn_code
add_tls_rows(struct tn_backend *backend, tn_err *err)
{
  struct tn_plugin *plugin = &backend->plugin;
  size_t count;
  const struct tn_option_row *tls = tn_tls_rows(&count);

  if ((plugin->caps & TN_CAP_NETWORK) == 0)
    return TN_OK;
  for (uint32_t i = 0; i < plugin->option_count; i++) {
    if (tn_tls_name(plugin->options[i].name) != NULL)
      return tn_err_set(err, TN_E_PLUGIN,
                        "option row %u: \"%s\" is read by the core",
                        (unsigned)i + 1, plugin->options[i].name);
  }
  backend->rows =
      tn_memory_alloc((plugin->option_count + count) * sizeof(*backend->rows));
  if (backend->rows == NULL)
    return tn_err_memory(err, "plugin");
  if (plugin->option_count > 0)
    memcpy(backend->rows, plugin->options,
           plugin->option_count * sizeof(*backend->rows));
  memcpy(backend->rows + plugin->option_count, tls, count * sizeof(*tls));
  plugin->options = backend->rows;
  plugin->option_count += (uint32_t)count;
  return TN_OK;
}

static const char *
text_or_empty(const char *text)
{
  return text != NULL ? text : "";
}

static void
copy_descriptor(struct tn_backend *backend, const struct tn_plugin *plugin)
{
  size_t size = sizeof(backend->plugin);

  memcpy(&backend->plugin, plugin, plugin->size < size ? plugin->size : size);
  backend->plugin.size = (uint32_t)size;
  backend->plugin.version = text_or_empty(backend->plugin.version);
  backend->plugin.license = text_or_empty(backend->plugin.license);
  backend->plugin.client_library =
      text_or_empty(backend->plugin.client_library);
}

/* ---- the tables ---- */

static bool
is_filled(const struct tn_backend *backend, const struct slot_row *slot)
{
  const char *bytes = (const char *)backend + slot->offset;

  for (size_t i = 0; i < slot->size; i++) {
    if (bytes[i] != 0)
      return true;
  }
  return false;
}

static void
add_missing(struct tn_strbuf *missing, const char *name)
{
  tn_strbuf_add_text(missing, missing->size > 0 ? ", " : "missing ");
  tn_strbuf_add_text(missing, name);
}

/* Copy one table; a table of which the plug-in has less bytes than it says is
 * not to be told. */
static void
copy_table(struct tn_backend *backend, const struct table_row *row,
           const void *table)
{
  char *copy = (char *)backend + row->offset;
  uint32_t size;

  memcpy(&size, table, sizeof(size));
  memcpy(copy, table, size < row->size ? size : row->size);
  size = (uint32_t)row->size;
  memcpy(copy, &size, sizeof(size));
}

/* Copy all tables there are; `*ret_present` has a bit for each. */
static void
copy_tables(struct tn_backend *backend, struct tn_strbuf *missing,
            uint32_t *ret_present)
{
  uint32_t present = 0;

  for (size_t i = 0; i < TN_COUNT(tables); i++) {
    const void *table = backend->plugin.get_table(tables[i].id);

    if (table != NULL) {
      copy_table(backend, &tables[i], table);
      present |= UINT32_C(1) << tables[i].id;
    } else if (tables[i].is_required != 0) {
      tn_strbuf_add_text(missing,
                         missing->size > 0 ? ", table " : "missing table ");
      tn_strbuf_add_text(missing, tables[i].name);
    }
  }
  *ret_present = present;
}

static void
check_group(const struct tn_backend *backend, const struct group_row *group,
            struct tn_strbuf *missing)
{
  uint32_t filled = 0;

  for (uint32_t i = 0; i < group->count; i++)
    filled += is_filled(backend, &group->slots[i]);
  for (uint32_t i = 0; filled > 0 && i < group->count; i++) {
    if (!is_filled(backend, &group->slots[i]))
      add_missing(missing, group->slots[i].name);
  }
}

static void
check_slots(const struct tn_backend *backend, uint32_t present,
            struct tn_strbuf *missing)
{
  for (size_t i = 0; i < TN_COUNT(required); i++) {
    if ((present & UINT32_C(1) << required[i].table) != 0 &&
        !is_filled(backend, &required[i]))
      add_missing(missing, required[i].name);
  }
  for (size_t i = 0; i < TN_COUNT(groups); i++)
    check_group(backend, &groups[i], missing);
}

/* Only of tables that are complete, so nothing is named twice. */
static void
check_promises(const struct tn_backend *backend, struct tn_strbuf *missing)
{
  for (size_t i = 0; missing->size == 0 && i < TN_COUNT(promises); i++) {
    if ((backend->plugin.caps & promises[i].cap) != 0 &&
        !is_filled(backend, &promises[i].slot)) {
      add_missing(missing, promises[i].slot.name);
      tn_strbuf_add_text(missing, ", which its capabilities promise");
    }
  }
}

static bool
is_error_row(const struct tn_error_row *row)
{
  size_t size = row->sqlstate != NULL ? strlen(row->sqlstate) : 0;

  return row->category > TN_OK && row->category < TN_CODE_COUNT &&
         row->connection >= 0 && row->connection <= TN_CONNECTION_DEAD &&
         row->replay >= 0 && row->replay <= TN_REPLAY_UNKNOWN &&
         (row->native != 0 || size == 2 || size == 5);
}

enum tn_code
tn_backend__check_dialect(const struct tn_dialect_table *dialect, tn_err *err)
{
  if (dialect->placeholder > TN_PLACEHOLDER_DOLLAR_NUMBER)
    return tn_err_set(err, TN_E_PLUGIN,
                      "dialect: %u is no kind of placeholder known here",
                      (unsigned)dialect->placeholder);
  if (dialect->error_count > 0 && dialect->errors == NULL)
    return tn_err_set(err, TN_E_PLUGIN, "missing dialect.errors");
  for (uint64_t i = 0; i < dialect->error_count; i++) {
    if (!is_error_row(&dialect->errors[i]))
      return tn_err_set(err, TN_E_PLUGIN,
                        "dialect: error row %llu has no code, or a category "
                        "or verdict that is none",
                        (unsigned long long)i + 1);
  }
  return TN_OK;
}

static enum tn_code
complete_tables(struct tn_backend *backend, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf missing = TN_STRBUF_INIT(REASON_MAX);
  uint32_t present;
  enum tn_code rc;

  copy_tables(backend, &missing, &present);
  check_slots(backend, present, &missing);
  check_promises(backend, &missing);
  if (missing.failure == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  if (missing.size > 0)
    return tn_err_set(err, TN_E_PLUGIN, "%s", tn_strbuf_text(&missing));
  rc = tn_backend__check_dialect(&backend->dialect, err);
  if (rc != TN_OK)
    return rc;
  backend->has_batch = backend->statement.execute_batch != NULL;
  backend->has_bulk = (present & UINT32_C(1) << TN_TABLE_BULK) != 0;
  tn_backend__fill(backend);
  return TN_OK;
}

static enum tn_code
copy_texts(struct tn_backend *backend, const char *path, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf client = TN_STRBUF_INIT(SIZE_MAX / 4);
  const char *version = text_or_empty(backend->plugin.client_version());

  tn_strbuf_add_text(&client, backend->plugin.client_library);
  if (client.size > 0 && *version != '\0')
    tn_strbuf_add_char(&client, ' ');
  tn_strbuf_add_text(&client, version);
  backend->client = tn_strbuf_take(&client);
  backend->client_version = tn_memory_text(version, strlen(version));
  backend->path = tn_memory_text(path, strlen(path));
  if (backend->client == NULL || backend->client_version == NULL ||
      backend->path == NULL)
    return tn_err_memory(err, "plugin");
  return TN_OK;
}

enum tn_code
tn_backend_new(const struct tn_plugin *plugin, const char *path,
               struct tn_backend **ret, tn_err *err)
{
  TN_CLEANUP(tn_backend_free) struct tn_backend *backend = NULL;
  enum tn_code rc = check_abi(plugin, err);

  if (rc != TN_OK)
    return rc;
  backend = tn_memory_zalloc(sizeof(*backend));
  if (backend == NULL)
    return tn_err_memory(err, "plugin");
  copy_descriptor(backend, plugin);
  rc = check_descriptor(&backend->plugin, err);
  if (rc == TN_OK)
    rc = add_tls_rows(backend, err);
  if (rc == TN_OK)
    rc = complete_tables(backend, err);
  if (rc == TN_OK)
    rc = copy_texts(backend, path, err);
  if (rc != TN_OK)
    return rc;
  *ret = backend;
  backend = NULL;
  return TN_OK;
}

void
tn_backend_free(struct tn_backend **backend)
{
  if (backend == NULL || *backend == NULL)
    return;
  tn_memory_free((*backend)->path);
  tn_memory_free((*backend)->client_version);
  tn_memory_free((*backend)->client);
  tn_memory_free((*backend)->rows);
  tn_memory_free(*backend);
  *backend = NULL;
}
