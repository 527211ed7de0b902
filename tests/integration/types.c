/* Types from schemas: what a plugin reads into structs and writes again is what was sent. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void add_schema(const char *name)
{
    server_write(&s, text("schemas/%s.yaml", name),
                 file_read(text(SOURCE_DIR "/tests/plugins/headers/%s.yaml", name)));
}

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "shapes");
    server_add_plugin(&s, "shapes-cpp");
    add_schema("shapes");
    add_schema("shapes-case");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(types, .init = set_up, .fini = tear_down, .timeout = 120);

/* All that must be there; "%s" is for more. */
#define LEAST                                                                               \
    "{\"flag\": true, \"count\": -9223372036854775808, \"huge\": 9223372036854775807, "     \
    "\"ratio\": 1e-300, \"word\": \"\\u00e4 \\\"quoted\\\" \\\\ \\ud83d\\ude00\", "         \
    "\"color\": \"blue-ish\", \"person\": {\"name\": \"Ada\", \"age\": 36}, "               \
    "\"tags\": [\"a\", \"\", \"c\"], \"people\": [{\"name\": \"Bob\"}, "                    \
    "{\"name\": \"Eve\", \"age\": 0}], \"payment\": {\"method\": \"card\", \"number\": "    \
    "\"4242\"}, \"pair\": [\"x\", -1], \"nullable_count\": null, \"nullable_word\": null, " \
    "\"fixed\": \"always this\", \"matrix\": [[1, 2.5], [], [3]], "                         \
    "\"optional_ratio\": 0.5, \"optional_word\": \"nothing\"%s}"

static json_t *output_of(const char *task, const char *payload)
{
    const struct reply *run = run_end(&s, run_trigger(&s, task, payload, NULL));

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s\n%s", payload, run->text);
    return json_incref(reply_at(run, "output"));
}

static void assert_comes_back(const char *more)
{
    static const char *const tasks[] = { "shapes", "shapes-cpp" };
    char payload[8192];

    snprintf(payload, sizeof payload, LEAST, more);
    json_t *sent = json_loads(payload, 0, NULL);
    cr_assert_not_null(sent, "%s", payload);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        json_t *output = output_of(tasks[i], payload);
        char *came = json_dumps(output, 0);
        cr_expect(json_equal(sent, output), "%s: %s\nsent %s\ncame %s", tasks[i], more, payload,
                  came);
        free(came);
        json_decref(output);
    }
    json_decref(sent);
}

Test(types, what_must_be_there_comes_back)
{
    assert_comes_back("");
}

Test(types, what_may_be_there_comes_back)
{
    static const char *const more[] = {
        ", \"optional_flag\": false, \"optional_count\": 0, \"optional_color\": \"red\"",
        (", \"optional_person\": {\"name\": "
         "\"\\u00df\"}"),
        ", \"nullable_person\": {\"name\": \"x\"}, \"nullable_color\": \"up\"",
        ", \"fixed_number\": 42, \"number_list\": 3, \"mixed_list\": \"two\"",
        ", \"data\": \"aGVsbG8=\", \"date\": \"2026-01-02T03:04:05Z\"",
        ", \"told_words\": \"high\"",
    };

    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        assert_comes_back(more[i]);
}

Test(types, lists_and_maps_come_back)
{
    static const char *const more[] = {
        ", \"colors\": [\"red\", \"green\"], \"flags\": [true, false], \"maybe_numbers\": "
        "[1, null]",
        ", \"colors\": [], \"maybe_words\": [null, \"\"], \"maybe_people\": [null, "
        "{\"name\": \"x\"}]",
        ", \"anything\": [1, {\"a\": null}], \"map\": {\"a\": {\"b\": []}}",
        ", \"numbers_by_name\": {\"a\": 1, \"b\": 2.5}, \"by_pattern\": {\"x1\": "
        "{\"name\": \"x\"}, \"y\": 5}",
        ", \"open\": {\"known\": 5, \"more\": \"m\", \"\\u00e4\": \"\"}",
        ", \"open\": {}, \"short_pair\": []",
        ", \"short_pair\": [\"a\"]",
        ", \"short_pair\": [\"a\", 0, \"green\"]",
    };

    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        assert_comes_back(more[i]);
}

