/* The nursery: loading, forking, killing, and what becomes of its children. */
#include "probe.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct probe probe;

static void teardown(void)
{
    probe_finish(&probe);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits on the kernel's word, not on a time: a process that is gone has no /proc entry, or is a
 * zombie. */
static bool process_ends(pid_t pid)
{
    char path[64], text[512];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (int64_t end = now_ms() + PROBE_TIME_MS; now_ms() < end; usleep(2000)) {
        FILE *file = fopen(path, "r");
        if (file == NULL)
            return true;
        size_t size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[size] = '\0';
        const char *state = strrchr(text, ')');
        if (state != NULL && state[2] == 'Z')
            return true;
    }
    return false;
}

Test(nursery, describes_what_it_loaded, .fini = teardown)
{
    struct value about;
    const struct value *tasks;

    probe_start(&probe, "steady.so");
    struct frame frame = link_read(&probe, &probe.control);

    cr_assert_eq(frame.kind, FRAME_LOADED);
    cr_assert(pack_read(&probe.arena, frame.loaded.description, &about, NULL));
    cr_assert(slice_is(value_find(&about, "plugin")->bytes, "steady"));
    tasks = value_find(&about, "tasks");
    cr_assert_gt(tasks->count, 10);
    cr_assert(slice_is(value_find(&tasks->items[0], "id")->bytes, "echo"));
}

static void assert_refused(const char *plugin, const char *why)
{
    probe_start(&probe, plugin);
    struct frame frame = link_read(&probe, &probe.control);

    cr_assert_eq(frame.kind, FRAME_REFUSED);
    const char *reason = arena_text(&probe.arena, frame.refused.reason);
    cr_assert_neq(strstr(reason, why), NULL, "\"%s\" does not say \"%s\"", reason, why);
    cr_assert(link_ends(&probe, &probe.control));
    int status = probe_wait(&probe);
    cr_assert(WIFEXITED(status));
}

Test(nursery, refuses_a_text_file, .fini = teardown)
{
    assert_refused("refused/text.so", "text file");
}

Test(nursery, refuses_another_abi, .fini = teardown)
{
    assert_refused("refused/abi-major.so", "rebuild");
}

Test(nursery, refuses_a_library_without_the_symbol, .fini = teardown)
{
    assert_refused("refused/no-symbol.so", "bide_plugin_describe");
}

Test(nursery, dies_with_a_constructor_that_crashes, .fini = teardown)
{
    probe_start(&probe, "refused/constructor-crash.so");

    cr_assert(link_ends(&probe, &probe.control));
    cr_assert(WIFSIGNALED(probe_wait(&probe)));
}

Test(nursery, is_not_for_people)
{
    int status = system(BINARY_DIR "/bide nursery x 2>/dev/null 3>&-");

    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 2);
}

Test(nursery, slot_leaves_when_its_socket_is_closed, .fini = teardown)
{
    probe_load(&probe, "steady.so");
    probe_fork(&probe);

    shutdown(probe.slots[0].fd, SHUT_RDWR);

    struct frame frame = probe_exited(&probe, 1);
    cr_assert(WIFEXITED(frame.exited.status));
    cr_assert_eq(WEXITSTATUS(frame.exited.status), 0);
    cr_assert_gt(frame.exited.max_rss_bytes, 0);
}

Test(nursery, slots_die_with_it, .fini = teardown)
{
    probe_load(&probe, "steady.so");
    probe_fork(&probe);
    probe_fork(&probe);

    kill(probe.pid, SIGKILL);

    cr_assert(WIFSIGNALED(probe_wait(&probe)));
    cr_assert(link_ends(&probe, &probe.slots[0]));
    cr_assert(process_ends(probe.slot_pids[0]));
    cr_assert(process_ends(probe.slot_pids[1]));
}

Test(nursery, ends_and_kills_slots_when_the_host_is_gone, .fini = teardown)
{
    probe_load(&probe, "hostile.so");
    probe_fork(&probe);
    struct frame frame = segment_frame(&probe, "spin", "", "{}");
    link_send(&probe.slots[0], &frame);

    shutdown(probe.control.fd, SHUT_RDWR);

    int status = probe_wait(&probe);
    cr_assert(WIFEXITED(status));
    cr_assert(link_ends(&probe, &probe.slots[0]));
    cr_assert(process_ends(probe.slot_pids[0]));
}

Test(nursery, what_a_segment_has_started_ends_with_it, .fini = teardown)
{
    struct value output;

    probe_load(&probe, "hostile.so");
    probe_fork(&probe);
    struct frame frame = segment_do(&probe, "fork-child", "{}");
    cr_assert_eq(frame.kind, FRAME_END);
    cr_assert(pack_read(&probe.arena, frame.end.output, &output, NULL));
    pid_t grandchild = (pid_t)value_find(&output, "child")->integer;

    cr_assert_neq(kill(grandchild, 0), 0, "its end was told while it was there");
}

