/*
 * Dispatch: the host's side of the workers. Watches the plugin directory, keeps a nursery per
 * build, forks slots on demand, hands them segments and turns what they say into commands.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "config/config.h"
#include "store/pump.h"

#include <uv.h>

struct dispatch;

struct dispatch_options {
    uv_loop_t *loop;
    struct pump *pump;
    struct store *store;         /* to be asked for the builds that are kept; NULL: none are */
    const struct config *config; /* borrowed for life */
    struct zone_source zones;
    uint8_t secret[32]; /* for callback URLs */
    const char *origin;
    const char *program; /* to start as "<program> nursery" */
    void *context;
    /* A new catalog is about to be used by the engine; valid until the next call of this.
     * Called when plugins, schemas or queues.yaml changed. */
    void (*on_catalog)(void *context, const struct catalog *catalog);
    /* The engine uses the newest catalog, and nothing that changes it is under way. */
    void (*on_settled)(void *context);
    /* The plugins found at start are loaded or refused. Once. */
    void (*on_ready)(void *context);
};

/* Loop thread, all of it. */
bool dispatch_create(const struct dispatch_options *options, struct dispatch **dispatch,
                     struct err *err);
/* The pump's sink. */
void dispatch_assign(struct dispatch *dispatch, struct assignment *assignment);
/* Hand out what was assigned. Happens before the loop sleeps in any case; earlier lets slots
 * work while replies are written. */
void dispatch_send(struct dispatch *dispatch);
void dispatch_event(struct dispatch *dispatch, const struct event *event);
/* Kills every child; runs under way are recovered at the next start. `done` comes on the loop.
 */
void dispatch_stop(struct dispatch *dispatch, void (*done)(void *context), void *context);
void dispatch_destroy(struct dispatch *dispatch);

/* For GET /api/v1/plugins: a list of {file, plugin, version, build, status, reason, tasks,
 * unavailable, slots, warning, nextTryInMs?}; `unavailable` lists {task, reason} where a schema
 * stands in the way. */
struct value dispatch_plugins(struct dispatch *dispatch, struct arena *arena);

/* Fills a BUILDS_PUT command, in its arena; once that is decided it is to be applied. Errors:
 * NOT_FOUND, RULE. */
bool dispatch_plugins_ask(struct dispatch *dispatch, const struct plugins_wish *wish,
                          struct command *command, struct err *err);
void dispatch_plugins_apply(struct dispatch *dispatch, const struct command *command);

struct dispatch_stats {
    uint32_t slots, busy, idle, builds, refused;
    uint64_t segments, crashes, timeouts, forks;
};

void dispatch_stats(const struct dispatch *dispatch, struct dispatch_stats *stats);

#endif
