/* Idempotency keys of waits: what comes again with a run's own key is the first, so that nobody
 * waits twice. Of global ones the first may be another run's in the same batch: they are only
 * drawn. */
#include "base/duration.h"
#include "engine/key.h"
#include "model.h"

#define MONTH_MS (INT64_C(30) * 86400 * 1000)

struct shadow_wait {
    struct wait_first first;
    int64_t expires_ms;
    uint64_t batch;
    bool is_over; /* it was reset */
};

static struct shadow_wait *wait_of(const struct look *look, int64_t run_id, struct slice key,
                                   bool add)
{
    struct table *waits = &look->model->waits;
    uint64_t hash = table_hash(key, (uint64_t)run_id);
    struct shadow_wait *kept = table_find(waits, hash);

    if (kept == NULL && add) {
        kept = ARENA_NEW(&look->model->arena, struct shadow_wait);
        kept->is_over = true;
        table_set(waits, hash, kept);
    }
    return kept;
}

static bool is_live(const struct look *look, const struct shadow_wait *kept)
{
    return kept != NULL && !kept->is_over && kept->expires_ms > look->steady_ms;
}

/* `acted`: by hand, in this batch, on the wait that has just begun. */
struct wait_first rule_wait_first(const struct look *look, const struct run *run,
                                  const struct frame_end *end, bool acted)
{
    struct wait_first now = { .begun_ms = look->steady_ms };

    now.due_ms = look_deadline(look, end->due_ms, end->span_ms, &now.is_span);
    now.is_unsure = end->key.size > 0 && end->key_global;
    if (end->key.size == 0 || end->key_global)
        return now;
    struct shadow_wait *kept = wait_of(look, run->id, end->key, true);
    now.is_unsure =
        kept->first.is_unsure || (kept->is_over && kept->batch == look->model->batches);
    if (is_live(look, kept) && !now.is_unsure) {
        struct wait_first first = kept->first;
        if (first.due_ms == 0 && end->wait_kind != WAIT_FOR_TIME)
            first.due_ms = now.due_ms, first.is_span = now.is_span;
        kept->first.is_unsure = acted;
        return first;
    }
    int64_t left_ms = now.due_ms - (now.is_span ? look->steady_ms : look->now_ms);
    int64_t ttl_ms =
        end->key_ttl_ms > 0 ? end->key_ttl_ms : time_after(MONTH_MS, left_ms > 0 ? left_ms : 0);
    *kept = (struct shadow_wait){ .first = now,
                                  .expires_ms = time_after(look->steady_ms, ttl_ms),
                                  .batch = look->model->batches };
    kept->first.is_unsure |= acted;
    return now;
}

void rule_wait_key_acted(const struct look *look, const struct command *command,
                         const struct wait *wait)
{
    const struct token_complete *act = &command->token_complete;
    struct shadow_wait *kept =
        wait->key_global ? NULL : wait_of(look, act->id, wait->key, false);

    if (wait->key.size == 0 || !is_live(look, kept) || kept->first.due_ms != wait->due_ms)
        return;
    if (command->kind == COMMAND_WAIT_SKIP || command->kind == COMMAND_WAIT_TIMEOUT) {
        kept->first.due_ms = look->steady_ms;
        kept->first.is_span = true;
        kept->first.is_skipped = command->kind == COMMAND_WAIT_SKIP;
    } else if (command->kind == COMMAND_WAIT_MOVE && act->part.size == 0) {
        kept->first.due_ms =
            look_deadline(look, act->date_ms, act->span_ms, &kept->first.is_span);
    } else {
        kept->first.is_unsure = true; /* it may be over by that */
    }
}

/* By a command that came before in the batch: then its key may be there since. */
static bool has_begun(const struct look *look, int64_t run_id, struct slice key)
{
    const struct shadow *shadow = shadow_of(look, run_id);
    const struct frame_end *end =
        shadow == NULL || shadow->end == NULL ? NULL : shadow->end->segment_end.end;

    return end != NULL && end->verdict == VERDICT_WAIT && slice_equal(end->key, key);
}

void rule_wait_key_reset(const struct look *look, const struct command *command)
{
    const struct key_reset *reset = &command->key_reset;
    const struct run *run = run_now(look, reset->owner);
    bool is_taken = command->err.code == ERR_OK;
    struct shadow_wait *kept = wait_of(look, reset->owner, reset->key, is_taken);

    if (kept == NULL)
        return;
    if (run == NULL || run->environment != reset->environment ||
        kept->batch == look->model->batches ||
        (is_taken && has_begun(look, reset->owner, reset->key))) {
        kept->first.is_unsure = true;
        return;
    }
    if (is_taken != is_live(look, kept) && !kept->first.is_unsure)
        world_flaw(look->world, "the key of a wait of run %lld is %s, and its reset is %s",
                   (long long)reset->owner, is_taken ? "over" : "there",
                   is_taken ? "taken" : "refused");
    kept->is_over |= is_taken;
    kept->batch = look->model->batches;
}
