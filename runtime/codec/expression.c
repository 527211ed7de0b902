/* Expressions as texts: read by precedence, into terms. See expression.h. */
#include "codec/digits.h"
#include "codec/expression_token.h"

#include <ctype.h>
#include <stdlib.h>

enum { LEVEL_FIRST = 1, LEVEL_LAST = 5 };

#define NUMBERS "numbers"
#define BOOLS   "true or false"

const struct op_rule op_rules[OP_COUNT] = {
    [OP_INDEX] = { "[ ]", "a list and a number, or an object and a string", 0,
                   KIND_LIST | KIND_MAP, KIND_NUMBER | KIND_TEXT, false, KIND_ANY },
    [OP_MEMBER] = { ".", "an object", 0, KIND_MAP, 0, false, KIND_ANY },
    [OP_CHOOSE] = { "?", BOOLS, 0, KIND_BOOL, 0, false, KIND_ANY },
    [OP_OR] = { "||", BOOLS, 1, KIND_BOOL, KIND_BOOL, false, KIND_BOOL },
    [OP_AND] = { "&&", BOOLS, 2, KIND_BOOL, KIND_BOOL, false, KIND_BOOL },
    [OP_EQUAL] = { "==", "no lists and objects", 3, KIND_SCALAR, KIND_SCALAR, false,
                   KIND_BOOL },
    [OP_UNEQUAL] = { "!=", "no lists and objects", 3, KIND_SCALAR, KIND_SCALAR, false,
                     KIND_BOOL },
    [OP_LESS_EQUAL] = { "<=", "two numbers or two strings", 3, KIND_NUMBER | KIND_TEXT,
                        KIND_NUMBER | KIND_TEXT, true, KIND_BOOL },
    [OP_LESS] = { "<", "two numbers or two strings", 3, KIND_NUMBER | KIND_TEXT,
                  KIND_NUMBER | KIND_TEXT, true, KIND_BOOL },
    [OP_MORE_EQUAL] = { ">=", "two numbers or two strings", 3, KIND_NUMBER | KIND_TEXT,
                        KIND_NUMBER | KIND_TEXT, true, KIND_BOOL },
    [OP_MORE] = { ">", "two numbers or two strings", 3, KIND_NUMBER | KIND_TEXT,
                  KIND_NUMBER | KIND_TEXT, true, KIND_BOOL },
    [OP_IN] = { "in", "something in a list, or the name of an object's member", 3, KIND_SCALAR,
                KIND_LIST | KIND_MAP, false, KIND_BOOL },
    [OP_ADD] = { "+", "two numbers or two strings", 4, KIND_NUMBER | KIND_TEXT,
                 KIND_NUMBER | KIND_TEXT, true, KIND_NUMBER | KIND_TEXT },
    [OP_SUBTRACT] = { "-", NUMBERS, 4, KIND_NUMBER, KIND_NUMBER, false, KIND_NUMBER },
    [OP_MULTIPLY] = { "*", NUMBERS, 5, KIND_NUMBER, KIND_NUMBER, false, KIND_NUMBER },
    [OP_DIVIDE] = { "/", NUMBERS, 5, KIND_NUMBER, KIND_NUMBER, false, KIND_NUMBER },
    [OP_REMAINDER] = { "%", NUMBERS, 5, KIND_NUMBER, KIND_NUMBER, false, KIND_NUMBER },
    [OP_NOT] = { "!", BOOLS, 0, KIND_BOOL, 0, false, KIND_BOOL },
    [OP_NEGATE] = { "-", NUMBERS, 0, KIND_NUMBER, 0, false, KIND_NUMBER },
    [OP_SIZE] = { "size", "a string, a list or an object", 0, KIND_TEXT | KIND_LIST | KIND_MAP,
                  0, false, KIND_NUMBER },
    [OP_STRING] = { "string", "a number, a string, true or false", 0,
                    KIND_TEXT | KIND_NUMBER | KIND_BOOL, 0, false, KIND_TEXT },
    [OP_STARTS] = { "startsWith", "strings", 0, KIND_TEXT, KIND_TEXT, false, KIND_BOOL },
    [OP_ENDS] = { "endsWith", "strings", 0, KIND_TEXT, KIND_TEXT, false, KIND_BOOL },
    [OP_CONTAINS] = { "contains", "strings", 0, KIND_TEXT, KIND_TEXT, false, KIND_BOOL },
};

