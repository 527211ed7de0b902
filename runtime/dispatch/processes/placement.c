#include "placement.h"

#include "base/log.h"
#include "dispatch/host.h"
#include "dispatch/processes/build_slots.h"
#include "dispatch/segments/job.h"

enum {
    HUNGRY_MS = 50, /* then even another build's only slot is taken */
    FORKS_MAX = 8,  /* that a nursery has not answered: a backlog must not fill its socket */
};

static struct slot *idle_slot(struct build *build)
{
    LIST_EACH(&build->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        if (slot->state == SLOT_LIVE && slot->job_count == 0 && !slot->is_draining)
            return slot;
    }
    return NULL;
}

static bool takes_more(const struct slot *slot)
{
    if (slot->state != SLOT_LIVE || slot->is_draining || slot->job_count >= SLOT_DEPTH)
        return false;
    LIST_EACH(&slot->jobs, node, after)
    {
        const struct job *job = container_of(node, struct job, node);
        if (!job->segment_duration->is_short)
            return false;
    }
    return true;
}

static struct slot *short_slot(struct build *build, const struct job *job)
{
    struct slot *best = NULL;

    if (!job->segment_duration->is_short)
        return NULL;
    LIST_EACH(&build->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        if (takes_more(slot) && (best == NULL || slot->job_count < best->job_count))
            best = slot;
    }
    return best;
}

/* Slots that can take work, now or when they are through. */
static uint32_t slots_working(const struct build *build)
{
    uint32_t count = 0;

    LIST_EACH(&build->slots, node, after)
    {
        const struct slot *slot = container_of(node, struct slot, node);
        count += slot->state == SLOT_LIVE && !slot->is_draining;
    }
    return count;
}

/* Processes that are about to go, and so make room. */
static uint32_t slots_going(struct dispatch *dispatch)
{
    uint32_t count = 0;

    LIST_EACH(&dispatch->builds, build_node, build_after)
    {
        struct build *build = container_of(build_node, struct build, node);
        count += build->slot_count - slots_working(build);
    }
    return count;
}

static uint32_t builds_starving(struct dispatch *dispatch)
{
    uint32_t count = 0;

    LIST_EACH(&dispatch->builds, node, after)
    {
        struct build *build = container_of(node, struct build, node);
        count += !list_is_empty(&build->backlog) && slots_working(build) == 0;
    }
    return count;
}

/* The slot of another build that has been idle for longest. */
static struct slot *idle_elsewhere(struct build *hungry)
{
    struct slot *oldest = NULL;

    LIST_EACH(&hungry->dispatch->builds, node, after)
    {
        struct build *build = container_of(node, struct build, node);
        struct slot *slot = build == hungry ? NULL : idle_slot(build);
        /* idle_slot finds the one used last; the others are older, but any of them is idle. */
        if (slot != NULL && (oldest == NULL || slot->idle_ms < oldest->idle_ms))
            oldest = slot;
    }
    return oldest;
}

/* A busy slot of the build that has most, to be drained; one that has a single one, only in
 * need. */
static struct slot *busy_elsewhere(struct build *hungry, bool is_in_need)
{
    struct build *richest = NULL;
    struct slot *least = NULL;
    uint32_t most = is_in_need ? 0 : 1;

    LIST_EACH(&hungry->dispatch->builds, node, after)
    {
        struct build *build = container_of(node, struct build, node);
        uint32_t count = build == hungry ? 0 : slots_working(build);
        if (count > most) {
            most = count;
            richest = build;
        }
    }
    if (richest == NULL)
        return NULL;
    LIST_EACH(&richest->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        if (slot->state == SLOT_LIVE && !slot->is_draining &&
            (least == NULL || slot->job_count < least->job_count))
            least = slot;
    }
    return least;
}

static uint32_t jobs_waiting(const struct build *build)
{
    uint32_t count = 0;

    LIST_EACH(&build->backlog, node, after)
    count++;
    return count;
}

static void room_make(struct build *build, const struct job *job)
{
    struct dispatch *dispatch = build->dispatch;
    int64_t now_ms = dispatch_now(dispatch);
    struct slot *slot = idle_elsewhere(build);
    uint32_t going = slots_going(dispatch);

    if (slot != NULL) {
        if (going < jobs_waiting(build))
            slot_retire(slot);
        return;
    }
    if (slots_working(build) > 0 || going >= builds_starving(dispatch))
        return;
    slot = busy_elsewhere(build, now_ms - job->queued_ms >= HUNGRY_MS);
    if (slot != NULL)
        slot->is_draining = true;
    else
        dispatch_alarm(dispatch, now_ms + HUNGRY_MS);
}

static bool may_fork(const struct build *build)
{
    const struct dispatch *dispatch = build->dispatch;

    return build->state == BUILD_READY && build->nursery != NULL &&
           !build->nursery->is_leaving && build->nursery->forks < FORKS_MAX &&
           build->retry_ms <= dispatch_now(dispatch) &&
           dispatch->slot_count < dispatch->config->slots;
}

static struct slot *slot_for(struct build *build, const struct job *job)
{
    struct slot *slot = idle_slot(build);

    if (slot == NULL && may_fork(build))
        slot = build_fork(build);
    if (slot == NULL)
        slot = short_slot(build, job);
    return slot;
}

static struct job *next_job(struct build *build)
{
    if (build->suspects.count > 0)
        return suspects_next(build);
    return list_is_empty(&build->backlog) ? NULL
                                          : container_of(build->backlog.next, struct job, node);
}

static void placement_of(struct build *build)
{
    for (struct job *job; (job = next_job(build)) != NULL;) {
        struct slot *slot = slot_for(build, job);
        if (slot == NULL) {
            if (build->state == BUILD_READY &&
                build->dispatch->slot_count >= build->dispatch->config->slots)
                room_make(build, job);
            build->dispatch->is_wanting = true; /* any slot that becomes idle may help */
            return;
        }
        list_remove(&job->node);
        slot_give(slot, job);
        /* Idle slots are looked for from the front: the one used last has the warmest caches.
         */
        list_remove(&slot->node);
        list_push(build->slots.next, &slot->node);
        suspects_begin(build, job->run_id);
    }
}

void placement_run(struct dispatch *dispatch)
{
    for (struct list *node; (node = list_shift(&dispatch->hungry)) != NULL;)
        placement_of(container_of(node, struct build, hunger));
}

int64_t placement_retire(struct build *build, int64_t now_ms)
{
    int64_t idle_ms = build->dispatch->config->idle_slot_ms, due_ms = 0;
    uint32_t working = slots_working(build), keep = build->users > 0 ? 1 : 0;

    for (struct list *node = build->slots.previous, *before = node->previous;
         node != &build->slots; node = before, before = node->previous) {
        struct slot *slot = container_of(node, struct slot, node);
        if (working <= keep)
            break;
        if (slot->state != SLOT_LIVE || slot->job_count > 0)
            continue;
        if (now_ms >= slot->idle_ms + idle_ms) {
            slot_retire(slot);
            working--;
        } else {
            due_ms = sooner(due_ms, slot->idle_ms + idle_ms);
        }
    }
    return due_ms;
}
