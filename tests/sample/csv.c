/* A small backend over a folder of CSV files: the worked example of
 * plugins/README.md. A table is a file NAME.csv (RFC 4180) whose first record
 * names the columns, each with its type if it is not text: "name,age:int64".
 *
 *   SELECT * | column, ... FROM name [WHERE column = ?]
 *   INSERT INTO name VALUES (?, ...)
 *
 * It includes tenon/plugin.h and nothing else of Tenon. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <tenon/plugin.h>

#define MAX_COLUMNS 64
#define NAME_SIZE   64
#define PATH_SIZE   1024

struct csv_conn {
  const struct tn_host *host;
  char folder[PATH_SIZE - NAME_SIZE - 8];
};

/* A field of the record that was read last: bytes of the reader's buffer. */
struct field {
  size_t start;
  size_t size;
  int is_quoted;
};

/* Reads one record at a time into memory of its own. */
struct reader {
  const struct tn_host *host;
  FILE *file;
  char *bytes;
  size_t capacity;
  struct field fields[MAX_COLUMNS];
  uint32_t field_count;
};

struct csv_statement {
  const struct tn_host *host;
  char path[PATH_SIZE];
  struct tn_column columns[MAX_COLUMNS]; /* of the file */
  uint32_t column_count;
  struct tn_column chosen[MAX_COLUMNS]; /* of the result */
  uint32_t source[MAX_COLUMNS];         /* where each is in the file */
  uint32_t chosen_count;
  int filter; /* column of WHERE; -1: none */
  int is_insert;
  uint32_t parameter_count;

  /* The open result. One at a time, so it lives here. */
  struct reader reader;
  char wanted[256]; /* what the filter's column must be */
  uint64_t affected;
};

/* ------------------------------------------------------------------ */
/* Records                                                             */

static int
keep_byte(struct reader *reader, size_t at, int byte)
{
  if (at >= reader->capacity) {
    size_t capacity = reader->capacity * 2 + 256;
    char *bytes = reader->host->resize(reader->bytes, capacity);

    if (bytes == NULL)
      return 0;
    reader->bytes = bytes;
    reader->capacity = capacity;
  }
  reader->bytes[at] = (char)byte;
  return 1;
}

/* The byte that ends a field, EOF at the end; -2 without memory. */
static int
read_field(struct reader *reader, struct field *field, size_t *used)
{
  int byte = getc(reader->file);

  field->start = *used;
  field->is_quoted = byte == '"';
  if (field->is_quoted)
    byte = getc(reader->file);
  for (;; byte = getc(reader->file)) {
    if (byte == EOF)
      break;
    if (field->is_quoted && byte == '"') {
      byte = getc(reader->file);
      if (byte != '"')
        break;
    } else if (!field->is_quoted && (byte == ',' || byte == '\n')) {
      break;
    }
    if (byte == '\r' && !field->is_quoted)
      continue;
    if (!keep_byte(reader, (*used)++, byte))
      return -2;
  }
  if (byte == '\r')
    byte = getc(reader->file);
  field->size = *used - field->start;
  return byte;
}

/* 1 for a record, 0 at the end, or a category with its sign changed. */
static int32_t
read_record(struct reader *reader, struct tn_call *call)
{
  size_t used = 0;
  int end = ',';

  for (reader->field_count = 0; end == ','; reader->field_count++) {
    if (reader->field_count == MAX_COLUMNS)
      return -tn_fail(call, TN_E_LIMIT, "csv: a record has more than %d fields",
                      MAX_COLUMNS);
    end = read_field(reader, &reader->fields[reader->field_count], &used);
    if (end == -2)
      return -tn_fail(call, TN_E_MEMORY, "csv: out of memory");
  }
  if (ferror(reader->file))
    return -tn_fail(call, TN_E_IO, "csv: cannot read the file");
  return end == EOF && used == 0 && reader->field_count == 1 ? 0 : 1;
}

static void
close_reader(struct reader *reader)
{
  if (reader->file != NULL)
    fclose(reader->file);
  reader->file = NULL;
  if (reader->host != NULL)
    reader->host->release(reader->bytes);
  reader->bytes = NULL;
  reader->capacity = 0;
}

