/*
 * Somebody acts on what a run waits for. Each act is a line of the run's timeline.
 *
 *   complete ─▶ one part has its answer, or its time has come; of a time alone, as skip
 *   timeout ──▶ the wait gives up now
 *   skip ─────▶ the wait is over now, whatever has not come
 *   move ─────▶ its time, or that of one part, is another
 */
#include "base/id.h"
#include "engine/commands/token_act.h"
#include "engine/waits/cycle.h"

static bool refuse(struct command *command, const char *text)
{
    return err_set(&command->err, ERR_NOT_NOW, "%s", text);
}

/* Between a reminder's coming due and its segment's end. */
static bool is_reminded(const struct run *run, const struct wait *wait)
{
    return run->status != RUN_DONE && run->status != RUN_WAITING && wait != NULL &&
           wait->group != NULL && wait->group->is_reminder;
}

/* What it waits for; NULL with the command's err set. */
static struct wait *wait_open(struct batch *batch, struct command *command, struct run *run)
{
    struct wait *wait = run != NULL ? run_wait(batch, run) : NULL;

    if (run == NULL || run->environment != command->token_complete.environment)
        err_set(&command->err, ERR_NOT_FOUND, "Run not found");
    else if (is_reminded(run, wait))
        refuse(command,
               run->status == RUN_RUNNING
                   ? "A reminder of the run's wait is under way; try again when its "
                     "segment has ended"
                   : "A reminder of the run's wait is to come first; try again when its "
                     "segment has ended");
    else if (wait == NULL || run->status != RUN_WAITING)
        refuse(command, run->status == RUN_DONE
                            ? "The run is done; it waits for nothing"
                            : "The run does not wait for anything just now");
    else if (wait->group != NULL && wait->group->is_over)
        refuse(command, "The run's wait is over already: what is left of it is being canceled");
    else
        return wait;
    return NULL;
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool whole_is_over(struct batch *batch, const struct wait *wait, bool *is_over)
{
    struct slice left;

    *is_over = false;
    if (wait->kind == WAIT_FOR_TIME)
        return true;
    return wait->group != NULL ? group_look(batch, wait, &left, is_over)
                               : wait_is_over(batch, wait, is_over);
}

static bool key_load(struct batch *batch, const struct run *run, const struct wait *wait)
{
    return wait_key_load(batch, run, wait->key, wait->key_global);
}

static bool whole_end(struct batch *batch, struct command *command, struct run *run,
                      struct wait *wait)
{
    bool gives_up = command->kind == COMMAND_WAIT_TIMEOUT, is_over;

    if (gives_up && wait->kind == WAIT_FOR_TIME)
        return refuse(command, "The run waits for a time only, and cannot give that up; skip "
                               "the wait, or move it") ||
               true;
    if (!whole_is_over(batch, wait, &is_over) || !key_load(batch, run, wait))
        return false;
    if (is_over) /* its turn has not come: there is a crowd */
        return refuse(command,
                      "What the run waits for is over already: it goes on by itself") ||
               true;
    bool completes = command->kind == COMMAND_WAIT_COMPLETE;
    run_note(batch, run,
             act_text(batch, command,
                      gives_up    ? "wait timed out"
                      : completes ? "wait completed"
                                  : "wait skipped"));
    wait_key_over(batch, run, wait, !gives_up);
    wait->gave_up = gives_up;
    if (!gives_up && wait->group == NULL && wait->kind != WAIT_FOR_TIME)
        wait->needed = 0;      /* nothing more: it has ended well */
    run_drop_wait(batch, run); /* it may be linked to what has not ended */
    wait_end(batch, run, wait,
             gives_up    ? SLICE("gave up waiting")
             : completes ? SLICE("its wait was completed")
                         : SLICE("its wait was skipped"));
    command->token_complete.won = true;
    return true;
}

/* A group is looked at again: it may be over by that. */
static bool changed(struct batch *batch, struct run *run, const struct wait *wait)
{
    run->wait = wait_pack(batch->arena, wait);
    return wait->group == NULL || wait_due(batch, run);
}

/* Who has no patience to give up may be part of a cycle. False: more rows are needed; else
 * command->err says so. */
static bool move_ask(struct batch *batch, struct command *command, const struct run *run,
                     const struct wait *wait)
{
    struct wait patient = *wait;

    if (!wait_cycle_load_again(batch, run, wait))
        return false;
    patient.due_ms = 0;
    struct slice cycle = wait_cycle(batch, run, &patient);
    if (cycle.size > 0)
        err_set(&command->err, ERR_RULE, "timeout: %.*s", SLICE_ARG(cycle));
    return true;
}

static bool whole_move(struct batch *batch, struct command *command, struct run *run,
                       struct wait *wait)
{
    const struct token_complete *act = &command->token_complete;
    struct deadline due = batch_deadline(batch, act->date_ms, act->span_ms);

