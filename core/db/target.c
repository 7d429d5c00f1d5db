/* The options of the core's own, and those by which a configuration reaches a
 * backend's, stand in one table, the rows of the configuration, wherever they
 * are said. */
#include "target.h"

#include <stdio.h>
#include <string.h>

#include "config_priv.h"
#include "text.h"

/* ---- from a name to a URL ---- */

/* "a=1&b=2" behind the URL's own options. The URL is printed anew, where a '?'
 * is nothing but their beginning: as people write it, one may stand in the
 * password. */
static enum tn_code
join_parameters(const tn_url *url, const char *parameters, tn_url **ret,
                tn_err *err)
{
  size_t size = tn_url_print(url, TN_URL_PASSWORD, NULL, 0);
  size_t capacity = size + 1 + strlen(parameters) + 1;
  char *joined = tn_memory_alloc(capacity);
  enum tn_code rc;

  if (joined == NULL)
    return tn_err_memory(err, "config");
  (void)tn_url_print(url, TN_URL_PASSWORD, joined, capacity);
  joined[size] = strchr(joined, '?') == NULL ? '?' : '&';
  memcpy(joined + size + 1, parameters, strlen(parameters) + 1);
  rc = tn_url_parse(joined, ret, err);
  tn_memory_wipe(joined, capacity);
  tn_memory_free(joined);
  return rc;
}

static enum tn_code
parse_configured(const char *text, const char *parameters, tn_url **ret,
                 tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  enum tn_code rc = tn_url_parse(text, &url, err);

  if (rc == TN_OK && parameters != NULL && parameters[0] != '\0')
    return join_parameters(url, parameters, ret, err);
  if (rc != TN_OK)
    return rc;
  *ret = url;
  url = NULL;
  return TN_OK;
}

/* A configured database's URL: `key`, connection_parameters, password. */
static enum tn_code
configured_url(const tn_config *config, const char *database, const char *key,
               tn_url **ret, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  const char *text = NULL;
  const char *parameters = NULL;
  const char *password = NULL;
  enum tn_code rc;

  rc = tn_config_text(config, database, key, &text, err);
  if (rc == TN_OK && (text == NULL || text[0] == '\0'))
    return tn_err_set(err, TN_E_CONFIG,
                      "config: database \"%s\" has no %s; give it a URL",
                      database, key);
  if (rc == TN_OK)
    rc = tn_config_text(config, database, "connection_parameters", &parameters,
                        err);
  if (rc == TN_OK)
    rc = tn_config_text(config, database, "password", &password, err);
  if (rc == TN_OK)
    rc = parse_configured(text, parameters, &url, err);
  if (rc == TN_OK && password != NULL)
    rc = tn_url_set_password(url, password, err);
  if (rc != TN_OK)
    return rc;
  *ret = url;
  url = NULL;
  return TN_OK;
}

/* ---- options that have a row ---- */

/* May it be said elsewhere than in a configuration? */
static bool
is_for_all(size_t index)
{
  return (tn_config__option(index)->traits &
          (TN_CONFIG_OWN | TN_CONFIG_BACKEND)) != 0;
}

/* The row of such an option; NULL: it is none. */
static const struct tn_config_row *
own_row(const char *key)
{
  size_t index;

  if (!tn_config__find_key(key, &index) || !is_for_all(index))
    return NULL;
  return tn_config_row(index);
}

bool
tn_target__is_own(const char *key)
{
  return own_row(key) != NULL;
}

void
tn_target__offer(struct tn_suggestion *suggestion)
{
  const struct tn_config_row *row;

  for (size_t i = 0; (row = tn_config_row(i)) != NULL; i++)
    if (is_for_all(i))
      tn_suggestion_offer(suggestion, row->key);
}

static enum tn_code
check_own(const struct tn_config_row *row, const char *value, const char *where,
          tn_err *err)
{
  char place[128];
  int64_t number;

  snprintf(place, sizeof place, "%s: %s", where, row->key);
  return tn_config__check(row, value, place, &number, err);
}

static enum tn_code
check_url_options(const tn_url *url, tn_err *err)
{
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && i < tn_url_option_count(url); i++) {
    const struct tn_config_row *row = own_row(tn_url_option_name(url, i));

    if (row != NULL)
      rc = check_own(row, tn_url_option_value(url, i), "url", err);
  }
  return rc;
}

