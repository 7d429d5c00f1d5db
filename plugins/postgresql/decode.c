/* Columns to cells, from the binary form: the inside of the fetch loop.
 *
 * A server that lies about a length, or sends what is no value of the type,
 * gets an error; no byte beyond those it sent is looked at. */
#include <stdio.h>

#include "codec_priv.h"

#define ASCII_MASK UINT64_C(0x8080808080808080)

/* ------------------------------------------------------------------ */
/* Failures and memory                                                  */

int32_t
pg__malformed(const struct pg__reader *reader, struct tn_call *call)
{
  return tn_fail(call, TN_E_DATA,
                 "postgresql: the server sent bytes that are no value of "
                 "type %s",
                 reader->type_name);
}

int32_t
pg__no_memory(struct tn_call *call)
{
  return tn_fail(call, TN_E_MEMORY, "postgresql: out of memory");
}

char *
pg__cell_memory(struct pg__reader *reader, size_t size, struct tn_call *call)
{
  char *memory;

  if (size <= sizeof reader->scratch && !reader->is_item)
    return reader->scratch;
  memory = call->host->arena_alloc(call->arena, size);
  if (memory == NULL)
    pg__no_memory(call);
  return memory;
}

/* ------------------------------------------------------------------ */
/* Cells. Field by field: a whole value copied from parts just written
 * stalls the processor for as long as reading the rest takes.          */

static inline void
set_number(tn_value *cell, uint32_t type, int64_t number)
{
  cell->type = type;
  cell->flags = 0;
  cell->as.int64 = number;
}

static inline void
set_bytes(tn_value *cell, uint32_t type, const char *data, size_t size)
{
  cell->type = type;
  cell->flags = 0;
  cell->as.bytes.data = data;
  cell->as.bytes.size = size;
}

void
pg__set_other(const struct pg__reader *reader, const char *text, size_t size,
              tn_value *cell)
{
  set_bytes(cell, TN_OTHER, text, size);
  cell->more.type_name = reader->type_name;
}

int32_t
pg__copy_other(struct pg__reader *reader, const char *text, size_t size,
               struct tn_call *call, tn_value *cell)
{
  char *copy = pg__cell_memory(reader, size, call);

