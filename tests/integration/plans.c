/*
 * Plans: what a build would make of runs under way, said beforehand, and what it then does.
 *
 * Pairs of versions of a task are generated, each with a change of its state; a .so has some of
 * them. The plan of the second .so is kept, it is deployed, and every run goes on.
 */
#include "server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS = 8, PAIRS = 26 /* of each group */, LINE = 400 };

static struct server s;
static uint64_t random_state;

static void set_up(void)
{
    server_init(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(plans, .init = set_up, .fini = tear_down, .timeout = 300);

static unsigned any(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20) % below;
}

/* ---- pairs --------------------------------------------------------------------------------
 */

enum fate { KEPT, MIGRATED, BLOCKED };

struct change {
    const char *before, *after; /* a field of each; it is called x before */
    const char *set;            /* what the first version does with it */
    const char *renamed;        /* a row; NULL: none */
    const char *migrate;        /* its body; NULL: none */
    const char *segment;        /* of the second version; NULL: the same, "go_on" */
    enum fate fate;
    const char *lost; /* a stored name that the second does not have; NULL: none */
};

static const struct change changes[PAIRS] = {
    { "I32,x", "I32,x", "s->x = 7", NULL, NULL, NULL, KEPT, NULL },
    { "I32,x", NULL, "s->x = 7", NULL, NULL, NULL, KEPT, "x" },
    { "I32,x", "I64,x", "s->x = -7", NULL, NULL, NULL, KEPT, NULL },
    { "U32,x", "I64,x", "s->x = 4294967295u", NULL, NULL, NULL, KEPT, NULL },
    { "U32,x", "U64,x", "s->x = 4294967295u", NULL, NULL, NULL, KEPT, NULL },
    { "I64,x", "I32,x", "s->x = -2147483648ll", NULL, NULL, NULL, KEPT, NULL },
    { "I64,x", "I32,x", "s->x = 2147483648ll", NULL, NULL, NULL, BLOCKED, NULL },
    { "U64,x", "U32,x", "s->x = 4294967296ull", NULL, NULL, NULL, BLOCKED, NULL },
    { "I64,x", "F64,x", "s->x = 9007199254740993ll", NULL, NULL, NULL, BLOCKED, NULL },
    { "I64,x", "F64,x", "s->x = 9007199254740992ll", NULL, NULL, NULL, KEPT, NULL },
    { "F64,x", "I32,x", "s->x = 2.5", NULL, NULL, NULL, BLOCKED, NULL },
    { "BOOL,x", "I32,x", "s->x = true", NULL, NULL, NULL, KEPT, NULL },
    { "STR(8),x", "STR(64),x", "strcpy(s->x, \"seven77\")", NULL, NULL, NULL, KEPT, NULL },
    { "STR(64),x", "STR(8),x", "strcpy(s->x, \"seven77\")", NULL, NULL, NULL, KEPT, NULL },
    { "STR(64),x", "STR(8),x", "strcpy(s->x, \"eight888\")", NULL, NULL, NULL, BLOCKED, NULL },
    { "I32,x", "I32,y", "s->x = 7", "{\"x\",\"y\"},", NULL, NULL, KEPT, NULL },
    { "I32,x", "I32,y", "s->x = 7", NULL, NULL, NULL, KEPT, "x" },
    { "I32,x", "STR(8),x", "s->x = 7", NULL, NULL, NULL, BLOCKED, NULL },
    { "I32,x", "STR(8),x", "s->x = 7", NULL,
      "if (bide_i64(t, old, \"x\") == 7) strcpy(s->x, \"seven\");", NULL, MIGRATED, NULL },
    { "I32,x", "STR(8),x", "s->x = 7", NULL,
      "bide_raise(t, false, \"no\", \"never %d\", (int)bide_i64(t, old, \"x\"));", NULL,
      BLOCKED, NULL },
    { "I32,x", "STR(8),x", "s->x = 7", NULL, "(void)old;", NULL, BLOCKED, NULL },
    { "I32,x", "STR(8),x", "s->x = 7", NULL, "(void)old; abort();", NULL, BLOCKED, NULL },
    { "LIST(STRUCT(pair1),3),x", "LIST(STRUCT(pair2),4),x",
      "s->x.count = 3; s->x.item[2].b = 5", NULL, NULL, NULL, KEPT, NULL },
    { "LIST(STRUCT(pair2),3),x", "LIST(STRUCT(pair1),3),x",
      "s->x.count = 3; s->x.item[2].b = 1ll << 40", NULL, NULL, NULL, BLOCKED, NULL },
    { "I32,x", "I32,x", "s->x = 7", "{\"go_on\",\"further\"},", NULL, "further", KEPT, NULL },
    { "I32,x", "I32,x", "s->x = 7", NULL, NULL, "further", BLOCKED, NULL },
};

/* Fields around the one that changes, in any order; the second version has one more. */
static void fields_write(FILE *file, const char *changing, unsigned seed, bool is_second)
{
    static const char *const others[] = { "F(I64,a)",      "F(STR(16),b)", "F(BOOL,c)",
                                          "F(TOKEN,d)",    "F(F64,e)",     "F(LIST(U32,3),f)",
                                          "F(BYTES(5),g)", "F(RUN,h)" };
    unsigned count = sizeof others / sizeof *others, at = is_second ? seed / 7 : seed;

    if (is_second && seed % 2 == 0)
        fprintf(file, " F(STR(8),added,\"new\")");
    for (unsigned i = 0; i < count; i++) {
        if (changing != NULL && i == seed % count)
            fprintf(file, " F(%s)", changing);
        if ((seed >> i) % 3 != 0)
            fprintf(file, " %s", others[(i + at) % count]);
    }
}

static void task_write(FILE *file, int group, int i, unsigned seed, bool is_second)
{
    const struct change *change = &changes[i];
    const char *field = is_second ? change->after : change->before;
    const char *segment = is_second && change->segment != NULL ? change->segment : "go_on";

    fprintf(file, "#define S%d(F)", i);
    fields_write(file, field, seed, is_second);
    fprintf(file, "\n#define G%d(S) S(start%d) S(%s%d)\n", i, i, segment, i);
    if (is_second && change->renamed != NULL)
        fprintf(file, "static const struct bide_rename r%d[] = { %s { NULL, NULL } };\n", i,
                change->segment == NULL ? change->renamed
                                        : text("{ \"go_on%d\", \"%s%d\" },", i, segment, i));
    if (is_second && change->migrate != NULL)
        fprintf(file, "static void m%d(bide_task *t, const bide_value *old);\n", i);
    fprintf(file, "BIDE_TASK(t%d, S%d, G%d, .id = \"p%d-%d\", .max_attempts = 1%s%s)\n", i, i,
            i, group, i,
            is_second && change->renamed != NULL ? text(", .renamed = r%d", i) : "",
            is_second && change->migrate != NULL ? text(", .migrate = m%d", i) : "");
    if (is_second && change->migrate != NULL)
        fprintf(file,
                "static void m%d(bide_task *t, const bide_value *old)\n{ struct t%d *s = "
                "bide_state(t); (void)s; %s }\n",
                i, i, change->migrate);
    fprintf(
        file,
        "static bide_next start%d(bide_task *t)\n{ struct t%d *s = bide_state(t); (void)s;%s%s"
        "; return bide_wait_for(t, BIDE_DAYS(1), %s%d); }\n"
        "static bide_next %s%d(bide_task *t) { return bide_done(t); }\n",
        i, i, is_second ? "" : " ", is_second ? "" : change->set, segment, i, segment, i);
}

/* The path of the .so. */
static const char *group_build(int group, const unsigned *seeds, bool is_second)
{
    const char *source = server_path(&s, text("pairs%d-%d.c", group, is_second));
    const char *folder = server_path(&s, is_second ? "second" : "first");
    const char *built = text("%s/pairs%d.so", folder, group);
    FILE *file = fopen(source, "w");
    int status;

    cr_assert_not_null(file);
    fprintf(file, "#include <bide/bide.h>\n#include <stdlib.h>\n#include <string.h>\n"
                  "#define P1(F) F(I32,a) F(I32,b)\nBIDE_STRUCT(pair1, P1)\n"
                  "#define P2(F) F(I64,b) F(BOOL,c) F(I32,a)\nBIDE_STRUCT(pair2, P2)\n");
    for (int i = 0; i < PAIRS; i++)
        task_write(file, group, i, seeds[i], is_second);
    fprintf(file, "BIDE_PLUGIN(\"pairs%d\", \"%d\"", group, 1 + is_second);
    for (int i = 0; i < PAIRS; i++)
        fprintf(file, ", t%d_task", i);
    fprintf(file, ")\n");
    fclose(file);
    const char *said = command_run(&status,
                                   "mkdir -p %s && %s -std=c11 -O0 -fPIC -shared -I" SOURCE_DIR
                                   "/plugin-sdk/include -o %s %s",
                                   folder, C_COMPILER, built, source);
    cr_assert_eq(status, 0, "%s", said);
    return built;
}

/* ---- the two answers ----------------------------------------------------------------------
 */

static const char *bide(int want, const char *arguments)
{
    int status;
    const char *said = command_run(&status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s",
                                   s.url, s.key, arguments);

    cr_assert_eq(status, want, "%s: %d, %s", arguments, status, said);
    return said;
}

/* The group of a list that is about the task, and the field; NULL: none. */
static json_t *group_of(json_t *plan, const char *list, const char *task, const char *field)
{
    json_t *group;
    size_t i;

    json_array_foreach(json_object_get(plan, list), i, group)
    {
        if (strcmp(json_string_value(json_object_get(group, "task")), task) == 0 &&
            (field == NULL ||
             strcmp(json_string_value(json_object_get(group, "field")), field) == 0))
            return group;
    }
    return NULL;
}

static void assert_planned(json_t *plan, int group, int i)
{
    const char *task = text("p%d-%d", group, i);
    enum fate fate = group_of(plan, "blocking", task, NULL) != NULL    ? BLOCKED
                     : group_of(plan, "migrating", task, NULL) != NULL ? MIGRATED
                                                                       : KEPT;

    cr_expect_eq(fate, changes[i].fate, "%s: %s becomes %s is planned as %d", task,
                 changes[i].before, changes[i].after, fate);
    if (changes[i].lost != NULL)
        cr_expect_not_null(group_of(plan, "losing", task, changes[i].lost),
                           "%s: %s is not told", task, changes[i].lost);
}

/* It was blocked if it is parked, for the reason that was told, or its migrate() crashed. */
static void assert_went(json_t *plan, int group, int i, const char *run)
{
    const char *task = text("p%d-%d", group, i);
    json_t *blocking = group_of(plan, "blocking", task, NULL);
    const char *reason =
        blocking == NULL ? "" : json_string_value(json_object_get(blocking, "reason"));
    const struct reply *reply;
    const char *status;
    long long deadline = now_ms() + 20000;

    for (;;) {
        reply = run_get(&s, run);
        status = reply_text(reply, "status");
        if (strcmp(status, "COMPLETED") == 0 || strcmp(status, "PENDING_VERSION") == 0 ||
            strcmp(status, "CRASHED") == 0 || strcmp(status, "FAILED") == 0)
            break;
        if (now_ms() > deadline)
            give_up("%s does not go on: %s", task, reply->text);
        pause_ms(10);
    }
    bool crashed = strcmp(status, "CRASHED") == 0;
    if (blocking == NULL)
        cr_expect_str_eq(status, "COMPLETED", "%s: %s", task, reply->text);
    else if (crashed)
        cr_expect_not_null(strstr(reason, "migrate crashed"), "%s: %s", task, reason);
    else if (changes[i].segment != NULL) /* the server knows without asking the build */
        cr_expect(strstr(reason, "no segment go_on") != NULL &&
                      strstr(reply_text(reply, "parkedReason"), "has the segment") != NULL,
                  "%s: %s, %s", task, reason, reply->text);
    else
        cr_expect_str_eq(reply_text(reply, "parkedReason"), reason, "%s: %s", task,
                         reply->text);
}

/* All tasks: their runs go on in whatever is deployed. */
static void follow_write(int groups)
{
    FILE *file = fopen(server_path(&s, "config/queues.yaml"), "w");

    cr_assert_not_null(file);
    fprintf(file, "tasks:\n");
    for (int i = 0; i < groups * PAIRS; i++)
        fprintf(file, "  p%d-%d: { versions: follow }\n", i / PAIRS, i % PAIRS);
    fclose(file);
}

static void group_try(int group)
{
    unsigned seeds[PAIRS];
    const char *runs[PAIRS];
    json_error_t error;

    for (int i = 0; i < PAIRS; i++)
        seeds[i] = any(1u << 30);
    const char *first = group_build(group, seeds, false);
    const char *second = group_build(group, seeds, true);
    bide(0, text("deploy --plugins '%s/plugins' %s", s.dir, first));
    for (int i = 0; i < PAIRS; i++)
        runs[i] = text("%s", run_trigger(&s, text("p%d-%d", group, i), "{}", NULL));
    for (int i = 0; i < PAIRS; i++)
        (void)run_until(&s, runs[i], "WAITING");

    const char *said = bide(
        1, text("plugins plan --plugins '%s/plugins' --json %s 2>/dev/null", s.dir, second));
    json_t *plan = json_loads(said, 0, &error);
    cr_assert_not_null(plan, "%s", said);
    cr_assert(json_is_true(json_object_get(plan, "complete")));
    cr_expect_eq(json_integer_value(json_object_get(plan, "runs")), PAIRS);
    for (int i = 0; i < PAIRS; i++)
        assert_planned(plan, group, i);
    cr_expect_not_null(strstr(bide(1, text("deploy --plugins '%s/plugins' %s", s.dir, second)),
                              "nothing was copied"));
    bide(0, text("deploy --force --plugins '%s/plugins' %s", s.dir, second));
    for (int i = 0; i < PAIRS; i++)
        server_call(&s, "POST", text("/api/v1/runs/%s/wait/skip", runs[i]), "{}");
    for (int i = 0; i < PAIRS; i++)
        assert_went(plan, group, i, runs[i]);
    json_decref(plan);
    /* What is parked would go on where it came from. */
    bide(0, text("plugins plan --plugins '%s/plugins' %s", s.dir, first));
}

/* ---- tests --------------------------------------------------------------------------------
 */

Test(plans, of_pairs_of_versions_are_right)
{
    const char *seed = getenv("BIDE_PLANS_SEED"), *groups = getenv("BIDE_PLANS_GROUPS");
    int count = groups == NULL ? GROUPS : atoi(groups);

    random_state = seed == NULL ? 88172645463325252u : strtoull(seed, NULL, 10);
    follow_write(count);
    server_start(&s);
    for (int group = 0; group < count; group++)
        group_try(group);
    int status;
    cr_expect_str_eq(command_run(&status, "find %s/plugins -name '.*' -type f", s.dir), "",
                     "copies are left");
}

/* What a migrate() does is its own affair: the others are answered all the same, and in time.
 */
Test(plans, survive_what_migrate_does)
{
    static const char *const currencies[] = { "hang", "crash", "EUR", "none", "trigger" };
    int status;

    server_write(&s, "old.c",
                 "#include <bide/bide.h>\n"
                 "#define S(F) F(I64,amount) F(STR(16),currency)\n"
                 "#define G(S) S(start) S(look)\n"
                 "BIDE_TASK(old, S, G, .id = \"migrates\")\n"
                 "static bide_next start(bide_task *t)\n"
                 "{ struct old *s = bide_state(t); s->amount = 5;\n"
                 "  bide_set_str(t, s->currency, bide_str(t, bide_input(t), \"currency\"));\n"
                 "  return bide_wait_for(t, BIDE_DAYS(1), look); }\n"
                 "static bide_next look(bide_task *t) { return bide_done(t); }\n"
                 "BIDE_PLUGIN(\"migrates\", \"1.0.0\", old_task)\n");
    const char *said = command_run(&status,
                                   "cd %s && mkdir -p first && %s -fPIC -shared -I" SOURCE_DIR
                                   "/plugin-sdk/include -o first/migrates.so old.c",
                                   s.dir, C_COMPILER);
    cr_assert_eq(status, 0, "%s", said);
    server_start(&s);
    bide(0, text("deploy --plugins '%s/plugins' %s/first/migrates.so", s.dir, s.dir));
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++)
        run_until(
            &s, run_trigger(&s, "migrates", text("{\"currency\":\"%s\"}", currencies[i]), NULL),
            "WAITING");
    long long begin = now_ms();

    said = bide(1, text("plugins plan --plugins '%s/plugins' " BINARY_DIR
                        "/tests/plugins/migrates.so",
                        s.dir));
    cr_expect_lt(now_ms() - begin, 20000);
    cr_expect_not_null(strstr(said, "5 runs under way: 0 kept, 1 migrated, 4 blocked"), "%s",
                       said);
    cr_expect_not_null(strstr(said, "migrate did not finish within 2000 ms"), "%s", said);
    cr_expect_not_null(strstr(said, "migrate crashed: SIGABRT"), "%s", said);
    cr_expect_not_null(strstr(said, "migrates, field amount: migrate: no_currency: 1 run"),
                       "%s", said);
    cr_expect_not_null(strstr(said, "migrate is called beside segment look and cannot make"),
                       "%s", said);
    /* Whose key it is counts runs of other environments, and does not learn which they are. */
    command_run(&status, "cp " BINARY_DIR "/tests/plugins/migrates.so %s/plugins/.plan.m",
                s.dir);
    const struct reply *others = server_call_as(
        &s, server_key(&s, "prod"), "POST", "/api/v1/plugins/plan", "{\"file\":\".plan.m\"}");
    cr_expect_eq(reply_number(others, "blocked"), 4, "%s", others->text);
    cr_expect_null(strstr(others->text, "run_"), "%s", others->text);
    cr_expect_null(strstr(others->text, "\"reason\""), "%s", others->text);
}

