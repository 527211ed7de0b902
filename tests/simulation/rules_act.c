/* Acts by hand on what runs wait for: each is heard or refused for a reason, and told. */
#include "base/duration.h"
#include "base/id.h"
#include "model.h"
#include "waits.h"

static void flaw(const struct look *look, const struct command *command, const char *what)
{
    world_flaw(look->world, "run %lld, act %d: %s (%s)", (long long)command->token_complete.id,
               (int)command->kind, what, command->err.text);
}

static bool is_part_act(const struct command *command)
{
    return command->kind == COMMAND_WAIT_COMPLETE ||
           (command->kind == COMMAND_WAIT_MOVE && command->token_complete.part.size > 0);
}

static const struct frame_part *part_meant(const struct wait *wait, struct slice name)
{
    for (uint32_t i = 0; wait->group != NULL && i < wait->group->count; i++) {
        const struct frame_part *part = &wait->group->parts[i];
        if (name.size > 0 ? slice_equal(part->name, name) : wait->group->count == 1)
            return part;
    }
    return NULL;
}

/* The token that the act is about; 0: it is about something else. */
static int64_t token_meant(const struct wait *wait, struct slice name)
{
    int64_t id = 0;

    if (id_parse("waitpoint", name, &id))
        return id;
    if (wait->group == NULL)
        return wait->kind == WAIT_FOR_TOKEN && wait->count == 1 ? wait->ids[0] : 0;
    const struct frame_part *part = part_meant(wait, name);
    return part != NULL && part->kind == PART_TOKEN ? part->id : 0;
}

/* What it does to a token is what would have been done to it without the run. */
static void part_take(const struct look *look, const struct command *command,
                      const struct wait *wait)
{
    struct command same = *command;

    const struct frame_part *part = part_meant(wait, command->token_complete.part);
    bool is_thing = part == NULL || part->kind == PART_TOKEN || part->kind == PART_TIME;

    same.token_complete.id = token_meant(wait, command->token_complete.part);
    if (!is_thing && same.token_complete.id == 0)
        flaw(look, command, "a run, a group or a message was answered by hand");
    if (same.token_complete.id == 0)
        return;
    if (same.token_complete.data.size == 0)
        same.token_complete.data = SLICE("\xc0");
    rule_token_complete(look, &same);
}

enum { ACT_REFUSED = 1 << 16 }; /* beside the kinds */

/* Its reminder did in this batch, before the act was taken or refused. */
static bool gave_way(const struct shadow *shadow, const struct run *run)
{
    struct arena arena = { 0 };
    struct move *before, *moves;
    uint32_t old = timeline_read(&arena, shadow->was, &before);
    uint32_t count = timeline_read(&arena, run, &moves);
    bool gave = false;

    /* A timeline that is full loses its middle. */
    for (uint32_t i = old < count ? old : count - 4; i < count && run->seq != shadow->was->seq;
         i++)
        gave |= slice_starts(moves[i].text, "its reminder has not begun");
    arena_finish(&arena);
    return gave;
}

static void heard_take(const struct look *look, const struct command *command,
                       struct shadow *shadow, const struct wait *wait)
{
    if (!gave_way(shadow, run_now(look, command->token_complete.id)) &&
        ((shadow->was->status != RUN_WAITING && shadow->end == NULL) ||
         (wait->group != NULL && wait->group->is_over)))
        flaw(look, command, "it was heard, and the run did not wait");
    rule_wait_key_acted(look, command, wait);
    shadow->extra_moves++; /* it stands in the timeline */
    enum command_kind kind = command->kind;
    if (kind == COMMAND_WAIT_COMPLETE && wait->kind == WAIT_FOR_TIME)
        kind = COMMAND_WAIT_SKIP; /* which is all that it can mean */
    shadow->acts |= 1u << (kind - COMMAND_WAIT_COMPLETE);
    if (command->kind == COMMAND_WAIT_MOVE && !is_part_act(command))
        shadow->moved = &command->token_complete;
}

/* What is left of the group is being canceled, and rightly. */
static bool is_leaving(const struct look *look, const struct shadow *shadow,
                       const struct run *run)
{
    struct arena arena = { 0 };
    struct wait now;
    bool leaves = wait_read(&arena, run->wait, &now) && now.group != NULL &&
                  now.group->is_over &&
                  (shadow->acts != 0 || group_is_over(look, &now, true, INT64_MAX) ||
                   look_is_over(look, now.due_ms, now.group->due_is_span));

    arena_finish(&arena);
    return leaves;
}

/* It waits for something when the batch is over as it did before it: what was said to the whole
 * was to be heard. */
