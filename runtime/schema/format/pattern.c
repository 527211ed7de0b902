/*
 * PCRE2 with JIT, kept within bounds. A pattern is compiled twice:
 *
 *   fast   nothing but the pattern; for short texts, with so small a match limit that no
 *          pattern can take long on them. It looks at every start: the JIT of PCRE2 10.42 skips
 *          some from which (?:\p{L&}|)x*?. matches
 *   timed  with a callout at every item, where the clock is looked at; for everything else,
 *          because PCRE2's own limits count per start position and leave out what a repeat
 *          runs over
 *
 * JIT's own 32 KiB of stack do for nearly all texts; one that outgrows them gets a larger stack
 * for the rest of the check.
 */
#include "schema/format/pattern.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    FAST_MAX_BYTES = 128,
    FAST_MATCH_LIMIT = 2000,
    TIMED_MATCH_LIMIT = 100000000,
    HEAP_LIMIT_KIB = 65536, /* of the interpreter, where JIT is not to be had */
    STACK_START_BYTES = 65536,
    STACK_MAX_BYTES = 32 << 20, /* of JIT; taken from the system as it grows */
    CALLOUTS_PER_LOOK = 16,
};

#define MATCH_TIME_NS (UINT64_C(1000000) * MATCH_TIME_MS)

struct pattern {
    pcre2_code *fast, *timed;
    size_t size;
    char text[];
};

/* Without PCRE2_UCP \d, \w and \b are ASCII's, as in JavaScript. [] matches nothing there. */
static pcre2_code *code_compile(const struct buffer *text, uint32_t more, int *error,
                                size_t *offset)
{
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)(text->size == 0 ? "" : text->data), text->size,
                      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                          PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C | more,
                      error, offset, NULL);

    if (code != NULL) /* where executable memory is forbidden the interpreter does it */
        (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

/* JavaScript has no such limits; what PCRE2 says is mostly of its own making. */
static void code_refuse(struct slice text, bool is_stepping, int code, size_t offset,
                        struct regex_fault *fault)
{
    fault->offset = regex_place(text, is_stepping, offset);
    fault->is_syntax = false;
    if (code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH)
        (void)snprintf(fault->text, sizeof fault->text,
                       "what (?<= and (?<! look for must be of one length, or alternatives "
                       "of one length each, where a group in it is referred to");
    else
        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)fault->text, sizeof fault->text);
}

static bool pattern_compile(struct pattern *pattern, struct slice text, bool is_stepping,
                            struct regex_fault *fault)
{
    struct buffer translated = { 0 };
    size_t offset = 0;
    int code = 0;

    if (regex_translate(&translated, text, is_stepping, fault)) {
        pattern->fast = code_compile(&translated, PCRE2_NO_START_OPTIMIZE, &code, &offset);
        if (pattern->fast != NULL)
            pattern->timed = code_compile(&translated, PCRE2_AUTO_CALLOUT, &code, &offset);
    }
    buffer_finish(&translated);
    bool looks_far = code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH ||
                     code == PCRE2_ERROR_LOOKBEHIND_TOO_LONG ||
                     code == PCRE2_ERROR_LOOKBEHIND_TOO_COMPLICATED;
    if (looks_far && !is_stepping)
        return pattern_compile(pattern, text, true, fault);
    if (pattern->timed == NULL && code != 0)
        code_refuse(text, is_stepping, code, offset, fault);
    return pattern->timed != NULL;
}

struct pattern *pattern_create(struct slice text, struct regex_fault *fault)
{
    struct pattern *pattern = memory_zeroed(1, sizeof *pattern + text.size + 1);

    pattern->size = text.size;
    if (text.size > 0)
        memcpy(pattern->text, text.data, text.size);
    if (pattern_compile(pattern, text, false, fault))
        return pattern;
    pattern_destroy(pattern);
    return NULL;
}

void pattern_destroy(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->fast);
    pcre2_code_free(pattern->timed);
    free(pattern);
}

size_t pattern_bytes(const struct pattern *pattern)
{
    size_t size = 0;

    (void)pcre2_pattern_info(pattern->fast, PCRE2_INFO_SIZE, &size); /* cannot fail */
    return size;
}

struct slice pattern_text(const struct pattern *pattern)
{
    return (struct slice){ pattern->text, pattern->size };
}

/* ---- matching ---------------------------------------------------------------------------- */

static void *room_get(size_t size, void *data)
{
    struct matcher *matcher = data;
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

    if (rounded < size || rounded > sizeof matcher->room - matcher->room_used)
        return malloc(size); /* PCRE2 reports it when there is none: the heap limit is ours */
    void *memory = matcher->room + matcher->room_used;
    matcher->room_used += rounded;
    return memory;
}

