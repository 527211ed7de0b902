/* Plugins are replaced while their runs wait: each goes on in the build that it started in. */
#include "server.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(builds, .init = set_up, .fini = tear_down, .timeout = 240);

/* A file that differs from all others by what stands behind its end. */
static void drop(int version, int number)
{
    int status;
    const char *said = command_run(&status,
                                   "cd '%s/plugins' && cp '" BINARY_DIR
                                   "/tests/plugins/version-%d.so' new.part && "
                                   "printf '%d' >>new.part && mv new.part versioned.so",
                                   s.dir, version, number);
    cr_assert_eq(status, 0, "%s", said);
}

/* The entry of that version; NULL: it is not in the list. */
static json_t *entry(const char *version)
{
    const struct reply *reply = server_call(&s, "GET", "/api/v1/plugins", NULL);
    json_t *row;
    size_t i;

    json_array_foreach(reply_at(reply, "data"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "version")), version) == 0)
            return row;
    }
    return NULL;
}

/* NULL: until it is not there any more. */
static void until(const char *version, const char *status)
{
    long long deadline = now_ms() + 30000;

    for (;; pause_ms(20)) {
        json_t *row = entry(version);
        const char *is = row == NULL ? NULL : json_string_value(json_object_get(row, "status"));
        if (status == NULL ? is == NULL : is != NULL && strcmp(is, status) == 0)
            return;
        if (now_ms() > deadline)
            give_up("version %s is %s", version, is == NULL ? "gone" : is);
    }
}

/* Runs start in it with the next catalog. */
static void until_current(int version)
{
    const char *name = text("%d.0.0", version);
    long long deadline = now_ms() + 30000;

    while (json_array_size(json_object_get(entry(name), "current")) == 0) {
        cr_assert_lt(now_ms(), deadline, "runs do not start in %s", name);
        pause_ms(10);
    }
}

static void deploy(int version)
{
    drop(version, 0);
    until_current(version);
}

static char *begin(void)
{
    char *run = strdup(run_trigger(&s, "versioned", "{}", NULL));

    run_until(&s, run, "WAITING");
    return run;
}

static void assert_ends_in(const char *run, int version)
{
    char *url = strdup(reply_text(run_get(&s, run), "metadata.url"));
    const struct reply *posted = server_call_as(&s, NULL, "POST", url, "{}");

    cr_assert_eq(posted->status, 200, "%s", posted->text);
    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_assert_eq(reply_number(ended, "output.version"), version, "%s", ended->text);
    free(url);
}

static size_t copies(void)
{
    DIR *folder = opendir(server_path(&s, "data/builds"));
    size_t count = 0;

    for (struct dirent *found; (found = readdir(folder)) != NULL;)
        count += strstr(found->d_name, ".so") != NULL;
    closedir(folder);
    return count;
}

static void act(const char *what, const char *body)
{
    const struct reply *reply = server_call(&s, "POST", text("/api/v1/plugins/%s", what), body);

    cr_assert_eq(reply->status, 200, "%s", reply->text);
}

Test(builds, what_waits_ends_in_its_own_and_then_that_goes)
{
    drop(1, 0);
    server_start(&s);
    char *first = begin(), *last = begin();
    deploy(2);
    char *second = begin();
    server_kill(&s);
    server_start(&s);
    assert_ends_in(first, 1);
    assert_ends_in(second, 2);
    until("1.0.0", "previous");
    deploy(4);
    until("1.0.0", "kept"); /* one run needs it */
    assert_ends_in(last, 1);
    until("1.0.0", NULL);
    cr_assert_eq(copies(), 2);
    free(first);
    free(second);
    free(last);
}

Test(builds, a_file_that_is_removed_takes_nothing_from_what_waits)
{
    drop(1, 0);
    server_start(&s);
    char *run = begin();
    unlink(server_path(&s, "plugins/versioned.so"));
    until("1.0.0", "kept");
    const char *status;
    long long deadline = now_ms() + 20000;
    do {
        status =
            reply_text(run_get(&s, strdup(run_trigger(&s, "versioned", "{}", NULL))), "status");
        cr_assert_lt(now_ms(), deadline, "new runs still start");
    } while (strcmp(status, "PENDING_VERSION") != 0);
    server_stop(&s);
    server_start(&s);
    assert_ends_in(run, 1);
    free(run);
}

