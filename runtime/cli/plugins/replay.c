/*
 * bide replay: a run's segment once more, on this machine.
 *
 *   bundle ─▶ .so to a directory of its own ─▶ `bide nursery` ─▶ FORK ─▶ [gdb] ─▶ SEGMENT
 *     ◀── notes, calls (answered by nobody: replay_answer.c), END | CRASH ─▶ SYMBOLIZE ─▶ stack
 *
 * Plugin code runs in that slot alone, as under a server. What it does to the world outside it
 * does once more.
 */
#include "cli/plugins/replay.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "cli/client/member.h"
#include "cli/plugins/nursery_child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    LOAD_MS = 10000,
    SEGMENT_MS = 300000, /* as a server's workers.segment_time */
    LAST_WORDS_MS = 5000,
    ATTACH_MS = 20000,
    LOOK_MS = 20,
    SOURCES_MAX = 16,
    FIXED_ARGUMENTS = 16 /* worker.h: the path first, then numbers, whether it is a replay */
};

struct replay {
    struct call *call;
    struct bundle bundle;
    struct nursery_child nursery;
    struct frame_stream slot;
    struct value report;
    struct frame_crash crash;
    bool has_crash, has_ended, has_exited, has_stack, is_late;
    int status; /* of the slot, waitpid's */
    pid_t slot_pid, gdb;
};

/* ---- the plugin's file ------------------------------------------------------------------- */

static bool plugin_unpack(struct replay *replay, const char *directory, const char **path,
                          struct err *err)
{
    struct slice bytes = replay->bundle.plugin;
    size_t done = 0;

    *path = arena_format(&replay->call->arena, "%s/plugin.so", directory).data;
    int fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (fd >= 0 && done < bytes.size) {
        ssize_t wrote = write(fd, bytes.data + done, bytes.size - done);
        if (wrote < 0 && errno != EINTR)
            break;
        done += wrote < 0 ? 0 : (size_t)wrote;
    }
    if (fd < 0 || close(fd) != 0 || done < bytes.size)
        return err_set(err, ERR_SYSTEM, "cannot write %s: %s", *path, strerror(errno));
    return true;
}

/* Another build may do something else: it is told, and may be what is meant. */
static void build_compare(struct replay *replay, const char *path)
{
    struct slice build = member_text(&replay->bundle.root, "build");
    char text[SHA256_HEX_SIZE];
    uint8_t digest[SHA256_SIZE];

    if (build.size == 0 || !crypto_sha256_file(path, digest, NULL))
        return;
    crypto_hex(digest, sizeof digest, text);
    if (build.size < sizeof text && memcmp(text, build.data, build.size) != 0)
        cli_fail(CLI_DONE, "%s is build %.16s, the run's was %.*s", path, text,
                 SLICE_ARG(build));
}

/* ---- processes --------------------------------------------------------------------------- */

static bool nursery_begin(struct replay *replay, const char *path, struct err *err)
{
    struct arena *arena = &replay->call->arena;
    char *arguments[FIXED_ARGUMENTS + SOURCES_MAX + 1] = { arena_text(arena, slice_of(path)) };
    const char *source;
    int count = 1, position = 0;
    struct frame frame;

    for (; count < FIXED_ARGUMENTS - 1; count++) /* no limits; the tenth is a text */
        arguments[count] = arena_text(arena, slice_of(count == 10 ? "" : "0"));
    arguments[count++] = arena_text(arena, SLICE("1"));
    while (count < FIXED_ARGUMENTS + SOURCES_MAX &&
           (source = call_next(replay->call, "sources", &position)) != NULL) {
        char *whole = realpath(source, NULL);
        arguments[count++] = arena_text(arena, slice_of(whole == NULL ? source : whole));
        free(whole);
    }
    if (!nursery_child_start(&replay->nursery, arguments, false, err))
        return false;
    enum heard heard = stream_hear(&replay->nursery.control, arena,
                                   clock_monotonic_ns() + (uint64_t)LOAD_MS * 1000000, &frame);
    if (heard == HEARD_FRAME && frame.kind == FRAME_LOADED)
        return true;
    if (heard == HEARD_FRAME && frame.kind == FRAME_REFUSED)
        return err_set(err, ERR_PLUGIN, "the plugin is refused: %.*s",
                       SLICE_ARG(frame.refused.reason));
    return err_set(err, ERR_PLUGIN, "the plugin does not load: its constructors %s",
                   heard == HEARD_NOTHING ? "hang" : "crash");
}

