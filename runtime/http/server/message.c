#include "message.h"

#include <strings.h>

#define METHOD_UNKNOWN "The request's method is not known here"

static bool refuse(struct refusal *refusal, unsigned status, const char *text)
{
    *refusal = (struct refusal){ status, text };
    return false;
}

/* ---- what llhttp finds ------------------------------------------------------------------- */

static int on_target(llhttp_t *parser, const char *at, size_t size)
{
    struct message *message = parser->data;

    message->head->target = (struct slice){ at, size };
    return HPE_OK;
}

static int on_name(llhttp_t *parser, const char *at, size_t size)
{
    struct message *message = parser->data;
    struct head *head = message->head;

    if (head == NULL) /* a trailer: nobody looks at these */
        return HPE_OK;
    if (head->header_count == MESSAGE_HEADERS)
        return HPE_USER; /* message_find has counted the lines: cannot be */
    head->headers[head->header_count++] = (struct header){ .name = { at, size } };
    return HPE_OK;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct message *message = parser->data;
    struct head *head = message->head;

    if (head == NULL)
        return HPE_OK;
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    if (head->header_count == 0 || head->headers[head->header_count - 1].value.data != NULL)
        return HPE_USER; /* no folded lines come here */
    head->headers[head->header_count - 1].value = (struct slice){ at, size };
    return HPE_OK;
}

static int on_head(llhttp_t *parser)
{
    struct message *message = parser->data;

    message->head->has_body = (parser->flags & F_CHUNKED) != 0 || parser->content_length > 0;
    message->head->is_chunked = (parser->flags & F_CHUNKED) != 0;
    message->head->length = parser->content_length;
    message->head->keeps_open = llhttp_should_keep_alive(parser) != 0;
    message->head = NULL;
    parser->upgrade = 0; /* whatever is offered, this stays HTTP/1 */
    return HPE_OK;
}

/* Bytes between the pieces of a body: sizes, ends of lines, trailers. */
static bool framing_fits(struct message *message, const char *end)
{
    for (const char *at = message->mark; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        bool begins_line = message->last == '\n';
        if (message->last == '\r' ? c != '\n' : c == '\n')
            return false;
        if ((c < ' ' && c != '\r' && c != '\n' && c != '\t') || c >= 0x7f)
            return false;
        if (begins_line && (c == ' ' || c == '\t' || c == ':'))
            return false;
        message->last = *at;
        message->framing_bytes++;
    }
    return true;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct message *message = parser->data;

    if (!framing_fits(message, at))
        return HPE_STRICT;
    message->mark = at + size;
    message->last = 0;
    message->body_bytes += size;
    return message->take(message->context, (struct slice){ at, size }) ? HPE_OK : HPE_USER;
}

static int on_whole(llhttp_t *parser)
{
    struct message *message = parser->data;

    message->is_whole = true;
    return HPE_PAUSED;
}

void message_init(struct message *message)
{
    static const llhttp_settings_t settings = { .on_url = on_target,
                                                .on_header_field = on_name,
                                                .on_header_value = on_value,
                                                .on_headers_complete = on_head,
                                                .on_body = on_body,
                                                .on_message_complete = on_whole };

    *message = (struct message){ .head = NULL };
    llhttp_init(&message->parser, HTTP_REQUEST, &settings);
    message->parser.lenient_flags = LENIENT_VERSION; /* line_fits looks at it */
    message->parser.data = message;
}

/* ---- the head ---------------------------------------------------------------------------- */

static bool too_long(const struct message *message, struct slice bytes, struct refusal *refusal)
{
    if (message->lines == 0 && memchr(bytes.data, ' ', bytes.size) == NULL)
        return refuse(refusal, 501, METHOD_UNKNOWN);
    return message->lines == 0
               ? refuse(refusal, 414, "The request's URL is too long")
               : refuse(refusal, 431, "The request's headers are too long together");
}

size_t message_find(struct message *message, struct slice bytes, size_t most,
                    struct refusal *refusal)
{
    size_t size = bytes.size < most ? bytes.size : most, i = message->scanned;

    for (; i < size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c > ' ' && c != 0x7f && (c != ':' || i > message->line))
            continue;
        if ((c == ' ' || c == '\t') && i > message->line)
            continue;
        if (c != '\r') {
            refuse(refusal, 400,
                   "The request is no HTTP: a line begins or ends wrongly, or has control "
                   "characters");
            return 0;
        }
        if (i + 1 == size)
            break; /* its LF is still to come */
        if (bytes.data[i + 1] != '\n') {
            refuse(refusal, 400, "The request is no HTTP: CR must be followed by LF");
            return 0;
        }
        if (i == message->line && message->lines > 0)
            return i + 2;
        if (i == 0) {
            refuse(refusal, 400, "The request begins with an empty line");
            return 0;
        }
        if (++message->lines > MESSAGE_HEADERS + 1) {
            refuse(refusal, 431, "The request has too many headers");
            return 0;
        }
        i++;
        message->line = i + 1;
    }
    message->scanned = i;
    if (bytes.size >= most)
        too_long(message, (struct slice){ bytes.data, size }, refusal);
    return 0;
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (c < '0' || c > '9') && strchr("!#$%&'*+-.^_`|~", c) == NULL)
            return false;
    }
    return text.size > 0;
}

