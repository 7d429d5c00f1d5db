/* Functions chosen by dialect and driver.
 *
 * Whoever must do one thing on PostgreSQL and another elsewhere says so with
 * rows here, and not by comparing names in the middle of his code. */
#include <tenon/dispatch.h>

#include <string.h>

#include "base_priv.h"
#include "text.h"

/* Longest name of a dialect or driver. */
#define NAME_MAX_SIZE 63

/* How closely a member fits a call, most specific first. */
enum rank {
  RANK_BOTH = 0,
  RANK_DIALECT,
  RANK_DRIVER,
  RANK_ANY,
  RANK_COUNT,
};

/* "*" is stored as "". */
struct member {
  char dialect[NAME_MAX_SIZE + 1];
  char driver[NAME_MAX_SIZE + 1];
  enum rank rank;
  tn_dispatch_fn fn;
  void *user;
};

struct tn_dispatch {
  enum tn_dispatch_mode mode;
  struct member *members; /* in the order of registration */
  size_t count;
  size_t capacity;
};

/* ---- targets ---- */

static bool
is_name_char(char c)
{
  return tn_text_is_alpha(c) || tn_text_is_digit(c) || c == '_' || c == '-' ||
         c == '.';
}

/* Copy a name of `size` characters, in lower case, or "" for "*". */
static bool
copy_name(const char *name, size_t size, char *out)
{
  out[0] = '\0';
  if (size == 1 && name[0] == '*')
    return true;
  if (size == 0 || size > NAME_MAX_SIZE)
    return false;
  for (size_t i = 0; i < size; i++) {
    if (!is_name_char(name[i]))
      return false;
    out[i] = tn_text_lower(name[i]);
  }
  out[size] = '\0';
  return true;
}

static enum rank
rank_of(const struct member *member)
{
  if (member->dialect[0] != '\0')
    return member->driver[0] != '\0' ? RANK_BOTH : RANK_DIALECT;
  return member->driver[0] != '\0' ? RANK_DRIVER : RANK_ANY;
}

static bool
read_target(const char *target, struct member *member)
{
  size_t size = strcspn(target, "+");

  memset(member, 0, sizeof(*member));
  if (!copy_name(target, size, member->dialect))
    return false;
  if (target[size] == '+' &&
      !copy_name(target + size + 1, strlen(target + size + 1), member->driver))
    return false;
  member->rank = rank_of(member);
  return true;
}

/* ---- members ---- */

static bool
has_target(const tn_dispatch *dispatch, const struct member *member)
{
  for (size_t i = 0; i < dispatch->count; i++) {
    if (strcmp(dispatch->members[i].dialect, member->dialect) == 0 &&
        strcmp(dispatch->members[i].driver, member->driver) == 0)
      return true;
  }
  return false;
}

static bool
reserve(tn_dispatch *dispatch)
{
  size_t capacity = dispatch->capacity > 0 ? dispatch->capacity * 2 : 8;
  struct member *members;

  if (dispatch->count < dispatch->capacity)
    return true;
  members = tn_memory_resize(dispatch->members, capacity * sizeof(*members));
  if (members == NULL)
    return false;
  dispatch->members = members;
  dispatch->capacity = capacity;
  return true;
}

enum tn_code
tn_dispatch_new(enum tn_dispatch_mode mode, tn_dispatch **ret, tn_err *err)
{
  tn_dispatch *dispatch = tn_memory_zalloc(sizeof(*dispatch));

  if (dispatch == NULL)
    return tn_err_memory(err, "dispatch");
  dispatch->mode = mode;
  *ret = dispatch;
  return TN_OK;
}

void
tn_dispatch_free(tn_dispatch **dispatch)
{
  if (dispatch == NULL || *dispatch == NULL)
    return;
  tn_memory_free((*dispatch)->members);
  tn_memory_free(*dispatch);
  *dispatch = NULL;
}

enum tn_code
tn_dispatch_add(tn_dispatch *dispatch, const char *target, tn_dispatch_fn fn,
                void *user, tn_err *err)
{
  struct member member;

  if (!read_target(target, &member))
    return tn_err_set(err, TN_E_USAGE,
                      "dispatch: \"%.100s\" is no target; write DATABASE, "
                      "DATABASE+DRIVER, or '*' for either",
                      target);
  if (dispatch->mode == TN_DISPATCH_SINGLE && has_target(dispatch, &member))
    return tn_err_set(err, TN_E_USAGE,
                      "dispatch: \"%.100s\" has a function already", target);
  if (!reserve(dispatch))
    return tn_err_memory(err, "dispatch");
  member.fn = fn;
  member.user = user;
  dispatch->members[dispatch->count++] = member;
  return TN_OK;
}

/* ---- calls ---- */

/* "" and "*" in a call stand for a name that is not known; only members for
 * any name fit those. */
static const char *
known_name(const char *name)
{
  return name == NULL || strcmp(name, "*") == 0 ? "" : name;
}

static bool
fits(const struct member *member, const char *dialect, const char *driver)
{
  return (member->dialect[0] == '\0' ||
          tn_text_equal_nocase(member->dialect, dialect)) &&
         (member->driver[0] == '\0' ||
          tn_text_equal_nocase(member->driver, driver));
}

enum tn_code
tn_dispatch_call(const tn_dispatch *dispatch, const char *dialect,
                 const char *driver, void *arg, tn_err *err)
{
  const char *known_dialect = known_name(dialect);
  const char *known_driver = known_name(driver);
  size_t count = dispatch->count;

  for (int rank = RANK_BOTH; rank < RANK_COUNT; rank++) {
    for (size_t i = 0; i < count; i++) {
      /* A copy: the member may register another, which moves them. */
      struct member member = dispatch->members[i];
      enum tn_code rc;

      if ((int)member.rank != rank ||
          !fits(&member, known_dialect, known_driver))
        continue;
      rc = member.fn(dialect, driver, arg, member.user, err);
      if (rc != TN_OK || dispatch->mode == TN_DISPATCH_SINGLE)
        return rc;
    }
  }
  if (dispatch->mode == TN_DISPATCH_MULTIPLE)
    return TN_OK;
  return tn_err_set(err, TN_E_NOT_FOUND,
                    "dispatch: nothing is registered for \"%.60s%s%.60s\"",
                    known_dialect, known_driver[0] != '\0' ? "+" : "",
                    known_driver);
}
