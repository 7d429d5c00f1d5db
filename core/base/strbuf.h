/* Growing text with a stated maximum.
 *
 * Whatever builds SQL, URLs or messages uses it. Failures stick: append
 * without looking, ask once at the end. */
#ifndef TENON_STRBUF_H
#define TENON_STRBUF_H

#include "base_priv.h"

struct tn_strbuf {
  char *data; /* NULL until something was added */
  size_t size;
  size_t capacity;
  size_t max;      /* bytes of text at most, the NUL not counted */
  int32_t failure; /* TN_OK, TN_E_MEMORY or TN_E_LIMIT; the first one stays */
};

/* An empty buffer of at most `max` bytes, for TN_CLEANUP(tn_strbuf_clear). */
/* clang-format off */
#define TN_STRBUF_INIT(max_bytes) { .max = (max_bytes) }
/* clang-format on */

/* Release the text and forget a failure; `max` stays. Idempotent. */
void tn_strbuf_clear(struct tn_strbuf *buf);

void tn_strbuf_add(struct tn_strbuf *buf, const char *bytes, size_t size);
void tn_strbuf_add_text(struct tn_strbuf *buf, const char *text);
void tn_strbuf_add_char(struct tn_strbuf *buf, char c);
void tn_strbuf_add_format(struct tn_strbuf *buf, const char *fmt, ...)
    TN_PRINTF(2, 3);

/* The text so far, ended by NUL; "" if there is none. Borrowed until the next
 * call on `buf`. */
const char *tn_strbuf_text(const struct tn_strbuf *buf);

/* Did everything fit? Else the failure, said of `what`: "url: longer than 65536
 * bytes". */
enum tn_code tn_strbuf_status(const struct tn_strbuf *buf, const char *what,
                              tn_err *err);

/* Hand the text over, to be released with tn_memory_free(); the buffer is
 * empty again. NULL if it failed; never NULL otherwise, but for want of the
 * memory for one NUL. */
char *tn_strbuf_take(struct tn_strbuf *buf);

#endif
