/*
 * Schedules: made, listed, changed, paused, run by hand and deleted. Those of schedules.yaml
 * are shown with the others, and changed in their file. What the contract has no word for
 * stands in `rules`, in the words of the file.
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/name.h"
#include "config/schedule_rules.h"
#include "http/api/filter.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/schedules/schedule_view.h"
#include "http/server/reply.h"
#include "schedule/zones.h"

enum { PER_PAGE = 20, NAME_MOST = 128 };

#define SCHEDULE_UNKNOWN "Schedule not found"

struct view {
    int64_t id, page, per_page;
    struct slice name;
    struct schedule_page rows;
    int64_t run_id;
};

/* The file does not say it any more, and its row waits for its next tick to go. */
static bool is_forgotten(const struct request *request, const struct schedule *schedule)
{
    const struct catalog *catalog = request->read.catalog;

    return schedule->is_declared && catalog != NULL && catalog->has_schedules &&
           catalog_schedule(catalog, schedule->environment, schedule->name) == NULL;
}

/* ---- show and list ----------------------------------------------------------------------- */

static bool one_read(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct view *view = request->view;
    uint32_t environment = request->world->environment->number;
    struct row *row = NULL;

    view->rows = (struct schedule_page){ 0 };
    if (view->id == 0)
        return reader->reader->ops->schedules(reader->reader, &request->arena, environment,
                                              view->name, 0, 1, &view->rows, err);
    if (!reader->reader->ops->row(reader->reader, &request->arena, ROW_SCHEDULE, view->id, &row,
                                  err))
        return false;
    view->rows.rows = ARENA_NEW(&request->arena, struct schedule *);
    view->rows.rows[0] = (struct schedule *)row;
    view->rows.count = row != NULL && view->rows.rows[0]->environment == environment ? 1 : 0;
    return true;
}

static bool show_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct view *view = request->view;

    if (!one_read(request, reader, err))
        return false;
    if (view->rows.count == 0 || is_forgotten(request, view->rows.rows[0]))
        return err_set(err, ERR_NOT_FOUND, SCHEDULE_UNKNOWN);
    struct out out = reply_out(request);
    schedule_write(request, &out, view->rows.rows[0], true);
    return true;
}

static struct view *view_named(struct request *request)
{
    struct view *view = ARENA_NEW(&request->arena, struct view);

    request->view = view;
    view->name = request->captures[0];
    (void)id_parse("sched", view->name, &view->id); /* else it is a name */
    return view;
}

void schedule_show(struct request *request)
{
    (void)view_named(request);
    if (request_params(request, (const char *const[]){ NULL }))
        request_read(request, show_work, reply_ok);
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct view *view = request->view;
    uint32_t offset = (uint32_t)((view->page - 1) * view->per_page);

    if (!reader->reader->ops->schedules(
            reader->reader, &request->arena, request->world->environment->number,
            (struct slice){ 0 }, offset, (uint32_t)view->per_page, &view->rows, err))
        return false;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < view->rows.count; i++)
        if (!is_forgotten(request, view->rows.rows[i]))
            schedule_write(request, &out, view->rows.rows[i], false);
    out_end_list(&out);
    pages_write(&out, view->page, view->per_page, view->rows.total);
    out_end_map(&out);
    return true;
}

void schedule_list(struct request *request)
{
    struct view *view = ARENA_NEW(&request->arena, struct view);

    *view = (struct view){ 0 };
    request->view = view;
    if (pages_read(request, PER_PAGE, &view->page, &view->per_page))
        request_read(request, list_work, reply_ok);
}

/* ---- create and update ------------------------------------------------------------------- */

