/* A nursery of this program's own: plugin code runs in that child only. */
#ifndef NURSERY_CHILD_H
#define NURSERY_CHILD_H

#include "base/buffer.h"
#include "base/err.h"
#include "codec/frame.h"

#include <sys/types.h>

/* Frames that come from a socket. */
struct frame_stream {
    int fd; /* -1: none */
    struct buffer bytes;
    size_t taken; /* of the frame that was given last */
};

enum heard { HEARD_FRAME, HEARD_END, HEARD_NOTHING, HEARD_GARBAGE };

/* The next one that has come, good until the next call: HEARD_NOTHING where there is none. */
enum heard stream_take(struct frame_stream *stream, struct arena *arena, struct frame *frame);
/* Read what has come; false at its end. */
bool stream_fill(struct frame_stream *stream);
/* Both: wait for it until then. */
enum heard stream_hear(struct frame_stream *stream, struct arena *arena, uint64_t until_ns,
                       struct frame *frame);
void stream_send(const struct frame_stream *stream, const struct frame *frame);
void stream_close(struct frame_stream *stream);

struct nursery_child {
    pid_t pid;
    struct frame_stream control;
};

/* `arguments` are those of `bide nursery`, its path first; ends with NULL. Quiet: what the
 * plugin prints while it loads goes nowhere. Stop it in any case. */
bool nursery_child_start(struct nursery_child *nursery, char *const *arguments, bool is_quiet,
                         struct err *err);
/* Ends it and all that it has started. *status is waitpid's; 0 where it never began. */
void nursery_child_stop(struct nursery_child *nursery, int *status);

#endif
