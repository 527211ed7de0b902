/* `bide schemas diff`: two files that lie on the disk, and what is said of them. */
#include "cli/schema_diff/schema_diff.h"

#include "unit/schema/helper.h"

#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/bide-diff-XXXXXX";

static const char *path_of(const char *name)
{
    return arena_format(&arena, "%s/%s", directory, name).data;
}

static void file_write(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "w");

    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(directory));
}

static void tear_down(void)
{
    unlink(path_of("old.yaml"));
    unlink(path_of("new.yaml"));
    rmdir(directory);
}

TestSuite(covers_diff, .init = set_up, .fini = tear_down);

/* The report, without the directory. */
static const char *diff(const char *before, const char *after, int code, bool json)
{
    struct buffer out = { 0 };
    char *at;

    file_write("old.yaml", before);
    file_write("new.yaml", after);
    cr_expect_eq(schema_diff(path_of("old.yaml"), path_of("new.yaml"), json, &out), code,
                 "%.*s", (int)out.size, out.data);
    char *text = arena_text(&arena, buffer_view(&out));
    buffer_finish(&out);
    while ((at = strstr(text, directory)) != NULL)
        memmove(at, at + sizeof directory, strlen(at + sizeof directory) + 1);
    return text;
}

static const char base[] = "input:\n"
                           "  type: object\n"
                           "  required: [amount]\n"
                           "  additionalProperties: false\n"
                           "  properties:\n"
                           "    amount: { type: integer, minimum: 1 }\n"
                           "    note: { type: string, maxLength: 10, default: none }\n"
                           "output:\n"
                           "  type: object\n"
                           "  required: [status]\n"
                           "  properties:\n"
                           "    status: { enum: [paid, refused] }\n"
                           "tokens:\n"
                           "  approval: { type: object }\n";

/* `base` with one text in the place of another. */
static const char *with(const char *part, const char *instead)
{
    const char *at = strstr(base, part);

    cr_assert_not_null(at, "%s", part);
    return arena_format(&arena, "%.*s%s%s", (int)(at - base), base, instead, at + strlen(part))
        .data;
}

static void assert_lacks(const char *text, const char *part)
{
    cr_assert_null(strstr(text, part), "%s\nhas: %s", text, part);
}

Test(covers_diff, a_file_and_itself_are_the_same)
{
    const char *said = diff(base, base, 0, false);

    assert_has(said, "input: the same\n");
    assert_has(said, "output: the same\n");
    assert_has(said, "tokens.approval: the same\n");
    assert_has(said, "\ncompatible\n");
}

Test(covers_diff, a_break_comes_with_its_places_and_a_value)
{
    const char *said = diff(base, with("minimum: 1", "minimum: 5"), 1, false);

    assert_has(said, "input: breaks\n"
                     "  new.yaml:6:30: /amount: expected an integer >= 5, got 1\n"
                     "    in the old version: old.yaml:6:30\n"
                     "    changed: /amount: minimum 1 -> 5 (old.yaml:6:30 -> new.yaml:6:30)\n"
                     "    accepted before, refused now: {\"amount\":1}\n");
    assert_has(said, "output: the same\n");
}

Test(covers_diff, what_became_wider_is_listed_and_fine)
{
    const char *said = diff(base, with("maxLength: 10", "maxLength: 20"), 0, false);

    assert_has(said,
               "input: compatible\n"
               "  compatible: /note: maxLength 10 -> 20 (old.yaml:7:27 -> new.yaml:7:27)\n");
    assert_has(diff(base, with("required: [amount]", "required: []"), 0, false),
               "compatible: no longer required: \"amount\"");
    assert_has(diff(base, with("    note:", "    more: { type: string }\n    note:"), 0, false),
               "compatible: new property, may be left out: \"more\"");
}

/* What is wider for those who send is too wide for those who read. */
Test(covers_diff, the_output_is_judged_the_other_way_round)
{
    const char *wider = with("[paid, refused]", "[paid, refused, later]");
    const char *said = diff(base, wider, 1, false);

    assert_has(said, "output: breaks\n  old.yaml:12:15: /status: expected one of \"paid\", "
                     "\"refused\", got the string \"later\"\n");
    assert_has(said, "not promised before, possible now: {\"status\":\"later\"}");
    assert_has(diff(base, with("[paid, refused]", "[paid]"), 0, false),
               "compatible: /status: enum: \"refused\" removed");
}

Test(covers_diff, properties_that_come_and_go)
{
    const char *said = diff(
        base, with("    note: { type: string, maxLength: 10, default: none }\n", ""), 1, false);

    assert_has(said, "changed: no longer a property: \"note\"");
    assert_has(said, "refused now: {\"amount\":1,\"note\":");
    said = diff(base, with("required: [amount]", "required: [amount, note]"), 1, false);
    assert_has(said, "changed: now required: \"note\"");
}

