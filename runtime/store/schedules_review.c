#include "store/schedules_review.h"

#include "base/log.h"
#include "store/batch_run.h"
#include "store/timers.h"

enum { STEP = 1000 };

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
    *moved += command.schedules_review.moved;
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
