/* A schedule as the API shows it. */
#ifndef HTTP_SCHEDULE_VIEW_H
#define HTTP_SCHEDULE_VIEW_H

#include "engine/rows/schedule.h"
#include "http/server/reply.h"

/* Whole: with its next ticks, and what became of those that made no run. */
void schedule_write(struct request *request, struct out *out, const struct schedule *schedule,
                    bool is_whole);

#endif
