/*
 * What a file exports besides its description, and what of that bide has as well: the loader
 * gives a name to whoever has it first, which is bide, so that the plugin's own calls of it go
 * there.
 */
#include "base/elf.h"
#include "base/globals.h"
#include "cli/plugins/lint.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAMES_TOLD = 8 };

/* Strong ones only: of inline functions every C++ object has a copy, and any of them will do.
 */
static bool is_exported(const ElfW(Sym) * symbol)
{
    unsigned kind = ELF64_ST_TYPE(symbol->st_info);

    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
           ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL &&
           ELF64_ST_VISIBILITY(symbol->st_other) == STV_DEFAULT &&
           (kind == STT_FUNC || kind == STT_OBJECT || kind == STT_TLS);
}

static bool is_expected(const char *name)
{
    static const char *const known[] = { "bide_plugin_describe", "_init", "_fini" };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return name[0] == '\0' || strstr(name, "asan") != NULL;
}

void lint_name_add(struct lint_names *names, struct slice name)
{
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        const char **items = ARENA_ARRAY(names->arena, const char *, capacity);
        if (names->count > 0)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count++] = arena_text(names->arena, name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool names_have(const struct lint_names *names, const char *name)
{
    return names->count > 0 &&
           bsearch(&name, names->items, names->count, sizeof *names->items, by_name) != NULL;
}

/* Of one file; `only` NULL: all. */
static void exports_read(const char *path, const struct lint_names *only,
                         struct lint_names *names)
{
    struct elf elf;
    struct elf_symbols symbols;
    struct err err = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_good = fd >= 0 && elf_open(&elf, fd, &err);

    for (uint32_t i = 0; is_good && i < elf.section_count; i++) {
        if (elf.sections[i].sh_type != SHT_DYNSYM)
            continue;
        bool is_read = elf_symbols_read(&elf, i, &symbols);
        for (uint64_t k = 0; is_read && k < symbols.count; k++) {
            const char *name = elf_symbol_name(&symbols, k);
            if (is_exported(&symbols.items[k]) && !is_expected(name) &&
                (only == NULL || names_have(only, name)))
                lint_name_add(names, slice_of(name));
        }
        elf_symbols_free(&symbols);
    }
    if (fd >= 0) {
        elf_close(&elf);
        (void)close(fd); /* was only read */
    }
}

/* ---- what bide has ----------------------------------------------------------------------- */

struct hosting {
    const struct lint_names *names;
    struct lint_names found; /* by now: the first who has it counts */
    lint_host_fn on_found;
    void *context;
};

static bool names_list(const struct lint_names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static int host_look(struct dl_phdr_info *info, size_t size, void *context)
{
    struct hosting *hosting = context;
    bool is_program = info->dlpi_name[0] == '\0';
    const char *path = is_program ? "/proc/self/exe" : info->dlpi_name;
    const char *slash = strrchr(path, '/');
    struct lint_names found = { .arena = hosting->found.arena };

    (void)size;
    exports_read(path, hosting->names, &found);
    for (uint32_t i = 0; i < found.count; i++) {
        if (names_list(&hosting->found, found.items[i]))
            continue;
        lint_name_add(&hosting->found, slice_of(found.items[i]));
        hosting->on_found(hosting->context, found.items[i],
                          is_program      ? "bide itself"
                          : slash == NULL ? path
                                          : slash + 1);
    }
    return 0;
}

void lint_host_find(struct lint_names *names, lint_host_fn on_found, void *context)
{
    struct hosting hosting = { names, { .arena = names->arena }, on_found, context };

    if (names->count == 0)
        return;
    qsort(names->items, names->count, sizeof *names->items, by_name);
    (void)dl_iterate_phdr(host_look, &hosting);
}

/* ---- what the file has ------------------------------------------------------------------- */

static void clash_tell(void *context, const char *name, const char *library)
{
    struct lint *lint = context;

    lint_add(lint, LINT_RULE_CLASH, (struct lint_finding){ .symbol = slice_of(name) },
             "it exports %s, which %s has as well: the plugin's own calls may go there", name,
             library);
}

static void exports_tell(struct lint *lint)
{
    struct arena *arena = &lint->call->arena;
    struct lint_names exports = { .arena = arena };
    struct buffer told = { 0 };
    uint32_t count = 0;

    exports_read(lint->path, NULL, &exports);
    if (exports.count == 0)
        return;
    lint_host_find(&exports, clash_tell, lint);
    for (uint32_t i = 0; i < exports.count; i++)
        if (++count <= NAMES_TOLD)
            buffer_format(&told, "%s%s", count == 1 ? "" : ", ", exports.items[i]);
    if (count > NAMES_TOLD)
        buffer_format(&told, ", and %u more", count - NAMES_TOLD);
    struct slice names = arena_copy(arena, buffer_view(&told));
    buffer_finish(&told);
    lint_add(lint, LINT_RULE_EXPORTED, (struct lint_finding){ .symbol = names },
             "it exports more than bide_plugin_describe: %.*s", SLICE_ARG(names));
}

void lint_symbols(struct lint *lint)
{
    struct slice globals = plugins_globals(&lint->call->arena, lint->path);

    exports_tell(lint);
    if (globals.size > 0)
        lint_add(lint, LINT_RULE_GLOBALS, (struct lint_finding){ .symbol = globals },
                 "variables that outlive a run, and are the next run's in the same slot: %.*s",
                 SLICE_ARG(globals));
}
