/* bide.yaml: what is read, what is refused, and where relative paths begin. */
#include "codec/json.h"
#include "config/own_schema.h"
#include "config/setting.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;

static const char *said(const struct problems *problems)
{
    struct buffer out = { 0 };

    problems_text(&out, problems);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    return text.data;
}

static struct config right(const char *path, const char *text)
{
    struct problems problems = { 0 };
    struct config config;

    cr_assert(config_parse(path, slice_of(text), &config, &arena, &problems), "%s: %s", text,
              said(&problems));
    return config;
}

static const char *wrong(const char *text)
{
    struct problems problems = { 0 };
    struct config config;

    cr_assert_not(config_parse("c.yaml", slice_of(text), &config, &arena, &problems),
                  "accepted: %s", text);
    cr_assert_gt(problems.count, 0);
    return said(&problems);
}

#define assert_wrong(text, part)                                                         \
    do {                                                                                 \
        const char *told_ = wrong(text);                                                 \
        cr_assert(strstr(told_, (part)) != NULL, "wanted: %s\nsaid: %s", (part), told_); \
    } while (0)

Test(config, an_empty_file_has_all_defaults)
{
    struct config config = right("bide.yaml", "");

    cr_assert_str_eq(config.host, "127.0.0.1");
    cr_assert_eq(config.port, 8030);
    cr_assert_null(config.origin);
    cr_assert_eq(config.max_body_bytes, 4 << 20);
    cr_assert_eq(config.segment_time_ms, 300000);
    cr_assert_geq(config.slots, 4);
    cr_assert_eq(config.retry_factor, 2.0);
    cr_assert_str_eq(config.log_level, "info");
    cr_assert_eq(config.environment_count, 1);
    cr_assert_str_eq(config.environments[0].name, "dev");
    config_finish(&config);
}

static const struct node *properties_of(const struct node *schema)
{
    const struct entry *properties = schema == NULL ? NULL : node_find(schema, "properties");

    return properties == NULL ? NULL : &properties->node;
}

static bool table_has(const char *section, struct slice name)
{
    for (size_t i = 0; i < setting_count; i++)
        if (slice_is(name, settings[i].name) &&
            (section == NULL
                 ? settings[i].section == NULL
                 : settings[i].section != NULL && strcmp(settings[i].section, section) == 0))
            return true;
    return false;
}

/* A key of the schema that nobody reads would be a promise that nobody keeps. */
Test(config, the_table_and_the_schema_have_the_same_keys)
{
    struct own_schema own_schema;

    own_schema_open(&own_schema, OWN_SCHEMA_BIDE);
    const struct node *properties = properties_of(&own_schema.root);
    for (size_t i = 0; i < setting_count; i++)
        cr_expect_not_null(setting_schema(&own_schema.root, &settings[i]), "%s",
                           settings[i].name);
    for (uint32_t i = 0; i < properties->count; i++) {
        const struct entry *entry = &properties->entries[i];
        const struct node *inner = properties_of(&entry->node);
        for (uint32_t j = 0; inner != NULL && j < inner->count; j++)
            cr_expect(table_has(entry->key.data, inner->entries[j].key), "%s.%s",
                      entry->key.data, inner->entries[j].key.data);
        cr_expect(inner != NULL || slice_is(entry->key, "environments") ||
                      table_has(NULL, entry->key),
                  "%s", entry->key.data);
    }
    own_schema_close(&own_schema);
}

/* A default that its own reader refuses would leave a zero behind, a range that its member does
 * not hold would be cut. */
