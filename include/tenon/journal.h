/* The journal of systemd as a sink of the log.
 *
 *   tn_journal *journal = NULL;
 *
 *   if (tn_journal_open("shop", TN_LOG_INFO, &journal, &err) == TN_OK)
 *     options.log = tn_journal_log(journal);
 *
 * Each line is an entry with the fields MESSAGE, PRIORITY (3 error, 4 warning,
 * 6 info, 7 debug), SYSLOG_IDENTIFIER, TENON_SUBJECT, the word before the
 * line's first colon or " of ", like "pool" or "statement", and TENON_LOST, how
 * many lines before this one the journal had no room for. A line never waits
 * for the journal. What journald adds, _PID and the rest, is the sender's. */
#ifndef TENON_JOURNAL_H
#define TENON_JOURNAL_H

#include <tenon/err.h>
#include <tenon/log.h>

TN_BEGIN_DECLS

typedef struct tn_journal tn_journal;

/* A sink that writes up to `level` (enum tn_log_level). `identifier` is copied;
 * NULL: the program's file name. `*ret` is the caller's until
 * tn_journal_close(); untouched on failure. It goes on in a child after fork,
 * and when journald is started again.
 * Fails: TN_E_CONNECT, there is no journal, or it may not be written to;
 * TN_E_USAGE, the level; TN_E_LIMIT, no descriptor; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_journal_open(const char *identifier,
                                                uint32_t level,
                                                tn_journal **ret, tn_err *err);

/* The sink, thread-safe, until the journal is closed: what has it, also as a
 * copy, must be closed first. Borrowed. */
TN_API const struct tn_log *tn_journal_log(const tn_journal *journal);

/* Stores NULL; NULL in either place is a no-op. */
TN_API void tn_journal_close(tn_journal **journal);

TN_END_DECLS

#endif
