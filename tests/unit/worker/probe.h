/* Probe: a test as the host of one nursery, frame by frame. */
#ifndef PROBE_H
#define PROBE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "codec/frame.h"
#include "codec/json.h"
#include "codec/pack.h"

#include <sys/types.h>

enum { PROBE_SLOTS = 8, PROBE_TIME_MS = 20000 };

struct link {
    int fd;
    struct buffer in;
};

struct probe {
    pid_t pid;
    struct link control;
    struct link slots[PROBE_SLOTS]; /* slot n is slots[n - 1] */
    uint32_t slot_count;
    pid_t slot_pids[PROBE_SLOTS];
    struct arena arena;
};

/* `plugin` is the name of a file in tests/plugins of the build directory, or an absolute path.
 */
void probe_start(struct probe *probe, const char *plugin);
/* The same with more arguments (worker.h), ending with NULL. */
void probe_start_with(struct probe *probe, const char *plugin, const char *const *arguments);
/* Started and loaded. */
void probe_load(struct probe *probe, const char *plugin);
void probe_finish(struct probe *probe);
/* waitpid's status of the nursery. */
int probe_wait(struct probe *probe);

/* A number from 1. */
uint32_t probe_fork(struct probe *probe);

void link_send(struct link *link, const struct frame *frame);
/* The next frame; fails the test when none comes. */
struct frame link_read(struct probe *probe, struct link *link);
/* True at the end of the file; fails the test when a frame comes. */
bool link_ends(struct probe *probe, struct link *link);

/* A SEGMENT for a task, with its input as JSON; everything else may be changed before it is
 * sent. */
struct frame segment_frame(struct probe *probe, const char *task, const char *segment,
                           const char *input);
/* Send it to slot 1 and give its next frame. */
struct frame segment_do(struct probe *probe, const char *task, const char *input);
/* Of slot `slot`, from the control socket. */
struct frame probe_exited(struct probe *probe, uint32_t slot);

/* JSON text of msgpack bytes, in the probe's arena. */
const char *json_of(struct probe *probe, struct slice packed);

#endif
