/* Values to and from the client library's buffers.
 *
 * Nothing here talks to the server: types.c reads metadata, decode.c what a
 * fetch has left in the bound buffers, bind.c fills in parameters. So the unit
 * tests need no server. Built on what MariaDB Connector/C and libmysqlclient
 * have in common; what only one has is behind MYSQL__HAS_…. */
#ifndef TENON_MYSQL_CODEC_H
#define TENON_MYSQL_CODEC_H

#include <mysql.h>
#include <stdbool.h>
#include <tenon/plugin.h>

/* libmysqlclient has had plain bool since 8.0; Connector/C keeps a char. */
#if defined(MARIADB_PACKAGE_VERSION) || MYSQL_VERSION_ID < 80000
typedef my_bool mysql__flag;
#else
typedef bool mysql__flag;
#endif

/* Rows of parameters in one request, handed over row by row as it is built
 * (Connector/C 3.3). */
#if defined(MARIADB_PACKAGE_VERSION_ID) && MARIADB_PACKAGE_VERSION_ID >= 30300
#define MYSQL__HAS_ARRAYS 1
#else
#define MYSQL__HAS_ARRAYS 0
#endif

/* The number of the character set whose strings are bytes. */
#define MYSQL__BINARY 63

/* ------------------------------------------------------------------ */
/* types.c                                                              */

/* How the cells of a column are read. */
enum mysql__decoder {
  MYSQL__AS_NULL = 1,
  MYSQL__AS_INT8,
  MYSQL__AS_INT16,
  MYSQL__AS_INT32,
  MYSQL__AS_INT64,
  MYSQL__AS_UINT8,
  MYSQL__AS_UINT16,
  MYSQL__AS_UINT32,
  MYSQL__AS_UINT64,
  MYSQL__AS_BOOL,
  MYSQL__AS_FLOAT,
  MYSQL__AS_DOUBLE,
  MYSQL__AS_DATE,
  MYSQL__AS_TIME,
  MYSQL__AS_DATETIME,
  MYSQL__AS_MOMENT, /* TIMESTAMP, in the session's zone, which is UTC */
  MYSQL__AS_BIT,
  MYSQL__AS_DECIMAL, /* from here on: bytes of any length */
  MYSQL__AS_TEXT,
  MYSQL__AS_BLOB,
  MYSQL__AS_JSON,
  MYSQL__AS_UUID,
  MYSQL__AS_OTHER,
  MYSQL__DECODER_COUNT
};

/* What a column of the server's is to Tenon. */
struct mysql__type {
  uint32_t decoder; /* enum mysql__decoder */
  uint32_t type;    /* enum tn_type */
  bool is_known;    /* to the client library, which cannot fetch another */
  const char *name; /* "bigint unsigned"; static, or the field's */
  size_t name_size;
};

void mysql__type_of(const MYSQL_FIELD *field, struct mysql__type *ret);

/* ------------------------------------------------------------------ */
/* reader.c, decode.c                                                   */

/* Where the library writes one column, and how that is read. */
struct mysql__cell {
  uint32_t decoder;
  uint32_t decimals; /* digits of a fraction of a second that are shown */
  const char *type_name;
  unsigned long length;
  mysql__flag is_null;
  mysql__flag error;
  char *bytes; /* of `capacity`; `own`, or the host's memory */
  size_t capacity;
  char *own; /* part of the reader's memory */
  size_t own_capacity;
  union {
    int8_t int8;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    uint8_t uint8;
    uint16_t uint16;
    uint32_t uint32;
    uint64_t uint64;
    float real32;
    double real;
    MYSQL_TIME time;
    uint8_t bits[8];
  } as;
  char scratch[48]; /* a time that is no time of day, a date that is none */
};

/* The columns of a result. All zero is an empty one. */
struct mysql__reader {
  const struct tn_host *host;
  uint32_t count;
  bool is_text;   /* rows come by mysql_fetch_row() */
  bool is_stale;  /* `binds` have not been given to the library */
  bool has_large; /* a cell whose buffer is not to be kept for ever */
  void *previous; /* what `memory` was before: its columns may be in use */
  void *memory;   /* all that follows */
  struct tn_column *columns;
  MYSQL_BIND *binds; /* for mysql_stmt_bind_result() */
  struct mysql__cell *cells;
  struct mysql__shape *shapes; /* what the fields were like */
};

