/* The bytes of a worker's socket: frames that write as they were read, or an error; never both.
 */
#include "codec/frame.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice left = { (const char *)data, size };
    struct arena arena = { 0 };
    struct buffer first = { 0 }, second = { 0 };
    struct frame frame, again;
    struct err err = { 0 };
    size_t used;

    while (frame_read(&arena, left, 1 << 20, &frame, &used, &err) && used > 0) {
        PROMISE(used <= left.size && frame.kind > FRAME_NONE && frame.kind < FRAME_KIND_COUNT);
        first.size = second.size = 0;
        frame_write(&first, &frame);
        PROMISE(frame_read(&arena, buffer_view(&first), FRAME_MAX_BYTES, &again, &used, &err));
        PROMISE(used == first.size);
        frame_write(&second, &again);
        PROMISE(slice_equal(buffer_view(&first), buffer_view(&second)));
        PROMISE(frame_read(&arena, left, 1 << 20, &frame, &used, &err) && used > 0);
        left = (struct slice){ left.data + used, left.size - used };
    }
    buffer_finish(&first);
    buffer_finish(&second);
    arena_finish(&arena);
    return 0;
}
