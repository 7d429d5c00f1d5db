/* Bytes as a server would send them, to cells, and values to such bytes. For
 * the codec's tests of this folder only. */
#ifndef TENON_TESTS_PG_BYTES_H
#define TENON_TESTS_PG_BYTES_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "codec_priv.h"
#include "fake_host.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct codec {
  struct fake_call fake;
  struct tn_arena arena;
  struct pg__reader reader;
  char *data; /* of the last cell, in a block of its very size */
  size_t size;
};

static inline void
codec_init(struct codec *codec)
{
  memset(codec, 0, sizeof *codec);
  fake_call_init(&codec->fake, NULL);
  codec->fake.call.arena = &codec->arena;
}

static inline void
codec_clear(struct codec *codec)
{
  free(codec->data);
  tn_arena_clear(&codec->arena);
}

/* Take `size` bytes, so that a read beyond them is seen. */
static inline void
codec_take(struct codec *codec, const void *bytes, size_t size)
{
  char *data = malloc(size);

  cr_assert(size == 0 || data != NULL);
  if (size > 0)
    memcpy(data, bytes, size);
  free(codec->data);
  codec->data = data;
  codec->size = size;
}

static inline unsigned
hex_of(char c)
{
  return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Take what is written as hexadecimal digits, with blanks where one likes. */
static inline void
codec_take_hex(struct codec *codec, const char *hex)
{
  char bytes[1024];
  size_t size = 0;

  while (*hex != '\0') {
    if (*hex == ' ') {
      hex++;
      continue;
    }
    cr_assert(size < sizeof bytes && hex[1] != '\0');
    bytes[size++] = (char)(hex_of(hex[0]) << 4 | hex_of(hex[1]));
    hex += 2;
  }
  codec_take(codec, bytes, size);
}

/* Read what was taken. */
static inline int32_t
codec_read(struct codec *codec, tn_value *cell)
{
  tn_arena_reset(&codec->arena);
  return codec->reader.decode(&codec->reader, codec->data, codec->size,
                              &codec->fake.call, cell);
}

/* The cell as "int64 -1", in a buffer of the caller's; returns it. What a cell
 * promises is checked on the way. */
static inline const char *
codec_show(struct codec *codec, char *out, size_t size)
{
  tn_value cell;
  int32_t rc = codec_read(codec, &cell);
  tn_err err = TN_ERR_INIT;
  int used;

  if (rc != TN_OK) {
    cr_assert_eq(codec->fake.err.code, rc);
    snprintf(out, size, "%s", tn_code_name(rc));
    return out;
  }
  cr_expect_eq(tn_value_check(&cell, &err), TN_OK, "%s", err.message);
  used = snprintf(out, size, "%s ", tn_type_name(cell.type));
  tn_value_print(&cell, out + used, size - (size_t)used);
  return out;
}

/* A value in the form of a type: "binary 00000001", "text \"1\"", "null", or
 * the category and the text of the refusal. */
static inline const char *
codec_write(struct codec *codec, uint32_t oid, const tn_value *value, char *out,
            size_t size)
{
  struct pg__params params;
  size_t used;
  int32_t rc;
  int i;

  pg__params_init(&params, codec->fake.call.host);
  rc = pg__params_types(&params, &oid, 1, &codec->fake.call);
  cr_assert_eq(rc, TN_OK);
  rc = pg__params_encode(&params, value, &codec->fake.call);
  if (rc != TN_OK) {
    cr_expect_eq(codec->fake.err.parameter, 1);
    snprintf(out, size, "%s: %.*s", tn_code_name(rc), (int)size - 16,
             codec->fake.err.message);
  } else if (params.values[0] == NULL) {
    snprintf(out, size, "null");
  } else if (params.formats[0] == PG__FORMAT_TEXT) {
    cr_expect_eq((int)strlen(params.values[0]) + 1, params.lengths[0]);
    snprintf(out, size, "text %s", params.values[0]);
  } else {
    used = (size_t)snprintf(out, size, "binary ");
    for (i = 0; i < params.lengths[0] && used + 3 < size; i++)
      used += (size_t)snprintf(out + used, size - used, "%02x",
                               (unsigned)(unsigned char)params.values[0][i]);
  }
  pg__params_clear(&params);
  return out;
}

#endif
