/* Processors are kept awake after a touch, and only as long as was said: by threads of the
 * lowest priority that spin, or by asking the kernel. */
#include "base/awake.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct seen {
    int count, asleep, idle_class;
};

static void thread_look(const char *id, struct seen *seen)
{
    char path[300], line[600], name[32] = "", state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", id);
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "%*d (%31[^)]) %c", name, &state);
    fclose(file);
    if (strcmp(name, "bide-awake") != 0)
        return;
    seen->count++;
    seen->asleep += state == 'S';
    seen->idle_class += sched_getscheduler(atoi(id)) == SCHED_IDLE;
}

static struct seen threads_look(void)
{
    struct seen seen = { 0 };
    DIR *tasks = opendir("/proc/self/task");

    cr_assert_not_null(tasks);
    for (const struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks))
        if (task->d_name[0] != '.')
            thread_look(task->d_name, &seen);
    closedir(tasks);
    return seen;
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* Until all are (or not all are) asleep; gives up after ten seconds. */
static struct seen wait_for(bool asleep)
{
    struct seen seen = threads_look();

    for (int i = 0; i < 5000; i++) {
        if (seen.count > 0 && (seen.asleep == seen.count) == asleep)
            return seen;
        wait_a_little();
        seen = threads_look();
    }
    cr_assert_fail("%d of %d threads are asleep", seen.asleep, seen.count);
    return seen;
}

Test(awake, a_touch_lasts_for_its_window_and_no_longer)
{
    struct awake *awake = awake_create(200, false);

    wait_for(true);
    for (int i = 0; i < 3; i++) {
        awake_touch(awake);
        struct seen seen = wait_for(false);
        cr_expect_eq(seen.idle_class, seen.count);
        wait_for(true);
    }
    awake_destroy(awake);
    cr_expect_eq(threads_look().count, 0);
}

Test(awake, is_stopped_while_it_spins)
{
    struct awake *awake = awake_create(3600000, false);

    awake_touch(awake);
    wait_for(false);
    awake_destroy(awake);
    cr_expect_eq(threads_look().count, 0);
}

/* The latency that the kernel goes by now, whoever asked for it; -1: we may not know. */
static int32_t latency_us(void)
{
    int32_t latency = -1;
    FILE *file = fopen("/dev/cpu_dma_latency", "r");

    if (file == NULL)
        return -1;
    if (fread(&latency, sizeof latency, 1, file) != 1)
        latency = -1;
    fclose(file);
    return latency;
}

/* Servers of other tests may be asking as well, for a moment. */
static void wait_for_latency(bool is_asked)
{
    for (int i = 0; i < 5000; i++) {
        if ((latency_us() == 0) == is_asked)
            return;
        wait_a_little();
    }
    cr_assert_fail("the latency is %d us", (int)latency_us());
}

Test(awake, the_kernel_is_asked_for_the_window_and_no_longer)
{
    struct awake *awake = awake_create(200, true);

    if (!awake_asks(awake)) {
        awake_destroy(awake);
        cr_skip("not allowed here, or of no use");
    }
    wait_for_latency(false);
    for (int i = 0; i < 3; i++) {
        awake_touch(awake);
        wait_for_latency(true);
        wait_for_latency(false);
    }
    awake_touch(awake);
    wait_for_latency(true);
    awake_destroy(awake);
    wait_for_latency(false);
    cr_expect_eq(threads_look().count, 0);
}

Test(awake, no_window_no_threads)
{
    cr_expect_null(awake_create(0, true));
    awake_touch(NULL);
    awake_destroy(NULL);
    (void)awake_is_useful(); /* must not fail wherever the test runs */
}
