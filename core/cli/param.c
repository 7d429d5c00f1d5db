/* The values of a statement as they stand on the command line. A word before
 * ':' that names no type is part of the text, so that "http://x" needs no
 * care; an identifier before '=' always is a name. */
#include "param.h"

#include <stdlib.h>
#include <string.h>

struct type_row {
  const char *word;
  uint32_t type;
};

static const struct type_row types[] = {
  { "int", TN_INT64 },           { "uint", TN_UINT64 }, { "float", TN_DOUBLE },
  { "bool", TN_BOOL },           { "null", TN_NULL },   { "blob", TN_BLOB },
  { "decimal", TN_DECIMAL },     { "json", TN_JSON },   { "uuid", TN_UUID },
  { "timestamp", TN_TIMESTAMP }, { "date", TN_DATE },   { "time", TN_TIME },
  { "text", TN_TEXT },
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz_";
static const char digits[] = "0123456789";

/* Length of the name before a '='; 0 if there is none. */
static size_t
name_length(const char *text)
{
  size_t length = strspn(text, letters);

  if (length == 0)
    return 0;
  for (;;) {
    size_t more = strspn(text + length, letters);

    more += strspn(text + length + more, digits);
    if (more == 0)
      break;
    length += more;
  }
  return text[length] == '=' ? length : 0;
}

/* The type whose word stands before the first ':', and the text behind it. */
static const struct type_row *
type_of(const char *text, const char **ret_rest)
{
  size_t length = strcspn(text, ":");
  size_t i;

  if (text[length] == '\0')
    return NULL;
  for (i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strlen(types[i].word) == length &&
        strncmp(types[i].word, text, length) == 0) {
      *ret_rest = text + length + 1;
      return &types[i];
    }
  return NULL;
}

static int
hex_digit(char c)
{
  static const char hex[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c == '\0' ? NULL : strchr(hex, c);

  return found == NULL ? -1 : (int)((found - hex) % 16);
}

/* Digits to bytes, in place: they are half as many. */
static enum tn_code
parse_blob(char *text, tn_value *ret, tn_err *err)
{
  size_t size = strlen(text);
  size_t i;

  if (size % 2 != 0)
    return tn_err_set(err, TN_E_USAGE,
                      "blob: %zu hexadecimal digits; two a byte are needed",
                      size);
  for (i = 0; i < size; i += 2) {
    int high = hex_digit(text[i]);
    int low = hex_digit(text[i + 1]);

    if (high < 0 || low < 0)
      return tn_err_set(err, TN_E_USAGE,
                        "blob: no hexadecimal digit at character %zu",
                        high < 0 ? i + 1 : i + 2);
    text[i / 2] = (char)(high * 16 + low);
  }
  *ret = tn_blob(text, size / 2);
  return TN_OK;
}

static enum tn_code
parse_value(char *text, tn_value *ret, tn_err *err)
{
  const char *rest = text;
  const struct type_row *row = type_of(text, &rest);
  uint32_t type = row == NULL ? TN_TEXT : row->type;

  if (type == TN_BLOB)
    return parse_blob(text + (rest - text), ret, err);
  if (type != TN_NULL)
    return tn_value_parse(type, rest, strlen(rest), ret, err);
  if (rest[0] != '\0')
    return tn_err_set(err, TN_E_USAGE,
                      "null: takes no text; write text:%.32s… for a text",
                      text);
  *ret = tn_null();
  return TN_OK;
}

static enum tn_code
parse_one(char *text, size_t index, struct params *params, tn_err *err)
{
  size_t name = name_length(text);
  enum tn_code rc;
  tn_err cause = TN_ERR_INIT;

  if (index > 0 && (name > 0) != (params->names[0] != NULL)) {
    rc = tn_err_set(err, TN_E_USAGE,
                    "parameter %zu: %s; all have a name or none", index + 1,
                    name > 0 ? "has a name" : "has no name");
    tn_err_add(err, TN_ERR_DETAIL,
               "a=b is a value named a; write text:a=b for the text a=b");
    return rc;
  }
  if (name > 0) {
    params->names[index] = text;
    text[name] = '\0';
    text += name + 1;
  }
  if (parse_value(text, &params->values[index], &cause) == TN_OK)
    return TN_OK;
  rc = tn_err_set(err, TN_E_USAGE, "parameter %zu: %s", index + 1,
                  cause.message);
  if (err != NULL)
    err->parameter = (int32_t)index + 1;
  return rc;
}

static enum tn_code
parse_all(char *const *args, struct params *params, tn_err *err)
{
  enum tn_code rc = TN_OK;
  size_t i;

  if (params->values == NULL || params->names == NULL)
    return tn_err_set(err, TN_E_MEMORY, "parameters: out of memory");
  for (i = 0; rc == TN_OK && i < params->count; i++)
    rc = parse_one(args[i], i, params, err);
  return rc;
}

enum tn_code
params_parse(char *const *args, size_t count, struct params *ret, tn_err *err)
{
  struct params params = { .count = count };
  enum tn_code rc;

  params.values = calloc(count + 1, sizeof *params.values);
  params.names = calloc(count + 1, sizeof *params.names);
  rc = parse_all(args, &params, err);
  if (rc != TN_OK) {
    params_clear(&params);
    return rc;
  }
  if (params.names[0] == NULL) {
    free(params.names);
    params.names = NULL;
  }
  *ret = params;
  return TN_OK;
}

void
params_clear(struct params *params)
{
  free(params->values);
  free(params->names);
  memset(params, 0, sizeof *params);
}
