/*
 * Covering, over schemas that nobody thought of: whatever is proven holds for every value that
 * is tried, and whatever is refuted is refuted by a value that really does it.
 *
 * The second schema of a pair is the first one once more, with a few decisions made otherwise.
 */
#include "helper.h"
#include "schema/prove/covers.h"

struct source {
    uint64_t state, noise; /* noise 0: none */
    bool uses_refs;
};

static uint64_t word_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

/* Some number below `below`; the stream stays the same whether there is noise or not. */
static uint32_t pick(struct source *source, uint32_t below)
{
    uint32_t chosen = (uint32_t)(word_next(&source->state) % below);

    if (source->noise != 0 && word_next(&source->noise) % 8 == 0)
        chosen = (uint32_t)(word_next(&source->noise) % below);
    return chosen;
}

static void schema_write(struct source *source, struct buffer *out, int depth);

static const char *const names[] = { "a", "b", "c", "x-1" };

static void keyword_open(struct buffer *out, bool *is_first, const char *keyword)
{
    buffer_format(out, "%s\"%s\": ", *is_first ? "" : ", ", keyword);
    *is_first = false;
}

static void count_write(struct source *source, struct buffer *out, bool *is_first,
                        const char *keyword, uint32_t below)
{
    keyword_open(out, is_first, keyword);
    buffer_format(out, "%u", (unsigned)pick(source, below));
}

static void list_write(struct source *source, struct buffer *out, uint32_t least, int depth)
{
    uint32_t count = least + pick(source, 2);

    buffer_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        buffer_text(out, i == 0 ? "" : ", ");
        schema_write(source, out, depth);
    }
    buffer_byte(out, ']');
}

static void numbers_write(struct source *source, struct buffer *out, bool *is_first)
{
    static const char *const steps[] = { "1", "2", "0.5", "3" };

    if (pick(source, 2) == 0)
        count_write(source, out, is_first,
                    pick(source, 2) == 0 ? "minimum" : "exclusiveMinimum", 5);
    if (pick(source, 3) == 0)
        count_write(source, out, is_first,
                    pick(source, 2) == 0 ? "maximum" : "exclusiveMaximum", 8);
    if (pick(source, 5) == 0) {
        keyword_open(out, is_first, "multipleOf");
        buffer_text(out, steps[pick(source, 4)]);
    }
}

static void strings_write(struct source *source, struct buffer *out, bool *is_first)
{
    static const char *const patterns[] = { "^a", "^[a-z]+$", "b", "^(a|b1)$" };

    if (pick(source, 2) == 0)
        count_write(source, out, is_first, "minLength", 3);
    if (pick(source, 3) == 0)
        count_write(source, out, is_first, "maxLength", 5);
    if (pick(source, 4) == 0) {
        keyword_open(out, is_first, "pattern");
        buffer_format(out, "\"%s\"", patterns[pick(source, 4)]);
    }
}

static void items_write(struct source *source, struct buffer *out, bool *is_first, int depth)
{
    if (pick(source, 2) == 0) {
        keyword_open(out, is_first, "items");
        schema_write(source, out, depth);
    }
    if (pick(source, 4) == 0) {
        keyword_open(out, is_first, "prefixItems");
        list_write(source, out, 1, depth);
    }
    if (pick(source, 3) == 0)
        count_write(source, out, is_first, "minItems", 3);
    if (pick(source, 3) == 0)
        count_write(source, out, is_first, "maxItems", 4);
    if (pick(source, 5) == 0) {
        keyword_open(out, is_first, "uniqueItems");
        buffer_text(out, "true");
    }
    if (pick(source, 5) == 0) {
        keyword_open(out, is_first, "contains");
        schema_write(source, out, depth);
        if (pick(source, 2) == 0)
            count_write(source, out, is_first, "minContains", 3);
        if (pick(source, 3) == 0)
            count_write(source, out, is_first, "maxContains", 3);
    }
}

static void properties_write(struct source *source, struct buffer *out, bool *is_first,
                             int depth)
{
    bool is_inner_first = true;

    keyword_open(out, is_first, "properties");
    buffer_byte(out, '{');
    for (uint32_t i = 0; i < 3; i++)
        if (pick(source, 2) == 0) {
            keyword_open(out, &is_inner_first, names[i]);
            schema_write(source, out, depth);
        }
    buffer_byte(out, '}');
}

