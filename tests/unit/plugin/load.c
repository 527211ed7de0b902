/* Good plugins: what is loaded is what was declared. */
#include "codec/json.h"
#include "codec/pack.h"
#include "plugin/describe.h"
#include "plugin/plugin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define TEST_PLUGINS BINARY_DIR "/tests/plugins"

static struct arena arena;
static struct plugin plugin;
static struct err err;

static const struct plugin_task *load(const char *path, const char *task)
{
    cr_assert(plugin_load(&arena, path, &plugin, &err), "%s", err.text);
    const struct plugin_task *found = plugin_task_find(&plugin, slice_of(task));
    cr_assert_not_null(found);
    return found;
}

static void forget(void)
{
    arena_finish(&arena);
}

Test(load, settings_are_those_of_the_declaration, .fini = forget)
{
    const struct plugin_task *task = load(TEST_PLUGINS "/steady.so", "retry");

    cr_assert(slice_is(plugin.name, "steady"));
    cr_assert(slice_is(plugin.version, "1.0.0"));
    cr_assert_eq(plugin.abi_major, BIDE_ABI_MAJOR);
    cr_assert_eq(task->max_attempts, 5);
    cr_assert_eq(task->retry_min_ms, 10);
    cr_assert_eq(task->retry_max_ms, 100);
    cr_assert_float_eq(task->retry_factor, 2, 0.001);
    cr_assert_eq(task->retry_from, BIDE_RETRY_SEGMENT);
    cr_assert_eq(task->queue.size, 0);
    cr_assert_eq(plugin_task_find(&plugin, SLICE("retry-start"))->retry_from, BIDE_RETRY_START);
    cr_assert_null(plugin_task_find(&plugin, SLICE("nobody")));
}

/* What was built before the ABI grew goes on as it is. */
Test(load, one_of_an_older_minor_is_good, .fini = forget)
{
    load(TEST_PLUGINS "/minor-0.so", "refused");

    cr_assert_eq(plugin.abi_major, BIDE_ABI_MAJOR);
}

Test(load, every_sample_is_good, .fini = forget)
{
    const char *const samples[] = { "hello", "approve-refund", "render-image", "remind",
                                    "monthly-digest" };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char path[400];
        snprintf(path, sizeof path, BINARY_DIR "/plugins/%s.so", samples[i]);
        load(path, samples[i]);
    }
    cr_assert_not_null(plugin_task_find(&plugin, SLICE("month-report")));
}

Test(load, a_task_without_state_has_no_fields, .fini = forget)
{
    cr_assert_eq(load(TEST_PLUGINS "/steady.so", "echo")->state.field_count, 0);
}

Test(load, fields_know_their_kinds, .fini = forget)
{
    const struct plugin_task *task = load(TEST_PLUGINS "/kinds.so", "kinds");
    const struct plugin_field *people = &task->state.fields[task->state.field_count - 1];

    cr_assert(slice_is(people->name, "people"));
    cr_assert_eq(people->kind, BIDE_KIND_LIST);
    cr_assert_eq(people->item_kind, BIDE_KIND_STRUCT);
    cr_assert_eq(people->capacity, 2);
    cr_assert_eq(people->inner->field_count, 2);
    const struct plugin_field *home = &people->inner->fields[1];
    cr_assert_eq(home->kind, BIDE_KIND_STRUCT);
    cr_assert(slice_is(home->inner->fields[2].name, "position"));
    cr_assert_eq(home->inner->fields[2].item_kind, BIDE_KIND_F64);
}

Test(load, segments_are_found_by_name_function_and_former_name, .fini = forget)
{
    const struct plugin_task *task = load(TEST_PLUGINS "/version-2.so", "versioned");
    const struct plugin_segment *approved = plugin_segment_find(task, SLICE("approved"));

    cr_assert(slice_is(plugin_segment_find(task, SLICE(""))->name, "start"));
    cr_assert_not_null(approved);
    cr_assert_eq(plugin_segment_find(task, SLICE("decided")), approved);
    cr_assert_eq(plugin_segment_of(task, approved->run), approved);
    cr_assert_null(plugin_segment_find(task, SLICE("customer")), "that is a field");
    cr_assert_null(plugin_segment_find(task, SLICE("elsewhere")));
}

Test(load, a_cpp_plugin_says_the_same_things, .fini = forget)
{
    if (access(TEST_PLUGINS "/cpp.so", R_OK) != 0)
        cr_skip("built without a C++ compiler");
    const struct plugin_task *task = load(TEST_PLUGINS "/cpp.so", "tour");

    cr_assert_eq(task->max_attempts, 2);
    cr_assert_eq(task->retry_min_ms, 10);
    cr_assert_eq(task->rename_count, 1);
    cr_assert_eq(task->segment_count, 3);
    cr_assert_eq(task->state.field_count, 4);
    cr_assert_eq(task->state.fields[2].inner->fields[1].capacity, 2);
}

Test(load, a_path_without_a_slash_is_a_file_here, .fini = forget)
{
    cr_assert_eq(chdir(TEST_PLUGINS), 0);
    load("kinds.so", "kinds");
}

Test(load, a_description_lists_tasks_segments_and_fields, .fini = forget)
{
    struct buffer packed = { 0 };
    struct buffer text = { 0 };
    load(TEST_PLUGINS "/version-2.so", "versioned");

    plugin_describe(&plugin, &packed);
    json_write_packed(&text, buffer_view(&packed));
    buffer_byte(&text, 0);

    cr_assert_str_eq(
        text.data,
        "{\"plugin\":\"versioned\",\"version\":\"2.0.0\",\"abi_major\":1,\"abi_minor\":1,\"abi_"
        "newest\":1,"
        "\"tasks\":[{\"id\":\"versioned\",\"input_schema\":\"\",\"queue\":\"\","
        "\"max_attempts\":0,\"retry_min_ms\":0,\"retry_max_ms\":0,\"retry_factor\":0.0,"
        "\"retry_from\":\"segment\",\"limit_ms\":0,\"cpu_ms\":0,\"children\":0,\"max_attempts_"
        "total\":0,"
        "\"on_exhausted\":0,"
        "\"hooks\":0,\"abort_attempts\":0,\"keep_states\":0,\"called\":[],"
        "\"segments\":[\"start\",\"approved\",\"decided\"],"
        "\"fields\":[{\"name\":\"approval\",\"kind\":\"TOKEN\",\"size\":256},"
        "{\"name\":\"buyer\",\"kind\":\"STR\",\"size\":16},"
        "{\"name\":\"added\",\"kind\":\"U32\",\"size\":4},"
        "{\"name\":\"amount\",\"kind\":\"I64\",\"size\":8},"
        "{\"name\":\"note\",\"kind\":\"STR\",\"size\":64}]}]}");
    buffer_finish(&text);
    buffer_finish(&packed);
}
