/* The copy of all rows of all sets that a buffered query makes of a backend's
 * result that does not hold them itself. It lives in the result's arena. */
#include "db_priv.h"

#include "value_copy.h"

struct kept_row {
  struct kept_row *next;
  tn_value cells[];
};

struct kept_set {
  struct kept_set *next;
  struct kept_row *rows;
  const struct tn_column *columns;
  uint32_t column_count;
  struct tn_result_info info;
};

static bool
keep_array(struct tn_arena *arena, const tn_value *cell, tn_value *ret)
{
  size_t size = 0;
  void *block;

  if (tn_value_copy_size(cell, &size) != TN_OK)
    return false;
  block = tn_arena_alloc(arena, size);
  if (block == NULL)
    return false;
  tn_value_copy_into(cell, block, ret);
  return true;
}

/* A copy that lives in the result's arena, its bytes ended by NUL. */
static bool
keep_cell(struct tn_arena *arena, const tn_value *cell, tn_value *ret)
{
  *ret = *cell;
  if (cell->type == TN_OTHER && cell->more.type_name != NULL) {
    ret->more.type_name = tn_arena_text(arena, cell->more.type_name,
                                        strlen(cell->more.type_name));
    if (ret->more.type_name == NULL)
      return false;
  }
  switch (cell->type) {
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_BLOB:
  case TN_JSON:
  case TN_OTHER:
    ret->as.bytes.data =
        tn_arena_text(arena, cell->as.bytes.data, cell->as.bytes.size);
    return ret->as.bytes.data != NULL;
  case TN_ARRAY:
    return keep_array(arena, cell, ret);
  default:
    return true;
  }
}

static bool
keep_row(tn_result *result, const tn_value *cells, struct kept_row ***tail)
{
  struct kept_row *row =
      tn_arena_alloc(&result->arena,
                     sizeof *row + result->column_count * sizeof row->cells[0]);
  uint32_t i;

  if (row == NULL)
    return false;
  row->next = NULL;
  for (i = 0; i < result->column_count; i++)
    if (!keep_cell(&result->arena, &cells[i], &row->cells[i]))
      return false;
  **tail = row;
  *tail = &row->next;
  return true;
}

static bool
keep_text(struct tn_arena *arena, const char **text)
{
  *text = tn_arena_text(arena, *text, strlen(*text));
  return *text != NULL;
}

/* The backend's columns are good until those of its next set are asked for. */
static bool
keep_columns(tn_result *result, struct kept_set *set)
{
  struct tn_column *columns = tn_arena_alloc(
      &result->arena, (result->column_count + (size_t)1) * sizeof *columns);
  uint32_t i;

  if (columns == NULL)
    return false;
  for (i = 0; i < result->column_count; i++) {
    columns[i] = result->columns[i];
    if (!keep_text(&result->arena, &columns[i].name) ||
        !keep_text(&result->arena, &columns[i].type_name))
      return false;
  }
  set->columns = columns;
  set->column_count = result->column_count;
  return true;
}

/* NULL without memory. */
static struct kept_set *
new_set(tn_result *result)
{
  struct kept_set *set = tn_arena_alloc(&result->arena, sizeof *set);

  if (set != NULL)
    memset(set, 0, sizeof *set);
  return set;
}

/* Fetch the rows of the present set, and all that is known of it. */
static enum tn_code
keep_set(tn_result *result, struct kept_set *set, tn_err *err)
{
  struct kept_row **tail = &set->rows;
  const tn_value *row = NULL;
  enum tn_code rc;

  if (!keep_columns(result, set))
    return tn_err_memory(err, "result");
  for (;;) {
    rc = tn_result_next(result, &row, err);
    if (rc != TN_OK)
      return rc;
    if (row == NULL)
      break;
    if (!keep_row(result, row, &tail))
      return tn_err_memory(err, "result");
  }
  set->info = result->info;
  return TN_OK;
}

static void
show(tn_result *result, const struct kept_set *set)
{
  result->next_kept = set->rows;
  result->next_set = set->next;
  result->columns = set->columns;
  result->column_count = set->column_count;
  result->info = set->info;
  result->row_count = 0;
}

enum tn_code
tn_result__keep(tn_result *result, tn_err *err)
{
  struct kept_set *const first = new_set(result);
  struct kept_set *set;
  int has_set = 0;

  for (set = first; set != NULL; set = set->next) {
    enum tn_code rc = keep_set(result, set, err);

    if (rc == TN_OK)
      rc = tn_result_next_set(result, &has_set, err);
    if (rc != TN_OK)
      return rc;
    if (!has_set) {
      show(result, first);
      return TN_OK;
    }
    set->next = new_set(result);
  }
  return tn_err_memory(err, "result");
}

const tn_value *
tn_result__next_kept(tn_result *result)
{
  struct kept_row *row = result->next_kept;

  result->next_kept = row->next;
  result->row_count++;
  return row->cells;
}

bool
tn_result__next_kept_set(tn_result *result)
{
  result->next_kept = NULL;
  if (result->next_set == NULL)
    return false;
  show(result, result->next_set);
  return true;
}
