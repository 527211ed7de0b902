#include "run_view.h"

#include "base/crypto.h"
#include "base/duration.h"
#include "codec/pack.h"
#include "config/schedule_rules.h"
#include "engine/timeline.h"
#include "http/api/attempts.h"
#include "http/api/redact.h"

/* ---- the contract's words ---------------------------------------------------------------- */

static const struct {
    const char *word;
    uint32_t status, outcome;
} words[] = {
    { "DELAYED", RUN_DELAYED, OUTCOME_NONE },
    { "QUEUED", RUN_QUEUED, OUTCOME_NONE },
    { "PENDING_VERSION", RUN_PARKED, OUTCOME_NONE },
    { "EXECUTING", RUN_RUNNING, OUTCOME_NONE },
    { "WAITING", RUN_WAITING, OUTCOME_NONE },
    { "COMPLETED", RUN_DONE, OUTCOME_COMPLETED },
    { "FAILED", RUN_DONE, OUTCOME_FAILED },
    { "CRASHED", RUN_DONE, OUTCOME_CRASHED },
    { "TIMED_OUT", RUN_DONE, OUTCOME_TIMED_OUT },
    { "CANCELED", RUN_DONE, OUTCOME_CANCELED },
    { "EXPIRED", RUN_DONE, OUTCOME_EXPIRED },
    { "SYSTEM_FAILURE", RUN_DONE, OUTCOME_SYSTEM_FAILURE },
    { "DEQUEUED", RUN_DONE, OUTCOME_COUNT },
    { "PAUSED", RUN_DELAYED, OUTCOME_GIVEN_UP },
    { "DEAD_LETTER", RUN_DONE, OUTCOME_GIVEN_UP },
};

enum { WORD_COUNT = sizeof words / sizeof words[0] };

static const char *word_of(uint32_t status, uint32_t outcome)
{
    for (uint32_t i = 0; i < WORD_COUNT; i++)
        if (words[i].status == status && ((outcome != OUTCOME_GIVEN_UP && status != RUN_DONE) ||
                                          words[i].outcome == outcome))
            return words[i].word;
    return "SYSTEM_FAILURE"; /* a row from a version that knows more outcomes */
}

const char *run_status_word(const struct run *run)
{
    return word_of(run->status, run_is_paused(run) ? OUTCOME_GIVEN_UP : run->outcome);
}

const char *run_wanted_word(uint32_t status, uint32_t outcome)
{
    return word_of(status, outcome);
}

bool run_status_find(struct slice word, uint32_t *status, uint32_t *outcome)
{
    for (uint32_t i = 0; i < WORD_COUNT; i++)
        if (slice_is(word, words[i].word)) {
            *status = words[i].status;
            *outcome = words[i].outcome;
            return true;
        }
    return false;
}

/* ---- parts of a run ---------------------------------------------------------------------- */

static void write_status(struct out *out, const struct run *run)
{
    bool done = run->status == RUN_DONE;
    bool success = done && run->outcome == OUTCOME_COMPLETED;

    out_word(out, "status", run_status_word(run));
    out_bool(out, "isQueued",
             run->status == RUN_QUEUED || run->status == RUN_DELAYED ||
                 run->status == RUN_PARKED);
    out_bool(out, "isExecuting", run->status == RUN_RUNNING);
    out_bool(out, "isWaiting", run->status == RUN_WAITING);
    out_bool(out, "isCompleted", done);
    out_bool(out, "isSuccess", success);
    out_bool(out, "isFailed", done && !success);
    out_bool(out, "isCancelled", done && run->outcome == OUTCOME_CANCELED);
    if (run->is_dead)
        out_bool(out, "isDeadLetter", true);
}

