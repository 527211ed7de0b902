/* Several segments under way to one slot: what happens to those behind the one that runs. */
#include "probe.h"

#include <criterion/criterion.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>

static struct probe probe;

static void start(void)
{
    probe_load(&probe, "hostile.so");
    probe_fork(&probe);
}

static void finish(void)
{
    probe_finish(&probe);
}

TestSuite(behind, .init = start, .fini = finish);

/* What was sent to the slot has been read by it. */
static void wait_until_read(const struct link *link)
{
    int unread = 1;

    while (unread > 0) {
        cr_assert_eq(ioctl(link->fd, SIOCOUTQ, &unread), 0);
        sched_yield();
    }
}

Test(behind, one_that_is_canceled_while_it_waits_does_not_start)
{
    struct frame sleeping = segment_frame(&probe, "sleep", "", "{\"ms\":500}");
    struct frame behind = segment_frame(&probe, "sleep", "", "{\"ms\":0}");
    behind.segment.run_id = 0x5678;
    struct frame cancel = { .kind = FRAME_CANCEL, .cancel = { .run_id = 0x5678 } };

    kill(probe.slot_pids[0], SIGSTOP); /* so that both are there when it looks */
    link_send(&probe.slots[0], &sleeping);
    link_send(&probe.slots[0], &behind);
    kill(probe.slot_pids[0], SIGCONT);
    wait_until_read(&probe.slots[0]);
    link_send(&probe.slots[0], &cancel);

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.end.verdict, VERDICT_DONE);
    end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.end.run_id, 0x5678);
    cr_assert_eq(end.end.verdict, VERDICT_FAIL);
    cr_assert(slice_is(end.end.error_code, "canceled"));
}

Test(behind, one_that_comes_with_its_cancel_does_not_start)
{
    struct frame frame = segment_frame(&probe, "sleep", "", "{\"ms\":60000}");
    struct frame cancel = { .kind = FRAME_CANCEL, .cancel = { .run_id = 0x1234 } };

    kill(probe.slot_pids[0], SIGSTOP);
    link_send(&probe.slots[0], &frame);
    link_send(&probe.slots[0], &cancel);
    kill(probe.slot_pids[0], SIGCONT);

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.end.verdict, VERDICT_FAIL);
    cr_assert(slice_is(end.end.error_code, "canceled"));
}
