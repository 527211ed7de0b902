#include "elf.h"

#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_MAX_BYTES = 64 << 20 };

static bool refuse(struct err *err, const char *what)
{
    return err_set(err, ERR_PLUGIN, "%s", what);
}

static bool is_inside(const struct elf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset;
}

/* In memory of its own, with a zero behind it; NULL: it is not all there, or too large. */
static void *part_read(const struct elf *elf, uint64_t offset, uint64_t size)
{
    uint64_t done = 0;

    if (!is_inside(elf, offset, size) || size > PART_MAX_BYTES)
        return NULL;
    char *bytes = memory_get((size_t)size + 1);
    while (done < size) {
        ssize_t got =
            pread(elf->fd, bytes + done, (size_t)(size - done), (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(bytes);
            return NULL;
        }
        done += (uint64_t)got;
    }
    bytes[size] = '\0';
    return bytes;
}

static bool is_text(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < '\t' || (bytes[i] > '\r' && bytes[i] < ' '))
            return false;
    return true;
}

static bool header_read(struct elf *elf, struct err *err)
{
    const unsigned char order =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    unsigned char bytes[sizeof elf->header] = { 0 }, *ident = elf->header.e_ident;
    ssize_t got = pread(elf->fd, bytes, sizeof bytes, 0);

    memcpy(&elf->header, bytes, sizeof bytes);
    if (got == 0)
        return refuse(err, "is empty");
    if (got < 0)
        return refuse(err, "cannot be read");
    if (got < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
        return refuse(err, is_text(ident, (size_t)(got < EI_NIDENT ? got : EI_NIDENT))
                               ? "is a text file, not a shared object (ELF)"
                               : "is not a shared object (ELF)");
    if (got >= EI_NIDENT &&
        (ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
         ident[EI_DATA] != order))
        return refuse(err, "is for a machine of another word size or byte order");
    if (got < (ssize_t)sizeof elf->header)
        return refuse(err, "is cut short: it ends within its ELF header");
    return true;
}

static bool more_is_told_of(const struct elf *elf, struct err *err)
{
    return err_set(err, ERR_PLUGIN,
                   "is cut short: %" PRIu64 " bytes are there, its headers tell of more",
                   elf->size);
}

/* Else the loader takes SIGBUS on its first look. */
static bool segments_check(const struct elf *elf, struct err *err)
{
    const ElfW(Ehdr) *header = &elf->header;
    bool is_good = true;

    if (header->e_phnum == 0)
        return true;
    if (header->e_phentsize != sizeof(ElfW(Phdr)))
        return refuse(err, "has nothing to load");
    ElfW(Phdr) *segments =
        part_read(elf, header->e_phoff, (uint64_t)header->e_phnum * sizeof *segments);
    if (segments == NULL)
        return refuse(err, "is cut short: it ends before its program headers");
    for (unsigned i = 0; i < header->e_phnum; i++)
        is_good = is_good && is_inside(elf, segments[i].p_offset, segments[i].p_filesz);
    free(segments);
    return is_good || more_is_told_of(elf, err);
}

/* A file may do without. */
static bool sections_read(struct elf *elf, struct err *err)
{
    const ElfW(Ehdr) *header = &elf->header;

    if (header->e_shnum == 0 || header->e_shentsize != sizeof(ElfW(Shdr)))
        return true;
    elf->sections =
        part_read(elf, header->e_shoff, (uint64_t)header->e_shnum * sizeof *elf->sections);
    if (elf->sections == NULL)
        return refuse(err, "is cut short: it ends before its section headers");
    elf->section_count = header->e_shnum;
    for (uint32_t i = 0; i < elf->section_count; i++)
        if (elf->sections[i].sh_type != SHT_NOBITS &&
            !is_inside(elf, elf->sections[i].sh_offset, elf->sections[i].sh_size))
            return more_is_told_of(elf, err);
    if (header->e_shstrndx < elf->section_count) {
        const ElfW(Shdr) *names = &elf->sections[header->e_shstrndx];
        elf->section_names = part_read(elf, names->sh_offset, names->sh_size);
        elf->section_names_size = names->sh_size;
    }
    return true;
}

bool elf_open(struct elf *elf, int fd, struct err *err)
{
    struct stat stat;

    *elf = (struct elf){ .fd = fd };
    if (fstat(fd, &stat) != 0)
        return refuse(err, "cannot be read");
    elf->size = (uint64_t)stat.st_size;
    return header_read(elf, err) && segments_check(elf, err) && sections_read(elf, err);
}

void elf_close(struct elf *elf)
{
    free(elf->sections);
    free(elf->section_names);
}

static const char *name_at(const char *names, uint64_t size, uint64_t at)
{
    return names != NULL && at < size ? names + at : "";
}

const char *elf_section_name(const struct elf *elf, uint32_t section)
{
    return name_at(elf->section_names, elf->section_names_size, elf->sections[section].sh_name);
}

bool elf_symbols_read(const struct elf *elf, uint32_t section, struct elf_symbols *symbols)
{
    const ElfW(Shdr) *table = &elf->sections[section], *names;

    *symbols = (struct elf_symbols){ 0 };
    if (table->sh_link >= elf->section_count)
        return false;
    names = &elf->sections[table->sh_link];
    symbols->items = part_read(elf, table->sh_offset, table->sh_size);
    symbols->count = table->sh_size / sizeof *symbols->items;
    symbols->names = part_read(elf, names->sh_offset, names->sh_size);
    symbols->names_size = names->sh_size;
    return symbols->items != NULL && symbols->names != NULL;
}

void elf_symbols_free(struct elf_symbols *symbols)
{
    free(symbols->items);
    free(symbols->names);
}

const char *elf_symbol_name(const struct elf_symbols *symbols, uint64_t at)
{
    return name_at(symbols->names, symbols->names_size, symbols->items[at].st_name);
}
