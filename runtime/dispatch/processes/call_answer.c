/* Calls that read: what came of other runs, as the slot gets it. */
#include "calls.h"
#include "codec/pack.h"
#include "engine/failure.h"

static void error_put(struct arena *arena, struct value *map, struct slice code,
                      struct slice message)
{
    if (message.size > 0)
        value_put(arena, map, "error", value_string(message));
    if (code.size > 0)
        value_put(arena, map, "code", value_string(code));
}

void call_run_answer(struct arena *arena, const struct run_read *read, struct value *map)
{
    const struct run *run = read->run;
    struct slice code, message;
    struct value value;

    value_put(arena, map, "status", value_int(read->status));
    if (run == NULL)
        return;
    if (read->status == WAIT_OK && run->output.size > 0 &&
        pack_read(arena, run->output, &value, NULL))
        value_put(arena, map, "output", value);
    failure_said(arena, run->error, &code, &message);
    error_put(arena, map, code, message);
}

void call_batch_answer(struct arena *arena, const struct batch_read *read, struct value *map)
{
    struct value items = value_list();

    for (uint32_t i = 0; i < read->count; i++) {
        const struct batch_answer *answer = &read->answers[i];
        struct value item = value_map(), output;
        value_put(arena, &item, "status", value_int(answer->status));
        if (answer->output.size > 0 && pack_read(arena, answer->output, &output, NULL))
            value_put(arena, &item, "output", output);
        error_put(arena, &item, answer->code, answer->error);
        value_add(arena, &items, item);
    }
    value_put(arena, map, "count", value_int(read->all));
    value_put(arena, map, "items", items);
}
