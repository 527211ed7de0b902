/*
 * The idempotency key of a wait: where a retry begins anew, the wait that comes again is the
 * first one. The key's row says when that one began and when it ends, and it is looked for by
 * nobody but waits: what has ended needs no mark, as its time has come.
 */
#include "base/duration.h"
#include "engine/key.h"
#include "engine/waits/group.h"

enum { IS_SPAN = 1, IS_SKIPPED = 2, FLAGS = 4 };

#define KEPT_MS (INT64_C(30) * 86400 * 1000) /* after the wait's own time */

/* What a key's eight bytes hold beside its target, which is when the wait ends; 0: never. */
struct kept {
    int64_t begun_ms; /* by the steady clock */
    bool is_span, is_skipped;
};

static struct kept kept_of(const struct key *key)
{
    int64_t packed;

    memcpy(&packed, key->payload, sizeof packed);
    return (struct kept){ packed / FLAGS, packed & IS_SPAN, packed & IS_SKIPPED };
}

static void keep(struct key *key, int64_t due_ms, struct kept kept)
{
    int64_t packed = kept.begun_ms * FLAGS + (kept.is_span ? IS_SPAN : 0) +
                     (kept.is_skipped ? IS_SKIPPED : 0);

    key->target = due_ms;
    memcpy(key->payload, &packed, sizeof packed);
}

static bool key_find(struct batch *batch, const struct run *run, struct slice text,
                     bool is_global, uint8_t hash[16], struct key **key)
{
    key_hash(KEY_WAIT, run->environment, (struct slice){ 0 }, is_global ? 0 : run->id, text,
             hash);
    return rows_key(&batch->rows, hash, key);
}

bool wait_key_load(struct batch *batch, const struct run *run, struct slice key, bool is_global)
{
    uint8_t hash[16];
    struct key *row;

    return key.size == 0 || key_find(batch, run, key, is_global, hash, &row);
}

static bool wait_is_span(const struct run *run, const struct wait *wait)
{
    return wait->group != NULL ? wait->group->due_is_span : run->due_is_span;
}

/* The times of a group count from when the first began; its reminders until now were given. */
static void group_join(struct batch *batch, struct wait_group *group, int64_t begun_ms)
{
    for (uint32_t i = 0; i < group->count; i++)
        if (group->parts[i].due_ms != 0 && group->parts[i].is_span)
            group->parts[i].due_ms =
                time_after(group->parts[i].due_ms, begun_ms - group->begun_ms);
    group->begun_ms = begun_ms;
    while (batch_is_over(batch, wait_reminds_ms(group), true))
        group->reminded++;
}

void wait_key_take(struct batch *batch, struct run *run, const struct frame_end *end,
                   struct wait *wait)
{
    uint8_t hash[16];
    struct key *key;

    wait->key = arena_copy(batch->arena, end->key);
    wait->key_global = end->key_global;
    if (wait->key.size == 0)
        return;
    (void)key_find(batch, run, wait->key, wait->key_global, hash, &key); /* loaded */
    bool is_span = wait_is_span(run, wait);
    if (!key_is_live(batch, key)) {
        int64_t left_ms = wait->due_ms - (is_span ? batch->steady_ms : batch->now_ms);
        int64_t ttl_ms = end->key_ttl_ms > 0 ? end->key_ttl_ms
                                             : time_after(KEPT_MS, left_ms > 0 ? left_ms : 0);
        keep(key_make(batch, hash, 0, ttl_ms), wait->due_ms,
             (struct kept){ batch->steady_ms, is_span, false });
        return;
    }
    struct kept kept = kept_of(key);
    wait->is_skipped = kept.is_skipped;
    if (wait->group != NULL)
        group_join(batch, wait->group, kept.begun_ms);
    if (key->target == 0 && wait->kind != WAIT_FOR_TIME)
        return; /* it would never have given up, and who has patience is in no cycle */
    wait->due_ms = key->target;
    run->due_is_span = kept.is_span;
    if (wait->group != NULL)
        wait->group->due_is_span = kept.is_span;
}

/* Of a wait that had joined, and was moved since, the key goes its own way. */
static struct key *key_of(struct batch *batch, const struct run *run, const struct wait *wait)
{
    uint8_t hash[16];
    struct key *key;

    if (wait->key.size == 0)
        return NULL;
    (void)key_find(batch, run, wait->key, wait->key_global, hash, &key); /* loaded */
    return key_is_live(batch, key) && key->target == wait->due_ms ? key : NULL;
}

void wait_key_move(struct batch *batch, const struct run *run, const struct wait *wait,
                   struct deadline due)
{
    struct key *key = key_of(batch, run, wait);

    if (key != NULL)
        keep(key, due.due_ms, (struct kept){ kept_of(key).begun_ms, due.is_span, false });
}

void wait_key_over(struct batch *batch, const struct run *run, const struct wait *wait,
                   bool is_skipped)
{
    struct key *key = key_of(batch, run, wait);

    if (key != NULL)
        keep(key, batch->steady_ms, (struct kept){ kept_of(key).begun_ms, true, is_skipped });
}
