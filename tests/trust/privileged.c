/* Tells, a line each, what of its environment a program of Tenon's goes by.
 * test_privileged.py gives it other rights than those of its caller.
 *
 *   trust_privileged FOLDER [RELATIVE] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <tenon/tenon.h>
#include <unistd.h>

/* The folders of a registry that its maker chose are none of the caller's. */
static const char *const nowhere = "/nonexistent";

static void
tell(const char *what, enum tn_code rc, const char *message)
{
  printf("%s: %s %s\n", what, tn_code_name(rc), rc != TN_OK ? message : "");
  fflush(stdout);
}

static void
write_log(uint32_t level, const char *line, void *user)
{
  (void)level;
  (void)user;
  printf("log: %s\n", line);
}

static void
tell_plugin(const struct tn_plugin_report *report, void *user)
{
  if (report->state != TN_PLUGIN_BROKEN)
    printf("%s knows: %s %s\n", (const char *)user, report->name, report->file);
}

/* What a registry with these options knows, and whether it loads the spy. */
static void
try_registry(const char *what, struct tn_registry_options options)
{
  const struct tn_log log = { .level = TN_LOG_WARNING, .write = write_log };
  TN_CLEANUP(tn_registry_free) tn_registry *registry = NULL;
  struct tn_plugin_report report;
  tn_err err = TN_ERR_INIT;
  char name[64];
  enum tn_code rc;

  options.log = &log;
  options.admin_dir = nowhere;
  rc = tn_registry_new(&options, &registry, &err);
  if (rc == TN_OK) {
    snprintf(name, sizeof(name), "%s", what);
    tn_registry_report(registry, 0, tell_plugin, name);
    rc = tn_registry_inspect(registry, "spy", &report, &err);
  }
  tell(what, rc, err.message);
}

/* By the process's own registry, as programs do that name none. */
static void
try_url(void)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_open("spy://", NULL, &conn, &err);

  tell("url", rc, err.message);
}

static void
try_file(const char *path)
{
  TN_CLEANUP(tn_registry_free) tn_registry *registry = NULL;
  const struct tn_registry_options options = { .plugin_dir = nowhere,
                                               .manifest_dir = nowhere,
                                               .admin_dir = nowhere };
  struct tn_plugin_report report;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_registry_new(&options, &registry, &err);

  if (rc == TN_OK)
    rc = tn_registry_add_file(registry, path, &report, &err);
  tell("file", rc, err.message);
}

static void
try_config(void)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_config_load(NULL, NULL, &config, &err);

  tell("config", rc, err.message);
  for (size_t i = 0; rc == TN_OK && tn_config_file(config, i) != NULL; i++)
    printf("config reads: %s\n", tn_config_file(config, i));
}

static void
try_secret(void)
{
  TN_CLEANUP(tn_secret_free) char *secret = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_secret_resolve("env:TRUST_SECRET", &secret, &err);

  tell("secret", rc, err.message);
}

/* Without a look for leaks: that is to trace, which a process with raised
 * privileges does not allow. */
static void
leave(void)
{
  fflush(stdout);
  _exit(0);
}

int
main(int argc, char **argv)
{
  const char *folders[] = { argc > 1 ? argv[1] : NULL, NULL };
  const char *relative[] = { ".", "./", "../", NULL };

  printf("raised: %d\n", getauxval(AT_SECURE) != 0);
  if (argc > 2) {
    try_registry("relative extra",
                 (struct tn_registry_options){ .extra_dirs = relative,
                                               .plugin_dir = nowhere,
                                               .manifest_dir = nowhere });
    try_registry("relative folder",
                 (struct tn_registry_options){ .plugin_dir = argv[2],
                                               .manifest_dir = folders[0] });
    try_registry("relative manifest",
                 (struct tn_registry_options){ .plugin_dir = folders[0],
                                               .manifest_dir = argv[2] });
    try_file("spy.so");
    try_file("./spy.so");
    leave();
  }
  try_registry("variable",
               (struct tn_registry_options){ .plugin_dir = nowhere,
                                             .manifest_dir = nowhere });
  try_registry("extra",
               (struct tn_registry_options){ .extra_dirs = folders,
                                             .plugin_dir = nowhere,
                                             .manifest_dir = nowhere });
  try_url();
  try_config();
  try_secret();
  leave();
}
