/* Hiding passwords in text that others wrote.
 *
 * Our own messages contain none. But client libraries and servers quote what
 * they were given, people log whole URLs, and options are passed on by name.
 * This is the last net before a line leaves the process, so it works on text
 * that is neither a well-formed URL nor escaped as it should be, and rather
 * hides a host name than shows half a password. */
#include "mask.h"

#include <string.h>

#include "text.h"

#define MASK      "***"
#define MASK_SIZE (sizeof(MASK) - 1)
#define CUT       "..."
#define CUT_SIZE  (sizeof(CUT) - 1)

#define BLANKS        " \t\n\v\f\r"
#define AUTHORITY_END "/?#" BLANKS

/* What a port may be followed by where no user was given. */
#define PORT_END ":/?#,;)]}>'\"" BLANKS

#define PORT_DIGITS 5

/* Bytes [start, end) of a text. */
struct span {
  size_t start;
  size_t end;
};

static const char *const secret_names[] = { "password", "passwd", "pwd",
                                            "secret", "token" };

/* Does the text up to `end` end in `word`, in any case? */
static bool
ends_in_word(const char *text, size_t end, const char *word)
{
  size_t size = strlen(word);

  if (end < size)
    return false;
  for (size_t i = 0; i < size; i++) {
    if (tn_text_lower(text[end - size + i]) != word[i])
      return false;
  }
  return true;
}

bool
tn_text_names_secret(const char *name, size_t size)
{
  size_t row = 0;

  while (row < TN_COUNT(secret_names) &&
         !ends_in_word(name, size, secret_names[row]))
    row++;
  return row < TN_COUNT(secret_names);
}

/* A text that was cut to its place says so with its last three bytes. */
static bool
ends_cut(const char *text, struct span span)
{
  return text[span.end] == '\0' && span.end - span.start >= CUT_SIZE &&
         memcmp(text + span.end - CUT_SIZE, CUT, CUT_SIZE) == 0;
}

static bool
is_port(const char *text, struct span run)
{
  size_t digits = 0;
  char next;

  while (digits <= PORT_DIGITS && tn_text_is_digit(text[run.start + digits]))
    digits++;
  if (digits == 0 || digits > PORT_DIGITS || ends_cut(text, run))
    return false;
  next = text[run.start + digits];
  if (next == '.') /* the end of a sentence */
    return run.start + digits + 1 == run.end;
  return next == '\0' || strchr(PORT_END, next) != NULL;
}

/* The last '@' within `span`; its end if there is none. */
static size_t
last_at(const char *text, struct span span)
{
  const char *at = memrchr(text + span.start, '@', span.end - span.start);

  return at != NULL ? (size_t)(at - text) : span.end;
}

/* The first ':' within `span`, not one in the brackets of an IPv6 address; its
 * end if there is none. */
static size_t
first_colon(const char *text, struct span span)
{
  const char *from = text + span.start, *colon;

  if (from < text + span.end && *from == '[')
    from = memchr(from, ']', span.end - span.start);
  if (from == NULL)
    return span.end;
  colon = memchr(from, ':', (size_t)(text + span.end - from));
  return colon != NULL ? (size_t)(colon - text) : span.end;
}

/* A password with a '/' or a blank in it that nobody escaped: the part that a
 * URL has for hosts has no '@', and no port either. */
static bool
find_raw_password(const char *text, struct span authority, struct span *ret)
{
  struct span run;
  size_t colon = first_colon(text, authority), at;
  const char *next;

  if (colon == authority.end)
    return false;
  run.start = colon + 1;
  run.end = run.start + strcspn(text + run.start, BLANKS);
  at = last_at(text, run);
  if (at < run.end) {
    *ret = (struct span){ run.start, at };
    return true;
  }
  if (run.start == authority.end || is_port(text, run))
    return false;
  next = strchr(text + run.end, '@');
  *ret = run;
  if (next != NULL)
    ret->end = (size_t)(next - text);
  return true;
}

