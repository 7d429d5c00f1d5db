/* The types that are built into every server, by OID.
 *
 * A type is read in binary if its values have a counterpart among those of
 * Tenon, or are common enough that their text is made here. The rest, and what
 * no server sends in binary, is read as the text that the server makes of it:
 * nobody else knows where a locale puts the point in a sum of money, or which
 * table an OID stands for. */
#include "codec_priv.h"

/* Pasted at once, as `bool` is a macro. */
#define CODEC(from, text, to)                                                  \
  pg__decode_##from, pg__parse_##text, pg__encode_##to
#define SAME(name)    pg__decode_##name, pg__parse_##name, pg__encode_##name
#define OTHER(name)   pg__decode_##name, pg__parse_other, pg__encode_other
#define TEXT          pg__decode_text, pg__decode_text, pg__encode_text
#define CHAR          pg__decode_char, pg__decode_text, pg__encode_char
#define XML           pg__decode_text, pg__decode_text, pg__encode_other
#define TEXT_ONLY(to) NULL, pg__parse_other, pg__encode_##to

/* Sorted by OID. One line each, as it is data. */
/* clang-format off */
static const struct pg__type types[] = {
  { 16, 1000, 0, TN_BOOL, "boolean", SAME(bool) },
  { 17, 1001, 0, TN_BLOB, "bytea", SAME(bytea) },
  { 18, 1002, 0, TN_TEXT, "\"char\"", CHAR },
  { 19, 1003, 0, TN_TEXT, "name", TEXT },
  { 20, 1016, 0, TN_INT64, "bigint", CODEC(int8, int, int8) },
  { 21, 1005, 0, TN_INT64, "smallint", CODEC(int2, int, int2) },
  { 22, 1006, 21, TN_ARRAY, "int2vector", CODEC(array, vector, array) },
  { 23, 1007, 0, TN_INT64, "integer", CODEC(int4, int, int4) },
  { 24, 1008, 0, TN_OTHER, "regproc", TEXT_ONLY(oid) },
  { 25, 1009, 0, TN_TEXT, "text", TEXT },
  { 26, 1028, 0, TN_INT64, "oid", CODEC(oid, int, oid) },
  { 27, 1010, 0, TN_OTHER, "tid", OTHER(tid) },
  { 28, 1011, 0, TN_INT64, "xid", CODEC(oid, int, oid) },
  { 29, 1012, 0, TN_INT64, "cid", CODEC(oid, int, oid) },
  { 30, 1013, 26, TN_ARRAY, "oidvector", CODEC(array, vector, array) },
  { 114, 199, 0, TN_JSON, "json", SAME(json) },
  { 142, 143, 0, TN_TEXT, "xml", XML },
  { 143, 0, 142, TN_ARRAY, "xml[]", SAME(array) },
  { 194, 0, 0, TN_TEXT, "pg_node_tree", XML },
  { 199, 0, 114, TN_ARRAY, "json[]", SAME(array) },
  { 271, 0, 5069, TN_ARRAY, "xid8[]", SAME(array) },
  { 600, 1017, 0, TN_OTHER, "point", TEXT_ONLY(other) },
  { 601, 1018, 0, TN_OTHER, "lseg", TEXT_ONLY(other) },
  { 602, 1019, 0, TN_OTHER, "path", TEXT_ONLY(other) },
  { 603, 1020, 0, TN_OTHER, "box", TEXT_ONLY(other) },
  { 604, 1027, 0, TN_OTHER, "polygon", TEXT_ONLY(other) },
  { 628, 629, 0, TN_OTHER, "line", TEXT_ONLY(other) },
  { 629, 0, 628, TN_ARRAY, "line[]", SAME(array) },
  { 650, 651, 0, TN_OTHER, "cidr", OTHER(inet) },
  { 651, 0, 650, TN_ARRAY, "cidr[]", SAME(array) },
  { 700, 1021, 0, TN_DOUBLE, "real", SAME(float4) },
  { 701, 1022, 0, TN_DOUBLE, "double precision", SAME(float8) },
  { 705, 0, 0, TN_TEXT, "unknown", TEXT },
  { 718, 719, 0, TN_OTHER, "circle", TEXT_ONLY(other) },
  { 719, 0, 718, TN_ARRAY, "circle[]", SAME(array) },
  { 774, 775, 0, TN_OTHER, "macaddr8", OTHER(macaddr) },
  { 775, 0, 774, TN_ARRAY, "macaddr8[]", SAME(array) },
  { 790, 791, 0, TN_OTHER, "money", TEXT_ONLY(other) },
  { 791, 0, 790, TN_ARRAY, "money[]", SAME(array) },
  { 829, 1040, 0, TN_OTHER, "macaddr", OTHER(macaddr) },
  { 869, 1041, 0, TN_OTHER, "inet", OTHER(inet) },
  { 1000, 0, 16, TN_ARRAY, "boolean[]", SAME(array) },
  { 1001, 0, 17, TN_ARRAY, "bytea[]", SAME(array) },
  { 1002, 0, 18, TN_ARRAY, "\"char\"[]", SAME(array) },
  { 1003, 0, 19, TN_ARRAY, "name[]", SAME(array) },
  { 1005, 0, 21, TN_ARRAY, "smallint[]", SAME(array) },
  { 1006, 0, 0, TN_OTHER, "int2vector[]", TEXT_ONLY(other) },
  { 1007, 0, 23, TN_ARRAY, "integer[]", SAME(array) },
  { 1008, 0, 24, TN_ARRAY, "regproc[]", SAME(array) },
  { 1009, 0, 25, TN_ARRAY, "text[]", SAME(array) },
  { 1010, 0, 27, TN_ARRAY, "tid[]", SAME(array) },
  { 1011, 0, 28, TN_ARRAY, "xid[]", SAME(array) },
  { 1012, 0, 29, TN_ARRAY, "cid[]", SAME(array) },
  { 1013, 0, 0, TN_OTHER, "oidvector[]", TEXT_ONLY(other) },
  { 1014, 0, 1042, TN_ARRAY, "character[]", SAME(array) },
  { 1015, 0, 1043, TN_ARRAY, "character varying[]", SAME(array) },
  { 1016, 0, 20, TN_ARRAY, "bigint[]", SAME(array) },
  { 1017, 0, 600, TN_ARRAY, "point[]", SAME(array) },
  { 1018, 0, 601, TN_ARRAY, "lseg[]", SAME(array) },
  { 1019, 0, 602, TN_ARRAY, "path[]", SAME(array) },
  { 1020, 0, 603, TN_ARRAY, "box[]", SAME(array) },
  { 1021, 0, 700, TN_ARRAY, "real[]", SAME(array) },
  { 1022, 0, 701, TN_ARRAY, "double precision[]", SAME(array) },
  { 1027, 0, 604, TN_ARRAY, "polygon[]", SAME(array) },
  { 1028, 0, 26, TN_ARRAY, "oid[]", SAME(array) },
  { 1033, 1034, 0, TN_OTHER, "aclitem", TEXT_ONLY(other) },
  { 1034, 0, 1033, TN_ARRAY, "aclitem[]", SAME(array) },
  { 1040, 0, 829, TN_ARRAY, "macaddr[]", SAME(array) },
  { 1041, 0, 869, TN_ARRAY, "inet[]", SAME(array) },
  { 1042, 1014, 0, TN_TEXT, "character", TEXT },
  { 1043, 1015, 0, TN_TEXT, "character varying", TEXT },
  { 1082, 1182, 0, TN_DATE, "date", SAME(date) },
  { 1083, 1183, 0, TN_TIME, "time without time zone", SAME(time) },
  { 1114, 1115, 0, TN_TIMESTAMP, "timestamp without time zone", SAME(timestamp) },
  { 1115, 0, 1114, TN_ARRAY, "timestamp without time zone[]", SAME(array) },
  { 1182, 0, 1082, TN_ARRAY, "date[]", SAME(array) },
  { 1183, 0, 1083, TN_ARRAY, "time without time zone[]", SAME(array) },
  { 1184, 1185, 0, TN_TIMESTAMP, "timestamp with time zone", SAME(timestamptz) },
  { 1185, 0, 1184, TN_ARRAY, "timestamp with time zone[]", SAME(array) },
  { 1186, 1187, 0, TN_OTHER, "interval", OTHER(interval) },
  { 1187, 0, 1186, TN_ARRAY, "interval[]", SAME(array) },
  { 1231, 0, 1700, TN_ARRAY, "numeric[]", SAME(array) },
  { 1263, 0, 2275, TN_ARRAY, "cstring[]", SAME(array) },
  { 1266, 1270, 0, TN_OTHER, "time with time zone", OTHER(timetz) },
  { 1270, 0, 1266, TN_ARRAY, "time with time zone[]", SAME(array) },
  { 1560, 1561, 0, TN_OTHER, "bit", OTHER(bit) },
  { 1561, 0, 1560, TN_ARRAY, "bit[]", SAME(array) },
  { 1562, 1563, 0, TN_OTHER, "bit varying", OTHER(bit) },
  { 1563, 0, 1562, TN_ARRAY, "bit varying[]", SAME(array) },
  { 1700, 1231, 0, TN_DECIMAL, "numeric", SAME(numeric) },
  { 1790, 2201, 0, TN_TEXT, "refcursor", TEXT },
  { 2201, 0, 1790, TN_ARRAY, "refcursor[]", SAME(array) },
  { 2202, 2207, 0, TN_OTHER, "regprocedure", TEXT_ONLY(oid) },
  { 2203, 2208, 0, TN_OTHER, "regoper", TEXT_ONLY(oid) },
  { 2204, 2209, 0, TN_OTHER, "regoperator", TEXT_ONLY(oid) },
  { 2205, 2210, 0, TN_OTHER, "regclass", TEXT_ONLY(oid) },
  { 2206, 2211, 0, TN_OTHER, "regtype", TEXT_ONLY(oid) },
  { 2207, 0, 2202, TN_ARRAY, "regprocedure[]", SAME(array) },
  { 2208, 0, 2203, TN_ARRAY, "regoper[]", SAME(array) },
  { 2209, 0, 2204, TN_ARRAY, "regoperator[]", SAME(array) },
  { 2210, 0, 2205, TN_ARRAY, "regclass[]", SAME(array) },
  { 2211, 0, 2206, TN_ARRAY, "regtype[]", SAME(array) },
  { 2249, 2287, 0, TN_OTHER, "record", TEXT_ONLY(other) },
  { 2275, 1263, 0, TN_TEXT, "cstring", TEXT },
  { 2278, 0, 0, TN_OTHER, "void", OTHER(void) },
  { 2287, 0, 2249, TN_ARRAY, "record[]", SAME(array) },
  { 2949, 0, 2970, TN_ARRAY, "txid_snapshot[]", SAME(array) },
  { 2950, 2951, 0, TN_UUID, "uuid", SAME(uuid) },
  { 2951, 0, 2950, TN_ARRAY, "uuid[]", SAME(array) },
  { 2970, 2949, 0, TN_OTHER, "txid_snapshot", TEXT_ONLY(other) },
  { 3220, 3221, 0, TN_OTHER, "pg_lsn", OTHER(lsn) },
  { 3221, 0, 3220, TN_ARRAY, "pg_lsn[]", SAME(array) },
  { 3614, 3643, 0, TN_OTHER, "tsvector", TEXT_ONLY(other) },
  { 3615, 3645, 0, TN_OTHER, "tsquery", TEXT_ONLY(other) },
  { 3642, 3644, 0, TN_OTHER, "gtsvector", TEXT_ONLY(other) },
  { 3643, 0, 3614, TN_ARRAY, "tsvector[]", SAME(array) },
  { 3644, 0, 3642, TN_ARRAY, "gtsvector[]", SAME(array) },
  { 3645, 0, 3615, TN_ARRAY, "tsquery[]", SAME(array) },
  { 3734, 3735, 0, TN_OTHER, "regconfig", TEXT_ONLY(oid) },
  { 3735, 0, 3734, TN_ARRAY, "regconfig[]", SAME(array) },
  { 3769, 3770, 0, TN_OTHER, "regdictionary", TEXT_ONLY(oid) },
  { 3770, 0, 3769, TN_ARRAY, "regdictionary[]", SAME(array) },
  { 3802, 3807, 0, TN_JSON, "jsonb", CODEC(jsonb, json, jsonb) },
  { 3807, 0, 3802, TN_ARRAY, "jsonb[]", SAME(array) },
  { 3904, 3905, 0, TN_OTHER, "int4range", TEXT_ONLY(other) },
  { 3905, 0, 3904, TN_ARRAY, "int4range[]", SAME(array) },
  { 3906, 3907, 0, TN_OTHER, "numrange", TEXT_ONLY(other) },
  { 3907, 0, 3906, TN_ARRAY, "numrange[]", SAME(array) },
  { 3908, 3909, 0, TN_OTHER, "tsrange", TEXT_ONLY(other) },
  { 3909, 0, 3908, TN_ARRAY, "tsrange[]", SAME(array) },
  { 3910, 3911, 0, TN_OTHER, "tstzrange", TEXT_ONLY(other) },
  { 3911, 0, 3910, TN_ARRAY, "tstzrange[]", SAME(array) },
  { 3912, 3913, 0, TN_OTHER, "daterange", TEXT_ONLY(other) },
  { 3913, 0, 3912, TN_ARRAY, "daterange[]", SAME(array) },
  { 3926, 3927, 0, TN_OTHER, "int8range", TEXT_ONLY(other) },
  { 3927, 0, 3926, TN_ARRAY, "int8range[]", SAME(array) },
  { 4072, 4073, 0, TN_OTHER, "jsonpath", OTHER(jsonpath) },
  { 4073, 0, 4072, TN_ARRAY, "jsonpath[]", SAME(array) },
  { 4089, 4090, 0, TN_OTHER, "regnamespace", TEXT_ONLY(oid) },
  { 4090, 0, 4089, TN_ARRAY, "regnamespace[]", SAME(array) },
  { 4096, 4097, 0, TN_OTHER, "regrole", TEXT_ONLY(oid) },
  { 4097, 0, 4096, TN_ARRAY, "regrole[]", SAME(array) },
  { 4191, 4192, 0, TN_OTHER, "regcollation", TEXT_ONLY(oid) },
  { 4192, 0, 4191, TN_ARRAY, "regcollation[]", SAME(array) },
  { 4451, 6150, 0, TN_OTHER, "int4multirange", TEXT_ONLY(other) },
  { 4532, 6151, 0, TN_OTHER, "nummultirange", TEXT_ONLY(other) },
  { 4533, 6152, 0, TN_OTHER, "tsmultirange", TEXT_ONLY(other) },
  { 4534, 6153, 0, TN_OTHER, "tstzmultirange", TEXT_ONLY(other) },
  { 4535, 6155, 0, TN_OTHER, "datemultirange", TEXT_ONLY(other) },
  { 4536, 6157, 0, TN_OTHER, "int8multirange", TEXT_ONLY(other) },
  { 5038, 5039, 0, TN_OTHER, "pg_snapshot", TEXT_ONLY(other) },
  { 5039, 0, 5038, TN_ARRAY, "pg_snapshot[]", SAME(array) },
  { 5069, 271, 0, TN_UINT64, "xid8", CODEC(xid8, uint, uint8) },
  { 6150, 0, 4451, TN_ARRAY, "int4multirange[]", SAME(array) },
  { 6151, 0, 4532, TN_ARRAY, "nummultirange[]", SAME(array) },
  { 6152, 0, 4533, TN_ARRAY, "tsmultirange[]", SAME(array) },
  { 6153, 0, 4534, TN_ARRAY, "tstzmultirange[]", SAME(array) },
  { 6155, 0, 4535, TN_ARRAY, "datemultirange[]", SAME(array) },
  { 6157, 0, 4536, TN_ARRAY, "int8multirange[]", SAME(array) },
};
/* clang-format on */

