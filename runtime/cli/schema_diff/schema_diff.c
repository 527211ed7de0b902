/*
 * Two versions of a schema file, part by part. Whose side is the wide one depends on the part:
 *
 *   input, tokens, messages, children   the new one must accept what the old one accepted:
 * callers and runs that wait go on as before output                    the old one must accept
 * what the new one accepts: readers of the output go on as before
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
        [DIFF_MESSAGE] = "new: it is allowed and checked now",
        [DIFF_CHILD] = "new: compared with that task's output when the server loads both",
    };
    static const char *const went[] = {
        [DIFF_INPUT] = "removed: nothing is checked any more",
        [DIFF_OUTPUT] = "removed: nothing is promised any more",
        [DIFF_TOKEN] = ("removed: a task that still creates one is refused, and what completes "
                        "those that are waiting is not checked any more"),
        [DIFF_MESSAGE] = "removed: who sends one is refused, if others are declared",
        [DIFF_CHILD] = "removed: nothing is expected any more",
    };

    if (part->was_there == part->is_there)
        return "";
    return part->is_there ? came[part->kind] : went[part->kind];
}

/* Tokens and messages are declared by name: without its schema a name is none. A new name, of
 * one or of a child, takes nothing from anybody. */
static void part_compare(struct diff *diff, struct diff_part *part)
{
    bool is_named = part->kind >= DIFF_TOKEN;
    bool is_output = part->kind == DIFF_OUTPUT;

    part->remark = slice_of(part_remark(part));
    if (part->was_there && part->is_there)
        changes_find(&diff->arena, part->before, part->after, &part->changes);
    if ((part->kind == DIFF_TOKEN || part->kind == DIFF_MESSAGE) && !part->is_there)
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

/* What is declared by name, in two lists. */
static void names_add(struct diff *diff, enum part_kind kind, const struct token_schema *before,
                      uint32_t before_count, const struct token_schema *after,
                      uint32_t after_count)
{
    const struct schema_file *old = diff->old_file, *new = diff->new_file;
    bool is_token = kind == DIFF_TOKEN;

    for (uint32_t i = 0; i < before_count; i++) {
        struct slice name = before[i].name;
        part_add(diff,
                 (struct diff_part){ .kind = kind,
                                     .name = name,
                                     .before = before[i].schema,
                                     .after = is_token ? schema_token(new, name)
                                                       : schema_message(new, name),
                                     .was_there = true,
                                     .is_there = is_token ? schema_has_token(new, name)
                                                          : schema_has_message(new, name) });
    }
    for (uint32_t i = 0; i < after_count; i++)
        if (!(is_token ? schema_has_token(old, after[i].name)
                       : schema_has_message(old, after[i].name)))
            part_add(diff, (struct diff_part){ .kind = kind,
                                               .name = after[i].name,
                                               .after = after[i].schema,
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
    names_add(diff, DIFF_TOKEN, diff->old_file->tokens, diff->old_file->token_count,
              diff->new_file->tokens, diff->new_file->token_count);
    names_add(diff, DIFF_MESSAGE, diff->old_file->messages, diff->old_file->message_count,
              diff->new_file->messages, diff->new_file->message_count);
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
