#include "attempts.h"

#include "base/name.h"
#include "codec/pack.h"
#include "engine/timeline.h"
#include "http/api/run_view.h"

struct attempt {
    int64_t number, began_ms, ended_ms; /* 0: not known, or not yet */
    const char *status;
    const struct value *error;
};

struct history {
    struct move *moves;
    uint32_t count, at;
};

/* When it was first started after the one before had ended. */
static int64_t next_start(struct history *history, int64_t after_ms)
{
    for (; history->at < history->count; history->at++) {
        const struct move *move = &history->moves[history->at];
        if (move->status == RUN_RUNNING && move->at_ms >= after_ms)
            return history->moves[history->at++].at_ms;
    }
    return 0;
}

static int64_t number_of(const struct value *map, const char *key)
{
    const struct value *found = value_find(map, key);

    return found != NULL && found->kind == VALUE_INT ? found->integer : 0;
}

static void error_write(struct out *out, const struct value *error)
{
    static const char *const members[] = { "name", "message", "segment" };

    out_map(out, "error");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct value *found = value_find(error, members[i]);
        if (found != NULL && found->kind == VALUE_STRING)
            out_text(out, members[i], found->bytes);
    }
    out_end_map(out);
}

static void attempt_write(struct out *out, const struct attempt *attempt)
{
    out_map(out, NULL);
    out_int(out, "number", attempt->number);
    out_word(out, "status", attempt->status);
    out_time(out, "startedAt", attempt->began_ms);
    out_time(out, "finishedAt", attempt->ended_ms);
    if (attempt->error != NULL)
        error_write(out, attempt->error);
    out_end_map(out);
}

/* The time at which it ended. */
static int64_t failure_write(struct out *out, struct history *history, int64_t after_ms,
                             const struct value *error)
{
    struct run ended = { .status = RUN_DONE, .outcome = (uint32_t)number_of(error, "outcome") };
    struct attempt attempt = { .number = number_of(error, "attempt"),
                               .began_ms = next_start(history, after_ms),
                               .ended_ms = number_of(error, "at"),
                               .status = run_status_word(&ended),
                               .error = error };

    attempt_write(out, &attempt);
    return attempt.ended_ms;
}

/* The one that is under way, or ended otherwise than by an error. */
static void last_write(struct out *out, struct history *history, int64_t after_ms,
                       const struct run *run)
{
    struct attempt attempt = { .number = run->attempt,
                               .began_ms = next_start(history, after_ms),
                               .ended_ms = run->finished_ms,
                               .status = run_status_word(run) };

    if (attempt.began_ms != 0 || run->status == RUN_DONE)
        attempt_write(out, &attempt);
}

void attempts_write(struct out *out, struct arena *arena, const struct run *run)
{
    struct value error = value_map();
    struct history history = { .at = 0 };
    int64_t last = 0, after_ms = 0;

    out_list(out, "attempts");
    if (run->started_ms != 0) {
        history.count = timeline_read(arena, run, &history.moves);
        if (run->error.size > 0 && !pack_read(arena, run->error, &error, NULL))
            error = value_map();
        const struct value *earlier = value_find(&error, "earlier");
        for (uint32_t i = 0; earlier != NULL && i < earlier->count; i++) {
            last = number_of(&earlier->items[i], "attempt");
            after_ms = failure_write(out, &history, after_ms, &earlier->items[i]);
        }
        if (value_find(&error, "name") != NULL) {
            last = number_of(&error, "attempt");
            after_ms = failure_write(out, &history, after_ms, &error);
        }
        if (last != run->attempt)
            last_write(out, &history, after_ms, run);
    }
    out_end_list(out);
}

uint32_t attempts_most(const struct catalog *catalog, const struct run *run, struct slice queue)
{
    return catalog_retry(catalog, catalog_task(catalog, run->task), queue, run->max_attempts,
                         RETRY_USER)
        .attempts;
}

void run_limits_write(struct out *out, const struct run *run)
{
    if (run->max_attempts_total != 0)
        out_int(out, "maxAttemptsTotal", run->max_attempts_total);
    if (run->cpu_ms != 0)
        out_double(out, "cpuTime", (double)run->cpu_ms / 1000);
    if (run->total_ms != 0)
        out_double(out, "totalTime", (double)run->total_ms / 1000);
    if (run->total_end_ms != 0)
        out_time(out, "timesOutAt", due_date(run->total_end_ms, true));
}

/* ---- its ending -------------------------------------------------------------------------- */

static uint32_t list_count(struct arena *arena, struct slice packed)
{
    struct value list;

    return packed.size > 0 && pack_read(arena, packed, &list, NULL) && list.kind == VALUE_LIST
               ? list.count
               : 0;
}

static bool is_hook(const struct run *run)
{
    return run->segment.size > 0 && run->segment.data[0] == HOOK_MARK;
}

static const char *ending_word(const struct run *run)
{
    return run_status_word(&(struct run){ .status = RUN_DONE, .outcome = run->ending });
}

/* Executions in all: those that were, the one whose turn it is, and those to come. */
static uint32_t ending_total(struct arena *arena, const struct run *run)
{
    return (run->undo_number > 0 ? run->undo_number - 1 : 0) + list_count(arena, run->aborts) +
           (run->hooks != 0);
}

struct slice ending_text(struct arena *arena, const struct run *run)
{
    if (run->ending == OUTCOME_NONE)
        return (struct slice){ 0 };
    if (run->undo_number == 0)
        return arena_format(arena, "ending as %s: %s", ending_word(run),
                            run->status == RUN_RUNNING
                                ? "the segment that is out is to return first"
                                : "its children are canceled first");
    return arena_format(
        arena, "ending as %s: %s %.*s, %u of %u", ending_word(run),
        is_hook(run) ? "hook" : "compensation", (int)(run->segment.size - is_hook(run)),
        run->segment.data + is_hook(run), run->undo_number, ending_total(arena, run));
}

void ending_write(struct out *out, struct arena *arena, const struct run *run)
{
    if (run->aborts.size > 0)
        out_packed(out, "compensations", run->aborts);
    if (run->ending != OUTCOME_NONE) {
        out_map(out, "ending");
        out_word(out, "status", ending_word(run));
        out_text(out, "text", ending_text(arena, run));
        out_int(out, "number", run->undo_number);
        out_int(out, "of", ending_total(arena, run));
        out_int(out, "failedTries", run->undo_tries);
        out_end_map(out);
    }
    if (run->undo_errors.size > 0)
        out_packed(out, "undoErrors", run->undo_errors);
}
