#include "base/awake.h"

#include "base/clock.h"
#include "base/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum {
    MAX_THREADS = 4,         /* with more processors the rest may halt */
    SPINS_BETWEEN_LOOKS = 8, /* at the clock; a pause is some 40 ns */
    STOP_NS = 100000000      /* at most so long until an order to stop is seen */
};

struct awake {
    int64_t window_ns;
    int latency; /* the kernel's file; -1: not asking */
    _Atomic int64_t until_ns;
    _Atomic uint32_t asleep; /* threads that wait for a touch */
    atomic_bool is_stopping;
    pthread_mutex_t lock;
    pthread_cond_t touched;
    pthread_t threads[MAX_THREADS];
    uint32_t thread_count;
};

/* ---- where we are ------------------------------------------------------------------------ */

static bool is_virtual(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & (1u << 31)) != 0;
#else
    return access("/sys/hypervisor/type", F_OK) == 0 ||
           access("/proc/device-tree/hypervisor", F_OK) == 0;
#endif
}

static bool file_starts(const char *path, const char *text, bool *is_there)
{
    char line[64] = "";
    FILE *file = fopen(path, "re");

    *is_there = file != NULL;
    if (file == NULL)
        return false;
    bool ok = fgets(line, sizeof line, file) != NULL && strncmp(line, text, strlen(text)) == 0;
    fclose(file);
    return ok;
}

/* Is there a quota at `file` of a group or of one above it? */
static bool group_has_quota(const char *root, char *group, const char *file, const char *none)
{
    char path[700];

    for (;;) {
        bool is_there;
        if (snprintf(path, sizeof path, "%s%s/%s", root, group, file) >= (int)sizeof path)
            return true; /* cannot know */
        if (!file_starts(path, none, &is_there) && is_there)
            return true;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
}

/* Lines are "0::/path" (version 2) and "4:cpu,cpuacct:/path" (version 1). */
static bool is_rationed(void)
{
    char line[600];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");

    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *names = strchr(line, ':');
        char *group = names == NULL ? NULL : strchr(names + 1, ':');
        if (group == NULL)
            continue;
        *group++ = '\0';
        if (names[1] == '\0')
            found = group_has_quota("/sys/fs/cgroup", group, "cpu.max", "max");
        else if (strstr(names, "cpu") != NULL && strstr(names, "cpuset") == NULL)
            found = group_has_quota("/sys/fs/cgroup/cpu", group, "cpu.cfs_quota_us", "-1");
    }
    fclose(file);
    return found;
}

bool awake_is_useful(void)
{
    return is_virtual() && !is_rationed();
}

/* ---- asking ------------------------------------------------------------------------------ */

/* Microseconds that waking a processor may take, as the kernel is told; the second is what it
 * goes by when nobody asks. */
enum { LATENCY_NONE = 0, LATENCY_ANY = 2000000000 };

static bool latency_set(int file, int32_t latency_us)
{
    return write(file, &latency_us, sizeof latency_us) == sizeof latency_us;
}

/* It holds for all processors of the machine, so only where there are few; and only where the
 * kernel has an idle state that polls. */
static int latency_open(void)
{
    bool is_there;

    if (sysconf(_SC_NPROCESSORS_ONLN) > MAX_THREADS ||
        !file_starts("/sys/devices/system/cpu/cpu0/cpuidle/state0/name", "POLL", &is_there))
        return -1;
    int file = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
    if (file >= 0 && !latency_set(file, LATENCY_ANY)) {
        close(file);
        return -1;
    }
    return file;
}

/* ---- the threads ------------------------------------------------------------------------- */

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static bool is_over(const struct awake *awake)
{
    return atomic_load(&awake->until_ns) <= (int64_t)clock_monotonic_ns();
}

