/* Options that a URL may carry for a backend.
 *
 * Included by plugin.h, whose rules hold here: a plug-in lists its rows, and
 * the core reads the values, checks them and hands them over as text. */
#ifndef TENON_OPTION_H
#define TENON_OPTION_H

#include <stdint.h>

enum tn_option_type {
  TN_OPTION_TEXT = 1,
  TN_OPTION_INTEGER,  /* min and max count */
  TN_OPTION_BOOL,     /* 1/0, true/false, yes/no, on/off */
  TN_OPTION_DURATION, /* "5s", "250ms"; a bare number is seconds; min and max
                         in milliseconds */
  TN_OPTION_CHOICE,   /* one of the words in `choices` */
};

#define TN_OPTION_SECRET UINT32_C(1) /* never shown */
#define TN_OPTION_IGNORED                                                      \
  UINT32_C(2) /* of another language's driver: accepted                        \
                 and said so once */

/* An option that a URL may carry for this backend. */
struct tn_option_row {
  const char *name; /* "*": any that has no row, for a backend that passes
                       them on; TN_OPTION_TEXT */
  uint32_t type;    /* enum tn_option_type */
  uint32_t flags;
  int64_t min;
  int64_t max;
  const char *choices; /* "off|normal|full", or NULL */
  const char *initial; /* the default, as text; "" for none */
  const char *help;    /* one line, with the unit */
};

#endif
