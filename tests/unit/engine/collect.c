/* Collecting: triggers of a queue are one run with the list of their payloads. */
#include "bench.h"
#include "codec/pack.h"

#include <stdio.h>

#define ONE   "\x81\xa1n\x01"
#define TWO   "\x81\xa1n\x02"
#define THREE "\x81\xa1n\x03"

static void queue_collects(uint32_t max)
{
    bench.queues[0] = (struct catalog_queue){
        SLICE("q"), { .concurrency = 5, .collect = { .max = max, .for_ms = SECONDS(2) } }
    };
    bench.queue_count = 1;
    bench_catalog();
}

static void open_collecting(void)
{
    bench_open();
    bench.look_for_due = true;
    queue_collects(3);
}

TestSuite(collect, .init = open_collecting, .fini = bench_close);

static struct command *add_one(const char *key, const char *payload)
{
    struct command *command = add_keyed("q", key);

    command->trigger.payload = slice_of(payload);
    return command;
}

static struct command *give(const char *key, const char *payload)
{
    struct command *command = add_one(key, payload);

    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command;
}

/* "1 2 3", of the members n; "-": null. */
static const char *list_of(int64_t run)
{
    static char text[200];
    struct value list;
    size_t size = 0;

    text[0] = '\0';
    cr_assert(pack_read(bench_arena(), run_of(run)->input, &list, NULL));
    cr_assert_eq(list.kind, VALUE_LIST);
    cr_assert_eq(list.count, run_of(run)->collected);
    for (uint32_t i = 0; i < list.count; i++)
        if (list.items[i].kind == VALUE_MAP)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%d", i > 0 ? " " : "",
                                     (int)value_find(&list.items[i], "n")->integer);
        else
            size += (size_t)snprintf(text + size, sizeof text - size, "%s-", i > 0 ? " " : "");
    return text;
}

Test(collect, triggers_are_one_run_after_the_time)
{
    struct command *first = give("", ONE);
    int64_t run = first->trigger.run_id;

    cr_assert(first->trigger.is_new && !first->trigger.cached && !first->trigger.collected);
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    cr_assert_eq(run_of(run)->due_ms, bench.now_ms + SECONDS(2));
    advance(SECONDS(1));
    struct command *second = give("", TWO);
    cr_assert_eq(second->trigger.run_id, run);
    cr_assert(second->trigger.cached && second->trigger.collected && !second->trigger.is_new);
    cr_assert_eq(run_of(run)->due_ms, bench.now_ms + SECONDS(1), "it is not pushed back");
    cr_assert_str_eq(list_of(run), "1 2");

    advance(SECONDS(1));
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert(slice_equal(segment(run)->input, run_of(run)->input));
    cr_assert_neq(give("", THREE)->trigger.run_id, run);
}

Test(collect, it_starts_when_it_is_full)
{
    int64_t run = give("", ONE)->trigger.run_id;
    give("", "");
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    give("", THREE);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_str_eq(list_of(run), "1 - 3");
    cr_assert_neq(give("", ONE)->trigger.run_id, run);
}

Test(collect, many_in_one_batch_are_as_many_runs_as_they_need)
{
    struct command *all[8];
    char payloads[8][5];
    for (int i = 0; i < 8; i++) {
        memcpy(payloads[i], ONE, 5);
        payloads[i][3] = (char)(i + 1);
        all[i] = add_one("", payloads[i]);
    }
    cr_assert(commit());

    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 3);
    cr_assert_str_eq(list_of(all[0]->trigger.run_id), "1 2 3");
    cr_assert_str_eq(list_of(all[5]->trigger.run_id), "4 5 6");
    cr_assert_str_eq(list_of(all[7]->trigger.run_id), "7 8");
    cr_assert_eq(run_of(all[5]->trigger.run_id)->status, RUN_RUNNING);
    cr_assert_eq(run_of(all[7]->trigger.run_id)->status, RUN_DELAYED);
}

Test(collect, of_one_it_is_a_list_of_one_at_once)
{
    queue_collects(1);
    int64_t run = give("", ONE)->trigger.run_id;

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_str_eq(list_of(run), "1");
    cr_assert_neq(give("", TWO)->trigger.run_id, run);
}

