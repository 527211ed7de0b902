/*
 * vault: a task that is trusted with secrets in its input, its token's data and its child's
 * output, keeps one in its state, gives one back, and proves in a file that it got each.
 *
 *   open ──token "pin"──▶ unlocked ──child vault-child──▶ closed ──▶ done {receipt, ok}
 *
 * With `refuse`, its child gets a payload that its schema refuses.
 */
#include <bide/bide.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define VAULT_STATE(F)    F(STR(64), card) F(TOKEN, pin) F(RUN, child)
#define VAULT_SEGMENTS(S) S(open_up) S(unlocked) S(closed)

BIDE_TASK(vault, VAULT_STATE, VAULT_SEGMENTS, .id = "vault", .max_attempts = 1)

static void prove(bide_task *t, const char *what, const char *value)
{
    char line[200];
    int size = snprintf(line, sizeof line, "%s=%s\n", what, value);
    int fd = open(bide_str(t, bide_input(t), "proof"),
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        bide_raise(t, false, "no_proof", "cannot write the proof");
    if (fd >= 0)
        close(fd);
}

static bide_next open_up(bide_task *t)
{
    struct vault *s = bide_state(t);
    bide_set_str(t, s->card, bide_str(t, bide_input(t), "card"));
    prove(t, "card", s->card);
    s->pin = bide_token_create(t, (struct bide_token_opts){ .schema = "pin" });
    bide_meta_str(t, "url", bide_token_url(t, &s->pin));
    return bide_wait_token(t, &s->pin, unlocked);
}

static bide_next unlocked(bide_task *t)
{
    struct vault *s = bide_state(t);
    prove(t, "pin", bide_str(t, bide_result(t), "pin"));
    bide_map *payload = bide_map_new(t);
    bide_put_str(t, payload, "code", s->card);
    if (bide_has(t, bide_input(t), "refuse"))
        bide_put_str(t, payload, "more", s->card);
    s->child = bide_trigger(t, "vault-child", payload);
    return bide_wait_run(t, &s->child, closed);
}

static bide_next closed(bide_task *t)
{
    struct vault *s = bide_state(t);
    const bide_value *output = bide_run_output(t, &s->child);
    if (output == NULL)
        return bide_fail(t, "child_failed", "the child: %s", bide_run_error(t, &s->child));
    prove(t, "code", bide_str(t, output, "code"));
    bide_out_str(t, "receipt", s->card);
    if (!bide_has(t, bide_input(t), "botch"))
        bide_out_bool(t, "ok", true);
    return bide_done(t);
}

#define CHILD_SEGMENTS(S) S(echo)

BIDE_TASK(vault_child, BIDE_NO_STATE, CHILD_SEGMENTS, .id = "vault-child", .max_attempts = 1)

static bide_next echo(bide_task *t)
{
    bide_out_str(t, "code", bide_str(t, bide_input(t), "code"));
    return bide_done(t);
}

BIDE_PLUGIN("vault", "1.0.0", vault_task, vault_child_task)
