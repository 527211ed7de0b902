/*
 * Validating: one value against one compiled schema. Internal to schema/.
 *
 * Two passes. The first only asks yes or no, stops at the first no and allocates nothing; most
 * values pass and are done. The second runs for what was refused and collects every problem.
 */
#ifndef VALIDATE_H
#define VALIDATE_H

#include "schema/compile/program.h"

enum {
    CHECK_MAX_STEPS =
        10000000,           /* a check looks at no more schemas, items and members than this */
    CHECK_MAX_DEPTH = 1000, /* of schemas inside schemas; a value's own depth is bounded */
};

struct check {
    struct arena *arena;       /* keeps problems */
    struct problems *problems; /* NULL: only yes or no */
    int64_t steps, most_steps; /* left; to begin with */
    uint32_t depth;            /* of schemas */
    uint32_t level;            /* of the value, while defaults are put in */
    bool is_over;              /* a limit was met: the answer is no, whatever the rest says */
    const struct secrets *secrets; /* what problems must not show; NULL: show all */
    const struct schema *speaker;  /* whose own message is used for problems… */
    const struct spot *spoken_of;  /* …of this part; NULL: nobody's */
    struct matcher matcher;
};

/* Where in the value a check is; the links are the way back to the root. */
struct spot {
    const struct spot *up; /* NULL: the root */
    const struct value *value;
    struct slice key; /* in a map; data is NULL in a list */
    uint32_t index;   /* in a list */
};

/* The resources that were entered, innermost first: what $dynamicRef looks through. */
struct scope {
    const struct scope *up;
    const struct resource *resource;
};

/* Which items or members some schema has looked at; kept only where an unevaluated… asks. */
struct seen {
    uint64_t few[4];
    uint64_t *bits;
    uint32_t count;
};

/* What every rule gets: who asks, which schema, where, and how it came there. */
struct visit {
    struct check *check;
    const struct schema *schema;
    const struct spot *spot;
    const struct scope *scope;
    struct seen *seen; /* NULL: nobody asks */
};

void check_init(struct check *check, struct arena *arena);
void check_finish(struct check *check);

/* schema NULL accepts. */
bool schema_visit(struct check *check, const struct schema *schema, const struct spot *spot,
                  const struct scope *scope, struct seen *seen);
/* The same without collecting problems. */
bool schema_try(struct check *check, const struct schema *schema, const struct spot *spot,
                const struct scope *scope, struct seen *seen);
bool list_visit(const struct visit *visit);
bool map_visit(const struct visit *visit);
bool branches_visit(const struct visit *visit);
bool unevaluated_visit(const struct visit *visit);

/* Take `count` steps; false when there are too few left. */
bool check_spend(struct check *check, uint64_t count);

/* Are problems collected, and is there room for another? Else that there is one more is all. */
static inline bool problem_is_wanted(const struct visit *visit)
{
    struct problems *problems = visit->check->problems;

    if (problems != NULL && problems->count >= PROBLEMS_MAX)
        problems->cut = true;
    return problems != NULL && !problems->cut;
}

/* `fine` with one more result. False: stop, since nobody wants to know the rest. */
static inline bool check_goes_on(const struct check *check, bool *fine, bool result)
{
    const struct problems *problems = check->problems;

    *fine = *fine && result;
    return *fine || (problems != NULL && !problems->cut && !check->is_over);
}

void seen_init(struct check *check, struct seen *seen, uint32_t count);
void seen_add(struct seen *seen, uint32_t number);
void seen_add_all(struct seen *seen);
void seen_join(struct seen *to, const struct seen *from);
bool seen_has(const struct seen *seen, uint32_t number);

/*
 * Report that `keyword` is not met, and return false. `format` finishes the sentence "expected
 * …"; `got` is what came instead, empty: the value itself. Through the macros, because their
 * arguments are not even looked at while nobody collects problems.
 */
bool problem_expect(const struct visit *visit, enum keyword keyword, struct slice got,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#define EXPECTED(visit, keyword, ...) \
    (problem_is_wanted(visit) &&      \
     problem_expect((visit), KEYWORD_##keyword, SLICE(""), __VA_ARGS__))
#define EXPECTED_NOT(visit, keyword, got, ...) \
    (problem_is_wanted(visit) && problem_expect((visit), KEYWORD_##keyword, (got), __VA_ARGS__))

/* The same about a member that is too much, misspelt or badly named. */
bool problem_name(const struct visit *visit, enum keyword keyword, struct slice name,
                  struct slice got, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Is the value secret here? Then nothing of it may be told, names of its members neither. */
bool visit_hides(const struct visit *visit);
/* The value as it may be told: "the string \"x\"", "a secret string". */
struct slice spot_describe(const struct visit *visit);
/* The pointer to the part, or to the secret that it is in. */
struct slice spot_pointer(const struct check *check, const struct spot *spot);
/* What a schema wants, in a few words: "a string", "one of \"a\", \"b\"". What a secret must
 * be equal to is not told. */
struct slice schema_describe(const struct visit *visit, const struct schema *schema);
/* The same for const and enum of the visited schema. */
struct slice constant_describe(const struct visit *visit);
struct slice enumeration_describe(const struct visit *visit);
/* "order_id, amount_cents or names that match ^x-" */
struct slice properties_describe(struct arena *arena, const struct map_rules *rules);

/* Put absent properties' defaults into a valid value. */
void defaults_apply(struct check *check, const struct schema *schema, struct value *value);

#endif
