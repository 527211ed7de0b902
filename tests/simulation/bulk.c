/* Bulk actions: what operators ask for, what must hold of each, and what the model makes of the
 * runs that they touch. */
#include "engine/bulk/bulk.h"

#include "batches.h"
#include "engine/rows/rows_known.h"
#include "store/timers.h"
#include "twin.h"

enum { RUNS_MOST = 400, PLEDGED_MOST = 64 };

static const char *const tasks[] = { "alpha", "beta", "gamma" };

static const struct bulk_action *bulk_at(struct world *world, uint32_t index)
{
    return (const struct bulk_action *)store_memory_at(world->memory, ROW_BULK_ACTION, index);
}

static const struct bulk_action *bulk_of(struct world *world, int64_t id)
{
    return (const struct bulk_action *)store_memory_get(world->memory, ROW_BULK_ACTION, id);
}

static uint32_t bulk_count(struct world *world)
{
    return store_memory_count(world->memory, ROW_BULK_ACTION);
}

/* ---- what is asked for ------------------------------------------------------------------- */

static struct slice filter_draw(struct world *world, bool is_replay)
{
    struct slice task = slice_of(tasks[world_random(world, 3)]);
    struct slice tag = world_chance(world, 50) ? SLICE("a") : SLICE("c");
    struct run_filter filter = { .is_test = -1 };

    if (world_chance(world, 60))
        filter.tasks = (struct slices){ &task, 1 };
    if (world_chance(world, 15))
        filter.tags = (struct slices){ &tag, 1 };
    if (world_chance(world, 30)) {
        filter.statuses[0].status = (uint32_t)world_random(world, RUN_STATUS_COUNT);
        filter.statuses[0].outcome = (uint32_t)world_random(world, 4);
        filter.status_count = 1;
    }
    if (is_replay || world_chance(world, 50))
        filter.from_ms = world->now_ms - 1500;
    return bulk_filter_pack(&world->arena, &filter);
}

static struct slice runs_draw(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    uint32_t some = 1 + (uint32_t)world_random(world, 6);
    int64_t *ids = ARENA_ARRAY(&world->arena, int64_t, some);
    uint32_t at = (uint32_t)world_random(world, count), taken = 0;

    while (taken < some && at + taken < count) {
        ids[taken] = store_memory_run(world->memory, at + taken)->id;
        taken++;
    }
    return (struct slice){ (const char *)ids, taken * sizeof *ids };
}

static void stop_some(struct world *world)
{
    const struct bulk_action *bulk =
        bulk_at(world, (uint32_t)world_random(world, bulk_count(world)));
    struct command *command = world_command(world, COMMAND_BULK_STOP);

    if (command == NULL)
        return;
    command->bulk_stop.id = bulk->id;
    command->bulk_stop.environment = bulk->environment;
}

void act_bulk(struct world *world)
{
    uint32_t runs = store_memory_count(world->memory, ROW_RUN);

    if (bulk_count(world) > 0 && world_chance(world, 25)) {
        stop_some(world);
        return;
    }
    struct command *command = runs == 0 ? NULL : world_command(world, COMMAND_BULK_CREATE);
    if (command == NULL)
        return;
    struct bulk_create *create = &command->bulk_create;
    create->environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    create->what =
        runs < RUNS_MOST && world->run_count + RUNS_MOST < KNOWN_MAX && world_chance(world, 60)
            ? BULK_REPLAY
            : BULK_CANCEL;
    if (world_chance(world, 50))
        create->runs = runs_draw(world);
    else
        create->filter = filter_draw(world, create->what == BULK_REPLAY);
    if (world_chance(world, 50))
        create->why = SLICE("they are wrong");
    if (world_chance(world, 20))
        create->request_key =
            arena_format(&world->arena, "b%u", (unsigned)world_random(world, 20));
}

/* ---- what must hold ---------------------------------------------------------------------- */

/* As it was, and whom it has to touch: those that were there when it was made. */
struct shadow_bulk {
    int64_t cursor;
    uint32_t at, looked, status;
    int64_t pledged[PLEDGED_MOST];
    uint32_t pledged_count;
};

