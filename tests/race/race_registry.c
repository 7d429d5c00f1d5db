/* Many threads ask for the same scheme at once: it is loaded once, and all of
 * them can use it. A plain program, because ThreadSanitizer and Criterion do
 * not get on. */
#include <pthread.h>
#include <stdatomic.h>
#include <tenon/tenon.h>

#define THREADS 8
#define ROUNDS  20
#define OPENS   20

static tn_registry *registry;
static atomic_int failures;

static void
ignore_report(const struct tn_plugin_report *report, void *user)
{
  (void)report;
  (void)user;
}

static void *
open_and_close(void *arg)
{
  const struct tn_conn_options options = { .registry = registry };
  int i;

  (void)arg;
  for (i = 0; i < OPENS; i++) {
    TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
    tn_err err = TN_ERR_INIT;

    if (tn_conn_open("sqlite://", &options, &conn, &err) != TN_OK ||
        tn_conn_exec(conn, "SELECT 1", NULL, &err) != TN_OK) {
      fprintf(stderr, "%s\n", err.message);
      atomic_fetch_add(&failures, 1);
    }
    tn_registry_report(registry, 0, ignore_report, NULL);
  }
  return NULL;
}

int
main(void)
{
  int round;

  for (round = 0; round < ROUNDS; round++) {
    pthread_t threads[THREADS];
    tn_err err = TN_ERR_INIT;
    int i;

    if (tn_registry_new(NULL, &registry, &err) != TN_OK)
      return 1;
    for (i = 0; i < THREADS; i++)
      if (pthread_create(&threads[i], NULL, open_and_close, NULL) != 0)
        return 1;
    for (i = 0; i < THREADS; i++)
      pthread_join(threads[i], NULL);
    tn_registry_free(&registry);
  }
  printf("%d opens, %d failures\n", ROUNDS * THREADS * OPENS,
         atomic_load(&failures));
  return atomic_load(&failures) != 0;
}
