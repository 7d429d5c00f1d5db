/* The options of the command line: one table for parsing, for --help and for
 * which command takes which. Options may stand before or after the command;
 * "--" ends them. */
#include "cli.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct option_row {
  const char *name;
  const char *metavar; /* NULL: a flag */
  const char *help;
  int letter;     /* 0: none */
  bool is_global; /* every command takes it */
};

static const struct option_row rows[OPTION_COUNT] = {
  [OPTION_CONFIG] = { "config", "FILE",
                      "read FILE instead of $TENON_CONFIG or tenon.ini", 'c',
                      true },
  [OPTION_PLUGIN_DIR] = { "plugin-dir", "DIR",
                          "look for plug-ins in DIR first; may be repeated", 0,
                          true },
  [OPTION_FORMAT] = { "format", "FORM", "table, json, jsonl or csv", 'f',
                      true },
  [OPTION_PASSWORD] = { "password", "SOURCE",
                        "take the password from file:PATH, env:NAME or prompt",
                        0, true },
  [OPTION_DEADLINE] = { "deadline", "TIME",
                        "be done by then, from the start: 250ms, 5s, 2m", 0,
                        false },
  [OPTION_WATCH] = { "watch", NULL,
                     "ask again and again, through a pool, until stopped", 0,
                     false },
  [OPTION_INTERVAL] = { "interval", "TIME",
                        "how often --watch asks; 1s if it is not given", 0,
                        false },
  [OPTION_ROWS] = { "count", "N", "end --watch after N times", 0, false },
  [OPTION_FILE] = { "file", "FILE",
                    "read statements from FILE, as SQL \"-\" does from "
                    "standard input",
                    0, false },
  [OPTION_URL] = { "url", "URL", "database that the plug-in is checked on", 0,
                   false },
  [OPTION_QUIRKS] = { "quirks", "FILE",
                      "what the plug-in is known to do otherwise", 0, false },
  [OPTION_NO_COLOR] = { "no-color", NULL, "no colour; $NO_COLOR does the same",
                        0, true },
  [OPTION_VERBOSE] = { "verbose", NULL,
                       "tell on standard error what happens; twice: all of it",
                       'v', true },
  [OPTION_HELP] = { "help", NULL, "show this help, or a command's", 'h', true },
  [OPTION_VERSION] = { "version", NULL, "show the version", 'V', true },
};

/* getopt's number for an option: its letter would do, but few have one. */
#define FIRST_NUMBER 256

static void
fill_long(struct option longs[OPTION_COUNT + 1])
{
  size_t i;

  memset(longs, 0, (OPTION_COUNT + 1) * sizeof *longs);
  for (i = 0; i < OPTION_COUNT; i++) {
    longs[i].name = rows[i].name;
    longs[i].has_arg =
        rows[i].metavar == NULL ? no_argument : required_argument;
    longs[i].val = FIRST_NUMBER + (int)i;
  }
}

/* The row of what getopt returned; OPTION_COUNT if it is none. */
static size_t
row_of(int found)
{
  size_t i;

  if (found >= FIRST_NUMBER)
    return (size_t)(found - FIRST_NUMBER);
  for (i = 0; i < OPTION_COUNT; i++)
    if (rows[i].letter == found)
      return i;
  return OPTION_COUNT;
}

static enum tn_code
take_option(struct cli *cli, size_t id, const char *text, tn_err *err)
{
  size_t count = 0;

  if (id >= OPTION_COUNT)
    return tn_err_set(err, TN_E_INTERNAL, "tenon: getopt found no option");
  cli->options[id] = text == NULL ? "" : text;
  switch (id) {
  case OPTION_VERBOSE:
    cli->verbosity++;
    return TN_OK;
  case OPTION_PLUGIN_DIR:
    while (cli->plugin_dirs[count] != NULL)
      count++;
    cli->plugin_dirs[count] = text;
    return TN_OK;
  case OPTION_FORMAT:
    if (output_choose(&cli->out, text))
      return TN_OK;
    return tn_err_set(err, TN_E_USAGE,
                      "--format: \"%.32s\" is none; take table, json, jsonl "
                      "or csv",
                      text);
  default:
    return TN_OK;
  }
}

/* What getopt refused: ':' without its value, '?' unknown. The argument may be
 * "--name=secret", so only the name is told. */
static enum tn_code
refuse(const char *argument, int kind, tn_err *err)
{
  int length = (int)strcspn(argument, "=");

  if (kind == ':')
    return tn_err_set(err, TN_E_USAGE, "%.*s: a value must follow", length,
                      argument);
  if (optopt > 0 && optopt < FIRST_NUMBER && argument[1] != '-')
    return tn_err_set(err, TN_E_USAGE,
                      "-%c: no such option; \"--\" ends the options, and "
                      "tenon --help lists them",
                      optopt);
  return tn_err_set(err, TN_E_USAGE,
                    optopt >= FIRST_NUMBER
                        ? "%.*s: takes no value"
                        : "%.*s: no such option, or not a clear one; tenon "
                          "--help lists them",
                    length, argument);
}