/* Only what its task decides is looked at here. */
static void pledge(struct world *world, const struct bulk_action *bulk,
                   struct shadow_bulk *shadow)
{
    struct arena arena = { 0 };
    struct run_filter filter;
    bool is_plain = bulk->what == BULK_CANCEL && bulk->filter.size > 0 &&
                    bulk_filter_read(&arena, bulk->filter, &filter) && filter.from_ms == 0 &&
                    filter.status_count == 0 && filter.tags.count == 0;

    for (uint32_t i = 0; is_plain && i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->environment == bulk->environment && run->status != RUN_DONE &&
            run->id < bulk->id && shadow->pledged_count < PLEDGED_MOST &&
            (filter.tasks.count == 0 || slice_equal(run->task, filter.tasks.items[0])))
            shadow->pledged[shadow->pledged_count++] = run->id;
    }
    arena_finish(&arena);
}

static void pledge_check(struct world *world, const struct bulk_action *bulk,
                         const struct shadow_bulk *shadow)
{
    for (uint32_t i = 0; i < shadow->pledged_count; i++) {
        const struct run *run = store_memory_find(world->memory, shadow->pledged[i]);
        if (run != NULL && !run_has_ended(run))
            world_flaw(world, "bulk action %lld is done, and run %lld was passed by",
                       (long long)bulk->id, (long long)run->id);
    }
}

static void bulk_check(struct world *world, const struct bulk_action *bulk)
{
    struct table *known = &world->model->bulks;
    struct shadow_bulk *was = table_find(known, (uint64_t)bulk->id);
    uint32_t looked = bulk->done + bulk->unchanged + bulk->failed;
    bool is_pending = bulk->status == BULK_PENDING;

    if (was == NULL) {
        was = ARENA_NEW(&world->model->arena, struct shadow_bulk);
        *was = (struct shadow_bulk){ .cursor = bulk->id };
        table_set(known, (uint64_t)bulk->id, was);
        pledge(world, bulk, was);
    }
    if (is_pending != (bulk->due_ms != 0) || is_pending != (bulk->finished_ms == 0) ||
        (bulk->status == BULK_COMPLETED && bulk->total != looked))
        world_flaw(world, "bulk action %lld: status %u, due at %lld, %u of %u",
                   (long long)bulk->id, bulk->status, (long long)bulk->due_ms, looked,
                   bulk->total);
    if (bulk->cursor > was->cursor || bulk->at < was->at || looked < was->looked ||
        (was->status != BULK_PENDING && bulk->status != was->status))
        world_flaw(world, "bulk action %lld has gone back", (long long)bulk->id);
    if (bulk->filter.size == 0 && looked != bulk->at)
        world_flaw(world, "bulk action %lld has looked at %u runs, and counts %u",
                   (long long)bulk->id, bulk->at, looked);
    if (bulk->status == BULK_COMPLETED && was->status == BULK_PENDING)
        pledge_check(world, bulk, was);
    was->cursor = bulk->cursor;
    was->at = bulk->at;
    was->looked = looked;
    was->status = bulk->status;
}

/* No run is replayed twice by one action. */
static void twice_check(struct world *world, const struct run *run)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *other = store_memory_run(world->memory, i);
        if (other->replayed == run->replayed && other->bulk == run->bulk &&
            other->id != run->id)
            world_flaw(world, "bulk action %lld has replayed run %lld twice",
                       (long long)run->bulk, (long long)run->replayed);
    }
}

void check_bulks(struct world *world)
{
    for (uint32_t i = 0; i < bulk_count(world); i++)
        bulk_check(world, bulk_at(world, i));
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        const struct bulk_action *bulk = run->bulk == 0 ? NULL : bulk_of(world, run->bulk);
        if (bulk != NULL && run->environment != bulk->environment)
            world_flaw(world, "run %lld is of another environment than its bulk action",
                       (long long)run->id);
        if (bulk != NULL && bulk->what == BULK_REPLAY && run->id < bulk->id &&
            host_is_alone(world)) /* else ids come by the clock of each node */
            world_flaw(world, "run %lld is older than the replay that has made it",
                       (long long)run->id);
        if (bulk != NULL && bulk->what == BULK_REPLAY && run->replayed != 0)
            twice_check(world, run); /* else it was canceled by another one since */
    }
}

