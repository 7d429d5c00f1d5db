/* Which servers a URL names. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_host.h"
#include "my_priv.h"

static const struct mysql__endpoint common = { .port = MYSQL__PORT,
                                               .user = "u",
                                               .program = "p" };

Test(target, a_host_has_the_usual_port_unless_it_names_one)
{
  struct tn_address address = { .host = "db1" };
  struct mysql__target target;
  struct fake_call fake;

  fake_call_init(&fake, &mysql__dialect_table);
  cr_assert_eq(mysql__target_init(&common, &address, &fake.call, &target),
               TN_OK);
  cr_expect_str_eq(target.endpoint.host, "db1");
  cr_expect_eq(target.endpoint.port, 3306);
  cr_expect_str_eq(target.endpoint.shown, "db1:3306");
  address.port = 33;
  cr_assert_eq(mysql__target_init(&common, &address, &fake.call, &target),
               TN_OK);
  cr_expect_str_eq(target.endpoint.shown, "db1:33");
}

Test(target, localhost_with_a_port_is_that_port)
{
  const struct tn_address address = { .host = "localhost", .port = 3306 };
  struct mysql__target target;
  struct fake_call fake;

  fake_call_init(&fake, &mysql__dialect_table);
  cr_assert_eq(mysql__target_init(&common, &address, &fake.call, &target),
               TN_OK);
  cr_expect_str_eq(target.endpoint.host, "localhost");
  cr_expect_null(target.endpoint.socket);
}

/* A folder that is removed again. */
static void
make_folder(char folder[64])
{
  snprintf(folder, 64, "/tmp/tenon-target-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
}

static void
make_socket(const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  cr_assert_lt(strlen(path), sizeof address.sun_path);
  strcpy(address.sun_path, path);
  cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  close(fd);
}

Test(target, a_folder_stands_for_the_socket_in_it)
{
  struct mysql__target target = { .endpoint = common };
  struct fake_call fake;
  char folder[64];
  char path[128];

  fake_call_init(&fake, &mysql__dialect_table);
  make_folder(folder);
  cr_assert_eq(mysql__target_socket(folder, &fake.call, &target), TN_OK);
  snprintf(path, sizeof path, "%s/mysqld.sock", folder);
  cr_expect_str_eq(target.endpoint.socket, path, "the usual one, if none is");
  snprintf(path, sizeof path, "%s/mysql.sock", folder);
  make_socket(path);
  cr_assert_eq(mysql__target_socket(folder, &fake.call, &target), TN_OK);
  cr_expect_str_eq(target.endpoint.socket, path);
  cr_expect_null(target.endpoint.host);
  cr_assert_eq(mysql__target_socket(path, &fake.call, &target), TN_OK);
  cr_expect_str_eq(target.endpoint.socket, path, "and a path for itself");
  unlink(path);
  rmdir(folder);
}

Test(target, a_path_that_the_library_would_cut_or_overrun_is_refused)
{
  struct mysql__target target = { .endpoint = common };
  struct fake_call fake;
  char path[200];

  fake_call_init(&fake, &mysql__dialect_table);
  memset(path, 'x', sizeof path);
  path[0] = '/';
  path[108] = '\0';
  cr_expect_eq(mysql__target_socket(path, &fake.call, &target), TN_E_CONFIG);
  path[107] = '\0';
  cr_expect_eq(mysql__target_socket(path, &fake.call, &target), TN_OK);
}

Test(target, names_that_the_library_would_cut_are_refused)
{
  struct tn_connect_args args = { .size = sizeof args };
  struct mysql__endpoint endpoint;
  struct fake_call fake;
  char name[600];

  fake_call_init(&fake, &mysql__dialect_table);
  memset(name, 'x', sizeof name);
  name[512] = '\0';
  args.user = name;
  cr_expect_eq(mysql__target_common(&args, &fake.call, &endpoint), TN_E_CONFIG);
  name[511] = '\0';
  cr_expect_eq(mysql__target_common(&args, &fake.call, &endpoint), TN_OK);
  args.database = name;
  cr_expect_eq(mysql__target_common(&args, &fake.call, &endpoint), TN_E_CONFIG);
}

Test(target, a_copy_owns_all_its_texts)
{
  char host[] = "db1", user[] = "u", ca[] = "/ca";
  const struct mysql__endpoint endpoint = {
    .host = host, .user = user, .ca = ca, .program = "p", .port = 1
  };
  struct fake_call fake;
  struct mysql__endpoint *copy;

  fake_call_init(&fake, &mysql__dialect_table);
  copy = mysql__endpoint_copy(fake.call.host, &endpoint);
  cr_assert_not_null(copy);
  host[0] = user[0] = ca[0] = '!';
  cr_expect_str_eq(copy->host, "db1");
  cr_expect_str_eq(copy->user, "u");
  cr_expect_str_eq(copy->ca, "/ca");
  cr_expect_str_eq(copy->program, "p");
  cr_expect_null(copy->database);
  cr_expect_eq(copy->port, 1);
  fake.call.host->release(copy);
}
