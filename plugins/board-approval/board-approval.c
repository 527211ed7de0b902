/*
 * board-approval: two of three people must say the same. Who says nothing is reminded, and when
 * they do not come to an end, the default is the decision.
 *
 *   ask ──two of three votes──▶ count ──one yes, one no──▶ (waits for the third) ──▶ count
 *    ├── 1 h, 4 h ──▶ nudge ──▶ (waits on)
 *    └── 2 days ────▶ by_default
 */
#include "board-approval.schema.h" /* made from schemas/board-approval.yaml */

#include <bide/bide.h>

#define BOARD_STATE(F)       \
    F(LIST(TOKEN, 3), votes) \
    F(LIST(I64, 8), remind)  \
    F(I64, until_ms)         \
    F(U32, reminders)

#define BOARD_SEGMENTS(S) S(ask) S(count) S(nudge) S(by_default)

BIDE_TASK(board, BOARD_STATE, BOARD_SEGMENTS, .id = "board-approval")

/* Until `needed` of them have voted. */
static bide_next wait_for_votes(bide_task *t, uint32_t needed)
{
    struct board *s = bide_state(t);
    const struct bide_part votes[] = { bide_part_token("first", &s->votes.item[0]),
                                       bide_part_token("second", &s->votes.item[1]),
                                       bide_part_token("third", &s->votes.item[2]) };
    bool reminds = s->reminders < s->remind.count;

    return bide_wait_group(
        t, needed, votes, 3,
        (struct bide_wait_opts){ .until_ms = s->until_ms,
                                 .otherwise = by_default,
                                 .remind = reminds ? nudge : NULL,
                                 .remind_ms = s->remind.item + s->reminders,
                                 .remind_count = reminds ? s->remind.count - s->reminders : 0 },
        count);
}

static bide_next ask(bide_task *t)
{
    struct board *s = bide_state(t);
    const bide_value *times = bide_get(t, bide_input(t), "remind_after_ms");

    s->until_ms = bide_now(t) + bide_i64(t, bide_input(t), "give_up_ms");
    s->remind.count = bide_count(t, times);
    for (uint32_t i = 0; i < s->remind.count; i++)
        s->remind.item[i] = bide_i64(t, bide_at(t, times, i), NULL);
    s->votes.count = 3;
    for (uint32_t i = 0; i < 3; i++)
        s->votes.item[i] = bide_token_create(
            t, (struct bide_token_opts){ .timeout_ms = BIDE_DAYS(30), .schema = "vote" });
    bide_meta_str(t, "first", bide_token_url(t, &s->votes.item[0]));
    bide_meta_str(t, "second", bide_token_url(t, &s->votes.item[1]));
    bide_meta_str(t, "third", bide_token_url(t, &s->votes.item[2]));
    return wait_for_votes(t, 2);
}

static const char *const names[] = { "first", "second", "third" };

/* Here one would send a mail again; the wait is not over. */
static bide_next nudge(bide_task *t)
{
    struct board *s = bide_state(t);
    const bide_value *people = bide_get(t, bide_input(t), "people");

    s->reminders++;
    for (uint32_t i = 0; i < 3; i++)
        if (bide_part_status(t, names[i]) == BIDE_WAIT_NONE)
            bide_log_info(t, "%s has not voted yet (reminder %u)",
                          bide_str(t, bide_at(t, people, i), NULL), (unsigned)bide_reminder(t));
    return bide_wait_on(t);
}

static bide_next decide(bide_task *t, bool approved, bool by_default_)
{
    struct board *s = bide_state(t);

    board_approval_output_write(t, &(struct board_approval_output){
                                       .decision = approved
                                                       ? BOARD_APPROVAL_OUTPUT_DECISION_APPROVED
                                                       : BOARD_APPROVAL_OUTPUT_DECISION_REFUSED,
                                       .by_default = by_default_,
                                       .reminders = s->reminders });
    return bide_done(t);
}

static bide_next count(bide_task *t)
{
    uint32_t votes[2] = { 0, 0 };

    for (uint32_t i = 0; i < 3; i++)
        if (bide_part_status(t, names[i]) == BIDE_WAIT_OK)
            votes[bide_bool(t, bide_part_result(t, names[i]), "agrees")]++;
    if (votes[0] < 2 && votes[1] < 2)
        return wait_for_votes(t, 3);
    return decide(t, votes[1] >= 2, false);
}

static bide_next by_default(bide_task *t)
{
    const char *otherwise = bide_str(t, bide_input(t), "otherwise");

    return decide(t, otherwise[0] == 'a', true);
}

BIDE_PLUGIN("board-approval", "1.0.0", board_task)
