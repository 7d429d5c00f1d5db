/* What every other header of Tenon needs: attributes, linkage, version. */
#ifndef TENON_BASE_H
#define TENON_BASE_H

#include <stddef.h>
#include <stdint.h>

#define TN_VERSION_MAJOR 0
#define TN_VERSION_MINOR 1
#define TN_VERSION_PATCH 0

#ifdef __cplusplus
#define TN_BEGIN_DECLS extern "C" {
#define TN_END_DECLS   }
#else
#define TN_BEGIN_DECLS
#define TN_END_DECLS
#endif

/* Exported from the shared library; all else is hidden. */
#define TN_API __attribute__((visibility("default")))

/* The result carries a decision; ignoring it is a warning. */
#define TN_MUST_USE __attribute__((warn_unused_result))

/* Checked like printf: the format is argument `fmt`, its values start at
 * argument `first`. */
#define TN_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* Release a variable when its scope ends, whichever way that happens:
 *
 *   TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
 *
 * Every release function of Tenon takes an address, accepts NULL and stores
 * NULL, so each of them fits here. */
#define TN_CLEANUP(release) __attribute__((cleanup(release)))

#endif
