/* A folder of a test's own, with manifests and plug-ins in it. */
#ifndef TENON_TESTS_FILES_H
#define TENON_TESTS_FILES_H

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What files_make() made; no longer than the room in no_entry.c. */
static char files_folder[32];

/* Make the folder, which nobody else may write to. */
static inline void
files_make(void)
{
  strcpy(files_folder, "/tmp/tenon-XXXXXX");
  cr_assert_neq(mkdtemp(files_folder), NULL);
}

static inline void
files_remove(void)
{
  char command[64];

  snprintf(command, sizeof(command), "rm -rf %s", files_folder);
  cr_assert_eq(system(command), 0);
}

/* "FOLDER/NAME", where NAME may have folders in it. */
static inline void
files_path(const char *name, char path[PATH_MAX])
{
  snprintf(path, PATH_MAX, "%s/%s", files_folder, name);
}

static inline void
files_write_bytes(const char *name, const char *bytes, size_t size,
                  char path[PATH_MAX])
{
  FILE *file;

  files_path(name, path);

  /* A new file, as an installer makes it: the old one may be mapped. */
  (void)unlink(path);
  file = fopen(path, "wb");
  cr_assert_neq(file, NULL, "%s", path);
  cr_assert_eq(fwrite(bytes, 1, size, file), size);
  cr_assert_eq(fclose(file), 0);
  cr_assert_eq(chmod(path, 0644), 0);
}

/* Write `text` as file `name`; its whole path goes to `path`. */
static inline void
files_write(const char *name, const char *text, char path[PATH_MAX])
{
  files_write_bytes(name, text, strlen(text), path);
}

/* A folder in the folder. */
static inline void
files_mkdir(const char *name)
{
  char path[PATH_MAX];

  files_path(name, path);
  cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

/* All bytes of plug-in `name` of the tests, to be freed. */
static inline char *
files_load_plugin(const char *name, size_t *ret_size)
{
  char path[PATH_MAX];
  FILE *file;
  long size;
  char *bytes;

  snprintf(path, sizeof(path), "%s/%s.so", TN_TEST_PLUGINS, name);
  file = fopen(path, "rb");
  cr_assert_neq(file, NULL, "%s", path);
  fseek(file, 0, SEEK_END);
  size = ftell(file);
  rewind(file);
  bytes = malloc((size_t)size);
  cr_assert_neq(bytes, NULL);
  cr_assert_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
  fclose(file);
  *ret_size = (size_t)size;
  return bytes;
}

/* Copy plug-in `name` of the tests to the file `as`. */
static inline void
files_copy_plugin(const char *name, const char *as, char path[PATH_MAX])
{
  size_t size;
  char *bytes = files_load_plugin(name, &size);

  files_write_bytes(as, bytes, size, path);
  free(bytes);
}

/* Write a manifest for plug-in `name`, with `more` lines, into `folder` of the
 * folder ("." for itself). */
static inline void
files_manifest(const char *folder, const char *name, const char *schemes,
               const char *more)
{
  char file[256], text[1024], path[PATH_MAX];

  snprintf(file, sizeof(file), "%s/%s.ini", folder, name);
  snprintf(text, sizeof(text), "[plugin]\nname = %s\nabi = 1\nschemes = %s\n%s",
           name, schemes, more);
  files_write(file, text, path);
}

#endif
