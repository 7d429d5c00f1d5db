/* From what a plug-in tells of a failure to the error of the call.
 *
 * A row of the plug-in's says what a code means, an override of the
 * administrator's may say it otherwise. Texts are masked and made fit to be
 * shown here, so that no backend can forget it. */
#include "failure.h"

#include <string.h>

#include "backend.h"
#include "mask.h"
#include "text.h"

static struct tn_host_call *
host_call_of(struct tn_call *call)
{
  return (struct tn_host_call *)(void *)call;
}

bool
tn_failure__takes(struct tn_host_call *call)
{
  call->is_kept = call->is_grace && call->failed != TN_OK;
  return !call->is_kept;
}

int32_t
tn_failure__note(struct tn_host_call *call, int32_t category)
{
  call->failed = category;
  call->override = NULL;
  if (call->backend != NULL)
    tn_text_escape(call->backend, strlen(call->backend), call->err->backend,
                   sizeof(call->err->backend));
  return category;
}

/* ---- rows ---- */

static const struct tn_error_row *
find_native(const struct tn_dialect_table *dialect, int32_t native)
{
  for (uint64_t i = 0; native != 0 && i < dialect->error_count; i++) {
    if (dialect->errors[i].native == native)
      return &dialect->errors[i];
  }
  return NULL;
}

/* A row for exactly the first `size` characters of `sqlstate`. */
static const struct tn_error_row *
find_sqlstate(const struct tn_dialect_table *dialect, const char *sqlstate,
              size_t size)
{
  if (sqlstate == NULL || strlen(sqlstate) < size)
    return NULL;
  for (uint64_t i = 0; i < dialect->error_count; i++) {
    const struct tn_error_row *row = &dialect->errors[i];

    if (row->native == 0 && row->sqlstate != NULL &&
        strlen(row->sqlstate) == size &&
        memcmp(row->sqlstate, sqlstate, size) == 0)
      return row;
  }
  return NULL;
}

const struct tn_error_row *
tn_failure_row(const struct tn_dialect_table *dialect,
               const struct tn_failure *failure)
{
  const struct tn_error_row *row;

  if (dialect == NULL || dialect->errors == NULL)
    return NULL;
  row = find_native(dialect,
                    failure->lookup != 0 ? failure->lookup : failure->native);
  if (row == NULL)
    row = find_native(dialect, failure->fallback);
  if (row == NULL)
    row = find_sqlstate(dialect, failure->sqlstate, 5);
  if (row == NULL)
    row = find_sqlstate(dialect, failure->sqlstate, 2);
  return row;
}

static int32_t
valid_verdict(int32_t verdict, int32_t last)
{
  return verdict > 0 && verdict <= last ? verdict : 0;
}

/* A row's verdict on the connection is a fact: an override can make it worse,
 * not better. */
