/* Time that only goes forward, and the moments by which calls must end.
 *
 * A deadline is an absolute time of the monotonic clock in nanoseconds. It is
 * handed down unchanged through every layer, so that nested waits need no
 * arithmetic and several waits share one budget. */
#ifndef TENON_CLOCK_H
#define TENON_CLOCK_H

#include <tenon/err.h>

TN_BEGIN_DECLS

/* Nanoseconds on CLOCK_MONOTONIC. */
typedef int64_t tn_deadline;

/* No bound. Zero means the same wherever a deadline is optional, so that a
 * zeroed options struct waits as long as it takes. */
#define TN_DEADLINE_NONE INT64_MAX

/* Nanoseconds on CLOCK_MONOTONIC, now. Thread-safe. */
TN_API int64_t tn_clock_now(void);

/* The moment `ms` milliseconds from now; never overflows. */
TN_API tn_deadline tn_deadline_after_ms(uint64_t ms);

/* Read "250ms", "5s", "1.5m", "2h" or "90" (seconds) as milliseconds.
 * Fails: TN_E_CONFIG, not a duration, or beyond a hundred years. */
TN_API TN_MUST_USE enum tn_code tn_duration_parse(const char *text,
                                                  uint64_t *ret_ms,
                                                  tn_err *err);

TN_END_DECLS

#endif