/* ------------------------------------------------------------------ */
/* Errors: what this backend says by itself, classified by the table   */

static const struct tn_error_row errors[] = {
  { 0, TN_E_NO_TABLE, 0, 0, "42S02", "no such file" },
  { 0, TN_E_NO_COLUMN, 0, 0, "42S22", "no such column" },
  { 0, TN_E_SYNTAX, 0, 0, "42000", "not understood" },
};

static int32_t
fail_state(struct tn_call *call, const char *sqlstate, const char *message,
           uint32_t field, const char *name)
{
  struct tn_failure failure = { 0 };
  int32_t category;

  failure.size = sizeof failure;
  failure.sqlstate = sqlstate;
  failure.message = message;
  category = call->host->fail(call, &failure);
  if (name != NULL)
    call->host->fail_field(call, field, name, strlen(name));
  return category;
}

static int32_t
fail_syntax(struct tn_call *call)
{
  return fail_state(call, "42000",
                    "csv: only SELECT columns FROM name [WHERE column = ?] "
                    "and INSERT INTO name VALUES (?, ...) are understood",
                    0, NULL);
}

/* ------------------------------------------------------------------ */
/* Connections                                                         */

static int32_t
csv_connect(const struct tn_connect_args *args, struct tn_call *call,
            void **ret)
{
  const struct tn_host *host = call->host;
  struct csv_conn *conn;
  int32_t rc = host->check(call);

  if (rc != TN_OK)
    return rc;
  if (args->database == NULL || args->database[0] == '\0')
    return tn_fail(call, TN_E_CONFIG,
                   "csv: the URL names no folder; write csv:///path");
  if (strlen(args->database) >= sizeof conn->folder)
    return tn_fail(call, TN_E_CONFIG, "csv: the folder's path is too long");
  conn = host->alloc(sizeof *conn);
  if (conn == NULL)
    return tn_fail(call, TN_E_MEMORY, "csv: out of memory");
  conn->host = host;
  strcpy(conn->folder, args->database);
  *ret = conn;
  return TN_OK;
}

static void
csv_disconnect(void *handle, struct tn_call *call)
{
  (void)call;
  ((struct csv_conn *)handle)->host->release(handle);
}

static int32_t
csv_ping(void *handle, struct tn_call *call)
{
  (void)handle;
  return call->host->check(call);
}

/* ------------------------------------------------------------------ */
/* Statements                                                          */

/* Copy the next word or sign of the statement; "" at its end. */
static void
next_word(const char **at, char word[NAME_SIZE])
{
  size_t size = 0;

  while (isspace((unsigned char)**at))
    (*at)++;
  while ((isalnum((unsigned char)**at) || **at == '_') && size < NAME_SIZE - 1)
    word[size++] = *(*at)++;
  if (size == 0 && **at != '\0')
    word[size++] = *(*at)++;
  word[size] = '\0';
}

/* Take the next word if it is `wanted`. */
static int
accept_word(const char **at, const char *wanted)
{
  const char *start = *at;
  char word[NAME_SIZE];

  next_word(at, word);
  if (strcasecmp(word, wanted) == 0)
    return 1;
  *at = start;
  return 0;
}

static uint32_t
type_of(const char *name)
{
  static const struct {
    const char *name;
    uint32_t type;
  } types[] = {
    { "bool", TN_BOOL },           { "int64", TN_INT64 },
    { "double", TN_DOUBLE },       { "decimal", TN_DECIMAL },
    { "date", TN_DATE },           { "time", TN_TIME },
    { "timestamp", TN_TIMESTAMP }, { "uuid", TN_UUID },
    { "json", TN_JSON },
  };
  size_t i;

  for (i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strcmp(types[i].name, name) == 0)
      return types[i].type;
  return TN_TEXT;
}

