/* What is counted by minute: of queues, and of their busiest keys. */
#include "engine/minutes.h"

#include "bench.h"

#include <stdio.h>

TestSuite(minutes, .init = bench_open, .fini = bench_close);

/* All minutes added up, of the queue or of one of its keys. */
static struct queue_minute sum(const char *key)
{
    struct queue_minute all = { .minute = 0 };

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_QUEUE_MINUTE); i++) {
        const struct queue_minute *row =
            (const struct queue_minute *)store_memory_at(bench.store, ROW_QUEUE_MINUTE, i);
        if (!slice_is(row->key, key))
            continue;
        all.started += row->started;
        all.completed += row->completed;
        all.failed += row->failed;
        all.canceled += row->canceled;
        for (int k = 0; k < WAIT_BUCKETS; k++)
            all.waits[k] += row->waits[k];
    }
    return all;
}

static uint32_t keys_in(int64_t minute)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_QUEUE_MINUTE); i++) {
        const struct queue_minute *row =
            (const struct queue_minute *)store_memory_at(bench.store, ROW_QUEUE_MINUTE, i);
        count += row->minute == minute && row->key.size > 0;
    }
    return count;
}

Test(minutes, a_start_is_counted_with_how_long_it_was_waited_for)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t first = start("t");
    (void)trigger("t");
    advance(SECONDS(5));
    end_done(first);

    cr_assert_eq(sum("").started, 2);
    cr_assert_eq(sum("").completed, 1);
    cr_assert_eq(sum("").waits[0], 1);
    cr_assert_eq(sum("").waits[wait_bucket(SECONDS(5))], 1);
}

Test(minutes, what_goes_on_after_a_wait_or_is_tried_again_starts_once_more)
{
    int64_t run = start("t"), other = start("t");
    wait_time(run, bench.now_ms + SECONDS(90));
    end_fail(other, true);
    cancel(other);
    release(other);
    advance(SECONDS(90));
    end_fail(run, false);

    struct queue_minute all = sum("");
    cr_assert_eq(all.started, 4);
    cr_assert_eq(all.waits[0], 4, "they waited for a time, not for a slot");
    cr_assert(all.failed == 1 && all.canceled == 1 && all.completed == 0);
}

Test(minutes, a_batch_that_fails_counts_nothing)
{
    add_trigger("t");
    store_memory_fail(bench.store, 4);
    cr_assert_not(commit());
    store_memory_fail(bench.store, 0);
    cr_assert_eq(sum("").started, 0);

    (void)start("t");
    cr_assert_eq(sum("").started, 1);
}

Test(minutes, a_key_is_counted_by_itself_and_in_its_queue)
{
    end_done(keyed("", "a"));
    end_done(keyed("", "b"));
    end_done(keyed("", "b"));

    cr_assert(sum("").started == 3 && sum("").completed == 3);
    cr_assert(sum("a").started == 1 && sum("a").completed == 1);
    cr_assert(sum("b").started == 2 && sum("b").waits[0] == 2);
}

static void keyed_many(int rounds, int keys, const char *word)
{
    char key[16];

    for (int i = 0; i < rounds * keys; i++) {
        snprintf(key, sizeof key, "%s %d", word, i % keys);
        end_done(keyed("", key));
    }
}

/* However many there are, rows are written of a few; who is busy stays among them. */
Test(minutes, of_many_keys_the_busiest_are_counted)
{
    keyed_many(5, BUSY_KEYS, "busy");
    keyed_many(1, 300, "rare");
    int64_t minute = bench.now_ms / MINUTE_MS;
    cr_assert_leq(keys_in(minute), 2 * BUSY_KEYS);
    keyed_many(1, BUSY_KEYS, "busy");
    uint32_t kept = 0;
    for (int i = 0; i < BUSY_KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "busy %d", i);
        kept += sum(key).started == 6;
    }
    cr_assert_geq(kept, BUSY_KEYS - 1, "%u are still counted", kept);

    for (int i = 0; i < 10; i++) { /* now they are still, and others take their places */
        advance(MINUTES(1));
        end_done(keyed("", "new"));
    }
    keyed_many(1, 600, "rare");

    minute = bench.now_ms / MINUTE_MS;
    cr_assert_leq(keys_in(minute), 2 * BUSY_KEYS);
    cr_assert_geq(sum("new").started, 5);
    cr_assert_eq(sum("").started, 6 * BUSY_KEYS + 300 + 10 + 600);
}

Test(minutes, a_quantile_is_within_its_bucket)
{
    int64_t waits[WAIT_BUCKETS] = { 0 };

    cr_assert_eq(wait_quantile(waits, 0.5), 0);
    for (int64_t ms = 0; ms < 1000; ms++)
        waits[wait_bucket(ms)]++;
    int64_t half = wait_quantile(waits, 0.5), most = wait_quantile(waits, 0.95);
    cr_assert(half > 480 && half < 520, "%lld", (long long)half);
    cr_assert(most > 930 && most < 980, "%lld", (long long)most);
    cr_assert_eq(wait_quantile(waits, 0.001), 0);

    cr_assert_eq(wait_bucket(-5), 0);
    cr_assert_eq(wait_bucket(INT64_MAX), WAIT_BUCKETS - 1);
    memset(waits, 0, sizeof waits);
    waits[WAIT_BUCKETS - 1] = 1;
    cr_assert_eq(wait_quantile(waits, 0.5), INT64_C(1) << (WAIT_BUCKETS - 2));
}