Test(config, defaults_and_ranges_fit_their_members)
{
    struct own_schema own_schema;

    own_schema_open(&own_schema, OWN_SCHEMA_BIDE);
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        const struct node *schema = setting_schema(&own_schema.root, setting);
        const struct entry *standard = node_find(schema, "default");
        const struct entry *most = node_find(schema, "maximum");
        struct config config = { 0 };
        bool is_small = setting->kind == SETTING_COUNT,
             is_amount = is_small || setting->kind == SETTING_BYTES ||
                         setting->kind == SETTING_DURATION;
        if (standard != NULL)
            cr_expect(setting_read(setting, &standard->node, &config, SLICE("")), "%s",
                      setting->name);
        cr_expect(!is_amount || (most != NULL && most->node.kind == VALUE_INT &&
                                 (!is_small || most->node.integer <= UINT32_MAX)),
                  "%s", setting->name);
        cr_expect_not_null(node_find(schema, "description"), "%s", setting->name);
        config_finish(&config);
    }
    own_schema_close(&own_schema);
}

Test(config, every_kind_of_value_is_read)
{
    struct config config = right(
        "bide.yaml",
        "server: {listen: \"[::1]:0\", origin: \"https://x.example/b/\", max_body: 1 MB}\n"
        "workers: {slots: 7, grace: 1500, memory: 1GiB}\n"
        "retry: {factor: 1.5, min: 250ms, max: 1h30m}\n"
        "log: {level: debug}\n"
        "environments: {prod: {key_env: BIDE_KEY_PROD}, ci-2: {key_file: k}}\n");

    cr_assert_str_eq(config.host, "::1");
    cr_assert_eq(config.port, 0);
    cr_assert_str_eq(config.origin, "https://x.example/b");
    cr_assert_eq(config.max_body_bytes, 1000000);
    cr_assert_eq(config.limits.payload_bytes, 1000000, "no larger than a body");
    cr_assert_eq(config.slots, 7);
    cr_assert_eq(config.grace_ms, 1500);
    cr_assert_eq(config.memory_bytes, 1 << 30);
    cr_assert_eq(config.retry_factor, 1.5);
    cr_assert_eq(config.retry_max_ms, 5400000);
    cr_assert_eq(config.environment_count, 2);
    cr_assert_str_eq(config.environments[0].key_env, "BIDE_KEY_PROD");
    cr_assert_str_eq(config.environments[1].key_file, "k");
    config_finish(&config);
}

