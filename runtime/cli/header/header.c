/*
 * Headers: a schema file as C.
 *
 *   input, output, tokens, messages, children ─▶ doors, a type each
 *   all types ─▶ declarations, then the doors' prototypes, then code
 *
 * To follow it further: header_parts.h is the map.
 */
#include "cli/header/header.h"

#include "cli/header/header_parts.h"
#include "schema/document/problem.h"
#include "schema/document/uri.h"

#include <ctype.h>

/* ---- doors ------------------------------------------------------------------------------- */

static void door_add(struct headers *headers, struct words *names, struct door door,
                     const struct schema *schema, const char *word)
{
    struct door *added;

    if (schema == NULL)
        return;
    door.name = name_join(headers->arena, headers->prefix, slice_of(word));
    if (door.key.size > 0 || door.kind >= DOOR_TOKEN)
        door.name =
            name_join(headers->arena, door.name, name_clean(headers->arena, door.key, false));
    door.name = words_take(names, door.name);
    (void)words_take(&headers->types, name_join(headers->arena, door.name, SLICE("read")));
    (void)words_take(&headers->types, name_join(headers->arena, door.name, SLICE("write")));
    door.schema = schema;
    door.type = type_of_schema(headers, schema, door.name);
    if (door.type.shape->kind == SHAPE_CONST)
        door.type = type_plain(headers, SHAPE_VALUE, false);
    added = ARENA_NEW(headers->arena, struct door);
    *added = door;
    if (headers->last_door == NULL)
        headers->doors = added;
    else
        headers->last_door->next = added;
    headers->last_door = added;
}

static void doors_find(struct headers *headers)
{
    const struct schema_file *file = headers->file;
    struct words names;

    words_init(&names, headers->arena);
    door_add(headers, &names, (struct door){ .kind = DOOR_INPUT }, file->input, "input");
    door_add(headers, &names, (struct door){ .kind = DOOR_OUTPUT }, file->output, "output");
    for (uint32_t i = 0; i < file->token_count; i++)
        door_add(headers, &names,
                 (struct door){ .kind = DOOR_TOKEN, .key = file->tokens[i].name },
                 file->tokens[i].schema, "token");
    for (uint32_t i = 0; i < file->message_count; i++)
        door_add(headers, &names,
                 (struct door){ .kind = DOOR_MESSAGE, .key = file->messages[i].name },
                 file->messages[i].schema, "message");
    for (uint32_t i = 0; i < file->child_count; i++)
        door_add(headers, &names,
                 (struct door){ .kind = DOOR_CHILD, .key = file->children[i].task },
                 file->children[i].output, "child");
}

/* ---- their functions ----------------------------------------------------------------------
 */

static void reader_write(struct headers *headers, struct buffer *out, const struct door *door,
                         const char *value)
{
    bool takes_value = door->kind == DOOR_CHILD || door->kind == DOOR_MESSAGE;

    signature_write(out, type_text(headers->arena, door->type.shape), door->name, "_read",
                    takes_value ? SLICE("bide_task *t, const bide_value *value")
                                : SLICE("bide_task *t"),
                    "\n{\n");
    if (takes_value && door->type.shape->kind == SHAPE_VALUE)
        buffer_text(out, "    (void)t;\n");
    buffer_text(out, "    return ");
    reading_write(out, door->type.shape, value);
    buffer_text(out, ";\n}\n\n");
}

static void writer_write(struct headers *headers, struct buffer *out, const struct door *door)
{
    const struct shape *shape = door->type.shape;
    bool is_pointer = shape->kind >= SHAPE_STRUCT, is_output = door->kind == DOOR_OUTPUT;

    signature_write(
        out, is_output ? SLICE("void ") : SLICE("const bide_value *"), door->name, "_write",
        arena_format(headers->arena, "bide_task *t, %s%.*s%sfrom", is_pointer ? "const " : "",
                     SLICE_ARG(type_text(headers->arena, shape)), is_pointer ? "*" : ""),
        "\n{\n    ");
    if (!is_output && shape->kind == SHAPE_VALUE)
        buffer_text(out, "(void)t;\n    ");
    buffer_text(out, is_output ? "bide_out(t, " : "return ");
    if (is_pointer)
        buffer_format(out, "%.*s_value(t, from)", SLICE_ARG(shape->name));
    else
        making_write(out, shape, "from");
    buffer_text(out, is_output ? ");\n}\n\n" : ";\n}\n\n");
}

