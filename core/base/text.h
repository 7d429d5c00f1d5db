/* Questions about bytes that are meant to be text. */
#ifndef TENON_TEXT_H
#define TENON_TEXT_H

#include "base_priv.h"

/* Well-formed UTF-8 by RFC 3629 (no surrogates, no overlong forms)? On a
 * refusal `*ret_offset` (may be NULL) is the first bad byte's. NUL bytes are
 * well-formed. Fast on ASCII. */
bool tn_text_is_utf8(const char *text, size_t size, size_t *ret_offset);

/* Equal but for the case of ASCII letters? */
bool tn_text_equal_nocase(const char *a, const char *b);

/* ASCII only, whatever the locale says. */
bool tn_text_is_space(char c);
bool tn_text_is_digit(char c);
bool tn_text_is_alpha(char c);
char tn_text_lower(char c);

/* The value of a hexadecimal digit; -1 for another character. */
int tn_text_hex(char c);

/* Collects the nearest of many words, for "did you mean". */
struct tn_suggestion {
  const char *wanted;
  const char *best; /* NULL: none is near enough */
  unsigned distance;
};

/* Offer a candidate, borrowed. Near enough is an edit distance (a swap of
 * neighbours counts one) of at most a third of the wanted word's length, at
 * least 1, at most 3; compared without case. Start with {.wanted = word}. */
void tn_suggestion_offer(struct tn_suggestion *suggestion,
                         const char *candidate);

/* Copy `size` bytes of `text` into `out` of `capacity` bytes, control
 * characters and bytes that are no UTF-8 escaped as \xNN, cut at a character's
 * edge with "..." if they do not fit, and ended by NUL. */
void tn_text_escape(const char *text, size_t size, char *out, size_t capacity);

/* The same for text of several lines: LF stays, and CR LF becomes LF. */
void tn_text_escape_lines(const char *text, size_t size, char *out,
                          size_t capacity);

#endif
