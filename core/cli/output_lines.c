/* The table of rows that come one at a time, of which a person wants to see
 * each when it comes: plain lines. The other form of table is drawn when it is
 * whole. A column is as wide as its widest cell so far; NULL is blank. */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "display.h"

/* A column that will have wider cells soon begins so wide. */
#define TIME_WIDTH   12 /* 12:30:00.123 */
#define NUMBER_WIDTH 8  /* 1000.123 */
#define TEXT_WIDTH   9

static const char bold[] = "\033[1m";
static const char plain[] = "\033[0m";

struct lines {
  size_t *widths;
  struct display cell;
};

static enum tn_code
no_memory(tn_err *err)
{
  return tn_err_set(err, TN_E_MEMORY, "output: out of memory");
}

static size_t
least_width(const struct output_column *column)
{
  size_t width = strlen(column->name);
  size_t least = 0;

  if (column->type == TN_TIME)
    least = TIME_WIDTH;
  else if (column->type == TN_DECIMAL)
    least = NUMBER_WIDTH;
  else if (column->type == TN_TEXT)
    least = TEXT_WIDTH;
  return width < least ? least : width;
}

static size_t
width_of(const struct display *cell)
{
  return display_width(cell->data, cell->size);
}

/* A line does not end in blanks. */
static void
write_cell(struct output *out, const struct lines *lines, size_t index)
{
  int blanks = (int)(lines->widths[index] - width_of(&lines->cell));
  bool is_last = index + 1 == out->column_count;

  if (index > 0 && !(is_last && lines->cell.size == 0))
    fputs("  ", out->stream);
  if (output_is_number(out->columns[index].type))
    fprintf(out->stream, "%*s%s", blanks, "", lines->cell.data);
  else
    fprintf(out->stream, "%s%*s", lines->cell.data, is_last ? 0 : blanks, "");
  if (is_last)
    putc('\n', out->stream);
}

static enum tn_code
begin_lines(struct output *out, tn_err *err)
{
  struct lines *lines = calloc(1, sizeof *lines);
  size_t i;

  if (lines == NULL)
    return no_memory(err);
  out->state = lines;
  lines->widths = calloc(out->column_count + 1, sizeof *lines->widths);
  if (lines->widths == NULL)
    return no_memory(err);
  if (out->has_color)
    fputs(bold, out->stream);
  for (i = 0; i < out->column_count; i++) {
    lines->widths[i] = least_width(&out->columns[i]);
    lines->cell.size = 0;
    display_add_safe(&lines->cell, out->columns[i].name,
                     strlen(out->columns[i].name), SIZE_MAX);
    if (lines->cell.failed)
      return no_memory(err);
    write_cell(out, lines, i);
  }
  if (out->has_color)
    fputs(plain, out->stream);
  return TN_OK;
}

static enum tn_code
write_line(struct output *out, const tn_value *row, tn_err *err)
{
  struct lines *lines = out->state;
  size_t i;

  for (i = 0; i < out->column_count; i++) {
    lines->cell.size = 0;
    display_add(&lines->cell, "", 0);
    if (row[i].type != TN_NULL)
      display_add_value(&lines->cell, &row[i], SIZE_MAX);
    if (lines->cell.failed)
      return no_memory(err);
    if (width_of(&lines->cell) > lines->widths[i])
      lines->widths[i] = width_of(&lines->cell);
    write_cell(out, lines, i);
  }
  return TN_OK;
}

static enum tn_code
end_lines(struct output *out, uint64_t affected, bool is_complete, tn_err *err)
{
  struct lines *lines = out->state;

  (void)affected;
  (void)is_complete;
  (void)err;
  if (lines == NULL)
    return TN_OK;
  display_clear(&lines->cell);
  free(lines->widths);
  free(lines);
  out->state = NULL;
  return TN_OK;
}

const struct output_writer output_lines = {
  .name = "table",
  .begin = begin_lines,
  .row = write_line,
  .end = end_lines,
};
