/* Where the shell's history is kept. */
#ifndef TENON_CLI_HISTORY_H
#define TENON_CLI_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

/* Path of the file, whose folders are made if need be; to be released with
 * free(). NULL: there is nowhere to keep it, or this process must not. */
char *history_path(void);

/* Writes the lines; false if it could not. */
typedef bool (*history_write_fn)(FILE *stream, void *user);

/* Put a new file in its place, readable by nobody else. On a full disk the old
 * one stays as it is. */
void history_save(const char *path, history_write_fn write, void *user);

/* Is the text fit to be kept? One that begins with a blank is not, nor one
 * that speaks of a password. */
bool history_wants(const char *text);

#endif
