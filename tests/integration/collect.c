/* Triggers that are collected, and debounced, through the whole machine. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "adder");
    server_write(&s, "config/queues.yaml",
                 "queues:\n"
                 "  points: { collect: { max: 5, for: 2s } }\n"
                 "tasks:\n"
                 "  add: points\n");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(collect, .init = set_up, .fini = tear_down, .timeout = 120);

static const char *give(int n)
{
    return run_trigger(&s, "add", text("{\"n\": %d}", n), NULL);
}

Test(collect, as_many_as_it_takes_are_one_run)
{
    const char *first = give(1), *last = NULL;
    for (int n = 2; n <= 5; n++)
        cr_assert_str_eq(last = give(n), first);
    const struct reply *run = run_end(&s, last);

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "output.sum"), 15, "%s", run->text);
    cr_assert_eq(reply_number(run, "collected"), 5);
    cr_assert_str_neq(give(6), first);
}

/* They are rows, and nothing else. */
Test(collect, a_kill_loses_none_of_them)
{
    const char *first = give(1);
    give(2);
    server_kill(&s);
    server_start(&s);
    const struct reply *run = run_end(&s, first);

    cr_assert_eq(reply_number(run, "output.sum"), 3, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.count"), 2);
}

Test(collect, segments_add_once_and_wait_for_what_they_have_added_to)
{
    const char *one = run_trigger(&s, "giver", "{\"n\": 1}", NULL);
    const char *two = run_trigger(&s, "giver", "{\"n\": 2}", NULL);
    const struct reply *run = run_end(&s, one);

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "output.sum"), 3, "%s", run->text);
    long long n = reply_number(run, "output.n");
    run = run_end(&s, two);
    cr_assert_eq(reply_number(run, "output.sum"), 3, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.n"), n, "it is the same run: %s", run->text);
}
