#include "engine/batch.h"

/* A clock that was set back while no server ran, and nothing less, is further behind. */
#define SLACK_US (INT64_C(60) * 1000000)

static int64_t interval_of(const struct queue_rate *rule)
{
    return (rule->per_ms * 1000 + rule->limit - 1) / rule->limit;
}

/* As far as what has started by this rate can be ahead. */
static int64_t most_of(const struct queue_rate *rule, int64_t now_us)
{
    return now_us + interval_of(rule) * rule->burst;
}

/* What was counted by another rate, or another clock, is not waited for longer than one's own
 * can be. */
static int64_t tat_of(const struct queue_rate *rule, const struct rate *row, int64_t now_us)
{
    int64_t most_us = most_of(rule, now_us);

    if (row == NULL || row->tat_us <= now_us)
        return now_us;
    bool is_own = row->interval_us == interval_of(rule) && row->burst == rule->burst;
    return row->tat_us > most_us + (is_own ? SLACK_US : 0) ? most_us : row->tat_us;
}

bool rate_is_pushed(const struct rate *row, int64_t now_ms)
{
    return row != NULL && row->pushed_ms > now_ms;
}

uint32_t rate_cost(const struct queue_rate *rule, const struct queue_amount *usual,
                   const struct run *run, bool of_key)
{
    uint32_t cost = run == NULL ? 0 : run_cost(run, of_key);

    if (cost == 0)
        cost = usual->number < 1 ? 1 : (uint32_t)usual->number;
    return cost < rule->burst ? cost : rule->burst;
}

int64_t rate_opens_ms(const struct queue_rate *rule, const struct rate *row, uint32_t cost,
                      int64_t now_ms)
{
    int64_t pushed_ms = rate_is_pushed(row, now_ms) ? row->pushed_ms : 0;

    if (rule == NULL)
        return pushed_ms;
    int64_t ahead_us = interval_of(rule) * (rule->burst - cost);
    int64_t opens_us = tat_of(rule, row, now_ms * 1000) - ahead_us;
    int64_t opens_ms = opens_us <= now_ms * 1000 ? 0 : (opens_us + 999) / 1000;
    return opens_ms > pushed_ms ? opens_ms : pushed_ms;
}

bool rate_is_past(const struct rate *row, int64_t now_ms)
{
    return row->tat_us <= now_ms * 1000 && !rate_is_pushed(row, now_ms);
}

static void meter_set(struct batch *batch, struct meter *meter, int64_t tat_us)
{
    meter->row->tat_us = tat_us;
    meter->row->interval_us = interval_of(meter->rule);
    meter->row->burst = meter->rule->burst;
    meter->opens_ms = rate_opens_ms(meter->rule, meter->row, 1, batch->steady_ms);
}

bool meter_load(struct batch *batch, struct meter *meter, int64_t scope,
                const struct queue *queue)
{
    const struct queue_rules *rules = catalog_rules(batch->catalog, queue->name);
    bool of_lane = scope > 0, may_be_pushed = of_lane && queue->pushed_ms > batch->steady_ms;
    const struct queue_rate *rule;

    *meter = (struct meter){ .scope = scope,
                             .cost = of_lane ? &rules->key_rate_cost : &rules->rate_cost };
    rule = scope == queue->id ? NULL /* it has no key */
                              : catalog_rate_now(batch->catalog, queue, of_lane, &meter->set);
    meter->rule = rule;
    if (rule == NULL && !may_be_pushed)
        return true;
    if (!rows_rate(&batch->rows, scope, &meter->row))
        return false;
    int64_t tat_us = rule == NULL ? 0 : tat_of(rule, meter->row, batch->steady_ms * 1000);
    if (rule != NULL && meter->row != NULL && tat_us < meter->row->tat_us)
        meter_set(batch, meter, tat_us); /* kept, or it would move on with the time */
    meter->opens_ms = rate_opens_ms(meter->rule, meter->row, 1, batch->steady_ms);
    return true;
}

int64_t meter_opens_ms(const struct batch *batch, const struct meter *meter,
                       const struct run *run)
{
    if (meter->rule == NULL || meter->opens_ms != 0)
        return meter->opens_ms;
    return rate_opens_ms(meter->rule, meter->row,
                         rate_cost(meter->rule, meter->cost, run, meter->scope > 0),
                         batch->steady_ms);
}

void meter_start(struct batch *batch, struct meter *meter, const struct run *run)
{
    if (meter->rule == NULL)
        return;
    int64_t tat_us = tat_of(meter->rule, meter->row, batch->steady_ms * 1000);
    if (meter->row == NULL)
        meter->row = rows_new_rate(&batch->rows, meter->scope);
    meter_set(batch, meter,
              tat_us + interval_of(meter->rule) *
                           rate_cost(meter->rule, meter->cost, run, meter->scope > 0));
}

uint32_t meter_most(const struct batch *batch, const struct meter *meter, uint32_t count)
{
    int64_t now_us = batch->steady_ms * 1000;

    if (meter->rule == NULL)
        return count;
    int64_t left_us = most_of(meter->rule, now_us) - tat_of(meter->rule, meter->row, now_us);
    int64_t room = left_us < 0 ? 0 : left_us / interval_of(meter->rule);
    return room < count ? (uint32_t)room : count;
}

/* ---- pushed back ------------------------------------------------------------------------- */

#define PUSH_MOST_MS (INT64_C(30) * 86400 * 1000)

bool lane_push_load(struct batch *batch, const struct run *run)
{
    struct queue *queue;
    struct rate *rate;
    bool loaded = rows_queue(&batch->rows, run->queue, &queue);

    return rows_rate(&batch->rows, run->lane, &rate) && loaded;
}

/* With jitter: what was refused together does not come back together. */
void lane_push_back(struct batch *batch, struct run *run, int64_t ms)
{
    int64_t least_ms = ms < PUSH_MOST_MS ? ms : PUSH_MOST_MS;
    int64_t until_ms = batch->steady_ms + least_ms +
                       (int64_t)id_random(batch->engine->ids, (uint64_t)least_ms / 10 + 1);
    struct queue *queue;
    struct rate *rate;

    (void)rows_queue(&batch->rows, run->queue, &queue); /* both are loaded */
    (void)rows_rate(&batch->rows, run->lane, &rate);
    if (rate == NULL)
        rate = rows_new_rate(&batch->rows, run->lane);
    if (rate->pushed_ms < until_ms)
        rate->pushed_ms = until_ms;
    if (queue->pushed_ms < until_ms)
        queue->pushed_ms = until_ms;
}
