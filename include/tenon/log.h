/* What Tenon tells while it works. It never prints; whoever uses it passes in
 * a sink. There is no global sink and so no global state. */
#ifndef TENON_LOG_H
#define TENON_LOG_H

#include <tenon/base.h>

TN_BEGIN_DECLS

enum tn_log_level {
  TN_LOG_ERROR = 1,
  TN_LOG_WARNING,
  TN_LOG_INFO,
  TN_LOG_DEBUG,
};

/* A sink. `write` is called with one line, without a newline, in which
 * passwords are masked and control characters escaped; it is borrowed for the
 * call. It may be called from every thread that uses Tenon, never with one of
 * Tenon's locks held. */
struct tn_log {
  uint32_t level; /* the most talkative level that is written */
  uint32_t reserved;
  void (*write)(uint32_t level, const char *line, void *user);
  void *user;
};

/* "error", "warning", "info", "debug"; "" for another number. Static. */
TN_API const char *tn_log_level_name(uint32_t level);

/* Write one line to `log`, which may be NULL. `fmt` and its values name
 * neither secrets nor the values of a statement; URLs with a password in them
 * are masked all the same. */
TN_API void tn_log_write(const struct tn_log *log, uint32_t level,
                         const char *fmt, ...) TN_PRINTF(3, 4);

TN_END_DECLS

#endif
