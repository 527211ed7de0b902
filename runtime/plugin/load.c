/*
 * Loading: a look at the file first, because the loader's own messages ("invalid ELF header")
 * tell an author little, then dlopen. Nothing is ever unloaded: a process that loaded a plugin
 * ends with it.
 */
#include "base/elf.h"
#include "plugin/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL "bide_plugin_describe"

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

static bool check_header(const struct elf *elf, struct err *err)
{
    const ElfW(Ehdr) *header = &elf->header;

    if (HOST_MACHINE != EM_NONE && header->e_machine != HOST_MACHINE)
        return err_set(err, ERR_PLUGIN, "is made for %s, this is %s",
                       machine_name(header->e_machine), machine_name(HOST_MACHINE));
    if (header->e_type == ET_REL)
        return err_set(err, ERR_PLUGIN, "is an object file; link it with -shared");
    if (header->e_type == ET_CORE)
        return err_set(err, ERR_PLUGIN, "is a core dump");
    if (header->e_type != ET_DYN)
        return err_set(err, ERR_PLUGIN, "is a program; a plugin is linked with -shared -fPIC");
    return header->e_phnum > 0 || err_set(err, ERR_PLUGIN, "has nothing to load");
}

static bool has_symbol(const struct elf *elf, uint32_t section)
{
    struct elf_symbols symbols;
    bool is_good = elf_symbols_read(elf, section, &symbols), found = false;

    for (uint64_t i = 0; is_good && i < symbols.count && !found; i++)
        found = symbols.items[i].st_shndx != SHN_UNDEF &&
                strcmp(elf_symbol_name(&symbols, i), SYMBOL) == 0;
    elf_symbols_free(&symbols);
    return found;
}

static bool check_symbol(const struct elf *elf, struct err *err)
{
    bool exported = false, hidden = false;
    bool stripped = true; /* of section headers: then only the loader can tell */

    for (uint32_t i = 0; i < elf->section_count; i++) {
        if (elf->sections[i].sh_type == SHT_DYNSYM) {
            stripped = false;
            exported = exported || has_symbol(elf, i);
        } else if (elf->sections[i].sh_type == SHT_SYMTAB) {
            hidden = hidden || has_symbol(elf, i);
        }
    }
    if (exported || stripped)
        return true;
    return err_set(err, ERR_PLUGIN,
                   hidden ? "has a " SYMBOL " but hides it: include <bide/bide.h> "
                            "before it, which makes it visible"
                          : "has no " SYMBOL ": end the plugin with BIDE_PLUGIN(…)");
}

static bool file_check(int fd, struct err *err)
{
    struct elf elf;
    bool is_good =
        elf_open(&elf, fd, err) && check_header(&elf, err) && check_symbol(&elf, err);

    elf_close(&elf);
    return is_good;
}

bool plugin_probe(const char *path, struct err *err)
{
    struct stat status;
    struct err why = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_good = fd >= 0 && fstat(fd, &status) == 0;

    if (!is_good)
        err_set(err, ERR_PLUGIN, "%s cannot be opened: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        is_good = err_set(err, ERR_PLUGIN, "%s is not a file", path);
    else if (!file_check(fd, &why))
        is_good = err_set(err, ERR_PLUGIN, "%s %s", path, why.text);
    if (fd >= 0)
        (void)close(fd); /* was only read */
    return is_good;
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
