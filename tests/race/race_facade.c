/* Many threads share a facade that nobody has started, one context, and a
 * replica; meanwhile the engines are disposed of, and another facade stands in.
 * Each thread's scopes are its own. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <tenon/tenon.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS  10
#define SCOPES  40

static tn_facade *facade;
static tn_facade *other;
static tn_context *context;
static atomic_int failures;
static atomic_int running;

static void
fail(const char *what, const tn_err *err)
{
  fprintf(stderr, "%s: %s\n", what, err->message);
  atomic_fetch_add(&failures, 1);
}

/* tn_scope_fn: what is inside joins this thread's, nobody else's. */
static enum tn_code
look_again(tn_scope *scope, void *user, tn_err *err)
{
  if (tn_scope_conn(scope) != user)
    return tn_err_set(err, TN_E_INTERNAL, "it has joined another thread's");
  return tn_conn_exec(tn_scope_conn(scope), "SELECT 1", NULL, err);
}

/* tn_scope_fn. Where another facade stands in meanwhile, the scope around is
 * still this facade's. */
static enum tn_code
look(tn_scope *scope, void *user, tn_err *err)
{
  (void)user;
  if (tn_context_scope(context) != scope)
    return tn_err_set(err, TN_E_INTERNAL, "the context has another's scope");
  return tn_read(facade, context, look_again, tn_scope_conn(scope), err);
}

static void *
use(void *user)
{
  int i;

  (void)user;
  for (i = 0; i < SCOPES; i++) {
    struct tn_scope_options options = TN_SCOPE_OPTIONS_INIT;
    tn_err err = TN_ERR_INIT;

    options.mode = i % 2 == 0 ? TN_SCOPE_READER : TN_SCOPE_ASYNC_READER;
    options.flags = options.mode == TN_SCOPE_READER ? TN_SCOPE_ALLOW_ASYNC : 0;
    if (options.mode == TN_SCOPE_READER &&
        tn_scope_run(facade, context, &options, look, NULL, &err) != TN_OK)
      fail("scope", &err);
    if (options.mode == TN_SCOPE_ASYNC_READER) {
      TN_CLEANUP(tn_scope_end) tn_scope *scope = NULL;

      if (tn_scope_begin(facade, context, &options, &scope, &err) != TN_OK)
        fail("begin", &err);
    }
  }
  atomic_fetch_sub(&running, 1);
  return NULL;
}

static void *
disturb(void *user)
{
  (void)user;
  while (atomic_load(&running) > 0) {
    tn_err err = TN_ERR_INIT;

    tn_facade_dispose(facade);
    if (tn_facade_patch(facade, other, &err) != TN_OK)
      fail("patch", &err);
    usleep(200);
    tn_facade_unpatch(facade);
    usleep(200);
  }
  return NULL;
}

static bool
run_round(void)
{
  struct tn_facade_options options = TN_FACADE_OPTIONS_INIT;
  pthread_t threads[THREADS + 1];
  tn_err err = TN_ERR_INIT;
  int i;

  options.target = "sqlite:///file:race_facade?mode=memory&cache=shared&uri="
                   "true&pool_kind=queue&max_pool_size=8";
  options.replica = options.target;
  if (tn_facade_open(&options, &facade, &err) != TN_OK ||
      tn_facade_open(&options, &other, &err) != TN_OK ||
      tn_context_open(0, &context, &err) != TN_OK) {
    fail("open", &err);
    return false;
  }
  atomic_store(&running, THREADS);
  for (i = 0; i <= THREADS; i++)
    if (pthread_create(&threads[i], NULL, i < THREADS ? use : disturb, NULL) !=
        0)
      return false;
  for (i = 0; i <= THREADS; i++)
    pthread_join(threads[i], NULL);
  tn_context_close(&context);
  tn_facade_close(&facade);
  tn_facade_close(&other);
  return true;
}

int
main(void)
{
  int round;

  for (round = 0; round < ROUNDS; round++)
    if (!run_round())
      return 1;
  printf("%d failures\n", atomic_load(&failures));
  return atomic_load(&failures) != 0;
}
