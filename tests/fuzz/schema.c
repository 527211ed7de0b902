/*
 * Any text is a schema file or has problems; and a document that is no bide file, but a schema
 * as JSON Schema has it, too. What compiles has one hash, however often it is compiled, and
 * checks some plain values within bounds.
 */
#include "codec/json.h"
#include "fuzz.h"
#include "schema/compile/compile.h"

static const char *const values[] = {
    "null", "true",
    "0",    "-1.5",
    "\"\"", "\"a\"",
    "[]",   "[1,1,\"a\",{}]",
    "{}",   "{\"a\":1,\"b\":{\"a\":[\"x\"]},\"type\":\"a\"}",
};

static void problems_hold(const struct problems *problems, bool fine)
{
    struct buffer text = { 0 };

    PROMISE((problems->count == 0) == fine);
    PROMISE(problems->count <= PROBLEMS_MAX);
    problems_text(&text, problems);
    PROMISE(utf8_is_valid(buffer_view(&text)));
    buffer_finish(&text);
}

static void values_check(const struct schema *schema, struct arena *arena)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct problems problems = { 0 };
        struct value value;
        PROMISE(json_read(arena, slice_of(values[i]), &value, NULL));
        problems_hold(&problems, schema_check(schema, &value, arena, &problems));
    }
}

static void file_check(const struct schema_file *file, struct arena *arena)
{
    values_check(schema_input(file), arena);
    values_check(schema_output(file), arena);
    values_check(schema_token(file, SLICE("a")), arena);
    for (uint32_t i = 0; i < schema_child_count(file); i++)
        PROMISE(schema_child(file, schema_child_name(file, i)) != NULL);
}

static void hash_holds(struct schema_file *file, struct slice text, struct arena *arena)
{
    unsigned char hash[2][SCHEMA_HASH_BYTES];
    struct problems problems = { 0 };
    struct schema_file *again;

    PROMISE(schema_file_parse("fuzz.yaml", text, &again, arena, &problems));
    schema_file_hash(file, hash[0]);
    schema_file_hash(again, hash[1]);
    PROMISE(memcmp(hash[0], hash[1], SCHEMA_HASH_BYTES) == 0);
    schema_file_destroy(again);
}

/* With JSON Schema's own rules: unknown keywords are notes, formats are not asked. */
static void plain_check(struct slice text, struct arena *arena)
{
    struct problems problems = { 0 };
    struct report report = { arena, &problems, SLICE("fuzz.yaml") };
    struct schema_file *file;
    struct node root;

    if (!document_read(arena, text, &root, &report))
        return;
    struct value value = node_value(arena, &root);
    bool fine = schema_file_of_value(&value, NULL, NULL, &file, arena, &problems);
    problems_hold(&problems, fine);
    if (fine)
        values_check(schema_input(file), arena);
    schema_file_destroy(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct schema_file *file;

    bool fine = schema_file_parse("fuzz.yaml", text, &file, &arena, &problems);
    problems_hold(&problems, fine);
    if (fine) {
        file_check(file, &arena);
        hash_holds(file, text, &arena);
    }
    schema_file_destroy(file);
    plain_check(text, &arena);
    arena_finish(&arena);
    return 0;
}
