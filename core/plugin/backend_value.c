/* What a backend cannot be given, refused before anything is sent.
 *
 * A value that is bad, or of a type or size that the dialect does not take,
 * never reaches the plug-in: so none has to look for them, and the refusal
 * reads the same everywhere. */
#include "backend.h"

#include <string.h>

#include "text.h"

#define TYPE_BIT(type) (UINT32_C(1) << (type))

/* Types of which every bit pattern is a value. */
static const uint32_t plain_types = TYPE_BIT(TN_NULL) | TYPE_BIT(TN_INT64) |
                                    TYPE_BIT(TN_UINT64) | TYPE_BIT(TN_DOUBLE);

/* Types that are made of bytes. */
static const uint32_t bytes_types = TYPE_BIT(TN_DECIMAL) | TYPE_BIT(TN_TEXT) |
                                    TYPE_BIT(TN_BLOB) | TYPE_BIT(TN_JSON) |
                                    TYPE_BIT(TN_OTHER);

static enum tn_code
refuse_value(size_t index, tn_err *err)
{
  char message[sizeof(err->message)];

  if (err == NULL)
    return TN_OK;
  memcpy(message, err->message, sizeof(message));
  tn_err_set(err, (enum tn_code)err->code, "parameter %zu: %s", index + 1,
             message);
  err->parameter = index < INT32_MAX ? (int32_t)index + 1 : 0;
  return (enum tn_code)err->code;
}

/* The usual values, of which nothing has to be said, where a backend takes
 * those of `types`. */
static inline bool
is_plain(const struct tn_backend *backend, uint32_t types,
         const tn_value *value)
{
  uint32_t bit = value->type < 32 ? TYPE_BIT(value->type) : 0;

  if ((bit & types & plain_types) != 0)
    return true;
  return (bit & types & TYPE_BIT(TN_TEXT)) != 0 &&
         value->as.bytes.data != NULL &&
         value->as.bytes.size <= backend->dialect.max_value_bytes &&
         tn_text_is_utf8(value->as.bytes.data, value->as.bytes.size, NULL);
}

static enum tn_code
check_size(const struct tn_backend *backend, const tn_value *value, tn_err *err)
{
  if (value->type < 32 && (TYPE_BIT(value->type) & bytes_types) != 0 &&
      value->as.bytes.size > backend->dialect.max_value_bytes)
    return tn_err_set(err, TN_E_LIMIT, "%zu bytes; %s takes %llu",
                      value->as.bytes.size, backend->plugin.name,
                      (unsigned long long)backend->dialect.max_value_bytes);
  return TN_OK;
}

/* A well-formed value, its type and its size. Of an array each item: those of
 * one level have the same type, which is looked at even if there are none. */
static enum tn_code
check_accepted(const struct tn_backend *backend, const tn_value *value,
               tn_err *err)
{
  const char *name = backend->plugin.name;
  uint32_t type = value->type;
  enum tn_code rc = TN_OK;

  if (type == TN_ARRAY &&
      (backend->dialect.value_types & TYPE_BIT(TN_ARRAY)) != 0)
    type = (uint32_t)value->more.element_type;
  if ((backend->dialect.value_types & TYPE_BIT(type)) == 0)
    return tn_err_set(err, TN_E_UNSUPPORTED, "%s takes no %s %s", name,
                      type == value->type ? "value of type" : "array of",
                      tn_type_name(type));
  rc = check_size(backend, value, err);
  if (value->type != TN_ARRAY)
    return rc;
  for (size_t i = 0; rc == TN_OK && i < value->as.array.count; i++)
    if (value->as.array.items[i].type != TN_NULL)
      rc = check_accepted(backend, &value->as.array.items[i], err);
  return rc;
}

/* A value that may have to be refused; one that is too long unseen, which
 * takes seconds to read. */
static enum tn_code
check_value(const struct tn_backend *backend, const tn_value *value,
            tn_err *err)
{
  enum tn_code rc = check_size(backend, value, err);

  if (rc == TN_OK)
    rc = tn_value_check(value, err);
  return rc == TN_OK ? check_accepted(backend, value, err) : rc;
}

/* The first of the values that has to be refused, as `*ret`; err->parameter is
 * not set. */
static enum tn_code
find_bad(const struct tn_backend *backend, const tn_value *values, size_t count,
         size_t *ret, tn_err *err)
{
  const uint32_t types = backend->dialect.value_types;

  for (size_t i = 0; i < count; i++) {
    enum tn_code rc;

    if (is_plain(backend, types, &values[i]))
      continue;
    rc = check_value(backend, &values[i], err);
    if (rc != TN_OK) {
      *ret = i;
      return rc;
    }
  }
  return TN_OK;
}

static enum tn_code
check_count(const struct tn_backend *backend, size_t count, tn_err *err)
{
  if (count <= backend->dialect.max_parameters)
    return TN_OK;
  tn_err_set(err, TN_E_LIMIT, "%zu parameters; %s takes %u", count,
             backend->plugin.name, (unsigned)backend->dialect.max_parameters);
  tn_backend__name(backend, err);
  return TN_E_LIMIT;
}

enum tn_code
tn_backend_check_values(const struct tn_backend *backend,
                        const tn_value *values, size_t count, tn_err *err)
{
  size_t bad = 0;
  enum tn_code rc = check_count(backend, count, err);

  if (rc != TN_OK)
    return rc;
  rc = find_bad(backend, values, count, &bad, err);
  if (rc == TN_OK)
    return rc;
  refuse_value(bad, err);
  tn_backend__name(backend, err);
  return rc;
}

enum tn_code
tn_backend_check_rows(const struct tn_backend *backend, const tn_value *values,
                      size_t count, size_t row_count, tn_err *err)
{
  size_t bad = 0;
  enum tn_code rc = check_count(backend, count, err);

  if (rc != TN_OK) {
    err->row = 1;
    return rc;
  }
  rc = find_bad(backend, values, count * row_count, &bad, err);
  if (rc == TN_OK)
    return rc;
  refuse_value(bad % count, err);
  tn_backend__name(backend, err);
  err->row = bad / count + 1;
  return rc;
}
