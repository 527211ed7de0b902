/* Commands: what a batch does for each kind, as one table; a file each. */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include "engine/command.h"

struct batch;
struct engine;

struct command_rule {
    const char *name, *sentence;
    /* False: more rows are needed, nothing was done. */
    bool (*decide)(struct batch *batch, struct command *command);
    /* Want in bulk what `decide` will ask for; what it returns is of no interest. */
    bool (*prefetch)(struct batch *batch, const struct command *command);
    /* Forget the reply: it is decided again. NULL: it has none. */
    void (*clear)(struct command *command);
    /* Of what is the process's own, not the database's: it takes effect whatever the store
     * says, and needs no row. In place of `decide`. */
    void (*take)(struct engine *engine, struct command *command);
};

extern const struct command_rule command_rules[COMMAND_KIND_COUNT];

bool trigger_decide(struct batch *batch, struct command *command);
bool batch_send_decide(struct batch *batch, struct command *command);
bool cancel_decide(struct batch *batch, struct command *command);
bool token_create_decide(struct batch *batch, struct command *command);
bool token_complete_decide(struct batch *batch, struct command *command);
bool wait_act_decide(struct batch *batch, struct command *command);
bool message_send_decide(struct batch *batch, struct command *command);
bool run_edit_decide(struct batch *batch, struct command *command);
bool redrive_decide(struct batch *batch, struct command *command);
bool queue_pause_decide(struct batch *batch, struct command *command);
bool queue_limit_decide(struct batch *batch, struct command *command);
/* Why a queue of that name is not there: *err starts with `words`. False: more rows are needed.
 */
bool queue_missing(struct batch *batch, uint32_t environment, struct slice name,
                   const char *words, struct err *err);
bool environment_pause_decide(struct batch *batch, struct command *command);
bool key_reset_decide(struct batch *batch, struct command *command);
bool schedule_put_decide(struct batch *batch, struct command *command);
bool schedule_act_decide(struct batch *batch, struct command *command);
bool schedule_backfill_decide(struct batch *batch, struct command *command);
bool schedules_review_decide(struct batch *batch, struct command *command);
bool bulk_create_decide(struct batch *batch, struct command *command); /* bulk/bulk_act.c */
bool bulk_stop_decide(struct batch *batch, struct command *command);
bool segment_end_decide(struct batch *batch, struct command *command);
bool segment_lost_decide(struct batch *batch, struct command *command);
bool segment_release_decide(struct batch *batch, struct command *command);
bool run_read_decide(struct batch *batch, struct command *command);
bool run_bundle_decide(struct batch *batch, struct command *command); /* again/bundle.c */
bool batch_read_decide(struct batch *batch, struct command *command);
bool once_decide(struct batch *batch, struct command *command);
bool prune_decide(struct batch *batch, struct command *command);
bool notes_decide(struct batch *batch, struct command *command);
bool recover_decide(struct batch *batch, struct command *command);

bool trigger_prefetch(struct batch *batch, const struct command *command);
/* What its decision needs; its lane is filled in. */
bool trigger_wants(struct batch *batch, struct trigger *trigger);
bool batch_send_prefetch(struct batch *batch, const struct command *command);
bool token_create_prefetch(struct batch *batch, const struct command *command);
bool token_complete_prefetch(struct batch *batch, const struct command *command);
bool message_send_prefetch(struct batch *batch, const struct command *command);
bool redrive_prefetch(struct batch *batch, const struct command *command);
bool segment_end_prefetch(struct batch *batch, const struct command *command);

void trigger_clear(struct command *command);
void redrive_clear(struct command *command);
void batch_send_clear(struct command *command);
void token_create_clear(struct command *command);
void token_complete_clear(struct command *command);
void message_send_clear(struct command *command);
void run_edit_clear(struct command *command);
void schedule_put_clear(struct command *command);
void schedule_act_clear(struct command *command);
void schedule_backfill_clear(struct command *command);
void run_read_clear(struct command *command);
void run_bundle_clear(struct command *command);

void catalog_take(struct engine *engine, struct command *command);
void speed_take(struct engine *engine, struct command *command);

#endif
