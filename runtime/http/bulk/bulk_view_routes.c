/* Bulk actions as they are: how far, and what failed. */
#include "codec/pack.h"
#include "engine/bulk/bulk.h"
#include "http/api/filter.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

#define BULK_UNKNOWN "Bulk action not found"

static void slices_write(struct out *out, const char *name, const struct slices *slices)
{
    if (slices->count == 0)
        return;
    out_list(out, name);
    for (uint32_t i = 0; i < slices->count; i++)
        out_text(out, NULL, slices->items[i]);
    out_end_list(out);
}

static void filter_write(struct out *out, struct arena *arena, struct slice packed)
{
    struct run_filter filter;

    (void)bulk_filter_read(arena, packed, &filter); /* else it is empty */
    out_map(out, "filter");
    if (filter.status_count > 0)
        out_list(out, "status");
    for (uint32_t i = 0; i < filter.status_count; i++)
        out_word(out, NULL,
                 run_wanted_word(filter.statuses[i].status, filter.statuses[i].outcome));
    if (filter.status_count > 0)
        out_end_list(out);
    slices_write(out, "taskIdentifier", &filter.tasks);
    slices_write(out, "queue", &filter.queues);
    slices_write(out, "version", &filter.versions);
    slices_write(out, "tag", &filter.tags);
    if (filter.member_count > 0)
        out_map(out, "metadata");
    for (uint32_t i = 0; i < filter.member_count; i++)
        out_text(out, arena_text(arena, filter.members[i].key), filter.members[i].text);
    if (filter.member_count > 0)
        out_end_map(out);
    if (filter.bulk != 0)
        out_id(out, "bulkAction", "bulk", filter.bulk);
    if (filter.is_test >= 0)
        out_bool(out, "isTest", filter.is_test != 0);
    out_time(out, "from", filter.from_ms);
    out_time(out, "to", filter.to_ms);
    out_end_map(out);
}

static void failures_write(struct out *out, struct arena *arena, struct slice packed)
{
    struct value list = value_list();

    if (packed.size > 0)
        (void)pack_read(arena, packed, &list, NULL); /* else none are shown */
    out_list(out, "failures");
    for (uint32_t i = 0; i < list.count; i++) {
        const struct value *item = &list.items[i];
        if (item->kind != VALUE_LIST || item->count != 2)
            continue;
        out_map(out, NULL);
        out_id(out, "id", "run", item->items[0].integer);
        out_text(out, "error", item->items[1].bytes);
        out_end_map(out);
    }
    out_end_list(out);
}

static void text_write(struct out *out, const char *name, struct slice text)
{
    if (text.size > 0)
        out_text(out, name, text);
}

static void bulk_write(struct out *out, struct arena *arena, const struct bulk_action *bulk,
                       bool is_whole)
{
    static const char *const statuses[] = { "PENDING", "COMPLETED", "ABORTED" };
    uint32_t looked = bulk->done + bulk->unchanged + bulk->failed;

    out_map(out, NULL);
    out_id(out, "id", "bulk", bulk->id);
    text_write(out, "name", bulk->name);
    out_word(out, "type", bulk->what == BULK_REPLAY ? "REPLAY" : "CANCEL");
    out_word(out, "status", statuses[bulk->status % 3]);
    out_map(out, "counts");
    out_int(out, "total", looked > bulk->total ? looked : bulk->total);
    out_int(out, "success", (int64_t)bulk->done + bulk->unchanged);
    out_int(out, "failure", bulk->failed);
    out_int(out, "unchanged", bulk->unchanged);
    out_end_map(out);
    out_time(out, "createdAt", bulk->created_ms);
    out_time(out, "completedAt", bulk->finished_ms);
    text_write(out, "by", bulk->by);
    text_write(out, "reason", bulk->why);
    text_write(out, "stoppedBy", bulk->stopped);
    if (bulk->filter.size > 0)
        filter_write(out, arena, bulk->filter);
    if (is_whole)
        failures_write(out, arena, bulk->failures);
    out_end_map(out);
}

static bool show_work(struct request *request, struct pool_reader *pool, struct err *err)
{
    const int64_t *id = request->view;
    struct row *row = NULL;

    if (!pool->reader->ops->row(pool->reader, &request->arena, ROW_BULK_ACTION, *id, &row, err))
        return false;
    const struct bulk_action *bulk = (const struct bulk_action *)row;
    if (bulk == NULL || bulk->environment != request->world->environment->number)
        return err_set(err, ERR_NOT_FOUND, BULK_UNKNOWN);
    struct out out = reply_out(request);
    bulk_write(&out, &request->arena, bulk, true);
    return true;
}

void bulk_show(struct request *request)
{
    int64_t *id = ARENA_NEW(&request->arena, int64_t);

    request->view = id;
    if (request_id(request, "bulk", BULK_UNKNOWN, id) &&
        request_params(request, (const char *const[]){ NULL }))
        request_read(request, show_work, reply_ok);
}

static bool list_work(struct request *request, struct pool_reader *pool, struct err *err)
{
    struct bulk_page page = { 0 };

    if (!pool->reader->ops->bulk_actions(pool->reader, &request->arena, request->view, &page,
                                         err))
        return false;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < page.count; i++)
        bulk_write(&out, &request->arena, page.rows[i], false);
    out_end_list(&out);
    out_map(&out, "pagination");
    if (page.has_next)
        out_id(&out, "next", "bulk", page.next_after);
    if (page.has_previous)
        out_id(&out, "previous", "bulk", page.previous_before);
    out_end_map(&out);
    out_end_map(&out);
    return true;
}

void bulk_list(struct request *request)
{
    static const char *const known[] = { "page[size]", "page[after]", "page[before]", NULL };
    struct bulk_filter *filter = ARENA_NEW(&request->arena, struct bulk_filter);
    struct filter_from from = { .arena = &request->arena, .params = request->params };
    struct err err = { 0 };

    *filter = (struct bulk_filter){ .environment = request->world->environment->number };
    request->view = filter;
    if (!request_params(request, list_words))
        return;
    if (filter_words_check(request->params, known, &err) &&
        filter_page_read(&from, "bulk", &filter->limit, &filter->after, &filter->before, &err))
        request_read(request, list_work, reply_ok);
    else
        reply_query_error(request, &err);
}
