/* What is changed of a run that is there: metadata, tags, when it starts. */
#include "bench.h"
#include "codec/json.h"

TestSuite(edits, .init = bench_open, .fini = bench_close);

static struct command *edit(int64_t run, struct frame_meta *operations, uint32_t count)
{
    struct command *command = add(COMMAND_RUN_EDIT);

    command->run_edit = (struct run_edit){
        .environment = DEV, .id = run, .operations = operations, .count = count
    };
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}

#define EDIT(run, ...)                                \
    edit((run), (struct frame_meta[]){ __VA_ARGS__ }, \
         sizeof((struct frame_meta[]){ __VA_ARGS__ }) / sizeof(struct frame_meta))
#define OF(whose) (META_OF_##whose << META_WHOSE_AT)

static const char *json(struct slice packed)
{
    struct buffer out = { 0 };

    if (packed.size == 0)
        return "";
    json_write_packed(&out, packed);
    char *text = arena_text(bench_arena(), buffer_view(&out));
    buffer_finish(&out);
    return text;
}

#define METADATA(run) json(run_of(run)->metadata)
#define TAGS(run)     json(run_of(run)->tags)

static void is_refused(const struct command *command, enum err_code code, const char *says)
{
    cr_assert_eq(command->err.code, code, "%s", command->err.text);
    cr_assert(strstr(command->err.text, says) != NULL, "%s", command->err.text);
}

/* ---- metadata ---------------------------------------------------------------------------- */

Test(edits, what_children_say_of_their_parent_and_root_adds_up)
{
    int64_t root = start("t"), child = make_child(root, 1, "u");
    int64_t grandchild = make_child(child, 1, "u");
    struct frame_meta said[] = {
        { META_INCREMENT | OF(PARENT), SLICE("done"), SLICE("\x01") },
        { META_APPEND | OF(ROOT), SLICE("seen"), SLICE("\x07") },
        { META_SET, SLICE("own"), SLICE("\xc3") },
    };
    int64_t both[] = { child, grandchild };

    for (int i = 0; i < 2; i++) {
        struct frame_end *end = add_end(both[i], VERDICT_DONE)->segment_end.end;
        end->meta = said;
        end->meta_count = 3;
        cr_assert(commit(), "%s", bench.err.text);
    }

    cr_assert_str_eq(METADATA(root), "{\"done\":1,\"seen\":[7,7]}");
    cr_assert_str_eq(METADATA(child), "{\"own\":true,\"done\":1}");
    cr_assert_str_eq(METADATA(grandchild), "{\"own\":true}");
    cr_assert_eq(run_of(root)->status, RUN_RUNNING);
}

Test(edits, who_has_no_parent_is_its_own)
{
    int64_t run = trigger("t");
    const struct command *edited =
        EDIT(run, { META_INCREMENT, SLICE("n"), SLICE("\x01") },
             { META_INCREMENT | OF(PARENT), SLICE("n"), SLICE("\x01") },
             { META_INCREMENT | OF(ROOT), SLICE("n"), SLICE("\x01") });

    cr_assert_eq(edited->err.code, ERR_OK, "%s", edited->err.text);
    cr_assert_str_eq(METADATA(run), "{\"n\":3}");
    cr_assert_str_eq(json(edited->run_edit.metadata), "{\"n\":3}");
}

Test(edits, a_path_leads_into_what_is_there_or_is_made)
{
    int64_t run = trigger("t");

    EDIT(run, { META_SET, SLICE("$.order.items[0].price"), SLICE("\x05") },
         { META_INCREMENT, SLICE("$.order.items[0].price"), SLICE("\x02") },
         { META_APPEND, SLICE("$.order.items"), SLICE("\x09") },
         { META_SET, SLICE("$"), SLICE("\x01") });
    cr_assert_str_eq(METADATA(run), "{\"order\":{\"items\":[{\"price\":7},9]},\"$\":1}");
    EDIT(run, { META_DELETE, SLICE("$.order.items[0]"), { 0 } },
         { META_DELETE, SLICE("$.nothing.there"), { 0 } },
         { META_REMOVE, SLICE("$.order.items"), SLICE("\x09") });
    cr_assert_str_eq(METADATA(run), "{\"order\":{\"items\":[]},\"$\":1}");
    EDIT(run, { META_UPDATE, { 0 }, SLICE("\x81\xa1k\xc3") });
    cr_assert_str_eq(METADATA(run), "{\"k\":true}");
}

Test(edits, a_path_that_leads_nowhere_changes_nothing)
{
    static const char *const paths[] = {
        "$.k.x", "$.k[0]",  "$.list[2]", "$.list.x",           "$..", "$.", "$.a[x]",
        "$.a[",  "$.a[0]x", "$.[0]",     "$.list[99999999999]"
    };
    int64_t run = trigger("t");
    EDIT(run, { META_SET, SLICE("k"), SLICE("\x01") },
         { META_APPEND, SLICE("list"), SLICE("\x01") });

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct frame_meta bad[] = { { META_SET, SLICE("other"), SLICE("\x01") },
                                    { META_SET, slice_of(paths[i]), SLICE("\x01") } };
        is_refused(edit(run, bad, 2), ERR_BAD_REQUEST, "has no place");
        cr_assert_str_eq(METADATA(run), "{\"k\":1,\"list\":[1]}", "%s", paths[i]);
    }
}

