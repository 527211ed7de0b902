#include "engine/schedules/backfill.h"

#include "base/duration.h"
#include "codec/pack.h"

#include <inttypes.h>

enum { LOOKS_AT_ONCE = 100 }; /* in one batch; the others in the next one */

#define NUMBERS(X) \
    X(from_ms) X(until_ms) X(next_ms) X(last_ms) X(total) X(made) X(found) X(refused) X(limit)

void backfill_write(struct arena *arena, const struct backfill *backfill, struct slice *packed)
{
    struct value map = value_map(), runs = value_list();

#define PUT(member) value_put(arena, &map, #member, value_int(backfill->member));
    NUMBERS(PUT)
#undef PUT
    value_put(arena, &map, "by", value_string(backfill->by));
    for (uint32_t i = 0; i < backfill->runs.count; i++)
        value_add(arena, &runs, value_int(backfill->runs.items[i]));
    value_put(arena, &map, "runs", runs);
    *packed = pack_value(arena, &map);
}

static int64_t number_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    return value != NULL && value->kind == VALUE_INT ? value->integer : 0;
}

bool backfill_read(struct arena *arena, struct slice packed, struct backfill *backfill)
{
    struct value map;

    *backfill = (struct backfill){ 0 };
    if (packed.size == 0 || !pack_read(arena, packed, &map, NULL) || map.kind != VALUE_MAP)
        return false;
#define TAKE(member) backfill->member = number_of(&map, #member);
    NUMBERS(TAKE)
#undef TAKE
    const struct value *by = value_find(&map, "by"), *runs = value_find(&map, "runs");
    if (by != NULL && by->kind == VALUE_STRING)
        backfill->by = by->bytes;
    for (uint32_t i = 0; runs != NULL && runs->kind == VALUE_LIST && i < runs->count; i++)
        rows_ids_add(arena, &backfill->runs, runs->items[i].integer);
    return true;
}

uint32_t backfill_count(const struct schedule_sense *sense, int64_t from_ms, int64_t until_ms,
                        int64_t *first_ms, int64_t *last_ms)
{
    struct tick tick = { .at_s = (from_ms + 999) / 1000 - 1 };
    uint32_t count = 0;

    while (count <= BACKFILL_TICKS_MOST &&
           schedule_rules_next(&sense->rules, &sense->plan, tick.at_s, &tick) &&
           tick.at_s * 1000 < until_ms) {
        *last_ms = tick.at_s * 1000;
        if (count++ == 0)
            *first_ms = tick.at_s * 1000;
    }
    return count;
}

void backfill_end(struct batch *batch, struct schedule *schedule,
                  const struct backfill *backfill, const char *how)
{
    char from[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];

    schedule_say(batch, schedule, "backfilled", backfill->last_ms,
                 arena_format(batch->arena,
                              "%s, from %s up to %s%s%.*s: of %" PRId64 " ticks %" PRId64
                              " got a run, %" PRId64 " had one, %" PRId64 " were refused",
                              how, time_format(backfill->from_ms, from),
                              time_format(backfill->until_ms, until),
                              backfill->by.size > 0 ? ", for " : "", SLICE_ARG(backfill->by),
                              backfill->total, backfill->made, backfill->found,
                              backfill->refused));
    schedule->backfill = (struct slice){ 0 };
}

/* Its runs that are not over. False: more rows are needed. */
static bool runs_look(struct batch *batch, const struct backfill *backfill, struct ids *alive)
{
    struct run *run;
    bool loaded = true;

    *alive = (struct ids){ 0 };
    for (uint32_t i = 0; i < backfill->runs.count; i++)
        loaded &= rows_run(&batch->rows, backfill->runs.items[i], 0, &run);
    for (uint32_t i = 0; loaded && i < backfill->runs.count; i++) {
        (void)rows_run(&batch->rows, backfill->runs.items[i], 0, &run); /* loaded */
        if (run != NULL && !run_is_over(run))
            batch_ids_add(batch, alive, run->id);
    }
    return loaded;
}

static void fired_count(struct batch *batch, const struct schedule *schedule,
                        const struct schedule_firing *firing, struct backfill *backfill,
                        struct ids *alive)
{
    backfill->next_ms = firing->at_ms + 1000;
    backfill->last_ms = firing->at_ms;
    if (firing->run_id == 0) {
        backfill->refused++;
    } else if (!firing->is_new) {
        backfill->found++;
    } else {
        const struct run *run = rows_run_here(&batch->rows, firing->run_id);
        backfill->made++;
        if (backfill->limit == 0 || run == NULL || run_is_over(run))
            return;
        batch_ids_add(batch, alive, run->id);
        (void)rows_new_edge(&batch->rows, run->id, schedule->id);
    }
}

enum schedule_step backfill_take(struct batch *batch, struct schedule *schedule,
                                 const struct schedule_sense *sense)
{
    enum schedule_step step = SCHEDULE_STEP_DONE;
    struct backfill backfill;
    struct tick tick;
    struct ids alive;

    if (!backfill_read(batch->arena, schedule->backfill, &backfill))
        return SCHEDULE_STEP_END;
    if (!runs_look(batch, &backfill, &alive))
        return SCHEDULE_STEP_ROWS;
    for (int i = 0; i < LOOKS_AT_ONCE && step == SCHEDULE_STEP_DONE; i++) {
        if (backfill.limit != 0 && alive.count >= backfill.limit) {
            step = SCHEDULE_STEP_END; /* the end of one of them leads here again */
            break;
        }
        if (!schedule_rules_next(&sense->rules, &sense->plan,
                                 (backfill.next_ms + 999) / 1000 - 1, &tick) ||
            tick.at_s * 1000 >= backfill.until_ms) {
            backfill_end(batch, schedule, &backfill, "done");
            return SCHEDULE_STEP_END;
        }
        struct schedule_firing firing = { .at_ms = tick.at_s * 1000,
                                          .before_ms = backfill.last_ms,
                                          .how = FIRING_BACKFILL };
        if (!schedule_fire(batch, schedule, sense, &firing))
            step = SCHEDULE_STEP_ROWS;
        else if (firing.is_later)
            step = SCHEDULE_STEP_LATER;
        else
            fired_count(batch, schedule, &firing, &backfill, &alive);
    }
    backfill.runs = alive;
    backfill_write(batch->arena, &backfill, &schedule->backfill);
    return step;
}
