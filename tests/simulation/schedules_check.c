/*
 * What must hold of schedules after each batch, computed from what was seen of them before: a
 * tick makes one run at most, none is lost but as `missed` says, and what overlap, a pause, an
 * edit and a backfill promise.
 */
#include "base/duration.h"
#include "base/memory.h"
#include "engine/schedules/backfill.h"
#include "schedules.h"
#include "world.h"

#include <string.h>

static int64_t period_of(struct slice cron)
{
    static const struct {
        const char *cron;
        int64_t ms;
    } periods[] = {
        { "@every 1s", 1000 },   { "@every 2s", 2000 },     { "@every 3s", 3000 },
        { "* * * * * *", 1000 }, { "*/2 * * * * *", 2000 }, { "*/5 * * * * *", 5000 },
        { "* * * * *", 60000 },  { "0 * * * *", 3600000 },
    };

    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++)
        if (slice_is(cron, periods[i].cron))
            return periods[i].ms;
    return 0;
}

/* Multiples of the period from one time to another, both among them. */
static int64_t ticks_between(int64_t from_ms, int64_t to_ms, int64_t period_ms)
{
    int64_t first = (from_ms + period_ms - 1) / period_ms, last = to_ms / period_ms;

    return last < first ? 0 : last - first + 1;
}

static bool looks_at_runs(const struct schedule_rules *rules)
{
    return rules->overlap != OVERLAP_ALLOW || rules->pause_after != 0;
}

static struct known_schedule *known_of(struct world *world, int64_t id, bool add)
{
    struct known_schedules *all = &world->schedules;

    for (uint32_t i = 0; i < all->count; i++)
        if (all->items[i].id == id)
            return &all->items[i];
    if (!add || all->count == SCHEDULES_MOST)
        return NULL;
    all->items[all->count] = (struct known_schedule){ .id = id };
    return &all->items[all->count++];
}

uint32_t schedules_edges(struct world *world)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_EDGE); i++) {
        const struct edge *edge =
            (const struct edge *)store_memory_at(world->memory, ROW_EDGE, i);
        const struct run *run = store_memory_find(world->memory, edge->waitpoint_id);
        if (known_of(world, edge->run_id, false) == NULL)
            continue;
        count++;
        if (run == NULL || run->schedule != edge->run_id ||
            (run_is_over(run) && run->due_ms == 0))
            world_flaw(world, "schedule %lld waits for run %lld", (long long)edge->run_id,
                       (long long)edge->waitpoint_id);
    }
    return count;
}

/* ---- runs -------------------------------------------------------------------------------- */

/* What one batch has brought. */
struct news {
    uint32_t ticks, manual;
    uint32_t first; /* of the list: those before it are older */
};

static void tick_add(struct known_schedule *known, const struct known_tick *tick)
{
    if (known->count == known->capacity) {
        known->capacity = known->capacity * 2 + 16;
        known->ticks = memory_grow(known->ticks, known->capacity * sizeof *known->ticks);
    }
    known->ticks[known->count++] = *tick;
}

/* "schedule/sched_…/2027-01-15T08:00:01.000Z", and "/manual" behind it. */
static bool key_read(struct slice key, struct known_tick *tick)
{
    const char *slash = key.size < 10 ? NULL : memchr(key.data + 9, '/', key.size - 9);
    struct slice at = { 0 };

    if (slash == NULL)
        return false;
    at = (struct slice){ slash + 1, key.size - (size_t)(slash + 1 - key.data) };
    tick->is_manual = memchr(at.data, '/', at.size) != NULL;
    at.size -= tick->is_manual ? 7 : 0;
    return time_parse(at, &tick->at_ms);
}

/* Were its rules the known ones all through the batch? Some set them and set them back. */
static bool rules_stayed(const struct world *world, const struct known_schedule *known,
                         const struct schedule *row)
{
    return row != NULL && slice_equal(row->rules, known->packed) &&
           row->updated_ms == known->updated_ms && row->updated_ms != world->now_ms;
}

