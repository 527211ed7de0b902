/* About when a queued run starts, over numbers that a test makes up. */
#include "http/api/estimate.h"

#include "base/clock.h"

#include <criterion/criterion.h>

enum { DEV = 1, QUEUE = 7, OTHER = 8 };

static struct arena arena;
static struct queue_stats queues[2]; /* its own, and another of its environment */
static int64_t of_others[2];         /* QUEUED runs of other lanes, in each of the two */
static struct estimate told;

static bool give_others(struct reader *reader, struct arena *to, const struct run *run,
                        int64_t queue, uint32_t turns, uint32_t most, int64_t *count,
                        struct err *err)
{
    (void)reader, (void)to, (void)run, (void)turns, (void)most, (void)err;
    *count = of_others[queue == OTHER];
    return true;
}

static bool give_queues(struct reader *reader, struct arena *to, uint32_t environment,
                        uint32_t offset, uint32_t limit, struct queue_page *page,
                        struct err *err)
{
    (void)reader, (void)to, (void)environment, (void)offset, (void)limit, (void)err;
    *page = (struct queue_page){ queues, 2, 2 };
    return true;
}

static void setup(void)
{
    memset(queues, 0, sizeof queues);
    memset(of_others, 0, sizeof of_others);
    queues[0].queue = (struct queue){
        .id = QUEUE, .name = SLICE("mail"), .completed = 10, .busy_us = 20000000
    };
    queues[1].queue = (struct queue){ .id = OTHER, .name = SLICE("slow") };
}

static void teardown(void)
{
    arena_finish(&arena);
}

TestSuite(estimate, .init = setup, .fini = teardown);

/* 2 s each; 32 of a lane at a time, on 32 slots, unless `hold` says otherwise. */
static void ask(struct hold hold, int64_t before)
{
    static const struct reader_ops ops = { .others = give_others, .queues = give_queues };
    struct catalog_queue mail = { .name = SLICE("mail"), .rules.concurrency = 32 };
    struct catalog catalog = { .queues = &mail, .queue_count = 1, .slots = 32 };
    struct run run = { .environment = DEV, .queue = QUEUE, .lane = QUEUE };
    struct reader reader = { &ops };
    struct err err = { 0 };

    hold.facts.lane_limit = hold.facts.lane_limit == 0 ? 32 : hold.facts.lane_limit;
    hold.facts.total = hold.facts.total == 0 ? UINT32_MAX : hold.facts.total;
    if (hold.facts.environment_limit == 0)
        hold.facts.environment_limit = UINT32_MAX;
    struct run_view view = { .run = &run, .catalog = &catalog, .hold = hold };
    cr_assert(estimate_read(&told, &view, &queues[0], before, &reader, &arena, &err));
}

static void says(int64_t starts_in_ms, const char *basis)
{
    cr_expect(slice_is(told.basis, basis), "%.*s", SLICE_ARG(told.basis));
    cr_expect_eq(told.is_known, starts_in_ms >= 0);
    if (starts_in_ms >= 0)
        cr_expect_eq(told.starts_in_ms, starts_in_ms, "%lld", (long long)told.starts_in_ms);
}

Test(estimate, the_total_of_a_queue_bounds_its_lanes)
{
    ask((struct hold){ .gate = "total", .facts.total = 3 }, 0);
    says(2000, "0 before it, 3 at a time, 2000 ms each as the 10 of its queue that have ended");
}

Test(estimate, other_keys_of_its_queue_stand_before_it)
{
    of_others[0] = 2;
    ask((struct hold){ .gate = "total", .facts.total = 1, .facts.lane_limit = 1 }, 0);
    says(6000, "2 before it with other keys, 1 at a time, 2000 ms each as the 10 of its queue "
               "that have ended");
}

Test(estimate, a_full_environment_is_what_it_waits_for)
{
    queues[1].running = 4;
    queues[1].queued = 3;
    queues[1].queue.completed = 2;
    queues[1].queue.busy_us = 10000000;
    of_others[1] = 3;
    ask((struct hold){ .gate = "environment-limit",
                       .is_wide = true,
                       .facts.environment_limit = 4 },
        1);
    says(10000, "4 before it in its environment, 4 at a time, 5000 ms each as the 2 of the "
                "queues that run there that have ended");
    queues[1].queue.completed = 0; /* nobody knows how long those take */
    ask((struct hold){ .gate = "environment-limit",
                       .is_wide = true,
                       .facts.environment_limit = 4 },
        1);
    says(4000, "4 before it in its environment, 4 at a time, 2000 ms each as the 10 of its "
               "queue that have ended");
}

Test(estimate, what_never_started_is_no_measure)
{
    queues[0].queue =
        (struct queue){ .id = QUEUE, .name = SLICE("mail"), .failed = 2, .unstarted = 2 };
    ask((struct hold){ .gate = "lane", .facts.lane_limit = 1 }, 0);
    says(-1, "none: no run of its queue that had started has ended yet");
    queues[0].queue.completed = 1;
    queues[0].queue.busy_us = 5000000;
    ask((struct hold){ .gate = "lane", .facts.lane_limit = 1 }, 0);
    says(5000, "0 before it, 1 at a time, 5000 ms each as the 1 of its queue that have ended");
}

Test(estimate, who_is_pushed_back_waits_for_no_rate)
{
    ask((struct hold){ .gate = "pushed-back", .until_ms = clock_now_ms() + 60000 }, 0);
    cr_assert(slice_is(told.basis, "0 before it, and nothing starts while it is pushed back"),
              "%.*s", SLICE_ARG(told.basis));
    cr_assert(told.starts_in_ms > 50000 && told.starts_in_ms <= 60000);
}

Test(estimate, nobody_knows_when_it_is_resumed)
{
    ask((struct hold){ .gate = "paused" }, 0);
    says(-1, "");
    ask((struct hold){ .gate = "lane", .facts.total = 5, .facts.lane_limit = 0 }, 0);
    cr_assert(told.is_known);
}
