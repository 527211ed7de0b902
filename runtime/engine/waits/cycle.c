/*
 * Cycles: runs that wait for each other, none of which can go on. Whoever would close one fails
 * instead. What counts is what a run cannot do without: one that gives up some day, or needs
 * only some of what it names, ends all the same.
 */
#include "base/id.h"
#include "engine/waits/group.h"

enum { LOOK_MAX = 1000 }; /* a longer chain than that is not looked at to its end */

struct look_at {
    int64_t id;
    uint32_t from; /* who waits for it: its place; the first ones: their own */
};

struct search {
    struct batch *batch;
    struct look_at *found;
    uint32_t count;
    struct table seen;
};

static void search_add(struct search *search, int64_t id, uint32_t from)
{
    if (search->count == LOOK_MAX || table_has(&search->seen, (uint64_t)id))
        return;
    table_set(&search->seen, (uint64_t)id, NULL);
    search->found[search->count] = (struct look_at){ id, from };
    search->count++;
}

static void search_parts(struct search *search, const struct frame_part *parts, uint32_t count,
                         uint32_t needed, uint32_t from)
{
    bool *must = ARENA_ARRAY(search->batch->arena, bool, (size_t)count + 1);
    uint32_t *members = ARENA_ARRAY(search->batch->arena, uint32_t, (size_t)count + 1);

    for (uint32_t i = 0; i < count; i++)
        members[parts[i].of]++;
    must[0] = needed == 0 || needed >= members[0];
    for (uint32_t i = 0; i < count; i++) {
        if (!must[parts[i].of])
            continue;
        if (parts[i].kind == PART_RUN)
            search_add(search, parts[i].id, from);
        must[i + 1] = parts[i].needed == 0 || parts[i].needed >= members[i + 1];
    }
}

/* What the run at that place waits for. False: its row is not loaded. */
static bool search_on(struct search *search, uint32_t place)
{
    struct run *run;

    if (!rows_run(&search->batch->rows, search->found[place].id, 0, &run))
        return false;
    const struct wait *wait =
        run != NULL && run->status == RUN_WAITING ? run_wait(search->batch, run) : NULL;
    if (wait == NULL || wait->due_ms != 0)
        return true;
    if (wait->group != NULL)
        search_parts(search, wait->group->parts, wait->group->count, wait->needed, place);
    for (uint32_t i = 0;
         wait->kind == WAIT_FOR_RUNS && wait->needed == wait->count && i < wait->count; i++)
        search_add(search, wait->ids[i], place);
    return true;
}

static struct slice search_tell(const struct search *search, int64_t id, uint32_t last)
{
    struct buffer text = { 0 };
    char name[ID_TEXT_SIZE];
    int64_t *chain = ARENA_ARRAY(search->batch->arena, int64_t, search->count);
    uint32_t length = 0;

    for (uint32_t at = last;; at = search->found[at].from) {
        chain[length++] = search->found[at].id;
        if (search->found[at].from == at)
            break;
    }
    buffer_format(&text, "%s waits for ", id_format("run", id, name));
    while (length-- > 0)
        buffer_format(&text, "%s%s", id_format("run", chain[length], name),
                      length > 0 ? ", which waits for " : "");
    struct slice told = arena_format(search->batch->arena,
                                     "%.*s, which waits for %s: none of "
                                     "them could go on",
                                     SLICE_ARG(buffer_view(&text)), id_format("run", id, name));
    buffer_finish(&text);
    return told;
}

/* Most wait for runs that do not; what is not loaded may. */
static bool may_wait(struct batch *batch, int64_t id)
{
    struct run *run;

    return !rows_run(&batch->rows, id, 0, &run) || (run != NULL && run->status == RUN_WAITING);
}

static bool any_waits(struct batch *batch, const struct frame_end *end)
{
    bool waits = false;

    for (uint32_t i = 0; i < end->id_count; i++)
        waits |= may_wait(batch, end->ids[i]);
    for (uint32_t i = 0; i < end->part_count; i++)
        waits |= end->parts[i].kind == PART_RUN && may_wait(batch, end->parts[i].id);
    return waits;
}

bool wait_cycle(struct batch *batch, const struct run *run, const struct frame_end *end,
                struct slice *cycle)
{
    struct search search = { .batch = batch };
    bool loaded = true;

    *cycle = (struct slice){ 0 };
    if (end->due_ms != 0 || end->span_ms != 0 ||
        (end->wait_kind != WAIT_FOR_RUNS && end->wait_kind != WAIT_FOR_GROUP))
        return true;
    if (!any_waits(batch, end))
        return true;
    search.found = ARENA_ARRAY(batch->arena, struct look_at, LOOK_MAX);
    table_init(&search.seen, batch->arena);
    for (uint32_t i = 0;
         (end->needed == 0 || end->needed >= end->id_count) && i < end->id_count; i++)
        search_add(&search, end->ids[i], search.count);
    search_parts(&search, end->parts, end->part_count, end->needed, UINT32_MAX);
    for (uint32_t i = 0; i < search.count; i++) {
        if (search.found[i].from == UINT32_MAX)
            search.found[i].from = i;
        if (search.found[i].id == run->id && search.found[i].from != i) {
            *cycle = search_tell(&search, run->id, search.found[i].from);
            return loaded;
        }
        if (search.found[i].id != run->id)
            loaded &= search_on(&search, i);
    }
    return loaded;
}