    if (wait->kind == WAIT_FOR_TIME && due.due_ms == 0)
        return err_set(
                   &command->err, ERR_RULE,
                   "timeout: the run waits for a time, which must come: \"never\" is none") ||
               true;
    if ((wait->group != NULL && !wait_due_load(batch, run)) || !key_load(batch, run, wait) ||
        (due.due_ms == 0 && !move_ask(batch, command, run, wait)))
        return false;
    if (command->err.code != ERR_OK)
        return true;
    run_note(
        batch, run,
        act_text(batch, command,
                 arena_format(batch->arena, "wait %.*s", SLICE_ARG(move_text(batch, command)))
                     .data));
    wait_key_move(batch, run, wait, due);
    wait->due_ms = due.due_ms;
    if (wait->group != NULL)
        wait->group->due_is_span = due.is_span;
    run->due_ms = due.due_ms;
    run->due_is_span = due.is_span;
    command->token_complete.won = true;
    return changed(batch, run, wait);
}

/* ---- a part ------------------------------------------------------------------------------ */

static bool id_is(struct slice text, const char *prefix, int64_t id)
{
    int64_t named;

    return id_parse(prefix, text, &named) && named == id;
}

static bool is_named(const struct frame_part *part, struct slice name)
{
    return (part->name.size > 0 && slice_equal(part->name, name)) ||
           (part->kind == PART_MESSAGE && slice_equal(part->word, name)) ||
           (part->kind == PART_TOKEN && id_is(name, "waitpoint", part->id)) ||
           (part->kind == PART_TOKEN && id_is(name, "batch", part->id)) ||
           (part->kind == PART_RUN && id_is(name, "run", part->id));
}

/* Some of the names that there are. */
static const char *names_of(struct batch *batch, const struct wait_group *group)
{
    enum { NAMES = 8 };
    struct slice text = SLICE("");
    uint32_t shown = 0;

    for (uint32_t i = 0; i < group->count && shown < NAMES; i++)
        if (group->parts[i].name.size > 0)
            text = arena_format(batch->arena, "%.*s%s\"%.*s\"", SLICE_ARG(text),
                                shown++ > 0 ? ", " : "; its parts are ",
                                SLICE_ARG(group->parts[i].name));
    return arena_text(batch->arena, text);
}

/* The part of the group that the command names; NULL with its err set. */
static struct frame_part *part_find(struct batch *batch, struct command *command,
                                    const struct wait_group *group)
{
    struct slice name = command->token_complete.part;

    for (uint32_t i = 0; i < group->count; i++)
        if (name.size > 0 ? is_named(&group->parts[i], name) : group->count == 1)
            return &group->parts[i];
    if (name.size > 0)
        err_set(&command->err, ERR_RULE, "part: the run waits for no \"%.*s\"%s",
                SLICE_ARG(name), names_of(batch, group));
    else
        err_set(&command->err, ERR_RULE, "part is missing: the run waits for %u things%s",
                group->count, names_of(batch, group));
    return NULL;
}

/* A batch ends with its runs, and with nothing else. */
static void refuse_batch(struct command *command, int64_t id)
{
    char text[ID_TEXT_SIZE];

    err_set(&command->err, ERR_NOT_NOW,
            "The run waits for batch %s, which ends with its runs: cancel those that are left "
            "(`bide batches items`), or skip the wait",
            id_format("batch", id, text));
}

static bool token_of_wait(struct batch *batch, struct command *command, struct run *run,
                          int64_t id, struct slice name)
{
    char text[ID_TEXT_SIZE];
    bool is_move = command->kind == COMMAND_WAIT_MOVE;
    struct waitpoint *token;

    if (!rows_waitpoint(&batch->rows, id, &token))
        return false;
    if (token != NULL && token->kind == WAITPOINT_BATCH) {
        refuse_batch(command, id);
        return true;
    }
    if (!token_act(batch, command, id))
        return false;
    if (!command->token_complete.won)
        return true;
    struct slice what = arena_format(
        batch->arena, "\"%.*s\" %.*s",
        SLICE_ARG(name.size > 0 ? name : slice_of(id_format("waitpoint", id, text))),
        SLICE_ARG(is_move ? move_text(batch, command) : SLICE("completed")));
    run_note(batch, run, act_text(batch, command, what.data));
    return true;
}

static bool time_of_group(struct batch *batch, struct command *command, struct run *run,
                          struct wait *wait, struct frame_part *part)
{
    struct token_complete *act = &command->token_complete;
    bool is_move = command->kind == COMMAND_WAIT_MOVE;
    struct deadline due = batch_deadline(batch, act->date_ms, act->span_ms);