static void write_times(struct out *out, const struct run *run)
{
    char text[DURATION_TEXT_SIZE];

    out_time(out, "createdAt", run->created_ms);
    out_time(out, "updatedAt", run->updated_ms);
    out_time(out, "startedAt", run->started_ms);
    out_time(out, "finishedAt", run->finished_ms);
    if (run->status == RUN_DELAYED && !run_is_paused(run))
        out_time(out, "delayedUntil", due_date(run->due_ms, run->due_is_span));
    if (run->ttl_ms != 0)
        out_word(out, "ttl", duration_format(run->ttl_ms, text));
    if (run->status == RUN_DONE && run->outcome == OUTCOME_EXPIRED)
        out_time(out, "expiredAt", run->finished_ms);
}

/* What a list, a related run and the whole object have in common. */
static void write_core(struct out *out, const struct run *run)
{
    out_id(out, "id", "run", run->id);
    write_status(out, run);
    out_text(out, "taskIdentifier", run->task);
    out_bool(out, "isTest", run->is_test);
    write_times(out, run);
    if (run->tags.size > 0) {
        out_packed(out, "tags", run->tags);
    } else {
        out_list(out, "tags");
        out_end_list(out);
    }
    out_int(out, "costInCents", 0);
    out_int(out, "baseCostInCents", 0);
    out_int(out, "durationMs", run->busy_us / 1000);
    if (run->key.size > 0 && run->key_text.size > 0) /* it was not reset */
        out_text(out, "idempotencyKey", run->key_text);
    if (run->version.size > 0)
        out_text(out, "version", run->version);
    if (run->metadata.size > 0)
        out_packed(out, "metadata", run->metadata);
    out_int(out, "attemptCount", run->attempt);
}

void run_item_write(struct out *out, const char *key, const struct run *run,
                    const char *environment)
{
    out_map(out, key);
    write_core(out, run);
    out_map(out, "env");
    out_word(out, "id", environment);
    out_word(out, "name", environment);
    out_end_map(out);
    out_int(out, "attempt", run->attempt);
    out_int(out, "progress", run->progress);
    if (run->segment.size > 0)
        out_text(out, "segment", run->segment);
    out_end_map(out);
}

static void write_related(struct out *out, const char *key, const struct run *run)
{
    out_map(out, key);
    write_core(out, run);
    out_int(out, "depth", run->depth);
    out_word(out, "triggerFunction", run->needs_parent ? "triggerAndWait" : "trigger");
    out_end_map(out);
}

/* {name, message, stack, …} as the contract calls it; other members go along. */
static void write_error(struct out *out, struct arena *arena, struct slice packed)
{
    struct value error, shown = value_map();

    if (packed.size == 0 || !pack_read(arena, packed, &error, NULL) ||
        value_find(&error, "name") == NULL)
        return; /* none, or of earlier attempts only */
    if (value_find(&error, "message") == NULL)
        value_put(arena, &shown, "message", value_text(""));
    for (uint32_t i = 0; i < error.count; i++) {
        const struct member *member = &error.members[i];
        if (slice_is(member->key, "earlier") || slice_is(member->key, "outcome") ||
            slice_is(member->key, "at"))
            continue; /* for the attempts */
        if (slice_is(member->key, "stack"))
            value_put(arena, &shown, "stackTrace", member->value);
        else if (member->value.kind != VALUE_NULL)
            value_put_slice(arena, &shown, member->key, member->value);
    }
    out_value(out, "error", &shown);
}

static void write_timeline(struct out *out, struct arena *arena, const struct run *run)
{
    struct move *moves;
    uint32_t count = timeline_read(arena, run, &moves);

    out_list(out, "timeline");
    for (uint32_t i = 0; i < count; i++) {
        out_map(out, NULL);
        out_time(out, "at", moves[i].at_ms);
        out_word(out, "status", word_of(moves[i].status, moves[i].outcome));
        if (moves[i].text.size > 0)
            out_text(out, "text", moves[i].text);
        out_end_map(out);
    }
    out_end_list(out);
}