Test(builds, one_is_taken_back_and_promoted_again)
{
    drop(1, 0);
    server_start(&s);
    deploy(2);
    char *second = begin();
    act("rollback", "{\"plugin\": \"versioned\", \"reason\": \"it is bad\"}");
    until("2.0.0", "withdrawn");
    cr_assert_not_null(
        strstr(json_string_value(json_object_get(entry("2.0.0"), "reason")), "it is bad"));
    until_current(1);
    char *first = begin();
    server_kill(&s);
    server_start(&s);
    until("2.0.0", "withdrawn");
    char *again = begin();
    assert_ends_in(first, 1);
    assert_ends_in(again, 1);
    assert_ends_in(second, 2);
    const char *build = json_string_value(json_object_get(entry("2.0.0"), "build"));
    act("promote", text("{\"build\": \"%s\"}", build));
    until_current(2);
    char *third = begin();
    assert_ends_in(third, 2);
    cr_assert_eq(
        server_call(&s, "POST", "/api/v1/plugins/promote", "{\"build\": \"0000000000000000\"}")
            ->status,
        404);
    free(first);
    free(second);
    free(third);
    free(again);
}

Test(builds, runs_are_moved_to_another)
{
    drop(1, 0);
    server_start(&s);
    char *run = begin();
    deploy(2);
    const char *build = json_string_value(json_object_get(entry("2.0.0"), "build"));
    act("promote", text("{\"build\": \"%s\", \"withRuns\": true}", build));
    assert_ends_in(run, 2);
    free(run);
}

Test(builds, a_trigger_names_its_version)
{
    drop(1, 0);
    server_start(&s);
    deploy(2);
    char *run = strdup(run_trigger(&s, "versioned", "{}", "{\"lockToVersion\": \"1.0.0\"}"));
    run_until(&s, run, "WAITING");
    assert_ends_in(run, 1);
    const struct reply *reply = server_call(&s, "POST", "/api/v1/tasks/versioned/trigger",
                                            "{\"options\": {\"lockToVersion\": \"9\"}}");
    cr_assert_eq(reply->status, 422, "%s", reply->text);
    free(run);
}

/* Half of what starts takes one that crashes: it is taken back, and nothing else is hurt. */
Test(builds, a_build_that_crashes_on_its_way_in_is_taken_back)
{
    drop(1, 0);
    server_start(&s);
    drop(5, 0);
    until("5.0.0", "loaded");
    char *bad = strdup(json_string_value(json_object_get(entry("5.0.0"), "build")));
    act("rollback", "{\"plugin\": \"versioned.so\"}");
    until_current(1);
    act("promote", text("{\"build\": \"%s\", \"percent\": 50, \"over\": \"1h\"}", bad));
    long long deadline = now_ms() + 60000;
    json_t *row;
    do {
        const char *run = run_trigger(&s, "versioned", "{}", NULL);
        const char *status;
        while (status = reply_text(run_get(&s, run), "status"),
               strcmp(status, "WAITING") != 0 && strcmp(status, "CRASHED") != 0)
            pause_ms(10);
        cr_assert_lt(now_ms(), deadline, "it is not taken back");
        row = entry("5.0.0");
    } while (row != NULL &&
             strcmp(json_string_value(json_object_get(row, "status")), "withdrawn") != 0);
    server_logs(&s, "plugin.rolled_back");
    for (int i = 0; i < 5; i++)
        free(begin());
    free(bad);
}

Test(builds, where_no_more_can_be_kept_a_new_one_waits)
{
    s.config_more = "limits:\n  builds: 2\n";
    drop(1, 0);
    server_start(&s);
    char *first = begin();
    deploy(2);
    char *second = begin();
    drop(4, 0);
    server_logs(&s, "limits.builds");
    char *third = begin();
    cr_assert_str_eq(reply_text(run_get(&s, third), "version"), "2.0.0");
    assert_ends_in(first, 1);
    assert_ends_in(second, 2);
    assert_ends_in(third, 2);
    until_current(4);
    free(first);
    free(second);
    free(third);
}

/* A thousand of them: tests/run --long replace. */
Test(builds, replaced_again_and_again_under_load_nothing_is_lost)
{
    const char *asked = getenv("BIDE_REPLACE");
    int times = asked == NULL ? 25 : atoi(asked), count = 0, most = times * 4;
    char **runs = calloc((size_t)most, sizeof *runs);

    drop(1, 0);
    server_start(&s);
    for (int i = 1; i <= times; i++) {
        drop(i % 2 == 0 ? 1 : 2, i);
        for (int k = 0; k < 4; k++)
            runs[count++] = strdup(run_trigger(&s, "versioned", "{}", NULL));
        if (asked == NULL || i % 10 == 0)
            pause_ms(150);
    }
    for (int i = 0; i < count; i++) {
        const struct reply *run = run_until(&s, runs[i], "WAITING");
        int version = atoi(reply_text(run, "version"));
        assert_ends_in(runs[i], version);
        free(runs[i]);
    }
    free(runs);
    long long deadline = now_ms() + 120000;
    while (copies() > 2) {
        cr_assert_lt(now_ms(), deadline, "%zu copies are left: %s", copies(),
                     server_call(&s, "GET", "/api/v1/plugins", NULL)->text);
        pause_ms(100);
    }
}
