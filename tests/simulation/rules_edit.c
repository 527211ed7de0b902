/* What is given to runs by their children and from outside adds up, and is said of nothing
 * else. */
#include "batches.h"
#include "codec/pack.h"
#include "model.h"

void rule_given(const struct look *look, const struct run *run, const struct frame_meta *said,
                uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t whose = meta_whose_of(&said[i]);
        int64_t id = whose == META_OF_ROOT                            ? run->root_id
                     : whose == META_OF_PARENT && run->parent_id != 0 ? run->parent_id
                                                                      : run->id;
        struct shadow *shadow = slice_is(said[i].key, "given") ? shadow_of(look, id) : NULL;
        if (shadow != NULL) /* else it was there, and is pruned */
            shadow->given += said[i].value.data[0];
    }
}

/* The last that moved its start says when it is. */
static void start_look(const struct look *look, const struct shadow *shadow,
                       const struct run *run)
{
    const struct run_edit *moved = shadow->rescheduled;

    if (moved == NULL || run->status != RUN_DELAYED || run->started_ms != 0)
        return;
    int64_t due_ms = moved->due_ms != 0 ? (moved->due_ms < 0 ? 1 : moved->due_ms)
                                        : look->steady_ms + moved->delay_ms;
    if (run->due_ms != due_ms || run->due_is_span != (moved->due_ms == 0))
        world_flaw(look->world, "run %lld is to start at %lld, and its timer says %lld",
                   (long long)run->id, (long long)due_ms, (long long)run->due_ms);
}

void rule_given_look(const struct look *look, struct shadow *shadow, const struct run *run)
{
    struct arena arena = { 0 };
    struct value map = { .kind = VALUE_NULL };

    start_look(look, shadow, run);
    if (shadow->was != NULL && slice_equal(shadow->was->metadata, run->metadata) &&
        shadow->given == shadow->was_given)
        return;
    if (run->metadata.size > 0)
        (void)pack_read(&arena, run->metadata, &map, NULL);
    const struct value *said = value_find(&map, "given");
    int64_t given = said == NULL ? 0 : said->integer;
    /* What the letter was given after that is its own. */
    if (shadow->letter != NULL && given >= shadow->letter->was_given &&
        given <= shadow->letter->given)
        shadow->given = given;
    if (given != shadow->given)
        world_flaw(look->world, "run %lld was given %lld, and has %lld", (long long)run->id,
                   (long long)shadow->given, (long long)given);
    arena_finish(&arena);
}

static bool has_tag(const struct run *run, const char *tag)
{
    struct arena arena = { 0 };
    struct value tags = { .kind = VALUE_NULL };
    bool has = false;

    if (run->tags.size > 0 && pack_read(&arena, run->tags, &tags, NULL))
        for (uint32_t i = 0; i < tags.count; i++)
            has |= slice_is(tags.items[i].bytes, tag);
    arena_finish(&arena);
    return has;
}

void rule_edit(const struct look *look, const struct command *command)
{
    const struct run_edit *edit = &command->run_edit;
    const struct run *run = run_now(look, edit->id);
    struct shadow *shadow = shadow_of(look, edit->id);
    bool is_there = run != NULL && run->environment == edit->environment;

    if (command->err.code == ERR_NOT_FOUND && is_there)
        world_flaw(look->world, "run %lld is there, and an edit does not find it",
                   (long long)edit->id);
    if (command->err.code != ERR_OK || !is_there || shadow == NULL)
        return;
    if (edit->moves) {
        shadow->rescheduled = edit;
        shadow->extra_moves++; /* it stands in the timeline */
        if (run->started_ms != 0 && shadow->was != NULL && shadow->was->started_ms != 0)
            world_flaw(look->world, "run %lld has started, and its start was moved",
                       (long long)run->id);
        return;
    }
    rule_given(look, run, edit->operations, edit->count);
    for (uint32_t i = 0; i < edit->count; i++)
        if (meta_kind_of(&edit->operations[i]) == META_TAG) {
            shadow->is_tagged = true;
            if (!has_tag(run, "edited"))
                world_flaw(look->world, "run %lld was tagged, and is not", (long long)run->id);
        }
}
