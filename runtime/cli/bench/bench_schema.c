/*
 * schema: how often a second a payload is checked against its schema, beside how often the same
 * JSON is parsed, by the server's own parser and by jansson alone, which is the limit: whoever
 * is sent JSON must at least do that. Needs no server; one thread, one core.
 */
#include "base/clock.h"
#include "cli/bench/bench.h"
#include "codec/json.h"
#include "schema/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, SMALL_BYTES = 200, LARGE_BYTES = 20000, BATCH = 16 };

static const char schema_text[] =
    "input:\n"
    "  type: object\n"
    "  required: [order_id, email, amount_cents, currency, created, lines]\n"
    "  additionalProperties: false\n"
    "  properties:\n"
    "    order_id: { type: string, pattern: '^[A-Z]-[0-9]{1,8}$' }\n"
    "    email: { type: string, format: email, maxLength: 200 }\n"
    "    amount_cents: { type: integer, minimum: 1, maximum: 100000000 }\n"
    "    currency: { enum: [EUR, USD, GBP, CHF] }\n"
    "    created: { type: string, format: date-time }\n"
    "    ship_to: { $ref: '#/$defs/address' }\n"
    "    lines:\n"
    "      type: array\n"
    "      minItems: 1\n"
    "      maxItems: 1000\n"
    "      items: { $ref: '#/$defs/line' }\n"
    "$defs:\n"
    "  address:\n"
    "    type: object\n"
    "    required: [city, country]\n"
    "    additionalProperties: false\n"
    "    properties:\n"
    "      city: { type: string, minLength: 1, maxLength: 100 }\n"
    "      country: { enum: [AT, CH, DE, FR, IT] }\n"
    "      zip: { type: string, maxLength: 10 }\n"
    "  line:\n"
    "    type: object\n"
    "    required: [sku, count]\n"
    "    additionalProperties: false\n"
    "    properties:\n"
    "      sku: { type: string, pattern: '^[A-Z]{2}-[0-9]+$' }\n"
    "      count: { type: integer, minimum: 1, maximum: 999 }\n"
    "      price_cents: { type: integer, minimum: 0 }\n"
    "      gift: { type: boolean }\n"
    "      note: { type: [string, 'null'], maxLength: 200 }\n";

struct subject {
    const struct schema *schema;
    struct slice text;
    struct value value; /* of the text */
    struct arena arena; /* scratch, reset for each */
    struct err *err;
};

/* ---- the payload ------------------------------------------------------------------------- */

static void line_add(struct buffer *out, int number)
{
    buffer_format(out, "%s{\"sku\":\"AB-%d\",\"count\":%d", number > 1 ? "," : "",
                  1000 + number, number % 9 + 1);
    if (number > 1)
        buffer_format(out, ",\"price_cents\":%d,\"gift\":%s,\"note\":%s", number * 37,
                      number % 3 == 0 ? "true" : "false",
                      number % 4 == 0 ? "null" : "\"leave it at the door, please\"");
    buffer_byte(out, '}');
}

/* An order of one line, or of at least so many bytes. */
static void order_make(struct buffer *out, size_t size)
{
    buffer_text(out, "{\"order_id\":\"A-10023\",\"email\":\"ann@example.com\","
                     "\"amount_cents\":1250,\"currency\":\"EUR\","
                     "\"created\":\"2026-01-02T03:04:05Z\","
                     "\"ship_to\":{\"city\":\"Bern\",\"country\":\"CH\"},\"lines\":[");
    for (int number = 1; number == 1 || (size > SMALL_BYTES && out->size < size); number++)
        line_add(out, number);
    buffer_text(out, "]}");
}

/* ---- what is measured -------------------------------------------------------------------- */

static bool check_once(struct subject *subject)
{
    struct problems problems = { 0 };

    if (schema_check(subject->schema, &subject->value, &subject->arena, &problems))
        return true;
    return err_set(subject->err, ERR_SYSTEM, "the order does not fit its schema: %.*s",
                   SLICE_ARG(problems.first->message));
}

