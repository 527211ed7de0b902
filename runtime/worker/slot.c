#include "slot.h"

#include "crash.h"

void slot_main(int fd, const struct plugin *plugin, const struct worker_limits *limits)
{
    struct channel channel;
    struct arena arena = { 0 };
    struct frame frame;

    channel_init(&channel, fd);
    crash_arm(channel.fd);
    for (;;) {
        channel_segment(&channel, &arena, &frame);
        segment_run(&channel, plugin, limits, &arena, &frame.segment);
        arena_reset(&arena);
    }
}
