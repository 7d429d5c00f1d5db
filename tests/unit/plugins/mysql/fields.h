/* Columns as a server describes them, made by hand. For the tests of this
 * folder only. */
#ifndef TENON_TESTS_MYSQL_FIELDS_H
#define TENON_TESTS_MYSQL_FIELDS_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "fake_host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* utf8mb4_general_ci */
#define UTF8MB4 45

static inline MYSQL_FIELD
make_field(char *name, uint32_t type, uint32_t flags, unsigned long length,
           uint32_t charset)
{
  MYSQL_FIELD field;

  memset(&field, 0, sizeof field);
  field.name = name;
  field.name_length = (unsigned)strlen(name);
  field.type = (enum enum_field_types)type;
  field.flags = flags;
  field.length = length;
  field.charsetnr = charset;
  return field;
}

/* What a type arrives with that is no string. */
static inline MYSQL_FIELD
number_field(uint32_t type, uint32_t flags)
{
  static char name[] = "n";

  return make_field(name, type, flags, 20, MYSQL__BINARY);
}

/* What the server keeps of a request. */
static const struct mysql__limits limits_usual = {
  .packet = UINT64_C(16) << 20,
  .decimal_digits = 65,
  .decimal_scale = 30,
  .moment_max = MYSQL__MOMENT_MAX,
};

#endif
