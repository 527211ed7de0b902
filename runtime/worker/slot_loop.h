/* A slot: runs one segment after the other until the host closes its socket. */
#ifndef WORKER_SLOT_LOOP_H
#define WORKER_SLOT_LOOP_H

#include "segment_run.h"

/* `prints` is where it prints (prints.h). */
_Noreturn void slot_main(int fd, int prints, const struct plugin *plugin,
                         const struct worker_limits *limits);

#endif
