/* Manifests: what is accepted, and what is refused with which words. */
#include "manifest.h"

#include <criterion/criterion.h>
#include <string.h>

#include "files.h"
#include "oom.h"

#define PATH  "/m/sqlite.ini"
#define START "[plugin]\nname = sqlite\nabi = 1\nschemes = sqlite\n"

static struct tn_manifest *manifest;
static tn_err err;

static enum tn_code
parse(const char *text)
{
  tn_manifest_free(&manifest);
  tn_err_clear(&err);
  return tn_manifest_parse(text, strlen(text), PATH, &manifest, &err);
}

static void
tear_down(void)
{
  tn_manifest_free(&manifest);
}

TestSuite(manifest, .fini = tear_down);

Test(manifest, all_keys_are_read)
{
  cr_assert_eq(parse("# a comment\n"
                     "[plugin]\n"
                     "name = sqlite\n"
                     "file = sqlite-3.so\n"
                     "abi = 1\n"
                     "schemes = sqlite  sqlite3\n"
                     "aliases = lite sqlite+pysqlite\n"
                     "package = tenon-backend-sqlite\n"
                     "client = sqlite3\n"
                     "description = A database in a file; no server\n"),
               TN_OK, "%s", err.message);
  cr_expect_str_eq(manifest->path, PATH);
  cr_expect_str_eq(manifest->name, "sqlite");
  cr_expect_str_eq(manifest->file, "sqlite-3.so");
  cr_expect_eq(manifest->abi_major, 1);
  cr_expect_str_eq(manifest->schemes[0], "sqlite");
  cr_expect_str_eq(manifest->schemes[1], "sqlite3");
  cr_expect_eq(manifest->schemes[2], NULL);
  cr_expect_str_eq(manifest->aliases[0], "lite");
  cr_expect_str_eq(manifest->aliases[1], "sqlite+pysqlite");
  cr_expect_eq(manifest->aliases[2], NULL);
  cr_expect_str_eq(manifest->package, "tenon-backend-sqlite");
  cr_expect_str_eq(manifest->client, "sqlite3");
  cr_expect_str_eq(manifest->description, "A database in a file; no server");
}

Test(manifest, what_is_not_said_has_defaults)
{
  cr_assert_eq(parse(START), TN_OK, "%s", err.message);
  cr_expect_str_eq(manifest->file, "sqlite.so");
  cr_expect_eq(manifest->aliases[0], NULL);
  cr_expect_str_eq(manifest->package, "");
  cr_expect_str_eq(manifest->client, "");
  cr_expect_str_eq(manifest->description, "");
  cr_assert_eq(parse(START "aliases =\npackage =\n"), TN_OK, "%s", err.message);
  cr_expect_eq(manifest->aliases[0], NULL);
}

