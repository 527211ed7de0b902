/* Run views: what a run looks like to a client. */
#ifndef RUN_VIEW_H
#define RUN_VIEW_H

#include "engine/catalog.h"
#include "engine/rows/row.h"
#include "http/api/hold.h"
#include "http/server/out.h"
#include "http/server/read_pool.h"

enum { VIEW_CHILDREN = 100, VIEW_WAITS = 100, VIEW_HOLDS = 10 };

#define RUN_UNKNOWN "Run not found"

/* "WAITING": the contract's words. */
const char *run_status_word(const struct run *run);
/* The (status, outcome) of a run_filter behind a word, and the word again; false: no such word.
 * DEQUEUED is none of ours and has the outcome OUTCOME_COUNT, which no run has. */
bool run_status_find(struct slice word, uint32_t *status, uint32_t *outcome);
const char *run_wanted_word(uint32_t status, uint32_t outcome);

/* One run of a list. */
void run_item_write(struct out *out, const char *key, const struct run *run,
                    const char *environment);

struct wait_view {
    const char *type, *status;
    const char *prefix; /* of the id; NULL: a time has none */
    int64_t id, timeout_ms;
    bool is_over;
    /* A run that has ended, which is told when these children of it have ended, too; when it is
     * none, when its segment has returned: */
    int64_t *held_by;
    uint32_t held_count;
    /* Of a group: */
    struct slice name;
    struct slice message;         /* of what name it waits for one; empty: for none */
    uint32_t of;                  /* 1 + the place of the group that it is in; 0: none */
    uint32_t needed, parts, come; /* of its parts so many are needed, and have come */
};

/* What is read for the whole object. */
struct run_view {
    const struct run *run;
    const struct catalog *catalog; /* whose schemas say what is secret; NULL: none yet */
    struct slice queue;
    const struct run *parent, *root; /* NULL: none */
    const struct schedule *schedule; /* that made it; NULL: none, or it was deleted */
    struct run_page children;
    struct wait_view *waits; /* of a waiting run */
    uint32_t wait_count, wait_total;
    uint32_t needed, come;
    bool is_group;
    int64_t gives_up_ms, reminds_ms; /* of a group; 0: never */
    struct slice wait_key;           /* idempotency, as it was given */
    uint32_t reminders, reminded;
    struct slice parked; /* why, for a person */
    struct hold hold;
};

/* Loads all of it; false with err. view->run and view->catalog are given. */
bool run_view_read(struct run_view *view, struct pool_reader *reader, struct arena *arena,
                   struct err *err);
void run_view_write(struct out *out, struct arena *arena, const struct run_view *view,
                    const char *environment);

/* When a schedule fires, as the contract has it. */
void schedule_generator_write(struct out *out, struct slice cron);

/* run_waits.c: the same of what it waits for. */
bool run_waits_read(struct run_view *view, struct reader *reader, struct arena *arena,
                    struct err *err);
void run_waits_say(struct run_view *view, struct arena *arena);
void run_waits_write(struct out *out, const struct run_view *view);
void run_reminders_write(struct out *out, const struct run_view *view);
/* What one is: its members but for its times. */
void run_wait_head_write(struct out *out, const struct wait_view *wait);

#endif