static const struct {
    uint32_t kinds;
    const char *name;
} wants[] = {
    [EXPRESSION_NUMBER] = { KIND_NUMBER, "a number" },
    [EXPRESSION_TEXT] = { KIND_TEXT | KIND_NUMBER, "a string or an integer" },
    [EXPRESSION_BOOL] = { KIND_BOOL, "true or false" },
    [EXPRESSION_ANY] = { KIND_ANY, "anything" },
};

uint32_t kinds_wanted(enum expression_want want)
{
    return wants[want].kinds;
}

const char *want_name(enum expression_want want)
{
    return wants[want].name;
}

/* ---- terms ------------------------------------------------------------------------------- */

static const struct term *unexpected(struct parser *parser, const char *wanted)
{
    return parser->kind == TOKEN_END
               ? REFUSE(parser, parser->at, "it ends where %s should be", wanted)
               : REFUSE(parser, parser->at, "%s should be here, not %.*s", wanted,
                        SLICE_ARG(parser->token));
}

static struct term *term_new(struct parser *parser, enum op op, uint32_t start, uint32_t kinds)
{
    struct term *term = ARENA_NEW(parser->arena, struct term);

    *term = (struct term){ .op = op, .start = start, .kinds = kinds };
    if (parser->terms++ == EXPRESSION_MAX_TERMS)
        (void)flaw_set(parser->flaw, parser->text, start, "it has more than %d parts",
                       EXPRESSION_MAX_TERMS);
    return term;
}

static const struct term *literal_make(struct parser *parser, uint32_t start, uint32_t kind,
                                       struct value value)
{
    struct term *term = term_new(parser, OP_LITERAL, start, kind);

    term->literal = value;
    return term;
}

/* Refused when it can never be right, whatever the payload is. */
static struct term *operation(struct parser *parser, enum op op, uint32_t at,
                              const struct term *left, const struct term *right)
{
    const struct op_rule *rule = &op_rules[op];

    if (left == NULL || (rule->right != 0 && right == NULL))
        return NULL;
    uint32_t a = left->kinds & rule->left, b = right == NULL ? 0 : right->kinds & rule->right;
    if (a == 0 || (right != NULL && b == 0) || (rule->is_alike && (a & b) == 0))
        return REFUSE(parser, at, "%s takes %s", rule->text, rule->takes);
    if ((op == OP_EQUAL || op == OP_UNEQUAL) && (a & b) == 0)
        return REFUSE(parser, at, "what is left and right of %s is never equal", rule->text);
    struct term *term =
        term_new(parser, op, at, rule->is_alike && op == OP_ADD ? a & b : rule->gives);
    term->count = right == NULL ? 1 : 2;
    term->operands = ARENA_ARRAY(parser->arena, const struct term *, 2);
    term->operands[0] = left;
    term->operands[1] = right;
    return term;
}

static const struct term *choice(struct parser *parser);

/* ---- literals ---------------------------------------------------------------------------- */

static const struct term *number_read(struct parser *parser)
{
    char *text = arena_text(parser->arena, parser->token);
    const char *flaw = digits_flaw(parser->token);
    uint32_t start = parser->at;

    if (flaw != NULL)
        return REFUSE(parser, start, "this number %s", flaw);
    bool is_double = strpbrk(text, ".eE") != NULL;
    struct value value =
        is_double ? value_double(strtod(text, NULL)) : value_int(strtoll(text, NULL, 10));
    if (!is_double && strtoull(text, NULL, 10) > INT64_MAX)
        return REFUSE(parser, start, "this number is above 9223372036854775807");
    token_next(parser);
    return literal_make(parser, start, KIND_NUMBER, value);
}

static const struct term *string_read(struct parser *parser)
{
    uint32_t start = parser->at;
    struct slice text;

    if (!token_string(parser, &text))
        return NULL;
    token_next(parser);
    return literal_make(parser, start, KIND_TEXT, value_string(text));
}

/* ---- what operators stand between -------------------------------------------------------- */

