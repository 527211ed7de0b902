/* The way through one schema, and the rules for values that have no parts. */
#include "schema/check/secret.h"
#include "schema/document/number.h"
#include "schema/format/format.h"

#include <inttypes.h>

void check_init(struct check *check, struct arena *arena)
{
    check->arena = arena;
    check->problems = NULL;
    check->steps = check->most_steps = CHECK_MAX_STEPS;
    check->depth = check->level = 0;
    check->is_over = false;
    check->secrets = NULL;
    check->speaker = NULL;
    check->spoken_of = NULL;
    matcher_init(&check->matcher);
}

void check_finish(struct check *check)
{
    matcher_finish(&check->matcher);
}

bool check_spend(struct check *check, uint64_t count)
{
    if (check->steps >= 0 && count <= (uint64_t)check->steps) {
        check->steps -= (int64_t)count;
        return !check->is_over;
    }
    check->steps = -1;
    check->is_over = true;
    return false;
}

/* ---- values without parts ---------------------------------------------------------------- */

static bool type_check(const struct visit *visit)
{
    uint32_t types = visit->schema->types;

    if (types == 0 || (types & type_of(visit->spot->value)) != 0)
        return true;
    return EXPECTED(visit, TYPE, "%.*s", SLICE_ARG(schema_describe(visit, visit->schema)));
}

static bool values_check(const struct visit *visit)
{
    const struct schema *schema = visit->schema;
    const struct value *value = visit->spot->value;
    struct check *check = visit->check;

    if (schema->constant != NULL && !value_same(schema->constant, value, &check->steps))
        return EXPECTED(visit, CONST, "%.*s", SLICE_ARG(constant_describe(visit)));
    if (schema->enumeration != NULL &&
        !enumeration_has(schema->enumeration, value, &check->steps))
        return EXPECTED(visit, ENUM, "%.*s", SLICE_ARG(enumeration_describe(visit)));
    return true;
}

static const char *number_noun(const struct visit *visit)
{
    uint32_t types = visit->schema->types & (TYPE_INTEGER | TYPE_NUMBER);
    return types == TYPE_INTEGER ? "an integer" : "a number";
}

#define BOUND_TEXT(visit, bound) \
    number_noun(visit), SLICE_ARG(value_describe((visit)->check->arena, &(bound).value))

static bool number_check(const struct visit *visit)
{
    const struct number_rules *rules = visit->schema->number;
    const struct value *value = visit->spot->value;
    bool fine = true;

    if (rules->minimum.is_set && number_compare(value, &rules->minimum.value) < 0)
        fine = EXPECTED(visit, MINIMUM, "%s >= %.*s", BOUND_TEXT(visit, rules->minimum));
    if (rules->maximum.is_set && number_compare(value, &rules->maximum.value) > 0)
        fine = EXPECTED(visit, MAXIMUM, "%s <= %.*s", BOUND_TEXT(visit, rules->maximum));
    if (rules->above.is_set && number_compare(value, &rules->above.value) <= 0)
        fine = EXPECTED(visit, EXCLUSIVE_MINIMUM, "%s > %.*s", BOUND_TEXT(visit, rules->above));
    if (rules->below.is_set && number_compare(value, &rules->below.value) >= 0)
        fine = EXPECTED(visit, EXCLUSIVE_MAXIMUM, "%s < %.*s", BOUND_TEXT(visit, rules->below));
    if (rules->multiple.is_set && !number_is_multiple(value, &rules->multiple.value))
        fine = EXPECTED(visit, MULTIPLE_OF, "%s that is a multiple of %.*s",
                        BOUND_TEXT(visit, rules->multiple));
    return fine;
}

/* A secret's length is a part of it. */
static struct slice length_describe(const struct visit *visit, uint64_t length)
{
    struct slice text = spot_describe(visit);

    return visit_hides(visit) ? text
                              : arena_format(visit->check->arena, "%" PRIu64 " (%.*s)", length,
                                             SLICE_ARG(text));
}

