/*
 * Contracts: which schema file a run is under, from its trigger on, and what has to be
 * remembered of it so that its secrets stay hidden when the file changes or goes.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "base/arena.h"
#include "engine/catalog.h"
#include "engine/rows/row.h"

/*
 * Is the payload what the schema wants (NULL: anything)? It gains defaults. One that was not
 * given at all counts as {} where null does not fit and {} does: nobody should have to write an
 * empty object.
 */
bool payload_fits(const struct schema *schema, bool is_given, struct value *payload,
                  struct arena *arena, struct problems *problems);
/* The same for the loop thread; after LATER the payload has to be read again. */
enum schema_quick payload_fits_quickly(const struct schema *schema, bool is_given,
                                       struct value *payload, struct arena *arena,
                                       struct problems *problems);

/* Of a list that was collected each item is one. */
bool payloads_fit(const struct schema *schema, struct value *list, struct arena *arena,
                  struct problems *problems);

struct batch;
struct command;
/* The same of a trigger's payload, packed, which gains defaults. False: command->err says what
 * is wrong with "the payload", which is called so. */
bool payload_admit(struct batch *batch, struct command *command,
                   const struct catalog_task *task, const char *what, struct slice *packed);

/* A run is made: what it is under. `task` may be NULL. */
void contract_begin(const struct catalog_task *task, struct run *run);
/* A segment of it is about to start: another file than before is a line of its timeline. */
void contract_follow(struct arena *arena, const struct catalog_task *task, struct run *run,
                     int64_t now_ms);

/* It made a token, or reads a child's result, with secrets in it: its state may hold them. */
void run_met_secrets(struct run *run);

/* The bytes of the file that the run was under last; empty: none. */
struct slice contract_now(const struct run *run);

#endif
