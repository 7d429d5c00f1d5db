/* What a program holds of a password that knows nothing but libpq: connects
 * with the values of its arguments and the password of a file, forgets its own
 * copy, and waits for the end of its input.
 *
 *   plain_postgresql HOST PORT USER DATABASE FILE */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
  const char *names[] = { "host",     "port",    "user", "dbname",
                          "password", "sslmode", NULL };
  const char *values[] = { NULL, NULL, NULL, NULL, NULL, "disable", NULL };
  char password[64] = "";
  FILE *file;
  PGconn *conn;

  if (argc != 6 || (file = fopen(argv[5], "r")) == NULL)
    return 2;
  setvbuf(file, NULL, _IONBF, 0);
  if (fgets(password, sizeof(password), file) == NULL)
    return 2;
  fclose(file);
  password[strcspn(password, "\n")] = '\0';
  for (int i = 0; i < 4; i++)
    values[i] = argv[i + 1];
  values[4] = password;
  conn = PQconnectdbParams(names, values, 0);
  explicit_bzero(password, sizeof(password));
  puts(PQstatus(conn) == CONNECTION_OK ? "connected" : PQerrorMessage(conn));
  fflush(stdout);
  while (read(STDIN_FILENO, names, 1) > 0)
    continue;
  PQfinish(conn);
  return 0;
}
