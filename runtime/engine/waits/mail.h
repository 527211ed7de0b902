/*
 * Mailboxes: what was sent to a run, in the order in which it came, until the segment that
 * received it has ended. It is a part of the run's row: it moves, and goes, with the run.
 *
 *   sent ──▶ there ── a wait's part of that name takes the oldest ──▶ told to the segment
 *                                                  the segment has ended ──▶ gone
 *
 * What a part has taken stands in the run's wait, so a segment that is tried again is told the
 * same, and what comes meanwhile is for the next wait.
 */
#ifndef MAIL_H
#define MAIL_H

#include "base/arena.h"

#include <stdint.h>

struct batch;
struct run;
struct wait;

struct mail_item {
    int64_t number; /* counts from 1 in each run */
    int64_t created_ms;
    int64_t sender_id; /* the run that sent it; 0: it came from outside */
    struct slice name;
    struct slice data;   /* packed */
    struct slice secret; /* as struct waitpoint has it */
};

/* By their numbers. */
struct mail {
    struct mail_item *items;
    uint32_t count;
};

struct mail mail_read(struct arena *arena, struct slice packed);
const struct mail_item *mail_find(const struct mail *mail, int64_t number);

/* Whether what is there is loaded. */
bool mail_ready(struct batch *batch, struct run *run);
uint32_t mail_count(const struct run *run);
/* Gives it its number. */
void mail_add(struct batch *batch, struct run *run, struct mail_item *message);
/* To the wait's parts of the same name that have none, the oldest to the first. */
void mail_give(struct batch *batch, const struct run *run, struct wait *wait);
/* What the wait's parts have was received: it goes. */
void mail_drop(struct batch *batch, struct run *run, const struct wait *wait);
/* The run has ended. */
void mail_close(struct run *run);

#endif