static const struct member_rule put_members[] = {
    { "task", MEMBER_TAKEN, NULL },
    { "cron", MEMBER_TAKEN, NULL },
    { "deduplicationKey", MEMBER_TAKEN, NULL },
    { "externalId", MEMBER_TAKEN, NULL },
    { "timezone", MEMBER_TAKEN, NULL },
    { "window", MEMBER_TAKEN, NULL },
    { "rules", MEMBER_TAKEN, NULL },
    { "zone", MEMBER_ELSEWHERE, "is called \"timezone\" here" },
    { "overlap", MEMBER_ELSEWHERE, "stands in \"rules\"" },
    { "missed", MEMBER_ELSEWHERE, "stands in \"rules\"" },
    { NULL, MEMBER_TAKEN, NULL },
};

static bool rule_set(struct request *request, struct schedule_rules *rules, const char *key,
                     const struct value *value, struct err *err)
{
    struct cron_flaw flaw;

    return schedule_rules_set(&request->arena, rules, slice_of(key), value, &flaw) ||
           err_set(err, ERR_RULE, "%s", flaw.text);
}

/* "20%" */
static bool percent_read(const struct value *value, struct value *number)
{
    struct slice text = value->kind == VALUE_STRING ? value->bytes : (struct slice){ 0 };

    *number = value_int(0);
    if (text.size < 2 || text.data[text.size - 1] != '%')
        return false;
    for (size_t i = 0; i + 1 < text.size && number->integer <= 100; i++)
        number->integer = text.data[i] < '0' || text.data[i] > '9'
                              ? INT32_MAX /* which is refused */
                              : number->integer * 10 + text.data[i] - '0';
    return true;
}

/* The contract's words. */
static bool members_set(struct request *request, const struct value *body,
                        struct schedule_rules *rules, struct err *err)
{
    static const char *const names[][2] = { { "task", "task" },
                                            { "cron", "cron" },
                                            { "externalId", "external_id" },
                                            { "timezone", "zone" },
                                            { "window", "spread" } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct value *value = value_find(body, names[i][0]);
        if (value == NULL || value->kind == VALUE_NULL)
            continue;
        struct value percent;
        bool is_percent = i == 4 && percent_read(value, &percent);
        if (is_percent && !rule_set(request, rules, "spread_percent", &percent, err))
            return err_set(err, ERR_RULE,
                           "window is a time like \"10m\", or 1%% to 50%% of the time between "
                           "two ticks");
        if (is_percent)
            continue;
        if (!rule_set(request, rules, names[i][1], value, err))
            return false;
    }
    const struct value *more = value_find(body, "rules");
    if (more != NULL && more->kind != VALUE_MAP)
        return err_set(err, ERR_RULE, "rules is an object, with the words of schedules.yaml");
    for (uint32_t i = 0; more != NULL && i < more->count; i++)
        if (!rule_set(request, rules, arena_text(&request->arena, more->members[i].key),
                      &more->members[i].value, err))
            return false;
    return true;
}

static bool rules_check(struct request *request, const struct schedule_rules *rules,
                        struct err *err)
{
    const struct catalog *catalog = request->http->catalog;
    const struct zone *zone = zones_find(request->http->options.zones, rules->zone, err);
    struct cron_flaw flaw;
    struct plan plan;
    const char *key;

    if (zone == NULL) {
        struct err why = *err;
        return err_set(err, ERR_RULE, "Invalid IANA timezone: '%.*s': %s",
                       SLICE_ARG(rules->zone), why.text);
    }
    if (!schedule_rules_check(rules, zone, clock_now_ms() / 1000, &plan, &key, &flaw))
        return strcmp(key, "cron") == 0
                   ? err_set(err, ERR_RULE, "Invalid cron expression: column %u: %s",
                             flaw.column, flaw.text)
                   : err_set(err, ERR_RULE, "%s: %s", key, flaw.text);
    return catalog == NULL || catalog_task(catalog, rules->task) != NULL ||
           err_set(err, ERR_RULE, "Task with identifier %.*s not found in project.",
                   SLICE_ARG(rules->task));
}

