#include "config/contract.h"

#include "schema/compile/plain.h"

#include <stdio.h>
#include <stdlib.h>

/* They came with the program, and a test has read them. */
static void contract_die(const struct problems *problems)
{
    struct buffer text = { 0 };

    problems_text(&text, problems);
    fprintf(stderr, "%.*s", (int)text.size, text.data);
    abort();
}

void contract_open(struct contract *contract, enum contract_name name)
{
    const struct contract_text *file = &contract_texts[name];
    struct slice text = { (const char *)file->bytes, file->size };
    struct problems problems = { 0 };
    struct report report = { &contract->arena, &problems, slice_of(file->path) };

    *contract = (struct contract){ 0 };
    if (!schema_plain_parse(file->path, text, &contract->file, &contract->arena, &problems) ||
        !document_read(&contract->arena, text, &contract->root, &report))
        contract_die(&problems);
}

void contract_close(struct contract *contract)
{
    schema_file_destroy(contract->file);
    arena_finish(&contract->arena);
}

bool contract_check(const struct contract *contract, struct value *value,
                    const struct node *root, struct report *report)
{
    struct problems found = { 0 };
    bool fine = schema_check(schema_input(contract->file), value, report->arena, &found);

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
        if (name_check(kind, is_keys ? entry->key : entry->node.text, &err))
            continue;
        fine = report_add(report, is_keys ? entry->line : entry->node.line,
                          is_keys ? entry->column : entry->node.column, "%s", err.text);
    }
    return fine;
}
