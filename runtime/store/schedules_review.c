#include "store/schedules_review.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "store/batch_run.h"
#include "store/timers.h"

enum { STEP = 1000, LINES_MOST = 20, LOOK_MS = 3600000 };

/* Which; their own history says from when to when. */
static void moved_say(const struct ids *moved, uint32_t before)
{
    char text[ID_TEXT_SIZE];

    for (uint32_t i = 0; i < moved->count && before + i < LINES_MOST; i++)
        log_info("schedules.moved", "schedule=%s", id_format("sched", moved->items[i], text));
}

/* Those behind `*after`; *count of them. */
static bool some_review(struct store *store, struct engine *engine, int64_t *after,
                        uint32_t *count, uint32_t *moved, struct err *err)
{
    struct arena arena = { 0 };
    struct command command = { .kind = COMMAND_SCHEDULES_REVIEW, .arena = &arena };
    struct command *commands[] = { &command };
    struct ids *ids = &command.schedules_review.ids;
    struct store_batch batch = { .store = store,
                                 .engine = engine,
                                 .arena = &arena,
                                 .now = moment_now(),
                                 .commands = commands,
                                 .count = 1 };
    struct outcome outcome = { 0 };
    bool ok = store->ops->walk(store, ROW_SCHEDULE, *after, STEP, &arena, ids, err) &&
              (ids->count == 0 || store_batch_run(&batch, &outcome, NULL, err));

    *count = ids->count;
    moved_say(&command.schedules_review.moved, *moved);
    *moved += command.schedules_review.moved.count;
    if (ids->count > 0)
        *after = ids->items[ids->count - 1];
    arena_finish(&arena);
    return ok;
}

bool schedules_review(struct store *store, struct engine *engine, const char *data,
                      struct err *err)
{
    uint32_t count = STEP, moved = 0;
    int64_t after = 0;

    while (count == STEP)
        if (!some_review(store, engine, &after, &count, &moved, err))
            return false;
    if (moved > 0)
        log_info("schedules.moved",
                 "by the time zone data %s %u schedules have another next tick", data, moved);
    return true;
}

void zones_follow_init(struct zones_follow *follow, const struct zone_source *zones)
{
    *follow = (struct zones_follow){ .zones = *zones, .looked_ns = clock_monotonic_ns() };
}

void zones_follow(struct zones_follow *follow, struct store *store, struct engine *engine,
                  struct command *const *commands, uint32_t count)
{
    struct zone_source *zones = &follow->zones;
    uint64_t now_ns = clock_monotonic_ns();
    bool is_time = now_ns - follow->looked_ns >= (uint64_t)LOOK_MS * 1000000;
    char data[sizeof zones->data];
    struct err err = { 0 };

    for (uint32_t i = 0; i < count; i++)
        is_time |= commands[i]->kind == COMMAND_CATALOG;
    if (!is_time || zones->look == NULL)
        return;
    follow->looked_ns = now_ns;
    zones->look(zones->context, data);
    if (strcmp(data, zones->data) == 0)
        return;
    log_info("schedules.zones", "the time zone data is %s now, and was %s", data, zones->data);
    strcpy(zones->data, data);
    engine_zones(engine, zones);
    if (!schedules_review(store, engine, data, &err))
        log_error("schedules.zones", "what is next stays as it was until the next start: %s",
                  err.text);
}
