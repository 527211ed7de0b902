/*
 * Which builds new runs take: promote one that is kept, or go back to the one before.
 *
 *   dispatch says what changes ─▶ COMMAND_BUILDS_PUT ─▶ committed ─▶ dispatch does it
 *     ─▶ the engine has the next catalog ─▶ 200
 */
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/body/span_option.h"
#include "http/server/reply.h"

#include <inttypes.h>
#include <string.h>

enum { SETTLE_MS = 10000 };

static const struct member_rule promote_members[] = {
    { "build", MEMBER_TAKEN, NULL }, { "percent", MEMBER_TAKEN, NULL },
    { "over", MEMBER_TAKEN, NULL },  { "withRuns", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule rollback_members[] = {
    { "plugin", MEMBER_TAKEN, NULL }, { "withRuns", MEMBER_TAKEN, NULL },
    { "reason", MEMBER_TAKEN, NULL }, { "by", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

/* The builds that were touched, as they are now. */
static void builds_reply(struct request *request)
{
    const struct builds_put *put = &request->command.builds_put;
    struct out out = reply_out(request);
    int64_t best_ms = 0;

    for (uint32_t i = 0; i < put->count; i++)
        best_ms = put->items[i].rank_ms > best_ms ? put->items[i].rank_ms : best_ms;
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < put->count; i++) {
        const struct build_row *row = &put->items[i];
        out_map(&out, NULL);
        out_text(&out, "file", row->file);
        out_text(&out, "plugin", row->plugin);
        out_text(&out, "version", row->version);
        out_text(&out, "build", (struct slice){ row->sha.data, 16 });
        out_bool(&out, "current", row->rank_ms == best_ms);
        if (row->ramp_percent > 0)
            out_int(&out, "percent", row->ramp_percent);
        if (row->note.size > 0)
            out_text(&out, "reason", row->note);
        out_end_map(&out);
    }
    out_end_list(&out);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static void on_settled(struct long_poll *long_poll, bool in_time)
{
    (void)in_time; /* it is written down, and comes about */
    builds_reply(container_of(long_poll, struct request, long_poll));
}

/* It is durable; what starts takes it with the next catalog. */
static void builds_done(struct request *request)
{
    const struct http_options *options = &request->http->options;

    long_poll_add(&request->http->long_polls, &request->long_poll, LONG_POLL_SETTLED, 1,
                  SETTLE_MS, on_settled);
    options->plugins_apply(options->context, &request->command);
}

static bool flag_read(const struct value *body, const char *name, bool *flag, struct err *err)
{
    const struct value *value = value_find(body, name);

    if (value != NULL && value->kind != VALUE_NULL && value->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "%s must be true or false", name);
    *flag = value != NULL && value->kind == VALUE_BOOL && value->boolean;
    return true;
}

static bool percent_read(const struct value *body, uint32_t *percent, struct err *err)
{
    const struct value *value = value_find(body, "percent");

    *percent = 100;
    if (value == NULL || value->kind == VALUE_NULL)
        return true;
    if (value->kind != VALUE_INT || value->integer < 1 || value->integer > 100)
        return err_set(err, ERR_BAD_REQUEST, "percent must be a whole number from 1 to 100");
    *percent = (uint32_t)value->integer;
    return true;
}

static bool build_read(struct request *request, const struct value *body, struct slice *build,
                       struct err *err)
{
    if (!body_text(request, body, "build", 64, build, err))
        return false;
    for (size_t i = 0; i < build->size; i++)
        if (strchr("0123456789abcdef", build->data[i]) == NULL)
            build->size = 0;
    return build->size >= 16 ||
           err_set(err, ERR_BAD_REQUEST,
                   "build must be 16 to 64 hex digits, as GET /api/v1/plugins shows them");
}

static bool promote_read(struct request *request, const struct value *body,
                         struct plugins_wish *wish, struct err *err)
{
    wish->what = PLUGINS_PROMOTE;
    if (!build_read(request, body, &wish->build, err) ||
        !percent_read(body, &wish->percent, err) ||
        !span_option(&request->arena, body, "over", false, &wish->over_ms, err) ||
        !flag_read(body, "withRuns", &wish->with_runs, err))
        return false;
    if (wish->percent < 100 && wish->with_runs)
        return err_set(err, ERR_RULE,
                       "withRuns moves the runs of the other builds, and percent lets some of "
                       "what starts take them still: one or the other");
    return wish->percent < 100 || wish->over_ms == 0 ||
           err_set(err, ERR_RULE, "over is how long it takes from percent to all: say percent");
}

static bool rollback_read(struct request *request, const struct value *body,
                          struct plugins_wish *wish, struct err *err)
{
    wish->what = PLUGINS_ROLLBACK;
    if (!body_text(request, body, "plugin", 300, &wish->plugin, err) ||
        !body_text(request, body, "reason", REASON_MAX, &wish->reason, err) ||
        !body_text(request, body, "by", BY_MAX, &wish->by, err) ||
        !flag_read(body, "withRuns", &wish->with_runs, err))
        return false;
    wish->by = by_or_key(request, wish->by);
    return wish->plugin.size > 0 ||
           err_set(err, ERR_BAD_REQUEST, "plugin must be the name of a plugin or of its file");
}

static void act(struct request *request, const struct member_rule *members,
                bool (*read)(struct request *request, const struct value *body,
                             struct plugins_wish *wish, struct err *err))
{
    const struct http_options *options = &request->http->options;
    struct plugins_wish wish = { 0 };
    struct err err = { 0 };
    struct value body;

    if (!request_members(request, members, &body))
        return;
    request->command.arena = &request->arena;
    if (read(request, &body, &wish, &err) &&
        options->plugins_ask(options->context, &wish, &request->command, &err))
        request_submit(request, builds_done);
    else
        reply_err(request, &err);
}

void plugin_promote(struct request *request)
{
    act(request, promote_members, promote_read);
}

void plugin_rollback(struct request *request)
{
    act(request, rollback_members, rollback_read);
}
