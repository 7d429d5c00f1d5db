/* Memory and small things that every layer uses. */
#ifndef TENON_BASE_PRIV_H
#define TENON_BASE_PRIV_H

#include <stdbool.h>
#include <tenon/err.h>

/* The rules of malloc, calloc, realloc and free, through the allocator that
 * tn_allocator_set() chose. Freeing NULL is a no-op. */
void *tn_memory_alloc(size_t size);
void *tn_memory_zalloc(size_t size);
void *tn_memory_resize(void *memory, size_t size);
void tn_memory_free(void *memory);

/* Overwrite `size` bytes so that no compiler drops it. */
void tn_memory_wipe(void *memory, size_t size);

/* A copy of `size` bytes of text, ended by NUL; NULL without memory. */
char *tn_memory_text(const char *text, size_t size);

/* tn_err_set() with TN_E_MEMORY: "WHAT: out of memory". */
enum tn_code tn_err_memory(tn_err *err, const char *what);

#define TN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
