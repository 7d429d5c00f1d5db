/* Results on standard output: what the forms have in common. The writers in
 * the other files of this name only know how their own form is spelled. */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/clock.h>
#include <unistd.h>

static const struct output_writer *const writers[] = {
  &output_table,
  &output_json,
  &output_jsonl,
  &output_csv,
};

/* https://no-color.org: set, and not empty, is a wish for none. */
static bool
user_wants_color(void)
{
  const char *no_color = getenv("NO_COLOR");
  const char *terminal = getenv("TERM");

  return (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
         strcmp(terminal, "dumb") != 0;
}

void
output_init(struct output *out, bool may_color)
{
  memset(out, 0, sizeof *out);
  out->stream = stdout;
  out->writer = writers[0];
  out->is_terminal = isatty(STDOUT_FILENO) == 1;
  out->has_time = out->is_terminal;
  out->has_color = may_color && out->is_terminal && user_wants_color();
  output_start(out);
}

bool
output_choose(struct output *out, const char *name)
{
  size_t i;

  for (i = 0; i < sizeof writers / sizeof writers[0]; i++)
    if (strcmp(writers[i]->name, name) == 0) {
      out->writer = writers[i];
      return true;
    }
  return false;
}

void
output_start(struct output *out)
{
  out->since = tn_clock_now();
}

/* A stream remembers that a write failed, so it is enough to ask after each
 * row. */
static enum tn_code
check_stream(struct output *out, enum tn_code rc, tn_err *err)
{
  if (rc != TN_OK || !ferror(out->stream))
    return rc;
  out->failed = true;
  return tn_err_set(err, TN_E_IO, "output: cannot be written: %s",
                    strerror(errno));
}

enum tn_code
output_begin(struct output *out, const struct output_column *columns,
             size_t count, tn_err *err)
{
  out->columns = columns;
  out->column_count = count;
  out->row_count = 0;
  return check_stream(out, out->writer->begin(out, err), err);
}

enum tn_code
output_row(struct output *out, const tn_value *row, tn_err *err)
{
  enum tn_code rc = out->writer->row(out, row, err);

  out->row_count++;
  return check_stream(out, rc, err);
}

enum tn_code
output_end(struct output *out, uint64_t affected, bool is_complete, tn_err *err)
{
  enum tn_code rc = out->writer->end(out, affected, is_complete, err);

  out->last_columns = out->column_count;
  out->result_count++;
  out->table_count += out->column_count > 0;
  out->columns = NULL;
  rc = check_stream(out, rc, err);
  return rc == TN_OK ? output_flush(out, err) : rc;
}

enum tn_code
output_finish(struct output *out, enum tn_code rc, tn_err *err)
{
  if (rc == TN_OK)
    return output_end(out, out->row_count, true, err);
  (void)output_end(out, out->row_count, false, NULL);
  return rc;
}

enum tn_code
output_flush(struct output *out, tn_err *err)
{
  (void)fflush(out->stream);
  return check_stream(out, TN_OK, err);
}

bool
output_is_number(uint32_t type)
{
  return type == TN_INT64 || type == TN_UINT64 || type == TN_DOUBLE ||
         type == TN_DECIMAL;
}

char *
output_print(const tn_value *value, size_t *ret_size)
{
  size_t size = tn_value_print(value, NULL, 0);
  char *text = malloc(size + 1);

  if (text == NULL)
    return NULL;
  (void)tn_value_print(value, text, size + 1);
  *ret_size = size;
  return text;
}

static enum tn_code
write_rows(struct output *out, tn_result *result, const tn_value *row,
           tn_err *err)
{
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && row != NULL) {
    rc = output_row(out, row, err);
    if (rc == TN_OK)
      rc = tn_result_next(result, &row, err);
  }
  return rc;
}

/* Most failures come with the first row: nothing is written before it. */
static enum tn_code
write_result(struct output *out, tn_result *result,
             const struct output_column *columns, size_t count, tn_err *err)
{
  const tn_value *row = NULL;
  enum tn_code rc = tn_result_next(result, &row, err);

  if (rc != TN_OK)
    return rc;
  rc = output_begin(out, columns, count, err);
  if (rc == TN_OK)
    rc = write_rows(out, result, row, err);
  if (rc == TN_OK)
    return output_end(out, tn_result_affected(result), true, err);

  /* The failure is the one to tell of, whatever comes now. */
  (void)output_end(out, tn_result_affected(result), false, NULL);
  return rc;
}

/* The set that the result is at. */
static enum tn_code
write_set(struct output *out, tn_result *result, tn_err *err)
{
  size_t count = tn_result_column_count(result);
  struct output_column *columns = calloc(count + 1, sizeof *columns);
  enum tn_code rc;
  size_t i;

  if (columns == NULL)
    return tn_err_set(err, TN_E_MEMORY, "output: out of memory");
  for (i = 0; i < count; i++) {
    columns[i].name = tn_result_column_name(result, i);
    columns[i].type = tn_result_column_type(result, i);
  }
  rc = write_result(out, result, columns, count, err);
  free(columns);
  return rc;
}

/* A set behind the first one that has no columns and changed nothing is most
 * often how a server says that the procedure has ended. It is shown if it was
 * not that: if another set follows. */
static enum tn_code
pass_empty_set(struct output *out, tn_result *result, int *ret_has_set,
               tn_err *err)
{
  enum tn_code rc = tn_result_next_set(result, ret_has_set, err);

  if (rc != TN_OK || !*ret_has_set)
    return rc;
  rc = output_begin(out, NULL, 0, err);
  return output_finish(out, rc, err);
}

enum tn_code
output_result(struct output *out, tn_result *result, tn_err *err)
{
  int has_set = 1;
  enum tn_code rc = write_set(out, result, err);

  if (rc == TN_OK)
    rc = tn_result_next_set(result, &has_set, err);
  while (rc == TN_OK && has_set) {
    output_start(out);
    if (tn_result_column_count(result) == 0 &&
        tn_result_affected(result) == 0) {
      rc = pass_empty_set(out, result, &has_set, err);
      continue;
    }
    rc = write_set(out, result, err);
    if (rc == TN_OK)
      rc = tn_result_next_set(result, &has_set, err);
  }
  return rc;
}

enum tn_code
output_visit(tn_result *result, void *user, tn_err *err)
{
  struct output *out = user;
  enum tn_code rc = output_result(out, result, err);

  output_start(out);
  return rc;
}
