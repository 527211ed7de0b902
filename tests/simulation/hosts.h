/* The nodes of a world, each with a host: nodes.c. World.h has it. */
#ifndef HOSTS_H
#define HOSTS_H

#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENVIRONMENTS = 2, PAST_MOST = 8 };

struct past_limits { /* until every node has heard of others */
    uint32_t queue, key, total;
    struct config_burst bursts[ENVIRONMENTS];
    uint32_t version, last_epoch; /* of the limits; of the nodes at that time */
};

struct queue;
struct run;
struct store;
struct world;

void hosts_open(struct world *world, uint32_t nodes, struct store *first);
void hosts_close(struct world *world);
void host_turn(struct world *world, uint32_t host);
/* Any node that is there. */
void host_any(struct world *world);
/* It is cut off for a while, longer than its lease or not. */
void host_cut(struct world *world);
/* A number that no node has; who had it may not know yet that he is dead. */
uint32_t host_number(struct world *world);
/* Other limits for all, told to each in its own time. */
void hosts_limit(struct world *world);
/* Those that all nodes have heard to be past are forgotten. */
void hosts_past(struct world *world);
/* Has the node looked at its limits since then that has the run out? */
bool hosts_have_looked(struct world *world, const struct run *run, int64_t since_ms);
/* Does every node go by the limits as they are? */
bool hosts_have_heard(struct world *world);
/* Time has passed: every node that is there looks. */
void hosts_pass(struct world *world);
/* All have come back: none is cut off any more. */
void hosts_join(struct world *world);
/* After a batch of this turn's node: did it write although others take it for dead? */
void host_check(struct world *world, bool is_fenced);
bool host_is_alone(const struct world *world);
/* In how many slots of nodes that live is it? */
uint32_t hosts_hold(struct world *world, const struct run *run);
uint32_t hosts_held(struct world *world);

/* rules_run.c: it was canceled, or took too long: its children end as they were made to. */
bool ended_with_children(const struct run *run);

#endif
