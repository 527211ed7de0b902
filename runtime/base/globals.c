/*
 * In .data, .bss and their thread-local kin; not in .data.rel.ro, which is read-only once the
 * loader is through. Names come from the table of symbols; a file without one has variables
 * when its sections are larger than what every shared object has there.
 */
#include "globals.h"

#include "base/memory.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SECTIONS_MAX = 4096,
    TABLE_MAX_BYTES = 16 << 20,
    NAMES_MAX = 8,
    NAME_MAX_BYTES = 60,
    OWN_BYTES = 32 /* __dso_handle and a flag, with their alignment */
};

struct object {
    int fd;
    Elf64_Shdr *sections;
    uint32_t count;
    char *words; /* the sections' names */
    size_t words_size;
};

/* Malloc'ed, with a zero behind it; NULL: it is not there, or too large. */
static void *part_read(int fd, uint64_t offset, uint64_t size)
{
    if (size == 0 || size > TABLE_MAX_BYTES)
        return NULL;
    char *bytes = memory_get((size_t)size + 1);
    if (pread(fd, bytes, (size_t)size, (off_t)offset) != (ssize_t)size) {
        free(bytes);
        return NULL;
    }
    bytes[size] = '\0';
    return bytes;
}

static bool object_read(struct object *object, int fd)
{
    Elf64_Ehdr head;

    *object = (struct object){ .fd = fd };
    if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_shentsize != sizeof(Elf64_Shdr) || head.e_shnum > SECTIONS_MAX ||
        head.e_shstrndx >= head.e_shnum)
        return false;
    object->count = head.e_shnum;
    object->sections =
        part_read(fd, head.e_shoff, (uint64_t)head.e_shnum * sizeof *object->sections);
    if (object->sections == NULL)
        return false;
    const Elf64_Shdr *words = &object->sections[head.e_shstrndx];
    object->words = part_read(fd, words->sh_offset, words->sh_size);
    object->words_size = words->sh_size;
    return object->words != NULL;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_writable(const struct object *object, uint32_t at)
{
    static const char *const kinds[] = { ".data", ".bss", ".tdata", ".tbss" };
    const Elf64_Shdr *section = at < object->count ? &object->sections[at] : NULL;

    if (section == NULL ||
        (section->sh_flags & (SHF_WRITE | SHF_ALLOC)) != (SHF_WRITE | SHF_ALLOC) ||
        section->sh_name >= object->words_size)
        return false;
    const char *name = object->words + section->sh_name;
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

static uint32_t symbols_look(const struct object *object, const Elf64_Shdr *table,
                             struct buffer *names)
{
    const Elf64_Shdr *text =
        table->sh_link < object->count ? &object->sections[table->sh_link] : NULL;
    Elf64_Sym *symbols = part_read(object->fd, table->sh_offset, table->sh_size);
    char *words = text == NULL ? NULL : part_read(object->fd, text->sh_offset, text->sh_size);
    uint32_t count = 0;

    for (size_t i = 0; symbols != NULL && words != NULL && i < table->sh_size / sizeof *symbols;
         i++) {
        const Elf64_Sym *symbol = &symbols[i];
        unsigned kind = ELF64_ST_TYPE(symbol->st_info);
        if ((kind != STT_OBJECT && kind != STT_TLS) || symbol->st_size == 0 ||
            symbol->st_name >= text->sh_size || !is_writable(object, symbol->st_shndx) ||
            is_tools(words + symbol->st_name))
            continue;
        name_add(names, ++count, words + symbol->st_name);
    }
    free(symbols);
    free(words);
    return count;
}

uint32_t globals_find(int fd, struct buffer *names)
{
    struct object object;
    uint64_t bytes = 0;
    uint32_t count = 0;
    bool has_symbols = false;

    if (object_read(&object, fd)) {
        for (uint32_t i = 0; i < object.count; i++) {
            if (is_writable(&object, i))
                bytes += object.sections[i].sh_size;
            if (object.sections[i].sh_type != SHT_SYMTAB)
                continue;
            has_symbols = true;
            count += symbols_look(&object, &object.sections[i], names);
        }
        if (!has_symbols && bytes > OWN_BYTES) {
            count = 1;
            buffer_format(names, "%llu bytes of them; the file has no names",
                          (unsigned long long)bytes);
        }
    }
    free(object.sections);
    free(object.words);
    return count;
}
