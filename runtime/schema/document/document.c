/*
 * libyaml's events become nodes here:
 *
 *   text ──yaml_parser_parse──▶ event ──node_read──▶ struct node (line, column, weight)
 *
 * What YAML allows and a config file does not need is refused by name: several documents, keys
 * that are no scalars, a key twice, unknown tags, an alias inside its own anchor. Depth is
 * bounded because node_read recurses; weight is bounded because a page of aliases can mean a
 * billion nodes and every later walk follows them.
 */
#include "schema/document/document.h"

#include "base/memory.h"
#include "base/table.h"
#include "codec/digits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct anchor {
    struct slice name;
    struct node node;
    bool is_done; /* false while its own content is being read */
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct arena scratch;
    struct report *report;
    struct anchor *anchors;
    uint32_t anchor_count;
    uint32_t node_count;
};

/* Maps and lists under construction double their room; the arena takes what they leave. */
static void *room_for_one(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                          size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 8 : *capacity * 2;
    char *grown = arena_alloc(arena, *capacity * size);
    if (count > 0)
        memcpy(grown, items, count * size);
    return grown;
}

static uint32_t mark_line(yaml_mark_t mark)
{
    return (uint32_t)mark.line + 1;
}

static uint32_t mark_column(yaml_mark_t mark)
{
    return (uint32_t)mark.column + 1;
}

static bool refuse(struct reader *reader, const yaml_event_t *event, const char *text)
{
    return report_add(reader->report, mark_line(event->start_mark),
                      mark_column(event->start_mark), "%s", text);
}

static bool event_next(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;

    if (yaml_parser_parse(&reader->parser, event) != 0)
        return true;
    if (parser->error == YAML_MEMORY_ERROR)
        memory_die(0);
    if (parser->error == YAML_READER_ERROR)
        return report_add(reader->report, 0, 0, "%s at byte %zu; the file must be UTF-8 text",
                          parser->problem, parser->problem_offset);
    if (parser->context != NULL)
        return report_add(reader->report, mark_line(parser->problem_mark),
                          mark_column(parser->problem_mark),
                          "no valid YAML: %s (%s at line %zu)", parser->problem,
                          parser->context, parser->context_mark.line + 1);
    return report_add(reader->report, mark_line(parser->problem_mark),
                      mark_column(parser->problem_mark), "no valid YAML: %s", parser->problem);
}

static struct slice event_text(struct reader *reader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    return arena_copy(reader->arena, (struct slice){ text, event->data.scalar.length });
}

static bool weight_add(struct reader *reader, const yaml_event_t *event, uint32_t weight)
{
    if (weight > DOCUMENT_MAX_NODES - reader->node_count)
        return refuse(reader, event,
                      "too large: more than 100000 values, aliases counted as written out");
    reader->node_count += weight;
    return true;
}

/* ---- anchors ----------------------------------------------------------------------------- */

static bool anchor_add(struct reader *reader, const yaml_event_t *event,
                       const yaml_char_t *name, uint32_t *index)
{
    *index = UINT32_MAX;
    if (name == NULL)
        return true;
    if (reader->anchor_count == DOCUMENT_MAX_ANCHORS)
        return refuse(reader, event, "too many anchors: at most 1000");
    if (reader->anchors == NULL)
        reader->anchors = ARENA_ARRAY(&reader->scratch, struct anchor, DOCUMENT_MAX_ANCHORS);
    *index = reader->anchor_count++;
    reader->anchors[*index].name = arena_copy(&reader->scratch, slice_of((const char *)name));
    return true;
}

static void anchor_set(struct reader *reader, uint32_t index, const struct node *node)
{
    if (index == UINT32_MAX)
        return;
    reader->anchors[index].node = *node;
    reader->anchors[index].is_done = true;
}

static bool depth_refuse(struct reader *reader, const yaml_event_t *event)
{
    return refuse(reader, event, "nested too deep: more than 100 levels");
}

static bool alias_read(struct reader *reader, const yaml_event_t *event, unsigned depth,
                       struct node *node)
{
    struct slice name = slice_of((const char *)event->data.alias.anchor);

