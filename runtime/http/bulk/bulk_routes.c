/*
 * Bulk actions: many runs are canceled or replayed, by a filter or by their ids.
 *
 *   body ─▶ filter as of a list ─▶ how many are they (read pool) ─▶ COMMAND_BULK_CREATE ─▶ 200
 *                                           └─ "dryRun": that is the answer
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/name.h"
#include "engine/bulk/bulk.h"
#include "http/api/filter.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum {
    NAME_MOST = 255,
    COUNT_PAGE = 1000, /* runs, when they are counted; */
    COUNT_LOOKS = 20000,
    COUNT_MS = 500 /* and for so long */
};

/* ---- create ------------------------------------------------------------------------------ */

static const struct member_rule create_members[] = {
    { "action", MEMBER_TAKEN, NULL },
    { "filter", MEMBER_TAKEN, NULL },
    { "runIds", MEMBER_TAKEN, NULL },
    { "name", MEMBER_TAKEN, NULL },
    { "dryRun", MEMBER_TAKEN, NULL },
    { "reason", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "targetRegion", MEMBER_SILENT, NULL },
    { "type", MEMBER_ELSEWHERE, "is called \"action\" here" },
    { "dry_run", MEMBER_ELSEWHERE, "is called \"dryRun\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

/* What is asked for, and how many runs that are. */
struct asked {
    struct run_filter filter;
    bool is_dry, is_more; /* is_more: there are more than were counted */
    int64_t count, ended;
};

/* One value, or several, as a list's query has them. */
static bool texts_add(struct buffer *out, const struct value *value, struct slice name,
                      struct err *err)
{
    if (value->kind == VALUE_LIST) {
        bool done = true;
        for (uint32_t i = 0; done && i < value->count; i++) {
            if (i > 0)
                buffer_byte(out, ',');
            done = value->items[i].kind != VALUE_LIST &&
                   texts_add(out, &value->items[i], name, err);
        }
        return done || err->code != ERR_OK ||
               err_set(err, ERR_BAD_REQUEST, "filter.%.*s: a list of lists", SLICE_ARG(name));
    }
    if (value->kind == VALUE_STRING &&
        memchr(value->bytes.data, ',', value->bytes.size) == NULL)
        buffer_slice(out, value->bytes);
    else if (value->kind == VALUE_INT)
        buffer_format(out, "%lld", (long long)value->integer);
    else if (value->kind == VALUE_BOOL)
        buffer_text(out, value->boolean ? "true" : "false");
    else
        return err_set(err, ERR_BAD_REQUEST,
                       "filter.%.*s must be a string without commas, or a list of those",
                       SLICE_ARG(name));
    return true;
}

static bool param_add(struct arena *arena, struct params *params, const char *before,
                      struct slice name, const struct value *value, struct err *err)
{
    struct buffer text = { 0 };

    if (value->kind == VALUE_NULL)
        return true;
    if (params->count == PARAMS_MAX)
        return err_set(err, ERR_BAD_REQUEST, "filter has more than %d members", PARAMS_MAX);
    if (!texts_add(&text, value, name, err)) {
        buffer_finish(&text);
        return false;
    }
    params->items[params->count].name =
        arena_format(arena, "filter%s[%.*s]", before, SLICE_ARG(name));
    params->items[params->count++].value = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return true;
}

static bool is_time_word(struct slice name)
{
    return slice_is(name, "from") || slice_is(name, "to") || slice_is(name, "period");
}

/* {"status": ["FAILED"], "createdAt": {"period": "1d"}}: the words of the list of runs. */
static bool filter_take(struct request *request, const struct value *map,
                        struct run_filter *filter, struct err *err)
{
    struct params *params = ARENA_NEW(&request->arena, struct params);
    struct filter_from from = { &request->arena, params, clock_now_ms(),
                                request->world->environment->number,
                                request->world->environment->name };
    bool done =
        map->kind == VALUE_MAP || err_set(err, ERR_BAD_REQUEST, "filter must be an object");

    for (uint32_t i = 0; done && i < map->count; i++) {
        struct slice name = map->members[i].key;
        const struct value *value = &map->members[i].value;
        bool is_map = slice_is(name, "createdAt") || slice_is(name, "metadata");
        if (is_map && value->kind == VALUE_MAP)
            for (uint32_t k = 0; done && k < value->count; k++)
                done = param_add(&request->arena, params,
                                 slice_is(name, "metadata") ? "[metadata]" : "[createdAt]",
                                 value->members[k].key, &value->members[k].value, err);
        else
            done = param_add(&request->arena, params, is_time_word(name) ? "[createdAt]" : "",
                             name, value, err);
    }
    for (uint32_t i = 0; done && i < params->count; i++)
        done = params_given(params->items[i].name, params->items[i].value, err);
    return done && run_filter_read(&from, filter, err) &&
           (filter->schedules.count == 0 ||
            err_set(
                err, ERR_RULE,
                "filter.schedule is for lists; list its runs, and name them in \"runIds\""));
}

static bool is_among(const struct buffer *ids, int64_t id)
{
    for (uint32_t i = 0; i < bulk_run_count(buffer_view(ids)); i++)
        if (bulk_run_at(buffer_view(ids), i) == id)
            return true;
    return false;
}

/* Each once. */
static bool runs_take(struct request *request, const struct value *list, struct slice *runs,
                      struct err *err)
{
    struct buffer ids = { 0 };
    int64_t id;

    if (list->kind != VALUE_LIST || list->count == 0 || list->count > BULK_RUNS_MOST)
        return err_set(err, ERR_BAD_REQUEST, "runIds must be a list of 1 to %d ids of runs",
                       BULK_RUNS_MOST);
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != VALUE_STRING ||
            !id_parse("run", list->items[i].bytes, &id)) {
            buffer_finish(&ids);
            return err_set(err, ERR_BAD_REQUEST, "runIds[%u] is no id of a run", i);
        }
        if (!is_among(&ids, id))
            buffer_add(&ids, &id, sizeof id);
    }
    *runs = arena_copy(&request->arena, buffer_view(&ids));
    buffer_finish(&ids);
    return true;
}

