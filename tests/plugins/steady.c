/*
 * steady: tasks that behave, one for each thing that a task can do. Inputs stand beside each
 * segment.
 */
#include <bide/bide.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ECHO(S)        S(echo_input)
#define RETRY(S)       S(fail_first)
#define RETRY_LATER(S) S(wait_then_fail) S(fail_behind)
#define AGAIN(S)       S(fail_again)
#define BURN(S)        S(burn)
#define FAIL(S)        S(fail_now)
#define RAISE(S)       S(raise_and_go_on)
#define ONCE(S)        S(act_once)
#define POLL(S)        S(poll_flag)
#define LOG(S)         S(log_lines)
#define PROGRESS(S)    S(show_progress)
#define PUSHED(S)      S(push_back_once)
#define METADATA(S)    S(change_metadata) S(read_metadata)
#define CONTEXT(S)     S(tell_context)
#define LOOP(S)        S(go_round)
#define CHILD(S)       S(be_child)
#define PARENT(S)      S(start_children) S(children_ended)
#define UNWAITED(S)    S(start_unwaited) S(look_at_unwaited)
#define TOKEN(S)       S(ask) S(answered)
#define TOKENS(S)      S(ask_several) S(some_answered)
#define PAUSE(S)       S(pause_a_while) S(paused)
#define WRONG_KIND(S)  S(read_wrongly)

#define COUNT_STATE(F)  F(U32, count)
#define RUNS_STATE(F)   F(RUNS(64), children)
#define RUN_STATE(F)    F(RUN, child)
#define TOKEN_STATE(F)  F(TOKEN, token)
#define TOKENS_STATE(F) F(LIST(TOKEN, 16), tokens)
#define PAUSE_STATE(F)  F(I64, began_ms)

BIDE_TASK(echo, BIDE_NO_STATE, ECHO, .id = "echo")
BIDE_TASK(retry, BIDE_NO_STATE, RETRY, .id = "retry", .max_attempts = 5, .retry_min_ms = 10,
          .retry_max_ms = 100, .retry_factor = 2)
BIDE_TASK(retry_later, COUNT_STATE, RETRY_LATER, .id = "retry-later", .max_attempts = 5,
          .retry_min_ms = 10, .retry_max_ms = 20)
BIDE_TASK(retry_start, COUNT_STATE, RETRY_LATER, .id = "retry-start", .max_attempts = 5,
          .retry_min_ms = 10, .retry_max_ms = 20, .retry_from = BIDE_RETRY_START)
BIDE_TASK(again, BIDE_NO_STATE, AGAIN, .id = "again", .max_attempts = 2,
          .max_attempts_total = 9, .retry_upstream.max_attempts = 3, .retry_upstream.min_ms = 1,
          .retry_upstream.max_ms = 5, .retry_crash.max_attempts = 1)
BIDE_TASK(burns, BIDE_NO_STATE, BURN, .id = "burn", .max_attempts = 1, .cpu_ms = 200,
          .limit_ms = BIDE_SECONDS(20))
BIDE_TASK(fail, BIDE_NO_STATE, FAIL, .id = "fail", .max_attempts = 3)
BIDE_TASK(raises, BIDE_NO_STATE, RAISE, .id = "raise")
BIDE_TASK(once, BIDE_NO_STATE, ONCE, .id = "once", .max_attempts = 5, .retry_min_ms = 10)
BIDE_TASK(poll, BIDE_NO_STATE, POLL, .id = "poll-cancel")
BIDE_TASK(logs, BIDE_NO_STATE, LOG, .id = "log-lines")
BIDE_TASK(progress, BIDE_NO_STATE, PROGRESS, .id = "progress")
BIDE_TASK(metadata, BIDE_NO_STATE, METADATA, .id = "metadata")
BIDE_TASK(pushed, BIDE_NO_STATE, PUSHED, .id = "push-back", .max_attempts = 1)
BIDE_TASK(context, BIDE_NO_STATE, CONTEXT, .id = "context")
BIDE_TASK(loop, COUNT_STATE, LOOP, .id = "loop")
BIDE_TASK(child, BIDE_NO_STATE, CHILD, .id = "child", .max_attempts = 1)
BIDE_TASK(parent, RUNS_STATE, PARENT, .id = "parent")
BIDE_TASK(unwaited, RUN_STATE, UNWAITED, .id = "unwaited")
BIDE_TASK(token, TOKEN_STATE, TOKEN, .id = "token")
BIDE_TASK(tokens, TOKENS_STATE, TOKENS, .id = "tokens")
BIDE_TASK(pauses, PAUSE_STATE, PAUSE, .id = "pause")
BIDE_TASK(wrong_kind, BIDE_NO_STATE, WRONG_KIND, .id = "wrong-kind", .max_attempts = 3)

