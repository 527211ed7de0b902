/*
 * Decoding a state: stored values into a struct that may have been declared by another version
 * of the plugin. See state.h for the rules. What does not fit is told and left at its
 * beginning, and the rest is read: a task's migrate() may know what to do.
 */
#include "codec/json.h"
#include "codec/pack.h"
#include "plugin/convert.h"
#include "plugin/state.h"

enum { PATHS_MAX = 64 /* that are told */ };

/* Where we are. */
struct place {
    const struct place *outer;
    struct slice name;
    int64_t index; /* of an item of it; -1: itself */
};

struct reading {
    const struct plugin_task *task;
    struct arena *arena;
    struct state_report *report;
    struct slice outermost; /* the stored name */
};

/* ---- what is told ------------------------------------------------------------------------ */

static void path_write(struct buffer *out, const struct place *place, bool has_numbers)
{
    if (place->outer != NULL) {
        path_write(out, place->outer, has_numbers);
        buffer_byte(out, '.');
    }
    buffer_slice(out, place->name);
    if (place->index >= 0 && has_numbers)
        buffer_format(out, "[%lld]", (long long)place->index);
    else if (place->index >= 0)
        buffer_text(out, "[]");
}

static struct slice path_of(const struct reading *reading, const struct place *place,
                            bool has_numbers)
{
    struct buffer text = { 0 };

    path_write(&text, place, has_numbers);
    struct slice path = arena_copy(reading->arena, buffer_view(&text));
    buffer_finish(&text);
    return path;
}

static bool list_has(const struct value *list, struct slice text)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (slice_equal(list->items[i].bytes, text))
            return true;
    return false;
}

static void path_note(const struct reading *reading, struct value *list,
                      const struct place *place)
{
    struct slice path = path_of(reading, place, false);

    if (list->count < PATHS_MAX && !list_has(list, path))
        value_add(reading->arena, list, value_string(path));
}

static void misfit_note(const struct reading *reading, const struct place *place,
                        const struct conversion *why)
{
    struct state_report *report = reading->report;

    if (report->err.code == ERR_OK) {
        err_set(&report->err, ERR_RULE, "state field %.*s %.*s",
                SLICE_ARG(path_of(reading, place, true)), SLICE_ARG(why->text));
        report->field = path_of(reading, place, false);
        report->cause = why->cause;
    }
    if (!list_has(&report->misfits, reading->outermost))
        value_add(reading->arena, &report->misfits, value_string(reading->outermost));
}

/* ---- beginnings -------------------------------------------------------------------------- */

bool state_initial(const struct plugin_field *field, struct arena *arena, struct slice text,
                   const struct value **initial, struct slice *why)
{
    struct conversion conversion = { .arena = arena };
    struct value value;

    *initial = NULL;
    if (text.size == 0)
        return true;
    *why = arena_format(arena, "begins with %.*s, which is no number, \"text\", true or false",
                        SLICE_ARG(text));
    if (!json_read(arena, text, &value, NULL) || value.kind == VALUE_LIST ||
        value.kind == VALUE_MAP)
        return false;
    char *scratch = arena_alloc(arena, field->size);
    memset(scratch, 0, field->size);
    if (!convert_value(&conversion, field->kind, field->capacity, &value, scratch)) {
        *why = arena_format(arena, "cannot begin with %.*s: it %.*s", SLICE_ARG(text),
                            SLICE_ARG(conversion.text));
        return false;
    }
    struct value *copy = ARENA_NEW(arena, struct value);
    *copy = value;
    *initial = copy;
    return true;
}

static void struct_begin(const struct reading *reading, const struct plugin_struct *shape,
                         char *memory);

/* As if nothing were stored of it. */
static void field_begin(const struct reading *reading, const struct plugin_field *field,
                        char *memory)
{
    struct conversion conversion = { .arena = reading->arena };

    memset(memory, 0, field->size);
    if (field->initial != NULL) /* was checked */
        (void)convert_value(&conversion, field->kind, field->capacity, field->initial, memory);
    else if (field->kind == BIDE_KIND_STRUCT)
        struct_begin(reading, field->inner, memory);
}

