/* Autopsies: runs whose slot died, while the reason is being found. */
#ifndef DISPATCH_AUTOPSY_H
#define DISPATCH_AUTOPSY_H

#include "base/slice.h"

#include <stdint.h>

struct build;
struct job;
struct slot;

/* The nursery has looked up the stack; empty: it could not. */
void autopsy_symbols(struct build *build, uint32_t slot, struct slice stack);
/* Give up on what takes too long; INT64_MAX: on all. When something is due again, 0: never. */
int64_t autopsies_tick(struct build *build, int64_t now_ms);
/* The run's job, to cancel it; NULL: not here. */
struct job *autopsy_job(struct build *build, int64_t run_id);

/* It was alone under suspicion when its nursery ended. */
void autopsy_blame(struct slot *slot, struct job *job, const char *how);

/* The server stops: nothing is reported. */
void autopsies_drop(struct build *build);

#endif
