/*
 * Any bytes are a document or one problem. A document becomes a value and is the same
 * afterwards, every part of it stands on a line of the file, and reading it again gives the
 * same.
 */
#include "codec/json.h"
#include "fuzz.h"
#include "schema/document/document.h"

static void place_holds(uint32_t line, uint32_t column, size_t lines, size_t bytes)
{
    PROMISE(line >= 1 && line <= lines);
    PROMISE(column >= 1 && column <= bytes + 1);
}

/* Returns how many nodes there are. */
static uint32_t node_holds(const struct node *node, size_t lines, size_t bytes)
{
    uint32_t weight = 1;

    place_holds(node->line, node->column, lines, bytes);
    for (uint32_t i = 0; node->kind == VALUE_LIST && i < node->count; i++)
        weight += node_holds(&node->items[i], lines, bytes);
    for (uint32_t i = 0; node->kind == VALUE_MAP && i < node->count; i++) {
        const struct entry *entry = &node->entries[i];
        place_holds(entry->line, entry->column, lines, bytes);
        PROMISE(entry->key.data[entry->key.size] == '\0');
        weight += node_holds(&entry->node, lines, bytes);
    }
    PROMISE(weight <= DOCUMENT_MAX_NODES);
    return weight;
}

/* A line more than there are line ends of any kind that YAML knows. */
static size_t lines_count(const uint8_t *data, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 ||
                 data[i] == 0xa9;
    return lines + 1;
}

static void again_holds(struct slice text, const struct value *value, struct arena *arena)
{
    struct problems problems = { 0 };
    struct report report = { arena, &problems, SLICE("fuzz.yaml") };
    struct node root;

    PROMISE(document_read(arena, text, &root, &report));
    struct value again = node_value(arena, &root);
    struct buffer one = { 0 }, two = { 0 };
    json_write(&one, value);
    json_write(&two, &again);
    PROMISE(slice_equal(buffer_view(&one), buffer_view(&two)));
    buffer_finish(&one);
    buffer_finish(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct report report = { &arena, &problems, SLICE("fuzz.yaml") };
    struct node root;

    bool fine = document_read(&arena, text, &root, &report);
    PROMISE(problems.count == !fine);
    PROMISE(fine || utf8_is_valid(problems.first->message));
    if (fine) {
        node_holds(&root, lines_count(data, size), size);
        struct value value = node_value(&arena, &root);
        struct node node = node_of_value(&arena, &value);
        struct value again = node_value(&arena, &node);
        PROMISE(value_equal(&value, &again));
        again_holds(text, &value, &arena);
    }
    arena_finish(&arena);
    return 0;
}
