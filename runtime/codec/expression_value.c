/* What an expression gives for a payload. See expression.h. */
#include "codec/expression_term.h"
#include "codec/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct evaluation {
    const struct expression *expression;
    const struct value *payload;
    struct arena *arena;
    struct expression_flaw *flaw; /* its line is 0 while all is fine */
    uint64_t steps;
};

static const struct value nothing = { .kind = VALUE_NULL };

static struct value evaluate(struct evaluation *at, const struct term *term);

static bool has_failed(const struct evaluation *at)
{
    return at->flaw->line != 0;
}

#define FAIL(at, term, ...) \
    (flaw_set((at)->flaw, (at)->expression->text, (term)->start, __VA_ARGS__), nothing)

static bool steps_take(struct evaluation *at, const struct term *term, uint64_t steps)
{
    at->steps += steps;
    if (at->steps > EXPRESSION_MAX_STEPS)
        (void)FAIL(at, term, "it takes more than %d steps", EXPRESSION_MAX_STEPS);
    return !has_failed(at);
}

/* Bytes are nothing that an expression knows. */
static uint32_t kind_of(const struct value *value)
{
    static const uint32_t kinds[] = { KIND_NULL,   KIND_BOOL,   KIND_NUMBER,
                                      KIND_NUMBER, KIND_NUMBER, KIND_TEXT,
                                      0,           KIND_LIST,   KIND_MAP };

    return kinds[value->kind];
}

/* Both int64_t and uint64_t are long doubles without a loss. */
static long double number_of(const struct value *value)
{
    return value->kind == VALUE_INT    ? (long double)value->integer
           : value->kind == VALUE_UINT ? (long double)value->big
                                       : (long double)value->number;
}

/* ---- members and items ------------------------------------------------------------------- */

static const struct value *member_find(struct evaluation *at, const struct term *term,
                                       const struct value *map, struct slice name)
{
    return steps_take(at, term, map->count) ? value_find_slice(map, name) : NULL;
}

static struct value member_of(struct evaluation *at, const struct term *term,
                              const struct value *map, struct slice name)
{
    const struct value *member = member_find(at, term, map, name);

    return member != NULL ? *member
                          : FAIL(at, term, "there is no member \"%.*s\"", SLICE_ARG(name));
}

static struct value item_of(struct evaluation *at, const struct term *term,
                            const struct value *of, const struct value *index)
{
    if (of->kind == VALUE_MAP && index->kind == VALUE_STRING)
        return member_of(at, term, of, index->bytes);
    if (of->kind != VALUE_LIST || index->kind != VALUE_INT)
        return FAIL(at, term, "[ ] takes %s, not %s and %s", op_rules[OP_INDEX].takes,
                    value_kind_name(of->kind), value_kind_name(index->kind));
    if (index->integer < 0 || index->integer >= of->count)
        return FAIL(at, term, "there is no item %" PRId64 ", the list has %" PRIu32,
                    index->integer, of->count);
    return of->items[index->integer];
}

static struct value is_in(struct evaluation *at, const struct term *term,
                          const struct value *what, const struct value *of)
{
    if (of->kind == VALUE_MAP && what->kind == VALUE_STRING)
        return value_bool(member_find(at, term, of, what->bytes) != NULL);
    if (of->kind == VALUE_MAP)
        return FAIL(at, term, "the names of members are strings");
    if (!steps_take(at, term, of->count))
        return nothing;
    for (uint32_t i = 0; i < of->count; i++)
        if ((kind_of(&of->items[i]) & KIND_SCALAR) != 0 && value_equal(what, &of->items[i]))
            return value_bool(true);
    return value_bool(false);
}

/* ---- numbers and texts ------------------------------------------------------------------- */

static struct value integers(struct evaluation *at, const struct term *term, int64_t a,
                             int64_t b)
{
    int64_t result = 0;
    bool is_over = false;

    if ((term->op == OP_DIVIDE || term->op == OP_REMAINDER) && b == 0)
        return FAIL(at, term, "a division by 0");
    if (term->op == OP_ADD)
        is_over = __builtin_add_overflow(a, b, &result);
    else if (term->op == OP_SUBTRACT || term->op == OP_NEGATE)
        is_over = __builtin_sub_overflow(a, b, &result);
    else if (term->op == OP_MULTIPLY)
        is_over = __builtin_mul_overflow(a, b, &result);
    else if (b == -1) /* the least integer has no opposite */
        is_over = term->op == OP_DIVIDE && __builtin_sub_overflow(0, a, &result);
    else
        result = term->op == OP_DIVIDE ? a / b : a % b;
    return is_over ? FAIL(at, term, "the number is too large") : value_int(result);
}

