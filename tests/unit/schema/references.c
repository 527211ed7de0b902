/* References: to names, into other files, and not out of the directory. */
#include "helper.h"

#include <sys/stat.h>
#include <unistd.h>

/* A directory of files that is gone afterwards. */
static char directory[] = "/tmp/bide-refs-XXXXXX";

static void directory_make(void)
{
    cr_assert_not_null(mkdtemp(directory));
}

static const char *path_of(const char *name)
{
    return arena_format(&arena, "%s/%s", directory, name).data;
}

static void directory_remove(void)
{
    static const char *const names[] = { "sub/inner.yaml", "sub",       "a.yaml", "b.yaml",
                                         "c.yaml",         "link.yaml", "pipe" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)remove(path_of(names[i])); /* most tests have few of them */
    cr_assert_eq(remove(directory), 0);
}

TestSuite(references, .init = directory_make, .fini = directory_remove);

static void file_write(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "w");

    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

/* What is said of a.yaml, which has `text`. */
static const char *said_of(const char *text)
{
    struct problems problems = { 0 };
    struct schema_file *file = NULL;

    file_write("a.yaml", text);
    (void)schema_file_load(path_of("a.yaml"), &file, &arena, &problems);
    schema_file_destroy(file);
    return problems_said(&problems);
}

static bool takes(const char *text, const char *json)
{
    struct problems problems = { 0 };
    struct schema_file *file = NULL;
    struct value value = value_of(json);

    file_write("a.yaml", text);
    cr_assert(schema_file_load(path_of("a.yaml"), &file, &arena, &problems), "%s",
              problems_said(&problems));
    bool fine = schema_check(schema_input(file), &value, &arena, &problems);
    schema_file_destroy(file);
    return fine;
}

Test(references, every_way_to_name_a_schema_leads_there)
{
    static const char *const inputs[] = {
        "{$ref: \"#/$defs/n\"}",
        "{$ref: \"#num\"}",
        "{$ref: \"a.yaml#/$defs/n\"}",
        "{$ref: \"b.yaml#/$defs/n\"}",
        "{$ref: \"./b.yaml#num\"}",
        "{$ref: \"b.yaml#/input\"}",
        "{$ref: \"b.yaml#/tokens/done\"}",
        "{$ref: \"b.yaml#of-token\"}",
        "{$ref: \"c.yaml\"}",
        "{$ref: \"sub/inner.yaml#/$defs/n\"}",
        "{$id: \"tree/root\", $ref: \"leaf\", $defs: {x: {$id: leaf, type: integer}}}",
        "{$id: \"http://a/b\", $ref: \"http://a/n\", $defs: {x: {$id: n, type: integer}}}",
        "{$dynamicRef: \"#num\"}",
        "{$ref: \"#/$defs/per%25cent~1~0\"}",
    };

    mkdir(path_of("sub"), 0700);
    file_write("b.yaml",
               "input: {type: integer}\ntokens: {done: {$anchor: of-token, type: integer}}\n"
               "$defs: {n: {$anchor: num, type: integer}}\n");
    file_write("c.yaml", "description: one schema\ntype: integer\n");
    file_write("sub/inner.yaml", "$defs: {n: {type: integer}}\n");
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct slice text = arena_format(&arena,
                                         "input: %s\n$defs: {n: {$anchor: num, type: integer}, "
                                         "\"per%%cent/~\": {type: integer}}\n",
                                         inputs[i]);
        cr_assert(takes(text.data, "1"), "%s", inputs[i]);
        cr_assert_not(takes(text.data, "\"x\""), "%s", inputs[i]);
    }
}

