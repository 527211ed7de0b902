/* What is changed of a run that is there: its metadata, its tags, when it starts. */
#include "base/name.h"
#include "codec/pack.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/body/trigger_options.h"
#include "http/server/reply.h"

enum { OPERATIONS_MAX = 1000 };

static bool edit_begin(struct request *request, const struct member_rule *members,
                       struct value *body)
{
    struct run_edit *edit = &request->command.run_edit;

    if (!request_id(request, "run", RUN_UNKNOWN, &edit->id) ||
        !request_members(request, members, body))
        return false;
    request->command.kind = COMMAND_RUN_EDIT;
    edit->environment = request->world->environment->number;
    return true;
}

static void edit_submit(struct request *request, const struct err *err,
                        void (*done)(struct request *request))
{
    if (err->code == ERR_OK)
        request_submit(request, done);
    else
        reply_err(request, err);
}

/* ---- metadata ---------------------------------------------------------------------------- */

static const char *const meta_words[META_KIND_COUNT] = {
    [META_SET] = "set",       [META_DELETE] = "delete",       [META_REMOVE] = "remove",
    [META_APPEND] = "append", [META_INCREMENT] = "increment", [META_UPDATE] = "update",
};

static const char *const list_words_of[META_WHOSE_COUNT] = {
    [META_OWN] = "operations",
    [META_OF_PARENT] = "parentOperations",
    [META_OF_ROOT] = "rootOperations",
};

static const struct member_rule metadata_members[] = {
    { "metadata", MEMBER_TAKEN, NULL },       { "metadataType", MEMBER_SILENT, NULL },
    { "operations", MEMBER_TAKEN, NULL },     { "parentOperations", MEMBER_TAKEN, NULL },
    { "rootOperations", MEMBER_TAKEN, NULL }, { NULL, MEMBER_TAKEN, NULL },
};

/* Clients in a language with prototypes would change more than they mean to. */
static bool key_is_safe(struct slice key)
{
    static const char *const words[] = { "__proto__", "constructor", "prototype" };
    bool is_path = key.size > 1 && key.data[0] == '$' && key.data[1] == '.';

    for (size_t from = is_path ? 2 : 0; from <= key.size;) {
        size_t to = from;
        while (to < key.size && !(is_path && (key.data[to] == '.' || key.data[to] == '[')))
            to++;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (slice_is((struct slice){ key.data + from, to - from }, words[i]))
                return false;
        from = to + 1;
    }
    return true;
}

static bool operation_read(struct request *request, const char *list, uint32_t at,
                           const struct value *item, struct frame_meta *operation,
                           struct err *err)
{
    const struct value *type = value_find(item, "type"), *key = value_find(item, "key");
    const struct value *value = value_find(item, "value");
    uint32_t kind = 0;

    while (kind < META_KIND_COUNT &&
           (meta_words[kind] == NULL || type == NULL || type->kind != VALUE_STRING ||
            !slice_is(type->bytes, meta_words[kind])))
        kind++;
    if (kind == META_KIND_COUNT)
        return err_set(err, ERR_BAD_REQUEST,
                       "%s/%u/type must be \"set\", \"delete\", \"append\", \"remove\", "
                       "\"increment\" or \"update\"",
                       list, at);
    if (kind != META_UPDATE && (key == NULL || key->kind != VALUE_STRING))
        return err_set(err, ERR_BAD_REQUEST, "%s/%u/key must be a string", list, at);
    if (kind != META_UPDATE &&
        (!name_check(NAME_METADATA, key->bytes, err) || !key_is_safe(key->bytes)))
        return err_set(err, ERR_BAD_REQUEST, "%s/%u/key is none that metadata may have", list,
                       at);
    if (kind != META_DELETE && value == NULL)
        return err_set(err, ERR_BAD_REQUEST, "%s/%u/value is missing", list, at);
    if (kind == META_INCREMENT && value->kind != VALUE_INT && value->kind != VALUE_DOUBLE)
        return err_set(err, ERR_BAD_REQUEST, "%s/%u/value must be a number", list, at);
    if (value != NULL && !value_fits_depth(value, VALUE_PAYLOAD_DEPTH))
        return err_set(err, ERR_BAD_REQUEST, "%s/%u/value is nested deeper than %d levels",
                       list, at, VALUE_PAYLOAD_DEPTH);
    operation->kind |= kind;
    if (kind != META_UPDATE)
        operation->key = arena_copy(&request->arena, key->bytes);
    if (kind != META_DELETE)
        operation->value = pack_value(&request->arena, value);
    return true;
}

static bool operations_read(struct request *request, const struct value *body,
                            struct run_edit *edit, struct err *err)
{
    uint32_t total = 0;

    for (uint32_t whose = 0; whose < META_WHOSE_COUNT; whose++) {
        const struct value *list = value_find(body, list_words_of[whose]);
        if (list != NULL && list->kind != VALUE_LIST)
            return err_set(err, ERR_BAD_REQUEST, "%s must be a list, not %s",
                           list_words_of[whose], value_kind_name(list->kind));
        total += list == NULL ? 0 : list->count;
    }
    if (total > OPERATIONS_MAX)
        return err_set(err, ERR_BAD_REQUEST, "at most %d operations are taken at once, not %u",
                       OPERATIONS_MAX, total);
    edit->operations = ARENA_ARRAY(&request->arena, struct frame_meta, total + 1);
    for (uint32_t whose = 0; whose < META_WHOSE_COUNT; whose++) {
        const struct value *list = value_find(body, list_words_of[whose]);
        for (uint32_t i = 0; list != NULL && i < list->count; i++) {
            struct frame_meta *next = &edit->operations[edit->count];
            next->kind = whose << META_WHOSE_AT;
            if (!operation_read(request, list_words_of[whose], i, &list->items[i], next, err))
                return false;
            edit->count++;
        }
    }
    return true;
}

