/*
 * Two versions of a schema file, part by part. Whose side is the wide one depends on the part:
 *
 *   input, tokens, children   the new one must accept what the old one accepted: callers and
 *                             runs that wait go on as before
 *   output                    the old one must accept what the new one accepts: readers of the
 *                             output go on as before
 */
#include "cli/schema_diff/schema_diff.h"

#include "codec/json.h"

/* ---- comparing --------------------------------------------------------------------------- */

static const char *part_remark(const struct diff_part *part)
{
    static const char *const came[] = {
        [DIFF_INPUT] = "new: what did not matter before is checked now",
        [DIFF_OUTPUT] = "new: what the task gives back is checked now",
        [DIFF_TOKEN] = "new",
        [DIFF_CHILD] = "new: compared with that task's output when the server loads both",
    };
    static const char *const went[] = {
        [DIFF_INPUT] = "removed: nothing is checked any more",
        [DIFF_OUTPUT] = "removed: nothing is promised any more",
        [DIFF_TOKEN] = ("removed: a task that still creates one is refused, and what completes "
                        "those that are waiting is not checked any more"),
        [DIFF_CHILD] = "removed: nothing is expected any more",
    };

    if (part->was_there == part->is_there)
        return "";
    return part->is_there ? came[part->kind] : went[part->kind];
}

/* Tokens are declared by name: without its schema a name is none. A new name, of a token or a
 * child, takes nothing from anybody. */
static void part_compare(struct diff *diff, struct diff_part *part)
{
    bool is_named = part->kind == DIFF_TOKEN || part->kind == DIFF_CHILD;
    bool is_output = part->kind == DIFF_OUTPUT;

    part->remark = slice_of(part_remark(part));
    if (part->was_there && part->is_there)
        changes_find(&diff->arena, part->before, part->after, &part->changes);
    if (part->kind == DIFF_TOKEN && !part->is_there)
        part->answer = SCHEMA_NO;
    else if (is_named && part->was_there != part->is_there)
        part->answer = SCHEMA_YES;
    else
        part->answer =
            cover_gaps(is_output ? part->before : part->after,
                       is_output ? part->after : part->before, &diff->arena, &part->gaps);
    if (part->answer == SCHEMA_NO || diff->answer == SCHEMA_YES)
        diff->answer = part->answer;
}

static void part_add(struct diff *diff, struct diff_part part)
{
    struct diff_part *added = ARENA_NEW(&diff->arena, struct diff_part);

    if (!part.was_there && !part.is_there)
        return;
    *added = part;
    part_compare(diff, added);
    if (diff->last == NULL)
        diff->first = added;
    else
        diff->last->next = added;
    diff->last = added;
}

static void tokens_add(struct diff *diff)
{
    const struct schema_file *before = diff->old_file, *after = diff->new_file;

    for (uint32_t i = 0; i < before->token_count; i++) {
        struct slice name = before->tokens[i].name;
        part_add(diff, (struct diff_part){ .kind = DIFF_TOKEN,
                                           .name = name,
                                           .before = before->tokens[i].schema,
                                           .after = schema_token(after, name),
                                           .was_there = true,
                                           .is_there = schema_has_token(after, name) });
    }
    for (uint32_t i = 0; i < after->token_count; i++)
        if (!schema_has_token(before, after->tokens[i].name))
            part_add(diff, (struct diff_part){ .kind = DIFF_TOKEN,
                                               .name = after->tokens[i].name,
                                               .after = after->tokens[i].schema,
                                               .is_there = true });
}

static void children_add(struct diff *diff)
{
    const struct schema_file *before = diff->old_file, *after = diff->new_file;

    for (uint32_t i = 0; i < schema_child_count(before); i++) {
        struct slice name = schema_child_name(before, i);
        const struct schema *expected = schema_child(after, name);
        part_add(diff, (struct diff_part){ .kind = DIFF_CHILD,
                                           .name = name,
                                           .before = schema_child(before, name),
                                           .after = expected,
                                           .was_there = true,
                                           .is_there = expected != NULL });
    }
    for (uint32_t i = 0; i < schema_child_count(after); i++) {
        struct slice name = schema_child_name(after, i);
        if (schema_child(before, name) == NULL)
            part_add(diff, (struct diff_part){ .kind = DIFF_CHILD,
                                               .name = name,
                                               .after = schema_child(after, name),
                                               .is_there = true });
    }
}

static void files_compare(struct diff *diff)
{
    const struct schema_file *before = diff->old_file, *after = diff->new_file;

    diff->answer = SCHEMA_YES;
    part_add(diff, (struct diff_part){ .kind = DIFF_INPUT,
                                       .before = before->input,
                                       .after = after->input,
                                       .was_there = before->input != NULL,
                                       .is_there = after->input != NULL });
    part_add(diff, (struct diff_part){ .kind = DIFF_OUTPUT,
                                       .before = before->output,
                                       .after = after->output,
                                       .was_there = before->output != NULL,
                                       .is_there = after->output != NULL });
    tokens_add(diff);
    children_add(diff);
    if (schema_on_invalid(before) != schema_on_invalid(after))
        diff->remark =
            schema_on_invalid(after) == SCHEMA_WARN
                ? SLICE("on_invalid is warn now: a wrong output no longer fails the run")
                : SLICE("on_invalid is fail now: a wrong output fails the run");
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool files_load(struct diff *diff, struct problems *problems)
{
    bool fine = schema_file_load(diff->old_path, &diff->old_file, &diff->arena, problems);

    return schema_file_load(diff->new_path, &diff->new_file, &diff->arena, problems) && fine;
}

static void wrong_report(struct diff *diff, const struct problems *problems, bool json,
                         struct buffer *out)
{
    if (!json) {
        problems_text(out, problems);
        return;
    }
    struct value root = problems_value(&diff->arena, problems);
    value_put(&diff->arena, &root, "valid", value_bool(false));
    json_write_pretty(out, &root);
    buffer_byte(out, '\n');
}

int schema_diff(const char *old_path, const char *new_path, bool json, struct buffer *out)
{
    struct diff diff = { .old_path = old_path, .new_path = new_path };
    struct problems problems = { 0 };
    int code = 2;

    if (files_load(&diff, &problems)) {
        files_compare(&diff);
        if (json)
            diff_json(&diff, out);
        else
            diff_text(&diff, out);
        code = diff.answer == SCHEMA_YES ? 0 : 1;
    } else {
        wrong_report(&diff, &problems, json, out);
    }
    schema_file_destroy(diff.old_file);
    schema_file_destroy(diff.new_file);
    arena_finish(&diff.arena);
    return code;
}
