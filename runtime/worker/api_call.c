/* The api: what the host must do before the segment goes on. */
#include "base/clock.h"
#include "base/id.h"
#include "codec/callback.h"
#include "codec/metadata.h"
#include "codec/pack.h"
#include "segment_run.h"

#include <string.h>

/* One more of what counts against limits.calls; `number`: of what the segment makes. */
static bool calls_fit(struct segment *segment, bool makes, uint32_t number)
{
    uint32_t counted = segment->made + segment->records;

    if (makes && number >= ID_BLOCK)
        return segment_raise(
            segment, false, "too_many_calls",
            "a segment makes at most %d tokens, child runs, batches and messages",
            ID_BLOCK - 1);
    return segment->limits->calls == 0 || counted <= segment->limits->calls ||
           segment_raise(segment, false, "too_many_calls",
                         "a segment makes at most %u tokens, child runs, batches, messages "
                         "and records",
                         segment->limits->calls);
}

bool segment_makes(struct segment *segment, int64_t *id)
{
    uint32_t number = ++segment->made;

    if (!hook_may(segment, "make anything"))
        return false;
    *id = segment->frame->id_block + number;
    return calls_fit(segment, true, number);
}

/* Number and write the call; 0 when it is over a limit, which is raised. */
static uint32_t call_write(struct segment *segment, enum call_kind kind, bool is_ahead,
                           const struct value *body)
{
    bool makes = kind == CALL_TOKEN || kind == CALL_TRIGGER || kind == CALL_SEND;
    uint32_t number = makes ? ++segment->made : ID_BLOCK + ++segment->asked;
    struct frame frame = { .kind = FRAME_CALL,
                           .call = { .run_id = segment->frame->run_id,
                                     .seq = segment->frame->seq,
                                     .call = number,
                                     .kind = kind,
                                     .is_ahead = is_ahead,
                                     .body = pack_value(&segment->arena, body) } };
    int64_t limit = segment->limits->payload_bytes;

    if (!hook_may(segment, "make anything, or ask for it"))
        return 0;
    segment->records += kind == CALL_ONCE;
    if (!channel_is_ours(segment->channel)) {
        segment_raise(segment, false, "forked",
                      "a process that the segment has forked cannot call bide");
        return 0;
    }
    if ((makes || kind == CALL_ONCE) && !calls_fit(segment, makes, number))
        return 0;
    if (limit > 0 && (int64_t)frame.call.body.size > limit + 65536) {
        segment_raise(segment, false, "payload_too_large",
                      "a call has %zu bytes, the limit of a payload is %lld",
                      frame.call.body.size, (long long)limit);
        return 0;
    }
    channel_write(segment->channel, &frame);
    return number;
}

bool segment_send(struct segment *segment, enum call_kind kind, const struct value *body,
                  int64_t *id)
{
    uint32_t number = call_write(segment, kind, true, body);

    *id = segment->frame->id_block + number;
    return number != 0;
}

bool segment_call(struct segment *segment, enum call_kind kind, const struct value *body,
                  struct value *reply)
{
    uint32_t number = call_write(segment, kind, false, body);
    struct frame frame;

    if (number == 0)
        return false;
    channel_reply(segment->channel, &segment->arena, &frame);
    if (frame.reply.call != number)
        channel_broken();
    if (frame.reply.error != ERR_OK) {
        bool passes = err_passes(frame.reply.error);
        if (frame.reply.error == ERR_DIFFERS)
            return segment_raise(segment, true, "calls_differ", "%.*s",
                                 SLICE_ARG(frame.reply.text));
        if (frame.reply.error == ERR_OTHER_PAYLOAD)
            return segment_raise(segment, false, "payload_differs", "%.*s",
                                 SLICE_ARG(frame.reply.text));
        if (frame.reply.error == ERR_FULL)
            return !segment->may_be_full &&
                   segment_raise(segment, true,
                                 kind == CALL_SEND ? "mailbox_full" : "queue_full", "%.*s",
                                 SLICE_ARG(frame.reply.text));
        return segment_raise(segment, passes, passes ? "host_failed" : "refused", "%.*s",
                             SLICE_ARG(frame.reply.text));
    }
    return pack_read(&segment->arena, frame.reply.body, reply, NULL) ||
           segment_raise(segment, true, "host_failed", "the host's answer cannot be read");
}

