/* Save points: of each run the last N are kept, within their bytes, with the states that its
 * segments have left, over crashes and on any node; and a run may begin at each of them. */
#include "base/name.h"
#include "builds.h"
#include "engine/waits/save_points.h"
#include "keep.h"

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld, its save points: %s", (long long)run->id, what);
}

static uint32_t keeps_of(const struct world *world, struct slice task)
{
    static const uint32_t some[] = { 2, 3, 1, 5, 20 };

    if (world->seed % 4 == 0)
        return 0;
    return slice_is(task, "alpha")  ? some[world->seed / 4 % 5]
           : slice_is(task, "beta") ? some[world->seed / 20 % 5]
                                    : 0;
}

void keep_offer(const struct world *world, struct catalog *catalog)
{
    catalog->limits.kept_states_bytes = world->seed % 5 == 1 ? 120 : 4 << 20;
    for (uint32_t i = 0; i < catalog->task_count; i++)
        catalog->tasks[i].keep_states = keeps_of(world, catalog->tasks[i].id);
    builds_offer(world, catalog); /* the last: it is as its task is */
}

/* ---- what was made ----------------------------------------------------------------------- */

static void made(const struct look *look, struct shadow_points *points, int64_t number,
                 struct slice state)
{
    if (points->count == sizeof points->items / sizeof *points->items) {
        memmove(points->items, points->items + 1, sizeof points->items - sizeof *points->items);
        points->count--;
    }
    points->items[points->count++] =
        (struct shadow_point){ .number = number, .state = model_keep(look, state) };
}

static int64_t last_number(const struct shadow_points *points)
{
    return points->count == 0 ? -1 : points->items[points->count - 1].number;
}

static void made_look(const struct look *look, struct shadow *shadow, const struct run *run,
                      const struct save_points *there)
{
    struct shadow_points *points = shadow->points;
    const struct frame_end *end =
        shadow->end != NULL && shadow->end->kind == COMMAND_SEGMENT_END && !shadow->is_plain
            ? shadow->end->segment_end.end
            : NULL;
    const struct save_point *newest =
        there->count == 0 ? NULL : &there->items[there->count - 1];

    if (newest == NULL || newest->number <= last_number(points))
        return;
    /* It was made in this batch; else it is where the run was made to begin. */
    if (shadow->was != NULL &&
        (end == NULL || (end->verdict != VERDICT_WAIT && end->verdict != VERDICT_WAIT_ON) ||
         newest->number != shadow->was->entry + 1 || !slice_equal(newest->state, end->state)))
        flaw(look, run, "there is one that no segment has made");
    if (shadow->was == NULL && !slice_equal(newest->state, shadow->state))
        flaw(look, run, "it begins with another state");
    made(look, points, newest->number, newest->state);
}

/* ---- what is there ----------------------------------------------------------------------- */

static void bounds_look(const struct look *look, const struct shadow_points *points,
                        const struct run *run, const struct save_points *there)
{
    int64_t most = look->catalog == NULL ? 4 << 20 : look->catalog->limits.kept_states_bytes;
    int64_t bytes = 0;

    for (uint32_t i = 0; i < run->kept; i++)
        bytes += there->items[i].bytes;
    if (there->count > run->keeps || bytes > most)
        flaw(look, run, "more are kept than may be");
    if (there->count == run->keeps || there->count == points->count)
        return;
    int64_t next = points->items[points->count - there->count - 1].bytes;
    if (next == 0 ? most > 4096 : bytes + next <= most)
        flaw(look, run, "one is gone that was to be kept");
}

static void there_look(const struct look *look, struct shadow *shadow, const struct run *run,
                       const struct save_points *there)
{
    struct shadow_points *points = shadow->points;

    if (there->count > points->count) {
        flaw(look, run, "there are more than were made");
        return;
    }
    uint32_t from = points->count - there->count;
    for (uint32_t i = 0; i < there->count; i++) {
        struct shadow_point *point = &points->items[from + i];
        if (there->items[i].number != point->number ||
            !slice_equal(there->items[i].state, point->state))
            flaw(look, run, "it is not the last ones that are kept, or with other states");
        if (i < run->kept)
            point->bytes = there->items[i].bytes;
    }
    bounds_look(look, points, run, there);
    points->count -= from; /* what is gone does not come back */
    memmove(points->items, points->items + from, points->count * sizeof *points->items);
}

void rule_keep(const struct look *look, struct shadow *shadow, const struct run *run)
{
    uint32_t keeps = keeps_of(look->world, run->task);
    struct arena arena = { 0 };

    if (run->status == RUN_RUNNING && run->keeps != (keeps > 1 ? keeps : 0))
        flaw(look, run, "it does not know how many are kept");
    if (shadow->points == NULL)
        shadow->points = ARENA_NEW(&look->model->arena, struct shadow_points);
    struct save_points there = save_points_read(&arena, run);
    made_look(look, shadow, run, &there);
    if (run->keeps > 0)
        there_look(look, shadow, run, &there);
    else if (run->kept > 0 || run->states.size > 0)
        flaw(look, run, "some are kept, and its task keeps none");
    arena_finish(&arena);
}

bool rule_keep_was(const struct shadow *old, const struct run *from, struct slice *state)
{
    const struct shadow_points *points = old->points;

    for (uint32_t i = 0; points != NULL && i < points->count; i++)
        if (points->items[i].number == from->entry) {
            *state = points->items[i].state;
            return true;
        }
    return false;
}
