#include "hold.h"

#include "base/clock.h"
#include "base/duration.h"
#include "engine/admission/rates.h"
#include "http/api/pool_view.h"
#include "http/body/pause_body.h"

#include <inttypes.h>

/* What is read for one run. */
struct look {
    const struct run *run;
    const struct catalog *catalog;
    struct queue_stats *queue; /* NULL: it is not there */
    struct environment *environment;
    struct running_page running;
    struct gate_facts gates;
    struct slot_facts slots;
    struct pool_counts pools;
    const struct catalog_use *use; /* that it lacks tokens for; NULL: none */
    const struct queue_rate *rate; /* that it is out of; of its key, else of its queue */
    struct queue_rate room;        /* of it */
    bool is_of_key;
    uint32_t cost; /* of a start, of it */
    int64_t opens_ms;
};

static uint32_t running_in(const struct look *look, uint32_t environment)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < look->running.count; i++)
        if (environment == 0 || look->running.rows[i].environment == environment)
            count += look->running.rows[i].count;
    return count;
}

/* Slots that are kept for environments which are not paused and do not use them. */
static bool slots_look(struct look *look, struct reader *reader, struct arena *arena,
                       struct err *err)
{
    const struct catalog *catalog = look->catalog;
    struct environment *environment;

    look->slots = (struct slot_facts){ .slots = catalog->slots,
                                       .factor = 1,
                                       .in_use = running_in(look, 0),
                                       .running = running_in(look, look->run->environment) };
    for (uint32_t i = 0; catalog->environment_kept != NULL && i < catalog->environment_count;
         i++) {
        uint32_t number = catalog->environments[i], kept = catalog->environment_kept[i];
        uint32_t running = running_in(look, number);
        if (!reader_environment(reader, arena, number, &environment, err))
            return false;
        if (environment != NULL && environment->paused)
            continue;
        look->slots.owed += running < kept ? kept - running : 0;
        if (number == look->run->environment)
            look->slots.kept = kept;
    }
    return true;
}

/* Both are asked; the later counts. */
static bool rates_look(struct look *look, struct reader *reader, struct arena *arena,
                       struct err *err)
{
    const struct run *run = look->run;
    const struct queue_rules *rules = catalog_rules(look->catalog, look->queue->queue.name);
    bool has_key = run->lane != run->queue;
    struct queue_rate rooms[2];

    for (int of_key = 0; of_key <= (int)has_key; of_key++) {
        const struct queue_rate *rate =
            catalog_rate_now(look->catalog, &look->queue->queue, of_key == 1, &rooms[of_key]);
        struct row *row = NULL;
        if (rate == NULL)
            continue;
        if (!reader->ops->row(reader, arena, ROW_RATE, of_key == 1 ? run->lane : -run->queue,
                              &row, err))
            return false;
        uint32_t cost = rate_cost(rate, of_key == 1 ? &rules->key_rate_cost : &rules->rate_cost,
                                  run, of_key == 1);
        int64_t opens_ms =
            rate_opens_ms(rate, (const struct rate *)row, cost, clock_steady_ms());
        if (opens_ms > look->opens_ms) {
            look->opens_ms = opens_ms;
            look->room = *rate;
            look->rate = &look->room;
            look->is_of_key = of_key == 1;
            look->cost = cost;
        }
    }
    struct row *lane = NULL;
    if (!reader->ops->row(reader, arena, ROW_RATE, run->lane, &lane, err))
        return false;
    int64_t now_ms = clock_steady_ms();
    look->gates.is_out_of_rate = look->opens_ms != 0;
    look->gates.is_pushed_back = rate_is_pushed((const struct rate *)lane, now_ms);
    if (look->gates.is_pushed_back)
        look->opens_ms = ((const struct rate *)lane)->pushed_ms;
    return true;
}

/* Whether somebody has waited for longer is the engine's business. */
static bool pools_look(struct look *look, struct reader *reader, struct arena *arena,
                       struct err *err)
{
    struct catalog_uses uses = catalog_uses(look->catalog, look->queue->queue.name);

    if (uses.count > 0 && !pool_counts_read(&look->pools, look->run->environment, look->catalog,
                                            reader, arena, err))
        return false;
    for (uint32_t i = 0; i < uses.count && look->use == NULL; i++) {
        const struct pool_count *pool = &look->pools.pools[uses.items[i].pool];
        if (pool->in_use + uses.items[i].tokens > pool->tokens)
            look->use = &uses.items[i];
    }
    look->gates.lacks_tokens = look->use != NULL;
    return true;
}

