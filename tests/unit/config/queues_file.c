/* queues.yaml. */
#include "config/config.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static const char *said(const struct problems *problems)
{
    struct buffer out = { 0 };

    problems_text(&out, problems);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    return text.data;
}

static struct config_queues right(const char *text)
{
    struct problems problems = { 0 };
    struct config_queues queues;

    cr_assert(config_queues_parse("q.yaml", slice_of(text), 100, &queues, &arena, &problems),
              "%s", said(&problems));
    return queues;
}

Test(queues, a_missing_file_is_an_empty_one)
{
    struct problems problems = { 0 };
    struct config_queues queues;

    cr_assert(config_queues_load("/nowhere/q.yaml", 100, &queues, &arena, &problems));

    cr_assert_eq(queues.concurrency, 100);
    cr_assert_eq(queues.queue_count, 0);
    config_queues_finish(&queues);
}

Test(queues, limits_and_tasks_are_read)
{
    struct config_queues queues = right("tasks: {a: mail, b: task/b}\n"
                                        "queues: {mail: 2, print: {concurrency: 3}, free: {}}\n"
                                        "concurrency: 7\n");

    cr_assert_eq(queues.concurrency, 7);
    cr_assert_eq(queues.queue_count, 3);
    cr_assert(slice_is(queues.queues[0].name, "mail"));
    cr_assert_eq(queues.queues[0].rules.concurrency, 2);
    cr_assert_eq(queues.queues[1].rules.concurrency, 3);
    cr_assert_eq(queues.queues[2].rules.concurrency, 7, "the file's default");
    cr_assert_eq(queues.task_count, 2);
    cr_assert(slice_is(queues.tasks[1].queue, "task/b"));
    config_queues_finish(&queues);
}

Test(queues, limits_of_keys_and_of_all_together)
{
    struct config_queues queues = right("concurrency: 7\n"
                                        "queues:\n"
                                        "  a: {limit: 3}\n"
                                        "  b: {concurrency: 5, per_key: 1, total: 20}\n"
                                        "  c: {total: 9}\n");

    cr_assert(queues.queues[0].rules.concurrency == 3 && queues.queues[0].rules.per_key == 0);
    cr_assert(queues.queues[1].rules.concurrency == 5 && queues.queues[1].rules.per_key == 1);
    cr_assert_eq(queues.queues[1].rules.total, 20);
    cr_assert(queues.queues[2].rules.concurrency == 7 && queues.queues[2].rules.total == 9);
    config_queues_finish(&queues);
}

Test(queues, rates)
{
    struct config_queues queues =
        right("queues:\n"
              "  a: { rate: 100/1m, key_rate: { limit: 5, per: 1s500ms, burst: 10 } }\n"
              "  b: { rate: { limit: 1, per: 250 } }\n");
    const struct queue_rules *a = &queues.queues[0].rules, *b = &queues.queues[1].rules;
    char text[QUEUE_RULE_TEXT_SIZE];

    cr_assert(a->rate.limit == 100 && a->rate.per_ms == 60000 && a->rate.burst == 1);
    cr_assert(a->key_rate.limit == 5 && a->key_rate.per_ms == 1500 && a->key_rate.burst == 10);
    cr_assert(b->rate.limit == 1 && b->rate.per_ms == 250 && b->key_rate.limit == 0);
    cr_assert_eq(a->concurrency, 100, "what is not said is as always");
    queue_rate_text(&a->rate, text);
    cr_assert_str_eq(text, "100/1m");
    queue_rate_text(&a->key_rate, text);
    cr_assert_str_eq(text, "5/1s500ms, burst 10");
    queue_rate_text(&b->key_rate, text);
    cr_assert_str_eq(text, "");
    config_queues_finish(&queues);
}

Test(queues, a_rate_is_read_as_it_is_shown)
{
    static const char *const wrong[] = { "100",
                                         "100/1m,burst 5",
                                         "100/1m, burst 0",
                                         "100/1m, burst ",
                                         "100/1m, burst 1000001",
                                         "0/1m, burst 5",
                                         "5/0s",
                                         "" };
    struct queue_rate rate;

    cr_assert_null(queue_rate_parse(SLICE("100/1m"), &rate));
    cr_assert(rate.limit == 100 && rate.per_ms == 60000 && rate.burst == 1);
    cr_assert_null(queue_rate_parse(SLICE("100/1m, burst 10"), &rate));
    cr_assert(rate.limit == 100 && rate.burst == 10);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not_null(queue_rate_parse(slice_of(wrong[i]), &rate), "%s", wrong[i]);
}

