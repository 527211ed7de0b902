#include "slot.h"

#include "crash.h"
#include "prints.h"

void slot_main(int fd, int prints, const struct plugin *plugin,
               const struct worker_limits *limits)
{
    struct channel channel;
    struct arena arena = { 0 };
    struct frame frame;

    channel_init(&channel, fd);
    crash_arm(channel.fd);
    prints_begin(prints);
    for (;;) {
        channel_segment(&channel, &arena, &frame);
        segment_run(&channel, plugin, limits, &arena, &frame.segment);
        arena_reset(&arena);
    }
}