  if (copy == NULL)
    return TN_E_MEMORY;
  memcpy(copy, text, size);
  pg__set_other(reader, copy, size, cell);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Numbers                                                              */

PG__DECODER(pg__decode_bool)
{
  if (size != 1)
    return pg__malformed(reader, call);
  set_number(cell, TN_BOOL, data[0] != 0);
  return TN_OK;
}

PG__DECODER(pg__decode_int2)
{
  if (size != 2)
    return pg__malformed(reader, call);
  set_number(cell, TN_INT64, (int16_t)pg__get16(data));
  return TN_OK;
}

PG__DECODER(pg__decode_int4)
{
  if (size != 4)
    return pg__malformed(reader, call);
  set_number(cell, TN_INT64, (int32_t)pg__get32(data));
  return TN_OK;
}

PG__DECODER(pg__decode_int8)
{
  if (size != 8)
    return pg__malformed(reader, call);
  set_number(cell, TN_INT64, (int64_t)pg__get64(data));
  return TN_OK;
}

PG__DECODER(pg__decode_oid)
{
  if (size != 4)
    return pg__malformed(reader, call);
  set_number(cell, TN_INT64, pg__get32(data));
  return TN_OK;
}

PG__DECODER(pg__decode_xid8)
{
  if (size != 8)
    return pg__malformed(reader, call);
  cell->type = TN_UINT64;
  cell->flags = 0;
  cell->as.uint64 = pg__get64(data);
  return TN_OK;
}

static inline void
set_double(tn_value *cell, double real)
{
  cell->type = TN_DOUBLE;
  cell->flags = 0;
  cell->as.real = real;
}

/* The double that is this float, not the one that is printed like it. */
PG__DECODER(pg__decode_float4)
{
  uint32_t bits;
  float real;

  if (size != sizeof bits)
    return pg__malformed(reader, call);
  bits = pg__get32(data);
  memcpy(&real, &bits, sizeof real);
  set_double(cell, (double)real);
  return TN_OK;
}

PG__DECODER(pg__decode_float8)
{
  uint64_t bits;
  double real;

  if (size != sizeof bits)
    return pg__malformed(reader, call);
  bits = pg__get64(data);
  memcpy(&real, &bits, sizeof real);
  set_double(cell, real);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Bytes                                                                */

static inline uint64_t
load(const char *text)
{
  uint64_t word;

  memcpy(&word, text, sizeof word);
  return word;
}

/* Eight bytes at a time; the last eight may overlap those before. */
static inline bool
is_ascii(const char *text, size_t size)
{
  uint64_t seen = 0;
  size_t i;

  if (size >= 8) {
    for (i = 0; i < size - 8; i += 8)
      seen |= load(text + i);
    seen |= load(text + size - 8);
  } else {
    for (i = 0; i < size; i++)
      seen |= (unsigned char)text[i];
  }
  return (seen & ASCII_MASK) == 0;
}

/* A database in SQL_ASCII sends whatever was stored. What is no text is handed
 * out as a blob. */
PG__DECODER(pg__decode_text)
{
  tn_value ignored;

  (void)reader;
  set_bytes(cell, TN_TEXT, data, size);
  if (!is_ascii(data, size) &&
      call->host->value_parse(TN_TEXT, data, size, &ignored) != TN_OK)
    cell->type = TN_BLOB;
  return TN_OK;
}

/* One byte, of which 0 stands for the empty text. */
PG__DECODER(pg__decode_char)
{
  if (size != 1)
    return pg__malformed(reader, call);
  return pg__decode_text(reader, data, data[0] == '\0' ? 0 : 1, call, cell);
}

PG__DECODER(pg__decode_bytea)
{
  (void)reader;
  (void)call;
  set_bytes(cell, TN_BLOB, data, size);
  return TN_OK;
}

PG__DECODER(pg__decode_json)
{
  int32_t rc = pg__decode_text(reader, data, size, call, cell);

  if (cell->type == TN_TEXT)
    cell->type = TN_JSON;
  return rc;
}

/* The text behind a version number. */
PG__DECODER(pg__decode_jsonb)
{
  if (size < 1 || data[0] != 1)
    return pg__malformed(reader, call);
  return pg__decode_json(reader, data + 1, size - 1, call, cell);
}

PG__DECODER(pg__decode_uuid)
{
  if (size != sizeof cell->as.uuid)
    return pg__malformed(reader, call);
  cell->type = TN_UUID;
  cell->flags = 0;
  memcpy(cell->as.uuid, data, sizeof cell->as.uuid);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Dates and times                                                      */

PG__DECODER(pg__decode_date)
{
  int32_t days;

  if (size != 4)
    return pg__malformed(reader, call);
  days = (int32_t)pg__get32(data);
  if (days < TN_DAYS_MIN - PG__EPOCH_DAYS ||
      days > TN_DAYS_MAX - PG__EPOCH_DAYS)
    return pg__far_date(reader, days, call, cell);
  set_number(cell, TN_DATE, days + PG__EPOCH_DAYS);
  return TN_OK;
}

/* PostgreSQL has a 24:00:00, which is no time of day. */
PG__DECODER(pg__decode_time)
{
  uint64_t micros;

  if (size != 8)
    return pg__malformed(reader, call);
  micros = pg__get64(data);
  if (micros == (uint64_t)TN_DAY_MICROS)
    pg__set_other(reader, "24:00:00", 8, cell);
  else if (micros > (uint64_t)TN_DAY_MICROS)
    return pg__malformed(reader, call);
  else
    set_number(cell, TN_TIME, (int64_t)micros);
  return TN_OK;
}

static inline bool
is_near(int64_t micros)
{
  return micros >= TN_MICROS_MIN - PG__EPOCH_MICROS &&
         micros <= TN_MICROS_MAX - PG__EPOCH_MICROS;
}

PG__DECODER(pg__decode_timestamp)
{
  int64_t micros;

  if (size != 8)
    return pg__malformed(reader, call);
  micros = (int64_t)pg__get64(data);
  if (!is_near(micros))
    return pg__far_timestamp(reader, micros, "", call, cell);
  set_number(cell, TN_TIMESTAMP, micros + PG__EPOCH_MICROS);
  return TN_OK;
}

/* The server keeps the moment, not the zone that it was written in. */
PG__DECODER(pg__decode_timestamptz)
{
  int64_t micros;

  if (size != 8)
    return pg__malformed(reader, call);
  micros = (int64_t)pg__get64(data);
  if (!is_near(micros))
    return pg__far_timestamp(reader, micros, "+00", call, cell);
  set_number(cell, TN_TIMESTAMP, micros + PG__EPOCH_MICROS);
  cell->flags = TN_VALUE_ZONED;
  cell->more.offset_s = 0;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Which of them reads a column                                         */

/* An item's way of being read; false if only its text can be. */
static bool
init_item(struct pg__reader *reader, uint32_t oid, char kind, const char *name,
          int format)
{
  const struct pg__type *type = pg__type_find(oid);

  reader->item_name = name;
  if (type != NULL)
    reader->item_name = type->name;
  else if (name == NULL)
    reader->item_name = "";
  reader->delimiter = oid == PG__OID_BOX ? ';' : ',';
  reader->decode_item = pg__parse_other;
  reader->item_type = TN_OTHER;
  if (type != NULL) {
    reader->decode_item = format == PG__FORMAT_BINARY && type->decode != NULL
                              ? type->decode
                              : type->parse;
    reader->item_type = type->tn_type;
    return type->decode != NULL;
  }
  if (kind == 'e') {
    reader->decode_item = pg__decode_text;
    reader->item_type = TN_TEXT;
  }
  return kind == 'e';
}

static void
init_known(struct pg__reader *reader, const struct pg__type *type, int format)
{
  bool is_binary = type->decode != NULL;

  reader->type_name = type->name;
  reader->tn_type = type->tn_type;
  if (type->element != 0) {
    reader->element = type->element;
    is_binary = init_item(reader, type->element, 0, "", format) && is_binary;
  }
  reader->decode =
      format == PG__FORMAT_BINARY && is_binary ? type->decode : type->parse;
  reader->wants_text = format == PG__FORMAT_BINARY && !is_binary;
}

static void
init_custom(struct pg__reader *reader, const struct pg__custom *custom,
            int format)
{
  bool is_binary = custom->kind == 'e';

  reader->type_name = custom->name;
  reader->tn_type = is_binary ? TN_TEXT : TN_OTHER;
  reader->decode = is_binary ? pg__decode_text : pg__parse_other;
  if (custom->element != 0) {
    uint32_t base =
        custom->element_base != 0 ? custom->element_base : custom->element;

    reader->element = custom->element;
    reader->tn_type = TN_ARRAY;
    is_binary = init_item(reader, base, custom->element_kind,
                          custom->element_name, format);
    if (custom->element_name != NULL)
      reader->item_name = custom->element_name;
    reader->decode = format == PG__FORMAT_BINARY && is_binary ? pg__decode_array
                                                              : pg__parse_array;
  }
  reader->wants_text = format == PG__FORMAT_BINARY && !is_binary;
}

void
pg__reader_init(struct pg__reader *reader, uint32_t oid,
                const struct pg__custom *custom, int format)
{
  const struct pg__type *type = pg__type_find(oid);

  memset(reader, 0, sizeof *reader);
  if (type != NULL) {
    init_known(reader, type, format);
    return;
  }
  if (custom != NULL) {
    init_custom(reader, custom, format);
    return;
  }
  snprintf(reader->name, sizeof reader->name, "oid %u", (unsigned)oid);
  reader->type_name = reader->name;
  reader->tn_type = TN_OTHER;
  reader->decode = pg__parse_other;
  reader->wants_text = format == PG__FORMAT_BINARY;
}

void
pg__item_reader(const struct pg__reader *reader, struct pg__reader *item)
{
  item->decode = reader->decode_item;
  item->type_name = reader->item_name;
  item->tn_type = reader->item_type;
  item->wants_text = false;
  item->is_item = true;
  item->element = 0;
  item->delimiter = ',';
  item->item_type = 0;
  item->item_name = "";
  item->decode_item = NULL;
}
