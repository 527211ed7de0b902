/* Checking the rows of a state: where each field lies, of what kind it is, what it begins with.
 */
#include "base/name.h"
#include "plugin/check.h"
#include "plugin/state.h"

/* At most one byte more than is allowed, so that a text without an end is not followed. */
struct slice check_text(struct checking *checking, const char *text, size_t most)
{
    if (text == NULL)
        return (struct slice){ NULL, 0 };
    return arena_copy(checking->arena, (struct slice){ text, strnlen(text, most) });
}

struct slice check_name(struct checking *checking, const char *name)
{
    return check_text(checking, name, PLUGIN_MAX_NAME + 1);
}

/* ---- fields ------------------------------------------------------------------------------ */

static const char *const kind_names[] = {
    [BIDE_KIND_BOOL] = "BOOL",   [BIDE_KIND_I32] = "I32",     [BIDE_KIND_U32] = "U32",
    [BIDE_KIND_I64] = "I64",     [BIDE_KIND_U64] = "U64",     [BIDE_KIND_F64] = "F64",
    [BIDE_KIND_STR] = "STR",     [BIDE_KIND_BYTES] = "BYTES", [BIDE_KIND_TOKEN] = "TOKEN",
    [BIDE_KIND_RUN] = "RUN",     [BIDE_KIND_LIST] = "LIST",   [BIDE_KIND_STRUCT] = "STRUCT",
    [BIDE_KIND_VALUE] = "VALUE", [BIDE_KIND_BATCH] = "BATCH",
};

const char *plugin_kind_name(uint32_t kind)
{
    if (kind >= sizeof kind_names / sizeof kind_names[0] || kind_names[kind] == NULL)
        return "?";
    return kind_names[kind];
}

/* What a kind takes in memory; 0 for those whose size says nothing by itself. */
static uint64_t kind_size(uint32_t kind, uint32_t capacity)
{
    switch (kind) {
    case BIDE_KIND_BOOL:
        return sizeof(bool);
    case BIDE_KIND_I32:
    case BIDE_KIND_U32:
        return 4;
    case BIDE_KIND_I64:
    case BIDE_KIND_U64:
    case BIDE_KIND_F64:
        return 8;
    case BIDE_KIND_STR:
        return capacity;
    case BIDE_KIND_BYTES: /* a uint32_t in front, and its alignment behind */
        return (4 + (uint64_t)capacity + 3) & ~UINT64_C(3);
    case BIDE_KIND_TOKEN:
        return sizeof(bide_token);
    case BIDE_KIND_RUN:
        return sizeof(bide_run);
    case BIDE_KIND_BATCH:
        return sizeof(bide_batch);
    case BIDE_KIND_VALUE:
        return sizeof(const bide_value *);
    default:
        return 0;
    }
}

static bool field_refuse(const struct checking *checking, struct slice name, const char *what)
{
    return err_set(checking->err, ERR_PLUGIN, "task %s, state field %.*s: %s", checking->task,
                   SLICE_ARG(name), what);
}

static bool check_inner(struct checking *checking, const struct bide_field *row,
                        uint32_t row_size, uint32_t struct_size, uint32_t depth,
                        struct plugin_field *field)
{
    if (row->fields == NULL)
        return field_refuse(checking, field->name, "has no rows for its struct");
    if (depth == PLUGIN_MAX_NESTING)
        return field_refuse(checking, field->name, "is nested too deep");
    struct plugin_struct *inner = ARENA_NEW(checking->arena, struct plugin_struct);
    field->inner = inner;
    return check_fields(checking, row->fields(), row_size, struct_size, depth + 1, inner);
}

static bool check_list(struct checking *checking, const struct bide_field *row,
                       uint32_t row_size, uint32_t depth, struct plugin_field *field)
{
    /* Two uint32_t in front of the items; behind them at most their alignment. */
    uint64_t least = 8 + (uint64_t)row->capacity * row->item_size;

    if (row->capacity == 0 || row->item_size == 0)
        return field_refuse(checking, field->name, "is a list without room");
    if (row->size < least || row->size >= least + 8)
        return field_refuse(checking, field->name, "has not the size of its list");
    if (row->item_kind == BIDE_KIND_STRUCT)
        return check_inner(checking, row, row_size, row->item_size, depth, field);
    if (row->item_size != kind_size(row->item_kind, row->item_capacity))
        return field_refuse(checking, field->name, "has items of a wrong kind or size");
    return true;
}

