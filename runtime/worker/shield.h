/* Shield: what plugin code may not signal. */
#ifndef WORKER_SHIELD_H
#define WORKER_SHIELD_H

#include <sys/types.h>

/*
 * From now on a signal to one of these processes, to the group of the first, or to everybody is
 * SIGSYS to whoever sends it: a segment that kills its parent is what ends, with its stack in
 * the crash report. A system that has no filters: nothing changes, the host sees a nursery die
 * then.
 */
void shield_raise(const pid_t *pids, unsigned count);

#endif
