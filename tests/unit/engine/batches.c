/* Batches: each index is answered once, whatever is sent again, refused, named by a key or
 * cancelled, and whoever waits is told once. */
#include "bench.h"
#include "codec/pack.h"
#include "engine/timeline.h"

TestSuite(batches, .init = bench_open, .fini = bench_close);

static struct slice number(int64_t value)
{
    struct value packed = value_int(value);

    return pack_value(bench_arena(), &packed);
}

static struct batch_ask *ask_at(struct command *command, uint32_t i)
{
    return &command->batch_send.items[i];
}

static struct trigger *item_at(struct command *command, uint32_t i)
{
    return &ask_at(command, i)->command->trigger;
}

/* Items from `first`, each with its index as payload. */
static struct command *send(int64_t id, uint32_t expected, uint32_t first, uint32_t count)
{
    struct command *command = add(COMMAND_BATCH_SEND);
    struct batch_ask *asks = ARENA_ARRAY(bench_arena(), struct batch_ask, count + 1);
    struct command *items = ARENA_ARRAY(bench_arena(), struct command, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        items[i] =
            (struct command){ .kind = COMMAND_TRIGGER,
                              .arena = bench_arena(),
                              .trigger = { .task = SLICE("t"), .payload = number(first + i) } };
        asks[i] = (struct batch_ask){ .index = first + i, .command = &items[i] };
    }
    command->batch_send = (struct batch_send){ .environment = DEV,
                                               .id = id,
                                               .begins = id == 0,
                                               .expected = expected,
                                               .items = asks,
                                               .count = count };
    return command;
}

static struct batch_send *sent(struct command *command)
{
    cr_assert(commit(), "%s", bench.err.text);
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return &command->batch_send;
}

static const struct run_batch *row_of(int64_t id)
{
    return (const struct run_batch *)store_memory_get(bench.store, ROW_BATCH, id);
}

static int64_t run_at(int64_t id, uint32_t index)
{
    return row_of(id)->first_id + index;
}

static const struct batch_item *item_of(int64_t id, uint32_t index)
{
    return (const struct batch_item *)store_memory_get(bench.store, ROW_BATCH_ITEM,
                                                       run_at(id, index));
}

Test(batches, all_at_once_is_sealed_and_ends_with_its_last_run)
{
    struct batch_send *reply = sent(send(0, 3, 0, 3));
    int64_t id = reply->batch_id;

    cr_assert(reply->sealed && reply->taken == 3 && reply->received == 3);
    cr_assert_eq(row_of(id)->status, BATCH_SEALED);
    cr_assert_eq(store_memory_count(bench.store, ROW_BATCH_ITEM), 0, "a run needs no row more");
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(run_of(run_at(id, i))->batch, id);
        cr_assert_eq(run_of(run_at(id, i))->status, RUN_RUNNING);
    }
    end_done(run_at(id, 1));
    end_done(run_at(id, 0));
    cr_assert(row_of(id)->ended == 2 && row_of(id)->finished_ms == 0);
    end_fail(run_at(id, 2), false);
    cr_assert(row_of(id)->ended == 3 && row_of(id)->failed == 1);
    cr_assert_neq(row_of(id)->finished_ms, 0);
}

Test(batches, items_come_in_any_order_and_again)
{
    int64_t id = sent(send(0, 4, 0, 0))->batch_id;
    struct batch_send *reply = sent(send(id, 0, 2, 2));

    cr_assert(!reply->sealed && reply->taken == 2 && reply->received == 2);
    cr_assert_eq(run_of(run_at(id, 3))->status, RUN_RUNNING, "none waits for the others");
    reply = sent(send(id, 0, 1, 2));
    cr_assert(reply->taken == 1 && reply->repeated == 1 && reply->received == 3);
    struct command *other = send(id, 0, 1, 1);
    item_at(other, 0)->payload = number(99);
    reply = sent(other);
    cr_assert(reply->taken == 0 && reply->refused == 1 && reply->received == 3);
    cr_assert_str_eq(ask_at(other, 0)->command->err.text,
                     "item 1 was sent before with another payload; that one stays");
    reply = sent(send(id, 0, 0, 1));
    cr_assert(reply->sealed && reply->received == 4);
    reply = sent(send(id, 0, 0, 4));
    cr_assert(reply->sealed && reply->taken == 0 && reply->repeated == 4);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 4);
}