static void door_write(struct headers *headers, struct buffer *out, const struct door *door)
{
    switch (door->kind) {
    case DOOR_INPUT:
        comment_write(out, 0, SLICE("The run's input. [segment]"));
        reader_write(headers, out, door, "bide_input(t)");
        comment_write(out, 0,
                      SLICE("A payload for bide_trigger(), in whoever starts this task."));
        writer_write(headers, out, door);
        break;
    case DOOR_OUTPUT:
        comment_write(out, 0, SLICE("The run's output, whole: before bide_done(). [segment]"));
        writer_write(headers, out, door);
        break;
    case DOOR_TOKEN:
        comment_write(out, 0,
                      SLICE("What was posted to the token that was waited for; all "
                            "zero when it timed out. [segment]"));
        reader_write(headers, out, door, "bide_result(t)");
        break;
    case DOOR_MESSAGE:
        comment_write(out, 0,
                      SLICE("What was sent: of bide_result() or bide_part_result(), which is "
                            "NULL when none came. [segment]"));
        reader_write(headers, out, door, "value");
        comment_write(out, 0, SLICE("The data for bide_send(), in whoever sends it."));
        writer_write(headers, out, door);
        break;
    case DOOR_CHILD:
        comment_write(
            out, 0,
            arena_format(headers->arena,
                         "What %.*s gave: of bide_run_output(), which is NULL when it "
                         "did not end well. [segment]",
                         SLICE_ARG(door->key)));
        reader_write(headers, out, door, "value");
        break;
    }
}

/* ---- the file -----------------------------------------------------------------------------
 */

static struct slice base_name(struct slice path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.data[i - 1] == '/')
            return (struct slice){ path.data + i, path.size - i };
    return path;
}

static void opening_write(struct headers *headers, struct buffer *out, struct slice source,
                          struct slice guard)
{
    struct arena *arena = headers->arena;

    comment_write(
        out, 0,
        arena_format(arena,
                     "The types of %.*s, made by `bide schemas header`: change the "
                     "schema, not this file. What may be missing has a flag beside it "
                     "(has_x), or is NULL, UNSET or empty; missing and null read the "
                     "same. Texts, values and lists are bide's and good until the "
                     "segment returns.",
                     SLICE_ARG(source)));
    buffer_format(out, "#ifndef %.*s\n#define %.*s\n\n#include <bide/bide.h>\n\n",
                  SLICE_ARG(guard), SLICE_ARG(guard));
}

/* Small tools that the functions share; only those that are needed. */
static void tools_write(struct headers *headers, struct buffer *out)
{
    bool has_expect = false, has_is = false;

    for (const struct shape *shape = headers->first; shape != NULL; shape = shape->next) {
        has_expect |= shape->kind == SHAPE_STRUCT || shape->kind == SHAPE_LIST;
        has_is |= shape->kind == SHAPE_UNION && shape->teller.size > 0;
    }
    if (has_expect)
        buffer_format(out,
                      "static inline void %.*s_expect_(bide_task *t, const bide_value *value,\n"
                      "    uint32_t kind, const char *name)\n"
                      "{\n"
                      "    uint32_t is = bide_kind(t, value, NULL);\n\n"
                      "    if (is != kind && is != BIDE_NULL)\n"
                      "        bide_raise(t, false, \"wrong_kind\", \"%%s is no %%s\", name,\n"
                      "                   kind == BIDE_MAP ? \"object\" : \"list\");\n"
                      "}\n\n",
                      SLICE_ARG(headers->prefix));
    if (has_is)
        buffer_format(out,
                      "static inline bool %.*s_is_(bide_task *t, const bide_value *map,\n"
                      "    const char *key, const char *text)\n"
                      "{\n"
                      "    return bide_kind(t, map, key) == BIDE_TEXT &&\n"
                      "           __builtin_strcmp(bide_str(t, map, key), text) == 0;\n"
                      "}\n\n",
                      SLICE_ARG(headers->prefix));
}