static bool what_take(const struct value *body, struct bulk_create *create, struct err *err)
{
    const struct value *action = value_find(body, "action");
    bool is_text = action != NULL && action->kind == VALUE_STRING;

    create->what = is_text && slice_is(action->bytes, "replay") ? BULK_REPLAY : BULK_CANCEL;
    return create->what == BULK_REPLAY || (is_text && slice_is(action->bytes, "cancel")) ||
           err_set(err, ERR_BAD_REQUEST, "action must be \"cancel\" or \"replay\"");
}

static bool target_take(struct request *request, const struct value *body,
                        struct bulk_create *create, struct err *err)
{
    const struct value *filter = value_find(body, "filter"), *runs = value_find(body, "runIds");
    struct asked *asked = request->view;

    if (filter != NULL && filter->kind == VALUE_NULL)
        filter = NULL;
    if (runs != NULL && runs->kind == VALUE_NULL)
        runs = NULL;
    if ((filter == NULL) == (runs == NULL))
        return err_set(err, ERR_BAD_REQUEST,
                       "give either \"filter\", {\"status\": [\"FAILED\"]} for example, or "
                       "\"runIds\"");
    if (runs != NULL)
        return runs_take(request, runs, &create->runs, err);
    if (!filter_take(request, filter, &asked->filter, err))
        return false;
    create->filter = bulk_filter_pack(&request->arena, &asked->filter);
    return true;
}

static bool create_read(struct request *request, const struct value *body, struct err *err)
{
    struct bulk_create *create = &request->command.bulk_create;
    const struct value *dry = value_find(body, "dryRun");
    struct unheard unheard = { .arena = &request->arena };
    struct asked *asked = request->view;

    /* A word that was meant to hold it back must not pass. */
    if (!members_check(create_members, "", body, &unheard, err))
        return false;
    if (unheard.count > 0)
        return err_set(err, ERR_BAD_REQUEST, "%s", unheard_text(&unheard));
    if (dry != NULL && dry->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "dryRun must be true or false");
    asked->is_dry = dry != NULL && dry->boolean;
    create->environment = request->world->environment->number;
    if (!what_take(body, create, err) || !target_take(request, body, create, err) ||
        !body_text(request, body, "name", NAME_MOST, &create->name, err) ||
        !body_text(request, body, "reason", REASON_MAX, &create->why, err) ||
        !body_text(request, body, "by", BY_MAX, &create->by, err) ||
        !request_key_read(request, &create->request_key, err))
        return false;
    create->by = by_or_key(request, create->by);
    return true;
}

