/* From a file to a backend.
 *
 * Whoever can make us map a file has our rights, and whoever has to find out
 * why it does not load has only our words. So each step is taken by itself and
 * says exactly what was wrong: owner and mode of the path, the ELF header, a
 * missing library, an undefined symbol, the entry point, the ABI. The file
 * that was checked is the one that is mapped, by its descriptor.
 *
 * The only file that includes dlfcn.h and elf.h. */
#include "loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

#define ENTRY_NAME "tn_plugin_entry"

/* Plug-in files that a process may map. */
#define KEPT_MAX 256

/* Longest explanation, and longest name of a build, in bytes. */
#define REASON_SIZE   1024
#define BUILD_ID_SIZE 80

/* More segments than any linker makes. */
#define SEGMENTS_MAX 128

/* Room for "/proc/self/fd/NUMBER". */
#define FD_PATH_SIZE 32

typedef const struct tn_plugin *(*entry_fn)(struct tn_call *call);

/* A file that is mapped, or being mapped when `handle` is NULL.
 *
 * The dynamic linker knows it by the name "/proc/self/fd/N", and would take
 * the next file of that name for the same. So the descriptor stays open for
 * the life of the process; and should the program have closed it all the same,
 * as daemons do, its number is not used again. */
struct kept {
  void *handle;
  dev_t device;
  ino_t inode;
  int fd;
  bool is_used;
};

/* Of the whole process, as the dynamic linker is. The lock is held to look
 * into the table, never while a plug-in's code runs. */
static struct kept kept_files[KEPT_MAX];
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_sealed;

/* What is loaded, on the way. */
struct loading {
  const struct tn_loader_wish *wish;
  int fd; /* -1: given to `kept_files` */
  struct stat stat;
  void *handle;
  char fd_path[FD_PATH_SIZE];
};

static void
close_loading(struct loading *loading)
{
  if (loading->fd >= 0)
    close(loading->fd);
  loading->fd = -1;
}

/* ---- the file ---- */

