#include "symbols.h"

#include "source_lines.h"

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACES_SHOWN = 3 };

struct finding {
    Dwfl *dwfl;
    char plugin[PATH_MAX]; /* whole, as modules are called */
    const char *const *sources;
    uint32_t shown; /* places whose lines were */
    char program[PATH_MAX];
};

enum owner { OWNER_PLUGIN, OWNER_WORKER, OWNER_OTHER };

/* Only what is in the files themselves: no search, no download. */
static int no_debuginfo(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                        const char *file, const char *link, GElf_Word crc, char **found)
{
    (void)module;
    (void)user;
    (void)name;
    (void)base;
    (void)file;
    (void)link;
    (void)crc;
    (void)found;
    return -1;
}

static const char *base_name(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static const char *module_path(Dwfl_Module *module)
{
    return module == NULL ? ""
                          : dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

static enum owner owner_of(const struct finding *finding, uint64_t address)
{
    const char *path = module_path(dwfl_addrmodule(finding->dwfl, address));

    if (strcmp(path, finding->plugin) == 0)
        return OWNER_PLUGIN;
    return strcmp(path, finding->program) == 0 ? OWNER_WORKER : OWNER_OTHER;
}

typedef char *(*demangle_fn)(const char *name, char *room, size_t *size, int *status);

/* As its author wrote it. Only what C++ brings along can tell; this process is here for a
 * report and no more, so it may load that. */
static const char *name_plain(const char *name)
{
    static const char *const libraries[] = { "libstdc++.so.6", "libc++abi.so.1" };
    demangle_fn demangle = NULL;
    char *plain = NULL;
    int status = 0;

    if (name == NULL || strncmp(name, "_Z", 2) != 0)
        return name;
    for (size_t i = 0; demangle == NULL && i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);
        void *symbol = library == NULL ? NULL : dlsym(library, "__cxa_demangle");
        memcpy(&demangle, &symbol, sizeof demangle); /* ISO C has no data-to-function cast */
    }
    if (demangle != NULL)
        plain = demangle(name, NULL, NULL, &status);
    return plain == NULL ? name : plain; /* never freed: the process ends */
}

static void line_add(struct finding *finding, uint64_t address, struct buffer *lines)
{
    Dwfl_Module *module = dwfl_addrmodule(finding->dwfl, address);
    const char *name =
        name_plain(module == NULL ? NULL : dwfl_module_addrname(module, address));
    Dwfl_Line *source = module == NULL ? NULL : dwfl_module_getsrc(module, address);
    const char *file =
        source == NULL ? NULL : dwfl_lineinfo(source, NULL, NULL, NULL, NULL, NULL);
    int line = 0;

    if (name != NULL)
        buffer_text(lines, name);
    else
        buffer_format(lines, "0x%" PRIx64, address);
    if (file != NULL && dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL) != NULL)
        buffer_format(lines, " at %s:%d", base_name(file), line);
    else if (module != NULL && owner_of(finding, address) != OWNER_PLUGIN)
        buffer_format(lines, " in %s", base_name(module_path(module)));
    buffer_byte(lines, '\n');
    if (file != NULL && line > 0 && finding->shown < PLACES_SHOWN &&
        source_lines_add(finding->sources, dwfl_line_comp_dir(source), file, (uint32_t)line,
                         lines))
        finding->shown++;
}

/* The first is where it happened; the others are where calls return to, one past the call. */
static uint64_t address_of(const uint64_t *stack, uint32_t index)
{
    return index == 0 ? stack[0] : stack[index] - 1;
}

static void lines_add(struct finding *finding, const uint64_t *stack, uint32_t depth,
                      struct buffer *lines)
{
    uint32_t end = 0;

    for (uint32_t i = 0; i < depth; i++)
        if (owner_of(finding, address_of(stack, i)) == OWNER_PLUGIN)
            end = i + 1;
    for (uint32_t i = 0; i < (end > 0 ? end : depth); i++)
        if (end > 0 || owner_of(finding, address_of(stack, i)) != OWNER_WORKER)
            line_add(finding, address_of(stack, i), lines);
}

void symbols_find(const char *plugin_path, const char *const *sources, const uint64_t *stack,
                  uint32_t depth, struct buffer *lines)
{
    static const Dwfl_Callbacks callbacks = { .find_elf = dwfl_linux_proc_find_elf,
                                              .find_debuginfo = no_debuginfo };
    struct finding finding = { .dwfl = dwfl_begin(&callbacks), .sources = sources };
    ssize_t size = readlink("/proc/self/exe", finding.program, sizeof finding.program - 1);

    if (size > 0)
        finding.program[size] = '\0';
    if (realpath(plugin_path, finding.plugin) == NULL)
        finding.plugin[0] = '\0';
    if (finding.dwfl == NULL)
        return;
    if (dwfl_linux_proc_report(finding.dwfl, getpid()) == 0 &&
        dwfl_report_end(finding.dwfl, NULL, NULL) == 0)
        lines_add(&finding, stack, depth, lines);
    dwfl_end(finding.dwfl);
}
