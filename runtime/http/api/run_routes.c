/* Runs: show, list, cancel, logs. Triggering one is in trigger.c. */
#include "base/clock.h"
#include "base/duration.h"
#include "http/api/filter.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum { LOG_LINES_MAX = 10000 };

/* ---- show -------------------------------------------------------------------------------- */

/*
 * With ?wait= the request is in the long polls' table from before the first read until it is
 * answered. A recent run is known not to be done, and is not read before it is.
 *
 *   read ──there, or the time is over──▶ reply
 *     ▲└──not yet──▶ parked ──woken──┐
 *     └─────────────────────────────┘
 */
struct show {
    int64_t id;
    uint32_t statuses; /* to wait for; 0: none */
    bool was_woken;    /* the loop thread's, at any time */
    bool is_reading, is_over,
        is_there; /* is_over: the last read; is_there: the reply is written */
};

static bool show_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct show *show = request->view;
    const struct config_environment *environment = request->world->environment;
    struct run_view view = { 0 };
    struct run *run;
    struct out out;

    if (!reader->reader->ops->run(reader->reader, &request->arena, environment->number,
                                  show->id, PART_INPUT | PART_STATE | PART_OUTPUT, &run, err))
        return false;
    if (run == NULL)
        return err_set(err, ERR_NOT_FOUND, RUN_UNKNOWN);
    if (show->statuses != 0 && !show->is_over && (show->statuses & 1u << run->status) == 0)
        return true;
    view.run = run;
    view.catalog = request->read.catalog;
    if (!run_view_read(&view, reader, &request->arena, err))
        return false;
    out = reply_out(request);
    run_view_write(&out, &request->arena, &view, environment->name);
    show->is_there = true;
    return true;
}

static void show_done(struct request *request);

static void show_read(struct request *request)
{
    struct show *show = request->view;

    show->is_reading = true;
    show->is_over = show->was_woken;
    request_read(request, show_work, show_done);
}

static void show_done(struct request *request)
{
    struct show *show = request->view;

    show->is_reading = false;
    if (show->is_there)
        reply_send(request, HTTP_OK);
    else if (show->was_woken)
        show_read(request);
}

void run_show_now(struct request *request, int64_t id)
{
    struct show *show = ARENA_NEW(&request->arena, struct show);

    show->id = id;
    request->view = show;
    show_read(request);
}

/* Whatever woke it, the next read is the last: a run that is done stays so, and the client of
 * one that goes on waiting asks again. */
static void show_wake(struct long_poll *long_poll, bool in_time)
{
    struct request *request = container_of(long_poll, struct request, long_poll);
    struct show *show = request->view;

    (void)in_time;
    show->was_woken = true;
    if (!show->is_reading) /* a pool thread looks at `show` then, and show_done reads again */
        show_read(request);
}

/* ?wait=30s[&until=waiting] */
static bool wait_read_query(struct request *request, int64_t *time_ms, uint32_t *statuses,
                            struct err *err)
{
    struct slice wait, until;

    if (!params_find(request->params, "wait", &wait))
        return true;
    if (!duration_parse(wait, time_ms))
        return err_set(err, ERR_BAD_REQUEST,
                       "wait must be a duration like \"30s\", at most 100 years");
    if (*time_ms > LONG_POLL_MAX_MS)
        *time_ms = LONG_POLL_MAX_MS;
    if (*time_ms > 0)
        *statuses = 1u << RUN_DONE;
    if (!params_find(request->params, "until", &until) || slice_is(until, "done"))
        return true;
    if (!slice_is(until, "waiting"))
        return err_set(err, ERR_BAD_REQUEST, "until must be \"done\" or \"waiting\"");
    if (*time_ms > 0)
        *statuses |= 1u << RUN_WAITING;
    return true;
}

void run_show(struct request *request)
{
    struct show *show = ARENA_NEW(&request->arena, struct show);
    struct err err = { 0 };
    int64_t time_ms = 0;

    request->view = show;
    if (!request_id(request, "run", RUN_UNKNOWN, &show->id) ||
        !request_params(request, (const char *const[]){ "wait", "until", NULL }))
        return;
    if (!wait_read_query(request, &time_ms, &show->statuses, &err)) {
        reply_err(request, &err);
        return;
    }
    if (show->statuses != 0 && !request->http->is_stopping)
        long_poll_add(&request->http->long_polls, &request->long_poll, show->id, show->statuses,
                      time_ms, show_wake);
    if (show->statuses == 1u << RUN_DONE && request->long_poll.is_waiting &&
        recent_runs_know(&request->http->recent_runs, show->id,
                         request->world->environment->number))
        return;
    show_read(request);
}

/* ---- list -------------------------------------------------------------------------------- */

static void pagination_write(struct out *out, const struct run_page *page)
{
    out_map(out, "pagination");
    if (page->has_next)
        out_id(out, "next", "run", page->next_after);
    if (page->has_previous)
        out_id(out, "previous", "run", page->previous_before);
    out_end_map(out);
}

/* A row that is not there has no place that others could stand behind. Cursors are the ids of
 * rows, and those beside them: see the store. */
