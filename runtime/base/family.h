/*
 * Family: the processes below this one. Whoever adopts gets those back whose parents end, so
 * that a process that was started here can leave neither by setsid() nor by a second fork.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* From now on, orphans below this process become its children. */
void family_adopt(void);

/* False when there are no children at all; costs one system call. */
bool family_is_there(void);

/* Says which children stay, with all that is below them; NULL: none. */
typedef bool family_keeps(void *context, pid_t child);

/* Kill all others, as they are now, and reap what has ended. True: none is left. */
bool family_kill(family_keeps *keeps, void *context);

/* The same until none is left; false: some did not end within `patience_ms`. */
bool family_end(family_keeps *keeps, void *context, int64_t patience_ms);

#endif
