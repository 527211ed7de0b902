#include "slot_loop.h"

#include "crash.h"
#include "prints.h"
#include "title.h"

#include <unistd.h>

void slot_main(int fd, int prints, const struct plugin *plugin,
               const struct worker_limits *limits)
{
    struct channel channel;
    struct arena arena = { 0 };
    struct frame frame;
    struct wear wear;
    char reason[120];

    channel_init(&channel, fd);
    crash_arm(channel.fd);
    wear_init(&wear);
    prints_begin(prints);
    for (;;) {
        channel_segment(&channel, &arena, &frame);
        title_run(frame.segment.task, frame.segment.run_id);
        segment_run(&channel, plugin, limits, &arena, &frame.segment);
        title_run((struct slice){ 0 }, 0);
        arena_reset(&arena);
        if (wear_is_over(&wear, &limits->wear, reason))
            break;
    }
    frame = (struct frame){ .kind = FRAME_NOTE,
                            .note = { .kind = NOTE_WORN, .text = slice_of(reason) } };
    channel_write(&channel, &frame);
    _exit(0); /* what else came has not begun, and goes elsewhere */
}
