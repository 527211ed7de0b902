/*
 * POST /api/v1/plugins/plan: what would a build make of the runs that are under way?
 *
 *   trial opened ─▶ its tasks ─▶ some runs (reader) ─▶ asked one by one ─┬─▶ the next ones …
 *                                                                        └─▶ 200
 *
 * The newest runs first. A slice is small, so that nobody waits for it, and there is a limit
 * for the whole: then what was found so far is the answer, and it says that it is not complete.
 */
#include "base/clock.h"
#include "codec/pack.h"
#include "codec/trial.h"
#include "engine/builds/builds.h"
#include "engine/waits/wait.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/plugins/plan_count.h"
#include "http/server/reply.h"

enum { SLICE_RUNS = 100, SLICE_BYTES = 4 << 20, PLAN_MS = 100000, NAME_MOST = 255 };

static const struct member_rule plan_members[] = {
    { "file", MEMBER_TAKEN, NULL },
    { "build", MEMBER_TAKEN, NULL },
    { "name", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

struct plan {
    struct request *request;
    struct trial *trial;
    struct slice name; /* as which it is to be deployed; empty: not said */
    struct slice plugin, version;
    struct value tasks; /* what the build says of each */
    struct run_filter filter;
    struct run_page page;
    struct run **runs; /* of the slice, with what is needed */
    bool *is_locked;   /* each of these */
    uint32_t count, next;
    struct arena arena; /* of the slice */
    uint64_t until_ns;
    struct plan_count counts;
    bool needs_input, is_complete, is_over;
};

/* ---- the end ----------------------------------------------------------------------------- */

static void plan_close(struct plan *plan)
{
    plan->is_over = true;
    plan->request->http->options.trials->close(plan->trial);
    arena_finish(&plan->arena);
}

static void plan_end(struct plan *plan)
{
    struct out out = reply_out(plan->request);

    out_map(&out, NULL);
    out_text(&out, "plugin", plan->plugin);
    out_text(&out, "version", plan->version);
    out_bool(&out, "complete", plan->is_complete);
    plan_count_write(&out, &plan->counts);
    out_end_map(&out);
    plan_close(plan);
    reply_send(plan->request, HTTP_OK);
}

static void plan_failed(void *context, struct slice reason)
{
    struct plan *plan = context;

    if (plan->is_over)
        return;
    plan_close(plan);
    reply_error(plan->request, (unsigned)err_status(ERR_RULE), reason);
}

/* ---- a slice ----------------------------------------------------------------------------- */

/* Whatever is deployed, it goes on in its own build. */
static bool is_locked(const struct catalog *catalog, const struct run *run)
{
    const struct catalog_task *current = catalog_task(catalog, run->task);

    return run->build.size > 0 && (current == NULL || !current->follows) &&
           catalog_task_built(catalog, run->task, run->build) != NULL;
}

/* Pool thread. The states of as many as there is room for; the others are of the next slice. */
static bool slice_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct plan *plan = request->view;
    const struct reader_ops *ops = reader->reader->ops;
    uint32_t parts = PART_STATE | (plan->needs_input ? PART_INPUT : 0);
    size_t bytes = 0;

    if (!ops->runs(reader->reader, &plan->arena, &plan->filter, &plan->page, err))
        return false;
    plan->runs = ARENA_ARRAY(&plan->arena, struct run *, plan->page.count + 1);
    plan->is_locked = ARENA_ARRAY(&plan->arena, bool, plan->page.count + 1);
    plan->count = plan->next = 0;
    for (uint32_t i = 0; i < plan->page.count; i++) {
        struct run *row = plan->page.rows[i], *run;
        if (row->started_ms == 0 && row->segment.size == 0)
            continue; /* it begins anew wherever it starts */
        if (bytes > SLICE_BYTES) {
            plan->page.has_next = true;
            plan->page.next_after = plan->page.rows[i - 1]->id;
            break;
        }
        if (!ops->run(reader->reader, &plan->arena, 0, row->id, parts, &run, err))
            return false;
        if (run == NULL)
            continue; /* it has been removed */
        bytes += run->state.size + run->input.size;
        plan->is_locked[plan->count] = is_locked(request->read.catalog, run);
        plan->runs[plan->count++] = run;
    }
    return true;
}

static const struct value *task_of(const struct plan *plan, struct slice id)
{
    for (uint32_t i = 0; i < plan->tasks.count; i++) {
        const struct value *name = value_find(&plan->tasks.items[i], "id");
        if (name != NULL && name->kind == VALUE_STRING && slice_equal(name->bytes, id))
            return &plan->tasks.items[i];
    }
    return NULL;
}

static bool has_segment(const struct value *task, struct slice name)
{
    const struct value *segments = value_find(task, "segments");

    if (name.size == 0 || segments == NULL || segments->kind != VALUE_LIST)
        return true;
    for (uint32_t i = 0; i < segments->count; i++)
        if (segments->items[i].kind == VALUE_STRING &&
            slice_equal(segments->items[i].bytes, name))
            return true;
    return false;
}

/* Segments that it may enter beside the next one. Empty: the build has them all. */
static struct slice missing_of(struct plan *plan, const struct value *task,
                               const struct run *run)
{
    struct wait wait;
    struct value aborts;

    if (run->wait.size > 0 && run->status == RUN_WAITING &&
        wait_read(&plan->arena, run->wait, &wait) && wait.group != NULL) {
        if (!has_segment(task, wait.group->manner.otherwise))
            return wait.group->manner.otherwise;
        if (!has_segment(task, wait.group->manner.remind))
            return wait.group->manner.remind;
    }
    if (run->aborts.size > 0 && pack_read(&plan->arena, run->aborts, &aborts, NULL) &&
        aborts.kind == VALUE_LIST)
        for (uint32_t i = 0; i < aborts.count; i++)
            if (aborts.items[i].kind == VALUE_STRING &&
                !has_segment(task, aborts.items[i].bytes))
                return aborts.items[i].bytes;
    return (struct slice){ 0 };
}

static void count_add(struct plan *plan, const struct trial_answer *answer)
{
    uint32_t at = plan->next++;
    const struct run *run = plan->runs[at];
    bool is_own = run->environment == plan->request->world->environment->number;

    plan_count_add(&plan->counts, run->task, is_own ? run->id : 0, plan->is_locked[at], answer);
}

static void block(struct plan *plan, struct slice cause)
{
    count_add(plan,
              &(struct trial_answer){
                  .is_blocked = true, .cause = cause, .reason = cause, .lost = value_list() });
}

static void slice_read(struct plan *plan);

/* Until one has to be asked, or none is left. */
static void plan_go_on(struct plan *plan)
{
    while (plan->next < plan->count) {
        const struct run *run = plan->runs[plan->next];
        const struct value *task = task_of(plan, run->task);
        if (task == NULL) {
            block(plan, arena_format(&plan->arena, "this build has no task %.*s",
                                     SLICE_ARG(run->task)));
            continue;
        }
        struct slice missing = missing_of(plan, task, run);
        if (missing.size > 0) {
            block(plan,
                  arena_format(&plan->arena, "this build has no segment %.*s of task %.*s",
                               SLICE_ARG(missing), SLICE_ARG(run->task)));
            continue;
        }
        struct trial_question question = { .run_id = run->id,
                                           .entry = run->entry,
                                           .attempt = run->attempt,
                                           .created_ms = run->created_ms,
                                           .task = run->task,
                                           .segment = run->segment,
                                           .state = run->state,
                                           .input = run->input };
        plan->request->http->options.trials->ask(plan->trial, &question);
        return;
    }
    slice_read(plan);
}

static void plan_answered(void *context, const struct trial_answer *answer)
{
    struct plan *plan = context;

    count_add(plan, answer);
    plan_go_on(plan);
}

static void slice_done(struct request *request)
{
    struct plan *plan = request->view;

    if (plan->is_over)
        return;
    if (!request->read.is_done) {
        plan_close(plan);
        reply_err(request, &request->read.err);
        return;
    }
    plan->filter.after = plan->page.next_after;
    plan_go_on(plan);
}

/* The next one, if there is one and time for it. */
static void slice_read(struct plan *plan)
{
    bool is_last = plan->runs != NULL && !plan->page.has_next;

    plan->is_complete = is_last || plan->filter.tasks.count == 0;
    if (plan->is_complete || plan->request->connection == NULL ||
        clock_monotonic_ns() > plan->until_ns) {
        plan_end(plan);
        return;
    }
    arena_reset(&plan->arena);
    plan->request->read.hears_failure = true;
    request_read(plan->request, slice_work, slice_done);
}

/* ---- what is asked about ----------------------------------------------------------------- */

static void task_add(struct plan *plan, struct slice name)
{
    struct slices *tasks = &plan->filter.tasks;

    for (uint32_t i = 0; i < tasks->count; i++)
        if (slice_equal(tasks->items[i], name))
            return;
    tasks->items[tasks->count++] = name;
}

static struct slice text_in(const struct value *map, const char *name)
{
    const struct value *text = value_find(map, name);

    return text != NULL && text->kind == VALUE_STRING ? text->bytes : (struct slice){ 0 };
}

/* Tasks that only the file of that name has now: they would be gone. */
static uint32_t current_of(const struct plan *plan, const struct value *plugins,
                           const struct value **current)
{
    for (uint32_t i = 0; i < plugins->count; i++)
        if (plan->name.size > 0 &&
            slice_equal(text_in(&plugins->items[i], "file"), plan->name)) {
            *current = value_find(&plugins->items[i], "current");
            if (*current != NULL && (*current)->kind == VALUE_LIST)
                return (*current)->count;
        }
    return 0;
}

static bool calls_migrate(const struct value *task)
{
    const struct value *called = value_find(task, "called");

    for (uint32_t i = 0; called != NULL && called->kind == VALUE_LIST && i < called->count; i++)
        if (called->items[i].kind == VALUE_STRING &&
            slice_is(called->items[i].bytes, "migrate"))
            return true;
    return false;
}

static void plan_ready(void *context, const struct value *about)
{
    struct plan *plan = context;
    struct request *request = plan->request;
    const struct http_options *options = &request->http->options;
    const struct value *tasks = value_find(about, "tasks"), *current = NULL;
    struct value plugins = options->plugins == NULL
                               ? value_list()
                               : options->plugins(options->context, &request->arena);
    uint32_t current_count = current_of(plan, &plugins, &current);

    plan->plugin = arena_copy(&request->arena, text_in(about, "plugin"));
    plan->version = arena_copy(&request->arena, text_in(about, "version"));
    plan->tasks = value_list();
    if (tasks != NULL && tasks->kind == VALUE_LIST)
        plan->tasks = value_copy(&request->arena, tasks);
    plan->filter.tasks.items =
        ARENA_ARRAY(&request->arena, struct slice, plan->tasks.count + current_count + 1);
    for (uint32_t i = 0; i < plan->tasks.count; i++) {
        task_add(plan, text_in(&plan->tasks.items[i], "id"));
        plan->needs_input |= calls_migrate(&plan->tasks.items[i]);
    }
    for (uint32_t i = 0; i < current_count; i++)
        if (current->items[i].kind == VALUE_STRING)
            task_add(plan, current->items[i].bytes);
    slice_read(plan);
}

static const struct trial_events events = { plan_ready, plan_answered, plan_failed };

void plugin_plan(struct request *request)
{
    static const uint32_t statuses[] = { RUN_DELAYED, RUN_QUEUED, RUN_RUNNING, RUN_WAITING,
                                         RUN_PARKED };
    const struct http_options *options = &request->http->options;
    struct plan *plan = ARENA_NEW(&request->arena, struct plan);
    struct trial_subject subject = { 0 };
    struct err err = { 0 };
    struct value body;

    if (!request_members_kept(request, plan_members, &body))
        return;
    plan->request = request;
    plan->counts.arena = &request->arena;
    plan->filter = (struct run_filter){ .limit = SLICE_RUNS, .is_test = -1 };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        plan->filter.statuses[plan->filter.status_count++].status = statuses[i];
    plan->until_ns = clock_monotonic_ns() + (uint64_t)PLAN_MS * 1000000;
    request->view = plan;
    if (!body_text(request, &body, "file", NAME_MOST, &subject.file, &err) ||
        !body_text(request, &body, "build", NAME_MOST, &subject.build, &err) ||
        !body_text(request, &body, "name", NAME_MOST, &plan->name, &err)) {
        reply_err(request, &err);
        return;
    }
    if ((subject.file.size > 0) == (subject.build.size > 0))
        err_set(&err, ERR_BAD_REQUEST, "either file or build is needed");
    else if (options->trials == NULL)
        err_set(&err, ERR_UNAVAILABLE, "this server has no plugins");
    else
        plan->trial = options->trials->open(options->context, &subject, &events, plan, &err);
    if (plan->trial == NULL)
        reply_err(request, &err);
}
