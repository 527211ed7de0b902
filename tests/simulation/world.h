/*
 * A world in one thread: the real engine over the memory store, or over SQLite with the memory
 * store beside it (twin.h), a host that holds assignments as the real dispatch would, tasks
 * that behave as their script says, and an adversary who triggers, completes, cancels, pauses,
 * lets the store fail and pulls the plug between any two steps, and sets the clock. Everything
 * follows from the seed, so a failure replays exactly.
 */
#ifndef WORLD_H
#define WORLD_H

#include "collects.h"
#include "engine/engine.h"
#include "held.h"
#include "hosts.h"
#include "pools.h"
#include "rates.h"
#include "schedules.h"
#include "store/memory/memory_store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TASKS = 3,
    QUEUES = 4,
    SLOTS = 4,
    HELD_MAX = 256,
    BATCH_MAX = 12,
    KNOWN_MAX = 4096,
    KNOWN_SLOTS = 16384
};

struct wait;
/* What has been acknowledged, and must therefore stay true. */
struct known_run {
    int64_t id;
    uint32_t seq, outcome;
    int64_t ready_ms; /* since when it could start, with many nodes; 0: it could not */
    int64_t finished_ms;
    bool is_done, is_gone; /* gone: it was old */
    char task[16];
};

struct known_token {
    int64_t id;
    uint32_t status;
    uint64_t result_hash;
    uint32_t wins;
    int64_t completed_ms;
    uint64_t seen; /* in which batch */
    bool is_there;
    char task[16];
};

struct world {
    uint64_t seed, random;
    uint64_t steps, batches, crashes, failures, pruned, started;
    int64_t latest_ms, latest_steady_ms; /* what the clocks have said at most */
    int64_t now_ms, steady_ms;           /* the two clocks, as base/clock.h has them */
    struct store *memory; /* the rows: of the memory store, or of the twin beside SQLite */
    bool is_sqlite;
    uint32_t queue_limit, key_limit, total_limit, on_conflict; /* 0, but of the first: none */
    struct config_burst bursts[ENVIRONMENTS];
    struct queue_rate rate, key_rate; /* of "slow", and of keys of "fast" */
    struct known_starts starts;       /* since the rates are as they are */
    int64_t batch_ms;                 /* when the last batch began, by the steady clock */
    uint32_t slots, lanes;            /* of each node; looked at in a batch, 0: as usual */
    struct known_collected collected;
    struct known_pools pools;
    struct known_schedules schedules;
    uint32_t weight; /* of the tenant "one" of the fair queue; 0: it is not fair */
    uint32_t limits_version;
    struct past_limits past[PAST_MOST];
    uint32_t past_count;
    /* Of the node whose turn it is; the others' are in `hosts`: nodes.c. */
    struct store *store;
    struct moment next_due; /* as the store said last: the pump looks when it has come */
    struct engine *engine;
    struct id_source *ids;
    struct catalog *catalog;
    bool available[TASKS];
    struct config_retention retention; /* of all, and of the task "beta" */
    struct config_retention beta_retention;
    struct catalog_retention beta;
    struct command prune;      /* how far the walk is that removes what is old */
    struct held_segment *held; /* HELD_MAX */
    uint32_t held_count;
    struct held_segment ghost; /* a slot that was given up on, and may yet speak */
    struct command *commands;  /* of the batch being gathered; BATCH_MAX */
    uint32_t command_count;
    uint32_t number, epoch;            /* of the node; 0: it is alone */
    bool has_joined;                   /* it has had a row */
    uint32_t limits_made, limits_seen; /* in its catalog; in the one of its last batch */
    int64_t seen_ms;                   /* when it had its last batch, by the steady clock */
    uint32_t passed_by[3]; /* starts of others while a tenant could start: rules_fair.c */
    int64_t away_until_ms; /* it is cut off from the store until then, by the steady clock */
    char node_end;
    struct host *hosts;
    uint32_t host_count, host, last_epoch; /* `host` is whose turn it is */
    int64_t round_ms;  /* when all nodes had their turn last, by the steady clock */
    int64_t looked_ms; /* time in which they had, as they look: NODE_POLL_MS a round */
    int64_t calm_ms;   /* of that, since none of them has crashed */
    bool is_between;   /* one node's batch is under way, and another's has come in between */
    struct known_run runs[KNOWN_MAX];
    uint32_t run_count;
    struct known_token tokens[KNOWN_MAX];
    uint32_t token_count;
    uint16_t run_slots[KNOWN_SLOTS], token_slots[KNOWN_SLOTS]; /* where an id is, plus one */
    struct arena arena;                                        /* of the commands */
    struct model *model;                                       /* what the rules say: model.h */
    uint32_t builds;
    bool drains; /* the end: no new work, no faults, everything must finish */
    bool verbose;
    char flaw[400]; /* what was violated; empty: nothing */
};