static bool look_around(struct look *look, struct reader *reader, struct arena *arena,
                        struct err *err)
{
    const struct reader_ops *ops = reader->ops;
    const struct run *run = look->run;
    struct gate_facts *gates = &look->gates;

    if (!reader_environment(reader, arena, run->environment, &look->environment, err) ||
        !ops->queue(reader, arena, 0, SLICE(""), run->queue, &look->queue, err) ||
        !ops->running(reader, arena, &look->running, err) ||
        (look->catalog != NULL && !slots_look(look, reader, arena, err)))
        return false;
    *gates = (struct gate_facts){
        .is_environment_paused = look->environment != NULL && look->environment->paused,
        .is_paused = look->queue != NULL && look->queue->queue.paused,
        .is_early = run->status == RUN_DELAYED,
        .total = UINT32_MAX,
        .lane_limit = UINT32_MAX,
        .environment_limit = UINT32_MAX,
        .room = 1,
    };
    for (uint32_t i = 0; i < look->running.count; i++) {
        const struct running *running = &look->running.rows[i];
        gates->queue_running += running->queue == run->queue ? running->count : 0;
        gates->lane_running += running->lane == run->lane ? running->count : 0;
    }
    if (look->catalog == NULL || look->queue == NULL)
        return true;
    struct slice name = look->queue->queue.name;
    const struct pause *pause = &look->queue->queue.pause;
    int64_t now_ms = clock_steady_ms();
    gates->total = catalog_total_limit(look->catalog, name);
    if (pause_is_ramping(pause) && gates->total == UINT32_MAX)
        gates->total = look->catalog->slots;
    gates->total = pause_limit(pause, gates->total, now_ms);
    gates->lane_limit =
        queue_limit_now(look->catalog, &look->queue->queue, run->lane != run->queue, now_ms);
    struct config_burst burst = catalog_environment_limit(look->catalog, run->environment);
    gates->environment_base = burst.base;
    gates->environment_limit = burst.most;
    if (look->environment != NULL && pause_is_ramping(&look->environment->pause))
        gates->environment_limit = pause_limit(
            &look->environment->pause,
            burst.most < look->catalog->slots ? burst.most : look->catalog->slots, now_ms);
    gates->environment_running = look->slots.running;
    gates->room = slots_left(&look->slots, false);
    return rates_look(look, reader, arena, err) && pools_look(look, reader, arena, err);
}

/* ---- in words ---------------------------------------------------------------------------- */

static void full_say(struct hold *hold, struct arena *arena, uint32_t running, uint32_t limit,
                     const char *where, struct slice name)
{
    hold->has_counts = true;
    hold->running = running;
    hold->limit = limit;
    hold->text =
        arena_format(arena, "%u of %u running %s%.*s", running, limit, where, SLICE_ARG(name));
}

/* All slots may be in use, or those that are left be kept for other environments. */
static void slots_say(struct hold *hold, struct arena *arena, const struct look *look)
{
    uint32_t in_use = look->slots.in_use, slots = look->slots.slots;

    full_say(hold, arena, in_use, slots, "in all", SLICE(""));
    if (in_use < slots)
        hold->text = arena_format(arena, "%.*s, and other environments have the rest kept",
                                  SLICE_ARG(hold->text));
}

/* It is not what is configured. */
static void set_say(struct hold *hold, struct arena *arena, const char *what,
                    struct slice usual, struct slice queue, int64_t set_ms, struct slice by)
{
    char when[TIME_TEXT_SIZE];

    hold->set_ms = set_ms;
    hold->set_by = by;
    hold->text =
        arena_format(arena,
                     "%.*s; that %s was set in place of %.*s%s%.*s at %s: `bide queues "
                     "%s %.*s reset` undoes it",
                     SLICE_ARG(hold->text), what, SLICE_ARG(usual), by.size > 0 ? " by " : "",
                     SLICE_ARG(by), time_format(set_ms, when), what, SLICE_ARG(queue));
}

static void rate_say(struct hold *hold, struct arena *arena, const struct look *look,
                     struct slice queue)
{
    char rate[QUEUE_RULE_TEXT_SIZE], when[TIME_TEXT_SIZE];
    struct set_rate set;

