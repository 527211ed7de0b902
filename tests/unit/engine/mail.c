/* Mailboxes: kept until they are received, in order, once, and not more than there is room for.
 */
#include "engine/waits/mail.h"

#include "bench.h"

static void mail_open(void)
{
    bench_open();
    bench.limits.mailbox = 5;
    bench.limits.mailbox_bytes = 400;
    bench_catalog();
}

TestSuite(mail, .init = mail_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

static struct command *add_message(int64_t run, const char *name, const char *packed)
{
    struct command *command = add(COMMAND_MESSAGE_SEND);

    command->message_send.environment = DEV;
    command->message_send.run_id = run;
    command->message_send.name = slice_of(name);
    command->message_send.data = slice_of(packed);
    return command;
}

static struct message_send *send_keyed(int64_t run, const char *name, const char *packed,
                                       const char *key)
{
    struct command *command = add_message(run, name, packed);

    command->message_send.key = slice_of(key);
    cr_assert(commit(), "%s", bench.err.text);
    return &command->message_send;
}

static int64_t send(int64_t run, const char *name, const char *packed)
{
    struct command *command = add_message(run, name, packed);

    cr_assert(commit(), "%s", bench.err.text);
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->message_send.number;
}

/* Sent by the segment that `sender` is in, as its call of that number. */
static struct command *send_from(int64_t sender, uint32_t call, int64_t run, const char *packed)
{
    struct command *command = add_message(run, "word", packed);

    command->message_send.sender_id = sender;
    command->message_send.sender_seq = run_of(sender)->seq;
    command->message_send.id = run_of(sender)->id_block + call;
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}

static void receive_some(int64_t run, uint32_t needed, const char *const *words, uint32_t count,
                         int64_t due_ms)
{
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;

    end->needed = needed;
    end->due_ms = due_ms;
    end->parts = ARENA_ARRAY(bench_arena(), struct frame_part, count + 1);
    for (uint32_t i = 0; i < count; i++)
        end->parts[i] = (struct frame_part){ .kind = PART_MESSAGE,
                                             .word = slice_of(words[i]),
                                             .name = slice_of(words[i]),
                                             .id = 77 };
    end->part_count = count;
    cr_assert(commit(), "%s", bench.err.text);
}

static void receive(int64_t run, const char *word)
{
    receive_some(run, 0, &word, 1, 0);
}

static const struct frame_result *told(int64_t run, uint32_t place)
{
    cr_assert_lt(place, segment(run)->result_count);
    return &segment(run)->results[place];
}

static void must_be_told(int64_t run, uint32_t place, const char *packed)
{
    cr_assert_eq(told(run, place)->status, WAIT_OK);
    cr_assert(slice_is(told(run, place)->value, packed));
}

Test(mail, one_that_comes_wakes_the_run_that_waits_for_it)
{
    int64_t run = start("t");

    receive(run, "word");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    (void)send(run, "other", "\x05");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    cr_assert_eq(send(run, "word", "\x07"), 2);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    must_be_told(run, 0, "\x07");
}

Test(mail, one_that_comes_before_the_wait_is_there_when_the_wait_comes)
{
    int64_t run = trigger("t");

    (void)send(run, "word", "\x01");
    (void)send(run, "word", "\x02");
    bench_restart(true);
    receive(run, "word");
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    must_be_told(run, 0, "\x01");
    receive(run, "word");
    must_be_told(run, 0, "\x02");
    receive(run, "word");

    cr_assert_eq(STATUS(run), RUN_WAITING, "each is received once");
}

Test(mail, two_parts_of_one_name_take_two_and_the_rest_stays)
{
    int64_t run = start("t");
    const char *const words[] = { "a", "b", "a" };

    receive_some(run, 0, words, 3, 0);
    (void)send(run, "a", "\x01");
    bench_restart(true);
    (void)send(run, "a", "\x02");
    (void)send(run, "a", "\x03");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    (void)send(run, "b", "\x04");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    must_be_told(run, 0, "\x01");
    must_be_told(run, 1, "\x04");
    must_be_told(run, 2, "\x02");
    receive(run, "a");
    must_be_told(run, 0, "\x03");
}

Test(mail, a_segment_that_is_tried_again_is_told_the_same)
{
    int64_t run = start("t");

    receive(run, "word");
    (void)send(run, "word", "\x01");
    (void)send(run, "word", "\x02");
    end_fail(run, true);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    must_be_told(run, 0, "\x01");
    (void)lose(run, LOSS_CRASHED);
    must_be_told(run, 0, "\x01");
    receive(run, "word");

    must_be_told(run, 0, "\x02");
}

Test(mail, one_that_comes_while_a_segment_runs_is_for_the_next_wait)
{
    int64_t run = start("t");
    const char *const words[] = { "a", "b" };

    receive_some(run, 1, words, 2, 0);
    (void)send(run, "a", "\x01");
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    (void)send(run, "b", "\x02");
    end_fail(run, true);
    cr_assert_eq(told(run, 1)->status, WAIT_NONE, "a retry sees what the first try saw");
    receive(run, "b");

    must_be_told(run, 0, "\x02");
}

Test(mail, a_wait_that_gives_up_leaves_what_comes_later)
{
    int64_t run = start("t");
    const char *word = "word";

    receive_some(run, 0, &word, 1, bench.now_ms + SECONDS(5));
    advance(SECONDS(5));
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(told(run, 0)->status, WAIT_NONE);
    (void)send(run, "word", "\x01");
    receive(run, "word");

    must_be_told(run, 0, "\x01");
}

Test(mail, sent_twice_with_one_key_it_is_received_once)
{
    int64_t run = start("t");

    cr_assert_eq(send_keyed(run, "word", "\x01", "k")->number, 1);
    struct message_send *again = send_keyed(run, "word", "\x01", "k");
    cr_assert(again->cached && !again->differs);
    cr_assert_eq(again->number, 1);
    receive(run, "word");
    receive(run, "word");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    again = send_keyed(run, "word", "\x02", "k");

    cr_assert(again->cached && again->differs, "also after it was received");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    cr_assert_not(send_keyed(start("u"), "word", "\x01", "k")->cached, "keys are a run's own");
}

Test(mail, a_segment_that_runs_again_sends_once)
{
    int64_t sender = start("t"), run = start("u");

    (void)send_from(sender, 1, run, "\x01");
    end_fail(sender, true);
    cr_assert(send_from(sender, 1, run, "\x01")->message_send.cached);
    cr_assert_eq(send_from(sender, 2, run, "\x01")->message_send.number, 2);
    cr_assert_eq(send_from(sender, 1, run, "\x09")->err.code, ERR_DIFFERS);

    struct mail mail = mail_read(bench_arena(), run_of(run)->mail);
    cr_assert_eq(mail.count, 2);
    cr_assert_eq(mail.items[0].sender_id, sender);
}

Test(mail, a_full_mailbox_refuses_and_says_so)
{
    int64_t run = start("t");

    for (int i = 0; i < 5; i++)
        (void)send(run, "word", "\x01");
    struct command *more = add_message(run, "word", "\x01");
    cr_assert(commit());
    cr_assert_eq(more->err.code, ERR_FULL);
    cr_assert(strstr(more->err.text, "it holds 5 messages") != NULL, "%s", more->err.text);
    receive(run, "word");
    receive(run, "word");

    (void)send(run, "word", "\x01");
}

Test(mail, of_too_many_bytes_it_is_full_too)
{
    int64_t run = start("t");
    char large[500];

    memset(large, 1, sizeof large - 1);
    large[sizeof large - 1] = '\0';
    struct command *refused = add_message(run, "word", large);
    cr_assert(commit());
    cr_assert_eq(refused->err.code, ERR_TOO_LARGE);
    large[200] = '\0';
    (void)send(run, "word", large);
    refused = add_message(run, "word", large);
    cr_assert(commit());

    cr_assert_eq(refused->err.code, ERR_FULL);
}

Test(mail, an_unknown_run_another_environments_and_one_that_has_ended_are_refused)
{
    int64_t run = start("t");

    struct command *refused = add_message(run, "word", "\x01");
    refused->message_send.environment = PROD;
    cr_assert(commit());
    cr_assert_eq(refused->err.code, ERR_NOT_FOUND);
    cr_assert(strstr(refused->err.text, "in this environment") != NULL);
    (void)send_keyed(run, "word", "\x01", "k");
    end_done(run);
    refused = add_message(run, "word", "\x01");
    cr_assert(commit());

    cr_assert_eq(refused->err.code, ERR_GONE);
    cr_assert_eq(run_of(run)->mail.size, 0, "what nobody received goes with it");
    cr_assert(send_keyed(run, "word", "\x01", "k")->cached, "that one did come");
}

Test(mail, one_that_the_schema_refuses_is_not_kept)
{
    bench.tasks[0].schema = bench_schema("messages:\n  word: {type: integer}\n");
    bench_catalog();
    int64_t run = start("t");

    struct command *refused = add_message(run, "wrod", "\x01");
    cr_assert(commit());
    cr_assert_eq(refused->err.code, ERR_RULE);
    refused = add_message(run, "word", "\xc3");
    cr_assert(commit());
    cr_assert_eq(refused->err.code, ERR_BAD_DATA);
    cr_assert_eq(refused->problems->count, 1);

    cr_assert_eq(send(run, "word", "\x01"), 1);
}

Test(mail, many_at_once_are_kept_in_order)
{
    enum { MANY = 1000 };
    int64_t run = start("t");
    bench.limits.mailbox = MANY;
    bench.limits.mailbox_bytes = 1 << 20;
    bench_catalog();

    for (int i = 0; i < MANY; i++)
        (void)add_message(run, i % 2 == 0 ? "even" : "odd", "\x01");
    cr_assert(commit());

    struct mail mail = mail_read(bench_arena(), run_of(run)->mail);
    cr_assert_eq(mail.count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        cr_assert(mail.items[i].number == i + 1 &&
                  slice_is(mail.items[i].name, i % 2 == 0 ? "even" : "odd"));
}
