/* Nurseries: the process that loaded a build and forks its slots; worker/ is its other side. */
#ifndef DISPATCH_NURSERY_H
#define DISPATCH_NURSERY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "codec/frame.h"
#include "outbox.h"

#include <uv.h>

struct dispatch;

/*
 * What a nursery tells whoever started it, with nothing of it under way: anything may be asked
 * of it then.
 */
struct nursery_events {
    void (*heard)(void *context); /* nursery_next may have something */
    /* It has ended, and is freed soon: it must not be used any more. */
    void (*died)(void *context, const char *how);
};

struct nursery {
    struct list node; /* dispatch->nurseries, while its process lives */
    struct dispatch *dispatch;
    const struct nursery_events *on;
    void *context;
    const char *name;     /* of the plugin's file, for logs */
    uv_process_t process; /* the guard: worker/guard.c */
    uv_poll_t control;
    uv_pipe_t errors; /* its and its slots' stderr */
    int fd;           /* of control; -1: closed */
    bool has_loaded;
    bool is_killed; /* by us, for taking too long */
    bool is_leaving;
    uint32_t handles; /* that are not closed yet */
    int64_t due_ms;   /* it must have loaded, answered or exited by then; 0: no hurry */
    struct outbox outbox;
    uint32_t forks; /* that it has not answered yet */
    struct buffer in;
    size_t in_used;     /* of `in`, by the frame that was given out */
    struct arena arena; /* of that frame */
    struct buffer line; /* of stderr */
    int64_t lines_ms;   /* this second */
    uint32_t lines;     /* in it */
};

/* Start one for the plugin at `path`; NULL and `err` when the system refuses. `path` and `name`
 * are borrowed until it has died. */
struct nursery *nursery_start(struct dispatch *dispatch, const char *path, const char *name,
                              const struct nursery_events *events, void *context,
                              struct err *err);
/*
 * The next frame that it has sent, valid until the following call: LOADED or REFUSED first,
 * then FORKED, EXITED and SYMBOLS. False: none for now.
 */
bool nursery_next(struct nursery *nursery, struct frame *frame);
/* It has `fd` as its socket; it stays the caller's. */
void nursery_fork(struct nursery *nursery, uint32_t slot, int fd);
void nursery_signal(struct nursery *nursery, uint32_t slot, int signal);
/* False: it will not answer any more. */
bool nursery_symbolize(struct nursery *nursery, uint32_t slot, const struct frame_crash *crash);
/* It exits when it sees its control socket closed; killed when it does not. */
void nursery_leave(struct nursery *nursery);
/* With all that runs below it. */
void nursery_kill(struct nursery *nursery);
int64_t nursery_tick(struct nursery *nursery, int64_t now_ms);

#endif
