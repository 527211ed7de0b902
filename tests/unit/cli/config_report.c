#include "cli/check/config_report.h"

#include "codec/json.h"

#include <criterion/criterion.h>
#include <string.h>

Test(config_report, the_sample_files_are_right)
{
    struct buffer out = { 0 };

    int code = config_report(SOURCE_DIR "/config/bide.yaml", false, &out);
    buffer_byte(&out, '\0');

    cr_assert_eq(code, 0, "%s", out.data);
    cr_assert_not_null(strstr(out.data, "fine, 2 environments: dev, prod\n"));
    cr_assert_not_null(strstr(out.data, "queues.yaml: fine, "));
    buffer_finish(&out);
}

Test(config_report, a_missing_file_is_a_problem)
{
    struct buffer out = { 0 };

    cr_assert_eq(config_report("/nowhere/bide.yaml", false, &out), 2);
    buffer_byte(&out, '\0');
    cr_assert_not_null(strstr(out.data, "/nowhere/bide.yaml: cannot be opened: No such file"));
    out.size = 0;
    cr_assert_eq(config_report("/nowhere/bide.yaml", true, &out), 2);
    struct arena arena = { 0 };
    struct value value;
    struct err err;
    cr_assert(json_read(&arena, buffer_view(&out), &value, &err), "%s", err.text);
    cr_assert_not(value_find(&value, "valid")->boolean);
    cr_assert_eq(value_find(&value, "problems")->count, 1);
    arena_finish(&arena);
    buffer_finish(&out);
}
