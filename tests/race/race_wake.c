/* Two threads cancel now and then what a third one waits for, of a session
 * whose waits are woken: each wait ends well or canceled, and when they have
 * stopped no wait is woken by what they left. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db_priv.h"
#include "fake_plugin.h"
#include "plugin_priv.h"

#define CALLS     5000
#define NS_PER_US 1000

static struct tn_connection_table connection_table;
static tn_conn *conn;
static atomic_bool is_over;

static int32_t
wait_a_little(void *handle, struct tn_call *call)
{
  (void)handle;
  return call->host->wait(call, -1, 0, call->host->now() + 200 * NS_PER_US,
                          NULL);
}

static const void *
get_table(uint32_t id)
{
  return id == TN_TABLE_CONNECTION ? &connection_table
                                   : fake_plugin_entry(NULL)->get_table(id);
}

static void *
cancel_loop(void *arg)
{
  unsigned seed = *(unsigned *)arg;

  while (!atomic_load(&is_over)) {
    const struct timespec pause = { .tv_nsec =
                                        rand_r(&seed) % 4000 * NS_PER_US };

    tn_conn_cancel(conn);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

/* A registry with a backend that has a network, and a session of it. */
static enum tn_code
open_session(tn_registry **ret, tn_err *err)
{
  static const struct tn_registry_options nowhere = {
    .plugin_dir = "/nowhere/1",
    .manifest_dir = "/nowhere/plugins.d",
    .admin_dir = "/nowhere/admin",
  };
  static struct tn_plugin plugin;
  struct tn_conn_options options = { .timeout_ms = 0 };
  struct tn_plugin_entry *entry;
  enum tn_code rc;

  plugin = *fake_plugin_entry(NULL);
  plugin.caps |= TN_CAP_NETWORK;
  memcpy(&connection_table, plugin.get_table(TN_TABLE_CONNECTION),
         sizeof connection_table);
  connection_table.ping = wait_a_little;
  plugin.get_table = get_table;
  rc = tn_registry__open(&nowhere, NULL, false, ret, err);
  if (rc != TN_OK)
    return rc;
  entry = tn_registry__add_entry(*ret, plugin.name);
  if (entry == NULL)
    return tn_err_memory(err, "race");
  rc = tn_backend_new(&plugin, "/nowhere/1/x.so", &entry->backend, err);
  if (rc != TN_OK)
    return rc;
  entry->state = TN_PLUGIN_LOADED;
  options.registry = *ret;
  return tn_conn_open("fake://h/db", &options, &conn, err);
}

int
main(void)
{
  TN_CLEANUP(tn_registry_free) tn_registry *registry = NULL;
  struct pollfd polled = { .events = POLLIN };
  unsigned seeds[2] = { 1, 2 };
  pthread_t threads[2];
  tn_err err = TN_ERR_INIT;
  int canceled = 0;
  int bad = 0;

  if (open_session(&registry, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, cancel_loop, &seeds[i]) != 0)
      return 1;
  for (int i = 0; i < CALLS; i++) {
    enum tn_code rc = tn_conn_ping(conn, 0, &err);

    canceled += rc == TN_E_CANCELED;
    bad += rc != TN_OK && rc != TN_E_CANCELED;
  }
  atomic_store(&is_over, true);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < 100; i++)
    bad += tn_conn_ping(conn, 0, &err) != TN_OK;
  polled.fd = conn->wake_fd;
  bad += poll(&polled, 1, 0) != 0;
  printf("%d calls, %d canceled, %d wrong\n", CALLS, canceled, bad);
  tn_conn_close(&conn);
  return bad != 0 || canceled == 0 || canceled == CALLS;
}
