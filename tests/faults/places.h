/* Places at which the network dies: what is done before, and what is then under
 * way. */
#ifndef TENON_TESTS_PLACES_H
#define TENON_TESTS_PLACES_H

#include "faults.h"

#define TIME_MS 1000

struct place;

/* One session that comes to one place. */
struct
try {
  const struct place *place;
  const char *url;
  const struct words *words;
  tn_conn *conn;
  tn_prepared *prepared;
  tn_result *result;
  tn_bulk *bulk;
  tn_txn *txn;
  char global_id[65];   /* of it, or of what is prepared; "": neither */
  int64_t session;      /* the server's number for it */
  int64_t login_ns;     /* how long it took to open it */
  tn_deadline deadline; /* of what is under way; 0: a second from then on */
  tn_deadline ended;    /* when it had its answer */
  enum tn_code rc;
  tn_err err;
};

/* Bytes of a session's beginning that a rule may count. */
enum beginning {
  BEGINNING_NONE,
  BEGINNING_TLS,      /* the server's, before the client says hello in TLS */
  BEGINNING_PASSWORD, /* the server's, before the client gives a proof */
  BEGINNING_COUNT
};

/* Ways to die. */
#define PLACE_HOLE  UINT32_C(1) /* silence, in the proxy by `rule` */
#define PLACE_LOSS  UINT32_C(2) /* silence, by losing all packets */
#define PLACE_STOP  UINT32_C(4) /* silence, by stopping the server */
#define PLACE_RESET UINT32_C(8) /* the connection ends */

/* What is under way, by what its failure may mean. */
enum work {
  WORK_OPEN,
  WORK_READ,           /* has no effect */
  WORK_WRITE,          /* takes effect by itself */
  WORK_IN_TRANSACTION, /* takes none without a later commit */
  WORK_COMMIT,         /* of a transaction that it did not begin */
  WORK_WHOLE,          /* with a begin and a commit of its own */
  WORK_CLOSE           /* gives no answer */
};

struct place {
  const char *name;
  const char *rule; /* of the proxy; for # the bytes of `beginning` */
  enum beginning beginning;
  uint32_t ways;                    /* PLACE_… */
  bool lets_cancels_through;        /* they have fewer bytes than it counts */
  const char *options;              /* of the URL */
  void (*prepare)(struct try *try); /* before; NULL: no session is opened */
  void (*start)(struct try *try);   /* shortly before; may be NULL */
  enum tn_code (*act)(struct try *try);
  enum work work;
};

/* Ended by one without a name. */
extern const struct place places[];

/* What those that prepare a transaction write. */
#define PLACE_PREPARED 11

/* Roll back what they have left prepared: a table that it locks could not be
 * dropped. */
void places_clear(tn_conn *conn);

#endif