    for (uint32_t i = reader->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &reader->anchors[i];
        if (!slice_equal(anchor->name, name))
            continue;
        if (!anchor->is_done)
            return refuse(reader, event, "an alias inside its own anchor never ends");
        if (depth + anchor->node.height > DOCUMENT_MAX_DEPTH)
            return depth_refuse(reader, event);
        *node = anchor->node;
        return weight_add(reader, event, node->weight);
    }
    return report_add(reader->report, mark_line(event->start_mark),
                      mark_column(event->start_mark), "no anchor &%.*s above this alias",
                      SLICE_ARG(name));
}

/* ---- scalars ----------------------------------------------------------------------------- */

/* "!!int" is "tag:yaml.org,2002:int" here; NULL for other tags. */
static const char *tag_name(const yaml_char_t *tag)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    const char *text = (const char *)tag;

    return strncmp(text, prefix, sizeof prefix - 1) == 0 ? text + sizeof prefix - 1 : NULL;
}

static bool scalar_fits_tag(struct node *node, const char *name)
{
    scalar_resolve(node);
    if (strcmp(name, "null") == 0)
        return node->kind == VALUE_NULL;
    if (strcmp(name, "bool") == 0)
        return node->kind == VALUE_BOOL;
    if (strcmp(name, "int") == 0)
        return node->kind == VALUE_INT || node->kind == VALUE_UINT;
    return strcmp(name, "float") == 0 && scalar_to_double(node);
}

static bool scalar_read(struct reader *reader, const yaml_event_t *event, struct node *node)
{
    const yaml_char_t *tag = event->data.scalar.tag;

    node->text = event_text(reader, event);
    node->is_plain = event->data.scalar.plain_implicit != 0;
    node->kind = VALUE_STRING;
    if (tag != NULL && strcmp((const char *)tag, "!") != 0) {
        const char *name = tag_name(tag);
        if (name == NULL || (strcmp(name, "str") != 0 && !scalar_fits_tag(node, name)))
            return report_add(reader->report, node->line, node->column,
                              "the tag %s does not fit here; !!str, !!int, !!float, !!bool and "
                              "!!null are known",
                              (const char *)tag);
    } else if (node->is_plain && tag == NULL) {
        scalar_resolve(node);
    }
    if (node->kind == VALUE_DOUBLE && !isfinite(node->number))
        return refuse(reader, event, "no finite number, or one too large");
    const char *flaw = node->kind == VALUE_DOUBLE ? digits_flaw(node->text) : NULL;
    if (flaw != NULL)
        return report_add(reader->report, node->line, node->column, "the number %s", flaw);
    return true;
}

/* ---- lists and maps ---------------------------------------------------------------------- */

static bool node_read(struct reader *reader, const yaml_event_t *event, unsigned depth,
                      struct node *node);

static bool tag_check(struct reader *reader, const yaml_event_t *event, const yaml_char_t *tag,
                      const char *wanted)
{
    const char *name = tag == NULL ? wanted : tag_name(tag);

    if (name != NULL && strcmp(name, wanted) == 0)
        return true;
    return report_add(reader->report, mark_line(event->start_mark),
                      mark_column(event->start_mark), "the tag %s does not fit here",
                      (const char *)tag);
}

static void part_count(struct node *node, const struct node *part)
{
    node->weight += part->weight;
    if (node->height <= part->height)
        node->height = part->height + 1;
}

