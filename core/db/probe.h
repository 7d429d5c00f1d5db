/* Static probes (USDT), for SystemTap, bpftrace and perf, e.g.
 *
 *   bpftrace -e 'usdt:/usr/lib/libtenon.so.0:tenon:statement_end
 *     { printf("%d %s\n", arg2, str(arg1)); }'
 *
 * Each is one instruction that does nothing until somebody traces it, at a
 * place where its arguments are at hand:
 *
 *   take_begin       pool, loan (its first field is the label; or NULL)
 *   take_end         pool, connection (NULL: none), code
 *   give             connection
 *   connect          pool, connection (NULL: none), code
 *   statement_begin  connection, text
 *   statement_end    connection, text, code; the server has answered
 *   statement_done   connection, text, rows; the result is closed
 *
 * Pointers are addresses that tell two things apart, but for texts. Without
 * <sys/sdt.h> (Debian: systemtap-sdt-dev), or with the CMake option
 * TENON_PROBES switched off, there are none. */
#ifndef TENON_PROBE_H
#define TENON_PROBE_H

#ifdef TN_HAS_PROBES
#include <sys/sdt.h>

/* Its macros leave out what stands for "...", which clang says at each use. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

#define TN_PROBE1(name, a)       DTRACE_PROBE1(tenon, name, a)
#define TN_PROBE2(name, a, b)    DTRACE_PROBE2(tenon, name, a, b)
#define TN_PROBE3(name, a, b, c) DTRACE_PROBE3(tenon, name, a, b, c)
#else
#define TN_PROBE1(name, a)       ((void)(a))
#define TN_PROBE2(name, a, b)    ((void)(a), (void)(b))
#define TN_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif
