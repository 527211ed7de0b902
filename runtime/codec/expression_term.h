/* Terms: what an expression is compiled to. Internal to expression.c and expression_value.c. */
#ifndef EXPRESSION_TERM_H
#define EXPRESSION_TERM_H

#include "codec/expression.h"

/* Kinds of values, as bits: what an operand may be. */
enum kinds {
    KIND_NULL = 1,
    KIND_BOOL = 2,
    KIND_NUMBER = 4,
    KIND_TEXT = 8,
    KIND_LIST = 16,
    KIND_MAP = 32,
    KIND_SCALAR = KIND_NULL | KIND_BOOL | KIND_NUMBER | KIND_TEXT,
    KIND_ANY = KIND_SCALAR | KIND_LIST | KIND_MAP
};

enum op {
    OP_LITERAL,
    OP_PAYLOAD,
    OP_LIST,   /* of operands */
    OP_MEMBER, /* of operand 0; its name is the literal */
    OP_INDEX,
    OP_HAS,    /* operand 0 is a MEMBER */
    OP_CHOOSE, /* ? : */
    OP_OR,
    OP_AND,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_LESS_EQUAL, /* before LESS, as its sign begins with that one's */
    OP_LESS,
    OP_MORE_EQUAL,
    OP_MORE,
    OP_IN,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_NOT,
    OP_NEGATE,
    OP_SIZE,
    OP_STRING,
    OP_STARTS,
    OP_ENDS,
    OP_CONTAINS,
    OP_COUNT
};

struct term {
    enum op op;
    uint32_t kinds; /* that it may give */
    uint32_t start; /* bytes into the text */
    uint32_t count; /* operands */
    const struct term **operands;
    struct value literal;
};

struct expression {
    struct slice text;
    enum expression_want want;
    const struct term *root;
};

/* What is told once of each operator and function. */
struct op_rule {
    const char *text;  /* as it is written */
    const char *takes; /* for people: "takes …" */
    int level;         /* of binary operators: more binds tighter; 0: it is none */
    uint32_t left, right;
    bool is_alike; /* both of one kind */
    uint32_t gives;
};

extern const struct op_rule op_rules[OP_COUNT];

uint32_t kinds_wanted(enum expression_want want);
/* "a string or a number" */
const char *want_name(enum expression_want want);

/* Fills `flaw` unless it is filled already. Returns false. */
bool flaw_set(struct expression_flaw *flaw, struct slice text, uint32_t at, const char *format,
              ...) __attribute__((format(printf, 4, 5)));

#endif