static bool list_read(struct reader *reader, unsigned depth, struct node *node)
{
    uint32_t capacity = 0;
    bool fine = true;

    node->kind = VALUE_LIST;
    while (fine) {
        yaml_event_t event;
        if (!event_next(reader, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        node->items = room_for_one(reader->arena, node->items, node->count, &capacity,
                                   sizeof *node->items);
        struct node *item = &node->items[node->count];
        fine = node_read(reader, &event, depth + 1, item);
        yaml_event_delete(&event);
        part_count(node, item);
        node->count++;
    }
    return false;
}

/* A map under construction. Twins are found by hash once there are more than a few entries. */
struct map_builder {
    struct node *map;
    uint32_t capacity;
    struct table numbers; /* hash of a key → its number from 1 */
    struct node merge;    /* what `<<` names */
    bool has_merge;
};

enum { SEARCH_MAX_ENTRIES = 16 };

static struct entry *entry_search(const struct node *map, struct slice key)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (slice_equal(map->entries[i].key, key))
            return &map->entries[i];
    return NULL;
}

static struct entry *builder_find(const struct map_builder *builder, struct slice key)
{
    if (builder->map->count <= SEARCH_MAX_ENTRIES)
        return entry_search(builder->map, key);
    uintptr_t number = (uintptr_t)table_find(&builder->numbers, table_hash(key, 0));
    if (number == 0)
        return NULL;
    struct entry *entry = &builder->map->entries[number - 1];
    /* Two keys of one hash: the later number was kept, the earlier needs the long way. */
    return slice_equal(entry->key, key) ? entry : entry_search(builder->map, key);
}

static void builder_note(struct map_builder *builder, uint32_t number)
{
    struct slice key = builder->map->entries[number - 1].key;
    table_set(&builder->numbers, table_hash(key, 0), (void *)(uintptr_t)number);
}

static void builder_add(struct reader *reader, struct map_builder *builder,
                        const struct entry *entry)
{
    struct node *map = builder->map;

    map->entries = room_for_one(reader->arena, map->entries, map->count, &builder->capacity,
                                sizeof *map->entries);
    map->entries[map->count++] = *entry;
    part_count(map, &entry->node);
    if (map->count == SEARCH_MAX_ENTRIES + 1)
        for (uint32_t i = 1; i < map->count; i++)
            builder_note(builder, i);
    if (map->count > SEARCH_MAX_ENTRIES)
        builder_note(builder, map->count);
}

static bool merge_one(struct reader *reader, struct map_builder *builder,
                      const struct node *merged)
{
    if (merged->kind != VALUE_MAP)
        return report_add(reader->report, merged->line, merged->column,
                          "<< merges maps (or a list of maps) only");
    for (uint32_t i = 0; i < merged->count; i++)
        if (builder_find(builder, merged->entries[i].key) == NULL)
            builder_add(reader, builder, &merged->entries[i]);
    return true;
}

/* The map's own entries win over merged ones, and earlier merged ones over later. */
static bool merge_all(struct reader *reader, struct map_builder *builder)
{
    const struct node *merge = &builder->merge;

    if (!builder->has_merge)
        return true;
    if (merge->kind != VALUE_LIST)
        return merge_one(reader, builder, merge);
    for (uint32_t i = 0; i < merge->count; i++)
        if (!merge_one(reader, builder, &merge->items[i]))
            return false;
    return true;
}

/* Any scalar is a key, by its text: `1:` and `"1":` are the same key, as they are in JSON. */
static bool key_read(struct reader *reader, const yaml_event_t *event, struct entry *entry)
{
    entry->line = mark_line(event->start_mark);
    entry->column = mark_column(event->start_mark);
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(reader, event, "a key must be plain text here");
    entry->key = event_text(reader, event);
    return true;
}

static bool entry_keep(struct reader *reader, struct map_builder *builder,
                       const struct entry *entry, bool is_merge)
{
    const struct entry *twin = builder_find(builder, entry->key);

    if (is_merge && !builder->has_merge) {
        builder->merge = entry->node;
        builder->has_merge = true;
        return true;
    }
    if (is_merge)
        return report_add(reader->report, entry->line, entry->column,
                          "a second << in one map; merge a list instead: <<: [*a, *b]");
    if (twin != NULL)
        return report_add(reader->report, entry->line, entry->column,
                          "the key %.*s is here twice; the first is in line %" PRIu32,
                          SLICE_ARG(text_quote(reader->report->arena, entry->key)), twin->line);
    builder_add(reader, builder, entry);
    return true;
}

static bool entry_read(struct reader *reader, struct map_builder *builder,
                       const yaml_event_t *key, unsigned depth)
{
    struct entry entry = { 0 };
    yaml_event_t event;

    if (!key_read(reader, key, &entry) || !event_next(reader, &event))
        return false;
    bool fine = node_read(reader, &event, depth + 1, &entry.node);
    yaml_event_delete(&event);
    bool is_merge = key->data.scalar.plain_implicit != 0 && slice_is(entry.key, "<<");
    return fine && entry_keep(reader, builder, &entry, is_merge);
}

static bool map_read(struct reader *reader, unsigned depth, struct node *node)
{
    struct map_builder builder = { .map = node };
    bool fine = true;

    node->kind = VALUE_MAP;
    table_init(&builder.numbers, &reader->scratch);
    while (fine) {
        yaml_event_t event;
        if (!event_next(reader, &event))
            return false;
        bool is_end = event.type == YAML_MAPPING_END_EVENT;
        if (!is_end)
            fine = entry_read(reader, &builder, &event, depth);
        yaml_event_delete(&event);
        if (is_end)
            return merge_all(reader, &builder);
    }
    return false;
}

/* ---- any node ---------------------------------------------------------------------------- */

static bool nested_read(struct reader *reader, const yaml_event_t *event, unsigned depth,
                        struct node *node)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    uint32_t anchor;

    if (depth >= DOCUMENT_MAX_DEPTH)
        return depth_refuse(reader, event);
    if (is_map ? !tag_check(reader, event, event->data.mapping_start.tag, "map") ||
                     !anchor_add(reader, event, event->data.mapping_start.anchor, &anchor)
               : !tag_check(reader, event, event->data.sequence_start.tag, "seq") ||
                     !anchor_add(reader, event, event->data.sequence_start.anchor, &anchor))
        return false;
    if (is_map ? !map_read(reader, depth, node) : !list_read(reader, depth, node))
        return false;
    anchor_set(reader, anchor, node);
    return true;
}

