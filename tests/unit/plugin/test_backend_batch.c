/* The checked calls for many rows: batches, result sets and bulk loads. */
#include "backend.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_plugin.h"

/* Tables of the fake plug-in with more slots, which answer as a test says. */
static struct tn_plugin plugin;
static struct tn_statement_table statement;
static struct tn_result_table result;
static bool has_bulk;

/* What a slot does: its category, whether it says why, and its output. */
static struct {
  int32_t rc;
  bool is_silent;
  bool has_output;
  uint64_t rows;
} answer;

/* What it was given. */
static struct {
  void *object;
  const tn_value *values;
  uint32_t count;
  uint64_t rows;
  const struct tn_bulk_request *request;
  int closes;
} seen;

static struct tn_backend *backend;
static struct tn_host_call call;
static tn_err err;
static int object; /* what the slots are called on, and what they make */

static int32_t
follow(struct tn_call *told)
{
  if (answer.rc > TN_OK && !answer.is_silent)
    return tn_fail(told, answer.rc, "told to");
  return answer.rc;
}

static int32_t
own_execute_batch(void *handle, const tn_value *values, uint32_t count,
                  uint64_t rows, struct tn_call *told, void **ret)
{
  seen.object = handle;
  seen.values = values;
  seen.count = count;
  seen.rows = rows;
  if (answer.has_output)
    *ret = &object;
  return follow(told);
}

static int32_t
own_next_set(void *handle, struct tn_call *told)
{
  seen.object = handle;
  if (answer.rc < 0 && !answer.is_silent)
    (void)tn_fail(told, -answer.rc, "told to");
  return answer.rc;
}

static int32_t
own_is_complete(void *handle)
{
  seen.object = handle;
  return answer.rc;
}

static int32_t
own_open(void *handle, const struct tn_bulk_request *request,
         struct tn_call *told, void **ret)
{
  seen.object = handle;
  seen.request = request;
  if (answer.has_output)
    *ret = &object;
  return follow(told);
}

static int32_t
own_write(void *bulk, const tn_value *values, uint64_t rows,
          struct tn_call *told)
{
  seen.object = bulk;
  seen.values = values;
  seen.rows = rows;
  return follow(told);
}

static int32_t
own_finish(void *bulk, struct tn_call *told, uint64_t *ret_rows)
{
  seen.object = bulk;
  if (answer.has_output)
    *ret_rows = answer.rows;
  return follow(told);
}

static void
own_close(void *bulk, struct tn_call *told)
{
  seen.object = bulk;
  seen.closes++;
  (void)follow(told);
}

static const struct tn_bulk_table bulk_table = {
  .size = sizeof(bulk_table),
  .open = own_open,
  .write = own_write,
  .finish = own_finish,
  .close = own_close,
};

static const void *
get_table(uint32_t id)
{
  switch (id) {
  case TN_TABLE_STATEMENT:
    return &statement;
  case TN_TABLE_RESULT:
    return &result;
  case TN_TABLE_BULK:
    return has_bulk ? &bulk_table : NULL;
  default:
    return fake_plugin_entry(NULL)->get_table(id);
  }
}

static void
set_up(void)
{
  plugin = *fake_plugin_entry(NULL);
  memcpy(&statement, plugin.get_table(TN_TABLE_STATEMENT), sizeof(statement));
  memcpy(&result, plugin.get_table(TN_TABLE_RESULT), sizeof(result));
  statement.execute_batch = own_execute_batch;
  result.next_set = own_next_set;
  result.is_complete = own_is_complete;
  has_bulk = true;
  plugin.get_table = get_table;
  tn_host_call_init(&call, 0, NULL, &err);
  call.backend = "fake";
  answer.has_output = true;
}

static void
tear_down(void)
{
  tn_backend_free(&backend);
}

TestSuite(backend_batch, .init = set_up, .fini = tear_down);

static void
make(void)
{
  cr_assert_eq(tn_backend_new(&plugin, "/lib/fake.so", &backend, &err), TN_OK,
               "%s", err.message);
}

static void
make_without(void)
{
  statement.execute_batch = NULL;
  result.next_set = NULL;
  result.is_complete = NULL;
  has_bulk = false;
  plugin.caps &= ~(TN_CAP_MULTI_RESULT | TN_CAP_PROCEDURE);
  make();
}