Test(batches, an_index_beyond_it_and_a_batch_that_is_not_there_are_refused)
{
    int64_t id = sent(send(0, 2, 0, 0))->batch_id;
    struct command *command = send(id, 0, 1, 2);

    cr_assert(commit());
    cr_assert_str_eq(command->err.text, "item 2 is beyond the batch: it has 2 items");
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 0);
    command = send(12345, 0, 0, 1);
    cr_assert(commit());
    cr_assert_str_eq(command->err.text, "there is no such batch here");
    command = send(id, 0, 0, 1);
    command->batch_send.environment = PROD;
    cr_assert(commit());
    cr_assert_str_eq(command->err.text, "there is no such batch here");
    command = send(0, 1001, 0, 0);
    cr_assert(commit());
    cr_assert_str_eq(command->err.text, "a batch has at most 1000 items, 1001 were announced");
}

Test(batches, a_bad_item_is_answered_by_its_index_and_stops_nobody)
{
    struct command *command = send(0, 3, 0, 3);
    ask_at(command, 1)->refusal = SLICE("its payload is too odd");
    struct batch_send *reply = sent(command);
    int64_t id = reply->batch_id;

    cr_assert(reply->sealed && reply->taken == 3 && reply->refused == 1);
    cr_assert(slice_is(item_of(id, 1)->error, "its payload is too odd"));
    cr_assert_eq(row_of(id)->ended, 1);
    end_done(run_at(id, 0));
    end_done(run_at(id, 2));
    cr_assert(row_of(id)->finished_ms != 0 && row_of(id)->failed == 1);
}

Test(batches, all_or_none_starts_nothing_before_all_are_good)
{
    struct command *command = send(0, 3, 0, 2);
    command->batch_send.is_atomic = true;
    int64_t id = sent(command)->batch_id;
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 0);
    cr_assert(sent(send(id, 0, 2, 1))->sealed);
    cr_assert_eq(row_of(id)->status, BATCH_MAKING);
    advance(1);
    cr_assert_eq(row_of(id)->status, BATCH_SEALED);
    cr_assert_eq(store_memory_count(bench.store, ROW_BATCH_ITEM), 0);
    for (uint32_t i = 0; i < 3; i++)
        end_done(run_at(id, i));
    cr_assert(row_of(id)->finished_ms != 0 && row_of(id)->failed == 0);
}

Test(batches, all_or_none_is_none_with_one_that_is_bad)
{
    struct command *command = send(0, 3, 0, 3);
    command->batch_send.is_atomic = true;
    ask_at(command, 1)->refusal = SLICE("no");
    int64_t id = sent(command)->batch_id;

    advance(1);
    cr_assert_eq(row_of(id)->status, BATCH_ABORTED);
    cr_assert(slice_is(row_of(id)->why,
                       "1 of 3 items were refused, so none was started (all or none)"));
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 0);
    cr_assert_eq(item_of(id, 0)->kind, ITEM_KEPT);
}

Test(batches, many_of_all_or_none_start_some_at_a_time)
{
    bench.limits.steps = 10;
    bench_catalog();
    struct command *command = send(0, 25, 0, 25);
    command->batch_send.is_atomic = true;
    int64_t id = sent(command)->batch_id;
    bool again;

    for (uint32_t made = 10; made <= 20; made += 10) {
        cr_assert(bench_batch(0, &again));
        cr_assert_eq(row_of(id)->made, made);
        cr_assert_eq(store_memory_count(bench.store, ROW_RUN), made);
    }
    cr_assert(bench_batch(0, &again));
    cr_assert_eq(row_of(id)->status, BATCH_SEALED);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 25);
}