Test(edits, of_a_run_that_ended_an_hour_ago_nothing_is_changed)
{
    int64_t run = start("t");
    end_done(run);

    cr_assert_eq(EDIT(run, { META_SET, SLICE("k"), SLICE("\x01") })->err.code, ERR_OK);
    advance(MINUTES(61));

    is_refused(EDIT(run, { META_SET, SLICE("k"), SLICE("\x02") }), ERR_RULE, "completed run");
    cr_assert_str_eq(METADATA(run), "{\"k\":1}");
}

Test(edits, another_environment_has_no_such_run)
{
    int64_t run = trigger("t");
    struct command *command = add(COMMAND_RUN_EDIT);

    command->run_edit = (struct run_edit){ .environment = PROD, .id = run, .moves = true };
    cr_assert(commit());

    is_refused(command, ERR_NOT_FOUND, "Run not found");
}

/* ---- tags -------------------------------------------------------------------------------- */

Test(edits, tags_are_added_once_and_sorted)
{
    int64_t run = trigger("t");

    cr_assert_eq(EDIT(run, { META_TAG, SLICE("b"), { 0 } }, { META_TAG, SLICE("a"), { 0 } },
                      { META_TAG, SLICE("b"), { 0 } })
                     ->run_edit.new_tags,
                 2);
    cr_assert_eq(EDIT(run, { META_TAG, SLICE("a"), { 0 } })->run_edit.new_tags, 0);

    cr_assert_str_eq(TAGS(run), "[\"a\",\"b\"]");
}

Test(edits, more_tags_than_are_allowed_are_refused_all)
{
    int64_t run = trigger("t");
    bench.limits.tags = 2;
    bench_catalog();

    is_refused(EDIT(run, { META_TAG, SLICE("a"), { 0 } }, { META_TAG, SLICE("b"), { 0 } },
                    { META_TAG, SLICE("c"), { 0 } }),
               ERR_RULE, "at most 2");

    cr_assert_str_eq(TAGS(run), "");
}

Test(edits, a_child_inherits_tags_as_far_as_there_is_room)
{
    int64_t root = start("t");
    EDIT(root, { META_TAG, SLICE("a"), { 0 } }, { META_TAG, SLICE("b"), { 0 } });
    bench.limits.tags = 2;
    bench_catalog();

    struct command *command = add_child(root, 1, "u");
    command->trigger.inherits_tags = true;
    command->trigger.tags = SLICE("\x91\xa1z");
    cr_assert(commit());
    cr_assert_str_eq(TAGS(command->trigger.run_id), "[\"a\",\"z\"]");
}

/* ---- when it starts ---------------------------------------------------------------------- */

static int64_t delayed(int64_t delay_ms)
{
    struct command *command = add_trigger("t");

    command->trigger.delay_ms = delay_ms;
    cr_assert(commit());
    return command->trigger.run_id;
}

static struct command *reschedule(int64_t run, int64_t due_ms, int64_t delay_ms)
{
    struct command *command = add(COMMAND_RUN_EDIT);

    command->run_edit = (struct run_edit){
        .environment = DEV, .id = run, .moves = true, .due_ms = due_ms, .delay_ms = delay_ms
    };
    cr_assert(commit());
    return command;
}

Test(edits, a_delayed_run_starts_at_another_time_and_stands_there_in_its_queue)
{
    int64_t run = delayed(SECONDS(10)), other = delayed(SECONDS(60)), rank;

    rank = run_of(run)->rank_ms;
    cr_assert_eq(reschedule(run, 0, SECONDS(100))->err.code, ERR_OK);
    cr_assert_eq(run_of(run)->rank_ms, rank + SECONDS(90));
    bench.slots = 0;
    bench_catalog();
    advance(SECONDS(10));
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    cr_assert_eq(reschedule(run, bench.now_ms + SECONDS(40), 0)->err.code, ERR_OK);
    advance(SECONDS(60));
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    cr_assert_lt(run_of(run)->rank_ms, run_of(other)->rank_ms);
}

Test(edits, what_has_started_or_pauses_before_a_retry_is_not_delayed)
{
    int64_t run = delayed(SECONDS(10)), started = start("t");

    is_refused(reschedule(started, 0, SECONDS(5)), ERR_BAD_REQUEST, "not delayed");
    cr_assert_eq(reschedule(run, 0, 0)->err.code, ERR_OK);
    advance(1);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING, "it starts at once");
    is_refused(reschedule(run, 0, SECONDS(5)), ERR_BAD_REQUEST, "not delayed");
}

Test(edits, what_begins_where_another_run_ended_is_delayed_like_any_other)
{
    int64_t token = make_token(0, 0, 0), old = start("t");

    (void)add_wait(old, WAIT_FOR_TOKEN, &token, 1);
    cr_assert(commit());
    complete(token, "\x05");
    end_fail(old, false);
    struct command *command = add_trigger("t");
    command->trigger.goes_on = run_of(old);
    command->trigger.delay_ms = SECONDS(10);
    cr_assert(commit());
    int64_t run = command->trigger.run_id;

    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    cr_assert_eq(reschedule(run, 0, SECONDS(60))->err.code, ERR_OK);
    advance(SECONDS(10));
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
}
