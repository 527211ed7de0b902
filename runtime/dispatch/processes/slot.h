/*
 * Slots: one process, one socket, one segment at a time.
 *
 *   fork ─▶ LIVE ──retire──▶ LEAVING ──┐
 *             │                        ├──EXITED──▶ gone
 *             └─fault, end of file─▶ DYING ┘
 *
 * The first job of a slot is the one it runs; those behind it are frames in its socket. When it
 * dies, the first one is charged with that and the others go elsewhere, untouched.
 */
#ifndef DISPATCH_SLOT_H
#define DISPATCH_SLOT_H

#include "base/buffer.h"
#include "base/list.h"
#include "codec/frame.h"

#include <uv.h>

struct build;
struct outgoing;
struct dispatch;
struct job;

enum slot_state { SLOT_LIVE, SLOT_LEAVING, SLOT_DYING };

/* Why we ended it. */
enum slot_fault { FAULT_NONE, FAULT_TIME, FAULT_PROTOCOL, FAULT_CANCELED };

enum { SLOT_DEPTH = 4 /* jobs under way, when they are short */ };

struct slot;

/* What a slot tells whoever made it. */
struct slot_events {
    void (*kill)(struct slot *slot, int signal); /* its process is to get this */
    /* The run's segment has ended in good order, and the slot looks for the next. */
    void (*ended)(struct slot *slot, int64_t run_id);
    /* This one was not begun: it goes elsewhere. */
    void (*returned)(struct slot *slot, struct job *job);
};

struct slot {
    struct list node;    /* of its build; the last used first */
    struct list send;    /* in the outbox */
    struct build *build; /* for its events */
    const struct slot_events *on;
    struct slice plugin; /* for logs */
    struct dispatch *dispatch;
    uint32_t id;
    enum slot_state state;
    enum slot_fault fault;
    bool is_draining; /* gets no more jobs, retires when it is empty */
    int fd;           /* -1: closed */
    int holders;      /* of its memory */
    uv_poll_t poll;
    int events; /* that poll looks for */
    struct list jobs;
    uint32_t job_count;
    struct buffer in, out;
    int64_t idle_ms; /* since when it has no job */
    int64_t kill_ms; /* SIGKILL then; 0: no need */
    bool has_crash;
    struct frame_crash crash;
    struct outgoing *call; /* whose answer it waits for */
    char fault_text[200];
};

/* NULL and `error` when the system refuses. `end` is its process's end of the socket, for the
 * caller to pass on and to close. */
struct slot *slot_create(struct dispatch *dispatch, struct build *build,
                         const struct slot_events *events, struct slice plugin, int *end,
                         int *error);
void slot_give(struct slot *slot, struct job *job);
/* One more frame for it, sent in this turn. */
void slot_say(struct slot *slot, const struct frame *frame);
/* Write what is waiting, as far as the socket takes it. */
void slot_send(struct slot *slot);
/* It has no job: let it go. */
void slot_retire(struct slot *slot);
void slot_cancel(struct slot *slot, struct job *job);
/* It has said that it is worn and ends; what it had not begun goes elsewhere. */
void slot_worn(struct slot *slot, struct slice reason);
/* Stop it by `signal`; what it says from now on does not count. */
void slot_fail(struct slot *slot, enum slot_fault fault, int signal, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Everything that is due; when something is due again, 0: never. */
int64_t slot_tick(struct slot *slot, int64_t now_ms);

/* It has ended, or never lived: hear what it said before that. */
void slot_drain(struct slot *slot);
/* Take the job that it was running, which is lost; NULL: none. */
struct job *slot_lose(struct slot *slot);
/* Its process is no more. What it had not begun goes elsewhere; it is gone after. */
void slot_close(struct slot *slot);

/* slot_read.c: take what the slot has said. False: it is at its end, or broken. */
bool slot_read(struct slot *slot);
struct job *slot_job(struct slot *slot); /* the running one; NULL */
/* The first job ended in good order. */
void slot_advance(struct slot *slot);

#endif
