#include "pump.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/batch_run.h"
#include "store/pruner.h"
#include "store/schedules_review.h"
#include "store/timers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    PUBLICATIONS_KEPT = 4, /* spare ones, with their arenas */
    RETRY_MS = 250,        /* after the store has failed */
    IDLE_MOST_MS = 60000
};

/* What one batch has to tell; handed over whole, so that the store thread can go on. */
struct publication {
    struct arena arena;
    struct outcome outcome;
    struct command *commands; /* linked in arrival order */
    struct publication *next;
};

struct pump {
    struct pump_options options;
    struct engine *engine;
    struct id_source ids;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct command *first, *last; /* submitted */
    uint32_t waiting;
    struct publication *published, *published_last, *spare;
    uint32_t spare_count;
    bool is_stopping, is_set; /* is_set: somebody has set the wall clock */
    struct pump_stats stats;

    /* The store thread's own. */
    struct command **batch;
    struct moment next_due; /* as the store says, or the engine */
    struct pruner pruner;
    struct clock_watch watch;
    struct zones_follow zones;
    bool again, was_ok;
};

struct pump *pump_create(const struct pump_options *options)
{
    struct pump *pump = memory_zeroed(1, sizeof *pump);
    pthread_condattr_t attributes;
    uint64_t seed;

    pump->options = *options;
    crypto_random(&seed, sizeof seed);
    id_source_init(&pump->ids, seed);
    pump->engine = engine_create(&pump->ids);
    engine_zones(pump->engine, &options->zones);
    zones_follow_init(&pump->zones, &options->zones);
    pump->batch = memory_get((options->max_batch + 1) * sizeof *pump->batch); /* and a prune */
    pump->was_ok = pump->stats.store_ok = true;
    pump->next_due = (struct moment){ 1, 1 }; /* look at once */
    (void)clock_watch_look(&pump->watch);     /* the first look tells nothing */
    pthread_mutex_init(&pump->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pump->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return pump;
}

static void publication_destroy(struct publication *publication)
{
    arena_finish(&publication->arena);
    free(publication);
}

void pump_destroy(struct pump *pump)
{
    if (pump == NULL)
        return;
    while (pump->spare != NULL) {
        struct publication *next = pump->spare->next;
        publication_destroy(pump->spare);
        pump->spare = next;
    }
    engine_destroy(pump->engine);
    pthread_cond_destroy(&pump->wake);
    pthread_mutex_destroy(&pump->lock);
    free(pump->batch);
    free(pump);
}

static struct moment store_now(struct store *store)
{
    struct moment now;