static void refused_look(const struct look *look, const struct command *command,
                         const struct shadow *shadow, const struct run *run,
                         const struct wait *wait)
{
    bool waits = shadow->was->status == RUN_WAITING && run->status == RUN_WAITING &&
                 shadow->was->seq == run->seq &&
                 (wait->group == NULL || !wait->group->is_over) &&
                 !is_leaving(look, shadow, run);

    if (!waits || is_part_act(command))
        return;
    if (command->kind == COMMAND_WAIT_SKIP && shadow->acts == 0 &&
        !rule_wait_had_come(look, wait))
        flaw(look, command, "it waits, and cannot be skipped");
    const struct token_complete *act = &command->token_complete;
    bool is_never = act->date_ms == 0 && act->span_ms == 0; /* it may be part of a cycle */
    if (command->kind == COMMAND_WAIT_MOVE && wait->kind != WAIT_FOR_TIME && !is_never)
        flaw(look, command, "it waits, and cannot be moved");
}

/* That it waits for, or for which its segment has ended just before. */
static bool wait_of(const struct shadow *shadow, struct arena *arena, struct wait *wait)
{
    const struct frame_end *end = shadow->end != NULL ? shadow->end->segment_end.end : NULL;

    if (end == NULL || end->verdict != VERDICT_WAIT)
        return wait_read(arena, shadow->was->wait, wait);
    *wait = (struct wait){ .kind = end->wait_kind };
    wait->count = wait_distinct(arena, end->ids, end->id_count, &wait->ids);
    if (end->wait_kind == WAIT_FOR_GROUP) {
        wait->group = ARENA_NEW(arena, struct wait_group);
        wait->group->parts = end->parts;
        wait->group->count = end->part_count;
    }
    return true;
}

void rule_wait_act(const struct look *look, const struct command *command)
{
    const struct token_complete *act = &command->token_complete;
    const struct run *run = run_now(look, act->id);
    struct shadow *shadow = shadow_of(look, act->id);
    struct arena arena = { 0 };
    struct wait wait;

    if (run == NULL || shadow == NULL || shadow->was == NULL)
        return; /* it went at the end of the batch, or was not there */
    if (run->environment != act->environment) {
        if (command->err.code != ERR_NOT_FOUND || act->won)
            flaw(look, command, "it is another environment's");
        return;
    }
    if (wait_of(shadow, &arena, &wait)) {
        if (is_part_act(command) && (act->won || command->err.code == ERR_OK))
            part_take(look, command, &wait);
        if (act->won)
            heard_take(look, command, shadow, &wait);
        else if (command->err.code != ERR_OK)
            refused_look(look, command, shadow, run, &wait);
        if (!act->won && gave_way(shadow, run))
            shadow->acts |= ACT_REFUSED;
    } else if (act->won) {
        flaw(look, command, "it was heard, and the run waits for nothing");
    }
    arena_finish(&arena);
}

bool rule_acted(const struct shadow *shadow, enum command_kind kind)
{
    return (shadow->acts & 1u << (kind - COMMAND_WAIT_COMPLETE)) != 0;
}

void rule_acted_row(const struct look *look, struct shadow *shadow, const struct run *run)
{
    struct arena arena = { 0 };
    struct wait wait;
    bool is_span, reads = wait_read(&arena, run->wait, &wait);
    bool has_begun = shadow->was->status == RUN_RUNNING;
    bool sleeps = run->status == RUN_WAITING &&
                  (shadow->was->seq == run->seq || (has_begun && shadow->moves == 1));
    bool is_over =
        rule_acted(shadow, COMMAND_WAIT_SKIP) || rule_acted(shadow, COMMAND_WAIT_TIMEOUT);

    if (shadow->was->status == RUN_QUEUED) /* not to its reminder any more */
        shadow->segment = rule_group_segment(look, run, shadow->segment);
    if (has_begun && (shadow->moves == 0 || shadow->path[0].status != RUN_WAITING))
        world_flaw(look->world, "run %lld was heard of, and has not waited",
                   (long long)run->id);
    if (sleeps && is_over && (!reads || wait.group == NULL || !wait.group->is_over))
        world_flaw(look->world, "run %lld was to go on, and sleeps", (long long)run->id);
    if (sleeps && !is_over && reads && shadow->moved != NULL &&
        (wait.group == NULL || !wait.group->is_over)) {
        int64_t due_ms =
            look_deadline(look, shadow->moved->date_ms, shadow->moved->span_ms, &is_span);
        if (wait.due_ms != due_ms ||
            (wait.group == NULL && (run->due_ms != due_ms || run->due_is_span != is_span)))
            world_flaw(look->world, "run %lld was moved to %lld, and waits until %lld",
                       (long long)run->id, (long long)due_ms, (long long)wait.due_ms);
    }
    arena_finish(&arena);
}