/* "METHOD SP target SP HTTP/1.1", and nothing else: llhttp takes more than one space, no
 * version at all, and the first lines of RTSP. */
static bool line_fits(struct message *message, struct slice bytes, struct head *head,
                      struct refusal *refusal)
{
    static const char between[] = " HTTP/";
    const char *target = head->target.data, *end = target + head->target.size;
    int major = message->parser.http_major, minor = message->parser.http_minor;

    head->method.data = bytes.data;
    head->method.size = (size_t)(target - bytes.data) - 1;
    if ((size_t)(bytes.data + bytes.size - end) < 13 || !is_token(head->method) ||
        target[-1] != ' ' || memcmp(end, between, sizeof between - 1) != 0 ||
        memcmp(end + 9, "\r\n", 2) != 0)
        return refuse(refusal, 400, "The request's first line is no HTTP");
    if (major != 1)
        return refuse(refusal, 505, "This server speaks HTTP/1.1");
    head->is_old = minor == 0;
    return slice_is(head->method, "CONNECT") ? refuse(refusal, 501, "This server is no proxy")
                                             : true;
}

/* What llhttp did not want to read further. */
static bool refuse_code(enum llhttp_errno code, const llhttp_t *parser, struct slice bytes,
                        struct refusal *refusal)
{
    const char *space = memchr(bytes.data, ' ', bytes.size);
    struct slice method = { bytes.data, space == NULL ? 0 : (size_t)(space - bytes.data) };

    if (parser->method == HTTP_PRI)
        return refuse(refusal, 505, "This server speaks HTTP/1.1");
    if (code == HPE_INVALID_METHOD && is_token(method))
        return refuse(refusal, 501, METHOD_UNKNOWN);
    return refuse(refusal, 400,
                  parser->reason == NULL || parser->reason[0] == '\0' ? "The request is no HTTP"
                                                                      : parser->reason);
}

/* ---- the headers ------------------------------------------------------------------------- */

static bool is_name(struct slice name, const char *text)
{
    return strncasecmp(name.data, text, name.size) == 0 && text[name.size] == '\0';
}

/* Of these a second one would be a second opinion. */
#define SINGLE_MAP(X)        \
    X("host")                \
    X("authorization")       \
    X("content-type")        \
    X("content-encoding")    \
    X("expect")              \
    X("content-length")      \
    X("origin")              \
    X("transfer-encoding")   \
    X("idempotency-key")     \
    X("idempotency-key-ttl") \
    X("x-trigger-request-idempotency-key")
#define NAME(name)  name,
#define TWICE(name) "The header " name " stands twice, and may stand once",

static const char *const singles[] = { SINGLE_MAP(NAME) };
static const char *const twice[] = { SINGLE_MAP(TWICE) };

enum { SINGLES = sizeof singles / sizeof singles[0] };

/* "example.org:80", "[::1]", "10.0.0.1": what may stand in a URL. */
static bool is_host(struct slice text)
{
    size_t end = 0, ports = 0;
    bool is_literal = text.size > 0 && text.data[0] == '[';

    for (; end < text.size && (text.data[end] != ':' || is_literal); end++) {
        char c = text.data[end];
        bool is_letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
        if (is_literal && c == ']') {
            end++;
            break;
        }
        if (!is_letter && strchr(is_literal ? "[:.%" : "-._~!$&'()*+,;=%", c) == NULL)
            return false;
    }
    if (end == 0 || (is_literal && (end < 4 || text.data[end - 1] != ']')))
        return false;
    if (end == text.size)
        return true;
    for (ports = end + 1; ports < text.size; ports++)
        if (text.data[ports] < '0' || text.data[ports] > '9')
            return false;
    return text.data[end] == ':' && ports - end <= 6;
}

/* llhttp has seen to it that "chunked", if there, is last and stands without a length. */
static bool encoding_fits(const struct head *head, struct slice value, struct refusal *refusal)
{
    static const char *const codings[] = { "gzip", "x-gzip", "deflate", "compress",
                                           "x-compress" };
    size_t size = 0;

    if (head->is_old)
        return refuse(refusal, 400, "HTTP/1.0 has no transfer-encoding");
    if (is_name(value, "chunked"))
        return true;
    while (size < value.size && value.data[size] != ' ' && value.data[size] != ',')
        size++;
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++)
        if (is_name((struct slice){ value.data, size }, codings[i]))
            return refuse(refusal, 501, "transfer-encoding must be \"chunked\" alone");
    return refuse(refusal, 400, "transfer-encoding must be \"chunked\" alone");
}

