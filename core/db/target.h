/* A database as an application names it, and what is said of it: by the
 * program, in its URL, in the configuration, in that order. */
#ifndef TENON_TARGET_H
#define TENON_TARGET_H

#include <tenon/config.h>
#include <tenon/engine.h>
#include <tenon/url.h>

#include "base_priv.h"
#include "text.h"

/* Zero-filled before it is resolved. */
struct tn_target {
  const tn_url *url;       /* with the parameters and the password that are
                              configured for it */
  tn_url *owned;           /* the same, or NULL: it is borrowed */
  const tn_config *config; /* NULL: none */
  const char *database;    /* of the configuration; NULL: a plain URL */
  bool is_replica;         /* a database is to be its slave_connection */
  const struct tn_setting *settings; /* the program's */
  size_t setting_count;
};

/* `name` is a URL, or "@name" for a database of `config`; both are borrowed.
 * Secrets are looked up now. Options of the core's own in the URL are checked.
 * Fails: TN_E_USAGE, it is NULL; TN_E_CONFIG, TN_E_NOT_FOUND, TN_E_MEMORY. */
enum tn_code tn_target__resolve(const char *name, const tn_config *config,
                                struct tn_target *ret, tn_err *err);

/* The same of a URL that is borrowed. */
enum tn_code tn_target__borrow(const tn_url *url, struct tn_target *ret,
                               tn_err *err);
void tn_target__clear(struct tn_target *target);

/* Add what the program says, borrowed. Fails: TN_E_CONFIG. */
enum tn_code tn_target__set(struct tn_target *target,
                            const struct tn_setting *settings, size_t count,
                            tn_err *err);

/* Is it an option that has a row, and whose name no backend is to see? */
bool tn_target__is_own(const char *key);

/* Offer the names of those. */
void tn_target__offer(struct tn_suggestion *suggestion);

/* It is none: `code`, with the nearest name. */
enum tn_code tn_target__refuse(const char *key, enum tn_code code, tn_err *err);

/* There is no target at all: TN_E_USAGE. */
enum tn_code tn_target__refuse_none(tn_err *err);

/* What the program says of an option that has a row; the program or the URL.
 * Borrowed; NULL: nothing. */
const char *tn_target__setting(const struct tn_target *target, const char *key);
const char *tn_target__said(const struct tn_target *target, const char *key);

/* Does anybody say something of an option, of the core's own or a backend's? */
bool tn_target__is_given(const struct tn_target *target, const char *key);

/* The value of an option of the core's own, or its initial one; `absent` if it
 * has neither. */
int64_t tn_target__number(const struct tn_target *target, const char *key,
                          int64_t absent);

/* The same for texts and choices. NULL: neither. */
const char *tn_target__text(const struct tn_target *target, const char *key);

#endif