void check_bulks_due(struct world *world, const struct moment *now)
{
    for (uint32_t i = 0; i < bulk_count(world); i++) {
        const struct bulk_action *bulk = bulk_at(world, i);
        if (bulk->due_ms != 0 &&
            bulk->due_ms <= (bulk->due_is_span ? now->steady_ms : now->wall_ms))
            world_flaw(world, "bulk action %lld was due at %lld and nobody will look",
                       (long long)bulk->id, (long long)bulk->due_ms);
    }
}

bool bulks_are_done(struct world *world)
{
    for (uint32_t i = 0; i < bulk_count(world); i++)
        if (bulk_at(world, i)->status == BULK_PENDING)
            return false;
    return true;
}

void selects_compare(void *context, void (*flaw)(void *context, const char *text),
                     struct rows *rows, struct rows *others)
{
    static const struct selected none; /* of which the memory store has found no run */

    for (uint32_t i = 0; i < others->wants.select_count; i++) {
        uint64_t by = (uint64_t)others->wants.selects[i].by;
        const struct selected *one = known_get(rows, &rows->selected, by)->row;
        const struct selected *other = known_get(others, &others->selected, by)->row;
        other = other == NULL ? &none : other;
        bool same = one->count == other->count && one->next == other->next;
        for (uint32_t k = 0; same && k < one->count; k++)
            same = one->ids[k] == other->ids[k];
        if (!same)
            flaw(context, "sqlite and memory differ: the runs of a filter");
    }
}

/* ---- the model --------------------------------------------------------------------------- */

bool rule_bulk_canceled(const struct look *look, const struct run *run, const struct move *move)
{
    const struct bulk_action *bulk = run->bulk == 0 ? NULL : bulk_of(look->world, run->bulk);

    return bulk != NULL && bulk->what == BULK_CANCEL &&
           slice_starts(move->text, "bulk action ");
}

static bool may_be_meant(const struct look *look, const struct bulk_action *bulk,
                         const struct run *run)
{
    struct run_filter filter;

    if (bulk->filter.size == 0)
        return true;
    return bulk_filter_read(&look->model->arena, bulk->filter, &filter) &&
           (filter.tasks.count == 0 || slice_equal(run->task, filter.tasks.items[0])) &&
           run->created_ms >= filter.from_ms && run->id < bulk->id;
}

/* As a client that replays the run would have asked for it. */
static void replayed_look(const struct look *look, const struct run *run)
{
    const struct bulk_action *bulk = bulk_of(look->world, run->bulk);
    const struct shadow *shadow = shadow_of(look, run->replayed);

    if (bulk == NULL || shadow == NULL || shadow->was == NULL ||
        !may_be_meant(look, bulk, shadow->was)) {
        world_flaw(look->world, "run %lld repeats one that nobody meant", (long long)run->id);
        return;
    }
    struct command *command = ARENA_NEW(&look->model->arena, struct command);
    *command = (struct command){
        .kind = COMMAND_TRIGGER,
        .trigger = { .environment = bulk->environment,
                     .task = shadow->was->task,
                     .payload = shadow->was->input,
                     .items = shadow->was->collected,
                     .queue = model_keep(look, queue_name_now(look, shadow->was)),
                     .concurrency_key = shadow->was->concurrency_key,
                     .tags = shadow->was->tags,
                     .is_test = shadow->was->is_test,
                     .note = SLICE("bulk action"),
                     .is_new = true,
                     .run_id = run->id },
    };
    uint32_t appended = shadow->appended;
    int64_t counted = shadow->counted, given = shadow->given;
    (void)known_run(look->world, run->id, true);
    rule_made(look, command);
    struct shadow *made = shadow_of(look, run->id);
    if (made != NULL) {
        made->appended = appended;
        made->counted = counted;
        made->given = made->was_given = given;
    }
}

void rule_bulk_made(const struct look *look)
{
    for (uint32_t i = 0; i < store_memory_count(look->world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(look->world->memory, i);
        if (run->replayed != 0 && run->bulk != 0 && shadow_of(look, run->id) == NULL)
            replayed_look(look, run);
    }
}
