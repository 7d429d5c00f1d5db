/* What the files of the value module share.
 *
 * Several functions here judge and return a cause: NULL means that it went
 * well, any other text says why not, and "" that there is nothing to add to
 * "does not fit". tn_value__refuse() makes the error of it, so the judges need
 * no error object. */
#ifndef TENON_VALUE_PRIV_H
#define TENON_VALUE_PRIV_H

#include <tenon/value.h>

#include "base_priv.h"

/* Is `type` one whose value is made of bytes? */
bool tn_value__has_bytes(uint32_t type);

/* TN_E_DATA: "value: VALUE does not fit TYPE[: CAUSE]", the value shortened. */
enum tn_code tn_value__refuse(const tn_value *value, uint32_t type,
                              const char *cause, tn_err *err);

/* The same for a target that is no enum tn_type, such as "int32". */
enum tn_code tn_value__refuse_as(const tn_value *value, const char *type_name,
                                 const char *cause, tn_err *err);

/* TN_E_CHARSET with the offset of the first byte that is no UTF-8. */
enum tn_code tn_value__check_utf8(const char *text, size_t size, tn_err *err);

/* TN_E_DATA, saying why and where, unless the bytes, which are UTF-8, are
 * JSON. */
enum tn_code tn_value__check_json(const tn_value *value, tn_err *err);

/* ------------------------------------------------------------------ */
/* value_array.c                                                       */

/* As tn_value_check(), tn_value_equal() and tn_value_print(), of arrays. */
enum tn_code tn_array__check(const tn_value *value, tn_err *err);
bool tn_array__equal(const tn_value *a, const tn_value *b);
size_t tn_array__print(const tn_value *value, char *buffer, size_t size);

/* ------------------------------------------------------------------ */
/* number.c: the decimal grammar                                       */

/* A decimal, taken apart where it stands. No digit is copied, so that one of
 * any length costs no memory. */
struct tn_number {
  const char *digits; /* from the first to the last that is not 0; there may be
                         a '.' among them */
  size_t count;       /* digits, the '.' not counted; 0: the number is zero */
  int64_t top;        /* the power of ten of the first one; if the exponent is
                         vast, without it */
  const char *exponent; /* its digits, without zeros in front */
  size_t exponent_size;
  bool is_negative;
  bool has_negative_exponent;
  bool is_vast; /* more than 17 digits of exponent */
};

/* Read all of `text` as [+-]digits[.digits][e[+-]digits], where the digits on
 * one side of the point may be left out. */
bool tn_number__read(const char *text, size_t size, struct tn_number *ret);

/* The next digit behind `*at`, from 0 to 9. */
unsigned tn_number__digit(const char **at);

/* Equal as numbers. Vast exponents are compared as they are written. */
bool tn_number__equal(const struct tn_number *a, const struct tn_number *b);

/* An integer in both ranges at once. */
struct tn_integer {
  uint64_t magnitude;
  bool is_negative; /* never of zero */
};
const char *tn_number__to_integer(const struct tn_number *number,
                                  struct tn_integer *ret);

/* ------------------------------------------------------------------ */
/* number_double.c                                                     */

/* How near a double must be to stand for a number. */
enum tn_nearness {
  TN_NEAR_EXACT = 1, /* it is the number, or is printed as it */
  TN_NEAR_PRINTED,   /* or rounding it to as many digits gives the number: what
                        a server prints with %.17g reads back */
};
const char *tn_number__to_double(const struct tn_number *number,
                                 enum tn_nearness nearness, double *ret);

/* The shortest text that reads back equal; `out` has TN_VALUE_PRINT_MAX bytes.
 * Returns its length. */
size_t tn_number__print_double(double real, char *out);

/* ------------------------------------------------------------------ */
/* calendar.c                                                          */

const char *tn_calendar__read_date(const char *text, size_t size,
                                   tn_value *ret);
const char *tn_calendar__read_time(const char *text, size_t size,
                                   tn_value *ret);
const char *tn_calendar__read_timestamp(const char *text, size_t size,
                                        tn_value *ret);

/* Is the date, time or timestamp one that can be printed? */
const char *tn_calendar__check(const tn_value *value);

/* Print a value that passed the check; `out` has TN_VALUE_PRINT_MAX bytes.
 * Return the length. */
size_t tn_calendar__print_date(const tn_value *value, char *out);
size_t tn_calendar__print_time(const tn_value *value, char *out);
size_t tn_calendar__print_timestamp(const tn_value *value, char *out);

/* ------------------------------------------------------------------ */
/* json_check.c                                                        */

/* How deep arrays and objects may be nested. */
#define TN_JSON_DEPTH_MAX 512

/* Is `text`, which is UTF-8, one JSON value by RFC 8259? On a refusal
 * `*ret_offset` (may be NULL) is the byte at fault, `size` if the text ends
 * too early. */
const char *tn_json__check(const char *text, size_t size, size_t *ret_offset);

#endif
