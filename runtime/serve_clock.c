/*
 * A timer of the kernel that never goes off, but is canceled when the wall clock is set or the
 * machine has slept.
 *
 *   settimeofday(), resume ──▶ timerfd: ECANCELED ──▶ pump_clock_set ──▶ what is due now
 */
#include "serve_clock.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct clock_setting {
    uv_poll_t poll;
    struct pump *pump;
    int fd;
};

static bool arm(int fd)
{
    struct itimerspec far = { .it_value.tv_sec = (time_t)(TIME_MAX_MS / 1000) };

    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) == 0;
}

static void on_set(uv_poll_t *poll, int status, int events)
{
    struct clock_setting *setting = poll->data;
    uint64_t times;

    (void)status, (void)events;
    (void)!read(setting->fd, &times, sizeof times); /* ECANCELED is what it is there for */
    if (!arm(setting->fd))
        uv_poll_stop(poll); /* else it would be readable for ever */
    pump_clock_set(setting->pump);
}

struct clock_setting *clock_setting_watch(uv_loop_t *loop, struct pump *pump)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd < 0 || !arm(fd)) {
        log_warn("clock.unwatched",
                 "the system does not tell when its clock is set (%s); timers may come up to a "
                 "minute late then",
                 strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct clock_setting *setting = memory_zeroed(1, sizeof *setting);
    setting->pump = pump;
    setting->fd = fd;
    uv_poll_init(loop, &setting->poll, fd);
    setting->poll.data = setting;
    uv_poll_start(&setting->poll, UV_READABLE, on_set);
    uv_unref((uv_handle_t *)&setting->poll);
    return setting;
}

static void on_closed(uv_handle_t *handle)
{
    struct clock_setting *setting = handle->data;

    close(setting->fd);
}

void clock_setting_close(struct clock_setting *setting)
{
    if (setting != NULL)
        uv_close((uv_handle_t *)&setting->poll, on_closed);
}

void clock_setting_free(struct clock_setting *setting)
{
    free(setting);
}
