/*
 * said: tasks that print, log, fork, record and call in ways that a host must tell right.
 */
#include <bide/bide.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRINT(S)       S(print_some)
#define LAST_WORDS(S)  S(print_and_die)
#define FLOOD(S)       S(say_much)
#define FORK_RETURN(S) S(fork_and_return)
#define FORK_CALL(S)   S(fork_and_call)
#define FORK_CRASH(S)  S(fork_and_crash)
#define TWICE(S)       S(act_twice)
#define LOOP(S)        S(act_in_loop)
#define AFTER(S)       S(log_after_error)
#define ORDER(S)       S(call_in_order) S(ordered)
#define LEAVE(S)       S(leave_token)
#define AGAIN(S)       S(fail_again)
#define SHORT(S)       S(fill_short)
#define NUMBERS(S)     S(put_numbers)

#define SHORT_STATE(F) F(STR(8), code) F(BYTES(4), digest)

BIDE_TASK(prints, BIDE_NO_STATE, PRINT, .id = "print")
BIDE_TASK(last_words, BIDE_NO_STATE, LAST_WORDS, .id = "last-words", .max_attempts = 1)
BIDE_TASK(flood, BIDE_NO_STATE, FLOOD, .id = "flood", .max_attempts = 1)
BIDE_TASK(fork_return, BIDE_NO_STATE, FORK_RETURN, .id = "fork-returns")
BIDE_TASK(fork_call, BIDE_NO_STATE, FORK_CALL, .id = "fork-calls")
BIDE_TASK(fork_crash, BIDE_NO_STATE, FORK_CRASH, .id = "fork-crashes")
BIDE_TASK(twice, BIDE_NO_STATE, TWICE, .id = "once-twice")
BIDE_TASK(loop, BIDE_NO_STATE, LOOP, .id = "once-loop")
BIDE_TASK(after, BIDE_NO_STATE, AFTER, .id = "log-after-error")
BIDE_TASK(order, BIDE_NO_STATE, ORDER, .id = "call-order", .max_attempts = 2, .retry_min_ms = 1)
BIDE_TASK(leave, BIDE_NO_STATE, LEAVE, .id = "leave-token")
BIDE_TASK(again, BIDE_NO_STATE, AGAIN, .id = "fail-again", .max_attempts = 4, .retry_min_ms = 1)
BIDE_TASK(shorts, SHORT_STATE, SHORT, .id = "too-short")
BIDE_TASK(numbers, BIDE_NO_STATE, NUMBERS, .id = "numbers")

static bide_next print_some(bide_task *t)
{
    printf("first %s\r\n", bide_str(t, bide_input(t), "word"));
    fputs("to stderr\n\n", stderr);
    pid_t pid = fork();
    if (pid == 0) {
        printf("from a child\n");
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    bide_log_warn(t, "logged");
    if (system("echo from a program") != 0)
        return bide_fail(t, "no_shell", "there is no shell");
    printf("without an end");
    return bide_done(t);
}

/* { how } */
static bide_next print_and_die(bide_task *t)
{
    const char *how = bide_str(t, bide_input(t), "how");
    bide_log_info(t, "before");
    printf("on the way\n");
    fputs("the last words \xff\n", stderr);
    if (strcmp(how, "exit") == 0)
        exit(3);
    if (strcmp(how, "_exit") == 0)
        _exit(3);
    if (strcmp(how, "abort") == 0)
        abort();
    return bide_done(t);
}

/* { lines, wide, print, die } */
static bide_next say_much(bide_task *t)
{
    int64_t lines = bide_i64(t, bide_input(t), "lines");
    int wide = (int)bide_i64(t, bide_input(t), "wide");
    bool print = bide_bool(t, bide_input(t), "print"), die = bide_bool(t, bide_input(t), "die");
    for (int64_t i = 0; i < lines; i++)
        if (print)
            printf("line %lld%*s\n", (long long)i, wide, "");
        else
            bide_log_info(t, "line %lld%*s", (long long)i, wide, "");
    bide_log_error(t, "the end");
    if (die)
        abort();
    return bide_done(t);
}

static bide_next fork_and_return(bide_task *t)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        bide_out_i64(t, "who", 2);
        return bide_done(t);
    }
    waitpid(pid, &status, 0);
    bide_out_i64(t, "who", 1);
    bide_out_i64(t, "status", status);
    return bide_done(t);
}