/* ---- what segments have started, when something ends --------------------------------------
 */

enum { LEFT = 10 };

static pid_t left[LEFT];

/* A segment under way with daemons of its own: processes that nobody here is the parent of. */
static void leave_behind(bool daemons)
{
    char input[200], path[] = "/tmp/bide-left-XXXXXX";
    FILE *file;
    int count = 0, pid;

    close(mkstemp(path));
    probe_load(&probe, "hostile.so");
    probe_fork(&probe);
    snprintf(input, sizeof input, "{\"path\":\"%s\",\"count\":%d,\"daemons\":%d,\"ms\":60000}",
             path, LEFT, daemons);
    struct frame frame = segment_frame(&probe, "leave-behind", "", input);
    link_send(&probe.slots[0], &frame);
    for (int64_t end = now_ms() + PROBE_TIME_MS; count < LEFT && now_ms() < end; usleep(2000)) {
        cr_assert_not_null(file = fopen(path, "r"));
        for (count = 0; count < LEFT && fscanf(file, "%d", &pid) == 1;)
            left[count++] = pid;
        fclose(file);
    }
    unlink(path);
    cr_assert_eq(count, LEFT);
}

static void assert_left_end(void)
{
    for (int i = 0; i < LEFT; i++)
        cr_assert(process_ends(left[i]), "process %d lives on", (int)left[i]);
}

/* The nursery is the only one that has the guard for a parent. */
static pid_t nursery_pid(void)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)probe.pid, (int)probe.pid);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

Test(family, ends_when_the_host_is_gone, .fini = teardown)
{
    leave_behind(true);
    shutdown(probe.control.fd, SHUT_RDWR);
    assert_left_end();
}

Test(family, ends_with_its_slot, .fini = teardown)
{
    leave_behind(true);
    kill(probe.slot_pids[0], SIGKILL);
    probe_exited(&probe, 1);
    for (int i = 0; i < LEFT; i++)
        cr_assert_neq(kill(left[i], 0), 0, "the slot's end was told while %d was there",
                      left[i]);
}

Test(family, ends_with_its_nursery, .fini = teardown)
{
    leave_behind(true);
    kill(nursery_pid(), SIGKILL);
    cr_assert(WIFSIGNALED(probe_wait(&probe)), "the host reads how it ended");
    assert_left_end();
}

Test(family, ends_with_its_guard, .fini = teardown)
{
    leave_behind(false);
    kill(probe.pid, SIGKILL);
    probe_wait(&probe);
    assert_left_end();
}

Test(family, ends_when_host_and_guard_are_gone, .fini = teardown)
{
    leave_behind(true);
    kill(probe.pid, SIGKILL);
    shutdown(probe.control.fd, SHUT_RDWR);
    probe_wait(&probe);
    assert_left_end();
}

Test(family, ends_when_host_and_nursery_are_gone, .fini = teardown)
{
    leave_behind(true);
    kill(nursery_pid(), SIGKILL);
    shutdown(probe.control.fd, SHUT_RDWR);
    probe_wait(&probe);
    assert_left_end();
}

Test(family, ends_at_a_polite_signal, .fini = teardown)
{
    leave_behind(true);
    kill(probe.pid, SIGTERM);
    probe_wait(&probe);
    assert_left_end();
}

/* Whatever the host has open must not be within reach of plugin code. */
Test(nursery, slot_has_no_descriptors_of_the_host, .fini = teardown)
{
    char path[64];
    int leaked = open("/etc/passwd", O_RDONLY), count = 0;

    cr_assert_geq(leaked, 0);
    probe_load(&probe, "steady.so");
    probe_fork(&probe);
    cr_assert_eq(segment_do(&probe, "echo", "1").kind,
                 FRAME_END); /* it is past its beginning */
    snprintf(path, sizeof path, "/proc/%d/fd", (int)probe.slot_pids[0]);
    DIR *directory = opendir(path);
    cr_assert_not_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    close(leaked);

    cr_assert_eq(count, 6,
                 "stdin, stdout, stderr, its prints, its folder and its socket, not %d", count);
}

Test(nursery, a_broken_frame_ends_it, .fini = teardown)
{
    probe_load(&probe, "steady.so");

    cr_assert_eq(send(probe.control.fd, "\xff\xff\xff\xff\xff garbage", 13, MSG_NOSIGNAL), 13);

    cr_assert_eq(WEXITSTATUS(probe_wait(&probe)), SLOT_EXIT_BROKEN);
}