Test(batches, all_or_none_waits_for_the_plugins)
{
    bench.limits.steps = 2;
    bench_catalog();
    struct command *command = send(0, 5, 0, 5);
    command->batch_send.is_atomic = true;
    int64_t id = sent(command)->batch_id;

    bench_restart(false);
    advance(200);
    cr_assert_eq(row_of(id)->status, BATCH_MAKING);
    bench_catalog();
    for (int i = 0; i < 3; i++)
        advance(200);
    cr_assert(row_of(id)->status == BATCH_SEALED && row_of(id)->refused == 0);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 5);
}

Test(batches, all_or_none_is_bounded_by_max_queued)
{
    bench.queues[0] =
        (struct catalog_queue){ SLICE("task/t"), { .concurrency = 1, .max_queued = 4 } };
    bench.queue_count = 1;
    bench_catalog();
    for (uint32_t count = 4; count <= 5; count++) {
        struct command *command = send(0, count, 0, count - 2);
        command->batch_send.is_atomic = true;
        int64_t id = sent(command)->batch_id;
        sent(send(id, 0, count - 2, 2));
        advance(1);
        cr_assert_eq(row_of(id)->status, count == 4 ? BATCH_SEALED : BATCH_ABORTED);
    }
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 4);
}

Test(batches, what_comes_again_under_its_key_is_compared)
{
    struct command *command = send(0, 2, 0, 2);
    command->batch_send.key = SLICE("k");
    int64_t id = sent(command)->batch_id;

    command = send(0, 3, 0, 3);
    command->batch_send.key = SLICE("k");
    item_at(command, 1)->payload = number(77);
    sent(command);
    cr_assert(command->batch_send.batch_id == id && command->batch_send.cached);
    cr_assert(command->batch_send.differs);
    cr_assert_eq(ask_at(command, 0)->reply, ASK_REPEATED);
    cr_assert_eq(ask_at(command, 1)->reply, ASK_DIFFERS);
    cr_assert_eq(ask_at(command, 2)->reply, ASK_DIFFERS);
}

Test(batches, two_items_with_one_key_are_both_answered)
{
    struct command *command = send(0, 3, 0, 3);
    for (uint32_t i = 0; i < 2; i++) {
        item_at(command, i)->key = SLICE("k");
        item_at(command, i)->payload = number(7);
    }
    int64_t id = sent(command)->batch_id;

    cr_assert_eq(item_of(id, 1)->kind, ITEM_LINKED);
    cr_assert_eq(item_of(id, 1)->target, run_at(id, 0));
    end_done(run_at(id, 2));
    cr_assert_eq(row_of(id)->ended, 1);
    end_done(run_at(id, 0));
    cr_assert(row_of(id)->ended == 3 && row_of(id)->failed == 0);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);

    command = send(0, 1, 0, 1); /* the run of the key has ended */
    item_at(command, 0)->key = SLICE("k");
    item_at(command, 0)->payload = number(7);
    int64_t other = sent(command)->batch_id;
    cr_assert(row_of(other)->ended == 1 && row_of(other)->finished_ms != 0);
    command = send(0, 1, 0, 1);
    item_at(command, 0)->key = SLICE("k");
    command->batch_send.refuses_mismatch = true;
    cr_assert_eq(sent(command)->refused, 1);
}

Test(batches, one_that_is_not_sealed_in_time_is_aborted)
{
    int64_t id = sent(send(0, 2, 0, 1))->batch_id;

    advance(MINUTES(1) - 1);
    cr_assert_eq(row_of(id)->status, BATCH_OPEN);
    advance(1);
    cr_assert_eq(row_of(id)->status, BATCH_ABORTED);
    cr_assert(slice_is(row_of(id)->why,
                       "it was not sealed in time: 1 items had come (limits.batch_open)"));
    struct command *command = send(id, 0, 1, 1);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_eq(run_of(run_at(id, 0))->status, RUN_RUNNING, "what was accepted goes on");
}

Test(batches, its_deadline_counts_though_nobody_has_looked)
{
    int64_t id = sent(send(0, 2, 0, 1))->batch_id;

    bench.look_for_due = false;
    bench.now_ms += MINUTES(1);
    struct command *command = send(id, 0, 1, 1);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_eq(row_of(id)->status, BATCH_ABORTED);
}

