/* Handlers: what a batch calls for each command, and for what is due. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "engine/command.h"

struct batch;

/* Handlers, one a kind of command: false: more rows are needed, nothing was done. */
bool trigger_decide(struct batch *batch, struct command *command);
bool token_create_decide(struct batch *batch, struct command *command);
bool token_complete_decide(struct batch *batch, struct command *command);
bool token_due(struct batch *batch, int64_t id);
bool run_due(struct batch *batch, int64_t id);
bool cancel_decide(struct batch *batch, struct command *command);
bool queue_pause_decide(struct batch *batch, struct command *command);
bool environment_pause_decide(struct batch *batch, struct command *command);
bool segment_end_decide(struct batch *batch, struct command *command);
bool attempt_lost_decide(struct batch *batch, struct command *command);
bool release_decide(struct batch *batch, struct command *command);
bool run_read_decide(struct batch *batch, struct command *command);
bool once_decide(struct batch *batch, struct command *command);
bool notes_decide(struct batch *batch, struct command *command);
bool recover_decide(struct batch *batch, struct command *command);

#endif