Test(collect, keys_and_tasks_are_apart)
{
    int64_t none = give("", ONE)->trigger.run_id, a = give("a", ONE)->trigger.run_id;
    struct command *other = add_trigger("u");
    other->trigger.queue = SLICE("q");
    cr_assert(commit());
    int64_t others = other->trigger.run_id;

    cr_assert_neq(none, a);
    cr_assert_neq(others, none);
    cr_assert_eq(give("a", TWO)->trigger.run_id, a);
    cr_assert_eq(give("", TWO)->trigger.run_id, none);
    cr_assert_str_eq(list_of(others), "-");
}

Test(collect, a_task_says_it_before_its_queue)
{
    bench.tasks[0].collect = (struct queue_collect){ 2, SECONDS(9) };
    bench_catalog();
    int64_t run = give("", ONE)->trigger.run_id;

    cr_assert_eq(run_of(run)->due_ms, bench.now_ms + SECONDS(9));
    give("", TWO);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(collect, another_file_does_not_change_what_has_begun)
{
    int64_t run = give("", ONE)->trigger.run_id;
    queue_collects(100);
    give("", TWO);
    give("", THREE);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(collect, bytes_close_it_early)
{
    bench.limits.payload_bytes = 15; /* the head has 5, each payload 4 */
    bench_catalog();
    int64_t run = give("", ONE)->trigger.run_id;
    give("", TWO);
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    int64_t next = give("", THREE)->trigger.run_id;

    cr_assert_neq(next, run);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_str_eq(list_of(run), "1 2");
    cr_assert_str_eq(list_of(next), "3");
}

Test(collect, it_goes_on_over_a_restart)
{
    int64_t run = give("", ONE)->trigger.run_id;
    bench_restart(true);
    advance(SECONDS(1));

    cr_assert_eq(give("", TWO)->trigger.run_id, run);
    cr_assert_str_eq(list_of(run), "1 2");
}

Test(collect, what_is_canceled_takes_no_more)
{
    int64_t run = give("", ONE)->trigger.run_id;
    cancel(run);

    cr_assert_neq(give("", TWO)->trigger.run_id, run);
}

Test(collect, what_is_canceled_takes_no_more_while_its_hook_is_tried_again)
{
    bench.tasks[0].hooks = HOOK_ON_CANCEL;
    bench.tasks[0].retry_min_ms = bench.tasks[0].retry_max_ms = SECONDS(1);
    bench_catalog();
    int64_t run = give("", ONE)->trigger.run_id;
    cancel(run);
    lose(run, LOSS_CRASHED);

    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    cr_assert_neq(give("", TWO)->trigger.run_id, run);
    cr_assert_str_eq(list_of(run), "1");
}

static struct command *give_keyed(const char *key, const char *payload)
{
    struct command *command = add_one("", payload);

    command->trigger.key = slice_of(key);
    cr_assert(commit());
    return command;
}

Test(collect, a_key_that_is_seen_again_adds_nothing)
{
    int64_t run = give_keyed("k", ONE)->trigger.run_id;
    give_keyed("l", TWO);
    struct command *again = give_keyed("l", TWO), *other = NULL;

    cr_assert_eq(again->trigger.run_id, run);
    cr_assert(again->trigger.cached && !again->trigger.collected);
    cr_assert_str_eq(list_of(run), "1 2");
    give("", THREE);
    other = give_keyed("k", TWO);
    cr_assert_eq(other->trigger.run_id, run, "it runs, and is its key's");
    cr_assert(other->trigger.differs);
}

Test(collect, keys_of_what_has_failed_are_free)
{
    int64_t run = give_keyed("k", ONE)->trigger.run_id;
    give_keyed("l", TWO);
    advance(SECONDS(2));
    end_fail(run, false);

    int64_t next = give_keyed("l", TWO)->trigger.run_id;
    cr_assert_neq(next, run);
    cr_assert_eq(give_keyed("k", ONE)->trigger.run_id, next);
    cr_assert_str_eq(list_of(next), "2 1");
    advance(SECONDS(2));
    end_done(next);
    cr_assert_eq(give_keyed("k", ONE)->trigger.run_id, next);
}

Test(collect, what_cannot_be_merged_is_refused_by_name)
{
    struct command *delayed = add_one("", ONE), *bounced = add_one("", ONE);
    delayed->trigger.delay_ms = SECONDS(5);
    bounced->trigger.debounce.key = SLICE("k");
    cr_assert(commit());

    cr_assert_eq(delayed->err.code, ERR_RULE);
    cr_assert_eq(strncmp(delayed->err.text, "options.delay: ", 15), 0, "%s", delayed->err.text);
    cr_assert_eq(strncmp(bounced->err.text, "options.debounce: ", 18), 0);
}

Test(collect, each_of_a_segment_is_checked_alone)
{
    bench.tasks[0].schema = bench_schema("input: {type: object, required: [n]}\n");
    bench_catalog();
    int64_t parent = start("u");
    struct command *good = add_child(parent, 1, "t"), *bad = add_child(parent, 2, "t");
    struct command *more = add_child(parent, 3, "t");
    good->trigger.queue = bad->trigger.queue = more->trigger.queue = SLICE("q");
    good->trigger.payload = SLICE(ONE);
    bad->trigger.payload = SLICE("\x80");
    more->trigger.payload = SLICE(TWO);
    good->trigger.unchecked = bad->trigger.unchecked = more->trigger.unchecked = true;
    cr_assert(commit());

    cr_assert_eq(bad->err.code, ERR_BAD_INPUT);
    cr_assert_eq(good->trigger.run_id, more->trigger.run_id);
    cr_assert_str_eq(list_of(good->trigger.run_id), "1 2");
    cr_assert_eq(run_of(good->trigger.run_id)->parent_id, 0, "it is nobody's child");
    cr_assert_eq(run_of(good->trigger.run_id)->batch, 0);
}

/* A segment that is run again has added its own already. */
Test(collect, a_segment_that_runs_again_adds_nothing)
{
    int64_t parent = start("u");
    int64_t run = 0;
    for (int round = 0; round < 2; round++) {
        struct command *child = add_child(parent, 1, "t");
        child->trigger.queue = SLICE("q");
        child->trigger.payload = SLICE(ONE);
        child->trigger.is_rerun = round > 0;
        cr_assert(commit());
        cr_assert(run == 0 || child->trigger.run_id == run);
        run = child->trigger.run_id;
        if (round == 0)
            lose(parent, LOSS_CRASHED);
    }
    cr_assert_str_eq(list_of(run), "1");

    struct command *other = add_child(parent, 1, "t");
    other->trigger.queue = SLICE("q");
    other->trigger.payload = SLICE(TWO);
    other->trigger.is_rerun = true;
    cr_assert(commit());
    cr_assert_eq(other->err.code, ERR_DIFFERS);
}

Test(collect, a_list_is_repeated_as_it_is)
{
    int64_t run = give("", ONE)->trigger.run_id;
    give("", TWO);
    struct command *again = add_one("", "");
    again->trigger.payload = run_of(run)->input;
    again->trigger.items = 2;
    cr_assert(commit());

    cr_assert_neq(again->trigger.run_id, run);
    cr_assert_eq(run_of(again->trigger.run_id)->status, RUN_RUNNING);
    cr_assert_str_eq(list_of(again->trigger.run_id), "1 2");
}

Test(collect, who_was_given_another_start_keeps_it_and_takes_no_more_than_it_would)
{
    int64_t run = give("", ONE)->trigger.run_id;
    struct command *edit = add(COMMAND_RUN_EDIT);
    edit->run_edit.id = run;
    edit->run_edit.environment = DEV;
    edit->run_edit.moves = true;
    edit->run_edit.delay_ms = MINUTES(1);
    cr_assert(commit());
    cr_assert_eq(edit->err.code, ERR_OK, "%s", edit->err.text);
    give("", TWO);
    give("", THREE);
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    cr_assert_eq(run_of(run)->collected, 3);

    cr_assert_neq(give("", ONE)->trigger.run_id, run);
}
