/* The end of a segment: attempts are counted, retries come back in time, what it saved stays.
 */
#include "batches.h"
#include "codec/pack.h"
#include "model.h"

#include <math.h>

enum { HOUR_MS = 3600 * 1000, DEATH_BYTES = 8, DEATHS_MOST = 5, EARLIER_MOST = 10 };

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld (status %u, move %u): %s", (long long)run->id,
               run->status, run->seq, what);
}

/* ---- failures ---------------------------------------------------------------------------- */

/* Full jitter: no two failures of a crowd come back at one moment. Over all worlds, since one
 * has too few of them to tell; of first retries and of later ones. */
static void jitter_look(const struct look *look, const struct run *run, uint32_t attempt,
                        double cap, int64_t delay_ms)
{
    static struct {
        uint32_t count, low, high;
    } sums[2], *sum;
    enum { ENOUGH = 48, LEAST_MS = 50 };

    if (delay_ms < 0 || (double)delay_ms > cap)
        world_flaw(look->world,
                   "run %lld is to be tried again in %lld ms, at most %.0f are due",
                   (long long)run->id, (long long)delay_ms, cap);
    if (cap < LEAST_MS)
        return;
    sum = &sums[attempt > 1];
    sum->count++;
    sum->low += (double)delay_ms < cap / 3;
    sum->high += (double)delay_ms > cap * 2 / 3;
    if (sum->count < ENOUGH)
        return;
    if (sum->low == 0 || sum->high == 0)
        world_flaw(look->world,
                   "of %u pauses before a retry %u are short and %u long: that is no jitter",
                   sum->count, sum->low, sum->high);
    sum->count = sum->low = sum->high = 0;
}

/* What is said of failures of that class. */
static struct catalog_retry policy_of(const struct look *look, const struct run *run,
                                      enum retry_class class)
{
    static const struct catalog_task gone = {
        .max_attempts = 3, .retry_min_ms = 1000, .retry_max_ms = 60000, .retry_factor = 2
    };
    const struct catalog_task *task = catalog_task(look->catalog, run->task);
    const struct queue_rules *rules = world_rules(queue_name_now(look, run));
    bool is_queues = rules->retry.attempts > 0; /* then it says all */

    task = task == NULL ? &gone : task;
    const struct retry_rule tasks = { task->max_attempts, task->retry_min_ms,
                                      task->retry_max_ms, task->retry_factor };
    const struct retry_rule *said[] = { &rules->retry_of[class], &task->retry_of[class],
                                        is_queues ? &rules->retry : &tasks };
    uint32_t own = run->max_attempts;
    const struct retry_rule *pace = NULL;
    struct catalog_retry policy = { .total =
                                        run->max_attempts_total > 0 ? run->max_attempts_total
                                        : rules->retry_total > 0    ? rules->retry_total
                                                                 : task->max_attempts_total };

    for (int i = 0; i < 3; i++) { /* times are said together, or not at all */
        if (policy.attempts == 0)
            policy.attempts = i == 2 && own > 0 ? own : said[i]->attempts;
        if (pace == NULL && (i == 2 || said[i]->factor > 0))
            pace = said[i];
    }
    if (own > 0 && own < policy.attempts)
        policy.attempts = own;
    policy.min_ms = (double)pace->min_ms;
    policy.max_ms = (double)pace->max_ms;
    policy.factor = pace->factor;
    return policy;
}

static uint32_t exhausted_of(const struct look *look, const struct run *run)
{
    const struct catalog_task *task = catalog_task(look->catalog, run->task);
    uint32_t queues = world_rules(queue_name_now(look, run))->on_exhausted;

    return queues != EXHAUSTED_UNSAID ? queues
           : task == NULL             ? EXHAUSTED_FAIL
                                      : task->on_exhausted;
}

static bool begins_anew(const struct look *look, const struct run *run)
{
    const struct catalog_task *task = catalog_task(look->catalog, run->task);

    return task != NULL && task->retry_from == RETRY_FROM_START;
}

