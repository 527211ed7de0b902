/* Queues: limits, order, pause; all of it the same after a restart. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define RULES(limit)                \
    "concurrency: 50\n"             \
    "queues:\n"                     \
    "  one-at-a-time: " limit "\n"  \
    "  exits: { concurrency: 2 }\n" \
    "tasks:\n"                      \
    "  exit-3: exits\n"

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_plugin(&s, "hostile");
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_write(&s, "config/queues.yaml", RULES("1"));
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(queues, .init = set_up, .fini = tear_down, .timeout = 120);

static const struct reply *queue_get(const char *name, const char *type)
{
    const struct reply *reply =
        server_call(&s, "GET", text("/api/v1/queues/%s?type=%s", name, type), NULL);
    cr_assert_eq(reply->status, 200, "%s: %ld %s", name, reply->status, reply->text);
    return reply;
}

static void queue_do(const char *name, const char *type, const char *action)
{
    const struct reply *reply =
        server_call(&s, "POST", text("/api/v1/queues/%s/pause", name),
                    text("{\"type\": \"%s\", \"action\": \"%s\"}", type, action));
    cr_assert_eq(reply->status, 200, "%s %s: %ld %s", action, name, reply->status, reply->text);
    cr_assert_eq(json_is_true(reply_at(reply, "paused")), strcmp(action, "pause") == 0, "%s",
                 reply->text);
}

Test(queues, a_paused_queue_stays_paused_over_kill_9)
{
    queue_do("hello", "task", "pause");
    const char *run = run_trigger(&s, "hello", "{}", NULL);
    server_kill(&s);
    server_start(&s);

    cr_assert(json_is_true(reply_at(queue_get("hello", "task"), "paused")));
    pause_ms(300);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "QUEUED");
    cr_assert_eq(reply_number(queue_get("hello", "task"), "queued"), 1);

    queue_do("hello", "task", "resume");
    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "COMPLETED");
    cr_assert_eq(reply_number(queue_get("hello", "task"), "queued"), 0);
}

static void environment_do(const char *action)
{
    const struct reply *reply =
        server_call(&s, "POST", "/api/v1/environments/dev/pause",
                    text("{\"action\": \"%s\", \"reason\": \"a move\"}", action));
    cr_assert_eq(reply->status, 200, "%s: %ld %s", action, reply->status, reply->text);
}

/* Of all its queues, and what wakes up too. */
Test(queues, a_paused_environment_stays_paused_over_kill_9)
{
    const char *waits =
        run_trigger(&s, "approve-refund", "{\"order_id\": \"A\", \"amount_cents\": 1}", NULL);
    char *url = strdup(reply_text(run_until(&s, waits, "WAITING"), "metadata.approval_url"));
    environment_do("pause");
    const char *run = run_trigger(&s, "hello", "{}", NULL);
    server_kill(&s);
    server_start(&s);
    server_call_as(&s, NULL, "POST", url, "{\"approved\": true, \"by\": \"ada\"}");
    const struct reply *held = run_until(&s, waits, "QUEUED");

    cr_assert_str_eq(reply_text(held, "heldBy.gate"), "environment", "%s", held->text);
    pause_ms(300);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "QUEUED");
    cr_assert_str_eq(reply_text(run_get(&s, run), "heldBy.pausedReason"), "a move");

    environment_do("resume");
    server_logs(&s, "environment=dev by=\"the key of dev\" reason=\"a move\"");
    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "COMPLETED");
    cr_assert_str_eq(reply_text(run_end(&s, waits), "status"), "COMPLETED");
    free(url);
}

Test(queues, a_server_that_starts_paused_starts_nothing)
{
    const char *run = run_trigger(&s, "sleep", "{\"ms\": 2000}", NULL);
    run_until(&s, run, "EXECUTING");
    server_kill(&s);
    s.flag = "--start-paused";
    server_start(&s);
    server_logs(&s, "serve.paused");
    const struct reply *held = run_get(&s, run);
    cr_assert_str_eq(reply_text(held, "status"), "QUEUED", "%s", held->text);
    cr_assert_str_eq(reply_text(held, "heldBy.pausedBy"), "bide serve --start-paused");
    cr_assert_str_eq(reply_text(held, "heldBy.pausedReason"), "started paused");

    server_stop(&s);
    s.flag = NULL;
    server_start(&s);
    pause_ms(300);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "QUEUED", "until it is resumed");
    environment_do("resume");
    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "COMPLETED");
}