static void number_put(struct segment *segment, struct value *body, const char *key,
                       int64_t number)
{
    if (number != 0)
        value_put(&segment->arena, body, key, value_int(number));
}

bool name_take(struct segment *segment, enum name_kind kind, const char *name)
{
    struct err err;

    return name_check(kind, slice_of(name), &err) ||
           segment_raise(segment, false, utf8_is_valid(slice_of(name)) ? "refused" : "not_utf8",
                         "%s", err.text);
}

static bool text_put(struct segment *segment, struct value *body, const char *key,
                     const char *text)
{
    if (text == NULL || *text == '\0')
        return true;
    if (!utf8_is_valid(slice_of(text)))
        return segment_raise(segment, false, "not_utf8", "the %s is not UTF-8", key);
    value_put(&segment->arena, body, key, value_text(text));
    return true;
}

static bool tags_put(struct segment *segment, struct value *body, const char *const *tags)
{
    struct value list = value_list();

    for (; tags != NULL && *tags != NULL; tags++) {
        if (!name_take(segment, NAME_TAG, *tags))
            return false;
        value_add(&segment->arena, &list, value_text(*tags));
    }
    if (list.count == 0)
        return true;
    tags_sort(&list);
    value_put(&segment->arena, body, "tags", list);
    return true;
}

bool segment_key(struct segment *segment, const char *key, uint32_t scope, struct slice *text,
                 bool *is_global)
{
    struct arena *arena = &segment->arena;

    *text = slice_of(key);
    *is_global = scope == BIDE_SCOPE_ROOT || scope == BIDE_SCOPE_GLOBAL;
    if (!utf8_is_valid(*text))
        return segment_raise(segment, false, "not_utf8", "an idempotency key is not UTF-8");
    if (scope > BIDE_SCOPE_GLOBAL)
        return segment_raise(segment, false, "refused",
                             "the scope of idempotency key \"%s\" is %u, which is none", key,
                             scope);
    *text = scope == BIDE_SCOPE_ATTEMPT
                ? arena_format(arena, "%s" KEY_SCOPE_MARK "%u", key, segment->frame->attempt)
            : scope == BIDE_SCOPE_ROOT
                ? arena_format(arena, "%s" KEY_SCOPE_MARK "%s", key, segment->info.root_id)
                : arena_copy(arena, *text);
    return true;
}

/* What is shown is the key as it was given. */
static bool key_put(struct segment *segment, struct value *body, const char *key,
                    uint32_t scope, int64_t ttl_ms)
{
    struct arena *arena = &segment->arena;
    struct slice text;
    bool is_global;

    if (key == NULL || *key == '\0')
        return true;
    if (!segment_key(segment, key, scope, &text, &is_global))
        return false;
    value_put(arena, body, "key", value_string(text));
    value_put(arena, body, "key_text", value_text(key));
    number_put(segment, body, "key_global", is_global);
    number_put(segment, body, "key_ttl_ms", ttl_ms);
    return true;
}

static void made_number(const struct value *reply, int64_t *id)
{
    const struct value *value = value_find(reply, "id");

    *id = value != NULL && value->kind == VALUE_INT ? value->integer : 0;
}

/*
 * What cannot be refused by rules that only the engine knows need not be waited for: without a
 * key it is a new token for sure, and without a schema anything may be posted to it, also
 * before the engine knows it. When the segment runs again, it is compared with what was made.
 */
static bool goes_ahead(const struct segment *segment, const struct bide_token_opts *opts)
{
    return !segment->frame->is_rerun && segment->limits->origin != NULL &&
           segment->frame->key.size == CALLBACK_KEY_BYTES &&
           (opts->key == NULL || *opts->key == '\0') &&
           (opts->schema == NULL || *opts->schema == '\0');
}