/* Of `policy`, for a run that is in that attempt, after so many failed tries at one place. */
static uint32_t last_attempt(const struct catalog_retry *policy, uint32_t attempt,
                             uint32_t tries)
{
    for (uint32_t used = tries + 1; used < policy->attempts; used++, attempt++)
        if (policy->total > 0 && attempt >= policy->total)
            break;
    return attempt;
}

uint32_t last_attempt_expected(const struct look *look, const struct run *run)
{
    const struct shadow *shadow = shadow_of(look, run->id);
    struct catalog_retry policy = policy_of(look, run, RETRY_USER);

    return last_attempt(&policy, run->attempt > 0 ? run->attempt : 1, shadow->tries);
}

static double retry_cap(const struct catalog_retry *policy, uint32_t tries)
{
    double cap = policy->min_ms * pow(policy->factor, tries);

    return cap < policy->max_ms ? cap : policy->max_ms;
}

static void error_look(const struct look *look, const struct run *run, struct slice name,
                       uint32_t attempt, uint32_t before)
{
    struct arena arena = { 0 };
    struct value error = { .kind = VALUE_NULL };
    uint32_t kept = before < EARLIER_MOST ? before : EARLIER_MOST;

    if (run->error.size > 0 && !pack_read(&arena, run->error, &error, NULL))
        flaw(look, run, "its error cannot be read");
    const struct value *named = value_find(&error, "name");
    const struct value *tried = value_find(&error, "attempt");
    const struct value *earlier = value_find(&error, "earlier");
    if (name.size > 0 ? named == NULL || !slice_equal(named->bytes, name) : named != NULL)
        flaw(look, run, "its error has another name");
    if (name.size > 0 && (tried == NULL || tried->integer != attempt))
        flaw(look, run, "its error is of another attempt");
    if ((earlier == NULL ? 0 : earlier->count) != kept)
        flaw(look, run, "failures of earlier attempts are missing");
    arena_finish(&arena);
}

/* Of what it has saved and waited for nothing is left. */
static void start_again_look(const struct look *look, struct shadow *shadow,
                             const struct run *run)
{
    shadow->segment = shadow->state = (struct slice){ 0 };
    if (run->wait.size > 0 || run->once.size > 0)
        flaw(look, run, "it begins anew, and knows of its last try");
}

/* Its code has said when: then it is, to the millisecond. */
static bool told_look(const struct look *look, const struct shadow *shadow,
                      const struct run *run)
{
    const struct frame_end *end = shadow->end->segment_end.end;
    bool is_span;

    if (shadow->end->kind != COMMAND_SEGMENT_END || (end->due_ms == 0 && end->span_ms == 0))
        return false;
    int64_t due_ms = look_deadline(look, end->due_ms, end->span_ms, &is_span);
    uint32_t status = shadow->path[0].status;
    bool is_over = look_is_over(look, due_ms, is_span);
    if (is_over ? status == RUN_DELAYED : status != RUN_DELAYED)
        flaw(look, run, "it is not tried again when its code said");
    if (run->status == RUN_DELAYED && shadow->moves == 1 &&
        (run->due_ms != due_ms || run->due_is_span != is_span))
        flaw(look, run, "it is to be tried again at another time than its code said");
    return true;
}

static void retry_look(const struct look *look, struct shadow *shadow, const struct run *run,
                       double cap, uint32_t tries)
{
    uint32_t status = shadow->path[0].status;

    if (told_look(look, shadow, run)) {
    } else if (status == RUN_DELAYED && run->status == RUN_DELAYED && shadow->moves == 1) {
        jitter_look(look, run, tries + 1, cap, run->due_ms - look->steady_ms);
        if (!run->due_is_span)
            flaw(look, run, "its pause before a retry goes by the wall clock");
    } else if (status == RUN_QUEUED) {
        jitter_look(look, run, tries + 1, cap, 0);
    } else if (status != RUN_PARKED && status != RUN_DELAYED) {
        flaw(look, run, "it is to be tried again, and is not");
    }
    if (begins_anew(look, run))
        start_again_look(look, shadow, run);
}

