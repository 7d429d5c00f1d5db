/* Many rows into one table, by the fastest way that the backend has.
 *
 * The backend chooses: COPY, arrays of parameters, an INSERT with many rows of
 * VALUES. All rows go in or none: a load outside a transaction has one of its
 * own; after a failure inside one, roll that back. Until it is closed the
 * connection can do nothing else. */
#ifndef TENON_BULK_H
#define TENON_BULK_H

#include <tenon/clock.h>
#include <tenon/conn.h>
#include <tenon/err.h>
#include <tenon/value.h>

TN_BEGIN_DECLS

typedef struct tn_bulk tn_bulk;

/* What to load into. Names are taken as they are and quoted. */
struct tn_bulk_options {
  const char *schema; /* NULL: where the session looks */
  const char *table;
  const char *const *columns; /* the others get their defaults */
  size_t column_count;        /* 1 or more */
  tn_deadline deadline;       /* of the whole load; 0: the connection's
                                 timeout_ms for each call */
};

/* Begin a load. `options` is copied. `*ret` is the caller's until
 * tn_bulk_close() and belongs to `conn`; untouched on failure.
 * Fails: TN_E_USAGE, TN_E_NO_TABLE, TN_E_NO_COLUMN, TN_E_STATE, others of the
 * backend. The backend may tell of the table and columns only later. */
TN_API TN_MUST_USE enum tn_code tn_bulk_open(
    tn_conn *conn, const struct tn_bulk_options *options, tn_bulk **ret,
    tn_err *err);

/* Add `row_count` rows of column_count values each, one row after another;
 * borrowed for the call. A failure ends the load: err->row is the row of the
 * load, from 1, and err->parameter the column, where the backend tells.
 * Fails: TN_E_DATA and the like, before the row was sent; TN_E_STATE, it has
 * failed or was finished before; others of the backend, also for rows that
 * were added by an earlier call. */
TN_API TN_MUST_USE enum tn_code tn_bulk_write(tn_bulk *bulk,
                                              const tn_value *values,
                                              size_t row_count, tn_err *err);

/* End the load; on success all rows are in the table, `*ret_rows` of them
 * (may be NULL). Fails: as tn_bulk_write(); TN_E_UNCERTAIN as a commit. */
TN_API TN_MUST_USE enum tn_code tn_bulk_finish(tn_bulk *bulk,
                                               uint64_t *ret_rows, tn_err *err);

/* Close and store NULL; NULL in either place is a no-op. A load that was not
 * finished is given up, and nothing of it stays if it had its own
 * transaction. */
TN_API void tn_bulk_close(tn_bulk **bulk);

TN_END_DECLS

#endif
