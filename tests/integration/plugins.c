/* Plugins come, change and go while the server runs; those that are no good are refused by
 * name. */
#include "server.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    s.config_more = "workers:\n  load_time: 6s\n";
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(plugins, .init = set_up, .fini = tear_down, .timeout = 180);

/* The row of a file in the list; NULL while there is none. */
static json_t *plugin_row(const char *file)
{
    const struct reply *reply = server_call(&s, "GET", "/api/v1/plugins", NULL);
    json_t *row;
    size_t i;
    cr_assert_eq(reply->status, 200, "%ld %s", reply->status, reply->text);
    json_array_foreach(reply_at(reply, "data"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "file")), file) == 0)
            return row;
    }
    return NULL;
}

static const char *row_text(json_t *row, const char *member)
{
    const char *out = json_string_value(json_object_get(row, member));
    return out != NULL ? out : "";
}

static json_t *plugin_until(const char *file, const char *status)
{
    long long deadline = now_ms() + 30000;
    for (;;) {
        json_t *row = plugin_row(file);
        if (row != NULL && strcmp(row_text(row, "status"), status) == 0)
            return row;
        if (now_ms() > deadline)
            give_up("%s is not %s: %s", file, status,
                    server_call(&s, "GET", "/api/v1/plugins", NULL)->text);
        pause_ms(20);
    }
}

static void put_plugin(const char *from, const char *as)
{
    int status;
    const char *said =
        command_run(&status,
                    "cp '" BINARY_DIR
                    "/%s' '%s/plugins/new.part' && mv '%s/plugins/new.part' '%s/plugins/%s'",
                    from, s.dir, s.dir, s.dir, as);
    cr_assert_eq(status, 0, "%s", said);
}

static void assert_hello_works(void)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "hello", "{\"a\": 1}", NULL));
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
}

/* ---- those that are refused ---------------------------------------------------------------
 */

/* A word that the reason must have, for those where it matters what is said. */
static const struct {
    const char *file, *words;
} reasons[] = {
    { "text.so", "ELF" },
    { "empty.so", "" },
    { "truncated.so", "" },
    { "no-symbol.so", "bide_plugin_describe" },
    { "abi-major.so", "rebuild" },
    { "abi-minor.so", "" },
    { "constructor-crash.so", "SIGSEGV" },
    { "constructor-exit.so", "7" },
    { "constructor-hang.so", "" },
    { "duplicate-segments.so", "segment" },
    { "duplicate-tasks.so", "task" },
};

/* A schema that is missing costs its task only. */
static bool is_bad(const char *file)
{
    return strstr(file, ".so") != NULL && strcmp(file, "good.so") != 0 &&
           strcmp(file, "missing-schema.so") != 0;
}