static void run_look(struct world *world, struct known_schedule *known, const struct run *run,
                     const struct schedule *row)
{
    struct known_tick tick = { .run_id = run->id, .is_backfill = run->is_backfill };
    struct schedule_rules now;
    struct arena arena = { 0 };

    if (!key_read(run->key_text, &tick))
        world_flaw(world, "run %lld of a schedule does not say when it is", (long long)run->id);
    for (uint32_t i = 0; i < known->count; i++)
        if (!tick.is_manual && !known->ticks[i].is_manual &&
            known->ticks[i].at_ms == tick.at_ms)
            world_flaw(world, "one tick of schedule %lld has runs %lld and %lld",
                       (long long)known->id, (long long)known->ticks[i].run_id,
                       (long long)run->id);
    /* What waits for a run has come already, also where the clock is set back then. */
    if (tick.at_ms > world->now_ms && tick.at_ms > world->latest_ms)
        world_flaw(world, "run %lld was made before its time", (long long)run->id);
    bool is_same = rules_stayed(world, known, row);
    if (is_same && !tick.is_manual && tick.at_ms % known->period_ms != 0)
        world_flaw(world, "run %lld is of no tick", (long long)run->id);
    if (is_same && !slice_equal(run->task, known->rules.task))
        world_flaw(world, "run %lld is of another task", (long long)run->id);
    if (tick.is_backfill != (run->priority_ms == BACKFILL_PRIORITY_MS))
        world_flaw(world, "run %lld has the wrong priority", (long long)run->id);
    tick.is_tracked = looks_at_runs(&known->rules) &&
                      (row == NULL || is_same ||
                       !schedule_rules_unpack(&arena, row->rules, &now) || looks_at_runs(&now));
    tick_add(known, &tick);
    arena_finish(&arena);
}

static bool is_alive(const struct world *world, const struct known_tick *tick)
{
    const struct run *run = store_memory_find(world->memory, tick->run_id);

    return run != NULL && !run_is_over(run);
}

static struct news runs_look(struct world *world, struct known_schedule *known,
                             const struct schedule *row)
{
    struct news news = { .first = known->count };

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->schedule != known->id || table_has(&world->schedules.runs, (uint64_t)run->id))
            continue;
        table_set(&world->schedules.runs, (uint64_t)run->id, known);
        (void)known_run(world, run->id, true);
        run_look(world, known, run, row);
        const struct known_tick *tick = &known->ticks[known->count - 1];
        news.manual += tick->is_manual;
        news.ticks += !tick->is_manual && !tick->is_backfill;
    }
    return news;
}

/* What fires, fires beside nothing that it should have waited for. */
static void overlap_look(struct world *world, const struct known_schedule *known,
                         const struct news *news)
{
    const struct schedule_rules *rules = &known->rules;

    if (news->ticks == 0 || rules->overlap == OVERLAP_ALLOW)
        return;
    for (uint32_t i = 0; i < news->first; i++) {
        const struct known_tick *tick = &known->ticks[i];
        const struct run *run = store_memory_find(world->memory, tick->run_id);
        bool is_over = rules->overlap == OVERLAP_CANCEL_RUNNING
                           ? run == NULL || run_has_ended(run)
                           : run == NULL || run_is_over(run);
        if (tick->is_tracked && !tick->is_backfill && !is_over)
            world_flaw(world, "schedule %lld has fired, and its run %lld is not over (%u)",
                       (long long)known->id, (long long)run->id, rules->overlap);
    }
    if (news->ticks > 1 && rules->overlap != OVERLAP_CANCEL_RUNNING)
        for (uint32_t i = news->first, alive = 0; i < known->count; i++) {
            const struct known_tick *tick = &known->ticks[i];
            alive += !tick->is_manual && !tick->is_backfill && is_alive(world, tick);
            if (alive > 1)
                world_flaw(world, "schedule %lld has two runs at once (%u)",
                           (long long)known->id, rules->overlap);
        }
}

/* ---- counts ------------------------------------------------------------------------------ */

/* Of ticks that nobody was there for, so many are dropped. */
static int64_t missed_expected(const struct known_schedule *known, int64_t now_ms)
{
    const struct schedule_rules *rules = &known->rules;
    int64_t until_ms = (now_ms - rules->spread_ms - rules->jitter_ms) / 1000 * 1000;
    int64_t in_time_ms = until_ms - rules->grace_ms;
    int64_t due = ticks_between(known->next_ms, until_ms, known->period_ms);

    if (known->next_ms >= in_time_ms)
        return 0;
    if (rules->missed == MISSED_NONE)
        return ticks_between(known->next_ms, in_time_ms, known->period_ms);
    int64_t kept = rules->missed == MISSED_LAST ? 1 : rules->missed_max;
    return due > kept ? due - kept : 0;
}

