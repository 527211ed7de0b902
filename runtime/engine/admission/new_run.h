/* What a trigger makes, and all that its decision looks at. */
#ifndef NEW_RUN_H
#define NEW_RUN_H

#include "engine/admission/collect.h"
#include "engine/admission/debounce.h"

/* Everything that the decision looks at: what the catalog says, once, and rows. */
struct trigger_rows {
    const struct catalog_task *task; /* NULL: no plugin offers it */
    struct slice queue_name;
    const struct queue_rules *rules;
    struct queue *queue;
    const struct environment *environment;
    struct lane *lane;
    struct run *parent, *again; /* again: the run of that id, when a segment is run again */
    struct waitpoint *token;    /* likewise */
    struct key *key, *request, *joined; /* joined: as `again`, where the call made no run */
    struct run *keyed;                  /* what `key` stands for, if it is shared */
    struct debounced debounced;
    struct collected collected;
    uint8_t key_hash[16], request_hash[16], joined_hash[16];
    int64_t costs; /* as in run->choices */
};

/* The hash of its payload as it came. */
int64_t trigger_given(const struct batch *batch, const struct trigger *trigger);
/* All is loaded, and it may be made. `payload`: with defaults. */
struct run *run_make(struct batch *batch, const struct trigger *trigger, struct slice payload,
                     const struct trigger_rows *found, struct queue *queue);

#endif