static int64_t number(bide_task *t, const char *key, int64_t otherwise)
{
    return bide_has(t, bide_input(t), key) ? bide_i64(t, bide_input(t), key) : otherwise;
}

static bool is_bad_attempt(bide_task *t)
{
    return bide_info(t)->attempt <= (uint64_t)number(t, "times", 0);
}

static void rest(int64_t ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

static bide_next echo_input(bide_task *t)
{
    bide_out(t, bide_input(t));
    return bide_done(t);
}

/* ---- attempts ------------------------------------------------------------------------- */

/* { times } */
static bide_next fail_first(bide_task *t)
{
    if (is_bad_attempt(t))
        return bide_retry(t, "not_yet", "attempt %u fails", (unsigned)bide_info(t)->attempt);
    bide_out_i64(t, "attempt", bide_info(t)->attempt);
    bide_out_i64(t, "max_attempts", bide_info(t)->max_attempts);
    return bide_done(t);
}

/* { times }: counts how often it is entered; a retry of the second segment does not enter it.
 */
static bide_next wait_then_fail(bide_task *t)
{
    /* Two tasks share these segments, and their states have the same fields. */
    struct retry_later *s = bide_state(t);
    s->count++;
    return bide_wait_for(t, 0, fail_behind);
}

static bide_next fail_behind(bide_task *t)
{
    struct retry_later *s = bide_state(t);
    s->count++; /* lost when this attempt fails */
    if (is_bad_attempt(t))
        return bide_retry(t, "not_yet", "attempt %u fails", (unsigned)bide_info(t)->attempt);
    bide_out_i64(t, "attempt", bide_info(t)->attempt);
    bide_out_i64(t, "count", s->count);
    return bide_done(t);
}

/* { how: "after"|"at"|"both"|"upstream"|"crash", ms, at } */
static bide_next fail_again(bide_task *t)
{
    const char *how = bide_str(t, bide_input(t), "how");
    int64_t ms = number(t, "ms", 0), at_ms = number(t, "at", 0);
    struct bide_retry_opts both = { .after_ms = ms, .at_ms = at_ms };

    if (strcmp(how, "after") == 0)
        return bide_retry_after(t, ms, "busy", "again in %d", (int)ms);
    if (strcmp(how, "at") == 0)
        return bide_retry_at(t, at_ms, "busy", "again at a date");
    if (strcmp(how, "both") == 0)
        return bide_retry_with(t, both, "busy", "again");
    if (strcmp(how, "crash") == 0)
        abort();
    return bide_upstream(t, "no_answer", "attempt %u", (unsigned)bide_info(t)->attempt);
}

/* { ms }: so much processor time, or more */
static bide_next burn(bide_task *t)
{
    clock_t end = clock() + (clock_t)number(t, "ms", 0) * CLOCKS_PER_SEC / 1000;

    rest(number(t, "rest", 0));
    while (clock() < end)
        ;
    return bide_done(t);
}

/* { code, text } */
static bide_next fail_now(bide_task *t)
{
    return bide_fail(t, bide_str(t, bide_input(t), "code"), "%s",
                     bide_str(t, bide_input(t), "text"));
}

/* An error that a helper raised wins over how the segment ends. */
static bide_next raise_and_go_on(bide_task *t)
{
    bide_raise(t, false, "first", "the first error stays");
    bide_raise(t, true, "second", "this one is too late");
    bide_out_str(t, "raised", bide_raised(t));
    return bide_done(t);
}

static const bide_value *append_line(bide_task *t, void *context)
{
    const char *path = bide_str(t, bide_input(t), "path");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "acted\n", 6) != 6)
        bide_raise(t, false, "no_file", "%s cannot be written", path);
    if (fd >= 0)
        close(fd);
    return bide_of_i64(t, *(int64_t *)context);
}