static void paused_look(const struct look *look, const struct shadow *shadow,
                        const struct run *run)
{
    if (shadow->path[0].status != RUN_DELAYED ||
        (shadow->moves == 1 && (!run_is_paused(run) || run->is_dead)))
        flaw(look, run, "its attempts are used up, and it is not paused");
}

static enum retry_class class_of(const struct shadow *shadow)
{
    const struct segment_end *said = &shadow->end->segment_end;

    if (shadow->end->kind == COMMAND_ATTEMPT_LOST)
        return said->loss == LOSS_TIMED_OUT ? RETRY_TIMEOUT : RETRY_CRASH;
    return said->end->is_upstream ? RETRY_UPSTREAM : RETRY_USER;
}

bool rule_was_last(const struct look *look, const struct shadow *shadow, const struct run *run)
{
    struct catalog_retry policy = policy_of(look, run, class_of(shadow));

    return shadow->was->attempt >= last_attempt(&policy, shadow->was->attempt, shadow->tries);
}

/* True: it is tried again. */
static bool failure_look(const struct look *look, struct shadow *shadow, const struct run *run,
                         bool is_retryable, uint32_t outcome, struct slice name)
{
    struct catalog_retry policy = policy_of(look, run, class_of(shadow));
    uint32_t attempt = shadow->was->attempt, tries = shadow->tries;
    uint32_t most = last_attempt(&policy, attempt, tries);
    bool is_retry = is_retryable && attempt < most;

    if (shadow->path[0].text.size > 0 && is_retry && !slice_equal(shadow->path[0].text, name) &&
        shadow->path[0].status != RUN_PARKED)
        flaw(look, run, "its retry does not say why");
    uint32_t exhausted = is_retryable ? exhausted_of(look, run) : EXHAUSTED_FAIL;
    if (is_retry)
        retry_look(look, shadow, run, retry_cap(&policy, tries), tries);
    else if (exhausted == EXHAUSTED_PAUSE)
        paused_look(look, shadow, run);
    else if (run->is_dead != (exhausted == EXHAUSTED_DEAD_LETTER) && !shadow->is_redriven)
        flaw(look, run, "it is a dead letter, and should not be; or the other way round");
    else if (shadow->path[0].status != RUN_DONE || shadow->path[0].outcome != outcome)
        world_flaw(look->world, "run %lld has failed in attempt %u of %u, and has outcome %u",
                   (long long)run->id, attempt, most, shadow->path[0].outcome);
    error_look(look, run, name, attempt, shadow->failures);
    shadow->failures++;
    shadow->tries += is_retry;
    return is_retry;
}

/* ---- what it said ------------------------------------------------------------------------ */

void rule_metadata(const struct look *look, struct shadow *shadow, const struct run *run,
                   const struct frame_end *end)
{
    struct arena arena = { 0 };
    struct value by;

    rule_given(look, run, end->meta, end->meta_count);
    for (uint32_t i = 0; i < end->meta_count; i++)
        if (end->meta[i].kind == META_APPEND)
            shadow->appended++;
        else if (slice_is(end->meta[i].key, "sum") &&
                 pack_read(&arena, end->meta[i].value, &by, NULL))
            shadow->counted += by.integer;
    arena_finish(&arena);
}

static bool failed_over(const struct shadow *shadow, const struct run *run, const char *name)
{
    struct arena arena = { 0 };
    struct value error = { .kind = VALUE_NULL };
    bool is = shadow->path[0].status == RUN_DONE && run->error.size > 0 &&
              pack_read(&arena, run->error, &error, NULL);

    const struct value *named = is ? value_find(&error, "name") : NULL;
    is = named != NULL && slice_is(named->bytes, name);
    arena_finish(&arena);
    return is;
}

