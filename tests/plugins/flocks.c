/*
 * flocks: tasks that make batches.
 *
 *   flock  {count, bad?, same?, all?, crash?}  batch of `count` items of "member", the `bad`th
 * of which its queue's rules refuse (metadata that is none), `same`: all have one key member
 * {n}                                  n twice; fails for a negative one
 */
#include <bide/bide.h>
#include <stdio.h>
#include <stdlib.h>

#define FLOCK_STATE(F)    F(BATCH, all)
#define FLOCK_SEGMENTS(S) S(gather) S(gathered)
#define MEMBER(S)         S(be_member)

BIDE_TASK(flock, FLOCK_STATE, FLOCK_SEGMENTS, .id = "flock", .max_attempts = 3,
          .retry_min_ms = 10)
BIDE_TASK(member, BIDE_NO_STATE, MEMBER, .id = "member", .max_attempts = 1)
BIDE_PLUGIN("flocks", "1.0.0", flock_task, member_task)

static bide_next gather(bide_task *t)
{
    struct flock *s = bide_state(t);
    const bide_value *in = bide_input(t);
    int64_t count = bide_i64(t, in, "count"), bad = bide_i64(t, in, "bad");
    bool is_same = bide_bool(t, in, "same");

    s->all = bide_batch_begin_with(
        t, (struct bide_batch_opts){ .all_or_nothing = bide_bool(t, in, "all") });
    for (int64_t i = 0; i < count; i++) {
        bide_map *payload = bide_map_new(t);
        bide_put_i64(t, payload, "n", is_same ? 1 : i);
        uint32_t index =
            bide_batch_add_with(t, &s->all, bad != 0 && i == bad ? "nobody" : "member", payload,
                                (struct bide_trigger_opts){ .key = is_same ? "one" : NULL });
        if (index != (uint32_t)i)
            return bide_fail(t, "index", "item %d has index %u", (int)i, (unsigned)index);
        if (i == count / 2 && bide_bool(t, in, "crash") && bide_info(t)->attempt == 1)
            abort();
    }
    return bide_wait_batch(t, &s->all, gathered);
}

static bide_next gathered(bide_task *t)
{
    struct flock *s = bide_state(t);
    int64_t total = 0, failed = 0;

    for (uint32_t i = 0; i < bide_batch_count(t, &s->all); i++) {
        if (bide_batch_status(t, &s->all, i) == BIDE_WAIT_OK) {
            total += bide_i64(t, bide_batch_output(t, &s->all, i), "n");
            continue;
        }
        failed++;
        bide_out_str(t, "error", bide_batch_error(t, &s->all, i));
    }
    bide_out_i64(t, "count", bide_batch_count(t, &s->all));
    bide_out_i64(t, "total", total);
    bide_out_i64(t, "failed", failed);
    bide_out_i64(t, "ended", bide_wait_status(t));
    return bide_done(t);
}

static bide_next be_member(bide_task *t)
{
    bide_out_i64(t, "n", 2 * bide_i64(t, bide_input(t), "n"));
    return bide_done(t);
}
