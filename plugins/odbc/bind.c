/* Values on their way to the server.
 *
 * What a driver or its server would alter is refused here, by its number. All
 * bytes are copies: the thread that sends them may outlive the caller's. */
#include "odbc_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above so many units a text is called long, as drivers want it. */
#define LONG_UNITS 4000

/* How a value is handed to SQLBindParameter(). */
struct form {
  SQLSMALLINT c_type;
  SQLSMALLINT sql_type;
  SQLULEN size;
  SQLSMALLINT digits;
  SQLPOINTER data;
  SQLLEN length;
};

struct binding {
  struct odbc__statement *statement;
  const struct tn_host *host;
  const struct odbc__family *family;
  struct odbc__parameter *parameter;
  uint32_t number; /* from 1 */
  struct tn_call *call;
};

static int32_t
refuse(const struct binding *binding, int32_t category, const char *why)
{
  struct tn_failure failure = { .size = sizeof failure };
  char text[160];

  snprintf(text, sizeof text, "odbc: parameter %u: %s",
           (unsigned)binding->number, why);
  failure.category = category;
  failure.parameter = (int32_t)binding->number;
  failure.message = text;
  return binding->host->fail(binding->call, &failure);
}

static bool
has_flag(const struct binding *binding, uint32_t flag)
{
  return (binding->family->flags & flag) != 0;
}

/* ---- texts and bytes ---- */

static int32_t
copy_bytes(const struct binding *binding, const void *data, size_t size)
{
  char *copy = binding->host->alloc(size + 1);

  if (copy == NULL)
    return odbc__fail_memory(binding->call);
  if (size > 0)
    memcpy(copy, data, size);
  copy[size] = '\0';
  binding->parameter->bytes = copy;
  return TN_OK;
}

static int32_t
form_wide(const struct binding *binding, const tn_value *value,
          struct form *form)
{
  size_t units = 0;
  SQLWCHAR *wide = odbc__to_wide(binding->host, value->as.bytes.data,
                                 value->as.bytes.size, &units);

  if (wide == NULL)
    return odbc__fail_memory(binding->call);
  binding->parameter->bytes = wide;
  *form = (struct form){ .c_type = SQL_C_WCHAR,
                         .sql_type = units > LONG_UNITS ? SQL_WLONGVARCHAR
                                                        : SQL_WVARCHAR,
                         .size = units > 0 ? units : 1,
                         .data = wide,
                         .length = (SQLLEN)(units * sizeof *wide) };
  return TN_OK;
}

/* Bytes of which the server, not the driver, makes what they are. */
static int32_t
form_bytes(const struct binding *binding, const char *text, size_t size,
           struct form *form)
{
  int32_t rc = copy_bytes(binding, text, size);

  *form = (struct form){ .c_type = SQL_C_CHAR,
                         .sql_type =
                             size > LONG_UNITS ? SQL_LONGVARCHAR : SQL_VARCHAR,
                         .size = size > 0 ? size : 1,
                         .data = binding->parameter->bytes,
                         .length = (SQLLEN)size };
  return rc;
}

static int32_t
form_text(const struct binding *binding, const tn_value *value,
          struct form *form)
{
  const char *text = value->as.bytes.data;
  size_t size = value->as.bytes.size;

  if (!has_flag(binding, ODBC__TEXT_BYTES) && size > 0 &&
      memchr(text, '\0', size) != NULL)
    return refuse(binding, TN_E_CHARSET,
                  "a text with a NUL in it, at which drivers end it");
  return has_flag(binding, ODBC__UTF8) ? form_bytes(binding, text, size, form)
                                       : form_wide(binding, value, form);
}

/* "\\x" and two digits a byte. */
static int32_t
form_hex(const struct binding *binding, const unsigned char *bytes, size_t size,
         struct form *form)
{
  static const char digits[] = "0123456789abcdef";
  char *text = binding->host->alloc(size * 2 + 3);
  size_t i;

  if (text == NULL)
    return odbc__fail_memory(binding->call);
  text[0] = '\\';
  text[1] = 'x';
  for (i = 0; i < size; i++) {
    text[2 + 2 * i] = digits[bytes[i] >> 4];
    text[3 + 2 * i] = digits[bytes[i] & 15];
  }
  text[2 * size + 2] = '\0';
  binding->parameter->bytes = text;
  *form = (struct form){ .c_type = SQL_C_CHAR,
                         .sql_type = SQL_LONGVARCHAR,
                         .size = size * 2 + 2,
                         .data = text,
                         .length = (SQLLEN)(size * 2 + 2) };
  return TN_OK;
}

