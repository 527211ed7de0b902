#include "build_slots.h"

#include "autopsy.h"
#include "base/log.h"
#include "dispatch/host.h"
#include "dispatch/segments/job.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FORK_PAUSE_MS = 200, WHERE_BYTES = 400 };

static void build_pause(struct build *build, int error)
{
    int64_t now_ms = dispatch_now(build->dispatch);

    if (build->retry_ms <= now_ms) /* once, not for each slot */
        log_error("slot.no_fork", "plugin=%s error=\"%s\"", build->name, strerror(error));
    build->retry_ms = now_ms + FORK_PAUSE_MS;
    dispatch_alarm(build->dispatch, build->retry_ms);
}

void build_kill(struct build *build, const struct slot *slot, int signal)
{
    if (build->nursery != NULL)
        nursery_signal(build->nursery, slot->id, signal);
}

static void on_kill(struct slot *slot, int signal)
{
    build_kill(slot->build, slot, signal);
}

static void on_ended(struct slot *slot, int64_t run_id)
{
    suspects_clear(slot->build, run_id);
    if (!list_is_empty(&slot->build->backlog))
        build_hunger(slot->build);
}

/* Back to the front of the line; a canceled one is dropped. */
static void on_returned(struct slot *slot, struct job *job)
{
    struct build *build = slot->build;

    if (job->is_canceled) {
        job_release(build->dispatch, job);
        return;
    }
    job->began_ns = 0;
    job->deadline_ms = 0;
    job->queued_ms = dispatch_now(build->dispatch);
    list_push(build->backlog.next, &job->node); /* in front of the first */
    build_hunger(build);
}

struct slot *build_fork(struct build *build)
{
    static const struct slot_events events = { .kill = on_kill,
                                               .ended = on_ended,
                                               .returned = on_returned };
    int end, error;
    struct slot *slot =
        slot_create(build->dispatch, build, &events, build->about.plugin, &end, &error);

    if (slot == NULL) {
        build_pause(build, error);
        return NULL;
    }
    build->slot_count++;
    list_push(&build->slots, &slot->node);
    nursery_fork(build->nursery, slot->id, end);
    (void)close(end); /* the nursery has its own now */
    return slot;
}

static void slot_drop(struct build *build, struct slot *slot)
{
    slot_close(slot);
    build->slot_count--;
}

static struct slot *slot_find(struct build *build, uint32_t id)
{
    LIST_EACH(&build->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        if (slot->id == id)
            return slot;
    }
    return NULL;
}

/* " in approve-refund/decided (refunds 1.0.0, build 0123456789abcdef)" */
static const char *where(const struct build *build, const struct job *job,
                         char text[WHERE_BYTES])
{
    (void)snprintf(text, WHERE_BYTES, " in %.*s/%.*s (%.*s %.*s, build %.16s)",
                   SLICE_ARG(job->task), SLICE_ARG(job->segment),
                   SLICE_ARG(build->about.plugin), SLICE_ARG(build->about.version), build->sha);
    return text;
}

void build_slot_forked(struct build *build, const struct frame_forked *forked)
{
    struct slot *slot = slot_find(build, forked->slot);

    build_hunger(build); /* there is room for the next */
    if (forked->pid >= 0 || slot == NULL)
        return;
    build_pause(build, -forked->pid);
    slot_drop(build, slot);
}

void build_slot_ended(struct build *build, const struct frame_exited *exited)
{
    struct slot *slot = slot_find(build, exited->slot);
    char text[WHERE_BYTES];

    if (slot == NULL)
        return;
    slot_drain(slot);
    struct job *job = slot_lose(slot);
    if (job != NULL) {
        notes_add_prints(build->dispatch, job, exited->prints, exited->left_out);
        suspects_clear(build, job->run_id); /* it died for itself */
    }
    if (job == NULL && slot->state != SLOT_LEAVING)
        log_warn("slot.ended", "plugin=%.*s status=%d fault=\"%s\" while it had nothing to do",
                 SLICE_ARG(slot->plugin), exited->status, slot->fault_text);
    else if (job != NULL && job->is_canceled)
        job_release(build->dispatch, job);
    else if (job != NULL &&
             autopsy_begin(&build->autopsies, slot, job, exited->status,
                           where(build, job, text)) &&
             !nursery_symbolize(build->nursery, slot->id, &slot->crash))
        autopsy_symbols(&build->autopsies, slot->id, (struct slice){ 0 });
    slot_drop(build, slot);
}

void build_slot_orphaned(struct build *build, struct slot *slot)
{
    struct job *job;

    slot_drain(slot);
    while ((job = slot_lose(slot)) != NULL)
        job_release(build->dispatch, job);
    slot_drop(build, slot);
}

void build_slot_blame(struct build *build, struct slot *slot, const char *how)
{
    struct job *job = slot_lose(slot);
    char text[WHERE_BYTES];

    if (job->is_canceled)
        job_release(build->dispatch, job);
    else
        autopsy_blame(slot, job, how, where(build, job, text));
}
