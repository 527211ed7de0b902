/*
 * Shares: how environments divide the slots. Nothing that runs is taken back, so what an
 * environment is sure of must have been kept for it:
 *
 *   kept      slots that the others leave free as long as it does not use them: half its share
 *   the rest  is lent to whoever has work; when it comes free, it goes to the environment that
 *             has least of its share
 *
 * So an environment with work starts what is kept for it at once, and comes to its whole share
 * as segments of others end. Of short tasks more run than there are slots, and as many times
 * more are kept.
 */
#include "engine/batch.h"

enum { SHORT_FACTOR = 16 /* segments ahead per slot for tasks that end at once */ };

static struct share *share_find(const struct batch *batch, uint32_t environment)
{
    for (uint32_t i = 0; i < batch->admission.share_count; i++)
        if (batch->admission.shares[i].environment == environment)
            return &batch->admission.shares[i];
    return NULL;
}

/* One that the configuration does not name any more has runs all the same. */
struct share *share_get(struct batch *batch, uint32_t environment)
{
    struct share *share = share_find(batch, environment);

    return share != NULL ? share : &batch->admission.shares[batch->admission.share_count - 1];
}

static void running_add(struct batch *batch, uint32_t environment, uint32_t count)
{
    share_get(batch, environment)->running += count;
    batch->admission.in_use += count;
}

/* Alone, nobody else changes it: what was seen last still is so. */
bool environment_now(struct batch *batch, uint32_t number,
                     const struct environment **environment)
{
    static const struct environment unknown;
    const struct engine *engine = batch->engine;
    struct environment *row = rows_environment_here(&batch->rows, number);

    for (uint32_t i = 0;
         row == NULL && node_is_alone(&engine->node) && i < engine->environment_count; i++)
        if (engine->environments[i].number == number) {
            *environment = &engine->environments[i];
            return true;
        }
    bool is_loaded = rows_environment(&batch->rows, number, &row);
    *environment = row == NULL ? &unknown : row;
    return is_loaded;
}

bool shares_load(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;
    const struct environment *environment;
    bool loaded = true;

    for (uint32_t i = 0; i < catalog->environment_count; i++)
        loaded &= environment_now(batch, catalog->environments[i], &environment);
    return loaded;
}

/* The last one is for what the configuration does not name. */
static struct share share_begin(struct batch *batch, uint32_t at)
{
    const struct catalog *catalog = batch->catalog;
    const struct environment *environment;
    bool is_named = at < catalog->environment_count && catalog->environment_shares != NULL;
    struct share share = { .weight = is_named ? catalog->environment_shares[at] : 1,
                           .limit = UINT32_MAX,
                           .whole = UINT32_MAX };
    uint32_t most;

    if (at == catalog->environment_count)
        return share;
    share.environment = catalog->environments[at];
    (void)environment_now(batch, share.environment, &environment); /* loaded */
    share.is_paused = environment->paused;
    most = catalog_environment_limit(catalog, share.environment).most;
    uint32_t slots = catalog->slots * nodes_count(batch);
    if (pause_is_ramping(&environment->pause) && most > slots)
        most = slots;
    share.limit = share.whole = pause_limit(&environment->pause, most, batch->steady_ms);
    if (is_named && !share.is_paused && catalog->environment_kept != NULL)
        share.kept = catalog->environment_kept[at];
    return share;
}

void shares_begin(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;
    uint32_t count = catalog->environment_count;

    batch->admission.shares = ARENA_ARRAY(batch->arena, struct share, count + 1);
    batch->admission.share_count = count + 1;
    for (uint32_t i = 0; i <= count; i++)
        batch->admission.shares[i] = share_begin(batch, i);
    for (uint32_t i = 0; i < batch->rows.running_count; i++)
        running_add(batch, batch->rows.running[i].environment, batch->rows.running[i].count);
    EACH_RUN(&batch->rows, run)
    running_add(batch, run->environment,
                (uint32_t)node_is_executing(batch, run) -
                    (uint32_t)node_was_executing(batch, run));
    for (uint32_t i = 0; i <= count; i++)
        if (batch->admission.shares[i].running < batch->admission.shares[i].kept)
            batch->admission.owed +=
                batch->admission.shares[i].kept - batch->admission.shares[i].running;
}

bool shares_look(struct batch *batch)
{
    bool loaded = true;

    for (uint32_t i = 0; i < batch->admission.share_count; i++) {
        struct share *share = &batch->admission.shares[i];
        if (share->is_paused || share->whole == UINT32_MAX)
            continue;
        share->limit = share->whole;
        uint32_t room = share_room(batch, share, true);
        loaded &= grant_look(batch, share->environment, share->whole, share->running, room,
                             &share->limit);
    }
    return loaded;
}

/* Something of it is stopped by its limit alone. */
static bool share_waits(const struct batch *batch, const struct share *share)
{
    if (rings_environment_waits(&batch->engine->rings, share->environment))
        return true;
    for (const struct place *place = batch->admission.first_place; place != NULL;
         place = place->next)
        for (const struct line *line = place->first; line != NULL && place->share == share;
             line = line->next)
            if (line->gate == GATE_ENVIRONMENT_LIMIT)
                return true;
    return false;
}

void shares_want(struct batch *batch)
{
    bool has_slot = batch->admission.in_use < running_most(batch);

    for (uint32_t i = 0; i < batch->admission.share_count; i++) {
        const struct share *share = &batch->admission.shares[i];
        bool lacks = !share->is_paused && share->running >= share->limit &&
                     share->running < share->whole && share_waits(batch, share);
        grant_want(batch, share->environment, share->whole, lacks, has_slot);
    }
}

static uint32_t factor(const struct batch *batch)
{
    return batch->engine->short_count > 0 ? SHORT_FACTOR : 1;
}

uint32_t running_most(const struct batch *batch)
{
    return batch->catalog->slots * factor(batch);
}

uint32_t share_room(const struct batch *batch, const struct share *share, bool is_short)
{
    struct slot_facts facts = { .slots = batch->catalog->slots,
                                .factor = factor(batch),
                                .in_use = batch->admission.in_use,
                                .owed = batch->admission.owed,
                                .kept = share->kept,
                                .running = share->running };

    if (share->is_paused || share->running >= share->limit)
        return 0;
    uint32_t room = slots_left(&facts, is_short), own = share->limit - share->running;
    return room < own ? room : own;
}

void share_start(struct batch *batch, struct share *share)
{
    batch->admission.owed -= share->running < share->kept;
    share->running++;
    batch->admission.in_use++;
    grant_use(batch, share->environment, share->whole, share->running);
}

struct share *share_next(const struct batch *batch)
{
    struct share *next = NULL;

    for (uint32_t i = 0; i < batch->admission.share_count; i++) {
        struct share *share = &batch->admission.shares[i];
        if (!share->is_done && (next == NULL || (uint64_t)share->running * next->weight <
                                                    (uint64_t)next->running * share->weight))
            next = share;
    }
    return next;
}