    queue_rate_text(look->rate, rate);
    hold->until_ms = due_date(look->opens_ms, true);
    struct slice cost =
        look->cost == 1
            ? SLICE("the next")
            : arena_format(arena, "this run costs %" PRIu32 " of it, and may", look->cost);
    hold->text = arena_format(arena, "%s %.*s starts %s, %.*s at %s",
                              look->is_of_key ? "each key of queue" : "queue", SLICE_ARG(queue),
                              rate, SLICE_ARG(cost), time_format(hold->until_ms, when));
    if (!queue_rate_set(&look->queue->queue, look->is_of_key, &set))
        return;
    const struct queue_rate *usual = catalog_rate(look->catalog, queue, look->is_of_key);
    (void)snprintf(rate, sizeof rate, "none");
    if (usual != NULL)
        queue_rate_text(usual, rate);
    set_say(hold, arena, "rate", slice_of(rate), queue, set.since_ms,
            look->queue->queue.rates_by);
}

static void pool_say(struct hold *hold, struct arena *arena, const struct look *look,
                     struct slice queue)
{
    const struct pool_count *pool = &look->pools.pools[look->use->pool];

    hold->has_counts = true;
    hold->running = pool->in_use;
    hold->limit = pool->tokens;
    hold->pool = pool->name;
    hold->pool_at = look->use->pool;
    hold->needs = look->use->tokens;
    hold->text = arena_format(arena,
                              "a run of queue %.*s needs %" PRIu32 " of pool %.*s, and %" PRId64
                              " of its %" PRId64 " are held",
                              SLICE_ARG(queue), hold->needs, SLICE_ARG(pool->name),
                              pool->in_use, pool->tokens);
    if (pool->of_others > 0)
        hold->text = arena_format(arena, "%.*s, %" PRId64 " of them by other environments",
                                  SLICE_ARG(hold->text), pool->of_others);
}

static void turn_say(struct hold *hold, struct arena *arena, const struct look *look)
{
    const char *whose = look->run->lane != look->run->queue ? "its queue and key" : "its queue";

    hold->has_before = true;
    if (hold->before == 0)
        hold->text = arena_format(
            arena, "it is the next of %s; queues and keys take turns%s", whose,
            look->pools.count == 0 ? ""
                                   : ", and at a pool the first is who has waited longest");
    else
        hold->text = arena_format(arena, "%s%" PRId64 " %s of %s %s before it",
                                  hold->before == HOLD_BEFORE_MOST ? "at least " : "",
                                  hold->before, hold->before == 1 ? "run" : "runs", whose,
                                  hold->before == 1 ? "is" : "are");
}

/* Somebody has set another limit than the configured one. */
static void set_limit_say(struct hold *hold, struct arena *arena, const struct look *look)
{
    const struct queue *queue = &look->queue->queue;
    bool has_key = look->run->lane != look->run->queue;
    uint32_t usual = catalog_lane_limit(look->catalog, queue->name, has_key);

    if (queue->override_ms == 0 ||
        catalog_limit_now(look->catalog, queue, has_key) != queue->override_limit ||
        (has_key && usual != catalog_lane_limit(look->catalog, queue->name, false)))
        return;
    set_say(hold, arena, "limit", arena_format(arena, "%u", usual), queue->name,
            queue->override_ms, queue->override_by);
}

/* A limit that is lower than usual, because what it is of has just been resumed. */
static void ramp_say(struct hold *hold, enum gate gate, struct arena *arena,
                     const struct look *look)
{
    bool is_queue = gate == GATE_TOTAL || gate == GATE_LANE;
    const struct pause *pause = is_queue                         ? &look->queue->queue.pause
                                : gate == GATE_ENVIRONMENT_LIMIT ? &look->environment->pause
                                                                 : NULL;
    char until[TIME_TEXT_SIZE];

    if (pause == NULL || !pause_is_ramping(pause))
        return;
    int64_t end_ms = due_date(time_after(pause->ramp_from_ms, pause->ramp_ms), true);
    hold->pause = pause;
    hold->text = arena_format(arena, "%.*s; after a pause it comes back by and by until %s",
                              SLICE_ARG(hold->text), time_format(end_ms, until));
}