static bool cursor_check(struct request *request, struct reader *reader, int64_t id,
                         int64_t beside, struct err *err)
{
    uint32_t environment = request->world->environment->number;
    struct run *row = NULL;

    if (id == 0)
        return true;
    if (!reader->ops->run(reader, &request->arena, environment, id, 0, &row, err) ||
        (row == NULL &&
         !reader->ops->run(reader, &request->arena, environment, beside, 0, &row, err)))
        return false;
    return row != NULL ||
           err_set(err, ERR_BAD_REQUEST, "Query Error: the cursor names no run of this list");
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct run_filter *filter = request->view;
    struct run_page page = { 0 };

    if (!cursor_check(request, reader->reader, filter->after, filter->after - 1, err) ||
        !cursor_check(request, reader->reader, filter->before, filter->before + 1, err) ||
        !reader->reader->ops->runs(reader->reader, &request->arena, filter, &page, err))
        return false;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < page.count; i++)
        run_item_write(&out, NULL, page.rows[i], request->world->environment->name);
    out_end_list(&out);
    pagination_write(&out, &page);
    out_end_map(&out);
    return true;
}

void run_list(struct request *request)
{
    struct run_filter *filter = ARENA_NEW(&request->arena, struct run_filter);
    struct filter_from from = { &request->arena, request->params, clock_now_ms(),
                                request->world->environment->number,
                                request->world->environment->name };
    struct err err = { 0 };

    request->view = filter;
    if (!request_params(request, list_words))
        return;
    if (run_filter_read(&from, filter, &err))
        request_read(request, list_work, reply_ok);
    else
        reply_query_error(request, &err);
}

/* ---- cancel ------------------------------------------------------------------------------ */

static void cancel_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "run", request->command.cancel.id);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static const struct member_rule cancel_members[] = {
    { "reason", MEMBER_TAKEN, NULL },
    { "message", MEMBER_ELSEWHERE, "is called \"reason\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

/* The body is usually empty; {"reason": "…"} goes into the run's timeline. */
static bool reason_read(struct request *request, struct slice *reason)
{
    struct err err = { 0 };
    struct value body;

    if (!request_members(request, cancel_members, &body))
        return false;
    const struct value *text = value_find(&body, "reason");
    if (text == NULL || text->kind == VALUE_NULL)
        return true;
    if (text->kind == VALUE_STRING && text->bytes.size <= REASON_MAX) {
        *reason = arena_copy(&request->arena, text->bytes);
        return true;
    }
    err_set(&err, ERR_BAD_REQUEST, "reason must be a string of at most %d bytes", REASON_MAX);
    reply_err(request, &err);
    return false;
}

void run_cancel(struct request *request)
{
    struct cancel *cancel = &request->command.cancel;

    if (!request_id(request, "run", RUN_UNKNOWN, &cancel->id) ||
        !reason_read(request, &cancel->reason))
        return;
    request->command.kind = COMMAND_CANCEL;
    cancel->environment = request->world->environment->number;
    request_submit(request, cancel_done);
}

/* ---- logs -------------------------------------------------------------------------------- */

struct logs {
    int64_t id, limit;
};

static void line_write(struct out *out, const struct log_line *line)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };

    out_map(out, NULL);
    out_time(out, "at", line->at_ms);
    out_word(out, "level", levels[line->level < 4 ? line->level : 3]);
    out_int(out, "attempt", line->attempt);
    if (line->segment.size > 0)
        out_text(out, "segment", line->segment);
    out_text(out, "text", line->text);
    out_end_map(out);
}

static bool logs_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct reader_ops *ops = reader->reader->ops;
    const struct logs *logs = request->view;
    struct log_line *line;
    uint32_t next, count = 0;
    struct run *run;

    if (!ops->run(reader->reader, &request->arena, request->world->environment->number,
                  logs->id, 0, &run, err))
        return false;
    if (run == NULL)
        return err_set(err, ERR_NOT_FOUND, RUN_UNKNOWN);
    if (!ops->logs(reader->reader, &request->arena, logs->id, (uint32_t)logs->limit, &line,
                   err))
        return false;
    for (const struct log_line *each = line; each != NULL; each = log_line_next(each))
        count++;
    next = count < logs->limit ? 1 : 0; /* all of them are there, the first should be */
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (; line != NULL; line = log_line_next(line)) {
        if (next != 0 && line->line > next) /* the first are kept, and the last */
            line_write(&out, &(struct log_line){
                                 .at_ms = line->at_ms,
                                 .level = 2,
                                 .attempt = line->attempt,
                                 .text = arena_format(&request->arena,
                                                      "%u lines were left out here: a run "
                                                      "keeps its first and its last ones",
                                                      line->line - next) });
        line_write(&out, line);
        next = line->line + 1;
    }
    out_end_list(&out);
    out_end_map(&out);
    return true;
}

void run_logs(struct request *request)
{
    struct logs *logs = ARENA_NEW(&request->arena, struct logs);
    struct err err = { 0 };

    logs->limit = LOG_LINES_MAX;
    request->view = logs;
    if (!request_id(request, "run", RUN_UNKNOWN, &logs->id) ||
        !request_params(request, (const char *const[]){ "limit", NULL }))
        return;
    if (params_number(request->params, "limit", 1, LOG_LINES_MAX, &logs->limit, &err))
        request_read(request, logs_work, reply_ok);
    else
        reply_query_error(request, &err);
}
