/*
 * Reruns: a segment that runs again finds what it has made by the numbers of its calls. One
 * that makes its calls in another order would take a child for a token, or one person's token
 * for another's: so what comes is compared with what was made, and a difference fails the
 * attempt.
 */
#include "engine/rerun.h"

#include <stdio.h>

enum { MADE_TEXT = 160 };

static const char *made_text(const struct made *made, char text[MADE_TEXT])
{
    bool has_name = made->name.size > 0, has_key = made->key.size > 0;

    (void)snprintf(text, MADE_TEXT, "%s%s%.*s%s%s%.*s%s", /* cut is fine */
                   made->is_child ? "a run of task " : "a token",
                   made->is_child || !has_name ? "" : " with schema \"",
                   (int)(made->name.size < 64 ? made->name.size : 64),
                   has_name ? made->name.data : "", made->is_child || !has_name ? "" : "\"",
                   has_key ? " and key \"" : "",
                   (int)(made->key.size < 32 ? made->key.size : 32),
                   has_key ? made->key.data : "", has_key ? "\"" : "");
    return text;
}

bool rerun_fits(struct command *command, const struct run *run, int64_t id,
                const struct run *child, const struct waitpoint *token, const struct made *now)
{
    char before[MADE_TEXT], after[MADE_TEXT];

    if (child == NULL && token == NULL)
        return true;
    struct made was = child != NULL ? (struct made){ true, child->task, child->key_text }
                                    : (struct made){ false, token->schema, token->key_text };
    if (was.is_child == now->is_child && slice_equal(was.name, now->name) &&
        slice_equal(was.key, now->key))
        return true;
    return err_set(
        &command->err, ERR_DIFFERS,
        "call %lld of this segment made %s when the segment ran before, and asks for "
        "%s now: what a segment calls must depend on nothing but its input, state "
        "and recorded results",
        (long long)(id - run->id_block), made_text(&was, before), made_text(now, after));
}
