/* What dispatch and a worker do, for the tasks of site.h. */
#include "codec/pack.h"
#include "site.h"

#include <stdlib.h>

struct work {
    struct command command;
    struct arena arena;
    struct frame_end end;
    struct site *site;
    struct slice task;
    int64_t ids[1];
};

static void work_free(struct work *work)
{
    arena_finish(&work->arena);
    free(work);
}

static void on_end(struct command *command)
{
    work_free(command->owner);
}

static void submit(struct work *work, void (*on_reply)(struct command *command))
{
    work->command.arena = &work->arena;
    work->command.owner = work;
    work->command.on_reply = on_reply;
    if (!pump_submit(work->site->pump, &work->command, NULL))
        work_free(work);
}

static void end(struct work *work)
{
    struct segment_end *segment = &work->command.segment_end;

    work->command.kind = COMMAND_SEGMENT_END;
    work->command.segment_end = (struct segment_end){
        .run_id = work->end.run_id, .seq = work->end.seq, .end = &work->end, .busy_us = 1500
    };
    (void)segment;
    submit(work, on_end);
}

/* The token is there: wait for it. */
static void on_token(struct command *command)
{
    struct work *work = command->owner;

    work->end.verdict = VERDICT_WAIT;
    work->end.wait_kind = WAIT_FOR_TOKEN;
    work->ids[0] = command->token_create.token_id;
    work->end.ids = work->ids;
    work->end.id_count = 1;
    work->end.then = SLICE("decided");
    work->command = (struct command){ 0 };
    end(work);
}

static void approve(struct work *work, const struct frame_segment *frame)
{
    if (slice_is(frame->segment, "decided")) {
        work->end.verdict = VERDICT_DONE;
        if (frame->result_count > 0)
            work->end.output = arena_copy(&work->arena, frame->results[0].value);
        end(work);
        return;
    }
    work->command.kind = COMMAND_TOKEN_CREATE;
    work->command.token_create.environment = work->site->environments[0].number;
    work->command.token_create.run_id = frame->run_id;
    work->command.token_create.run_seq = frame->seq;
    work->command.token_create.id = frame->id_block + 1;
    work->command.token_create.schema = SLICE("decision");
    submit(work, on_token);
}

static void sleepy(struct work *work)
{
    struct value state = value_map();

    value_put(&work->arena, &state, "nights", value_int(3));
    work->end.verdict = VERDICT_WAIT;
    work->end.wait_kind = WAIT_FOR_TIME;
    work->end.due_ms = 32503680000000; /* the year 3000 */
    work->end.then = SLICE("decided");
    work->end.state = pack_value(&work->arena, &state);
    end(work);
}

void site_assign(struct site *site, struct assignment *assignment)
{
    const struct frame_segment *frame = assignment->frame;
    struct work *work = calloc(1, sizeof *work);

    buffer_finish(&assignment->bytes);
    work->site = site;
    work->end.run_id = assignment->run_id;
    work->end.seq = assignment->seq;
    if (slice_is(assignment->task, "echo")) {
        work->end.verdict = VERDICT_DONE;
        work->end.output = arena_copy(&work->arena, frame->input);
        end(work);
    } else if (slice_is(assignment->task, "approve")) {
        approve(work, frame);
    } else if (slice_is(assignment->task, "sleepy")) {
        sleepy(work);
    } else if (slice_is(assignment->task, "flop")) {
        work->end.verdict = frame->attempt > 1 ? VERDICT_DONE : VERDICT_FAIL;
        work->end.retryable = frame->input.size > 1; /* its attempts are used up then */
        work->end.error_code = SLICE("no_luck");
        work->end.error_text = SLICE("it did not work");
        end(work);
    } else {
        work_free(work);
    }
}
