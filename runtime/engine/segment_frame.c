/* What a slot needs to know to enter a segment, gathered from the rows. */
#include "codec/callback.h"
#include "codec/pack.h"
#include "engine/builds/builds.h"
#include "engine/contract.h"
#include "engine/failure.h"
#include "engine/waits/group.h"

/* Results larger than this all together travel by CALL_RUN, when they are asked for. */
enum { RESULT_BYTES_MAX = 16 << 20 };

bool segment_frame_ready(struct batch *batch, struct run *run)
{
    struct run *same, *child;
    struct waitpoint *token;
    const struct wait *wait = run_wait(batch, run);
    bool loaded = rows_run(&batch->rows, run->id, PART_INPUT | PART_STATE, &same);

    if (wait != NULL && wait->group != NULL)
        loaded &= mail_ready(batch, run);

    for (uint32_t i = 0; wait != NULL && i < wait->count; i++)
        loaded &= wait_is_token(wait, i) ? rows_waitpoint(&batch->rows, wait->ids[i], &token)
                                         : rows_run(&batch->rows, wait->ids[i], 0, &child);
    return loaded;
}

enum wait_status token_ended(const struct batch *batch, const struct waitpoint *token)
{
    static const enum wait_status statuses[] = { [WAITPOINT_PENDING] = WAIT_NONE,
                                                 [WAITPOINT_COMPLETED] = WAIT_OK,
                                                 [WAITPOINT_TIMED_OUT] = WAIT_TIMEOUT,
                                                 [WAITPOINT_CANCELLED] = WAIT_CANCELLED,
                                                 [WAITPOINT_FAILED] = WAIT_FAILED };

    /* Its deadline counts, whether or not its timer was looked at yet. */
    bool is_late = token->status == WAITPOINT_PENDING &&
                   batch_is_over(batch, token->due_ms, token->due_is_span);
    return is_late ? WAIT_TIMEOUT : statuses[token->status];
}

enum wait_status run_ended(const struct run *run)
{
    if (!run_is_over(run))
        return WAIT_NONE;
    if (run->outcome == OUTCOME_COMPLETED)
        return WAIT_OK;
    return run->outcome == OUTCOME_CANCELED ? WAIT_CANCELLED : WAIT_FAILED;
}

static void token_result(struct batch *batch, int64_t id, struct frame_result *result)
{
    struct waitpoint *token;

    (void)rows_waitpoint(&batch->rows, id, &token); /* loaded by segment_frame_ready */
    *result = (struct frame_result){ .id = id, .status = WAIT_CANCELLED };
    if (token == NULL)
        return;
    result->status = token_ended(batch, token);
    result->value = token->result;
    if (result->status == WAIT_FAILED) { /* a batch that was aborted, and why */
        result->error = token->result;
        result->value = (struct slice){ 0 };
    }
}

static void run_result(struct batch *batch, struct run *run, int64_t id,
                       struct frame_result *result)
{
    struct run *child;

    (void)rows_run(&batch->rows, id, 0, &child); /* loaded by segment_frame_ready */
    *result = (struct frame_result){ .id = id, .status = WAIT_CANCELLED };
    if (child == NULL)
        return;
    if (child->secrets != 0)
        run_met_secrets(run);
    result->status = run_ended(child);
    result->has_more = result->status == WAIT_OK;
    if (!result->has_more && child->status == RUN_DONE)
        failure_said(batch->arena, child->error, &result->code, &result->error);
}

/* A part that has taken one; what is taken is there until the segment has ended. */
static void message_result(struct run *run, const struct mail *mail, int64_t number,
                           struct frame_result *result, size_t *total)
{
    const struct mail_item *message = mail_find(mail, number);

    *result = (struct frame_result){ .id = -1, .status = WAIT_OK };
    if (message == NULL)
        return;
    if (message->secret.size > 0)
        run_met_secrets(run);
    result->value = message->data;
    *total += message->data.size; /* it is never fetched: a mailbox is small */
}

/* One of the others: a time, a message that has not come, a group. */
static void part_result(const struct batch *batch, const struct frame_part *part,
                        struct frame_result *result)
{
    bool is_over = part->kind == PART_TIME
                       ? part->due_ms == 0 || batch_is_over(batch, part->due_ms, part->is_span)
                       : part->kind == PART_GROUP && part->needed == 0;

    *result = (struct frame_result){ .id = -1, .status = is_over ? WAIT_OK : WAIT_NONE };
}

/* How far the groups are, inner ones first: they stand behind those that they are in. */
static void groups_result(struct arena *arena, const struct wait_group *group,
                          struct frame_result *results)
{
    uint32_t *ended = ARENA_ARRAY(arena, uint32_t, (size_t)group->count + 1);

    for (uint32_t i = group->count; i > 0; i--) {
        const struct frame_part *part = &group->parts[i - 1];
        if (part->kind == PART_GROUP && ended[i] >= part->needed)
            results[i - 1].status = WAIT_OK;
        ended[part->of] += results[i - 1].status != WAIT_NONE;
    }
}

/* Those that travel by CALL_RUN count no more. */
static void result_bound(struct frame_result *result, size_t *total)
{
    if (*total + result->value.size > RESULT_BYTES_MAX && *total > 0) {
        result->value = (struct slice){ 0 };
        result->has_more = true;
    }
    *total += result->value.size;
}

static void thing_result(struct batch *batch, struct run *run, bool is_token, int64_t id,
                         struct frame_result *result, size_t *total)
{
    if (is_token)
        token_result(batch, id, result);
    else
        run_result(batch, run, id, result);
    result_bound(result, total);
}

static void parts_result(struct batch *batch, struct run *run, const struct wait_group *group,
                         struct frame_segment *frame)
{
    struct mail mail = mail_read(batch->arena, run->mail);
    size_t total = 0;

