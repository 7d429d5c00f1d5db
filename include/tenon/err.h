/* Errors: the code a caller decides by, and the object that explains it.
 *
 * Every fallible function of Tenon returns an `enum tn_code` and takes, last,
 * a `tn_err *` that may be NULL. The code is the decision; the object is the
 * explanation. The object is the caller's, has a fixed size and never
 * allocates, so reporting an error cannot fail for want of memory. */
#ifndef TENON_ERR_H
#define TENON_ERR_H

#include <tenon/base.h>

TN_BEGIN_DECLS

/* The categories. One event has one category on every backend. The numbers
 * are part of the ABI: appended, never moved. tn_code_name() has the text. */
enum tn_code {
  TN_OK = 0,
  TN_E_USAGE = 1,     /* the caller broke the interface's rules */
  TN_E_CONFIG,        /* a URL, an option or an INI file is wrong */
  TN_E_PLUGIN,        /* no backend for the scheme, or it cannot be loaded */
  TN_E_CONNECT,       /* the server cannot be reached; nothing was sent */
  TN_E_AUTH,          /* the server refused the credentials */
  TN_E_LIMIT,         /* a limit of the server, backend or process was met */
  TN_E_TIMEOUT,       /* the deadline passed */
  TN_E_CANCELED,      /* canceled by another thread or an administrator */
  TN_E_LOST,          /* the connection died while it was in use */
  TN_E_UNCERTAIN,     /* the outcome of a commit is unknown */
  TN_E_DEADLOCK,      /* chosen as a deadlock's victim */
  TN_E_SERIALIZATION, /* concurrent transactions cannot be put in an order */
  TN_E_LOCK_TIMEOUT,  /* waited for a row or table lock for too long */
  TN_E_BUSY,          /* the database or table is locked by another */
  TN_E_DUPLICATE,     /* unique or primary key violated */
  TN_E_REFERENCE,     /* foreign key violated */
  TN_E_CHECK,         /* CHECK constraint violated */
  TN_E_NOT_NULL,      /* NULL in a column that must have a value */
  TN_E_EXCLUSION,     /* exclusion constraint violated */
  TN_E_CONSTRAINT,    /* another constraint, or which one is not known */
  TN_E_DATA,          /* a value does not fit its type */
  TN_E_CHARSET,       /* bytes that are no text in the encoding */
  TN_E_NO_DATABASE,   /* the database, or its schema, does not exist */
  TN_E_NO_TABLE,
  TN_E_NO_COLUMN,
  TN_E_NO_FUNCTION,
  TN_E_NO_CONSTRAINT,
  TN_E_EXISTS, /* the object to create is there already */
  TN_E_SYNTAX,
  TN_E_PERMISSION,
  TN_E_READ_ONLY,
  TN_E_UNSUPPORTED, /* this backend or server cannot do it */
  TN_E_STATE,       /* not in this state of the object or transaction */
  TN_E_NOT_FOUND,
  TN_E_CONFLICT, /* compare-and-set: the row has changed meanwhile */
  TN_E_MIGRATION,
  TN_E_MEMORY,
  TN_E_IO, /* disk full, read or write error, damaged file */
  TN_E_INTERNAL,
  TN_E_OTHER,
  TN_CODE_COUNT
};

/* Verdict on the connection: what may still be done with it. */
enum tn_connection_verdict {
  TN_CONNECTION_USABLE = 1, /* as before the call */
  TN_CONNECTION_ABORTED,    /* the transaction is over; roll back first */
  TN_CONNECTION_DEAD,       /* close it */
};

/* Verdict on a replay: what may be run again. It permits; it is the caller
 * who decides that the work is repeatable. */
enum tn_replay_verdict {
  TN_REPLAY_SAFE = 1,    /* the same call, as it was: nothing took effect */
  TN_REPLAY_TRANSACTION, /* only the whole transaction, from its begin */
  TN_REPLAY_NEVER,       /* it would fail the same way, or do harm */
  TN_REPLAY_UNKNOWN,     /* whether it took effect is not known */
};

/* The texts an error may carry besides its message. */
enum tn_err_field {
  TN_ERR_SCHEMA = 1,
  TN_ERR_TABLE,
  TN_ERR_COLUMN, /* each call adds one */
  TN_ERR_CONSTRAINT,
  TN_ERR_KEY,
  TN_ERR_VALUE,
  TN_ERR_DETAIL,
  TN_ERR_KEY_TABLE, /* the other table of a foreign key */
};

