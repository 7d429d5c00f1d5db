/* What the files of bulk loads share. */
#ifndef TENON_MYSQL_BULK_H
#define TENON_MYSQL_BULK_H

#include "my_priv.h"

/* One request: more is no faster. */
#define MYSQL__CHUNK_BYTES ((size_t)1 << 20)

/* A statement for so many rows, and its parameters. */
struct mysql__variant {
  MYSQL_STMT *stmt;
  uint32_t rows;
  struct mysql__params params;
};

/* Rows that were copied: values, and behind them the bytes. */
struct mysql__kept {
  tn_value *values;
  char *bytes;
  size_t used;               /* bytes */
  struct mysql__array array; /* of them; with arrays they go together */
};

struct mysql__bulk {
  struct mysql__conn *conn;
  uint32_t column_count;
  uint32_t group_rows; /* the most that one statement is prepared for */
  uint32_t short_runs;
  bool has_arrays;
  struct mysql__variant full; /* for group_rows; unused with arrays */
  struct mysql__variant odd;  /* for fewer */
  struct mysql__params shape; /* one row, to look at rows by */
  struct mysql__array array;  /* that is being sent */
  struct mysql__kept kept;
  uint64_t sent;     /* rows */
  uint64_t affected; /* as the server said */
  char *head;        /* "INSERT INTO … VALUES " */
  size_t head_size;
};

/* Prepare for one row, which says whether the table and its columns are
 * there. */
int32_t mysql__bulk_begin(struct mysql__bulk *bulk,
                          const struct tn_bulk_request *request);

/* Release what that and sending have made. */
void mysql__bulk_end(struct mysql__bulk *bulk);

/* The next of `rows` rows that go together, looked at and not refused. */
int32_t mysql__bulk_take(struct mysql__bulk *bulk, const tn_value *values,
                         uint64_t rows, uint64_t first_row,
                         struct mysql__array *ret);

/* A run of rows that go together may have ended. After too many short ones
 * groups of placeholders are used. */
void mysql__bulk_count_run(struct mysql__bulk *bulk,
                           const struct mysql__array *array);

/* Send what was taken last. A failure tells its row, where that can be known.
 */
int32_t mysql__bulk_send(struct mysql__bulk *bulk,
                         const struct mysql__array *array);

#endif