    for (uint32_t i = 0; i < group->count; i++) {
        const struct frame_part *part = &group->parts[i];
        struct frame_result *result = &frame->results[frame->result_count++];
        if (part->kind == PART_TOKEN || part->kind == PART_RUN)
            thing_result(batch, run, part->kind == PART_TOKEN, part->id, result, &total);
        else if (part->kind == PART_MESSAGE && part->id != 0)
            message_result(run, &mail, part->id, result, &total);
        else
            part_result(batch, part, result);
        result->name = part->name;
    }
    groups_result(batch->arena, group, frame->results);
    frame->reminder = group->is_reminder ? group->reminded : 0;
}

static void results_fill(struct batch *batch, struct run *run, struct frame_segment *frame)
{
    const struct wait *wait = run_wait(batch, run);
    size_t total = 0;

    if (wait == NULL)
        return;
    uint32_t count = wait->group != NULL ? wait->group->count : wait->count;
    frame->results = ARENA_ARRAY(batch->arena, struct frame_result, (size_t)count + 1);
    if (wait->group != NULL)
        parts_result(batch, run, wait->group, frame);
    else
        for (uint32_t i = 0; i < count; i++)
            thing_result(batch, run, wait_is_token(wait, i), wait->ids[i],
                         &frame->results[frame->result_count++], &total);
    /* A wait for a time or a group, or one that gave up or needs nothing more, ends in a result
     * of its own: id 0. */
    if (wait->kind == WAIT_FOR_TIME || wait->gave_up ||
        (wait->needed == 0 && wait->count > 0) || (wait->group != NULL && frame->reminder == 0))
        frame->results[frame->result_count++] =
            (struct frame_result){ .status = wait->gave_up ? WAIT_TIMEOUT : WAIT_OK };
}

static void once_fill(struct batch *batch, const struct run *run, struct frame_segment *frame)
{
    struct value map;

    if (run->once.size == 0 || !pack_read(batch->arena, run->once, &map, NULL))
        return;
    frame->once = ARENA_ARRAY(batch->arena, struct frame_once, map.count);
    for (uint32_t i = 0; i < map.count; i++)
        frame->once[frame->once_count++] =
            (struct frame_once){ map.members[i].key, map.members[i].value.bytes };
}

static void tags_fill(struct batch *batch, const struct run *run, struct frame_segment *frame)
{
    struct value list;

    if (run->tags.size == 0 || !pack_read(batch->arena, run->tags, &list, NULL))
        return;
    frame->tags = ARENA_ARRAY(batch->arena, struct slice, list.count);
    for (uint32_t i = 0; i < list.count; i++)
        frame->tags[frame->tag_count++] = list.items[i].bytes;
}

static struct slice environment_name(const struct catalog *catalog, uint32_t number)
{
    for (uint32_t i = 0; i < catalog->environment_count; i++)
        if (catalog->environments[i] == number && catalog->environment_names != NULL)
            return slice_of(catalog->environment_names[i]);
    return (struct slice){ 0 };
}

/* What its tokens' URLs are made of, so that it need not ask. */
static struct slice key_of(struct batch *batch, const struct run *run)
{
    uint8_t *key;

    if (batch->catalog->callback_secret == NULL)
        return (struct slice){ 0 };
    key = arena_alloc(batch->arena, CALLBACK_KEY_BYTES);
    callback_key(batch->catalog->callback_secret, run->id_block, key);
    return (struct slice){ (const char *)key, CALLBACK_KEY_BYTES };
}

static struct slice ending_name(uint32_t outcome)
{
    return outcome == OUTCOME_CANCELED    ? SLICE("CANCELED")
           : outcome == OUTCOME_TIMED_OUT ? SLICE("TIMED_OUT")
           : outcome == OUTCOME_CRASHED   ? SLICE("CRASHED")
                                          : SLICE("FAILED");
}

struct frame_segment *segment_frame(struct batch *batch, struct run *run)
{
    static const struct catalog_task absent; /* then it is only looked at */
    const struct catalog_task *found = catalog_task_of(batch->catalog, run);
    const struct catalog_task *task = found != NULL ? found : &absent;
    struct frame_segment *frame = ARENA_NEW(batch->arena, struct frame_segment);
    int64_t limit_ms = run->limit_ms != 0 ? run->limit_ms : task->limit_ms;
    struct catalog_retry retry = catalog_retry(batch->catalog, found, queue_name_of(batch, run),
                                               run->max_attempts, RETRY_USER);

    *frame = (struct frame_segment){
        .run_id = run->id,
        .seq = run->seq,
        .attempt = run->attempt,
        .max_attempts = run_last_attempt(run, &retry),
        .entry = run->entry,
        .id_block = run->id_block,
        .key = key_of(batch, run),
        .created_ms = run->created_ms,
        .parent_id = run->parent_id,
        .root_id = run->root_id,
        .environment = environment_name(batch->catalog, run->environment),
        .task = run->task,
        .segment = run->segment.size > 0     ? run->segment
                   : task->segment_count > 0 ? task->segments[0]
                                             : run->segment,
        .input = run->input,
        .state = run->state,
        .metadata = run->metadata,
        .limit_ms = limit_ms < 0 ? 1 : limit_ms, /* 0 would be none at all */
        .is_test = run->is_test,
        .cpu_ms = run->cpu_ms
    };
    if (run->ending != OUTCOME_NONE) {
        frame->ending = ending_name(run->ending);
        failure_said(batch->arena, run->error, &frame->error_code, &frame->error_text);
    }
    results_fill(batch, run, frame);
    once_fill(batch, run, frame);
    tags_fill(batch, run, frame);
    return frame;
}
