#include "gates.h"

static const struct {
    const char *name, *sentence;
} gates[GATE_COUNT] = {
    [GATE_NONE] = { "none", "nothing holds it" },
    [GATE_ENVIRONMENT] = { "environment", "its environment is paused" },
    [GATE_PAUSED] = { "paused", "its queue is paused" },
    [GATE_NOT_BEFORE] = { "not-before", "its time has not come" },
    [GATE_TOTAL] = { "total", "its queue has as many running as all its lanes together may" },
    [GATE_LANE] = { "lane", "as many are running as may at a time with its queue and key" },
    [GATE_PUSHED] = { "pushed-back", "its queue or key is pushed back" },
    [GATE_RATE] = { "rate", "its queue or key has started as many as it may by now" },
    [GATE_POOL] = { "pool", "tokens of a pool that it needs are held by others" },
    [GATE_ENVIRONMENT_LIMIT] = { "environment-limit",
                                 "as many are running as may at a time in its environment" },
    [GATE_SLOTS] = { "slots", "no slot is free for its environment" },
    [GATE_TURN] = { "turn", "others are before it" },
};

enum gate gate_of(const struct gate_facts *facts)
{
    if (facts->is_environment_paused)
        return GATE_ENVIRONMENT;
    if (facts->is_paused)
        return GATE_PAUSED;
    if (facts->is_early)
        return GATE_NOT_BEFORE;
    if (facts->queue_running >= facts->total)
        return GATE_TOTAL;
    if (facts->lane_running >= facts->lane_limit)
        return GATE_LANE;
    if (facts->is_pushed_back)
        return GATE_PUSHED;
    if (facts->is_out_of_rate)
        return GATE_RATE;
    if (facts->lacks_tokens)
        return GATE_POOL;
    if (facts->environment_running >= facts->environment_limit ||
        (facts->environment_base > 0 && facts->queue_running >= facts->environment_base))
        return GATE_ENVIRONMENT_LIMIT;
    return facts->room == 0 ? GATE_SLOTS : GATE_NONE;
}

uint32_t slots_left(const struct slot_facts *facts, bool is_short)
{
    int64_t own = (int64_t)facts->kept - facts->running;
    int64_t most = (int64_t)facts->slots * facts->factor;
    int64_t owed = facts->owed - (own > 0 ? own : 0); /* to the others */
    int64_t room = (int64_t)facts->slots - facts->in_use - owed;
    int64_t ahead = most - facts->in_use - owed * facts->factor;

    if (is_short && ahead > room)
        room = ahead;
    if (own > room)
        room = own;
    if (room > most - facts->in_use)
        room = most - facts->in_use;
    return room > 0 ? (uint32_t)room : 0;
}

const char *gate_name(enum gate gate)
{
    return gates[gate].name;
}

const char *gate_sentence(enum gate gate)
{
    return gates[gate].sentence;
}
