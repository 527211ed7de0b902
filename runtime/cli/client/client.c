/*
 * The client. libcurl does HTTP; this file decides what is worth a second try, how much is
 * believed (a reply is bounded, redirects are not followed: they would take the key elsewhere)
 * and how a refusal reads.
 */
#include "cli/client/client.h"

#include "base/crypto.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REPLY_MAX_BYTES = 64 << 20,
    CONNECT_TIME_S = 10,
    REPLY_TIME_S = 120, /* longer than any long poll */
    TRIES = 4,
    FIRST_PAUSE_MS = 250,
};

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    if (body->size + size * count > REPLY_MAX_BYTES)
        return 0; /* ends the transfer with CURLE_WRITE_ERROR */
    buffer_add(body, bytes, size * count);
    return size * count;
}

/* Headers of bide's own, "x-bide-warning: ...", gathered as they come. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct slice line = { bytes, size * count };

    if (line.size > 7 && strncasecmp(line.data, "x-bide-", 7) == 0)
        buffer_slice(context, line);
    return line.size;
}

/* The value of a gathered header; empty when it did not come. Moves *lines behind it. */
static struct slice header_take(struct slice *lines, const char *name)
{
    size_t size = strlen(name);

    while (lines->size > 0) {
        const char *end = memchr(lines->data, '\n', lines->size);
        struct slice line = { lines->data,
                              end == NULL ? lines->size : (size_t)(end - lines->data) };
        size_t step = line.size + (end != NULL);
        lines->data += step;
        lines->size -= step;
        if (line.size <= size || strncasecmp(line.data, name, size) != 0 ||
            line.data[size] != ':')
            continue;
        struct slice value = { line.data + size + 1, line.size - size - 1 };
        while (value.size > 0 && value.data[0] == ' ')
            value.data++, value.size--;
        while (value.size > 0 && (unsigned char)value.data[value.size - 1] <= ' ')
            value.size--;
        return value;
    }
    return (struct slice){ 0 };
}

/* What the server did not use of a request, and what it finds odd. */
static void headers_tell(struct slice headers)
{
    static const char *const words[][2] = { { "x-bide-ignored", "not known, not used: " },
                                            { "x-bide-warning", "" } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct slice rest = headers, text;
        while ((text = header_take(&rest, words[i][0])).size > 0)
            cli_fail(CLI_DONE, "%s%.*s", words[i][1], SLICE_ARG(text));
    }
}

bool client_open(struct client *client, struct call *call, int *code)
{
    return client_open_in(client, call, NULL, code);
}

bool client_open_in(struct client *client, struct call *call, const char *environment,
                    int *code)
{
    struct err err = { 0 };

    *client = (struct client){ .call = call, .arena = &call->arena };
    if (!settings_find_in(call, environment, &client->settings, &err)) {
        *code = cli_fail(err.code == ERR_BAD_REQUEST ? CLI_USAGE : CLI_FAILED, "%s", err.text);
        return false;
    }
    if (client->settings.key == NULL && environment != NULL) {
        *code =
            cli_fail(CLI_FAILED,
                     "there is no environment %s, or its key is not at hand: %s is not there",
                     environment, client->settings.missing);
        return false;
    }
    if (client->settings.key == NULL) {
        *code = cli_fail(CLI_FAILED,
                         "no key for %s: set BIDE_KEY, or say with --data where its server "
                         "keeps its data, or start that server as this user (%s is not there)",
                         client->settings.url, client->settings.missing);
        return false;
    }
    client->curl = curl_easy_init();
    *code = client->curl != NULL ? CLI_DONE : cli_fail(CLI_FAILED, "libcurl does not start");
    return client->curl != NULL;
}

void client_close(struct client *client)
{
    curl_easy_cleanup(client->curl);
    client->curl = NULL;
}

static struct curl_slist *make_headers(const struct client *client, const char *method)
{
    char line[300];
    struct curl_slist *headers = NULL;