static const struct {
  const char *text;
  const char *message;
} refused[] = {
  { "", PATH ": [plugin] has no name" },
  { "[plugin]\n", PATH ": [plugin] has no name" },
  { "[plugin]\nname = sqlite\n", PATH ": [plugin] has no abi" },
  { "[plugin]\nname = sqlite\nabi = 1\n", PATH ": [plugin] has no schemes" },
  { "name = sqlite\n", PATH ":1: name: stands before the section [plugin]" },
  { "[plug-in]\n",
    PATH ":1: unknown section [plug-in]; a manifest has [plugin]" },
  { "[plugin:x]\n",
    PATH ":1: unknown section [plugin:x]; a manifest has [plugin]" },
  { START "[other]\n",
    PATH ":5: unknown section [other]; a manifest has [plugin]" },
  { START "scheme = x\n",
    PATH ":5: unknown key \"scheme\"; did you mean \"schemes\"?" },
  { START "Abi = 1\n", PATH ":5: unknown key \"Abi\"; did you mean \"abi\"?" },
  { START "colour = red\n", PATH ":5: unknown key \"colour\"" },
  { START "abi = 1\n", PATH ":5: abi: the key is there twice" },
  { START "[plugin]\nabi = 1\n", PATH ":6: abi: the key is there twice" },
  { "[plugin]\nname = mysql\n",
    PATH ":2: name: \"mysql\" is not what the file is called" },
  { "[plugin]\nname = sqlit\n",
    PATH ":2: name: \"sqlit\" is not what the file is called" },
  { "[plugin]\nname = SQLite\n",
    PATH ":2: name: \"SQLite\" is no name; use a-z, 0-9 and '_', up to 23" },
  { "[plugin]\nname =\n",
    PATH ":2: name: \"\" is no name; use a-z, 0-9 and '_', up to 23" },
  { "[plugin]\nabi = 0\n",
    PATH ":2: abi: \"0\" is no major number of the ABI" },
  { "[plugin]\nabi = -1\n",
    PATH ":2: abi: \"-1\" is no major number of the ABI" },
  { "[plugin]\nabi = 1.0\n",
    PATH ":2: abi: \"1.0\" is no major number of the ABI" },
  { "[plugin]\nabi = 65536\n",
    PATH ":2: abi: \"65536\" is no major number of the ABI" },
  { "[plugin]\nabi = 4294967297\n",
    PATH ":2: abi: \"4294967297\" is no major number of the ABI" },
  { "[plugin]\nabi =\n", PATH ":2: abi: \"\" is no major number of the ABI" },
  { "[plugin]\nschemes =\n", PATH ":2: schemes: names no scheme" },
  { "[plugin]\nschemes = a/b\n", PATH ":2: schemes: \"a/b\" is no scheme" },
  { "[plugin]\nschemes = a+b\n", PATH ":2: schemes: \"a+b\" is no scheme" },
  { "[plugin]\nschemes = a, b\n", PATH ":2: schemes: \"a,\" is no scheme" },
  { "[plugin]\nschemes = a b a\n", PATH ":2: schemes: \"a\" is there twice" },
  { START "aliases = a+b+c\n", PATH ":5: aliases: \"a+b+c\" is no scheme" },
  { START "aliases = a+\n", PATH ":5: aliases: \"a+\" is no scheme" },
  { START "aliases = +a\n", PATH ":5: aliases: \"+a\" is no scheme" },
  { START "file = /lib/sqlite.so\n",
    PATH ":5: file: \"/lib/sqlite.so\" is no file name like NAME.so, without "
         "a folder" },
  { START "file = ../sqlite.so\n",
    PATH ":5: file: \"../sqlite.so\" is no file name like NAME.so, without a "
         "folder" },
  { START "file = .so\n",
    PATH ":5: file: \".so\" is no file name like NAME.so, without a folder" },
  { START "file = .x.so\n",
    PATH ":5: file: \".x.so\" is no file name like NAME.so, without a "
         "folder" },
  { START "file = sqlite\n",
    PATH ":5: file: \"sqlite\" is no file name like NAME.so, without a "
         "folder" },
  { START "file = sqlite.so.1\n",
    PATH ":5: file: \"sqlite.so.1\" is no file name like NAME.so, without a "
         "folder" },
  { START "file = a b.so\n",
    PATH ":5: file: \"a b.so\" is no file name like NAME.so, without a "
         "folder" },
  { START "file =\n",
    PATH ":5: file: \"\" is no file name like NAME.so, without a folder" },
};

Test(manifest, what_is_wrong_is_named_with_its_line)
{
  for (size_t i = 0; i < TN_COUNT(refused); i++) {
    cr_expect_eq(parse(refused[i].text), TN_E_CONFIG, "case %zu: \"%s\"", i,
                 refused[i].text);
    cr_expect_str_eq(err.message, refused[i].message, "case %zu: \"%s\"", i,
                     refused[i].text);
    cr_expect_eq(manifest, NULL, "case %zu", i);
    cr_expect_eq(tn_manifest_parse(refused[i].text, strlen(refused[i].text),
                                   PATH, &manifest, NULL),
                 TN_E_CONFIG, "case %zu", i);
  }
}