static void hold_say(struct hold *hold, enum gate gate, struct slice queue, struct arena *arena,
                     const struct look *look)
{
    const struct run *run = look->run;

    hold->gate = gate_name(gate);
    hold->text = slice_of(gate_sentence(gate));
    if (gate == GATE_ENVIRONMENT) {
        hold->pause = &look->environment->pause;
        hold->text = arena_format(arena, "%s%.*s", gate_sentence(gate),
                                  SLICE_ARG(pause_text(arena, hold->pause)));
    } else if (gate == GATE_PAUSED) {
        hold->pause = &look->queue->queue.pause;
        hold->text = arena_format(arena, "its queue %.*s is paused%.*s", SLICE_ARG(queue),
                                  SLICE_ARG(pause_text(arena, hold->pause)));
    } else if (gate == GATE_TOTAL) {
        full_say(hold, arena, look->gates.queue_running, look->gates.total, "in all of queue ",
                 queue);
    } else if (gate == GATE_LANE) {
        full_say(hold, arena, look->gates.lane_running, look->gates.lane_limit, "in queue ",
                 queue);
        if (run->lane != run->queue)
            hold->text = arena_format(arena, "%.*s with key %.*s", SLICE_ARG(hold->text),
                                      SLICE_ARG(run->concurrency_key));
        set_limit_say(hold, arena, look);
    } else if (gate == GATE_PUSHED) {
        char when[TIME_TEXT_SIZE];
        hold->until_ms = due_date(look->opens_ms, true);
        hold->text = arena_format(arena, "pushed back until %s, by a segment of %.*s",
                                  time_format(hold->until_ms, when), SLICE_ARG(queue));
    } else if (gate == GATE_RATE) {
        rate_say(hold, arena, look, queue);
    } else if (gate == GATE_POOL) {
        pool_say(hold, arena, look, queue);
    } else if (gate == GATE_ENVIRONMENT_LIMIT) {
        bool is_all = look->gates.environment_running >= look->gates.environment_limit;
        hold->is_wide = is_all;
        full_say(hold, arena,
                 is_all ? look->gates.environment_running : look->gates.queue_running,
                 is_all ? look->gates.environment_limit : look->gates.environment_base,
                 is_all ? "in its environment"
                        : "of what one queue of its environment may have, in queue ",
                 is_all ? SLICE("") : queue);
    } else if (gate == GATE_SLOTS) {
        hold->is_wide = true;
        slots_say(hold, arena, look);
    } else if (gate == GATE_TURN) {
        turn_say(hold, arena, look);
    }
    ramp_say(hold, gate, arena, look);
}

bool hold_read(struct hold *hold, const struct run *run, struct slice queue,
               const struct catalog *catalog, struct reader *reader, struct arena *arena,
               struct err *err)
{
    struct look look = { .run = run, .catalog = catalog };

    if (!look_around(&look, reader, arena, err))
        return false;
    enum gate gate = gate_of(&look.gates);
    hold->facts = look.gates;
    hold->of_environment = running_in(&look, run->environment);
    if (gate == GATE_NONE && catalog == NULL) {
        hold->gate = "plugin";
        hold->text = SLICE("the server has just started, and loads its plugins");
        return true;
    }
    if (gate == GATE_NONE) {
        gate = GATE_TURN;
        if (!reader->ops->before(reader, run, HOLD_BEFORE_MOST, &hold->before, err))
            return false;
    }
    hold_say(hold, gate, queue, arena, &look);
    return true;
}

/* ---- as JSON ----------------------------------------------------------------------------- */

void hold_write(struct out *out, const struct hold *hold)
{
    if (hold->gate == NULL)
        return;
    out_map(out, "heldBy");
    out_word(out, "gate", hold->gate);
    out_text(out, "text", hold->text);
    if (hold->has_counts) {
        out_int(out, "running", hold->running);
        out_int(out, "limit", hold->limit);
    }
    if (hold->pool.size > 0) {
        out_text(out, "pool", hold->pool);
        out_int(out, "needs", hold->needs);
    }
    if (hold->has_before)
        out_int(out, "before", hold->before);
    out_time(out, "until", hold->until_ms);
    if (hold->pause != NULL)
        pause_write(out, hold->pause);
    if (hold->set_ms != 0) {
        out_text(out, "overriddenBy", hold->set_by);
        out_time(out, "overriddenAt", hold->set_ms);
    }
    out_end_map(out);
}
