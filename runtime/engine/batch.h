/*
 * A batch from the inside; for the engine's own files.
 *
 * Everything here works in two breaths. First a handler asks for the rows that it needs, and
 * returns false when one is not loaded: nothing was changed, it will be called again. Only when
 * all are there does it change them. So correctness never leans on the prefetch, which only
 * saves rounds.
 */
#ifndef BATCH_H
#define BATCH_H

#include "engine/admission/admission.h"
#include "engine/admission/hints.h"
#include "engine/engine.h"
#include "engine/pauses.h"
#include "engine/prune.h"
#include "engine/settle.h"
#include "engine/waits/wait.h"

struct batch {
    struct engine *engine;
    struct arena *arena;
    int64_t now_ms, steady_ms; /* by the wall clock, and by the steady one (base/clock.h) */
    struct rows rows;
    const struct catalog *catalog;
    bool is_low; /* on room: free_bytes are left of the disk, low_bytes are wanted */
    int64_t free_bytes, low_bytes, file_bytes; /* > 0: a limit of files is what it is low on */
    struct command **commands;
    uint32_t count, at;
    uint32_t wishes;     /* what they ask for, each item of a batch by itself */
    uint32_t phase;      /* batch.c */
    struct node *roll;   /* nodes.c: changes with what the nodes offer; NULL: it is alone */
    uint32_t roll_epoch; /* of it, as it was loaded */
    bool is_node_begun, is_fenced, is_poll, is_relimit, is_fetched, is_told; /* nodes.h */
    bool has_fetched;
    int64_t away_lane;
    struct row_refs due;
    struct ids unparked;
    uint32_t due_at, unparked_at;
    struct row_refs aside;   /* due, and in no state to be */
    bool is_due_wrong;       /* something is absent, or not due, that the store calls due */
    struct census *censuses; /* the engine's after the commit */
    uint32_t census_count;
    bool is_sweep, is_lane_sweep, has_more_lanes;
    int64_t lane_swept;   /* the last that was looked at */
    bool is_marked;       /* what runs wait for is known anew */
    uint32_t unpark_next; /* engine->unpark_at and unpark_after after the commit */
    int64_t unpark_after;
    /* Consequences still to be drawn, in order (settle.c). */
    struct ids fired;    /* waitpoints that have ended */
    struct ids canceled; /* runs to be canceled */
    struct ids swept;    /* runs that were, whose children are to be */
    struct ids ended;    /* runs that have made tokens, which are to be closed */
    struct ids heard;    /* runs that have ended, each an item of a batch */
    uint32_t fired_at, canceled_at, swept_at, ended_at, heard_at;
    uint32_t steps; /* that may still be taken with crowds */
    uint32_t few;   /* so many waiters are no crowd yet */
    struct admission admission;
    struct table crowds; /* admission/crowd.c */
    struct table kept;   /* items that are kept aside, by batch and queue (batches/ahead.c) */
    struct table waits;  /* what runs wait for, as it was read: run_wait() */
    struct table mails;  /* of runs that were sent messages: room for more (waits/mail.c) */
    bool again;
    bool is_stopping; /* nothing is started any more */
    /* To publish. */
    struct assignment *first_assignment, **assignment_tail;
    uint32_t assignment_count;
    struct event *first_event, **event_tail;
    struct resumed *first_resumed;
};

/* When something is due, of what was asked for: a date, by the wall clock, or else a span, by
 * the steady one. 0 is "none"; what is negative or past is over now; what is too far for a sum
 * never comes. All times that come from outside go through here. */
struct deadline {
    int64_t due_ms;
    bool is_span;
};
struct deadline batch_deadline(const struct batch *batch, int64_t date_ms, int64_t span_ms);
bool batch_is_over(const struct batch *batch, int64_t due_ms, bool is_span);
/* Is it due, as far as the store knows? */
bool batch_was_due(const struct batch *batch, enum row_kind kind, const struct row *row);

/* Is there room for something new? False with the command's err set. */
bool batch_has_room(const struct batch *batch, struct command *command);

/* Growing lists in the batch's arena. */
void batch_ids_add(struct batch *batch, struct ids *ids, int64_t id);

/* run.c */
bool run_move(struct batch *batch, struct run *run, enum run_status to, struct slice text);
/* A line of its timeline that is no move. */
void run_note(struct batch *batch, struct run *run, struct slice text);
/* QUEUED, or PARKED when nothing can run it now. */
void run_enqueue(struct batch *batch, struct run *run, struct slice text);
void run_set_part(struct run *run, enum run_part part, struct slice value);
/* The rows that run_finish needs. */
bool run_finish_ready(struct batch *batch, struct run *run);
void run_finish(struct batch *batch, struct run *run, enum run_outcome outcome);
/* It starts over: nothing is left of what it has saved and waited for. */
void run_begin_anew(struct batch *batch, struct run *run);
/* A dead letter that has gone on elsewhere: it keeps nothing any more, unless it keeps more
 * than its last save point. */
