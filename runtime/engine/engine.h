/*
 * The engine: what may happen next, and why. A function of rows, commands, a time and an id
 * source; no clock, socket, file, SQL or thread in it.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "base/id.h"
#include "engine/catalog.h"
#include "engine/command.h"
#include "engine/rows/rows.h"
#include "schedule/zone.h"

/* A segment to be run, as a frame ready to be sent once the batch is durable. */
struct assignment {
    int64_t run_id;
    uint32_t seq;
    struct slice task, build;
    int64_t limit_ms, grace_ms;  /* grace_ms 0: the server's */
    struct frame_segment *frame; /* in the batch's arena */
    struct buffer bytes;         /* the frame encoded; whoever takes the assignment owns it */
    struct assignment *next;
};

/* Something happened to a run that others may wait for, or must stop. */
struct event {
    int64_t run_id;
    uint32_t environment, status, outcome, seq;
    bool was_running;       /* and has been canceled: its slot is to be told */
    bool is_overdue;        /* or its total time is over: there is no grace */
    struct slice task, why; /* PARKED: the reason */
    struct slice warning;   /* for the server's log; empty: none */
    uint32_t problems;      /* of the output it ended with all the same */
    struct event *next;
};

/*
 * What the engine remembers between batches: hints, each of which could be computed again from
 * the rows. Among them: which queues and lanes may have QUEUED runs in the database.
 */
struct engine;

struct engine *engine_create(struct id_source *ids);
void engine_destroy(struct engine *engine);

/* Where time zones come from; before the first schedule. */
void engine_zones(struct engine *engine, const struct zone_source *zones);

/* Queues that have QUEUED runs, as found at start. */
void engine_backlog(struct engine *engine, const struct ids *queues);

/* It shares its store with other nodes: `number` is given out once and for ever, the epoch is
 * what its row has to say. Before the first batch; 0: it is alone. */
void engine_node(struct engine *engine, uint32_t number, uint32_t epoch);

/* The catalog in use; NULL before the first COMMAND_CATALOG. */
const struct catalog *engine_catalog(const struct engine *engine);

/* What time it is, by both clocks (base/clock.h). */
struct moment {
    int64_t wall_ms, steady_ms;
};

struct batch; /* opaque: engine/batch.h is for the engine's own files */

/* A pause has ended by itself. */
struct resumed {
    const char *what; /* "queue", "environment" */
    struct slice name;
    uint32_t environment; /* of a queue */
    struct resumed *next;
};

struct outcome {
    struct assignment *assignments; /* in the order in which they are to be sent */
    uint32_t assignment_count;
    struct event *events;
    struct resumed *resumed;
    struct row_refs aside; /* were due, and in no state to be: forgotten */
    bool is_due_wrong;     /* what the store calls due is absent, or is not due: see mend_due */
    bool is_fenced;        /* this node is dead to the others: nothing was done, begin anew */
    int64_t wake_ms;       /* another batch is wanted then, by the steady clock; 0: none is, or
                        the store has failed */
    bool again; /* more could be done at once: run another batch, with or without commands */
};

/* One batch, in the words of the store's loop (store/batch.c). `arena` holds all of it. */
struct batch *batch_begin(struct engine *engine, struct arena *arena, const struct moment *now,
                          struct command **commands, uint32_t count);
struct rows *batch_rows(struct batch *batch);
/* The disk is nearly full, or no file may have more than so many bytes: nothing new is taken,
 * all else goes on. */
void batch_low(struct batch *batch, int64_t free_bytes, int64_t low_bytes, int64_t file_bytes);
/* True when every command is decided; false: load the wants and call again. */
bool batch_decide(struct batch *batch);
/* The next task whose PARKED runs may go on, for store->parked; false when there is none. */
bool batch_unpark_task(struct batch *batch, struct slice *task, int64_t *after,
                       uint32_t *limit);
/* Some of its runs; `all` when there are no more. Before batch_decide. */
void batch_unpark(struct batch *batch, const struct ids *runs, bool all);
/* Rows whose due_ms has come, of any kind that can be due. Before batch_decide. */
void batch_due(struct batch *batch, const struct row_refs *due);
/* Fill the slots. True when done; false: load the wants and call again. */
bool batch_dispatch(struct batch *batch);
/* After the commit: what to publish. Hints are kept. */
void batch_committed(struct batch *batch, struct outcome *outcome);
/* The store failed: every command is answered with `err`, hints stay as they were. */
void batch_failed(struct batch *batch, const struct err *err);
/* Another node was faster: the same commands, to be decided again. */
struct batch *batch_again(struct batch *batch);

#endif