    snprintf(line, sizeof line, "Authorization: Bearer %s", client->settings.key);
    headers = curl_slist_append(headers, line);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "x-trigger-source: cli");
    headers = curl_slist_append(headers, "Expect:"); /* no round trip before the body */
    if (strcmp(method, "POST") == 0) {
        /* The same in each try, so that a reply that got lost does not make a second run. */
        uint8_t random[16];
        char hex[2 * sizeof random + 1];
        crypto_random(random, sizeof random);
        snprintf(line, sizeof line, "x-trigger-request-idempotency-key: %s",
                 crypto_hex(random, sizeof random, hex));
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static void prepare(struct client *client, const char *method, const char *url,
                    struct slice body, struct curl_slist *headers)
{
    CURL *curl = client->curl;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIME_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REPLY_TIME_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "bide/" BIDE_VERSION);
    if (settings_is_local(client->settings.url)) /* a proxy is no way to this machine */
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (strcmp(method, "GET") == 0)
        return;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    if (strcmp(method, "POST") != 0)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.size > 0 ? body.data : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
}

static bool explain(const struct client *client, CURLcode result, struct err *err)
{
    const char *url = client->settings.url;

    if (result == CURLE_COULDNT_CONNECT)
        return err_set(err, ERR_SYSTEM, "nothing answers at %s; is `bide serve` running there?",
                       url);
    if (result == CURLE_WRITE_ERROR)
        return err_set(err, ERR_TOO_LARGE, "the reply of %s is over %d MiB", url,
                       REPLY_MAX_BYTES >> 20);
    if (result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR)
        return err_set(err, ERR_SYSTEM, "%s closed the connection without a reply", url);
    return err_set(err, ERR_SYSTEM, "%s: %s", url, curl_easy_strerror(result));
}

void client_pause(uint32_t duration_ms)
{
    struct timespec time = { duration_ms / 1000, (long)(duration_ms % 1000) * 1000000 };
    while (nanosleep(&time, &time) != 0)
        ;
}

/* Busy or starting servers say so; the request was not carried out, or has its key. */
static bool is_passing(CURLcode result, long status)
{
    if (result != CURLE_OK)
        return result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR ||
               result == CURLE_SEND_ERROR;
    return status == 429 || status == 503;
}

static bool perform(struct client *client, struct buffer *body, struct buffer *headers,
                    struct reply *reply, struct err *err)
{
    uint32_t wait_ms = FIRST_PAUSE_MS;

    for (int try = 1;; try++, wait_ms *= 2) {
        body->size = headers->size = 0;
        curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, body);
        curl_easy_setopt(client->curl, CURLOPT_HEADERDATA, headers);
        CURLcode result = curl_easy_perform(client->curl);
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply->status);
        if (try < TRIES && is_passing(result, reply->status)) {
            client_pause(wait_ms);
            continue;
        }
        return result == CURLE_OK || explain(client, result, err);
    }
}

bool client_send(struct client *client, const char *method, const char *path, struct slice body,
                 struct reply *reply, struct err *err)
{
    struct arena *arena = client->arena;
    struct slice url = arena_format(arena, "%s%s", client->settings.url, path);
    struct curl_slist *headers = make_headers(client, method);
    struct buffer bytes = { 0 }, gathered = { 0 };

    *reply = (struct reply){ 0 };
    prepare(client, method, url.data, body, headers);
    bool done = perform(client, &bytes, &gathered, reply, err);
    if (done) {
        reply->body = arena_copy(arena, buffer_view(&bytes));
        reply->is_json = json_read(arena, reply->body, &reply->value, NULL);
        reply->headers = arena_copy(arena, buffer_view(&gathered));
        struct slice rest = reply->headers;
        reply->is_unused = slice_is(header_take(&rest, "x-bide-accepted"), "false");
    }
    buffer_finish(&gathered);
    buffer_finish(&bytes);
    curl_slist_free_all(headers);
    return done;
}

bool client_do(struct client *client, const char *method, const char *path, struct slice body,
               struct reply *reply)
{
    struct err err = { 0 };

    if (!client_send(client, method, path, body, reply, &err)) {
        client->failure = cli_fail(CLI_FAILED, "%s", err.text);
        return false;
    }
    return client_took(client, reply);
}