/* The rules for slots that return a category, on each of them. */
static enum tn_code
call_slot(size_t index, void **ret, uint64_t *ret_rows)
{
  static const struct tn_backend_batch batch = { .row_count = 1 };
  static const struct tn_bulk_request request = { .size = sizeof(request) };

  switch (index) {
  case 0:
    return tn_backend_execute_batch(backend, &object, &batch, &call, ret);
  case 1:
    return tn_backend_bulk_open(backend, &object, &request, &call, ret);
  case 2:
    return tn_backend_bulk_write(backend, &object, NULL, 0, &call);
  default:
    return tn_backend_bulk_finish(backend, &object, &call, ret_rows);
  }
}

static const struct {
  const char *name;
  const char *output;
} slots[] = {
  { "execute_batch", "a result" },
  { "bulk.open", "a bulk load" },
  { "bulk.write", NULL },
  { "bulk.finish", "a count" },
};

static void
expect_blame(size_t slot, const char *what)
{
  char expected[160];

  snprintf(expected, sizeof(expected), "fake: fault of the plug-in: %s() %s",
           slots[slot].name, what);
  cr_expect_str_eq(err.message, expected);
  cr_expect_eq(err.code, TN_E_INTERNAL, "slot %zu", slot);
  cr_expect_eq(call.failed, TN_E_INTERNAL, "slot %zu", slot);
}

Test(backend_batch, a_failure_comes_through_and_leaves_the_output_alone)
{
  make();
  for (size_t i = 0; i < TN_COUNT(slots); i++) {
    uint64_t rows = 77;
    void *made = NULL;

    answer.rc = TN_E_DUPLICATE;
    cr_expect_eq(call_slot(i, &made, &rows), TN_E_DUPLICATE, "slot %zu", i);
    cr_expect_str_eq(err.message, "told to", "slot %zu", i);
    cr_expect_eq(made, NULL, "slot %zu", i);
    cr_expect_eq(rows, 77, "slot %zu", i);
    cr_expect_eq(seen.object, &object, "slot %zu", i);
  }
}

Test(backend_batch, a_failure_without_a_reason_is_the_plugins_fault)
{
  make();
  for (size_t i = 0; i < TN_COUNT(slots); i++) {
    uint64_t rows = 77;
    void *made = NULL;

    answer.rc = TN_E_LOST;
    answer.is_silent = true;
    cr_expect_eq(call_slot(i, &made, &rows), TN_E_INTERNAL, "slot %zu", i);
    expect_blame(i, "failed without saying why");
    cr_expect_eq(made, NULL, "slot %zu", i);
    cr_expect_eq(rows, 77, "slot %zu", i);
  }
}

Test(backend_batch, success_without_output_is_the_plugins_fault)
{
  make();
  answer.has_output = false;
  for (size_t i = 0; i < TN_COUNT(slots); i++) {
    uint64_t rows = 77;
    void *made = NULL;
    char what[80];
    enum tn_code rc = call_slot(i, &made, &rows);

    if (slots[i].output == NULL) {
      cr_expect_eq(rc, TN_OK, "slot %zu", i);
      continue;
    }
    cr_expect_eq(rc, TN_E_INTERNAL, "slot %zu", i);
    snprintf(what, sizeof(what), "succeeded without %s", slots[i].output);
    expect_blame(i, what);
    cr_expect_eq(made, NULL, "slot %zu", i);
    cr_expect_eq(rows, 77, "slot %zu", i);
  }
}

Test(backend_batch, values_and_rows_are_passed_on)
{
  const tn_value values[6] = { tn_int64(1) };
  const struct tn_backend_batch batch = { values, 2, 3 };
  const struct tn_bulk_request request = { .size = sizeof(request) };
  void *made = NULL;
  uint64_t rows = 0;

  make();
  cr_expect(backend->has_batch);
  cr_expect(backend->has_bulk);
  cr_expect_eq(tn_backend_execute_batch(backend, &object, &batch, &call, &made),
               TN_OK);
  cr_expect_eq(made, &object);
  cr_expect_eq(seen.values, values);
  cr_expect_eq(seen.count, 2);
  cr_expect_eq(seen.rows, 3);

  made = NULL;
  cr_expect_eq(tn_backend_bulk_open(backend, &object, &request, &call, &made),
               TN_OK);
  cr_expect_eq(made, &object);
  cr_expect_eq(seen.request, &request);
  cr_expect_eq(tn_backend_bulk_write(backend, &object, values + 2, 2, &call),
               TN_OK);
  cr_expect_eq(seen.values, values + 2);
  cr_expect_eq(seen.rows, 2);
  answer.rows = 5;
  cr_expect_eq(tn_backend_bulk_finish(backend, &object, &call, &rows), TN_OK);
  cr_expect_eq(rows, 5);
  cr_expect_eq(err.code, TN_OK);
}

