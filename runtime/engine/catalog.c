#include "engine/catalog.h"

#include "base/memory.h"
#include "base/name.h"
#include "base/suggest.h"
#include "base/table.h"

#include <stdlib.h>

struct catalog *catalog_create(void)
{
    struct catalog *catalog = memory_zeroed(1, sizeof *catalog);

    catalog->readers = ARENA_NEW(&catalog->arena, uint32_t);
    return catalog;
}

void catalog_destroy(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    struct arena arena = catalog->arena;
    arena_finish(&arena);
    free(catalog);
}

static int task_order(const void *a, const void *b)
{
    const struct catalog_task *one = a, *other = b;
    int order = slice_compare(one->id, other->id);

    if (order != 0)
        return order;
    if (one->is_kept != other->is_kept)
        return one->is_kept ? 1 : -1;
    return (other->rank_ms > one->rank_ms) - (other->rank_ms < one->rank_ms);
}

static int queue_order(const void *a, const void *b)
{
    return slice_compare(((const struct catalog_queue *)a)->name,
                         ((const struct catalog_queue *)b)->name);
}

static int schedule_order(const void *a, const void *b)
{
    const struct catalog_schedule *x = a, *y = b;

    return x->environment != y->environment ? (x->environment > y->environment ? 1 : -1)
                                            : slice_compare(x->name, y->name);
}

static void schema_look(struct catalog *catalog, struct catalog_task *task)
{
    unsigned char hash[SCHEMA_HASH_BYTES];

    task->schema_hash = (struct slice){ 0 };
    task->has_secrets = schema_has_secrets(schema_input(task->schema)) ||
                        schema_has_secrets(schema_output(task->schema));
    if (task->schema == NULL)
        return;
    schema_file_hash(task->schema, hash);
    task->schema_hash =
        arena_copy(&catalog->arena, (struct slice){ (const char *)hash, SCHEMA_KEPT_BYTES });
}

/* Half of its share of the slots and at least one, largest share first; with fewer slots than
 * environments the last have none, and one slot is anybody's. */
static void slots_keep(struct catalog *catalog)
{
    const uint32_t *shares = catalog->environment_shares;
    uint32_t count = catalog->environment_count, slots = catalog->slots;
    uint32_t left = slots >= count ? slots : slots > 0 ? slots - 1 : 0;
    uint64_t total = 0;

    if (shares == NULL || count < 2)
        return;
    catalog->environment_kept = ARENA_ARRAY(&catalog->arena, uint32_t, count);
    memset(catalog->environment_kept, 0, count * sizeof *catalog->environment_kept);
    for (uint32_t i = 0; i < count; i++)
        total += shares[i];
    for (uint32_t others = count; left > 0 && others-- > 0;) {
        uint32_t best = count;
        for (uint32_t i = 0; i < count; i++)
            if (catalog->environment_kept[i] == 0 &&
                (best == count || shares[i] > shares[best]))
                best = i;
        uint32_t half = (uint32_t)((uint64_t)slots * shares[best] / (2 * total));
        uint32_t most = left > others ? left - others : 1; /* each of them gets one */
        uint32_t kept = half < 1 ? 1 : half < most ? half : most;
        catalog->environment_kept[best] = kept;
        left -= kept;
    }
}

/* A pool has no id, as it has no row: its scope is a hash of its name. */
static void pools_sort(struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->pool_count; i++)
        catalog->pools[i].scope =
            INT64_MIN + 1 + (int64_t)(table_hash(catalog->pools[i].name, 0) >> 9);
    if (catalog->pool_count == 0)
        return;
    catalog->queue_uses =
        ARENA_ARRAY(&catalog->arena, struct catalog_uses, catalog->queue_count + 1);
    for (uint32_t i = 0; i < catalog->queue_count; i++) {
        const struct queue_uses *said = &catalog->queues[i].rules.uses;
        struct catalog_use *items =
            ARENA_ARRAY(&catalog->arena, struct catalog_use, said->count + 1);
        uint32_t count = 0;
        for (uint32_t k = 0; k < said->count; k++)
            for (uint32_t pool = 0; pool < catalog->pool_count; pool++)
                if (slice_equal(catalog->pools[pool].name, said->items[k].pool))
                    items[count++] = (struct catalog_use){ pool, said->items[k].tokens };
        catalog->queue_uses[i] = (struct catalog_uses){ items, count };
    }
}