/* The columns, from the file's first record. */
static int32_t
read_header(struct csv_statement *statement, struct tn_call *call)
{
  struct reader *reader = &statement->reader;
  int32_t rc = read_record(reader, call);
  uint32_t i;

  for (i = 0; rc == 1 && i < reader->field_count; i++) {
    const struct field *field = &reader->fields[i];
    char *name = call->host->arena_alloc(call->arena, field->size + 1);
    char *type;

    if (name == NULL)
      return tn_fail(call, TN_E_MEMORY, "csv: out of memory");
    memcpy(name, reader->bytes + field->start, field->size);
    name[field->size] = '\0';
    type = strchr(name, ':');
    if (type != NULL)
      *type++ = '\0';
    statement->columns[i].name = name;
    statement->columns[i].type_name = type == NULL ? "text" : type;
    statement->columns[i].type = type == NULL ? TN_TEXT : type_of(type);
  }
  statement->column_count = i;
  return rc < 0 ? -rc : TN_OK;
}

static int32_t
open_table(struct csv_conn *conn, struct csv_statement *statement,
           const char *table, struct tn_call *call)
{
  struct reader *reader = &statement->reader;
  int32_t rc;

  if (!isalnum((unsigned char)table[0]))
    return fail_syntax(call);
  snprintf(statement->path, sizeof statement->path, "%s/%s.csv", conn->folder,
           table);
  reader->host = conn->host;
  reader->file = fopen(statement->path, "re");
  if (reader->file == NULL)
    return fail_state(call, "42S02", "csv: there is no such file", TN_ERR_TABLE,
                      table);
  rc = read_header(statement, call);
  close_reader(reader);
  return rc;
}

static int
find_column(const struct csv_statement *statement, const char *name)
{
  uint32_t i;

  for (i = 0; i < statement->column_count; i++)
    if (strcasecmp(statement->columns[i].name, name) == 0)
      return (int)i;
  return -1;
}

static int32_t
choose_column(struct csv_statement *statement, const char *name,
              struct tn_call *call)
{
  int found = find_column(statement, name);
  uint32_t at = statement->chosen_count;

  if (found < 0)
    return fail_state(call, "42S22", "csv: there is no such column",
                      TN_ERR_COLUMN, name);
  if (at == MAX_COLUMNS)
    return tn_fail(call, TN_E_LIMIT, "csv: more than %d columns", MAX_COLUMNS);
  statement->chosen[at] = statement->columns[found];
  statement->source[at] = (uint32_t)found;
  statement->chosen_count++;
  return TN_OK;
}

/* The columns' names come before the table that has them. */
static int32_t
parse_select(struct csv_conn *conn, struct csv_statement *statement,
             const char **at, struct tn_call *call)
{
  const char *list = *at;
  char word[NAME_SIZE];
  int32_t rc;

  do
    next_word(at, word);
  while (word[0] != '\0' && strcasecmp(word, "FROM") != 0);
  next_word(at, word);
  rc = open_table(conn, statement, word, call);
  if (rc != TN_OK)
    return rc;
  if (accept_word(&list, "*")) {
    uint32_t i;

    for (i = 0; i < statement->column_count && rc == TN_OK; i++)
      rc = choose_column(statement, statement->columns[i].name, call);
  } else {
    do {
      next_word(&list, word);
      rc = choose_column(statement, word, call);
    } while (rc == TN_OK && accept_word(&list, ","));
  }
  if (rc != TN_OK || !accept_word(at, "WHERE"))
    return rc;
  next_word(at, word);
  statement->filter = find_column(statement, word);
  if (statement->filter < 0)
    return fail_state(call, "42S22", "csv: there is no such column",
                      TN_ERR_COLUMN, word);
  statement->parameter_count = 1;
  return accept_word(at, "=") && accept_word(at, "?") ? TN_OK
                                                      : fail_syntax(call);
}

static int32_t
parse_insert(struct csv_conn *conn, struct csv_statement *statement,
             const char **at, struct tn_call *call)
{
  char word[NAME_SIZE];
  int32_t rc;

  statement->is_insert = 1;
  if (!accept_word(at, "INTO"))
    return fail_syntax(call);
  next_word(at, word);
  rc = open_table(conn, statement, word, call);
  if (rc != TN_OK)
    return rc;
  if (!accept_word(at, "VALUES") || !accept_word(at, "("))
    return fail_syntax(call);
  do {
    if (!accept_word(at, "?"))
      return fail_syntax(call);
    statement->parameter_count++;
  } while (accept_word(at, ","));
  if (!accept_word(at, ")") ||
      statement->parameter_count != statement->column_count)
    return fail_syntax(call);
  return TN_OK;
}

