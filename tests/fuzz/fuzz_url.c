/* Fuzzes the URL parser and printer, for libFuzzer.
 *
 * Besides not crashing: what is printed with its secrets parses back to an
 * equal URL, and what is printed without them does not depend on them. */
#include <tenon/url.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int condition)
{
  if (!condition)
    abort();
}

static char *
print(const tn_url *url, uint32_t flags)
{
  size_t length = tn_url_print(url, flags, NULL, 0);
  char *text = malloc(length + 1);

  must(text != NULL);
  must(tn_url_print(url, flags, text, length + 1) == length);
  must(strlen(text) == length);
  return text;
}

static int
is_secret(const char *name)
{
  static const char *const words[] = { "password", "passwd", "passphrase",
                                       "pwd",      "secret", "token" };
  size_t i;

  for (i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcasestr(name, words[i]) != NULL)
      return 1;
  }
  return 0;
}

/* Exact, unlike a search for pieces of the password, which may well be pieces
 * of the host's name too: with another password the same is printed. */
static void
check_password_is_hidden(const tn_url *url)
{
  tn_url *other = NULL;
  char *text, *other_text;

  if (tn_url_password(url) == NULL)
    return;
  must(tn_url_copy(url, &other, NULL) == TN_OK);
  must(tn_url_set_password(other, "", NULL) == TN_OK);
  text = print(url, 0);
  other_text = print(other, 0);
  must(strcmp(text, other_text) == 0);
  free(text);
  free(other_text);
  tn_url_free(&other);
}

/* What is printed without secrets is a URL with "***" in their places. */
static void
check_masked(const tn_url *url)
{
  char *text = print(url, 0);
  tn_url *masked = NULL;
  size_t i;

  if (strlen(text) > TN_URL_MAX) {
    free(text);
    return;
  }
  must(tn_url_parse(text, &masked, NULL) == TN_OK);
  if (tn_url_password(url) != NULL)
    must(strcmp(tn_url_password(masked), "***") == 0);
  must(tn_url_option_count(masked) == tn_url_option_count(url));
  for (i = 0; i < tn_url_option_count(url); i++) {
    const char *name = tn_url_option_name(url, i);
    const char *value = tn_url_option_value(url, i);

    must(strcmp(tn_url_option_name(masked, i), name) == 0);
    must(strcmp(tn_url_option(masked, name), is_secret(name) ? "***" : value) ==
         0);
  }
  tn_url_free(&masked);
  free(text);
}

static void
check_round_trip(const tn_url *url)
{
  char *text = print(url, TN_URL_PASSWORD);
  char *again_text;
  tn_url *again = NULL;

  must(tn_url_parse(text, &again, NULL) == TN_OK);
  must(tn_url_equal(url, again));
  again_text = print(again, TN_URL_PASSWORD);
  must(strcmp(text, again_text) == 0);
  free(again_text);
  free(text);
  tn_url_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  tn_url *url = NULL;
  tn_err err = TN_ERR_INIT;

  must(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  if (tn_url_parse(text, &url, &err) == TN_OK) {
    check_round_trip(url);
    check_password_is_hidden(url);
    check_masked(url);
  } else {
    must(err.code == TN_E_CONFIG);
    must(strstr(err.message, " at character ") != NULL);
  }
  tn_url_free(&url);
  free(text);
  return 0;
}