const struct pg__type *
pg__type_find(uint32_t oid)
{
  size_t low = 0;
  size_t high = sizeof types / sizeof types[0];

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (types[middle].oid == oid)
      return &types[middle];
    if (types[middle].oid < oid)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

/* By enum tn_type. */
static const uint32_t oids[] = {
  [TN_NULL] = 0,
  [TN_BOOL] = PG__OID_BOOL,
  [TN_INT64] = PG__OID_INT8,
  [TN_UINT64] = PG__OID_NUMERIC,
  [TN_DOUBLE] = PG__OID_FLOAT8,
  [TN_DECIMAL] = PG__OID_NUMERIC,
  [TN_TEXT] = PG__OID_TEXT,
  [TN_BLOB] = PG__OID_BYTEA,
  [TN_DATE] = PG__OID_DATE,
  [TN_TIME] = PG__OID_TIME,
  [TN_TIMESTAMP] = PG__OID_TIMESTAMP,
  [TN_UUID] = PG__OID_UUID,
  [TN_JSON] = PG__OID_JSON,
  [TN_OTHER] = 0,
  [TN_ARRAY] = 0,
};

/* An item that tells the type: one that is neither NULL nor an array. */
static const tn_value *
first_leaf(const tn_value *array, int depth)
{
  const tn_value *leaf = NULL;
  size_t i;

  for (i = 0; leaf == NULL && i < array->as.array.count; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (item->type != TN_ARRAY)
      leaf = item->type == TN_NULL ? NULL : item;
    else if (depth < TN_ARRAY_DEPTH_MAX)
      leaf = first_leaf(item, depth + 1);
  }
  return leaf;
}

static uint32_t
oid_of(uint32_t type, uint32_t flags)
{
  if (type == TN_TIMESTAMP && (flags & TN_VALUE_ZONED) != 0)
    return PG__OID_TIMESTAMPTZ;
  return type < sizeof oids / sizeof oids[0] ? oids[type] : 0;
}

uint32_t
pg__oid_of_value(const tn_value *value)
{
  const struct pg__type *element;
  const tn_value *leaf;
  uint32_t oid;

  if (value->type != TN_ARRAY)
    return oid_of(value->type, value->flags);
  leaf = first_leaf(value, 1);
  if (leaf != NULL)
    oid = oid_of(leaf->type, leaf->flags);
  else
    oid = oid_of((uint32_t)value->more.element_type, 0);
  element = pg__type_find(oid);
  return element == NULL ? 0 : element->array;
}