static size_t add_all_refused(void)
{
    DIR *folder = opendir(BINARY_DIR "/tests/plugins/refused");
    size_t count = 0;
    cr_assert_neq(folder, NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (is_bad(entry->d_name)) {
            put_plugin(text("tests/plugins/refused/%s", entry->d_name), entry->d_name);
            count++;
        }
    closedir(folder);
    return count;
}

static void assert_all_refused(size_t count)
{
    const struct reply *list = server_call(&s, "GET", "/api/v1/plugins", NULL);
    size_t refused = 0, i;
    json_t *row;
    json_array_foreach(reply_at(list, "data"), i, row)
    {
        const char *file = row_text(row, "file");
        if (strcmp(file, "hello.so") == 0)
            continue;
        cr_expect_str_eq(row_text(row, "status"), "refused", "%s is %s", file,
                         row_text(row, "status"));
        cr_expect_gt(strlen(row_text(row, "reason")), 5, "%s: %s", file,
                     row_text(row, "reason"));
        refused++;
    }
    cr_assert_eq(refused, count, "%zu of %zu: %s", refused, count, list->text);
    for (i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        json_t *one = plugin_row(reasons[i].file);
        cr_assert_neq(one, NULL, "%s is not listed", reasons[i].file);
        cr_expect_neq(strstr(row_text(one, "reason"), reasons[i].words), NULL, "%s: %s",
                      reasons[i].file, row_text(one, "reason"));
        server_logs(&s, reasons[i].file);
    }
}

Test(plugins, every_bad_one_is_refused_at_start_and_the_rest_goes_on)
{
    server_add_plugin(&s, "hello");
    size_t count = add_all_refused();
    cr_assert_gt(count, 20);

    server_start(&s);

    assert_hello_works();
    plugin_until("constructor-hang.so", "refused");
    assert_all_refused(count);
}

Test(plugins, every_bad_one_is_refused_when_it_is_dropped_in)
{
    server_add_plugin(&s, "hello");
    server_start(&s);

    size_t count = add_all_refused();

    assert_hello_works();
    plugin_until("constructor-hang.so", "refused");
    DIR *folder = opendir(BINARY_DIR "/tests/plugins/refused");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (is_bad(entry->d_name))
            plugin_until(entry->d_name, "refused");
    closedir(folder);
    assert_all_refused(count);
    assert_hello_works();
}

Test(plugins, the_command_line_says_why)
{
    put_plugin("tests/plugins/refused/abi-major.so", "abi-major.so");
    server_start(&s);
    plugin_until("abi-major.so", "refused");
    int status;

    const char *said = command_run(
        &status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide plugins list", s.url, s.key);
    cr_assert_eq(status, 0, "%s", said);
    cr_assert_neq(strstr(said, "abi-major.so"), NULL, "%s", said);
    cr_assert_neq(strstr(said, "refused"), NULL, "%s", said);

    said =
        command_run(&status, BINARY_DIR "/bide plugins inspect %s/plugins/abi-major.so", s.dir);
    cr_assert_eq(status, 1, "%d %s", status, said);
    cr_assert_neq(strstr(said, "rebuild"), NULL, "%s", said);
    said = command_run(&status,
                       BINARY_DIR "/bide plugins inspect " BINARY_DIR "/plugins/hello.so");
    cr_assert_eq(status, 0, "%d %s", status, said);
    cr_assert_neq(strstr(said, "hello"), NULL, "%s", said);
}

/* ---- those that come and go ---------------------------------------------------------------
 */

Test(plugins, one_is_dropped_in_while_the_server_runs)
{
    server_start(&s);
    const char *early = run_trigger(&s, "hello", "{\"a\": 1}", NULL);

    put_plugin("plugins/hello.so", "hello.so");

    plugin_until("hello.so", "loaded");
    assert_hello_works();
    const struct reply *run = run_end(&s, early);
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED",
                     "a run from before its task was there: %s", run->text);
}

/* `cp` writes in place, and may be slow about it. */
Test(plugins, one_is_copied_slowly)
{
    server_start(&s);
    int status;
    const char *said =
        command_run(&status,
                    "from=" BINARY_DIR
                    "/plugins/hello.so; to=%s/plugins/hello.so; size=$(stat -c %%s $from);"
                    " for i in 0 1 2 3 4 5 6 7 8 9; do"
                    " tail -c +$((size * i / 10 + 1)) $from | head -c $((size * (i + 1) / 10 - "
                    "size * i / 10))"
                    " >> $to; sleep 0.1; done; cmp $from $to",
                    s.dir);
    cr_assert_eq(status, 0, "%s", said);

    plugin_until("hello.so", "loaded");
    assert_hello_works();
}

Test(plugins, a_refused_one_is_replaced_by_a_good_one)
{
    put_plugin("tests/plugins/refused/truncated.so", "hello.so");
    server_start(&s);
    plugin_until("hello.so", "refused");

    put_plugin("plugins/hello.so", "hello.so");

    plugin_until("hello.so", "loaded");
    assert_hello_works();
}

/* A bad replacement does not take away what works. */
Test(plugins, a_bad_replacement_leaves_the_old_build_at_work)
{
    server_add_plugin(&s, "hello");
    server_start(&s);

    put_plugin("tests/plugins/refused/constructor-crash.so", "hello.so");
    server_logs(&s, "SIGSEGV");

    assert_hello_works();
}

Test(plugins, a_removed_ones_runs_go_on_and_nothing_new_starts)
{
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_start(&s);
    const char *run =
        run_trigger(&s, "approve-refund", "{\"order_id\": \"A-1\", \"amount_cents\": 1}", NULL);
    char *url = strdup(reply_text(run_until(&s, run, "WAITING"), "metadata.approval_url"));

    unlink(server_path(&s, "plugins/approve-refund.so"));
    long long deadline = now_ms() + 20000;
    while (plugin_row("approve-refund.so") != NULL &&
           strcmp(row_text(plugin_row("approve-refund.so"), "status"), "loaded") == 0) {
        cr_assert_lt(now_ms(), deadline, "it is still there");
        pause_ms(20);
    }
    /* The engine knows it, too, once a new run has no build. */
    const char *status;
    do {
        status = reply_text(run_get(&s, strdup(run_trigger(&s, "approve-refund",
                                                           "{\"order_id\": \"B\", "
                                                           "\"amount_cents\": 1}",
                                                           NULL))),
                            "status");
        cr_assert_lt(now_ms(), deadline, "it is still started");
    } while (strcmp(status, "PENDING_VERSION") != 0);
    const struct reply *posted =
        server_call_as(&s, NULL, "POST", url, "{\"approved\": true, \"by\": \"ada\"}");
    cr_assert_eq(posted->status, 200, "%s", posted->text);
    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    free(url);
}

/* ---- versions -----------------------------------------------------------------------------
 */

static char *start_versioned(const char **run)
{
    server_write(&s, "config/queues.yaml", "tasks: {versioned: {versions: follow}}\n");
    server_start(&s);
    *run = run_trigger(&s, "versioned", "{}", NULL);
    return strdup(reply_text(run_until(&s, *run, "WAITING"), "metadata.url"));
}

static void put_version(int version)
{
    put_plugin(text("tests/plugins/version-%d.so", version), "versioned.so");
    long long deadline = now_ms() + 20000;
    const char *want = text("%d.0.0", version);
    for (;;) {
        const struct reply *list = server_call(&s, "GET", "/api/v1/plugins", NULL);
        json_t *row;
        size_t i;
        json_array_foreach(reply_at(list, "data"), i, row)
        {
            if (strcmp(row_text(row, "version"), want) == 0 &&
                strcmp(row_text(row, "status"), "loaded") == 0)
                return;
        }
        if (now_ms() > deadline)
            give_up("version %d is not loaded: %s", version, list->text);
        pause_ms(20);
    }
}

/* New runs take the new build; what waits goes on with its state, restarted or not. */
Test(plugins, a_waiting_run_goes_on_in_the_next_version)
{
    const char *run;
    put_plugin("tests/plugins/version-1.so", "versioned.so");
    char *url = start_versioned(&run);
    server_stop(&s);
    put_plugin("tests/plugins/version-2.so", "versioned.so");
    server_start(&s);

    server_call_as(&s, NULL, "POST", url, "{}");

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_assert_eq(reply_number(ended, "output.version"), 2, "%s", ended->text);
    cr_assert_str_eq(reply_text(ended, "output.note"), "first", "%s", ended->text);
    cr_assert_eq(reply_number(ended, "output.amount"), 1250, "%s", ended->text);
    free(url);
}

Test(plugins, state_that_does_not_fit_parks_the_run_until_a_build_fits)
{
    const char *run;
    put_plugin("tests/plugins/version-1.so", "versioned.so");
    char *url = start_versioned(&run);
    server_stop(&s);
    put_plugin("tests/plugins/version-3.so", "versioned.so");
    server_start(&s);

    server_call_as(&s, NULL, "POST", url, "{}");
    const struct reply *parked = run_until(&s, run, "PENDING_VERSION");
    cr_assert_neq(strstr(reply_text(parked, "parkedReason"), "amount"), NULL, "%s",
                  parked->text);
    server_logs(&s, text("run.parked run=%s", run));

    put_version(2);
    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    free(url);
}

Test(plugins, a_segment_that_is_gone_parks_the_run_until_a_build_has_it)
{
    const char *run;
    put_plugin("tests/plugins/version-1.so", "versioned.so");
    char *url = start_versioned(&run);
    server_stop(&s);
    put_plugin("tests/plugins/version-4.so", "versioned.so");
    server_start(&s);

    server_call_as(&s, NULL, "POST", url, "{}");
    const struct reply *parked = run_until(&s, run, "PENDING_VERSION");
    cr_assert_neq(strstr(reply_text(parked, "parkedReason"), "segment"), NULL, "%s",
                  parked->text);
    cr_assert_str_eq(reply_text(parked, "segment"), "decided", "%s", parked->text);

    put_version(1);
    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    free(url);
}

#if defined(__x86_64__)
/* Built when the ABI was 1.0, and kept as it was: tests/plugins/abi-1.0. */
Test(plugins, one_that_was_built_for_abi_1_0_goes_on_as_it_was)
{
    int status;

    command_run(&status, "cp '%s' '%s'", SOURCE_DIR "/tests/plugins/abi-1.0/kept.so",
                server_path(&s, "plugins/kept.so"));
    cr_assert_eq(status, 0);
    server_start(&s);
    const char *run = run_trigger(&s, "kept", "{\"number\": 40}", NULL);
    const char *url = reply_text(run_until(&s, run, "WAITING"), "metadata.url");
    url = text("%s", url);
    server_kill(&s);
    server_start(&s);
    server_call_as(&s, NULL, "POST", strstr(url, "/api/"), "{\"number\": 2}");

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_assert_eq(reply_number(ended, "output.sum"), 42);
    cr_assert_str_eq(reply_text(ended, "output.note"), "as it was");
}
#endif
