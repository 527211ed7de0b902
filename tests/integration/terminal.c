/* The command line on a terminal: tables that fit, a status line that is drawn over. */
#include "server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COLUMNS = 70, SAID_MOST = 1 << 16 };

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(terminal, .init = set_up, .fini = tear_down, .timeout = 60);

/* Start `bide …` with a terminal of COLUMNS on all three; its descriptor. */
static int start(const char *arguments, pid_t *pid)
{
    struct winsize size = { .ws_row = 24, .ws_col = COLUMNS };
    int terminal;

    *pid = forkpty(&terminal, NULL, NULL, &size);
    cr_assert_geq(*pid, 0);
    if (*pid == 0) {
        setenv("TERM", "xterm", 1);
        setenv("BIDE_URL", s.url, 1);
        setenv("BIDE_KEY", s.key, 1);
        execl("/bin/sh", "sh", "-c", text("exec %s/bide %s", BINARY_DIR, arguments),
              (char *)NULL);
        _exit(127);
    }
    return terminal;
}

/* Everything until `words` were said, or until it ended (words NULL). */
static void listen_until(int terminal, const char *words, char said[SAID_MOST])
{
    size_t size = strlen(said);

    while (words == NULL || strstr(said, words) == NULL) {
        ssize_t got = read(terminal, said + size, SAID_MOST - 1 - size);
        if (got <= 0)
            break; /* a terminal whose other end is closed reads EIO */
        size += (size_t)got;
        said[size] = '\0';
    }
    cr_assert(words == NULL || strstr(said, words) != NULL, "no \"%s\" in: %s", words, said);
}

static int end(int terminal, pid_t pid)
{
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    close(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

Test(terminal, the_status_line_is_drawn_over_until_the_run_is_done)
{
    static char said[SAID_MOST];
    pid_t pid;
    int terminal = start("trigger approve-refund --payload '{\"order_id\": \"A-1\", "
                         "\"amount_cents\": 1}' --wait",
                         &pid);

    listen_until(terminal, "WAITING in decided", said);
    cr_expect_not_null(strstr(said, "\r\x1b[K"), "%s", said);
    int status;
    const char *done = command_run(&status,
                                   "export BIDE_URL=%s BIDE_KEY=%s; " BINARY_DIR
                                   "/bide tokens complete $(" BINARY_DIR
                                   "/bide tokens list --json | jq -r '.data[0].id')"
                                   " --payload '{\"approved\": true, \"by\": \"ada\"}'",
                                   s.url, s.key);
    cr_assert_eq(status, 0, "%s", done);
    listen_until(terminal, NULL, said);

    cr_expect_eq(end(terminal, pid), 0, "%s", said);
    cr_expect_not_null(strstr(said, "COMPLETED"), "%s", said);
    cr_expect_not_null(strstr(said, "\"status\": \"refunded\""), "%s", said);
    /* No line of it is wider than the terminal: drawing over would not work. */
    for (char *at = said; (at = strstr(at, "\r\x1b[K")) != NULL; at++)
        cr_expect_leq(strcspn(at + 4, "\r\n"), COLUMNS + 8 /* bytes of two "·" and "…" */);
}

/* The server dies while somebody watches; the run goes on, and so does the watching. */
Test(terminal, watching_survives_a_restart)
{
    static char said[SAID_MOST];
    pid_t pid;
    int status;
    const char *run =
        run_trigger(&s, "approve-refund", "{\"order_id\": \"A-1\", \"amount_cents\": 1}", NULL);
    int terminal = start(text("runs watch %s", run), &pid);
    listen_until(terminal, "WAITING in decided", said);

    server_kill(&s);
    listen_until(terminal, "the server does not answer", said);
    server_start(&s);
    const char *done = command_run(&status,
                                   "export BIDE_URL=%s BIDE_KEY=%s; " BINARY_DIR
                                   "/bide tokens complete $(" BINARY_DIR
                                   "/bide tokens list --json | jq -r '.data[0].id')"
                                   " --payload '{\"approved\": true, \"by\": \"ada\"}'",
                                   s.url, s.key);
    cr_assert_eq(status, 0, "%s", done);
    listen_until(terminal, NULL, said);

    cr_expect_eq(end(terminal, pid), 0, "%s", said);
    cr_expect_not_null(strstr(said, "refunded"), "%s", said);
}

Test(terminal, tables_fit)
{
    static char said[SAID_MOST];
    pid_t pid;
    int status;

    const char *made =
        command_run(&status,
                    "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR
                    "/bide trigger hello --wait --tag a-rather-long-tag-number-one"
                    " --tag a-rather-long-tag-number-two --payload '{}'",
                    s.url, s.key);
    cr_assert_eq(status, 0, "%s", made);
    int terminal = start("runs list", &pid);
    listen_until(terminal, NULL, said);

    cr_expect_eq(end(terminal, pid), 0, "%s", said);
    cr_expect_not_null(strstr(said, "a-rather-l"), "%s", said);
    cr_expect_not_null(strstr(said, "…"), "%s", said);
    char *rest = said;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        cr_expect_leq(strlen(line), COLUMNS + 3, "%s", line); /* "…" and a carriage return */
}

Test(terminal, what_a_client_sent_cannot_move_the_cursor)
{
    static char said[SAID_MOST];
    pid_t pid;
    const char *run = run_trigger(&s, "hello", "{\"x\": \"\\u001b[2J\\u202e\"}",
                                  "{\"metadata\": {\"colour\": \"\\u001b[31mred\"}}");

    run_end(&s, run);
    int terminal = start(text("runs show %s", run), &pid);
    listen_until(terminal, NULL, said);

    cr_expect_eq(end(terminal, pid), 0, "%s", said);
    cr_expect_null(strchr(said, '\x1b'), "%s", said);
    cr_expect_null(strstr(said, "\xe2\x80\xae"), "%s", said);
    cr_expect_not_null(strstr(said, "\\u001b[31mred"), "%s", said);
}
