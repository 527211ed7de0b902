/* The pruner's pace: when it walks, how far in one step, and what lets it go first. */
#include "store/pruner.h"

#include "engine/batch.h"

#include <criterion/criterion.h>

enum { WALL_MS = 1000000, DAY_MS = 86400000, KINDS = 6 }; /* that are walked over */

static struct store store;
static struct store_ops ops;
static struct pruner pruner;
static struct engine *engine;
static struct moment now;
static bool is_low;

static void tell_now(struct store *of, struct moment *to)
{
    (void)of;
    *to = now;
}

static void tell_room(struct store *of, struct room *room)
{
    (void)of;
    *room = (struct room){ .is_low = is_low };
}

static void setup(void)
{
    ops = (struct store_ops){ .now = tell_now, .room = tell_room };
    store.ops = &ops;
    is_low = false;
    now = (struct moment){ .wall_ms = WALL_MS, .steady_ms = 5000 };
    engine = engine_create(NULL);
    pruner_init(&pruner, engine, &now, 0);
}

static void teardown(void)
{
    engine_destroy(engine);
}

TestSuite(pruner, .init = setup, .fini = teardown);

static void pass(int64_t ms)
{
    now.wall_ms += ms;
    now.steady_ms += ms;
}

/* One command, due now, that took so long; it has come to the end of its kind's rows or not. */
static struct prune step(int64_t busy_ms, bool is_end)
{
    struct command *command = pruner_next(&pruner, &store, &now);

    cr_assert_not_null(command);
    struct prune asked = command->prune;
    command->prune.last = asked.after + 1;
    command->prune.is_end = is_end;
    command->prune.has_marks = true;
    command->prune.shortest_ms = 30 * (int64_t)DAY_MS;
    pass(busy_ms);
    pruner_done(&pruner, true, &store, busy_ms);
    return asked;
}

static int64_t idle(void)
{
    return pruner_idle_ms(&pruner, &now);
}

/* A walk; the first of a server only finds out what must stay, so the next is near. */
static void walk(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        pass(idle());
        step(0, true);
    }
}

Test(pruner, others_come_first_when_a_server_starts)
{
    cr_assert_null(pruner_next(&pruner, &store, &now));
    cr_assert_eq(idle(), 1000);
    pass(1000);
    cr_assert_not_null(pruner_next(&pruner, &store, &now));
}

Test(pruner, a_step_is_small_and_takes_a_tenth_of_the_time_at_most)
{
    pass(1000);
    struct prune asked = step(0, false);
    cr_assert_leq(asked.looks, 250);
    cr_assert_leq(asked.most, 100);
    cr_assert_eq(idle(), 50);
    cr_assert_null(pruner_next(&pruner, &store, &now));
    pass(50);
    step(200, false);
    cr_assert_eq(idle(), 1800);
}

Test(pruner, it_goes_on_where_it_stood_and_rests_at_the_end)
{
    pass(1000);
    cr_assert_eq(step(0, false).after, 0);
    pass(idle());
    struct prune asked = step(0, true);
    cr_assert_eq(asked.after, 1);
    cr_assert_eq(asked.kind, ROW_RUN);
    pass(idle());
    asked = step(0, true);
    cr_assert_eq(asked.kind, ROW_WAITPOINT);
    cr_assert_eq(asked.after, 0);
    pass(idle());
    cr_assert_eq(step(0, true).kind, ROW_BATCH);
    pass(idle());
    cr_assert_eq(step(0, true).kind, ROW_BATCH_ITEM);
    pass(idle());
    cr_assert_eq(step(0, true).kind, ROW_BULK_ACTION);
    pass(idle());
    cr_assert_eq(step(0, true).kind, ROW_QUEUE);
    cr_assert_leq(idle(), 1050, "the second walk is the first that removes");
    walk();
    cr_assert_eq(idle(), 3600000, "a tenth of what is kept shortest, an hour at most");
}

Test(pruner, a_store_that_fails_is_left_alone_for_a_second)
{
    pass(1000);
    cr_assert_not_null(pruner_next(&pruner, &store, &now));
    pruner_done(&pruner, false, &store, 0);
    cr_assert_eq(idle(), 1000);
    pass(1000);
    cr_assert_eq(step(0, false).after, 0, "the same step again");
}

Test(pruner, it_goes_first_while_the_disk_is_nearly_full)
{
    pass(1000);
    is_low = true;
    step(300, false);
    cr_assert_eq(idle(), 0, "no pause, whatever it took");
    is_low = false;
    walk();
    walk();
    cr_assert_eq(idle(), 3600000);
    is_low = true;
    cr_assert_null(pruner_next(&pruner, &store, &now), "it has just been through all");
    pass(1050);
    cr_assert_not_null(pruner_next(&pruner, &store, &now), "the rest is over");
    walk();
    cr_assert_leq(idle(), 1050, "and it wakes by itself");
}

Test(pruner, it_looks_for_who_waits_and_removes_nothing)
{
    walk();
    walk();
    pass(1000);
    int64_t rest_ms = idle();
    engine->marks_wanted_ms = now.wall_ms;
    cr_assert_eq(idle(), 0);
    cr_assert(step(200, false).is_dry);
    cr_assert_eq(idle(), 200, "half of the time");
    pass(200);
    struct prune asked = step(0, true);
    cr_assert(asked.is_dry);
    cr_assert_eq(asked.after, 1);
    engine->marks_wanted_ms = 0;
    cr_assert_eq(idle(), rest_ms - 400, "then it rests as long as it would have");
    pass(idle());
    cr_assert_not(step(0, false).is_dry);
}

Test(pruner, another_retention_is_seen_at_once)
{
    walk();
    walk();
    pass(1000);
    engine->retention_changes++;
    cr_assert_eq(idle(), 0);
    cr_assert_not(step(0, true).is_dry);
    for (int kind = 1; kind < KINDS; kind++) {
        pass(idle());
        step(0, true);
    }
    cr_assert_gt(idle(), 1050, "and once");
}

Test(pruner, for_days_after_a_migration_it_only_looks)
{
    pruner_init(&pruner, engine, &now, now.wall_ms + 7 * (int64_t)DAY_MS);
    pass(1000);
    cr_assert(step(0, false).is_dry);
    is_low = true;
    cr_assert(step(0, false).is_dry, "a full disk is no reason");
    is_low = false;
    pass(7 * (int64_t)DAY_MS);
    cr_assert_not(step(0, false).is_dry);
}
