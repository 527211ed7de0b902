/* A cron expression: what is wrong has its place in the text; ticks of what is right go
 * forward, on days of it, and asking from just before one finds it again. */
#include "fuzz.h"
#include "schedule/tick.h"
#include "schedule/zones.h"

enum { TICKS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zones *zones;
    struct slice text = { (const char *)data, size };
    struct cron_flaw flaw = { 0 };
    struct err err = { 0 };
    struct cron cron;

    if (zones == NULL)
        zones = zones_create(NULL);
    if (!cron_read(text, &cron, &flaw)) {
        PROMISE(flaw.column >= 1 && flaw.column <= size + 1 && flaw.text[0] != '\0');
        return 0;
    }
    const struct zone *zone = zones_find(zones, SLICE("Australia/Lord_Howe"), &err);
    if (zone == NULL)
        zone = zones_find(zones, SLICE("UTC"), &err);
    for (enum tick_dst dst = 0; dst < TICK_DST_COUNT; dst++) {
        struct tick tick = { .at_s = 1790000000 }, next, again;
        for (int i = 0; i < TICKS && tick_next(&cron, zone, dst, tick.at_s, &next); i++) {
            PROMISE(next.at_s > tick.at_s);
            PROMISE(tick_next(&cron, zone, dst, next.at_s - 1, &again));
            PROMISE(again.at_s == next.at_s && again.nominal_s == next.nominal_s);
            tick = next;
        }
    }
    return 0;
}
