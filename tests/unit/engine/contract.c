/* Contracts: the schema file a run is under, what is remembered of it, and what is refused
 * while a file is wrong. */
#include "engine/contract.h"

#include "bench.h"
#include "codec/pack.h"

#include <string.h>

TestSuite(contract, .init = bench_open, .fini = bench_close);

#define SECRET "input:\n  properties:\n    card: { type: string, secret: true }\n"
#define PLAIN  "input:\n  properties:\n    card: { type: string }\n"

static void under(const char *yaml)
{
    bench.tasks[0].schema = yaml == NULL ? NULL : bench_schema(yaml);
    bench_catalog();
}

/* Waits a second, and goes on under what the catalog says then. */
static void go_on(int64_t run)
{
    wait_time(run, bench.now_ms + SECONDS(1));
    advance(SECONDS(1));
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

/* ---- payloads -----------------------------------------------------------------------------
 */

static bool fits(const char *yaml, bool is_given, struct value *payload)
{
    const struct schema_file *file = bench_schema(yaml);
    struct problems problems = { 0 };
    bool fine = payload_fits(schema_input(file), is_given, payload, bench_arena(), &problems);

    cr_assert_eq(fine, problems.count == 0);
    return fine;
}

Test(contract, an_absent_payload_is_an_object_only_where_null_does_not_fit)
{
    static const char object[] = "input: { type: object, properties: { a: { default: 5 } } }\n";
    struct value payload = { .kind = VALUE_NULL };

    cr_assert_not(fits(object, true, &payload), "null that was said is null");
    cr_assert(fits(object, false, &payload));
    cr_assert_eq(value_find(&payload, "a")->integer, 5, "with defaults");

    payload = (struct value){ .kind = VALUE_NULL };
    cr_assert(fits("input: { type: ['null', object] }\n", false, &payload));
    cr_assert_eq(payload.kind, VALUE_NULL);
    cr_assert_not(fits("input: { type: object, required: [a] }\n", false, &payload));
    cr_assert_eq(payload.kind, VALUE_NULL);
}

Test(contract, of_an_absent_payload_it_is_said_what_is_missing)
{
    static const struct {
        const char *yaml, *says;
    } cases[] = {
        { "input: { type: object, required: [a, b] }\n", "required" },
        { "input: { type: string }\n", "type" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int is_quick = 0; is_quick < 2; is_quick++) {
            const struct schema *schema = schema_input(bench_schema(cases[i].yaml));
            struct value payload = { .kind = VALUE_NULL };
            struct problems problems = { 0 };
            cr_assert_not(
                is_quick != 0
                    ? payload_fits_quickly(schema, false, &payload, bench_arena(), &problems) ==
                          SCHEMA_FITS
                    : payload_fits(schema, false, &payload, bench_arena(), &problems));
            struct slice keyword = problems.first->keyword;
            cr_assert(slice_is(keyword, cases[i].says), "%.*s", SLICE_ARG(keyword));
            cr_assert_eq(problems.count, i == 0 ? 2 : 1);
        }
}

Test(contract, a_child_without_a_payload_gets_an_empty_object)
{
    bench.tasks[1].schema = bench_schema("input: { type: object }\n");
    bench_catalog();

    int64_t child = make_child(start("t"), 1, "u");

    cr_assert(slice_is(run_of(child)->input, "\x80"));
}

/* ---- the hash -----------------------------------------------------------------------------
 */

Test(contract, a_run_has_the_hash_of_its_schema)
{
    unsigned char hash[SCHEMA_HASH_BYTES];
    under(PLAIN);
    schema_file_hash(bench.tasks[0].schema, hash);

    const struct run *run = run_of(trigger("t")), *other = run_of(trigger("u"));

    cr_assert_eq(run->schema.size, SCHEMA_KEPT_BYTES);
    cr_assert_eq(memcmp(run->schema.data, hash, SCHEMA_KEPT_BYTES), 0);
    cr_assert_eq(run->schema_now.size, 0);
    cr_assert_eq(run->secrets, 0);
    cr_assert_eq(other->schema.size, 0);
}

Test(contract, a_run_that_goes_on_under_another_schema_says_so_once)
{
    under(PLAIN);
    int64_t run = start("t");
    size_t before = run_of(run)->timeline.size;
    go_on(run);
    size_t step = run_of(run)->timeline.size - before;

    under(SECRET);
    go_on(run);
    size_t with_note = run_of(run)->timeline.size;
    go_on(run);

    cr_assert_eq(run_of(run)->schema_now.size, SCHEMA_KEPT_BYTES);
    cr_assert_not(slice_equal(run_of(run)->schema_now, run_of(run)->schema));
    cr_assert_not_null(memmem(run_of(run)->timeline.data, run_of(run)->timeline.size,
                              "goes on under schema", 20));
    cr_assert_leq(run_of(run)->timeline.size - with_note, step + 8, "not again");
}

Test(contract, a_schema_that_goes_and_comes_back_is_told)
{
    under(PLAIN);
    int64_t run = start("t");
    const struct schema_file *plain = bench.tasks[0].schema;

    under(NULL);
    go_on(run);
    cr_assert_eq(run_of(run)->schema_now.size, 1);
    cr_assert_eq(contract_now(run_of(run)).size, 0);
    bench.tasks[0].schema = plain;
    bench_catalog();
    go_on(run);

    cr_assert_eq(run_of(run)->schema_now.size, 0, "it is the first one again");
    cr_assert(slice_equal(contract_now(run_of(run)), run_of(run)->schema));
}

/* ---- secrets ------------------------------------------------------------------------------
 */

Test(contract, a_run_remembers_that_its_schema_marks_secrets)
{
    under(SECRET);
    int64_t run = start("t");
    cr_assert_eq(run_of(run)->secrets, SECRETS_DECLARED);

    under(PLAIN);
    go_on(run);

    cr_assert_eq(run_of(run)->secrets, SECRETS_DECLARED | SECRETS_MIXED);
}

Test(contract, a_first_schema_for_a_run_without_one_is_no_mixture)
{
    int64_t run = start("t");
    under(SECRET);
    go_on(run);

    cr_assert_eq(run_of(run)->secrets, SECRETS_DECLARED);
}

Test(contract, secrets_are_met_in_tokens_and_children)
{
    static const char token_yaml[] =
        "tokens:\n  pin:\n    properties:\n      pin: { secret: true }\n";
    under(token_yaml);
    bench.tasks[1].schema = bench_schema("output: { properties: { c: { secret: true } } }\n");
    bench_catalog();
    int64_t asks = start("t"), parent = start("t");
    struct command *create = add_token(asks, 1);
    create->token_create.schema = SLICE("pin");
    commit();
    int64_t token = create->token_create.token_id, child = make_child(parent, 1, "u");
    cr_assert_eq(run_of(asks)->secrets, SECRETS_MET);
    cr_assert_eq(run_of(parent)->secrets, 0);

    wait_for(asks, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    complete(token, "\x81\xa3pin\xa1x");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    end_done(child);

    cr_assert_eq(run_of(child)->secrets, SECRETS_DECLARED);
    cr_assert_eq(run_of(parent)->secrets, SECRETS_MET);
    cr_assert(slice_equal(token_of(token)->secret, run_of(asks)->schema));
}

/* ---- outputs ------------------------------------------------------------------------------
 */

Test(contract, an_output_with_problems_may_be_kept)
{
    under("on_invalid: warn\noutput: { type: string, minLength: 3 }\n");
    int64_t run = start("t");

    end_done(run); /* its output is 7 */

    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
    cr_assert(slice_is(run_of(run)->output, "\x07"));
    cr_assert_eq(run_of(run)->error.size, 0);
    cr_assert_eq(run_of(run)->log_lines, 1);
    cr_assert_not_null(
        memmem(run_of(run)->timeline.data, run_of(run)->timeline.size, "test.yaml:2", 11));
    cr_assert_eq(bench.events[0].problems, 1);
}

/* A hundred problems: a person reads twenty, all are in the log. */
Test(contract, many_problems_are_cut_in_the_timeline_only)
{
    under("on_invalid: warn\noutput: { items: { type: string } }\n");
    int64_t run = start("t");
    struct value list = value_list();
    for (int i = 0; i < 60; i++)
        value_add(bench_arena(), &list, value_int(i));
    add_end(run, VERDICT_DONE)->segment_end.end->output = pack_value(bench_arena(), &list);
    cr_assert(commit());

    cr_assert_eq(run_of(run)->log_lines, 60);
    cr_assert_not_null(
        memmem(run_of(run)->timeline.data, run_of(run)->timeline.size, "40 more problems", 16));
}

/* ---- a file that is wrong -----------------------------------------------------------------
 */

static void break_schema(void)
{
    bench.tasks[0].schema = NULL;
    bench.tasks[0].available = false;
    bench.tasks[0].is_refusing = true;
    bench.tasks[0].reason = SLICE("its schema is wrong: t.yaml:3:1: nonsense");
    bench_catalog();
}

Test(contract, what_cannot_be_checked_is_not_taken)
{
    int64_t parent = start("u");
    break_schema();

    struct command *call = add_trigger("t"), *child = add_child(parent, 1, "t");
    commit();

    cr_assert_eq(call->err.code, ERR_UNAVAILABLE);
    cr_assert_eq(child->err.code, ERR_UNAVAILABLE, "the segment may try again");
    cr_assert_not_null(strstr(call->err.text, "t.yaml:3:1"));
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 1);
}

Test(contract, a_token_waits_until_its_schema_is_mended)
{
    under("tokens:\n  pin: { type: string }\n");
    const struct schema_file *good = bench.tasks[0].schema;
    int64_t run = start("t");
    struct command *create = add_token(run, 1);
    create->token_create.schema = SLICE("pin");
    commit();
    int64_t token = create->token_create.token_id;
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    break_schema();
    cr_assert_eq(complete(token, "\xa1x")->err.code, ERR_UNAVAILABLE);
    cr_assert_eq(run_of(run)->status, RUN_WAITING);

    bench.tasks[0].schema = good;
    bench.tasks[0].available = true;
    bench.tasks[0].is_refusing = false;
    bench_catalog();
    cr_assert_eq(complete(token, "\x05")->err.code, ERR_BAD_DATA);
    cr_assert_eq(complete(token, "\xa1x")->err.code, ERR_OK);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}
