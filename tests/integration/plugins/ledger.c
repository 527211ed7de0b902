/*
 * ledger: a task whose every step leaves a trace, so that a lost or doubled one shows.
 *
 *   start ──token──▶ decided ──child──▶ finish ──▶ done {n, who, charge, child}
 *
 * "charge" stands for a payment: drawn at random inside bide_once(), so that a second charge of
 * one run would be another number. Each time start goes past it, it notes the number in the
 * file that the input names; all notes of a run must be the same.
 */
#include <bide/bide.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LEDGER_STATE(F) \
    F(I64, n) F(I64, charge) F(TOKEN, approval) F(STR(64), who) F(RUN, child)
#define LEDGER_SEGMENTS(S) S(start) S(decided) S(finish)

BIDE_TASK(ledger, LEDGER_STATE, LEDGER_SEGMENTS, .id = "ledger", .max_attempts = 5)

static const bide_value *draw(bide_task *t, void *context)
{
    (void)context;
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        bide_raise(t, true, "no_random", "getrandom failed");
    return bide_of_i64(t, number);
}

static void note(bide_task *t, int64_t charge)
{
    char line[128];
    int size = snprintf(line, sizeof line, "%s %lld\n", bide_run_id(t), (long long)charge);
    const char *path = bide_str(t, bide_input(t), "ledger");
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    /* One write, so that lines of several slots do not mix. */
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        bide_raise(t, false, "no_ledger", "cannot write %s", path);
    if (fd >= 0)
        close(fd);
}

static bide_next start(bide_task *t)
{
    struct ledger *s = bide_state(t);
    s->n = bide_i64(t, bide_input(t), "n");
    s->charge = bide_i64(t, bide_once(t, "charge", draw, NULL), NULL);
    note(t, s->charge);
    s->approval = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_HOURS(1) });
    bide_meta_str(t, "url", bide_token_url(t, &s->approval));
    return bide_wait_token(t, &s->approval, decided);
}

static bide_next decided(bide_task *t)
{
    struct ledger *s = bide_state(t);
    if (bide_timed_out(t))
        return bide_fail(t, "timed_out", "nobody decided");
    bide_set_str(t, s->who, bide_str(t, bide_result(t), "who"));
    bide_map *payload = bide_map_new(t);
    bide_put_i64(t, payload, "n", s->n);
    s->child = bide_trigger(t, "ledger-child", payload);
    return bide_wait_run(t, &s->child, finish);
}

static bide_next finish(bide_task *t)
{
    struct ledger *s = bide_state(t);
    const bide_value *output = bide_run_output(t, &s->child);
    if (output == NULL)
        return bide_fail(t, "child_failed", "the child: %s", bide_run_error(t, &s->child));
    bide_out_i64(t, "n", s->n);
    bide_out_str(t, "who", s->who);
    bide_out_i64(t, "charge", s->charge);
    bide_out_i64(t, "child", bide_i64(t, output, "double"));
    return bide_done(t);
}

#define CHILD_STATE(F)    F(I64, n)
#define CHILD_SEGMENTS(S) S(begin) S(end)

BIDE_TASK(ledger_child, CHILD_STATE, CHILD_SEGMENTS, .id = "ledger-child", .max_attempts = 5)

static bide_next begin(bide_task *t)
{
    struct ledger_child *s = bide_state(t);
    s->n = bide_i64(t, bide_input(t), "n");
    return bide_wait_for(t, 5, end);
}

static bide_next end(bide_task *t)
{
    struct ledger_child *s = bide_state(t);
    bide_out_i64(t, "double", 2 * s->n);
    return bide_done(t);
}

BIDE_PLUGIN("ledger", "1.0.0", ledger_task, ledger_child_task)
