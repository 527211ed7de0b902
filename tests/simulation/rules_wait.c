/* Waits: who is woken when, and what the segment after the wait is told. */
#include "base/duration.h"
#include "builds.h"
#include "engine/deaths.h"
#include "model.h"
#include "waits.h"

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld (status %u, move %u): %s", (long long)run->id,
               run->status, run->seq, what);
}

bool wait_has_ended(const struct look *look, bool is_token, int64_t id)
{
    const struct run *run = run_now(look, id);
    const struct waitpoint *token = token_now(look, id);

    return is_token ? token != NULL && token->status != WAITPOINT_PENDING
                    : run != NULL && run_is_over(run);
}

/* When the batch began, and what was due had come. */
bool wait_had_ended(const struct look *look, bool is_token, int64_t id)
{
    const struct shadow *shadow = shadow_of(look, id);
    const struct shadow_token *token = shadow_token_of(look, id, false);
    const struct run *run = shadow == NULL ? NULL : shadow->was;
    const struct waitpoint *was = token == NULL ? NULL : token->was;

    if (!is_token)
        return run != NULL && run_is_over(run);
    return was != NULL &&
           (was->status != WAITPOINT_PENDING ||
            (look->batch->look_for_due && look_is_over(look, was->due_ms, was->due_is_span)));
}

static uint32_t count_ended(const struct look *look, const struct wait *wait,
                            bool (*has)(const struct look *, bool, int64_t))
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < wait->count; i++)
        count += has(look, wait_is_token(wait, i), wait->ids[i]);
    return count;
}

bool wait_is_known(const struct look *look, const struct run *run, const struct frame_end *end)
{
    for (uint32_t i = 0; end->wait_kind != WAIT_FOR_TIME && i < end->id_count; i++) {
        const struct run *other = run_now(look, end->ids[i]);
        const struct waitpoint *token = token_now(look, end->ids[i]);
        if (end->wait_kind == WAIT_FOR_TOKEN
                ? token == NULL || token->environment != run->environment
                : other == NULL || other->environment != run->environment ||
                      other->id == run->id)
            return false;
    }
    for (uint32_t i = 0; i < end->part_count; i++) {
        const struct frame_part *part = &end->parts[i];
        const struct run *other = run_now(look, part->id);
        const struct waitpoint *token = token_now(look, part->id);
        if ((part->kind == PART_TOKEN &&
             (token == NULL || token->environment != run->environment)) ||
            (part->kind == PART_RUN &&
             (other == NULL || other->environment != run->environment || other->id == run->id)))
            return false;
    }
    return true;
}

static bool is_fresh(const struct look *look, int64_t id)
{
    const struct shadow_token *token = shadow_token_of(look, id, false);

    return token != NULL && (token->was == NULL || token->was->environment == 0);
}

bool wait_is_fresh(const struct look *look, const struct frame_end *end)
{
    bool is = false;

    for (uint32_t i = 0; i < end->id_count; i++)
        is |= end->wait_kind == WAIT_FOR_TOKEN && is_fresh(look, end->ids[i]);
    for (uint32_t i = 0; i < end->part_count; i++)
        is |= end->parts[i].kind == PART_TOKEN && is_fresh(look, end->parts[i].id);
    return is;
}

bool rule_wait_had_come(const struct look *look, const struct wait *wait)
{
    return wait->group != NULL ? group_is_over(look, wait, false, INT64_MAX)
                               : wait->kind != WAIT_FOR_TIME &&
                                     count_ended(look, wait, wait_had_ended) >= wait->needed;
}

/* ---- it begins --------------------------------------------------------------------------- */

static uint32_t distinct(const struct frame_end *end)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < end->id_count; i++) {
        bool is_new = true;
        for (uint32_t k = 0; k < i; k++)
            is_new &= end->ids[k] != end->ids[i];
        count += is_new;
    }
    return count;
}

