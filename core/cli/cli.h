/* What the files of the tool share.
 *
 * The tool is a user of the library like any other: it includes the public
 * headers and nothing of the core's own. A command gets a `struct cli`, does
 * its work and returns a code with its explanation; main() alone turns that
 * into a message and an exit code. */
#ifndef TENON_CLI_H
#define TENON_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <tenon/tenon.h>

#include "output.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How far a command has come. The exit code depends on it: the same error is
 * "cannot connect" while opening and "refused" afterwards. */
enum stage {
  STAGE_SETUP = 1, /* arguments, configuration */
  STAGE_OPEN,      /* reaching the database */
  STAGE_STATEMENT, /* it is reached */
};

/* Documented in --help. */
enum exit_code {
  EXIT_OK = 0,
  EXIT_USAGE,    /* usage or configuration */
  EXIT_PLUGIN,   /* no such backend, or it cannot be loaded */
  EXIT_CONNECT,  /* cannot connect */
  EXIT_REFUSED,  /* the database refused */
  EXIT_DEADLINE, /* the deadline passed, or it was interrupted */
  EXIT_INTERNAL, /* no memory, output cannot be written, a bug */
};

/* Options of the command line, by the row that describes them. */
enum option_id {
  OPTION_CONFIG,
  OPTION_PLUGIN_DIR,
  OPTION_FORMAT,
  OPTION_PASSWORD,
  OPTION_DEADLINE,
  OPTION_WATCH,
  OPTION_INTERVAL,
  OPTION_ROWS,
  OPTION_FILE,
  OPTION_URL,
  OPTION_QUIRKS,
  OPTION_NO_COLOR,
  OPTION_VERBOSE,
  OPTION_HELP,
  OPTION_VERSION,
  OPTION_COUNT
};

/* Options in which a command differs from others. */
#define TAKES(id) (1U << (id))

struct cli;

struct command {
  const char *words;  /* "plugins list" */
  const char *usage;  /* what follows them */
  const char *help;   /* one line */
  unsigned min_args;  /* after the words */
  unsigned max_args;  /* UINT_MAX: any number */
  unsigned takes;     /* TAKES(…) */
  unsigned refuses;   /* TAKES(…) of the options that all others take */
  const char *manual; /* for `tenon COMMAND --help`; may be "" */
  enum tn_code (*run)(struct cli *cli, tn_err *err);
};

struct cli {
  const struct command *command;
  char **args; /* after the command's words; a copy, may be written to */
  size_t arg_count;
  const char *options[OPTION_COUNT]; /* texts as given; "" for a flag; NULL */
  const char **plugin_dirs;          /* ended by NULL */
  unsigned verbosity;
  tn_deadline deadline; /* of all that the command does; 0: none */
  enum stage stage;
  enum exit_code status; /* of a command that has told its errors itself */
  const char *statement; /* that an error's position counts in; or NULL */
  struct tn_log log;     /* level 0: silent */
  tn_config *config;     /* NULL until it is needed */
  tn_registry *registry; /* likewise */
  struct output out;
};

/* args.c: `*ret` is a copy that can be changed, ended by NULL. False without
 * memory. */
bool args_copy(int argc, char *const *argv, char ***ret);
void args_free(char ***args);

/* Overwrite the passwords of URLs in the process's own arguments, which every
 * user of the machine can read. */
void args_hide(int argc, char **argv);

/* options.c: read the arguments; what is left of them is cli->args. The first
 * error is returned after all were read, so that --format is known by then. */
enum tn_code options_parse(struct cli *cli, int argc, char **argv, tn_err *err);

/* Those of all commands, or of one: its own, then the others it takes. */
void options_print(FILE *stream, const struct command *command);

/* main.c: the table of commands, ended by a NULL in `words`. */
const struct command *commands_all(void);

/* help.c */
void help_print(FILE *stream, const struct command *command);

/* report.c: say on standard error what went wrong, in the output's form. */
enum exit_code report_error(const struct cli *cli, const tn_err *err);

/* target.c: what a command needs, made when it is first asked for. */
enum tn_code cli_need_config(struct cli *cli, tn_err *err);
enum tn_code cli_need_registry(struct cli *cli, tn_err *err);

/* Open the database that `target` names, which is wiped: a URL, "@name",
 * "env:NAME" or "file:PATH". `timeout_ms` as in struct tn_conn_options. */
enum tn_code target_open(struct cli *cli, char *target, uint64_t timeout_ms,
                         tn_conn **ret, tn_err *err);

/* Every statement has worked, and yet nothing of it stays: say so, before the
 * connection is closed. */
void target_warn_of_txn(const struct cli *cli, const tn_conn *conn);

/* Open an engine on it; nothing is connected. `wait` as in struct
 * tn_engine_options; NULL. */
enum tn_code target_engine(struct cli *cli, char *target, tn_wait_fn wait,
                           void *wait_user, tn_engine **ret, tn_err *err);

/* The URL that `text` is, or that "env:NAME" or "file:PATH" hold. */
enum tn_code target_url(const char *text, tn_url **ret, tn_err *err);

/* password.c: give `url` the password that --password's text leads to. */
enum tn_code password_give(const char *source, tn_url *url, tn_err *err);

/* read.c: the whole of a file, "-" being standard input, as text. `deadline` 0:
 * none. `*ret` is released with free(). */
enum tn_code read_text(const char *path, tn_deadline deadline, char **ret,
                       tn_err *err);

/* cmd_ping.c: milliseconds since `start`, of tn_clock_now(). */
double ping_ms_since(int64_t start);

/* Commands, one function a row of the table. */
enum tn_code cmd_plugins_list(struct cli *cli, tn_err *err);
enum tn_code cmd_plugins_inspect(struct cli *cli, tn_err *err);
enum tn_code cmd_plugins_new(struct cli *cli, tn_err *err);
enum tn_code cmd_plugins_check(struct cli *cli, tn_err *err);
enum tn_code cmd_plugins_doctor(struct cli *cli, tn_err *err);
enum tn_code cmd_errors_explain(struct cli *cli, tn_err *err);
enum tn_code cmd_errors_list(struct cli *cli, tn_err *err);
enum tn_code cmd_ping(struct cli *cli, tn_err *err);
enum tn_code cmd_metrics(struct cli *cli, tn_err *err);
enum tn_code cmd_config_show(struct cli *cli, tn_err *err);
enum tn_code cmd_config_check(struct cli *cli, tn_err *err);
enum tn_code cmd_query(struct cli *cli, tn_err *err);
enum tn_code cmd_shell(struct cli *cli, tn_err *err);

#endif
