/* tenon shell: statements as they are typed, over several lines if need be. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "display.h"
#include "interrupt.h"
#include "line.h"

struct shell {
  struct cli *cli;
  tn_conn *conn;
  struct line_reader *reader;
  struct display input; /* what was typed since the last statement's end */
  char prompt[40];
  char more_prompt[40]; /* as wide, for lines that go on */
  bool is_over;
};

/* False: it was not understood, which has been told. */
struct shell_command {
  const char *name;
  const char *other_name;
  bool (*run)(struct shell *shell, const char *argument);
};

/* ---- backslash commands ---- */

static bool
run_quit(struct shell *shell, const char *argument)
{
  (void)argument;
  shell->is_over = true;
  return true;
}

static bool
run_timing(struct shell *shell, const char *argument)
{
  struct output *out = &shell->cli->out;

  (void)argument;
  out->has_time = !out->has_time;
  fprintf(stderr, "timing is %s\n", out->has_time ? "on" : "off");
  return true;
}

static bool
run_format(struct shell *shell, const char *argument)
{
  if (output_choose(&shell->cli->out, argument))
    return true;
  fputs("\\format: table, json, jsonl or csv\n", stderr);
  return false;
}

static bool
run_help(struct shell *shell, const char *argument)
{
  (void)argument;
  fputs(shell->cli->command->manual, stderr);
  return true;
}

static const struct shell_command shell_commands[] = {
  { "\\q", "\\quit", run_quit },
  { "\\timing", "\\t", run_timing },
  { "\\format", "\\f", run_format },
  { "\\help", "\\?", run_help },
};

static bool
run_command(struct shell *shell, const char *line)
{
  size_t length = strcspn(line, " \t");
  const char *argument = line + length + strspn(line + length, " \t");
  char word[16];
  char name[32];
  size_t i;

  (void)snprintf(word, sizeof word, "%.*s", (int)length, line);
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, " \t"),
                 argument);
  for (i = 0; i < COUNT(shell_commands); i++)
    if (strcmp(shell_commands[i].name, word) == 0 ||
        strcmp(shell_commands[i].other_name, word) == 0)
      return shell_commands[i].run(shell, name);
  fputs("no such command; \\help lists them\n", stderr);
  return false;
}

/* The first one is the exit code, unless nothing can be written. */
static void
note_failure(struct shell *shell, enum exit_code status)
{
  struct cli *cli = shell->cli;

  if (cli->status == EXIT_OK || cli->out.failed)
    cli->status = status;
}

/* ---- statements ---- */

static enum tn_code
run_one(struct shell *shell, const char *sql, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const struct tn_query query = { .sql = sql, .flags = TN_QUERY_NATIVE };
  enum tn_code rc = tn_conn_query(shell->conn, &query, &result, err);

  return rc == TN_OK ? output_result(&shell->cli->out, result, err) : rc;
}

/* One statement is run by itself: an error's position is then one in what was
 * typed. */
static void
run_input(struct shell *shell, const struct tn_script_scan *scan)
{
  struct cli *cli = shell->cli;
  const char *sql = shell->input.data;
  bool is_single = scan->statement_count == 1;
  tn_err err = TN_ERR_INIT;
  struct interrupt watch;
  enum tn_code rc;
  enum exit_code status;

  output_start(&cli->out);
  cli->statement = is_single ? sql : NULL;
  rc = interrupt_start(&watch, shell->conn, 0, !line_is_edited(shell->reader),
                       &err);
  if (rc == TN_OK) {
    rc = is_single
             ? run_one(shell, sql, &err)
             : tn_conn_script(shell->conn, sql, output_visit, &cli->out, &err);
    rc = interrupt_stop(&watch, rc, &err);
  }
  if (rc == TN_OK)
    return;
  status = report_error(cli, &err);
  note_failure(shell, status);
  if (cli->out.failed || tn_conn_verdict(shell->conn) == TN_CONNECTION_DEAD)
    shell->is_over = true;
}

