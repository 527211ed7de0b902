/* What a segment has done once, and will not do again when it is tried again. */
#include "codec/pack.h"
#include "engine/batch.h"

bool once_decide(struct batch *batch, struct command *command)
{
    const struct once *once = &command->once;
    struct value map = value_map();
    struct run *run;

    if (!run_fenced(batch, command, once->run_id, once->seq, 0, &run))
        return false;
    if (run == NULL)
        return true;
    if (run->once.size > 0 && !pack_read(batch->arena, run->once, &map, &command->err))
        return true;
    if (value_find_slice(&map, once->name) != NULL) {
        err_set(&command->err, ERR_RULE, "\"%.*s\" is recorded already in this segment",
                SLICE_ARG(once->name));
        return true;
    }
    value_put_slice(batch->arena, &map, once->name,
                    (struct value){ .kind = VALUE_BYTES, .bytes = once->value });
    struct slice packed = pack_value(batch->arena, &map);
    if ((int64_t)packed.size > batch->catalog->limits.state_bytes) {
        err_set(&command->err, ERR_TOO_LARGE,
                "the recorded results have %zu bytes, %lld are allowed", packed.size,
                (long long)batch->catalog->limits.state_bytes);
        return true;
    }
    run->once = packed;
    return true;
}
