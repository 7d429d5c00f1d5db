/* Comments that say where a statement comes from (connection_trace). */
#ifndef TENON_TRACE_H
#define TENON_TRACE_H

#include "db_priv.h"

/* Is it a traceparent of W3C's Trace Context? Fails: TN_E_USAGE. */
enum tn_code tn_trace__check(const char *traceparent, tn_err *err);

/* In an operation, of a connection that is traced: put the comment behind
 * asked->sql, which then lives until the next call of this. A text that has a
 * comment stays as it is. With a traceparent the text is another one each
 * time, so the statement is not to be kept: TN_QUERY_ONCE.
 * Fails: TN_E_MEMORY. */
enum tn_code tn_trace__add(tn_conn *conn, struct tn_query *asked, tn_err *err);

#endif