static int32_t
worse(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

struct tn_judgement
tn_failure_judge(const struct tn_error_row *row,
                 const struct tn_override *override)
{
  struct tn_judgement judgement = { .category = TN_E_OTHER };
  tn_err usual = TN_ERR_INIT;
  int32_t connection = row != NULL ? row->connection : 0;

  if (row != NULL)
    judgement.category = row->category;
  if (override != NULL && override->category != 0)
    judgement.category = override->category;
  tn_err_set(&usual, (enum tn_code)judgement.category, "x");
  tn_err_verdicts(&usual, connection, row != NULL ? row->replay : 0);
  if (override != NULL)
    tn_err_verdicts(&usual, worse(connection, override->connection),
                    override->replay);
  judgement.connection = usual.connection;
  judgement.replay = usual.replay;
  return judgement;
}

/* ---- texts ---- */

/* The text as it may be shown, its lines kept. Escaped first: that hides no
 * end of a password that masking looks for but the blanks in it, and so masks
 * too much at worst. */
static void
clean_text(const char *text, size_t size, char *out, size_t capacity)
{
  tn_text_escape_lines(text, size, out, capacity);
  tn_text_mask(out, capacity);
}

/* The category with which a call fails must be one: a number that is none
 * would be taken for success, or for the sign of something else. */
static int32_t
valid_category(int32_t category)
{
  return category > TN_OK && category < TN_CODE_COUNT ? category : TN_E_OTHER;
}

static void
copy_sqlstate(tn_err *err, const char *sqlstate)
{
  size_t size = 0;

  if (sqlstate == NULL)
    return;
  while (tn_text_is_alpha(sqlstate[size]) || tn_text_is_digit(sqlstate[size]))
    size++;
  if (size == 5 && sqlstate[size] == '\0')
    memcpy(err->sqlstate, sqlstate, size + 1);
}

/* `message`, its first line, and what follows it as detail. */
static void
set_message(tn_err *err, int32_t category, const char *message)
{
  char text[sizeof(err->message) + sizeof(err->detail)];
  char *rest;

  while (tn_text_is_space(*message))
    message++;
  clean_text(message, strlen(message), text, sizeof(text));
  rest = strchr(text, '\n');
  if (rest != NULL)
    *rest++ = '\0';
  tn_err_set(err, (enum tn_code)category, "%s", text);
  tn_err_add(err, TN_ERR_DETAIL, rest);
}

/* ---- slots ---- */

void
tn_failure__field(struct tn_call *call, uint32_t field, const char *text,
                  size_t size)
{
  struct tn_host_call *host_call = host_call_of(call);
  char cleaned[sizeof(host_call->err->detail) + sizeof("...")];

  if (text == NULL || host_call->failed == TN_OK || host_call->is_kept)
    return;
  clean_text(text, size, cleaned, sizeof(cleaned));
  tn_err_add(host_call->err, (enum tn_err_field)field, cleaned);
  if (field == TN_ERR_COLUMN && host_call->err->source == 0)
    host_call->err->source = TN_SOURCE_MESSAGE;
}

void
tn_failure__source(struct tn_call *call, uint32_t source)
{
  struct tn_host_call *host_call = host_call_of(call);

  if (host_call->failed != TN_OK && !host_call->is_kept &&
      source <= TN_SOURCE_MESSAGE)
    host_call->err->source = source;
}

static void
fill(tn_err *err, const struct tn_failure *failure,
     const struct tn_error_row *row)
{
  if (row != NULL)
    copy_sqlstate(err, row->sqlstate);
  copy_sqlstate(err, failure->sqlstate);
  err->native = failure->native;
  err->position = failure->position > 0 ? failure->position : 0;
  err->parameter = failure->parameter > 0 ? failure->parameter : 0;
  err->row = failure->row;
}

static const struct tn_override *
find_override(const struct tn_host_call *call, const struct tn_failure *failure)
{
  return call->of != NULL ? tn_overrides_find(&call->of->overrides, failure)
                          : NULL;
}

int32_t
tn_failure__fail(struct tn_call *call, const struct tn_failure *failure)
{
  struct tn_host_call *host_call = host_call_of(call);
  const struct tn_override *override = NULL;
  const struct tn_error_row *row = NULL;
  struct tn_failure full = { .size = sizeof(full) };
  struct tn_judgement judgement = { .category = 0 };

  /* A plug-in built with an older header has a shorter struct. */
  if (failure != NULL)
    memcpy(&full, failure,
           failure->size < sizeof(full) ? failure->size : sizeof(full));
  if (full.category == 0) {
    row = tn_failure_row(host_call->dialect, &full);
    override = find_override(host_call, &full);
    judgement = tn_failure_judge(row, override);
  } else {
    judgement.category = valid_category(full.category);
  }
  if (!tn_failure__takes(host_call))
    return judgement.category;

  set_message(host_call->err, judgement.category,
              full.message != NULL && *full.message != '\0'
                  ? full.message
                  : tn_code_summary(judgement.category));
  tn_err_verdicts(host_call->err, judgement.connection, judgement.replay);
  fill(host_call->err, &full, row);
  tn_failure__note(host_call, judgement.category);
  host_call->override = override;
  if (full.detail != NULL)
    tn_failure__field(call, TN_ERR_DETAIL, full.detail, strlen(full.detail));
  return judgement.category;
}

void
tn_failure__verdicts(struct tn_call *call, int32_t connection, int32_t replay)
{
  struct tn_host_call *host_call = host_call_of(call);
  const struct tn_override *override = host_call->override;

  if (host_call->failed == TN_OK)
    return;
  connection = valid_verdict(connection, TN_CONNECTION_DEAD);
  replay = valid_verdict(replay, TN_REPLAY_UNKNOWN);

  /* The administrator's word stays, but for what nobody can know better. */
  if (override != NULL && connection != 0)
    connection = worse(connection, override->connection);
  if (override != NULL && override->replay != 0 && replay != TN_REPLAY_UNKNOWN)
    replay = override->replay;
  tn_err_verdicts(host_call->err, connection, replay);
}
