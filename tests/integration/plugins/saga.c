/*
 * saga: does two things, ends as its input says, and writes down what undoes them.
 *
 * Input: { dir, ends: "fail"|"crash"|"wait"|"spin"|"well", undo: "well"|"crash-once"|"crash"|
 *          "hang-once", child?: task }. A line in dir/journal for each thing that it does.
 */
#include <bide/bide.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAGA_STATE(F) F(I64, step)

#define SAGA_SEGMENTS(S) S(first) S(second) S(end) S(undo_first) S(undo_second)

static void journal(bide_task *t, const char *what)
{
    const struct bide_run_info *info = bide_info(t);
    const int64_t *step = bide_state(t);
    char path[300];

    snprintf(path, sizeof path, "%s/journal", bide_str(t, bide_input(t), "dir"));
    FILE *file = fopen(path, "a");
    if (file == NULL)
        return;
    fprintf(file, "%s %lld%s%s%s%s\n", what, (long long)*step, *info->ending != 0 ? " " : "",
            info->ending, *info->error_code != 0 ? " " : "", info->error_code);
    fclose(file);
}

#define HOOK(name)                        \
    static void name##_hook(bide_task *t) \
    {                                     \
        journal(t, #name);                \
    }
HOOK(on_start)
HOOK(on_suspend)
HOOK(on_resume)
HOOK(on_success)
HOOK(on_failure)
HOOK(on_cancel)
HOOK(cleanup)

BIDE_TASK(saga, SAGA_STATE, SAGA_SEGMENTS, .id = "saga", .max_attempts = 1, .retry_min_ms = 1,
          .retry_max_ms = 1, .abort_attempts = 2, .on_start = on_start_hook,
          .on_suspend = on_suspend_hook, .on_resume = on_resume_hook,
          .on_success = on_success_hook, .on_failure = on_failure_hook,
          .on_cancel = on_cancel_hook, .cleanup = cleanup_hook)

static bool says(bide_task *t, const char *key, const char *word)
{
    return strcmp(bide_str(t, bide_input(t), key), word) == 0;
}

static bide_next first(bide_task *t)
{
    struct saga *s = bide_state(t);

    journal(t, "first");
    s->step = 1;
    bide_on_abort(t, undo_first);
    return bide_save(t, second);
}

static bide_next second(bide_task *t)
{
    struct saga *s = bide_state(t);

    journal(t, "second");
    s->step = 2;
    bide_on_abort(t, undo_second);
    return says(t, "ends", "wait") ? bide_wait_for(t, BIDE_HOURS(1), end) : bide_save(t, end);
}

static bide_next end(bide_task *t)
{
    if (says(t, "ends", "crash"))
        raise(SIGSEGV);
    while (says(t, "ends", "spin"))
        usleep(1000);
    return says(t, "ends", "well") ? bide_done(t) : bide_fail(t, "no", "it is to fail");
}

/* The first to come here finds no file of that name, and leaves one. */
static bool is_first(bide_task *t)
{
    char path[300];

    snprintf(path, sizeof path, "%s/mark", bide_str(t, bide_input(t), "dir"));
    bool is = access(path, F_OK) != 0;
    FILE *file = fopen(path, "a");
    if (file != NULL)
        fclose(file);
    return is;
}

static bide_next undo_second(bide_task *t)
{
    struct saga *s = bide_state(t);

    journal(t, "undo_second");
    if (says(t, "undo", "crash") || (says(t, "undo", "crash-once") && is_first(t)))
        raise(SIGSEGV);
    if (says(t, "undo", "hang-once") && is_first(t))
        for (;;)
            usleep(1000);
    s->step = 7;
    return bide_done(t);
}

static bide_next undo_first(bide_task *t)
{
    struct saga *s = bide_state(t);

    journal(t, "undo_first");
    s->step = 8;
    return bide_done(t);
}

BIDE_PLUGIN("saga", "1.0.0", saga_task)
