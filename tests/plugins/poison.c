/*
 * poison: what it starts before there is a shield ends its nursery, when a task asks for it.
 * While there is a file that $POISON_ILL names, it cannot be loaded.
 */
#include <bide/bide.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int request[2] = { -1, -1 };

__attribute__((constructor)) static void begin(void)
{
    const char *ill = getenv("POISON_ILL");
    pid_t nursery = getpid();
    char byte;

    if (ill != NULL && access(ill, F_OK) == 0)
        _exit(7);
    if (pipe(request) != 0 || fork() != 0)
        return;
    close(request[1]);
    while (read(request[0], &byte, 1) < 0 && errno == EINTR)
        ;
    kill(nursery, SIGKILL);
    _exit(0);
}

static void rest(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

#define NURSE(S) S(end_nursery)
#define GOOD(S)  S(do_good)

BIDE_TASK(poison, BIDE_NO_STATE, NURSE, .id = "poison")
BIDE_TASK(good, BIDE_NO_STATE, GOOD, .id = "good")

/* { ms }: how long it waits before it does. */
static bide_next end_nursery(bide_task *t)
{
    rest(bide_i64(t, bide_input(t), "ms"));
    if (write(request[1], "!", 1) == 1)
        rest(20000);
    return bide_done(t);
}

/* { ms } */
static bide_next do_good(bide_task *t)
{
    rest(bide_i64(t, bide_input(t), "ms"));
    return bide_done(t);
}

BIDE_PLUGIN("poison", "1.0.0", poison_task, good_task)
