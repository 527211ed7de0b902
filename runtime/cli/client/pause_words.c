#include "cli/client/pause_words.h"

#include "base/clock.h"
#include "cli/client/member.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdlib.h>

#define BY                                           \
    {                                                \
        "by", "NAME", "who does it (default: $USER)" \
    }
#define RAMP(text)           \
    {                        \
        "ramp", "TIME", text \
    }

const struct cli_option resume_options[] = {
    RAMP("let the limit grow from 1 to all of it meanwhile, like 60s"),
    BY,
    { NULL, NULL, NULL },
};

const struct cli_option pause_options[] = {
    { "reason", "TEXT", "why, for whoever finds it paused" },
    { "until", "WHEN", "resume by itself: after a time like 2h, or at a date" },
    { "ttl", "WORD",
      "frozen: the ttl of queued runs does not count meanwhile (default: runs)" },
    { "refuse", NULL, "refuse triggers meanwhile" },
    RAMP("with --until: as with resume --ramp, then"),
    BY,
    { NULL, NULL, NULL },
};

struct slice pause_body(struct call *call, const char *action, const char *type)
{
    static const char *const texts[] = { "reason", "until", "ttl", "ramp" };
    const char *by = call_option(call, "by");
    struct value body = value_map();
    struct buffer out = { 0 };

    if (by == NULL)
        by = getenv("USER");
    value_put(&call->arena, &body, "action", value_text(action));
    if (type != NULL)
        value_put(&call->arena, &body, "type", value_text(type));
    if (by != NULL && *by != '\0')
        value_put(&call->arena, &body, "by", value_text(by));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (call_option(call, texts[i]) != NULL)
            value_put(&call->arena, &body, texts[i], value_text(call_option(call, texts[i])));
    if (call_option(call, "refuse") != NULL)
        value_put(&call->arena, &body, "accept", value_bool(false));
    json_write(&out, &body);
    struct slice text = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

struct slice pause_state(struct arena *arena, const struct value *shown)
{
    struct slice by = member_text(shown, "pausedBy"), why = member_text(shown, "pausedReason");
    struct slice until = member_text(shown, "pausedUntil");
    const struct value *ramp = value_find(shown, "ramp");
    int64_t since_ms = member_time(shown, "pausedAt");

    if (!member_bool(shown, "paused") && ramp != NULL) {
        int64_t now = member_int(ramp, "concurrencyLimit"); /* of a queue */
        return arena_format(
            arena, "coming back until %.*s%s", SLICE_ARG(member_text(ramp, "until")),
            now == 0 ? "" : arena_format(arena, ", now %" PRId64 " at a time", now).data);
    }
    if (!member_bool(shown, "paused"))
        return SLICE("open");
    return arena_format(arena, "paused %.*s%s%.*s%s%.*s%s%.*s",
                        SLICE_ARG(ago_text(arena, since_ms, clock_now_ms())),
                        by.size > 0 ? " by " : "", SLICE_ARG(by),
                        until.size > 0 ? ", until " : "", SLICE_ARG(until),
                        why.size > 0 ? ": " : "", SLICE_ARG(why));
}
