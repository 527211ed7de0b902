/* Tokens: an expression's text, word by word. Internal to expression.c. */
#ifndef EXPRESSION_TOKEN_H
#define EXPRESSION_TOKEN_H

#include "codec/expression_term.h"

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_STRING, TOKEN_WORD, TOKEN_SIGN };

struct parser {
    struct arena *arena;
    struct slice text;
    struct expression_flaw *flaw; /* its line is 0 while all is fine */
    enum token_kind kind;
    struct slice token;
    uint32_t at, end; /* of the token */
    uint32_t terms, depth;
};

static inline bool has_failed(const struct parser *parser)
{
    return parser->flaw->line != 0;
}

#define REFUSE(parser, at, ...) \
    ((void)flaw_set((parser)->flaw, (parser)->text, (at), __VA_ARGS__), NULL)

/* The next one. END once it has failed: nothing follows then. */
void token_next(struct parser *parser);
bool token_is(const struct parser *parser, const char *text);
bool token_take(struct parser *parser, const char *text);
/* What a STRING means; false: it has failed. */
bool token_string(struct parser *parser, struct slice *text);

#endif
