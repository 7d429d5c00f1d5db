/* What a server says before a session is open
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 *
 * libpq gives the password in clear text to whoever asks for it, and of an
 * error it keeps the text but not the code. So its input is looked at, byte by
 * byte and in pieces of any size, before libpq reads it. */
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

/* Requests that libpq may answer. */
enum request {
  REQUEST_NONE = 0,
  REQUEST_CLEAR = 3,
  REQUEST_MD5 = 5,
  REQUEST_SASL = 10,
  REQUEST_SASL_GOES_ON = 11,
  REQUEST_SASL_ENDS = 12,
};

/* Type and length of a message; with the code of a request. */
#define HEAD_SIZE    5
#define REQUEST_SIZE 9

/* Longer than any message of that time. */
#define MESSAGE_MAX (1 << 28)

void
pg__watch_init(struct pg__watch *watch, bool may_clear, bool has_password)
{
  memset(watch, 0, sizeof *watch);
  watch->may_clear = may_clear;
  watch->has_password = has_password;
}

static void
refuse(struct pg__watch *watch, int32_t category, const char *text)
{
  watch->is_refused = true;
  watch->reason.category = category;
  watch->reason.is_final = category == TN_E_AUTH;
  snprintf(watch->reason.text, sizeof watch->reason.text, "%s", text);
}

static uint32_t
number_at(const unsigned char *bytes)
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
         (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

/* Kerberos and its like would have libpq ask other servers, and wait for
 * them. */
static void
judge_request(struct pg__watch *watch, uint32_t request)
{
  switch (request) {
  case REQUEST_NONE:
    watch->is_in = true;
    return;
  case REQUEST_CLEAR:
    if (watch->has_password && !watch->may_clear) {
      refuse(watch, TN_E_AUTH,
             "the server wants the password in clear text, which "
             "clear_password does not allow here");
      return;
    }
    break;
  case REQUEST_MD5:
  case REQUEST_SASL:
  case REQUEST_SASL_GOES_ON:
  case REQUEST_SASL_ENDS:
    break;
  default:
    refuse(watch, TN_E_AUTH,
           "the server asks for a kind of authentication that is not spoken "
           "here");
    return;
  }
  if (!watch->has_password)
    refuse(watch, TN_E_AUTH,
           "the server asks for a password, and there is "
           "none");
}

/* Copy one field of an error that has been kept: its type, then its text. */
static void
copy_field(const struct pg__watch *watch, char type, char *text, size_t size)
{
  const char *at = watch->fields;
  const char *end = watch->fields + watch->kept;

  while (at < end && *at != '\0') {
    size_t length = strnlen(at + 1, (size_t)(end - at - 1));

    if (*at == type)
      snprintf(text, size, "%.*s", (int)length, at + 1);
    at += length + 2;
  }
}

/* An error has come to its end, or all of it that is of interest. */
static void
read_error(struct pg__watch *watch)
{
  copy_field(watch, 'C', watch->reason.sqlstate, sizeof watch->reason.sqlstate);
  copy_field(watch, 'M', watch->reason.text, sizeof watch->reason.text);
  watch->kept = 0;
}

/* The head of a message is complete; its length counts itself. */
static void
begin_body(struct pg__watch *watch)
{
  uint32_t size = number_at(watch->head + 1);

  if (size < 4 || size > MESSAGE_MAX ||
      (watch->head[0] == 'R' && size < REQUEST_SIZE - 1)) {
    refuse(watch, TN_E_CONNECT,
           "what answers does not speak PostgreSQL's "
           "protocol");
    return;
  }
  watch->left = size - (watch->header - 1);
}

static uint32_t
head_size(const struct pg__watch *watch)
{
  return watch->header > 0 && watch->head[0] == 'R' ? REQUEST_SIZE : HEAD_SIZE;
}

static void
feed_head(struct pg__watch *watch, char byte)
{
  watch->head[watch->header++] = (unsigned char)byte;
  if (watch->header < head_size(watch))
    return;
  begin_body(watch);
  if (!watch->is_refused && watch->head[0] == 'R')
    judge_request(watch, number_at(watch->head + HEAD_SIZE));
}

/* Some of a body. */
static size_t
feed_body(struct pg__watch *watch, const char *bytes, size_t size)
{
  size_t room = sizeof watch->fields - 1 - watch->kept;
  size_t kept;

  if (size > watch->left)
    size = watch->left;
  watch->left -= (uint32_t)size;
  if (watch->head[0] != 'E')
    return size;
  kept = size < room ? size : room;
  memcpy(watch->fields + watch->kept, bytes, kept);
  watch->kept += (uint32_t)kept;
  return size;
}

bool
pg__watch_feed(struct pg__watch *watch, const char *bytes, size_t size)
{
  const char *end = bytes + size;

  while (bytes < end && !watch->is_refused) {
    if (watch->header < head_size(watch))
      feed_head(watch, *bytes++);
    else
      bytes += feed_body(watch, bytes, (size_t)(end - bytes));
    if (watch->header == head_size(watch) && watch->left == 0) {
      if (watch->head[0] == 'E')
        read_error(watch);
      watch->header = 0;
    }
  }
  return !watch->is_refused;
}
