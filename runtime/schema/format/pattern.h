/* Patterns: regular expressions as JSON Schema means them (ECMA-262 with its `u` flag,
 * unanchored). */
#ifndef PATTERN_H
#define PATTERN_H

#include "base/slice.h"
#include "schema/format/regex.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern; /* immutable, any thread */

/* `text` is valid UTF-8. */
struct pattern *pattern_create(struct slice text, struct regex_fault *fault);
void pattern_destroy(struct pattern *pattern);
/* What it has become: repeats are written out, and compiling takes its time accordingly. */
size_t pattern_bytes(const struct pattern *pattern);
struct slice pattern_text(const struct pattern *pattern);

/* What one check needs to match any number of patterns; one thread. */
struct matcher {
    struct pcre2_real_general_context_8 *memory;
    struct pcre2_real_match_context_8 *context;
    struct pcre2_real_match_data_8 *data;
    struct pcre2_real_jit_stack_8 *stack; /* NULL until one is needed */
    /* All matching of one check together is bounded in time; in the end by the time that this
     * thread has worked, or a busy machine would refuse what a quiet one takes. */
    uint64_t deadline_ns, overtime_ns;
    bool is_quick; /* the deadline is the end, whoever had the processor meanwhile */
    uint32_t callouts;
    size_t room_used;
    alignas(max_align_t) char room[768]; /* so that matching seldom goes through malloc */
};

enum match { MATCH_NO, MATCH_YES, MATCH_TOO_LONG };

enum { MATCH_TIME_MS = 200 };

/* Leaves `room` as it is: clearing it would cost more than most checks. */
void matcher_init(struct matcher *matcher);
/* From now on no match begins, or goes on for long, after `time_ns`. */
void matcher_hurry(struct matcher *matcher, uint64_t time_ns);
void matcher_finish(struct matcher *matcher);

/* `text` is valid UTF-8. */
enum match pattern_match(const struct pattern *pattern, struct matcher *matcher,
                         struct slice text);

#endif