/* A run that is locked to its build does not mind what is deployed; moved it would. */
Test(plans, of_runs_that_are_locked_say_so)
{
    int status;

    server_start(&s);
    bide(0, text("deploy --plugins '%s/plugins' " BINARY_DIR "/tests/plugins/version-1.so",
                 s.dir));
    run_until(&s, run_trigger(&s, "versioned", "{}", NULL), "WAITING");
    command_run(&status,
                "mkdir %s/new && cp " BINARY_DIR "/tests/plugins/version-3.so "
                "%s/new/version-1.so",
                s.dir, s.dir);

    const char *said =
        bide(1, text("plugins plan --plugins '%s/plugins' %s/new/version-1.so", s.dir, s.dir));
    cr_expect_not_null(strstr(said, "1 runs under way: 0 kept, 0 migrated, 1 blocked\n"
                                    "1 of them are locked to the build"),
                       "%s", said);
    cr_expect_not_null(strstr(said, "blocked  versioned, field amount is STR here, but"), "%s",
                       said);
    said = bide(0, text("deploy --plugins '%s/plugins' %s/new/version-1.so", s.dir, s.dir));
    cr_expect_null(strstr(said, "blocked"), "%s", said);
}

/* Nobody has a file of the machine loaded, or removed, by its name. */
Test(plans, take_only_copies_that_were_made_for_one)
{
    static const char *const files[] = { "hello.so",       "/etc/passwd", "../x/.plan.a",
                                         ".plan./../a.so", ".plan.",      ".hidden.so" };

    server_add_plugin(&s, "hello");
    server_start(&s);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        cr_expect_eq(
            server_call(&s, "POST", "/api/v1/plugins/plan", text("{\"file\":\"%s\"}", files[i]))
                ->status,
            400, "%s", files[i]);
    cr_expect_eq(
        server_call(&s, "POST", "/api/v1/plugins/plan", "{\"file\":\".plan.none\"}")->status,
        404);
    cr_expect_eq(
        server_call(&s, "POST", "/api/v1/plugins/plan", "{\"build\":\"0123456789abcdef\"}")
            ->status,
        404);
    cr_expect_eq(server_call(&s, "POST", "/api/v1/plugins/plan", "{}")->status, 400);
    cr_expect_eq(access(server_path(&s, "plugins/hello.so"), R_OK), 0);
}

