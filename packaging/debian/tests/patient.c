/* A program that has been running since before the backend was installed: it
 * asks again until the backend is there.
 *
 *   patient URL    one line when it begins to wait, one when it is connected */
#include <stdio.h>
#include <tenon/tenon.h>
#include <unistd.h>

#define PATIENCE_S 120

int
main(int argc, char **argv)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  int i;

  if (argc != 2)
    return 2;
  for (i = 0; i < PATIENCE_S; i++) {
    if (tn_conn_open(argv[1], NULL, &conn, &err) == TN_OK) {
      printf("connected after %d s\n", i);
      return i == 0;
    }
    if (i == 0) {
      printf("waits: %s\n", err.message);
      (void)fflush(stdout);
    }
    (void)sleep(1);
  }
  fprintf(stderr, "%s\n", err.message);
  return 1;
}
