/* Nurseries: the process that loaded a build and forks its slots; worker/ is its other side. */
#ifndef DISPATCH_NURSERY_H
#define DISPATCH_NURSERY_H

#include "base/buffer.h"
#include "codec/frame.h"
#include "outbox.h"

#include <uv.h>

struct build;
struct dispatch;

struct nursery {
    struct dispatch *dispatch;
    struct build *build;  /* NULL: nobody is interested any more */
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
    struct buffer line; /* of stderr */
    int64_t lines_ms;   /* this second */
    uint32_t lines;     /* in it */
};

/* Start one; NULL and `err` when the system refuses. */
struct nursery *nursery_start(struct build *build, struct err *err);
/* Send a frame, now or when its socket has room; `fd` rides along when it is not -1. */
void nursery_send(struct nursery *nursery, const struct frame *frame, int fd);
/* It exits when it sees its control socket closed; killed when it does not. */
void nursery_leave(struct nursery *nursery);
/* With all that runs below it. */
void nursery_kill(struct nursery *nursery);
int64_t nursery_tick(struct nursery *nursery, int64_t now_ms);

#endif
