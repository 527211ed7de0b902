/* What `bide schemas diff` prints. */
#include "base/crypto.h"
#include "cli/schema_diff/schema_diff.h"
#include "codec/json.h"
#include "schema/document/problem.h"
#include "schema/prove/covers.h"

#include <inttypes.h>

enum { EXAMPLE_MAX_BYTES = 400 };

static const char *const answers[] = {
    [SCHEMA_YES] = "compatible",
    [SCHEMA_NO] = "breaks",
    [SCHEMA_UNKNOWN] = "cannot be told",
};

static struct slice part_title(struct arena *arena, const struct diff_part *part)
{
    static const char *const titles[] = { [DIFF_INPUT] = "input",
                                          [DIFF_OUTPUT] = "output",
                                          [DIFF_TOKEN] = "tokens.",
                                          [DIFF_MESSAGE] = "messages.",
                                          [DIFF_CHILD] = "children." };

    return arena_format(arena, "%s%.*s", titles[part->kind], SLICE_ARG(part->name));
}

/* Defaults and secrets refuse nothing. */
static bool change_is_note(const struct change *change)
{
    return change->keyword == KEYWORD_DEFAULT || change->keyword == KEYWORD_SECRET;
}

/* What a change is to those whom the part is for. */
enum effect { EFFECT_NONE, EFFECT_BREAKS, EFFECT_OPEN };

/* When not all gaps are known, a change that none of them is about is fine only if the schema
 * that it is in has become no narrower. */
static bool change_is_proven(struct diff_part *part, const struct change *change)
{
    enum { PROOFS_MAX = 50 };
    bool is_output = part->kind == DIFF_OUTPUT;

    if (part->proofs >= PROOFS_MAX || change->old_schema == NULL || change->new_schema == NULL)
        return false;
    part->proofs++;
    return cover_proven(is_output ? change->old_schema : change->new_schema,
                        is_output ? change->new_schema : change->old_schema);
}

static enum effect change_effect(struct diff_part *part, const struct change *change)
{
    for (const struct cover_gap *gap = part->gaps.first; gap != NULL; gap = gap->next)
        if (change_matches(change, &gap->problem))
            return gap->is_sure ? EFFECT_BREAKS : EFFECT_OPEN;
    if (part->answer == SCHEMA_YES || !part->gaps.is_partial || change_is_note(change) ||
        change_is_proven(part, change))
        return EFFECT_NONE;
    return EFFECT_OPEN;
}

static bool is_secret(const struct diff_part *part)
{
    return schema_has_secrets(part->before) || schema_has_secrets(part->after);
}

/* Made up, but from what the schema says: nothing secret of it is shown. */
static struct value example_value(struct arena *arena, const struct diff_part *part,
                                  const struct value *example)
{
    struct value shown = value_copy(arena, example);

    if (is_secret(part)) {
        schema_redact(part->before, &shown, arena);
        schema_redact(part->after, &shown, arena);
    }
    return shown;
}

static struct slice problem_where(struct arena *arena, const struct problem *problem)
{
    struct buffer out = { 0 };

