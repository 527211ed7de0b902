/* Settings: which server and which key, nearest first. */
#include "cli/client/settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cli_command command = { .name = "try", .is_client = true };

static char dir[64];

static void make_keys(void)
{
    static const char *const keys[][2] = {
        { "dev", "tr_dev_fromfile\n" },
        { "prod", "tr_prod_fromfile" },
        { "bad", "two words\n" },
        { "empty", "" },
    };
    char path[128];

    snprintf(dir, sizeof dir, "/tmp/bide-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/data", dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/data/keys", dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(path, sizeof path, "%s/data/keys/%s", dir, keys[i][0]);
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file);
        fputs(keys[i][1], file);
        fclose(file);
    }
    cr_assert_eq(chdir(dir), 0);
    setenv("XDG_STATE_HOME", dir, 1); /* servers that run beside the tests are not known */
    unsetenv("BIDE_URL");
    unsetenv("BIDE_KEY");
    unsetenv("TRIGGER_API_URL");
    unsetenv("TRIGGER_SECRET_KEY");
}

static void remove_keys(void)
{
    char command_line[128];
    snprintf(command_line, sizeof command_line, "rm -rf %s", dir);
    cr_assert_eq(system(command_line), 0);
}

static bool find(struct call *call, const char *option, const char *value,
                 struct settings *settings, struct err *err)
{
    char name[64], text[256], word[] = "try";
    char *words[] = { word, name, text };

    snprintf(name, sizeof name, "%s", option == NULL ? "" : option);
    snprintf(text, sizeof text, "%s", value == NULL ? "" : value);
    cr_assert(call_parse(call, &command, option == NULL ? 1 : 3, words, err), "%s", err->text);
    return settings_find(call, settings, err);
}

TestSuite(settings, .init = make_keys, .fini = remove_keys);

Test(settings, without_anything_the_local_server_and_its_dev_key)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };

    cr_assert(find(&call, NULL, NULL, &settings, &err), "%s", err.text);

    cr_expect_str_eq(settings.url, "http://127.0.0.1:8030");
    cr_expect_str_eq(settings.key, "tr_dev_fromfile");
    call_finish(&call);
}

Test(settings, the_names_of_the_other_clients_work)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    setenv("TRIGGER_API_URL", "http://far:1//", 1);
    setenv("TRIGGER_SECRET_KEY", "tr_dev_theirs", 1);

    cr_assert(find(&call, NULL, NULL, &settings, &err), "%s", err.text);

    cr_expect_str_eq(settings.url, "http://far:1");
    cr_expect_str_eq(settings.key, "tr_dev_theirs");
    call_finish(&call);
}

Test(settings, our_names_win_over_the_other_clients)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    setenv("TRIGGER_API_URL", "http://far:1", 1);
    setenv("TRIGGER_SECRET_KEY", "tr_dev_theirs", 1);
    setenv("BIDE_URL", "http://near:1", 1);
    setenv("BIDE_KEY", "tr_dev_ours", 1);

    cr_assert(find(&call, NULL, NULL, &settings, &err), "%s", err.text);

    cr_expect_str_eq(settings.url, "http://near:1");
    cr_expect_str_eq(settings.key, "tr_dev_ours");
    call_finish(&call);
}

Test(settings, an_environment_named_on_the_command_line_wins_over_an_exported_key)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    setenv("BIDE_KEY", "tr_dev_ours", 1);

    cr_assert(find(&call, "--env", "prod", &settings, &err), "%s", err.text);

    cr_expect_str_eq(settings.key, "tr_prod_fromfile");
    call_finish(&call);
}

/* So an exported key serves a server elsewhere, and never the wrong environment here. */
Test(settings, an_environment_has_its_own_key_or_else_the_exported_one)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    setenv("BIDE_KEY", "tr_dev_ours", 1);
    cr_assert(find(&call, NULL, NULL, &settings, &err), "%s", err.text);

    cr_assert(settings_find_in(&call, "prod", &settings, &err), "%s", err.text);
    cr_expect_str_eq(settings.key, "tr_prod_fromfile");
    cr_assert(settings_find_in(&call, "far", &settings, &err), "%s", err.text);
    cr_expect_str_eq(settings.key, "tr_dev_ours");
    cr_assert_not(settings_find_in(&call, "a/b", &settings, &err));
    unsetenv("BIDE_KEY");
    cr_assert(settings_find_in(&call, "far", &settings, &err), "%s", err.text);
    cr_expect_null(settings.key);
    call_finish(&call);
}

Test(settings, all_environments_whose_keys_are_at_hand_are_found)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    char **names;
    cr_assert(find(&call, NULL, NULL, &settings, &err), "%s", err.text);

    cr_assert_eq(settings_environments(&call, &names), 4);
    cr_expect_str_eq(names[0], "bad");
    cr_expect_str_eq(names[3], "prod");
    setenv("BIDE_KEY", "tr_dev_ours", 1);
    cr_assert_eq(settings_environments(&call, &names), 0, "the key says which one");
    call_finish(&call);
}

Test(settings, an_empty_variable_counts_as_none)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    setenv("BIDE_KEY", "", 1);
    setenv("BIDE_URL", "", 1);

    cr_assert(find(&call, NULL, NULL, &settings, &err), "%s", err.text);

    cr_expect_str_eq(settings.url, "http://127.0.0.1:8030");
    cr_expect_str_eq(settings.key, "tr_dev_fromfile");
    call_finish(&call);
}

Test(settings, a_key_that_is_not_there_is_no_error_but_says_where_it_would_be)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };

    cr_assert(find(&call, "--data", "/nowhere", &settings, &err), "%s", err.text);

    cr_expect_null(settings.key);
    cr_expect_str_eq(settings.missing, "/nowhere/keys/dev");
    call_finish(&call);
}

Test(settings, a_file_that_holds_no_key_is_refused)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };

    cr_expect_not(find(&call, "--env", "bad", &settings, &err));
    cr_expect_str_eq(err.text, "data/keys/bad does not hold a key");
    call_finish(&call);
    cr_expect_not(find(&call, "--env", "empty", &settings, &err));
    call_finish(&call);
}

/* A line break in a key would be a header of the user's choosing. */
Test(settings, a_key_with_a_line_break_is_refused)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };
    setenv("BIDE_KEY", "tr_dev_x\r\nHost: evil", 1);

    cr_expect_not(find(&call, NULL, NULL, &settings, &err));
    call_finish(&call);
}

Test(settings, an_environment_is_a_name_and_no_path)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };

    cr_expect_not(find(&call, "--env", "../../etc/passwd", &settings, &err));
    cr_expect_eq(err.code, ERR_BAD_REQUEST);
    call_finish(&call);
}

Test(settings, only_http_is_spoken)
{
    struct call call;
    struct settings settings;
    struct err err = { 0 };

    cr_expect_not(find(&call, "--url", "file:///etc/passwd", &settings, &err));
    cr_expect_eq(err.code, ERR_BAD_REQUEST);
    call_finish(&call);
}