static bool parse_once(struct subject *subject)
{
    struct value value;
    bool fine = json_read(&subject->arena, subject->text, &value, subject->err);

    arena_reset(&subject->arena);
    return fine;
}

static bool bare_once(struct subject *subject)
{
    json_t *value =
        json_loadb(subject->text.data, subject->text.size, JSON_REJECT_DUPLICATES, NULL);

    json_decref(value);
    return value != NULL || err_set(subject->err, ERR_SYSTEM, "jansson refuses the order");
}

static bool rate_measure(bool (*once)(struct subject *), struct subject *subject,
                         int64_t duration_ms, double *rate)
{
    uint64_t start = clock_monotonic_ns(), now = start, count = 0;

    while (now - start < (uint64_t)duration_ms * 1000000) {
        for (int i = 0; i < BATCH; i++, count++)
            if (!once(subject))
                return false;
        now = clock_monotonic_ns();
    }
    *rate = (double)count * 1e9 / (double)(now - start);
    return true;
}

static int rate_compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* They take turns, so that a busy moment of the machine does not hit one of them alone;
 * medians.
 */
static bool rates_measure(struct bench *bench, struct subject *subject, double medians[3])
{
    static bool (*const all[])(struct subject *) = { check_once, parse_once, bare_once };
    int64_t duration_ms = bench->duration_ms / (ROUNDS * 3);
    double rates[3][ROUNDS];

    for (int round = 0; round < ROUNDS && !bench_interrupted; round++)
        for (int i = 0; i < 3; i++)
            if (!rate_measure(all[i], subject, duration_ms, &rates[i][round]))
                return false;
    if (bench_interrupted)
        return err_set(subject->err, ERR_STOPPING, "interrupted");
    for (int i = 0; i < 3; i++) {
        qsort(rates[i], ROUNDS, sizeof(double), rate_compare);
        medians[i] = rates[i][ROUNDS / 2];
    }
    return true;
}

/* ---- the workloads ----------------------------------------------------------------------- */

static bool order_measure(struct bench *bench, struct subject *subject, struct value *result)
{
    double rates[3];

    if (!json_read(bench->arena, subject->text, &subject->value, subject->err) ||
        !rates_measure(bench, subject, rates))
        return false;
    bench_put(bench, result, "value", rates[0]);
    bench_put(bench, result, "bytes", (double)subject->text.size);
    bench_put(bench, result, "us", 1e6 / rates[0]);
    bench_put(bench, result, "parse", rates[1]);
    bench_put(bench, result, "parse_us", 1e6 / rates[1]);
    bench_put(bench, result, "limit", rates[2]);
    bench_put(bench, result, "ratio", rates[0] / rates[2]);
    bench_put(bench, result, "floor", rates[1]); /* checking costs less than parsing */
    return true;
}

static bool schema_measure(struct bench *bench, size_t size, struct value *result,
                           struct err *err)
{
    struct slice text = { schema_text, sizeof schema_text - 1 };
    struct subject subject = { .err = err };
    struct problems problems = { 0 };
    struct schema_file *file = NULL;
    struct buffer order = { 0 };
    bool fine = false;

    order_make(&order, size);
    subject.text = buffer_view(&order);
    if (!schema_file_parse("order.yaml", text, &file, bench->arena, &problems)) {
        err_set(err, ERR_SYSTEM, "%.*s", SLICE_ARG(problems.first->message));
    } else {
        subject.schema = schema_input(file);
        fine = order_measure(bench, &subject, result);
    }
    schema_file_destroy(file);
    arena_finish(&subject.arena);
    buffer_finish(&order);
    return fine;
}

bool bench_schema_small(struct bench *bench, struct value *result, struct err *err)
{
    return schema_measure(bench, SMALL_BYTES, result, err);
}

bool bench_schema_large(struct bench *bench, struct value *result, struct err *err)
{
    return schema_measure(bench, LARGE_BYTES, result, err);
}
