/*
 * The model: what the rules say must be in the rows after each batch, computed from the rows
 * before it, the commands of the batch and their replies. It knows no more than a client and a
 * task know, and nothing of how the engine comes to it.
 *
 *   rows before + commands, in order ─▶ what must have become of each run and token
 *   rows after + outcome             ─▶ is it so?
 *
 * Where two things in one batch may come in either order the model takes both.
 */
#ifndef MODEL_H
#define MODEL_H

#include "base/table.h"
#include "endings.h"
#include "keys.h"
#include "store/batch_run.h"
#include "world.h"

enum { SAID_MAX = 96, ONCE_MAX = 16, MODEL_KEYS = 512, MOVES_MAX = 16 };

/* A run as it was before the batch, and what has been said to it since it is there. */
struct shadow {
    struct run *was;            /* NULL: it was not there */
    const struct run *row;      /* the store's, which is another one after each change */
    const struct command *made; /* by this trigger, in this batch */
    int64_t entered_ms;   /* its queue, for the first time, by the steady clock; 0: not yet */
    int64_t frozen_ms;    /* its queue's, then */
    struct slice segment; /* to enter next; empty: the first */
    struct slice state, input, output, tags;
    struct frame_once once[ONCE_MAX]; /* recorded in this entry */
    uint32_t once_count;
    int64_t busy_us, counted, sent; /* counted: "sum" of its metadata; sent: messages */
    uint32_t appended, failures, progress, lines, extra_moves;
    uint32_t tries; /* that have failed since it saved its state last */
    struct said {
        uint32_t line, level, attempt;
    } said[SAID_MAX];
    uint32_t said_count;
    /* In this batch: */
    uint64_t batch, bounced;   /* bounced: when another trigger was made one with it */
    const struct command *end; /* that its segment said, and that counted */
    bool is_recovered, is_clean, is_freed; /* freed: canceled, and its segment has returned */
    const struct command *cancel;
    struct move path[MOVES_MAX]; /* its moves */
    uint32_t moves;
    struct letter *letters;              /* the last comes first; rules_mail.c */
    bool is_redriven, is_again, is_anew; /* it goes on, or a new one; itself; from the start */
    bool is_plain;                       /* its end became a failure that is not retried */
    uint32_t acts; /* by hand on its wait, a bit each; and the last that moved it */
    const struct token_complete *moved;
    int64_t given, was_given;           /* "given" of its metadata; before the batch */
    struct shadow *letter;              /* whose place it took in this batch */
    const struct run_edit *rescheduled; /* the same, and: */
    bool is_tagged;
    struct shadow_undo undo;
    struct shadow_points *points; /* rules_keep.c */
};

struct shadow_token {
    struct waitpoint *was;
    const struct waitpoint *row;
    uint32_t status; /* that it must have now */
    struct slice result;
    uint64_t batch; /* for which `status` was begun */
    bool is_made;   /* in this batch */
    bool is_moved;  /* in this batch, to: */
    bool due_is_span;
    int64_t due_ms;
};

struct shadow_pause {
    bool paused, frozen, refuses, due_is_span;
    int64_t paused_ms;
    int64_t due_ms;  /* paused: its end */
    int64_t ramp_ms; /* of its end; or of the one that is under way, */
    int64_t ramp_from_ms;
    struct slice why;
};

struct shadow_queue {
    int64_t completed, failed, canceled, wait_ms, busy_us, unstarted, created_ms, override_ms;
    int64_t rates_ms[2]; /* since when its rates are set */
    uint32_t override_limit, environment;
    struct shadow_pause pause;
    int64_t frozen_ms; /* time in which it or its environment was frozen, since it is known */
};

struct model {
    struct arena arena;
    struct table runs, tokens, queues, run_batches, waits, bulks; /* waits: rules_wait_key.c */
    struct shadow_kept *kept; /* items of batches: rules_batch.c */
    struct shadow_key keys[MODEL_KEYS];
    uint32_t key_count;
    struct shadow_pause environments[ENVIRONMENTS + 1];
    int64_t steady_ms; /* of the last batch */
    uint64_t batches;
    /* Of each row by its place in the store: most have not changed, and need no search. */
    struct seen {
        const void *row;
        int64_t id;
        void *shadow;
    } * seen_runs, *seen_tokens;
    uint32_t seen_run_count, seen_token_count;
};

