/* Backends: which there are, where they were found, why one does not load.
 *
 * A registry reads the manifests (NAME.ini) of its folders and loads a plug-in
 * (NAME.so) when a URL first names one of its schemes. A scheme is only ever a
 * key: no part of a URL becomes a path. */
#ifndef TENON_REGISTRY_H
#define TENON_REGISTRY_H

#include <tenon/err.h>
#include <tenon/log.h>

TN_BEGIN_DECLS

typedef struct tn_registry tn_registry;

/* Where to look. NULL stands for the folders that Tenon was built with. In a
 * process with raised privileges (AT_SECURE) the environment and `extra_dirs`
 * are left alone. */
struct tn_registry_options {
  const char *const *extra_dirs; /* ended by NULL, searched first; each has
                                    manifests and plug-ins side by side */
  const char *plugin_dir;        /* instead of ${libdir}/tenon/1 */
  const char *manifest_dir;      /* instead of ${datadir}/tenon/plugins.d */
  const char *admin_dir;         /* instead of ${sysconfdir}/tenon/plugins.d */
  const struct tn_log *log;      /* copied; NULL: silent */
};

/* `options` may be NULL and is copied. The environment variable
 * TENON_PLUGIN_PATH names further folders, between colons, searched after
 * `extra_dirs`. Manifests are read now, plug-ins are loaded when needed. A
 * folder that is not there is not an error, a manifest that is wrong neither:
 * tn_registry_report() tells. Fails: TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_registry_new(
    const struct tn_registry_options *options, tn_registry **ret, tn_err *err);

/* Release the registry; nothing of it may be in use. Loaded plug-ins stay
 * mapped. NULL in either place is a no-op. */
TN_API void tn_registry_free(tn_registry **registry);

/* The process's registry, made with default options when first asked for and
 * never released. Thread-safe. NULL if there is no memory. */
TN_API tn_registry *tn_registry_default(void);

/* No plug-in is loaded by any registry of the process from now on; what is
 * loaded stays. For daemons, before they drop privileges. Thread-safe. */
TN_API void tn_seal(void);

/* How a plug-in stands. */
enum tn_plugin_state {
  TN_PLUGIN_KNOWN = 1, /* its manifest was read; not loaded yet */
  TN_PLUGIN_LOADED,
  TN_PLUGIN_BROKEN,   /* loading was tried and failed, or its manifest is bad */
  TN_PLUGIN_DISABLED, /* by a drop-in of the administrator */
};

/* One plug-in. Texts are borrowed from the registry and never NULL; those
 * that only the loaded plug-in can tell are "" before. */
struct tn_plugin_report {
  const char *name;
  const char *schemes;  /* between spaces, aliases included */
  const char *file;     /* path of the shared object that is or would be used */
  const char *manifest; /* path of the manifest */
  const char *package;  /* that has it, from the manifest */
  const char *version;
  const char *license;
  const char *client_library;
  const char *client_version;
  const char *problem; /* why it is broken; "" if it is not */
  uint64_t caps;
  uint32_t state;     /* enum tn_plugin_state */
  uint32_t abi_major; /* 0 before loading */
  uint32_t abi_minor;
  uint32_t option_count;
  const struct tn_option_row *options; /* NULL before loading */
};

/* Call `visit` for each plug-in, ordered by name, then for each file that no
 * manifest names. No plug-in code runs, unless `load` is not 0: then each is
 * loaded first. Returns the number visited. Thread-safe. */
TN_API size_t tn_registry_report(
    tn_registry *registry, int load,
    void (*visit)(const struct tn_plugin_report *report, void *user),
    void *user);

/* Load one plug-in by its name, or else by a scheme that it alone serves, and
 * report it. Thread-safe.
 * Fails: TN_E_PLUGIN, with every file that was tried and why in `detail`. */
TN_API TN_MUST_USE enum tn_code tn_registry_inspect(
    tn_registry *registry, const char *name, struct tn_plugin_report *ret,
    tn_err *err);

/* What one code of a backend's means. Texts are borrowed from the registry and
 * never NULL. */
struct tn_error_info {
  int32_t native;       /* as in tn_err; 0: by sqlstate */
  int32_t category;     /* enum tn_code */
  int32_t connection;   /* enum tn_connection_verdict */
  int32_t replay;       /* enum tn_replay_verdict */
  const char *sqlstate; /* five characters, two for a class, "" */
  const char *name;     /* the backend's own for it; "" */
  const char *file;     /* the drop-in that says so; "": the plug-in does */
  uint32_t line;        /* in it */
  uint32_t protocol;    /* fields that it may have: TN_ERR_BIT() each;
                           those that the server sends as such, */
  uint32_t message;     /* are taken out of texts, */
  uint32_t catalogue;   /* or looked up by tn_conn_complete() */
};

/* Load one plug-in, found as by tn_registry_inspect(), and call `visit` for
 * each error that it, or a drop-in of the administrator, says something of. Two
 * may have one number, where the servers disagree on it. What became of a
 * session may make an error's verdicts worse. Fails: as tn_registry_inspect().
 */
TN_API TN_MUST_USE enum tn_code tn_registry_errors(
    tn_registry *registry, const char *name,
    void (*visit)(const struct tn_error_info *info, void *user), void *user,
    tn_err *err);

/* Load a plug-in from a file that no manifest names, by the same rules of
 * ownership, and serve its schemes from then on.
 * Fails: TN_E_PLUGIN, TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_registry_add_file(
    tn_registry *registry, const char *path, struct tn_plugin_report *ret,
    tn_err *err);

/* Name of a capability bit (TN_CAP_… in plugin.h), "write" for bit 0; NULL for
 * a bit that has none. Static. */
TN_API const char *tn_cap_name(unsigned bit);

TN_END_DECLS

#endif
