/* YAML documents: what is read, where it stands, and what is refused. */
#include "helper.h"

static struct node read_node(const char *text)
{
    struct problems problems = { 0 };
    struct report report = { &arena, &problems, SLICE("d.yaml") };
    struct node root;

    cr_assert(document_read(&arena, slice_of(text), &root, &report), "%s: %s", text,
              problems_said(&problems));
    return root;
}

static const char *refusal(struct slice text)
{
    struct problems problems = { 0 };
    struct report report = { &arena, &problems, SLICE("d.yaml") };
    struct node root;

    cr_assert_not(document_read(&arena, text, &root, &report), "accepted: %.*s",
                  SLICE_ARG(text));
    cr_assert_eq(problems.count, 1);
    return problems_said(&problems);
}

static void assert_reads(const char *yaml, const char *json)
{
    struct node node = read_node(yaml);
    struct value value = node_value(&arena, &node);

    cr_assert_str_eq(json_of(&value), json, "%s became %s", yaml, json_of(&value));
}

Test(document, scalars_follow_the_core_schema)
{
    static const char *const cases[][2] = {
        { "no", "\"no\"" },
        { "yes", "\"yes\"" },
        { "on", "\"on\"" },
        { "true", "true" },
        { "False", "false" },
        { "~", "null" },
        { "null", "null" },
        { "", "null" },
        { "12", "12" },
        { "-12", "-12" },
        { "+7", "7" },
        { "0o17", "15" },
        { "0x1F", "31" },
        { "017", "17" },
        { "1_000", "\"1_000\"" },
        { "12:30:45", "\"12:30:45\"" },
        { "1.5", "1.5" },
        { "-.5", "-0.5" },
        { "1e3", "1000.0" },
        { ".", "\".\"" },
        { "1.", "1.0" },
        { "e5", "\"e5\"" },
        { "1e", "\"1e\"" },
        { "-", "[null]" },
        { "2026-01-02", "\"2026-01-02\"" },
        { "9223372036854775807", "9223372036854775807" },
        { "18446744073709551615", "18446744073709551615" },
        { "'12'", "\"12\"" },
        { "\"true\"", "\"true\"" },
        { "!!str 12", "\"12\"" },
        { "!!float 2", "2.0" },
        { "+1.25", "1.25" },
        { "0.10000000000000001", "0.1" },
        { "! 12", "\"12\"" },
        { "0x", "\"0x\"" },
        { "0o9", "\"0o9\"" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_reads(cases[i][0], cases[i][1]);
}

Test(document, json_is_yaml)
{
    assert_reads("{\"a\": [1, 2.5, \"x\\ny\"], \"b\": {\"c\": null}}",
                 "{\"a\":[1,2.5,\"x\\ny\"],\"b\":{\"c\":null}}");
}

Test(document, every_node_knows_its_place)
{
    struct node root = read_node("a: 1\nb:\n  - x\n  -   y: [2]\n");
    const struct entry *b = node_find(&root, "b");

    cr_assert_eq(b->line, 2);
    cr_assert_eq(b->column, 1);
    cr_assert_eq(b->node.items[1].entries[0].line, 4);
    cr_assert_eq(b->node.items[1].entries[0].column, 7);
    cr_assert_eq(b->node.items[1].entries[0].node.items[0].column, 11);
}

Test(document, aliases_and_merges_are_followed)
{
    assert_reads("a: &x {p: 1, q: 2}\nb: *x\n",
                 "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":2}}");
    assert_reads("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n",
                 "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"p\":1}}");
    assert_reads("a: &x {p: 1}\nb: &y {p: 2, r: 4}\nc: {<<: [*x, *y]}\n",
                 "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"r\":4},\"c\":{\"p\":1,\"r\":4}}");
    assert_reads("{\"<<\": 1}", "{\"<<\":1}"); /* quoted it is a key like any other */
}

Test(document, a_large_map_keeps_all_its_keys)
{
    struct buffer text = { 0 };

    for (int i = 0; i < 5000; i++)
        buffer_format(&text, "key%d: %d\n", i, i);
    struct slice copy = arena_copy(&arena, buffer_view(&text));
    struct node root = read_node(copy.data);

    cr_assert_eq(root.count, 5000);
    cr_assert_eq(node_find(&root, "key4999")->node.integer, 4999);
    buffer_text(&text, "key17: again\n");
    assert_has(refusal(buffer_view(&text)), "5001:1: the key \"key17\" is here twice");
    buffer_finish(&text);
}

Test(document, what_config_files_do_not_need_is_refused)
{
    static const char *const cases[][2] = {
        { "a: 1\nb: 2\na: 3\n",
          "d.yaml:3:1: the key \"a\" is here twice; the first is in line 1" },
        { "1: x\n\"1\": y\n", "twice" },
        { "a: 1\n---\nb: 2\n", "d.yaml:2:1: a second document" },
        { "? [a]\n: 1\n", "a key must be plain text" },
        { "a: !mine 1\n", "d.yaml:1:4: the tag !mine does not fit" },
        { "a: !!int x\n", "the tag" },
        { "a: !!set {x}\n", "the tag" },
        { "a: *nope\n", "no anchor &nope" },
        { "a: &x [*x]\n", "an alias inside its own anchor" },
        { "a: {<<: 1}\n", "<< merges maps" },
        { "a: &x {}\nb: {<<: *x, <<: *x}\n", "a second <<" },
        { "a: .inf\n", "d.yaml:1:4: no finite number" },
        { "a: .nan\n", "no finite number" },
        { "a: 1e999\n", "no finite number" },
        { "a: 18446744073709551616\n", "d.yaml:1:4: the number does not fit into 64 bits" },
        { "a: -9223372036854775809\n", "does not fit into 64 bits" },
        { "a: 3.14159265358979323846\n", "the number has more digits" },
        { "a: !!float 9007199254740993\n", "the tag" },
        { "a: 1e-400\n", "the number has more digits" },
        { "a: [1, 2\n", "no valid YAML" },
        { "a: b: c\n", "d.yaml:1:5: no valid YAML" },
        { "\ta: 1\n", "no valid YAML" },
        { "a: \xff\n", "UTF-8" },
        { "a: \"\\ud83d\"", "no valid YAML" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_has(refusal(slice_of(cases[i][0])), cases[i][1]);
}

Test(document, depth_is_bounded)
{
    static char text[20001];

    memset(text, '[', 20000);

    assert_has(refusal(slice_of(text)), "nested too deep");
}

/* Each line names the one above nine times: a billion nodes in 300 bytes. */
Test(document, aliases_count_as_if_written_out)
{
    struct buffer text = { 0 };

    buffer_text(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++)
        buffer_format(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                      i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);

    assert_has(refusal(buffer_view(&text)), "too large");
    buffer_finish(&text);
}

Test(document, size_is_bounded)
{
    struct buffer text = { 0 };

    memset(buffer_reserve(&text, DOCUMENT_MAX_BYTES + 1), '#', DOCUMENT_MAX_BYTES + 1);
    text.size = DOCUMENT_MAX_BYTES + 1;

    assert_has(refusal(buffer_view(&text)), "too large");
    buffer_finish(&text);
}

Test(document, a_file_that_cannot_be_read_says_why)
{
    struct problems problems = { 0 };
    struct report report = { &arena, &problems, SLICE("none.yaml") };
    struct node root;

    cr_assert_not(document_load(&arena, "/nowhere/none.yaml", &root, &report));
    assert_has(problems_said(&problems), "none.yaml: cannot be opened: No such file");
    cr_assert_not(document_load(&arena, "/tmp", &root, &report));
    assert_has(problems_said(&problems), "cannot be read: Is a directory");
}

Test(document, values_and_nodes_are_the_same_tree)
{
    struct value value = value_of("{\"a\":[1,-2.5,\"x\",null,true,9007199254740993],\"b\":{}}");
    struct node node = node_of_value(&arena, &value);
    struct value back = node_value(&arena, &node);

    cr_assert(value_equal(&value, &back));
}
