/* Guard: the process between the host and a nursery. It has no plugin code, and ends all that
 * was started below it when the host ends, when the nursery ends, or at SIGTERM. */
#ifndef WORKER_GUARD_H
#define WORKER_GUARD_H

/*
 * Fork; the child returns and is to become the nursery, the parent guards it until it ends and
 * then ends as it did. `control` is the socket to the host. The result is a descriptor that is
 * at its end when the guard is gone.
 */
int guard_begin(int control);

#endif
