/* Reading files, and telling which of them can be trusted. */
#ifndef TENON_FILE_H
#define TENON_FILE_H

#include "base_priv.h"

/* Open the regular file `path`, an absolute path, for reading, if nobody but
 * root and the effective user could have put it there: the file and every
 * folder down to it (symbolic links followed by hand, each target likewise) is
 * owned by root or the effective user and not writable by group or others. A
 * folder of root's with the sticky bit, such as /tmp, is accepted above the
 * file's own folder. Checked on descriptors, so nothing can be swapped in
 * between. `*ret_fd` is close-on-exec and the caller's.
 * Fails: TN_E_NOT_FOUND, it is not there; TN_E_PERMISSION, unsafe owner or
 * mode, or unreadable, naming the very path, owner and mode; TN_E_IO, also for
 * what is no regular file; TN_E_LIMIT, TN_E_MEMORY, of the process or system;
 * TN_E_USAGE, not absolute. */
enum tn_code tn_file_open_trusted(const char *path, int *ret_fd, tn_err *err);

/* Read the rest of `fd`, a regular file of at most `max` bytes; `name` stands
 * for it in messages. `*ret_text` ends with a NUL that is not counted, and is
 * released with tn_memory_free(). Fails: TN_E_LIMIT, TN_E_IO, TN_E_MEMORY. */
enum tn_code tn_file_read_fd(int fd, const char *name, size_t max,
                             char **ret_text, size_t *ret_size, tn_err *err);

/* Open and read `path`. Fails: TN_E_NOT_FOUND, TN_E_PERMISSION and as above. */
enum tn_code tn_file_read(const char *path, size_t max, char **ret_text,
                          size_t *ret_size, tn_err *err);

/* List the names in folder `path` that end in `suffix`, without those that
 * start with '.', in C-locale order: `*ret_names` is an array of `*ret_count`
 * texts and one block, released with tn_memory_free(); NULL if there are none.
 * A folder that is not there has none. Fails: TN_E_PERMISSION, TN_E_IO,
 * TN_E_LIMIT, TN_E_MEMORY. */
enum tn_code tn_file_list(const char *path, const char *suffix,
                          char ***ret_names, size_t *ret_count, tn_err *err);

#endif
