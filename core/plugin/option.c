/* Options of a URL, checked against the rows of a backend.
 *
 * A misspelled option that is passed over is a setting silently lost, such as
 * one that demands an encrypted connection. So nothing reaches connect() that
 * its backend has not declared, and no backend checks a number by itself. */
#include "option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/clock.h>

#include "text.h"
#include "tls.h"

/* Longest part of a value that a message shows. */
#define SHOWN_MAX 80

static const char *const bool_words[] = { "1",   "0",  "true", "false",
                                          "yes", "no", "on",   "off" };

/* One option with what is known of it. */
struct check {
  const struct tn_plugin *plugin;
  const struct tn_option_row *row;
  const char *value;
};

/* `"VALUE" CAUSE`, without the value if that is a secret. */
static enum tn_code
refuse(const struct check *check, const char *cause, tn_err *err)
{
  char shown[SHOWN_MAX];

  if ((check->row->flags & TN_OPTION_SECRET) != 0)
    return tn_err_set(err, TN_E_CONFIG, "%s: option \"%s\": the value %s",
                      check->plugin->name, check->row->name, cause);
  tn_text_escape(check->value, strlen(check->value), shown, sizeof(shown));
  return tn_err_set(err, TN_E_CONFIG, "%s: option \"%s\": \"%s\" %s",
                    check->plugin->name, check->row->name, shown, cause);
}

static enum tn_code
refuse_range(const struct check *check, const char *unit, tn_err *err)
{
  char cause[96];

  snprintf(cause, sizeof(cause), "is outside %" PRId64 " to %" PRId64 "%s",
           check->row->min, check->row->max, unit);
  return refuse(check, cause, err);
}

static bool
is_in_range(const struct check *check, int64_t number)
{
  return number >= check->row->min && number <= check->row->max;
}

static enum tn_code
check_text(const struct check *check, tn_err *err)
{
  (void)check;
  (void)err;
  return TN_OK;
}

static enum tn_code
check_integer(const struct check *check, tn_err *err)
{
  const char *digits = check->value + (check->value[0] == '-');
  char *end = NULL;
  long long number;

  /* strtoll() would take blanks and a plus as well. */
  if (!tn_text_is_digit(*digits))
    return refuse(check, "is not a whole number", err);
  errno = 0;
  number = strtoll(check->value, &end, 10);
  if (*end != '\0')
    return refuse(check, "is not a whole number", err);
  if (errno == ERANGE || !is_in_range(check, number))
    return refuse_range(check, "", err);
  return TN_OK;
}

static enum tn_code
check_bool(const struct check *check, tn_err *err)
{
  for (size_t i = 0; i < TN_COUNT(bool_words); i++) {
    if (tn_text_equal_nocase(check->value, bool_words[i]))
      return TN_OK;
  }
  return refuse(check, "is none of 1/0, true/false, yes/no, on/off", err);
}

static enum tn_code
check_duration(const struct check *check, tn_err *err)
{
  uint64_t ms = 0;

  if (tn_duration_parse(check->value, &ms, NULL) != TN_OK)
    return refuse(check,
                  "is not a duration; write 250ms, 5s, 2m, 1h or seconds", err);
  if (ms > INT64_MAX || !is_in_range(check, (int64_t)ms))
    return refuse_range(check, " milliseconds", err);
  return TN_OK;
}

static enum tn_code
check_choice(const struct check *check, tn_err *err)
{
  size_t size = strlen(check->value);
  const char *word = check->row->choices;
  char cause[256];

  for (;;) {
    size_t word_size = strcspn(word, "|");

    if (word_size == size && memcmp(word, check->value, size) == 0)
      return TN_OK;
    if (word[word_size] == '\0')
      break;
    word += word_size + 1;
  }
  snprintf(cause, sizeof(cause), "is none of %s", check->row->choices);
  return refuse(check, cause, err);
}

/* By enum tn_option_type. */
static enum tn_code (*const checks[])(const struct check *, tn_err *) = {
  [TN_OPTION_TEXT] = check_text,     [TN_OPTION_INTEGER] = check_integer,
  [TN_OPTION_BOOL] = check_bool,     [TN_OPTION_DURATION] = check_duration,
  [TN_OPTION_CHOICE] = check_choice,
};

const struct tn_option_row *
tn_option_find(const struct tn_plugin *plugin, const char *name)
{
  const struct tn_option_row *any = NULL;

  for (uint32_t i = 0; i < plugin->option_count; i++) {
    if (strcmp(plugin->options[i].name, name) == 0)
      return &plugin->options[i];
    if (strcmp(plugin->options[i].name, "*") == 0)
      any = &plugin->options[i];
  }
  return any;
}

void
tn_option_offer(const struct tn_plugin *plugin,
                struct tn_suggestion *suggestion)
{
  for (uint32_t i = 0; i < plugin->option_count; i++)
    tn_suggestion_offer(suggestion, plugin->options[i].name);
  if ((plugin->caps & TN_CAP_NETWORK) != 0)
    tn_tls_offer(suggestion);
}

static enum tn_code
refuse_unknown(const struct tn_plugin *plugin, const char *name, tn_err *err)
{
  struct tn_suggestion suggestion = { .wanted = name };
  char shown[SHOWN_MAX];

  tn_option_offer(plugin, &suggestion);
  tn_text_escape(name, strlen(name), shown, sizeof(shown));
  if (suggestion.best == NULL)
    return tn_err_set(err, TN_E_CONFIG, "%s: option \"%s\": unknown",
                      plugin->name, shown);
  return tn_err_set(err, TN_E_CONFIG,
                    "%s: option \"%s\": unknown; did you mean \"%s\"?",
                    plugin->name, shown, suggestion.best);
}

enum tn_code
tn_option_check(const struct tn_plugin *plugin, const struct tn_option *option,
                tn_err *err)
{
  const struct check check = {
    .plugin = plugin,
    .row = tn_option_find(plugin, option->name),
    .value = option->value != NULL ? option->value : "",
  };

  if (check.row == NULL)
    return refuse_unknown(plugin, option->name, err);
  if ((check.row->flags & TN_OPTION_IGNORED) != 0)
    return TN_OK;
  return checks[check.row->type](&check, err);
}
