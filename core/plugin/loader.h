/* From a file to a backend: the only place where foreign code is let in. */
#ifndef TENON_LOADER_H
#define TENON_LOADER_H

#include "backend.h"

/* What is known of the plug-in beforehand. */
struct tn_loader_wish {
  const char *path;           /* absolute, of the shared object */
  const char *name;           /* as it must call itself; NULL: any */
  const char *const *schemes; /* that it must serve, no more and no less, ended
                                 by NULL; NULL: any */
  const char *package;        /* that has it, for messages; "" if not known */
  const struct tn_log *log;   /* or NULL */
};

/* Load `wish->path`, run its entry point and check what it gives. What was
 * mapped stays mapped, whatever comes of it. `*ret` is released with
 * tn_backend_free(). `*ret_is_final` is set to true once the file was mapped:
 * until then nothing of it has run, and the same file, mended, may be tried
 * again. Thread-safe; call it without a lock.
 * Fails, the message being the reason alone, to stand behind the path:
 * TN_E_NOT_FOUND, "absent"; TN_E_PLUGIN; TN_E_MEMORY. */
enum tn_code tn_loader_load(const struct tn_loader_wish *wish,
                            struct tn_backend **ret, bool *ret_is_final,
                            tn_err *err);

/* Let no file be mapped from now on. A load that has begun is completed. */
void tn_loader_seal(void);

#endif
