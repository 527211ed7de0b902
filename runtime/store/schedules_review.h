/* At start: ticks that were computed by other time zone data. */
#ifndef SCHEDULES_REVIEW_H
#define SCHEDULES_REVIEW_H

#include "engine/engine.h"
#include "store/store.h"

/* `data` is the version at hand, for the log. */
bool schedules_review(struct store *store, struct engine *engine, const char *data,
                      struct err *err);

#endif
