/*
 * Loading: a look at the file first, because the loader's own messages ("invalid ELF header")
 * tell an author little, then dlopen. Nothing is ever unloaded: a process that loaded a plugin
 * ends with it.
 */
#include "base/memory.h"
#include "plugin/plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL "bide_plugin_describe"

enum { MAX_SECTIONS = 65535, MAX_SYMBOLS_BYTES = 64 << 20 };

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#elif defined(__riscv)
#define HOST_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define HOST_MACHINE EM_PPC64
#elif defined(__s390x__)
#define HOST_MACHINE EM_S390
#elif defined(__i386__)
#define HOST_MACHINE EM_386
#elif defined(__arm__)
#define HOST_MACHINE EM_ARM
#else
#define HOST_MACHINE EM_NONE /* dlopen will tell */
#endif

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv";
    case EM_PPC64:
        return "ppc64";
    case EM_S390:
        return "s390x";
    case EM_386:
        return "i386";
    case EM_ARM:
        return "arm";
    default:
        return "another machine";
    }
}

struct object {
    const char *path;
    int fd;
    uint64_t size;
    struct err *err;
    ElfW(Ehdr) header;
    ElfW(Shdr) * sections;
};

static bool object_refuse(const struct object *object, const char *what)
{
    return err_set(object->err, ERR_PLUGIN, "%s %s", object->path, what);
}

/* Part of the file in memory of its own; NULL when it is not all there. */
static void *object_read(const struct object *object, uint64_t offset, uint64_t size)
{
    if (offset > object->size || size > object->size - offset)
        return NULL;
    char *bytes = memory_get((size_t)size + 1);
    uint64_t done = 0;
    while (done < size) {
        ssize_t got =
            pread(object->fd, bytes + done, (size_t)(size - done), (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(bytes);
            return NULL;
        }
        done += (uint64_t)got;
    }
    bytes[size] = 0;
    return bytes;
}

static bool bytes_are_text(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < '\t' || (bytes[i] > '\r' && bytes[i] < ' '))
            return false;
    return true;
}

static bool check_ident(const struct object *object, const unsigned char *ident, size_t size)
{
    const uint16_t one = 1;
    unsigned char order = *(const unsigned char *)&one == 1 ? ELFDATA2LSB : ELFDATA2MSB;

    if (size == 0)
        return object_refuse(object, "is empty");
    if (size < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
        return object_refuse(object, bytes_are_text(ident, size)
                                         ? "is a text file, not a shared object"
                                         : "is not a shared object (ELF)");
    if (size < EI_NIDENT)
        return object_refuse(object, "is cut short: it ends within its ELF header");
    if (ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        ident[EI_DATA] != order)
        return object_refuse(object, "is for a machine of another word size or byte order");
    return true;
}

static bool check_header(struct object *object)
{
    unsigned char ident[EI_NIDENT] = { 0 };
    uint64_t ident_size = object->size < EI_NIDENT ? object->size : EI_NIDENT;
    void *bytes = object_read(object, 0, ident_size);

    if (bytes == NULL)
        return object_refuse(object, "cannot be read");
    memcpy(ident, bytes, (size_t)ident_size);
    free(bytes);
    if (!check_ident(object, ident, (size_t)ident_size))
        return false;
    bytes = object_read(object, 0, sizeof object->header);
    if (bytes == NULL)
        return object_refuse(object, "is cut short: it ends within its ELF header");
    memcpy(&object->header, bytes, sizeof object->header);
    free(bytes);
    if (HOST_MACHINE != EM_NONE && object->header.e_machine != HOST_MACHINE)
        return err_set(object->err, ERR_PLUGIN, "%s is made for %s, this is %s", object->path,
                       machine_name(object->header.e_machine), machine_name(HOST_MACHINE));
    if (object->header.e_type == ET_REL)
        return object_refuse(object, "is an object file; link it with -shared");
    if (object->header.e_type == ET_CORE)
        return object_refuse(object, "is a core dump");
    if (object->header.e_type != ET_DYN)
        return object_refuse(object, "is a program; a plugin is linked with -shared -fPIC");
    return true;
}

/* What is loaded must lie in the file, else the loader takes SIGBUS on its first look. */
static bool check_segments(const struct object *object)
{
    const ElfW(Ehdr) *header = &object->header;
    uint64_t size = (uint64_t)header->e_phnum * sizeof(ElfW(Phdr));
    bool good = true;

    if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0)
        return object_refuse(object, "has nothing to load");
    ElfW(Phdr) *segments = object_read(object, header->e_phoff, size);
    if (segments == NULL)
        return object_refuse(object, "is cut short: it ends before its program headers");
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segments[i].p_offset > object->size ||
            segments[i].p_filesz > object->size - segments[i].p_offset)
            good = false;
    free(segments);
    if (!good)
        return err_set(object->err, ERR_PLUGIN,
                       "%s is cut short: %" PRIu64 " bytes are there, its headers tell of more",
                       object->path, object->size);
    return true;
}

