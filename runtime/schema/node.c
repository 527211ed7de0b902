/* What can be asked of a document once it is read. */
#include "schema/document.h"

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

/* As value_put expects of whoever fills the slots of a map or list itself. */
static size_t room_for(uint32_t count)
{
    size_t room = 4;

    while (room < count)
        room *= 2;
    return room;
}

static struct value list_value(struct arena *arena, const struct node *node)
{
    struct value list = value_list();

    list.items = ARENA_ARRAY(arena, struct value, room_for(node->count));
    for (uint32_t i = 0; i < node->count; i++)
        list.items[i] = node_value(arena, &node->items[i]);
    list.count = node->count;
    return list;
}

static struct value map_value(struct arena *arena, const struct node *node)
{
    struct value map = value_map();

    map.members = ARENA_ARRAY(arena, struct member, room_for(node->count));
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
