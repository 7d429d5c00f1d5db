/* Values to PostgreSQL's forms of them and back.
 *
 * Everything here works on bytes: no libpq, no session, so that tests can feed
 * it what no server would send. Binary forms are as the server's own functions
 * send and receive them: network byte order, times in microseconds from
 * 2000-01-01, numbers of arbitrary size in groups of four digits. */
#ifndef TENON_PG_CODEC_H
#define TENON_PG_CODEC_H

#include <stdbool.h>
#include <tenon/plugin.h>

/* OIDs that code names. They are part of the protocol and never change. */
enum {
  PG__OID_BOOL = 16,
  PG__OID_BYTEA = 17,
  PG__OID_INT8 = 20,
  PG__OID_INT2VECTOR = 22,
  PG__OID_INT4 = 23,
  PG__OID_TEXT = 25,
  PG__OID_OIDVECTOR = 30,
  PG__OID_JSON = 114,
  PG__OID_BOX = 603,
  PG__OID_FLOAT4 = 700,
  PG__OID_FLOAT8 = 701,
  PG__OID_MONEY = 790,
  PG__OID_DATE = 1082,
  PG__OID_TIME = 1083,
  PG__OID_TIMESTAMP = 1114,
  PG__OID_TIMESTAMPTZ = 1184,
  PG__OID_INTERVAL = 1186,
  PG__OID_TIMETZ = 1266,
  PG__OID_NUMERIC = 1700,
  PG__OID_UUID = 2950,
};

/* Formats of parameters and columns, as libpq counts them. */
#define PG__FORMAT_TEXT   0
#define PG__FORMAT_BINARY 1

/* ------------------------------------------------------------------ */
/* types.c                                                              */

struct pg__reader;
struct pg__sink;
struct pg__type;

/* Read `size` bytes that the server has sent into `cell`. What a cell needs
 * beyond those bytes is taken from the reader's scratch or the call's arena.
 * Fails: TN_E_DATA, the bytes are not of the type; TN_E_MEMORY. */
typedef int32_t (*pg__decode_fn)(struct pg__reader *reader, const char *data,
                                 size_t size, struct tn_call *call,
                                 tn_value *cell);

/* What became of a value that was to be written in a type's binary form. */
enum pg__encoded {
  PG__ENCODED, /* the bytes are in the sink */
  PG__LENT,    /* the value's own bytes are the form */
  PG__AS_TEXT, /* the server has to read it from text; nothing is written */
  PG__REFUSED, /* it would be altered: the sink knows why */
  PG__NO_MEMORY,
};

/* Write a value that is not NULL. */
typedef enum pg__encoded (*pg__encode_fn)(const struct pg__type *type,
                                          const tn_value *value,
                                          struct pg__sink *sink);

/* A type that is built into every server. */
struct pg__type {
  uint32_t oid;
  uint32_t array;       /* the array of it; 0: none */
  uint32_t element;     /* of an array: what it is of; else 0 */
  uint32_t tn_type;     /* enum tn_type that its values mostly have */
  const char *name;     /* as SQL spells it */
  pg__decode_fn decode; /* from binary; NULL: only the text form is read */
  pg__decode_fn parse;  /* from text */
  pg__encode_fn encode;
};

/* The type with that OID; NULL if it is not built in. */
const struct pg__type *pg__type_find(uint32_t oid);

/* The type that a parameter had best be declared with for this value when the
 * server cannot tell; 0: leave it to the server. */
uint32_t pg__oid_of_value(const tn_value *value);

/* ------------------------------------------------------------------ */
/* decode.c, parse.c, other.c: columns to cells                         */

/* Most of what needs memory fits, so that few cells need the arena. */
#define PG__SCRATCH 80

/* What the catalogue says of a type that is not built in. Names live as long
 * as the statement. */
struct pg__custom {
  uint32_t oid;
  uint32_t element;         /* of an array: pg_type.typelem, else 0 */
  uint32_t element_base;    /* if that is a domain: what it is made of */
  char kind;                /* pg_type.typtype; 'e' is an enum */
  char element_kind;        /* the same of the element */
  const char *name;         /* format_type() */
  const char *element_name; /* the same of the element */
};

/* How to read one column. Made once a statement, used for each cell that is
 * not NULL: reader->decode(reader, data, size, call, &cell). A cell's bytes
 * lie in `data`, the scratch or the arena: they are good until the next cell
 * of the column is read. */
struct pg__reader {
  pg__decode_fn decode;
  const char *type_name; /* for struct tn_column; never NULL */
  uint32_t tn_type;      /* likewise */
  bool wants_text;       /* asked for in binary, the column would not be read:
                            ask for all columns of the statement in text */
  bool is_item;          /* of an array: has no scratch of its own */
  char delimiter;        /* between an array's items in text */
  uint32_t element;      /* OID of an array's items, as the server says it */
  uint32_t item_type;    /* enum tn_type that they mostly have */
  const char *item_name;
  pg__decode_fn decode_item;
  char name[16]; /* of a type that nobody knows */
  char scratch[PG__SCRATCH];
};

/* Prepare to read a column of that type in that format (PG__FORMAT_…).
 * `custom`, which may be NULL, is for types that are not built in. */
void pg__reader_init(struct pg__reader *reader, uint32_t oid,
                     const struct pg__custom *custom, int format);

/* ------------------------------------------------------------------ */
/* encode.c: values to parameters                                       */

/* Bytes that grow, and are kept from one use to the next, so that using them
 * again allocates nothing. */
struct pg__buffer {
  const struct tn_host *host;
  char *data;
  size_t size;
  size_t capacity;
};

void pg__buffer_init(struct pg__buffer *buffer, const struct tn_host *host);
void pg__buffer_clear(struct pg__buffer *buffer);

/* The parameters of a statement as PQsendQueryPrepared() takes them: `count`
 * entries in each array. */
struct pg__params {
  struct pg__buffer bytes;
  uint32_t count;
  uint32_t capacity;
  const struct pg__type **types; /* NULL in it: not built in */
  const char **values;
  size_t *offsets; /* of those in `bytes`, while they are written */
  int *lengths;
  int *formats;
  uint64_t row; /* of a batch, from 1, for messages; 0: none */
};

void pg__params_init(struct pg__params *params, const struct tn_host *host);
void pg__params_clear(struct pg__params *params);

/* Say which types the server wants, once after each prepare. In place of a
 * domain give the type that it is made of; a type that is not built in gets
 * its values as text, but for blobs: they are its binary form.
 * Fails: TN_E_MEMORY. */
int32_t pg__params_types(struct pg__params *params, const uint32_t *oids,
                         uint32_t count, struct tn_call *call);

/* Write params->count values. The arrays are then good until the next call and
 * as long as the bytes of `values`, of which long ones are not copied.
 * Fails: TN_E_DATA, TN_E_CHARSET, TN_E_LIMIT with the parameter's number;
 * TN_E_MEMORY. */
int32_t pg__params_encode(struct pg__params *params, const tn_value *values,
                          struct tn_call *call);

/* ------------------------------------------------------------------ */
/* bulk.c                                                               */

extern const struct tn_bulk_table pg__bulk_table;

#endif
