/* Debouncing: triggers of one key that come soon after each other are one run. */
#ifndef DEBOUNCE_H
#define DEBOUNCE_H

#include "engine/rows/row.h"

struct batch;
struct catalog_task;
struct command;
struct key;
struct trigger;

/* What its key stands for. */
struct debounced {
    struct key *key;
    struct run *run; /* NULL: none that still waits for its start */
    uint8_t hash[16];
};

/* False: more rows are needed. Of a trigger that is not debounced all is NULL. */
bool debounce_load(struct batch *batch, const struct trigger *trigger,
                   struct debounced *debounced);
/* The trigger is made one with the run; command->err says where it cannot be. `payload` is its
 * payload with defaults. */
void debounce_join(struct batch *batch, struct command *command,
                   const struct debounced *debounced, const struct catalog_task *task,
                   struct slice payload);
/* The run has been made for the key. */
void debounce_begin(struct batch *batch, const struct trigger *trigger,
                    const struct debounced *debounced, struct run *run);

#endif