/* `event` is the node's first; the caller deletes it. */
static bool node_read(struct reader *reader, const yaml_event_t *event, unsigned depth,
                      struct node *node)
{
    uint32_t anchor;

    *node = (struct node){
        .line = mark_line(event->start_mark),
        .column = mark_column(event->start_mark),
        .weight = 1,
    };
    if (event->type == YAML_ALIAS_EVENT)
        return alias_read(reader, event, depth, node);
    if (!weight_add(reader, event, 1))
        return false;
    if (event->type != YAML_SCALAR_EVENT)
        return nested_read(reader, event, depth, node);
    if (!anchor_add(reader, event, event->data.scalar.anchor, &anchor) ||
        !scalar_read(reader, event, node))
        return false;
    anchor_set(reader, anchor, node);
    return true;
}

/* ---- the whole stream -------------------------------------------------------------------- */

static bool event_skip(struct reader *reader, yaml_event_type_t wanted, bool *is_wanted)
{
    yaml_event_t event;

    if (!event_next(reader, &event))
        return false;
    *is_wanted = event.type == wanted;
    if (!*is_wanted && event.type == YAML_DOCUMENT_START_EVENT)
        (void)refuse(reader, &event, "a second document; one file holds one document");
    yaml_event_delete(&event);
    return true;
}

/* stream start, document start, the root node, document end, stream end. */
static bool stream_read(struct reader *reader, struct node *root)
{
    bool is_wanted;
    yaml_event_t event;

    if (!event_skip(reader, YAML_STREAM_START_EVENT, &is_wanted) ||
        !event_skip(reader, YAML_DOCUMENT_START_EVENT, &is_wanted))
        return false;
    if (!is_wanted)
        return true; /* nothing but comments: null */
    if (!event_next(reader, &event))
        return false;
    bool fine = node_read(reader, &event, 0, root);
    yaml_event_delete(&event);
    return fine && event_skip(reader, YAML_DOCUMENT_END_EVENT, &is_wanted) &&
           event_skip(reader, YAML_STREAM_END_EVENT, &is_wanted) && is_wanted;
}

bool document_read(struct arena *arena, struct slice text, struct node *root,
                   struct report *report)
{
    struct reader reader = { .arena = arena, .report = report };

    *root = (struct node){ .kind = VALUE_NULL, .line = 1, .column = 1, .weight = 1 };
    if (text.size > DOCUMENT_MAX_BYTES)
        return report_add(report, 0, 0, "too large: %zu bytes, at most %d", text.size,
                          DOCUMENT_MAX_BYTES);
    if (yaml_parser_initialize(&reader.parser) == 0)
        memory_die(0);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &reader.parser, (const unsigned char *)(text.size == 0 ? "" : text.data), text.size);
    bool fine = stream_read(&reader, root);
    yaml_parser_delete(&reader.parser);
    arena_finish(&reader.scratch);
    return fine;
}
