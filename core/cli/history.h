/* Where the shell's history is kept. */
#ifndef TENON_CLI_HISTORY_H
#define TENON_CLI_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

/* Path of the file, whose folders are made if need be; to be released with
 * free(). NULL: there is nowhere to keep it, or this process must not. */
char *history_path(void);

/* Open it for writing, empty and readable by nobody else. NULL if it cannot
 * be. */
FILE *history_create(const char *path);

/* Is the line fit to be kept? One that begins with a blank is not, nor one
 * that speaks of a password. */
bool history_wants(const char *line);

#endif
