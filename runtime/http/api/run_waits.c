/* What a run waits for, as its view and "why" show it. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/name.h"
#include "engine/waits/wait.h"
#include "http/api/run_view.h"

static const char *const part_words[] = { [PART_TOKEN] = "token",
                                          [PART_RUN] = "run",
                                          [PART_TIME] = "time",
                                          [PART_MESSAGE] = "message",
                                          [PART_GROUP] = "group" };

static const char *token_word(const struct waitpoint *token)
{
    static const char *const names[] = { "WAITING", "COMPLETED", "TIMED_OUT", "CANCELED",
                                         "ABORTED" };

    return token == NULL || token->status >= sizeof names / sizeof names[0]
               ? "UNKNOWN"
               : names[token->status];
}

/* Children that a run which has ended still waits for, some of them. */
static bool held_read(struct wait_view *view, struct reader *reader, struct arena *arena,
                      struct err *err)
{
    struct run_page children;

    if (!reader->ops->children(reader, arena, view->id, VIEW_CHILDREN, &children, err))
        return false;
    view->held_by = ARENA_ARRAY(arena, int64_t, VIEW_HOLDS);
    for (uint32_t i = 0; i < children.count && view->held_count < VIEW_HOLDS; i++)
        if ((children.rows[i]->choices & RUN_HOLDS) != 0 && !run_is_over(children.rows[i]))
            view->held_by[view->held_count++] = children.rows[i]->id;
    return true;
}

static bool wait_read_one(struct wait_view *view, bool is_token, int64_t id,
                          struct reader *reader, struct arena *arena, struct err *err)
{
    struct row *row;
    struct run *run;

    view->id = id;
    view->type = part_words[is_token ? PART_TOKEN : PART_RUN];
    if (!is_token) {
        if (!reader->ops->run(reader, arena, 0, id, 0, &run, err))
            return false;
        view->prefix = "run";
        view->status = run == NULL ? "UNKNOWN" : run_status_word(run);
        view->is_over = run == NULL || run_is_over(run);
        return view->is_over || run->status != RUN_DONE || held_read(view, reader, arena, err);
    }
    /* A token, or a batch, which is waited for by a waitpoint of its own id. */
    if (!reader->ops->row(reader, arena, ROW_WAITPOINT, id, &row, err))
        return false;
    const struct waitpoint *token = (const struct waitpoint *)row;
    view->prefix = "waitpoint";
    if (token != NULL && token->kind == WAITPOINT_BATCH)
        view->type = view->prefix = "batch";
    view->status = token_word(token);
    view->is_over = token == NULL || token->status != WAITPOINT_PENDING;
    view->timeout_ms = token == NULL ? 0 : token_due_date(token);
    return true;
}

/* ---- groups ------------------------------------------------------------------------------ */

static bool part_read(struct run_view *view, const struct frame_part *part,
                      struct reader *reader, struct arena *arena, struct err *err)
{
    struct wait_view *shown = &view->waits[view->wait_count++];

    *shown = (struct wait_view){ .type = part_words[part->kind],
                                 .status = "WAITING",
                                 .name = part->name,
                                 .message = part->word,
                                 .of = part->of,
                                 .needed = part->needed };
    if (part->kind == PART_TOKEN || part->kind == PART_RUN)
        return wait_read_one(shown, part->kind == PART_TOKEN, part->id, reader, arena, err);
    shown->timeout_ms = part->kind == PART_TIME ? due_date(part->due_ms, part->is_span) : 0;
    shown->is_over = part->kind == PART_TIME && shown->timeout_ms <= clock_now_ms();
    if (part->kind == PART_MESSAGE)
        shown->is_over = part->id != 0;
    return true;
}

/* Inner groups stand behind those that they are in. What is not shown is not counted. */
static void groups_say(struct run_view *view)
{
    uint32_t ended[VIEW_WAITS + 1] = { 0 }, parts[VIEW_WAITS + 1] = { 0 };

    for (uint32_t i = view->wait_count; i > 0; i--) {
        struct wait_view *part = &view->waits[i - 1];
        part->parts = parts[i];
        part->come = ended[i];
        if (strcmp(part->type, "group") == 0)
            part->is_over = part->come >= part->needed;
        if (part->is_over && part->prefix == NULL)
            part->status = "COMPLETED";
        ended[part->of] += part->is_over;
        parts[part->of]++;
    }
    view->come = ended[0];
}

static bool group_read(struct run_view *view, const struct wait *wait, struct reader *reader,
                       struct arena *arena, struct err *err)
{
    const struct wait_group *group = wait->group;

    view->wait_total = group->count;
    view->needed = wait->needed;
    view->is_group = true;
    view->gives_up_ms = due_date(wait->due_ms, group->due_is_span);
    view->reminded = group->reminded;
    view->reminders = group->manner.reminder_count;
    view->waits = ARENA_ARRAY(arena, struct wait_view, VIEW_WAITS);
    for (uint32_t i = 0; i < group->count && i < VIEW_WAITS; i++)
        if (!part_read(view, &group->parts[i], reader, arena, err))
            return false;
    groups_say(view);
    view->reminds_ms = due_date(wait_reminds_ms(group), true);
    return true;
}

/* A run that has ended waits for these, as whoever waits for it does. */
static bool holds_read(struct run_view *view, struct reader *reader, struct arena *arena,
                       struct err *err)
{
    struct wait_view self = { .id = view->run->id };

    if (!held_read(&self, reader, arena, err))
        return false;
    view->waits = ARENA_ARRAY(arena, struct wait_view, VIEW_HOLDS);
    for (; view->wait_count < self.held_count; view->wait_count++)
        if (!wait_read_one(&view->waits[view->wait_count], false,
                           self.held_by[view->wait_count], reader, arena, err))
            return false;
    return true;
}

