/*
 * In .data, .bss and their thread-local kin; not in .data.rel.ro, which is read-only once the
 * loader is through. Names come from the table of symbols; a file without one has variables
 * when its sections are larger than what every shared object has there.
 */
#include "globals.h"

#include "base/elf.h"

#include <string.h>

enum {
    NAMES_MAX = 8,
    NAME_MAX_BYTES = 60,
    OWN_BYTES = 32 /* __dso_handle and a flag, with their alignment */
};

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_writable(const struct elf *elf, uint32_t section)
{
    static const char *const kinds[] = { ".data", ".bss", ".tdata", ".tbss" };
    const uint64_t wanted = SHF_WRITE | SHF_ALLOC;

    if (section >= elf->section_count || (elf->sections[section].sh_flags & wanted) != wanted)
        return false;
    const char *name = elf_section_name(elf, section);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (starts(name, kinds[i]))
            return !starts(name, ".data.rel.ro");
    return false;
}

/* Put there by a compiler, for itself. */
static bool is_tools(const char *name)
{
    static const char *const known[] = { "completed.",     "__dso_handle", "__TMC_END__",
                                         "_ZStL8__ioinit", "_ZGV",         "DW.ref.",
                                         "__asan",         "__odr_asan",   "__ubsan",
                                         "_ZTI",           "_ZTV" };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (starts(name, known[i]))
            return true;
    return name[0] == '\0' || name[0] == '.' || strstr(name, "asan") != NULL;
}

static void name_add(struct buffer *names, uint32_t count, const char *name)
{
    if (count > NAMES_MAX)
        return;
    buffer_format(names, "%s%.*s", count == 1 ? "" : ", ", NAME_MAX_BYTES,
                  count == NAMES_MAX ? "..." : name);
}

static uint32_t symbols_look(const struct elf *elf, uint32_t section, struct buffer *names)
{
    struct elf_symbols symbols;
    uint32_t count = 0;
    bool is_good = elf_symbols_read(elf, section, &symbols);

    for (uint64_t i = 0; is_good && i < symbols.count; i++) {
        const ElfW(Sym) *symbol = &symbols.items[i];
        unsigned kind = ELF64_ST_TYPE(symbol->st_info);
        if ((kind != STT_OBJECT && kind != STT_TLS) || symbol->st_size == 0 ||
            !is_writable(elf, symbol->st_shndx) || is_tools(elf_symbol_name(&symbols, i)))
            continue;
        name_add(names, ++count, elf_symbol_name(&symbols, i));
    }
    elf_symbols_free(&symbols);
    return count;
}

uint32_t globals_find(int fd, struct buffer *names)
{
    struct elf elf;
    struct err err = { 0 };
    uint64_t bytes = 0;
    uint32_t count = 0;
    bool has_symbols = false;

    if (elf_open(&elf, fd, &err)) {
        for (uint32_t i = 0; i < elf.section_count; i++) {
            if (is_writable(&elf, i))
                bytes += elf.sections[i].sh_size;
            if (elf.sections[i].sh_type != SHT_SYMTAB)
                continue;
            has_symbols = true;
            count += symbols_look(&elf, i, names);
        }
        if (!has_symbols && bytes > OWN_BYTES) {
            count = 1;
            buffer_format(names, "%llu bytes of them; the file has no names",
                          (unsigned long long)bytes);
        }
    }
    elf_close(&elf);
    return count;
}