bool client_took(struct client *client, const struct reply *reply)
{
    headers_tell(reply->headers);
    if (reply->status >= 200 && reply->status < 300 && reply->is_json)
        return true;
    client->failure = client_complain(client, reply);
    return false;
}

static struct slice text_of(const struct value *map, const char *name)
{
    const struct value *found = value_find(map, name);
    return found != NULL && found->kind == VALUE_STRING ? found->bytes : SLICE("");
}

/* "  /amount_cents: expected an integer >= 1, got 0  (schemas/x.yaml:7)" */
static void add_problem(struct buffer *out, const struct value *problem)
{
    struct slice pointer = text_of(problem, "pointer"), schema = text_of(problem, "schema");
    struct slice expected = text_of(problem, "expected"), got = text_of(problem, "got");

    buffer_text(out, "\n  ");
    text_add_safe(out, pointer.size > 0 ? pointer : SLICE("(the whole)"), false);
    buffer_text(out, ": ");
    if (expected.size > 0 && got.size > 0) {
        buffer_text(out, "expected ");
        text_add_safe(out, expected, false);
        buffer_text(out, ", got ");
        text_add_safe(out, got, false);
    } else {
        text_add_safe(out, text_of(problem, "message"), false);
    }
    if (schema.size == 0)
        return;
    buffer_text(out, "  (");
    text_add_safe(out, schema, false);
    buffer_byte(out, ')');
}

static void refusal_begin(struct buffer *out, const struct client *client,
                          const struct reply *reply)
{
    buffer_text(out, "bide: ");
    if (client->subject != NULL) {
        text_add_safe(out, slice_of(client->subject), false);
        buffer_text(out, ": ");
    }
    buffer_format(out, "refused (%ld): ", reply->status);
}

/* A request that is not understood, or breaks a rule; a refusal with a code of its own is of
 * what the request carries. */
static bool is_misuse(const struct reply *reply)
{
    return reply->status == 400 ||
           (reply->status == 422 && value_find(&reply->value, "code") == NULL);
}

int client_complain(const struct client *client, const struct reply *reply)
{
    struct buffer out = { 0 };
    const struct value *problems = value_find(&reply->value, "problems");
    struct slice error = text_of(&reply->value, "error");

    if (reply->status >= 200 && reply->status < 300)
        buffer_text(&out, "bide: the reply is no JSON; is that a bide server?");
    else
        refusal_begin(&out, client, reply);
    text_add_safe(&out, error, false);
    if (error.size == 0 && reply->status >= 300)
        buffer_text(&out, "the server gives no reason");
    for (uint32_t i = 0;
         problems != NULL && problems->kind == VALUE_LIST && i < problems->count; i++)
        add_problem(&out, &problems->items[i]);
    buffer_byte(&out, '\n');
    screen_print(stderr, &out);
    return is_misuse(reply) ? CLI_USAGE : CLI_FAILED;
}

int client_ask(struct call *call, const char *subject, const char *method, const char *path,
               const struct value *body, client_print *print)
{
    struct buffer text = { 0 };
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = subject;
    if (body != NULL)
        json_write(&text, body);
    if (!client_do(&client, method, path, buffer_view(&text), &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print(&call->arena, &reply.value);
    buffer_finish(&text);
    client_close(&client);
    return code;
}

int client_show(struct call *call, const char *subject, const char *path, client_print *print)
{
    return client_ask(call, subject, "GET", path, NULL, print);
}

void path_add(struct buffer *path, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;
        if (plain)
            buffer_byte(path, *text);
        else
            buffer_format(path, "%%%02X", byte);
    }
}

const char *path_take(struct buffer *path, struct arena *arena)
{
    const char *taken = arena_text(arena, buffer_view(path));
    buffer_finish(path);
    return taken;
}

const char *path_of_run(struct arena *arena, const char *version, const char *run,
                        const char *end)
{
    struct buffer path = { 0 };

    buffer_format(&path, "/api/%s/runs/", version);
    path_add(&path, run);
    buffer_text(&path, end);
    return path_take(&path, arena);
}