static enum tn_code
open_file(struct loading *loading, tn_err *err)
{
  const char *path = loading->wish->path;
  size_t size = strlen(path);
  tn_err cause = TN_ERR_INIT;
  enum tn_code rc = tn_file_open_trusted(path, &loading->fd, &cause);
  const char *message = cause.message;

  if (rc == TN_E_NOT_FOUND)
    return tn_err_set(err, rc, "absent");
  if (rc == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  if (rc == TN_OK && fstat(loading->fd, &loading->stat) == 0)
    return TN_OK;
  if (strncmp(message, path, size) == 0 && message[size] == ':')
    message += size + 2;
  return tn_err_set(err, TN_E_PLUGIN, "%s", message);
}

/* ---- its ELF header ---- */

/* Our own header, put there by the linker: it says which machine this is. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct machine_row {
  uint32_t number;
  const char *name;
};

static const struct machine_row machines[] = {
  { EM_386, "x86" },         { EM_X86_64, "x86-64" }, { EM_ARM, "arm" },
  { EM_AARCH64, "aarch64" }, { EM_PPC, "ppc" },       { EM_PPC64, "ppc64" },
  { EM_S390, "s390" },       { EM_RISCV, "riscv" },   { EM_MIPS, "mips" },
  { EM_SPARCV9, "sparc64" }, { EM_ALPHA, "alpha" },   { EM_PARISC, "hppa" },
};

static const char *
machine_name(uint32_t number)
{
  for (size_t i = 0; i < TN_COUNT(machines); i++) {
    if (machines[i].number == number)
      return machines[i].name;
  }
  return "of another kind";
}

static const char *
class_name(unsigned char class)
{
  return class == ELFCLASS64 ? "64 bits" : "32 bits";
}

static enum tn_code
refuse_class(const ElfW(Ehdr) * header, tn_err *err)
{
  const ElfW(Ehdr) *own = &__ehdr_start;

  if (header->e_ident[EI_CLASS] != own->e_ident[EI_CLASS])
    return tn_err_set(err, TN_E_PLUGIN,
                      "wrong machine: file is for %s, this has %s",
                      class_name(header->e_ident[EI_CLASS]),
                      class_name(own->e_ident[EI_CLASS]));
  return tn_err_set(err, TN_E_PLUGIN,
                    "wrong machine: file has another byte order");
}

/* The dynamic linker maps what the segments say; a file cut short would kill
 * the process when it touches what is not there. */
static enum tn_code
check_segments(const struct loading *loading, const ElfW(Ehdr) * header,
               tn_err *err)
{
  ElfW(Phdr) segments[SEGMENTS_MAX];
  size_t size = header->e_phnum * sizeof(segments[0]);

  if (header->e_phnum > SEGMENTS_MAX ||
      header->e_phentsize != sizeof(segments[0]))
    return tn_err_set(err, TN_E_PLUGIN, "damaged: unusual ELF header");
  if (pread(loading->fd, segments, size, (off_t)header->e_phoff) !=
      (ssize_t)size)
    return tn_err_set(err, TN_E_PLUGIN, "damaged: the file is cut short");
  for (size_t i = 0; i < header->e_phnum; i++) {
    uint64_t file_size = (uint64_t)loading->stat.st_size;

    if (segments[i].p_type == PT_LOAD &&
        (segments[i].p_offset > file_size ||
         segments[i].p_filesz > file_size - segments[i].p_offset))
      return tn_err_set(err, TN_E_PLUGIN, "damaged: the file is cut short");
  }
  return TN_OK;
}

static enum tn_code
check_elf(const struct loading *loading, tn_err *err)
{
  const ElfW(Ehdr) *own = &__ehdr_start;
  ElfW(Ehdr) header;
  ssize_t size = pread(loading->fd, &header, sizeof(header), 0);

  if (size < EI_NIDENT || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return tn_err_set(err, TN_E_PLUGIN, "not an ELF file%s",
                      size == 0 ? " (it is empty)" : "");
  if (header.e_ident[EI_CLASS] != own->e_ident[EI_CLASS] ||
      header.e_ident[EI_DATA] != own->e_ident[EI_DATA])
    return refuse_class(&header, err);
  if ((size_t)size < sizeof(header))
    return tn_err_set(err, TN_E_PLUGIN, "damaged: the file is cut short");
  if (header.e_machine != own->e_machine)
    return tn_err_set(err, TN_E_PLUGIN, "wrong machine: file is %s, this is %s",
                      machine_name(header.e_machine),
                      machine_name(own->e_machine));
  if (header.e_type != ET_DYN)
    return tn_err_set(err, TN_E_PLUGIN, "not a shared object (ELF type %u)",
                      (unsigned)header.e_type);
  return check_segments(loading, &header, err);
}

/* ---- why the dynamic linker refused ---- */

/* `text` with each `from` replaced by `to`, cut to `capacity`. */
static void
replace(const char *text, const char *from, const char *to, char *out,
        size_t capacity)
{
  size_t from_size = strlen(from);
  const char *found;

  out[0] = '\0';
  while ((found = strstr(text, from)) != NULL) {
    snprintf(out + strlen(out), capacity - strlen(out), "%.*s%s",
             (int)(found - text), text, to);
    text = found + from_size;
  }
  snprintf(out + strlen(out), capacity - strlen(out), "%s", text);
}

static enum tn_code
refuse_dependency(const struct loading *loading, const char *name, size_t size,
                  tn_err *err)
{
  const char *package = loading->wish->package;

  if (package[0] == '\0')
    return tn_err_set(err, TN_E_PLUGIN, "missing dependency %.*s", (int)size,
                      name);
  return tn_err_set(err, TN_E_PLUGIN,
                    "missing dependency %.*s (package %s has it)", (int)size,
                    name, package);
}

/* Turn the linker's words, "OBJECT: what: why", into a reason. OBJECT is left
 * out where it is the plug-in itself. */
static enum tn_code
explain(const struct loading *loading, const char *words, tn_err *err)
{
  static const char cannot_open[] = ": cannot open shared object file";
  static const char undefined[] = "undefined symbol: ";
  size_t own_size = strlen(loading->fd_path);
  char shown[REASON_SIZE];
  const char *found;

  if (strncmp(words, loading->fd_path, own_size) == 0 &&
      words[own_size] == ':' && words[own_size + 1] == ' ')
    words += own_size + 2;
  found = strstr(words, cannot_open);
  if (found != NULL)
    return refuse_dependency(loading, words, (size_t)(found - words), err);
  replace(words, loading->fd_path, loading->wish->path, shown, sizeof(shown));
  found = strstr(shown, undefined);
  if (found == NULL)
    return tn_err_set(err, TN_E_PLUGIN, "%s", shown);
  words = found + sizeof(undefined) - 1;
  if (found == shown)
    return tn_err_set(err, TN_E_PLUGIN, "undefined symbol %s", words);
  return tn_err_set(err, TN_E_PLUGIN, "undefined symbol %s in %.*s", words,
                    (int)(found - shown) - 2, shown);
}

/* What dlerror() says, copied at once, and in the language that explain()
 * reads. */
static void
copy_dlerror(char *out, size_t capacity)
{
  locale_t plain = newlocale(LC_MESSAGES_MASK, "C", (locale_t)0);
  locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
  const char *words = dlerror();

  snprintf(out, capacity, "%s", words != NULL ? words : "no reason is told");
  if (plain != (locale_t)0) {
    uselocale(before);
    freelocale(plain);
  }
}

/* ---- mapping ---- */

/* The handle of a file that is mapped already. It stays mapped, so no other
 * file can get its inode. */
static void *
find_kept(const struct stat *wanted)
{
  for (size_t i = 0; i < KEPT_MAX; i++) {
    const struct kept *kept = &kept_files[i];

    if (kept->is_used && kept->handle != NULL &&
        kept->device == wanted->st_dev && kept->inode == wanted->st_ino)
      return kept->handle;
  }
  return NULL;
}

static bool
is_kept_number(int fd)
{
  for (size_t i = 0; i < KEPT_MAX; i++) {
    if (kept_files[i].is_used && kept_files[i].fd == fd)
      return true;
  }
  return false;
}

/* Give the file a descriptor whose number was never told to the dynamic
 * linker; above those of the standard streams, which programs replace. */
static bool
renumber(struct loading *loading)
{
  while (loading->fd <= STDERR_FILENO || is_kept_number(loading->fd)) {
    int lowest = loading->fd <= STDERR_FILENO ? STDERR_FILENO : loading->fd;
    int fd = fcntl(loading->fd, F_DUPFD_CLOEXEC, lowest + 1);

    if (fd < 0)
      return false;
    close(loading->fd);
    loading->fd = fd;
  }
  return true;
}

static struct kept *
free_kept(void)
{
  for (size_t i = 0; i < KEPT_MAX; i++) {
    if (!kept_files[i].is_used)
      return &kept_files[i];
  }
  return NULL;
}

/* Find the file's handle, or else a place for it in the table, with which the
 * descriptor goes. */
static enum tn_code
reserve(struct loading *loading, struct kept **ret, tn_err *err)
{
  struct kept *kept = NULL;
  bool is_numbered = true;

  pthread_mutex_lock(&kept_lock);
  loading->handle = find_kept(&loading->stat);
  if (loading->handle == NULL) {
    is_numbered = renumber(loading);
    kept = free_kept();
  }
  if (kept != NULL && is_numbered)
    *kept = (struct kept){ .fd = loading->fd,
                           .device = loading->stat.st_dev,
                           .inode = loading->stat.st_ino,
                           .is_used = true };
  pthread_mutex_unlock(&kept_lock);

  if (!is_numbered)
    return tn_err_set(err, TN_E_PLUGIN, "this process has too many open files");
  if (loading->handle == NULL && kept == NULL)
    return tn_err_set(err, TN_E_PLUGIN,
                      "this process has loaded %d plug-in files already",
                      KEPT_MAX);
  *ret = kept;
  return TN_OK;
}

/* Note that the file of `kept` is mapped, or forget it. */
static void
settle(struct loading *loading, struct kept *kept)
{
  pthread_mutex_lock(&kept_lock);
  kept->handle = loading->handle;
  kept->is_used = loading->handle != NULL;
  pthread_mutex_unlock(&kept_lock);
  if (loading->handle != NULL)
    loading->fd = -1;
}

/* Not lazily, so that an undefined symbol is found now; not for others to see;
 * and for good, since client libraries leave threads and handlers behind.
 * Without /proc the path must do. It cannot be swapped either: all folders
 * above it were checked. */
static enum tn_code
map_file(struct loading *loading, tn_err *err)
{
  char words[REASON_SIZE];
  struct kept *kept = NULL;
  const char *name;
  enum tn_code rc;

  if (atomic_load(&is_sealed))
    return tn_err_set(err, TN_E_PLUGIN,
                      "the process is sealed (tn_seal) and loads no plug-in");
  rc = reserve(loading, &kept, err);
  if (rc != TN_OK || kept == NULL)
    return rc;
  snprintf(loading->fd_path, sizeof(loading->fd_path), "/proc/self/fd/%d",
           loading->fd);
  name = access(loading->fd_path, F_OK) == 0 ? loading->fd_path
                                             : loading->wish->path;
  loading->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (loading->handle == NULL)
    copy_dlerror(words, sizeof(words));
  settle(loading, kept);
  return loading->handle != NULL ? TN_OK : explain(loading, words, err);
}

/* ---- the entry point ---- */

static struct link_map *
link_map_of(const struct loading *loading)
{
  struct link_map *map = NULL;

  return dlinfo(loading->handle, RTLD_DI_LINKMAP, &map) == 0 ? map : NULL;
}

/* What the table of symbols calls the one at `symbol`. What stands there under
 * no name is what an indirect function (STT_GNU_IFUNC) has led to. */
static unsigned
symbol_type(void *symbol)
{
  const ElfW(Sym) *found = NULL;
  Dl_info info;

  if (dladdr1(symbol, &info, (void **)&found, RTLD_DL_SYMENT) == 0 ||
      found == NULL || info.dli_saddr != symbol)
    return STT_GNU_IFUNC;
  return ELF64_ST_TYPE(found->st_info);
}

/* The entry point; NULL if there is none. Looking a symbol up in an object
 * looks into its dependencies as well; one of those is not the file that was
 * checked. */
static entry_fn
find_entry(const struct loading *loading, tn_err *err)
{
  void *symbol = dlsym(loading->handle, ENTRY_NAME);
  struct link_map *map = NULL;
  unsigned type;
  entry_fn entry;
  Dl_info info;

  if (symbol == NULL) {
    tn_err_set(err, TN_E_PLUGIN, "no entry point " ENTRY_NAME);
    return NULL;
  }
  if (dladdr1(symbol, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 ||
      map != link_map_of(loading)) {
    tn_err_set(err, TN_E_PLUGIN,
               "no entry point " ENTRY_NAME
               "; only one of its dependencies has it");
    return NULL;
  }

  type = symbol_type(symbol);
  if (type != STT_FUNC && type != STT_GNU_IFUNC) {
    tn_err_set(err, TN_E_PLUGIN,
               ENTRY_NAME " is not a function (ELF symbol type %u)", type);
    return NULL;
  }

  /* The one way to make a function of it that ISO C does not object to. */
  memcpy(&entry, &symbol, sizeof(entry));
  return entry;
}

static enum tn_code
call_entry(const struct loading *loading, entry_fn entry,
           const struct tn_plugin **ret, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;
  struct tn_host_call call;

  tn_host_call_init(&call, TN_DEADLINE_NONE, NULL, &cause);
  call.backend = loading->wish->name;
  call.log = loading->wish->log;
  *ret = entry(&call.call);
  if (*ret != NULL)
    return TN_OK;
  return tn_err_set(err, TN_E_PLUGIN, "init failed: %s",
                    call.failed != TN_OK ? cause.message
                                         : "it does not say why");
}

/* ---- does it keep to its manifest? ---- */

static bool
has_scheme(const char *const *schemes, const char *scheme)
{
  for (size_t i = 0; schemes[i] != NULL; i++) {
    if (strcmp(schemes[i], scheme) == 0)
      return true;
  }
  return false;
}

/* The first of `schemes` that is not among `others`; NULL if all are. */
static const char *
find_odd(const char *const *schemes, const char *const *others)
{
  for (size_t i = 0; schemes[i] != NULL; i++) {
    if (!has_scheme(others, schemes[i]))
      return schemes[i];
  }
  return NULL;
}

static enum tn_code
check_agreement(const struct tn_loader_wish *wish,
                const struct tn_plugin *plugin, tn_err *err)
{
  const char *odd;

  if (wish->name != NULL && strcmp(wish->name, plugin->name) != 0)
    return tn_err_set(err, TN_E_PLUGIN,
                      "its manifest calls it \"%s\", it calls itself \"%s\"",
                      wish->name, plugin->name);
  if (wish->schemes == NULL)
    return TN_OK;
  odd = find_odd(wish->schemes, plugin->schemes);
  if (odd != NULL)
    return tn_err_set(err, TN_E_PLUGIN,
                      "it does not serve scheme \"%s\" of its manifest", odd);
  odd = find_odd(plugin->schemes, wish->schemes);
  if (odd != NULL)
    return tn_err_set(err, TN_E_PLUGIN,
                      "it serves scheme \"%s\", which its manifest lacks", odd);
  return TN_OK;
}

/* ---- the name of the build ---- */

struct build_id {
  const struct link_map *map;
  char text[BUILD_ID_SIZE];
};

/* Write the build-id of a note segment, if it has one. */
static void
read_notes(const char *notes, size_t size, struct build_id *build_id)
{
  ElfW(Nhdr) note;

  while (size >= sizeof(note)) {
    size_t name, used;

    memcpy(&note, notes, sizeof(note));
    if (note.n_namesz > size || note.n_descsz > size)
      return;
    name = (note.n_namesz + (size_t)3) & ~(size_t)3;
    used = sizeof(note) + name + ((note.n_descsz + (size_t)3) & ~(size_t)3);
    if (used > size)
      return;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        memcmp(notes + sizeof(note), "GNU", 4) == 0) {
      const char *bytes = notes + sizeof(note) + name;
      size_t at = 0;

      for (size_t i = 0; i < note.n_descsz && at + 3 < BUILD_ID_SIZE; i++)
        at += (size_t)snprintf(build_id->text + at, BUILD_ID_SIZE - at, "%02x",
                               (unsigned char)bytes[i]);
      return;
    }
    notes += used;
    size -= used;
  }
}

/* Where the dynamic section of an object lies, as its segments have it. */
static ElfW(Addr) dynamic_address(const struct dl_phdr_info *info)
{
  for (size_t i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      return info->dlpi_phdr[i].p_vaddr;
  }
  return 0;
}

static int
visit_object(struct dl_phdr_info *info, size_t size, void *user)
{
  struct build_id *build_id = user;
  ElfW(Addr) dynamic = dynamic_address(info);

  (void)size;
  if (info->dlpi_addr != build_id->map->l_addr)
    return 0;
  for (size_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

    /* Counted from the dynamic section, of which we have a pointer. */
    if (segment->p_type == PT_NOTE && build_id->text[0] == '\0')
      read_notes((const char *)build_id->map->l_ld +
                     (ptrdiff_t)(segment->p_vaddr - dynamic),
                 segment->p_memsz, build_id);
  }
  return 1;
}

static void
log_success(const struct loading *loading, const struct tn_backend *backend)
{
  struct build_id build_id = { .map = link_map_of(loading) };

  if (build_id.map != NULL)
    dl_iterate_phdr(visit_object, &build_id);
  tn_log_write(loading->wish->log, TN_LOG_INFO,
               "plugin: %s %s is loaded from %s (build-id %s, %s)",
               backend->plugin.name, backend->plugin.version, backend->path,
               build_id.text[0] != '\0' ? build_id.text : "none",
               backend->client[0] != '\0' ? backend->client : "no library");
}

/* ---- all steps ---- */

static enum tn_code
begin(const struct loading *loading, struct tn_backend **ret, tn_err *err)
{
  TN_CLEANUP(tn_backend_free) struct tn_backend *backend = NULL;
  const struct tn_plugin *plugin = NULL;
  entry_fn entry = find_entry(loading, err);
  enum tn_code rc;

  if (entry == NULL)
    return TN_E_PLUGIN;
  rc = call_entry(loading, entry, &plugin, err);
  if (rc == TN_OK)
    rc = tn_backend_new(plugin, loading->wish->path, &backend, err);
  if (rc == TN_OK)
    rc = check_agreement(loading->wish, &backend->plugin, err);
  if (rc != TN_OK)
    return rc;
  log_success(loading, backend);
  *ret = backend;
  backend = NULL;
  return TN_OK;
}

enum tn_code
tn_loader_load(const struct tn_loader_wish *wish, struct tn_backend **ret,
               bool *ret_is_final, tn_err *err)
{
  TN_CLEANUP(close_loading)
  struct loading loading = { .wish = wish, .fd = -1 };
  enum tn_code rc = open_file(&loading, err);

  *ret_is_final = false;
  if (rc == TN_OK)
    rc = check_elf(&loading, err);
  if (rc == TN_OK)
    rc = map_file(&loading, err);
  if (rc != TN_OK)
    return rc;
  *ret_is_final = true;
  return begin(&loading, ret, err);
}

void
tn_loader_seal(void)
{
  atomic_store(&is_sealed, true);
}