/* Pausing takes nothing from what runs, and what wakes up meanwhile stays in its queue. */
Test(queues, a_run_that_wakes_up_in_a_paused_queue_waits)
{
    const char *run =
        run_trigger(&s, "approve-refund", "{\"order_id\": \"A\", \"amount_cents\": 1}", NULL);
    char *url = strdup(reply_text(run_until(&s, run, "WAITING"), "metadata.approval_url"));
    cr_assert_eq(reply_number(queue_get("approve-refund", "task"), "waiting"), 1);
    queue_do("approve-refund", "task", "pause");

    server_call_as(&s, NULL, "POST", url, "{\"approved\": true, \"by\": \"ada\"}");
    run_until(&s, run, "QUEUED");
    pause_ms(200);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "QUEUED");

    queue_do("approve-refund", "task", "resume");
    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "COMPLETED");
    free(url);
}

/* "one-at-a-time" has a limit of 1 in queues.yaml. */
Test(queues, no_more_than_the_limit_run_at_once)
{
    enum { COUNT = 6 };
    char ids[COUNT][40];
    for (int i = 0; i < COUNT; i++)
        strcpy(ids[i], run_trigger(&s, "sleep", "{\"ms\": 150}",
                                   "{\"queue\": {\"name\": \"one-at-a-time\"}}"));
    cr_assert_eq(reply_number(queue_get("one-at-a-time", "custom"), "concurrencyLimit"), 1);

    for (;;) {
        const struct reply *queue = queue_get("one-at-a-time", "custom");
        cr_assert_leq(reply_number(queue, "running"), 1, "%s", queue->text);
        if (reply_number(queue, "running") + reply_number(queue, "queued") == 0)
            break;
        pause_ms(10);
    }
    for (int i = 0; i < COUNT; i++)
        cr_assert_str_eq(reply_text(run_end(&s, ids[i]), "status"), "COMPLETED");
}

/* When the runs of a list were started, oldest start first. */
static int started_compare(const void *a, const void *b)
{
    const struct reply *x = run_get(&s, *(char *const *)a), *y = run_get(&s, *(char *const *)b);
    return strcmp(reply_text(x, "startedAt"), reply_text(y, "startedAt"));
}

Test(queues, first_come_first_served_but_for_priority)
{
    queue_do("one-at-a-time", "custom", "pause");
    const char *first =
        run_trigger(&s, "sleep", "{\"ms\": 60}", "{\"queue\": {\"name\": \"one-at-a-time\"}}");
    const char *second =
        run_trigger(&s, "sleep", "{\"ms\": 60}", "{\"queue\": {\"name\": \"one-at-a-time\"}}");
    const char *late =
        run_trigger(&s, "sleep", "{\"ms\": 60}",
                    "{\"queue\": {\"name\": \"one-at-a-time\"}, \"priority\": -3600}");
    const char *urgent =
        run_trigger(&s, "sleep", "{\"ms\": 60}",
                    "{\"queue\": {\"name\": \"one-at-a-time\"}, \"priority\": 3600}");
    server_kill(&s);
    server_start(&s);
    queue_do("one-at-a-time", "custom", "resume");

    const char *ids[] = { late, second, urgent, first };
    for (int i = 0; i < 4; i++)
        run_end(&s, ids[i]);
    qsort(ids, 4, sizeof *ids, started_compare);

    cr_assert_str_eq(ids[0], urgent);
    cr_assert_str_eq(ids[1], first);
    cr_assert_str_eq(ids[2], second);
    cr_assert_str_eq(ids[3], late, "a negative priority is late, not never");
}

/* One queue that is full does not hold up another. */
Test(queues, a_full_queue_leaves_others_alone)
{
    run_trigger(&s, "sleep", "{\"ms\": 5000}", "{\"queue\": {\"name\": \"one-at-a-time\"}}");
    for (int i = 0; i < 20; i++)
        run_trigger(&s, "sleep", "{\"ms\": 5000}",
                    "{\"queue\": {\"name\": \"one-at-a-time\"}}");
    long long start = now_ms();
    cr_assert_str_eq(reply_text(run_end(&s, run_trigger(&s, "hello", "{}", NULL)), "status"),
                     "COMPLETED");
    cr_assert_lt(now_ms() - start, 4000);
}

