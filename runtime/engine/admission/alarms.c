#include "alarms.h"

#include "base/memory.h"

static void put(struct alarms *alarms, struct alarm *alarm, uint32_t at)
{
    alarms->items[at] = alarm;
    alarm->place = at + 1;
}

static void rise(struct alarms *alarms, struct alarm *alarm, uint32_t at)
{
    for (; at > 0 && alarms->items[(at - 1) / 2]->at_ms > alarm->at_ms; at = (at - 1) / 2)
        put(alarms, alarms->items[(at - 1) / 2], at);
    put(alarms, alarm, at);
}

static void sink(struct alarms *alarms, struct alarm *alarm, uint32_t at)
{
    for (uint32_t next; (next = 2 * at + 1) < alarms->count; at = next) {
        next += next + 1 < alarms->count &&
                alarms->items[next + 1]->at_ms < alarms->items[next]->at_ms;
        if (alarms->items[next]->at_ms >= alarm->at_ms)
            break;
        put(alarms, alarms->items[next], at);
    }
    rise(alarms, alarm, at);
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms)
{
    alarm->at_ms = at_ms;
    if (at_ms != 0 && alarm->place == 0) {
        if (alarms->count == alarms->capacity) {
            alarms->capacity = alarms->capacity == 0 ? 16 : alarms->capacity * 2;
            alarms->items =
                memory_grow(alarms->items, alarms->capacity * sizeof(struct alarm *));
        }
        rise(alarms, alarm, alarms->count++);
    } else if (at_ms != 0) {
        sink(alarms, alarm, alarm->place - 1);
    } else if (alarm->place != 0) {
        uint32_t at = alarm->place - 1;
        struct alarm *last = alarms->items[--alarms->count];
        alarm->place = 0;
        if (last != alarm)
            sink(alarms, last, at);
    }
}

struct alarm *alarms_first(const struct alarms *alarms)
{
    return alarms->count == 0 ? NULL : alarms->items[0];
}