Test(covers_diff, parts_that_come_and_go)
{
    const char *said =
        diff(base, with("tokens:\n  approval: { type: object }\n", ""), 1, false);

    assert_has(said, "tokens.approval: breaks\n  removed: a task that still creates one");
    said = diff(base, with("  approval:", "  other: { type: object }\n  approval:"), 0, false);
    assert_has(said, "tokens.other: compatible\n  new\n");
    said = diff("output: { type: object }\n", base, 1, false);
    assert_has(said, "input: breaks\n  new: what did not matter before is checked now\n");
    assert_has(said, "accepted before, refused now: ");
    said = diff(base, "tokens: { approval: { type: object } }\n", 1, false);
    assert_has(said, "input: compatible\n  removed: nothing is checked any more\n");
    assert_has(said, "output: breaks\n  removed: nothing is promised any more\n");
}

Test(covers_diff, children_are_compared)
{
    const char *before = "children: { x: { output: { type: object, required: [a] } } }\n";
    const char *after = "children: { x: { output: { type: object, required: [a, b] } },"
                        " y: { output: true } }\non_invalid: warn\n";
    const char *said = diff(before, after, 1, false);

    assert_has(said, "children.x: breaks");
    assert_has(said, "changed: now required: \"b\"");
    assert_has(said, "children.y: compatible");
    assert_has(said, "on_invalid is warn now");
}

Test(covers_diff, defaults_and_secrets_are_mentioned)
{
    assert_has(diff(base, with("default: none", "default: some"), 0, false),
               "note: /note: default \"none\" -> \"some\"");
    assert_has(diff(base, with("default: none", "default: none, secret: true"), 0, false),
               "note: /note: secret true added");
    const char *said =
        diff(base, with("default: none", "default: some, secret: true"), 0, false);
    assert_has(said, "note: /note: default [secret] -> [secret]");
    assert_lacks(said, "some");
}

/* An example is made of what the schema says, which may be the secret itself. */
Test(covers_diff, secrets_are_not_shown)
{
    const char *said = diff("input: { enum: [hunter2, other], secret: true }\n",
                            "input: { enum: [other], secret: true }\n", 1, false);

    assert_has(said, "refused now: \"[secret]\"");
    assert_lacks(said, "hunter2");
}

Test(covers_diff, what_cannot_be_told_fails)
{
    const char *said = diff("input: { type: string, pattern: '^(a|b)+$' }\n",
                            "input: { type: string, pattern: '^(b|a)+$' }\n", 1, false);

    assert_has(said, "input: cannot be told\n");
    assert_has(said, "changed: pattern ^(a|b)+$ -> ^(b|a)+$");
    assert_has(said, "whether it breaks anybody cannot be told\n");
}

/* Where not every break is found, what is not proven is not called compatible. */
Test(covers_diff, a_change_without_a_proof_is_only_a_change)
{
    const char *before =
        "input:\n"
        "  oneOf:\n"
        "    - { type: object, required: [a], properties: { a: { type: integer, "
        "minimum: 1 }, z: { pattern: '^(a|b)$' } } }\n"
        "    - { type: object, required: [b], properties: { b: { type: integer, "
        "minimum: 1, maximum: 5 } } }\n";
    const char *after =
        "input:\n"
        "  oneOf:\n"
        "    - { type: object, required: [a], properties: { a: { type: integer, "
        "minimum: 2 }, z: { pattern: '^(b|a)$' } } }\n"
        "    - { type: object, required: [b], properties: { b: { type: integer, "
        "minimum: 1, maximum: 9 } } }\n";
    const char *said = diff(before, after, 1, false);

    assert_has(said, "changed: /z: pattern ^(a|b)$ -> ^(b|a)$");
    assert_has(said, "compatible: /b: maximum 5 -> 9");
    assert_lacks(said, "compatible: /z");
}

Test(covers_diff, json_says_the_same)
{
    const char *said = diff(base, with("minimum: 1", "minimum: 5"), 1, true);
    struct value root = value_of(said);
    const struct value *part = &value_find(&root, "parts")->items[0];
    const struct value *gap = &value_find(part, "breaks")->items[0];

    cr_assert_not(value_find(&root, "compatible")->boolean);
    cr_assert_eq(value_find(value_find(&root, "old"), "hash")->bytes.size, 64);
    cr_assert(slice_is(value_find(part, "answer")->bytes, "breaks"));
    cr_assert(slice_is(value_find(gap, "pointer")->bytes, "/amount"));
    cr_assert(slice_is(value_find(gap, "keyword")->bytes, "minimum"));
    cr_assert(slice_is(value_find(gap, "old")->bytes, "old.yaml:6:30"));
    cr_assert_str_eq(json_of(value_find(gap, "example")), "{\"amount\":1}");
    cr_assert_not(value_find(&value_find(part, "changes")->items[0], "compatible")->boolean);
}

Test(covers_diff, a_wrong_file_ends_with_code_2)
{
    assert_has(diff(base, "input: { type: strin }\n", 2, false), "new.yaml:1:16: ");
    struct value root = value_of(diff("inputs: {}\n", base, 2, true));

    cr_assert_not(value_find(&root, "valid")->boolean);
}