void run_bury(struct run *run);
/* All its rows are there (run_finish_ready); those below it follow. */
void cancel_run(struct batch *batch, struct run *run);
/* It ends before it was started; `why` is for its error and its timeline. */
void run_expire(struct batch *batch, struct run *run, struct slice why);
/* Who waits for it, and its batch, are told of its end, if it is over. */
void run_tell(struct batch *batch, struct run *run);
/* The segment of a canceled run has returned, or was killed: its place is free. */
void run_free(struct batch *batch, struct run *run);
/* The server, or the node, that had it out has ended. */
void run_recover(struct batch *batch, struct run *run, bool is_clean);
void run_drop_wait(struct batch *batch, struct run *run);
/* The name of the segment it is in, or enters next; empty: nobody knows its first. */
struct slice run_segment(const struct batch *batch, const struct run *run);
struct event *batch_event(struct batch *batch, const struct run *run, bool was_running);

/* prefetch.c */
void batch_prefetch(struct batch *batch);
/* What follows from the end of this waitpoint. */
void waiters_prefetch(struct batch *batch, int64_t waitpoint);

/* What is due; false: more rows are needed, nothing was done. */
bool token_due(struct batch *batch, int64_t id);
bool run_due(struct batch *batch, int64_t id);
bool queue_due(struct batch *batch, int64_t id);
bool environment_due(struct batch *batch, int64_t number);
bool run_batch_due(struct batch *batch, int64_t id); /* batches/run_batches.c */
bool schedule_due(struct batch *batch, int64_t id);  /* schedules/schedule_due.c */

/* segment.c: a running run with that fence, NULL with command->err set otherwise. */
bool run_fenced(struct batch *batch, struct command *command, int64_t id, uint32_t seq,
                uint32_t parts, struct run **run);

/* A line of its log, or its progress. */
void run_note_take(struct batch *batch, struct run *run, const struct frame_note *note);
void run_notes_take(struct batch *batch, struct run *run, const struct frame_note *notes,
                    uint32_t count);
/* Of a run that has moved on: free its place. */
bool segment_free(struct batch *batch, const struct segment_end *ended);

/* output.c: false: the run has failed over its output. True: `output` is as it will be stored,
 * with defaults; a run may have got warnings. */
bool output_check(struct batch *batch, struct run *run, const struct catalog_task *task,
                  struct value *output);

/* queue.c */
bool queue_get(struct batch *batch, uint32_t environment, struct slice name,
               struct queue **queue); /* made when absent */
bool queues_ensure(struct batch *batch);
/* Of its queue, which is loaded; "": it is gone. */
struct slice queue_name_of(struct batch *batch, const struct run *run);
struct census *census_get(struct batch *batch, uint32_t environment);

/* admission/crowd.c: may one more wait in that queue (NULL: it is not there yet), behind so
 * many that are sure to come? Who must go for it goes; `leaves` goes anyway (NULL: nobody
 * does). False: more rows are needed; the command's err says whether it is refused. */
bool crowd_admit(struct batch *batch, struct command *command, const struct queue *queue,
                 const struct queue_rules *rules, const struct run *leaves, uint32_t ahead);
void crowd_moved(struct batch *batch, const struct run *run, bool was_there, uint32_t before);

/* admission/conflict.c: the run of its lane (NULL: it has none yet) that on_conflict is about;
 * NULL: none. False: more rows are needed. */
bool conflict_find(struct batch *batch, const struct queue_rules *rules,
                   const struct lane *lane, const struct run *parent, struct run **met);
void conflict_cancel(struct batch *batch, struct run *met);

/* defaults.c: a number of the file's; false: its expression has no value, `flaw` says why. */
bool amount_get(struct batch *batch, const struct queue_amount *amount, struct slice payload,
                double *number, struct expression_flaw *flaw);
/* What its starts cost of rates, as in run->choices; `queue` may be NULL, it is new then.
 * False: no rate can pay it, and command->err says so. */
bool costs_take(struct batch *batch, struct command *command, const struct queue_rules *rules,
                const struct queue *queue, struct slice payload, int64_t *costs);
/* Fills what the trigger does not say: ttl and priority. A line for its timeline; empty: none.
 */
struct slice defaults_take(struct batch *batch, const struct trigger *trigger,
                           struct slice payload, const struct queue_rules *rules,
                           struct run *run);

/* frame.c: what the slot needs to know; false: more rows are needed. */
bool segment_frame_ready(struct batch *batch, struct run *run);
struct frame_segment *segment_frame(struct batch *batch, struct run *run);
/* How far it is, as its waiter sees it. */
enum wait_status token_ended(const struct batch *batch, const struct waitpoint *token);
enum wait_status run_ended(const struct run *run);

#include "engine/commands/command_table.h"
#include "engine/key.h"

#endif
