/* A primary and a replica of it: where readers and writers find their engines.
 *
 *   struct tn_facade_options options = TN_FACADE_OPTIONS_INIT;
 *
 *   options.target = "@billing"; // slave_connection is its replica
 *   options.engine.config = config;
 *   rc = tn_facade_open(&options, &facade, &err);
 *   …
 *   rc = tn_write(facade, context, place_order, &order, &err); // scope.h
 *
 * It starts when it is first needed: it opens its engines, which connect when
 * they are. A start that fails is tried again by the next use. From a start on
 * its configuration is frozen.
 *
 * Besides the options of its engines it obeys synchronous_reader and
 * reader_read_only, which are its writer's.
 *
 * The behaviour is that of oslo.db's enginefacade, but that there is no global
 * one and no order in which to say things. All functions are thread-safe but
 * tn_facade_close(). */
#ifndef TENON_FACADE_H
#define TENON_FACADE_H

#include <tenon/engine.h>

TN_BEGIN_DECLS

typedef struct tn_facade tn_facade;

/* What a scope is for. */
enum tn_scope_mode {
  TN_SCOPE_WRITER = 1,
  TN_SCOPE_READER,       /* on the primary, unless synchronous_reader is off */
  TN_SCOPE_ASYNC_READER, /* on the replica: it may see what was a while ago */
};

/* Told of each engine that a facade has opened, before anything uses it: for
 * listeners. `mode` is TN_SCOPE_WRITER or, of the replica's, TN_SCOPE_READER.
 * Another code than TN_OK makes the start fail with it. */
typedef enum tn_code (*tn_facade_engine_fn)(tn_engine *engine,
                                            enum tn_scope_mode mode, void *user,
                                            tn_err *err);

/* Begin with TN_FACADE_OPTIONS_INIT and set `target`. Grows at its end. */
struct tn_facade_options {
  size_t struct_size;  /* sizeof(struct tn_facade_options) */
  const char *target;  /* the primary, as of tn_engine_open(); copied */
  const char *replica; /* likewise; NULL: slave_connection of "@name" if there
                          is one, else readers use the primary */
  struct tn_engine_options engine; /* of both */
  tn_facade_engine_fn on_engine;   /* or NULL */
  void *user;
};

#define TN_FACADE_OPTIONS_INIT                                                 \
  {                                                                            \
    .struct_size = sizeof(struct tn_facade_options), .target = NULL,           \
    .replica = NULL, .engine = TN_ENGINE_OPTIONS_INIT, .on_engine = NULL,      \
    .user = NULL                                                               \
  }

/* Make one; nothing is loaded yet. `options` is copied, its pointers as in
 * tn_engine_open(). `*ret` is the caller's until tn_facade_close().
 * Fails: TN_E_USAGE; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_facade_open(
    const struct tn_facade_options *options, tn_facade **ret, tn_err *err);

/* Add an option, a key of conf/tenon.ini, for both engines; the last one of a
 * key counts. Fails: TN_E_STATE, it is started; TN_E_CONFIG, no such option or
 * no such value; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_facade_set(tn_facade *facade,
                                              const char *key,
                                              const char *value, tn_err *err);

/* Start, and connect to both, as tn_engine_start(). A program need not, it may
 * rather know. Fails: as tn_engine_open() and tn_engine_start(); after the
 * latter it is started. */
TN_API TN_MUST_USE enum tn_code tn_facade_start(tn_facade *facade,
                                                tn_deadline deadline,
                                                tn_err *err);

/* Has it been started? */
TN_API int tn_facade_is_started(tn_facade *facade);

/* The engine that scopes of `mode` use, by the present options; starts the
 * facade. Borrowed from it. Fails: as tn_engine_open(); TN_E_USAGE, no such
 * mode. */
TN_API TN_MUST_USE enum tn_code tn_facade_engine(tn_facade *facade,
                                                 enum tn_scope_mode mode,
                                                 tn_engine **ret, tn_err *err);

/* Replace all connections, as tn_pool_invalidate(): those that are idle are
 * closed now. A no-op before the start. It stays started. */
TN_API void tn_facade_dispose(tn_facade *facade);

/* For tests: scopes that are begun from now on use `other`'s engines and
 * options, or one engine for all modes, which are borrowed until
 * tn_facade_unpatch(); `facade` itself is not started by that.
 * Fails: TN_E_STATE, it is patched already, or `other` is; TN_E_USAGE, by
 * itself. */
TN_API TN_MUST_USE enum tn_code tn_facade_patch(tn_facade *facade,
                                                tn_facade *other, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_facade_patch_engine(tn_facade *facade,
                                                       tn_engine *engine,
                                                       tn_err *err);

/* Back to its own; a no-op if it is not patched. Scopes that are open end where
 * they were begun. */
TN_API void tn_facade_unpatch(tn_facade *facade);

/* Close both engines: what is open goes on until it ends. Stores NULL; NULL in
 * either place is a no-op. */
TN_API void tn_facade_close(tn_facade **facade);

TN_END_DECLS

#endif
