/* Where Tenon's memory comes from.
 *
 * An appliance may bring its own allocator; a test fails each allocation in
 * turn. The core and every plug-in allocate through this one place. Client
 * libraries (sqlite3, libpq, ...) keep their own. */
#ifndef TENON_MEMORY_H
#define TENON_MEMORY_H

#include <tenon/base.h>

TN_BEGIN_DECLS

/* The rules of malloc, realloc and free. `user` is handed back. Called from
 * every thread that uses Tenon. */
struct tn_allocator {
  void *(*alloc)(size_t size, void *user);
  void *(*resize)(void *memory, size_t size, void *user);
  void (*release)(void *memory, void *user);
  void *user;
};

/* Use `allocator` (copied) from now on; NULL goes back to malloc. Call it
 * while Tenon holds no memory: before its first use, or after everything was
 * released. Not thread-safe. */
TN_API void tn_allocator_set(const struct tn_allocator *allocator);

TN_END_DECLS

#endif
