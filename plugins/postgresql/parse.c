/* Columns to cells, from the text form: for statements with a column of a type
 * that only the server can print. A text that is not read as expected, because
 * the session's DateStyle was changed or because it is "infinity", is handed
 * out as it is. */
#include "codec_priv.h"

/* The text as a value of `type`; as "other" if it is none. */
static int32_t
parse_as(const struct pg__reader *reader, uint32_t type, const char *data,
         size_t size, struct tn_call *call, tn_value *cell)
{
  if (call->host->value_parse(type, data, size, cell) != TN_OK)
    pg__set_other(reader, data, size, cell);
  return TN_OK;
}

PG__DECODER(pg__parse_other)
{
  (void)call;
  pg__set_other(reader, data, size, cell);
  return TN_OK;
}

PG__DECODER(pg__parse_bool)
{
  return parse_as(reader, TN_BOOL, data, size, call, cell);
}

PG__DECODER(pg__parse_int)
{
  return parse_as(reader, TN_INT64, data, size, call, cell);
}

PG__DECODER(pg__parse_uint)
{
  return parse_as(reader, TN_UINT64, data, size, call, cell);
}

PG__DECODER(pg__parse_float8)
{
  return parse_as(reader, TN_DOUBLE, data, size, call, cell);
}

/* As in binary: the double that is the float. */
PG__DECODER(pg__parse_float4)
{
  int32_t rc = parse_as(reader, TN_DOUBLE, data, size, call, cell);

  if (cell->type == TN_DOUBLE)
    cell->as.real = (double)(float)cell->as.real;
  return rc;
}

PG__DECODER(pg__parse_numeric)
{
  return parse_as(reader, TN_DECIMAL, data, size, call, cell);
}

PG__DECODER(pg__parse_date)
{
  return parse_as(reader, TN_DATE, data, size, call, cell);
}

PG__DECODER(pg__parse_time)
{
  return parse_as(reader, TN_TIME, data, size, call, cell);
}

PG__DECODER(pg__parse_timestamp)
{
  return parse_as(reader, TN_TIMESTAMP, data, size, call, cell);
}

/* As in binary: the moment, in UTC. */
PG__DECODER(pg__parse_timestamptz)
{
  int32_t rc = parse_as(reader, TN_TIMESTAMP, data, size, call, cell);

  if (cell->type == TN_TIMESTAMP)
    cell->more.offset_s = 0;
  return rc;
}

PG__DECODER(pg__parse_uuid)
{
  return parse_as(reader, TN_UUID, data, size, call, cell);
}

PG__DECODER(pg__parse_json)
{
  return pg__decode_json(reader, data, size, call, cell);
}

static int
hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

/* The byte that is written behind a backslash; -1: none is. */
static int
octal(const char *digits, size_t size)
{
  size_t i;
  int number = 0;

  if (size < 3 || digits[0] > '3')
    return -1;
  for (i = 0; i < 3; i++) {
    if (digits[i] < '0' || digits[i] > '7')
      return -1;
    number = number * 8 + digits[i] - '0';
  }
  return number;
}

/* The other form, which a proxy's session may have been set to: a byte is
 * itself, a backslash is two, or has three octal digits behind it. */
static int32_t
parse_escaped(struct pg__reader *reader, const char *data, size_t size,
              struct tn_call *call, tn_value *cell)
{
  char *bytes = pg__cell_memory(reader, size + 1, call);
  size_t used = 0;
  size_t i = 0;

  if (bytes == NULL)
    return TN_E_MEMORY;
  while (i < size) {
    int byte = (unsigned char)data[i++];

    if (byte == '\\' && i < size && data[i] == '\\') {
      i++;
    } else if (byte == '\\') {
      byte = octal(data + i, size - i);
      i += 3;
    }
    if (byte < 0)
      return pg__parse_other(reader, data, size, call, cell);
    bytes[used++] = (char)byte;
  }
  *cell = tn_blob(bytes, used);
  return TN_OK;
}

/* "\x…" */
PG__DECODER(pg__parse_bytea)
{
  char *bytes;
  size_t i;

  if (size < 2 || memcmp(data, "\\x", 2) != 0)
    return parse_escaped(reader, data, size, call, cell);
  if (size % 2 != 0)
    return pg__parse_other(reader, data, size, call, cell);
  bytes = pg__cell_memory(reader, size / 2, call);
  if (bytes == NULL)
    return TN_E_MEMORY;
  for (i = 0; i + 2 < size; i += 2) {
    int high = hex_digit(data[2 + i]);
    int low = hex_digit(data[3 + i]);

    if (high < 0 || low < 0)
      return pg__parse_other(reader, data, size, call, cell);
    bytes[i / 2] = (char)(high << 4 | low);
  }
  *cell = tn_blob(bytes, size / 2 - 1);
  return TN_OK;
}
