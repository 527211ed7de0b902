/* A slot: runs one segment after the other until the host closes its socket. */
#ifndef WORKER_SLOT_H
#define WORKER_SLOT_H

#include "segment.h"

_Noreturn void slot_main(int fd, const struct plugin *plugin,
                         const struct worker_limits *limits);

#endif
