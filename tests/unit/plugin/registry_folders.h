/* A registry over folders of a test's own: extra1, extra2, plugins, manifests
 * and admin. */
#ifndef TENON_TESTS_REGISTRY_FOLDERS_H
#define TENON_TESTS_REGISTRY_FOLDERS_H

#include <tenon/registry.h>

#include "files.h"
#include "plugin_priv.h"

static tn_registry *registry;
static struct tn_registry_options options;
static tn_err err;

static char extra1[64], extra2[64], plugins[64], manifests[64], admin[64];
static const char *extra_dirs[] = { extra1, extra2, NULL };

static char logged[32][512];
static size_t log_count;

static inline void
write_log(uint32_t level, const char *line, void *user)
{
  (void)user;
  if (log_count < TN_COUNT(logged))
    snprintf(logged[log_count], sizeof(logged[0]), "%s: %s",
             tn_log_level_name(level), line);
  log_count++;
}

static const struct tn_log registry_log = { .level = TN_LOG_DEBUG,
                                            .write = write_log };

static inline void
folders_make(void)
{
  static const struct {
    const char *name;
    char *path;
  } folders[] = {
    { "extra1", extra1 },       { "extra2", extra2 }, { "plugins", plugins },
    { "manifests", manifests }, { "admin", admin },
  };

  files_make();
  for (size_t i = 0; i < TN_COUNT(folders); i++) {
    files_mkdir(folders[i].name);
    snprintf(folders[i].path, sizeof(extra1), "%s/%s", files_folder,
             folders[i].name);
  }
  options.extra_dirs = extra_dirs;
  options.plugin_dir = plugins;
  options.manifest_dir = manifests;
  options.admin_dir = admin;
  options.log = &registry_log;
}

static inline void
folders_remove(void)
{
  tn_registry_free(&registry);
  files_remove();
}

/* Make the registry, anew if there is one. Not by tn_registry_new(), which
 * would look at the tests' own environment. */
static inline void
open_registry(void)
{
  tn_registry_free(&registry);
  tn_err_clear(&err);
  cr_assert_eq(tn_registry__open(&options, NULL, false, &registry, &err), TN_OK,
               "%s", err.message);
}

/* Copy plug-in `name` of the tests into `folder` ("extra1", …), as NAME.so. */
static inline void
put_plugin(const char *folder, const char *name, char path[PATH_MAX])
{
  char file[128];

  snprintf(file, sizeof(file), "%s/%s.so", folder, name);
  files_copy_plugin(name, file, path);
}

/* Plug-in and manifest side by side. */
static inline void
put_both(const char *folder, const char *name)
{
  char path[PATH_MAX];

  put_plugin(folder, name, path);
  files_manifest(folder, name, name, "");
}

/* As a package would install it. */
static inline void
install(const char *name, const char *more)
{
  char path[PATH_MAX];

  put_plugin("plugins", name, path);
  files_manifest("manifests", name, name, more);
}

static inline void
put_dropin(const char *name, const char *text)
{
  char file[128], path[PATH_MAX];

  snprintf(file, sizeof(file), "admin/%s", name);
  files_write(file, text, path);
}

static inline const struct tn_backend *
backend_for(const char *dialect, const char *driver)
{
  const struct tn_backend *backend = NULL;
  enum tn_code rc;

  tn_err_clear(&err);
  rc = tn_registry_backend(registry, dialect, driver, &backend, NULL, &err);
  cr_expect_eq(rc == TN_OK, backend != NULL);
  if (rc != TN_OK)
    cr_expect_eq(err.code, (int32_t)rc);
  return backend;
}

/* The name of the plug-in that serves a scheme, or what is said instead. */
static inline const char *
server_of(const char *dialect, const char *driver)
{
  const struct tn_backend *backend = backend_for(dialect, driver);

  return backend != NULL ? backend->plugin.name : err.message;
}

static inline bool
has_text(const char *text, const char *part)
{
  return strstr(text, part) != NULL;
}

/* ---- reports ---- */

struct row {
  char name[PATH_MAX], schemes[256], file[PATH_MAX], manifest[PATH_MAX];
  char problem[512];
  struct tn_plugin_report report;
};

static struct row rows[64];
static size_t row_count;

static inline void
note_row(const struct tn_plugin_report *report, void *user)
{
  struct row *row = &rows[row_count < TN_COUNT(rows) ? row_count : 0];

  (void)user;
  snprintf(row->name, sizeof(row->name), "%s", report->name);
  snprintf(row->schemes, sizeof(row->schemes), "%s", report->schemes);
  snprintf(row->file, sizeof(row->file), "%s", report->file);
  snprintf(row->manifest, sizeof(row->manifest), "%s", report->manifest);
  snprintf(row->problem, sizeof(row->problem), "%s", report->problem);
  row->report = *report;
  row_count++;
}

static inline void
make_report(int load)
{
  row_count = 0;
  cr_expect_eq(tn_registry_report(registry, load, note_row, NULL), row_count);
}

static inline const struct row *
find_row(const char *name)
{
  for (size_t i = 0; i < row_count; i++)
    if (strcmp(rows[i].name, name) == 0)
      return &rows[i];
  return NULL;
}

#endif
