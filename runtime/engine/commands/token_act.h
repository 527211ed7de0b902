/* What is done to a token by hand, whoever names it; for the engine's own files. */
#ifndef TOKEN_ACT_H
#define TOKEN_ACT_H

#include "engine/batch.h"

/* As the command says, to the token of that id. False: more rows are needed. */
bool token_act(struct batch *batch, struct command *command, int64_t id);
/* "closed by ann: the shop is shut" */
struct slice act_text(struct batch *batch, const struct command *command, const char *what);
/* "moved to 2026-01-02T03:04:05.678Z by ann", "moved to never" */
struct slice move_text(struct batch *batch, const struct command *command);

#endif
