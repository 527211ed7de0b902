/*
 * What is before the run, so many at a time, each as long as what has ended took. It stands in
 * several lines at once, and the one in which it takes longest counts:
 *
 *   its lane ─▶ its queue, whose keys take turns ─▶ its environment, where that is full
 */
#include "estimate.h"

#include "base/clock.h"
#include "engine/admission/rates.h"

#include <inttypes.h>

enum { QUEUES_PAGE = 100, QUEUES_LOOKED_AT = 500 };

struct line {
    int64_t before, width, each_ms;
    int64_t ended;     /* that each_ms is of; 0: nobody knows */
    const char *where; /* behind "before it" */
    const char *as;    /* behind what has ended */
};

struct look {
    const struct run_view *view;
    const struct queue_stats *queue;
    struct line lane, keys, environment;
};

static bool is_gate(const struct look *look, const char *gate)
{
    return look->view->hold.gate != NULL && strcmp(look->view->hold.gate, gate) == 0;
}

static int64_t less(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- how many at a time ------------------------------------------------------------------ */

/* By what is above its queue. */
static int64_t outer_width(const struct look *look)
{
    const struct catalog *catalog = look->view->catalog;
    const struct hold *hold = &look->view->hold;
    /* The others may be kept for other environments. */
    int64_t width = is_gate(look, "slots") ? hold->running : catalog->slots;

    return less(width, hold->facts.environment_limit);
}

static int64_t queue_width(const struct look *look)
{
    const struct catalog *catalog = look->view->catalog;
    const struct gate_facts *facts = &look->view->hold.facts;
    struct catalog_uses uses = catalog_uses(catalog, look->queue->queue.name);
    int64_t width = less(outer_width(look), facts->total);

    if (facts->environment_base > 0)
        width = less(width, facts->environment_base);
    for (uint32_t i = 0; i < uses.count; i++)
        width = less(width, catalog->pools[uses.items[i].pool].tokens / uses.items[i].tokens);
    return width;
}

/* ---- what is before it ------------------------------------------------------------------- */

/* All queues of its environment: what has stood there for longer, and how long those take that
 * have the places. */
static bool environment_look(struct look *look, struct reader *reader, struct arena *arena,
                             struct err *err)
{
    const struct run *run = look->view->run;
    struct line *line = &look->environment;
    uint32_t turns = (uint32_t)look->lane.before + 1;
    int64_t running = 0, sum_us = 0, count;
    struct queue_page page = { .count = QUEUES_PAGE };

    *line = (struct line){ .before = look->keys.before,
                           .width = outer_width(look),
                           .where = " in its environment",
                           .as = "of the queues that run there" };
    for (uint32_t from = 0; from < QUEUES_LOOKED_AT && page.count == QUEUES_PAGE;
         from += QUEUES_PAGE) {
        if (!reader->ops->queues(reader, arena, run->environment, from, QUEUES_PAGE, &page,
                                 err))
            return false;
        for (uint32_t i = 0; i < page.count; i++) {
            const struct queue_stats *stats = &page.rows[i];
            int64_t ended = queue_ended_started(&stats->queue);
            if (stats->running > 0 && ended > 0) {
                running += stats->running;
                sum_us += stats->running * (stats->queue.busy_us / ended);
                line->ended += ended;
            }
            if (stats->queue.id == run->queue || stats->queued == 0 || stats->queue.paused)
                continue;
            if (!reader->ops->others(reader, arena, run, stats->queue.id, turns,
                                     HOLD_BEFORE_MOST, &count, err))
                return false;
            line->before = less(line->before + count, HOLD_BEFORE_MOST);
        }
    }
    line->each_ms = running == 0 ? look->lane.each_ms : sum_us / running / 1000;
    if (running > 0)
        return true;
    line->ended = look->lane.ended; /* nobody knows of those that run */
    line->as = look->lane.as;
    return true;
}

static bool look_around(struct look *look, struct reader *reader, struct arena *arena,
                        struct err *err)
{
    const struct run *run = look->view->run;
    const struct queue *queue = &look->queue->queue;
    int64_t ended = queue_ended_started(queue), others;

    look->lane.ended = ended;
    look->lane.each_ms = ended <= 0 ? 0 : queue->busy_us / ended / 1000;
    look->lane.width = less(queue_width(look), look->view->hold.facts.lane_limit);
    look->lane.where = "";
    look->lane.as = "of its queue";
    if (!reader->ops->others(reader, arena, run, run->queue, (uint32_t)look->lane.before + 1,
                             HOLD_BEFORE_MOST, &others, err))
        return false;
    look->keys = look->lane;
    look->keys.before = less(look->lane.before + others, HOLD_BEFORE_MOST);
    look->keys.width = queue_width(look);
    look->keys.where = " with other keys";
    return !look->view->hold.is_wide || environment_look(look, reader, arena, err);
}

/* ---- together ---------------------------------------------------------------------------- */

static int64_t line_takes_ms(const struct line *line)
{
    return (line->before / line->width + 1) * line->each_ms;
}

/* What starts before it takes so long by its rates, however fast it is, if it costs the same;
 * and nothing starts before `until`. */
static int64_t rates_take_ms(const struct look *look)
{
    const struct run *run = look->view->run;
    const struct queue *queue = &look->queue->queue;
    bool has_key = run->lane != run->queue;
    const struct queue_rules *rules = catalog_rules(look->view->catalog, queue->name);
    int64_t most_ms = 0;

    for (int of_key = 0; of_key <= (int)has_key; of_key++) {
        struct queue_rate room;
        const struct queue_rate *rate =
            catalog_rate_now(look->view->catalog, queue, of_key == 1, &room);
        const struct queue_amount *usual =
            of_key == 1 ? &rules->key_rate_cost : &rules->rate_cost;
        int64_t before = of_key == 1 ? look->lane.before : look->keys.before;
        int64_t ms = rate == NULL ? 0
                                  : before * rate->per_ms / rate->limit *
                                        rate_cost(rate, usual, run, of_key == 1);
        most_ms = ms > most_ms ? ms : most_ms;
    }
    if (look->view->hold.until_ms != 0)
        most_ms += look->view->hold.until_ms - clock_now_ms();
    return most_ms;
}

static struct slice before_text(struct arena *arena, const struct line *line)
{
    return arena_format(arena, "%s%" PRId64 " before it%s",
                        line->before == HOLD_BEFORE_MOST ? "at least " : "", line->before,
                        line->where);
}

static void estimate_say(struct estimate *estimate, struct arena *arena,
                         const struct look *look)
{
    const struct line *line = &look->lane;
    int64_t rates_ms = rates_take_ms(look);

    if (look->keys.before > look->lane.before &&
        line_takes_ms(&look->keys) >= line_takes_ms(line))
        line = &look->keys;
    if (look->view->hold.is_wide && look->environment.width > 0 &&
        line_takes_ms(&look->environment) >= line_takes_ms(line))
        line = &look->environment;
    estimate->is_known = true;
    if (rates_ms > line_takes_ms(line)) {
        line = look->keys.before > look->lane.before ? &look->keys : &look->lane;
        estimate->starts_in_ms = rates_ms;
        estimate->basis =
            arena_format(arena, "%.*s, and %s", SLICE_ARG(before_text(arena, line)),
                         is_gate(look, "pushed-back") ? "nothing starts while it is pushed back"
                                                      : "the rate");
    } else if (line->ended <= 0) {
        estimate->is_known = false;
        estimate->basis =
            look->queue->queue.unstarted > 0
                ? SLICE("none: no run of its queue that had started has ended yet")
                : SLICE("none: no run of its queue has ended yet");
    } else {
        estimate->starts_in_ms = line_takes_ms(line);
        estimate->basis = arena_format(arena,
                                       "%.*s, %" PRId64 " at a time, %" PRId64
                                       " ms each as the %" PRId64 " %s that have ended",
                                       SLICE_ARG(before_text(arena, line)), line->width,
                                       line->each_ms, line->ended, line->as);
    }
}

bool estimate_read(struct estimate *estimate, const struct run_view *view,
                   const struct queue_stats *queue, int64_t before, struct reader *reader,
                   struct arena *arena, struct err *err)
{
    struct look look = { .view = view, .queue = queue, .lane.before = before };

    *estimate = (struct estimate){ 0 };
    if (view->catalog == NULL || queue == NULL || is_gate(&look, "paused") ||
        is_gate(&look, "environment"))
        return true;
    if (!look_around(&look, reader, arena, err))
        return false;
    if (look.lane.width > 0 && look.keys.width > 0)
        estimate_say(estimate, arena, &look);
    return true;
}

void estimate_write(struct out *out, const struct estimate *estimate)
{
    if (estimate->basis.size == 0)
        return;
    out_map(out, "estimate");
    if (estimate->is_known)
        out_int(out, "startsInMs", estimate->starts_in_ms);
    out_text(out, "basis", estimate->basis);
    out_end_map(out);
}