static void kept_look(const struct look *look, const struct run *run,
                      const struct frame_end *end, const struct wait_first *first)
{
    struct arena arena = { 0 };
    struct wait wait;
    uint32_t count = end->wait_kind == WAIT_FOR_TIME ? 0 : distinct(end);
    uint32_t needed = end->needed == 0 || end->needed > count ? count : end->needed;

    if (!wait_read(&arena, run->wait, &wait) || wait.kind != end->wait_kind ||
        wait.count != count ||
        (wait.needed != needed && (wait.needed != 0 || run->status == RUN_WAITING)) ||
        (wait.due_ms != first->due_ms && !first->is_unsure))
        flaw(look, run, "it waits for something else than it was to");
    for (uint32_t i = 0; i < end->id_count && count > 0; i++)
        if (!wait_has(&arena, &wait, end->ids[i]))
            flaw(look, run, "one thing is not among those that it waits for");
    if (run->status == RUN_WAITING && !first->is_unsure &&
        (run->due_ms != first->due_ms ||
         (first->due_ms != 0 && run->due_is_span != first->is_span)))
        flaw(look, run, "it waits longer, or less long, than it was to");
    arena_finish(&arena);
}

void rule_wait(const struct look *look, const struct shadow *shadow, const struct run *run,
               const struct frame_end *end)
{
    struct wait wait = { .kind = end->wait_kind, .ids = end->ids, .count = end->id_count };
    uint32_t count = distinct(end);
    uint32_t needed = end->needed == 0 || end->needed > count ? count : end->needed;
    bool sleeps = shadow->path[0].status == RUN_WAITING;
    struct wait_first first = rule_wait_first(look, run, end, shadow->acts != 0);

    if (shadow->path[0].status != RUN_WAITING && shadow->path[0].status != RUN_QUEUED &&
        shadow->path[0].status != RUN_PARKED)
        flaw(look, run, "its segment waits, and it does not");
    if (end->wait_kind == WAIT_FOR_GROUP) {
        rule_group(look, shadow, run, end, &first);
        return;
    }
    if (run->status < RUN_DONE && shadow->moved == NULL)
        kept_look(look, run, end, &first);
    if (first.is_unsure)
        return;
    if (first.is_skipped) {
        if (sleeps)
            flaw(look, run, "it waits again, and that was skipped");
    } else if (end->wait_kind == WAIT_FOR_TIME) {
        if (sleeps == (first.due_ms == 0 || look_is_over(look, first.due_ms, first.is_span)))
            flaw(look, run, "a time has come, and it waits; or has not, and it goes on");
    } else if (count == end->id_count && sleeps) {
        if (count_ended(look, &wait, wait_had_ended) >= needed)
            flaw(look, run, "it waits for what was over before");
    } else if (count == end->id_count && count_ended(look, &wait, wait_has_ended) < needed) {
        flaw(look, run, "it goes on, and what it waits for is not over");
    }
}

/* ---- it ends ----------------------------------------------------------------------------- */

void rule_waited(const struct look *look, struct shadow *shadow, const struct run *run)
{
    const struct run *was = shadow->was;
    struct arena arena = { 0 };
    struct wait wait, before;

    if (!wait_read(&arena, was->wait, &before) ||
        (run->status < RUN_DONE && !wait_read(&arena, run->wait, &wait))) {
        flaw(look, run, "what it waited for is forgotten");
    } else if (before.group != NULL) {
        rule_group_waited(look, shadow, run, &before);
    } else {
        bool is_late =
            (look->batch->look_for_due && look_is_over(look, was->due_ms, was->due_is_span)) ||
            rule_acted(shadow, COMMAND_WAIT_TIMEOUT);
        bool is_skipped = rule_acted(shadow, COMMAND_WAIT_SKIP);
        bool is_time = before.kind == WAIT_FOR_TIME;
        bool has_all = count_ended(look, &before, wait_has_ended) >= before.needed;
        bool had_all = count_ended(look, &before, wait_had_ended) >= before.needed;
        if (!is_skipped && (is_time ? !is_late : !is_late && !has_all))
            flaw(look, run, "it goes on, and nothing that it waits for has come");
        if (run->status < RUN_DONE && run->entry == was->entry &&
            (wait.gave_up ? is_time || !is_late || (had_all && before.kind == WAIT_FOR_TOKEN)
                          : !is_time && !has_all && !is_skipped))
            flaw(look, run,
                 wait.gave_up ? "it has not given up waiting, and says so"
                              : "it has given up waiting, and does not say so");
    }
    arena_finish(&arena);
}

