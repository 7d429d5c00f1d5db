/* Rows of values in one request.
 *
 * MariaDB takes the rows of a batch together. Its client library asks for them
 * one by one while it writes the request, so that no arrays are built: numbers
 * and texts are sent from where the caller has them. Without that extension
 * rows are sent one at a time. */
#include "codec.h"

#include <string.h>

/* Can a value join those of its column that come before it? `*column` is what
 * they are sent as. An integer within both ranges is the same bits in either.
 * No other two types are sent as one: a column of ENUM, BIT or YEAR takes 1 and
 * '1' for different things. */
static inline bool
joins(const tn_value *value, uint32_t sent, uint32_t *column)
{
  if (sent == *column || sent == MYSQL__SENT_NULL)
    return true;
  if (*column == 0) {
    *column = sent;
    return true;
  }
  return (sent == MYSQL__SENT_INT64 || sent == MYSQL__SENT_UINT64) &&
         (*column == MYSQL__SENT_INT64 || *column == MYSQL__SENT_UINT64) &&
         value->as.int64 >= 0;
}

/* What is wrong with a row. */
struct fault {
  int32_t category; /* TN_OK: nothing; TN_E_CONFLICT: it only does not join */
  uint32_t index;
  const char *text;
};

/* The bytes that the row has in a request. */
static size_t
look_at_row(struct mysql__array *array, const tn_value *values,
            struct fault *fault)
{
  struct mysql__params *params = array->params;
  size_t bytes = 0;
  uint32_t i;

  fault->category = TN_OK;
  for (i = 0; i < params->count; i++) {
    struct mysql__sight sight;

    mysql__look(params->limits, &values[i], &sight);
    fault->category = sight.category;
    if (sight.category == TN_OK && !array->is_mixed &&
        !joins(&values[i], sight.sent, &params->params[i].taken))
      fault->category = TN_E_CONFLICT;
    if (fault->category != TN_OK) {
      fault->index = i;
      fault->text = sight.text;
      return 0;
    }
    bytes += sight.bytes + MYSQL__VALUE_OVERHEAD;
  }
  return bytes;
}

/* The first row must do by itself. */
static int32_t
check_first(const struct mysql__array *array, const struct fault *fault,
            size_t bytes, struct tn_call *call)
{
  if (fault->category != TN_OK)
    return mysql__refuse(call, fault->category, fault->index + 1,
                         array->first_row, fault->text);
  if (bytes + MYSQL__REQUEST_OVERHEAD > array->params->limits->packet)
    return mysql__refuse_length(array->params, array->values, array->first_row,
                                call);
  return TN_OK;
}

/* Add rows to those that the array has, until one does not go with them; the
 * first of all must. */
static int32_t
add_rows(struct mysql__array *array, const tn_value *values, uint64_t rows,
         size_t max_bytes, struct tn_call *call)
{
  const struct mysql__params *params = array->params;
  uint64_t i;

  if (max_bytes > params->limits->packet)
    max_bytes = (size_t)params->limits->packet;
  if (rows > UINT32_MAX - array->rows)
    rows = UINT32_MAX - array->rows;
  for (i = 0; i < rows && array->bytes < max_bytes; i++) {
    struct fault fault;
    size_t bytes = look_at_row(array, values + i * params->count, &fault);

    if (array->rows == 0) {
      int32_t rc = check_first(array, &fault, bytes, call);

      if (rc != TN_OK)
        return rc;
    } else if (fault.category != TN_OK || bytes > max_bytes - array->bytes) {
      array->is_ended = fault.category != TN_OK;
      break;
    }
    array->bytes += bytes;
    array->rows++;
  }
  return TN_OK;
}

int32_t
mysql__array_take(struct mysql__array *array, uint64_t rows, size_t max_bytes,
                  struct tn_call *call)
{
  struct mysql__params *params = array->params;
  uint32_t i;

  for (i = 0; i < params->count; i++)
    params->params[i].taken = 0;
  array->rows = 0;
  array->is_ended = false;
  array->bytes = MYSQL__REQUEST_OVERHEAD;
  return add_rows(array, array->values, rows, max_bytes, call);
}