/* What queues.yaml says of it, but for limits; all 0: nothing. */
const struct queue_rules *world_rules(struct slice queue);
/* What it gives to a run whose trigger does not say; false: its expression has no value. */
bool world_priority(struct slice queue, struct slice payload, int64_t *priority_ms);

/* world.c */
/* `nodes` over one store, 1 alone. */
void world_open(struct world *world, uint64_t seed, bool is_sqlite, uint32_t nodes,
                bool verbose);
void world_close(struct world *world);
uint64_t world_random(struct world *world, uint64_t below);
bool world_chance(struct world *world, unsigned percent);
void world_flaw(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct command *world_command(struct world *world, enum command_kind kind); /* NULL: full */
/* The `calls`th call of the store from now on fails; 0: none. */
void world_fail(struct world *world, int calls);
/* Time passes; or the wall clock is set. */
void world_pass(struct world *world, int64_t ms);
void world_set_clock(struct world *world, int64_t step_ms);
/* A moment of any size and sign: a date, or (with `from_ms` 0) a span; most are near. */
int64_t moment_any(uint64_t dice, int64_t from_ms);
/* Runs the gathered batch and takes in what it says; may crash the world on the way. */
void world_batch(struct world *world);
void world_crash(struct world *world);
void world_catalog(struct world *world);
/* Other limits of environments, or none. */
void bursts_draw(struct world *world);
/* The process of this turn's node starts. */
void world_start(struct world *world);

/* slots.c */
void slots_assign(struct world *world, const struct assignment *assignment);
void slots_step(struct world *world); /* a random slot says something */
void slots_reply(struct world *world, struct command *command);
/* A number that follows from where the segment is, and from `what`. */
uint64_t slots_script(const struct world *world, const struct held_segment *held,
                      uint64_t what);
void slots_event(struct world *world, const struct event *event);

/* chatter.c */
void chatter_step(struct world *world, struct held_segment *held);
void chatter_ghost(struct world *world, struct held_segment *ghost);
struct frame_note *chatter_notes(struct world *world, uint32_t *count);
void chatter_meta(struct world *world, struct frame_end *end);
void chatter_creates(struct world *world, const struct held_segment *held,
                     struct segment_end *end);

/* act.c, drain.c, hands.c, rules_redrive.c */
void hands_step(struct world *world);
void edits_step(struct world *world);  /* edits.c */
bool act_redrive(struct world *world); /* false: there is nothing to redrive */
void save_point_say(struct world *world, struct trigger *trigger);
void act_step(struct world *world);
void act_reply(struct world *world, struct command *command);
void act_drain(struct world *world);
/* The node has not been told of the limits yet: it is. */
void act_follow(struct world *world);

/* check.c */
void check_rows(struct world *world);
void check_started(struct world *world, const struct run *started);
void check_idle(struct world *world, const struct outcome *outcome);
void check_queues(struct world *world);
bool is_part_of(const struct world *world, const struct run *run, int64_t id);
void check_outcome(struct world *world, const struct outcome *outcome);
/* After a batch: what is due is looked at, or it is known that it is due. */
void check_overdue(struct world *world, const struct moment *now);
void check_finished(struct world *world);
/* rules_group.c: of a run that waits for one. */
void check_group(struct world *world, const struct run *run, const struct wait *wait,
                 struct arena *arena);
/* rules_fair.c */
void fair_rules(struct world *world, struct arena *arena, struct queue_rules *rules);
struct slice fair_tenant_expected(const struct world *world, struct slice queue,
                                  struct slice payload, bool *is_flawed);
void check_fair(struct world *world, const struct run *started);

/* NULL when unknown and not to be added. */
struct known_run *known_run(struct world *world, int64_t id, bool add);
struct known_token *known_token(struct world *world, int64_t id, bool add);

#endif