static bool fork_send(const struct replay *replay, int fd)
{
    struct frame frame = { .kind = FRAME_FORK, .fork = { .slot = 1 } };
    char room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct buffer bytes = { 0 };

    frame_write(&bytes, &frame);
    struct iovec part = { bytes.data, bytes.size };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    bool is_sent = sendmsg(replay->nursery.control.fd, &message, MSG_NOSIGNAL) ==
                   (ssize_t)bytes.size; /* a few bytes go whole, or not at all */
    buffer_finish(&bytes);
    return is_sent;
}

static bool slot_begin(struct replay *replay, struct err *err)
{
    struct frame frame;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
    bool is_sent = fork_send(replay, pair[1]);
    (void)close(pair[1]); /* it rides with the frame */
    replay->slot.fd = pair[0];
    if (!is_sent ||
        stream_hear(&replay->nursery.control, &replay->call->arena,
                    clock_monotonic_ns() + (uint64_t)LOAD_MS * 1000000,
                    &frame) != HEARD_FRAME ||
        frame.kind != FRAME_FORKED || frame.forked.pid <= 0)
        return err_set(err, ERR_SYSTEM, "no process could be made for the segment");
    replay->slot_pid = frame.forked.pid;
    return true;
}

/* ---- gdb --------------------------------------------------------------------------------- */

static bool is_traced(pid_t pid)
{
    char path[64], line[128];
    int tracer = 0;

    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (file != NULL)
        (void)fclose(file); /* was only read */
    return tracer != 0;
}

/* Attached before the segment is sent, with a breakpoint at its function. Only /proc tells when
 * that is so. */
