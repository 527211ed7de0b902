/*
 * Slots: segments under way. What a segment does is a script that follows from its run, entry
 * and name, as a deterministic plugin's would, so that a second try makes the same calls and
 * must find what the first has made.
 */
#include "base/table.h"
#include "batches.h"
#include "codec/pack.h"
#include "endings.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const task_names[] = { "alpha", "beta", "gamma" };
static const char *const segment_names[] = { "start", "next", "last" };

void slots_assign(struct world *world, const struct assignment *assignment)
{
    const struct frame_segment *frame = assignment->frame;

    if (world->held_count == HELD_MAX) {
        world_flaw(world, "more than %d segments are out at once", HELD_MAX);
        return;
    }
    struct held_segment *held = &world->held[world->held_count++];
    *held = (struct held_segment){ .run_id = frame->run_id,
                                   .id_block = frame->id_block,
                                   .environment = slice_is(frame->environment, "dev") ? 1 : 2,
                                   .seq = frame->seq,
                                   .entry = frame->entry,
                                   .reminder = frame->reminder,
                                   .once_count = frame->once_count,
                                   .attempt = frame->attempt,
                                   .is_ending = frame->ending.size > 0 };
    (void)snprintf(held->task, sizeof held->task, "%.*s", SLICE_ARG(frame->task));
}

/* The ghost's run is out again, or still: what it says now may be taken for its successor's. */
static bool is_haunted(const struct world *world)
{
    for (uint32_t i = 0; i < world->held_count; i++)
        if (world->held[i].run_id == world->ghost.run_id)
            return true;
    return false;
}

static void held_drop(struct world *world, struct held_segment *held)
{
    if (world_chance(world, is_haunted(world) ? 5 : 30))
        world->ghost = *held;
    *held = world->held[--world->held_count];
}

static struct held_segment *held_find(struct world *world, int64_t run_id, uint32_t seq)
{
    for (uint32_t i = 0; i < world->held_count; i++)
        if (world->held[i].run_id == run_id && world->held[i].seq == seq)
            return &world->held[i];
    return NULL;
}

/* The run was canceled: its slot holds its place until it says that it is through. */
void slots_event(struct world *world, const struct event *event)
{
    if (!event->was_running)
        return;
    for (uint32_t i = 0; i < world->held_count; i++)
        if (world->held[i].run_id == event->run_id)
            world->held[i].is_canceled = true;
}

uint64_t slots_script(const struct world *world, const struct held_segment *held, uint64_t what)
{
    uint64_t parts[] = { world->seed, (uint64_t)held->run_id, held->entry, what };

    return table_hash((struct slice){ (const char *)parts, sizeof parts }, 7);
}

/* Not waited for: the slot knows the id, and so may somebody outside. */
static void call_ahead(struct world *world, struct held_segment *held, int64_t due_ms,
                       int64_t timeout_ms)
{
    int64_t id = held->id_block + ++held->call;
    struct command *early =
        world_chance(world, 40) ? world_command(world, COMMAND_TOKEN_COMPLETE) : NULL;

    held->ahead[held->ahead_count].id = id;
    held->ahead[held->ahead_count].timeout_ms = timeout_ms;
    held->ahead[held->ahead_count++].due_ms = due_ms;
    held->tokens[held->token_count++] = id;
    if (early != NULL)
        early->token_complete = (struct token_complete){ .id = id, .data = SLICE("\x07") };
}

static void call_token(struct world *world, struct held_segment *held)
{
    uint64_t dice = slots_script(world, held, 100 + held->call);
    int64_t due_ms = dice % 3 == 0 ? moment_any(dice >> 8, world->now_ms) : 0;
    int64_t timeout_ms = dice % 3 == 1 ? moment_any(dice >> 8, 0) : 0;
    struct command *command;

    if (dice % 5 > 2) {
        call_ahead(world, held, due_ms, timeout_ms);
        return;
    }
    command = world_command(world, COMMAND_TOKEN_CREATE);
    if (command == NULL)
        return;
    held->in_call = true;
    command->token_create = (struct token_create){ .environment = held->environment,
                                                   .due_ms = due_ms,
                                                   .timeout_ms = timeout_ms,
                                                   .run_id = held->run_id,
                                                   .run_seq = held->seq,
                                                   .id = held->id_block + ++held->call };
    if (dice % 5 == 0)
        command->token_create.key = SLICE("shared");
    command->token_create.key_global = dice / 5 % 3 == 0;
    if (dice / 15 % 3 == 0)
        command->token_create.key_ttl_ms = moment_any(dice >> 10, 0);
}

