/* Acts by hand on tokens and on what runs wait for: by the command line, and by a segment. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "approve-refund");
    server_add_plugin(&s, "board-approval");
    server_add_plugin(&s, "closer");
    server_add_schema(&s, "approve-refund");
    server_add_schema(&s, "board-approval");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(acts, .init = set_up, .fini = tear_down, .timeout = 60);

static const char *bide(int want, const char *arguments)
{
    int status;
    const char *said = command_run(&status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s",
                                   s.url, s.key, arguments);
    cr_assert_eq(status, want, "bide %s: status %d: %s", arguments, status, said);
    return said;
}

static void assert_says(const char *said, const char *words)
{
    cr_assert_neq(strstr(said, words), NULL, "no \"%s\" in: %s", words, said);
}

static const char *line(const char *said)
{
    return text("%.*s", (int)strcspn(said, "\n"), said);
}

static const char *waiting(const char *arguments)
{
    const char *run = line(bide(0, text("trigger %s", arguments)));

    run_until(&s, run, "WAITING");
    return run;
}

static const char *refund(void)
{
    return waiting("approve-refund --payload '{\"order_id\": \"A-1\", \"amount_cents\": 1}'");
}

static const char *board(void)
{
    return waiting("board-approval --payload '{\"question\": \"a party?\", \"people\": "
                   "[\"ann\", \"bob\", \"cid\"]}'");
}

static const char *token_of(const char *run)
{
    return line(bide(0, text("runs show %s --json | jq -r '.waitingFor[0].id'", run)));
}

Test(acts, a_token_is_closed_and_who_did_it_and_why_is_told)
{
    const char *run = refund(), *token = token_of(run);

    assert_says(bide(0, text("tokens close %s --by ann --reason 'the shop is shut'", token)),
                token);

    run_until(&s, run, "COMPLETED");
    assert_says(bide(0, text("runs show %s", run)),
                "its token was closed by ann: the shop is shut");
    assert_says(bide(0, text("tokens show %s", token)), "closed by ann: the shop is shut");
    assert_says(bide(1, text("tokens complete %s --payload '{\"approved\": true}'", token)),
                "closed by ann: the shop is shut; nobody waits");
    assert_says(bide(3, text("tokens close %s", token)), "already closed");
}

Test(acts, tokens_are_moved_and_timed_out)
{
    const char *one = refund(), *two = refund();
    const char *first = token_of(one), *second = token_of(two);

    bide(0, text("tokens move %s never --by ann", first));
    assert_says(bide(0, text("tokens show %s", first)), "moved to never by ann");
    bide(0, text("tokens move %s 2020-01-01T00:00:00Z", first));
    run_until(&s, one, "FAILED");
    bide(0, text("tokens timeout %s", second));
    run_until(&s, two, "FAILED");
    assert_says(bide(3, text("tokens move %s 10m", second)), "already timed out");
    assert_says(bide(2, text("tokens move %s soon", second)), "timeout must be a duration");
}

Test(acts, a_wait_is_completed_part_by_part)
{
    const char *run = board();

    bide(0, text("runs wait %s complete --part first --payload '{\"agrees\": true}' --by ann",
                 run));
    assert_says(bide(2, text("runs wait %s complete --part nobody", run)),
                "\"first\", \"second\", \"third\"");
    bide(0, text("runs wait %s complete --part third --payload '{\"agrees\": true}'", run));

    run_until(&s, run, "COMPLETED");
    assert_says(bide(0, text("runs show %s", run)), "\"first\" completed by ann");
}

Test(acts, a_wait_is_moved_and_gives_up)
{
    const char *run = board();

    bide(0, text("runs wait %s move never --reason 'they are on holiday'", run));
    assert_says(bide(0, text("runs show %s", run)), "they are on holiday");
    server_kill(&s);
    server_start(&s);
    bide(0, text("runs wait %s timeout --by ann", run));

    run_until(&s, run, "COMPLETED");
    assert_says(bide(0, text("runs show %s", run)), "wait timed out by ann");
    assert_says(bide(1, text("runs wait %s skip", run)), "it waits for nothing");
}

Test(acts, a_wait_is_skipped)
{
    const char *run = refund();

    assert_says(bide(2, text("runs wait %s skpi", run)), "did you mean \"skip\"?");
    assert_says(bide(2, text("runs wait %s skip 10m", run)), "only move takes a time");
    assert_says(bide(2, text("runs wait %s move", run)), "move needs a time");
    assert_says(bide(1, "runs wait run_0000000000000 skip"), "refused (404)");
    bide(0, text("runs wait %s skip --by ann", run));

    run_until(&s, run, "COMPLETED");
    assert_says(bide(0, text("runs show %s", run)), "wait skipped by ann");
}

Test(acts, a_segment_closes_a_token_that_it_has_made)
{
    assert_says(bide(0, "trigger closer --wait"), "\"told\":\"closed\"");
    assert_says(bide(0, "tokens list"), "CANCELED");
}

/* What is not called "data" is not taken for an answer of null. */
Test(acts, a_part_is_not_completed_with_what_nobody_meant)
{
    const char *run = board();
    const char *path = text("/api/v1/runs/%s/wait/complete", run);

    const struct reply *got = server_call(
        &s, "POST", path, "{\"part\": \"first\", \"payload\": {\"approved\": true}}");
    cr_assert_eq(got->status, 400, "%s", got->text);
    got = server_call(&s, "POST", path, "{\"part\": \"first\", \"approved\": true}");
    cr_assert_eq(got->status, 400, "%s", got->text);
    cr_assert_neq(strstr(got->text, "data"), NULL, "%s", got->text);
}
