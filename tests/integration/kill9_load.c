#include "kill9.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wait_until_up(struct play *play)
{
    pthread_mutex_lock(&play->lock);
    while (!play->is_up)
        pthread_cond_wait(&play->changed, &play->lock);
    pthread_mutex_unlock(&play->lock);
}

const struct reply *play_ask(struct play *play, const char *method, const char *path,
                             const char *body, bool *was_cut)
{
    long long deadline = now_ms() + 120000;
    for (;;) {
        wait_until_up(play);
        struct request request = { .method = method, .body = body, .key = play->server.key };
        request.url = path[0] == '/' ? text("%s%s", play->server.url, path) : path;
        request.timeout_ms = 30000;
        const struct reply *reply = client_send(&request);
        if (reply->status != 0 && reply->status != 503) {
            atomic_fetch_add(&play->answers, 1);
            return reply;
        }
        atomic_fetch_add(&play->broken, 1);
        if (was_cut != NULL && reply->status == 0)
            *was_cut = true;
        if (now_ms() > deadline)
            give_up("no answer for two minutes: %s %s: %s", method, path, reply->text);
        pause_ms(2);
    }
}

static void fail_reply(const char *what, unsigned n, const struct reply *reply)
{
    give_up("order %u, %s: %ld %s", n, what, reply->status, reply->text);
}