static struct value arithmetic(struct evaluation *at, const struct term *term,
                               const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_INT && b->kind == VALUE_INT)
        return integers(at, term, a->integer, b->integer);
    if (term->op == OP_REMAINDER)
        return FAIL(at, term, "%% takes integers");
    double x = (double)number_of(a), y = (double)number_of(b);
    double result = term->op == OP_ADD        ? x + y
                    : term->op == OP_SUBTRACT ? x - y
                    : term->op == OP_MULTIPLY ? x * y
                    : y == 0                  ? NAN
                                              : x / y;
    if (!isfinite(result))
        return y == 0 ? FAIL(at, term, "a division by 0")
                      : FAIL(at, term, "the number is too large");
    return value_double(result);
}

static struct value joined(struct evaluation *at, const struct term *term, struct slice a,
                           struct slice b)
{
    if (!steps_take(at, term, a.size + b.size))
        return nothing;
    char *text = arena_alloc(at->arena, a.size + b.size + 1);
    if (a.size > 0)
        memcpy(text, a.data, a.size);
    if (b.size > 0)
        memcpy(text + a.size, b.data, b.size);
    return value_string((struct slice){ text, a.size + b.size });
}

static bool text_fits(enum op op, struct slice text, struct slice part)
{
    struct slice end = { text.data + (text.size - part.size), part.size };
    struct slice begin = { text.data, part.size };

    if (op == OP_CONTAINS)
        return memmem(text.data, text.size, part.data, part.size) != NULL;
    return slice_equal(op == OP_STARTS ? begin : end, part);
}

static struct value is_part(struct evaluation *at, const struct term *term, struct slice text,
                            struct slice part)
{
    if (!steps_take(at, term, text.size))
        return nothing;
    return value_bool(part.size == 0 ||
                      (part.size <= text.size && text_fits(term->op, text, part)));
}

static struct value size_of(struct evaluation *at, const struct term *term,
                            const struct value *value)
{
    int64_t size = 0;

    if (value->kind != VALUE_STRING)
        return value_int(value->count);
    if (!steps_take(at, term, value->bytes.size))
        return nothing;
    for (size_t i = 0; i < value->bytes.size; i++)
        size += ((unsigned char)value->bytes.data[i] & 0xc0) != 0x80;
    return value_int(size);
}

static struct value text_of(struct arena *arena, const struct value *value)
{
    struct buffer text = { 0 };

    if (value->kind == VALUE_STRING)
        return *value;
    json_write(&text, value);
    struct slice kept = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return value_string(kept);
}