/* ---- what the next segment is told ------------------------------------------------------- */

static uint32_t token_status(const struct look *look, const struct waitpoint *token)
{
    static const uint32_t statuses[] = { WAIT_NONE, WAIT_OK, WAIT_TIMEOUT, WAIT_CANCELLED,
                                         WAIT_FAILED };

    return token->status == WAITPOINT_PENDING &&
                   look_is_over(look, token->due_ms, token->due_is_span)
               ? WAIT_TIMEOUT
               : statuses[token->status];
}

static uint32_t run_status(const struct run *run)
{
    return !run_is_over(run)                   ? WAIT_NONE
           : run->outcome == OUTCOME_COMPLETED ? WAIT_OK
           : run->outcome == OUTCOME_CANCELED  ? WAIT_CANCELLED
                                               : WAIT_FAILED;
}

void wait_result_look(const struct look *look, const struct run *run, bool is_token, int64_t id,
                      const struct frame_result *result)
{
    const struct waitpoint *token = token_now(look, id);
    const struct run *other = run_now(look, id);
    uint32_t status = (is_token ? token == NULL : other == NULL) ? WAIT_CANCELLED
                      : is_token                                 ? token_status(look, token)
                                                                 : run_status(other);

    if (result->id != id || result->status != status)
        world_flaw(look->world, "run %lld was told that %lld has ended as %u, it is %u",
                   (long long)run->id, (long long)id, result->status, status);
    if (is_token && token != NULL &&
        !slice_equal(status == WAIT_FAILED ? result->error : result->value, token->result))
        flaw(look, run, "it was told another answer than the token has");
    if (!is_token && result->has_more != (status == WAIT_OK))
        flaw(look, run, "it was told wrongly whether a child has an output");
    if (!is_token && status == WAIT_FAILED && result->error.size == 0)
        flaw(look, run, "it was not told why a child has failed");
}

static void results_look(const struct look *look, const struct run *run,
                         const struct frame_segment *frame)
{
    struct arena arena = { 0 };
    struct wait wait;
    uint32_t extra, i;

    if (!wait_read(&arena, run->wait, &wait)) {
        if (frame->result_count > 0)
            flaw(look, run, "it has waited for nothing, and is told a result");
        return;
    }
    if (wait.group != NULL) {
        rule_group_told(look, run, &wait, frame);
        arena_finish(&arena);
        return;
    }
    /* Needs nothing of what it names: it was skipped. */
    extra = wait.kind == WAIT_FOR_TIME || wait.gave_up || (wait.needed == 0 && wait.count > 0);
    if (frame->result_count != wait.count + extra)
        flaw(look, run, "it is told too much, or too little, of what it has waited for");
    for (i = 0; i < wait.count && i < frame->result_count; i++)
        wait_result_look(look, run, wait_is_token(&wait, i), wait.ids[i], &frame->results[i]);
    if (extra && frame->result_count > i &&
        (frame->results[i].id != 0 ||
         frame->results[i].status != (wait.gave_up ? WAIT_TIMEOUT : WAIT_OK)))
        flaw(look, run, "it is told wrongly how its wait has ended");
    arena_finish(&arena);
}

static void once_look(const struct look *look, const struct shadow *shadow,
                      const struct run *run, const struct frame_segment *frame)
{
    bool same = frame->once_count == shadow->once_count;

    for (uint32_t i = 0; same && i < shadow->once_count; i++)
        same = slice_equal(frame->once[i].name, shadow->once[i].name) &&
               slice_equal(frame->once[i].value, shadow->once[i].value);
    if (!same)
        world_flaw(look->world, "run %lld has %u recorded results, and is told %u",
                   (long long)run->id, shadow->once_count, frame->once_count);
}