static bool wanted_check(struct request *request, const struct value *body, bool wants_key)
{
    static const char *const wanted[] = { "task", "cron", "deduplicationKey" };

    for (size_t i = 0; i < (wants_key ? 3u : 2u); i++) {
        const struct value *value = value_find(body, wanted[i]);
        if (value != NULL && value->kind == VALUE_STRING && value->bytes.size > 0)
            continue;
        struct out out = reply_out(request);
        out_map(&out, NULL);
        out_word(&out, "error", "Invalid request body");
        out_list(&out, "issues");
        out_map(&out, NULL);
        out_list(&out, "path");
        out_word(&out, NULL, wanted[i]);
        out_end_list(&out);
        out_word(&out, "message", "Required");
        out_end_map(&out);
        out_end_list(&out);
        out_end_map(&out);
        reply_send(request, 400);
        return false;
    }
    return true;
}

static void put_done(struct request *request)
{
    struct view *view = request->view;

    view->id = request->command.schedule_put.schedule_id;
    request_read(request, show_work, reply_ok);
}

static void put(struct request *request, bool creates)
{
    struct schedule_put *order = &request->command.schedule_put;
    struct schedule_rules rules = schedule_rules_standard();
    struct view *view = view_named(request);
    struct err err = { 0 };
    struct value body;

    if (!request_members(request, put_members, &body) || !wanted_check(request, &body, creates))
        return;
    request->command.kind = COMMAND_SCHEDULE_PUT;
    order->environment = request->world->environment->number;
    order->id = creates ? 0 : view->id;
    order->name = creates ? (struct slice){ 0 } : view->name;
    order->creates = creates;
    bool fine = members_set(request, &body, &rules, &err) && rules_check(request, &rules, &err);
    if (fine && creates)
        fine = body_text(request, &body, "deduplicationKey", NAME_MOST, &order->name, &err) &&
               name_check(NAME_KEY, order->name, &err);
    if (!fine) {
        reply_err(request, &err);
        return;
    }
    order->rules = schedule_rules_pack(&request->arena, &rules);
    request_submit(request, put_done);
}

void schedule_create(struct request *request)
{
    put(request, true);
}

void schedule_update(struct request *request)
{
    put(request, false);
}

/* ---- pause, resume, run, delete ---------------------------------------------------------- */

static void act_done(struct request *request)
{
    struct view *view = request->view;

    if (!request->command.schedule_act.is_changed)
        reply_header(request, "x-bide-accepted", "false");
    view->id = request->command.schedule_act.schedule_id;
    request_read(request, show_work, reply_ok);
}

static void run_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "run", request->command.schedule_act.run_id);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static void delete_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "sched", request->command.schedule_act.schedule_id);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static const struct member_rule act_members[] = {
    { "reason", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "force", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static void act(struct request *request, enum schedule_what what, bool has_body,
                void (*done)(struct request *request))
{
    struct schedule_act *order = &request->command.schedule_act;
    const struct view *view = view_named(request);
    struct value body = value_map();
    struct err err = { 0 };

    if (has_body && request->body.size > 0 && !request_members(request, act_members, &body))
        return;
    const struct value *force = value_find(&body, "force");
    request->command.kind = COMMAND_SCHEDULE_ACT;
    order->environment = request->world->environment->number;
    order->id = view->id;
    order->name = view->name;
    order->what = what;
    order->is_forced = force != NULL && force->kind == VALUE_BOOL && force->boolean;
    if (force != NULL && force->kind != VALUE_BOOL)
        err_set(&err, ERR_BAD_REQUEST, "force is true or false");
    if (err.code == ERR_OK &&
        body_text(request, &body, "reason", REASON_MAX, &order->why, &err) &&
        body_text(request, &body, "by", BY_MAX, &order->by, &err))
        request_submit(request, done);
    else
        reply_err(request, &err);
}

void schedule_activate(struct request *request)
{
    act(request, SCHEDULE_RESUME, true, act_done);
}

void schedule_deactivate(struct request *request)
{
    act(request, SCHEDULE_PAUSE, true, act_done);
}

void schedule_run(struct request *request)
{
    act(request, SCHEDULE_RUN, true, run_done);
}

void schedule_delete(struct request *request)
{
    act(request, SCHEDULE_DELETE, false, delete_done);
}