static int32_t
form_blob(const struct binding *binding, const tn_value *value,
          struct form *form)
{
  size_t size = value->as.bytes.size;
  int32_t rc;

  if (has_flag(binding, ODBC__HEX_BYTES))
    return form_hex(binding, (const unsigned char *)value->as.bytes.data, size,
                    form);
  rc = copy_bytes(binding, value->as.bytes.data, size);
  *form = (struct form){ .c_type = SQL_C_BINARY,
                         .sql_type = size > LONG_UNITS ? SQL_LONGVARBINARY
                                                       : SQL_VARBINARY,
                         .size = size > 0 ? size : 1,
                         .data = binding->parameter->bytes,
                         .length = (SQLLEN)size };
  return rc;
}

/* ---- numbers ---- */

/* A cast makes the largest there is of one that is too long. */
static int32_t
check_decimal(const struct binding *binding, const tn_value *value)
{
  const struct odbc__casts *casts = binding->family->casts;
  int64_t whole;
  int64_t scale;

  if (casts == NULL || casts->decimal_digits == 0)
    return TN_OK;
  odbc__count_digits(value, &whole, &scale);
  if (scale <= casts->decimal_scale && whole + scale <= casts->decimal_digits)
    return TN_OK;
  return refuse(binding, TN_E_DATA,
                "a decimal of more digits than the server keeps");
}

static int32_t
form_decimal(const struct binding *binding, const tn_value *value,
             struct form *form)
{
  const char *text = value->as.bytes.data;
  size_t size = value->as.bytes.size;
  const char *point;
  int32_t rc = check_decimal(binding, value);

  if (rc == TN_OK)
    rc = form_bytes(binding, text, size, form);
  if (rc != TN_OK || has_flag(binding, ODBC__NUMBERS_TEXT))
    return rc;
  point = memchr(text, '.', size);
  form->sql_type = SQL_DECIMAL;
  form->digits =
      (SQLSMALLINT)(point == NULL ? 0 : size - (size_t)(point - text) - 1);
  return TN_OK;
}

static int32_t
form_integer(const struct binding *binding, const tn_value *value,
             struct form *form)
{
  struct odbc__parameter *parameter = binding->parameter;
  char text[TN_VALUE_PRINT_MAX];

  parameter->as.integer = value->as.int64;
  *form = (struct form){ .c_type = SQL_C_SBIGINT,
                         .sql_type = SQL_BIGINT,
                         .size = 20,
                         .data = &parameter->as.integer,
                         .length = sizeof parameter->as.integer };
  if (value->type == TN_UINT64 && has_flag(binding, ODBC__UNSIGNED)) {
    form->c_type = SQL_C_UBIGINT;
    return TN_OK;
  }
  if (value->type != TN_UINT64 || value->as.uint64 <= INT64_MAX)
    return TN_OK;
  if (has_flag(binding, ODBC__SIGNED))
    return refuse(binding, TN_E_DATA, "an integer above 2^63-1");
  {
    size_t size = binding->host->value_print(value, text, sizeof text);
    const tn_value decimal = tn_bytes(TN_DECIMAL, text, size);

    return form_decimal(binding, &decimal, form);
  }
}

static int32_t
check_double(const struct binding *binding, double real)
{
  char text[32];

  if (isnan(real) && has_flag(binding, ODBC__FINITE))
    return refuse(binding, TN_E_DATA, "a double that is no number");
  if (isinf(real) && has_flag(binding, ODBC__FINITE))
    return refuse(binding, TN_E_DATA, "an infinite double");
  if (!has_flag(binding, ODBC__15_DIGITS))
    return TN_OK;
  snprintf(text, sizeof text, "%.15g", real);
  if (strtod(text, NULL) != real)
    return refuse(binding, TN_E_DATA,
                  "a double of more than 15 digits, which the driver would "
                  "cut when it is read");
  return TN_OK;
}

static int32_t
form_double(const struct binding *binding, const tn_value *value,
            struct form *form)
{
  struct odbc__parameter *parameter = binding->parameter;
  int32_t rc = check_double(binding, value->as.real);

  parameter->as.real = value->as.real;
  *form = (struct form){ .c_type = SQL_C_DOUBLE,
                         .sql_type = SQL_DOUBLE,
                         .size = 15,
                         .data = &parameter->as.real,
                         .length = sizeof parameter->as.real };
  if (rc != TN_OK || !has_flag(binding, ODBC__DOUBLE_TEXT))
    return rc;
  form->length = (SQLLEN)binding->host->value_print(value, parameter->as.text,
                                                    sizeof parameter->as.text);
  form->c_type = SQL_C_CHAR;
  form->data = parameter->as.text;
  return TN_OK;
}

