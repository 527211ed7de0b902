/* Messages to runs: sent, and what is there of them. */
#include "base/name.h"
#include "codec/pack.h"
#include "engine/waits/mail.h"
#include "engine/waits/wait.h"
#include "http/api/redact.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

/* ---- send -------------------------------------------------------------------------------- */

static void send_done(struct request *request)
{
    const struct message_send *send = &request->command.message_send;
    struct out out = reply_out(request);

    if (send->differs)
        reply_header(request, "x-bide-payload-differs", "true");
    out_map(&out, NULL);
    out_id(&out, "runId", "run", send->run_id);
    out_int(&out, "number", send->number);
    out_bool(&out, "isCached", send->cached);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static const struct member_rule send_members[] = {
    { "name", MEMBER_TAKEN, NULL },
    { "data", MEMBER_TAKEN, NULL },
    { "key", MEMBER_TAKEN, NULL },
    { "payload", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "value", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "message", MEMBER_ELSEWHERE, "is said by \"name\" and \"data\"" },
    { "idempotencyKey", MEMBER_ELSEWHERE, "is called \"key\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

enum { NAME_BYTES = 256, KEY_BYTES = 2048 };

static bool send_read(struct request *request, const struct value *body,
                      struct message_send *send, struct err *err)
{
    const struct value *data;

    if (!body_text(request, body, "name", NAME_BYTES, &send->name, err) ||
        !body_text(request, body, "key", KEY_BYTES, &send->key, err) ||
        !name_check(NAME_MESSAGE, send->name, err) ||
        (send->key.size > 0 && !name_check(NAME_KEY, send->key, err)))
        return false;
    if (!body_data(send_members, body, &data, err))
        return false;
    if (data != NULL)
        send->data = pack_value(&request->arena, data);
    return true;
}

void message_send(struct request *request)
{
    struct message_send *send = &request->command.message_send;
    struct err err = { 0 };
    struct value body;

    if (!request_id(request, "run", RUN_UNKNOWN, &send->run_id) ||
        !request_members(request, send_members, &body))
        return;
    request->command.kind = COMMAND_MESSAGE_SEND;
    send->environment = request->world->environment->number;
    if (send_read(request, &body, send, &err))
        request_submit(request, send_done);
    else
        reply_err(request, &err);
}

/* ---- list -------------------------------------------------------------------------------- */

static bool is_taken(const struct wait *wait, int64_t number)
{
    for (uint32_t i = 0; wait->group != NULL && i < wait->group->count; i++)
        if (wait->group->parts[i].kind == PART_MESSAGE && wait->group->parts[i].id == number)
            return true;
    return false;
}

static void message_write(struct request *request, struct out *out, const struct run *run,
                          const struct wait *wait, const struct mail_item *message)
{
    struct redaction redaction =
        redact_message(request->read.catalog, run, message->name, message->secret);

    out_map(out, NULL);
    out_int(out, "number", message->number);
    out_text(out, "name", message->name);
    out_time(out, "createdAt", message->created_ms);
    if (message->sender_id != 0)
        out_id(out, "senderId", "run", message->sender_id);
    out_bool(out, "isTaken", is_taken(wait, message->number));
    redact_out(out, "data", &redaction, &request->arena, message->data);
    out_end_map(out);
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const int64_t *id = request->view;
    struct wait wait;
    struct run *run;

    if (!reader->reader->ops->run(reader->reader, &request->arena,
                                  request->world->environment->number, *id, PART_MAIL, &run,
                                  err))
        return false;
    if (run == NULL)
        return err_set(err, ERR_NOT_FOUND, RUN_UNKNOWN);
    struct mail mail = mail_read(&request->arena, run->mail);
    (void)wait_read(&request->arena, run->wait, &wait); /* none: nothing is taken */
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < mail.count; i++)
        message_write(request, &out, run, &wait, &mail.items[i]);
    out_end_list(&out);
    out_int(&out, "bytes", (int64_t)run->mail.size);
    out_int(&out, "sent", run->mailed);
    out_end_map(&out);
    return true;
}

void message_list(struct request *request)
{
    int64_t *id = ARENA_NEW(&request->arena, int64_t);

    request->view = id;
    if (request_id(request, "run", RUN_UNKNOWN, id) && request_params(request, NULL))
        request_read(request, list_work, reply_ok);
}
