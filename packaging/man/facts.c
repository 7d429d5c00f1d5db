/* What the manual pages say that only the code knows: facts PLUG-IN.so...
 *
 * Writes one JSON object a line: the options of the configuration, the
 * categories of errors, and what each plug-in tells of itself. The plug-ins are
 * asked here with a host of our own, not through a registry: that trusts a file
 * only in folders that no one else may write to, which those of a build need
 * not be. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef const struct tn_plugin *(*entry_fn)(struct tn_call *call);

static const char *const units[] = {
  [TN_UNIT_TEXT] = "text",       [TN_UNIT_BOOL] = "bool",
  [TN_UNIT_COUNT] = "count",     [TN_UNIT_SECONDS] = "seconds",
  [TN_UNIT_PERCENT] = "percent", [TN_UNIT_CHOICE] = "choice",
};

static const char *const types[] = {
  [TN_OPTION_TEXT] = "text",     [TN_OPTION_INTEGER] = "integer",
  [TN_OPTION_BOOL] = "bool",     [TN_OPTION_DURATION] = "duration",
  [TN_OPTION_CHOICE] = "choice",
};

static const char *
word(const char *const *words, size_t count, uint32_t index)
{
  return index < count && words[index] != NULL ? words[index] : "";
}

/* A text, or null. Those of tables have no control characters. */
static void
put_text(const char *name, const char *text)
{
  printf("\"%s\": ", name);
  if (text == NULL) {
    fputs("null, ", stdout);
    return;
  }
  putchar('"');
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      putchar('\\');
    putchar(*text);
  }
  fputs("\", ", stdout);
}

static void
put_range(int64_t min, int64_t max)
{
  printf("\"min\": %lld, \"max\": %lld", (long long)min, (long long)max);
}

static void
put_settings(void)
{
  const struct tn_config_row *row;
  size_t i;

  for (i = 0; (row = tn_config_row(i)) != NULL; i++) {
    fputs("{\"kind\": \"setting\", ", stdout);
    put_text("name", row->key);
    put_text("initial", row->initial);
    put_text("help", row->help);
    put_text("aliases", row->aliases);
    put_text("unit", word(units, COUNT(units), row->unit));
    put_text("choices", row->choices);
    printf("\"secret\": %s, ", row->is_secret != 0 ? "true" : "false");
    put_range(row->min, row->max);
    puts("}");
  }
}

static void
put_categories(void)
{
  int code;

  for (code = TN_OK + 1; code < TN_CODE_COUNT; code++) {
    tn_err usual = TN_ERR_INIT;

    (void)tn_err_set(&usual, (enum tn_code)code, "usual");
    fputs("{\"kind\": \"category\", ", stdout);
    put_text("name", tn_code_name(code));
    put_text("summary", tn_code_summary(code));
    put_text("connection", tn_connection_verdict_name(usual.connection));
    put_text("replay", tn_replay_verdict_name(usual.replay));
    printf("\"number\": %d}\n", code);
  }
}

static void
put_option(const struct tn_option_row *row)
{
  fputs("{", stdout);
  put_text("name", row->name);
  put_text("type", word(types, COUNT(types), row->type));
  put_text("choices", row->choices);
  put_text("initial", row->initial);
  put_text("help", row->help);
  printf("\"secret\": %s, \"ignored\": %s, ",
         (row->flags & TN_OPTION_SECRET) != 0 ? "true" : "false",
         (row->flags & TN_OPTION_IGNORED) != 0 ? "true" : "false");
  put_range(row->min, row->max);
  fputs("}", stdout);
}

static void
put_plugin(const struct tn_plugin *plugin)
{
  const char *const *scheme;
  unsigned bit;
  uint32_t i;

  fputs("{\"kind\": \"plugin\", ", stdout);
  put_text("name", plugin->name);
  put_text("client", plugin->client_library);
  fputs("\"schemes\": [", stdout);
  for (scheme = plugin->schemes; *scheme != NULL; scheme++)
    printf("%s\"%s\"", scheme == plugin->schemes ? "" : ", ", *scheme);
  fputs("], \"capabilities\": [", stdout);
  for (bit = 0, i = 0; bit < 64; bit++)
    if ((plugin->caps >> bit & 1) != 0 && tn_cap_name(bit) != NULL)
      printf("%s\"%s\"", i++ == 0 ? "" : ", ", tn_cap_name(bit));
  fputs("], \"options\": [", stdout);
  for (i = 0; i < plugin->option_count; i++) {
    if (i > 0)
      fputs(", ", stdout);
    put_option(&plugin->options[i]);
  }
  puts("]}");
}

static int32_t
fail(struct tn_call *call, const struct tn_failure *failure)
{
  (void)call;
  fprintf(stderr, "facts: %s\n", failure->message);
  return failure->category;
}

/* Of the host, an entry only ever needs what tells why it refuses. */
static const struct tn_plugin *
load(const char *file)
{
  const struct tn_host host = { .size = sizeof host,
                                .abi_major = TN_ABI_MAJOR,
                                .abi_minor = TN_ABI_MINOR,
                                .fail = fail };
  struct tn_call call = { .size = sizeof call,
                          .deadline = INT64_MAX,
                          .host = &host };
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  void *symbol = library == NULL ? NULL : dlsym(library, "tn_plugin_entry");
  entry_fn entry;

  if (symbol == NULL) {
    fprintf(stderr, "facts: %s\n", dlerror());
    return NULL;
  }
  memcpy(&entry, &symbol, sizeof entry);
  return entry(&call);
}

int
main(int argc, char **argv)
{
  int i;

  put_settings();
  put_categories();
  for (i = 1; i < argc; i++) {
    const struct tn_plugin *plugin = load(argv[i]);

    if (plugin == NULL)
      return EXIT_FAILURE;
    put_plugin(plugin);
  }
  return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
