/*
 * Deaths: how often the server died while a segment of this run was out, apart from attempts.
 * The segment may be why (it takes all memory, say), or have been beside the one that is: so
 * suspects start alone, and one that is out again and again is set aside.
 */
#ifndef DEATHS_H
#define DEATHS_H

#include "engine/batch.h"

enum {
    DEATHS_ALONE = 3,  /* within an hour: it starts with nothing beside it */
    DEATHS_PARKED = 5, /* it does not start until another build comes */
};

/* True: it is set aside from now on. */
bool deaths_add(struct batch *batch, struct run *run);
/* As many as are kept came within an hour, up to the last. */
bool deaths_are_too_many(const struct run *run);
/* Within the last hour. */
uint32_t deaths_recent(const struct batch *batch, const struct run *run);

#endif
