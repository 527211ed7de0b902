/* Runs for people: the API's run objects in words, and watching one until it is done. */
#ifndef RUN_TEXT_H
#define RUN_TEXT_H

#include "cli/client/client.h"

/* Everything about one run, many lines. */
void run_print(struct buffer *out, struct arena *arena, const struct value *run,
               int64_t now_ms);

/* "WAITING in decided · for token waitpoint_… (9m58s left) · attempt 2 · 40 % · 12s" */
struct slice run_status_line(struct arena *arena, const struct value *run, int64_t now_ms);
/* The same without what changes by itself: when this differs, something happened. */
struct slice run_status_mark(struct arena *arena, const struct value *run);

/* The error's lines, or nothing when it has none. */
void run_error_add(struct buffer *out, const struct value *run);

/*
 * Follow the run until it is done, with a status line on stderr; then print its output (with
 * --json: the whole run) on stdout and what went wrong on stderr. Returns the exit code:
 * CLI_FAILED unless it completed.
 */
int run_watch(struct client *client, const char *run_id);

#endif