static void call_trigger(struct world *world, struct held_segment *held)
{
    struct command *command = world_command(world, COMMAND_TRIGGER);
    uint64_t dice = slots_script(world, held, 100 + held->call);

    if (command == NULL)
        return;
    held->in_call = true;
    command->trigger =
        (struct trigger){ .environment = held->environment,
                          .task = slice_of(task_names[dice % 2]),
                          .delay_ms = dice % 7 == 0 ? moment_any(dice >> 8, 0) : 0,
                          .ttl_ms = dice % 11 == 0 ? moment_any(dice >> 9, 0) : 0,
                          .parent_id = held->run_id,
                          .parent_seq = held->seq,
                          .id = held->id_block + ++held->call,
                          .on_parent_end = (uint32_t)(dice / 7777 % 4),
                          .unchecked = true };
    if (dice / 77 % 4 == 0) {
        command->trigger.key = SLICE("child");
        command->trigger.key_global = dice / 308 % 2 == 0;
        command->trigger.key_ttl_ms = dice / 616 % 2 == 0 ? moment_any(dice >> 12, 0) : 0;
        command->trigger.reuse = dice / 1232 % 3 == 0 ? REUSE_SAID | dice / 3696 % 16 : 0;
    }
    if (dice / 13 % 6 == 0) {
        command->trigger.queue = SLICE("many");
        command->trigger.payload = collect_payload(world, command->trigger.id);
        command->trigger.delay_ms = 0;
    }
}

/* Somebody else's, of another environment, the run itself, or nothing at all. */
static int64_t other_thing(struct world *world, const struct held_segment *held, uint32_t kind)
{
    uint32_t tokens = store_memory_count(world->memory, ROW_WAITPOINT);
    uint32_t at = (uint32_t)world_random(world, tokens + 1);

    if (world_chance(world, 60))
        at = tokens - (tokens < 3 ? tokens : (uint32_t)world_random(world, 3)); /* a crowd */
    if (kind == WAIT_FOR_RUNS)
        return world_chance(world, 50) ? held->run_id : held->id_block + ID_BLOCK - 1;
    if (at == tokens)
        return held->id_block + ID_BLOCK - 1;
    const struct waitpoint *token = store_memory_waitpoint(world->memory, at);
    bool is_near = token->environment == held->environment || world_chance(world, 20);
    return is_near ? token->id : held->tokens[0];
}

/* Made by somebody else, and maybe settled long ago; 0: there is none. */
static int64_t foreign(struct world *world, const struct held_segment *held, enum row_kind kind)
{
    uint32_t count = store_memory_count(world->memory, kind);

    for (int tries = 0; count > 0 && tries < 5; tries++) {
        uint32_t at = (uint32_t)world_random(world, count);
        const struct row *row = store_memory_at(world->memory, kind, at);
        const struct run *run = (const struct run *)row;
        const struct waitpoint *token = (const struct waitpoint *)row;
        if (kind == ROW_WAITPOINT && token->run_id == 0 &&
            token->environment == held->environment)
            return token->id;
        /* One that lives may wait for this one. */
        if (kind == ROW_RUN && run->id != held->run_id &&
            run->environment == held->environment &&
            (run->status == RUN_DONE || !slice_is(run->task, "unknown")))
            return run->id;
    }
    return 0;
}

static void wait_group(struct world *world, struct held_segment *held, struct frame_end *end);

