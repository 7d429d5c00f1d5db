/* What the files of the scripted plug-in share. */
#ifndef TENON_TESTS_FAKE_PRIV_H
#define TENON_TESTS_FAKE_PRIV_H

#include "fake_plugin.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fake_connection {
  const struct tn_host *host;
  struct fake_script *script;
  struct fake_script own; /* when the URL names none */
  uint32_t txn_state;     /* if the script has_txn_each */
};

/* Count a call; the number of it, from 1. */
unsigned fake__count_call(struct fake_script *script, enum fake_slot slot);

/* The same for a slot that cannot fail. */
void fake__count(const void *handle, enum fake_slot slot);

/* What the script says of the `nth` call; NULL: nothing. */
const struct fake_answer *fake__find_answer(const struct fake_script *script,
                                            enum fake_slot slot, unsigned nth);

/* Count the call and do what the script says. TN_OK with `*ret_skips` not 0:
 * return TN_OK but leave the output alone. */
int32_t fake__follow(struct fake_script *script, enum fake_slot slot,
                     struct tn_call *call, int *ret_skips);

/* The same for slots without an output. */
int32_t fake__follow_simple(void *handle, enum fake_slot slot,
                            struct tn_call *call);

/* Zeroed memory of the host; NULL, reported, without. */
void *fake__make(struct tn_call *call, size_t size);

/* Write down what a call was given. */
void fake__note_values(struct fake_script *script, const tn_value *values,
                       uint32_t count, uint64_t rows);

extern const struct tn_txn_table fake__txn_table;
extern const struct tn_session_table fake__session_table;
extern const struct tn_bulk_table fake__bulk_table;

#endif
