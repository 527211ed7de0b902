/* Any bytes are a document or one problem; a document becomes a value and is the same
 * afterwards. */
#include "fuzz.h"
#include "schema/document.h"

static uint32_t weight_of(const struct node *node)
{
    uint32_t weight = 1;

    for (uint32_t i = 0; node->kind == VALUE_LIST && i < node->count; i++)
        weight += weight_of(&node->items[i]);
    for (uint32_t i = 0; node->kind == VALUE_MAP && i < node->count; i++)
        weight += weight_of(&node->entries[i].node);
    return weight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct report report = { &arena, &problems, SLICE("fuzz.yaml") };
    struct node root;

    bool fine =
        document_read(&arena, (struct slice){ (const char *)data, size }, &root, &report);
    PROMISE(problems.count == !fine);
    if (fine) {
        PROMISE(weight_of(&root) <= DOCUMENT_MAX_NODES);
        struct value value = node_value(&arena, &root);
        struct node node = node_of_value(&arena, &value);
        struct value again = node_value(&arena, &node);
        PROMISE(value_equal(&value, &again));
    }
    arena_finish(&arena);
    return 0;
}