void schedule_generator_write(struct out *out, struct slice cron)
{
    out_map(out, "generator");
    out_word(out, "type", "CRON");
    out_text(out, "expression", cron);
    out_text(out, "description", cron);
    out_end_map(out);
}

/* Whose run it is; `schedule` may be NULL: it was deleted. */
static void write_schedule(struct out *out, struct arena *arena, const struct run *run,
                           const struct schedule *schedule)
{
    struct schedule_rules rules;

    if (run->schedule == 0)
        return;
    if (schedule == NULL || !schedule_rules_unpack(arena, schedule->rules, &rules))
        rules = schedule_rules_standard();
    out_map(out, "schedule");
    out_id(out, "id", "sched", run->schedule);
    if (rules.external_id.size > 0)
        out_text(out, "externalId", rules.external_id);
    if (schedule != NULL)
        out_text(out, "deduplicationKey", schedule->name);
    schedule_generator_write(out, rules.cron);
    out_bool(out, "isBackfill", run->is_backfill);
    out_end_map(out);
}

/* ---- the whole object -------------------------------------------------------------------- */

bool run_view_read(struct run_view *view, struct pool_reader *reader, struct arena *arena,
                   struct err *err)
{
    const struct run *run = view->run;
    const struct reader_ops *ops = reader->reader->ops;
    struct run *parent = NULL, *root = NULL;
    struct row *schedule = NULL;
    struct move *moves;

    if (!read_pool_queue_name(reader, run->queue, &view->queue, err) ||
        !run_waits_read(view, reader->reader, arena, err) ||
        !ops->children(reader->reader, arena, run->id, VIEW_CHILDREN, &view->children, err))
        return false;
    if (run->parent_id != 0 &&
        (!ops->run(reader->reader, arena, run->environment, run->parent_id, 0, &parent, err) ||
         !ops->run(reader->reader, arena, run->environment, run->root_id, 0, &root, err)))
        return false;
    if (run->schedule != 0 &&
        !ops->row(reader->reader, arena, ROW_SCHEDULE, run->schedule, &schedule, err))
        return false;
    view->schedule = (struct schedule *)schedule;
    view->parent = parent;
    view->root = root;
    if (run->status == RUN_PARKED) {
        uint32_t count = timeline_read(arena, run, &moves);
        if (count > 0)
            view->parked = moves[count - 1].text;
        view->hold.gate = "plugin";
        view->hold.text = view->parked;
    } else if (run_is_paused(run)) {
        view->hold.gate = "attempts";
        view->hold.text =
            SLICE("its attempts are used up; it is paused until somebody lets it go on");
        return true;
    } else if (run->status == RUN_WAITING) {
        run_waits_say(view, arena);
    }
    return (run->status != RUN_QUEUED && run->status != RUN_DELAYED) ||
           hold_read(&view->hold, run, view->queue, view->catalog, reader->reader, arena, err);
}

static void write_relatives(struct out *out, const struct run_view *view)
{
    out_map(out, "relatedRuns");
    if (view->root != NULL)
        write_related(out, "root", view->root);
    if (view->parent != NULL)
        write_related(out, "parent", view->parent);
    out_list(out, "children");
    for (uint32_t i = 0; i < view->children.count; i++)
        write_related(out, NULL, view->children.rows[i]);
    out_end_list(out);
    out_end_map(out);
}

static void write_hash(struct out *out, const char *key, struct slice hash)
{
    char text[2 * SCHEMA_KEPT_BYTES + 1];

    if (hash.size == SCHEMA_KEPT_BYTES)
        out_word(out, key, crypto_hex((const uint8_t *)hash.data, hash.size, text));
}

/* The schema file that the payload was checked against, and the one that the run is under now
 * when that is another. */
static void write_schema(struct out *out, const struct run *run)
{
    write_hash(out, "schema", run->schema);
    if (run->schema_now.size > 0)
        write_hash(out, "schemaNow", run->schema_now);
}

