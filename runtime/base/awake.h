/*
 * Awake: keep processors from halting while there is something to do.
 *
 * A run goes through several hands: loop, store thread, slot, and back. On a virtual machine
 * each of them that has to be woken on a processor that halted costs 50 to 150 µs, since the
 * halt went to the hypervisor: more than all the work of a run. So for a moment after the last
 * thing happened they do not halt. Nothing at all is done when nothing happens.
 *
 * By asking: the kernel is told (/dev/cpu_dma_latency), and its idle loop polls. It sees which
 * processor is free, and wakes it without an interrupt. Takes the right to that file, which
 * root has.
 *
 * Else by spinning: threads of the lowest priority (SCHED_IDLE: anything else goes first, at
 * once) turn round. To the kernel no processor is free then, so it spreads what it wakes less
 * well.
 */
#ifndef AWAKE_H
#define AWAKE_H

#include <stdbool.h>
#include <stdint.h>

struct awake;

/* Is it worth it here? Not on bare metal, where processors wake fast, and not where processor
 * time is rationed (a container's quota), which spinning would use up. */
bool awake_is_useful(void);

/* NULL when window_ms is 0; without threads when they cannot be had: nothing depends on them.
 */
struct awake *awake_create(int64_t window_ms, bool may_ask);
/* By asking? For the log. */
bool awake_asks(const struct awake *awake);
/* Something happened: stay awake for a window from now. [any] thread; cheap. */
void awake_touch(struct awake *awake);
void awake_destroy(struct awake *awake);

#endif
