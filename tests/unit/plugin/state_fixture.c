#define STATE_FIXTURE_OWN
#include "state_fixture.h"

static const struct bide_rename renames[] = {
    { "text", "words_of" }, { "label", "words_of" }, { "begin", "only" }, { NULL, NULL }
};

BIDE_TASK(old, OLD_STATE, ONE_SEGMENT, .id = "old")
BIDE_TASK(fresh, NEW_STATE, ONE_SEGMENT, .id = "fresh", .renamed = renames)
BIDE_TASK(small, SMALL_STATE, ONE_SEGMENT, .id = "small")
BIDE_TASK(shorter, SHORT_LIST, ONE_SEGMENT, .id = "shorter")
BIDE_TASK(kind, OTHER_KIND, ONE_SEGMENT, .id = "kind")
BIDE_TASK(items, OTHER_LIST, ONE_SEGMENT, .id = "items")
BIDE_TASK(narrow, NARROW, ONE_SEGMENT, .id = "narrow")
BIDE_TASK(without_sign, UNSIGNED, ONE_SEGMENT, .id = "unsigned")
BIDE_TASK(doubles, DOUBLES, ONE_SEGMENT, .id = "doubles")
BIDE_TASK(numbers, NUMBERS, ONE_SEGMENT, .id = "numbers")
BIDE_TASK(beginning, BEGINNING, ONE_SEGMENT, .id = "beginning")
BIDE_TASK(nothing, BIDE_NO_STATE, ONE_SEGMENT, .id = "nothing")

static bide_next only(bide_task *t)
{
    return bide_done(t);
}

BIDE_PLUGIN("state", "1.0.0", old_task, fresh_task, small_task, shorter_task, kind_task,
            items_task, narrow_task, without_sign_task, doubles_task, numbers_task,
            beginning_task, nothing_task)

/* ---- fixtures ------------------------------------------------------------------------- */

struct arena arena;
static struct plugin plugin;
struct err err;
struct buffer packed;
struct value kept;
struct state_report report;

const struct plugin_task *task(const char *id)
{
    const struct plugin_task *found = plugin_task_find(&plugin, slice_of(id));
    cr_assert_not_null(found);
    return found;
}

void state_begin(void)
{
    kept = value_map();
    cr_assert(plugin_check(&arena, bide_plugin_describe(), &plugin, &err), "%s", err.text);
}

void state_end(void)
{
    buffer_finish(&packed);
    arena_finish(&arena);
}

void encode(const char *id, const void *state)
{
    packed.size = 0;
    cr_assert(state_encode(task(id), state, &kept, &packed, &err), "%s", err.text);
}

void decode(const char *id, void *state)
{
    struct slice copy = arena_copy(&arena, buffer_view(&packed));
    cr_assert(state_decode(task(id), &arena, copy, state, &kept, &report), "%s",
              report.err.text);
}

const char *as_json(void)
{
    struct buffer text = { 0 };
    json_write_packed(&text, buffer_view(&packed));
    const char *copy = arena_copy(&arena, buffer_view(&text)).data;
    buffer_finish(&text);
    return copy;
}

void pack_json(const char *json)
{
    struct value value;
    cr_assert(json_read(&arena, slice_of(json), &value, &err), "%s", err.text);
    packed.size = 0;
    pack_write(&packed, &value);
}
