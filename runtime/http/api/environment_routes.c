/*
 * Environments: list, show, pause and resume. A key opens its own environment, so that is all
 * that a list shows, and others are not there.
 *
 *   request ─▶ COMMAND_ENVIRONMENT_PAUSE ─▶ the row and its counts (reader) ─▶ 200
 *
 * Who pauses is known by the key alone; the name that comes with it is written down as it was
 * said, with the key beside it.
 */
#include "http/api/routes.h"
#include "http/body/pause_body.h"
#include "http/server/reply.h"

struct environment_view {
    struct environment *row;
    struct totals totals;
};

static bool show_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct environment_view *view = request->view;
    const struct reader_ops *ops = reader->reader->ops;
    uint32_t number = request->world->environment->number;

    return reader_environment(reader->reader, &request->arena, number, &view->row, err) &&
           ops->totals(reader->reader, number, &view->totals, err);
}

static void environment_write(const struct request *request, struct out *out)
{
    static const struct {
        const char *name;
        uint32_t status;
    } counts[] = { { "running", RUN_RUNNING },
                   { "queued", RUN_QUEUED },
                   { "delayed", RUN_DELAYED },
                   { "waiting", RUN_WAITING },
                   { "parked", RUN_PARKED } };
    const struct environment_view *view = request->view;
    const char *name = request->world->environment->name;

    out_map(out, NULL);
    out_word(out, "id", name);
    out_word(out, "name", name);
    out_bool(out, "paused", view->row != NULL && view->row->paused);
    if (view->row != NULL)
        pause_write(out, &view->row->pause);
    const struct catalog *catalog = request->http->catalog;
    struct config_burst limit = { UINT32_MAX, UINT32_MAX };
    if (catalog != NULL)
        limit = catalog_environment_limit(catalog, request->world->environment->number);
    if (limit.base != UINT32_MAX) {
        out_int(out, "limit", limit.base);
        out_int(out, "burstLimit", limit.most);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        out_int(out, counts[i].name, view->totals.live[counts[i].status]);
    out_end_map(out);
}

static void show_done(struct request *request)
{
    struct out out = reply_out(request);

    environment_write(request, &out);
    reply_send(request, HTTP_OK);
}

static void list_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_list(&out, "data");
    environment_write(request, &out);
    out_end_list(&out);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static void read_row(struct request *request, void (*done)(struct request *request))
{
    request->view = ARENA_NEW(&request->arena, struct environment_view);
    request_read(request, show_work, done);
}

void environment_list(struct request *request)
{
    if (request_params(request, (const char *const[]){ NULL }))
        read_row(request, list_done);
}

/* The one in capture 0 is the key's; false: answered 404. */
static bool is_own(struct request *request)
{
    const char *own = request->world->environment->name;

    if (slice_is(request->captures[0], own))
        return true;
    reply_error(request, HTTP_NOT_FOUND,
                arena_format(&request->arena,
                             "Environment not found: there is no %.*s that this key opens; "
                             "the key is that of %s",
                             SLICE_ARG(request->captures[0]), own));
    return false;
}

void environment_show(struct request *request)
{
    if (is_own(request) && request_params(request, (const char *const[]){ NULL }))
        read_row(request, show_done);
}

/* ---- pause and resume -------------------------------------------------------------------- */

static void pause_done(struct request *request)
{
    pause_order_tell(request, &request->command.environment_pause, "environment",
                     slice_of(request->world->environment->name));
    read_row(request, show_done);
}

void environment_pause(struct request *request)
{
    struct err err = { 0 };
    struct value body;

    if (!is_own(request) || !request_members(request, pause_members, &body))
        return;
    if (!pause_order_read(request, &body, &request->command.environment_pause, &err)) {
        reply_err(request, &err);
        return;
    }
    request->command.kind = COMMAND_ENVIRONMENT_PAUSE;
    request_submit(request, pause_done);
}
