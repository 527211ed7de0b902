/*
 * A bundle: what a run's segment was given, or will be when it is entered, for who wants to run
 * it elsewhere. Nothing is changed.
 *
 *   { segment, attempt, maxAttempts, entry, createdMs, tags, limitMs, cpuMs, isTest, idBlock,
 *     ending?, errorCode?, errorText?, reminder?, input, state, metadata,
 *     once: { name: value }, results: [ { id, status, name?, value?, error?, code? } ] }
 *
 * Outputs of children, which a segment fetches when it looks at them, go along.
 */
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/commands/command_table.h"

enum { OUTPUTS_MAX_BYTES = 16 << 20 };

/* Of children whose result says that there is more. */
static bool outputs_ready(struct batch *batch, const struct frame_segment *frame)
{
    struct run *child;
    bool loaded = true;

    for (uint32_t i = 0; i < frame->result_count; i++)
        if (frame->results[i].has_more)
            loaded &= rows_run(&batch->rows, frame->results[i].id, PART_OUTPUT, &child);
    return loaded;
}

static struct slice result_value(struct batch *batch, const struct frame_result *result,
                                 size_t *total)
{
    struct run *child = NULL;
    struct waitpoint *token = NULL;
    struct slice value = result->value;

    if (result->has_more) {
        (void)rows_run(&batch->rows, result->id, PART_OUTPUT, &child); /* outputs_ready() */
        if (child == NULL)
            (void)rows_waitpoint(&batch->rows, result->id, &token);
        value = child != NULL   ? child->output
                : token != NULL ? token->result
                                : (struct slice){ 0 };
    }
    *total += value.size;
    return *total > OUTPUTS_MAX_BYTES ? (struct slice){ 0 } : value;
}

static void packed_put(struct arena *arena, struct value *map, const char *key,
                       struct slice packed)
{
    struct value value = { .kind = VALUE_NULL };

    if (packed.size > 0 && pack_read(arena, packed, &value, NULL))
        value_put(arena, map, key, value);
}

static void text_put(struct arena *arena, struct value *map, const char *key, struct slice text)
{
    if (text.size > 0)
        value_put(arena, map, key, value_string(text));
}

static struct value results_list(struct batch *batch, const struct frame_segment *frame)
{
    struct value list = value_list();
    size_t total = 0;

    for (uint32_t i = 0; i < frame->result_count; i++) {
        const struct frame_result *result = &frame->results[i];
        struct value map = value_map();
        value_put(batch->arena, &map, "id", value_int(result->id));
        value_put(batch->arena, &map, "status", value_int(result->status));
        text_put(batch->arena, &map, "name", result->name);
        packed_put(batch->arena, &map, "value", result_value(batch, result, &total));
        text_put(batch->arena, &map, "error", result->error);
        text_put(batch->arena, &map, "code", result->code);
        value_add(batch->arena, &list, map);
    }
    return list;
}

static struct value once_map(struct batch *batch, const struct frame_segment *frame)
{
    struct value map = value_map(), value;

    for (uint32_t i = 0; i < frame->once_count; i++)
        if (pack_read(batch->arena, frame->once[i].value, &value, NULL))
            value_put_slice(batch->arena, &map, frame->once[i].name, value);
    return map;
}

static struct slice given_pack(struct batch *batch, const struct frame_segment *frame)
{
    const struct {
        const char *name;
        int64_t number;
    } numbers[] = {
        { "attempt", frame->attempt },    { "maxAttempts", frame->max_attempts },
        { "entry", frame->entry },        { "createdMs", frame->created_ms },
        { "idBlock", frame->id_block },   { "limitMs", frame->limit_ms },
        { "cpuMs", frame->cpu_ms },       { "reminder", frame->reminder },
        { "parentId", frame->parent_id }, { "rootId", frame->root_id },
    };
    struct arena *arena = batch->arena;
    struct value map = value_map(), tags = value_list();

    for (uint32_t i = 0; i < frame->tag_count; i++)
        value_add(arena, &tags, value_string(frame->tags[i]));
    text_put(arena, &map, "segment", frame->segment);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        value_put(arena, &map, numbers[i].name, value_int(numbers[i].number));
    value_put(arena, &map, "isTest", value_bool(frame->is_test));
    value_put(arena, &map, "tags", tags);
    text_put(arena, &map, "ending", frame->ending);
    text_put(arena, &map, "errorCode", frame->error_code);
    text_put(arena, &map, "errorText", frame->error_text);
    packed_put(arena, &map, "input", frame->input);
    packed_put(arena, &map, "state", frame->state);
    packed_put(arena, &map, "metadata", frame->metadata);
    value_put(arena, &map, "once", once_map(batch, frame));
    value_put(arena, &map, "results", results_list(batch, frame));
    return pack_value(arena, &map);
}

/* The row dies with the batch; the reply is the command's. */
static struct run *run_copy(struct arena *arena, const struct run *run)
{
    struct run *copy = ARENA_NEW(arena, struct run);

    *copy = (struct run){ .id = run->id,
                          .environment = run->environment,
                          .status = run->status,
                          .outcome = run->outcome,
                          .secrets = run->secrets,
                          .collected = run->collected,
                          .task = arena_copy(arena, run->task),
                          .schema = arena_copy(arena, run->schema),
                          .schema_now = arena_copy(arena, run->schema_now),
                          .version = arena_copy(arena, run->version),
                          .build = arena_copy(arena, run->build),
                          .error = arena_copy(arena, run->error) };
    return copy;
}

bool run_bundle_decide(struct batch *batch, struct command *command)
{
    struct run_bundle *ask = &command->run_bundle;
    struct run *run;

    if (!rows_run(&batch->rows, ask->run_id, PART_INPUT | PART_STATE, &run))
        return false;
    if (run == NULL || run->environment != ask->environment) {
        err_set(&command->err, ERR_NOT_FOUND, "Run not found");
        return true;
    }
    if (run->status == RUN_DONE && !run_has_failed(run)) {
        err_set(&command->err, ERR_NOT_NOW,
                "The run has not failed: what its segments were given is gone; replay it "
                "instead");
        return true;
    }
    if (!segment_frame_ready(batch, run))
        return false;
    const struct frame_segment *frame = segment_frame(batch, run);
    if (!outputs_ready(batch, frame))
        return false;
    ask->run = run_copy(command->arena, run);
    ask->given = arena_copy(command->arena, given_pack(batch, frame));
    return true;
}

void run_bundle_clear(struct command *command)
{
    command->run_bundle.run = NULL;
    command->run_bundle.given = (struct slice){ 0 };
}
