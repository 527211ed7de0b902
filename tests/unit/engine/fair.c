/* Fairness: tenants and keys share the starts of a queue by their weights. */
#include "bench.h"
#include "codec/expression.h"
#include "codec/json.h"
#include "codec/pack.h"
#include "engine/timeline.h"

TestSuite(fair, .init = bench_open, .fini = bench_close);

static struct queue_weight weights[2];

static const struct expression *expression(const char *text)
{
    struct expression_flaw flaw;

    return expression_compile(bench_arena(), slice_of(text), EXPRESSION_TEXT, &flaw);
}

static void fair_queue(uint32_t slots)
{
    bench.slots = slots;
    bench.queues[0] = (struct catalog_queue){ .name = SLICE("mail") };
    struct queue_rules *rules = &bench.queues[0].rules;
    rules->concurrency = 100;
    rules->fair.is_said = true;
    rules->fair.levels[WEIGHT_TENANT].by = expression("payload.org");
    rules->fair.levels[WEIGHT_KEY].by = expression("payload.user");
    bench.queue_count = 1;
    bench_catalog();
}

static void weigh(enum weight_level level, const char *name, uint32_t weight)
{
    weights[level] = (struct queue_weight){ slice_of(name), weight };
    bench.queues[0].rules.fair.levels[level].weights = &weights[level];
    bench.queues[0].rules.fair.levels[level].count = 1;
    bench_catalog();
}

static struct command *add_of(const char *org, const char *user)
{
    struct command *command = add_trigger("t");
    char *text =
        arena_text(bench_arena(),
                   arena_format(bench_arena(), "{\"org\":\"%s\",\"user\":\"%s\"}", org, user));
    struct value value;
    struct err err;

    command->trigger.queue = SLICE("mail");
    cr_assert(json_read(bench_arena(), slice_of(text), &value, &err), "%s", err.text);
    command->trigger.payload = pack_value(bench_arena(), &value);
    return command;
}

/* `count` of each of `users`. */
static void flood(const char *org, uint32_t users, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t user = 0; user < users; user++)
            add_of(org,
                   arena_text(bench_arena(), arena_format(bench_arena(), "%s%u", org, user)));
    cr_assert(commit());
}

static uint32_t started(const char *org)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        count += run->started_ms != 0 && slice_is(run->tenant, org);
    }
    return count;
}

static uint32_t started_key(const char *key)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        count += run->started_ms != 0 && slice_is(run->concurrency_key, key);
    }
    return count;
}

/* Whatever runs ends, so many times, each after a millisecond, or `busy_ms`: those of the
 * tenant or key `slow`. */
static void rounds(uint32_t count, const char *slow, int64_t busy_ms)
{
    for (uint32_t round = 0; round < count; round++) {
        for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
            const struct run *run = store_memory_run(bench.store, i);
            if (run->status != RUN_RUNNING)
                continue;
            bool is_slow = slice_is(run->tenant, slow) || slice_is(run->concurrency_key, slow);
            add_end(run->id, VERDICT_DONE)->segment_end.busy_us =
                is_slow ? busy_ms * 1000 : 1000;
        }
        cr_assert(commit());
    }
}

Test(fair, a_tenant_with_many_keys_gets_no_more_than_one_with_one)
{
    fair_queue(2);
    flood("big", 40, 3);
    flood("small", 1, 30);

    rounds(20, "", 0);

    cr_assert(started("small") >= 19 && started("small") <= 22, "%u", started("small"));
    cr_assert(started("big") >= 19 && started("big") <= 24, "%u", started("big"));
}

Test(fair, by_turns_the_many_keys_would_have_had_all)
{
    fair_queue(2);
    bench.queues[0].rules.fair.is_said = false;
    bench_catalog();
    flood("big", 40, 3);
    flood("small", 1, 30);

    rounds(20, "", 0);

    cr_assert_eq(started("big") + started("small"), 0); /* nobody is a tenant */
    cr_assert_eq(store_memory_count(bench.store, ROW_LANE), 0);
}

Test(fair, weights_count_and_a_new_one_acts_on_what_waits)
{
    fair_queue(2);
    weigh(WEIGHT_TENANT, "a", 3);
    flood("a", 2, 60);
    flood("b", 2, 60);
    rounds(20, "", 0);
    cr_assert(started("a") >= 29 && started("a") <= 33, "%u", started("a"));

    weigh(WEIGHT_TENANT, "b", 3);
    uint32_t before = started("b");
    rounds(20, "", 0);

    cr_assert(started("b") - before >= 28 && started("b") - before <= 33, "%u",
              started("b") - before);
}