static void members_write(struct source *source, struct buffer *out, bool *is_first, int depth)
{
    if (pick(source, 2) == 0)
        properties_write(source, out, is_first, depth);
    if (pick(source, 2) == 0) {
        keyword_open(out, is_first, "required");
        buffer_format(out, "[\"%s\"]", names[pick(source, 4)]);
    }
    if (pick(source, 3) == 0) {
        keyword_open(out, is_first, "additionalProperties");
        if (pick(source, 2) == 0)
            buffer_text(out, "false");
        else
            schema_write(source, out, depth);
    }
    if (pick(source, 5) == 0) {
        keyword_open(out, is_first, "patternProperties");
        buffer_text(out, pick(source, 2) == 0 ? "{\"^x-\": " : "{\"^[ab]\": ");
        schema_write(source, out, depth);
        buffer_byte(out, '}');
    }
    if (pick(source, 6) == 0)
        count_write(source, out, is_first, "minProperties", 3);
    if (pick(source, 6) == 0)
        count_write(source, out, is_first, "maxProperties", 4);
    if (pick(source, 8) == 0) {
        keyword_open(out, is_first, "propertyNames");
        buffer_text(out,
                    pick(source, 2) == 0 ? "{\"maxLength\": 1}" : "{\"enum\": [\"a\", \"b\"]}");
    }
    if (pick(source, 8) == 0) {
        keyword_open(out, is_first, "dependentRequired");
        buffer_format(out, "{\"%s\": [\"%s\"]}", names[pick(source, 4)],
                      names[pick(source, 4)]);
    }
    if (pick(source, 8) == 0) {
        keyword_open(out, is_first, "dependentSchemas");
        buffer_format(out, "{\"%s\": ", names[pick(source, 4)]);
        schema_write(source, out, depth);
        buffer_byte(out, '}');
    }
}

/* Beside keywords that look at the same value, so that there is something left over. */
static void rest_write(struct source *source, struct buffer *out, bool *is_first, int depth)
{
    if (pick(source, 6) == 0) {
        keyword_open(out, is_first, "unevaluatedProperties");
        schema_write(source, out, depth);
    }
    if (pick(source, 10) == 0) {
        keyword_open(out, is_first, "unevaluatedItems");
        schema_write(source, out, depth);
    }
}

static void branches_write(struct source *source, struct buffer *out, bool *is_first, int depth)
{
    static const char *const lists[] = { "allOf", "anyOf", "oneOf" };

    for (int i = 0; i < 3; i++)
        if (pick(source, 4) == 0) {
            keyword_open(out, is_first, lists[i]);
            list_write(source, out, 1, depth);
        }
    if (pick(source, 7) == 0) {
        keyword_open(out, is_first, "not");
        schema_write(source, out, depth);
    }
    if (pick(source, 8) == 0) {
        keyword_open(out, is_first, "if");
        schema_write(source, out, depth);
        keyword_open(out, is_first, "then");
        schema_write(source, out, depth);
        if (pick(source, 2) == 0) {
            keyword_open(out, is_first, "else");
            schema_write(source, out, depth);
        }
    }
    if (source->uses_refs && pick(source, 6) == 0) {
        keyword_open(out, is_first, "$ref");
        buffer_text(out, "\"#/$defs/r\"");
    }
}

static void schema_write(struct source *source, struct buffer *out, int depth)
{
    static const char *const types[] = {
        "\"integer\"", "\"number\"", "\"string\"",
        "\"array\"",   "\"object\"", "[\"string\", \"null\"]",
        "\"boolean\"", "\"object\"", "[\"integer\", \"array\"]",
        "\"null\"",
    };
    static const char *const constants[] = {
        "\"a\"", "1", "null", "[1]", "{\"a\": 1}", "true"
    };
    bool is_first = true;
    uint32_t shape = pick(source, depth > 1 ? 22 : 12);

    if (depth <= 0 && shape > 7)
        shape = 1;
    buffer_byte(out, '{');
    if (shape == 0) {
        keyword_open(out, &is_first, "enum");
        buffer_format(out, "[%s, \"b1\", 2]", constants[pick(source, 6)]);
    } else if (shape == 1) {
        keyword_open(out, &is_first, "const");
        buffer_text(out, constants[pick(source, 6)]);
    }
    if (shape > 1 && pick(source, 6) != 0) {
        keyword_open(out, &is_first, "type");
        buffer_text(out, types[pick(source, 10)]);
    }
    if (shape == 2 || shape == 3)
        numbers_write(source, out, &is_first);
    if (shape == 4 || shape == 5)
        strings_write(source, out, &is_first);
    if (shape > 5 && shape < 8 && depth > 0)
        items_write(source, out, &is_first, depth - 1);
    if ((shape >= 8 && shape < 10) || shape > 16)
        members_write(source, out, &is_first, depth - 1);
    if (shape >= 10 && shape < 19)
        branches_write(source, out, &is_first, depth - 1);
    if (shape >= 14)
        rest_write(source, out, &is_first, depth - 1);
    buffer_byte(out, '}');
}

/* NULL: what came out can never match, and is refused. */
static struct schema_file *file_random(struct source *source, const char **text)
{
    struct problems problems = { 0 };
    struct schema_file *file = NULL;
    struct buffer out = { 0 };

    buffer_text(&out, "{\"input\": ");
    source->uses_refs = true;
    schema_write(source, &out, 4);
    buffer_text(&out, ", \"$defs\": {\"r\": ");
    source->uses_refs = false;
    schema_write(source, &out, 2);
    buffer_text(&out, "}}");
    struct slice copy = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    *text = copy.data;
    (void)schema_file_parse("x.yaml", copy, &file, &arena, &problems);
    return file;
}

