/*
 * Names: what stands in a schema, as C identifiers. Everything but ASCII letters and digits
 * becomes an underscore, except letters of other scripts, which become their number: größe is
 * gr_u00f6_u00df_e. Never two underscores in a row: those are the compiler's in C++.
 */
#include "cli/header/header_parts.h"

#include <ctype.h>
#include <stdlib.h>

/* Words that C, C++ or a usual header have for themselves; sorted. */
static const char *const reserved[] = {
    "EOF",
    "FILE",
    "I",
    "NAN",
    "NULL",
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "assert",
    "atomic_cancel",
    "atomic_commit",
    "atomic_noexcept",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "complex",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "i386",
    "if",
    "imaginary",
    "inline",
    "int",
    "linux",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "noreturn",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "stderr",
    "stdin",
    "stdout",
    "struct",
    "switch",
    "synchronized",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "typeof_unqual",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

static int order(const void *name, const void *row)
{
    const struct slice *wanted = name;
    const char *const *word = row;

    return slice_compare(*wanted, slice_of(*word));
}

static bool is_reserved(struct slice name)
{
    return bsearch(&name, reserved, sizeof reserved / sizeof reserved[0], sizeof reserved[0],
                   order) != NULL;
}

/* The text is UTF-8: whoever reads documents has seen to that. */
static uint32_t code_point(const unsigned char *at, size_t left, size_t *size)
{
    uint32_t code = at[0] >= 0xf0 ? at[0] & 7u : at[0] >= 0xe0 ? at[0] & 15u : at[0] & 31u;
    size_t want = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

    for (*size = 1; *size < want && *size < left; (*size)++)
        code = code << 6 | (at[*size] & 63u);
    return code;
}

static void underscore(struct buffer *out)
{
    if (out->size > 0 && out->data[out->size - 1] != '_')
        buffer_byte(out, '_');
}

static void letters_write(struct buffer *out, struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;

    for (size_t i = 0, size; i < text.size && out->size < NAME_MAX_BYTES; i += size) {
        size = 1;
        if (at[i] < 0x80 && isalnum(at[i])) {
            buffer_byte(out, (char)at[i]);
            continue;
        }
        underscore(out);
        if (at[i] >= 0x80) {
            buffer_format(out, "u%04x_", (unsigned)code_point(at + i, text.size - i, &size));
        }
    }
    while (out->size > 0 && out->data[out->size - 1] == '_')
        out->size--;
}

struct slice name_clean(struct arena *arena, struct slice text, bool is_whole)
{
    struct buffer out = { 0 };
    const char *before = "", *after = "";

    letters_write(&out, text);
    struct slice name = buffer_view(&out);
    if (name.size == 0)
        before = "empty";
    else if (is_whole && isdigit((unsigned char)name.data[0]))
        before = "n_";
    else if (is_whole && is_reserved(name))
        after = "_";
    name = arena_format(arena, "%s%.*s%s", before, SLICE_ARG(name), after);
    buffer_finish(&out);
    return name;
}

struct slice name_upper(struct arena *arena, struct slice name)
{
    char *text = arena_text(arena, name);

    for (size_t i = 0; i < name.size; i++)
        text[i] = (char)toupper((unsigned char)text[i]);
    return (struct slice){ text, name.size };
}

struct slice name_join(struct arena *arena, struct slice left, struct slice right)
{
    return arena_format(arena, "%.*s_%.*s", SLICE_ARG(left), SLICE_ARG(right));
}

void words_init(struct words *names, struct arena *arena)
{
    names->arena = arena;
    table_init(&names->taken, arena);
}

struct slice words_take(struct words *names, struct slice name)
{
    uint64_t hash = table_hash(name, 0);
    uint32_t *next = table_find(&names->taken, hash);
    struct slice free = name;

    if (next == NULL) {
        next = ARENA_NEW(names->arena, uint32_t);
        *next = 2;
        table_set(&names->taken, hash, next);
        return name;
    }
    do
        free = arena_format(names->arena, "%.*s_%u", SLICE_ARG(name), (unsigned)(*next)++);
    while (table_has(&names->taken, table_hash(free, 0)));
    return words_take(names, free);
}