/* What becomes of it when its parent is canceled or takes too long; and of a parent, whether
 * its end is kept from those who wait for it. */
static void write_family(struct out *out, const struct run *run)
{
    if (run->parent_id != 0)
        out_word(out, "onParentEnd",
                 (run->choices & RUN_HOLDS) != 0     ? "wait"
                 : (run->choices & RUN_GOES_ON) != 0 ? "abandon"
                                                     : "cancel");
    if (run->status == RUN_DONE && run->remaining > 0)
        out_bool(out, "waitsForChildren", true);
}

/* Other triggers were made one with it, or may still be. */
static void joins_write(struct out *out, const struct run *run)
{
    bool is_open = run->bounce_ms != 0 && run_awaits_start(run);

    if (run->collected > 0)
        out_int(out, "collected", run->collected);
    if (is_open)
        out_time(out, run->collected > 0 ? "collectsUntil" : "debouncedUntil",
                 due_date(run->bounce_ms, true));
    if (run->bounce_key.size > 0) {
        out_text(out, "debounceKey", run->bounce_key);
        out_int(out, "pushedBack", run->bounces);
    }
}

/* Beyond the contract: what people ask when a run does not do what they think it does. */
static void write_extras(struct out *out, struct arena *arena, const struct run_view *view)
{
    const struct run *run = view->run;

    if (view->queue.size > 0)
        out_text(out, "queue", view->queue);
    if (run->concurrency_key.size > 0)
        out_text(out, "concurrencyKey", run->concurrency_key);
    if (run->tenant.size > 0)
        out_text(out, "tenant", run->tenant);
    if (run->batch != 0)
        out_id(out, "batchId", "batch", run->batch);
    if (run->bulk != 0)
        out_id(out, "bulkActionId", "bulk", run->bulk);
    joins_write(out, run);
    if (run->replayed != 0)
        out_id(out, "replayOf", "run", run->replayed);
    out_double(out, "priority", (double)run->priority_ms / 1000);
    out_int(out, "attempt", run->attempt);
    out_int(out, "maxAttempts", attempts_most(view->catalog, run, view->queue));
    out_int(out, "failedTries", run->tries);
    run_limits_write(out, run);
    out_int(out, "progress", run->progress);
    if (run->segment.size > 0)
        out_text(out, "segment", run->segment);
    if (run->build.size > 0)
        out_text(out, "build", run->build);
    write_schema(out, run);
    write_family(out, run);
    ending_write(out, arena, run);
    hold_write(out, &view->hold);
    if (view->parked.size > 0)
        out_text(out, "parkedReason", view->parked);
    if (run->status == RUN_WAITING || (run->status != RUN_DONE && view->wait_count > 0))
        run_waits_write(out, view); /* also while it is reminded */
    if (run->status == RUN_WAITING || run_is_paused(run) || run->state.size > 0)
        redact_out_state(out, "state", view->catalog, arena, run);
    write_timeline(out, arena, run);
}

void run_view_write(struct out *out, struct arena *arena, const struct run_view *view,
                    const char *environment)
{
    const struct run *run = view->run;
    struct redaction payload = redact_payload(view->catalog, run);
    struct redaction output = redact_output(view->catalog, run);

    out_map(out, NULL);
    write_core(out, run);
    out_int(out, "depth", run->depth);
    out_word(out, "triggerFunction", run->needs_parent ? "triggerAndWait" : "trigger");
    write_schedule(out, arena, run, view->schedule);
    attempts_write(out, arena, run);
    if (run->input.size > 0)
        redact_out(out, "payload", &payload, arena, run->input);
    if (run->status == RUN_DONE && run->outcome == OUTCOME_COMPLETED)
        redact_out(out, "output", &output, arena, run->output);
    write_error(out, arena, run->error);
    write_relatives(out, view);
    out_word(out, "environment", environment);
    write_extras(out, arena, view);
    out_end_map(out);
}