Test(queues, the_limit_changes_when_the_file_does)
{
    server_write(&s, "config/queues.yaml.part", RULES("3"));
    int status;
    command_run(&status, "mv '%s' '%s'", server_path(&s, "config/queues.yaml.part"),
                server_path(&s, "config/queues.yaml"));
    run_trigger(&s, "hello", "{}", "{\"queue\": {\"name\": \"one-at-a-time\"}}");

    long long deadline = now_ms() + 20000;
    while (reply_number(queue_get("one-at-a-time", "custom"), "concurrencyLimit") != 3) {
        cr_assert_lt(now_ms(), deadline, "still the old limit");
        pause_ms(20);
    }
    server_logs(&s, "queues.changed queue=one-at-a-time concurrency 1 -> 3");
    server_write(&s, "config/queues.yaml",
                 "tasks: { hello: { queue: q, retention: { logs: 1w } } }\n");
    server_logs(&s, "queues.changed queue=one-at-a-time concurrency 3 -> (default)");
    server_logs(&s, "queues.changed task=hello queue (default) -> q");
    server_logs(&s, "queues.changed task=hello retention.logs (default) -> 7d");
}

/* A broken file keeps the old rules and says why. */
Test(queues, a_broken_file_changes_nothing)
{
    server_write(&s, "config/queues.yaml", "queues: [\n");
    server_logs(&s, "queues.yaml:");
    run_trigger(&s, "hello", "{}", "{\"queue\": {\"name\": \"one-at-a-time\"}}");
    cr_assert_eq(reply_number(queue_get("one-at-a-time", "custom"), "concurrencyLimit"), 1);
}

/* "exit-3" enters "exits" without being told to. */
Test(queues, a_task_has_a_default_queue)
{
    const char *run = run_trigger(&s, "exit-3", "{\"times\": 0}", NULL);
    run_end(&s, run);
    const struct reply *queue = queue_get("exits", "custom");
    cr_assert_eq(reply_number(queue, "concurrencyLimit"), 2, "%s", queue->text);
    cr_assert_str_eq(reply_text(run_get(&s, run), "queue"), "exits");
}

/* Environments share the slots; what a flood of one has borrowed is not the other's. */
Test(queues, a_flood_of_dev_delays_no_run_of_prod)
{
    enum { SLOTS = 4, FLOOD = 60 };
    const char *key = server_key(&s, "prod");

    server_stop(&s);
    server_write(&s, "config/bide.yaml",
                 "environments:\n  dev: {}\n  prod: {}\nworkers:\n  slots: 4\n");
    server_add_plugin(&s, "steady");
    server_start(&s);
    for (int i = 0; i < FLOOD; i++) /* each runs until it is canceled */
        run_trigger(&s, "poll-cancel", "{}", NULL);
    long long deadline = now_ms() + 20000;
    int running;
    do {
        cr_assert_lt(now_ms(), deadline, "the flood does not run");
        running = (int)reply_number(queue_get("poll-cancel", "task"), "running");
    } while (running < SLOTS / 2);

    for (int i = 0; i < 5; i++) {
        long long began = now_ms();
        const struct reply *made =
            server_call_as(&s, key, "POST", "/api/v1/tasks/hello/trigger", "{\"payload\": {}}");
        cr_assert_eq(made->status, 200, "%s", made->text);
        const char *path = text("/api/v3/runs/%s?wait=10s", reply_text(made, "id"));
        const struct reply *run = server_call_as(&s, key, "GET", path, NULL);
        cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
        cr_assert_lt(now_ms() - began, 5000);
    }
    running = (int)reply_number(queue_get("poll-cancel", "task"), "running");
    cr_assert(running >= SLOTS / 2 && running < SLOTS, "%d: more than its part, and not all",
              running);
}

Test(queues, they_are_listed_and_unknown_ones_are_404)
{
    run_end(&s, run_trigger(&s, "hello", "{}", NULL));
    const struct reply *list = server_call(&s, "GET", "/api/v1/queues", NULL);
    cr_assert_eq(list->status, 200, "%s", list->text);
    cr_assert_geq(json_array_size(reply_at(list, "data")), 1, "%s", list->text);
    cr_assert(json_is_integer(reply_at(list, "pagination.count")), "%s", list->text);
    cr_assert_eq(server_call(&s, "GET", "/api/v1/queues/none?type=custom", NULL)->status, 404);
    cr_assert_eq(server_call(&s, "POST", "/api/v1/queues/none/pause",
                             "{\"type\": \"custom\", \"action\": \"pause\"}")
                     ->status,
                 404);
}

Test(queues, a_fair_queue_says_whose_a_run_is)
{
    server_write(&s, "config/queues.yaml",
                 RULES("{ fair: { tenant: { by: payload.name, weights: { ann: 3 } } } }"));
    const struct reply *queue;
    do
        queue = queue_get("one-at-a-time", "custom");
    while (reply_at(queue, "fair") == NULL);
    cr_assert_str_eq(reply_text(queue, "fair"),
                     "tenant by payload.name, 1 weights, 3 in all; key by -");

    const char *id = run_trigger(&s, "hello", "{\"name\": \"ann\"}",
                                 "{\"queue\": {\"name\": \"one-at-a-time\"}}");
    const struct reply *run = run_until(&s, id, "COMPLETED");
    cr_assert_str_eq(reply_text(run, "tenant"), "ann", "%s", run->text);
    cr_assert_str_eq(reply_text(run, "concurrencyKey"), "ann", "%s", run->text);
}