/* Of a wait that begins, or that was and goes on after a reminder. */
static bool cycle_look(const struct look *look, struct shadow *shadow, const struct run *run,
                       const struct frame_end *end)
{
    struct arena arena = { 0 };
    struct wait_group group = { .parts = end->parts, .count = end->part_count };
    struct wait wait = { .ids = end->ids, .count = end->id_count };

    if (!failed_over(shadow, run, "wait_cycle"))
        return false;
    wait.due_ms = end->due_ms != 0 ? end->due_ms : end->span_ms;
    if (end->wait_kind == WAIT_FOR_GROUP)
        wait.group = &group;
    if (end->verdict == VERDICT_WAIT_ON)
        (void)wait_read(&arena, shadow->was->wait, &wait); /* it is one */
    rule_cycle(look, run, &wait);
    arena_finish(&arena);
    (void)failure_look(look, shadow, run, false, OUTCOME_FAILED, SLICE("wait_cycle"));
    return true;
}

static bool waits_look(const struct look *look, struct shadow *shadow, const struct run *run,
                       const struct frame_end *end)
{
    if (!wait_is_known(look, run, end) ||
        (failed_over(shadow, run, "wait_unknown") && wait_is_fresh(look, end))) {
        (void)failure_look(look, shadow, run, false, OUTCOME_FAILED, SLICE("wait_unknown"));
        return false;
    }
    if (cycle_look(look, shadow, run, end))
        return false;
    shadow->segment = model_keep(look, end->then);
    shadow->state = model_keep(look, end->state);
    rule_registered(look, shadow, end);
    rule_wait(look, shadow, run, end);
    if (shadow->acts != 0 && run->status < RUN_DONE)
        shadow->segment = rule_group_segment(look, run, shadow->segment);
    return true;
}

/* How the attempt and the entry change; *entered: it enters another segment. */
static bool said_look(const struct look *look, struct shadow *shadow, const struct run *run,
                      bool *entered)
{
    const struct segment_end *said = &shadow->end->segment_end;
    const struct frame_end *end = said->end;
    uint32_t status = shadow->path[0].status;

    if (shadow->end->kind == COMMAND_ATTEMPT_LOST)
        return failure_look(look, shadow, run, true,
                            said->loss == LOSS_TIMED_OUT ? OUTCOME_TIMED_OUT : OUTCOME_CRASHED,
                            said->error_name);
    if (shadow->end->kind == COMMAND_SEGMENT_END && !shadow->is_plain)
        rule_metadata(look, shadow, run, end);
    if (!shadow->is_plain && end != NULL && end->verdict == VERDICT_PUSH_BACK &&
        rates_pushed_ms(look->world, run) < look->steady_ms + end->span_ms)
        flaw(look, run, "its lane is to be pushed back, and is not");
    if (shadow->end->kind == COMMAND_RELEASE ||
        (!shadow->is_plain &&
         (end->verdict == VERDICT_PARK || end->verdict == VERDICT_PUSH_BACK))) {
        if (status != RUN_QUEUED && status != RUN_PARKED)
            flaw(look, run, "it was given back, and is not in its queue");
        return false;
    }
    if (shadow->is_plain)
        return failure_look(look, shadow, run, false, OUTCOME_FAILED, SLICE("refused"));
    if (end->verdict == VERDICT_FAIL)
        return failure_look(look, shadow, run, end->retryable, OUTCOME_FAILED, end->error_code);
    if (end->verdict == VERDICT_WAIT_ON) {
        if (cycle_look(look, shadow, run, end))
            return false;
        *entered = rule_group_on(look, shadow, run, end);
        if (*entered)
            rule_registered(look, shadow, end);
        return *entered ? false
                        : failure_look(look, shadow, run, false, OUTCOME_FAILED,
                                       SLICE("nothing_to_wait_on"));
    }
    if (end->verdict == VERDICT_WAIT) {
        *entered = waits_look(look, shadow, run, end);
        return false;
    }
    if (status != RUN_DONE || shadow->path[0].outcome != OUTCOME_COMPLETED)
        flaw(look, run, "its segment has completed it, and it is not");
    if (!slice_equal(run->output, end->output))
        flaw(look, run, "it has another output");
    error_look(look, run, (struct slice){ 0 }, 0, shadow->failures);
    return false;
}

/* ---- the server died --------------------------------------------------------------------- */