static void end_wait(struct world *world, struct held_segment *held, struct frame_end *end)
{
    uint64_t dice = slots_script(world, held, 3);

    end->verdict = VERDICT_WAIT;
    end->then = slice_of(segment_names[1 + dice % 2]);
    end->state = arena_format(&world->arena, "\x81\xa1n%c", 16 + (int)(held->seq % 100));
    end->ids = ARENA_ARRAY(&world->arena, int64_t, 8);
    if (held->token_count > 0 && (held->child_count == 0 || dice / 2 % 2 == 0)) {
        end->wait_kind = WAIT_FOR_TOKEN;
        for (uint32_t i = 0; i < held->token_count; i++)
            end->ids[end->id_count++] = held->tokens[i];
    } else if (held->child_count > 0) {
        end->wait_kind = WAIT_FOR_RUNS;
        for (uint32_t i = 0; i < held->child_count; i++)
            end->ids[end->id_count++] = held->children[i];
    } else {
        end->wait_kind = WAIT_FOR_TIME;
        end->due_ms = dice / 8 % 2 == 0 ? moment_any(dice >> 8, world->now_ms) : 0;
        end->span_ms = dice / 8 % 2 == 1 ? moment_any(dice >> 8, 0) : 0;
        return;
    }
    int64_t other =
        dice / 1024 % 3 == 0
            ? foreign(world, held, end->wait_kind == WAIT_FOR_RUNS ? ROW_RUN : ROW_WAITPOINT)
            : 0;
    if (other != 0)
        end->ids[end->id_count++] = other;
    end->needed = dice / 16 % 4; /* all, any, or n of m */
    if (dice / 512 % 16 == 0)
        end->ids[end->id_count++] = end->ids[0]; /* twice is once */
    if (dice / 8192 % 4 == 0 && !world->drains)
        end->ids[end->id_count++] = other_thing(world, held, end->wait_kind);
    end->due_ms = dice / 64 % 4 == 0 ? moment_any(dice >> 9, world->now_ms) : 0;
    end->span_ms = dice / 64 % 4 == 1 ? moment_any(dice >> 9, 0) : 0;
    if (end->id_count > 0 && slots_script(world, held, 5) % 3 == 0)
        wait_group(world, held, end);
}

static const char *const part_names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };

/* What it waits for becomes a group, with a time, a group in it, and all that a wait may do. */
static void wait_group(struct world *world, struct held_segment *held, struct frame_end *end)
{
    uint64_t dice = slots_script(world, held, 4);
    bool is_token = end->wait_kind != WAIT_FOR_RUNS;
    uint32_t inner = 0;

    end->parts = ARENA_ARRAY(&world->arena, struct frame_part, 16);
    for (uint32_t i = 0; i < end->id_count; i++) {
        if (i > 0 && inner == 0 && dice / 2 % 2 == 0) {
            end->parts[end->part_count++] =
                (struct frame_part){ .kind = PART_GROUP, .needed = (uint32_t)(dice / 4 % 2) };
            inner = end->part_count;
        }
        end->parts[end->part_count++] = (struct frame_part){
            .kind = is_token ? PART_TOKEN : PART_RUN, .of = inner, .id = end->ids[i]
        };
    }
    if (is_token && held->child_count > 0)
        end->parts[end->part_count++] =
            (struct frame_part){ .kind = PART_RUN, .id = held->children[0] };
    if (dice / 8 % 2 == 0)
        end->parts[end->part_count++] = (struct frame_part){
            .kind = PART_TIME,
            .of = dice / 16 % 2 == 0 ? inner : 0,
            .due_ms = dice / 32 % 2 == 0 ? moment_any(dice >> 9, world->now_ms) : 0,
            .span_ms = dice / 32 % 2 == 1 ? moment_any(dice >> 9, 0) : 0
        };
    for (uint32_t i = 0; i < dice / 128 % 3; i++)
        end->parts[end->part_count++] = (struct frame_part){
            .kind = PART_MESSAGE,
            .of = dice / 16 % 2 == 0 ? inner : 0,
            .id = (int64_t)(dice % 3), /* not for it to say */
            .word = slice_of(part_names[(dice >> 20) % 2]),
        };
    for (uint32_t i = 0; i < end->part_count; i += 2)
        end->parts[i].name = slice_of(part_names[i % 10]);
    uint32_t outer = 0;
    for (uint32_t i = 0; i < end->part_count; i++)
        outer += end->parts[i].of == 0;
    end->needed = end->needed > outer ? outer : end->needed;
    end->id_count = 0;
    end->wait_kind = WAIT_FOR_GROUP;
    end->manner.cancels = dice / 64 % 3 == 0;
    if (dice / 256 % 2 == 0)
        end->manner.otherwise = slice_of(segment_names[2]);
    if (dice / 512 % 2 == 0) {
        end->manner.remind = slice_of(segment_names[1]);
        end->manner.reminder_count = 2;
        end->manner.reminders = ARENA_ARRAY(&world->arena, int64_t, 2);
        end->manner.reminders[0] = 1 + (int64_t)(dice / 1024 % 3000);
        end->manner.reminders[1] = end->manner.reminders[0] + 700;
    }
}

