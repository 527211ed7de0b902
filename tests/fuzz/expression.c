/* A text and a payload, parted by a line of ---: what compiles gives what is wanted or says why
 * not, twice the same; what does not says where in the text. */
#include "codec/expression.h"

#include "codec/json.h"
#include "fuzz.h"

static void flaw_check(const struct expression_flaw *flaw)
{
    PROMISE(flaw->line > 0 && flaw->column > 0 && flaw->text[0] != '\0');
    PROMISE(utf8_is_valid(slice_of(flaw->text)));
}

static bool is_wanted(const struct value *value, enum expression_want want)
{
    bool is_number =
        value->kind == VALUE_INT || value->kind == VALUE_UINT || value->kind == VALUE_DOUBLE;

    return want == EXPRESSION_ANY || (want == EXPRESSION_NUMBER && is_number) ||
           (want == EXPRESSION_TEXT && value->kind == VALUE_STRING) ||
           (want == EXPRESSION_BOOL && value->kind == VALUE_BOOL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = { 0 };
    struct slice all = { (const char *)data, size };
    const char *border = size == 0 ? NULL : memmem(data, size, "\n---\n", 5);
    struct slice text = { all.data, border == NULL ? size : (size_t)(border - all.data) };
    struct value payload = value_map(), value, again;
    struct expression_flaw flaw;

    if (border != NULL)
        (void)json_read(&arena, (struct slice){ border + 5, size - text.size - 5 }, &payload,
                        NULL);
    for (enum expression_want want = EXPRESSION_NUMBER; want <= EXPRESSION_ANY; want++) {
        const struct expression *expression = expression_compile(&arena, text, want, &flaw);
        if (expression == NULL) {
            flaw_check(&flaw);
        } else if (!expression_value(expression, &payload, &arena, &value, &flaw)) {
            flaw_check(&flaw);
        } else {
            PROMISE(is_wanted(&value, want));
            PROMISE(expression_value(expression, &payload, &arena, &again, &flaw));
            PROMISE(value_equal(&value, &again));
        }
    }
    arena_finish(&arena);
    return 0;
}