/* Get ready for rows with these fields. Does nothing if they are as before;
 * else `is_stale` is set, and the columns before the last ones are gone: those
 * of one result set are kept while the next is looked for. Call it after every
 * execute, and for every result set. Fails: TN_E_MEMORY;
 * TN_E_UNSUPPORTED, a type that the library cannot fetch. */
int32_t mysql__reader_set(struct mysql__reader *reader,
                          const MYSQL_FIELD *fields, uint32_t count,
                          bool is_text, struct tn_call *call);

/* mysql_stmt_bind_result(), if that is due. Call it before the first fetch of
 * each result; mysql__decode_row() calls it when a buffer has grown. */
int32_t mysql__reader_bind(struct mysql__reader *reader, MYSQL_STMT *stmt,
                           struct tn_call *call);

/* The library forgets what was bound when it reads a result set with other
 * columns or prepares anew: bind again. */
static inline void
mysql__reader_unbind(struct mysql__reader *reader)
{
  reader->is_stale = true;
}

/* The result is closed: give back what is large. */
void mysql__reader_trim(struct mysql__reader *reader);

static inline void
mysql__reader_rest(struct mysql__reader *reader)
{
  if (reader->has_large)
    mysql__reader_trim(reader);
}

void mysql__reader_clear(struct mysql__reader *reader);

/* Fetch a cell again whose bytes did not fit, into a buffer that is large
 * enough. */
int32_t mysql__reader_grow(struct mysql__reader *reader, MYSQL_STMT *stmt,
                           uint32_t column, struct tn_call *call);

/* Read the row that mysql_stmt_fetch() has fetched, whether it returned 0 or
 * MYSQL_DATA_TRUNCATED. The cells' bytes live until the next fetch. Talks to no
 * server. Fails: TN_E_MEMORY, TN_E_INTERNAL. */
int32_t mysql__decode_row(struct mysql__reader *reader, MYSQL_STMT *stmt,
                          tn_value *cells, struct tn_call *call);

/* The same for a row of mysql_fetch_row() with mysql_fetch_lengths(), whose
 * bytes the cells borrow. Cannot fail. */
void mysql__decode_text_row(struct mysql__reader *reader, MYSQL_ROW row,
                            const unsigned long *lengths, tn_value *cells);

/* ------------------------------------------------------------------ */
/* sent.c                                                               */

/* What this server takes. */
struct mysql__limits {
  uint64_t packet;         /* bytes of one request: max_allowed_packet */
  uint32_t decimal_digits; /* in all: 65 */
  uint32_t decimal_scale;  /* of them behind the point: 30; MariaDB has 38 */
  int64_t moment_max;      /* microseconds; MYSQL__MOMENT_MAX, or more */
};

/* The last moment of TIMESTAMP, in January 2038; and in February 2106, for
 * MariaDB from 11.5 on. */
#define MYSQL__MOMENT_MAX      INT64_C(2147483647999999)
#define MYSQL__MOMENT_MAX_WIDE INT64_C(4294967295999999)

/* What a parameter is sent as. */
enum mysql__sent {
  MYSQL__SENT_NULL = 1,
  MYSQL__SENT_INT64,
  MYSQL__SENT_UINT64,
  MYSQL__SENT_DOUBLE,
  MYSQL__SENT_DECIMAL,
  MYSQL__SENT_TEXT,
  MYSQL__SENT_BLOB,
  MYSQL__SENT_DATE,
  MYSQL__SENT_TIME,
  MYSQL__SENT_DATETIME,
  MYSQL__SENT_MOMENT, /* TIMESTAMP in UTC */
};

/* What a value has around it in a request: its type, the length of its length,
 * the bit or byte that says NULL. And what a request has as a whole. */
#define MYSQL__VALUE_OVERHEAD   16
#define MYSQL__REQUEST_OVERHEAD 64

/* A value that has been looked at. */
struct mysql__sight {
  uint32_t sent;    /* enum mysql__sent */
  int32_t category; /* TN_OK, or why it is refused */
  size_t bytes;     /* in the request */
  const char *text;
};

void mysql__look(const struct mysql__limits *limits, const tn_value *value,
                 struct mysql__sight *sight);

/* A date, a time or a timestamp, a zoned one as that of UTC. */
void mysql__set_time(MYSQL_TIME *time, const tn_value *value);

