/*
 * mail: tasks that send and receive.
 *
 *   box   receives `count` messages of the name "word", one after the other; its first try at
 *         each fails. Its output: {"words": [...]}.
 *   pair  waits for a "yes" and a "no" at once, or gives up. Its output: {"yes", "no", "late"}.
 *   man   sends "word" to the run of its input twice, with its `key` if it has one; its first
 * try fails behind that. Its output: {"number"}, of the second one.
 */
#include <bide/bide.h>

#define BOX_STATE(F)    F(U32, count) F(VALUE, words)
#define BOX_SEGMENTS(S) S(box_start) S(box_word)

BIDE_TASK(box, BOX_STATE, BOX_SEGMENTS, .id = "box", .max_attempts = 50, .retry_min_ms = 1,
          .retry_max_ms = 1)

static bide_next box_start(bide_task *t)
{
    struct box *s = bide_state(t);

    s->count = (uint32_t)bide_i64(t, bide_input(t), "count");
    s->words = bide_list_new(t);
    return bide_receive(t, "word", box_word);
}

static bide_next box_word(bide_task *t)
{
    struct box *s = bide_state(t);
    bide_list *words = bide_list_new(t);

    if (bide_info(t)->attempt % 2 == 1)
        return bide_retry(t, "again", "each message is told twice, and received once");
    for (uint32_t i = 0; i < bide_count(t, s->words); i++)
        bide_add(t, words, bide_at(t, s->words, i));
    bide_add(t, words, bide_result(t));
    s->words = words;
    if (bide_count(t, words) < s->count)
        return bide_receive(t, "word", box_word);
    bide_out_value(t, "words", words);
    return bide_done(t);
}

#define PAIR_SEGMENTS(S) S(pair_start) S(pair_end)

BIDE_TASK(pair, BIDE_NO_STATE, PAIR_SEGMENTS, .id = "pair")

static bide_next pair_start(bide_task *t)
{
    struct bide_part parts[] = { bide_part_message("first", "yes"),
                                 bide_part_message("second", "no") };

    return bide_wait_group(
        t, 0, parts, 2,
        (struct bide_wait_opts){ .for_ms = bide_i64(t, bide_input(t), "within_ms") }, pair_end);
}

static bide_next pair_end(bide_task *t)
{
    bide_out_value(t, "yes", bide_part_result(t, "first"));
    bide_out_value(t, "no", bide_part_result(t, "second"));
    bide_out_bool(t, "late", bide_timed_out(t));
    return bide_done(t);
}

#define MAN_SEGMENTS(S) S(man_start)

BIDE_TASK(man, BIDE_NO_STATE, MAN_SEGMENTS, .id = "man", .max_attempts = 2, .retry_min_ms = 1,
          .retry_max_ms = 1)

static bide_next man_start(bide_task *t)
{
    const bide_value *in = bide_input(t);
    const char *key = bide_str(t, in, "key");
    bide_run to;

    if (!bide_run_by_id(t, bide_str(t, in, "run"), &to))
        return bide_fail(t, "no_run", "the input has no run");
    bide_send(t, &to, "word", bide_get(t, in, "data"));
    int64_t number =
        bide_send_with(t, &to, "word", bide_get(t, in, "data"),
                       (struct bide_send_opts){ .key = *key == '\0' ? NULL : key });
    if (bide_info(t)->attempt == 1)
        return bide_retry(t, "again", "what is sent is sent once");
    bide_out_i64(t, "number", number);
    return bide_done(t);
}

BIDE_PLUGIN("mail", "1.0.0", box_task, pair_task, man_task)