bool run_waits_read(struct run_view *view, struct reader *reader, struct arena *arena,
                    struct err *err)
{
    int64_t until_ms = due_date(view->run->due_ms, view->run->due_is_span);
    struct wait wait;

    if (view->run->status == RUN_DONE && !run_is_over(view->run) && !view->run->is_out)
        return holds_read(view, reader, arena, err);
    if (!wait_read(arena, view->run->wait, &wait) || view->run->status == RUN_DONE ||
        (view->run->status != RUN_WAITING && (wait.group == NULL || !wait.group->is_reminder)))
        return true; /* it waits for nothing, and goes back to no wait */
    view->wait_key = wait.key;
    for (size_t i = 0; i < view->wait_key.size; i++) /* its scope is not shown */
        if (wait.key.data[i] == *KEY_SCOPE_MARK)
            view->wait_key.size = i;
    if (wait.group != NULL)
        return group_read(view, &wait, reader, arena, err);
    view->wait_total = wait.kind == WAIT_FOR_TIME ? 1 : wait.count;
    view->wait_count = view->wait_total < VIEW_WAITS ? view->wait_total : VIEW_WAITS;
    view->needed = wait.kind == WAIT_FOR_TIME ? 1 : wait.needed;
    view->waits = ARENA_ARRAY(arena, struct wait_view, view->wait_count);
    if (wait.kind == WAIT_FOR_TIME) {
        view->waits[0] =
            (struct wait_view){ .type = "time", .status = "WAITING", .timeout_ms = until_ms };
        return true;
    }
    for (uint32_t i = 0; i < view->wait_count; i++) {
        if (!wait_read_one(&view->waits[i], wait_is_token(&wait, i), wait.ids[i], reader, arena,
                           err))
            return false;
        if (until_ms != 0) /* the wait gives up before the token does */
            view->waits[i].timeout_ms = until_ms;
        view->come += view->waits[i].is_over;
    }
    return true;
}

/* ---- in words ---------------------------------------------------------------------------- */

static uint32_t outermost(const struct run_view *view)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < view->wait_count; i++)
        count += view->waits[i].of == 0;
    return view->wait_total > view->wait_count ? view->wait_total : count;
}

void run_waits_say(struct run_view *view, struct arena *arena)
{
    const char *type = view->is_group          ? "thing"
                       : view->wait_count == 0 ? "time"
                                               : view->waits[0].type;
    uint32_t total = view->is_group ? outermost(view) : view->wait_total;

    view->hold.gate = "wait";
    view->hold.until_ms = view->gives_up_ms; /* of a group; else each thing tells it */
    view->hold.text =
        total == 1 && view->wait_count == 1 && view->waits[0].message.size > 0
            ? arena_format(arena, "it waits for message %.*s",
                           SLICE_ARG(view->waits[0].message))
        : total <= 1 && !view->is_group ? arena_format(arena, "it waits for a %s", type)
        : view->needed == total
            ? arena_format(arena, "it waits for %s%u %s%s", total > 1 ? "all of " : "", total,
                           type, total == 1 ? "" : "s")
            : arena_format(arena, "it waits for %u of %u %ss", view->needed, total, type);
    if (view->come > 0)
        view->hold.text =
            arena_format(arena, "%.*s, and %u %s come", SLICE_ARG(view->hold.text), view->come,
                         view->come == 1 ? "has" : "have");
    if (view->wait_key.size > 0)
        view->hold.text = arena_format(arena, "%.*s, once by the key \"%.*s\"",
                                       SLICE_ARG(view->hold.text), SLICE_ARG(view->wait_key));
}

void run_wait_head_write(struct out *out, const struct wait_view *wait)
{
    out_word(out, "type", wait->type);
    if (wait->name.size > 0)
        out_text(out, "name", wait->name);
    if (wait->message.size > 0)
        out_text(out, "message", wait->message);
    if (wait->prefix != NULL)
        out_id(out, "id", wait->prefix, wait->id);
    if (wait->of > 0)
        out_int(out, "in", wait->of - 1); /* the place of its group in this list */
    if (wait->needed > 0) {
        out_int(out, "needed", wait->needed);
        out_int(out, "parts", wait->parts);
        out_int(out, "come", wait->come);
    }
    out_word(out, "status", wait->status);
    if (wait->held_by == NULL)
        return;
    out_list(out, "heldByChildren");
    for (uint32_t i = 0; i < wait->held_count; i++)
        out_id(out, NULL, "run", wait->held_by[i]);
    out_end_list(out);
}

void run_reminders_write(struct out *out, const struct run_view *view)
{
    if (view->reminders == 0)
        return;
    out_int(out, "reminders", view->reminders);
    out_int(out, "reminded", view->reminded);
    out_time(out, "remindsAt", view->reminds_ms);
}

void run_waits_write(struct out *out, const struct run_view *view)
{
    out_list(out, "waitingFor");
    for (uint32_t i = 0; i < view->wait_count; i++) {
        out_map(out, NULL);
        run_wait_head_write(out, &view->waits[i]);
        if (!view->waits[i].is_over)
            out_time(out, "timeoutAt", view->waits[i].timeout_ms);
        out_end_map(out);
    }
    out_end_list(out);
    if (view->wait_total > 1 || view->is_group) {
        out_int(out, "waitingForCount", view->wait_total);
        out_int(out, "waitingForNeeded", view->needed);
    }
    if (view->wait_key.size > 0)
        out_text(out, "waitIdempotencyKey", view->wait_key);
    if (view->gives_up_ms != 0)
        out_time(out, "waitGivesUpAt", view->gives_up_ms);
    run_reminders_write(out, view);
}