static void file_write(struct headers *headers, struct buffer *out, struct slice source)
{
    struct slice guard = name_join(headers->arena, name_upper(headers->arena, headers->prefix),
                                   SLICE("SCHEMA_H"));

    guard = words_take(&headers->tags, guard); /* an enum may have a word like it */
    opening_write(headers, out, source, guard);
    types_write(headers, out);
    buffer_text(out,
                "/* T_of() reads a type from a value, T_value() makes a value of it. */\n");
    prototypes_write(headers, out);
    for (const struct door *door = headers->doors; door != NULL; door = door->next)
        door_write(headers, out, door);
    tools_write(headers, out);
    functions_write(headers, out);
    buffer_text(out, "#endif\n");
}

/* "approve-refund.yaml" gives approve_refund. */
static struct slice prefix_of(struct arena *arena, struct slice name)
{
    for (size_t i = name.size; i > 1; i--)
        if (name.data[i - 1] == '.') {
            name.size = i - 1;
            break;
        }
    struct slice prefix = name_clean(arena, name, false);
    return isdigit((unsigned char)prefix.data[0]) ? name_join(arena, SLICE("n"), prefix)
                                                  : prefix;
}

static bool prefix_check(struct slice prefix, struct slice clean, struct report *report)
{
    if (!slice_equal(prefix, clean))
        return report_add(report, 0, 0,
                          "the prefix \"%.*s\" is no C identifier; \"%.*s\" would be one",
                          SLICE_ARG(prefix), SLICE_ARG(clean));
    if (slice_is(prefix, "bide"))
        return report_add(
            report, 0, 0,
            "names that start with bide_ are the SDK's own; choose another prefix "
            "with --prefix");
    return true;
}

bool schema_header_write(const struct schema_file *file, const char *path, struct slice prefix,
                         struct buffer *out, struct arena *arena, struct problems *problems)
{
    struct headers headers = { .file = file, .arena = arena, .problems = problems };
    struct report report = { arena, problems, slice_of(path) };
    struct slice source = base_name(slice_of(path));
    uint32_t before = problems->count;
    size_t start = out->size;

    headers.prefix =
        prefix.size > 0 ? name_clean(arena, prefix, true) : prefix_of(arena, source);
    if (!prefix_check(prefix.size > 0 ? prefix : headers.prefix, headers.prefix, &report))
        return false;
    words_init(&headers.types, arena);
    words_init(&headers.tags, arena);
    table_init(&headers.known, arena);
    table_init(&headers.defs, arena);
    table_init(&headers.read, arena);
    doors_find(&headers);
    if (problems->count > before)
        return false;
    file_write(&headers, out, source);
    if (out->size - start <= HEADER_MAX_BYTES)
        return true;
    return report_add(&report, 0, 0, "the header would have more than %d bytes",
                      HEADER_MAX_BYTES);
}

struct slice *schema_file_sources(const struct schema_file *file, struct arena *arena,
                                  uint32_t *count)
{
    const struct resource *one;
    uint32_t most = 0;

    for (one = file->resources; one != NULL; one = one->next)
        most++;
    struct slice *sources = ARENA_ARRAY(arena, struct slice, most);
    *count = 0;
    for (one = file->resources; one != NULL; one = one->next) {
        bool is_new = !uri_split(one->file).has_scheme; /* what is built in is no file */
        for (uint32_t i = 0; is_new && i < *count; i++)
            is_new = !slice_equal(sources[i], one->file);
        if (is_new)
            sources[(*count)++] = one->file;
    }
    return sources;
}
