/*
 * A file that is being copied into the plugin directory is seen half-done. It is whole when
 * everything its headers point at lies inside it; linkers and copiers write those parts last.
 */
#include "elf.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

enum { MAX_HEADERS = 4096 };

static bool is_inside(uint64_t offset, uint64_t size, uint64_t size_bytes)
{
    return offset <= size_bytes && size <= size_bytes - offset;
}

static bool segments_are_inside(int fd, const Elf64_Ehdr *head, uint64_t size_bytes)
{
    for (uint32_t i = 0; i < head->e_phnum; i++) {
        Elf64_Phdr segment;
        off_t at = (off_t)(head->e_phoff + (uint64_t)i * sizeof segment);
        if (pread(fd, &segment, sizeof segment, at) != (ssize_t)sizeof segment)
            return false;
        if (!is_inside(segment.p_offset, segment.p_filesz, size_bytes))
            return false;
    }
    return true;
}

static bool sections_are_inside(int fd, const Elf64_Ehdr *head, uint64_t size_bytes)
{
    for (uint32_t i = 0; i < head->e_shnum; i++) {
        Elf64_Shdr section;
        off_t at = (off_t)(head->e_shoff + (uint64_t)i * sizeof section);
        if (pread(fd, &section, sizeof section, at) != (ssize_t)sizeof section)
            return false;
        if (section.sh_type != SHT_NOBITS &&
            !is_inside(section.sh_offset, section.sh_size, size_bytes))
            return false;
    }
    return true;
}

bool elf_is_whole(int fd, uint64_t size_bytes, struct err *err)
{
    Elf64_Ehdr head;

    if (size_bytes == 0)
        return err_set(err, ERR_PLUGIN, "is empty");
    ssize_t got = pread(fd, &head, sizeof head, 0);
    if (got < SELFMAG || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return err_set(err, ERR_PLUGIN, "is not a shared object (ELF)");
    if (got < (ssize_t)sizeof head)
        return err_set(err, ERR_PLUGIN, "is cut short: it ends within its ELF header");
    /* Another class has other headers; the nursery says what is wrong with it. */
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr) ||
        (head.e_shnum > 0 && head.e_shentsize != sizeof(Elf64_Shdr)) ||
        head.e_phnum > MAX_HEADERS)
        return true;
    if (!is_inside(head.e_phoff, (uint64_t)head.e_phnum * sizeof(Elf64_Phdr), size_bytes) ||
        !is_inside(head.e_shoff, (uint64_t)head.e_shnum * sizeof(Elf64_Shdr), size_bytes) ||
        !segments_are_inside(fd, &head, size_bytes) ||
        !sections_are_inside(fd, &head, size_bytes))
        return err_set(err, ERR_PLUGIN,
                       "is cut short: its headers name parts beyond its %llu bytes",
                       (unsigned long long)size_bytes);
    return true;
}