static int32_t
form_bool(const struct binding *binding, const tn_value *value,
          struct form *form)
{
  struct odbc__parameter *parameter = binding->parameter;

  parameter->as.bit = value->as.int64 != 0;
  *form = (struct form){ .c_type = SQL_C_BIT,
                         .sql_type = SQL_BIT,
                         .size = 1,
                         .data = &parameter->as.bit,
                         .length = sizeof parameter->as.bit };
  return TN_OK;
}

/* ---- dates, times, UUIDs ---- */

static int32_t
form_printed(const struct binding *binding, const tn_value *value,
             struct form *form)
{
  struct odbc__parameter *parameter = binding->parameter;
  bool is_moment =
      value->type == TN_TIMESTAMP && (value->flags & TN_VALUE_ZONED) != 0;
  tn_value moment = *value;
  size_t size;

  if (is_moment && has_flag(binding, ODBC__FROM_1970) && value->as.micros < 1)
    return refuse(binding, TN_E_DATA,
                  "a moment that is not after 1970-01-01 00:00:00 UTC, with "
                  "which TIMESTAMP begins");
  if (is_moment && has_flag(binding, ODBC__UTC_TEXT))
    moment = tn_timestamp(value->as.micros);
  size = binding->host->value_print(&moment, parameter->as.text,
                                    sizeof parameter->as.text);
  *form = (struct form){ .c_type = SQL_C_CHAR,
                         .sql_type = SQL_VARCHAR,
                         .size = size,
                         .data = parameter->as.text,
                         .length = (SQLLEN)size };
  return TN_OK;
}

static int32_t
form_null(const struct binding *binding, const tn_value *value,
          struct form *form)
{
  (void)value;
  *form = (struct form){ .c_type = SQL_C_CHAR,
                         .sql_type = SQL_VARCHAR,
                         .size = 1,
                         .data = binding->parameter->as.text,
                         .length = SQL_NULL_DATA };
  return TN_OK;
}

/* ---- all of them ---- */

static int32_t (*const forms[])(const struct binding *binding,
                                const tn_value *value, struct form *form) = {
  [TN_NULL] = form_null,         [TN_BOOL] = form_bool,
  [TN_INT64] = form_integer,     [TN_UINT64] = form_integer,
  [TN_DOUBLE] = form_double,     [TN_DECIMAL] = form_decimal,
  [TN_TEXT] = form_text,         [TN_BLOB] = form_blob,
  [TN_DATE] = form_printed,      [TN_TIME] = form_printed,
  [TN_TIMESTAMP] = form_printed, [TN_UUID] = form_printed,
  [TN_JSON] = form_text,
};

static int32_t
bind_one(const struct binding *binding, const tn_value *value)
{
  struct odbc__statement *statement = binding->statement;
  struct form form;
  int32_t rc = forms[value->type](binding, value, &form);
  SQLRETURN status;

  if (rc != TN_OK)
    return rc;
  binding->parameter->indicator = form.length;
  status = SQLBindParameter(statement->stmt, (SQLUSMALLINT)binding->number,
                            SQL_PARAM_INPUT, form.c_type, form.sql_type,
                            form.size, form.digits, form.data,
                            form.length == SQL_NULL_DATA ? 0 : form.length,
                            &binding->parameter->indicator);
  return SQL_SUCCEEDED(status) ? TN_OK
                               : odbc__fail(statement->conn, binding->call,
                                            SQL_HANDLE_STMT, statement->stmt);
}

int32_t
odbc__bind(struct odbc__statement *statement, const tn_value *values,
           uint32_t count, struct tn_call *call)
{
  struct binding binding = { .statement = statement,
                             .host = statement->conn->host,
                             .family = statement->conn->family,
                             .call = call };
  int32_t rc = TN_OK;
  uint32_t i;

  odbc__unbind(statement);
  for (i = 0; i < count && rc == TN_OK; i++) {
    binding.parameter = &statement->parameters[i];
    binding.number = i + 1;
    rc = bind_one(&binding, &values[i]);
  }
  return rc;
}

void
odbc__unbind(struct odbc__statement *statement)
{
  SQLSMALLINT i;

  for (i = 0; i < statement->parameter_count; i++) {
    statement->conn->host->release(statement->parameters[i].bytes);
    statement->parameters[i].bytes = NULL;
  }
}