Test(plans, of_a_build_that_is_known)
{
    server_add_plugin(&s, "hello");
    server_start(&s);
    const struct reply *list = server_call(&s, "GET", "/api/v1/plugins", NULL);
    const struct reply *plan =
        server_call(&s, "POST", "/api/v1/plugins/plan",
                    text("{\"build\":\"%s\"}", reply_text(list, "data.0.build")));

    cr_assert_eq(plan->status, 200, "%s", plan->text);
    cr_expect_eq(reply_number(plan, "blocked"), 0);
    bide(0, text("plugins plan --build %s", reply_text(list, "data.0.build")));
}

/* What is no plugin, or does not load, is told, and leaves nothing. */
Test(plans, of_what_does_not_load_say_so)
{
    int status;

    server_start(&s);
    command_run(&status, "mkdir -p '%s/plugins' && echo no > '%s/plugins/.plan.text'", s.dir,
                s.dir);
    const struct reply *plan =
        server_call(&s, "POST", "/api/v1/plugins/plan", "{\"file\":\".plan.text\"}");
    cr_expect_eq(plan->status, 422, "%s", plan->text);
    cr_expect_not_null(strstr(plan->text, "refused"), "%s", plan->text);
    command_run(&status, "cp '%s' '%s/plugins/.plan.hang'",
                BINARY_DIR "/tests/plugins/refused/constructor-crash.so", s.dir);
    plan = server_call(&s, "POST", "/api/v1/plugins/plan", "{\"file\":\".plan.hang\"}");
    cr_expect_eq(plan->status, 422, "%s", plan->text);
    cr_expect_str_eq(command_run(&status, "find %s/plugins -name '.plan*'", s.dir), "");
}
