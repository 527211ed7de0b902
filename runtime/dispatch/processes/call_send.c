/* A segment sends a message to a run. */
#include "calls.h"
#include "codec/pack.h"
#include "dispatch/host.h"
#include "dispatch/segments/job.h"

static struct slice text_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    return value != NULL && value->kind == VALUE_STRING ? value->bytes : (struct slice){ 0 };
}

void call_send_fill(struct outgoing *outgoing, const struct job *job, const struct value *map,
                    int64_t id)
{
    const struct value *to = value_find(map, "run"), *data = value_find(map, "data");

    outgoing->command.message_send =
        (struct message_send){ .environment = job->environment,
                               .run_id = to != NULL && to->kind == VALUE_INT ? to->integer : 0,
                               .name = text_of(map, "name"),
                               .data = data == NULL ? (struct slice){ 0 }
                                                    : pack_value(&outgoing->arena, data),
                               .key = text_of(map, "key"),
                               .sender_id = job->run_id,
                               .sender_seq = job->seq,
                               .id = id };
}
