#include "reply.h"

#include "codec/json.h"
#include "http/server/wire.h"

#include <assert.h>

struct out reply_out(struct request *request)
{
    request->reply.size = 0;
    return (struct out){ .buffer = &request->reply };
}

void reply_header(struct request *request, const char *name, const char *value)
{
    assert(request->header_count < REQUEST_HEADERS);
    request->headers[request->header_count].name = name;
    request->headers[request->header_count++].value = value;
}

/* Headers that go with a refusal, so that no route has to remember them. */
static void add_status_headers(struct request *request, unsigned status)
{
    /* The official client takes a 404 for a lagging replica unless told otherwise. */
    if (status == HTTP_NOT_FOUND)
        reply_header(request, "x-should-retry", "false");
    if (status == HTTP_TOO_MANY_REQUESTS || status == HTTP_SERVICE_UNAVAILABLE)
        reply_header(request, "retry-after", "1");
}

void reply_send(struct request *request, unsigned status)
{
    assert(request->phase < REQUEST_ANSWERED);
    request->status = status;
    if (status >= HTTP_BAD_REQUEST)
        add_status_headers(request, status);
    request->phase = REQUEST_ANSWERED;
    long_poll_remove(&request->http->long_polls, &request->long_poll); /* nothing to wake for */
    if (request->is_suspended) {
        request->is_suspended = false;
        wire_answered(request);
    }
}

void reply_ok(struct request *request)
{
    reply_send(request, HTTP_OK);
}

/* Error texts may quote a client's bytes, cut anywhere. */
static struct slice as_utf8(struct request *request, struct slice text)
{
    if (utf8_is_valid(text))
        return text;
    char *copy = arena_text(&request->arena, text);
    for (size_t i = 0; i < text.size; i++)
        if ((copy[i] & 0x80) != 0)
            copy[i] = '?';
    return (struct slice){ copy, text.size };
}

void reply_error(struct request *request, unsigned status, struct slice text)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    if (status == HTTP_TOO_MANY_REQUESTS) {
        request->type = "application/problem+json";
        out_word(&out, "title", "Rate Limit Exceeded");
        out_int(&out, "status", status);
        out_word(&out, "type", "about:blank");
        out_text(&out, "detail", as_utf8(request, text));
    }
    out_text(&out, "error", as_utf8(request, text));
    out_end_map(&out);
    reply_send(request, status);
}

void reply_err(struct request *request, const struct err *err)
{
    const char *text = err->text[0] == '\0' ? err_hint(err->code) : err->text;

    reply_error(request, (unsigned)err_status(err->code), slice_of(text));
}

void reply_query_error(struct request *request, const struct err *err)
{
    struct out out = reply_out(request);
    struct slice text = as_utf8(request, slice_of(err->text));

    out_map(&out, NULL);
    out_text(&out, "error",
             arena_format(&request->arena, "Query Error: %.*s", SLICE_ARG(text)));
    out_list(&out, "details");
    out_text(&out, NULL, text);
    out_end_list(&out);
    out_end_map(&out);
    reply_send(request, (unsigned)err_status(err->code));
}

void reply_problems(struct request *request, unsigned status, const char *code,
                    const char *text, const struct problems *problems)
{
    struct value value = problems_value(&request->arena, problems);
    const struct problem *first = problems->first;
    struct out out = reply_out(request);

    out_map(&out, NULL);
    /* Many clients show nothing but the text. */
    if (first == NULL)
        out_text(&out, "error", slice_of(text));
    else
        out_text(&out, "error",
                 arena_format(&request->arena, "%s: %.*s%s", text, SLICE_ARG(first->message),
                              problems->count > 1 ? " (and more)" : ""));
    out_word(&out, "code", code);
    for (uint32_t i = 0; value.kind == VALUE_MAP && i < value.count; i++) {
        struct member *member = &value.members[i];
        out_value(&out, arena_text(&request->arena, member->key), &member->value);
    }
    out_end_map(&out);
    reply_send(request, status);
}

void reply_success(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_bool(&out, "success", true);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}