uint32_t
mysql__array_join(struct mysql__array *array, const tn_value *values,
                  uint64_t rows, size_t max_bytes)
{
  uint32_t before = array->rows;

  (void)add_rows(array, values, rows, max_bytes, NULL);
  return array->rows - before;
}

#if MYSQL__HAS_ARRAYS

/* Numbers and texts are sent from where they are. */
static void
point_at(struct mysql__param *param, MYSQL_BIND *bind, const tn_value *value)
{
  const void *data = &value->as;

  if (param->sent >= MYSQL__SENT_DATE) {
    mysql__set_time(&param->as.time, value);
    data = &param->as;
  } else if (value->type == TN_UUID) {
    mysql__print_uuid(value, param->as.uuid);
    param->length = 36;
    data = &param->as;
  } else if (param->sent >= MYSQL__SENT_DECIMAL) {
    param->length = (unsigned long)value->as.bytes.size;
    data = param->length == 0 ? "" : value->as.bytes.data;
  }

  /* The library makes room by one length and copies by the other. */
  bind->buffer_length = param->length;
  memcpy(&bind->buffer, &data, sizeof data); /* it is only read */
}

/* The library asks for each row while it builds the request. */
static my_bool
fill_row(void *user, MYSQL_BIND *binds, unsigned row)
{
  struct mysql__array *array = user;
  struct mysql__params *params = array->params;
  const tn_value *values = array->values + (size_t)row * params->count;
  uint32_t i;

  for (i = 0; i < params->count; i++) {
    struct mysql__param *param = &params->params[i];

    binds[i].u.indicator = &param->indicator;
    param->indicator = STMT_INDICATOR_NULL;
    if (values[i].type != TN_NULL) {
      param->indicator = STMT_INDICATOR_NONE;
      point_at(param, &binds[i], &values[i]);
    }
  }
  return 0;
}

/* A column of NULL alone is sent as text, as every type can be NULL. */
static void
set_types(struct mysql__params *params)
{
  uint32_t i;

  for (i = 0; i < params->count; i++) {
    uint32_t taken = params->params[i].taken;

    params->params[i].is_null = 0;
    mysql__set_type(params, i, taken == 0 ? MYSQL__SENT_TEXT : taken);
    params->binds[i].u.indicator = &params->params[i].indicator;
  }
}

static bool
set_attributes(MYSQL_STMT *stmt, unsigned rows, void *user,
               ps_param_callback callback)
{
  /* A function is passed as data: the library's own declaration. */
  void *function;

  memcpy(&function, &callback, sizeof function);
  return !mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &rows) &&
         !mysql_stmt_attr_set(stmt, STMT_ATTR_CB_USER_DATA, user) &&
         !mysql_stmt_attr_set(stmt, STMT_ATTR_CB_PARAM, function);
}

int32_t
mysql__array_bind(struct mysql__array *array, MYSQL_STMT *stmt,
                  struct tn_call *call)
{
  set_types(array->params);
  if (!set_attributes(stmt, array->rows, array, fill_row))
    return tn_fail(call, TN_E_UNSUPPORTED, "mysql: no arrays: %s",
                   mysql_stmt_error(stmt));
  return mysql__params_bind(array->params, stmt, call);
}

void
mysql__array_unbind(struct mysql__array *array, MYSQL_STMT *stmt)
{
  uint32_t i;

  (void)set_attributes(stmt, 0, NULL, NULL);
  for (i = 0; i < array->params->count; i++) {
    array->params->params[i].sent = 0;
    array->params->binds[i].u.indicator = NULL;
  }
}

#else

int32_t
mysql__array_bind(struct mysql__array *array, MYSQL_STMT *stmt,
                  struct tn_call *call)
{
  (void)array;
  (void)stmt;
  return tn_fail(call, TN_E_UNSUPPORTED,
                 "mysql: this client library has no arrays of rows");
}

void
mysql__array_unbind(struct mysql__array *array, MYSQL_STMT *stmt)
{
  (void)array;
  (void)stmt;
}

#endif
