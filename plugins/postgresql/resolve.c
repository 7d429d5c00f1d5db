/* Names that the system has to look up, which may take it as long as it likes:
 * in a thread of their own. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pg_priv.h"

struct job {
  const struct tn_host *host;
  struct addrinfo *found;
  int code;     /* of getaddrinfo() */
  int number;   /* errno */
  char name[1]; /* and more */
};

static struct job *
new_job(const struct tn_host *host, const char *name)
{
  size_t size = strlen(name) + 1;
  struct job *job = host->alloc(sizeof *job + size);

  if (job == NULL)
    return NULL;
  memset(job, 0, sizeof *job);
  job->host = host;
  memcpy(job->name, name, size);
  return job;
}

static void
run_resolve(void *work)
{
  const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
  struct job *job = work;

  job->code = getaddrinfo(job->name, NULL, &hints, &job->found);
  job->number = errno;
}

static void
release_job(void *work)
{
  struct job *job = work;

  if (job->found != NULL)
    freeaddrinfo(job->found);
  job->host->release(job);
}

static void
keep_addresses(const struct job *job, struct pg__addresses *ret)
{
  const struct addrinfo *at;

  ret->count = 0;
  for (at = job->found; at != NULL && ret->count < PG__ADDRESS_MAX;
       at = at->ai_next)
    if (getnameinfo(at->ai_addr, at->ai_addrlen, ret->text[ret->count],
                    PG__ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST) == 0)
      ret->count++;
}

static int32_t
explain(const struct job *job, struct pg__reason *reason)
{
  char buffer[128];

  reason->category = job->code == EAI_MEMORY ? TN_E_MEMORY : TN_E_CONNECT;
  snprintf(reason->text, sizeof reason->text, "%s",
           job->code == 0 ? "the name has no address"
           : job->code == EAI_SYSTEM
               ? strerror_r(job->number, buffer, sizeof buffer)
               : gai_strerror(job->code));
  return TN_E_CONNECT;
}

/* Is it a number, which nobody has to be asked for? */
static bool
is_number(const char *name)
{
  unsigned char address[sizeof(struct in6_addr)];

  return inet_pton(AF_INET, name, address) == 1 ||
         inet_pton(AF_INET6, name, address) == 1;
}

int32_t
pg__resolve(struct tn_call *call, const char *name, int64_t until,
            struct pg__addresses *ret, struct pg__reason *reason)
{
  struct job *job;
  int32_t rc;

  reason->text[0] = '\0';
  if (is_number(name)) {
    ret->count = 1;
    snprintf(ret->text[0], PG__ADDRESS_TEXT, "%s", name);
    return TN_OK;
  }
  job = new_job(call->host, name);
  if (job == NULL)
    return pg__fail_memory(call);
  rc = call->host->offload(call, run_resolve, release_job, job, until);
  if (rc != TN_OK)
    return rc; /* the job is the host's */
  keep_addresses(job, ret);
  if (ret->count == 0)
    rc = explain(job, reason);
  release_job(job);
  return rc;
}

/* ------------------------------------------------------------------ */

struct account {
  const struct tn_host *host;
  char name[PG__USER_MAX];
};

static void
run_account(void *work)
{
  struct account *account = work;
  struct passwd entry, *found = NULL;
  char buffer[4096];

  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 &&
      found != NULL)
    snprintf(account->name, sizeof account->name, "%s", found->pw_name);
}

static void
release_account(void *work)
{
  struct account *account = work;

  account->host->release(account);
}

int32_t
pg__account(struct tn_call *call, char name[PG__USER_MAX])
{
  struct account *account = call->host->alloc(sizeof *account);
  int32_t rc;

  if (account == NULL)
    return pg__fail_memory(call);
  memset(account, 0, sizeof *account);
  account->host = call->host;
  rc = call->host->offload(call, run_account, release_account, account,
                           INT64_MAX);
  if (rc != TN_OK)
    return rc; /* it is the host's */
  memcpy(name, account->name, PG__USER_MAX);
  release_account(account);
  if (name[0] == '\0')
    return tn_fail(call, TN_E_CONFIG,
                   "postgresql: the URL names no user, and the account of the "
                   "process has no name");
  return TN_OK;
}
