#include "cli/client/act_words.h"

#include "cli/client/payload.h"
#include "codec/json.h"

#include <stdlib.h>

const struct cli_option act_options[] = {
    ACT_OPTIONS,
    { NULL, NULL, NULL },
};

bool act_body(struct call *call, bool completes, const char *when, struct slice *body,
              struct err *err)
{
    const char *by = call_option(call, "by"), *why = call_option(call, "reason");
    const char *part = call_option(call, "part");
    struct value map = value_map();
    struct buffer out = { 0 };
    struct slice payload = { 0 };

    if (completes && !payload_option(call, "payload", &payload, NULL, err))
        return false;
    if (by == NULL)
        by = getenv("USER");
    if (by != NULL && *by != '\0')
        value_put(&call->arena, &map, "by", value_text(by));
    if (why != NULL)
        value_put(&call->arena, &map, "reason", value_text(why));
    if (part != NULL)
        value_put(&call->arena, &map, "part", value_text(part));
    if (when != NULL)
        value_put(&call->arena, &map, "timeout", value_text(when));
    json_write(&out, &map);
    if (completes) { /* as it was given */
        if (payload.size == 0)
            payload = SLICE("null");
        out.size--;
        buffer_format(&out, "%s\"data\":%.*s}", map.count > 0 ? "," : "", SLICE_ARG(payload));
    }
    *body = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return true;
}