/* For sets of them. */
#define TN_ERR_BIT(field) (UINT32_C(1) << (field))

/* Where the columns of an error come from. */
enum tn_err_source {
  TN_SOURCE_PROTOCOL = 1, /* a field of its own that the server sent */
  TN_SOURCE_CATALOGUE,    /* tn_conn_complete() has looked them up */
  TN_SOURCE_MESSAGE,      /* taken out of the server's text */
};

/* Longest name of a plug-in, in bytes. */
#define TN_PLUGIN_NAME_MAX 23

/* The explanation. Texts end with NUL; "" stands for "not known", and a text
 * that did not fit ends in "...". The layout keeps for the life of the
 * SONAME. `message` is one line without secrets; `detail` may have more
 * lines. Control characters that a server sent are shown escaped. */
typedef struct tn_err {
  int32_t code;       /* enum tn_code */
  int32_t native;     /* the backend's own number; 0: none */
  int32_t connection; /* enum tn_connection_verdict; 0: no error is set */
  int32_t replay;     /* enum tn_replay_verdict; 0: no error is set */
  int32_t position;   /* in the statement, in characters from 1; 0: unknown */
  int32_t parameter;  /* the parameter at fault, from 1; 0: none */
  uint32_t column_count;
  uint32_t columns_used; /* bytes of `columns` in use */
  char sqlstate[8];
  char backend[TN_PLUGIN_NAME_MAX + 1]; /* name of the plug-in */
  char schema[128];
  char table[128];
  char columns[256]; /* column_count names, each ended by NUL */
  char constraint[128];
  char key[256];
  char value[256];
  char message[512];
  char detail[2048];
  uint64_t row;    /* of a batch or bulk load, from 1; 0: none, or not known */
  uint32_t source; /* enum tn_err_source; 0: there are no columns */
  uint32_t key_table_at; /* for tn_err_key_table() */
  uint64_t reserved[2];
} tn_err;

/* clang-format off */
#define TN_ERR_INIT { .code = 0 }
/* clang-format on */

/* The category's name, as tools print it: "usage" for TN_E_USAGE, "ok" for
 * TN_OK, "other" for a number that is none. Static. */
TN_API const char *tn_code_name(int32_t code);

/* One line on what the category means. Static. */
TN_API const char *tn_code_summary(int32_t code);

/* The category of that name; -1 if there is none. */
TN_API int32_t tn_code_from_name(const char *name);

/* "usable", "aborted", "dead"; "" for 0. Static. */
TN_API const char *tn_connection_verdict_name(int32_t verdict);

/* "safe", "transaction", "never", "unknown"; "" for 0. Static. */
TN_API const char *tn_replay_verdict_name(int32_t verdict);

/* Forget what `err` says. NULL is a no-op. */
TN_API void tn_err_clear(tn_err *err);

/* Say what failed: clears `err`, stores `code` with the verdicts usual for it
 * and the text. One line, lower case, the object first, then the value, then
 * the cause: "pool: all 5 connections are lent". Never a password.
 * Returns `code`, so that a function can end with `return tn_err_set(…)`.
 * `err` may be NULL. */
TN_API enum tn_code tn_err_set(tn_err *err, enum tn_code code, const char *fmt,
                               ...) TN_PRINTF(3, 4);

/* Add one text to an error that is set. `text` is copied; NULL, a NULL `err`
 * and an unknown field are no-ops. TN_ERR_DETAIL adds a line. */
TN_API void tn_err_add(tn_err *err, enum tn_err_field field, const char *text);

/* Change the verdicts of an error that is set; 0 keeps one. */
TN_API void tn_err_verdicts(tn_err *err, int32_t connection, int32_t replay);

/* The `index`th column, from 0, borrowed from `err`; NULL past the end. */
TN_API const char *tn_err_column(const tn_err *err, uint32_t index);

/* The table at the other end of a foreign key, borrowed from `err`; "" if it is
 * not known. */
TN_API const char *tn_err_key_table(const tn_err *err);

/* "protocol", "catalogue", "message"; "" for 0. Static. */
TN_API const char *tn_err_source_name(uint32_t source);

TN_END_DECLS

#endif
