/* What can be asked of a document once it is read. */
#include "schema/document/document.h"

const struct entry *node_find_slice(const struct node *map, struct slice key)
{
    if (map == NULL || map->kind != VALUE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (slice_equal(map->entries[i].key, key))
            return &map->entries[i];
    return NULL;
}

const struct entry *node_find(const struct node *map, const char *key)
{
    return node_find_slice(map, slice_of(key));
}

size_t slots_for(uint32_t count)
{
    size_t room = 4;

    while (room < count)
        room *= 2;
    return room;
}

static struct value list_value(struct arena *arena, const struct node *node)
{
    struct value list = value_list();

    list.items = ARENA_ARRAY(arena, struct value, slots_for(node->count));
    for (uint32_t i = 0; i < node->count; i++)
        list.items[i] = node_value(arena, &node->items[i]);
    list.count = node->count;
    return list;
}

static struct value map_value(struct arena *arena, const struct node *node)
{
    struct value map = value_map();

    map.members = ARENA_ARRAY(arena, struct member, slots_for(node->count));
    for (uint32_t i = 0; i < node->count; i++)
        map.members[i] =
            (struct member){ node->entries[i].key, node_value(arena, &node->entries[i].node) };
    map.count = node->count;
    return map;
}

struct value node_value(struct arena *arena, const struct node *node)
{
    struct value value = { .kind = node->kind };

    switch (node->kind) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        value.boolean = node->boolean;
        break;
    case VALUE_INT:
        value.integer = node->integer;
        break;
    case VALUE_UINT:
        value.big = node->big;
        break;
    case VALUE_DOUBLE:
        value.number = node->number;
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        value.bytes = node->text;
        break;
    case VALUE_LIST:
        return list_value(arena, node);
    case VALUE_MAP:
        return map_value(arena, node);
    }
    return value;
}

static void list_node(struct arena *arena, const struct value *list, struct node *node)
{
    node->count = list->count;
    node->items = ARENA_ARRAY(arena, struct node, list->count);
    for (uint32_t i = 0; i < list->count; i++)
        node->items[i] = node_of_value(arena, &list->items[i]);
}

static void map_node(struct arena *arena, const struct value *map, struct node *node)
{
    node->count = map->count;
    node->entries = ARENA_ARRAY(arena, struct entry, map->count);
    for (uint32_t i = 0; i < map->count; i++)
        node->entries[i] = (struct entry){
            .key = map->members[i].key,
            .node = node_of_value(arena, &map->members[i].value),
        };
}

struct node node_of_value(struct arena *arena, const struct value *value)
{
    struct node node = { .kind = value->kind, .weight = 1 };

    switch (value->kind) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        node.boolean = value->boolean;
        break;
    case VALUE_INT:
        node.integer = value->integer;
        break;
    case VALUE_UINT:
        node.big = value->big;
        break;
    case VALUE_DOUBLE:
        node.number = value->number;
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        node.kind = VALUE_STRING;
        node.text = value->bytes;
        break;
    case VALUE_LIST:
        list_node(arena, value, &node);
        break;
    case VALUE_MAP:
        map_node(arena, value, &node);
        break;
    }
    return node;
}

/* ---- where a problem's value stands ------------------------------------------------------ */

/* One token of a JSON pointer, undone: ~1 is /. */
static bool token_is(struct slice token, struct slice key)
{
    size_t at = 0;

    for (size_t i = 0; i < key.size; i++) {
        bool is_escape = key.data[i] == '~' || key.data[i] == '/';
        if (token.size - at < 1 + (size_t)is_escape ||
            token.data[at] != (is_escape ? '~' : key.data[i]) ||
            (is_escape && token.data[at + 1] != (key.data[i] == '~' ? '0' : '1')))
            return false;
        at += 1 + (size_t)is_escape;
    }
    return at == token.size;
}

static const struct entry *token_entry(const struct node *map, struct slice token)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->count; i++)
        if (token_is(token, map->entries[i].key))
            return &map->entries[i];
    return NULL;
}

static const struct node *token_item(const struct node *list, struct slice token)
{
    uint32_t index = 0;

    if (list->kind != VALUE_LIST || token.size == 0 || token.size > 6)
        return NULL;
    for (size_t i = 0; i < token.size; i++)
        index = index * 10 + (uint32_t)(token.data[i] - '0');
    return index < list->count ? &list->items[index] : NULL;
}

/* As far as the pointer leads: a default that was put in stands nowhere. */
static void problem_locate(struct problem *problem, const struct node *node)
{
    struct slice pointer = problem->pointer;
    uint32_t line = node->line, column = node->column;

    while (pointer.size > 0) {
        size_t end = 1;
        while (end < pointer.size && pointer.data[end] != '/')
            end++;
        struct slice token = { pointer.data + 1, end - 1 };
        const struct entry *entry = token_entry(node, token);
        const struct node *below = entry != NULL ? &entry->node : token_item(node, token);
        if (below == NULL)
            break;
        node = below;
        line = node->line;
        column = node->column;
        pointer = (struct slice){ pointer.data + end, pointer.size - end };
    }
    const struct entry *named =
        problem->name.size > 0 ? node_find_slice(node, problem->name) : NULL;
    problem->value_line = named != NULL ? named->line : line;
    problem->value_column = named != NULL ? named->column : column;
}

void problems_locate(struct problems *problems, const struct node *root, struct slice file)
{
    for (struct problem *one = problems->first; one != NULL; one = one->next) {
        one->value_file = file;
        problem_locate(one, root);
    }
}
