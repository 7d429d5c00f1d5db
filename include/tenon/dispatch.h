/* Functions chosen by dialect and driver, as oslo.db's
 * DialectFunctionDispatcher does: register for "postgresql", "mysql+pymysql",
 * "*+pymysql" or "*", call with a URL's names.
 *
 * Order of specificity: (database, driver), (database, *), (*, driver),
 * (*, *). A single dispatcher calls the first that is registered; a multiple
 * one calls all of them, most specific first. */
#ifndef TENON_DISPATCH_H
#define TENON_DISPATCH_H

#include <tenon/err.h>

TN_BEGIN_DECLS

typedef struct tn_dispatch tn_dispatch;

/* A member. `arg` is the call's, `user` was registered with it. */
typedef enum tn_code (*tn_dispatch_fn)(const char *dialect, const char *driver,
                                       void *arg, void *user, tn_err *err);

enum tn_dispatch_mode {
  TN_DISPATCH_SINGLE = 1,
  TN_DISPATCH_MULTIPLE,
};

/* `*ret` is the caller's until tn_dispatch_free(). Fails: TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_dispatch_new(enum tn_dispatch_mode mode,
                                                tn_dispatch **ret, tn_err *err);
TN_API void tn_dispatch_free(tn_dispatch **dispatch);

/* Register `fn` for `target`, "<database or *>[+<driver or *>]"; no driver
 * means any. A multiple dispatcher keeps several for one target in order of
 * registration. Not while another thread calls.
 * Fails: TN_E_USAGE, bad target, or a second one in single mode. */
TN_API TN_MUST_USE enum tn_code tn_dispatch_add(tn_dispatch *dispatch,
                                                const char *target,
                                                tn_dispatch_fn fn, void *user,
                                                tn_err *err);

/* Call what is registered for `dialect` and `driver` (NULL or "": none known).
 * Fails: as the member does (multiple: the first that fails ends it);
 * TN_E_NOT_FOUND, single mode and nothing matches. */
TN_API TN_MUST_USE enum tn_code tn_dispatch_call(const tn_dispatch *dispatch,
                                                 const char *dialect,
                                                 const char *driver, void *arg,
                                                 tn_err *err);

TN_END_DECLS

#endif
