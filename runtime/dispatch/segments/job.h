/*
 * Jobs: segments that the engine has assigned, from then until their outcome is on its way
 * back. A job is in one list: a build's backlog, a slot's queue, or the orphans.
 */
#ifndef DISPATCH_JOB_H
#define DISPATCH_JOB_H

#include "base/buffer.h"
#include "base/list.h"
#include "engine/engine.h"
#include "notes.h"
#include "task_duration.h"

struct dispatch;

struct job {
    struct list node;
    int64_t run_id;
    uint32_t seq;
    uint32_t environment;
    int64_t limit_ms; /* 0: none */
    int64_t grace_ms; /* when it is canceled */
    uint32_t calls;   /* made so far */
    int64_t id_block; /* ids of what its calls make */
    bool is_test, is_rerun;
    struct slice task, segment; /* in the job's own memory */
    char build[17];             /* that it would like; may be empty */
    struct task_duration *task_duration, *segment_duration;
    struct buffer bytes; /* its frame, kept until it ends: it may have to go elsewhere */
    int64_t queued_ms;   /* since when it has no slot */
    uint64_t began_ns;   /* 0: not yet */
    int64_t deadline_ms; /* 0: none, or its slot waits for us */
    int64_t left_ms;     /* of the deadline, while its slot waits for us; else 0 */
    bool is_warned;      /* that nine tenths of its time are over */
    bool is_canceled;    /* only its end is waited for, not its outcome */
    int64_t kill_ms;     /* canceled: patience ends then */
    struct job_notes notes;
    struct list ahead, sent; /* TOKEN_CREATEs: early_token.h */
    int64_t early_ms;        /* when those in `ahead` go on their own; 0: there are none */
    struct err flaw;         /* of one that was refused */
};

/* Takes the assignment's bytes. */
struct job *job_create(struct dispatch *dispatch, struct assignment *assignment);
void job_destroy(struct job *job);

/* It is the first of its slot now. */
void job_begin(struct dispatch *dispatch, struct job *job);
/* When it is to be looked at for its deadline: a tenth before it, and then; 0: never. */
int64_t job_alarm_ms(const struct job *job);
/* Its run's log and timeline say that its time is nearly over. */
void job_warn(struct dispatch *dispatch, struct job *job);
/* Its slot waits for an answer of ours, or has got it: that time is not the segment's. */
void job_pause(struct dispatch *dispatch, struct job *job);
void job_resume(struct dispatch *dispatch, struct job *job);

/* Commands that end it; each destroys the job. */
struct frame_end;
struct outgoing;
/* `outgoing` is a SEGMENT_END whose arena holds `end`. */
void job_end(struct dispatch *dispatch, struct job *job, struct outgoing *outgoing,
             struct frame_end *end);
void job_lost(struct dispatch *dispatch, struct job *job, enum loss loss, struct slice name,
              struct slice text, struct slice stack);
/* It never started, or it is not the plugin's fault: back to its queue, no attempt lost. A
 * canceled one's place is free from now on. */
void job_release(struct dispatch *dispatch, struct job *job);

int64_t job_took_us(const struct job *job);

#endif
