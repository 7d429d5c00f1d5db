/* Rows, one at a time.
 *
 * A result streams: memory stays bounded however many rows there are, and its
 * connection can do nothing else until it is closed. With TN_QUERY_BUFFERED
 * (conn.h) the rows are fetched at once and the connection is free. A result is
 * used by the thread that uses its connection. */
#ifndef TENON_RESULT_H
#define TENON_RESULT_H

#include <tenon/err.h>
#include <tenon/value.h>

TN_BEGIN_DECLS

typedef struct tn_result tn_result;

/* Columns; 0 if the statement returns no rows. */
TN_API size_t tn_result_column_count(const tn_result *result);

/* A column's name, its type (enum tn_type, the one its values mostly have) and
 * the type's name as the backend spells it, "" if it does not say. Borrowed
 * until the result is closed; NULL and 0 past the end. */
TN_API const char *tn_result_column_name(const tn_result *result,
                                         size_t column);
TN_API uint32_t tn_result_column_type(const tn_result *result, size_t column);
TN_API const char *tn_result_column_type_name(const tn_result *result,
                                              size_t column);

/* Fetch the next row. `*ret_row` is an array of one value a column, borrowed
 * until the next call or the close; NULL after the last row. The deadline is
 * the query's. Fails: as the backend does; TN_E_TIMEOUT, TN_E_CANCELED. */
TN_API TN_MUST_USE enum tn_code tn_result_next(tn_result *result,
                                               const tn_value **ret_row,
                                               tn_err *err);

/* Rows that the statement matched (UPDATE, DELETE) or inserted; for a query
 * that returns rows, the rows fetched so far. */
TN_API uint64_t tn_result_affected(const tn_result *result);

/* The key that the server made for the last row inserted.
 * Fails: TN_E_NOT_FOUND, it made none or the backend does not tell. */
TN_API TN_MUST_USE enum tn_code tn_result_generated_key(const tn_result *result,
                                                        int64_t *ret,
                                                        tn_err *err);

/* Go on to the next result set, of a procedure that returns several or of a
 * batch; rows of the present one that were not fetched are dropped. Columns,
 * affected and key are those of the new set. `*ret_has_set` is 0 after the last
 * one. Fails: as tn_result_next(). */
TN_API TN_MUST_USE enum tn_code tn_result_next_set(tn_result *result,
                                                   int *ret_has_set,
                                                   tn_err *err);

/* Close and store NULL; NULL in either place is a no-op. */
TN_API void tn_result_close(tn_result **result);

TN_END_DECLS

#endif
