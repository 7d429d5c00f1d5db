/* Results on standard output, in one of four forms.
 *
 * Whatever has rows goes through here: what a query returns, and the tool's
 * own lists. A writer is a table of three functions; a form more is a file
 * more. Rows are written as they come, so memory stays bounded however many
 * there are. */
#ifndef TENON_CLI_OUTPUT_H
#define TENON_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <tenon/result.h>

struct output_column {
  const char *name;
  uint32_t type; /* enum tn_type */
};

struct output_writer;

struct output {
  FILE *stream;
  const struct output_writer *writer;
  bool is_terminal; /* a person looks at it */
  bool has_color;
  bool has_time; /* say how long each result took */
  bool failed;   /* it could not be written */
  int64_t since; /* tn_clock_now() when the result's statement was started */
  const struct output_column *columns;
  size_t column_count;
  uint64_t row_count;    /* of the current result, written so far */
  uint64_t result_count; /* before the current one */
  uint64_t table_count;  /* of these, such with columns */
  size_t last_columns;   /* of the result before */
  void *state;           /* the writer's, from begin to end */
};

/* `end` is called after every `begin`, also when the rows broke off; it
 * releases `state`. */
struct output_writer {
  const char *name; /* as --format takes it */
  bool is_json;     /* errors are told in JSON as well */
  enum tn_code (*begin)(struct output *out, tn_err *err);
  enum tn_code (*row)(struct output *out, const tn_value *row, tn_err *err);
  enum tn_code (*end)(struct output *out, uint64_t affected, bool is_complete,
                      tn_err *err);
};

extern const struct output_writer output_table;
extern const struct output_writer output_json;
extern const struct output_writer output_jsonl;
extern const struct output_writer output_csv;

/* A table whose rows are shown as they come; not to be chosen by name. */
extern const struct output_writer output_lines;

/* Write to standard output in the first form of all. */
void output_init(struct output *out, bool may_color);

/* Choose the form. False: there is none of that name. */
bool output_choose(struct output *out, const char *name);

/* Take the time from now on. */
void output_start(struct output *out);

/* Write all rows of all sets of `result`, but for a last one, behind others,
 * that has no columns and changed nothing. Fails as it does; TN_E_IO with
 * out->failed, it cannot be written; TN_E_MEMORY. */
enum tn_code output_result(struct output *out, tn_result *result, tn_err *err);

/* The same as a tn_script_fn, `user` being the output; takes the time of the
 * next result from its end. */
enum tn_code output_visit(tn_result *result, void *user, tn_err *err);

/* Write rows that are no query's. `columns` stays borrowed until the end. */
enum tn_code output_begin(struct output *out,
                          const struct output_column *columns, size_t count,
                          tn_err *err);
enum tn_code output_row(struct output *out, const tn_value *row, tn_err *err);
enum tn_code output_end(struct output *out, uint64_t affected, bool is_complete,
                        tn_err *err);

/* The same after rows of the tool's own: all of them if `rc` is TN_OK, else
 * they broke off, and `rc` with its error stays what there is to tell. */
enum tn_code output_finish(struct output *out, enum tn_code rc, tn_err *err);

/* Write out what is buffered. */
enum tn_code output_flush(struct output *out, tn_err *err);

/* Is a column of that type set to the right? */
bool output_is_number(uint32_t type);

/* A value as tn_value_print() has it, however long, to be released with
 * free(). NULL without memory. */
char *output_print(const tn_value *value, size_t *ret_size);

/* output_json.c: a text as a JSON string. False without memory, or if it is
 * not UTF-8; nothing was written then. */
bool json_write_text(FILE *stream, const char *text, size_t size);

/* output_csv.c: bytes as \x and hexadecimal digits. */
void hex_write(FILE *stream, const char *bytes, size_t size);

#endif