Test(batches, its_key_finds_it_and_only_a_filled_one_is_said_to_be)
{
    struct command *command = send(0, 1, 0, 0);
    command->batch_send.key = SLICE("b");
    struct batch_send *reply = sent(command);
    int64_t id = reply->batch_id;
    cr_assert_not(reply->cached);
    for (int filled = 0; filled < 2; filled++) {
        command = send(0, 1, 0, 0);
        command->batch_send.key = SLICE("b");
        reply = sent(command);
        cr_assert_eq(reply->batch_id, id);
        cr_assert_eq(reply->cached, filled == 1);
        sent(send(id, 0, 0, 1));
    }
}

/* One that a segment makes is its alone, and its runs are its children. */
static struct command *send_from(int64_t parent, uint32_t call, uint32_t count)
{
    struct command *command = send(segment(parent)->id_block + call, 0, 0, count);

    command->batch_send.begins = command->batch_send.seals = true;
    command->batch_send.parent_id = parent;
    command->batch_send.parent_seq = segment(parent)->seq;
    command->batch_send.is_rerun = segment(parent)->is_rerun;
    return command;
}

Test(batches, a_segment_that_runs_again_finds_its_batch)
{
    int64_t parent = start("u");
    int64_t id = sent(send_from(parent, 1, 2))->batch_id;

    cr_assert_eq(id, segment(parent)->id_block + 1);
    cr_assert(row_of(id)->parent_id == parent && row_of(id)->status == BATCH_SEALED);
    cr_assert_eq(run_of(run_at(id, 1))->parent_id, parent);
    lose(parent, LOSS_CRASHED);
    cr_assert(segment(parent)->is_rerun);
    struct batch_send *reply = sent(send_from(parent, 1, 2));
    cr_assert(reply->batch_id == id && reply->sealed && reply->taken == 0);
    make_child(parent, 2, "t");
    lose(parent, LOSS_CRASHED);
    struct command *command = send_from(parent, 2, 1);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_DIFFERS);
}

Test(batches, a_canceled_parent_takes_its_items_along)
{
    int64_t parent = start("u");
    int64_t id = sent(send_from(parent, 1, 2))->batch_id;

    cancel(parent);
    cr_assert_eq(run_of(run_at(id, 0))->outcome, OUTCOME_CANCELED);
    cr_assert_eq(row_of(id)->ended, 0, "its segment has not returned yet");
    release(run_at(id, 0));
    release(run_at(id, 1));
    cr_assert(row_of(id)->ended == 2 && row_of(id)->failed == 2);
}

Test(batches, old_ones_go_with_their_items)
{
    bench.retention.span_ms[RETAIN_RUNS] = DAYS(1);
    bench_catalog();
    struct command *command = send(0, 2, 0, 2);
    ask_at(command, 1)->refusal = SLICE("no");
    int64_t id = sent(command)->batch_id;
    static const enum row_kind kinds[] = { ROW_RUN, ROW_RUN, ROW_BATCH, ROW_BATCH_ITEM };

    for (int walk = 0; walk < 2; walk++) {
        advance(DAYS(2));
        for (int i = 0; i < 4; i++) {
            add(COMMAND_PRUNE)->prune =
                (struct prune){ .kind = kinds[i], .looks = 250, .most = 100 };
            cr_assert(commit());
        }
        cr_assert_eq(row_of(id) != NULL, walk == 0, "one of its runs was not done");
        if (walk == 0)
            end_done(run_at(id, 0));
    }
    cr_assert_eq(store_memory_count(bench.store, ROW_BATCH_ITEM), 0);
}