static const struct term *list_read(struct parser *parser)
{
    const struct term *items[EXPRESSION_MAX_TERMS];
    struct term *list = term_new(parser, OP_LIST, parser->at, KIND_LIST);

    token_next(parser);
    while (!has_failed(parser) && !token_take(parser, "]")) {
        if (list->count > 0 && !token_take(parser, ","))
            return unexpected(parser, ", or ]");
        items[list->count++] = choice(parser); /* it has a bound: each is a term */
    }
    list->operands = ARENA_ARRAY(parser->arena, const struct term *, list->count);
    if (list->count > 0)
        memcpy(list->operands, items, list->count * sizeof *items);
    return has_failed(parser) ? NULL : list;
}

/* name(…), the name is taken. */
static const struct term *function_read(struct parser *parser, struct slice name,
                                        uint32_t start)
{
    bool is_has = slice_is(name, "has");
    enum op op = slice_is(name, "size") ? OP_SIZE : OP_STRING;

    token_next(parser);
    if (!is_has && !slice_is(name, op_rules[op].text))
        return REFUSE(parser, start, "there is no function %.*s: has, size and string are",
                      SLICE_ARG(name));
    const struct term *argument = choice(parser);
    if (argument == NULL)
        return NULL;
    if (!token_take(parser, ")"))
        return unexpected(parser, ")");
    if (!is_has)
        return operation(parser, op, start, argument, NULL);
    if (argument->op != OP_MEMBER)
        return REFUSE(parser, start, "has() takes a member, like has(payload.name)");
    struct term *has = term_new(parser, OP_HAS, start, KIND_BOOL);
    has->count = argument->count;
    has->operands = argument->operands;
    has->literal = argument->literal;
    return has;
}

static const struct term *word_read(struct parser *parser)
{
    struct slice word = parser->token;
    uint32_t start = parser->at;

    token_next(parser);
    if (token_is(parser, "("))
        return function_read(parser, word, start);
    if (slice_is(word, "payload"))
        return term_new(parser, OP_PAYLOAD, start, KIND_ANY);
    if (slice_is(word, "true") || slice_is(word, "false"))
        return literal_make(parser, start, KIND_BOOL, value_bool(word.size == 4));
    if (slice_is(word, "null"))
        return literal_make(parser, start, KIND_NULL, (struct value){ .kind = VALUE_NULL });
    return REFUSE(parser, start,
                  "\"%.*s\" is not known here: payload, true, false and null are, and texts "
                  "stand in quotes",
                  SLICE_ARG(word));
}

static const struct term *primary(struct parser *parser)
{
    const struct term *inner;

    switch (parser->kind) {
    case TOKEN_NUMBER:
        return number_read(parser);
    case TOKEN_STRING:
        return string_read(parser);
    case TOKEN_WORD:
        if (token_is(parser, "in"))
            break;
        return word_read(parser);
    case TOKEN_SIGN:
        if (token_is(parser, "["))
            return list_read(parser);
        if (!token_take(parser, "("))
            break;
        inner = choice(parser);
        return inner == NULL || token_take(parser, ")") ? inner : unexpected(parser, ")");
    case TOKEN_END:
        break;
    }
    return unexpected(parser, "a value");
}

/* .name or .name(…), the point is taken. */
static const struct term *member_read(struct parser *parser, const struct term *of)
{
    struct slice name = parser->token;
    uint32_t start = parser->at;

    if (parser->kind != TOKEN_WORD || isdigit((unsigned char)name.data[0]))
        return unexpected(parser, "the name of a member");
    token_next(parser);
    if (!token_take(parser, "(")) {
        struct term *member = operation(parser, OP_MEMBER, start, of, NULL);
        if (member != NULL)
            member->literal = value_string(arena_copy(parser->arena, name));
        return member;
    }
    for (enum op op = OP_STARTS; op <= OP_CONTAINS; op++) {
        if (!slice_is(name, op_rules[op].text))
            continue;
        const struct term *argument = choice(parser);
        if (argument != NULL && !token_take(parser, ")"))
            return unexpected(parser, ")");
        return operation(parser, op, start, of, argument);
    }
    if (slice_is(name, "size") && token_take(parser, ")"))
        return operation(parser, OP_SIZE, start, of, NULL);
    return REFUSE(parser, start,
                  "there is no .%.*s(…): startsWith, endsWith, contains and size are",
                  SLICE_ARG(name));
}

static const struct term *postfix(struct parser *parser)
{
    const struct term *term = primary(parser);

    while (term != NULL && !has_failed(parser)) {
        uint32_t at = parser->at;
        if (token_take(parser, ".")) {
            term = member_read(parser, term);
        } else if (token_take(parser, "[")) {
            const struct term *index = choice(parser);
            if (index != NULL && !token_take(parser, "]"))
                return unexpected(parser, "]");
            term = operation(parser, OP_INDEX, at, term, index);
        } else {
            break;
        }
    }
    return has_failed(parser) ? NULL : term;
}