Test(types, unions_come_back)
{
    static const char *const more[] = {
        ", \"size_or_name\": 5, \"limit\": 7, \"many_types\": true, \"list_or_one\": \"one\"",
        ", \"size_or_name\": \"big\", \"limit\": \"unlimited\", \"many_types\": 2.5",
        ", \"many_types\": \"text\", \"list_or_one\": [\"a\", \"b\"]",
        ", \"many_types\": [1, [2]], \"not_told\": {\"a\": 1}",
        ", \"many_types\": {\"a\": {}}, \"not_told\": {\"b\": 1}",
        (", \"merged\": {\"kind\": \"a\", \"size\": 5}, \"all\": {\"name\": \"n\", \"mail\": "
         "\"a@b.example\"}"),
        ", \"merged\": {\"kind\": \"b\", \"note\": \"n\", \"length\": 0.5}",
        ", \"conditional\": {\"country\": \"DE\", \"plz\": \"01067\"}",
        ", \"conditional\": {\"country\": \"US\", \"zip\": \"10001\"}",
    };

    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        assert_comes_back(more[i]);
}

Test(types, what_contains_itself_comes_back)
{
    assert_comes_back(", \"tree\": {\"name\": \"root\", \"branches\": [{\"name\": \"a\", "
                      "\"branches\": []}, {\"name\": \"b\"}]}");
    assert_comes_back(", \"chain\": {\"value\": 1, \"next\": {\"value\": 2, \"next\": {}}}");
}

static void assert_payment(const char *payment)
{
    json_t *sent = json_loads(text(LEAST, ""), 0, NULL);
    json_object_set_new(sent, "payment", json_loads(payment, 0, NULL));
    char *payload = json_dumps(sent, 0);
    json_t *output = output_of("shapes", payload);

    cr_expect(json_equal(sent, output), "%s", payment);
    json_decref(output);
    json_decref(sent);
    free(payload);
}

Test(types, objects_are_told_apart_by_a_word)
{
    assert_payment("{\"method\": \"cash\"}");
    assert_payment("{\"method\": \"debit\", \"iban\": \"DE1\"}");
    assert_payment("{\"method\": \"transfer\", \"iban\": \"DE2\"}");
    assert_payment("{\"method\": \"card\", \"number\": \"\"}");
}

Test(types, lists_are_taken_apart_and_put_together)
{
    static const char *const tasks[] = { "shapes-copy", "shapes-cpp-copy" };
    const char *payload = text(
        LEAST, ", \"colors\": [\"green\", \"red\"], \"tree\": {\"name\": \"r\", "
               "\"branches\": [{\"name\": \"a\", \"branches\": [{\"name\": \"b\"}]}, "
               "{\"name\": \"c\"}]}, \"chain\": {\"value\": 40, \"next\": {\"value\": 2}}, "
               "\"people_by_name\": {\"first\": {\"name\": \"Ann\"}}");

    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        const struct reply *run = run_end(&s, run_trigger(&s, tasks[i], payload, NULL));
        cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
        json_t *sent = json_loads(payload, 0, NULL);
        cr_expect(json_equal(sent, reply_at(run, "metadata.copy.lists")), "%s", run->text);
        cr_expect(json_equal(sent, reply_at(run, "output")), "%s", run->text);
        cr_expect_eq(json_real_value(reply_at(run, "metadata.copy.matrix_sum")), 6.5);
        cr_expect_eq(reply_number(run, "metadata.copy.tree_size"), 4);
        cr_expect_eq(reply_number(run, "metadata.copy.chain_sum"), 42);
        cr_expect(json_is_true(reply_at(run, "metadata.copy.huge_stays")), "beyond int64_t");
        cr_expect(json_is_true(reply_at(run, "metadata.copy.has_age")));
        cr_expect(json_is_true(reply_at(run, "metadata.copy.word_is_null")));
        cr_expect_str_eq(reply_text(run, "metadata.copy.first"), "Ann");
        cr_expect_str_eq(reply_text(run, "metadata.copy.child"), "Ada");
        json_decref(sent);
    }
}

static void assert_case(const char *posted, const char *expected)
{
    const char *run = run_trigger(&s, "shapes-case", "{}", NULL);
    const struct reply *waiting = run_until(&s, run, "WAITING");
    const struct reply *answer =
        server_call_as(&s, NULL, "POST", reply_text(waiting, "metadata.url"), posted);
    cr_assert_eq(answer->status, 200, "%s", answer->text);

    const struct reply *ended = run_end(&s, run);
    json_t *want = json_loads(expected, 0, NULL);
    json_object_set_new(want, "again", json_loads(posted, JSON_DECODE_ANY, NULL));
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_expect(json_equal(want, reply_at(ended, "output")), "%s: %s", posted, ended->text);
    json_decref(want);
}

Test(types, a_token_tells_which_case_came)
{
    assert_case("\"hello\"", "{\"text\": \"hello\"}");
    assert_case("{\"name\": \"Ada\"}", "{\"person\": \"Ada\"}");
    assert_case("[1, 2, 3]", "{\"numbers\": 3}");
}
