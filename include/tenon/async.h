/* Calls that wait without holding up their thread.
 *
 * tn_async_start() runs a function of the application's on a small stack of its
 * own. Where the library would wait in there, for a server or for a connection
 * of a pool, the function stands still, tn_async_start() returns, and the
 * application learns what is waited for: a descriptor, events, a moment. Once
 * it has come, tn_async_continue() goes on with the function up to its next
 * wait or its end. So every call of every backend can be used with any event
 * loop, and thousands of them run in one thread.
 *
 *   static enum tn_code
 *   ask(void *user, tn_err *err)
 *   {
 *     … tn_conn_query(), tn_result_next(), as ever …
 *   }
 *
 *   options.wait = tn_async_wait; // of the connection or of the engine
 *   …
 *   rc = tn_async_start(ask, user, NULL, &async, &err);
 *   while (rc == TN_OK && tn_async_state(async) == TN_ASYNC_WAITING) {
 *     … poll tn_async_fd() for tn_async_events() until tn_async_until() …
 *     rc = tn_async_continue(async, ready, &err);
 *   }
 *   if (rc == TN_OK)
 *     rc = tn_async_result(async, &err);
 *   tn_async_close(&async);
 *
 * Threads: a call belongs to the thread that started it, until it has ended:
 * errno and what client libraries keep by thread would change under their feet
 * otherwise. What it uses follows the usual rules: a connection serves one call
 * at a time, a mutex of the application's must not be held across a wait.
 *
 * Only waiting is given up. What computes or reads files holds the thread up as
 * ever: SQLite but for its waits for a lock, loading a plug-in, decoding rows.
 * So do tn_pool_drain() and closing a pool or an engine. A function that a
 * client library has only in a blocking form, such as the resolution of names,
 * runs in a thread of the library's own, and is waited for by descriptor.
 *
 * Signals: the signal mask is the function's own; it has at first that of
 * tn_async_start(). A handler may find itself on the small stack, unless it
 * has one by sigaltstack(2).
 *
 * The function must return: neither longjmp() nor an exception may leave it,
 * and its thread must not end in it. Below the stack lies a page that cannot be
 * touched. AddressSanitizer, ThreadSanitizer and Valgrind are told of the
 * stacks where the library is built with them. */
#ifndef TENON_ASYNC_H
#define TENON_ASYNC_H

#include <tenon/clock.h>
#include <tenon/err.h>

TN_BEGIN_DECLS

typedef struct tn_async tn_async;

/* What is run. It fills `err`, which is never NULL, if it fails. */
typedef enum tn_code (*tn_async_fn)(void *user, tn_err *err);

#define TN_ASYNC_STACK     262144 /* if the options say 0 */
#define TN_ASYNC_STACK_MIN 65536

/* Grows at its end. */
struct tn_async_options {
  size_t struct_size; /* sizeof(struct tn_async_options) */
  size_t
      stack_bytes; /* rounded up to pages; taken from the system, not from
                      the allocator, and of memory only what is touched; 0:
                      TN_ASYNC_STACK. Client libraries with TLS take 40 KiB */
};

#define TN_ASYNC_OPTIONS_INIT                                                  \
  {                                                                            \
    .struct_size = sizeof(struct tn_async_options), .stack_bytes = 0           \
  }

enum tn_async_state {
  TN_ASYNC_WAITING = 1, /* continue it */
  TN_ASYNC_ENDED,       /* its result is there; close it */
};

/* Run `call(user)` until it waits or returns. `options` may be NULL. `*ret` is
 * the caller's until tn_async_close(), also if the call has ended already.
 * Fails only if nothing was run: TN_E_STATE, inside another such call;
 * TN_E_USAGE, the options; TN_E_MEMORY, also for the stack. */
TN_API TN_MUST_USE enum tn_code tn_async_start(
    tn_async_fn call, void *user, const struct tn_async_options *options,
    tn_async **ret, tn_err *err);

/* enum tn_async_state. */
TN_API uint32_t tn_async_state(const tn_async *async);

/* What a waiting call waits for: the descriptor, -1 for none; TN_WAIT_… of
 * plugin.h; and until when, TN_DEADLINE_NONE for ever. All may be others after
 * each tn_async_continue(), which may also close the descriptor: take it out of
 * a set that is kept, such as epoll's, before. Of an ended call: -1, 0, 0.
 * A moment comes after 50 ms at most where another thread may cancel. */
TN_API int tn_async_fd(const tn_async *async);
TN_API uint32_t tn_async_events(const tn_async *async);
TN_API tn_deadline tn_async_until(const tn_async *async);

/* Go on until the next wait or the end. `ready` is which events have come, 0
 * for none, when it is time; too early is allowed.
 * Fails: TN_E_STATE, it has ended, or is another thread's, or this is inside
 * such a call. What the function returns is no failure of this one. */
TN_API TN_MUST_USE enum tn_code tn_async_continue(tn_async *async,
                                                  uint32_t ready, tn_err *err);

/* Stop it: what waits, and whatever it begins from now on, fails with
 * TN_E_CANCELED at its next wait. It is to be continued at once, and then as
 * ever: bringing the session in order may take waits of its own, a second
 * altogether; later ones fail. No-op if it has ended. In the call's thread;
 * others use tn_conn_cancel(). */
TN_API void tn_async_cancel(tn_async *async);

/* What the function has returned, with its error in `err`, which may be NULL.
 * Fails: TN_E_STATE, it has not ended. */
TN_API TN_MUST_USE enum tn_code tn_async_result(const tn_async *async,
                                                tn_err *err);

/* Release it. One that has not ended is canceled and runs to its end first,
 * waiting here and not in the event loop, for a second at most. Stores NULL;
 * NULL in either place is a no-op. */
TN_API void tn_async_close(tn_async **async);

/* The `wait` (tn_wait_fn) of connections that such calls use; `user` is the
 * library's, NULL for others. Outside of such a call it is poll(2), so that the
 * same connections serve for both. An application may call it too: with `fd` -1
 * to sleep. Then, and in a `wait` of the application's own that passes on to
 * it, a call that was canceled gets -1 with ECANCELED in errno. */
TN_API int tn_async_wait(int fd, uint32_t events, tn_deadline until,
                         void *user);

TN_END_DECLS

#endif