static const struct term *unary(struct parser *parser)
{
    uint32_t at = parser->at;

    if (!token_is(parser, "!") && !token_is(parser, "-"))
        return postfix(parser);
    enum op op = token_is(parser, "!") ? OP_NOT : OP_NEGATE;
    token_next(parser);
    if (++parser->depth > EXPRESSION_MAX_DEPTH)
        return REFUSE(parser, at, "more than %d levels inside each other",
                      EXPRESSION_MAX_DEPTH);
    const struct term *operand = unary(parser);
    parser->depth--;
    return operation(parser, op, at, operand, NULL);
}

static enum op binary_here(const struct parser *parser, int least)
{
    for (enum op op = OP_OR; op <= OP_REMAINDER; op++)
        if (op_rules[op].level >= least && token_is(parser, op_rules[op].text))
            return op;
    return OP_LITERAL;
}

static const struct term *binary(struct parser *parser, int least)
{
    const struct term *left = unary(parser);
    enum op op;

    while (left != NULL && (op = binary_here(parser, least)) != OP_LITERAL) {
        uint32_t at = parser->at;
        token_next(parser);
        left = operation(parser, op, at, left, binary(parser, op_rules[op].level + 1));
    }
    return left;
}

static const struct term *choice_rest(struct parser *parser, const struct term *asked)
{
    const struct op_rule *rule = &op_rules[OP_CHOOSE];
    uint32_t at = parser->at;

    token_next(parser);
    if ((asked->kinds & rule->left) == 0)
        return REFUSE(parser, at, "%s takes %s", rule->text, rule->takes);
    const struct term *yes = choice(parser);
    if (yes == NULL)
        return NULL;
    if (!token_take(parser, ":"))
        return unexpected(parser, ":");
    const struct term *no = choice(parser);
    if (no == NULL)
        return NULL;
    struct term *term = term_new(parser, OP_CHOOSE, at, yes->kinds | no->kinds);
    term->count = 3;
    term->operands = ARENA_ARRAY(parser->arena, const struct term *, 3);
    term->operands[0] = asked;
    term->operands[1] = yes;
    term->operands[2] = no;
    return term;
}

static const struct term *choice(struct parser *parser)
{
    if (++parser->depth > EXPRESSION_MAX_DEPTH)
        return REFUSE(parser, parser->at, "more than %d levels inside each other",
                      EXPRESSION_MAX_DEPTH);
    const struct term *term = binary(parser, LEVEL_FIRST);
    if (term != NULL && token_is(parser, "?"))
        term = choice_rest(parser, term);
    parser->depth--;
    return has_failed(parser) ? NULL : term;
}

const struct expression *expression_compile(struct arena *arena, struct slice text,
                                            enum expression_want want,
                                            struct expression_flaw *flaw)
{
    struct expression *expression = ARENA_NEW(arena, struct expression);
    struct parser parser = { .arena = arena, .flaw = flaw };

    *flaw = (struct expression_flaw){ 0 };
    if (text.size > EXPRESSION_MAX_BYTES)
        return REFUSE(&parser, 0, "an expression has at most %d bytes, and this one has %zu",
                      EXPRESSION_MAX_BYTES, text.size);
    if (!utf8_is_valid(text))
        return REFUSE(&parser, 0, "an expression is UTF-8");
    parser.text = arena_copy(arena, text);
    token_next(&parser);
    const struct term *root = choice(&parser);
    if (root != NULL && parser.kind != TOKEN_END)
        root = unexpected(&parser, "an operator or the end");
    if (root == NULL)
        return NULL;
    if ((root->kinds & kinds_wanted(want)) == 0)
        return REFUSE(&parser, root->start, "it must give %s, and never does", want_name(want));
    *expression = (struct expression){ .text = parser.text, .want = want, .root = root };
    return expression;
}

const struct expression *expression_copy(struct arena *arena,
                                         const struct expression *expression)
{
    struct expression_flaw none; /* it was compiled before */

    return expression_compile(arena, expression->text, expression->want, &none);
}

struct slice expression_text(const struct expression *expression)
{
    return expression->text;
}