/* One that was out when the server died, again and again, has nobody beside it. */
static void suspect_look(const struct look *look, const struct shadow *shadow,
                         const struct run *run)
{
    enum { HOUR_MS = 3600 * 1000, WAIT_MS = 10000, BYTES = 8 };
    struct store *memory = look->world->memory;
    uint32_t recent = 0, running = 0;

    for (uint32_t i = 0; i < run->deaths.size / BYTES; i++) {
        int64_t at_ms;
        memcpy(&at_ms, run->deaths.data + (size_t)i * BYTES, BYTES); /* little-endian here */
        recent += look->now_ms - at_ms < HOUR_MS;
    }
    if (recent < DEATHS_ALONE || shadow->was == NULL)
        return;
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++)
        running += run_is_executing(store_memory_run(memory, i));
    if (running > 1 && (shadow->moves > 1 || look->now_ms - shadow->was->updated_ms < WAIT_MS))
        world_flaw(look->world,
                   "run %lld has seen %u deaths of the server, and starts beside %u",
                   (long long)run->id, recent, running - 1);
}

/* In the one that it was locked to, or its parent's when it is new, while that is kept. */
static void build_look(const struct look *look, const struct shadow *shadow,
                       const struct run *run, const struct assignment *assignment)
{
    const struct run *parent = run_now(look, run->parent_id);
    struct slice was = shadow->was != NULL ? shadow->was->build : (struct slice){ 0 };
    struct slice parents = parent == NULL || shadow->was != NULL ? was : parent->build;
    bool fits =
        slice_equal(run->build, build_expected(look->catalog, run->task, was)->build) ||
        slice_equal(run->build, build_expected(look->catalog, run->task, parents)->build);

    if (!fits || !slice_equal(run->build, assignment->build))
        flaw(look, run, "it is started with another build");
}

void rule_assignment(const struct look *look, const struct assignment *assignment)
{
    const struct frame_segment *frame = assignment->frame;
    const struct run *run = run_now(look, assignment->run_id);
    const struct shadow *shadow = shadow_of(look, assignment->run_id);
    const struct catalog_task *task =
        run == NULL ? NULL : catalog_task(look->catalog, run->task);

    if (run == NULL || shadow == NULL || task == NULL || run->seq != assignment->seq)
        return; /* check.c has said it */
    uint32_t most = last_attempt_expected(look, run);
    struct slice segment = shadow->segment.size > 0 ? shadow->segment : task->segments[0];
    int64_t limit_ms = run->limit_ms == 0  ? task->limit_ms
                       : run->limit_ms < 0 ? 1
                                           : run->limit_ms;
    bool is_rerun =
        shadow->was != NULL && shadow->was->id_block != 0 && shadow->was->entry == run->entry;
    if (frame->run_id != run->id || frame->seq != run->seq || frame->attempt != run->attempt ||
        frame->entry != run->entry || frame->id_block != run->id_block ||
        frame->max_attempts != most || frame->parent_id != run->parent_id ||
        frame->root_id != run->root_id || frame->created_ms != run->created_ms ||
        frame->is_test != run->is_test)
        flaw(look, run, "its segment is told wrongly where it is");
    if ((frame->ending.size > 0) != (run->ending != OUTCOME_NONE))
        flaw(look, run, "its segment is told wrongly that it ends");
    if (!slice_equal(frame->segment, segment) || !slice_equal(frame->task, run->task))
        flaw(look, run, "it enters another segment");
    if (!slice_equal(frame->input, shadow->input) ||
        !slice_equal(frame->state, shadow->state) ||
        !slice_equal(frame->metadata, run->metadata))
        flaw(look, run, "its segment gets another input, state or metadata");
    if (frame->limit_ms != limit_ms || assignment->limit_ms != limit_ms)
        flaw(look, run, "its segment gets another time");
    if (frame->is_rerun != is_rerun)
        flaw(look, run, "its segment is told wrongly whether it runs again");
    build_look(look, shadow, run, assignment);
    results_look(look, run, frame);
    once_look(look, shadow, run, frame);
    suspect_look(look, shadow, run);
}