static void sleep_until_touched(struct awake *awake)
{
    pthread_mutex_lock(&awake->lock);
    atomic_fetch_add(&awake->asleep, 1);
    /* Looked at again after `asleep` is set: a touch between the two would wake nobody. */
    while (is_over(awake) && !atomic_load(&awake->is_stopping))
        pthread_cond_wait(&awake->touched, &awake->lock);
    atomic_fetch_sub(&awake->asleep, 1);
    pthread_mutex_unlock(&awake->lock);
}

static void sleep_until_over(const struct awake *awake)
{
    while (!is_over(awake) && !atomic_load(&awake->is_stopping)) {
        int64_t until_ns = atomic_load(&awake->until_ns);
        int64_t most_ns = (int64_t)clock_monotonic_ns() + STOP_NS;
        if (until_ns > most_ns)
            until_ns = most_ns;
        struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL); /* or a signal */
    }
}

/* Closing the file would withdraw it as well: whatever becomes of the process, it ends. */
static void *asking_main(void *argument)
{
    struct awake *awake = argument;

    (void)pthread_setname_np(pthread_self(), "bide-awake"); /* only a label */
    while (!atomic_load(&awake->is_stopping)) {
        sleep_until_touched(awake);
        (void)latency_set(awake->latency, LATENCY_NONE); /* as it was accepted before */
        sleep_until_over(awake);
        (void)latency_set(awake->latency, LATENCY_ANY);
    }
    return NULL;
}

static void *spinning_main(void *argument)
{
    struct awake *awake = argument;

    (void)pthread_setname_np(pthread_self(), "bide-awake"); /* only a label */
    /* At any other priority it would be in the way. */
    if (sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){ 0 }) != 0)
        return NULL;
    while (!atomic_load(&awake->is_stopping)) {
        for (int i = 0; i < SPINS_BETWEEN_LOOKS; i++)
            pause_briefly();
        if (is_over(awake))
            sleep_until_touched(awake);
    }
    return NULL;
}

struct awake *awake_create(int64_t window_ms, bool may_ask)
{
    cpu_set_t ours;
    struct awake *awake;
    uint32_t wanted = 1;

    if (window_ms <= 0)
        return NULL;
    int latency = may_ask ? latency_open() : -1;
    if (latency < 0 && sched_getaffinity(0, sizeof ours, &ours) == 0)
        wanted = (uint32_t)CPU_COUNT(&ours);
    awake = memory_zeroed(1, sizeof *awake);
    awake->window_ns = window_ms * 1000000;
    awake->latency = latency;
    pthread_mutex_init(&awake->lock, NULL);
    pthread_cond_init(&awake->touched, NULL);
    while (awake->thread_count < wanted && awake->thread_count < MAX_THREADS &&
           pthread_create(&awake->threads[awake->thread_count], NULL,
                          latency >= 0 ? asking_main : spinning_main, awake) == 0)
        awake->thread_count++;
    return awake;
}

bool awake_asks(const struct awake *awake)
{
    return awake != NULL && awake->latency >= 0;
}

void awake_touch(struct awake *awake)
{
    if (awake == NULL)
        return;
    atomic_store(&awake->until_ns, (int64_t)clock_monotonic_ns() + awake->window_ns);
    if (atomic_load(&awake->asleep) == 0)
        return;
    pthread_mutex_lock(&awake->lock);
    pthread_cond_broadcast(&awake->touched);
    pthread_mutex_unlock(&awake->lock);
}

void awake_destroy(struct awake *awake)
{
    if (awake == NULL)
        return;
    pthread_mutex_lock(&awake->lock);
    atomic_store(&awake->is_stopping, true);
    pthread_cond_broadcast(&awake->touched);
    pthread_mutex_unlock(&awake->lock);
    for (uint32_t i = 0; i < awake->thread_count; i++)
        pthread_join(awake->threads[i], NULL);
    if (awake->latency >= 0)
        (void)close(awake->latency); /* nothing to flush */
    pthread_cond_destroy(&awake->touched);
    pthread_mutex_destroy(&awake->lock);
    free(awake);
}
