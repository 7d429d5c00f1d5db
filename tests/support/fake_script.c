/* Following the script: counting, failing, waiting. */
#include "fake_priv.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

static const char *const slot_names[FAKE_SLOT_COUNT] = {
  "connect",
  "disconnect",
  "ping",
  "cancel",
  "server_caps",
  "server_version",
  "abandon",
  "prepare",
  "execute",
  "close_statement",
  "columns",
  "fetch",
  "close_result",
  "info",
  "begin",
  "commit",
  "rollback",
  "state",
  "savepoint",
  "release_savepoint",
  "rollback_savepoint",
  "reset",
  "set_sql_mode",
  "set_isolation",
  "get_isolation",
  "set_access",
  "get_position",
  "wait_position",
  "execute_batch",
  "next_set",
  "is_complete",
  "bulk_open",
  "bulk_write",
  "bulk_finish",
  "bulk_close",
  "prepare_txn",
  "commit_prepared",
  "rollback_prepared",
  "list_prepared",
  "identify",
  "outcome",
};

const char *
fake_slot_name(enum fake_slot slot)
{
  return slot_names[slot];
}

unsigned
fake__count_call(struct fake_script *script, enum fake_slot slot)
{
  size_t used = strlen(script->trace);

  if (script->has_trace)
    snprintf(script->trace + used, sizeof(script->trace) - used, "%s%s",
             used > 0 ? " " : "", slot_names[slot]);
  return atomic_fetch_add(&script->calls[slot], 1) + 1;
}

const struct fake_answer *
fake__find_answer(const struct fake_script *script, enum fake_slot slot,
                  unsigned nth)
{
  for (size_t i = 0; i < script->answer_count; i++) {
    const struct fake_answer *answer = &script->answers[i];

    if (answer->slot == slot && (answer->nth == 0 || answer->nth == nth))
      return answer;
  }
  return NULL;
}

static int32_t
fail_as_told(const struct fake_answer *answer, struct tn_call *call)
{
  struct tn_failure failure = {
    .size = sizeof(failure),
    .category = answer->category > 0 ? answer->category : 0,
    .native = answer->native,
    .fallback = answer->fallback,
    .parameter = answer->parameter,
    .row = answer->row,
    .sqlstate = answer->sqlstate,
    .message = answer->message,
    .detail = answer->detail,
  };
  int32_t rc = call->host->fail(call, &failure);

  if (answer->constraint != NULL)
    call->host->fail_field(call, TN_ERR_CONSTRAINT, answer->constraint,
                           strlen(answer->constraint));
  call->host->fail_verdicts(call, answer->connection, answer->replay);
  return rc;
}

int32_t
fake__follow(struct fake_script *script, enum fake_slot slot,
             struct tn_call *call, int *ret_skips)
{
  const struct fake_answer *answer =
      fake__find_answer(script, slot, fake__count_call(script, slot));
  int32_t rc = TN_OK;

  *ret_skips = 0;
  if (answer == NULL)
    return TN_OK;
  if (answer->wait_ms > 0)
    rc = call->host->wait(
        call, -1, 0, call->host->now() + (int64_t)answer->wait_ms * NS_PER_MS,
        NULL);
  if (rc != TN_OK)
    return rc;
  *ret_skips = (answer->flags & FAKE_NO_OUTPUT) != 0;
  if (answer->category == TN_OK)
    return TN_OK;
  if ((answer->flags & FAKE_SILENT) != 0)
    return answer->category;
  rc = fail_as_told(answer, call);
  return (answer->flags & FAKE_GET_OVER) != 0 ? TN_OK : rc;
}

int32_t
fake__follow_simple(void *handle, enum fake_slot slot, struct tn_call *call)
{
  const struct fake_connection *connection = handle;
  int skips;

  return fake__follow(connection->script, slot, call, &skips);
}

void
fake__count(const void *handle, enum fake_slot slot)
{
  const struct fake_connection *connection = handle;

  fake__count_call(connection->script, slot);
}

void *
fake__make(struct tn_call *call, size_t size)
{
  void *memory = call->host->alloc(size);

  if (memory == NULL)
    (void)tn_fail(call, TN_E_MEMORY, "fake: out of memory");
  else
    memset(memory, 0, size);
  return memory;
}

void
fake__note_values(struct fake_script *script, const tn_value *values,
                  uint32_t count, uint64_t rows)
{
  script->value_count = count;
  script->values_at = values;
  for (uint64_t i = 0; i < rows * count && i < COUNT(script->values); i++)
    script->values[i] = values[i];
  for (uint64_t i = 0; script->has_trace && i < rows * count; i++) {
    size_t used = strlen(script->given);

    snprintf(script->given + used, sizeof(script->given) - used, "%lld%s",
             (long long)values[i].as.int64, (i + 1) % count == 0 ? ";" : ",");
  }
}