static bool symbol_is_ours(const struct object *object, const ElfW(Sym) * symbol,
                           const char *names, uint64_t names_size)
{
    uint64_t at = symbol->st_name;

    (void)object;
    return at < names_size && names_size - at >= sizeof SYMBOL &&
           memcmp(names + at, SYMBOL, sizeof SYMBOL) == 0 && symbol->st_shndx != SHN_UNDEF;
}

/* Is the symbol in the table that section `table` is? */
static bool table_has_symbol(const struct object *object, const ElfW(Shdr) * table)
{
    bool found = false;

    if (table->sh_link >= object->header.e_shnum || table->sh_size > MAX_SYMBOLS_BYTES)
        return false;
    const ElfW(Shdr) *names_section = &object->sections[table->sh_link];
    if (names_section->sh_size > MAX_SYMBOLS_BYTES)
        return false;
    ElfW(Sym) *symbols = object_read(object, table->sh_offset, table->sh_size);
    char *names = object_read(object, names_section->sh_offset, names_section->sh_size);
    if (symbols != NULL && names != NULL)
        for (uint64_t i = 0; i < table->sh_size / sizeof(ElfW(Sym)) && !found; i++)
            found = symbol_is_ours(object, &symbols[i], names, names_section->sh_size);
    free(names);
    free(symbols);
    return found;
}

static bool check_symbol(struct object *object)
{
    const ElfW(Ehdr) *header = &object->header;
    bool exported = false, hidden = false, stripped = true;

    if (header->e_shnum == 0 || header->e_shentsize != sizeof(ElfW(Shdr)))
        return true; /* without section headers only the loader can tell */
    object->sections =
        object_read(object, header->e_shoff, (uint64_t)header->e_shnum * sizeof(ElfW(Shdr)));
    if (object->sections == NULL)
        return object_refuse(object, "is cut short: it ends before its section headers");
    for (unsigned i = 0; i < header->e_shnum; i++) {
        const ElfW(Shdr) *section = &object->sections[i];
        if (section->sh_type == SHT_DYNSYM) {
            stripped = false;
            exported = exported || table_has_symbol(object, section);
        } else if (section->sh_type == SHT_SYMTAB) {
            hidden = hidden || table_has_symbol(object, section);
        }
    }
    if (exported || stripped)
        return true;
    return object_refuse(object, hidden
                                     ? "has a " SYMBOL " but hides it: include <bide/bide.h> "
                                       "before it, which makes it visible"
                                     : "has no " SYMBOL ": end the plugin with BIDE_PLUGIN(…)");
}

static bool object_open(struct object *object)
{
    struct stat status;

    object->fd = open(object->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (object->fd < 0 || fstat(object->fd, &status) != 0)
        return err_set(object->err, ERR_PLUGIN, "%s cannot be opened: %s", object->path,
                       strerror(errno));
    if (!S_ISREG(status.st_mode))
        return object_refuse(object, "is not a file");
    object->size = (uint64_t)status.st_size;
    return true;
}

bool plugin_probe(const char *path, struct err *err)
{
    struct object object = { .path = path, .fd = -1, .err = err };
    bool good = object_open(&object) && check_header(&object) && check_segments(&object) &&
                check_symbol(&object);

    free(object.sections);
    if (object.fd >= 0)
        close(object.fd);
    return good;
}

bool plugin_load(struct arena *arena, const char *path, struct plugin *plugin, struct err *err)
{
    const struct bide_plugin *(*describe)(void);

    if (!plugin_probe(path, err))
        return false;
    /* Without a slash dlopen would search the library path. */
    const char *name =
        strchr(path, '/') != NULL ? path : arena_format(arena, "./%s", path).data;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return err_set(err, ERR_PLUGIN, "cannot be loaded: %s", dlerror());
    void *symbol = dlsym(library, SYMBOL);
    if (symbol == NULL) {
        err_set(err, ERR_PLUGIN, "%s has no " SYMBOL ": end the plugin with BIDE_PLUGIN(…)",
                path);
        goto close_library;
    }
    memcpy(&describe, &symbol, sizeof describe); /* ISO C has no data-to-function cast */
    if (!plugin_check(arena, describe(), plugin, err))
        goto close_library;
    return true;

close_library:
    dlclose(library);
    return false;
}
