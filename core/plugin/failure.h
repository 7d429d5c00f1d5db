/* A failure that a plug-in tells, and what it comes to: the category and the
 * verdicts of its row, the administrator's word on them, clean texts. */
#ifndef TENON_FAILURE_H
#define TENON_FAILURE_H

#include "host.h"
#include "override.h"

/* The row of a dialect for a failure, from the most telling to the most
 * general; NULL if none matches. */
const struct tn_error_row *tn_failure_row(
    const struct tn_dialect_table *dialect, const struct tn_failure *failure);

/* What a row (NULL: none) and an override (NULL: none) come to. */
struct tn_judgement {
  int32_t category;
  int32_t connection; /* never 0 */
  int32_t replay;     /* never 0 */
};
struct tn_judgement tn_failure_judge(const struct tn_error_row *row,
                                     const struct tn_override *override);

/* May a failure be put into the call's error? What comes while things are
 * brought in order explains less than what made that necessary. */
bool tn_failure__takes(struct tn_host_call *call);

/* Remember that the error is set, and by whom. Returns `category`. */
int32_t tn_failure__note(struct tn_host_call *call, int32_t category);

/* Slots of the host's table. */
int32_t tn_failure__fail(struct tn_call *call,
                         const struct tn_failure *failure);
void tn_failure__field(struct tn_call *call, uint32_t field, const char *text,
                       size_t size);
void tn_failure__source(struct tn_call *call, uint32_t source);
void tn_failure__verdicts(struct tn_call *call, int32_t connection,
                          int32_t replay);

#endif
