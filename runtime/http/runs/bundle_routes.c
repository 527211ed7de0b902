/*
 * A run's bundle: all that is needed to run the segment it is in once more, elsewhere, but for
 * the .so, which is a route of its own (plugins/build_file_route.c).
 *
 *   loop: COMMAND_RUN_BUNDLE ─▶ pool: redacted, as JSON ─▶ 200
 *
 * Bytes, which JSON has not, are {"$bytes": base64}. Secrets stay here: what may hold one is
 * named in `hidden`.
 */
#include "codec/json.h"
#include "codec/pack.h"
#include "http/api/redact.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum { BUNDLE_FORMAT = 1 };

/* In their place, everywhere below. */
static void bytes_tag(struct arena *arena, struct value *value)
{
    if (value->kind == VALUE_BYTES) {
        struct buffer text = { 0 };
        struct value map = value_map(), said;
        json_write(&text, value); /* base64, quoted */
        said = value_string(arena_copy(arena, (struct slice){ text.data + 1, text.size - 2 }));
        buffer_finish(&text);
        value_put(arena, &map, "$bytes", said);
        *value = map;
        return;
    }
    for (uint32_t i = 0; i < value->count && value->kind == VALUE_LIST; i++)
        bytes_tag(arena, &value->items[i]);
    for (uint32_t i = 0; i < value->count && value->kind == VALUE_MAP; i++)
        bytes_tag(arena, &value->members[i].value);
}

/* All values of it, when there are any. */
static void part_hide(struct arena *arena, struct value *given, const char *name,
                      struct value *hidden)
{
    const struct value *part = value_find(given, name);

    if (part == NULL || part->kind == VALUE_NULL || part->count == 0)
        return;
    value_remove(given, slice_of(name));
    value_add(arena, hidden, value_text(name));
}

static void results_hide(struct arena *arena, struct value *given, struct value *hidden)
{
    const struct value *results = value_find(given, "results");
    struct value kept = value_list();
    bool has_some = false;

    for (uint32_t i = 0; results != NULL && i < results->count; i++) {
        struct value map = results->items[i];
        has_some |= value_find(&map, "value") != NULL;
        value_remove(&map, SLICE("value"));
        value_add(arena, &kept, map);
    }
    value_put(arena, given, "results", kept);
    if (has_some)
        value_add(arena, hidden, value_text("results"));
}

static void input_write(struct request *request, struct out *out, const struct run *run,
                        const struct value *input)
{
    struct redaction redaction = redact_payload(request->read.catalog, run);

    if (input != NULL)
        redact_out(out, "input", &redaction, &request->arena,
                   pack_value(&request->arena, input));
}

static void error_write(struct request *request, struct out *out, const struct run *run)
{
    struct value error;

    if (run->error.size > 0 && pack_read(&request->arena, run->error, &error, NULL))
        out_value(out, "error", &error);
}

static bool bundle_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct run_bundle *bundle = &request->command.run_bundle;
    const struct run *run = bundle->run;
    struct arena *arena = &request->arena;
    struct value given, hidden = value_list();
    struct out out = reply_out(request);

    (void)reader; /* it needs none */
    if (!pack_read(arena, bundle->given, &given, err))
        return false;
    if (redact_knows_secrets(request->read.catalog, run)) {
        part_hide(arena, &given, "state", &hidden);
        part_hide(arena, &given, "once", &hidden);
        results_hide(arena, &given, &hidden);
    }
    bytes_tag(arena, &given);
    out_map(&out, NULL);
    out_int(&out, "format", BUNDLE_FORMAT);
    out_id(&out, "run", "run", run->id);
    out_text(&out, "task", run->task);
    out_text(&out, "environment", slice_of(request->world->environment->name));
    out_text(&out, "version", run->version);
    out_text(&out, "build", run->build);
    input_write(request, &out, run, value_find(&given, "input"));
    value_remove(&given, SLICE("input"));
    for (uint32_t i = 0; i < given.count; i++)
        out_value(&out, arena_text(arena, given.members[i].key), &given.members[i].value);
    error_write(request, &out, run);
    out_value(&out, "hidden", &hidden);
    out_end_map(&out);
    return true;
}

/* A large state takes its time. */
static void bundle_done(struct request *request)
{
    request_check(request, bundle_work, reply_ok);
}

void run_bundle(struct request *request)
{
    struct run_bundle *bundle = &request->command.run_bundle;

    if (!request_id(request, "run", RUN_UNKNOWN, &bundle->run_id) ||
        !request_params(request, NULL))
        return;
    request->command.kind = COMMAND_RUN_BUNDLE;
    bundle->environment = request->world->environment->number;
    request_submit(request, bundle_done);
}