    if (is_move && due.due_ms == 0)
        return err_set(&command->err, ERR_RULE,
                       "timeout: \"%.*s\" is a time, which must come: \"never\" is none",
                       SLICE_ARG(act->part)) ||
               true;
    if (!is_move && act->data.size > 0)
        return err_set(&command->err, ERR_RULE,
                       "data: \"%.*s\" is a time, which has come without any",
                       SLICE_ARG(part->name)) ||
               true;
    if (!wait_due_load(batch, run) || !key_load(batch, run, wait))
        return false;
    if (part->due_ms == 0 || batch_is_over(batch, part->due_ms, part->is_span))
        return true; /* it has come */
    struct slice what =
        arena_format(batch->arena, "\"%.*s\" %.*s", SLICE_ARG(part->name),
                     SLICE_ARG(is_move ? move_text(batch, command) : SLICE("completed")));
    run_note(batch, run, act_text(batch, command, what.data));
    part->due_ms = is_move ? due.due_ms : 0; /* 0: it has come */
    part->is_span = due.is_span;
    act->won = true;
    if (!changed(batch, run, wait))
        return false;
    if (!is_move && (run->status != RUN_WAITING || run_wait(batch, run)->group->is_over))
        wait_key_over(batch, run, wait, true); /* by that */
    return true;
}

static void refuse_message(struct batch *batch, struct command *command, const struct run *run,
                           const struct frame_part *part)
{
    char id[ID_TEXT_SIZE];
    struct slice name = part->name.size == 0 ? SLICE("")
                                             : arena_format(batch->arena, "part \"%.*s\" of ",
                                                            SLICE_ARG(part->name));

    err_set(&command->err, ERR_NOT_NOW,
            "%.*sthe run waits for message %.*s: send it one (`bide runs send %s %.*s "
            "--payload JSON`), or skip the wait",
            SLICE_ARG(name), SLICE_ARG(part->word), id_format("run", run->id, id),
            SLICE_ARG(part->word));
}

static bool part_act(struct batch *batch, struct command *command, struct run *run,
                     struct wait *wait)
{
    struct frame_part *part = part_find(batch, command, wait->group);

    if (part == NULL)
        return true;
    if (part->kind == PART_TOKEN)
        return token_of_wait(batch, command, run, part->id, part->name);
    if (part->kind == PART_TIME)
        return time_of_group(batch, command, run, wait, part);
    if (part->kind == PART_MESSAGE)
        refuse_message(batch, command, run, part);
    else
        err_set(&command->err, ERR_NOT_NOW, "part: \"%.*s\" is a %s", SLICE_ARG(part->name),
                part->kind == PART_RUN ? "run: it ends by itself, or is canceled"
                                       : "group: name one of its parts");
    return true;
}

/* Nothing else can be meant. */
static bool only_time_act(struct batch *batch, struct command *command, struct run *run,
                          struct wait *wait)
{
    const struct token_complete *act = &command->token_complete;

    if (act->part.size > 0)
        err_set(&command->err, ERR_RULE,
                "part: the run waits for a time alone, which has no name");
    else if (act->data.size > 0)
        err_set(&command->err, ERR_RULE, "data: the run waits for a time, which has none");
    else
        return whole_end(batch, command, run, wait);
    return true;
}

/* Of a plain wait. */
static bool one_act(struct batch *batch, struct command *command, struct run *run,
                    struct wait *wait)
{
    struct slice name = command->token_complete.part;

    if (wait->kind == WAIT_FOR_TIME)
        return only_time_act(batch, command, run, wait);

    for (uint32_t i = 0; i < wait->count; i++) {
        if (wait->kind != WAIT_FOR_TOKEN ||
            (name.size > 0 ? !id_is(name, "waitpoint", wait->ids[i]) &&
                                 !id_is(name, "batch", wait->ids[i])
                           : wait->count > 1))
            continue;
        return token_of_wait(batch, command, run, wait->ids[i], (struct slice){ 0 });
    }
    if (wait->kind != WAIT_FOR_TOKEN)
        refuse(command, "The run waits for runs, which end by themselves: skip the wait, or "
                        "cancel them");
    else if (name.size > 0)
        err_set(&command->err, ERR_RULE, "part: the run waits for no \"%.*s\"",
                SLICE_ARG(name));
    else
        err_set(&command->err, ERR_RULE,
                "part is missing: the run waits for %u tokens, and one is to be named",
                wait->count);
    return true;
}

bool wait_act_decide(struct batch *batch, struct command *command)
{
    const struct token_complete *act = &command->token_complete;
    struct run *run;

    if (!rows_run(&batch->rows, act->id, 0, &run))
        return false;
    if (run != NULL && run->environment == act->environment && run->status != RUN_RUNNING &&
        is_reminded(run, run_wait(batch, run)) && !wait_again(batch, run))
        return false;
    struct wait *wait = wait_open(batch, command, run);
    if (wait == NULL)
        return true;
    if (command->kind == COMMAND_WAIT_TIMEOUT || command->kind == COMMAND_WAIT_SKIP)
        return whole_end(batch, command, run, wait);
    if (command->kind == COMMAND_WAIT_MOVE && act->part.size == 0)
        return whole_move(batch, command, run, wait);
    return wait->group != NULL ? part_act(batch, command, run, wait)
                               : one_act(batch, command, run, wait);
}