/* { path, times, how: "crash"|"retry" }: one line in the file, whatever happens after it. */
static bide_next act_once(bide_task *t)
{
    int64_t attempt = bide_info(t)->attempt;
    const bide_value *record = bide_once(t, "line", append_line, &attempt);

    if (is_bad_attempt(t) && strcmp(bide_str(t, bide_input(t), "how"), "crash") == 0)
        abort();
    if (is_bad_attempt(t))
        return bide_retry(t, "not_yet", "once more");
    bide_out_i64(t, "acted_in_attempt", bide_i64(t, record, NULL));
    bide_out_i64(t, "attempt", attempt);
    return bide_done(t);
}

/* ---- signals of life ------------------------------------------------------------------ */

/* { ms, path }: up to a minute until it is canceled, then leaves a file. */
static bide_next poll_flag(bide_task *t)
{
    int64_t end = bide_now(t) + number(t, "ms", 60000);
    const char *path = bide_str(t, bide_input(t), "path");

    bide_progress(t, 1); /* it has begun */
    if (path[0] != 0)
        bide_log_info(t, "polling");
    while (!bide_canceled(t) && bide_now(t) < end)
        rest(5);
    bide_out_bool(t, "canceled", bide_canceled(t));
    if (bide_canceled(t) && path[0] != 0) {
        bide_log_info(t, "told");
        FILE *file = fopen(path, "w");
        if (file != NULL)
            fclose(file);
    }
    return bide_done(t);
}

/* { lines, size } */
static bide_next log_lines(bide_task *t)
{
    int64_t lines = number(t, "lines", 10);
    int size = (int)number(t, "size", 20);

    for (int64_t i = 0; i < lines; i++)
        bide_log(
            t, (enum bide_level)(i % 4), "line %lld %.*s", (long long)i, size,
            "................................................................................"
            "................................................................................");
    return bide_done(t);
}

/* { steps, ms } */
static bide_next show_progress(bide_task *t)
{
    int64_t steps = number(t, "steps", 10);

    for (int64_t i = 1; i <= steps; i++) {
        bide_progress(t, (uint32_t)(i * 100 / steps));
        rest(number(t, "ms", 1));
    }
    return bide_done(t);
}

/* { ms }: whom it asks has no room the first time. */
static bide_next push_back_once(bide_task *t)
{
    if (bide_i64(t, bide_meta(t), "asked") == 0) {
        bide_meta_i64(t, "asked", 1);
        return bide_push_back(t, number(t, "ms", 400));
    }
    bide_out_i64(t, "attempt", bide_info(t)->attempt);
    return bide_done(t);
}

static bide_next change_metadata(bide_task *t)
{
    bide_meta_str(t, "stage", "first");
    bide_meta_bool(t, "flag", true);
    bide_meta_i64(t, "gone", 1);
    bide_meta_delete(t, "gone");
    bide_meta_append(t, "list", bide_of_i64(t, 1));
    bide_meta_append(t, "list", bide_of_str(t, "two"));
    bide_meta_add(t, "sum", 2);
    bide_meta_add(t, "sum", 0.5);
    return bide_wait_for(t, 0, read_metadata);
}

static bide_next read_metadata(bide_task *t)
{
    bide_meta_str(t, "stage", "second");
    bide_out_value(t, "metadata", bide_meta(t));
    return bide_done(t);
}