void catalog_sort(struct catalog *catalog)
{
    slots_keep(catalog);
    for (uint32_t i = 0; i < catalog->task_count; i++)
        schema_look(catalog, &catalog->tasks[i]);
    if (catalog->task_count > 0)
        qsort(catalog->tasks, catalog->task_count, sizeof *catalog->tasks, task_order);
    if (catalog->queue_count > 0)
        qsort(catalog->queues, catalog->queue_count, sizeof *catalog->queues, queue_order);
    if (catalog->schedule_count > 0)
        qsort(catalog->schedules, catalog->schedule_count, sizeof *catalog->schedules,
              schedule_order);
    pools_sort(catalog);
}

const struct catalog_schedule *catalog_schedule(const struct catalog *catalog,
                                                uint32_t environment, struct slice name)
{
    struct catalog_schedule wanted = { .environment = environment, .name = name };

    if (catalog == NULL || catalog->schedule_count == 0)
        return NULL;
    return bsearch(&wanted, catalog->schedules, catalog->schedule_count, sizeof wanted,
                   schedule_order);
}

struct slice catalog_unknown(const struct catalog *catalog, struct arena *arena,
                             struct slice id)
{
    struct suggestion near;

    suggestion_init(&near, id);
    for (uint32_t i = 0; i < catalog->task_count; i++)
        if (!catalog->tasks[i].is_kept)
            suggestion_offer(&near, catalog->tasks[i].id);
    return near.best.size == 0
               ? arena_format(arena, "task \"%.*s\" is unknown here", SLICE_ARG(id))
               : arena_format(arena, "task \"%.*s\" is unknown here; did you mean \"%.*s\"?",
                              SLICE_ARG(id), SLICE_ARG(near.best));
}

static const struct catalog_queue *queue_find(const struct catalog *catalog, struct slice name)
{
    struct catalog_queue wanted = { .name = name };

    return catalog->queue_count == 0 ? NULL
                                     : bsearch(&wanted, catalog->queues, catalog->queue_count,
                                               sizeof wanted, queue_order);
}

/* Of runs with a key; 0: it says nothing of its own. */
static uint32_t key_limit(const struct queue_rules *rules)
{
    return rules->on_conflict == CONFLICT_CANCEL ? 1 : rules->per_key;
}

uint32_t catalog_lane_limit(const struct catalog *catalog, struct slice queue, bool has_key)
{
    const struct catalog_queue *found = queue_find(catalog, queue);

    if (found == NULL)
        return catalog->queue_limit;
    return has_key && key_limit(&found->rules) > 0 ? key_limit(&found->rules)
                                                   : found->rules.concurrency;
}

uint32_t catalog_limit_now(const struct catalog *catalog, const struct queue *queue,
                           bool has_key)
{
    const struct catalog_queue *found = queue_find(catalog, queue->name);
    bool has_own = has_key && found != NULL && key_limit(&found->rules) > 0;

    return queue->override_ms != 0 && !has_own
               ? queue->override_limit
               : catalog_lane_limit(catalog, queue->name, has_key);
}

uint32_t queue_limit_now(const struct catalog *catalog, const struct queue *queue, bool has_key,
                         int64_t steady_ms)
{
    return pause_limit(&queue->pause, catalog_limit_now(catalog, queue, has_key), steady_ms);
}

uint32_t catalog_total_limit(const struct catalog *catalog, struct slice queue)
{
    const struct catalog_queue *found = queue_find(catalog, queue);

    return found == NULL || found->rules.total == 0 ? UINT32_MAX : found->rules.total;
}

struct catalog_uses catalog_uses(const struct catalog *catalog, struct slice queue)
{
    const struct catalog_queue *found =
        catalog->pool_count == 0 ? NULL : queue_find(catalog, queue);

    return found == NULL ? (struct catalog_uses){ 0 }
                         : catalog->queue_uses[found - catalog->queues];
}

const struct catalog_pool *catalog_pool_of(const struct catalog *catalog, int64_t scope)
{
    for (uint32_t i = 0; i < catalog->pool_count; i++)
        if (catalog->pools[i].scope == scope)
            return &catalog->pools[i];
    return NULL;
}

const struct queue_rules *catalog_rules(const struct catalog *catalog, struct slice queue)
{
    static const struct queue_rules none;
    const struct catalog_queue *found = catalog == NULL ? NULL : queue_find(catalog, queue);

    return found == NULL ? &none : &found->rules;
}

/* Over what is there: a time that does not fit gives way to the one that is said here. */
static void retry_say(struct catalog_retry *retry, const struct retry_rule *rule)
{
    if (rule->attempts > 0)
        retry->attempts = rule->attempts;
    if (rule->min_ms > 0)
        retry->min_ms = (double)rule->min_ms;
    if (rule->max_ms > 0)
        retry->max_ms = (double)rule->max_ms;
    if (rule->factor > 0)
        retry->factor = rule->factor;
    if (rule->max_ms > 0 && retry->min_ms > retry->max_ms)
        retry->min_ms = retry->max_ms;
    if (rule->min_ms > 0 && retry->max_ms < retry->min_ms)
        retry->max_ms = retry->min_ms;
}