    store->ops->now(store, &now);
    return now;
}

/* ---- the store thread -------------------------------------------------------------------- */

/* How long there is nothing to do when nothing comes; 0: there is something now. A clock that
 * is set wakes the pump; that long sleeps are cut is for systems that cannot tell. */
static int64_t idle_ms(const struct pump *pump)
{
    struct moment now = store_now(pump->options.store);

    if (!pump->was_ok)
        return RETRY_MS;
    int64_t due_ms = moment_idle_ms(&pump->next_due, &now, IDLE_MOST_MS);
    int64_t prune_ms = pruner_idle_ms(&pump->pruner, &now);
    return pump->again ? 0 : prune_ms < due_ms ? prune_ms : due_ms;
}

/* Wait for something to do; take what was submitted. False: stopping, and nothing is left. */
static bool commands_take(struct pump *pump, uint32_t *count)
{
    int64_t ms = idle_ms(pump);
    bool go_on = true;

    pthread_mutex_lock(&pump->lock);
    if (ms > 0 && pump->first == NULL && !pump->is_stopping) {
        struct timespec until = clock_monotonic_in(ms);
        while (pump->first == NULL && !pump->is_stopping && !pump->is_set &&
               pthread_cond_timedwait(&pump->wake, &pump->lock, &until) != ETIMEDOUT)
            ;
    }
    pump->is_set = false;
    for (uint32_t weight = *count = 0; pump->first != NULL && weight < pump->options.max_batch;
         pump->first = pump->first->next) {
        weight += command_weight(pump->first);
        pump->batch[(*count)++] = pump->first;
    }
    if (pump->first == NULL)
        pump->last = NULL;
    pump->waiting -= *count;
    if (pump->is_stopping && *count == 0)
        go_on = false;
    pthread_mutex_unlock(&pump->lock);
    return go_on;
}

static struct publication *publication_get(struct pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    struct publication *publication = pump->spare;
    if (publication != NULL) {
        pump->spare = publication->next;
        pump->spare_count--;
    }
    pthread_mutex_unlock(&pump->lock);
    if (publication == NULL)
        publication = memory_zeroed(1, sizeof *publication);
    publication->next = NULL;
    return publication;
}

static void publish(struct pump *pump, struct publication *publication, uint32_t count,
                    uint64_t busy_ns, uint64_t commit_ns)
{
    publication->commands = count > 0 ? pump->batch[0] : NULL;
    for (uint32_t i = 0; i < count; i++)
        pump->batch[i]->next = i + 1 < count ? pump->batch[i + 1] : NULL;
    pthread_mutex_lock(&pump->lock);
    bool was_empty = pump->published == NULL;
    if (was_empty)
        pump->published = publication;
    else
        pump->published_last->next = publication;
    pump->published_last = publication;
    pump->stats.batches++;
    pump->stats.commands += count;
    pump->stats.busy_ns += busy_ns;
    pump->stats.commit_ns += commit_ns;
    if (busy_ns - commit_ns > pump->stats.work_most_ns)
        pump->stats.work_most_ns = busy_ns - commit_ns;
    pump->stats.failed_batches += !pump->was_ok;
    pump->stats.store_ok = pump->was_ok;
    pthread_mutex_unlock(&pump->lock);
    if (was_empty)
        pump->options.wake(pump->options.context);
}

/* Once per outage, and once when it is over: a full disk must not fill the log as well. */
static void outcome_log(struct pump *pump, bool ok, const struct err *err)
{
    if (ok == pump->was_ok)
        return;
    if (ok)
        log_info("store.recovered", "the database accepts changes again");
    else
        log_error("store.failed", "nothing is accepted until the database recovers: %s",
                  err->text);
    pump->was_ok = ok;
}

static void stats_add(struct pump *pump, uint64_t *number, uint32_t more)
{
    pthread_mutex_lock(&pump->lock);
    *number += more;
    pthread_mutex_unlock(&pump->lock);
}

/* By the pruner, and by whoever has asked for it. */
static void pruned_count(struct pump *pump, const struct store_batch *batch)
{
    struct pruned pruned = { 0 };

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct command *command = batch->commands[i];
        if (command->kind == COMMAND_PRUNE && command->err.code == ERR_OK &&
            !command->prune.is_dry)
            pruned_add(&pruned, &command->prune.pruned);
    }
    pthread_mutex_lock(&pump->lock);
    pruned_add(&pump->stats.pruned, &pruned);
    pthread_mutex_unlock(&pump->lock);
}

static void batch_of(struct pump *pump, uint32_t count)
{
    struct publication *publication = publication_get(pump);
    struct store *store = pump->options.store;
    uint64_t start_ns = clock_monotonic_ns(), commit_ns = 0;
    struct moment now = store_now(store);
    struct store_batch batch = { .store = store,
                                 .engine = pump->engine,
                                 .arena = &publication->arena,
                                 .now = now,
                                 .look_for_due = moment_is_due(&pump->next_due, &now),
                                 .must_write = !pump->was_ok,
                                 .commands = pump->batch,
                                 .count = count };
    struct command *prune = pump->was_ok ? pruner_next(&pump->pruner, store, &now) : NULL;
    struct err err = { 0 };

    if (prune != NULL)
        pump->batch[batch.count++] = prune; /* the last: the others have changed what it sees */
    bool ok = store_batch_run(&batch, &publication->outcome, &commit_ns, &err);
    if (ok) { /* else what was to be done still is */
        pruned_count(pump, &batch);
        pump->again = publication->outcome.again;
    }
    if (prune != NULL)
        pruner_done(&pump->pruner, ok, store,
                    (int64_t)((clock_monotonic_ns() - start_ns) / 1000000));
    outcome_log(pump, ok, &err);
    bool mend = ok ? publication->outcome.is_due_wrong : batch.look_for_due;
    int64_t wake_ms = publication->outcome.wake_ms;
    uint32_t aside = timers_outcome_log(&publication->outcome);
    publish(pump, publication, count, clock_monotonic_ns() - start_ns, commit_ns);
    if (mend)
        aside += timers_mend(store, &now);
    if (aside > 0)
        stats_add(pump, &pump->stats.timers_aside, aside);
    /* When even this cannot be asked, look again soon. */
    if (!store->ops->next_due(store, &pump->next_due, &err))
        pump->next_due = (struct moment){ 0, now.steady_ms + RETRY_MS };
    moment_sooner(&pump->next_due, wake_ms);
    if (ok)
        pruner_sweep(&pump->pruner, store, &now);
}

