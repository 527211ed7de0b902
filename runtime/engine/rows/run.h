/* Runs: the row, its states, and how it can end. See row.h. */
#ifndef RUN_H
#define RUN_H

#include "base/slice.h"
#include "engine/rows/kind.h"

/* The numbers are stored: append only. DONE is last so that "live" is `< RUN_DONE`. */
enum run_status {
    RUN_DELAYED, /* until due_ms: a delayed start, or the pause before a retry */
    RUN_QUEUED,
    RUN_PARKED, /* no loaded build has the task, or the segment; waits for one that does */
    RUN_RUNNING,
    RUN_WAITING,
    RUN_DONE,
    RUN_STATUS_COUNT
};

enum run_outcome {
    OUTCOME_NONE,
    OUTCOME_COMPLETED,
    OUTCOME_FAILED,
    OUTCOME_CRASHED,
    OUTCOME_TIMED_OUT,
    OUTCOME_CANCELED,
    OUTCOME_EXPIRED,
    OUTCOME_SYSTEM_FAILURE,
    OUTCOME_COUNT
};

/* Why an attempt was lost. */
enum loss { LOSS_CRASHED, LOSS_EXITED, LOSS_TIMED_OUT, LOSS_PROTOCOL };

/* What is known of secrets in a run's values: why people may not see them as they are. */
enum run_secrets {
    SECRETS_DECLARED = 1, /* a schema file that it was under marks some */
    SECRETS_MIXED = 2,    /* it was under several files, so none of them says all */
    SECRETS_MET = 4       /* a token of its own, or a child, had some */
};

/* In `choices`, beside enum reuse. */
enum run_choice {
    RUN_GOES_ON = 32, /* CHILDREN_ABANDON, or: */
    RUN_HOLDS = 64,   /* CHILDREN_WAIT */
    RUN_IS_HELD = 128 /* it has children of that kind */
};

/* Behind them: what a start costs of its queue's rate, and of its key's; 0: as that says. */
enum { RUN_COST_BITS = 20, RUN_COST_MOST = 1000000 };
#define RUN_COST_AT(of_key) (8 + ((of_key) ? RUN_COST_BITS : 0))

/* What a run that is not QUEUED, RUNNING or PARKED is found by: its status while it lives, and
 * this + the outcome when it ended other than completed. */
enum { PLACE_PAUSED = 6, PLACE_ENDED = 8, PLACE_DEAD = 16 /* + outcome, too */ };

/* Of a schema file's hash, these are kept with each run: they tell the files of one task apart.
 */
enum { SCHEMA_KEPT_BYTES = 8 };

/* Which big columns of a run are in memory. Each is a table of its own. */
enum run_part {
    PART_INPUT = 1,
    PART_STATE = 2,
    PART_OUTPUT = 4,
    PART_MAIL = 8,
    PART_STATES = 16
};