static void room_free(void *memory, void *data)
{
    struct matcher *matcher = data;
    const char *at = memory;

    if (at == NULL || (at >= matcher->room && at < matcher->room + sizeof matcher->room))
        return;
    free(memory);
}

/* The wall clock is cheap to read; when its time is over, the thread's own begins to count. */
static bool is_over(struct matcher *matcher)
{
    uint64_t now_ns = clock_monotonic_ns(), thread_ns, worked_ns;

    if (now_ns <= matcher->deadline_ns || matcher->is_quick)
        return now_ns > matcher->deadline_ns;
    thread_ns = clock_thread_ns();
    if (matcher->overtime_ns == 0)
        matcher->overtime_ns = thread_ns;
    worked_ns = thread_ns - matcher->overtime_ns;
    if (worked_ns >= MATCH_TIME_NS)
        return true;
    matcher->deadline_ns = now_ns + MATCH_TIME_NS - worked_ns;
    return false;
}

static int on_callout(pcre2_callout_block *block, void *data)
{
    struct matcher *matcher = data;

    (void)block; /* where it stands does not matter */
    if (++matcher->callouts % CALLOUTS_PER_LOOK != 0)
        return 0;
    return is_over(matcher) ? PCRE2_ERROR_MATCHLIMIT : 0;
}

void matcher_init(struct matcher *matcher)
{
    matcher->memory = NULL;
    matcher->context = NULL;
    matcher->data = NULL;
    matcher->stack = NULL;
    matcher->deadline_ns = matcher->overtime_ns = 0;
    matcher->callouts = 0;
    matcher->room_used = 0;
    matcher->is_quick = false;
}

void matcher_hurry(struct matcher *matcher, uint64_t time_ns)
{
    matcher->is_quick = true;
    matcher->deadline_ns = clock_monotonic_ns() + time_ns;
}

static void matcher_start(struct matcher *matcher)
{
    matcher->memory = pcre2_general_context_create(room_get, room_free, matcher);
    if (matcher->memory == NULL)
        memory_die(0);
    matcher->context = pcre2_match_context_create(matcher->memory);
    matcher->data = pcre2_match_data_create(1, matcher->memory);
    if (matcher->context == NULL || matcher->data == NULL)
        memory_die(0);
    pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
    pcre2_set_callout(matcher->context, on_callout, matcher);
}

/* False: there is none, or it was not enough. */
static bool stack_add(struct matcher *matcher)
{
    if (matcher->stack != NULL)
        return false;
    matcher->stack = pcre2_jit_stack_create(STACK_START_BYTES, STACK_MAX_BYTES, NULL);
    if (matcher->stack != NULL)
        pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return matcher->stack != NULL;
}

static int code_match(const pcre2_code *code, struct matcher *matcher, struct slice text,
                      uint32_t limit)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.size == 0 ? "" : text.data);

    pcre2_set_match_limit(matcher->context, limit);
    int found = pcre2_match(code, subject, text.size, 0, PCRE2_NO_UTF_CHECK, matcher->data,
                            matcher->context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT && stack_add(matcher))
        found = pcre2_match(code, subject, text.size, 0, PCRE2_NO_UTF_CHECK, matcher->data,
                            matcher->context);
    return found;
}

enum match pattern_match(const struct pattern *pattern, struct matcher *matcher,
                         struct slice text)
{
    int found = PCRE2_ERROR_MATCHLIMIT;

    if (matcher->is_quick && is_over(matcher))
        return MATCH_TOO_LONG;
    if (matcher->memory == NULL)
        matcher_start(matcher);
    if (text.size <= FAST_MAX_BYTES)
        found = code_match(pattern->fast, matcher, text, FAST_MATCH_LIMIT);
    if (found < PCRE2_ERROR_NOMATCH) {
        if (matcher->deadline_ns == 0)
            matcher->deadline_ns = clock_monotonic_ns() + MATCH_TIME_NS;
        found = code_match(pattern->timed, matcher, text, TIMED_MATCH_LIMIT);
    }
    if (found >= 0)
        return MATCH_YES;
    return found == PCRE2_ERROR_NOMATCH ? MATCH_NO : MATCH_TOO_LONG;
}

void matcher_finish(struct matcher *matcher)
{
    if (matcher->memory == NULL)
        return;
    pcre2_match_data_free(matcher->data);
    if (matcher->stack != NULL)
        pcre2_jit_stack_free(matcher->stack);
    pcre2_match_context_free(matcher->context);
    pcre2_general_context_free(matcher->memory);
    matcher_init(matcher);
}