Test(fair, keys_of_a_tenant_have_weights_too)
{
    fair_queue(2);
    weigh(WEIGHT_KEY, "a0", 4);
    flood("a", 2, 60);

    rounds(20, "", 0);

    cr_assert(started_key("a0") >= 31 && started_key("a0") <= 35, "%u", started_key("a0"));
}

Test(fair, what_segments_of_a_key_take_goes_by_its_weight)
{
    fair_queue(2);
    weigh(WEIGHT_KEY, "a0", 4);
    flood("a", 2, 60);

    rounds(40, "a0", 4); /* four times the time, four times the weight */

    cr_assert(started_key("a0") >= 33 && started_key("a0") <= 50, "%u", started_key("a0"));
}

Test(fair, who_was_idle_has_saved_nothing)
{
    fair_queue(2);
    flood("a", 2, 100);
    rounds(30, "", 0);
    flood("late", 2, 60);
    uint32_t before = started("a");

    rounds(20, "", 0);

    cr_assert(started("late") >= 19 && started("late") <= 23, "%u", started("late"));
    cr_assert(started("a") - before >= 18, "%u", started("a") - before);
}

Test(fair, who_was_there_before_has_saved_nothing_either)
{
    fair_queue(2);
    flood("a", 2, 100);
    flood("early", 1, 1);
    rounds(40, "", 0);
    cr_assert_eq(started("early"), 1);
    flood("early", 2, 60);
    uint32_t before = started("a");

    rounds(20, "", 0);

    cr_assert(started("early") >= 20 && started("early") <= 24, "%u", started("early"));
    cr_assert(started("a") - before >= 18, "%u", started("a") - before);
}

Test(fair, within_a_batch_too)
{
    fair_queue(8);
    bench.queues[0].rules.concurrency = 8;
    bench_catalog();
    flood("x", 1, 1); /* makes the queue */
    pause("mail", true);
    rounds(1, "", 0);
    flood("big", 40, 3);
    flood("small", 1, 30);

    pause("mail", false);

    cr_assert(started("small") >= 3 && started("small") <= 5, "%u", started("small"));
    cr_assert_eq(started("small") + started("big"), 8);
}

Test(fair, long_segments_cost_more)
{
    fair_queue(2);
    flood("slow", 2, 100);
    flood("fast", 2, 100);

    rounds(40, "slow", 9);

    cr_assert(started("slow") * 4 < started("fast"), "%u and %u", started("slow"),
              started("fast"));
    cr_assert(started("slow") > 2);
}

Test(fair, a_tenant_at_its_limit_keeps_its_place)
{
    fair_queue(4);
    bench.queues[0].rules.concurrency = 1;
    bench_catalog();
    flood("a", 1, 30); /* one lane, one at a time */
    flood("b", 8, 10);

    rounds(10, "", 0);

    cr_assert(started("a") >= 10, "%u", started("a"));
    cr_assert(started("b") >= 30, "%u", started("b"));
}

Test(fair, who_has_no_key_is_in_the_lane_of_his_tenant)
{
    fair_queue(2);
    bench.queues[0].rules.fair.levels[WEIGHT_KEY].by = NULL;
    bench_catalog();
    struct command *command = add_of("acme", "x");
    cr_assert(commit());

    const struct run *run = run_of(command->trigger.run_id);
    cr_assert(slice_is(run->tenant, "acme") && slice_is(run->concurrency_key, "acme"));
}

Test(fair, a_key_that_the_trigger_says_counts)
{
    fair_queue(2);
    struct command *command = add_of("acme", "x");
    command->trigger.concurrency_key = SLICE("mine");
    cr_assert(commit());

    cr_assert(slice_is(run_of(command->trigger.run_id)->concurrency_key, "mine"));
}

Test(fair, a_payload_without_the_member_is_nobodys_and_says_so)
{
    fair_queue(2);
    struct command *command = add_trigger("t");
    command->trigger.queue = SLICE("mail");
    cr_assert(commit());

    const struct run *run = run_of(command->trigger.run_id);
    struct move *moves;
    cr_assert(run->tenant.size == 0 && run->concurrency_key.size == 0);
    cr_assert_geq(timeline_read(bench_arena(), run, &moves), 2);
    cr_assert_eq(moves[0].status, RUN_QUEUED, "it was never delayed");
    const char *flaw = memmem(moves[0].text.data, moves[0].text.size, "has no value", 12);
    cr_assert_neq(flaw, NULL);
    size_t rest = (size_t)(moves[0].text.data + moves[0].text.size - flaw - 1);
    cr_assert_neq(memmem(flaw + 1, rest, "has no value", 12), NULL, "each is told");
}

