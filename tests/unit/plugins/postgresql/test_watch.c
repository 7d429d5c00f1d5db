/* What a server says before a session is open is judged right however it is cut
 * into pieces. */
#include <criterion/criterion.h>

#include "pg_priv.h"

#define BYTES(text) text, sizeof(text) - 1

/* Requests for authentication, by code. */
#define OK     "R\0\0\0\x08\0\0\0\0"
#define CLEAR  "R\0\0\0\x08\0\0\0\x03"
#define MD5    "R\0\0\0\x0c\0\0\0\x05salt"
#define GSS    "R\0\0\0\x08\0\0\0\x07"
#define SASL   "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"
#define STATUS "S\0\0\0\x13TimeZone\0UTC\0\0\0"
#define READY  "Z\0\0\0\x05I"
#define FAILURE                                                                \
  "E\0\0\0\x35SFATAL\0VFATAL\0C3D000\0Mdatabase \"x\" is not there\0\0"

struct row {
  const char *about;
  const char *bytes;
  size_t size;
  bool may_clear;
  bool has_password;
  int32_t category; /* of the refusal; 0: none */
};

static const struct row rows[] = {
  { "trust", BYTES(OK STATUS READY), false, false, 0 },
  { "clear text", BYTES(CLEAR), false, true, TN_E_AUTH },
  { "clear text, allowed", BYTES(CLEAR OK), true, true, 0 },
  { "clear text behind another", BYTES(SASL CLEAR), false, true, TN_E_AUTH },
  { "clear text behind a status", BYTES(STATUS CLEAR), false, true, TN_E_AUTH },
  { "clear text behind a yes", BYTES(OK CLEAR), false, true, TN_E_AUTH },
  { "no password", BYTES(CLEAR), true, false, TN_E_AUTH },
  { "no password for a hash", BYTES(MD5), false, false, TN_E_AUTH },
  { "a hash", BYTES(MD5 OK), false, true, 0 },
  { "Kerberos", BYTES(GSS), true, true, TN_E_AUTH },
  { "a length that is none", BYTES("R\0\0\0\x04\0\0\0\x03"), false, true,
    TN_E_CONNECT },
  { "a length without an end", BYTES("S\xff\xff\xff\xff"), false, true,
    TN_E_CONNECT },
};

static void
feed(const struct row *row, size_t piece, struct pg__watch *watch)
{
  size_t at;

  pg__watch_init(watch, row->may_clear, row->has_password);
  for (at = 0; at < row->size && !watch->is_refused; at += piece) {
    size_t size = row->size - at < piece ? row->size - at : piece;

    cr_expect_eq(pg__watch_feed(watch, row->bytes + at, size),
                 !watch->is_refused, "%s", row->about);
  }
}

Test(watch, judges_in_pieces_of_any_size)
{
  struct pg__watch watch;
  size_t i, piece;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (piece = 1; piece <= rows[i].size; piece++) {
      feed(&rows[i], piece, &watch);
      cr_expect_eq(watch.is_refused, rows[i].category != 0,
                   "case %zu: \"%s\", piece %zu", i, rows[i].about, piece);
      cr_expect_eq(watch.reason.category, rows[i].category, "case %zu: \"%s\"",
                   i, rows[i].about);
      if (rows[i].category == 0)
        cr_expect(watch.is_in, "case %zu: \"%s\"", i, rows[i].about);
    }
}

Test(watch, refuses_with_the_last_byte_of_the_code_at_the_latest)
{
  struct pg__watch watch;

  pg__watch_init(&watch, false, true);
  cr_expect(pg__watch_feed(&watch, BYTES("R\0\0\0\x08\0\0\0")));
  cr_expect_not(pg__watch_feed(&watch, "\x03", 1));
  cr_expect(strstr(watch.reason.text, "clear text") != NULL);
  cr_expect(watch.reason.is_final);
}

Test(watch, keeps_the_code_and_text_of_an_error)
{
  static const struct row row = { "error", BYTES(FAILURE), false, true, 0 };
  struct pg__watch watch;
  size_t piece;

  for (piece = 1; piece <= row.size; piece++) {
    feed(&row, piece, &watch);
    cr_expect_not(watch.is_refused);
    cr_expect_str_eq(watch.reason.sqlstate, "3D000", "piece %zu", piece);
    cr_expect_str_eq(watch.reason.text, "database \"x\" is not there",
                     "piece %zu", piece);
  }
}

Test(watch, survives_an_error_of_any_length)
{
  static const char head[] = "E\0\x10\0\x04SFATAL\0C28P01\0M";
  size_t left = 0x100000 - (sizeof head - 1 - 5);
  struct pg__watch watch;
  char filler[4096];

  memset(filler, 'x', sizeof filler);
  pg__watch_init(&watch, false, true);
  cr_expect(pg__watch_feed(&watch, BYTES(head)));
  for (; left > sizeof filler; left -= sizeof filler)
    cr_expect(pg__watch_feed(&watch, filler, sizeof filler));
  cr_expect(pg__watch_feed(&watch, filler, left));
  cr_expect_str_eq(watch.reason.sqlstate, "28P01");
  cr_expect_eq(watch.reason.text[0], 'x');
  cr_expect(strlen(watch.reason.text) < sizeof watch.reason.text);
}

/* No bytes make it read or write out of bounds; the sanitizers look. */
Test(watch, takes_any_bytes)
{
  uint32_t state = 1;
  int round;

  for (round = 0; round < 20000; round++) {
    struct pg__watch watch;
    char bytes[64];
    size_t i;

    for (i = 0; i < sizeof bytes; i++) {
      state = state * 1664525u + 1013904223u;
      bytes[i] = state >> 30 == 0 ? (char)"RESZ\0\0\0\x08"[state >> 16 & 7]
                                  : (char)(state >> 24);
    }
    bytes[0] = "RES"[round % 3];
    bytes[1] = bytes[2] = bytes[3] = 0;
    pg__watch_init(&watch, false, round % 2 == 0);
    (void)pg__watch_feed(&watch, bytes, sizeof bytes);
  }
}