Test(queues, costs_of_rates)
{
    struct config_queues queues = right(
        "queues:\n"
        "  a: { rate: { limit: 9, per: 1m, burst: 5, cost: 5 }, key_rate: 1/1s }\n"
        "  b: { key_rate: { limit: 9, per: 1m, burst: 5, cost: { expr: payload.n } } }\n");
    const struct queue_rules *a = &queues.queues[0].rules, *b = &queues.queues[1].rules;

    cr_assert(a->rate.burst == 5 && a->rate_cost.number == 5 && a->key_rate_cost.number == 0);
    cr_assert(b->rate_cost.number == 0 && b->rate_cost.expression == NULL);
    cr_assert(slice_is(expression_text(b->key_rate_cost.expression), "payload.n"));
    config_queues_finish(&queues);
}

Test(queues, how_long_what_has_ended_is_kept)
{
    struct config_queues queues = right("queues:\n"
                                        "  a: {retention: {ended_runs: 7d, logs: 1h}}\n"
                                        "  b: 3\n"
                                        "tasks:\n"
                                        "  t: {queue: a, retention: {tokens: 2d}}\n"
                                        "  u: {retention: {ended_runs: 5000}}\n"
                                        "  v: b\n");
    const int64_t day_ms = INT64_C(86400000);

    cr_assert_eq(queues.queues[0].retention.span_ms[RETAIN_RUNS], 7 * day_ms);
    cr_assert_eq(queues.queues[0].retention.span_ms[RETAIN_LOGS], 3600000);
    cr_assert_eq(queues.queues[1].retention.span_ms[RETAIN_RUNS], 0);
    cr_assert(slice_is(queues.tasks[0].queue, "a") && slice_is(queues.tasks[2].queue, "b"));
    cr_assert_eq(queues.tasks[0].retention.span_ms[RETAIN_TOKENS], 2 * day_ms);
    cr_assert_eq(queues.tasks[1].queue.size, 0);
    cr_assert_eq(queues.tasks[1].retention.span_ms[RETAIN_RUNS], 5000);
    config_queues_finish(&queues);
}

