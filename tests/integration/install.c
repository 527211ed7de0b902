/* What an installed bide is to someone who writes a plugin elsewhere: a header and two package
 * files. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct server s;
static const char *prefix;

static void run_ok(const char *command)
{
    int status;
    const char *said = command_run(&status, "%s", command);
    if (status != 0)
        give_up("%s: status %d: %s", command, status, said);
}

static void set_up(void)
{
    server_init(&s);
    prefix = server_path(&s, "prefix");
    run_ok(text(CMAKE_BINARY " --install " BINARY_DIR " --prefix %s", prefix));
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(install, .init = set_up, .fini = tear_down, .timeout = 300);

/* A plugin as somebody would write it, far away from this tree. */
#define PLUGIN                                                         \
    "#include <bide/bide.h>\n"                                         \
    "#define TWICE_STATE(F) F(I64, n)\n"                               \
    "#define TWICE_SEGMENTS(S) S(start) S(later)\n"                    \
    "BIDE_TASK(twice, TWICE_STATE, TWICE_SEGMENTS, .id = \"twice\")\n" \
    "static bide_next start(bide_task *t)\n"                           \
    "{\n"                                                              \
    "    struct twice *s = bide_state(t);\n"                           \
    "    s->n = bide_i64(t, bide_input(t), \"n\");\n"                  \
    "    return bide_wait_for(t, 1, later);\n"                         \
    "}\n"                                                              \
    "static bide_next later(bide_task *t)\n"                           \
    "{\n"                                                              \
    "    struct twice *s = bide_state(t);\n"                           \
    "    bide_out_i64(t, \"twice\", 2 * s->n);\n"                      \
    "    return bide_done(t);\n"                                       \
    "}\n"                                                              \
    "BIDE_PLUGIN(\"twice\", \"1.0.0\", twice_task)\n"

static void assert_plugin_runs(const char *so)
{
    server_start(&s);
    run_ok(text("cp %s %s && mv %s %s", so, server_path(&s, "plugins/twice.part"),
                server_path(&s, "plugins/twice.part"), server_path(&s, "plugins/twice.so")));
    const struct reply *run = run_end(&s, run_trigger(&s, "twice", "{\"n\": 21}", NULL));
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "output.twice"), 42);
}