static int64_t death_at(const struct run *run, uint32_t at)
{
    uint64_t time = 0;

    for (uint32_t i = 0; i < DEATH_BYTES; i++)
        time |= (uint64_t)(unsigned char)run->deaths.data[at * DEATH_BYTES + i] << 8 * i;
    return (int64_t)time;
}

static void death_look(const struct look *look, const struct shadow *shadow,
                       const struct run *run)
{
    uint32_t before = (uint32_t)shadow->was->deaths.size / DEATH_BYTES;
    uint32_t most = before + 1 < DEATHS_MOST ? before + 1 : DEATHS_MOST;
    uint32_t count = (uint32_t)run->deaths.size / DEATH_BYTES;
    bool is_parked = shadow->path[0].status == RUN_PARKED;

    if (shadow->is_clean ? !slice_equal(shadow->was->deaths, run->deaths)
                         : count != most || death_at(run, count - 1) != look->now_ms)
        flaw(look, run, "the server died with it, and that was counted wrong");
    if (look->catalog == NULL &&
        is_parked != (!shadow->is_clean && count == DEATHS_MOST &&
                      death_at(run, count - 1) - death_at(run, 0) < HOUR_MS))
        world_flaw(look->world,
                   "run %lld was out at %u deaths of the server, and is%s set aside",
                   (long long)run->id, count, is_parked ? "" : " not");
}

/* ---- all --------------------------------------------------------------------------------- */

static void entry_look(const struct look *look, struct shadow *shadow, const struct run *run,
                       bool is_next)
{
    const struct run *was = shadow->was;

    if (run->entry != was->entry + is_next)
        world_flaw(look->world, "run %lld is in entry %u, it must be in %u", (long long)run->id,
                   run->entry, was->entry + is_next);
    if (is_next)
        shadow->once_count = 0;
    if (is_next ? run->id_block != 0 && run->id_block == was->id_block
                : was->id_block != 0 && run->id_block != was->id_block)
        flaw(look, run,
             is_next ? "it has the ids of the segment before"
                     : "its segment runs again and gets other ids");
    if (!is_next && run->status < RUN_DONE && was->status != RUN_WAITING && shadow->acts == 0 &&
        !slice_equal(was->wait, run->wait))
        flaw(look, run, "what it waited for is forgotten before its segment has ended");
}

void rule_end(const struct look *look, struct shadow *shadow, const struct run *run)
{
    const struct run *was = shadow->was;
    uint32_t attempt = was->attempt + (was->started_ms == 0 && run->started_ms != 0);
    bool is_retry = false, is_next = false;

    if (shadow->end != NULL)
        is_retry = said_look(look, shadow, run, &is_next);
    if (shadow->is_recovered)
        death_look(look, shadow, run);
    else if (!slice_equal(was->deaths, run->deaths) && run->deaths.size > 0)
        flaw(look, run, "deaths of the server were counted, and it has not died");
    if (shadow->end != NULL && shadow->end->kind == COMMAND_SEGMENT_END && run->deaths.size > 0)
        flaw(look, run, "its segment has ended, and deaths of the server are held against it");
    if (is_next && !begins_anew(look, run))
        shadow->tries = 0;
    if (shadow->is_again) /* somebody has said so */
        shadow->tries = 0;
    if (shadow->is_anew)
        start_again_look(look, shadow, run);
    if (run->attempt != attempt + is_retry + shadow->is_again)
        world_flaw(look->world, "run %lld is in attempt %u, it must be in %u",
                   (long long)run->id, run->attempt, attempt + is_retry + shadow->is_again);
    if (run->tries != shadow->tries)
        world_flaw(look->world, "run %lld has %u failed tries, it must have %u",
                   (long long)run->id, run->tries, shadow->tries);
    entry_look(look, shadow, run,
               is_next || (is_retry && begins_anew(look, run)) || shadow->is_anew);
    if (run->status < RUN_DONE && (!slice_equal(run->segment, shadow->segment) ||
                                   !slice_equal(run->state, shadow->state)))
        flaw(look, run, "it has another state, or goes on elsewhere");
    if (run->outcome != OUTCOME_COMPLETED && run->output.size > 0)
        flaw(look, run, "it has an output, and is not completed");
}
