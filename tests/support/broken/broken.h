/* A plug-in that loads and can do nothing, for those with one fault each. A
 * file defines BROKEN_NAME, includes this, and spoils a copy of what is
 * here. */
#ifndef TENON_TESTS_BROKEN_H
#define TENON_TESTS_BROKEN_H

#include <tenon/plugin.h>

static inline int32_t
broken_connect(const struct tn_connect_args *args, struct tn_call *call,
               void **ret)
{
  (void)args;
  (void)ret;
  return tn_fail(call, TN_E_UNSUPPORTED, "%s: can do nothing", BROKEN_NAME);
}

static inline void
broken_disconnect(void *handle, struct tn_call *call)
{
  (void)handle;
  (void)call;
}

static inline int32_t
broken_prepare(void *handle, const char *sql, size_t sql_size,
               struct tn_call *call, void **ret, struct tn_statement_info *info)
{
  (void)handle;
  (void)sql;
  (void)sql_size;
  (void)ret;
  (void)info;
  return tn_fail(call, TN_E_UNSUPPORTED, "%s: can do nothing", BROKEN_NAME);
}

static inline int32_t
broken_execute(void *statement, const tn_value *values, uint32_t count,
               struct tn_call *call, void **ret)
{
  (void)statement;
  (void)values;
  (void)count;
  (void)ret;
  return tn_fail(call, TN_E_UNSUPPORTED, "%s: can do nothing", BROKEN_NAME);
}

static inline void
broken_close(void *object, struct tn_call *call)
{
  (void)object;
  (void)call;
}

static inline int32_t
broken_columns(void *result, struct tn_call *call, const struct tn_column **ret,
               uint32_t *ret_count)
{
  (void)result;
  (void)ret;
  (void)ret_count;
  return tn_fail(call, TN_E_UNSUPPORTED, "%s: can do nothing", BROKEN_NAME);
}

static inline int32_t
broken_fetch(void *result, tn_value *cells, struct tn_call *call)
{
  (void)result;
  (void)cells;
  return -tn_fail(call, TN_E_UNSUPPORTED, "%s: can do nothing", BROKEN_NAME);
}

static const struct tn_connection_table broken_connection = {
  .size = sizeof(broken_connection),
  .connect = broken_connect,
  .disconnect = broken_disconnect,
};

static const struct tn_statement_table broken_statement = {
  .size = sizeof(broken_statement),
  .prepare = broken_prepare,
  .execute = broken_execute,
  .close = broken_close,
};

static const struct tn_result_table broken_result = {
  .size = sizeof(broken_result),
  .columns = broken_columns,
  .fetch = broken_fetch,
  .close = broken_close,
};

static const struct tn_dialect_table broken_dialect = {
  .size = sizeof(broken_dialect),
  .placeholder = TN_PLACEHOLDER_QUESTION,
  .value_types = UINT32_C(1) << TN_TEXT,
};

static inline const void *
broken_get_table(uint32_t id)
{
  switch (id) {
  case TN_TABLE_CONNECTION:
    return &broken_connection;
  case TN_TABLE_STATEMENT:
    return &broken_statement;
  case TN_TABLE_RESULT:
    return &broken_result;
  case TN_TABLE_DIALECT:
    return &broken_dialect;
  default:
    return NULL;
  }
}

static inline const char *
broken_client_version(void)
{
  return "0";
}

static const char *const broken_schemes[] = { BROKEN_NAME, NULL };

static const struct tn_plugin broken_plugin = {
  .size = sizeof(broken_plugin),
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .name = BROKEN_NAME,
  .version = "0",
  .license = "Apache-2.0",
  .schemes = broken_schemes,
  .client_library = "none",
  .client_version = broken_client_version,
  .get_table = broken_get_table,
};

#endif