static const char POOL_RULES[] = "pools: { gpu: 3 }\n"
                                 "queues:\n"
                                 "  one: { uses: { gpu: 1 } }\n"
                                 "  two: { uses: { gpu: 2 } }\n";

static const char *run_of(const char *queue, const char *payload)
{
    return run_trigger(&s, "sleep", payload, text("{\"queue\": {\"name\": \"%s\"}}", queue));
}

Test(queues, a_run_waits_for_tokens_of_a_pool)
{
    server_write(&s, "config/queues.yaml", POOL_RULES);
    server_logs(&s, "queues.changed pool=gpu tokens (default) -> 3");
    server_logs(&s, "queues.changed queue=two uses (default) -> gpu 2");
    const char *first = run_of("two", "{\"ms\": 60000}");
    (void)run_until(&s, first, "EXECUTING");
    const char *second = run_of("two", "{\"ms\": 1}");

    const struct reply *why = server_call(&s, "GET", text("/api/v1/runs/%s/why", second), NULL);
    cr_assert_str_eq(reply_text(why, "heldBy.gate"), "pool", "%s", why->text);
    cr_assert_str_eq(reply_text(why, "heldBy.pool"), "gpu");
    cr_assert_str_eq(reply_text(why, "text"),
                     "a run of queue two needs 2 of pool gpu, and 2 of "
                     "its 3 are held");
    const json_t *holder = json_array_get(reply_at(why, "holders"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(holder, "id")), first, "%s", why->text);

    const struct reply *pools = server_call(&s, "GET", "/api/v1/pools", NULL);
    const json_t *gpu = json_array_get(reply_at(pools, "data"), 0);
    cr_assert_eq(pools->status, 200, "%s", pools->text);
    cr_assert_eq(json_integer_value(json_object_get(gpu, "tokens")), 3);
    cr_assert_eq(json_integer_value(json_object_get(gpu, "inUse")), 2);
    cr_assert_eq(json_array_size(json_object_get(gpu, "queues")), 2);
    cr_assert_eq(json_array_size(json_object_get(gpu, "holders")), 1, "%s", pools->text);
    const struct reply *queue = queue_get("two", "custom");
    cr_assert_eq(reply_number(queue, "uses.gpu"), 2);
    cr_assert_eq(reply_number(queue, "effectiveLimit"), 1);
    cr_assert_str_eq(reply_text(queue, "limitedBy"), "pool");
    const json_t *settings = reply_at(queue, "settings");
    cr_assert_str_eq(json_string_value(json_object_get(settings, "uses")), "gpu 2");
    const struct reply *metrics = server_call(&s, "GET", "/metrics", NULL);
    cr_assert_not_null(strstr(metrics->text, "bide_pool_tokens{pool=\"gpu\"} 3\n"));
    cr_assert_not_null(strstr(metrics->text, "bide_pool_in_use{pool=\"gpu\"} 2\n"));

    server_kill(&s);
    server_start(&s);
    (void)run_until(&s, first, "EXECUTING");
    cr_assert_str_eq(reply_text(run_get(&s, second), "status"), "QUEUED");
    (void)server_call(&s, "POST", text("/api/v2/runs/%s/cancel", first), NULL);
    (void)run_until(&s, second, "COMPLETED");

    server_write(&s, "config/queues.yaml",
                 "pools: { gpu: 1 }\nqueues: { two: { uses: { gpu: 2 } } }\n");
    server_logs(&s, "uses: pool gpu has 1 in all, so no run could ever get 2 of it");
    cr_assert_eq(reply_number(queue_get("two", "custom"), "uses.gpu"), 2, "the file before it");
}

Test(queues, one_that_is_out_of_its_rate_says_so)
{
    server_write(&s, "config/queues.yaml", "queues: { slow: { rate: 1/1h, ttl: 2h } }\n");
    server_logs(&s, "queues.changed queue=slow rate (default) -> 1/1h");
    run_end(&s, run_of("slow", "{\"ms\": 1}"));
    const struct reply *queue = queue_get("slow", "custom");
    cr_assert_str_eq(reply_text(queue, "limitedBy"), "rate", "%s", queue->text);
    cr_assert_str_eq(reply_text(queue, "settings.ttl"), "2h");
}
