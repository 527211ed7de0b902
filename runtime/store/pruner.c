#include "store/pruner.h"

#include "base/log.h"
#include "engine/rows/minute.h"
#include "store/timers.h"

#include <time.h>

enum {
    START_MS = 1000,        /* others come first when a server starts */
    PAUSE_MS = 50,          /* between two steps, at least */
    SHARE = 9,              /* it takes a tenth of the time at most */
    REST_MOST_MS = 3600000, /* between two walks; a tenth of what is kept shortest, if less */
    REST_LEAST_MS = 1000,
    SWEEP_MS = 1000, /* between two looks at expired keys and old minutes */
    SWEEP_LIMIT = 1000
};

static void begin_anew(struct pruner *pruner)
{
    pruner->command = (struct command){ .kind = COMMAND_PRUNE, .prune = { .kind = ROW_RUN } };
    pruner->round = (struct pruned){ 0 };
}

void pruner_init(struct pruner *pruner, const struct engine *engine, const struct moment *now,
                 int64_t not_before_ms)
{
    *pruner = (struct pruner){ .engine = engine,
                               .next_ms = now->steady_ms + START_MS,
                               .next_wish_ms = now->steady_ms + START_MS,
                               .not_before_ms = not_before_ms };
    begin_anew(pruner);
    if (not_before_ms <= now->wall_ms)
        return;
    time_t at = (time_t)(not_before_ms / 1000);
    struct tm date;
    char text[32];
    (void)gmtime_r(&at, &date); /* cannot fail: it is near */
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date); /* it fits */
    log_info(
        "store.prune_waits",
        "until=%s the database was brought to a new format; nothing is removed before that "
        "date, so that the copy from before can take its place",
        text);
}

static bool is_wished(const struct pruner *pruner, struct prune_wish wish)
{
    return wish.marks || wish.retention_changes != pruner->retention_changes;
}

int64_t pruner_idle_ms(const struct pruner *pruner, const struct moment *now)
{
    int64_t ms = pruner->next_ms - now->steady_ms;

    if (pruner->next_wish_ms < pruner->next_ms && is_wished(pruner, prune_wish(pruner->engine)))
        ms = pruner->next_wish_ms - now->steady_ms;

    return ms > 0 ? ms : 0;
}

static bool room_is_low(struct store *store)
{
    struct room room;

    store->ops->room(store, &room);
    return room.is_low;
}

/* Before that date it walks all the same: what would go is asked for, and needs its marks. */
struct command *pruner_next(struct pruner *pruner, struct store *store,
                            const struct moment *now)
{
    struct prune *prune = &pruner->command.prune;
    struct prune_wish wish = prune_wish(pruner->engine);
    bool is_due = pruner->next_ms <= now->steady_ms ||
                  (pruner->next_low_ms <= now->steady_ms && room_is_low(store));

    if (!is_due && (pruner->next_wish_ms > now->steady_ms || !is_wished(pruner, wish)))
        return NULL;
    if (prune->kind == ROW_RUN && prune->after == 0 && !pruner->is_look) {
        pruner->is_look = !is_due && wish.retention_changes == pruner->retention_changes;
        pruner->rest_ms = pruner->next_ms;
        pruner->retention_changes = wish.retention_changes;
    }
    prune->looks = PRUNE_LOOKS;
    prune->most = PRUNE_MOST;
    prune->is_dry = pruner->is_look || now->wall_ms < pruner->not_before_ms;
    return &pruner->command;
}

static void round_end(struct pruner *pruner, const struct moment *now)
{
    const struct pruned *round = &pruner->round;
    int64_t rest_ms = pruner->command.prune.shortest_ms / 10;

    if (round->runs.count + round->tokens.count + round->early_answers.count +
            round->logs.count + round->queues.count >
        0)
        log_info("store.pruned", "runs=%u tokens=%u early_answers=%u logs=%u queues=%u",
                 round->runs.count, round->tokens.count, round->early_answers.count,
                 round->logs.count, round->queues.count);
    rest_ms = rest_ms > REST_MOST_MS ? REST_MOST_MS : rest_ms;
    rest_ms = rest_ms < REST_LEAST_MS ? REST_LEAST_MS : rest_ms;
    /* The first walk of a server only finds out what must stay. */
    pruner->next_ms = now->steady_ms + (pruner->has_marks ? rest_ms : REST_LEAST_MS + PAUSE_MS);
    pruner->next_low_ms = now->steady_ms + REST_LEAST_MS + PAUSE_MS;
    pruner->has_marks = pruner->command.prune.has_marks;
    begin_anew(pruner);
}

void pruner_done(struct pruner *pruner, bool ok, struct store *store, int64_t busy_ms)
{
    struct prune *prune = &pruner->command.prune;
    int64_t pause_ms = busy_ms * SHARE > PAUSE_MS ? busy_ms * SHARE : PAUSE_MS;
    struct moment now;

    store->ops->now(store, &now);
    pruner->next_ms = pruner->next_low_ms = pruner->next_wish_ms =
        now.steady_ms + REST_LEAST_MS;
    if (!ok || pruner->command.err.code != ERR_OK)
        return;
    if (!prune->is_dry)
        pruned_add(&pruner->round, &prune->pruned);
    pruner->next_ms = now.steady_ms + pause_ms;
    pruner->next_low_ms = now.steady_ms;
    pruner->next_wish_ms = now.steady_ms + busy_ms; /* somebody waits: half of the time */
    prune->after = prune->last;
    if (prune->is_end && pruner->is_look) {
        pruner->is_look = false;
        pruner->next_ms = pruner->rest_ms;
        begin_anew(pruner);
    } else if (prune->is_end && prune->kind == ROW_QUEUE) {
        round_end(pruner, &now);
    } else if (prune->is_end) {
        prune->kind = prune->kind == ROW_RUN          ? ROW_WAITPOINT
                      : prune->kind == ROW_WAITPOINT  ? ROW_BATCH
                      : prune->kind == ROW_BATCH      ? ROW_BATCH_ITEM
                      : prune->kind == ROW_BATCH_ITEM ? ROW_BULK_ACTION
                                                      : ROW_QUEUE;
        prune->after = 0;
    }
    if (room_is_low(store))
        pruner->next_ms = pruner->next_low_ms; /* it goes first, and nobody has to wake it */
}

void pruner_sweep(struct pruner *pruner, struct store *store, const struct moment *now)
{
    const struct catalog *catalog = engine_catalog(pruner->engine);
    struct err err;

    if (now->steady_ms < pruner->next_sweep_ms)
        return;
    pruner->next_sweep_ms = now->steady_ms + SWEEP_MS;
    int64_t kept_ms = catalog == NULL ? 0 : catalog->statistics_ms;
    int64_t minute = kept_ms == 0 ? 0 : (now->wall_ms - kept_ms) / MINUTE_MS;
    if (!store->ops->begin(store, &err))
        return; /* the next batch will say what is wrong */
    if (!store->ops->sweep(store, now->steady_ms, minute, SWEEP_LIMIT, &err) ||
        !store->ops->commit(store, &err))
        store->ops->rollback(store);
}