Test(references, nothing_leads_out_of_the_directory)
{
    static const char *const wrong[] = {
        "../x.yaml",
        "%2e%2e/x.yaml",
        "./../x.yaml",
        "sub/../../x.yaml",
        "sub/%2E%2E/%2e%2e/x.yaml",
        "/etc/passwd",
        "%2fetc/passwd",
        "//host/x.yaml",
        "file:///etc/passwd",
        "http://127.0.0.1:9/x.yaml",
        "https://example.com/x.yaml",
        "b%00.yaml",
        "link.yaml",
    };

    file_write("b.yaml", "{type: integer}\n");
    mkdir(path_of("sub"), 0700);
    cr_assert_eq(symlink("/etc/hostname", path_of("link.yaml")), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct slice text = arena_format(&arena, "input: {$ref: \"%s#/a\"}\n", wrong[i]);
        const char *said = said_of(text.data);
        cr_assert(strstr(said, "leads to this file or one") != NULL ||
                      strstr(said, "x.yaml: cannot be opened") != NULL,
                  "%s: %s", wrong[i], said);
        cr_assert_null(strstr(said, "root:"), "%s: %s", wrong[i], said);
    }
}

Test(references, a_link_that_stays_inside_is_fine)
{
    file_write("b.yaml", "{type: integer}\n");
    cr_assert_eq(symlink("b.yaml", path_of("link.yaml")), 0);

    cr_assert(takes("input: {$ref: link.yaml}\n", "1"));
    cr_assert_not(takes("input: {$ref: link.yaml}\n", "\"x\""));
}

Test(references, a_pipe_is_not_waited_for)
{
    cr_assert_eq(mkfifo(path_of("pipe"), 0600), 0);

    assert_has(said_of("input: {$ref: pipe}\n"), "is no file but a pipe");
}

Test(references, names_are_checked)
{
    static const char *const cases[][2] = {
        { "input: {$anchor: 1a}", "$anchor must be letters, digits" },
        { "input: {$anchor: \"a b\"}", "$anchor must be letters, digits" },
        { "input: {$dynamicAnchor: \"ä\"}", "$dynamicAnchor must be letters, digits" },
        { "input: {$anchor: a}\noutput: {$anchor: a}",
          ":2:19: $anchor is the name of another" },
        { "input: {$id: \"x#name\"}", "$id must not have a fragment" },
        { "input: {$id: x}\noutput: {$id: x}", ":2:15: $id is taken by another schema" },
        { "input: {$id: 5}", "$id must be a URI reference as text" },
        { "input: {$schema: \"http://json-schema.org/draft-07/schema#\"}", "$schema must be" },
        { "input: {$ref: \"#nam\"}\n$defs: {a: {$anchor: name}}", "did you mean name?" },
        { "input: {$ref: \"#/$def/a\"}\n$defs: {a: true}", "did you mean $defs?" },
        { "input: {$ref: \"#/$defs/%fe\"}", "is no text where its %-signs are decoded" },
        { "input: {$ref: \"#%c3\"}", "is no text where its %-signs are decoded" },
        { "input: {$ref: \"%ff.yaml\"}", "leads to this file or one" },
        { "input: {$ref: b.yaml}", "b.yaml: cannot be opened" },
        { "input: {$ref: c.yaml}", "c.yaml: line 2: " },
        { "input: {$ref: a.yaml}", "means the whole file, which is no schema" },
    };

    file_write("c.yaml", "type: [\n}\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_has(said_of(cases[i][0]), cases[i][1]);
}

Test(references, an_alias_may_bring_its_anchor_along)
{
    cr_assert_str_eq(said_of("input: &x {$anchor: a, type: string}\noutput: *x\n"), "");
}

/* Nobody refers to these parts today. */
Test(references, mistakes_in_what_is_not_used_are_found)
{
    assert_has(said_of("input: {$defs: {a: {tpye: string}}}\n"), "did you mean type?");
    assert_has(said_of("$defs: {a: {tpye: string}}\n"), "did you mean type?");
    assert_has(said_of("input: {contentSchema: {tpye: string}}\n"), "did you mean type?");
}

Test(references, a_mistake_in_another_file_is_told_with_its_place)
{
    file_write("b.yaml", "$defs:\n  n: {tpye: string}\n");

    assert_has(said_of("input: {$ref: \"b.yaml#/$defs/n\"}\n"), "/b.yaml:2:7: \"tpye\"");
}