static void *pump_main(void *argument)
{
    struct pump *pump = argument;
    uint32_t count;

    while (commands_take(pump, &count)) {
        if (clock_watch_look(&pump->watch))
            stats_add(pump, &pump->stats.clock_steps, 1);
        zones_follow(&pump->zones, pump->options.store, pump->engine, pump->batch, count);
        batch_of(pump, count);
    }
    return NULL;
}

/* ---- the loop thread --------------------------------------------------------------------- */

/* What was running when the process died goes back to its queue; nothing else needs doing. */
static bool recover(struct pump *pump, bool is_clean, struct err *err)
{
    struct store *store = pump->options.store;
    struct arena arena = { 0 };
    struct command command = { .kind = COMMAND_RECOVER, .arena = &arena, .is_clean = is_clean };
    struct command *commands[] = { &command };
    struct ids backlog = { 0 };
    struct outcome outcome = { 0 };
    int64_t last = 0;

    bool ok = store->ops->last_id(store, &last, err) &&
              store->ops->backlog(store, &arena, &backlog, err) &&
              store->ops->running(store, &arena, &command.recover, err);
    if (ok) {
        id_source_skip(&pump->ids, last); /* the clock may have been set back meanwhile */
        engine_backlog(pump->engine, &backlog);
        struct store_batch batch = { .store = store,
                                     .engine = pump->engine,
                                     .arena = &arena,
                                     .now = store_now(pump->options.store),
                                     .commands = commands,
                                     .count = 1 };
        ok = command.recover.count == 0 || store_batch_run(&batch, &outcome, NULL, err);
        if (ok && command.recover.count > 0 && !is_clean)
            log_info("store.recover", "runs=%u were running and are queued again",
                     command.recover.count);
        for (struct event *event = outcome.events; ok && event != NULL; event = event->next)
            if (event->status == RUN_PARKED)
                log_error("run.parked", "run=%s task=%.*s reason=\"%.*s\"",
                          id_format("run", event->run_id, (char[ID_TEXT_SIZE]){ 0 }),
                          SLICE_ARG(event->task), SLICE_ARG(event->why));
    }
    arena_finish(&arena);
    return ok;
}

/* Their numbers are given out one by one. */
bool pump_pause_all(struct pump *pump, struct slice by, struct slice why, struct err *err)
{
    enum { STEP = 64 };
    bool ok = true, more = true;

    for (uint32_t number = 1; ok && more; number += STEP) {
        struct arena arena = { 0 };
        struct command commands[STEP], *list[STEP];
        struct outcome outcome;
        for (uint32_t i = 0; i < STEP; i++) {
            commands[i] = (struct command){ .kind = COMMAND_ENVIRONMENT_PAUSE,
                                            .environment_pause = { .environment = number + i,
                                                                   .paused = true,
                                                                   .is_mild = true,
                                                                   .by = by,
                                                                   .why = why } };
            list[i] = &commands[i];
        }
        struct store_batch batch = { .store = pump->options.store,
                                     .engine = pump->engine,
                                     .arena = &arena,
                                     .now = store_now(pump->options.store),
                                     .commands = list,
                                     .count = STEP };
        ok = store_batch_run(&batch, &outcome, NULL, err);
        more = false;
        for (uint32_t i = 0; i < STEP; i++)
            more |= commands[i].err.code == ERR_OK;
        arena_finish(&arena);
    }
    return ok;
}

