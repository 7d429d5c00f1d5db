/* Where a statement comes from, as a comment behind it by the rules of
 * sqlcommenter (https://google.github.io/sqlcommenter/spec/): keys in order,
 * values percent-encoded and in quotes, no comment where there is one already.
 *
 * Not a listener: it must be the last to change the text, whatever listeners
 * are added, and it says whether the statement can be kept prepared. */
#include "trace.h"

#include "lexer.h"
#include "pool_priv.h"
#include "strbuf.h"
#include "text.h"

/* Bytes of a value that are looked at. */
#define VALUE_MAX 256

/* ---- traceparent: 00-<32 digits>-<16 digits>-<2 digits> ---- */

static bool
is_lower_hex(char c)
{
  return tn_text_is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool
is_traceparent(const char *text)
{
  static const char form[] =
      "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  size_t i;

  for (i = 0; i < TN_TRACEPARENT_SIZE; i++)
    if (form[i] == 'x' ? !is_lower_hex(text[i]) : text[i] != form[i])
      return false;

  /* A version that cannot be, and numbers that are none. */
  return text[i] == '\0' && strncmp(text, "ff", 2) != 0 &&
         strspn(text + 3, "0") < 32 && strspn(text + 36, "0") < 16;
}

enum tn_code
tn_trace__check(const char *traceparent, tn_err *err)
{
  if (is_traceparent(traceparent))
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE,
                    "loan: traceparent \"%.64s\" is none; it is written "
                    "00-<32 digits>-<16 digits>-<2 digits>, hexadecimal and "
                    "in lower case",
                    traceparent);
}

/* ---- the comment ---- */

/* What is not percent-encoded can neither end the quotes nor the comment. */
static void
add_pair(struct tn_strbuf *out, const char *key, const char *value)
{
  const char *from = value;

  tn_strbuf_add_format(out, "%s%s='",
                       out->data[out->size - 1] == '*' ? "" : ",", key);
  for (; *from != '\0' && from - value < VALUE_MAX; from++) {
    if (tn_text_is_alpha(*from) || tn_text_is_digit(*from) ||
        strchr("-._~", *from) != NULL)
      tn_strbuf_add_char(out, *from);
    else
      tn_strbuf_add_format(out, "%%%02X", (unsigned)(unsigned char)*from);
  }
  tn_strbuf_add_char(out, '\'');
}

static void
add_comment(struct tn_strbuf *out, const tn_conn *conn, const char *label)
{
  tn_strbuf_add_text(out, " /*");
  if (out->failure != 0)
    return;
  if (conn->application[0] != '\0')
    add_pair(out, "application", conn->application);
  if (label != NULL)
    add_pair(out, "label", label);
  if (conn->traceparent[0] != '\0')
    add_pair(out, "traceparent", conn->traceparent);
  tn_strbuf_add_text(out, "*/");
}

/* ---- where it goes ---- */

/* The end of the statement without blanks and semicolons behind it. False: a
 * comment is there already, or the text is none that could be run. */
static bool
read_end(const tn_conn *conn, const char *sql, size_t size, size_t *ret_end)
{
  struct tn_lexer lexer;
  struct tn_token token;

  *ret_end = 0;
  tn_lexer_init(&lexer, &conn->dialect, sql, size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    if (token.kind == TN_TOKEN_COMMENT || token.kind == TN_TOKEN_CODE ||
        token.is_open)
      return false;
    if (token.kind != TN_TOKEN_BLANK && token.kind != TN_TOKEN_SEMICOLON)
      *ret_end = token.start + token.size;
  }
  return *ret_end > 0;
}

/* Most texts need not be read: nothing in them can be a comment or an end. */
static bool
find_end(const tn_conn *conn, const char *sql, size_t size, size_t *ret_end)
{
  *ret_end = size;
  if (strpbrk(sql, "#;") == NULL && strstr(sql, "/*") == NULL &&
      strstr(sql, "--") == NULL)
    return size > 0;
  return read_end(conn, sql, size, ret_end);
}

enum tn_code
tn_trace__add(tn_conn *conn, struct tn_query *asked, tn_err *err)
{
  struct tn_strbuf *out = &conn->traced;
  const char *label =
      conn->slot == NULL
          ? NULL
          : atomic_load_explicit(&conn->slot->label, memory_order_relaxed);
  size_t size = strlen(asked->sql);
  size_t end;

  if (!find_end(conn, asked->sql, size, &end) ||
      (conn->application[0] == '\0' && label == NULL &&
       conn->traceparent[0] == '\0'))
    return TN_OK;
  out->size = 0;
  out->failure = 0;
  out->max = SIZE_MAX / 4;
  tn_strbuf_add(out, asked->sql, end);
  add_comment(out, conn, label);
  tn_strbuf_add(out, asked->sql + end, size - end);
  asked->sql = tn_strbuf_text(out);
  if (conn->traceparent[0] != '\0')
    asked->flags |= TN_QUERY_ONCE;
  return tn_strbuf_status(out, "query", err);
}
