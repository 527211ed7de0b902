/*
 * migrates: the second version of a task that had {I64 amount, STR currency, U32 dropped} and
 * has {STR price, U32 calls} now, with a migrate() that does as `currency` says.
 */
#include <bide/bide.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATES_STATE(F)  \
    F(STR(16), amount)     \
    F(STR(8), shop, "web") \
    F(U32, calls)

#define MIGRATES_SEGMENTS(S) S(look)

static void migrate(bide_task *t, const bide_value *old);

BIDE_TASK(migrates, MIGRATES_STATE, MIGRATES_SEGMENTS, .id = "migrates", .migrate = migrate)

/* What a migrate() may not do; each raises. */
static void misbehave(bide_task *t, const char *how)
{
    if (strcmp(how, "token") == 0)
        (void)bide_token_create(t, (struct bide_token_opts){ 0 });
    else if (strcmp(how, "trigger") == 0)
        (void)bide_trigger(t, "other", NULL);
    else if (strcmp(how, "meta") == 0)
        bide_meta_i64(t, "a", 1);
    else if (strcmp(how, "out") == 0)
        bide_out_i64(t, "a", 1);
    else if (strcmp(how, "result") == 0)
        (void)bide_result(t);
    else if (strcmp(how, "once") == 0)
        (void)bide_once(t, "a", NULL, NULL);
    else if (strcmp(how, "crash") == 0)
        abort();
    else if (strcmp(how, "hang") == 0)
        for (;;)
            ;
}

static void migrate(bide_task *t, const bide_value *old)
{
    struct migrates *s = bide_state(t);
    const char *currency = bide_str(t, old, "currency");

    s->calls++;
    misbehave(t, currency);
    if (strcmp(currency, "none") == 0)
        bide_raise(t, false, "no_currency", "an amount of %lld has no currency",
                   (long long)bide_i64(t, old, "amount"));
    else if (strcmp(currency, "unterminated") == 0)
        memset(s->amount, 'x', sizeof s->amount + (size_t)(bide_i64(t, old, "amount") & 0));
    else if (strcmp(currency, "blind") != 0 && bide_kind(t, old, "amount") == BIDE_INT)
        bide_set_str(t, s->amount, "12.50");
}

static bide_next look(bide_task *t)
{
    struct migrates *s = bide_state(t);

    bide_out_str(t, "amount", s->amount);
    bide_out_str(t, "shop", s->shop);
    bide_out_i64(t, "calls", s->calls);
    return bide_wait_for(t, BIDE_DAYS(1), look);
}

BIDE_PLUGIN("migrates", "2.0.0", migrates_task)