Test(queues, what_runs_get_whose_trigger_does_not_say)
{
    struct config_queues queues = right(
        "queues:\n"
        "  a: {ttl: 10m, priority: -2.5, retry: {max_attempts: "
        "5, min: 2s, max: 1h, factor: 3}}\n"
        "  b: {priority: {expr: 'payload.vip ? 60 : 0'}}\n"
        "  c: {retry: {max: 5s}, on_conflict: cancel_running}\n"
        "  e: {retry: {max_attempts_total: 9, crash: {max_attempts: 1}, user: , "
        "upstream: {min: 5s, max: 10m, factor: 1.5}}, on_exhausted: dead_letter}\n"
        "  d: {retry: , max_queued: 7, on_full: drop_oldest, reuse: [expired, success]}\n");
    const struct queue_rules *a = &queues.queues[0].rules, *b = &queues.queues[1].rules;
    char text[QUEUE_RULE_TEXT_SIZE];
    struct arena other = { 0 };
    struct queue_rules own = *b;

    cr_assert_eq(a->ttl_ms, 600000);
    cr_assert_eq(a->priority.number, -2.5);
    cr_assert_eq(a->retry.attempts, 5);
    cr_assert(a->retry.min_ms == 2000 && a->retry.max_ms == 3600000 && a->retry.factor == 3);
    cr_assert_eq(queues.queues[2].rules.retry.max_ms, 5000);
    cr_assert_eq(queues.queues[2].rules.retry.attempts, 0);
    const struct queue_rules *e = &queues.queues[3].rules;
    cr_assert_eq(e->on_exhausted, EXHAUSTED_DEAD_LETTER);
    cr_assert(e->retry_total == 9 && e->retry_of[RETRY_CRASH].attempts == 1);
    cr_assert(e->retry_of[RETRY_UPSTREAM].min_ms == 5000 &&
              e->retry_of[RETRY_UPSTREAM].max_ms == 600000 &&
              e->retry_of[RETRY_UPSTREAM].factor == 1.5);
    cr_assert(e->retry.attempts == 0 && e->retry_of[RETRY_USER].attempts == 0);
    for (int i = 0; i < QUEUE_RULES; i++)
        if (strcmp(queue_rule_table[i].key, "priority") == 0) {
            queue_rule_text(&queue_rule_table[i], a, text);
            cr_assert_str_eq(text, "-2.5");
            queue_rule_text(&queue_rule_table[i], b, text);
            cr_assert_str_eq(text, "payload.vip ? 60 : 0");
        } else if (strcmp(queue_rule_table[i].key, "reuse") == 0) {
            queue_rule_text(&queue_rule_table[i], &queues.queues[4].rules, text);
            cr_assert_str_eq(text, "success, expired");
        }
    cr_assert_eq(queues.queues[4].rules.reuse, REUSE_SAID | REUSE_SUCCESS | REUSE_EXPIRED);
    cr_assert_eq(a->reuse, 0);
    cr_assert_eq(queues.queues[4].rules.max_queued, 7);
    cr_assert_eq(queues.queues[4].rules.on_full, FULL_DROP_OLDEST);
    cr_assert_eq(a->on_full, FULL_REJECT);
    cr_assert_eq(queues.queues[2].rules.on_conflict, CONFLICT_CANCEL);
    queue_rules_own(&other, &own);
    config_queues_finish(&queues);
    cr_assert(slice_is(expression_text(own.priority.expression), "payload.vip ? 60 : 0"));
    arena_finish(&other);
}

