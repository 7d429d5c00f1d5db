/* What is said once. A pool opens many sessions to the same server, and one
 * line about it in the log is enough. */
#include "plugin_priv.h"

#include <string.h>

#include "tls.h"

/* Under the lock. The oldest is forgotten, and would be said again. */
static bool
remember(tn_registry *registry, const char *host)
{
  char **place;

  for (size_t i = 0; i < TN_COUNT(registry->warned); i++) {
    if (registry->warned[i] != NULL && strcmp(registry->warned[i], host) == 0)
      return false;
  }
  place = &registry->warned[registry->next_warned];
  registry->next_warned =
      (registry->next_warned + 1) % TN_COUNT(registry->warned);
  tn_memory_free(*place);
  *place = tn_memory_text(host, strlen(host));
  return true;
}

static void
warn(tn_registry *registry, const struct tn_backend *backend, const char *host,
     const struct tn_tls *tls, const struct tn_log *log)
{
  bool is_first;

  pthread_mutex_lock(&registry->lock);
  is_first = remember(registry, host);
  pthread_mutex_unlock(&registry->lock);
  if (is_first)
    tn_log_write(
        log, TN_LOG_WARNING,
        "%s: %s: with tls=%s the server's certificate is not verified, "
        "and who is on the way can read and change everything; set "
        "tls=verify-full, and tls_ca=FILE if its authority is not one "
        "of the system's",
        backend->plugin.name, host, tn_tls_mode_name(tls->mode));
}

void
tn_registry_warn_tls(tn_registry *registry, const struct tn_backend *backend,
                     const struct tn_connect_args *args,
                     const struct tn_log *log)
{
  if (args->tls == NULL || args->tls->mode >= TN_TLS_VERIFY_CA || log == NULL ||
      log->level < TN_LOG_WARNING)
    return;

  /* By way of a socket of this machine, whatever hosts there are. */
  if (tn_connect_option(args, "unix_socket") != NULL)
    return;
  for (uint32_t i = 0; i < args->address_count; i++) {
    if (tn_tls_is_remote(args->addresses[i].host))
      warn(registry, backend, args->addresses[i].host, args->tls, log);
  }
}

void
tn_registry__forget_warned(tn_registry *registry)
{
  for (size_t i = 0; i < TN_COUNT(registry->warned); i++)
    tn_memory_free(registry->warned[i]);
}