/* All of it; operations of the run's own go before. */
static bool whole_read(struct request *request, const struct value *whole,
                       struct run_edit *edit, struct err *err)
{
    if (whole == NULL || edit->count > 0)
        return true;
    if (whole->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "metadata must be an object, not %s",
                       value_kind_name(whole->kind));
    if (!value_fits_depth(whole, VALUE_PAYLOAD_DEPTH))
        return err_set(err, ERR_BAD_REQUEST, "metadata is nested deeper than %d levels",
                       VALUE_PAYLOAD_DEPTH);
    for (uint32_t i = 0; i < whole->count; i++)
        if (!name_check(NAME_METADATA, whole->members[i].key, err))
            return false;
    edit->operations[edit->count++] =
        (struct frame_meta){ .kind = META_UPDATE, .value = pack_value(&request->arena, whole) };
    return true;
}

static void metadata_write(struct request *request, struct slice metadata)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    if (metadata.size > 0) {
        out_packed(&out, "metadata", metadata);
    } else {
        out_map(&out, "metadata");
        out_end_map(&out);
    }
    out_end_map(&out);
}

static void metadata_done(struct request *request)
{
    metadata_write(request, request->command.run_edit.metadata);
    reply_send(request, HTTP_OK);
}

void run_metadata_edit(struct request *request)
{
    struct run_edit *edit = &request->command.run_edit;
    struct err err = { 0 };
    struct value body;

    if (!edit_begin(request, metadata_members, &body))
        return;
    if (operations_read(request, &body, edit, &err) &&
        whole_read(request, value_find(&body, "metadata"), edit, &err) && edit->count == 0)
        err_set(
            &err, ERR_BAD_REQUEST,
            "give \"operations\", \"parentOperations\", \"rootOperations\" or \"metadata\"");
    edit_submit(request, &err, metadata_done);
}

static bool metadata_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const int64_t *id = request->view;
    struct run *run;

    if (!reader->reader->ops->run(reader->reader, &request->arena,
                                  request->world->environment->number, *id, 0, &run, err))
        return false;
    if (run == NULL)
        return err_set(err, ERR_NOT_FOUND, RUN_UNKNOWN);
    metadata_write(request, run->metadata);
    return true;
}

void run_metadata_show(struct request *request)
{
    int64_t *id = ARENA_NEW(&request->arena, int64_t);

    request->view = id;
    if (request_id(request, "run", RUN_UNKNOWN, id) && request_params(request, NULL))
        request_read(request, metadata_work, reply_ok);
}

/* ---- tags -------------------------------------------------------------------------------- */

static const struct member_rule tags_members[] = {
    { "tags", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static void tags_done(struct request *request)
{
    uint32_t count = request->command.run_edit.new_tags;
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_text(&out, "message",
             count == 0
                 ? SLICE("No new tags to add")
                 : arena_format(&request->arena, "Successfully set %u new tags.", count));
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static bool new_tags_read(struct request *request, const struct value *body,
                          struct run_edit *edit, struct err *err)
{
    struct trigger_options_from from = { &request->arena, &request->http->config->limits };
    struct slice packed = { 0 };
    struct value list;

    if (value_find(body, "tags") == NULL)
        return err_set(err, ERR_BAD_REQUEST, "tags is missing");
    if (!tags_read(&from, body, &packed, err))
        return false;
    if (packed.size == 0 || !pack_read(&request->arena, packed, &list, err))
        return packed.size == 0;
    edit->operations = ARENA_ARRAY(&request->arena, struct frame_meta, list.count);
    for (; edit->count < list.count; edit->count++)
        edit->operations[edit->count] =
            (struct frame_meta){ .kind = META_TAG, .key = list.items[edit->count].bytes };
    return true;
}

void run_tags_add(struct request *request)
{
    struct err err = { 0 };
    struct value body;

    if (!edit_begin(request, tags_members, &body))
        return;
    (void)new_tags_read(request, &body, &request->command.run_edit, &err); /* err says it */
    edit_submit(request, &err, tags_done);
}

/* ---- reschedule -------------------------------------------------------------------------- */

static const struct member_rule reschedule_members[] = {
    { "delay", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static void reschedule_done(struct request *request)
{
    run_show_now(request, request->command.run_edit.id);
}

void run_reschedule(struct request *request)
{
    struct run_edit *edit = &request->command.run_edit;
    struct err err = { 0 };
    struct value body;

    if (!edit_begin(request, reschedule_members, &body))
        return;
    const struct value *delay = value_find(&body, "delay");
    if (delay == NULL || delay->kind != VALUE_STRING ||
        !when_read(delay->bytes, &edit->due_ms, &edit->delay_ms))
        err_set(&err, ERR_BAD_REQUEST,
                "Invalid delay: it must be a duration like \"1h30m\", or a date");
    edit->moves = true;
    edit_submit(request, &err, reschedule_done);
}
