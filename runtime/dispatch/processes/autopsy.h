/*
 * Autopsies: how a slot ended, in words for a person, and what that costs the run it was
 * running. A crash with a stack waits for its symbols; they are a list of their build's.
 */
#ifndef DISPATCH_AUTOPSY_H
#define DISPATCH_AUTOPSY_H

#include "base/list.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct job;
struct slot;

/* The slot has ended with waitpid's `status` while it ran the job; `where` completes "SIGSEGV
 * at address 0x0". True: symbols for its stack are to be looked up, or it is told that none
 * come. */
bool autopsy_begin(struct list *autopsies, const struct slot *slot, struct job *job, int status,
                   const char *where);
/* What has been looked up; empty: nothing. */
void autopsy_symbols(struct list *autopsies, uint32_t slot, struct slice stack);
/* Its nursery ended as `how` says, while the job was alone under suspicion. */
void autopsy_blame(const struct slot *slot, struct job *job, const char *how,
                   const char *where);
/* Give up on what takes too long; INT64_MAX: on all. When something is due again, 0: never. */
int64_t autopsies_tick(struct list *autopsies, int64_t now_ms);
/* The run's job, to cancel it; NULL: not here. */
struct job *autopsy_job(const struct list *autopsies, int64_t run_id);
/* The server stops: nothing is reported. */
void autopsies_drop(struct list *autopsies);

#endif
