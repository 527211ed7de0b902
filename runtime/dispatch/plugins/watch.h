/*
 * Watching: the plugin directory, the schemas and queues.yaml. Events say that something
 * happened, a scan (scan.h) says what; a slow poll scans anyway, since events get lost.
 *
 *   file ── content ──▶ candidate build ── READY ──▶ the file's build, in the next catalog
 *                                      └─ REFUSED ─▶ the file says why; its old build stays
 */
#ifndef DISPATCH_WATCH_H
#define DISPATCH_WATCH_H

#include "base/list.h"
#include "scan.h"

#include <uv.h>

struct build;
struct dispatch;

enum {
    WATCHED = 4 /* directories: plugins, schemas, those of queues.yaml and schedules.yaml */
};

struct plugin_file {
    struct list node;
    char *name;
    struct signature signature;
    enum seen_kind kind;
    struct build *build;     /* whose tasks are offered; NULL: none yet */
    struct build *candidate; /* of newer content; NULL: none */
    bool is_drop;            /* that came while the server ran */
    char reason[480];        /* why the newest content is not offered; empty: it is */
    char warning[480];       /* of the newest content that could be looked into */
    int64_t confirm_ms; /* a refusal of a young file is believed then; 0: nothing to confirm */
};

struct watch {
    struct list files; /* in the order in which they came */
    uv_fs_event_t events[WATCHED];
    bool is_watched[WATCHED];
    char *paths[WATCHED];
    uv_work_t work;
    struct scan *scan; /* under way; NULL: none */
    int64_t due_ms;    /* of the next one */
    uint64_t environment;
    bool was_scanned;
    bool has_problem; /* with the directory, said once */
    bool was_cut;
};

void watch_start(struct dispatch *dispatch);
void watch_stop(struct dispatch *dispatch);
int64_t watch_tick(struct dispatch *dispatch, int64_t now_ms);

/* Every file that is there is loaded or refused. */
bool watch_is_quiet(const struct dispatch *dispatch);

/* Why the file's newest content is not offered; "" for "it is". Logged, and true, when it
 * changes. */
bool plugin_file_say(struct plugin_file *file, const char *reason);
void plugin_file_drop_build(struct build **build);
/* A build is loaded, or refused. */
void watch_settled(struct dispatch *dispatch, struct build *build);

#endif