/* All lines of it are one entry, without the last one's end. */
static void
remember_input(struct shell *shell)
{
  struct display *input = &shell->input;

  if (input->size == 0 || input->data[input->size - 1] != '\n')
    return;
  input->data[input->size - 1] = '\0';
  line_remember(shell->reader, input->data);
  input->data[input->size - 1] = '\n';
}

/* Add a line to what was typed, and run it if a statement ends there, or
 * because nothing follows any more. */
static void
take_input(struct shell *shell, const char *line, bool is_last)
{
  struct tn_script_scan scan;

  display_add(&shell->input, line, strlen(line));
  display_add(&shell->input, "\n", is_last ? 0 : 1);
  if (shell->input.failed)
    return;
  tn_conn_script_scan(shell->conn, shell->input.data, &scan);
  if (!scan.is_complete && !is_last)
    return;
  remember_input(shell);
  if (scan.statement_count > 0)
    run_input(shell, &scan);
  shell->input.size = 0;
}

static bool
has_input(const struct shell *shell)
{
  return shell->input.size > 0 &&
         strspn(shell->input.data, " \t\r\n") < shell->input.size;
}

static void
take_line(struct shell *shell, const char *line)
{
  const char *start = line + strspn(line, " \t");

  if (!has_input(shell) && start[0] == '\\') {
    line_remember(shell->reader, line);
    if (!run_command(shell, start))
      note_failure(shell, EXIT_USAGE);
  } else if (has_input(shell) || start[0] != '\0') {
    take_input(shell, line, false);
  }
}

static enum tn_code
run_lines(struct shell *shell, tn_err *err)
{
  const char *line = NULL;

  while (!shell->is_over && !shell->input.failed) {
    switch (line_read(shell->reader,
                      has_input(shell) ? shell->more_prompt : shell->prompt,
                      &line)) {
    case LINE_READ:
      take_line(shell, line);
      break;
    case LINE_INTERRUPTED:
      shell->input.size = 0;
      break;
    case LINE_END:
      if (line_is_edited(shell->reader))
        putchar('\n');
      else
        take_input(shell, "", true);
      shell->is_over = true;
      break;
    case LINE_FAILED:
      return tn_err_set(err, errno == ENOMEM ? TN_E_MEMORY : TN_E_IO,
                        "shell: %s", strerror(errno));
    }
  }
  if (shell->input.failed)
    return tn_err_set(err, TN_E_MEMORY, "shell: out of memory");
  return TN_OK;
}

static void
greet(const struct shell *shell)
{
  if (line_is_edited(shell->reader))
    printf("tenon %d.%d.%d, %s, %s. \\help tells what can be typed.\n",
           TN_VERSION_MAJOR, TN_VERSION_MINOR, TN_VERSION_PATCH,
           tn_conn_backend(shell->conn), tn_conn_server_version(shell->conn));
}

enum tn_code
cmd_shell(struct cli *cli, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(line_reader_close) struct line_reader *reader = NULL;
  struct shell shell = { .cli = cli };
  enum tn_code rc = target_open(cli, cli->args[0], 0, &conn, err);

  if (rc == TN_OK)
    rc = line_reader_open(&reader, err);
  if (rc != TN_OK)
    return rc;
  shell.conn = conn;
  shell.reader = reader;
  (void)snprintf(shell.prompt, sizeof shell.prompt, "%s> ",
                 tn_conn_backend(conn));
  (void)snprintf(shell.more_prompt, sizeof shell.more_prompt, "%*s",
                 (int)strlen(shell.prompt), "-> ");
  greet(&shell);
  rc = run_lines(&shell, err);
  target_warn_of_txn(cli, conn);
  display_clear(&shell.input);

  /* A person has seen each error; only a script's count in the end. */
  if (line_is_edited(reader) && !cli->out.failed)
    cli->status = EXIT_OK;
  return rc;
}
