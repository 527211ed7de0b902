#include "suspects.h"

#include "base/memory.h"
#include "build.h"
#include "dispatch/host.h"
#include "dispatch/segments/job.h"

enum {
    HOLD_MS = 500,    /* for the way through the engine */
    TURN_MS = 60000,  /* at least */
    QUIET_MS = 60000, /* without a death or a turn */
};

static struct suspect *suspect_find(const struct build *build, int64_t run_id)
{
    const struct suspects *suspects = &build->suspects;

    for (uint32_t i = 0; i < suspects->count; i++)
        if (suspects->items[i].run_id == run_id)
            return &suspects->items[i];
    return NULL;
}

static void suspect_add(struct build *build, const struct job *job)
{
    struct suspects *suspects = &build->suspects;
    int64_t turn_ms = job_took_us(job) / 1000 * 2;

    if (suspects->count == suspects->capacity) {
        suspects->capacity = suspects->capacity == 0 ? 16 : suspects->capacity * 2;
        suspects->items =
            memory_grow(suspects->items, suspects->capacity * sizeof *suspects->items);
    }
    suspects->items[suspects->count++] =
        (struct suspect){ .run_id = job->run_id,
                          .turn_ms = turn_ms > TURN_MS ? turn_ms : TURN_MS };
}

/* The suspect that is out. */
static struct suspect *suspect_out(const struct build *build, struct slot **slot)
{
    struct suspect *suspect = NULL;

    LIST_EACH(&build->slots, node, after)
    {
        *slot = container_of(node, struct slot, node);
        if (slot_job(*slot) != NULL)
            suspect = suspect_find(build, slot_job(*slot)->run_id);
        if (suspect != NULL)
            return suspect;
    }
    return NULL;
}

static uint32_t slots_working(const struct build *build)
{
    uint32_t count = 0;

    LIST_EACH(&build->slots, node, after)
    count += container_of(node, struct slot, node)->job_count > 0;
    return count;
}

static void quiet_begin(struct build *build)
{
    build->suspects.quiet_ms = dispatch_now(build->dispatch) + QUIET_MS;
    dispatch_alarm(build->dispatch, build->suspects.quiet_ms);
}

struct slot *suspects_name(struct build *build)
{
    struct slot *alone;
    const struct suspect *suspect = suspect_out(build, &alone);

    quiet_begin(build);
    if (suspect != NULL && slots_working(build) == 1) {
        suspects_clear(build, suspect->run_id);
        return alone;
    }
    LIST_EACH(&build->slots, node, after)
    {
        const struct job *job = slot_job(container_of(node, struct slot, node));
        if (job != NULL && !job->is_canceled && suspect_find(build, job->run_id) == NULL)
            suspect_add(build, job);
    }
    return NULL;
}

void suspects_expect(struct build *build)
{
    if (build->suspects.count == 0)
        return;
    build->suspects.hold_ms = dispatch_now(build->dispatch) + HOLD_MS;
    quiet_begin(build);
}

static struct job *job_waiting(const struct build *build, bool is_suspect)
{
    LIST_EACH(&build->backlog, node, after)
    {
        struct job *job = container_of(node, struct job, node);
        if ((suspect_find(build, job->run_id) != NULL) == is_suspect)
            return job;
    }
    return NULL;
}

struct job *suspects_next(struct build *build)
{
    struct job *job = job_waiting(build, true);
    struct slot *slot;

    if (suspect_out(build, &slot) != NULL)
        return NULL;
    if (job != NULL && slots_working(build) == 0)
        return job;
    if (dispatch_now(build->dispatch) >= build->suspects.hold_ms)
        return job_waiting(build, false); /* one that came late waits until nothing is out */
    dispatch_alarm(build->dispatch, build->suspects.hold_ms);
    return NULL;
}

void suspects_begin(struct build *build, int64_t run_id)
{
    struct suspect *suspect = suspect_find(build, run_id);

    if (suspect == NULL)
        return;
    suspect->end_ms = dispatch_now(build->dispatch) + suspect->turn_ms;
    dispatch_alarm(build->dispatch, suspect->end_ms);
}

void suspects_clear(struct build *build, int64_t run_id)
{
    struct suspects *suspects = &build->suspects;
    struct suspect *suspect = suspect_find(build, run_id);

    if (suspect == NULL)
        return;
    *suspect = suspects->items[--suspects->count];
    quiet_begin(build);
    build_hunger(build); /* the next one may start */
}

int64_t suspects_tick(struct build *build, int64_t now_ms)
{
    struct suspects *suspects = &build->suspects;
    struct slot *slot;
    const struct suspect *out = suspect_out(build, &slot);

    if (out != NULL && now_ms < out->end_ms)
        return out->end_ms;
    if (out != NULL)
        suspects_clear(build, out->run_id);
    else if (now_ms >= suspects->quiet_ms)
        suspects->count = 0;
    if (now_ms < suspects->hold_ms)
        return suspects->hold_ms;
    build_hunger(build);
    return suspects->count > 0 ? suspects->quiet_ms : 0;
}
