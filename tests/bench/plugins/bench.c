/*
 * bench: the two smallest tasks that do everything, for `bide bench`, and one that does
 * nothing.
 *
 *   bench-echo   start ──▶ done with its input
 *   bench-hold   holds a slot for four minutes
 *   bench-nap    holds one for 20 ms
 *   bench-many   start ──ten thousand of bench-echo──▶ all ──▶ done with how many went well
 *   bench-wait   start ──token──▶ decided ──▶ done with what was posted
 *
 * bench-wait tells its token's URL to whoever reads the FIFO named in its payload, as another
 * task would tell it to a service that calls back later.
 */
#define _POSIX_C_SOURCE 200809L

#include <bide/bide.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ECHO_SEGMENTS(S) S(echo)

BIDE_TASK(bench_echo, BIDE_NO_STATE, ECHO_SEGMENTS, .id = "bench-echo")

static bide_next echo(bide_task *t)
{
    bide_out(t, bide_input(t));
    return bide_done(t);
}

#define HOLD_SEGMENTS(S) S(hold)

BIDE_TASK(bench_hold, BIDE_NO_STATE, HOLD_SEGMENTS, .id = "bench-hold")

static bide_next hold(bide_task *t)
{
    nanosleep(&(struct timespec){ .tv_sec = 240 }, NULL);
    return bide_done(t);
}

#define NAP_SEGMENTS(S) S(nap)

BIDE_TASK(bench_nap, BIDE_NO_STATE, NAP_SEGMENTS, .id = "bench-nap")

static bide_next nap(bide_task *t)
{
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    return bide_done(t);
}

enum { MANY = 10000 };

#define MANY_STATE(F) F(BATCH, all)

#define MANY_SEGMENTS(S) \
    S(many_start)        \
    S(many_end)

BIDE_TASK(bench_many, MANY_STATE, MANY_SEGMENTS, .id = "bench-many")

static bide_next many_start(bide_task *t)
{
    struct bench_many *s = bide_state(t);

    s->all = bide_batch_begin(t);
    for (int i = 0; i < MANY; i++)
        bide_batch_add(t, &s->all, "bench-echo", bide_input(t));
    return bide_wait_batch(t, &s->all, many_end);
}

static bide_next many_end(bide_task *t)
{
    struct bench_many *s = bide_state(t);
    int64_t well = 0;

    for (uint32_t i = 0; i < bide_batch_count(t, &s->all); i++)
        well += bide_batch_status(t, &s->all, i) == BIDE_WAIT_OK;
    bide_out_i64(t, "well", well);
    return bide_done(t);
}

/* About 100 bytes when it is stored, as in the numbers that others publish. */
#define WAIT_STATE(F) \
    F(STR(64), note)  \
    F(I64, order)     \
    F(I64, asked_at_ms)

#define WAIT_SEGMENTS(S) \
    S(start)             \
    S(decided)

BIDE_TASK(bench_wait, WAIT_STATE, WAIT_SEGMENTS, .id = "bench-wait")

/* The FIFO that was opened last stays open: each slot tells thousands of URLs. Its reader may
 * go all the same. */
static int reader(const char *path)
{
    static char opened[512];
    static int fd = -1;

    if (fd >= 0 && strcmp(opened, path) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    signal(SIGPIPE, SIG_IGN);
    snprintf(opened, sizeof opened, "%s", path);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    return fd;
}

/* One write of a line shorter than PIPE_BUF arrives whole. Nobody there: nobody is told. */
static void tell(const char *path, const char *url)
{
    char line[512];
    int size = snprintf(line, sizeof line, "%s\n", url);
    ssize_t wrote = write(reader(path), line, (size_t)size);

    (void)wrote; /* the run then waits for ever, which the bench reports */
}

static bide_next start(bide_task *t)
{
    struct bench_wait *s = bide_state(t);
    const bide_value *in = bide_input(t);
    const char *reply = bide_str(t, in, "reply");

    snprintf(s->note, sizeof s->note, "%.63s", bide_str(t, in, "note"));
    s->order = bide_i64(t, in, "order");
    s->asked_at_ms = bide_now(t);
    bide_token token = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = 0 });
    if (reply[0] != '\0')
        tell(reply, bide_token_url(t, &token));
    return bide_wait_token(t, &token, decided);
}

static bide_next decided(bide_task *t)
{
    struct bench_wait *s = bide_state(t);

    bide_out_i64(t, "order", s->order);
    bide_out_bool(t, "approved", bide_bool(t, bide_result(t), "approved"));
    return bide_done(t);
}

BIDE_PLUGIN("bench", "1.0.0", bench_echo_task, bench_wait_task, bench_hold_task, bench_nap_task,
            bench_many_task)