/* Not where what it waits for may wait for it: that ends by its time only. */
static void wait_key(const struct world *world, const struct held_segment *held,
                     struct frame_end *end)
{
    static const char *const keys[] = { "w1", "w1", "w2" };
    uint64_t dice = slots_script(world, held, 6);

    for (uint32_t i = 0; i < held->child_count; i++)
        if (held->children[i] < held->id_block || held->children[i] > held->id_block + 99)
            return;
    if (dice % 2 > 0)
        return;
    end->key = slice_of(keys[dice / 2 % 3]);
    end->key_global = dice / 6 % 6 == 0;
    end->key_ttl_ms = dice / 36 % 4 == 0 ? 1 + (int64_t)(dice / 144 % 9000) : 0;
}

static void segment_end(struct world *world, struct held_segment *held)
{
    struct command *command = world_command(world, COMMAND_SEGMENT_END);
    uint64_t dice = slots_script(world, held, 2) % 100;

    if (command == NULL)
        return;
    struct frame_end *end = ARENA_NEW(&world->arena, struct frame_end);
    end->run_id = held->run_id;
    end->seq = held->seq;
    /* Runs get tired: a long one finishes. */
    if (!world->drains && world_chance(world, 3)) {
        end->verdict = VERDICT_PUSH_BACK;
        end->span_ms = (int64_t)world_random(world, 3000);
    } else if (held->reminder > 0 ? dice % 4 > 0 : dice % 50 == 0) {
        end->verdict = VERDICT_WAIT_ON;
        end->state = SLICE("\x81\xa1n\x02");
    } else if (held->entry < 6 && dice < 55) {
        end_wait(world, held, end);
        wait_key(world, held, end);
    } else if (dice < 90 || (dice == 90 && world->drains)) {
        end->verdict = VERDICT_DONE;
        end->output = SLICE("\x01");
    } else if (dice == 90) {
        end->verdict = VERDICT_PARK;
        end->error_text = SLICE("another build is to read it");
    } else {
        end->verdict = VERDICT_FAIL;
        end->error_code = SLICE("SCRIPTED");
        end->error_text = SLICE("as its script says");
        end->retryable = dice % 2 == 0;
        end->is_upstream = world_chance(world, 30);
        if (world_chance(world, 20))
            end->due_ms = world->now_ms - 1000 + (int64_t)world_random(world, 5000);
        else if (world_chance(world, 20))
            end->span_ms = 1 + (int64_t)world_random(world, 3000);
    }
    ending_register(world, held, end);
    chatter_meta(world, end);
    command->segment_end =
        (struct segment_end){ .run_id = held->run_id,
                              .seq = held->seq,
                              .end = end,
                              .busy_us = 1 + (int64_t)world_random(world, 9) };
    command->segment_end.notes = chatter_notes(world, &command->segment_end.note_count);
    chatter_creates(world, held, &command->segment_end);
    held->in_call = true; /* until the reply comes */
}

static void attempt_lose(struct world *world, struct held_segment *held)
{
    bool lost = world_chance(world, 60);
    struct command *command =
        world_command(world, lost ? COMMAND_ATTEMPT_LOST : COMMAND_RELEASE);

    if (command == NULL)
        return;
    command->segment_end =
        (struct segment_end){ .run_id = held->run_id,
                              .seq = held->seq,
                              .loss = world_chance(world, 50) ? LOSS_CRASHED : LOSS_TIMED_OUT,
                              .error_name = SLICE("SIGSEGV"),
                              .error_text = SLICE("scripted"),
                              .busy_us = lost ? 7 : 0 };
    held->in_call = true;
}

/* A late answer for a run that has moved on: it must change nothing. */
static void ghost_step(struct world *world)
{
    if (world->ghost.run_id == 0)
        return;
    if (world_chance(world, 50))
        chatter_ghost(world, &world->ghost);
    else if (world_chance(world, 50))
        segment_end(world, &world->ghost);
    else
        attempt_lose(world, &world->ghost);
}

