/* The journal of systemd as a sink of the log. */
#ifndef TENON_JOURNAL_PRIV_H
#define TENON_JOURNAL_PRIV_H

#include <tenon/journal.h>

#include "base_priv.h"

/* tn_journal_open() of another socket than journald's. */
enum tn_code tn_journal__open(const char *path, const char *identifier,
                              uint32_t level, tn_journal **ret, tn_err *err);

#endif
