/*
 * What a segment asks its host for. Nothing is made here: tokens, children and messages get the
 * ids that they would have, and what belongs to other runs is known as far as the bundle has
 * it.
 */
#include "cli/client/member.h"
#include "cli/plugins/replay.h"
#include "codec/pack.h"

static const char *const names[CALL_KIND_COUNT] = {
    [CALL_TOKEN] = "token", [CALL_TRIGGER] = "trigger", [CALL_RUN] = "read",
    [CALL_ONCE] = "once",   [CALL_BATCH] = "batch",     [CALL_BATCH_READ] = "batch read",
    [CALL_CLOSE] = "close", [CALL_SEND] = "send",
};

const char *replay_call_name(uint32_t kind)
{
    return kind < CALL_KIND_COUNT ? names[kind] : "?";
}

/* The end of a run or token, when the bundle has it. */
static bool ending_find(struct arena *arena, const struct bundle *bundle, int64_t id,
                        struct value *body)
{
    const struct frame_segment *segment = &bundle->segment;
    struct value output;

    for (uint32_t i = 0; i < segment->result_count; i++) {
        const struct frame_result *result = &segment->results[i];
        if (result->id != id)
            continue;
        value_put(arena, body, "status", value_int(result->status));
        if (result->value.size > 0 && pack_read(arena, result->value, &output, NULL))
            value_put(arena, body, "output", output);
        value_put(arena, body, "error", value_string(result->error));
        value_put(arena, body, "code", value_string(result->code));
        return true;
    }
    return false;
}

static void refuse(struct arena *arena, struct frame_reply *reply, const char *what)
{
    reply->error = ERR_NOT_FOUND;
    reply->text = arena_format(arena, "%s is not in the bundle", what);
}

bool replay_answer(struct arena *arena, const struct bundle *bundle,
                   const struct frame_call *call, struct frame *frame)
{
    int64_t id = bundle->segment.id_block + call->call;
    struct value asked = value_map(), body = value_map();

    *frame = (struct frame){ .kind = FRAME_REPLY, .reply = { .call = call->call } };
    if (call->is_ahead)
        return false;
    if (!pack_read(arena, call->body, &asked, NULL))
        asked = value_map();
    if (call->kind == CALL_TOKEN || call->kind == CALL_TRIGGER) {
        value_put(arena, &body, "id", value_int(id));
        value_put(arena, &body, "cached", value_bool(false));
    }
    if (call->kind == CALL_TOKEN)
        value_put(arena, &body, "url", value_text("http://replay.invalid/"));
    else if (call->kind == CALL_SEND)
        value_put(arena, &body, "number", value_int(1));
    else if (call->kind == CALL_RUN &&
             !ending_find(arena, bundle, member_int(&asked, "id"), &body))
        refuse(arena, &frame->reply, "how that run or token ended");
    else if (call->kind == CALL_BATCH_READ)
        refuse(arena, &frame->reply, "how that batch ended");
    frame->reply.body = pack_value(arena, &body);
    return true;
}
