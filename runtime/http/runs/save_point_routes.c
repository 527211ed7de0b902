/* The save points of a run that are kept: where it went on, with which state. */
#include "engine/waits/save_points.h"
#include "http/api/redact.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

static void point_write(struct request *request, struct out *out, const struct run *run,
                        const struct save_point *point, bool is_last)
{
    out_map(out, NULL);
    out_int(out, "number", point->number);
    out_text(out, "segment", point->segment);
    if (point->saved_ms != 0)
        out_time(out, "savedAt", point->saved_ms);
    out_int(out, "bytes", point->bytes);
    out_bool(out, "isLast", is_last);
    redact_out_state(out, "state", request->read.catalog, &request->arena,
                     save_point_run(&request->arena, run, point));
    out_end_map(out);
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const int64_t *id = request->view;
    struct run *run;

    if (!reader->reader->ops->run(reader->reader, &request->arena,
                                  request->world->environment->number, *id,
                                  PART_STATE | PART_MAIL | PART_STATES, &run, err))
        return false;
    if (run == NULL)
        return err_set(err, ERR_NOT_FOUND, RUN_UNKNOWN);
    struct save_points points = save_points_read(&request->arena, run);
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < points.count; i++)
        point_write(request, &out, run, &points.items[i], i + 1 == points.count);
    out_end_list(&out);
    out_int(&out, "keepStates", run->keeps > 0 ? run->keeps : 1);
    out_end_map(&out);
    return true;
}

void run_save_points(struct request *request)
{
    int64_t *id = ARENA_NEW(&request->arena, int64_t);

    request->view = id;
    if (request_id(request, "run", RUN_UNKNOWN, id) && request_params(request, NULL))
        request_read(request, list_work, reply_ok);
}
