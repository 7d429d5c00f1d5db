/* Results as tables for people, drawn by libsmartcols.
 *
 * It needs all rows of a table in memory, so a long result is drawn as several
 * tables, each with its own header. On a terminal long cells are cut and a
 * footer counts the rows; elsewhere everything is shown whole. */
#include "output.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/clock.h>

#include "display.h"

/* One table at most, whichever is reached first. */
#define TABLE_ROWS  1000
#define TABLE_BYTES ((size_t)4 << 20)

/* Longest cell on a terminal, in characters. */
#define CELL_MAX 200

static const char separator[] = "  ";
static const char bold[] = "\033[1m";
static const char dim[] = "\033[2m";
static const char plain[] = "\033[0m";

struct table {
  struct libscols_table *lines; /* NULL: none is being filled */
  size_t line_count;
  size_t bytes;
  bool is_drawn; /* one at least was */
  struct display cell;
};

static enum tn_code
no_memory(tn_err *err)
{
  return tn_err_set(err, TN_E_MEMORY, "output: out of memory");
}

static size_t
cell_max(const struct output *out)
{
  return out->is_terminal ? CELL_MAX : SIZE_MAX;
}

static bool
add_column(struct output *out, struct table *table, size_t index)
{
  const struct output_column *column = &out->columns[index];
  struct libscols_column *added;

  table->cell.size = 0;
  display_add_safe(&table->cell, column->name, strlen(column->name),
                   cell_max(out));
  if (table->cell.failed)
    return false;
  added = scols_table_new_column(table->lines, table->cell.data, 0,
                                 output_is_number(column->type) ? SCOLS_FL_RIGHT
                                                                : 0);
  return added != NULL &&
         (!out->has_color ||
          scols_cell_set_color(scols_column_get_header(added), bold) == 0);
}

/* The library would escape once more what is escaped already, and bend tables
 * to the terminal's width in its own way: both are switched off. */
static bool
new_lines(struct output *out, struct table *table)
{
  size_t i;

  table->lines = scols_new_table();
  if (table->lines == NULL)
    return false;
  if (scols_table_enable_noencoding(table->lines, 1) != 0 ||
      scols_table_set_termforce(table->lines, SCOLS_TERMFORCE_NEVER) != 0 ||
      scols_table_enable_colors(table->lines, out->has_color) != 0 ||
      scols_table_set_stream(table->lines, out->stream) != 0 ||
      scols_table_set_column_separator(table->lines, separator) != 0)
    return false;
  for (i = 0; i < out->column_count; i++)
    if (!add_column(out, table, i))
      return false;
  return true;
}

static enum tn_code
draw(struct table *table, tn_err *err)
{
  int status = 0;

  if (table->lines != NULL && table->line_count > 0) {
    status = scols_print_table(table->lines);
    table->is_drawn = true;
  }
  scols_unref_table(table->lines);
  table->lines = NULL;
  table->line_count = 0;
  table->bytes = 0;
  return status < 0 ? no_memory(err) : TN_OK;
}

static enum tn_code
begin_table(struct output *out, tn_err *err)
{
  struct table *table = calloc(1, sizeof *table);

  if (table == NULL)
    return no_memory(err);
  out->state = table;
  if (out->result_count > 0 && (out->column_count > 0 || out->last_columns > 0))
    putc('\n', out->stream);
  return TN_OK;
}

static bool
set_cell(struct output *out, struct table *table, struct libscols_line *line,
         size_t index, const tn_value *value)
{
  table->cell.size = 0;
  display_add_value(&table->cell, value, cell_max(out));
  table->bytes += table->cell.size;
  if (table->cell.failed ||
      scols_line_set_data(line, index, table->cell.data) != 0)
    return false;
  if (value->type != TN_NULL || !out->has_color)
    return true;
  return scols_cell_set_color(scols_line_get_cell(line, index), dim) == 0;
}

static enum tn_code
add_row(struct output *out, const tn_value *row, tn_err *err)
{
  struct table *table = out->state;
  struct libscols_line *line;
  size_t i;

  if (table->lines == NULL && !new_lines(out, table))
    return no_memory(err);
  line = scols_table_new_line(table->lines, NULL);
  if (line == NULL)
    return no_memory(err);
  for (i = 0; i < out->column_count; i++)
    if (!set_cell(out, table, line, i, &row[i]))
      return no_memory(err);
  table->line_count++;
  if (table->line_count < TABLE_ROWS && table->bytes < TABLE_BYTES)
    return TN_OK;
  return draw(table, err);
}

/* The library draws nothing at all for a table without lines. */
static void
write_header(const struct output *out)
{
  size_t i;

  for (i = 0; i < out->column_count; i++) {
    if (i > 0)
      fputs(separator, out->stream);
    if (out->has_color)
      fputs(bold, out->stream);
    display_write(out->stream, out->columns[i].name,
                  strlen(out->columns[i].name));
    if (out->has_color)
      fputs(plain, out->stream);
  }
  putc('\n', out->stream);
}

static void
write_footer(const struct output *out, uint64_t affected, bool is_complete)
{
  uint64_t count = out->column_count > 0 ? out->row_count : affected;
  bool is_query = out->column_count > 0;
  char took[32] = "";

  if (is_query && !out->is_terminal && !out->has_time)
    return;
  if (out->has_time)
    (void)snprintf(took, sizeof took, "%.1f ms",
                   (double)(tn_clock_now() - out->since) / 1e6);
  fprintf(out->stream, "%s%llu %s%s", is_query ? "(" : "ok, ",
          (unsigned long long)count, count == 1 ? "row" : "rows",
          is_query ? "" : " affected");
  if (!is_complete)
    fputs(", broken off", out->stream);
  if (out->has_time)
    fprintf(out->stream, is_query ? ", %s" : " (%s)", took);
  fputs(is_query ? ")\n" : "\n", out->stream);
}

static enum tn_code
end_table(struct output *out, uint64_t affected, bool is_complete, tn_err *err)
{
  struct table *table = out->state;
  enum tn_code rc;

  if (table == NULL)
    return TN_OK;
  rc = draw(table, err);
  if (out->column_count > 0 && !table->is_drawn)
    write_header(out);
  if (is_complete || out->column_count > 0)
    write_footer(out, affected, is_complete);
  display_clear(&table->cell);
  free(table);
  out->state = NULL;
  return rc;
}

const struct output_writer output_table = {
  .name = "table",
  .begin = begin_table,
  .row = add_row,
  .end = end_table,
};