/* All or none: its parent is canceled when some of them are made. */
static int64_t half_made(uint32_t rule, int64_t *parent)
{
    bench.limits.steps = 2;
    bench_catalog();
    *parent = start("u");
    struct command *command = send_from(*parent, 1, 5);
    command->batch_send.is_atomic = true;
    for (uint32_t i = 0; i < 5; i++)
        item_at(command, i)->on_parent_end = rule;
    bool again;
    cr_assert(bench_batch(1, &again));
    int64_t id = command->batch_send.batch_id;
    while (row_of(id)->made == 0)
        cr_assert(bench_batch(0, &again));
    cr_assert_lt(row_of(id)->made, 5);
    cancel(*parent);
    for (int i = 0; i < 9; i++)
        advance(1);
    cr_assert(row_of(id)->status == BATCH_SEALED && row_of(id)->made == 5);
    return id;
}

Test(batches, of_all_or_none_all_are_made_though_the_parent_is_canceled_meanwhile)
{
    int64_t parent, id = half_made(CHILDREN_CANCEL, &parent);

    for (uint32_t i = 0; i < 5; i++)
        cr_assert_eq(run_of(run_at(id, i))->outcome, OUTCOME_CANCELED);
    release(parent);
    for (uint32_t i = 0; i < 5 && row_of(id)->ended < 5; i++)
        if (run_of(run_at(id, i))->is_out)
            release(run_at(id, i));
    cr_assert(row_of(id)->ended == 5 && row_of(id)->finished_ms != 0);
}

Test(batches, of_all_or_none_the_late_ones_hold_their_parent_too)
{
    int64_t parent, id = half_made(CHILDREN_WAIT, &parent);

    release(parent);
    cr_assert_eq(run_of(parent)->remaining, 5);
    for (uint32_t i = 0; i < 5; i++) {
        cr_assert_neq(run_of(parent)->remaining, 0);
        end_done(run_at(id, i));
    }
    cr_assert_eq(run_of(parent)->remaining, 0);
    cr_assert(row_of(id)->failed == 0 && row_of(id)->finished_ms != 0);
}

static int64_t waiting_parent(int64_t *id, uint32_t count, bool is_atomic, bool has_bad)
{
    int64_t parent = start("u");
    struct command *command = send_from(parent, 1, count);

    command->batch_send.is_atomic = is_atomic;
    if (has_bad)
        ask_at(command, 0)->refusal = SLICE("no");
    *id = sent(command)->batch_id;
    wait_for(parent, WAIT_FOR_TOKEN, id, 1, 0, 0);
    return parent;
}

Test(batches, nobody_completes_one_by_hand)
{
    int64_t id, parent = waiting_parent(&id, 2, false, false);
    struct command *command = add(COMMAND_WAIT_COMPLETE);
    struct move *moves;

    command->token_complete =
        (struct token_complete){ .environment = DEV, .id = parent, .by = SLICE("ann") };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_NOT_NOW, "%s", command->err.text);
    cr_assert_neq(strstr(command->err.text, "waits for batch batch_"), NULL, "%s",
                  command->err.text);
    uint32_t count = timeline_read(bench_arena(), run_of(parent), &moves);
    cr_assert(slice_is(moves[count - 1].text, "for a batch"));
}

Test(batches, its_parent_wakes_once_when_all_have_ended)
{
    int64_t id, parent = waiting_parent(&id, 3, false, false);

    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(run_of(parent)->status, RUN_WAITING);
        end_done(run_at(id, i));
    }
    cr_assert_eq(run_of(parent)->status, RUN_RUNNING);
    cr_assert_eq(segment(parent)->result_count, 1);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_OK);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);

    struct command *read = add(COMMAND_BATCH_READ);
    read->batch_read = (struct batch_read){
        .run_id = parent, .seq = segment(parent)->seq, .batch_id = id, .from = 1, .most = 10
    };
    cr_assert(commit());
    cr_assert(read->batch_read.all == 3 && read->batch_read.count == 2);
    cr_assert_eq(read->batch_read.answers[1].status, WAIT_OK);
    cr_assert_gt(read->batch_read.answers[1].output.size, 0);
}

Test(batches, its_parent_hears_that_it_was_aborted_and_why)
{
    int64_t id, parent = waiting_parent(&id, 2, true, true);

    cr_assert_eq(run_of(parent)->status, RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_FAILED);
    cr_assert(slice_starts(segment(parent)->results[0].error, "1 of 2 items were refused"));
}
