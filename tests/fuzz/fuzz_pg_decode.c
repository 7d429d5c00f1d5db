/* Fuzz target for what a PostgreSQL server sends as the value of a column.
 *
 * The first two bytes are the type's OID, the third one its format (an even
 * number is text) and whether a type that is not built in is an enum or an
 * array; the rest is the value. Whatever it is, the promises below hold; a
 * broken one aborts. */
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "codec_priv.h"
#include "fake_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds, const char *promise)
{
  if (holds)
    return;
  fprintf(stderr, "broken: %s\n", promise);
  abort();
}

/* Cells are well-formed, but that the word of the server is taken for what is
 * JSON. */
static void
check_cell(const struct pg__reader *reader, const tn_value *cell)
{
  char text[64];

  require(cell->flags == 0 || cell->type == TN_TIMESTAMP, "flags are known");
  if (cell->type != TN_JSON && reader->item_type != TN_JSON)
    require(tn_value_check(cell, NULL) == TN_OK, "a cell is well-formed");
  require(cell->type == reader->tn_type || cell->type == TN_OTHER ||
              cell->type == TN_BLOB,
          "a cell is of its column's type, or other, or no text");
  tn_value_print(cell, text, sizeof text);
}

/* What was read in binary can be sent, and is read again as the same. */
static void
check_again(struct pg__reader *reader, uint32_t oid, const tn_value *cell,
            struct tn_call *call)
{
  struct pg__params params;
  tn_value again;

  pg__params_init(&params, call->host);
  require(pg__params_types(&params, &oid, 1, call) == TN_OK, "memory");
  if (pg__params_encode(&params, cell, call) == TN_OK &&
      params.formats[0] == PG__FORMAT_BINARY) {
    require(reader->decode(reader, params.values[0], (size_t)params.lengths[0],
                           call, &again) == TN_OK,
            "what is sent can be read");
    require(tn_value_equal(cell, &again), "it comes back equal");
  }
  pg__params_clear(&params);
}

/* With the scratch in use a second cell would overwrite the first. */
static void
check_binary(uint32_t oid, const char *bytes, size_t size, struct tn_call *call)
{
  struct pg__reader reader;
  struct pg__reader second;
  tn_value cell;

  pg__reader_init(&reader, oid, NULL, PG__FORMAT_BINARY);
  second = reader;
  if (reader.decode(&reader, bytes, size, call, &cell) != TN_OK)
    return;
  check_cell(&reader, &cell);
  if (!reader.wants_text && cell.type != TN_JSON && reader.item_type != TN_JSON)
    check_again(&second, oid, &cell, call);
}

static void
check_custom(uint8_t how, uint32_t oid, const char *bytes, size_t size,
             struct tn_call *call)
{
  const struct pg__custom custom = {
    .oid = oid,
    .element = (how & 4) != 0 ? 23 : 0,
    .element_base = (how & 8) != 0 ? 1700 : 0,
    .kind = (how & 2) != 0 ? 'e' : 'b',
    .element_kind = (how & 16) != 0 ? 'e' : 'd',
    .name = "custom",
    .element_name = (how & 32) != 0 ? "item" : NULL,
  };
  struct pg__reader reader;
  tn_value cell;

  pg__reader_init(&reader, oid, &custom,
                  (how & 1) != 0 ? PG__FORMAT_BINARY : PG__FORMAT_TEXT);
  if (reader.decode(&reader, bytes, size, call, &cell) == TN_OK)
    check_cell(&reader, &cell);
}

static void
check_text(uint32_t oid, const char *bytes, size_t size, struct tn_call *call)
{
  struct pg__reader reader;
  tn_value cell;

  pg__reader_init(&reader, oid, NULL, PG__FORMAT_TEXT);
  if (reader.decode(&reader, bytes, size, call, &cell) == TN_OK)
    check_cell(&reader, &cell);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tn_arena arena = { .blocks = NULL };
  struct fake_call fake;
  uint32_t oid;
  char *bytes;

  if (size < 3)
    return 0;
  oid = (uint32_t)data[0] << 8 | data[1];
  fake_call_init(&fake, NULL);
  fake.call.arena = &arena;
  bytes = malloc(size - 3); /* so that a read past the end is seen */
  require(bytes != NULL || size == 3, "memory");
  if (size > 3)
    memcpy(bytes, data + 3, size - 3);
  if (pg__type_find(oid) == NULL)
    check_custom(data[2], oid, bytes, size - 3, &fake.call);
  else if (data[2] % 2 != 0)
    check_binary(oid, bytes, size - 3, &fake.call);
  else
    check_text(oid, bytes, size - 3, &fake.call);
  tn_arena_clear(&arena);
  free(bytes);
  return 0;
}
