/* At start: ticks that were computed by other time zone data. */
#ifndef SCHEDULES_REVIEW_H
#define SCHEDULES_REVIEW_H

#include "engine/engine.h"
#include "store/store.h"

/* `data` is the version at hand, for the log. */
bool schedules_review(struct store *store, struct engine *engine, const char *data,
                      struct err *err);

/* Zone data that changes while the server runs: looked at once an hour, and when the
 * configuration was read anew. */
struct zones_follow {
    struct zone_source zones;
    uint64_t looked_ns;
};

void zones_follow_init(struct zones_follow *follow, const struct zone_source *zones);
/* Before the batch of these commands. */
void zones_follow(struct zones_follow *follow, struct store *store, struct engine *engine,
                  struct command *const *commands, uint32_t count);

#endif