/* Pool thread. */
static bool runs_count(struct request *request, struct reader *reader, struct err *err)
{
    struct slice runs = request->command.bulk_create.runs;
    struct asked *asked = request->view;
    struct run *run;

    for (uint32_t i = 0; i < bulk_run_count(runs); i++) {
        if (!reader->ops->run(reader, &request->arena, request->world->environment->number,
                              bulk_run_at(runs, i), 0, &run, err))
            return false;
        asked->count += run != NULL;
        asked->ended += run != NULL && run->status == RUN_DONE;
    }
    return true;
}

static bool count_work(struct request *request, struct pool_reader *pool, struct err *err)
{
    struct asked *asked = request->view;
    struct run_filter filter = asked->filter;
    struct run_page page = { .has_next = true };
    uint64_t end_ns = clock_monotonic_ns() + (uint64_t)COUNT_MS * 1000000;
    struct arena arena = { 0 };
    bool done = true;

    asked->count = asked->ended = 0;
    if (request->command.bulk_create.filter.size == 0)
        return runs_count(request, pool->reader, err);
    filter.limit = COUNT_PAGE;
    filter.looks = COUNT_LOOKS;
    while (done && page.has_next && clock_monotonic_ns() < end_ns) {
        arena_reset(&arena);
        done = pool->reader->ops->runs(pool->reader, &arena, &filter, &page, err);
        for (uint32_t i = 0; done && i < page.count; i++)
            asked->ended += page.rows[i]->status == RUN_DONE;
        asked->count += page.count;
        filter.after = page.next_after;
    }
    asked->is_more = page.has_next;
    arena_finish(&arena);
    return done;
}

static void create_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "bulk", request->command.bulk_create.bulk_id);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static void count_done(struct request *request)
{
    const struct asked *asked = request->view;

    if (!asked->is_dry) {
        request->command.bulk_create.total = (uint32_t)asked->count;
        request->command.kind = COMMAND_BULK_CREATE;
        request_submit(request, create_done);
        return;
    }
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_bool(&out, "dryRun", true);
    out_int(&out, "count", asked->count);
    out_int(&out, "endedCount", asked->ended);
    out_bool(&out, "isMore", asked->is_more);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

void bulk_create(struct request *request)
{
    struct err err = { 0 };
    struct value body;

    request->view = ARENA_NEW(&request->arena, struct asked);
    *(struct asked *)request->view = (struct asked){ 0 };
    if (!request_json(request, &body))
        return;
    if (create_read(request, &body, &err))
        request_read(request, count_work, count_done);
    else
        reply_err(request, &err);
}

/* ---- abort ------------------------------------------------------------------------------- */

static const struct member_rule abort_members[] = {
    { "by", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static void abort_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "bulk", request->command.bulk_stop.id);
    out_end_map(&out);
    if (request->command.bulk_stop.was_over)
        reply_header(request, "x-bide-accepted", "false");
    reply_send(request, HTTP_OK);
}

void bulk_abort(struct request *request)
{
    struct bulk_stop *stop = &request->command.bulk_stop;
    struct err err = { 0 };
    struct value body;

    if (!request_id(request, "bulk", "Bulk action not found", &stop->id) ||
        !request_members(request, abort_members, &body))
        return;
    if (!body_text(request, &body, "by", BY_MAX, &stop->by, &err)) {
        reply_err(request, &err);
        return;
    }
    request->command.kind = COMMAND_BULK_STOP;
    stop->environment = request->world->environment->number;
    stop->by = by_or_key(request, stop->by);
    request_submit(request, abort_done);
}