static struct value value_random(uint64_t *state, int depth)
{
    static const char *const texts[] = { "", "a", "ab", "b1", "B", "abcde" };
    struct value value;

    switch (word_next(state) % (depth > 0 ? 9 : 5)) {
    case 0:
        return (struct value){ .kind = VALUE_NULL };
    case 1:
        return value_bool(word_next(state) % 2 == 0);
    case 2:
        return value_int((int64_t)(word_next(state) % 10) - 2);
    case 3:
        return value_double((double)(word_next(state) % 12) / 2 - 1);
    case 4:
        return value_text(texts[word_next(state) % 6]);
    case 5:
    case 6:
        value = value_list();
        for (uint64_t i = word_next(state) % 4; i > 0; i--)
            value_add(&arena, &value, value_random(state, depth - 1));
        return value;
    default:
        value = value_map();
        for (uint64_t i = word_next(state) % 4; i > 0; i--)
            value_put(&arena, &value, names[word_next(state) % 4],
                      value_random(state, depth - 1));
        return value;
    }
}

static bool fits(const struct schema *schema, const struct value *value)
{
    struct value copy = value_copy(&arena, value);
    struct problems problems = { 0 };

    return schema_check(schema, &copy, &arena, &problems);
}

static void proof_try(const struct schema *wide, const struct schema *narrow, uint64_t *state,
                      const char *wide_text, const char *narrow_text)
{
    for (int i = 0; i < 60; i++) {
        struct value value = value_random(state, 3);
        if (fits(narrow, &value))
            cr_assert(fits(wide, &value), "%s is refused by\n%s\nand accepted by\n%s",
                      json_of(&value), wide_text, narrow_text);
    }
}

static void gaps_try(const struct schema *wide, const struct schema *narrow,
                     const struct cover_gap *gap, const char *wide_text,
                     const char *narrow_text)
{
    for (; gap != NULL && gap->is_sure; gap = gap->next) {
        cr_assert(fits(narrow, &gap->example), "%s\n%s", json_of(&gap->example), narrow_text);
        cr_assert_not(fits(wide, &gap->example), "%s\n%s", json_of(&gap->example), wide_text);
    }
}

/* How the answers went, so that a test that decides nothing is seen. */
struct tally {
    uint32_t counts[3];
};

static void pair_try(uint64_t seed, bool is_kin, struct tally *tally)
{
    struct source first = { .state = seed }, second = { .state = seed, .noise = seed * 31 + 7 };
    const char *narrow_text, *wide_text;
    struct cover_gaps gaps;

    if (!is_kin)
        second.state = seed * 77 + 3;
    struct schema_file *narrow = file_random(&first, &narrow_text);
    struct schema_file *wide = file_random(&second, &wide_text);
    if (narrow != NULL && wide != NULL) {
        enum schema_answer answer =
            cover_gaps(schema_input(wide), schema_input(narrow), &arena, &gaps);
        tally->counts[answer]++;
        if (answer == SCHEMA_YES)
            proof_try(schema_input(wide), schema_input(narrow), &seed, wide_text, narrow_text);
        else
            gaps_try(schema_input(wide), schema_input(narrow), gaps.first, wide_text,
                     narrow_text);
        cr_assert_eq(answer == SCHEMA_NO, gaps.first != NULL && gaps.first->is_sure);
    }
    schema_file_destroy(narrow);
    schema_file_destroy(wide);
    arena_reset(&arena);
}

static void tally_check(const struct tally *tally, uint32_t yes, uint32_t no, uint32_t unknown)
{
    const uint32_t *counts = tally->counts;

    cr_log_info("yes %u, no %u, unknown %u", counts[SCHEMA_YES], counts[SCHEMA_NO],
                counts[SCHEMA_UNKNOWN]);
    cr_assert(counts[SCHEMA_YES] >= yes && counts[SCHEMA_NO] >= no &&
                  counts[SCHEMA_UNKNOWN] <= unknown,
              "yes %u, no %u, unknown %u", counts[SCHEMA_YES], counts[SCHEMA_NO],
              counts[SCHEMA_UNKNOWN]);
}

Test(covers_random, schemas_of_one_kin)
{
    struct tally tally = { 0 };

    for (uint64_t seed = 1; seed <= 900; seed++)
        pair_try(seed * UINT64_C(0x9e3779b97f4a7c15), true, &tally);

    tally_check(&tally, 60, 100, 40);
}

Test(covers_random, schemas_that_have_nothing_in_common)
{
    struct tally tally = { 0 };

    for (uint64_t seed = 1; seed <= 500; seed++)
        pair_try(seed * UINT64_C(0xbf58476d1ce4e5b9), false, &tally);

    tally_check(&tally, 60, 100, 40);
}