static bool header_fits(struct head *head, uint32_t which, struct slice value,
                        struct refusal *refusal)
{
    if (strcmp(singles[which], "host") == 0)
        return is_host(value) || refuse(refusal, 400, "The header host is no host");
    if (strcmp(singles[which], "transfer-encoding") == 0)
        return encoding_fits(head, value, refusal);
    if (strcmp(singles[which], "content-length") == 0) {
        for (size_t i = 0; i < value.size; i++)
            if (value.data[i] < '0' || value.data[i] > '9')
                return refuse(refusal, 400, "content-length must be digits");
        return value.size > 0 || refuse(refusal, 400, "content-length must be digits");
    }
    if (strcmp(singles[which], "expect") == 0) {
        if (!is_name(value, "100-continue"))
            return refuse(refusal, 417, "Only 100-continue can be expected");
        head->expects = !head->is_old;
    }
    return true;
}

static bool headers_fit(struct head *head, struct refusal *refusal)
{
    uint32_t seen = 0;

    for (uint32_t i = 0; i < head->header_count; i++) {
        const struct header *header = &head->headers[i];
        if (!is_token(header->name))
            return refuse(refusal, 400, "A header's name is none");
        for (uint32_t k = 0; k < SINGLES; k++) {
            if (!is_name(header->name, singles[k]))
                continue;
            if ((seen & 1u << k) != 0)
                return refuse(refusal, 400, twice[k]);
            seen |= 1u << k;
            if (!header_fits(head, k, header->value, refusal))
                return false;
        }
    }
    return head->is_old || (seen & 1) != 0 ||
           refuse(refusal, 400, "The header host is missing");
}

/* ---- the target -------------------------------------------------------------------------- */

/* Leaves the path and the query. "http://host/path" is as good as "/path". */
static bool target_fits(struct head *head, struct refusal *refusal)
{
    struct slice *target = &head->target;
    bool is_query = false;

    for (size_t i = 0; i < target->size; i++) {
        char c = target->data[i];
        is_query = is_query || c == '?';
        if (c <= ' ' || c > '~' || strchr("\"<>#`", c) != NULL || (c == '\\' && !is_query))
            return refuse(refusal, 400,
                          "The request's URL has characters that must be escaped");
    }
    if (slice_is(*target, "*"))
        return slice_is(head->method, "OPTIONS") ||
               refuse(refusal, 400, "Only OPTIONS can ask for *");
    size_t skip = strncasecmp(target->data, "http://", 7) == 0    ? 7
                  : strncasecmp(target->data, "https://", 8) == 0 ? 8
                                                                  : 0;
    if (skip > 0) {
        size_t end = skip;
        while (end < target->size && target->data[end] != '/' && target->data[end] != '?')
            end++;
        if (!is_host((struct slice){ target->data + skip, end - skip }))
            return refuse(refusal, 400, "The request's URL has no host");
        if (end == target->size)
            *target = SLICE("/");
        else
            *target = (struct slice){ target->data + end, target->size - end };
    }
    return target->data[0] == '/' || (skip > 0 && target->data[0] == '?') ||
           refuse(refusal, 400, "The request's URL must begin with /");
}

bool message_head(struct message *message, struct slice bytes, struct head *head,
                  struct refusal *refusal)
{
    head->header_count = 0;
    head->target = (struct slice){ 0 };
    head->expects = false;
    message->head = head;
    message->mark = bytes.data + bytes.size;
    enum llhttp_errno code = llhttp_execute(&message->parser, bytes.data, bytes.size);
    bool is_read = code == HPE_OK || (code == HPE_PAUSED && message->is_whole);
    bool is_all = message->head == NULL;

    message->head = NULL;
    if (!is_read || !is_all || head->target.size == 0)
        return refuse_code(code, &message->parser, bytes, refusal);
    if (head->header_count != message->lines - 1)
        return refuse(refusal, 400, "A header is none");
    return line_fits(message, bytes, head, refusal) && headers_fit(head, refusal) &&
           target_fits(head, refusal);
}

size_t message_body(struct message *message, struct slice bytes,
                    bool (*take)(void *context, struct slice piece), void *context, size_t most,
                    struct refusal *refusal)
{
    message->take = take;
    message->context = context;
    message->mark = bytes.data;
    enum llhttp_errno code = llhttp_execute(&message->parser, bytes.data, bytes.size);
    const char *end =
        code == HPE_PAUSED ? llhttp_get_error_pos(&message->parser) : bytes.data + bytes.size;

    if (code == HPE_USER) /* `take` has had enough */
        return bytes.size;
    if (code != HPE_OK && code != HPE_PAUSED)
        refuse(refusal, 400, "The request's body is not chunked as HTTP wants it");
    else if (!framing_fits(message, end))
        refuse(refusal, 400, "The request's body is not chunked as HTTP wants it");
    else if (message->framing_bytes > most + 8 * message->body_bytes)
        refuse(refusal, 431, "There is too much between the pieces of the request's body");
    return (size_t)(end - bytes.data);
}
