/* What a program holds of a password that knows nothing but the client library:
 * as plain_postgresql.c.
 *
 *   plain_mysql HOST PORT USER DATABASE FILE */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
  char password[64] = "", byte;
  MYSQL *mysql = mysql_init(NULL);
  FILE *file;

  if (argc != 6 || mysql == NULL || (file = fopen(argv[5], "r")) == NULL)
    return 2;
  setvbuf(file, NULL, _IONBF, 0);
  if (fgets(password, sizeof(password), file) == NULL)
    return 2;
  fclose(file);
  password[strcspn(password, "\n")] = '\0';
  mysql = mysql_real_connect(mysql, argv[1], argv[3], password, argv[4],
                             (unsigned)strtoul(argv[2], NULL, 10), NULL, 0);
  explicit_bzero(password, sizeof(password));
  puts(mysql != NULL ? "connected" : "refused");
  fflush(stdout);
  while (read(STDIN_FILENO, &byte, 1) > 0)
    continue;
  mysql_close(mysql);
  mysql_library_end();
  return 0;
}