enum tn_code
tn_target__refuse(const char *key, enum tn_code code, tn_err *err)
{
  const char *nearest = tn_config__nearest_key(key);

  if (nearest != NULL && strcmp(nearest, key) == 0)
    return tn_err_set(err, code,
                      "engine: option %s is for a configuration only", key);
  return tn_err_set(err, code, "engine: no option \"%.64s\"%s%s%s", key,
                    nearest != NULL ? "; did you mean " : "",
                    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

enum tn_code
tn_target__refuse_none(tn_err *err)
{
  return tn_err_set(err, TN_E_USAGE,
                    "conn: no target: name a URL or \"@database\"");
}

enum tn_code
tn_target__set(struct tn_target *target, const struct tn_setting *settings,
               size_t count, tn_err *err)
{
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && i < count; i++) {
    const struct tn_config_row *row = own_row(settings[i].key);

    rc = row == NULL ? tn_target__refuse(settings[i].key, TN_E_CONFIG, err)
                     : check_own(row, settings[i].value, "engine", err);
  }
  target->settings = settings;
  target->setting_count = count;
  return rc;
}

/* Of several settings the last one counts. */
const char *
tn_target__setting(const struct tn_target *target, const char *key)
{
  size_t i;

  for (i = target->setting_count; i > 0; i--)
    if (strcmp(target->settings[i - 1].key, key) == 0)
      return target->settings[i - 1].value;
  return NULL;
}

/* A URL has each option once. */
const char *
tn_target__said(const struct tn_target *target, const char *key)
{
  const char *text = tn_target__setting(target, key);
  size_t i;

  if (text != NULL)
    return text;
  for (i = tn_url_option_count(target->url); i > 0; i--)
    if (strcmp(tn_url_option_name(target->url, i - 1), key) == 0)
      return tn_url_option_value(target->url, i - 1);
  return NULL;
}

bool
tn_target__is_given(const struct tn_target *target, const char *key)
{
  const char *origin = NULL;

  if (tn_target__said(target, key) != NULL)
    return true;
  if (target->database != NULL)
    origin = tn_config_origin(target->config, target->database, key);
  return origin != NULL && strcmp(origin, "default") != 0;
}

int64_t
tn_target__number(const struct tn_target *target, const char *key,
                  int64_t absent)
{
  const struct tn_config_row *row = own_row(key);
  const char *text = tn_target__said(target, key);
  int64_t number;

  if (text != NULL && tn_config__parse_number(row, text, &number))
    return number;
  if (target->database != NULL)
    return tn_config_number(target->config, target->database, key, &number,
                            NULL) == TN_OK
               ? number
               : absent;
  return row->initial != NULL &&
                 tn_config__parse_number(row, row->initial, &number)
             ? number
             : absent;
}

/* What such an option is by itself is the configuration's word. */
static bool
is_of_backend(const char *key)
{
  size_t index;

  return tn_config__find_key(key, &index) &&
         (tn_config__option(index)->traits & TN_CONFIG_BACKEND) != 0;
}

const char *
tn_target__text(const struct tn_target *target, const char *key)
{
  const char *text = tn_target__said(target, key);

  if (text == NULL && target->database != NULL &&
      tn_config_text(target->config, target->database, key, &text, NULL) !=
          TN_OK)
    text = NULL;
  return text != NULL || is_of_backend(key) ? text : own_row(key)->initial;
}

/* ---- both ---- */

enum tn_code
tn_target__borrow(const tn_url *url, struct tn_target *ret, tn_err *err)
{
  ret->url = url;
  return check_url_options(url, err);
}

enum tn_code
tn_target__resolve(const char *name, const tn_config *config,
                   struct tn_target *ret, tn_err *err)
{
  enum tn_code rc;

  if (name == NULL)
    return tn_target__refuse_none(err);
  ret->config = config;
  if (name[0] != '@') {
    rc = tn_url_parse(name, &ret->owned, err);
  } else if (config == NULL) {
    return tn_err_set(err, TN_E_CONFIG,
                      "conn: \"%.64s\" names a configured database, but no "
                      "configuration is loaded",
                      name);
  } else {
    ret->database = name + 1;
    rc = configured_url(config, ret->database,
                        ret->is_replica ? "slave_connection" : "connection",
                        &ret->owned, err);
  }
  return rc == TN_OK ? tn_target__borrow(ret->owned, ret, err) : rc;
}

void
tn_target__clear(struct tn_target *target)
{
  tn_url_free(&target->owned);
}
