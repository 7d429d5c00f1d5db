/* What the layers above ask of the registry. */
#ifndef TENON_REGISTRY_PRIV_H
#define TENON_REGISTRY_PRIV_H

#include <tenon/registry.h>

#include "backend.h"

/* A default that a manifest drop-in of the administrator gives an option. */
struct tn_registry_default_option {
  const char *name;
  const char *value;
};

/* All of a backend's. */
struct tn_registry_defaults {
  const struct tn_registry_default_option *options;
  size_t count;
};

/* The backend for a URL's dialect, loaded now if need be; `driver` may be NULL
 * and only chooses a manifest row "dialect+driver" if there is one.
 * `*ret_defaults` (may be NULL) are the administrator's. All is borrowed from
 * `registry`. Thread-safe; no lock is held while a plug-in loads. Fails:
 * TN_E_PLUGIN, with every file that was tried in `detail`. */
enum tn_code tn_registry_backend(tn_registry *registry, const char *dialect,
                                 const char *driver,
                                 const struct tn_backend **ret,
                                 struct tn_registry_defaults *ret_defaults,
                                 tn_err *err);

/* A session was opened as `args` says: warn of each other machine among its
 * addresses whose certificate was not verified, once a registry and host.
 * Thread-safe; no lock is held while `log`, which may be NULL, writes. */
void tn_registry_warn_tls(tn_registry *registry,
                          const struct tn_backend *backend,
                          const struct tn_connect_args *args,
                          const struct tn_log *log);

#endif