static enum tn_code
take_deadline(struct cli *cli, tn_err *err)
{
  const char *text = cli->options[OPTION_DEADLINE];
  uint64_t ms = 0;
  enum tn_code rc;

  if (text == NULL)
    return TN_OK;
  rc = tn_duration_parse(text, &ms, err);
  if (rc == TN_OK)
    cli->deadline = tn_deadline_after_ms(ms);
  return rc;
}

/* The table row whose words the arguments begin with. */
static const struct command *
find_command(char *const *args, size_t count, size_t *ret_words)
{
  const struct command *command;

  for (command = commands_all(); command->words != NULL; command++) {
    const char *rest = command->words;
    size_t used = 0;

    while (*rest != '\0' && used < count) {
      size_t length = strcspn(rest, " ");

      if (strlen(args[used]) != length ||
          strncmp(args[used], rest, length) != 0)
        break;
      used++;
      rest += length;
      rest += *rest == ' ';
    }
    if (*rest == '\0') {
      *ret_words = used;
      return command;
    }
  }
  return NULL;
}

/* "tenon help COMMAND" is "tenon COMMAND --help". */
static bool
is_help(const struct cli *cli, char *const *args, size_t count)
{
  return count > 0 && strcmp(args[0], "help") == 0 &&
         cli->options[OPTION_HELP] == NULL;
}

static enum tn_code
take_command(struct cli *cli, char **args, size_t count, tn_err *err)
{
  const struct command *command;
  size_t words = 0;

  if (is_help(cli, args, count)) {
    cli->options[OPTION_HELP] = args[0];
    args++;
    count--;
  }
  cli->command = find_command(args, count, &words);
  cli->args = args + words;
  cli->arg_count = count - words;
  if (cli->command != NULL || cli->options[OPTION_HELP] != NULL ||
      cli->options[OPTION_VERSION] != NULL)
    return TN_OK;
  if (count == 0)
    return tn_err_set(err, TN_E_USAGE, "no command; tenon --help lists them");
  for (command = commands_all(); command->words != NULL; command++)
    if (strlen(args[0]) == strcspn(command->words, " ") &&
        strncmp(command->words, args[0], strlen(args[0])) == 0)
      return count == 1
                 ? tn_err_set(err, TN_E_USAGE,
                              "%s: what of it? there is \"tenon %s\"; tenon "
                              "--help lists all",
                              args[0], command->words)
                 : tn_err_set(err, TN_E_USAGE,
                              "\"%s %.64s\": no such command; there is "
                              "\"tenon %s\"; tenon --help lists all",
                              args[0], args[1], command->words);
  return tn_err_set(err, TN_E_USAGE,
                    "\"%.64s\": no such command; tenon --help lists them",
                    args[0]);
}

static bool
is_taken(const struct command *command, size_t id)
{
  return rows[id].is_global ? (command->refuses & TAKES(id)) == 0
                            : (command->takes & TAKES(id)) != 0;
}

static enum tn_code
check_command(const struct cli *cli, tn_err *err)
{
  const struct command *command = cli->command;
  size_t i;

  if (command == NULL || cli->options[OPTION_HELP] != NULL)
    return TN_OK;
  for (i = 0; i < OPTION_COUNT; i++)
    if (cli->options[i] != NULL && !is_taken(command, i))
      return tn_err_set(err, TN_E_USAGE, "--%s: tenon %s does not take it",
                        rows[i].name, command->words);
  if (cli->arg_count >= command->min_args &&
      cli->arg_count <= command->max_args)
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE, "%s: too %s arguments; usage: tenon %s %s",
                    command->words,
                    cli->arg_count < command->min_args ? "few" : "many",
                    command->words, command->usage);
}

enum tn_code
options_parse(struct cli *cli, int argc, char **argv, tn_err *err)
{
  struct option longs[OPTION_COUNT + 1];
  enum tn_code rc = TN_OK;
  int found;

  fill_long(longs);
  opterr = 0;
  while ((found = getopt_long(argc, argv, ":c:f:vhV", longs, NULL)) != -1) {
    tn_err next = TN_ERR_INIT;
    enum tn_code next_rc = found == '?' || found == ':'
                               ? refuse(argv[optind - 1], found, &next)
                               : take_option(cli, row_of(found), optarg, &next);

    if (rc != TN_OK || next_rc == TN_OK)
      continue;
    rc = next_rc;
    *err = next;
  }
  if (rc == TN_OK)
    rc = take_deadline(cli, err);
  if (rc == TN_OK)
    rc = take_command(cli, argv + optind, (size_t)(argc - optind), err);
  return rc == TN_OK ? check_command(cli, err) : rc;
}

static void
print_row(FILE *stream, const struct option_row *row)
{
  char letter[5] = "    ";
  char left[40];

  if (row->letter != 0)
    (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
  (void)snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name,
                 row->metavar == NULL ? "" : " ",
                 row->metavar == NULL ? "" : row->metavar);
  fprintf(stream, "  %-24s %s\n", left, row->help);
}

void
options_print(FILE *stream, const struct command *command)
{
  size_t i;

  for (i = 0; command != NULL && i < OPTION_COUNT; i++)
    if (!rows[i].is_global && is_taken(command, i))
      print_row(stream, &rows[i]);
  for (i = 0; i < OPTION_COUNT; i++)
    if (rows[i].is_global && (command == NULL || is_taken(command, i)))
      print_row(stream, &rows[i]);
}
