/* The tool: which commands there are, and how one is run.
 *
 * The table below drives both the dispatch and --help. A command returns a
 * code with its explanation; here it becomes a message and an exit code. */
#include "cli.h"

#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char query_manual[] =
    "SQL \"-\" reads one or more statements from standard input, --file F "
    "from\n"
    "a file: each is run and its result printed, up to the first error.\n"
    "\n"
    "A PARAM stands for one ? of the statement, or with a name for one :name.\n"
    "It is a text, or a type and a text:\n"
    "  int:5  uint:5  float:0.5  bool:true  null:  decimal:1.50  blob:00ff\n"
    "  date:2024-02-29  time:12:30  timestamp:2024-02-29T12:30:00Z\n"
    "  uuid:…  json:{\"a\":1}  text:int:5\n"
    "  name=int:5, low=a text\n"
    "An identifier before '=' is a name; write text:a=b for the text a=b. All\n"
    "have a name or none. Put -- before a PARAM that begins with '-'.\n";

static const char shell_manual[] =
    "Statements end with ';' and may have several lines. Ctrl-C stops the\n"
    "running statement, or drops the line. Also:\n"
    "  \\q             leave\n"
    "  \\timing        show how long each statement takes, or no more\n"
    "  \\format FORM   table, json, jsonl or csv\n"
    "  \\help          this list\n"
    "The history, of whole statements, is kept in "
    "$XDG_STATE_HOME/tenon/history,\n"
    "without those that begin with a blank or speak of a password. Without a\n"
    "terminal, lines are read from standard input and the exit code is the "
    "first\n"
    "failure's, also of a command of these that is none.\n";

static const char ping_manual[] =
    "--watch keeps a pool, with the options that TARGET says, and asks "
    "through\n"
    "it once per --interval. It goes on while the server is away, and tells "
    "in\n"
    "a row for each time\n"
    "  time              when it asked\n"
    "  result            ok, or the category of the error\n"
    "  ms                that it took, with connecting if need be\n"
    "  idle, lent, connecting\n"
    "                    connections of the pool, afterwards\n"
    "  connects, connect_failures\n"
    "                    of the pool, from the start\n"
    "  error             what was wrong\n"
    "Each time it waits 5 seconds at most, or the interval if that is longer.\n"
    "After a failed connect the pool repeats the error without trying, for\n"
    "pool_retry_time (1 second) at most.\n"
    "SIGINT (Ctrl-C), SIGTERM and --count end it with exit code 0, whatever "
    "the\n"
    "rows say; --deadline is of the whole, and ends it with exit code 5.\n"
    "A table is written line by line as rows come.\n";

static const char metrics_manual[] =
    "Connects as an application does that holds a pool, asks the server for a\n"
    "sign of life, and prints the numbers of the pool and of its connections\n"
    "in the text format of OpenMetrics 1.0. That is its only form.\n"
    "\n"
    "--watch keeps the pool and prints its numbers once per --interval, each\n"
    "time as a whole text that ends with \"# EOF\". It goes on while the\n"
    "server is away, with a line on standard error each time, as \"tenon ping\n"
    "--watch\" does, and ends as that does.\n";

static const char check_manual[] =
    "Holds the plug-in in FILE to the conformance suite, which is a program "
    "of\n"
    "its own and part of libtenon-dev. The exit code is the suite's: 0 if all\n"
    "passed, 1 if not, 2 if it could not start. Without --quirks it goes by\n"
    "NAME.quirks.ini beside the plug-in's manifest, or else beside FILE, if\n"
    "there is one, and says so.\n";

static const char new_manual[] =
    "Writes a plug-in for the scheme NAME into FOLDER, which is made, or into\n"
    "tenon-backend-NAME: source, manifest, build, and Debian and RPM "
    "packaging.\n"
    "It builds with libtenon-dev alone and passes the conformance suite at\n"
    "once; its README.md says how to go on.\n";

static const char doctor_manual[] =
    "Loads every plug-in and tells what is wrong with each that does not "
    "load,\n"
    "with every place that was looked at. Exit code 2 if there is one.\n";

static const char config_check_manual[] =
    "Each URL's plug-in is loaded and looks at the options; nothing is "
    "connected.\n";

static const char errors_manual[] =
    "BACKEND is the name of a plug-in, or a scheme that it serves.\n"
    "A CODE is a number of the backend's, a SQLSTATE, the two characters of "
    "its\n"
    "class, or the backend's name for it. A number that servers disagree on "
    "has\n"
    "a row for each. The verdicts are those of the error alone: what became "
    "of\n"
    "the session and its transaction can make them worse.\n"
    "\n"
    "Explained are also the fields that such an error may have besides its "
    "text,\n"
    "by where they come from: the protocol has them apart, they are taken out "
    "of\n"
    "the message, or tn_conn_complete() looks them up in the catalogue.\n"
    "\n"
    "An administrator changes a row in a drop-in of the folder plugins.d:\n"
    "  [errors:BACKEND]\n"
    "  native.1205 = deadlock\n"
    "  sqlstate.53 = limit dead safe\n"
    "with a category, a verdict on the connection (usable, aborted, dead), "
    "one\n"
    "on a replay (safe, transaction, never, unknown), or some of them.\n";

#define TAKES_WATCH                                                            \
  (TAKES(OPTION_WATCH) | TAKES(OPTION_INTERVAL) | TAKES(OPTION_ROWS))

