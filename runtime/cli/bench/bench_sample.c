#include "base/memory.h"
#include "cli/bench/bench.h"
#include "cli/output/screen.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void samples_add(struct samples *samples, uint64_t duration_ns)
{
    uint64_t us = duration_ns / 1000;

    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 4096 : samples->capacity * 2;
        samples->us = memory_grow(samples->us, samples->capacity * sizeof *samples->us);
    }
    samples->us[samples->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void samples_finish(struct samples *samples)
{
    free(samples->us);
    *samples = (struct samples){ 0 };
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

double samples_percentile(struct samples *samples, double percent)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->us, samples->count, sizeof *samples->us, compare);
    size_t at = (size_t)ceil(percent / 100 * (double)samples->count);
    return samples->us[at > 0 ? at - 1 : 0] / 1000.0;
}

void bench_put(struct bench *bench, struct value *result, const char *name, double number)
{
    double rounded = fabs(number) >= 100 ? round(number) : round(number * 1000) / 1000;

    if (rounded == floor(rounded) && fabs(rounded) < 9e15)
        value_put(bench->arena, result, name, value_int((int64_t)rounded));
    else
        value_put(bench->arena, result, name, value_double(rounded));
}

void bench_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
