/*
 * Looked at after every segment, so each question is one or two cheap system calls: the lowest
 * free descriptor rises by what was left open, and the C library knows whether there ever was a
 * second thread.
 */
#include "wear.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { HIGH_FD = 200 };

static int descriptor_free(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        fd = open("/", O_PATH | O_CLOEXEC); /* somebody has closed stderr */
    if (fd >= 0)
        (void)close(fd); /* was only asked for */
    return fd;
}

static struct rusage used; /* as it was measured last */

uint64_t wear_measure(void)
{
    (void)getrusage(RUSAGE_SELF, &used); /* cannot fail */
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
}

static int64_t memory_most(void)
{
    return (int64_t)used.ru_maxrss * 1024;
}

/* Far from what plugins count on; -1: there is none, or no room. */
static int folder_open(void)
{
    int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

    if (fd >= 0)
        (void)close(fd); /* a place, not a file */
    return high;
}

/* Besides the first. */
static int64_t threads_more(void)
{
    struct stat about;

    if (__libc_single_threaded != 0 || stat("/proc/self/task", &about) != 0)
        return 0;
    return about.st_nlink > 3 ? (int64_t)about.st_nlink - 3 : 0; /* ., .. and the first */
}

void wear_init(struct wear *wear)
{
    (void)wear_measure();
    *wear = (struct wear){ .descriptor = descriptor_free(), .memory_bytes = memory_most() };
    wear->mask = umask(0);
    (void)umask((mode_t)wear->mask);
    wear->folder = folder_open();
    (void)getrlimit(RLIMIT_NOFILE, &wear->descriptors); /* asks for what is always there */
    (void)sigprocmask(SIG_SETMASK, NULL, &wear->signals);
}

/* False: it cannot be as it was. */
static bool put_back(const struct wear *wear)
{
    const struct itimerval off = { 0 };

    (void)setitimer(ITIMER_REAL, &off, NULL); /* none of them can be refused */
    (void)setitimer(ITIMER_VIRTUAL, &off, NULL);
    (void)setitimer(ITIMER_PROF, &off, NULL);
    (void)umask((mode_t)wear->mask);
    (void)sigprocmask(SIG_SETMASK, &wear->signals, NULL);
    return setrlimit(RLIMIT_NOFILE, &wear->descriptors) == 0 &&
           (wear->folder < 0 || fchdir(wear->folder) == 0);
}

bool wear_is_over(struct wear *wear, const struct wear_limits *limits, char reason[120])
{
    int free_fd = limits->descriptors > 0 ? descriptor_free() : 0;
    int64_t threads = limits->threads > 0 ? threads_more() : 0;
    int64_t memory = limits->memory_bytes > 0 ? memory_most() - wear->memory_bytes : 0;
    const char *noun = NULL;
    int64_t number = 0;

    wear->segments++;
    if (!put_back(wear))
        noun = "segment changed the process for good", number = 1;
    if (limits->segments > 0 && wear->segments >= limits->segments)
        noun = "segments were run", number = wear->segments;
    if (memory > limits->memory_bytes)
        noun = "bytes of memory were taken at most", number = memory;
    if (threads > 0 && threads >= limits->threads)
        noun = "threads were left behind", number = threads;
    if (limits->descriptors > 0 &&
        (free_fd < 0 || free_fd - wear->descriptor > limits->descriptors)) {
        noun = free_fd < 0 ? "descriptors are free" : "descriptors or so were left open";
        number = free_fd < 0 ? 0 : free_fd - wear->descriptor;
    }
    if (noun != NULL)
        (void)snprintf(reason, 120, "%lld %s", (long long)number, noun);
    return noun != NULL;
}