static bool token_make(struct segment *segment, const struct bide_token_opts *opts,
                       const struct value *body, int64_t *id, struct slice *url)
{
    struct value reply;

    if (goes_ahead(segment, opts)) {
        if (!segment_send(segment, CALL_TOKEN, body, id))
            return false;
        *url = callback_url_of_key(&segment->arena, segment->limits->origin,
                                   (const uint8_t *)segment->frame->key.data, *id);
        return true;
    }
    if (!segment_call(segment, CALL_TOKEN, body, &reply))
        return false;
    const struct value *text = value_find(&reply, "url");
    if (text == NULL || text->kind != VALUE_STRING)
        return segment_raise(segment, true, "host_failed", "the host's answer has no URL");
    made_number(&reply, id);
    *url = text->bytes;
    return true;
}

void api_token_create(bide_task *t, const struct bide_token_opts *given, bide_token *token)
{
    struct segment *segment = segment_of(t);
    struct bide_token_opts opts = { 0 };
    struct value body = value_map();
    struct slice url = { 0 };
    int64_t id = 0;

    if (segment->is_raised)
        return;
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    number_put(segment, &body, "timeout_ms", opts.timeout_ms);
    number_put(segment, &body, "due_ms", opts.due_ms);
    if (!text_put(segment, &body, "schema", opts.schema) ||
        !tags_put(segment, &body, opts.tags) ||
        !key_put(segment, &body, opts.key, opts.key_scope, opts.key_ttl_ms) ||
        !token_make(segment, &opts, &body, &id, &url))
        return;
    if (url.size >= sizeof token->url) {
        segment_raise(
            segment, false, "url_too_long",
            "the token's URL is longer than %zu bytes: the server's origin is too long",
            sizeof token->url - 1);
        return;
    }
    token->id = id;
    memcpy(token->url, url.data, url.size);
    token->url[url.size] = '\0';
}

void api_token_close(bide_task *t, const bide_token *token)
{
    struct segment *segment = segment_of(t);
    struct value body = value_map(), reply;

    if (segment->is_raised || token->id == 0)
        return;
    number_put(segment, &body, "id", token->id);
    (void)segment_call(segment, CALL_CLOSE, &body, &reply); /* raised, where it fails */
}

static void settings_put(struct segment *segment, struct value *body,
                         const struct bide_trigger_opts *opts)
{
    number_put(segment, body, "delay_ms", opts->delay_ms);
    number_put(segment, body, "due_ms", opts->due_ms);
    number_put(segment, body, "ttl_ms", opts->ttl_ms);
    number_put(segment, body, "priority_ms", opts->priority_ms);
    number_put(segment, body, "limit_ms", opts->limit_ms);
    number_put(segment, body, "max_attempts", opts->max_attempts);
    number_put(segment, body, "max_attempts_total", opts->max_attempts_total);
    number_put(segment, body, "total_time_ms", opts->total_time_ms);
    number_put(segment, body, "cpu_ms", opts->cpu_ms);
    number_put(segment, body, "on_parent_end", opts->on_parent_end);
    number_put(segment, body, "cost", opts->cost);
    number_put(segment, body, "inherit_tags", opts->inherit_tags);
    number_put(segment, body, "debounce", opts->debounce);
    number_put(segment, body, "debounce_ms", opts->debounce_ms);
    number_put(segment, body, "debounce_most_ms", opts->debounce_most_ms);
    number_put(segment, body, "reuse", opts->reuse == 0 ? 0 : opts->reuse | BIDE_REUSE_NONE);
    if (opts->metadata != NULL && value_seen(opts->metadata)->kind == VALUE_MAP &&
        value_fits(segment, value_seen(opts->metadata), "the metadata of a child"))
        value_put(&segment->arena, body, "metadata", *value_seen(opts->metadata));
}

bool segment_trigger_body(struct segment *segment, const char *task, const bide_value *payload,
                          const struct bide_trigger_opts *given, struct value *body)
{
    struct bide_trigger_opts opts = { 0 };

    if (given != NULL)
        memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    settings_put(segment, body, &opts);
    segment->may_be_full = opts.may_be_full != 0;
    if (payload != NULL && value_fits(segment, value_seen(payload), "the payload of a child"))
        value_put(&segment->arena, body, "payload", *value_seen(payload));
    return !segment->is_raised && text_put(segment, body, "task", task) &&
           text_put(segment, body, "queue", opts.queue) &&
           text_put(segment, body, "concurrency_key", opts.concurrency_key) &&
           text_put(segment, body, "debounce_key", opts.debounce_key) &&
           tags_put(segment, body, opts.tags) &&
           key_put(segment, body, opts.key, opts.key_scope, opts.key_ttl_ms);
}

