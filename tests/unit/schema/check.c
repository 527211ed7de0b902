/* `bide schemas check`. */
#include "schema/check.h"

#include "helper.h"

static const char *check(const char *path, bool json, int wanted)
{
    struct buffer out = { 0 };

    int code = schemas_check(&path, 1, json, &out);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    cr_assert_eq(code, wanted, "%d: %s", code, text.data);
    return text.data;
}

Test(check, right_files_are_listed_with_what_they_declare)
{
    const char *said = check(SOURCE_DIR "/schemas", false, 0);

    assert_has(said, "approve-refund.yaml: fine (input, output, token approval)\n");
    assert_has(said, "hello.yaml: fine (input, output)\n");
}

Test(check, a_wrong_file_ends_with_code_2)
{
    char path[] = "/tmp/bide-check-XXXXXX";
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    fputs("input:\n  tpye: string\n", out);
    fclose(out);

    const char *text = check(path, false, 2);
    const char *json = check(path, true, 2);
    remove(path);

    assert_has(text, ":2:3: \"tpye\" is no keyword of a schema; did you mean type?");
    struct value value = value_of(json);
    cr_assert_not(value_find(&value, "valid")->boolean);
    const struct value *file = &value_find(&value, "files")->items[0];
    cr_assert_eq(value_find(file, "problems")->count, 1);
}

Test(check, json_names_what_is_declared)
{
    struct value value = value_of(check(SOURCE_DIR "/schemas/approve-refund.yaml", true, 0));
    const struct value *file = &value_find(&value, "files")->items[0];

    cr_assert(value_find(&value, "valid")->boolean);
    cr_assert(value_find(file, "input")->boolean);
    cr_assert(slice_is(value_find(file, "tokens")->items[0].bytes, "approval"));
}

Test(check, a_file_that_is_not_there_is_a_problem)
{
    assert_has(check("/nowhere/x.yaml", false, 2), "/nowhere/x.yaml: cannot be opened");
}
