/*
 * Builds: in which of them a run goes on. At its first start a run takes the current build of
 * its task and is locked to it; retries, resumes and children of tasks that the same build has
 * stay in it, while it is kept. Old ones are entries of the catalog like current ones.
 */
#ifndef ENGINE_BUILDS_H
#define ENGINE_BUILDS_H

#include "engine/catalog.h"

struct batch;
struct command;
struct trigger;

/*
 * What the run goes on with: the build that it is locked to, or the one that has taken its runs
 * over, while that is kept; else, and where its task's runs follow, the current one. NULL: no
 * build has the task.
 */
const struct catalog_task *catalog_task_of(const struct catalog *catalog,
                                           const struct run *run);
/* The same for one that starts now: while a build is coming only a share of what has no build
 * yet takes it. */
const struct catalog_task *catalog_task_start(const struct catalog *catalog,
                                              const struct run *run, int64_t now_ms);
/* By whatever build, the current one first: for what is asked of a task and not of a run. */
const struct catalog_task *catalog_task_any(const struct catalog *catalog, struct slice id);
/* The newest of that version that is kept; by the first digits of its build. NULL: none. */
const struct catalog_task *catalog_task_version(const struct catalog *catalog, struct slice id,
                                                struct slice version);
const struct catalog_task *catalog_task_built(const struct catalog *catalog, struct slice id,
                                              struct slice build);
enum { RAMP_WHOLE = 10000 };
/* How much of what starts takes a build that is coming, in hundredths of a percent. */
uint32_t ramp_share(const struct catalog_task *task, int64_t now_ms);

/* A run that is made is locked from the beginning: to the version that its trigger names, or to
 * its parent's build where that has its task. */
void build_lock(struct batch *batch, const struct trigger *trigger, const struct run *parent,
                struct run *run);

/* What is kept of builds, and what is not any more. */
bool builds_put_decide(struct batch *batch, struct command *command);

#endif
