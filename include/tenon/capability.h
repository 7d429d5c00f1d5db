/* What a backend, and a server, can do.
 *
 * Included by plugin.h, whose rules hold here: bits are appended, and their
 * names are those of tn_cap_name() in registry.h. */
#ifndef TENON_CAPABILITY_H
#define TENON_CAPABILITY_H

#include <stdint.h>

/* Bits. The descriptor says what the code can do, server_caps() what this
 * server can do; the core tests bits, never names. */
#define TN_CAP_WRITE              (UINT64_C(1) << 0) /* INSERT and the like */
#define TN_CAP_DDL                (UINT64_C(1) << 1) /* CREATE TABLE */
#define TN_CAP_EXPRESSIONS        (UINT64_C(1) << 2) /* SELECT without FROM */
#define TN_CAP_TRANSACTION        (UINT64_C(1) << 3) /* needs table txn */
#define TN_CAP_SAVEPOINT          (UINT64_C(1) << 4)
#define TN_CAP_DDL_IN_TRANSACTION (UINT64_C(1) << 5)
#define TN_CAP_TWO_PHASE          (UINT64_C(1) << 6)
#define TN_CAP_READ_ONLY          (UINT64_C(1) << 7) /* enforced by server */
#define TN_CAP_READ_UNCOMMITTED   (UINT64_C(1) << 8)
#define TN_CAP_READ_COMMITTED     (UINT64_C(1) << 9)
#define TN_CAP_REPEATABLE_READ    (UINT64_C(1) << 10)
#define TN_CAP_SERIALIZABLE       (UINT64_C(1) << 11)
#define TN_CAP_LOCK_MODES         (UINT64_C(1) << 12) /* enum tn_lock_mode */
#define TN_CAP_SQL_MODE           (UINT64_C(1) << 13)
#define TN_CAP_RETURNING          (UINT64_C(1) << 14)
#define TN_CAP_UPSERT             (UINT64_C(1) << 15)
#define TN_CAP_GENERATED_KEY      (UINT64_C(1) << 16)
#define TN_CAP_CANCEL             (UINT64_C(1) << 17)
#define TN_CAP_DEADLINE           (UINT64_C(1) << 18) /* inside a statement */
#define TN_CAP_STREAMING          (UINT64_C(1) << 19) /* bounded memory */
#define TN_CAP_MULTI_RESULT       (UINT64_C(1) << 20)
#define TN_CAP_CONSTRAINT_NAMES   (UINT64_C(1) << 21) /* in errors */
#define TN_CAP_RESET              (UINT64_C(1) << 22)
#define TN_CAP_NETWORK            (UINT64_C(1) << 23) /* a server, by socket */
#define TN_CAP_ARRAY              (UINT64_C(1) << 24) /* TN_ARRAY */
#define TN_CAP_PROCEDURE          (UINT64_C(1) << 25) /* CALL with result sets */
#define TN_CAP_DEFERRABLE         (UINT64_C(1) << 26) /* TN_BEGIN_DEFERRABLE */
#define TN_CAP_OUTCOME            (UINT64_C(1) << 27) /* TN_BEGIN_RESOLVABLE */

#endif