/* Can a change be written? Nobody is told that all is well before that is known. */
static void probe(struct pump *pump)
{
    struct arena arena = { 0 };
    struct outcome outcome;
    struct err err = { 0 };
    struct store_batch batch = { .store = pump->options.store,
                                 .engine = pump->engine,
                                 .arena = &arena,
                                 .now = store_now(pump->options.store),
                                 .must_write = true };

    outcome_log(pump, store_batch_run(&batch, &outcome, NULL, &err), &err);
    pump->stats.store_ok = pump->was_ok;
    arena_finish(&arena);
}

bool pump_start(struct pump *pump, struct err *err)
{
    if (!recover(pump, false, err) ||
        !schedules_review(pump->options.store, pump->engine, pump->options.zones.data, err))
        return false;
    probe(pump);
    struct moment now = moment_now();
    if (!pump->options.store->ops->kept_until(pump->options.store, &pump->stats.pruned_from_ms,
                                              err))
        return false;
    pruner_init(&pump->pruner, pump->engine, &now, pump->stats.pruned_from_ms);
    int rc = pthread_create(&pump->thread, NULL, pump_main, pump);
    if (rc != 0)
        return err_set(err, ERR_SYSTEM, "cannot start the store thread: %s", strerror(rc));
    pump->is_started = true;
    return true;
}

bool pump_submit(struct pump *pump, struct command *command, struct err *err)
{
    bool ok = true, is_first = false;

    command->next = NULL;
    pthread_mutex_lock(&pump->lock);
    if (pump->is_stopping) {
        ok = err_set(err, ERR_STOPPING, "the server is stopping");
    } else if (pump->waiting >= pump->options.max_commands) {
        ok = err_set(err, ERR_LIMIT, "%u requests are waiting for the database already",
                     pump->waiting);
    } else {
        if (pump->last == NULL)
            pump->first = command;
        else
            pump->last->next = command;
        pump->last = command;
        is_first = pump->waiting++ == 0;
    }
    pthread_mutex_unlock(&pump->lock);
    if (is_first) /* not before: who is woken wants the lock at once */
        pthread_cond_signal(&pump->wake);
    return ok;
}

void pump_clock_set(struct pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    pump->is_set = true;
    pthread_cond_signal(&pump->wake);
    pthread_mutex_unlock(&pump->lock);
}

static void publication_tell(struct publication *publication, const struct pump_sink *sink)
{
    struct command *command = publication->commands;

    while (command != NULL) {
        struct command *next = command->next; /* the owner may free it */
        if (command->on_reply != NULL)
            command->on_reply(command);
        command = next;
    }
    for (struct event *event = publication->outcome.events; event != NULL; event = event->next)
        sink->on_event(sink->context, event);
    for (struct assignment *assignment = publication->outcome.assignments; assignment != NULL;
         assignment = assignment->next)
        sink->on_assignment(sink->context, assignment);
}

void pump_collect(struct pump *pump, const struct pump_sink *sink)
{
    pthread_mutex_lock(&pump->lock);
    struct publication *publication = pump->published;
    pump->published = pump->published_last = NULL;
    pthread_mutex_unlock(&pump->lock);
    while (publication != NULL) {
        struct publication *next = publication->next;
        publication_tell(publication, sink);
        arena_reset(&publication->arena);
        publication->outcome = (struct outcome){ 0 };
        publication->commands = NULL;
        pthread_mutex_lock(&pump->lock);
        bool keep = pump->spare_count < PUBLICATIONS_KEPT;
        if (keep) {
            publication->next = pump->spare;
            pump->spare = publication;
            pump->spare_count++;
        }
        pthread_mutex_unlock(&pump->lock);
        if (!keep)
            publication_destroy(publication);
        publication = next;
    }
}

void pump_stop(struct pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    pump->is_stopping = true;
    pthread_cond_signal(&pump->wake);
    pthread_mutex_unlock(&pump->lock);
    if (!pump->is_started)
        return;
    pthread_join(pump->thread, NULL);
    pump->is_started = false;
    /* What its slots had when they were ended: said now, so that the next start need not take
     * this for a death. A store that fails just now leaves it to that. */
    struct err err = { 0 };
    (void)recover(pump, true, &err);
}

void pump_stats(struct pump *pump, struct pump_stats *stats)
{
    pthread_mutex_lock(&pump->lock);
    *stats = pump->stats;
    stats->waiting = pump->waiting;
    pthread_mutex_unlock(&pump->lock);
}