Test(backend_batch, closing_a_bulk_load_tells_what_went_wrong)
{
  make();
  tn_backend_bulk_close(backend, &object, &call);
  cr_expect_eq(seen.closes, 1);
  cr_expect_eq(call.failed, TN_OK);
  answer.rc = TN_E_LOST;
  tn_backend_bulk_close(backend, &object, &call);
  cr_expect_eq(seen.closes, 2);
  cr_expect_eq(call.failed, TN_E_LOST);
}

/* ---- result sets ---- */

Test(backend_batch, next_set_tells_whether_there_is_one)
{
  bool has_set = false;

  make();
  answer.rc = 1;
  cr_expect_eq(tn_backend_next_set(backend, &object, &call, &has_set), TN_OK);
  cr_expect(has_set);
  cr_expect_eq(seen.object, &object);
  answer.rc = 0;
  cr_expect_eq(tn_backend_next_set(backend, &object, &call, &has_set), TN_OK);
  cr_expect_not(has_set);
}

Test(backend_batch, a_failure_of_next_set_comes_with_its_sign_changed)
{
  bool has_set = true;

  make();
  answer.rc = -TN_E_LOST;
  cr_expect_eq(tn_backend_next_set(backend, &object, &call, &has_set),
               TN_E_LOST);
  cr_expect_str_eq(err.message, "told to");
  answer.is_silent = true;
  cr_expect_eq(tn_backend_next_set(backend, &object, &call, &has_set),
               TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: next_set() failed "
                                "without saying why");
  answer.rc = 2;
  cr_expect_eq(tn_backend_next_set(backend, &object, &call, &has_set),
               TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: next_set() "
                                "returned a number above 1");
  cr_expect(has_set, "the output is left alone");
}

Test(backend_batch, only_one_is_complete)
{
  static const int32_t no[] = { 0, 2, -1, TN_E_LOST, INT32_MAX, INT32_MIN };

  make();
  answer.rc = 1;
  cr_expect(tn_backend_is_complete(backend, &object));
  for (size_t i = 0; i < TN_COUNT(no); i++) {
    answer.rc = no[i];
    cr_expect_not(tn_backend_is_complete(backend, &object), "%d", (int)no[i]);
  }
}

/* ---- without the slots ---- */

Test(backend_batch, without_slots_there_is_one_set_and_nothing_in_advance)
{
  bool has_set = true;

  make_without();
  cr_expect_not(backend->has_batch);
  cr_expect_not(backend->has_bulk);
  cr_expect_eq(tn_backend_next_set(backend, &object, &call, &has_set), TN_OK);
  cr_expect_not(has_set);
  cr_expect_not(tn_backend_is_complete(backend, &object));
}

Test(backend_batch, without_slots_many_rows_are_unsupported)
{
  make_without();
  for (size_t i = 0; i < TN_COUNT(slots); i++) {
    uint64_t rows = 77;
    void *made = NULL;

    tn_err_clear(&err);
    cr_expect_eq(call_slot(i, &made, &rows), TN_E_UNSUPPORTED, "slot %zu", i);
    cr_expect(strncmp(err.message, "fake: this backend has no ", 26) == 0,
              "slot %zu: %s", i, err.message);
    cr_expect_eq(made, NULL, "slot %zu", i);
    cr_expect_eq(rows, 77, "slot %zu", i);
  }
  tn_backend_bulk_close(backend, &object, &call);
  cr_expect_eq(call.failed, TN_OK);
}

/* ---- after a deadline or a cancel ---- */

Test(backend_batch, a_call_that_was_stopped_begins_no_other_statement)
{
  static const struct tn_backend_batch batch = { .row_count = 1 };
  _Atomic uint32_t canceled = 0;
  void *made = NULL;

  make();
  call.canceled = &canceled;
  call.call.deadline = 1;
  call.call.host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(tn_backend_execute_batch(backend, &object, &batch, &call, &made),
               TN_E_TIMEOUT);
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
  cr_expect_eq(tn_backend_execute(backend, &object, NULL, 0, &call, &made),
               TN_E_TIMEOUT);
  cr_expect_eq(call.failed, TN_E_TIMEOUT);

  tn_host_call_init(&call, 0, NULL, &err);
  call.canceled = &canceled;
  canceled = 1;
  call.call.host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(tn_backend_execute(backend, &object, NULL, 0, &call, &made),
               TN_E_CANCELED);
  cr_expect_str_eq(err.message, "fake: canceled");
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(made, NULL);
  cr_expect_eq(seen.object, NULL, "nothing was called");
}
