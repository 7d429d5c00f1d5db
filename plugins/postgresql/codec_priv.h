/* What the files of the codec share with one another. */
#ifndef TENON_PG_CODEC_PRIV_H
#define TENON_PG_CODEC_PRIV_H

#include <string.h>

#include "codec.h"

/* ------------------------------------------------------------------ */
/* Network byte order                                                   */

static inline uint16_t
pg__get16(const char *data)
{
  const unsigned char *bytes = (const unsigned char *)data;

  return (uint16_t)((unsigned)bytes[0] << 8 | bytes[1]);
}

static inline uint32_t
pg__get32(const char *data)
{
  const unsigned char *bytes = (const unsigned char *)data;

  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
         (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static inline uint64_t
pg__get64(const char *data)
{
  return (uint64_t)pg__get32(data) << 32 | pg__get32(data + 4);
}

static inline void
pg__put16(char *out, uint16_t number)
{
  out[0] = (char)(number >> 8);
  out[1] = (char)number;
}

static inline void
pg__put32(char *out, uint32_t number)
{
  out[0] = (char)(number >> 24);
  out[1] = (char)(number >> 16);
  out[2] = (char)(number >> 8);
  out[3] = (char)number;
}

static inline void
pg__put64(char *out, uint64_t number)
{
  pg__put32(out, (uint32_t)(number >> 32));
  pg__put32(out + 4, (uint32_t)number);
}

/* PostgreSQL counts from 2000-01-01, Tenon from 1970-01-01. */
#define PG__EPOCH_DAYS   INT64_C(10957)
#define PG__EPOCH_MICROS (PG__EPOCH_DAYS * TN_DAY_MICROS)

/* ------------------------------------------------------------------ */
/* Reading                                                              */

/* Fail because the server sent bytes that are no value of the type. */
int32_t pg__malformed(const struct pg__reader *reader, struct tn_call *call);

int32_t pg__no_memory(struct tn_call *call);

/* `size` bytes for a cell; NULL after a failure. */
char *pg__cell_memory(struct pg__reader *reader, size_t size,
                      struct tn_call *call);

/* A cell of TN_OTHER over bytes that live as long as it does. */
void pg__set_other(const struct pg__reader *reader, const char *text,
                   size_t size, tn_value *cell);

/* The same of a copy. */
int32_t pg__copy_other(struct pg__reader *reader, const char *text, size_t size,
                       struct tn_call *call, tn_value *cell);

/* A reader of an array's items. */
void pg__item_reader(const struct pg__reader *reader, struct pg__reader *item);

/* Room for the items of an array; NULL after a failure. */
tn_value *pg__array_items(size_t count, struct tn_call *call);

/* See to it that all items of an array just read are of one type. */
int32_t pg__array_finish(const struct pg__reader *reader, tn_value *array,
                         struct tn_call *call);

#define PG__DECODER(name)                                                      \
  int32_t name(struct pg__reader *reader, const char *data, size_t size,       \
               struct tn_call *call, tn_value *cell)

/* decode.c: from binary */
PG__DECODER(pg__decode_bool);
PG__DECODER(pg__decode_int2);
PG__DECODER(pg__decode_int4);
PG__DECODER(pg__decode_int8);
PG__DECODER(pg__decode_oid);
PG__DECODER(pg__decode_xid8);
PG__DECODER(pg__decode_float4);
PG__DECODER(pg__decode_float8);
PG__DECODER(pg__decode_text);
PG__DECODER(pg__decode_char);
PG__DECODER(pg__decode_bytea);
PG__DECODER(pg__decode_date);
PG__DECODER(pg__decode_time);
PG__DECODER(pg__decode_timestamp);
PG__DECODER(pg__decode_timestamptz);
PG__DECODER(pg__decode_uuid);
PG__DECODER(pg__decode_json);
PG__DECODER(pg__decode_jsonb);

/* numeric.c */
PG__DECODER(pg__decode_numeric);

/* array.c, array_text.c */
PG__DECODER(pg__decode_array);
PG__DECODER(pg__parse_array);
PG__DECODER(pg__parse_vector);

/* other.c: the server's own text of types that have no counterpart */
PG__DECODER(pg__decode_interval);
PG__DECODER(pg__decode_timetz);
PG__DECODER(pg__decode_inet);
PG__DECODER(pg__decode_macaddr);
PG__DECODER(pg__decode_bit);
PG__DECODER(pg__decode_lsn);
PG__DECODER(pg__decode_tid);
PG__DECODER(pg__decode_jsonpath);
PG__DECODER(pg__decode_void);

/* A date or moment that a tn_value cannot hold: before the year 1, after 9999,
 * or infinite. As the server counts them. */
int32_t pg__far_date(struct pg__reader *reader, int32_t days,
                     struct tn_call *call, tn_value *cell);
int32_t pg__far_timestamp(struct pg__reader *reader, int64_t micros,
                          const char *zone, struct tn_call *call,
                          tn_value *cell);

/* parse.c: from text */
PG__DECODER(pg__parse_bool);
PG__DECODER(pg__parse_int);
PG__DECODER(pg__parse_uint);
PG__DECODER(pg__parse_float4);
PG__DECODER(pg__parse_float8);
PG__DECODER(pg__parse_numeric);
PG__DECODER(pg__parse_bytea);
PG__DECODER(pg__parse_date);
PG__DECODER(pg__parse_time);
PG__DECODER(pg__parse_timestamp);
PG__DECODER(pg__parse_timestamptz);
PG__DECODER(pg__parse_uuid);
PG__DECODER(pg__parse_json);
PG__DECODER(pg__parse_other);

/* ------------------------------------------------------------------ */
/* Writing                                                              */

/* Where a value goes. */
struct pg__sink {
  struct pg__buffer *buffer;
  struct tn_call *call;
  bool is_binary_only; /* PG__AS_TEXT will not do: a text is read here */
  int32_t category;    /* of the refusal */
  const tn_value *refused;
  const char *cause;
};

void pg__sink_init(struct pg__sink *sink, struct pg__buffer *buffer,
                   struct tn_call *call);

/* Make room for `size` more bytes and return where they go; they count from
 * then on. NULL without memory. */
char *pg__buffer_grow(struct pg__buffer *buffer, size_t size);

static inline char *
pg__buffer_add(struct pg__buffer *buffer, size_t size)
{
  if (size > buffer->capacity - buffer->size)
    return pg__buffer_grow(buffer, size);
  buffer->size += size;
  return buffer->data + buffer->size - size;
}

bool pg__buffer_put(struct pg__buffer *buffer, const void *bytes, size_t size);

/* Is it that word, as text? */
bool pg__is_word(const tn_value *value, const char *word);

/* Refuse with TN_E_DATA. */
enum pg__encoded pg__refuse(struct pg__sink *sink, const tn_value *value,
                            const char *cause);

/* Lend the value's bytes as a text, which has no NUL in it. */
enum pg__encoded pg__lend_text(struct pg__sink *sink, const tn_value *value);

/* Append a value's text form, as the server's input functions read it. */
enum pg__encoded pg__encode_text_form(const tn_value *value,
                                      struct pg__sink *sink);

/* The same of what goes to a column, or is an item of an array: it says what
 * the binary form would say, and what that refuses is refused. `type` NULL: one
 * that is not built in. */
enum pg__encoded pg__encode_column_text(const struct pg__type *type,
                                        const tn_value *value,
                                        struct pg__sink *sink);
enum pg__encoded pg__encode_array_text(const struct pg__type *type,
                                       const tn_value *array,
                                       struct pg__sink *sink);

/* Append a field as arrays and COPY have it, its length before it. */
enum pg__encoded pg__encode_field(const struct pg__type *type,
                                  const tn_value *value, struct pg__sink *sink);

/* Append a field as COPY has it in text. `type` NULL: one that is not built
 * in. */
enum pg__encoded pg__encode_copy_text(const struct pg__type *type,
                                      const tn_value *value,
                                      struct pg__sink *sink);

/* Fail with what the sink has refused. `type_name` is the parameter's. */
int32_t pg__fail_refused(const struct pg__sink *sink, const char *type_name,
                         uint32_t parameter, uint64_t row);

#define PG__ENCODER(name)                                                      \
  enum pg__encoded name(const struct pg__type *type, const tn_value *value,    \
                        struct pg__sink *sink)

/* encode_types.c */
PG__ENCODER(pg__encode_bool);
PG__ENCODER(pg__encode_int2);
PG__ENCODER(pg__encode_int4);
PG__ENCODER(pg__encode_int8);
PG__ENCODER(pg__encode_oid);
PG__ENCODER(pg__encode_uint8);
PG__ENCODER(pg__encode_float4);
PG__ENCODER(pg__encode_float8);
PG__ENCODER(pg__encode_text);
PG__ENCODER(pg__encode_char);
PG__ENCODER(pg__encode_bytea);
PG__ENCODER(pg__encode_date);
PG__ENCODER(pg__encode_time);
PG__ENCODER(pg__encode_timestamp);
PG__ENCODER(pg__encode_timestamptz);
PG__ENCODER(pg__encode_uuid);
PG__ENCODER(pg__encode_json);
PG__ENCODER(pg__encode_jsonb);
PG__ENCODER(pg__encode_other);

/* numeric.c */
PG__ENCODER(pg__encode_numeric);

/* array.c */
PG__ENCODER(pg__encode_array);

#endif