struct catalog_retry catalog_retry(const struct catalog *catalog,
                                   const struct catalog_task *task, struct slice queue,
                                   uint32_t own, enum retry_class class)
{
    const struct queue_rules *rules = catalog_rules(catalog, queue);
    struct catalog_retry retry = { 3, 0, EXHAUSTED_FAIL, 1000, 60000, 2 };

    if (task != NULL)
        retry =
            (struct catalog_retry){ task->max_attempts > 0 ? task->max_attempts : 3,
                                    task->max_attempts_total,
                                    task->on_exhausted == EXHAUSTED_UNSAID ? EXHAUSTED_FAIL
                                                                           : task->on_exhausted,
                                    (double)task->retry_min_ms,
                                    (double)task->retry_max_ms,
                                    task->retry_factor };
    retry_say(&retry, &rules->retry);
    if (own > 0)
        retry.attempts = own;
    if (task != NULL)
        retry_say(&retry, &task->retry_of[class]);
    retry_say(&retry, &rules->retry_of[class]);
    if (own > 0 && retry.attempts > own)
        retry.attempts = own;
    if (rules->retry_total > 0)
        retry.total = rules->retry_total;
    if (rules->on_exhausted != EXHAUSTED_UNSAID)
        retry.exhausted = rules->on_exhausted;
    return retry;
}

uint32_t run_last_attempt(const struct run *run, const struct catalog_retry *retry)
{
    uint32_t now = run->attempt > 0 ? run->attempt : 1, used = run->tries + 1;
    uint32_t last = now + (retry->attempts > used ? retry->attempts - used : 0);

    uint32_t total = run->max_attempts_total != 0 ? run->max_attempts_total : retry->total;

    return total == 0 || last <= total ? last : now < total ? total : now;
}

const struct queue_rate *catalog_rate(const struct catalog *catalog, struct slice queue,
                                      bool of_key)
{
    const struct queue_rules *rules = catalog_rules(catalog, queue);
    const struct queue_rate *rate = of_key ? &rules->key_rate : &rules->rate;

    return rate->limit == 0 ? NULL : rate;
}

bool queue_rate_set(const struct queue *queue, bool of_key, struct set_rate *set)
{
    *set = (struct set_rate){ 0 };
    if (queue->rates.size == 2 * sizeof *set)
        memcpy(set, queue->rates.data + (of_key ? sizeof *set : 0), sizeof *set);
    return set->since_ms != 0;
}

const struct queue_rate *catalog_rate_now(const struct catalog *catalog,
                                          const struct queue *queue, bool of_key,
                                          struct queue_rate *room)
{
    struct set_rate set;

    if (!queue_rate_set(queue, of_key, &set))
        return catalog_rate(catalog, queue->name, of_key);
    *room = (struct queue_rate){ set.limit, set.burst, set.per_ms };
    return set.limit == 0 ? NULL : room;
}

const struct queue_fair *catalog_fair(const struct catalog *catalog, struct slice queue)
{
    const struct queue_rules *rules = catalog_rules(catalog, queue);

    return rules->fair.is_said ? &rules->fair : NULL;
}

struct config_burst catalog_environment_limit(const struct catalog *catalog,
                                              uint32_t environment)
{
    for (uint32_t i = 0; catalog->environment_limits != NULL && i < catalog->environment_count;
         i++)
        if (catalog->environments[i] == environment && catalog->environment_limits[i].base > 0)
            return catalog->environment_limits[i];
    return (struct config_burst){ UINT32_MAX, UINT32_MAX };
}

uint32_t catalog_queue_most(const struct catalog *catalog, const struct queue *queue)
{
    uint32_t base = catalog_environment_limit(catalog, queue->environment).base;
    uint32_t total = catalog_total_limit(catalog, queue->name);

    return base < total ? base : total;
}

bool catalog_has_segment(const struct catalog_task *task, struct slice segment)
{
    if (segment.size == 0 || segment.data[0] == HOOK_MARK)
        return true; /* the entry, or a hook */
    for (uint32_t i = 0; i < task->segment_count; i++)
        if (slice_equal(task->segments[i], segment))
            return true;
    return false;
}

bool catalog_schema_is_wrong(const struct catalog_task *task)
{
    return task != NULL && task->is_refusing && task->schema == NULL;
}
