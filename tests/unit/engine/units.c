/* Parts of the engine that need no batch: timelines. */
#include "engine/timeline.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;

static void finish(void)
{
    arena_finish(&arena);
}

TestSuite(timeline, .fini = finish);
TestSuite(callback, .fini = finish);

static void add_move(struct run *run, const struct move *move)
{
    run->timeline = timeline_add(&arena, run, move);
}

Test(timeline, moves_come_back_as_they_were)
{
    struct run run = { .created_ms = 1800000000000 };
    struct move *moves;

    add_move(&run, &(struct move){ 1800000000000, RUN_QUEUED, 0, SLICE("") });
    add_move(&run, &(struct move){ 1800000000127, RUN_RUNNING, 0, SLICE("start") });
    add_move(&run, &(struct move){ 1800000000128, RUN_WAITING, 0, SLICE("for a time") });
    add_move(&run,
             &(struct move){ 1900000000000, RUN_DONE, OUTCOME_SYSTEM_FAILURE, SLICE("") });

    cr_assert_eq(timeline_read(&arena, &run, &moves), 4);
    cr_assert_eq(moves[1].at_ms, 1800000000127);
    cr_assert_eq(moves[1].status, RUN_RUNNING);
    cr_assert(slice_is(moves[1].text, "start"));
    cr_assert(slice_is(moves[2].text, "for a time"));
    cr_assert_eq(moves[3].at_ms, 1900000000000);
    cr_assert_eq(moves[3].outcome, OUTCOME_SYSTEM_FAILURE);
}

Test(timeline, the_first_and_the_last_moves_are_kept)
{
    struct run run = { .created_ms = 1000 };
    struct move *moves;

    for (int i = 0; i < 1000; i++) {
        add_move(&run, &(struct move){ 1000 + i * 10, RUN_RUNNING, 0,
                                       arena_format(&arena, "move %d", i) });
        uint32_t count = timeline_read(&arena, &run, &moves);
        uint32_t expected = i + 1 < 220 ? (uint32_t)i + 1 : 220;
        cr_assert_eq(count, expected);
        cr_assert(slice_equal(moves[count - 1].text, arena_format(&arena, "move %d", i)));
    }

    for (uint32_t i = 0; i < 20; i++)
        cr_assert_eq(moves[i].at_ms, 1000 + i * 10);
    for (uint32_t i = 20; i < 220; i++)
        cr_assert_eq(moves[i].at_ms, 1000 + (i - 20 + 800) * 10);
}

Test(timeline, its_size_is_bounded)
{
    struct run run = { .created_ms = 0 };
    char text[500];
    memset(text, 'x', sizeof text);

    for (int i = 0; i < 500; i++)
        add_move(&run, &(struct move){ INT64_MAX, RUN_RUNNING, 0, { text, sizeof text } });

    cr_assert_leq(run.timeline.size, 220 * (2 + 10 + MOVE_TEXT_MAX));
}

Test(timeline, a_long_text_is_cut_between_characters)
{
    struct run run = { 0 };
    struct move *moves;
    char text[MOVE_TEXT_MAX + 80];
    memset(text, 'x', sizeof text);
    memcpy(text + MOVE_TEXT_MAX - 1, "\xe2\x82\xac", 3);

    add_move(&run, &(struct move){ 1, RUN_PARKED, 0, { text, sizeof text } });

    cr_assert_eq(timeline_read(&arena, &run, &moves), 1);
    cr_assert_eq(moves[0].text.size, MOVE_TEXT_MAX - 1);
}

/* The clock may have stepped back since the run was made. */
Test(timeline, a_move_before_the_beginning_is_at_the_beginning)
{
    struct run run = { .created_ms = 5000 };
    struct move *moves;

    add_move(&run, &(struct move){ 4000, RUN_QUEUED, 0, SLICE("") });

    cr_assert_eq(timeline_read(&arena, &run, &moves), 1);
    cr_assert_eq(moves[0].at_ms, 5000);
}

Test(timeline, bytes_cut_anywhere_give_the_moves_before)
{
    struct run run = { .created_ms = 0 };
    struct move *moves;
    for (int i = 0; i < 5; i++)
        add_move(&run, &(struct move){ i * 100000, RUN_QUEUED, 0, SLICE("text") });
    struct slice whole = run.timeline;
    uint32_t last = 0;

    for (size_t size = 0; size <= whole.size; size++) {
        char *cut = memcpy(malloc(size + 1), whole.data, size);
        run.timeline = (struct slice){ cut, size };
        uint32_t count = timeline_read(&arena, &run, &moves);
        cr_assert(count == last || count == last + 1);
        last = count;
        free(cut);
    }

    cr_assert_eq(last, 5);
}

Test(timeline, random_bytes_never_break_it)
{
    uint64_t random = 3;

    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        struct move *moves;
        struct run run = { 0 };
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        run.timeline = (struct slice){ bytes, random % sizeof bytes };
        for (size_t i = 0; i < run.timeline.size; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[i] = (char)(random >> 11);
        }
        (void)timeline_read(&arena, &run, &moves);
        add_move(&run, &(struct move){ 1, RUN_QUEUED, 0, SLICE("x") });
        cr_assert_geq(timeline_read(&arena, &run, &moves), 1);
        arena_reset(&arena);
    }
}