const char *ending_of(const struct reply *run)
{
    if (!json_is_true(reply_at(run, "isCompleted")))
        return NULL;
    char *output =
        json_dumps(reply_at(run, "output"), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    const char *out = text("%s %s", reply_text(run, "status"), output != NULL ? output : "");
    free(output);
    return out;
}

const char *order_judge(struct play *play, unsigned n, const struct reply *run)
{
    struct order *order = &play->orders[n];
    const char *ending = ending_of(run), *want = NULL;
    if (ending == NULL)
        return "has not ended";
    if (order->kind == ORDER_CANCEL)
        return strncmp(ending, "CANCELED ", 9) == 0 ? NULL : "was canceled, and is not";
    if (order->kind == ORDER_ECHO)
        want = text("COMPLETED {\"n\":%u}", n);
    else
        want =
            text("COMPLETED {\"charge\":%lld,\"child\":%u,\"n\":%u,\"who\":\"%s\"}",
                 reply_number(run, "output.charge"), 2 * n, n, reply_text(run, "output.who"));
    if (strcmp(want, ending) != 0)
        return text("should be %s", want);
    const char *who = reply_text(run, "output.who");
    if (order->kind == ORDER_APPROVE &&
        !((order->winners & WINNER_A) && strcmp(who, "a") == 0) &&
        !((order->winners & WINNER_B) && strcmp(who, "b") == 0))
        return "has the answer of the one who came second";
    return NULL;
}

/* The trigger is repeated with its key until it is answered; at times once more, to see. */
static void order_trigger(struct play *play, unsigned n, unsigned *dice)
{
    struct order *order = &play->orders[n];
    bool is_echo = order->kind == ORDER_ECHO;
    const char *path = is_echo ? "/api/v1/tasks/hello/trigger" : "/api/v1/tasks/ledger/trigger";
    const char *payload = is_echo ? text("{\"n\": %u}", n)
                                  : text("{\"n\": %u, \"ledger\": \"%s\"}", n, play->ledger);
    const char *body =
        text("{\"payload\": %s, \"options\": {\"idempotencyKey\": \"order-%u\"}}", payload, n);
    const struct reply *reply = play_ask(play, "POST", path, body, NULL);
    if (reply->status != 200 || strncmp(reply_text(reply, "id"), "run_", 4) != 0)
        fail_reply("trigger", n, reply);
    snprintf(order->run, sizeof order->run, "%s", reply_text(reply, "id"));
    atomic_store(&order->is_known, true);
    if (rand_r(dice) % 8 == 0) {
        reply = play_ask(play, "POST", path, body, NULL);
        if (strcmp(reply_text(reply, "id"), order->run) != 0)
            fail_reply(text("triggered again, was %s", order->run), n, reply);
    }
}

/* The token's URL, from the metadata of the waiting run. */
static const char *order_url(struct play *play, unsigned n)
{
    long long deadline = now_ms() + 120000;
    for (;;) {
        const struct reply *run =
            play_ask(play, "GET", text("/api/v3/runs/%s", play->orders[n].run), NULL, NULL);
        if (run->status != 200)
            fail_reply("an acknowledged run cannot be read", n, run);
        const char *url = reply_text(run, "metadata.url");
        if (url[0] != 0)
            return url;
        if (ending_of(run) != NULL || now_ms() > deadline)
            fail_reply("does not come to wait", n, run);
        pause_ms(5);
    }
}

/* True: answered. A try that is cut off may have been taken all the same. */
static bool complete_once(struct play *play, unsigned n, const char *url, const char *who)
{
    wait_until_up(play);
    struct request request = { .method = "POST", .url = url, .timeout_ms = 30000 };
    request.body = text("{\"who\": \"%s\"}", who);
    const struct reply *reply = client_send(&request);
    if (reply->status != 0 && reply->status != 200 && reply->status != 503)
        fail_reply("completion", n, reply);
    return reply->status == 200;
}

/* Two answer; when the first was told that it is done, the second must not count. */
static void order_complete(struct play *play, unsigned n, unsigned *dice)
{
    struct order *order = &play->orders[n];
    const char *url = order_url(play, n);
    order->winners = WINNER_A;
    if (!complete_once(play, n, url, "a"))
        order->winners |= WINNER_B;
    if (order->winners != WINNER_A || rand_r(dice) % 2 == 0) {
        const struct reply *reply = play_ask(play, "POST", url, "{\"who\": \"b\"}", NULL);
        if (reply->status != 200)
            fail_reply("second completion", n, reply);
    }
    atomic_store(&order->is_complete, true);
}

static void order_cancel(struct play *play, unsigned n)
{
    struct order *order = &play->orders[n];
    const struct reply *reply =
        play_ask(play, "POST", text("/api/v2/runs/%s/cancel", order->run), "", NULL);
    if (reply->status != 200)
        fail_reply("cancel", n, reply);
    atomic_store(&order->is_complete, true);
}

static void order_see_end(struct play *play, unsigned n)
{
    struct order *order = &play->orders[n];
    const struct reply *run =
        play_ask(play, "GET", text("/api/v3/runs/%s?wait=20s", order->run), NULL, NULL);
    const char *ending = ending_of(run);
    if (ending == NULL)
        return; /* judged at the end */
    const char *wrong = order_judge(play, n, run);
    if (wrong != NULL)
        fail_reply(wrong, n, run);
    pthread_mutex_lock(&play->lock);
    snprintf(order->ended, sizeof order->ended, "%s", ending);
    pthread_mutex_unlock(&play->lock);
}

void *client_main(void *context)
{
    struct play *play = context;
    unsigned dice = play->seed;
    while (!atomic_load(&play->is_over)) {
        unsigned n = atomic_fetch_add(&play->order_count, 1);
        if (n >= MAX_ORDERS)
            give_up("more than %d orders", MAX_ORDERS);
        dice ^= n * 2654435761u;
        struct order *order = &play->orders[n];
        unsigned kind = (unsigned)rand_r(&dice) % 10;
        order->kind = kind < 4 ? ORDER_ECHO : kind < 9 ? ORDER_APPROVE : ORDER_CANCEL;
        order_trigger(play, n, &dice);
        if (order->kind == ORDER_APPROVE)
            order_complete(play, n, &dice);
        else if (order->kind == ORDER_CANCEL)
            order_cancel(play, n);
        if (rand_r(&dice) % 2 == 0)
            order_see_end(play, n);
        client_forget();
    }
    client_close();
    return NULL;
}