    problem_place(&out, problem);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* Where the same thing stands in the version that the problem is not about. */
static struct slice problem_elsewhere(struct arena *arena, const struct diff_part *part,
                                      const struct problem *problem)
{
    return place_of(arena, part->kind == DIFF_OUTPUT ? part->after : part->before,
                    problem->pointer, problem->keyword);
}

/* ---- text -------------------------------------------------------------------------------- */

static void change_text(const struct change *change, struct buffer *out)
{
    if (change->pointer.size > 0)
        buffer_format(out, "%.*s: ", SLICE_ARG(change->pointer));
    buffer_slice(out, change->text);
    buffer_format(out, " (%.*s%s%.*s)", SLICE_ARG(change->before),
                  change->before.size > 0 && change->after.size > 0 ? " -> " : "",
                  SLICE_ARG(change->after));
    buffer_byte(out, '\n');
}

static void example_text(struct arena *arena, const struct diff_part *part,
                         const struct cover_gap *gap, struct buffer *out)
{
    struct value shown = example_value(arena, part, &gap->example);
    struct buffer text = { 0 };

    json_write_short(&text, &shown, EXAMPLE_MAX_BYTES);
    buffer_format(out, "    %s: %.*s\n",
                  part->kind == DIFF_OUTPUT ? "not promised before, possible now"
                                            : "accepted before, refused now",
                  SLICE_ARG(buffer_view(&text)));
    buffer_finish(&text);
}

/* A change of the very keyword that refuses. */
static bool is_exactly(const struct change *change, const struct problem *problem)
{
    return change->keyword != KEYWORD_NONE &&
           slice_equal(keyword_text(change->keyword), problem->keyword);
}

static bool has_exact(const struct diff_part *part, const struct problem *problem)
{
    for (const struct change *change = part->changes.first; change != NULL;
         change = change->next)
        if (change_matches(change, problem) && is_exactly(change, problem))
            return true;
    return false;
}

static void gap_text(struct arena *arena, const struct diff_part *part,
                     const struct cover_gap *gap, struct buffer *out)
{
    const struct problem *problem = &gap->problem;
    struct slice other = problem_elsewhere(arena, part, problem);

    buffer_format(out, "  %.*s: %.*s\n", SLICE_ARG(problem_where(arena, problem)),
                  SLICE_ARG(problem->message));
    if (other.size > 0)
        buffer_format(out, "    in the %s version: %.*s\n",
                      part->kind == DIFF_OUTPUT ? "new" : "old", SLICE_ARG(other));
    bool is_exact = has_exact(part, problem);
    for (const struct change *change = part->changes.first; change != NULL;
         change = change->next) {
        if (!change_matches(change, problem) || (is_exact && !is_exactly(change, problem)))
            continue;
        buffer_text(out, "    changed: ");
        change_text(change, out);
    }
    if (gap->is_sure)
        example_text(arena, part, gap, out);
}

static void part_text(struct arena *arena, struct diff_part *part, struct buffer *out)
{
    bool is_alike = part->changes.first == NULL && part->remark.size == 0;

    buffer_format(out, "%.*s: %s\n", SLICE_ARG(part_title(arena, part)),
                  is_alike && part->answer == SCHEMA_YES ? "the same" : answers[part->answer]);
    if (part->remark.size > 0)
        buffer_format(out, "  %.*s\n", SLICE_ARG(part->remark));
    for (const struct cover_gap *gap = part->gaps.first; gap != NULL; gap = gap->next)
        gap_text(arena, part, gap, out);
    for (const struct change *change = part->changes.first; change != NULL;
         change = change->next) {
        enum effect effect = change_effect(part, change);
        if (effect == EFFECT_BREAKS)
            continue; /* told with its break */
        buffer_text(out, change_is_note(change)  ? "  note: "
                         : effect == EFFECT_NONE ? "  compatible: "
                                                 : "  changed: ");
        change_text(change, out);
    }
    if (part->changes.is_cut)
        buffer_text(out, "  and more changes than are listed\n");
}

static const char *hash_text(const struct schema_file *file, char text[SHA256_HEX_SIZE])
{
    unsigned char hash[SCHEMA_HASH_BYTES];

    schema_file_hash(file, hash);
    return crypto_hex(hash, sizeof hash, text);
}

void diff_text(const struct diff *diff, struct buffer *out)
{
    struct arena arena = { 0 };
    char before[SHA256_HEX_SIZE], after[SHA256_HEX_SIZE];

    buffer_format(out, "old: %s %.12s\nnew: %s %.12s\n", diff->old_path,
                  hash_text(diff->old_file, before), diff->new_path,
                  hash_text(diff->new_file, after));
    for (struct diff_part *part = diff->first; part != NULL; part = part->next)
        part_text(&arena, part, out);
    if (diff->remark.size > 0)
        buffer_format(out, "%.*s\n", SLICE_ARG(diff->remark));
    buffer_format(out, "%s\n",
                  diff->answer == SCHEMA_YES  ? "compatible"
                  : diff->answer == SCHEMA_NO ? "it breaks what the old version allowed"
                                              : "whether it breaks anybody cannot be told");
    arena_finish(&arena);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void put_place(struct arena *arena, struct value *map, const char *key,
                      struct slice place)
{
    if (place.size > 0)
        value_put(arena, map, key, value_string(place));
}

static struct value change_json(struct arena *arena, struct diff_part *part,
                                const struct change *change)
{
    enum effect effect = change_effect(part, change);
    struct value map = value_map();

    value_put(arena, &map, "pointer", value_string(change->pointer));
    value_put(arena, &map, "change", value_string(change->text));
    if (effect != EFFECT_OPEN)
        value_put(arena, &map, "compatible", value_bool(effect == EFFECT_NONE));
    put_place(arena, &map, "old", change->before);
    put_place(arena, &map, "new", change->after);
    return map;
}

static struct value gap_json(struct arena *arena, const struct diff_part *part,
                             const struct cover_gap *gap)
{
    const struct problem *problem = &gap->problem;
    struct slice here = problem_where(arena, problem);
    struct slice other = problem_elsewhere(arena, part, problem);
    bool is_output = part->kind == DIFF_OUTPUT;
    struct value map = value_map();

    value_put(arena, &map, "pointer", value_string(problem->pointer));
    value_put(arena, &map, "message", value_string(problem->message));
    if (problem->expected.size > 0)
        value_put(arena, &map, "expected", value_string(problem->expected));
    if (problem->keyword.size > 0)
        value_put(arena, &map, "keyword", value_string(problem->keyword));
    value_put(arena, &map, "sure", value_bool(gap->is_sure));
    if (gap->is_sure)
        value_put(arena, &map, "example", example_value(arena, part, &gap->example));
    put_place(arena, &map, "old", is_output ? here : other);
    put_place(arena, &map, "new", is_output ? other : here);
    return map;
}

static struct value part_json(struct arena *arena, struct diff_part *part)
{
    static const char *const words[] = {
        [SCHEMA_YES] = "compatible", [SCHEMA_NO] = "breaks", [SCHEMA_UNKNOWN] = "unknown"
    };
    struct value map = value_map(), breaks = value_list(), changes = value_list();

    value_put(arena, &map, "part", value_string(part_title(arena, part)));
    value_put(arena, &map, "answer", value_text(words[part->answer]));
    if (part->remark.size > 0)
        value_put(arena, &map, "remark", value_string(part->remark));
    for (const struct cover_gap *gap = part->gaps.first; gap != NULL; gap = gap->next)
        value_add(arena, &breaks, gap_json(arena, part, gap));
    for (const struct change *change = part->changes.first; change != NULL;
         change = change->next)
        value_add(arena, &changes, change_json(arena, part, change));
    value_put(arena, &map, "breaks", breaks);
    value_put(arena, &map, "changes", changes);
    return map;
}

static struct value file_json(struct arena *arena, const char *path,
                              const struct schema_file *file)
{
    struct value map = value_map();
    char text[SHA256_HEX_SIZE];

    value_put(arena, &map, "file", value_text(path));
    value_put(arena, &map, "hash",
              value_string(arena_copy(arena, slice_of(hash_text(file, text)))));
    return map;
}

void diff_json(struct diff *diff, struct buffer *out)
{
    struct arena *arena = &diff->arena;
    struct value root = value_map(), parts = value_list();

    value_put(arena, &root, "compatible", value_bool(diff->answer == SCHEMA_YES));
    value_put(arena, &root, "old", file_json(arena, diff->old_path, diff->old_file));
    value_put(arena, &root, "new", file_json(arena, diff->new_path, diff->new_file));
    for (struct diff_part *part = diff->first; part != NULL; part = part->next)
        value_add(arena, &parts, part_json(arena, part));
    value_put(arena, &root, "parts", parts);
    if (diff->remark.size > 0)
        value_put(arena, &root, "remark", value_string(diff->remark));
    json_write_pretty(out, &root);
    buffer_byte(out, '\n');
}
