/*
 * ELF files, read within bounds: a plugin's file may be half there, or be anything. Whether it
 * is a good plugin is for others to say.
 */
#ifndef BASE_ELF_H
#define BASE_ELF_H

#include "base/err.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

struct elf {
    int fd; /* borrowed; read with pread */
    uint64_t size;
    ElfW(Ehdr) header;
    ElfW(Shdr) * sections; /* NULL: none that can be read */
    uint32_t section_count;
    char *section_names; /* NULL: none */
    uint64_t section_names_size;
};

struct elf_symbols {
    ElfW(Sym) * items;
    uint64_t count;
    char *names;
    uint64_t names_size;
};

/*
 * Errors (PLUGIN), as what the file does, "is empty": no ELF file, one for another word size or
 * byte order, or not whole. It is whole when everything that its headers point at lies inside
 * it; linkers and copiers write those parts last.
 */
bool elf_open(struct elf *elf, int fd, struct err *err);
/* Frees what elf_open got, whether that went well or not; the file stays open. */
void elf_close(struct elf *elf);

/* "" when it has none. */
const char *elf_section_name(const struct elf *elf, uint32_t section);
/* The symbols of a section that is a table of them. False: they cannot be read. Freed by
 * elf_symbols_free in any case. */
bool elf_symbols_read(const struct elf *elf, uint32_t section, struct elf_symbols *symbols);
void elf_symbols_free(struct elf_symbols *symbols);
/* "" where there is none. */
const char *elf_symbol_name(const struct elf_symbols *symbols, uint64_t at);

#endif
