#include "client.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct growing {
    char *bytes;
    size_t size;
};

/* Everything a thread was handed hangs here, so that the leak checker sees an owner. */
static _Thread_local struct {
    void *memory;
    json_t *json;
} * kept;
static _Thread_local size_t kept_count;
static _Thread_local CURL *handle;

static void *keep_with(void *memory, json_t *json)
{
    if ((kept_count & (kept_count - 1)) == 0)
        kept = realloc(kept, (kept_count == 0 ? 1 : 2 * kept_count) * sizeof *kept);
    kept[kept_count].memory = memory;
    kept[kept_count++].json = json;
    return memory;
}

static void *keep(void *memory)
{
    return keep_with(memory, NULL);
}

void client_forget(void)
{
    for (size_t i = 0; i < kept_count; i++) {
        json_decref(kept[i].json);
        free(kept[i].memory);
    }
    free(kept);
    kept = NULL;
    kept_count = 0;
}

void client_close(void)
{
    client_forget();
    if (handle != NULL)
        curl_easy_cleanup(handle);
    handle = NULL;
}

/* Only report.c has it. */
void give_up_report(const char *sentence) __attribute__((weak));

void give_up(const char *format, ...)
{
    char sentence[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (give_up_report != NULL)
        give_up_report(sentence);
    fprintf(stderr, "\n# %s\n", sentence);
    abort();
}

const char *text(const char *format, ...)
{
    va_list arguments;
    char *out = NULL;
    va_start(arguments, format);
    if (vasprintf(&out, format, arguments) < 0)
        give_up("out of memory");
    va_end(arguments);
    return keep(out);
}

long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void pause_ms(int ms)
{
    struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    nanosleep(&time, NULL);
}

static size_t on_bytes(char *bytes, size_t one, size_t count, void *context)
{
    struct growing *out = context;
    out->bytes = realloc(out->bytes, out->size + count * one + 1);
    memcpy(out->bytes + out->size, bytes, count * one);
    out->size += count * one;
    out->bytes[out->size] = 0;
    return count * one;
}

static struct curl_slist *headers_of(const struct request *request)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    if (request->key != NULL)
        headers = curl_slist_append(headers, text("Authorization: Bearer %s", request->key));
    for (size_t i = 0; i < 4 && request->headers[i] != NULL; i++)
        headers = curl_slist_append(headers, request->headers[i]);
    return headers;
}

/* One handle a thread: connections are kept alive, as a real client does. */
static CURL *handle_get(void)
{
    if (handle == NULL)
        handle = curl_easy_init();
    curl_easy_reset(handle);
    return handle;
}

const struct reply *client_send(const struct request *request)
{
    CURL *curl = handle_get();
    struct reply *reply = calloc(1, sizeof *reply);
    struct growing body = { calloc(1, 1), 0 }, head = { calloc(1, 1), 0 };
    struct curl_slist *headers = headers_of(request);
    const char *method = request->method != NULL ? request->method : "GET";

    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOBODY, (long)(strcmp(method, "HEAD") == 0));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     request->timeout_ms != 0 ? request->timeout_ms : 60000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    if (request->body != NULL || strcmp(method, "POST") == 0) {
        size_t size = request->size;
        if (size == 0 && request->body != NULL)
            size = strlen(request->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
    }

    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_slist_free_all(headers);
    reply->text = keep(body.bytes);
    reply->size = body.size;
    reply->headers = keep(head.bytes);
    if (code != CURLE_OK) {
        reply->status = 0;
        reply->text = keep(strdup(curl_easy_strerror(code)));
    } else {
        reply->json = json_loadb(body.bytes, body.size, JSON_DECODE_ANY, NULL);
    }
    return keep_with(reply, reply->json);
}

json_t *reply_at(const struct reply *reply, const char *path)
{
    json_t *at = reply->json;
    while (at != NULL && *path != 0) {
        size_t size = strcspn(path, ".");
        char name[200];
        snprintf(name, sizeof name, "%.*s", (int)size, path);
        at = json_is_array(at) ? json_array_get(at, (size_t)atol(name))
                               : json_object_get(at, name);
        path += size + (path[size] == '.');
    }
    return at;
}

const char *reply_text(const struct reply *reply, const char *path)
{
    const char *out = json_string_value(reply_at(reply, path));
    return out != NULL ? out : "";
}

long long reply_number(const struct reply *reply, const char *path)
{
    return (long long)json_number_value(reply_at(reply, path));
}