/* A text that is no name: of any length that a literal may have. */
static bool check_initial(struct checking *checking, const struct bide_field *row,
                          struct plugin_field *field)
{
    struct slice text = check_text(checking, row->initial, PLUGIN_MAX_INITIAL), why;

    return state_initial(field, checking->arena, text, &field->initial, &why) ||
           field_refuse(checking, field->name, why.data);
}

static bool check_field(struct checking *checking, const struct bide_field *row,
                        uint32_t row_size, uint32_t depth, struct plugin_field *field)
{
    *field = (struct plugin_field){
        .name = check_name(checking, row->name),
        .offset = row->offset,
        .size = row->size,
        .kind = row->kind,
        .item_kind = row->item_kind,
        .capacity = row->capacity,
        .item_size = row->item_size,
        .item_capacity = row->item_capacity,
    };
    if (!name_check(NAME_SYMBOL, field->name, NULL))
        return field_refuse(checking, field->name, "is no name for a field");
    if (strcmp(plugin_kind_name(row->kind), "?") == 0)
        return field_refuse(checking, field->name, "is of a kind that this bide does not know");
    bool is_good = true;
    if (row->kind == BIDE_KIND_LIST)
        is_good = check_list(checking, row, row_size, depth, field);
    else if (row->kind == BIDE_KIND_STRUCT)
        is_good = check_inner(checking, row, row_size, row->size, depth, field);
    else if (row->size == 0 || row->size != kind_size(row->kind, row->capacity))
        is_good = field_refuse(checking, field->name, "has not the size of its kind");
    return is_good && check_initial(checking, row, field);
}

static struct bide_field field_row(const struct bide_field *rows, uint32_t row_size,
                                   uint32_t index)
{
    struct bide_field row = { 0 };
    memcpy(&row, (const char *)rows + (size_t)index * row_size,
           row_size < sizeof row ? row_size : sizeof row);
    return row;
}

bool check_fields(struct checking *checking, const struct bide_field *rows, uint32_t row_size,
                  uint32_t struct_size, uint32_t depth, struct plugin_struct *copy)
{
    uint64_t end = 0;
    uint32_t count = 0;

    if (rows == NULL)
        return err_set(checking->err, ERR_PLUGIN, "task %s: a struct of its state has no rows",
                       checking->task);
    while (count < PLUGIN_MAX_FIELDS && field_row(rows, row_size, count).name != NULL)
        count++;
    if (count == PLUGIN_MAX_FIELDS || count > checking->fields_left)
        return err_set(checking->err, ERR_PLUGIN, "task %s: its state has more than %d fields",
                       checking->task, PLUGIN_MAX_FIELDS - 1);
    checking->fields_left -= count;
    *copy = (struct plugin_struct){
        .size = struct_size,
        .field_count = count,
        .fields = ARENA_ARRAY(checking->arena, struct plugin_field, count + 1),
    };
    for (uint32_t i = 0; i < count; i++) {
        struct bide_field row = field_row(rows, row_size, i);
        struct plugin_field *field = &copy->fields[i];
        if (!check_field(checking, &row, row_size, depth, field))
            return false;
        if (row.offset < end || (uint64_t)row.offset + row.size > struct_size)
            return field_refuse(checking, field->name,
                                "lies outside the state, or upon another");
        end = (uint64_t)row.offset + row.size;
        for (uint32_t j = 0; j < i; j++)
            if (slice_equal(copy->fields[j].name, field->name))
                return field_refuse(checking, field->name, "is there twice");
        copy->has_initial |= field->initial != NULL ||
                             (field->kind == BIDE_KIND_STRUCT && field->inner->has_initial);
    }
    return true;
}