/* A batch that was committed. */
struct look {
    struct world *world;
    struct model *model;
    const struct store_batch *batch;
    const struct outcome *outcome;
    const struct catalog *catalog; /* NULL: there is none yet */
    int64_t now_ms, steady_ms;
};

/* model.c */
struct model *model_create(void);
void model_destroy(struct model *model);
/* After each batch; `ok`: it was committed. */
void model_batch(struct world *world, const struct store_batch *batch,
                 const struct outcome *outcome, bool ok);
/* At the end. */
void model_finished(struct world *world);
struct shadow *shadow_of(const struct look *look, int64_t id); /* NULL: unknown */
struct shadow_token *shadow_token_of(const struct look *look, int64_t id, bool add);
const struct run *run_now(const struct look *look, int64_t id);
const struct waitpoint *token_now(const struct look *look, int64_t id);
struct slice queue_name_now(const struct look *look, const struct run *run);
struct slice model_keep(const struct look *look, struct slice bytes);
bool look_is_over(const struct look *look, int64_t due_ms, bool is_span);
/* What `date_ms` and `span_ms` make; *is_span. */
int64_t look_deadline(const struct look *look, int64_t date_ms, int64_t span_ms, bool *is_span);
/* Was the run in that segment when the command came? *is_sure: nothing else in the batch may
 * have ended it before. */
bool look_is_at(const struct look *look, int64_t run_id, uint32_t seq, bool *is_sure);
/* The answer to a command of a segment: only the segment that is out is heard. True: it counts.
 */
bool rule_fence(const struct look *look, const struct command *command, int64_t run_id,
                uint32_t seq);

/* rules_trigger.c: what a trigger makes, and what its keys find. */
void rule_trigger(const struct look *look, const struct command *command);
void rule_made(const struct look *look, const struct command *command);

/* rules_token.c */
void rule_token_create(const struct look *look, const struct command *command);
void rule_token_complete(const struct look *look, const struct command *command);
void rule_token_row(const struct look *look, const struct waitpoint *token);
void rule_tokens_closed(const struct look *look, const struct run *run);

/* rules_run.c: the moves of a run. */
void rule_run_row(const struct look *look, struct shadow *shadow, const struct run *run);
void rule_run_stays(const struct look *look, const struct shadow *shadow,
                    const struct run *run);

/* rules_end.c */
void rule_end(const struct look *look, struct shadow *shadow, const struct run *run);
/* The number of its last attempt, if its code fails from here on and saves nothing. */
uint32_t last_attempt_expected(const struct look *look, const struct run *run);

/* rules_pause.c: queues and environments, their pauses and sums. */
void rule_queue_pause(const struct look *look, const struct command *command);
void rule_queue_limit(const struct look *look, const struct command *command);
void rule_environment_pause(const struct look *look, const struct command *command);
void rule_ended(const struct look *look, const struct run *run);
void rule_queue(const struct look *look, const struct queue *queue);
void rule_environments(const struct look *look);
void rule_pauses_pass(const struct look *look);
/* Is nothing new taken in the queue (NULL: in one of the environment's)? */
bool rule_refuses(const struct look *look, uint32_t environment, const struct queue *queue);
/* The run enters its queue for the first time. */
void rule_entered(const struct look *look, struct shadow *shadow, const struct run *run);
/* When its ttl ends, if nothing is frozen from now on. */
int64_t rule_ttl_end(const struct look *look, const struct shadow *shadow,
                     const struct run *run);
/* The same as the row says it. */
int64_t rule_ttl_told(const struct look *look, const struct run *run);

/* rules_crowd.c, rules_conflict.c: how many may wait in a queue, and with one key. */
void rule_full(const struct look *look, const struct trigger *trigger);
void rule_dropped(const struct look *look, const struct shadow *shadow, const struct run *run);
void rule_crowds(const struct look *look);
/* bulk.c */
bool rule_bulk_canceled(const struct look *look, const struct run *run,
                        const struct move *move);
bool rule_replaced(const struct look *look, const struct run *run, const struct move *move);
void rule_conflict_new(const struct look *look, const struct run *run);
bool rule_conflict_skipped(const struct look *look, const struct trigger *trigger);

/* rules_note.c: what segments say on their way. */
void rule_notes(struct shadow *shadow, const struct frame_note *notes, uint32_t count);
void rule_once(const struct look *look, const struct command *command);
void rule_run_read(const struct look *look, const struct command *command);
void rule_said(const struct look *look, struct shadow *shadow, const struct run *run);
void rule_lines(struct world *world, struct model *model);

#include "waits.h"

#endif
