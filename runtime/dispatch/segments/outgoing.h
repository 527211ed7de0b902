/*
 * Cells: commands to the engine, with their memory, on their way. What a slot did must not get
 * lost because the pump is full or the disk is: such a cell is submitted again until it is
 * decided.
 */
#ifndef DISPATCH_CELL_H
#define DISPATCH_CELL_H

#include "base/arena.h"
#include "base/list.h"
#include "engine/command.h"

struct dispatch;
struct job;
struct slot;

struct cell {
    struct command command; /* command.arena is &arena */
    struct arena arena;
    struct list node; /* free or to be submitted again; else unlinked */
    struct dispatch *dispatch;
    struct slot *slot;   /* of a call, NULL when it is gone; else NULL */
    uint32_t call, kind; /* of a call */
    /* Of a token that was sent ahead (ahead.h): */
    struct list rider;  /* in a job's list, or in riders; else unlinked */
    struct job *job;    /* whose END has not come; else NULL */
    struct cell *end;   /* held until this is decided; else NULL */
    struct list riders; /* of an END: cells whose commands go with it */
    uint32_t waits_for; /* of an END: how many hold it */
    int64_t give_up_ms; /* 0: try for ever */
    uint32_t tries;
    /* The engine has decided, or the cell was given up; then the cell is freed. NULL: nobody
     * cares. */
    void (*on_decided)(struct cell *cell);
};

struct cells {
    struct list spare, again;
    uint32_t spare_count;
    uint32_t under_way;
    int64_t again_ms; /* when to submit those in `again`; 0: there are none */
};

void cells_init(struct cells *cells);
void cells_finish(struct cells *cells);

struct cell *cell_take(struct dispatch *dispatch, enum command_kind kind);
void cell_submit(struct cell *cell);
/* Without a submit. */
void cell_drop(struct cell *cell);

/* Submit again what is due; the next due time, 0: none. */
int64_t cells_tick(struct dispatch *dispatch, int64_t now_ms);

#endif