/* Is there a URL's "://" at `i`, with a password after it? */
static bool
find_url_password(const char *text, size_t i, struct span *ret)
{
  struct span authority;
  size_t at, colon;

  if (strncmp(text + i, "://", 3) != 0)
    return false;
  authority.start = i + 3;
  authority.end =
      authority.start + strcspn(text + authority.start, AUTHORITY_END);
  at = last_at(text, authority);
  if (at == authority.end)
    return find_raw_password(text, authority, ret);

  authority.end = at;
  colon = first_colon(text, authority);
  if (colon == at)
    return false;
  *ret = (struct span){ colon + 1, at };
  return true;
}

/* The value that starts at `start`, up to a byte of `ends`; a backslash takes
 * the next byte along, as in a conninfo string. */
static struct span
plain_value(const char *text, size_t start, const char *ends)
{
  size_t end = start;

  while (text[end] != '\0' && strchr(ends, text[end]) == NULL) {
    if (text[end] == '\\' && text[end + 1] != '\0')
      end++;
    end++;
  }
  return (struct span){ start, end };
}

/* The value between quotes, of which the first is before `start`. A quote is
 * part of it after a backslash or when doubled. Left open it goes to the end
 * of the text. */
static struct span
quoted_value(const char *text, size_t start, char quote)
{
  size_t end = start;

  while (text[end] != '\0') {
    if (text[end] == quote && text[end + 1] != quote)
      break;
    if ((text[end] == '\\' || text[end] == quote) && text[end + 1] != '\0')
      end++;
    end++;
  }
  return (struct span){ start, end };
}

static bool
is_name(char c)
{
  return tn_text_is_alpha(c) || tn_text_is_digit(c) || c == '_' || c == '-' ||
         c == '.';
}

/* The character before the name that ends at `end`; NUL at the text's start. */
static char
before_name(const char *text, size_t end)
{
  while (end > 0 && is_name(text[end - 1]))
    end--;
  return end > 0 ? text[end - 1] : '\0';
}

/* Is there an '=' at `i`, with a secret's name before it? */
static bool
find_named_secret(const char *text, size_t i, struct span *ret)
{
  size_t name_end = i, start = i + 1;
  char before;

  if (text[i] != '=')
    return false;
  while (name_end > 0 && strchr(" \t", text[name_end - 1]) != NULL)
    name_end--;
  if (!tn_text_names_secret(text, name_end))
    return false;
  before = before_name(text, name_end);
  if (before == '?' || before == '&') {
    *ret = plain_value(text, start, "&" BLANKS);
    return true;
  }
  start += strspn(text + start, " \t");
  if (text[start] == '\'' || text[start] == '"')
    *ret = quoted_value(text, start + 1, text[start]);
  else if (text[start] == '{')
    *ret = quoted_value(text, start + 1, '}');
  else
    *ret = plain_value(text, start, before == ';' ? ";" BLANKS : BLANKS);
  return true;
}

/* Put stars over `secret`; returns where the text goes on. */
static size_t
hide(char *text, size_t capacity, struct span secret)
{
  size_t tail_size, stars = MASK_SIZE;

  if (ends_cut(text, secret))
    secret.end -= CUT_SIZE;
  if (secret.start == secret.end)
    return secret.end;
  tail_size = strlen(text + secret.end) + 1;
  if (secret.start + stars + tail_size > capacity)
    stars =
        secret.end - secret.start < stars ? secret.end - secret.start : stars;
  memmove(text + secret.start + stars, text + secret.end, tail_size);
  memcpy(text + secret.start, MASK, stars);
  return secret.start + stars;
}

void
tn_text_mask(char *text, size_t capacity)
{
  struct span secret;
  size_t i = 0;

  while (text[i] != '\0') {
    if (find_url_password(text, i, &secret) ||
        find_named_secret(text, i, &secret))
      i = hide(text, capacity, secret);
    else
      i++;
  }
}