static bide_next fork_and_call(bide_task *t)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        bide_log_info(t, "I am a child");
        bide_progress(t, 50);
        (void)bide_canceled(t);
        (void)bide_token_create(t, (struct bide_token_opts){ 0 });
        _exit(bide_raised(t) != NULL && strcmp(bide_raised(t), "forked") == 0 ? 7 : 1);
    }
    waitpid(pid, &status, 0);
    bide_out_i64(t, "exit", WEXITSTATUS(status));
    return bide_done(t);
}

static bide_next fork_and_crash(bide_task *t)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        abort();
    waitpid(pid, &status, 0);
    bide_out_i64(t, "signal", WTERMSIG(status));
    return bide_done(t);
}

static const bide_value *count(bide_task *t, void *context)
{
    int *calls = context;
    return bide_of_i64(t, ++*calls);
}

static bide_next act_twice(bide_task *t)
{
    int one = 0, two = 0;
    bide_once(t, "act", count, &one);
    bide_once(t, "act", count, &two);
    if (two != 0)
        _exit(9); /* it ran, and nobody knows */
    return bide_done(t);
}

static bide_next act_in_loop(bide_task *t)
{
    int calls = 0;
    char name[16];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "act-%d", i);
        bide_once(t, name, count, &calls);
    }
    bide_out_i64(t, "calls", calls);
    return bide_done(t);
}

static bide_next log_after_error(bide_task *t)
{
    bide_raise(t, false, "bad", "it went wrong");
    bide_log_error(t, "sent the money");
    return bide_done(t);
}

/* { number }: the second attempt gives another number, or makes its calls the other way
 * round. */
static bide_next call_in_order(bide_task *t)
{
    bide_token token = { 0 };
    bool is_first = bide_info(t)->attempt == 1;
    if (bide_bool(t, bide_input(t), "number")) {
        bide_map *payload = bide_map_new(t);
        bide_put_i64(t, payload, "number", bide_info(t)->attempt);
        bide_trigger(t, "once-loop", payload);
    } else if (is_first)
        token = bide_token_create(t, (struct bide_token_opts){ 0 });
    bide_trigger(t, "once-loop", NULL);
    if (is_first)
        abort();
    token = bide_token_create(t, (struct bide_token_opts){ 0 });
    return bide_wait_token(t, &token, ordered);
}

static bide_next ordered(bide_task *t)
{
    return bide_done(t);
}

/* { fail, schema }: the token's URL is its output, or its error. */
static bide_next leave_token(bide_task *t)
{
    bide_token token = bide_token_create(t, (struct bide_token_opts){ 0 });
    bide_meta_str(t, "url", token.url);
    if (bide_bool(t, bide_input(t), "fail"))
        return bide_fail(t, "gave_up", "it gave up");
    return bide_done(t);
}

/* { times } */
static bide_next fail_again(bide_task *t)
{
    if (bide_info(t)->attempt <= (uint64_t)bide_i64(t, bide_input(t), "times"))
        return bide_retry(t, "not_yet", "attempt %u did not work", bide_info(t)->attempt);
    return bide_done(t);
}

/* { text, bytes } */
static bide_next fill_short(bide_task *t)
{
    struct shorts *s = bide_state(t);
    if (bide_bool(t, bide_input(t), "bytes"))
        bide_set_bytes(t, s->digest, "12345", 5);
    else
        bide_set_str(t, s->code, bide_str(t, bide_input(t), "text"));
    return bide_done(t);
}

/* { how } */
static bide_next put_numbers(bide_task *t)
{
    const char *how = bide_str(t, bide_input(t), "how");

    bide_out_f64(t, "zero", -0.0);
    if (strcmp(how, "nan") == 0)
        bide_out_f64(t, "ratio", (double)NAN);
    if (strcmp(how, "inf") == 0)
        bide_meta_add(t, "sum", (double)INFINITY);
    if (strcmp(how, "code") == 0)
        return bide_fail(t, "a\nb\x1b[31m", "a code with control characters");
    return bide_done(t);
}

BIDE_PLUGIN("said", "1.0.0", prints_task, last_words_task, flood_task, fork_return_task,
            fork_call_task, fork_crash_task, twice_task, loop_task, after_task, order_task,
            leave_task, again_task, shorts_task, numbers_task)