/* The memory is zeroed. */
static void struct_begin(const struct reading *reading, const struct plugin_struct *shape,
                         char *memory)
{
    for (uint32_t i = 0; shape->has_initial && i < shape->field_count; i++)
        field_begin(reading, &shape->fields[i], memory + shape->fields[i].offset);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void read_struct(struct reading *reading, const struct place *outer,
                        const struct plugin_struct *shape, const struct value *value,
                        char *memory, struct value *kept);

/* False: it does not fit, which is noted. */
static bool read_one(struct reading *reading, const struct place *place, uint32_t kind,
                     uint32_t capacity, const struct plugin_struct *inner,
                     const struct value *value, char *memory, struct value *kept)
{
    struct conversion conversion = { .arena = reading->arena };

    if (kind == BIDE_KIND_STRUCT && value->kind == VALUE_MAP) {
        read_struct(reading, place, inner, value, memory, kept);
        return true;
    }
    if (convert_value(&conversion, kind, capacity, value, memory))
        return true;
    misfit_note(reading, place, &conversion);
    return false;
}

/* `kept` becomes a list of what each item did not know; it stays null when all knew everything.
 */
static bool read_list(struct reading *reading, const struct place *place,
                      const struct plugin_field *field, const struct value *value, char *memory,
                      struct value *kept)
{
    struct conversion conversion = { .arena = reading->arena };
    struct value items = value_list();
    uint32_t count = value->count < field->capacity ? value->count : field->capacity;
    bool keeps = false;

    if (value->kind != VALUE_LIST) {
        (void)convert_not_of_kind(&conversion, BIDE_KIND_LIST, value);
        misfit_note(reading, place, &conversion);
        return false;
    }
    if (value->count > count) {
        (void)convert_too_many(&conversion, value->count, field->capacity, "items");
        misfit_note(reading, place, &conversion);
    }
    memcpy(memory, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        struct place each = { place->outer, place->name, i };
        struct value item = { .kind = VALUE_NULL };
        char *into = memory + 8 + (size_t)i * field->item_size;
        if (field->inner != NULL)
            struct_begin(reading, field->inner, into);
        if (!read_one(reading, &each, field->item_kind, field->item_capacity, field->inner,
                      &value->items[i], into, &item))
            memset(into, 0, field->item_size);
        keeps = keeps || item.kind != VALUE_NULL;
        if (field->inner != NULL)
            value_add(reading->arena, &items, item);
    }
    if (keeps)
        *kept = items;
    return true;
}

static const struct plugin_field *field_named(const struct plugin_struct *shape,
                                              struct slice name)
{
    for (uint32_t i = 0; i < shape->field_count; i++)
        if (slice_equal(shape->fields[i].name, name))
            return &shape->fields[i];
    return NULL;
}

static const struct value *aside_of(const struct value *stored)
{
    const struct value *aside = value_find(stored, STATE_ASIDE);

    return aside != NULL && aside->kind == VALUE_MAP ? aside : NULL;
}

static bool is_stored(const struct value *stored, struct slice name)
{
    return value_find_slice(stored, name) != NULL ||
           value_find_slice(aside_of(stored), name) != NULL;
}

/* By its name, or by the new name of an old one unless that is stored as well. */
static const struct plugin_field *field_for(const struct reading *reading,
                                            const struct plugin_struct *shape,
                                            const struct value *stored, struct slice name)
{
    const struct plugin_field *field = field_named(shape, name);

    for (uint32_t i = 0; i < reading->task->rename_count && field == NULL; i++) {
        const struct plugin_rename *rename = &reading->task->renames[i];
        if (slice_equal(rename->old_name, name) && !is_stored(stored, rename->new_name))
            field = field_named(shape, rename->new_name);
    }
    return field;
}

static void keep(const struct reading *reading, struct value *kept, struct slice name,
                 struct value value)
{
    if (kept->kind == VALUE_NULL)
        *kept = value_map();
    value_put_slice(reading->arena, kept, name, value);
}

static void read_field(struct reading *reading, const struct place *outer,
                       const struct plugin_field *field, const struct value *value,
                       char *memory, struct value *kept)
{
    struct place place = { outer, field->name, -1 };
    struct value rest = { .kind = VALUE_NULL };

    memset(memory, 0, field->size); /* of two old names the last counts */
    if (field->kind == BIDE_KIND_STRUCT)
        struct_begin(reading, field->inner, memory);
    bool fits = field->kind == BIDE_KIND_LIST
                    ? read_list(reading, &place, field, value, memory, &rest)
                    : read_one(reading, &place, field->kind, field->capacity, field->inner,
                               value, memory, &rest);
    if (!fits)
        field_begin(reading, field, memory);
    if (rest.kind != VALUE_NULL)
        keep(reading, kept, field->name, rest);
}

/* `members`: those of `stored`, or what it has aside. True: one of them is here for the first
 * time, and no field has it. */
static bool read_members(struct reading *reading, const struct place *outer,
                         const struct plugin_struct *shape, const struct value *stored,
                         const struct value *members, char *memory, struct value *kept)
{
    bool is_losing = false;

    for (uint32_t i = 0; i < members->count; i++) {
        const struct member *member = &members->members[i];
        struct place place = { outer, member->key, -1 };
        if (members == stored && slice_is(member->key, STATE_ASIDE))
            continue;
        const struct plugin_field *field = field_for(reading, shape, stored, member->key);
        if (outer == NULL)
            reading->outermost = member->key;
        if (field != NULL &&
            (members == stored || value_find_slice(stored, field->name) == NULL)) {
            read_field(reading, outer, field, &member->value, memory + field->offset, kept);
            continue;
        }
        keep(reading, kept, member->key, member->value);
        if (members == stored) {
            path_note(reading, &reading->report->gone, &place);
            is_losing = true;
        }
    }
    return is_losing;
}

static bool is_renamed_here(const struct reading *reading, const struct value *stored,
                            struct slice name)
{
    for (uint32_t i = 0; i < reading->task->rename_count; i++)
        if (slice_equal(reading->task->renames[i].new_name, name) &&
            is_stored(stored, reading->task->renames[i].old_name))
            return true;
    return false;
}

/* The memory is as struct_begin() leaves it. */
static void read_struct(struct reading *reading, const struct place *outer,
                        const struct plugin_struct *shape, const struct value *value,
                        char *memory, struct value *kept)
{
    const struct value *aside = aside_of(value);

    *kept = (struct value){ .kind = VALUE_NULL };
    bool is_losing = read_members(reading, outer, shape, value, value, memory, kept);
    if (aside != NULL)
        (void)read_members(reading, outer, shape, value, aside, memory, kept);
    for (uint32_t i = 0; is_losing && i < shape->field_count; i++) {
        struct place place = { outer, shape->fields[i].name, -1 };
        if (!is_stored(value, place.name) && !is_renamed_here(reading, value, place.name))
            path_note(reading, &reading->report->fresh, &place);
    }
}

bool state_decode(const struct plugin_task *task, struct arena *arena, struct slice packed,
                  void *state, struct value *kept, struct state_report *report)
{
    struct reading reading = { .task = task, .arena = arena, .report = report };

    *report = (struct state_report){ .stored = value_map(),
                                     .misfits = value_list(),
                                     .gone = value_list(),
                                     .fresh = value_list() };
    memset(state, 0, task->state.size);
    struct_begin(&reading, &task->state, state);
    *kept = value_map();
    if (packed.size == 0)
        return true;
    report->is_broken = true;
    if (!pack_read(arena, packed, &report->stored, &report->err))
        return false;
    if (report->stored.kind != VALUE_MAP)
        return err_set(&report->err, ERR_RULE, "the stored state is no map");
    report->is_broken = false;
    read_struct(&reading, NULL, &task->state, &report->stored, state, kept);
    if (kept->kind == VALUE_NULL)
        *kept = value_map();
    return report->err.code == ERR_OK;
}

static void names_add(struct buffer *text, const struct value *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        buffer_text(text, i == 0 ? "" : ", ");
        buffer_slice(text, names->items[i].bytes);
    }
}

struct slice state_lost(const struct state_report *report, struct arena *arena)
{
    struct buffer text = { 0 };

    if (report->gone.count > 0) {
        buffer_text(&text, report->gone.count == 1 ? "state field " : "state fields ");
        names_add(&text, &report->gone);
        buffer_text(&text, report->gone.count == 1
                               ? " is not in this build and is kept aside"
                               : " are not in this build and are kept aside");
    }
    if (report->fresh.count > 0) {
        buffer_text(&text, "; ");
        names_add(&text, &report->fresh);
        buffer_text(&text, " began anew (a field that was renamed is a row of .renamed)");
    }
    struct slice sentence = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return sentence;
}