Test(fair, after_a_restart_it_is_as_fair)
{
    fair_queue(2);
    flood("big", 40, 3);
    flood("small", 1, 30);
    rounds(5, "", 0);
    bench_restart(true);
    uint32_t before = started("small");

    rounds(40, "", 0);

    cr_assert(started("small") - before >= 20, "%u", started("small") - before);
}

Test(fair, who_comes_while_no_slot_is_free_is_the_next)
{
    fair_queue(2);
    flood("big", 40, 3);
    bench_restart(true); /* whose the lanes are is not known */
    rounds(1, "", 0);
    flood("small", 1, 1);

    rounds(1, "", 0);

    cr_assert_eq(started("small"), 1);
}

Test(fair, a_key_that_comes_back_each_time_passes_nobody)
{
    fair_queue(1);
    flood("a", 1, 30);

    for (uint32_t i = 0; i < 20; i++) {
        if (started_key("often") == store_memory_count(bench.store, ROW_RUN) - 30)
            add_of("a", "often"); /* its lane was empty */
        rounds(1, "", 0);
    }

    cr_assert(started_key("a0") >= 9, "%u", started_key("a0"));
    cr_assert(started_key("often") >= 9, "%u", started_key("often"));
}

Test(fair, what_a_key_took_is_charged_where_it_has_nothing_more)
{
    fair_queue(1);
    flood("a", 1, 60);
    rounds(4, "", 0);

    for (uint32_t i = 0; i < 40; i++) {
        if (started_key("often") == store_memory_count(bench.store, ROW_RUN) - 60)
            add_of("a", "often");
        rounds(1, "often", 9);
    }

    cr_assert(started_key("often") * 3 < started_key("a0"), "%u and %u", started_key("often"),
              started_key("a0"));
    cr_assert(started_key("often") > 2);
}

Test(fair, what_others_got_back_is_no_debt_of_who_comes)
{
    fair_queue(8);
    flood("a", 8, 20);
    rounds(4, "a", 9); /* long ones */
    rounds(1, "", 0);  /* and eight that were short: they get something back */
    flood("late", 1, 1);

    for (uint32_t i = 0; started("late") == 0; i++) {
        const struct run *run = store_memory_run(bench.store, i);
        if (run->status != RUN_RUNNING)
            continue;
        end_done(run->id);
        break;
    }

    cr_assert_eq(started("late"), 1);
}

/* ---- for long ---------------------------------------------------------------------------- */

enum { LONG = 600 /* batches */, SLOTS = 4, LEAD_MOST = 6, KEYS = 3 };

static uint32_t random_below(uint32_t count)
{
    static uint64_t state = 7;

    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(state >> 33) % count;
}

/* Some of what runs ends, each after a time of its own; something runs on. */
static void some_end(void)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        if (run->status == RUN_RUNNING && random_below(2) == 0)
            add_end(run->id, VERDICT_DONE)->segment_end.busy_us = 1 + random_below(9);
    }
}

/* Of one that starts often, and one whose lanes are empty again and again, but never all. */
static void some_come(const char *org)
{
    uint32_t waiting = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        waiting += run->status == RUN_QUEUED && slice_is(run->tenant, org);
    }
    for (; waiting < SLOTS + 1; waiting++)
        add_of(org, arena_text(bench_arena(),
                               arena_format(bench_arena(), "%s%u", org, random_below(KEYS))));
}

static void race(uint32_t weight)
{
    fair_queue(SLOTS);
    weigh(WEIGHT_TENANT, "a", weight);
    for (int i = 0; i < LONG; i++) {
        some_end();
        some_come("a");
        some_come("b");
        if (random_below(4) == 0)
            add_of("now and then", "x");
        cr_assert(commit());
        double lead = (double)started("a") / weight - started("b");
        cr_assert(lead < LEAD_MOST && lead > -LEAD_MOST, "after %d: %u and %u", i, started("a"),
                  started("b"));
    }
    cr_assert_gt(started("b"), LONG / 4);
}

Test(fair, who_always_has_something_gets_as_much_as_the_other_however_long)
{
    race(1);
}

Test(fair, or_three_times_as_much)
{
    race(3);
}
