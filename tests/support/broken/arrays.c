/* No fault: one row of arrays, whatever is asked, to see what becomes of them
 * where no server has any. */
#define BROKEN_NAME "arrays"
#include "broken.h"

/* What a result remembers. */
struct arrays_result {
  int has_row; /* still to be fetched */
};

static const struct tn_column arrays_columns[] = {
  { "numbers", "int[]", TN_ARRAY, 0 }, { "texts", "text[]", TN_ARRAY, 0 },
  { "bytes", "blob[]", TN_ARRAY, 0 },  { "rows", "double[][]", TN_ARRAY, 0 },
  { "mixed", "json[]", TN_ARRAY, 0 },
};

static const char arrays_handle = 'h';

static int32_t
arrays_connect(const struct tn_connect_args *args, struct tn_call *call,
               void **ret)
{
  (void)args;
  (void)call;
  *ret = (void *)&arrays_handle;
  return TN_OK;
}

static int32_t
arrays_prepare(void *handle, const char *sql, size_t sql_size,
               struct tn_call *call, void **ret, struct tn_statement_info *info)
{
  (void)sql;
  (void)sql_size;
  (void)call;
  info->parameter_count = 0;
  *ret = handle;
  return TN_OK;
}

static int32_t
arrays_execute(void *statement, const tn_value *values, uint32_t count,
               struct tn_call *call, void **ret)
{
  struct arrays_result *result = call->host->alloc(sizeof(*result));

  (void)statement;
  (void)values;
  (void)count;
  if (result == NULL)
    return tn_fail(call, TN_E_MEMORY, "arrays: out of memory");
  result->has_row = 1;
  *ret = result;
  return TN_OK;
}

static void
arrays_close(void *result, struct tn_call *call)
{
  call->host->release(result);
}

static int32_t
arrays_get_columns(void *result, struct tn_call *call,
                   const struct tn_column **ret, uint32_t *ret_count)
{
  (void)result;
  (void)call;
  *ret = arrays_columns;
  *ret_count = sizeof(arrays_columns) / sizeof(arrays_columns[0]);
  return TN_OK;
}

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

/* The items of all arrays of the row, in the call's memory. */
struct arrays_items {
  tn_value numbers[3];
  tn_value texts[4];
  tn_value bytes[2];
  tn_value reals[2];
  tn_value rows[3];
  tn_value mixed[2];
};

static void
fill_items(struct arrays_items *items)
{
  items->numbers[0] = tn_int64(INT64_MIN);
  items->numbers[1] = tn_null();
  items->numbers[2] = tn_int64(2);
  items->texts[0] = tn_text("a,b");
  items->texts[1] = tn_text("\"q\" \\ \x1b\x7f");
  items->texts[2] = tn_text("");
  items->texts[3] = tn_text("gr\xc3\xbc\xc3\x9f \xc2\x9b");
  items->bytes[0] = tn_blob("\0\xff", 2);
  items->bytes[1] = tn_blob("", 0);
  items->reals[0] = tn_double(1);
  items->reals[1] = tn_double(0.5);
  items->rows[0] = tn_array(TN_DOUBLE, items->reals, COUNT(items->reals));
  items->rows[1] = tn_array(TN_DOUBLE, NULL, 0);
  items->rows[2] = tn_null();
  items->mixed[0] = tn_json("{\"a\": [1, \"x y\"]}");
  items->mixed[1] = tn_json("null");
}

static int32_t
arrays_fetch(void *handle, tn_value *cells, struct tn_call *call)
{
  struct arrays_result *result = handle;
  struct arrays_items *items;

  if (!result->has_row)
    return 0;
  items = call->host->arena_alloc(call->arena, sizeof(*items));
  if (items == NULL)
    return -tn_fail(call, TN_E_MEMORY, "arrays: out of memory");
  result->has_row = 0;
  fill_items(items);
  cells[0] = tn_array(TN_INT64, items->numbers, COUNT(items->numbers));
  cells[1] = tn_array(TN_TEXT, items->texts, COUNT(items->texts));
  cells[2] = tn_array(TN_BLOB, items->bytes, COUNT(items->bytes));
  cells[3] = tn_array(TN_ARRAY, items->rows, COUNT(items->rows));
  cells[4] = tn_array(TN_JSON, items->mixed, COUNT(items->mixed));
  return 1;
}

static const struct tn_connection_table arrays_connection = {
  .size = sizeof(arrays_connection),
  .connect = arrays_connect,
  .disconnect = broken_disconnect,
};

static const struct tn_statement_table arrays_statement = {
  .size = sizeof(arrays_statement),
  .prepare = arrays_prepare,
  .execute = arrays_execute,
  .close = broken_close,
};

static const struct tn_result_table arrays_result = {
  .size = sizeof(arrays_result),
  .columns = arrays_get_columns,
  .fetch = arrays_fetch,
  .close = arrays_close,
};

static const void *
arrays_get_table(uint32_t id)
{
  switch (id) {
  case TN_TABLE_CONNECTION:
    return &arrays_connection;
  case TN_TABLE_STATEMENT:
    return &arrays_statement;
  case TN_TABLE_RESULT:
    return &arrays_result;
  default:
    return broken_get_table(id);
  }
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.caps = TN_CAP_ARRAY;
  plugin.get_table = arrays_get_table;
  return &plugin;
}