Test(manifest, lines_that_cannot_be_read_are_refused)
{
  cr_expect_eq(parse(START "just words\n"), TN_E_CONFIG);
  cr_expect_eq(parse(START "description = \xff\n"), TN_E_CONFIG);
  cr_expect_eq(parse(START "description = a\033b\n"), TN_E_CONFIG);
  cr_expect_eq(tn_manifest_parse(START "x\0y = 1\n", sizeof(START) + 8, PATH,
                                 &manifest, &err),
               TN_E_CONFIG);
}

Test(manifest, at_most_64_words_make_a_list)
{
  char text[1024] = START "aliases =";

  for (int i = 0; i < 64; i++)
    snprintf(text + strlen(text), sizeof(text) - strlen(text), " a%d", i);
  cr_assert_eq(parse(text), TN_OK, "%s", err.message);
  cr_expect_str_eq(manifest->aliases[63], "a63");
  cr_expect_eq(manifest->aliases[64], NULL);
  strcat(text, " a64");
  cr_expect_eq(parse(text), TN_E_CONFIG);
  cr_expect_str_eq(err.message, PATH ":5: aliases: more than 64 names");
}

static const struct {
  const char *text;
  bool is_name, is_scheme, is_alias;
} words[] = {
  { "a", true, true, true },
  { "sqlite", true, true, true },
  { "a_1", true, true, true },
  { "abcdefghijklmnopqrstuvw", true, true, true },
  { "abcdefghijklmnopqrstuvwx", false, true, true },
  { "abcdefghijklmnopqrstuvwxyz012345", false, true, true },
  { "abcdefghijklmnopqrstuvwxyz0123456", false, false, false },
  { "abcdefghijklmnopqrstuvwxyz0123456+a", false, false, false },
  { "a+b", false, false, true },
  { "a+B", false, false, false },
  { "a+b/c", false, false, false },
  { "a++b", false, false, false },
  { "", false, false, false },
  { "1a", false, false, false },
  { "_a", false, false, false },
  { "A", false, false, false },
  { "a-b", false, false, false },
  { "a.b", false, false, false },
  { "a/b", false, false, false },
  { "../a", false, false, false },
  { "a ", false, false, false },
  { "a%2f", false, false, false },
  { "ä", false, false, false },
};

Test(manifest, names_and_schemes_have_a_narrow_grammar)
{
  for (size_t i = 0; i < TN_COUNT(words); i++) {
    cr_expect_eq(tn_manifest_is_name(words[i].text), words[i].is_name,
                 "case %zu: \"%s\"", i, words[i].text);
    cr_expect_eq(tn_manifest_is_scheme(words[i].text), words[i].is_scheme,
                 "case %zu: \"%s\"", i, words[i].text);
    cr_expect_eq(tn_manifest_is_alias(words[i].text), words[i].is_alias,
                 "case %zu: \"%s\"", i, words[i].text);
  }
}

Test(manifest, is_read_from_a_file_that_can_be_trusted)
{
  char path[PATH_MAX];

  files_make();
  files_write("sqlite.ini", START, path);
  cr_assert_eq(tn_manifest_read(path, &manifest, &err), TN_OK, "%s",
               err.message);
  cr_expect_str_eq(manifest->path, path);
  tn_manifest_free(&manifest);

  cr_assert_eq(chmod(path, 0666), 0);
  cr_expect_eq(tn_manifest_read(path, &manifest, &err), TN_E_PERMISSION);
  cr_expect(strstr(err.message, path) != NULL, "%s", err.message);
  cr_assert_eq(unlink(path), 0);
  cr_expect_eq(tn_manifest_read(path, &manifest, &err), TN_E_NOT_FOUND);
  files_remove();
}

Test(manifest, a_file_that_is_too_large_is_refused)
{
  static char text[TN_MANIFEST_MAX + 2];
  char path[PATH_MAX];

  memset(text, '#', sizeof(text) - 1);
  files_make();
  files_write("sqlite.ini", text, path);
  cr_expect_eq(tn_manifest_read(path, &manifest, &err), TN_E_LIMIT);
  files_remove();
}

Test(manifest, each_allocation_may_fail)
{
  static const char text[] = START "aliases = a b c\npackage = p\n";

  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = parse(text);
    tn_manifest_free(&manifest);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  tn_manifest_free(NULL);
}
