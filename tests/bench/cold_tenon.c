/* The same as cold_raw.c with Tenon: find the plug-in, load it, open, select.
 * It also sees to it that no other backend's library was mapped. */
#include <stdio.h>
#include <tenon/tenon.h>

static int
maps_contain(const char *word)
{
  FILE *maps = fopen("/proc/self/maps", "re");
  char line[512];
  int is_there = 0;

  if (maps == NULL)
    return 0;
  while (!is_there && fgets(line, sizeof line, maps) != NULL)
    is_there = strstr(line, word) != NULL;
  fclose(maps);
  return is_there;
}

int
main(int argc, char **argv)
{
  const struct tn_query query = { .sql = "SELECT 42" };
  tn_conn *conn = NULL;
  tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  int ok = tn_conn_open("sqlite://", NULL, &conn, &err) == TN_OK &&
           tn_conn_query(conn, &query, &result, &err) == TN_OK &&
           tn_result_next(result, &row, &err) == TN_OK && row != NULL &&
           row[0].as.int64 == 42;

  if (!ok)
    fprintf(stderr, "cold_tenon: %s\n", err.message);
  tn_result_close(&result);
  tn_conn_close(&conn);
  (void)argv;
  if (argc > 1) /* asked about the libraries, not the time */
    ok = ok && !maps_contain("libpq") && !maps_contain("libmariadb") &&
         !maps_contain("libmysqlclient");
  return !ok;
}
