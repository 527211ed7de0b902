/* The demo plays the main job to the end, wherever its kill -9 falls. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(demo, .timeout = 240);

static void assert_plays(const char *when)
{
    int status;
    const char *said =
        command_run(&status, SOURCE_DIR "/runtime/demo " BINARY_DIR " --kill-at %s", when);
    cr_assert_eq(status, 0, "--kill-at %s: status %d\n%s", when, status, said);
    cr_assert_neq(strstr(said, "one trigger, one run, one kill -9"), NULL, "%s", said);
    client_forget();
}

Test(demo, killed_while_the_task_waits)
{
    assert_plays("waiting");
}

Test(demo, killed_right_after_the_trigger)
{
    assert_plays("triggered");
}

Test(demo, killed_right_after_the_callback)
{
    assert_plays("posted");
}

Test(demo, killed_anywhere)
{
    for (int i = 0; i < 5; i++)
        assert_plays("random");
}

/* A demo that cannot fail proves nothing. */
Test(demo, it_fails_where_a_step_does_not_happen)
{
    int status;
    const char *said = command_run(
        &status, "d=$(mktemp -d) && ln -s " BINARY_DIR "/bide $d/bide && mkdir $d/plugins &&"
                 " " SOURCE_DIR "/runtime/demo $d; s=$?; rm -rf $d; exit $s");
    cr_assert_neq(status, 0, "there is no plugin, and yet: %s", said);
    cr_assert_neq(strstr(said, "FAILED"), NULL, "%s", said);
    said = command_run(&status, SOURCE_DIR "/runtime/demo " BINARY_DIR " --kill-at never");
    cr_assert_eq(status, 2, "%s", said);
}