void slots_step(struct world *world)
{
    if (world_chance(world, is_haunted(world) ? 25 : 5))
        ghost_step(world);
    if (world->held_count == 0)
        return;
    struct held_segment *held = &world->held[world_random(world, world->held_count)];
    if (held->in_call)
        return;
    if (held->is_canceled && !world->drains && world_chance(world, 60))
        return; /* it takes its time */
    if (held->is_canceled ? world_chance(world, 60)
                          : !world->drains && world_chance(world, 5)) {
        attempt_lose(world, held);
        return;
    }
    if (held->is_canceled) {
        segment_end(world, held); /* well, in spite of it */
        return;
    }
    if (world_chance(world, 20)) {
        chatter_step(world, held);
        return;
    }
    if (held->is_ending) {
        ending_step(world, held);
        return;
    }
    uint64_t plan = slots_script(world, held, 1);
    uint32_t tokens = plan % 3 == 0 ? 1 + (uint32_t)(plan / 3 % 3) : 0;
    uint32_t children =
        held->entry < 2 && plan / 9 % 4 == 0 ? 1 + (uint32_t)(plan / 36 % 3) : 0;
    if (held->token_count < tokens)
        call_token(world, held);
    else if (held->child_count < children)
        call_trigger(world, held);
    else if (!batch_is_made(held, plan))
        call_batch(world, held);
    else
        segment_end(world, held);
}

static void made(struct world *world, struct held_segment *held, int64_t id, int64_t wanted,
                 int64_t *list, uint32_t *count, bool keyed)
{
    if (held == NULL)
        return;
    if (!keyed && id != wanted)
        world_flaw(world, "a call in run %lld got another id than a first try would",
                   (long long)held->run_id);
    list[(*count)++] = id;
    held->in_call = false;
}

void slots_reply(struct world *world, struct command *command)
{
    struct held_segment *held = NULL;
    bool failed = command->err.code != ERR_OK;

    if (command->kind == COMMAND_TOKEN_CREATE && command->token_create.run_id != 0) {
        const struct token_create *create = &command->token_create;
        held = held_find(world, create->run_id, create->run_seq);
        if (held != NULL && failed)
            held->call--, held->in_call = false; /* asked again */
        else if (held != NULL)
            made(world, held, create->token_id, create->id, held->tokens, &held->token_count,
                 create->cached);
    } else if (command->kind == COMMAND_TRIGGER && command->trigger.parent_id != 0) {
        const struct trigger *trigger = &command->trigger;
        held = held_find(world, trigger->parent_id, trigger->parent_seq);
        if (held != NULL && command->err.code == ERR_LIMIT)
            held->child_count = 4, held->in_call = false; /* too deep: do without */
        else if (held != NULL && failed)
            held->call--, held->in_call = false;
        else if (held != NULL)
            made(world, held, trigger->run_id, trigger->id, held->children, &held->child_count,
                 trigger->cached || is_collected(trigger));
        if (!failed)
            collect_reply(world, trigger);
        if (held != NULL && held->child_count == 4)
            held->child_count = 0, held->entry = 100; /* ends without children */
    } else if (command->kind == COMMAND_BATCH_SEND && command->batch_send.parent_id != 0) {
        held = held_find(world, command->batch_send.parent_id, command->batch_send.parent_seq);
        if (held != NULL)
            batch_said(held, command);
    } else if (command->kind == COMMAND_BATCH_READ) {
        held = held_find(world, command->batch_read.run_id, command->batch_read.seq);
        if (held != NULL)
            held->in_call = false;
    } else if (command->kind == COMMAND_ONCE || command->kind == COMMAND_RUN_READ) {
        held = command->kind == COMMAND_ONCE
                   ? held_find(world, command->once.run_id, command->once.seq)
                   : held_find(world, command->run_read.run_id, command->run_read.seq);
        if (held != NULL) {
            held->in_call = false;
            held->once_count += command->kind == COMMAND_ONCE && !failed;
        }
    } else if (command->kind == COMMAND_MESSAGE_SEND) {
        held =
            held_find(world, command->message_send.sender_id, command->message_send.sender_seq);
        if (held != NULL)
            held->in_call = false;
    } else if (command->kind == COMMAND_SEGMENT_END || command->kind == COMMAND_ATTEMPT_LOST ||
               command->kind == COMMAND_RELEASE) {
        held = held_find(world, command->segment_end.run_id, command->segment_end.seq);
        if (held != NULL && command->err.code == ERR_STORE)
            held->in_call = false; /* nothing happened: said again */
        else if (held != NULL)
            held_drop(world, held);
    }
}
