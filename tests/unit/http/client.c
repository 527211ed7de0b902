/* The client of the tests: plain sockets, so that broken requests can be sent too. */
#include "codec/json.h"
#include "site.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int site_connect(const struct site *site)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(site->port) };
    struct timeval patience = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_geq(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%s",
                 strerror(errno));
    return fd;
}

/* A server that has closed the connection is no failure here: what it said before counts. */
void site_send(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        size -= (size_t)sent;
    }
}

bool answer_header(struct answer answer, const char *name, struct slice *value)
{
    const char *at = answer.head.data;

    while (at != NULL && (at = strstr(at, "\r\n")) != NULL) {
        at += 2;
        size_t size = strlen(name);
        if (strncasecmp(at, name, size) == 0 && at[size] == ':') {
            at += size + 1;
            while (*at == ' ')
                at++;
            *value = (struct slice){ at, strcspn(at, "\r\n") };
            return true;
        }
    }
    return false;
}

/* More bytes; false at the end of the stream. */
static bool more(int fd, struct buffer *in)
{
    ssize_t got = recv(fd, buffer_reserve(in, 65536), 65536, 0);

    cr_assert(got >= 0 || errno == ECONNRESET, "the server says nothing: %s", strerror(errno));
    if (got <= 0)
        return false;
    in->size += (size_t)got;
    return true;
}

static size_t head_size(const struct buffer *in)
{
    char *end = in->size == 0 ? NULL : memmem(in->data, in->size, "\r\n\r\n", 4);

    return end == NULL ? 0 : (size_t)(end - in->data) + 4;
}

struct answer site_receive(struct site *site, int fd)
{
    struct buffer in = { 0 };
    struct answer answer = { 0 };
    struct slice text;
    size_t head, length = 0;

    for (;;) {
        while ((head = head_size(&in)) == 0 && more(fd, &in))
            ;
        if (head == 0) {
            answer.was_closed = true;
            buffer_finish(&in);
            return answer;
        }
        answer.head.data = arena_text(&site->arena, (struct slice){ in.data, head });
        answer.head.size = head;
        answer.status = atoi(in.data + strlen("HTTP/1.1 "));
        if (answer.status != 100)
            break;
        buffer_consume(&in, head);
    }
    if (answer_header(answer, "content-length", &text))
        length = strtoul(text.data, NULL, 10);
    while (in.size < head + length && more(fd, &in))
        ;
    size_t size = in.size - head < length ? in.size - head : length;
    answer.body.data = arena_text(&site->arena, (struct slice){ in.data + head, size });
    answer.body.size = size;
    answer.was_closed = answer_header(answer, "connection", &text) && slice_is(text, "close");
    if (!json_read(&site->arena, answer.body, &answer.json, NULL))
        answer.json = (struct value){ .kind = VALUE_NULL };
    buffer_finish(&in);
    return answer;
}

struct answer site_ask(struct site *site, const char *method, const char *path,
                       const char *headers, const char *body)
{
    struct buffer out = { 0 };
    int fd = site_connect(site);

    buffer_format(&out, "%s %s HTTP/1.1\r\nhost: localhost\r\n%s", method, path, headers);
    if (body != NULL)
        buffer_format(&out, "content-length: %zu\r\n", strlen(body));
    buffer_format(&out, "\r\n%s", body == NULL ? "" : body);
    site_send(fd, out.data, out.size);
    buffer_finish(&out);
    struct answer answer;
    if (strcmp(method, "HEAD") == 0) {
        shutdown(fd, SHUT_WR);
        answer = site_receive(site, fd);
    } else {
        answer = site_receive(site, fd);
    }
    close(fd);
    return answer;
}

struct answer site_get(struct site *site, const char *path)
{
    return site_ask(site, "GET", path, "authorization: Bearer " KEY_DEV "\r\n", NULL);
}

struct answer site_post(struct site *site, const char *path, const char *body)
{
    return site_ask(site, "POST", path,
                    "authorization: Bearer " KEY_DEV "\r\ncontent-type: application/json\r\n",
                    body);
}

const struct value *answer_find(struct answer answer, const char *path)
{
    static struct value root;
    const struct value *at = &root;

    root = answer.json;
    while (at != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        if (at->kind == VALUE_LIST) {
            uint32_t index = (uint32_t)strtoul(path, NULL, 10);
            at = index < at->count ? &at->items[index] : NULL;
        } else {
            at = value_find_slice(at, (struct slice){ path, size });
        }
        path += size + (path[size] == '.');
    }
    return at;
}

const char *answer_text(struct site *site, struct answer answer, const char *path)
{
    const struct value *value = answer_find(answer, path);

    return value == NULL || value->kind != VALUE_STRING
               ? ""
               : arena_text(&site->arena, value->bytes);
}

const char *site_path(struct site *site, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    struct slice text = arena_vformat(&site->arena, format, arguments);
    va_end(arguments);
    return text.data;
}

const char *site_run(struct site *site, const char *task, const char *payload)
{
    struct answer answer = site_post(site, site_path(site, "/api/v1/tasks/%s/trigger", task),
                                     site_path(site, "{\"payload\":%s}", payload));

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    return answer_text(site, answer, "id");
}

struct answer site_until(struct site *site, const char *run, const char *status)
{
    bool waiting = strcmp(status, "WAITING") == 0;
    struct answer answer = site_get(site, site_path(site, "/api/v3/runs/%s?wait=9s&until=%s",
                                                    run, waiting ? "waiting" : "done"));

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_str_eq(answer_text(site, answer, "status"), status, "%s", answer.body.data);
    return answer;
}