struct run {
    struct row row;
    int64_t id;
    uint32_t environment;
    uint32_t status, outcome;
    uint32_t seq;        /* counts the moves; the fence */
    int64_t queue, lane; /* of its concurrency key; without one the lane is the queue */
    int64_t rank_ms;     /* queued_at - priority; smaller starts first; kept for life */
    int64_t due_ms;   /* DELAYED: when it is ready, 0: when somebody says so; QUEUED: its ttl's
                         end;   WAITING: when its time comes, or it gives up; DONE: since when
                         what   follows from its end is not done yet (settle.c); else 0 */
    bool due_is_span; /* due_ms is by the steady clock, no date (base/clock.h) */
    int64_t created_ms, updated_ms, started_ms, finished_ms;
    int64_t ttl_ms; /* 0: none; counts from entering the queue, until the first start */
    int64_t priority_ms;
    int64_t limit_ms;           /* attempt time asked for by the trigger; 0: the task's own */
    int64_t parent_id, root_id; /* parent 0: none; root is the run itself then */
    int64_t id_block;           /* of the current entry; 0 before the first */
    int64_t swept_id;  /* canceled: its children up to this one are, too; 0: none, all */
    int64_t busy_us;   /* time in segments */
    int64_t batch;     /* that it is an item of; 0: of none */
    int64_t schedule;  /* that made it; 0: none */
    int64_t frozen_ms; /* pause_lag of its queue as its due_ms has it (ttl.c) */
    int64_t given;     /* hash of a child's payload as its parent gave it; 0: no child */
    int64_t choices;   /* enum reuse, of its key, enum run_choice, and its costs */
    uint32_t attempt, max_attempts;
    uint32_t entry;       /* segments entered so far */
    uint32_t depth;       /* 0 for a root */
    uint32_t remaining;   /* WAITING: edges that must still fire; DONE: children that must end
                             before its own end is told, and 1 until all are known */
    uint32_t progress;    /* percent */
    uint32_t log_lines;   /* said so far; of many, the first and the last are kept */
    uint32_t secrets;     /* enum run_secrets */
    uint32_t node, epoch; /* of the last start; 0: there is one node */
    uint32_t home;        /* QUEUED: the node that may start it; 0: any, or there is one */
    bool is_test;
    bool is_out;       /* DONE, but its segment has not returned yet: its place is taken */
    bool is_backfill;  /* its schedule made it for the past, because it was asked to */
    bool needs_parent; /* made by a task that may wait for it; informational */
    bool has_tokens;   /* it has made some: they are closed when it ends */
    bool is_dead; /* DONE: a dead letter; it keeps its state, what it waited for, its mail */
    struct slice task;
    struct slice segment; /* the one to enter next or being run; empty: the task's first */
    struct slice version, build; /* of the last start; build is 16 hex digits of its SHA-256 */
    struct slice tags;           /* packed list of strings, sorted; empty: none */
    struct slice metadata;       /* packed map; empty: none */
    struct slice error; /* of this attempt and of earlier ones: failure.c; empty: none */
    struct slice wait;  /* packed; engine/wait.h; kept until the segment after the wait ends */
    struct slice left;  /* WAITING for a group: what its groups still need; engine/group.h */
    struct slice once;  /* packed map name → value of this entry; empty: none */
    struct slice timeline; /* moves, opaque bytes; engine/timeline.h */
    struct slice key;      /* 16 raw bytes of the idempotency key's hash; empty: none */
    struct slice key_text; /* what the user called it */
    struct slice concurrency_key;
    struct slice tenant; /* who shares a fair queue with others; empty: nobody, or not said */
    /* SCHEMA_KEPT_BYTES of the hash of its task's schema file: when it was triggered (empty:
     * there was none, or the row is older than this field), and when it was started last
     * (empty: the same; one zero byte: there was none). */
    struct slice schema, schema_now;
    struct slice deaths; /* of the server while it was out; engine/deaths.h */
    int64_t bulk;        /* the bulk action that has made or canceled it; 0: none */
    int64_t replayed;    /* the run that it repeats; 0: none */
    int64_t bounce_ms; /* it is debounced, or collects, and starts then at the latest; 0: no */
    uint32_t collected, collect_most; /* triggers in the list that its input is; at most */
    uint32_t bounces;                 /* how often it was pushed back; */
    struct slice bounce_key;          /* by triggers with that key */
    /* From its trigger to its end, waits included (admission/total.h); 0: any. */
    int64_t total_ms;
    int64_t total_end_ms; /* by the steady clock; 0: none, or it holds no more */
    int64_t cpu_ms;       /* asked for by the trigger, of an attempt; 0: the task's own */
    uint32_t max_attempts_total; /* the same, of all of them */
    bool is_total_warned;        /* most of it is over, and its timeline says so */
    uint32_t tries; /* that have failed since it last saved its state, or, where a retry begins
                       anew, since it was made */
    /* How it ends badly where there is something to undo, or a hook to be called: endings/. */
    uint32_t ending;      /* enum run_outcome that it will have; 0: it is not that far */
    uint32_t undo_number; /* of its ending: the number of the execution that is its turn; 0: the
                        segment that was out when it was canceled is, or its children are
                        being canceled */
    uint32_t undo_tries;  /* of that execution that have failed */
    uint32_t hooks;       /* enum task_hook: of its task, as it was when it was last looked at;
                             while it is ending: what is still to be called */
    struct slice aborts;  /* packed list of segments: to be entered if it ends badly, the last
                             first; empty: none */
    struct slice undo_errors; /* packed: of those executions that were given up */
    int64_t mailed; /* messages that were sent to it so far, which is the last one's number */

    /* More than its last save point is kept: waits/save_points.h. */
    uint32_t keeps;   /* so many, as its task said when it was last looked at; 0: one */
    uint32_t kept;    /* those before the last that are */
    int64_t saved_ms; /* when the last was made; 0: not known, as keeps was 0 */

    /* Packed; row.parts says which are in memory. */
    struct slice input, state, output;
    struct slice mail;   /* messages that no segment has received yet; engine/waits/mail.h */
    struct slice states; /* save points before the last; engine/waits/save_points.h */

    /* In memory only. */
    size_t input_room;      /* of its input, where that has been added to in this batch */
    bool is_away;           /* ready at another node, which does not start it at once */
    bool is_bystander;      /* it was looked at because it is there: not to be started for it */
    uint32_t problems;      /* of its output, which is kept all the same: for the event */
    struct slice why;       /* it is canceled: for the timeline */
    bool makes_tokens;      /* in this batch */
    bool is_cut;            /* it ends though its segment is out, and has not been canceled */
    struct run *next_young; /* made in this batch by the same parent */
};

#include "engine/rows/run_is.h"

#endif