Test(queues, mistakes_are_told)
{
    static const char *const cases[][2] = {
        { "concurency: 5\n", "q.yaml:1:1: expected no properties but concurrency, queues, "
                             "pools, tasks, got \"concurency\"; did you mean concurrency?" },
        { "concurrency: 0\n",
          "q.yaml:1:14: /concurrency: expected an integer >= 1, got 0 (runs "
          "at a time with one concurrency key, or with none; `bide queues pause` stops a "
          "queue)" },
        { "concurrency: x\n", "got the string \"x\"" },
        { "queues: {a: -1}\n", "q.yaml:1:13: /queues/a: expected an integer >= 1" },
        { "queues: {a: {most: 2}}\n",
          "q.yaml:1:14: /queues/a: expected no properties but "
          "concurrency, limit, per_key, total, rate, key_rate, "
          "max_queued, on_full, on_conflict, ttl, start_by, priority " },
        { "queues:\n  a:\n    per_key: 0\n", "q.yaml:3:14: /queues/a/per_key: expected" },
        { "queues: {a: {total: many}}\n", "/queues/a/total: expected" },
        { "queues: {a: {concurrency: 2, limit: 2}}\n", "q.yaml:1:13: /queues/a:" },
        { "queues: {a: {max_queued: 0}}\n",
          "q.yaml:1:26: /queues/a/max_queued: expected an integer >= 1" },
        { "queues: {a: {max_queued: 5, on_full: drop}}\n", "q.yaml:1:38: /queues/a/on_full:" },
        { "queues: {a: {on_conflict: wait}}\n", "q.yaml:1:27: /queues/a/on_conflict:" },
        { "queues: {a: {on_exhausted: wait}}\n", "q.yaml:1:28: /queues/a/on_exhausted:" },
        { "queues: {a: {reuse: [lost]}}\n", "q.yaml:1:22: /queues/a/reuse/0:" },
        { "queues: {a: {reuse: failed}}\n", "q.yaml:1:21: /queues/a/reuse:" },
        { "queues: {a: {collect: {max: 0, for: 2s}}}\n",
          "q.yaml:1:29: /queues/a/collect/max: expected an integer >= 1" },
        { "queues: {a: {collect: {max: 10001, for: 2s}}}\n",
          "q.yaml:1:29: /queues/a/collect/max: expected an integer <= 10000" },
        { "queues: {a: {collect: {max: 5, for: 999ms}}}\n",
          "q.yaml:1:37: collect.for must be a time from 1s to 1h, like 2s" },
        { "queues: {a: {collect: {max: 5, for: 61m}}}\n",
          "q.yaml:1:37: collect.for must be a time from 1s to 1h, like 2s" },
        { "queues: {a: {collect: {max: 5}}}\n", "q.yaml:1:23: /queues/a/collect:" },
        { "queues:\n  a: {collect: {max: 5, for: 2s}, on_conflict: skip}\n",
          "q.yaml:2:48: on_conflict can only be queue where triggers are collected" },
        { "tasks:\n  t: {collect: {max: 5, for: 2h}}\n",
          "q.yaml:2:30: collect.for must be a time from 1s to 1h" },
        { "queues: {a: {ttl: 0s}}\n",
          "q.yaml:1:19: ttl must be a time from 1ms to 36500d, like 30m" },
        { "queues: {a: {ttl: 5s, start_by: 5s}}\n", "q.yaml:1:13: /queues/a:" },
        { "queues: {a: {start_by: 0s}}\n", "q.yaml:1:24: start_by must be a time from" },
        { "queues: {a: {ttl: soon}}\n", "q.yaml:1:19: /queues/a/ttl:" },
        { "queues: {a: {priority: high}}\n", "q.yaml:1:24: /queues/a/priority:" },
        { "queues: {a: {priority: 3000000}}\n", "q.yaml:1:24: /queues/a/priority:" },
        { "queues: {a: {priority: {expr: payload.vip ? 60}}}\n",
          "q.yaml:1:47: priority.expr: it ends where : should be" },
        { "queues: {a: {priority: {expr: 'payload.vip + true'}}}\n",
          "q.yaml:1:44: priority.expr: + takes two numbers or two strings" },
        { "queues:\n  a:\n    priority:\n      expr: |\n        1 +\n        x\n",
          "q.yaml:4:13: priority.expr, at its line 2, column 1: \"x\" is not known here" },
        { "queues: {a: {priority: {expr: \"'high'\"}}}\n",
          "q.yaml:1:32: priority.expr: it must give a number, and never does" },
        { "queues: {a: {retry: {max_attempts: 0}}}\n",
          "q.yaml:1:36: /queues/a/retry/max_attempts: expected an integer >= 1" },
        { "queues: {a: {retry: {min: 2m, max: 1m}}}\n",
          "q.yaml:1:27: retry.min is above retry.max" },
        { "queues: {a: {retry: {max_attempts: 101}}}\n",
          "q.yaml:1:36: retry.max_attempts is 101, and limits.max_attempts of bide.yaml allows "
          "100" },
        { "queues: {a: {retry: {crash: {max_attempts: 101}}}}\n",
          "q.yaml:1:44: retry.crash.max_attempts is 101" },
        { "queues: {a: {retry: {upstream: {min: 2m, max: 1m}}}}\n",
          "q.yaml:1:38: retry.upstream.min is above retry.upstream.max" },
        { "queues: {a: {retry: {timeout: {min: soon}}}}\n",
          "q.yaml:1:37: /queues/a/retry/timeout/min:" },
        { "queues: {a: {retry: {timeout: {factor: 0.5}}}}\n",
          "q.yaml:1:40: /queues/a/retry/timeout/factor:" },
        { "queues: {a: {retry: {crsh: {min: 2m}}}}\n", "did you mean crash?" },
        { "queues: {a: {retry: {max_attempts: 5, max_attempts_total: 4}}}\n",
          "q.yaml:1:59: retry.max_attempts_total is below retry.max_attempts" },
        { "queues: {a: {retry: {tries: 2}}}\n", "q.yaml:1:22: /queues/a/retry:" },
        { "queues: {\"a b\": 2}\n",
          "q.yaml:1:10: queue name \"a b\" has \" \" (U+0020) at character 2" },
        { "queues:\n  mail.eu: 1\n  日本: 2\n", "q.yaml:3:3: queue name \"日本\" has \"日\"" },
        { "tasks: {a: b/c, a/b: c}\n", "q.yaml:1:17: task id \"a/b\" has \"/\" (U+002F)" },
        { "tasks: {a: \"x\\0y\"}\n", "q.yaml:1:12: queue name \"x?y\" has a control" },
        { "queues: [a]\n", "/queues: expected an object or null" },
        { "pools: {gpu: 2}\nqueues:\n  a: {uses: {gqu: 1}}\n",
          "q.yaml:3:14: uses: there is no pool gqu under pools; did you mean gpu?" },
        { "queues: {a: {uses: {gpu: 1}}}\n",
          "q.yaml:1:21: uses: there is no pool gpu under pools" },
        { "pools: {gpu: 2}\nqueues:\n  a: {uses: {gpu: 3}}\n",
          "q.yaml:3:19: uses: pool gpu has 2 in all, so no run could ever get 3 of it" },
        { "pools: {gpu: 2}\nqueues:\n  a: {uses: {gpu: 0}}\n",
          "q.yaml:3:19: /queues/a/uses/gpu: expected an integer >= 1" },
        { "pools: {gpu: 0}\n", "q.yaml:1:14: /pools/gpu: expected an integer >= 1" },
        { "pools: {gpu: 2, gpu: 3}\n", "q.yaml:1:17:" },
        { "pools: {\"a b\": 2}\n",
          "q.yaml:1:9: name of a pool \"a b\" has \" \" (U+0020) at character 2" },
        { "pools: [gpu]\n", "/pools: expected an object or null" },
        { "tasks: {a: 5}\n", "q.yaml:1:12: /tasks/a: expected a string" },
        { "tasks: {a: \"\"}\n", "q.yaml:1:12: the queue name is empty" },
        { "tasks: {a: {queue: \"x y\"}}\n", "q.yaml:1:20: queue name \"x y\" has" },
        { "queues:\n  a:\n    retention: {ended_runs: 9dd}\n", "a duration is like 30s" },
        { "queues:\n  a:\n    retention: {logs: 5ms}\n",
          "q.yaml:3:23: retention.logs must be a time from 1s to 36500d, like 30d" },
        { "queues: {a: {retention: {tokens: 1d}}}\n", "expected no properties but" },
        { "tasks:\n  a:\n    retention: {tokens: 0}\n", "q.yaml:3:25: retention.tokens must" },
        { "queues:\n  a:\n    rate: fast\n", "q.yaml:3:11: /queues/a/rate: a rate is like" },
        { "queues:\n  a:\n    rate: 0/1m\n",
          "q.yaml:3:11: rate must be like 100/1m, with a number from 1 to 1000000" },
        { "queues:\n  a:\n    rate: 99999999999999999999/1m\n", "q.yaml:3:11: rate must be" },
        { "queues:\n  a:\n    key_rate: 5/0s\n",
          "q.yaml:3:15: key_rate must be per a time from 1ms to 30d" },
        { "queues:\n  a:\n    rate: 5/31d\n", "q.yaml:3:11: rate must be per a time" },
        { "queues:\n  a:\n    rate: 5000/1ms\n", "at most one start in a microsecond" },
        { "queues: {a: {rate: {limit: 5, per: 1s, burst: 0}}}\n",
          "q.yaml:1:47: /queues/a/rate/burst: expected an integer >= 1" },
        { "queues: {a: {rate: {limit: 0, per: 1s}}}\n",
          "q.yaml:1:28: /queues/a/rate/limit: expected an integer >= 1" },
        { "queues: {a: {rate: {limit: 5}}}\n", "/queues/a/rate" },
        { "queues:\n  a:\n    rate: { limit: 5, per: 1s, cost: 2 }\n",
          "q.yaml:3:38: rate.cost is 2, and a burst of 1 can never pay that" },
        { "queues:\n  a:\n    key_rate: { limit: 5, per: 1s, burst: 3, cost: 4 }\n",
          "q.yaml:3:52: key_rate.cost is 4, and a burst of 3 can never pay that" },
        { "queues: {a: {rate: {limit: 5, per: 1s, cost: 0}}}\n", "/queues/a/rate/cost" },
        { "queues: {a: {rate: {limit: 5, per: 1s, cost: {expr: payload. }}}}\n",
          "rate.cost.expr: " },
        { "queues: {a: {rate: {limit: 5, per: 0}}}\n", "q.yaml:1:36: rate must be per a time" },
        { "queues: {a: 1, a: 2}\n", "is here twice" },
        { "queues:\n  a:\n    fair: {tenant: {by: payload.}}\n",
          "q.yaml:3:33: fair.tenant.by: " },
        { "queues:\n  a:\n    fair: {key: {weights: {x: 0}}}\n",
          "q.yaml:3:31: /queues/a/fair/key/weights/x: expected an integer >= 1" },
        { "queues:\n  a:\n    fair: {tenants: {}}\n", "did you mean tenant?" },
        { "[]\n", "expected an object or null" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problems problems = { 0 };
        struct config_queues queues;
        cr_assert_not(config_queues_parse("q.yaml", slice_of(cases[i][0]), 100, &queues, &arena,
                                          &problems),
                      "accepted: %s", cases[i][0]);
        cr_expect_not_null(strstr(said(&problems), cases[i][1]), "wanted: %s\nsaid: %s",
                           cases[i][1], said(&problems));
    }
}

Test(queues, fairness_has_tenants_keys_and_weights)
{
    struct config_queues queues;
    struct problems problems = { 0 };

    cr_assert(config_queues_parse(
        "q.yaml",
        SLICE("queues:\n"
              "  a: {fair: {tenant: {by: payload.org, weights: {b: 3, a: 2}}}}\n"
              "  c: {fair: }\n"),
        100, &queues, &arena, &problems));
    const struct queue_fair *fair = &queues.queues[0].rules.fair;

    cr_assert(fair->is_said && fair->levels[WEIGHT_TENANT].by != NULL);
    cr_assert_null(fair->levels[WEIGHT_KEY].by);
    cr_assert_eq(queue_weight(fair, WEIGHT_TENANT, SLICE("a")), 2);
    cr_assert_eq(queue_weight(fair, WEIGHT_TENANT, SLICE("b")), 3);
    cr_assert_eq(queue_weight(fair, WEIGHT_TENANT, SLICE("else")), 1);
    cr_assert(queues.queues[1].rules.fair.is_said);
    config_queues_finish(&queues);
}

Test(queues, pools_and_what_is_used_of_them)
{
    struct config_queues queues;
    struct problems problems = { 0 };
    char text[QUEUE_RULE_TEXT_SIZE];

    cr_assert(config_queues_parse("q.yaml",
                                  SLICE("queues:\n"
                                        "  a: {uses: {licence: 2, gpu: 1}}\n"
                                        "  b: {uses: }\n"
                                        "pools: {licence: 2, gpu: 4}\n"),
                                  100, &queues, &arena, &problems),
              "%s", said(&problems));
    const struct queue_uses *uses = &queues.queues[0].rules.uses;

    cr_assert_eq(queues.pool_count, 2);
    cr_assert(slice_is(queues.pools[0].name, "gpu") && queues.pools[0].tokens == 4);
    cr_assert_eq(uses->count, 2);
    cr_assert(slice_is(uses->items[1].pool, "licence") && uses->items[1].tokens == 2);
    queue_uses_text(uses, text);
    cr_assert_str_eq(text, "gpu 1, licence 2");
    cr_assert_eq(queues.queues[1].rules.uses.count, 0);
    config_queues_finish(&queues);
}

Test(queues, triggers_that_are_collected)
{
    struct config_queues queues;
    struct problems problems = { 0 };

    cr_assert(config_queues_parse("q.yaml",
                                  SLICE("queues:\n"
                                        "  a: {collect: {max: 500, for: 2s}}\n"
                                        "  b: {collect: }\n"
                                        "tasks: {t: {queue: a, collect: {max: 2, for: 1m}}}\n"),
                                  100, &queues, &arena, &problems),
              "%s", said(&problems));
    const struct queue_collect *collect = &queues.queues[0].rules.collect;

    cr_assert(collect->max == 500 && collect->for_ms == 2000);
    cr_assert_eq(queues.queues[1].rules.collect.max, 0);
    collect = &queues.tasks[0].rules.collect;
    cr_assert(collect->max == 2 && collect->for_ms == 60000);
    config_queues_finish(&queues);
}
