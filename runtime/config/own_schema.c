#include "config/own_schema.h"

#include "schema/compile/plain.h"

#include <stdio.h>
#include <stdlib.h>

/* They came with the program, and a test has read them. */
static void own_schema_die(const struct problems *problems)
{
    struct buffer text = { 0 };

    problems_text(&text, problems);
    fprintf(stderr, "%.*s", (int)text.size, text.data);
    abort();
}

void own_schema_open(struct own_schema *own_schema, enum own_schema_name name)
{
    const struct own_schema_text *file = &own_schema_texts[name];
    struct slice text = { (const char *)file->bytes, file->size };
    struct problems problems = { 0 };
    struct report report = { &own_schema->arena, &problems, slice_of(file->path) };

    *own_schema = (struct own_schema){ 0 };
    if (!schema_plain_parse(file->path, text, &own_schema->file, &own_schema->arena,
                            &problems) ||
        !document_read(&own_schema->arena, text, &own_schema->root, &report))
        own_schema_die(&problems);
}

void own_schema_close(struct own_schema *own_schema)
{
    schema_file_destroy(own_schema->file);
    arena_finish(&own_schema->arena);
}

bool own_schema_check(const struct own_schema *own_schema, struct value *value,
                      const struct node *root, struct report *report)
{
    struct problems found = { 0 };
    bool fine = schema_check(schema_input(own_schema->file), value, report->arena, &found);

    problems_locate(&found, root, arena_copy(report->arena, report->file));
    problems_join(report->problems, &found);
    return fine;
}

bool names_check(enum name_kind kind, const struct node *map, bool is_keys,
                 struct report *report)
{
    bool fine = true;

    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        struct err err;
        if (!is_keys && entry->node.kind == VALUE_MAP) /* a task: its queue, where it has one */
            entry = node_find(&entry->node, "queue");
        if (entry == NULL || name_check(kind, is_keys ? entry->key : entry->node.text, &err))
            continue;
        fine = report_add(report, is_keys ? entry->line : entry->node.line,
                          is_keys ? entry->column : entry->node.column, "%s", err.text);
    }
    return fine;
}
