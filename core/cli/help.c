/* What --help says: the commands from their table, the options from theirs,
 * and what has no table. */
#include "cli.h"

#include <string.h>

static const char targets[] =
    "A TARGET is a URL (sqlite:///shop.db), @NAME for a configured database,\n"
    "env:NAME or file:PATH, which hold a URL. A password is best kept out of\n"
    "the URL: --password takes it from a file, the environment or a prompt. "
    "The\n"
    "password of a URL argument is overwritten in the process list.\n";

static const char formats[] =
    "Forms of output (--format):\n"
    "  table   for people; NULL is shown, long cells are cut on a terminal; a\n"
    "          long result is drawn 1000 rows at a time\n"
    "  json    per result set one line "
    "{\"columns\":[{\"name\":…,\"type\":…}],\n"
    "          \"rows\":[[…]],\"affected\":N}; a failure is one line on "
    "standard\n"
    "          error, {\"error\":{\"category\":…,\"message\":…,…}}; the line "
    "of a\n"
    "          result that it broke off ends without closing the object, so "
    "that\n"
    "          none takes it for whole: the exit code and the line on "
    "standard\n"
    "          error tell\n"
    "  jsonl   per row one line {\"column\":value,…}; a second column of the\n"
    "          same name is name_2\n"
    "  csv     RFC 4180 with a header; NULL is empty, an empty text is \"\"\n"
    "A statement may have several result sets, as a procedure does: all are "
    "shown,\n"
    "in order, as if each were a statement's; in jsonl their rows just follow "
    "one\n"
    "another, in csv with an empty line and a header between. The last set is "
    "not\n"
    "shown, in any form, if others came before and it has neither columns nor "
    "rows\n"
    "affected: so ends a CALL.\n"
    "In JSON, integers are exact, blobs are base64, JSON stays JSON; "
    "decimals,\n"
    "dates, times and uuids are texts, as are \"inf\", \"-inf\" and \"nan\".\n";

static const char exits[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  usage or configuration\n"
    "  2  no such backend, or it cannot be loaded\n"
    "  3  cannot connect\n"
    "  4  the database refused\n"
    "  5  the deadline passed, or it was interrupted\n"
    "  6  no memory, the output cannot be written, an internal error\n";

/* Width of the widest "words usage" column. */
#define LEFT_WIDTH 32

static void
print_summary(FILE *stream)
{
  const struct command *command;

  fputs("usage: tenon [OPTION...] COMMAND ...\n\nCommands:\n", stream);
  for (command = commands_all(); command->words != NULL; command++) {
    char left[80];

    (void)snprintf(left, sizeof left, "%s %s", command->words, command->usage);
    fprintf(stream, "  %-*s", LEFT_WIDTH, left);
    if (strlen(left) >= LEFT_WIDTH)
      fprintf(stream, "\n  %-*s", LEFT_WIDTH, "");
    fprintf(stream, " %s\n", command->help);
  }
}

void
help_print(FILE *stream, const struct command *command)
{
  if (command != NULL) {
    fprintf(stream, "usage: tenon %s %s\n\n%s.\n", command->words,
            command->usage, command->help);
    if (command->manual[0] != '\0')
      fprintf(stream, "\n%s", command->manual);
    fputs("\nOptions:\n", stream);
    options_print(stream, command);
    return;
  }
  print_summary(stream);
  fputs("\nOptions, before or after the command; \"--\" ends them:\n", stream);
  options_print(stream, NULL);
  fputs("tenon COMMAND --help tells a command's own.\n", stream);
  fprintf(stream, "\n%s\n%s\n%s", targets, formats, exits);
}