/* Code points; binary data has bytes. */
static uint64_t string_length(const struct value *value)
{
    uint64_t length = 0;

    if (value->kind == VALUE_BYTES)
        return value->bytes.size;
    for (size_t i = 0; i < value->bytes.size; i++)
        length += ((unsigned char)value->bytes.data[i] & 0xc0) != 0x80;
    return length;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static bool length_check(const struct visit *visit)
{
    const struct string_rules *rules = visit->schema->string;
    const struct value *value = visit->spot->value;

    if (rules->min_length == 0 && rules->max_length >= value->bytes.size)
        return true; /* no more code points than bytes */
    if (!check_spend(visit->check, value->bytes.size / 64))
        return false;
    uint64_t length = string_length(value);
    if (length < rules->min_length)
        return EXPECTED_NOT(visit, MIN_LENGTH, length_describe(visit, length),
                            "at least %" PRIu64 " character%s", rules->min_length,
                            plural(rules->min_length));
    if (length > rules->max_length)
        return EXPECTED_NOT(visit, MAX_LENGTH, length_describe(visit, length),
                            "at most %" PRIu64 " character%s", rules->max_length,
                            plural(rules->max_length));
    return true;
}

static bool pattern_check(const struct visit *visit)
{
    const struct pattern *pattern = visit->schema->string->pattern;
    const struct value *value = visit->spot->value;
    enum match match = MATCH_NO;

    if (pattern == NULL)
        return true;
    if (value->kind == VALUE_STRING) /* binary data matches nothing */
        match = pattern_match(pattern, &visit->check->matcher, value->bytes);
    if (match == MATCH_YES)
        return true;
    (void)EXPECTED_NOT(visit, PATTERN, /* it says no, and so do we */
                       match == MATCH_TOO_LONG ? SLICE("one that takes too long to compare")
                                               : SLICE(""),
                       "a string that matches %.*s", SLICE_ARG(pattern_text(pattern)));
    if (match == MATCH_TOO_LONG)
        visit->check->is_over = true; /* a `not` around it must not make this a yes */
    return false;
}

static bool format_check(const struct visit *visit)
{
    const struct format *format = visit->schema->string->format;
    const struct value *value = visit->spot->value;

    if (format == NULL)
        return true;
    if (!check_spend(visit->check, format->steps + value->bytes.size / 64))
        return false;
    if (value->kind == VALUE_STRING && format->fits(value->bytes))
        return true;
    return EXPECTED(visit, FORMAT, "%s", format->noun);
}

static bool string_check(const struct visit *visit)
{
    bool fine = true;

    if (!check_goes_on(visit->check, &fine, length_check(visit)))
        return false;
    if (!check_goes_on(visit->check, &fine, pattern_check(visit)))
        return false;
    (void)check_goes_on(visit->check, &fine, format_check(visit)); /* the last */
    return fine;
}

/* ---- one schema -------------------------------------------------------------------------- */

/* The rules for the kind that the value has. */
static bool kind_check(const struct visit *visit)
{
    const struct schema *schema = visit->schema;

    switch (visit->spot->value->kind) {
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        return schema->number == NULL || number_check(visit);
    case VALUE_STRING:
    case VALUE_BYTES:
        return schema->string == NULL || string_check(visit);
    case VALUE_LIST:
        return schema->list == NULL || list_visit(visit);
    case VALUE_MAP:
        return schema->map == NULL || map_visit(visit);
    case VALUE_NULL:
    case VALUE_BOOL:
        break;
    }
    return true;
}

static bool rules_check(const struct visit *visit)
{
    struct check *check = visit->check;
    bool fine = true;

    /* A value of the wrong type needs no second reason. */
    if (visit->schema->is_never)
        return EXPECTED(visit, NONE, "nothing here");
    if (!type_check(visit) || !values_check(visit))
        return false;
    if (!check_goes_on(check, &fine, kind_check(visit)))
        return false;
    if (visit->schema->branches == NULL)
        return fine;
    bool branches_fine = branches_visit(visit);
    if (!check_goes_on(check, &fine, branches_fine))
        return false;
    /* What is left over is known only when all branches hold. */
    bool rest_fine = branches_fine && unevaluated_visit(visit);
    return fine && rest_fine;
}

/* A schema that asks what is left over starts its own notes; they count for those who asked,
 * too. */
static bool noting_check(struct visit *visit)
{
    struct seen *outer = visit->seen, own;

    seen_init(visit->check, &own, visit->spot->value->count);
    visit->seen = &own;
    bool fine = rules_check(visit);
    if (outer != NULL)
        seen_join(outer, &own);
    return fine;
}

static bool asks_for_rest(const struct schema *schema, const struct value *value)
{
    const struct branches *branches = schema->branches;

    return branches != NULL &&
           ((value->kind == VALUE_LIST && branches->unevaluated_items != NULL) ||
            (value->kind == VALUE_MAP && branches->unevaluated_members != NULL));
}

/* Its message is for its own problems with this part, and for those of its branches that have
 * none of their own. */
static bool speaking_check(struct visit *visit)
{
    struct check *check = visit->check;
    const struct schema *speaker = check->speaker;
    const struct spot *spoken_of = check->spoken_of;

    check->speaker = visit->schema;
    check->spoken_of = visit->spot;
    bool fine = asks_for_rest(visit->schema, visit->spot->value) ? noting_check(visit)
                                                                 : rules_check(visit);
    check->speaker = speaker;
    check->spoken_of = spoken_of;
    return fine;
}

bool schema_visit(struct check *check, const struct schema *schema, const struct spot *spot,
                  const struct scope *scope, struct seen *seen)
{
    if (schema == NULL)
        return true;
    if (check->depth >= CHECK_MAX_DEPTH)
        check->is_over = true;
    if (!check_spend(check, 1))
        return false;
    struct scope entered = { scope, schema->resource };
    struct visit visit = { check, schema, spot, scope, seen };
    if (scope == NULL || scope->resource != schema->resource)
        visit.scope = &entered;
    check->depth++;
    bool fine = schema->message.size > 0 && check->problems != NULL ? speaking_check(&visit)
                : asks_for_rest(schema, spot->value)                ? noting_check(&visit)
                                                                    : rules_check(&visit);
    check->depth--;
    return fine;
}

bool schema_try(struct check *check, const struct schema *schema, const struct spot *spot,
                const struct scope *scope, struct seen *seen)
{
    struct problems *problems = check->problems;

    check->problems = NULL;
    bool fine = schema_visit(check, schema, spot, scope, seen);
    check->problems = problems;
    return fine;
}

/* ---- the whole --------------------------------------------------------------------------- */

/* Over a limit the list of problems is not whole, and may even be empty. */
static void limit_report(const struct schema *schema, struct arena *arena,
                         struct problems *problems)
{
    problems->cut = problems->count > 0;
    if (problems->cut)
        return;
    problem_add(arena, problems,
                (struct problem){
                    .pointer = SLICE(""),
                    .expected = SLICE("a value that can be checked"),
                    .got = SLICE("one that is too large, too deep or too slow for its schema"),
                    .message = SLICE("the value takes too long to check against its schema"),
                    .file = arena_copy(arena, schema->resource->file),
                    .line = schema->line,
                    .column = schema->column,
                });
}

/* Why `value`, which is known to fail, does. After too many steps nobody looks again. */
static void problems_collect(struct check *check, const struct schema *schema,
                             const struct spot *root, struct problems *problems)
{
    struct problems found = { 0 };

    struct secrets secrets;
    bool has_secrets = secrets_find(&secrets, schema, root->value);

    if (check->steps >= 0) {
        check->steps = check->most_steps;
        check->is_over = false;
        check->problems = &found;
        check->secrets = has_secrets ? &secrets : NULL;
        (void)schema_visit(check, schema, root, NULL, NULL); /* it fails */
    }
    if (has_secrets)
        secrets_finish(&secrets);
    if (check->is_over || found.count == 0)
        limit_report(schema, check->arena, &found);
    problems_join(problems, &found);
}

enum schema_quick schema_check_quick(const struct schema *schema, struct value *value,
                                     struct arena *arena, struct problems *problems)
{
    enum { QUICK_STEPS = 20000, QUICK_NS = 500000 };
    struct spot root = { .value = value };
    struct problems found = { 0 };
    struct check check;

    if (schema == NULL)
        return SCHEMA_FITS;
    check_init(&check, arena);
    check.steps = check.most_steps = QUICK_STEPS;
    matcher_hurry(&check.matcher, QUICK_NS);
    bool fine = schema_visit(&check, schema, &root, NULL, NULL);
    if (fine && schema->has_defaults)
        defaults_apply(&check, schema, value);
    if (!fine && !check.is_over && check.steps >= 0)
        problems_collect(&check, schema, &root, &found);
    bool is_over = check.is_over || check.steps < 0;
    check_finish(&check);
    if (is_over)
        return SCHEMA_LATER;
    problems_join(problems, &found);
    return fine ? SCHEMA_FITS : SCHEMA_REFUSES;
}

bool schema_has_defaults(const struct schema *schema)
{
    return schema != NULL && schema->has_defaults;
}

bool schema_check(const struct schema *schema, struct value *value, struct arena *arena,
                  struct problems *problems)
{
    struct spot root = { .value = value };
    struct check check;

    if (schema == NULL)
        return true;
    check_init(&check, arena);
    bool fine =
        schema_visit(&check, schema, &root, NULL, NULL) && !check.is_over && check.steps >= 0;
    if (fine && schema->has_defaults) {
        check.steps = CHECK_MAX_STEPS;
        defaults_apply(&check, schema, value);
        fine = !check.is_over; /* a task must not find only some of them */
    }
    if (!fine)
        problems_collect(&check, schema, &root, problems);
    check_finish(&check);
    return fine;
}