static int32_t
csv_prepare(void *handle, const char *sql, size_t sql_size,
            struct tn_call *call, void **ret, struct tn_statement_info *info)
{
  struct csv_conn *conn = handle;
  struct csv_statement *statement;
  const char *at = sql;
  int32_t rc;

  (void)sql_size;
  statement = call->host->arena_alloc(call->arena, sizeof *statement);
  if (statement == NULL)
    return tn_fail(call, TN_E_MEMORY, "csv: out of memory");
  memset(statement, 0, sizeof *statement);
  statement->host = conn->host;
  statement->filter = -1;
  if (accept_word(&at, "SELECT"))
    rc = parse_select(conn, statement, &at, call);
  else if (accept_word(&at, "INSERT"))
    rc = parse_insert(conn, statement, &at, call);
  else
    rc = fail_syntax(call);
  if (rc == TN_OK) {
    accept_word(&at, ";");
    if (!accept_word(&at, ""))
      rc = fail_syntax(call);
  }
  if (rc != TN_OK)
    return rc;
  info->parameter_count = statement->parameter_count;
  info->column_count = statement->chosen_count;
  *ret = statement;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Execution                                                           */

static int32_t
write_value(FILE *file, const tn_value *value, uint32_t number,
            struct tn_call *call)
{
  char text[4096];
  size_t size = call->host->value_print(value, text, sizeof text);
  size_t i;

  if (size >= sizeof text)
    return tn_fail(call, TN_E_LIMIT, "csv: parameter %u: longer than %zu bytes",
                   (unsigned)number, sizeof text - 1);
  if (value->type == TN_NULL)
    return TN_OK;
  putc('"', file);
  for (i = 0; i < size; i++) {
    if (text[i] == '"')
      putc('"', file);
    putc(text[i], file);
  }
  putc('"', file);
  return TN_OK;
}

static int32_t
insert_record(struct csv_statement *statement, const tn_value *values,
              uint32_t count, struct tn_call *call)
{
  FILE *file = fopen(statement->path, "ae");
  int32_t rc = TN_OK;
  uint32_t i;

  if (file == NULL)
    return tn_fail(call, TN_E_PERMISSION, "csv: cannot write the file");
  for (i = 0; i < count && rc == TN_OK; i++) {
    if (i > 0)
      putc(',', file);
    rc = write_value(file, &values[i], i + 1, call);
  }
  putc('\n', file);
  if ((fclose(file) != 0) && rc == TN_OK)
    rc = tn_fail(call, TN_E_IO, "csv: cannot write the file");
  statement->affected = 1;
  return rc;
}

static int32_t
csv_execute(void *handle, const tn_value *values, uint32_t count,
            struct tn_call *call, void **ret)
{
  struct csv_statement *statement = handle;
  struct reader *reader = &statement->reader;
  int32_t rc = call->host->check(call);