Test(config, mistakes_are_told_with_place_and_what_is_allowed)
{
    static const char *const cases[][2] = {
        { "sever: {}\n",
          "c.yaml:1:1: expected no properties but data, plugins, schemas, queues, sources, "
          "unknown_tasks, on_payload_mismatch, server, "
          "store, workers, retry, limits and 3 more, got \"sever\"; did you mean "
          "server?" },
        { "server:\n  listn: x\n", "c.yaml:2:3: /server: expected no properties but listen, " },
        { "server:\n  listn: x\n", "got \"listn\"; did you mean listen?" },
        { "server: {slots: 3}\n", "did you mean workers.slots?" },
        { "server: 5\n", "c.yaml:1:9: /server: expected an object or null, got 5" },
        { "server: {listen: localhost}\n",
          "c.yaml:1:18: /server/listen: an address is like 127.0.0.1:8030, [::1]:8030 or " },
        { "server: {listen: \"h:65536\"}\n",
          "c.yaml:1:18: /server/listen: \"h:65536\" is too large, or no port" },
        { "server: {listen: \":80\"}\n", "/server/listen: an address is like" },
        { "server: {listen: \"::1:80\"}\n", "/server/listen: an address is like" },
        { "server: {origin: ftp://x}\n", "/server/origin: an origin is a URL like" },
        { "server: {max_body: lots}\n",
          "/server/max_body: a size is like 64KiB or 4MiB, or plain bytes" },
        { "server: {max_body: 1GiB}\n", "/server/max_body: expected a number <= 67108864, got "
                                        "1073741824 (size of a request's "
                                        "body; from 1KiB to 64MiB)" },
        { "server: {max_body: 99999999TiB}\n", "\"99999999TiB\" is too large, or no size" },
        { "server: {max_connections: 0}\n", "expected an integer >= 1, got 0" },
        { "server: {max_connections: 1.5}\n",
          "expected an integer >= 1 and <= 1000000, got 1.5" },
        { "server: {max_connections: 99999999999999999999}\n",
          "the number does not fit into 64 bits" },
        { "workers: {slots: many}\n",
          "/workers/slots: expected \"auto\" or an integer >= 1 and <= 1024" },
        { "workers: {grace: 5 minutes}\n",
          "/workers/grace: a duration is like 30s or 1h30m, or plain milliseconds" },
        { "workers: {grace: 11m}\n", "expected a number <= 600000, got 660000" },
        { "workers: {grace: 5m5m}\n", "\"5m5m\" is too large, or no duration" },
        { "workers: {memory: 1MiB}\n",
          "c.yaml:1:19: /workers/memory: expected 0 or a number >= 16777216, got 1048576" },
        { "retry: {factor: 0.5}\n", "/retry/factor: expected a number >= 1, got 0.5" },
        { "retry: {max: 10ms}\n",
          "c.yaml:1:14: retry.min (its default, 1s) must not be above retry.max" },
        { "retry: {max_attempts: 101}\n",
          "c.yaml:1:23: retry.max_attempts must not be above limits.max_attempts (its "
          "default, 100)" },
        { "log: {level: loud}\n",
          "expected one of \"debug\", \"info\", \"warn\", \"error\", got the string \"loud\"" },
        { "data: [a]\n", "/data: expected a string of 1 to 1024 characters" },
        { "data: \"a\\0b\"\n", "/data: expected a string" },
        { "environments: {}\n", "/environments: expected at least 1 member" },
        { "environments: {dev: {burst: 2}}\n",
          "c.yaml:1:21: /environments/dev: expected the property \"limit\"" },
        { "environments: {dev: {limit: 0}}\n", "/environments/dev/limit: " },
        { "environments: {dev: {limit: 2, burst: 0.5}}\n", "/environments/dev/burst: " },
        { "environments: [dev]\n", "/environments: expected an object" },
        { "environments: {Dev: {}}\n",
          "c.yaml:1:16: name of an environment \"Dev\" has \"D\" (U+0044) at character 1" },
        { "environments: {dev: {key: x}}\n", "the key itself has no place in this file" },
        { "environments: {dev: {key_evn: x}}\n", "did you mean key_env?" },
        { "environments: {dev: {key_env: 5}}\n",
          "/environments/dev/key_env: expected a string" },
        { "environments: {dev: {key_env: A, key_file: b}}\n", "one of them is enough" },
        { "environments: {dev: 5}\n", "/environments/dev: expected an object or null" },
        { "environments: {dev: {retention: {logs: 1ms}}}\n",
          "c.yaml:1:40: retention.logs must be a time from 1s to 36500d" },
        { "environments: {dev: {retention: {runs: 1d}}}\n", "expected no properties but" },
        { "retention: {ended_runs: 0}\n", "c.yaml:1:25: /retention/ended_runs: expected" },
        { "retention:\n  early_answers: 1m\n",
          "c.yaml:2:18: retention.early_answers must not be below workers.segment_time (its "
          "default, 5m): a token may come as late" },
        { "workers:\n  segment_time: 2d\n",
          "c.yaml:2:17: retention.early_answers (its default, 1d) must not be below "
          "workers.segment_time: a token" },
        { "retention:\n  tokens: 1h\n",
          "c.yaml:2:11: retention.tokens must not be below retention.early_answers (its "
          "default, 1d)" },
        { "environments: {dev: {retention: {tokens: 1s}}}\n",
          "c.yaml:1:42: environments.dev.retention.tokens must not be below "
          "retention.early_answers, which is 1d" },
        { "- a\n", "c.yaml:1:1: expected an object or null" },
        { "server: {listen: \"a:1\", listen: \"b:2\"}\n", "is here twice" },
        { "a: b: c\n", "no valid YAML" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_wrong(cases[i][0], cases[i][1]);
}

Test(config, all_pairs_are_told_at_once)
{
    const char *told =
        wrong("workers:\n  segment_time: 2d\nretention:\n  tokens: 12h\nretry: {max: 10ms}\n");

    cr_assert_not_null(strstr(told, "c.yaml:2:17:"), "%s", told);
    cr_assert_not_null(strstr(told, "c.yaml:4:11:"), "%s", told);
    cr_assert_not_null(strstr(told, "c.yaml:5:14:"), "%s", told);
}

Test(config, all_mistakes_are_told_at_once)
{
    const char *told = wrong("a_: 1\nserver:\n  b_: 2\n  max_body: x\nlog:\n  level: loud\n");

    cr_assert_not_null(strstr(told, "c.yaml:1:1:"), "%s", told);
    cr_assert_not_null(strstr(told, "c.yaml:3:3:"), "%s", told);
    cr_assert_not_null(strstr(told, "c.yaml:4:13:"), "%s", told);
    cr_assert_not_null(strstr(told, "c.yaml:6:10:"), "%s", told);
    cr_assert_not_null(strstr(told, "[schemas/config/bide.yaml:"), "%s", told);
}

Test(config, relative_paths_begin_above_a_directory_called_config)
{
    static const char *const cases[][2] = {
        { "bide.yaml", "data" },
        { "config/bide.yaml", "data" },
        { "/etc/bide/bide.yaml", "/etc/bide/data" },
        { "/srv/app/config/bide.yaml", "/srv/app/data" },
        { "../config/bide.yaml", "../data" },
        { "x/y/bide.yaml", "x/y/data" },
        { "/bide.yaml", "/data" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config = right(cases[i][0], "schemas: /abs\n");
        cr_assert_str_eq(config.data, cases[i][1], "%s: %s", cases[i][0], config.data);
        cr_assert_str_eq(config.schemas, "/abs");
        config_finish(&config);
    }
}

Test(config, the_queues_are_beside_the_file)
{
    static const char *const cases[][2] = {
        { "bide.yaml", "queues.yaml" },
        { "config/bide.yaml", "config/queues.yaml" },
        { "/etc/bide/bide.yaml", "/etc/bide/queues.yaml" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config = right(cases[i][0], "");
        cr_assert_str_eq(config.queues_path, cases[i][1], "%s", config.queues_path);
        config_finish(&config);
    }
    struct config config = right("config/bide.yaml", "queues: q.yaml\n");
    cr_assert_str_eq(config.queues_path, "q.yaml");
    config_finish(&config);
}

Test(config, a_directory_that_is_called_config_is_found_by_its_real_name)
{
    char directory[] = "/tmp/bide-config-XXXXXX";
    cr_assert_not_null(mkdtemp(directory));
    struct slice inner = arena_format(&arena, "%s/config", directory);
    cr_assert_eq(mkdir(inner.data, 0700), 0);
    cr_assert_eq(chdir(inner.data), 0);

    struct config config = right("bide.yaml", "");
    rmdir(inner.data);
    rmdir(directory);

    cr_assert_str_eq(config.data, "./../data");
    config_finish(&config);
}

/* What is printed for people is a file that means the defaults. */
Test(config, the_description_is_a_right_file)
{
    struct buffer out = { 0 };

    config_describe(&out);
    buffer_byte(&out, '\0');
    struct config described = right("bide.yaml", out.data), standard = right("bide.yaml", "");

    for (size_t i = 0; i < setting_count; i++)
        cr_assert_not_null(
            strstr(out.data, arena_format(&arena, "%s: ", settings[i].name).data));
    cr_assert_eq(described.max_commands, standard.max_commands);
    cr_assert_eq(described.idle_slot_ms, standard.idle_slot_ms);
    cr_assert_eq(described.limits.calls, standard.limits.calls);
    cr_assert_str_eq(described.queues_path, standard.queues_path);
    config_finish(&described);
    config_finish(&standard);
    buffer_finish(&out);
}

Test(config, an_environment_has_a_limit_and_several_queues_a_burst)
{
    struct config config = right(
        "bide.yaml", "environments: {dev: {limit: 5, burst: 1.5}, ci: {limit: 3}, prod: {}}\n");

    cr_assert_eq(config.environments[0].limit.base, 5);
    cr_assert_eq(config.environments[0].limit.most, 7, "as many as fit");
    cr_assert_eq(config.environments[1].limit.most, 3);
    cr_assert_eq(config.environments[2].limit.most, 0);
    config_finish(&config);
}

/* config/reference.yaml is written by config_describe; after a change of the table the test
 * shows it: copy the text below "said:". */
Test(config, the_reference_file_is_the_description)
{
    struct buffer out = { 0 };
    FILE *file = fopen(SOURCE_DIR "/config/reference.yaml", "r");
    static char text[65536];

    cr_assert_not_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    config_describe(&out);

    cr_assert(slice_equal(buffer_view(&out), (struct slice){ text, size }), "said:\n%.*s",
              (int)out.size, out.data);
    buffer_finish(&out);
}

Test(config, sizes_are_read)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: no size */
    } cases[] = { { "0", 0 },
                  { "4096", 4096 },
                  { "4KiB", 4096 },
                  { "1 MiB", 1 << 20 },
                  { "2GB", 2000000000 },
                  { "1TiB", INT64_C(1) << 40 },
                  { "", -1 },
                  { "MiB", -1 },
                  { "4kib", -1 },
                  { "-1", -1 },
                  { "4MiBs", -1 },
                  { "99999999999999999999", -1 },
                  { "99999999TiB", -1 },
                  { "1.5MiB", -1 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t bytes = -1;
        bool is_read = bytes_parse(slice_of(cases[i].text), &bytes);
        cr_assert_eq(is_read, cases[i].bytes >= 0, "%s", cases[i].text);
        if (is_read)
            cr_assert_eq(bytes, cases[i].bytes, "%s", cases[i].text);
    }
}

Test(config, unknown_tasks_are_parked_or_refused)
{
    struct config standard = right("bide.yaml", ""), park, refuse;
    struct config tell = right("bide.yaml", "on_payload_mismatch: tell\n");
    struct config conflict = right("bide.yaml", "on_payload_mismatch: refuse\n");

    park = right("bide.yaml", "unknown_tasks: park\n");
    refuse = right("bide.yaml", "unknown_tasks: refuse\n");
    cr_assert_not(standard.refuses_unknown_tasks);
    cr_assert_not(park.refuses_unknown_tasks);
    cr_assert(refuse.refuses_unknown_tasks);
    cr_assert_not(standard.refuses_payload_mismatch);
    cr_assert_not(tell.refuses_payload_mismatch);
    cr_assert(conflict.refuses_payload_mismatch);
    config_finish(&tell);
    config_finish(&conflict);
    config_finish(&standard);
    config_finish(&park);
    config_finish(&refuse);
}

Test(config, paths_are_told_without_what_lies_above)
{
    static const struct {
        const char *config, *path, *shown;
    } cases[] = {
        { "/srv/shop/config/bide.yaml", "/srv/shop/schemas/a.yaml", "schemas/a.yaml" },
        { "/srv/shop/bide.yaml", "/srv/shop/schemas/a.yaml", "schemas/a.yaml" },
        { "/bide.yaml", "/schemas/a.yaml", "schemas/a.yaml" },
        { "/srv/shop/bide.yaml", "/srv/shop2/schemas/a.yaml", "a.yaml" },
        { "config/bide.yaml", "schemas/a.yaml", "schemas/a.yaml" },
        { "x/bide.yaml", "x/schemas/a.yaml", "schemas/a.yaml" },
        { "x/bide.yaml", "/etc/a.yaml", "a.yaml" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config = right(cases[i].config, "");
        cr_expect_str_eq(cases[i].path + config_hidden(&config, cases[i].path), cases[i].shown);
        config_finish(&config);
    }
}