static bool gdb_begin(struct replay *replay, struct err *err)
{
    struct arena *arena = &replay->call->arena;
    struct slice segment = replay->bundle.segment.segment;
    const char *pid = arena_format(arena, "%ld", (long)replay->slot_pid).data;
    const char *stop = arena_format(arena, "break %.*s", SLICE_ARG(segment)).data;
    const char *const words[] = { "gdb",  "-q",
                                  "-p",   pid,
                                  "-iex", "set pagination off",
                                  "-iex", "set print symbol-loading off",
                                  "-ex",  "set breakpoint pending on",
                                  "-ex",  stop,
                                  "-ex",  "continue",
                                  NULL };
    char *arguments[sizeof words / sizeof *words] = { NULL };

    for (int i = 0; words[i] != NULL; i++)
        arguments[i] = arena_text(arena, slice_of(words[i]));
    int failure = posix_spawnp(&replay->gdb, arguments[0], NULL, NULL, arguments, environ);
    if (failure != 0) {
        replay->gdb = 0;
        return err_set(err, ERR_SYSTEM, "cannot start gdb: %s", strerror(failure));
    }
    for (int waited_ms = 0; !is_traced(replay->slot_pid); waited_ms += LOOK_MS) {
        if (waited_ms >= ATTACH_MS || waitpid(replay->gdb, NULL, WNOHANG) != 0) {
            replay->gdb = 0;
            return err_set(err, ERR_SYSTEM, "gdb did not attach to the segment's process");
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    return true;
}

/* ---- the segment ------------------------------------------------------------------------- */

static void slot_frame(struct replay *replay, const struct frame *frame)
{
    struct arena *arena = &replay->call->arena;
    struct frame reply;

    if (frame->kind == FRAME_NOTE)
        report_note(arena, &replay->report, &frame->note);
    else if (frame->kind == FRAME_CALL) {
        report_call(arena, &replay->report, &frame->call);
        if (replay_answer(arena, &replay->bundle, &frame->call, &reply))
            stream_send(&replay->slot, &reply);
    } else if (frame->kind == FRAME_END) {
        report_end(arena, &replay->report, &frame->end);
        replay->has_ended = true;
    } else if (frame->kind == FRAME_CRASH) {
        replay->crash = frame->crash;
        replay->has_crash = true;
    }
}

static void nursery_frame(struct replay *replay, const struct frame *frame)
{
    struct arena *arena = &replay->call->arena;
    struct frame ask = { .kind = FRAME_SYMBOLIZE, .symbolize.slot = 1 };

    if (frame->kind == FRAME_EXITED) {
        replay->has_exited = true;
        replay->status = frame->exited.status;
        replay->has_stack = !replay->has_crash || replay->crash.depth == 0;
        if (replay->has_stack)
            return;
        ask.symbolize.depth = replay->crash.depth;
        memcpy(ask.symbolize.stack, replay->crash.stack, sizeof ask.symbolize.stack);
        stream_send(&replay->nursery.control, &ask);
    } else if (frame->kind == FRAME_SYMBOLS) {
        value_put(arena, &replay->report, "stack",
                  value_string(arena_copy(arena, frame->symbols.text)));
        replay->has_stack = true;
    }
}

static bool is_over(const struct replay *replay)
{
    return replay->has_ended || (replay->has_exited && replay->has_stack);
}

/* False at its end. What it sent before is taken first. */
static bool stream_serve(struct replay *replay, struct frame_stream *stream,
                         void (*take)(struct replay *replay, const struct frame *frame))
{
    struct frame frame;
    bool is_open = stream_fill(stream);

    while (stream_take(stream, &replay->call->arena, &frame) == HEARD_FRAME)
        take(replay, &frame);
    return is_open;
}

static void late_kill(struct replay *replay, int signal)
{
    struct frame frame = { .kind = FRAME_KILL,
                           .kill = { .slot = 1, .signal = (uint32_t)signal } };

    stream_send(&replay->nursery.control, &frame);
    replay->is_late = true;
}

/* SIGXCPU lets it say where it is; a segment that ignores that is killed. */
static void segment_serve(struct replay *replay, int64_t limit_ms)
{
    uint64_t until_ns = clock_monotonic_ns() + (uint64_t)limit_ms * 1000000;
    bool has_slot = true;

    stream_send(&replay->slot,
                &(struct frame){ .kind = FRAME_SEGMENT, .segment = replay->bundle.segment });
    while (!is_over(replay)) {
        struct pollfd polls[2] = { { .fd = replay->nursery.control.fd, .events = POLLIN },
                                   { .fd = has_slot ? replay->slot.fd : -1,
                                     .events = POLLIN } };
        uint64_t now_ns = clock_monotonic_ns();
        int left_ms = now_ns < until_ns ? (int)((until_ns - now_ns) / 1000000) + 1 : 0;
        int ready = poll(polls, 2, replay->gdb != 0 ? -1 : left_ms);
        if (ready == 0) {
            late_kill(replay, replay->is_late ? SIGKILL : SIGXCPU);
            until_ns = clock_monotonic_ns() + (uint64_t)LAST_WORDS_MS * 1000000;
        }
        if (polls[1].revents != 0)
            has_slot = stream_serve(replay, &replay->slot, slot_frame);
        if (polls[0].revents != 0 &&
            !stream_serve(replay, &replay->nursery.control, nursery_frame))
            return; /* the nursery is gone, too */
    }
}

/* Where no END came: how it went instead. */
static void death_report(struct replay *replay)
{
    struct arena *arena = &replay->call->arena;
    int number = replay->has_crash             ? (int)replay->crash.signal
                 : WIFSIGNALED(replay->status) ? WTERMSIG(replay->status)
                                               : 0;
    const char *known = sigabbrev_np(number);

    if (replay->has_ended)
        return;
    value_put(arena, &replay->report, "ended",
              value_text(replay->is_late ? "timed out"
                         : number != 0   ? "crashed"
                                         : "exited"));
    if (number == 0) {
        value_put(arena, &replay->report, "message",
                  value_string(
                      arena_format(arena, "exited with code %d", WEXITSTATUS(replay->status))));
        return;
    }
    struct slice name = known != NULL ? arena_format(arena, "SIG%s", known)
                                      : arena_format(arena, "signal %d", number);
    value_put(arena, &replay->report, "code", value_string(name));
    value_put(arena, &replay->report, "message",
              value_string(replay->has_crash && number != SIGABRT
                               ? arena_format(arena, "%.*s at address 0x%" PRIx64,
                                              SLICE_ARG(name), replay->crash.address)
                               : name));
}

/* What became of it there. */
static void there_report(struct replay *replay)
{
    const struct value *error = value_find(&replay->bundle.root, "error");
    struct slice name = member_text(error, "name");
    bool is_same = slice_equal(name, member_text(&replay->report, "code"));

    if (name.size == 0)
        return;
    value_put(&replay->call->arena, &replay->report, "reproduced", value_bool(is_same));
    value_put(&replay->call->arena, &replay->report, "there",
              value_string(arena_format(&replay->call->arena, "%.*s%s", SLICE_ARG(name),
                                        is_same ? ", as here" : ", not as here")));
}

static int replay_run(struct replay *replay, const char *path, int64_t limit_ms)
{
    struct arena *arena = &replay->call->arena;
    struct err err = { 0 };

    build_compare(replay, path);
    if (!nursery_begin(replay, path, &err) || !slot_begin(replay, &err) ||
        (call_option(replay->call, "gdb") != NULL && !gdb_begin(replay, &err)))
        return cli_fail(CLI_FAILED, "%s", err.text);
    value_put(arena, &replay->report, "run",
              value_string(member_text(&replay->bundle.root, "run")));
    value_put(arena, &replay->report, "task", value_string(replay->bundle.segment.task));
    value_put(arena, &replay->report, "segment", value_string(replay->bundle.segment.segment));
    segment_serve(replay, limit_ms);
    death_report(replay);
    there_report(replay);
    report_print(replay->call, &replay->report);
    struct slice ended = member_text(&replay->report, "ended");
    return slice_is(ended, "done") || slice_starts(ended, "waits") ? CLI_DONE : CLI_FAILED;
}

/* ---- the command ------------------------------------------------------------------------- */

static bool hidden_tell(const struct replay *replay)
{
    uint32_t count;
    const struct value *hidden = member_list(&replay->bundle.root, "hidden", &count);

    for (uint32_t i = 0; i < count; i++)
        cli_fail(CLI_DONE,
                 "%.*s was left out for secrets in it: what is missing is empty here; fill it "
                 "in in bundle.json (tar -xf, then `bide replay DIRECTORY`)",
                 SLICE_ARG(hidden[i].bytes));
    return count > 0;
}

static int exec(struct call *call)
{
    struct replay replay = { .call = call,
                             .report = value_map(),
                             .slot.fd = -1,
                             .nursery = { .pid = -1, .control.fd = -1 } };
    const char *path = call_option(call, "plugin");
    char directory[] = "/tmp/bide-replay-XXXXXX", *whole = NULL;
    struct err err = { 0 };
    int64_t limit_ms;
    int code = CLI_FAILED, status;

    if (!bundle_read(&call->arena, call->arguments[0], &replay.bundle, &err))
        return cli_fail(CLI_USAGE, "%s: %s", call->arguments[0], err.text);
    if (!call_duration(call, "timeout", SEGMENT_MS, &limit_ms, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (path == NULL && replay.bundle.plugin.size == 0)
        return cli_fail(CLI_USAGE, "the bundle has no .so: give one with --plugin FILE");
    (void)hidden_tell(&replay);
    if (mkdtemp(directory) == NULL)
        return cli_fail(CLI_FAILED, "%s: %s", directory, strerror(errno));
    if (path != NULL)
        whole = realpath(path, NULL);
    if (path != NULL && whole == NULL)
        code = cli_fail(CLI_USAGE, "%s: %s", path, strerror(errno));
    else if (path == NULL && !plugin_unpack(&replay, directory, &path, &err))
        code = cli_fail(CLI_FAILED, "%s", err.text);
    else
        code = replay_run(&replay, whole != NULL ? whole : path, limit_ms);
    stream_close(&replay.slot);
    while (replay.gdb != 0 && waitpid(replay.gdb, NULL, 0) < 0 && errno == EINTR)
        ; /* its user has the last word */
    nursery_child_stop(&replay.nursery, &status);
    (void)unlink(arena_format(&call->arena, "%s/plugin.so", directory).data); /* may be none */
    (void)rmdir(directory);                                                   /* is empty now */
    free(whole);
    return code;
}

static const struct cli_option options[] = {
    { "gdb", NULL, "under gdb, with a breakpoint at the segment's function" },
    { "plugin", "FILE", "this .so in place of the bundle's: to try a mended one" },
    { "sources", "DIR", "show lines of crashes from sources below it; may be repeated" },
    { "timeout", "DURATION", "how long it may take without gdb (default: 5m)" },
    { NULL, NULL, NULL },
};

const struct cli_command replay_command = {
    .name = "replay",
    .arguments = "BUNDLE",
    .summary = "Run one segment of a run once more, here, with what it was given there",
    .help =
        "BUNDLE is a file of `bide runs bundle`, or the directory that it was unpacked into, "
        "where\n"
        "bundle.json can be edited. The segment runs in a process of its own. Printed is what "
        "it "
        "logged,\n"
        "what it asked for, and how it ended: a wait, done, failed, or a crash with its stack. "
        "Tokens,\n"
        "children and messages are not made; what the plugin itself does outside, it does once "
        "more.\n"
        "Exits 0 when it is done or waits.",
    .options = options,
    .least = 1,
    .most = 1,
    .exec = exec,
};
