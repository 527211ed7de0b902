/* What holds a run, gate by gate, over rows that a test makes up. */
#include "http/api/hold.h"

#include "base/clock.h"

#include <criterion/criterion.h>

enum { DEV = 1, PROD = 2 };

static struct arena arena;
static struct environment environments[3]; /* by number */
static struct queue_stats queue;
static struct running running[4];
static uint32_t running_count;
static int64_t before;
static struct rate rate; /* of the queue as a whole */
static int64_t until_ms; /* that was said last */

static bool give_row(struct reader *reader, struct arena *to, enum row_kind kind, int64_t key,
                     struct row **row, struct err *err)
{
    (void)reader, (void)to, (void)err;
    *row = kind == ROW_ENVIRONMENT      ? &environments[key].row
           : key < 0 && rate.tat_us > 0 ? &rate.row
                                        : NULL;
    return true;
}

static bool give_queue(struct reader *reader, struct arena *to, uint32_t environment,
                       struct slice name, int64_t id, struct queue_stats **row, struct err *err)
{
    (void)reader, (void)to, (void)environment, (void)name, (void)id, (void)err;
    *row = &queue;
    return true;
}

static bool give_running(struct reader *reader, struct arena *to, struct running_page *page,
                         struct err *err)
{
    (void)reader, (void)to, (void)err;
    *page = (struct running_page){ running, running_count };
    return true;
}

static bool give_before(struct reader *reader, const struct run *run, uint32_t most,
                        int64_t *count, struct err *err)
{
    (void)reader, (void)run, (void)err;
    *count = before < most ? before : most;
    return true;
}

static void teardown(void)
{
    arena_finish(&arena);
}

TestSuite(hold, .fini = teardown);

/* In queue "mail" (3 of a lane, 5 in all) of DEV, on 10 slots of which 4 are kept for PROD. */
static void check(const struct run *run, const char *gate, const char *text)
{
    static const struct reader_ops ops = {
        .row = give_row, .queue = give_queue, .running = give_running, .before = give_before
    };
    static const uint32_t numbers[] = { DEV, PROD };
    static uint32_t kept[] = { 2, 4 };
    struct catalog_queue mail = { .name = SLICE("mail"),
                                  .rules.concurrency = 3,
                                  .rules.total = 5,
                                  .rules.rate = { 2, 1, 60000 } };
    struct catalog catalog = { .queues = &mail,
                               .queue_count = 1,
                               .slots = 10,
                               .environments = numbers,
                               .environment_kept = kept,
                               .environment_count = 2 };
    struct reader reader = { &ops };
    struct hold hold = { 0 };
    struct err err = { 0 };

    queue.queue.name = SLICE("mail");
    cr_assert(hold_read(&hold, run, SLICE("mail"), run->attempt == 9 ? NULL : &catalog, &reader,
                        &arena, &err));
    until_ms = hold.until_ms;
    cr_expect_str_eq(hold.gate, gate);
    cr_expect(slice_starts(hold.text, text), "%.*s", SLICE_ARG(hold.text));
}

static struct run run = {
    .id = 1, .environment = DEV, .queue = 7, .lane = 7, .status = RUN_QUEUED
};

static void add_running(uint32_t environment, int64_t in, int64_t lane, uint32_t count)
{
    running[running_count++] = (struct running){
        .queue = in, .lane = lane, .environment = environment, .count = count
    };
}

Test(hold, whose_turn_it_is_when_every_gate_is_open)
{
    static const char *const texts[] = {
        "it is the next of its queue; queues and keys take turns",
        "1 run of its queue is before it", "2 runs of its queue are before it"
    };

    for (before = 0; before < 3; before++)
        check(&run, "turn", texts[before]);
    before = 5000;
    check(&run, "turn", "at least 1000 runs of its queue are before it");
    run.lane = 8;
    before = 1;
    check(&run, "turn", "1 run of its queue and key is before it");
}

Test(hold, limits_come_before_slots_and_the_total_before_the_lane)
{
    add_running(DEV, 7, 7, 3);
    check(&run, "lane", "3 of 3 running in queue mail");
    add_running(DEV, 7, 8, 2);
    check(&run, "total", "5 of 5 running in all of queue mail");
    run.status = RUN_DELAYED;
    check(&run, "not-before", "its time has not come");
    queue.queue.paused = true;
    check(&run, "paused", "its queue mail is paused");
    environments[DEV].paused = true;
    check(&run, "environment", "its environment is paused");
}

Test(hold, slots_that_are_kept_for_others_are_not_free)
{
    add_running(DEV, 9, 9, 6);
    check(&run, "slots", "6 of 10 running in all, and other environments have the rest kept");
    environments[PROD].paused = true;
    check(&run, "turn", "it is the next of its queue; queues and keys take turns");
    add_running(PROD, 9, 9, 4);
    check(&run, "slots", "10 of 10 running in all");
}

Test(hold, rates_come_behind_limits_and_say_when)
{
    int64_t now_ms = clock_steady_ms();

    rate = (struct rate){ .tat_us = (now_ms - 1) * 1000, .interval_us = 30000000, .burst = 1 };
    check(&run, "turn", "it is the next");
    rate.tat_us = (now_ms + 20000) * 1000;
    check(&run, "rate", "queue mail starts 2/1m, the next at 20");
    cr_assert(until_ms >= now_ms + 20000 && until_ms < now_ms + 21000);
    run.lane = 8;
    check(&run, "rate", "queue mail starts 2/1m, the next at 20");
    add_running(DEV, 7, 8, 3);
    check(&run, "lane", "3 of 3 running in queue mail");
    run.status = RUN_DELAYED;
    check(&run, "not-before", "its time has not come");
    cr_assert_eq(until_ms, 0);
}

Test(hold, before_there_is_a_catalog_the_plugins_are_loaded)
{
    run.attempt = 9; /* check() has none then */
    check(&run, "plugin", "the server has just started, and loads its plugins");
}