static bide_next tell_context(bide_task *t)
{
    const struct bide_run_info *info = bide_info(t);
    bide_list *tags = bide_list_new(t);

    for (const char *const *tag = info->tags; *tag != NULL; tag++)
        bide_add_str(t, tags, *tag);
    bide_out_str(t, "run", bide_run_id(t));
    bide_out_str(t, "parent", info->parent_id);
    bide_out_str(t, "root", info->root_id);
    bide_out_str(t, "environment", info->environment);
    bide_out_str(t, "task", info->task);
    bide_out_str(t, "segment", info->segment);
    bide_out_i64(t, "attempt", info->attempt);
    bide_out_i64(t, "max_attempts", info->max_attempts);
    bide_out_i64(t, "entry", info->entry);
    bide_out_i64(t, "created_ms", info->created_ms);
    bide_out_i64(t, "now_ms", bide_now(t));
    bide_out_bool(t, "is_test", info->is_test);
    bide_out_value(t, "tags", tags);
    return bide_done(t);
}

/* ---- waits ---------------------------------------------------------------------------- */

/* { count, ms }: so many waits of so many ms (default 0). */
static bide_next go_round(bide_task *t)
{
    struct loop *s = bide_state(t);

    if (s->count == (uint32_t)number(t, "count", 100)) {
        bide_out_i64(t, "count", s->count);
        bide_out_i64(t, "entry", bide_info(t)->entry);
        return bide_done(t);
    }
    s->count++;
    return bide_wait_for(t, number(t, "ms", 0), go_round);
}

/* { ms } or { until_ms } */
static bide_next pause_a_while(bide_task *t)
{
    struct pauses *s = bide_state(t);

    s->began_ms = bide_now(t);
    if (bide_has(t, bide_input(t), "until_ms"))
        return bide_wait_until(t, number(t, "until_ms", 0), paused);
    return bide_wait_for(t, number(t, "ms", 0), paused);
}

static bide_next paused(bide_task *t)
{
    struct pauses *s = bide_state(t);

    bide_out_i64(t, "waited_ms", bide_now(t) - s->began_ms);
    bide_out_bool(t, "timed_out", bide_timed_out(t));
    bide_out_i64(t, "status", bide_wait_status(t));
    return bide_done(t);
}

/* { value, ms, fail } */
static bide_next be_child(bide_task *t)
{
    const bide_value *in = bide_input(t);

    rest(number(t, "ms", 0));
    if (bide_bool(t, in, "fail"))
        return bide_fail(t, "told_to", "this child was told to fail");
    bide_out_value(t, "value", bide_get(t, in, "value"));
    return bide_done(t);
}

/* { count, fail, needed, timeout_ms, ms }: so many children, `fail` of them fail; each next one
 * takes `ms` more. */
static bide_next start_children(bide_task *t)
{
    struct parent *s = bide_state(t);
    int64_t count = number(t, "count", 3);

    for (int64_t i = 0; i < count && i < 64; i++) {
        bide_map *payload = bide_map_new(t);
        bide_put_i64(t, payload, "value", i);
        bide_put_i64(t, payload, "ms", i * number(t, "ms", 0));
        bide_put_bool(t, payload, "fail", i < number(t, "fail", 0));
        s->children.item[s->children.count++] = bide_trigger(t, "child", payload);
    }
    return bide_wait_runs_within(t, &s->children, (uint32_t)number(t, "needed", 0),
                                 number(t, "timeout_ms", 0), children_ended);
}

static bide_next children_ended(bide_task *t)
{
    struct parent *s = bide_state(t);
    bide_list *statuses = bide_list_new(t);
    bide_list *outputs = bide_list_new(t);

    for (uint32_t i = 0; i < s->children.count; i++) {
        bide_add_i64(t, statuses, bide_run_status(t, &s->children.item[i]));
        bide_add(t, outputs, bide_run_output(t, &s->children.item[i]));
    }
    bide_out_value(t, "statuses", statuses);
    bide_out_value(t, "outputs", outputs);
    bide_out_bool(t, "timed_out", bide_timed_out(t));
    if (s->children.count > 0) {
        bide_out_str(t, "first_error", bide_run_error(t, &s->children.item[0]));
        bide_out_str(t, "first_id", bide_run_text(t, &s->children.item[0]));
    }
    return bide_done(t);
}

