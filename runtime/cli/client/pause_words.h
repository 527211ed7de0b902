/* What `queues` and `env` have in common: the words of a pause, and how one is shown. */
#ifndef PAUSE_WORDS_H
#define PAUSE_WORDS_H

#include "cli/cli.h"
#include "codec/value.h"

extern const struct cli_option pause_options[], resume_options[];

/* The body of the request; `type` NULL: an environment's. */
struct slice pause_body(struct call *call, const char *action, const char *type);
/* "open", "paused 3 s ago by ann, until 2026-…: the disk moves", "coming back, until …" */
struct slice pause_state(struct arena *arena, const struct value *shown);

#endif
