/* The text of an option, read by the option's unit. */
#include "config_priv.h"

#include <string.h>

#include "text.h"

/* As much of a wrong value as is shown. */
#define SHOWN_SIZE 80

struct word {
  const char *text;
  int64_t number;
};

static const struct word bool_words[] = {
  { "1", 1 }, { "true", 1 },  { "yes", 1 }, { "on", 1 },
  { "0", 0 }, { "false", 0 }, { "no", 0 },  { "off", 0 },
};

static bool
parse_bool(const char *text, int64_t *ret)
{
  size_t i;

  for (i = 0; i < TN_COUNT(bool_words); i++) {
    if (tn_text_equal_nocase(text, bool_words[i].text)) {
      *ret = bool_words[i].number;
      return true;
    }
  }
  return false;
}

/* A decimal number with an optional sign. What does not fit 64 bits is given
 * as the nearest that does: it is out of every row's range. */
static bool
parse_number(const char *text, int64_t *ret)
{
  bool is_negative = *text == '-';
  int64_t number = 0;

  if (*text == '-' || *text == '+')
    text++;
  if (*text == '\0')
    return false;
  for (; *text != '\0'; text++) {
    if (!tn_text_is_digit(*text))
      return false;
    if (number > (INT64_MAX - 9) / 10)
      number = INT64_MAX;
    else
      number = number * 10 + (*text - '0');
  }
  *ret = is_negative ? -number : number;
  return true;
}

bool
tn_config__parse_number(const struct tn_config_row *row, const char *text,
                        int64_t *ret)
{
  bool is_read = row->unit == TN_UNIT_BOOL ? parse_bool(text, ret)
                                           : parse_number(text, ret);

  return is_read && *ret >= row->min && *ret <= row->max;
}

/* Is it one of "a|b|c"? */
static bool
is_choice(const char *choices, const char *text)
{
  size_t size = strlen(text);

  if (strchr(text, '|') != NULL)
    return false;
  while (strncmp(choices, text, size) != 0 ||
         (choices[size] != '|' && choices[size] != '\0')) {
    choices = strchr(choices, '|');
    if (choices == NULL)
      return false;
    choices++;
  }
  return size > 0;
}

enum tn_code
tn_config__check(const struct tn_config_row *row, const char *text,
                 const char *place, int64_t *ret, tn_err *err)
{
  char shown[SHOWN_SIZE];

  if (row->unit == TN_UNIT_TEXT ||
      (row->unit == TN_UNIT_CHOICE && is_choice(row->choices, text)))
    return TN_OK;
  if (row->unit != TN_UNIT_CHOICE && tn_config__parse_number(row, text, ret))
    return TN_OK;

  tn_text_escape(text, strlen(text), shown, sizeof(shown));
  if (row->unit == TN_UNIT_CHOICE)
    return tn_err_set(err, TN_E_CONFIG, "%s = \"%s\": must be one of %s", place,
                      shown, row->choices);
  if (row->unit == TN_UNIT_BOOL)
    return tn_err_set(err, TN_E_CONFIG,
                      "%s = \"%s\": must be true or false (1 or 0, yes or no, "
                      "on or off)",
                      place, shown);
  return tn_err_set(err, TN_E_CONFIG,
                    "%s = \"%s\": must be a whole number from %lld to %lld",
                    place, shown, (long long)row->min, (long long)row->max);
}

enum tn_code
tn_config__check_given(const struct tn_config_row *row, const char *text,
                       const char *place, bool *ret_has_number, int64_t *ret,
                       tn_err *err)
{
  if (row->unit == TN_UNIT_TEXT || (*text == '\0' && row->initial == NULL))
    return TN_OK;
  *ret_has_number = row->unit != TN_UNIT_CHOICE;
  return tn_config__check(row, text, place, ret, err);
}
