/*
 * Acknowledged means there: a child commits and says so through a pipe, is killed at any
 * moment, and the parent looks for everything it was told of.
 */
#include "sqlite_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static void start(void)
{
    fixture_start(&fixture);
    fixture_close(&fixture);
}

static void finish(void)
{
    fixture_finish(&fixture);
}

TestSuite(sqlite_crash, .init = start, .fini = finish, .timeout = 120);

enum { BATCH = 5, MOST = 200000 };

static char payload[200 << 10];
static size_t payload_size = 40;

/* What is acknowledged: every run of the batch waits for its token, the ones before are done.
 */
static void child_work(int out, int64_t first)
{
    struct fixture *f = &fixture;
    int64_t before[BATCH] = { 0 };

    if (!store_sqlite_open(f->path, &f->store, &f->err))
        _exit(1);
    for (int64_t base = first;; base += BATCH) {
        arena_reset(&f->arena);
        rows_init(&f->rows, &f->arena);
        if (!f->store->ops->begin(f->store, &f->err))
            _exit(2);
        for (int i = 0; i < BATCH; i++) {
            struct run *run = rows_new_run(&f->rows, base + i);
            run->environment = f->environment;
            run->task = SLICE("pay");
            run->queue = run->lane = f->queue;
            run->status = RUN_WAITING;
            run->input = (struct slice){ payload, payload_size };
            run->state = SLICE("0123456789012345678901234567890123456789");
            run->row.dirty_parts = PART_INPUT | PART_STATE;
            rows_new_edge(&f->rows, 1000000 + run->id, run->id);
            struct run *done;
            if (before[i] != 0) {
                (void)rows_run(&f->rows, before[i], 0, &done);
                if (!f->store->ops->load(f->store, &f->rows, &f->err))
                    _exit(3);
                rows_loaded(&f->rows);
                (void)rows_run(&f->rows, before[i], 0, &done);
                done->status = RUN_DONE;
                done->outcome = OUTCOME_COMPLETED;
                rows_unlink(&f->rows, 1000000 + done->id, done->id);
            }
            before[i] = run->id;
        }
        if (!f->store->ops->flush(f->store, &f->rows, &f->err) ||
            !f->store->ops->commit(f->store, &f->err))
            _exit(4);
        if (write(out, &base, sizeof base) != sizeof base)
            _exit(5);
    }
}

/*
 * The last base that was acknowledged, `first` - BATCH when none was. The time counts from the
 * child's start, or from its first acknowledgement: a slow machine may never get that far else.
 */
static int64_t run_and_kill(int64_t first, uint64_t after_us, bool is_at_work)
{
    int64_t last = first - BATCH, base;
    int pipes[2], status;

    cr_assert_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        child_work(pipes[1], first);
    }
    close(pipes[1]);
    if (is_at_work && read(pipes[0], &base, sizeof base) == sizeof base)
        last = base;
    usleep((useconds_t)after_us); /* the moment is random; nothing is waited for */
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status), "the child ended by itself with %d", WEXITSTATUS(status));
    while (read(pipes[0], &base, sizeof base) == sizeof base)
        last = base;
    close(pipes[0]);
    return last;
}

/* Every batch up to `last` is whole; one more may be, and none is half there. */
static int64_t check_batches(int64_t first, int64_t last)
{
    int64_t end = first;

    for (int64_t base = first; base < first + MOST; base += BATCH) {
        int found = 0;
        fixture_begin(&fixture);
        for (int i = 0; i < BATCH; i++) {
            struct run *run = fixture_find(&fixture, base + i, PART_INPUT);
            found += run != NULL ? 1 : 0;
            cr_assert(run == NULL || run->input.size == payload_size);
            if (run != NULL && base < last)
                cr_assert_eq(run->status, RUN_DONE);
        }
        fixture_rollback(&fixture);
        cr_assert(found == 0 || found == BATCH, "half a batch at %lld", (long long)base);
        cr_assert(found == BATCH || base > last, "lost %lld of %lld", (long long)base,
                  (long long)last);
        if (found == 0)
            break;
        end = base + BATCH;
    }
    cr_assert_leq(end, last + 2 * BATCH);
    return end;
}

/* `kills` of them, each `least_us` to `most_us` after the child has started. */
static void kill_often(int kills, uint64_t least_us, uint64_t most_us)
{
    struct id_source dice;
    int64_t next = 1, acknowledged = 0;

    id_source_init(&dice, (uint64_t)getpid());
    for (int i = 0; i < kills; i++) {
        int64_t last =
            run_and_kill(next, least_us + id_random(&dice, most_us - least_us), i % 2 == 1);
        acknowledged += (last - next + BATCH) / BATCH;
        fixture_open(&fixture);
        int64_t end = check_batches(next, last);
        /* What is left over is what the last batch made and nobody finished. */
        cr_assert_eq(fixture_sql(&fixture, "SELECT waiting FROM queue"),
                     fixture_sql(&fixture, "SELECT count(*) FROM run_place WHERE place = 4"));
        cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM edge"),
                     fixture_sql(&fixture, "SELECT count(*) FROM run_place WHERE place = 4"));
        fixture_close(&fixture);
        next = end;
    }
    cr_assert_gt(acknowledged, 0);
    fixture_open(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM pragma_integrity_check "
                                       "WHERE integrity_check <> 'ok'"),
                 0);
}

Test(sqlite_crash, everything_acknowledged_survives_kill_minus_nine)
{
    const char *option = getenv("BIDE_KILLS");

    kill_often(option == NULL ? 20 : atoi(option), 1000, 60000);
}

/* Big batches, so that the log is copied into the file again and again. */
Test(sqlite_crash, a_kill_while_the_log_is_copied_loses_nothing)
{
    payload_size = sizeof payload;
    kill_often(6, 150000, 600000);
}

/* The file is made whole or not at all. */
Test(sqlite_crash, a_kill_while_the_file_is_made_leaves_nothing_in_the_way)
{
    struct id_source dice;

    id_source_init(&dice, (uint64_t)getpid());
    for (int i = 0; i < 15; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/new%d.db", fixture.directory, i);
        pid_t child = fork();
        if (child == 0) {
            struct store *store;
            struct err err;
            _exit(store_sqlite_open(path, &store, &err) ? 0 : 1);
        }
        usleep((useconds_t)id_random(&dice, 15000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);

        struct store *store;
        cr_assert(store_sqlite_open(path, &store, &fixture.err), "%s", fixture.err.text);
        store->ops->close(store);
    }
}
