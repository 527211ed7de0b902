/* The load generator, against the bare HTTP server that bench compares with. */
#include "cli/bench/bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(load, members_are_found_in_replies)
{
    struct slice body =
        SLICE("{\"id\":\"run_1\",\"isCached\":false,\"queued\":120,\"x\":\"\"}");

    cr_expect(slice_is(load_member(body, "id"), "run_1"));
    cr_expect_eq(load_number(body, "queued"), 120);
    cr_expect_eq(load_number(body, "isCached"), -1);
    cr_expect_eq(load_number(body, "none"), -1);
    cr_expect_eq(load_member(body, "none").size, 0);
    cr_expect_eq(load_member(body, "x").size, 0);
    cr_expect_eq(load_member(SLICE("{\"id\":\"cut"), "id").size, 0);
    cr_expect_eq(load_member(SLICE("{\"id\":"), "id").size, 0);
}

Test(load, requests_are_whole)
{
    struct buffer out = { 0 };

    load_request(&out, "POST", SLICE("/p"), "KEY", SLICE("{}"));
    buffer_byte(&out, '\0');

    cr_expect_str_eq(out.data,
                     "POST /p HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer KEY\r\n"
                     "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    buffer_finish(&out);
}

Test(load, the_payload_is_as_long_as_it_is_said_to_be)
{
    struct bench bench = { .server = { .key = "k" } };
    struct buffer out = { 0 };

    bench_trigger(&bench, &out, "t", "q", "/var/tmp/some.fifo");
    buffer_byte(&out, '\0');

    const char *start = strstr(out.data, "{\"order\""), *end = strstr(out.data, ",\"options\"");
    cr_assert(start != NULL && end != NULL);
    cr_expect_eq(end - start, BENCH_PAYLOAD_BYTES);
    buffer_finish(&out);
}

Test(load, percentiles_are_of_the_sorted_times)
{
    struct samples samples = { 0 };

    for (uint64_t i = 100; i > 0; i--)
        samples_add(&samples, i * 1000000);

    cr_expect_float_eq(samples_percentile(&samples, 50), 50.0, 0.001);
    cr_expect_float_eq(samples_percentile(&samples, 99), 99.0, 0.001);
    cr_expect_float_eq(samples_percentile(&samples, 100), 100.0, 0.001);
    samples_finish(&samples);
    cr_expect_float_eq(samples_percentile(&samples, 50), 0, 0.001);
}

/* Every reply is counted, on every connection. */
Test(load, drives_a_bare_server)
{
    struct bench bench = { .duration_ms = 400 };
    struct buffer request = { 0 };
    struct err err = { 0 };
    double rate = 0, p50_ms = 0;

    bench_trigger(&bench, &request, "t", "q", NULL);
    cr_assert(limit_http(&bench, buffer_view(&request), 8, &rate, &p50_ms, &err), "%s",
              err.text);

    cr_expect_gt(rate, 500.0);
    cr_expect_gt(p50_ms, 0.0);
    buffer_finish(&request);
}

Test(load, a_server_that_is_not_there_is_an_error)
{
    struct flow flow = { 0 };
    struct err err = { 0 };
    double rate;

    cr_expect_not(flow_run(&flow, "127.0.0.1", 1, SLICE("x"), 2, 100, 0, &rate, &err));
    cr_expect_not_null(strstr(err.text, "cannot connect"));
    flow_finish(&flow);
}
