/* scopes PRIMARY [REPLICA]
 *
 * An order of two functions that know nothing of each other, in one
 * transaction, and a reader that sees it, wherever it reads. */
#include <inttypes.h>
#include <stdio.h>
#include <tenon/tenon.h>

/* What both work on. */
struct order {
  tn_facade *facade;
  tn_context *context; /* one a request */
  int64_t left;
};

static int
report(const tn_err *err)
{
  fprintf(stderr, "%s: %s\n", tn_code_name(err->code), err->message);
  return 1;
}

static enum tn_code
run(tn_scope *scope, const char *sql, tn_err *err)
{
  return tn_conn_exec(tn_scope_conn(scope), sql, NULL, err);
}

static enum tn_code
note_order(tn_scope *scope, void *user, tn_err *err)
{
  (void)user;
  return run(scope, "INSERT INTO shop_orders VALUES ('apples', 3)", err);
}

/* By itself it would be a transaction; here it is a part of one. It is called
 * again with all of that if the database says so. */
static enum tn_code
place_order(tn_scope *scope, void *user, tn_err *err)
{
  struct order *order = user;
  enum tn_code rc;

  rc = run(scope, "UPDATE shop_stock SET n = n - 3 WHERE name = 'apples'", err);
  if (rc == TN_OK)
    rc = tn_write(order->facade, order->context, note_order, order, err);
  return rc;
}

static enum tn_code
count_stock(tn_scope *scope, void *user, tn_err *err)
{
  struct order *order = user;
  const struct tn_query query = { .sql = "SELECT sum(n) FROM shop_stock" };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(tn_scope_conn(scope), &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  return rc == TN_OK ? tn_value_to_int64(&row[0], &order->left, err) : rc;
}

static enum tn_code
set_up(tn_scope *scope, void *user, tn_err *err)
{
  (void)user;
  return tn_conn_script(tn_scope_conn(scope),
                        "DROP TABLE IF EXISTS shop_stock;"
                        "DROP TABLE IF EXISTS shop_orders;"
                        "CREATE TABLE shop_stock (name VARCHAR(20), n BIGINT);"
                        "CREATE TABLE shop_orders (name VARCHAR(20), n BIGINT);"
                        "INSERT INTO shop_stock VALUES ('apples', 10)",
                        NULL, NULL, err);
}

/* The reader goes to the replica, once that has what the writer has written;
 * if it takes too long, to the primary. */
static enum tn_code
sell(struct order *order, tn_err *err)
{
  struct tn_scope_options bare = TN_SCOPE_OPTIONS_INIT;
  struct tn_scope_options writer = TN_SCOPE_OPTIONS_INIT;
  struct tn_scope_options reader = TN_SCOPE_OPTIONS_INIT;
  tn_position position = TN_POSITION_INIT;
  enum tn_code rc;

  bare.mode = writer.mode = TN_SCOPE_WRITER;
  bare.flags = TN_SCOPE_CONNECTION; /* where DDL commits by itself */
  writer.ret_position = &position;
  reader.mode = TN_SCOPE_ASYNC_READER;
  reader.after = &position;
  rc = tn_scope_run(order->facade, order->context, &bare, set_up, NULL, err);
  if (rc == TN_OK)
    rc = tn_scope_run(order->facade, order->context, &writer, place_order,
                      order, err);
  if (rc == TN_OK)
    rc = tn_scope_run(order->facade, order->context, &reader, count_stock,
                      order, err);
  return rc;
}

int
main(int argc, char **argv)
{
  struct tn_facade_options options = TN_FACADE_OPTIONS_INIT;
  TN_CLEANUP(tn_facade_close) tn_facade *facade = NULL;
  TN_CLEANUP(tn_context_close) tn_context *context = NULL;
  tn_err err = TN_ERR_INIT;
  struct order order;

  options.target = argc > 1 ? argv[1] : "sqlite://";
  options.replica = argc > 2 ? argv[2] : NULL;
  if (tn_facade_open(&options, &facade, &err) != TN_OK ||
      tn_context_open(0, &context, &err) != TN_OK)
    return report(&err);
  order = (struct order){ .facade = facade, .context = context };
  if (sell(&order, &err) != TN_OK)
    return report(&err);
  printf("%" PRId64 " apples are left\n", order.left);
  return 0;
}