static struct value ordered(struct evaluation *at, const struct term *term,
                            const struct value *a, const struct value *b)
{
    int order = 0;

    if (a->kind != VALUE_STRING)
        order = (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
    else if (steps_take(at, term, a->bytes.size))
        order = slice_compare(a->bytes, b->bytes);
    return value_bool(term->op == OP_LESS         ? order < 0
                      : term->op == OP_LESS_EQUAL ? order <= 0
                      : term->op == OP_MORE       ? order > 0
                                                  : order >= 0);
}

/* ---- operators --------------------------------------------------------------------------- */

#define MAKE(name)                                                           \
    static struct value name(struct evaluation *at, const struct term *term, \
                             const struct value *a, const struct value *b)

MAKE(member_make)
{
    (void)b;
    return member_of(at, term, a, term->literal.bytes);
}

MAKE(has_make)
{
    (void)b;
    return value_bool(member_find(at, term, a, term->literal.bytes) != NULL);
}

MAKE(equal_make)
{
    return steps_take(at, term, a->kind == VALUE_STRING ? a->bytes.size : 1)
               ? value_bool(value_equal(a, b) == (term->op == OP_EQUAL))
               : nothing;
}

MAKE(not_make)
{
    (void)at, (void)term, (void)b;
    return value_bool(!a->boolean);
}

MAKE(negate_make)
{
    (void)b;
    return a->kind == VALUE_INT ? integers(at, term, 0, a->integer)
                                : value_double((double)-number_of(a));
}

MAKE(size_make)
{
    (void)b;
    return size_of(at, term, a);
}

MAKE(string_make)
{
    (void)term, (void)b;
    return text_of(at->arena, a);
}

MAKE(part_make)
{
    return is_part(at, term, a->bytes, b->bytes);
}

MAKE(sum_make)
{
    return a->kind == VALUE_STRING ? joined(at, term, a->bytes, b->bytes)
                                   : arithmetic(at, term, a, b);
}

/* Each is given what the table of operators says that it takes. */
static struct value (*const makers[OP_COUNT])(struct evaluation *at, const struct term *term,
                                              const struct value *a, const struct value *b) = {
    [OP_MEMBER] = member_make,   [OP_INDEX] = item_of,
    [OP_HAS] = has_make,         [OP_EQUAL] = equal_make,
    [OP_UNEQUAL] = equal_make,   [OP_LESS_EQUAL] = ordered,
    [OP_LESS] = ordered,         [OP_MORE_EQUAL] = ordered,
    [OP_MORE] = ordered,         [OP_IN] = is_in,
    [OP_ADD] = sum_make,         [OP_SUBTRACT] = arithmetic,
    [OP_MULTIPLY] = arithmetic,  [OP_DIVIDE] = arithmetic,
    [OP_REMAINDER] = arithmetic, [OP_NOT] = not_make,
    [OP_NEGATE] = negate_make,   [OP_SIZE] = size_make,
    [OP_STRING] = string_make,   [OP_STARTS] = part_make,
    [OP_ENDS] = part_make,       [OP_CONTAINS] = part_make,
};

static struct value applied(struct evaluation *at, const struct term *term)
{
    const struct op_rule *rule = &op_rules[term->op == OP_HAS ? OP_MEMBER : term->op];
    struct value a = evaluate(at, term->operands[0]), b = nothing;

    if (!has_failed(at) && term->count > 1)
        b = evaluate(at, term->operands[1]);
    if (has_failed(at))
        return nothing;
    uint32_t left = kind_of(&a) & rule->left;
    uint32_t right = term->count > 1 ? kind_of(&b) & rule->right : left;
    if (left != 0 && right != 0 && (!rule->is_alike || left == right))
        return makers[term->op](at, term, &a, &b);
    if (term->count == 1)
        return FAIL(at, term, "%s takes %s, not %s", rule->text, rule->takes,
                    value_kind_name(a.kind));
    return FAIL(at, term, "%s takes %s, not %s and %s", rule->text, rule->takes,
                value_kind_name(a.kind), value_kind_name(b.kind));
}

static bool truth(struct evaluation *at, const struct term *term, const struct term *operand)
{
    struct value value = evaluate(at, operand);

    if (!has_failed(at) && value.kind != VALUE_BOOL)
        (void)FAIL(at, term, "%s takes %s, not %s", op_rules[term->op].text,
                   op_rules[term->op].takes, value_kind_name(value.kind));
    return !has_failed(at) && value.boolean;
}

/* One side alone may decide, even where the other has no value: has(payload.x) && payload.x. */
static struct value either(struct evaluation *at, const struct term *term)
{
    bool decides = term->op == OP_OR;
    bool left = truth(at, term, term->operands[0]);

    if (!has_failed(at) && left == decides)
        return value_bool(decides);
    struct expression_flaw flaw = *at->flaw;
    *at->flaw = (struct expression_flaw){ 0 };
    bool right = truth(at, term, term->operands[1]);
    if (flaw.line == 0 || has_failed(at) || right == decides)
        return value_bool(right);
    *at->flaw = flaw;
    return nothing;
}

static struct value list_of(struct evaluation *at, const struct term *term)
{
    struct value list = value_list();

    for (uint32_t i = 0; i < term->count && !has_failed(at); i++)
        value_add(at->arena, &list, evaluate(at, term->operands[i]));
    return list;
}

static struct value chosen(struct evaluation *at, const struct term *term)
{
    bool yes = truth(at, term, term->operands[0]);

    return has_failed(at) ? nothing : evaluate(at, term->operands[yes ? 1 : 2]);
}

static struct value evaluate(struct evaluation *at, const struct term *term)
{
    if (!steps_take(at, term, 1))
        return nothing;
    if (term->op == OP_LITERAL)
        return term->literal;
    if (term->op == OP_PAYLOAD)
        return at->payload == NULL ? nothing : *at->payload;
    if (term->op == OP_LIST)
        return list_of(at, term);
    if (term->op == OP_CHOOSE)
        return chosen(at, term);
    return term->op == OP_OR || term->op == OP_AND ? either(at, term) : applied(at, term);
}

bool expression_value(const struct expression *expression, const struct value *payload,
                      struct arena *arena, struct value *value, struct expression_flaw *flaw)
{
    struct evaluation at = { expression, payload, arena, flaw, 0 };
    const struct term *root = expression->root;

    *flaw = (struct expression_flaw){ 0 };
    *value = evaluate(&at, root);
    if (has_failed(&at))
        return false;
    if ((kind_of(value) & kinds_wanted(expression->want)) == 0 ||
        (expression->want == EXPRESSION_TEXT && value->kind == VALUE_DOUBLE))
        return flaw_set(flaw, expression->text, root->start, "it gives %s, and must give %s",
                        value_kind_name(value->kind), want_name(expression->want));
    if (expression->want == EXPRESSION_TEXT)
        *value = text_of(arena, value);
    return true;
}