/* Each tick that it has passed is a run, waits for one, or is counted. */
static void passed_look(struct world *world, const struct known_schedule *known,
                        const struct schedule *row, const struct news *news, int64_t now_ms)
{
    int64_t missed = row->missed - known->missed;
    int64_t waits = (int64_t)schedule_numbers(row->waiting) - known->waiting;
    int64_t told = news->ticks + row->skipped - known->skipped + missed + row->refused -
                   known->refused + waits;

    if (row->next_ms < known->next_ms)
        world_flaw(world, "the next tick of schedule %lld went back", (long long)known->id);
    int64_t passed = (row->next_ms - known->next_ms) / known->period_ms;
    if (passed != told && !known->had_backfill)
        world_flaw(world, "schedule %lld has passed %lld ticks and tells of %lld",
                   (long long)known->id, (long long)passed, (long long)told);
    if (host_is_alone(world) && passed > 0 && missed != missed_expected(known, now_ms))
        world_flaw(world, "schedule %lld has missed %lld ticks, and %lld were to be",
                   (long long)known->id, (long long)missed,
                   (long long)missed_expected(known, now_ms));
    if (host_is_alone(world) && passed == 0 && missed != 0)
        world_flaw(world, "schedule %lld has missed what it has not passed",
                   (long long)known->id);
    if (row->fired - known->fired != (int64_t)news->ticks + news->manual)
        world_flaw(world, "schedule %lld has fired %u times and counts %lld",
                   (long long)known->id, news->ticks + news->manual,
                   (long long)(row->fired - known->fired));
}

/* Those that wait for its end have not all been told yet: that is due. */
static bool is_to_tell(const struct world *world, const struct known_tick *tick)
{
    const struct run *run = store_memory_find(world->memory, tick->run_id);

    return run != NULL && run_is_over(run) && run->due_ms != 0;
}

/* What waits for the end of a run goes on when there is none. */
static void waiting_look(struct world *world, const struct known_schedule *known,
                         const struct schedule *row, int64_t now_ms)
{
    uint32_t waiting = schedule_numbers(row->waiting), alive = 0;
    uint32_t most = known->rules.overlap == OVERLAP_QUEUE_ONE   ? 1
                    : known->rules.overlap == OVERLAP_QUEUE_ALL ? known->rules.overlap_max
                                                                : 0;

    if (waiting > most)
        world_flaw(world, "%u ticks of schedule %lld wait", waiting, (long long)known->id);
    for (uint32_t i = 0; i < known->count; i++)
        alive += known->ticks[i].is_tracked &&
                 (is_alive(world, &known->ticks[i]) || is_to_tell(world, &known->ticks[i]));
    if (row->active && waiting > 0 && alive == 0 && row->due_ms > now_ms)
        world_flaw(world, "ticks of schedule %lld wait for nothing", (long long)known->id);
}

/* ---- backfills --------------------------------------------------------------------------- */

/* Every tick of it has a run. Others in that time were made by the rules before. */
static void filled_look(struct world *world, const struct known_schedule *known,
                        const struct schedule *row)
{
    int64_t ticks = ticks_between(known->from_ms, known->until_ms - 1, known->period_ms);
    int64_t runs = 0;

    for (uint32_t i = 0; i < known->count; i++)
        runs += !known->ticks[i].is_manual && known->ticks[i].at_ms >= known->from_ms &&
                known->ticks[i].at_ms < known->until_ms &&
                known->ticks[i].at_ms % known->period_ms == 0;
    if (runs != ticks && row->refused == known->refused_before)
        world_flaw(world, "a backfill of schedule %lld is over with %lld runs for %lld ticks",
                   (long long)known->id, (long long)runs, (long long)ticks);
}