static const struct command commands[] = {
  { "query", "TARGET SQL [PARAM...]", "Run a statement and print its result", 1,
    UINT_MAX, TAKES(OPTION_DEADLINE) | TAKES(OPTION_FILE), 0, query_manual,
    cmd_query },
  { "shell", "TARGET", "Run statements as they are typed", 1, 1, 0, 0,
    shell_manual, cmd_shell },
  { "ping", "TARGET", "Connect, ask the server for a sign of life", 1, 1,
    TAKES(OPTION_DEADLINE) | TAKES_WATCH, 0, ping_manual, cmd_ping },
  { "metrics", "TARGET", "Connect and print the numbers of the pool", 1, 1,
    TAKES(OPTION_DEADLINE) | TAKES_WATCH, TAKES(OPTION_FORMAT), metrics_manual,
    cmd_metrics },
  { "plugins list", "", "List the plug-ins, without loading any", 0, 0, 0, 0,
    "", cmd_plugins_list },
  { "plugins inspect", "NAME", "Load a plug-in and tell what it can do", 1, 1,
    0, 0, "", cmd_plugins_inspect },
  { "plugins check", "FILE --url URL", "Run the conformance suite on a plug-in",
    1, 1, TAKES(OPTION_URL) | TAKES(OPTION_QUIRKS), 0, check_manual,
    cmd_plugins_check },
  { "plugins new", "NAME [FOLDER]", "Write a plug-in to begin with", 1, 2, 0, 0,
    new_manual, cmd_plugins_new },
  { "plugins doctor", "", "Load every plug-in and tell what is wrong", 0, 0, 0,
    0, doctor_manual, cmd_plugins_doctor },
  { "errors explain", "BACKEND CODE", "Tell what an error of a backend means",
    2, 2, 0, 0, errors_manual, cmd_errors_explain },
  { "errors list", "[BACKEND]", "List what each error means", 0, 1, 0, 0,
    errors_manual, cmd_errors_list },
  { "config show", "[DATABASE]", "Print every value and where it came from", 0,
    1, 0, 0, "", cmd_config_show },
  { "config check", "", "Read the configuration and tell what is wrong", 0, 0,
    0, 0, config_check_manual, cmd_config_check },
  { "help", "[COMMAND]", "Show this help, or a command's", 0, 2, 0, 0, "",
    NULL }, /* options.c knows it */
  { .words = NULL },
};

const struct command *
commands_all(void)
{
  return commands;
}

static void
write_log(uint32_t level, const char *line, void *user)
{
  (void)user;
  fprintf(stderr, "tenon: %s: %s\n", tn_log_level_name(level), line);
}

/* Warnings are shown, except where a program reads standard error and expects
 * nothing but the one line of a failure. */
static void
set_log(struct cli *cli)
{
  static const uint32_t levels[] = { TN_LOG_WARNING, TN_LOG_INFO,
                                     TN_LOG_DEBUG };
  size_t wanted =
      cli->verbosity < COUNT(levels) ? cli->verbosity : COUNT(levels) - 1;

  cli->log.write = write_log;
  cli->log.level =
      cli->verbosity == 0 && cli->out.writer->is_json ? 0 : levels[wanted];
}

/* Tenon's text is UTF-8; in another locale the widths of tables would be
 * counted in bytes. */
static void
set_locale(void)
{
  if (setlocale(LC_CTYPE, "") == NULL ||
      strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
    (void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* A standard descriptor that is closed would be that of the next thing that is
 * opened: rows would be sent to the server, as if they were requests. What it
 * becomes here fails as one that is closed does. */
static bool
hold_standard_descriptors(void)
{
  int fd;

  for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) == -1 &&
        open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
      return false;
  return true;
}

static void
print_version(void)
{
  printf("tenon %d.%d.%d (plug-in ABI %d.%d)\n", TN_VERSION_MAJOR,
         TN_VERSION_MINOR, TN_VERSION_PATCH, TN_ABI_MAJOR, TN_ABI_MINOR);
}

static enum tn_code
run(struct cli *cli, int argc, char **argv, tn_err *err)
{
  enum tn_code rc = options_parse(cli, argc, argv, err);

  if (rc != TN_OK)
    return rc;
  if (cli->options[OPTION_NO_COLOR] != NULL)
    cli->out.has_color = false;
  set_log(cli);
  if (cli->options[OPTION_HELP] != NULL)
    help_print(stdout, cli->command);
  else if (cli->options[OPTION_VERSION] != NULL)
    print_version();
  else
    rc = cli->command->run(cli, err);
  return rc == TN_OK ? output_flush(&cli->out, err) : rc;
}

int
main(int argc, char **argv)
{
  struct cli cli = { .stage = STAGE_SETUP };
  tn_err err = TN_ERR_INIT;
  char **args = NULL;

  if (!hold_standard_descriptors())
    return EXIT_INTERNAL;
  if (args_copy(argc, argv, &args)) {
    args_hide(argc, argv);
    cli.plugin_dirs = calloc((size_t)argc + 1, sizeof *cli.plugin_dirs);
  }
  set_locale();
  (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
  output_init(&cli.out, true);
  if (cli.plugin_dirs == NULL)
    (void)tn_err_set(&err, TN_E_MEMORY, "arguments: out of memory");
  else if (run(&cli, argc, args, &err) == TN_OK)
    tn_err_clear(&err);
  if (err.code != TN_OK)
    cli.status = report_error(&cli, &err);
  tn_config_free(&cli.config);
  tn_registry_free(&cli.registry);
  free(cli.plugin_dirs);
  args_free(&args);
  return (int)cli.status;
}