  if (rc != TN_OK)
    return rc;
  statement->affected = 0;
  if (statement->is_insert) {
    rc = insert_record(statement, values, count, call);
    *ret = statement;
    return rc;
  }
  if (count > 0 && call->host->value_print(&values[0], statement->wanted,
                                           sizeof statement->wanted) >=
                       sizeof statement->wanted)
    return tn_fail(call, TN_E_LIMIT, "csv: parameter 1: too long to compare");
  reader->host = statement->host;
  reader->file = fopen(statement->path, "re");
  if (reader->file == NULL)
    return fail_state(call, "42S02", "csv: the file is gone", 0, NULL);
  rc = read_record(reader, call); /* the header */
  if (rc < 0) {
    close_reader(reader);
    return -rc;
  }
  *ret = statement;
  return TN_OK;
}

static void
csv_close_statement(void *handle, struct tn_call *call)
{
  (void)call;
  close_reader(&((struct csv_statement *)handle)->reader);
}

static int32_t
csv_columns(void *result, struct tn_call *call, const struct tn_column **ret,
            uint32_t *ret_count)
{
  struct csv_statement *statement = result;

  (void)call;
  *ret = statement->chosen;
  *ret_count = statement->chosen_count;
  return TN_OK;
}

static int
matches(const struct csv_statement *statement)
{
  const struct reader *reader = &statement->reader;
  const struct field *field;

  if (statement->filter < 0)
    return 1;
  if ((uint32_t)statement->filter >= reader->field_count)
    return 0;
  field = &reader->fields[statement->filter];
  return strlen(statement->wanted) == field->size &&
         memcmp(reader->bytes + field->start, statement->wanted, field->size) ==
             0;
}

/* An empty field without quotes is NULL; what is no value of the column's type
 * comes back as text. */
static void
fill_cell(const struct csv_statement *statement, uint32_t column,
          tn_value *cell)
{
  const struct reader *reader = &statement->reader;
  uint32_t source = statement->source[column];
  const struct field *field = &reader->fields[source];
  const char *bytes = reader->bytes == NULL ? "" : reader->bytes;

  if (source >= reader->field_count || (field->size == 0 && !field->is_quoted))
    *cell = tn_null();
  else if (statement->host->value_parse(statement->chosen[column].type,
                                        bytes + field->start, field->size,
                                        cell) != TN_OK)
    *cell = tn_bytes(TN_TEXT, bytes + field->start, field->size);
}

static int32_t
csv_fetch(void *result, tn_value *cells, struct tn_call *call)
{
  struct csv_statement *statement = result;
  uint32_t i;
  int32_t rc;

  do {
    rc = call->host->check(call);
    if (rc != TN_OK)
      return -rc;
    rc = read_record(&statement->reader, call);
    if (rc <= 0)
      return rc;
  } while (!matches(statement));
  for (i = 0; i < statement->chosen_count; i++)
    fill_cell(statement, i, &cells[i]);
  return 1;
}

static void
csv_close_result(void *result, struct tn_call *call)
{
  (void)call;
  close_reader(&((struct csv_statement *)result)->reader);
}

static int32_t
csv_info(void *result, struct tn_result_info *info)
{
  const struct csv_statement *statement = result;

  if (statement->is_insert) {
    info->flags = TN_RESULT_HAS_AFFECTED;
    info->affected = statement->affected;
  }
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Tables                                                              */

static const struct tn_connection_table connection_table = {
  .size = sizeof connection_table,
  .connect = csv_connect,
  .disconnect = csv_disconnect,
  .ping = csv_ping,
};

static const struct tn_statement_table statement_table = {
  .size = sizeof statement_table,
  .prepare = csv_prepare,
  .execute = csv_execute,
  .close = csv_close_statement,
};

static const struct tn_result_table result_table = {
  .size = sizeof result_table,
  .columns = csv_columns,
  .fetch = csv_fetch,
  .close = csv_close_result,
  .info = csv_info,
};

static const struct tn_dialect_table dialect_table = {
  .size = sizeof dialect_table,
  .lexer = 0,
  .placeholder = TN_PLACEHOLDER_QUESTION,
  .value_types = (1u << (TN_JSON + 1)) - 2,
  .errors = errors,
  .error_count = sizeof errors / sizeof errors[0],
};

static const void *
get_table(uint32_t id)
{
  switch (id) {
  case TN_TABLE_CONNECTION:
    return &connection_table;
  case TN_TABLE_STATEMENT:
    return &statement_table;
  case TN_TABLE_RESULT:
    return &result_table;
  case TN_TABLE_DIALECT:
    return &dialect_table;
  default:
    return NULL;
  }
}

static const char *
client_version(void)
{
  return "RFC 4180";
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static const char *const schemes[] = { "csv", NULL };
  static const struct tn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = TN_ABI_MAJOR,
    .abi_minor = TN_ABI_MINOR,
    .caps = TN_CAP_WRITE | TN_CAP_STREAMING,
    .name = "csv",
    .version = "1.0",
    .license = "Apache-2.0",
    .schemes = schemes,
    .client_library = "csv",
    .client_version = client_version,
    .get_table = get_table,
  };

  (void)call;
  return &plugin;
}