/* { ms }: a child with a key, found again under it, asked about without waiting for it. */
static bide_next start_unwaited(bide_task *t)
{
    struct unwaited *s = bide_state(t);
    struct bide_trigger_opts opts = { .key = "the-child", .priority_ms = 1000 };
    bide_map *payload = bide_map_new(t);

    bide_put_str(t, payload, "value", "kept");
    s->child = bide_trigger_with(t, "child", payload, opts);
    bide_run again = bide_trigger_with(t, "child", payload, opts);
    if (again.id != s->child.id)
        return bide_fail(t, "two_children", "one key gave two runs");
    return bide_wait_for(t, number(t, "ms", 200), look_at_unwaited);
}

static bide_next look_at_unwaited(bide_task *t)
{
    struct unwaited *s = bide_state(t);

    bide_out_i64(t, "status", bide_run_status(t, &s->child));
    bide_out_value(t, "output", bide_run_output(t, &s->child));
    return bide_done(t);
}

/* { timeout_ms, within_ms, key, schema, sleep_ms }: the URL is in the metadata, and so is the
 * token's status when the segment ends, with `look`. */
static bide_next ask(bide_task *t)
{
    struct token *s = bide_state(t);
    const bide_value *in = bide_input(t);
    const char *const tags[] = { "asked", NULL };
    struct bide_token_opts opts = { .timeout_ms = number(t, "timeout_ms", 0), .tags = tags };

    if (bide_has(t, in, "key"))
        opts.key = bide_str(t, in, "key");
    if (bide_has(t, in, "schema"))
        opts.schema = bide_str(t, in, "schema");
    s->token = bide_token_create(t, opts);
    bide_meta_str(t, "url", bide_token_url(t, &s->token));
    rest(number(t, "sleep_ms", 0));
    if (bide_has(t, in, "look"))
        bide_meta_i64(t, "status", bide_token_status(t, &s->token));
    return bide_wait_token_within(t, &s->token, number(t, "within_ms", 0), answered);
}

static bide_next answered(bide_task *t)
{
    struct token *s = bide_state(t);

    bide_out_bool(t, "timed_out", bide_timed_out(t));
    bide_out_i64(t, "status", bide_wait_status(t));
    bide_out_value(t, "result", bide_result(t));
    bide_out_str(t, "url", bide_token_url(t, &s->token));
    return bide_done(t);
}

/* { count, needed, timeout_ms }: the URLs are a list in the metadata. */
static bide_next ask_several(bide_task *t)
{
    struct tokens *s = bide_state(t);
    struct bide_token_opts opts = { .timeout_ms = BIDE_HOURS(1) };
    int64_t count = number(t, "count", 3);

    for (int64_t i = 0; i < count && i < 16; i++) {
        s->tokens.item[s->tokens.count] = bide_token_create(t, opts);
        bide_meta_append(t, "urls",
                         bide_of_str(t, bide_token_url(t, &s->tokens.item[s->tokens.count])));
        s->tokens.count++;
    }
    return bide_wait_tokens_within(t, &s->tokens, (uint32_t)number(t, "needed", 0),
                                   number(t, "timeout_ms", 0), some_answered);
}

static bide_next some_answered(bide_task *t)
{
    struct tokens *s = bide_state(t);
    bide_list *statuses = bide_list_new(t);
    bide_list *results = bide_list_new(t);

    for (uint32_t i = 0; i < s->tokens.count; i++) {
        bide_add_i64(t, statuses, bide_token_status(t, &s->tokens.item[i]));
        bide_add(t, results, bide_token_result(t, &s->tokens.item[i]));
    }
    bide_out_bool(t, "timed_out", bide_timed_out(t));
    bide_out_value(t, "statuses", statuses);
    bide_out_value(t, "results", results);
    return bide_done(t);
}

/* { value: anything but an integer } fails with wrong_kind, and is not retried. */
static bide_next read_wrongly(bide_task *t)
{
    bide_out_i64(t, "value", bide_i64(t, bide_input(t), "value"));
    return bide_done(t);
}

BIDE_PLUGIN("steady", "1.0.0", echo_task, retry_task, retry_later_task, retry_start_task,
            again_task, burns_task, fail_task, raises_task, once_task, poll_task, logs_task,
            progress_task, metadata_task, pushed_task, context_task, loop_task, child_task,
            parent_task, unwaited_task, token_task, tokens_task, pauses_task, wrong_kind_task)
