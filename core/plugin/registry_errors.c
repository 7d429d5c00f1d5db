/* What each error of a backend means, for people: the plug-in's rows with the
 * administrator's word on them, and what only he speaks of. */
#include "plugin_priv.h"

#include <string.h>

#include "failure.h"

/* What the columns of constraint_sql are for (struct tn_dialect_table). */
#define LOOKED_UP                                                              \
  (TN_ERR_BIT(TN_ERR_SCHEMA) | TN_ERR_BIT(TN_ERR_TABLE) |                      \
   TN_ERR_BIT(TN_ERR_CONSTRAINT) | TN_ERR_BIT(TN_ERR_COLUMN) |                 \
   TN_ERR_BIT(TN_ERR_KEY_TABLE))

struct visitor {
  const struct tn_backend *backend;
  void (*visit)(const struct tn_error_info *info, void *user);
  void *user;
};

/* As a server would tell it. */
static struct tn_failure
failure_of(int32_t native, const char *sqlstate)
{
  return (struct tn_failure){ .size = sizeof(struct tn_failure),
                              .native = native % TN_ERROR_OTHERS,
                              .lookup = native,
                              .sqlstate = sqlstate };
}

static void
tell(const struct visitor *visitor, const struct tn_failure *failure,
     const struct tn_error_row *row, const char *name)
{
  const struct tn_override *override =
      tn_overrides_find(&visitor->backend->overrides, failure);
  struct tn_judgement judgement = tn_failure_judge(row, override);
  const struct tn_dialect_table *dialect = &visitor->backend->dialect;
  struct tn_error_fields fields = { .protocol = 0 };
  struct tn_error_info info = {
    .native = failure->native,
    .category = judgement.category,
    .connection = judgement.connection,
    .replay = judgement.replay,
    .sqlstate = failure->sqlstate != NULL ? failure->sqlstate : "",
    .name = name != NULL ? name : "",
    .file = override != NULL ? override->path : "",
    .line = override != NULL ? override->line : 0,
  };

  if (row != NULL && dialect->error_fields != NULL) {
    struct tn_error_row judged = *row;

    judged.category = judgement.category;
    dialect->error_fields(&judged, &fields);
  }
  info.protocol = fields.protocol;
  info.message = fields.message;
  if (dialect->constraint_sql != NULL &&
      (info.category == TN_E_DUPLICATE || info.category == TN_E_REFERENCE))
    info.catalogue = LOOKED_UP;
  visitor->visit(&info, visitor->user);
}

/* Has it a row of its own? */
static bool
has_row(const struct tn_dialect_table *dialect,
        const struct tn_override *override)
{
  for (uint64_t i = 0; i < dialect->error_count; i++) {
    const struct tn_error_row *row = &dialect->errors[i];

    if (row->native != 0 ? row->native % TN_ERROR_OTHERS == override->native
                         : strcmp(row->sqlstate, override->sqlstate) == 0)
      return true;
  }
  return false;
}

static void
visit_all(const struct visitor *visitor)
{
  const struct tn_dialect_table *dialect = &visitor->backend->dialect;
  const struct tn_overrides *overrides = &visitor->backend->overrides;

  for (uint64_t i = 0; i < dialect->error_count; i++) {
    const struct tn_error_row *row = &dialect->errors[i];
    struct tn_failure failure = failure_of(row->native, row->sqlstate);

    tell(visitor, &failure, row, row->name);
  }
  for (size_t i = 0; i < overrides->count; i++) {
    const struct tn_override *override = &overrides->items[i];
    struct tn_failure failure = failure_of(
        override->native, override->native == 0 ? override->sqlstate : NULL);

    if (!has_row(dialect, override))
      tell(visitor, &failure, tn_failure_row(dialect, &failure), NULL);
  }
}

enum tn_code
tn_registry_errors(tn_registry *registry, const char *name,
                   void (*visit)(const struct tn_error_info *info, void *user),
                   void *user, tn_err *err)
{
  struct visitor visitor = { .visit = visit, .user = user };
  struct tn_plugin_report report;
  enum tn_code rc = tn_registry_inspect(registry, name, &report, err);

  if (rc != TN_OK)
    return rc;
  pthread_mutex_lock(&registry->lock);
  visitor.backend = tn_registry__find_entry(registry, report.name)->backend;
  pthread_mutex_unlock(&registry->lock);
  visit_all(&visitor);
  return TN_OK;
}