/* 36 characters without a NUL. */
void mysql__print_uuid(const tn_value *value, char text[40]);

/* ------------------------------------------------------------------ */
/* bind.c                                                               */

/* One parameter. The library keeps pointers into it. */
struct mysql__param {
  uint32_t sent;  /* enum mysql__sent; 0: not bound yet */
  uint32_t taken; /* likewise, of the rows that mysql__array_take() looked at;
                     0: all NULL */
  mysql__flag is_null;
  char indicator; /* of a row of an array */
  unsigned long length;
  union {
    int64_t int64; /* also the bits of a uint64 */
    double real;
    MYSQL_TIME time;
    char uuid[40];
  } as;
  char *bytes; /* a copy of a short text, so that it stays where it is and need
                  not be bound anew; the host's memory */
  size_t capacity;
};

/* The parameters of a statement. All zero is an empty one. */
struct mysql__params {
  const struct tn_host *host;
  const struct mysql__limits *limits;
  uint32_t count;
  bool is_stale; /* `binds` have changed since the library had them */
  MYSQL_BIND *binds;
  struct mysql__param *params;
};

/* `limits` must live as long. Fails: TN_E_MEMORY. */
int32_t mysql__params_init(struct mysql__params *params, uint32_t count,
                           const struct mysql__limits *limits,
                           struct tn_call *call);

void mysql__params_clear(struct mysql__params *params);

/* Put the values in place, which are borrowed until the statement has been
 * executed. Fails, saying the parameter's number, before anything is sent:
 * TN_E_DATA, MySQL would alter it; TN_E_LIMIT, more than a request may have;
 * TN_E_UNSUPPORTED; TN_E_MEMORY. */
int32_t mysql__params_set(struct mysql__params *params, const tn_value *values,
                          struct tn_call *call);

/* mysql_stmt_bind_param(), if that is due: after mysql__params_set(). */
int32_t mysql__params_bind(struct mysql__params *params, MYSQL_STMT *stmt,
                           struct tn_call *call);

/* Have a parameter sent as that. */
void mysql__set_type(struct mysql__params *params, uint32_t index,
                     uint32_t sent);

/* Refuse a parameter (from 1) of a row (from 1; 0: there is one) with a text of
 * our own. */
int32_t mysql__refuse(struct tn_call *call, int32_t category,
                      uint32_t parameter, uint64_t row, const char *text);

/* Refuse a row whose request would be too long, naming the parameter that has
 * the most of it. */
int32_t mysql__refuse_length(const struct mysql__params *params,
                             const tn_value *values, uint64_t row,
                             struct tn_call *call);

/* ------------------------------------------------------------------ */
/* array.c                                                              */

/* Rows of values that go in one request. */
struct mysql__array {
  struct mysql__params *params;
  const tn_value *values;
  uint64_t first_row; /* its number, from 1 */
  bool is_mixed; /* a column's types may differ: not for mysql__array_bind() */
  bool is_ended; /* the next row was looked at, and does not go with these */
  uint32_t rows;
  size_t bytes; /* of the request, or somewhat less */
};

/* How many of the `rows` rows (1 or more) that begin at `array->values` can be
 * sent together: of the same types column by column and no more than
 * `max_bytes`, though one row may be longer. They are checked as
 * mysql__params_set() does; a value that is refused ends the array before its
 * row, and fails once that row is the first. Sets `array->rows` and `bytes`. */
int32_t mysql__array_take(struct mysql__array *array, uint64_t rows,
                          size_t max_bytes, struct tn_call *call);

/* How many of the `rows` rows at `values` can be sent after those that the
 * array took before, and nothing by its parameters since. They count as taken;
 * that they come to stand behind the others is the caller's. */
uint32_t mysql__array_join(struct mysql__array *array, const tn_value *values,
                           uint64_t rows, size_t max_bytes);

/* Have executions of `stmt` send the array, which must stay where it is until
 * it is unbound. Fails: TN_E_UNSUPPORTED, without MYSQL__HAS_ARRAYS. */
int32_t mysql__array_bind(struct mysql__array *array, MYSQL_STMT *stmt,
                          struct tn_call *call);
void mysql__array_unbind(struct mysql__array *array, MYSQL_STMT *stmt);

/* ------------------------------------------------------------------ */
/* bulk.c                                                               */

extern const struct tn_bulk_table mysql__bulk_table;

#endif
