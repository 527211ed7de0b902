/* Crash reports: a slot's last words. */
#ifndef WORKER_CRASH_H
#define WORKER_CRASH_H

/*
 * In the nursery, before the plugin is loaded: what backtrace() loads on first use must be
 * there by then, and a constructor that crashes ends the process by its signal, whatever a
 * sanitizer thinks.
 */
void crash_prepare(void);

/*
 * From now on, a signal that ends this process sends a CRASH frame to `fd` first. SIGXCPU is
 * what the host sends when the time of a segment is over, to learn where it is.
 */
void crash_arm(int fd);

#endif