Test(install, everything_is_in_its_place)
{
    const char *files[] = { "bin/bide",
                            "libexec/bide/bide-bench",
                            "lib/bide/bench/bench.so",
                            "include/bide/bide.h",
                            "share/pkgconfig/bide.pc",
                            "share/cmake/bide/bideConfig.cmake",
                            "share/cmake/bide/bideConfigVersion.cmake",
                            "share/man/man1/bide.1",
                            "share/bide/config/bide.yaml",
                            "share/bide/config/queues.yaml",
                            "share/bide/schemas/approve-refund.yaml",
                            "share/bide/config/reference.yaml",
                            "share/bide/schemas/month-report.yaml",
                            "share/bide/schemas/config/bide.yaml",
                            "share/bide/schemas/config/queues.yaml",
                            "share/bide/template/CMakeLists.txt",
                            "lib/bide/plugins/approve-refund.so",
                            "lib/systemd/system/bide.service" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        cr_expect_eq(access(text("%s/%s", prefix, files[i]), R_OK), 0, "no %s", files[i]);
    const char *unit = file_read(text("%s/lib/systemd/system/bide.service", prefix));
    cr_assert_eq(strchr(strstr(unit, "ExecStart="), '@'), strstr(unit, "@system-service"));
    int status;
    cr_assert_neq(strstr(command_run(&status, "%s/bin/bide --version", prefix), "bide"), NULL);
}

/* The bench is elsewhere than the server that it measures, and than its plugin. */
Test(install, the_bench_finds_its_parts)
{
    int status;
    const char *said = command_run(
        &status, "%s/bin/bide bench --seconds 1 --only latency --dir %s", prefix, prefix);
    cr_expect_eq(status, 0, "%s", said);
    cr_expect_not_null(strstr(said, "\"p99_ms\""), "%s", said);
}

Test(install, a_plugin_is_built_with_find_package)
{
    server_write(&s, "twice.c", PLUGIN);
    server_write(&s, "CMakeLists.txt",
                 "cmake_minimum_required(VERSION 3.22)\n"
                 "project(twice LANGUAGES C)\n"
                 "find_package(bide 0.1 REQUIRED)\n"
                 "bide_plugin(twice twice.c)\n"
                 "add_library(by_hand MODULE twice.c)\n"
                 "target_link_libraries(by_hand PRIVATE bide::sdk)\n");

    run_ok(text(CMAKE_BINARY " -S %s -B %s/build -DCMAKE_PREFIX_PATH=%s"
                             " -DCMAKE_C_FLAGS='-Wall -Wextra -Werror'"
                             " && " CMAKE_BINARY " --build %s/build",
                s.dir, s.dir, prefix, s.dir));

    int status;
    const char *symbols =
        command_run(&status, "nm -D --defined-only %s/build/twice.so | wc -l", s.dir);
    cr_assert_eq(atoi(symbols), 1, "one symbol: %s", symbols);
    assert_plugin_runs(server_path(&s, "build/twice.so"));
}

/* The same with its values in structs, which are made of its schema. */
#define TYPED                                                            \
    "#include \"twice.schema.h\"\n"                                      \
    "#define TWICE_SEGMENTS(S) S(start)\n"                               \
    "BIDE_TASK(twice, BIDE_NO_STATE, TWICE_SEGMENTS, .id = \"twice\")\n" \
    "static bide_next start(bide_task *t)\n"                             \
    "{\n"                                                                \
    "    struct twice_input in = twice_input_read(t);\n"                 \
    "    struct twice_output out = { .twice = 2 * in.n };\n"             \
    "    twice_output_write(t, &out);\n"                                 \
    "    return bide_done(t);\n"                                         \
    "}\n"                                                                \
    "BIDE_PLUGIN(\"twice\", \"1.0.0\", twice_task)\n"

#define TWICE_SCHEMA                                                                 \
    "input: { type: object, required: [%s], properties: { %s: { type: integer }}}\n" \
    "output: { type: object, properties: { twice: { type: integer }}}\n"

static void write_schema(const char *member)
{
    server_write(&s, "schemas/twice.yaml", text(TWICE_SCHEMA, member, member));
}

Test(install, a_schema_that_the_plugin_does_not_fit_breaks_its_build)
{
    int status;
    server_write(&s, "twice.c", TYPED);
    write_schema("n");
    server_write(&s, "CMakeLists.txt",
                 "cmake_minimum_required(VERSION 3.22)\n"
                 "project(twice LANGUAGES C)\n"
                 "find_package(bide 0.1 REQUIRED)\n"
                 "bide_add_plugin(NAME twice SOURCES twice.c SCHEMA schemas/twice.yaml)\n");

    run_ok(text(CMAKE_BINARY " -S %s -B %s/build -DCMAKE_PREFIX_PATH=%s"
                             " -DCMAKE_C_FLAGS='-Wall -Wextra -Werror -Wpedantic -Wconversion'"
                             " && " CMAKE_BINARY " --build %s/build",
                s.dir, s.dir, prefix, s.dir));
    assert_plugin_runs(server_path(&s, "build/twice.so"));

    write_schema("number");
    const char *said = command_run(&status, CMAKE_BINARY " --build %s/build 2>&1", s.dir);
    cr_assert_neq(status, 0, "it was built: %s", said);
    cr_assert_not_null(strstr(said, "struct twice_input"), "%s", said);
    cr_assert_not_null(strstr(said, "no member named"), "%s", said);
}

Test(install, a_plugin_is_built_with_pkg_config)
{
    server_write(&s, "twice.c", PLUGIN);

    run_ok(text("export PKG_CONFIG_PATH=%s/share/pkgconfig && " C_COMPILER
                " -std=c11 -shared -fPIC $(pkg-config --cflags bide) -o %s/twice.so %s/twice.c",
                prefix, s.dir, s.dir));

    assert_plugin_runs(server_path(&s, "twice.so"));
}
