/*
 * remind: the same note again and again. A loop is a segment that names itself.
 *
 *   start ──▶ nudge ──interval──▶ nudge ──interval──▶ … ──▶ done
 */
#include "remind.schema.h" /* made from schemas/remind.yaml */

#include <bide/bide.h>

#define REMINDER_STATE(F) \
    F(I64, interval_ms)   \
    F(U32, count)         \
    F(U32, sent)          \
    F(VALUE, note) /* of any length */

#define REMINDER_SEGMENTS(S) \
    S(start)                 \
    S(nudge)

BIDE_TASK(reminder, REMINDER_STATE, REMINDER_SEGMENTS, .id = "remind", .keep_states = 3)

static bide_next start(bide_task *t)
{
    struct reminder *s = bide_state(t);
    struct remind_input in = remind_input_read(t); /* valid, and its defaults filled in */

    s->interval_ms = in.interval_ms;
    s->count = (uint32_t)in.count;
    s->note = bide_of_str(t, in.note);
    return bide_wait_for(t, 0, nudge);
}

static bide_next nudge(bide_task *t)
{
    struct reminder *s = bide_state(t);

    if (s->sent == s->count) {
        remind_output_write(t, &(struct remind_output){ .sent = s->sent });
        return bide_done(t);
    }
    s->sent++;
    bide_log_info(t, "reminder %u of %u: %s", (unsigned)s->sent, (unsigned)s->count,
                  bide_str(t, s->note, NULL));
    bide_meta_i64(t, "sent", s->sent);
    bide_progress(t, s->sent * 100 / s->count);
    return bide_wait_for(t, s->interval_ms, nudge); /* the loop: wait, come back */
}

BIDE_PLUGIN("remind", "1.0.0", reminder_task)