static void backfill_look(struct world *world, struct known_schedule *known,
                          const struct schedule *row, bool is_changed)
{
    struct arena arena = { 0 };
    struct backfill backfill;
    bool has_one = backfill_read(&arena, row->backfill, &backfill);
    uint32_t alive = 0;

    known->is_clean &= !is_changed && !world->schedules.was_stopped;
    if (known->has_backfill && !has_one && known->is_clean)
        filled_look(world, known, row);
    if (has_one && !known->has_backfill) {
        known->from_ms = backfill.from_ms;
        known->until_ms = backfill.until_ms;
        known->limit = backfill.limit;
        known->refused_before = row->refused;
        known->is_clean = !known->had_backfill; /* of one before, runs may not be over */
        known->had_backfill = true;
    }
    known->has_backfill = has_one;
    for (uint32_t i = 0; i < known->count; i++)
        alive += known->ticks[i].is_backfill && is_alive(world, &known->ticks[i]);
    if (has_one && known->is_clean && known->limit != 0 && alive > known->limit)
        world_flaw(world, "a backfill of schedule %lld has %u runs at a time",
                   (long long)known->id, alive);
    arena_finish(&arena);
}

/* ---- a schedule -------------------------------------------------------------------------- */

static void known_keep(struct world *world, struct known_schedule *known,
                       const struct schedule *row)
{
    struct arena *arena = &world->schedules.arena;

    if (!slice_equal(known->packed, row->rules)) {
        known->packed = arena_copy(arena, row->rules);
        if (!schedule_rules_unpack(arena, known->packed, &known->rules))
            world_flaw(world, "schedule %lld cannot be read", (long long)known->id);
        known->period_ms = period_of(known->rules.cron);
    }
    known->active = row->active;
    known->next_ms = row->next_ms;
    known->updated_ms = row->updated_ms;
    known->fired = row->fired;
    known->skipped = row->skipped;
    known->missed = row->missed;
    known->refused = row->refused;
    known->waiting = schedule_numbers(row->waiting);
}

static void schedule_look(struct world *world, const struct schedule *row, int64_t now_ms)
{
    struct known_schedule *known = known_of(world, row->id, true);
    bool is_new = known != NULL && known->packed.data == NULL;

    if (known == NULL)
        return;
    if (is_new) {
        known_keep(world, known, row);
        known->fired = 0; /* it may have been run by hand at once */
    }
    bool is_changed = !slice_equal(row->rules, known->packed) ||
                      row->updated_ms != known->updated_ms || row->active != known->active;
    struct news news = runs_look(world, known, row);
    overlap_look(world, known, &news);
    if (row->next_ms != 0 && row->next_ms <= row->last_ms)
        world_flaw(world, "schedule %lld would fire again for what is past",
                   (long long)row->id);
    if (row->active == (row->next_ms == 0))
        world_flaw(world, "schedule %lld is %s and has %s tick", (long long)row->id,
                   row->active ? "active" : "paused", row->active ? "no" : "a");
    if (!row->active && !known->active && !is_changed && news.ticks > 0)
        world_flaw(world, "schedule %lld is paused and has fired", (long long)row->id);
    if (is_changed && row->active && row->next_ms != known->next_ms &&
        row->next_ms <= now_ms / 1000 * 1000)
        world_flaw(world, "schedule %lld was changed, and fires for the past",
                   (long long)row->id);
    if (row->active && known->active && !is_changed)
        passed_look(world, known, row, &news, now_ms);
    backfill_look(world, known, row, is_changed);
    known_keep(world, known, row);
    waiting_look(world, known, row, now_ms);
}

void schedules_check(struct world *world, int64_t now_ms)
{
    if (world->schedules.runs.arena == NULL)
        table_init(&world->schedules.runs, &world->schedules.arena);
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_SCHEDULE); i++)
        schedule_look(world,
                      (const struct schedule *)store_memory_at(world->memory, ROW_SCHEDULE, i),
                      now_ms);
    world->schedules.was_stopped = false;
    /* Runs of one that was deleted in this batch. */
    for (uint32_t i = 0; i < world->schedules.count; i++) {
        struct known_schedule *known = &world->schedules.items[i];
        if (known->is_gone || store_memory_get(world->memory, ROW_SCHEDULE, known->id) != NULL)
            continue;
        (void)runs_look(world, known, NULL);
        known->is_gone = true;
    }
}
