/*
 * render-image: order from a service that answers later, by webhook.
 *
 *   order ──POST to the service, token's URL as its webhook──▶ (15 min at most) ──▶ rendered
 *
 * The order is placed inside bide_once(): a rerun after a crash finds its number instead of
 * ordering again. A crash between the order and the record would still order twice, so the
 * run's id goes along for services that tell doubles by it.
 */
#include "render-image.schema.h" /* made from schemas/render-image.yaml */

#include <bide/bide.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 64 << 10, SERVICE_TIMEOUT_S = 20 };

#define RENDER_STATE(F) \
    F(STR(128), order)  \
    F(TOKEN, finished)

#define RENDER_SEGMENTS(S) \
    S(order_image)         \
    S(rendered)

BIDE_TASK(render, RENDER_STATE, RENDER_SEGMENTS, .id = "render-image", .max_attempts = 5,
          .retry_min_ms = BIDE_SECONDS(1), .limit_ms = BIDE_SECONDS(30))

struct answer {
    char *text;
    size_t size;
};

/* libcurl's way: another number than was given stops the transfer. */
static size_t on_data(char *data, size_t one, size_t size, void *context)
{
    struct answer *answer = context;
    char *text;

    (void)one;
    if (size > ANSWER_MAX_BYTES - answer->size)
        return 0;
    text = realloc(answer->text, answer->size + size);
    if (text == NULL)
        return 0;
    memcpy(text + answer->size, data, size);
    answer->text = text;
    answer->size += size;
    return size;
}

/* The status, or 0 when there is no answer; *reason says why then. */
static long post(const char *url, const char *header, const char *body, struct answer *answer,
                 const char **reason)
{
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "content-type: application/json");

    headers = curl_slist_append(headers, header);
    *reason = "libcurl cannot start";
    if (curl != NULL) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SERVICE_TIMEOUT_S);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        CURLcode code = curl_easy_perform(curl);
        if (code == CURLE_OK)
            curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        else
            *reason = curl_easy_strerror(code);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

static const char *order_body(bide_task *t)
{
    struct render *s = bide_state(t);
    struct render_image_input in = render_image_input_read(t);
    bide_map *body = bide_map_new(t); /* the service's own format: no schema of ours */

    bide_put_str(t, body, "image", in.image);
    bide_put_i64(t, body, "size", in.size);
    bide_put_str(t, body, "webhook", bide_token_url(t, &s->finished));
    return bide_to_json(t, body, NULL);
}

/* The service's answer; a service that is down or busy is asked again by the next attempt. */
static const bide_value *place_order(bide_task *t, void *context)
{
    const char *url = render_image_input_read(t).service_url;
    struct answer answer = { NULL, 0 };
    char header[96];
    const char *reason;

    (void)context;
    snprintf(header, sizeof header, "idempotency-key: %s", bide_run_id(t));
    long status = post(url, header, order_body(t), &answer, &reason);
    const bide_value *order = bide_from_json(t, answer.text, answer.size);

    free(answer.text);
    if (status == 0)
        bide_raise(t, true, "service_down", "%s does not answer: %s", url, reason);
    else if (status >= 500 || status == 429)
        bide_raise(t, true, "service_busy", "%s answers %ld", url, status);
    else if (status < 200 || status >= 300)
        bide_raise(t, false, "order_refused", "%s answers %ld", url, status);
    return order;
}

static bide_next order_image(bide_task *t)
{
    struct render *s = bide_state(t);

    s->finished = bide_token_create(
        t, (struct bide_token_opts){ .timeout_ms = BIDE_MINUTES(15), .schema = "rendered" });
    const bide_value *order = bide_once(t, "order", place_order, NULL);
    if (bide_kind(t, order, "id") == BIDE_TEXT)
        bide_set_str(t, s->order, bide_str(t, order, "id"));
    bide_log_info(t, "ordered %s", s->order);
    return bide_wait_token(t, &s->finished, rendered);
}

static bide_next rendered(bide_task *t)
{
    struct render *s = bide_state(t);

    if (bide_timed_out(t))
        return bide_fail(t, "render_timeout", "the service did not call back");
    struct render_image_token_rendered posted = render_image_token_rendered_read(t);
    if (posted.status != RENDER_IMAGE_TOKEN_RENDERED_STATUS_DONE)
        return bide_fail(t, "render_failed", "order %s: %s", s->order,
                         posted.error != NULL ? posted.error : "the service gives no reason");
    struct render_image_output out = { .order = s->order, .result_url = posted.result_url };
    render_image_output_write(t, &out);
    return bide_done(t);
}

BIDE_PLUGIN("render-image", "1.0.0", render_task)