void api_trigger(bide_task *t, const char *task, const bide_value *payload,
                 const struct bide_trigger_opts *given, bide_run *run)
{
    struct segment *segment = segment_of(t);
    struct value body = value_map(), reply;

    if (!segment->is_raised && segment_trigger_body(segment, task, payload, given, &body) &&
        segment_call(segment, CALL_TRIGGER, &body, &reply))
        made_number(&reply, &run->id);
}

int64_t api_send(bide_task *t, const bide_run *run, const char *word, const bide_value *data,
                 const struct bide_send_opts *given)
{
    struct segment *segment = segment_of(t);
    struct bide_send_opts opts = { 0 };
    struct value body = value_map(), reply;
    int64_t number = 0;

    if (segment->is_raised || !name_take(segment, NAME_MESSAGE, word == NULL ? "" : word))
        return 0;
    if (given != NULL)
        memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    segment->may_be_full = opts.may_be_full != 0;
    if (data != NULL && value_fits(segment, value_seen(data), "the data of a message"))
        value_put(&segment->arena, &body, "data", *value_seen(data));
    if (opts.key != NULL && *opts.key != '\0' && name_take(segment, NAME_KEY, opts.key))
        value_put(&segment->arena, &body, "key", value_text(opts.key));
    value_put(&segment->arena, &body, "name", value_text(word));
    value_put(&segment->arena, &body, "run", value_int(run->id));
    if (!segment->is_raised && segment_call(segment, CALL_SEND, &body, &reply)) {
        const struct value *told = value_find(&reply, "number");
        number = told != NULL && told->kind == VALUE_INT ? told->integer : 0;
    }
    return number;
}

/* The next record may move the map: what is handed out stands elsewhere. */
static const bide_value *lend(struct segment *segment, struct value value)
{
    struct value *lent = ARENA_NEW(&segment->arena, struct value);

    *lent = value;
    return value_lent(lent);
}

/* Two acts of one name: the second would never run, and get what the first has returned. */
static bool record_is_new(struct segment *segment, const char *name)
{
    return value_find(&segment->used, name) == NULL ||
           segment_raise(segment, false, "name_used_twice",
                         "record \"%s\" is there already in this segment: each act needs a "
                         "name of its own, in a loop for example \"%s-2\"",
                         name, name);
}

static void record_use(struct segment *segment, const char *name)
{
    value_put_slice(&segment->arena, &segment->used,
                    arena_copy(&segment->arena, slice_of(name)), value_bool(true));
}

const bide_value *api_once_find(bide_task *t, const char *name)
{
    struct segment *segment = segment_of(t);
    const struct value *found;

    if (segment->is_raised || name == NULL ||
        !migrate_may(segment, "ask for what was recorded"))
        return NULL;
    found = value_find(&segment->once, name);
    if (found == NULL)
        return NULL;
    /* Given all the same: NULL would have bide_once() act. */
    if (record_is_new(segment, name))
        record_use(segment, name);
    return lend(segment, *found);
}

const bide_value *api_once_keep(bide_task *t, const char *name, const bide_value *value)
{
    struct segment *segment = segment_of(t);
    struct value body = value_map(), reply, kept = { .kind = VALUE_NULL };

    if (segment->is_raised)
        return NULL;
    if (!name_take(segment, NAME_RECORD, name))
        return NULL;
    if (!record_is_new(segment, name) ||
        (value != NULL && !value_fits(segment, value_seen(value), name)))
        return NULL;
    if (value != NULL)
        kept = value_copy(&segment->arena, value_seen(value));
    struct slice key = arena_copy(&segment->arena, slice_of(name));
    value_put(&segment->arena, &body, "name", value_string(key));
    value_put(&segment->arena, &body, "value", kept);
    if (!segment_call(segment, CALL_ONCE, &body, &reply))
        return NULL;
    value_put_slice(&segment->arena, &segment->once, key, kept);
    record_use(segment, name);
    return lend(segment, kept);
}
