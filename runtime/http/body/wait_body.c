#include "http/body/wait_body.h"

#include "codec/pack.h"
#include "http/body/members.h"
#include "http/body/trigger_options.h"
#include "http/server/reply.h"

/* clang-format off */
#define WHO                                                        \
    { "by", MEMBER_TAKEN, NULL }, { "reason", MEMBER_TAKEN, NULL }, \
    { "message", MEMBER_ELSEWHERE, "is called \"reason\" here" },   \
    { "user", MEMBER_ELSEWHERE, "is called \"by\" here" }
#define WHEN                                                        \
    { "timeout", MEMBER_TAKEN, NULL },                              \
    { "until", MEMBER_ELSEWHERE, "is called \"timeout\" here" },    \
    { "timeoutAt", MEMBER_ELSEWHERE, "is called \"timeout\" here" }
#define NO_WHEN { "timeout", MEMBER_ELSEWHERE, "belongs to a move" }
#define CALLED_DATA MEMBER_ELSEWHERE, "is called \"data\" here"
#define DATA_ELSEWHERE                                          \
    { "output", CALLED_DATA }, { "payload", CALLED_DATA },      \
    { "result", CALLED_DATA }, { "value", CALLED_DATA },        \
    { "body", CALLED_DATA }
#define END { NULL, MEMBER_TAKEN, NULL }

static const struct member_rule end_members[] = {
    WHO, NO_WHEN,
    { "data", MEMBER_ELSEWHERE, "completes a token; one that ends otherwise takes nothing" },
    END,
};
static const struct member_rule move_members[] = {
    WHO, WHEN, { "data", MEMBER_ELSEWHERE, "is no member of a move" }, END,
};
static const struct member_rule wait_end_members[] = {
    WHO, NO_WHEN,
    { "data", MEMBER_ELSEWHERE, "completes one part of a wait; the whole takes nothing" },
    { "part", MEMBER_ELSEWHERE, "is no member here: the whole wait is meant" }, END,
};
static const struct member_rule wait_move_members[] = {
    WHO, WHEN, { "part", MEMBER_TAKEN, NULL },
    { "data", MEMBER_ELSEWHERE, "is no member of a move" }, END,
};
static const struct member_rule wait_complete_members[] = {
    WHO, NO_WHEN, { "part", MEMBER_TAKEN, NULL }, { "data", MEMBER_TAKEN, NULL },
    DATA_ELSEWHERE,
    { "token", MEMBER_ELSEWHERE, "is called \"part\" here" }, END,
};
/* clang-format on */

bool act_who_read(struct request *request, const struct value *body, struct token_complete *act,
                  struct err *err)
{
    return body_text(request, body, "by", BY_MAX, &act->by, err) &&
           body_text(request, body, "reason", REASON_MAX, &act->why, err);
}

/* One of a duration, a date and "never"; it must be said. */
static bool timeout_read(const struct value *body, struct token_complete *act, struct err *err)
{
    const struct value *timeout = value_find(body, "timeout");

    act->date_ms = act->span_ms = 0;
    if (timeout != NULL && timeout->kind == VALUE_STRING &&
        (slice_is(timeout->bytes, "never") ||
         when_read(timeout->bytes, &act->date_ms, &act->span_ms)))
        return true;
    return err_set(err, ERR_BAD_REQUEST,
                   "timeout must be a duration like \"10m\", a date like "
                   "\"2026-01-02T03:04:05Z\", or \"never\"");
}

static bool said_read(struct request *request, const struct member_rule *rules,
                      const struct value *body, enum command_kind kind, struct err *err)
{
    struct token_complete *act = &request->command.token_complete;
    const struct value *data = NULL;
    bool is_move = kind == COMMAND_TOKEN_MOVE || kind == COMMAND_WAIT_MOVE;

    request->command.kind = kind;
    act->environment = request->world->environment->number;
    if (!act_who_read(request, body, act, err) || (is_move && !timeout_read(body, act, err)) ||
        !body_text(request, body, "part", REASON_MAX, &act->part, err) ||
        (kind == COMMAND_WAIT_COMPLETE && !body_data(rules, body, &data, err)))
        return false;
    act->by = by_or_key(request, act->by);
    if (data != NULL && data->kind != VALUE_NULL) /* a token gets null, a time takes none */
        act->data = pack_value(&request->arena, data);
    return true;
}

bool act_read(struct request *request, enum command_kind kind)
{
    const struct member_rule *rules =
        kind == COMMAND_TOKEN_MOVE                                  ? move_members
        : kind == COMMAND_WAIT_MOVE                                 ? wait_move_members
        : kind == COMMAND_WAIT_COMPLETE                             ? wait_complete_members
        : kind == COMMAND_WAIT_TIMEOUT || kind == COMMAND_WAIT_SKIP ? wait_end_members
                                                                    : end_members;
    struct err err = { 0 };
    struct value body;

    if (!request_members(request, rules, &body))
        return false;
    if (said_read(request, rules, &body, kind, &err))
        return true;
    reply_err(request, &err);
    return false;
}

/* What was over already stays as it is; whether it was is told beside. */
void act_done(struct request *request)
{
    reply_header(request, "x-bide-accepted",
                 request->command.token_complete.won ? "true" : "false");
    reply_success(request);
}
