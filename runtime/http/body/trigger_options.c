#include "trigger_options.h"

#include "base/duration.h"
#include "base/id.h"
#include "base/name.h"
#include "codec/metadata.h"
#include "codec/pack.h"
#include "http/body/span_option.h"
#include "http/server/body.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum {
    PRIORITY_MAX = INT32_MAX / 1000, /* seconds */
    TYPE_MAX = 256,
    VERSION_MAX = 128,
    TAGS_IN_MAX = 1000,
    TOTAL_MAX = 1000000
};

/* ---- one kind of value each; absent and null leave the target alone ------------------------
 */

static const struct value *option(const struct value *options, const char *name)
{
    const struct value *value = value_find(options, name);

    return value == NULL || value->kind == VALUE_NULL ? NULL : value;
}

static bool option_text(const struct value *options, const char *name, size_t most,
                        struct slice *text, struct err *err)
{
    const struct value *value = option(options, name);

    if (value == NULL)
        return true;
    if (value->kind != VALUE_STRING)
        return err_set(err, ERR_BAD_REQUEST, "%s must be a string, not %s", name,
                       value_kind_name(value->kind));
    if (value->bytes.size > most)
        return err_set(err, ERR_BAD_REQUEST, "%s is longer than %zu characters", name, most);
    *text = value->bytes;
    return true;
}

/* The length is the name's rule. */
static bool option_name(const struct value *options, const char *name, enum name_kind kind,
                        struct slice *text, struct err *err)
{
    return option_text(options, name, SIZE_MAX, text, err) &&
           (option(options, name) == NULL || name_check(kind, *text, err));
}

static bool option_number(const struct value *options, const char *name, double *number,
                          struct err *err)
{
    const struct value *value = option(options, name);

    if (value == NULL)
        return true;
    if (value->kind == VALUE_INT)
        *number = (double)value->integer;
    else if (value->kind == VALUE_UINT)
        *number = (double)value->big;
    else if (value->kind == VALUE_DOUBLE)
        *number = value->number;
    else
        return err_set(err, ERR_BAD_REQUEST, "%s must be a number, not %s", name,
                       value_kind_name(value->kind));
    return true;
}

struct range {
    const char *name;
    double least, most;
    bool is_whole;
};

/* Absent leaves *number alone. What is out of range is refused: a value that somebody wrote is
 * not turned into another. */
static bool option_in_range(const struct value *options, const struct range *range,
                            double *number, struct err *err)
{
    if (!option_number(options, range->name, number, err))
        return false;
    if (option(options, range->name) == NULL ||
        (*number >= range->least && *number <= range->most &&
         (!range->is_whole || *number == trunc(*number))))
        return true;
    return err_set(err, ERR_BAD_REQUEST, "%s must be a %snumber from %.15g to %.15g",
                   range->name, range->is_whole ? "whole " : "", range->least, range->most);
}

static bool option_when(const struct value *options, const char *name, int64_t *date_ms,
                        int64_t *span_ms, struct err *err)
{
    struct slice text = { 0 };

    if (!option_text(options, name, 100, &text, err))
        return false;
    return option(options, name) == NULL || when_read(text, date_ms, span_ms) ||
           err_set(err, ERR_BAD_REQUEST,
                   "%s must be a duration like \"1h30m\", at most 100 years, or a date like "
                   "\"2026-01-02T03:04:05Z\", up to the year 9999",
                   name);
}

/* ---- keys -------------------------------------------------------------------------------- */

bool key_ttl_read(struct slice text, int64_t *ttl_ms, struct err *err)
{
    char unit = text.size == 0 ? '\0' : text.data[text.size - 1];

    for (size_t i = 0; i + 1 < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            unit = '\0';
    if (text.size < 2 || (unit != 's' && unit != 'm' && unit != 'h' && unit != 'd') ||
        !duration_parse(text, ttl_ms))
        return err_set(
            err, ERR_BAD_REQUEST,
            "idempotencyKeyTTL must be a number and one of s, m, h, d, like \"24h\", at most "
            "100 years");
    if (*ttl_ms == 0)
        *ttl_ms = 1; /* 0 would be the default */
    return true;
}

bool key_ttl_check(struct slice key, int64_t ttl_ms, struct err *err)
{
    return ttl_ms == 0 || key.size > 0 ||
           err_set(err, ERR_BAD_REQUEST,
                   "idempotencyKeyTTL is how long an idempotencyKey holds, and none is given");
}

/* The client has hashed it into the key. */
static bool scope_check(const struct value *details, struct err *err)
{
    static const char *const scopes[] = { "run", "attempt", "root", "global" };
    struct slice scope = { 0 };

    if (!option_text(details, "scope", 100, &scope, err))
        return false;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
        if (option(details, "scope") == NULL || slice_is(scope, scopes[i]))
            return true;
    return err_set(err, ERR_BAD_REQUEST,
                   "idempotencyKeyOptions.scope must be \"run\", \"attempt\", \"root\" or "
                   "\"global\", not \"%.*s\"",
                   SLICE_ARG(scope));
}

bool key_reuse_check(struct slice key, uint32_t reuse, struct err *err)
{
    return reuse == 0 || key.size > 0 ||
           err_set(
               err, ERR_BAD_REQUEST,
               "reuse says for how long an idempotencyKey keeps its run, and none is given");
}

struct key_options {
    struct slice key, text;
    int64_t ttl_ms;
};

static bool key_options_read(const struct trigger_options_from *from,
                             const struct value *options, struct key_options *keys,
                             struct err *err)
{
    struct slice ttl = { 0 };
    const struct value *details = option(options, "idempotencyKeyOptions");

    if (!option_name(options, "idempotencyKey", NAME_KEY, &keys->key, err) ||
        !option_text(options, "idempotencyKeyTTL", 100, &ttl, err))
        return false;
    if (option(options, "idempotencyKeyTTL") != NULL && !key_ttl_read(ttl, &keys->ttl_ms, err))
        return false;
    /* The official client sends a hash, and beside it what its user wrote. */
    if (details != NULL && details->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "idempotencyKeyOptions must be an object, not %s",
                       value_kind_name(details->kind));
    if (details != NULL && (!option_name(details, "key", NAME_KEY, &keys->text, err) ||
                            !scope_check(details, err)))
        return false;
    keys->key = arena_copy(from->arena, keys->key);
    keys->text = arena_copy(from->arena, keys->text);
    return true;
}

static bool reuse_option(const struct value *options, uint32_t *reuse, struct err *err)
{
    const struct value *value = option(options, "reuse");

    if (value == NULL)
        return true;
    *reuse = REUSE_SAID;
    for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->count; i++) {
        uint32_t bit =
            value->items[i].kind == VALUE_STRING ? reuse_read(value->items[i].bytes) : 0;
        *reuse = bit == 0 ? 0 : *reuse | bit;
        if (bit == 0)
            break;
    }
    return (value->kind == VALUE_LIST && *reuse != 0) ||
           err_set(err, ERR_BAD_REQUEST,
                   "reuse must be a list of \"success\", \"canceled\", \"failed\" and "
                   "\"expired\"");
}

/* ---- tags -------------------------------------------------------------------------------- */

bool tags_read(const struct trigger_options_from *from, const struct value *options,
               struct slice *packed, struct err *err)
{
    const struct value *value = option(options, "tags"), *items = value;
    struct value tags = value_list();
    uint32_t given = 1;

    if (value == NULL)
        return true;
    if (value->kind == VALUE_LIST) {
        items = value->items;
        given = value->count;
    }
    if (given > TAGS_IN_MAX)
        return err_set(err, ERR_RULE, "at most %u tags are allowed, %u were given",
                       from->limits->tags, given);
    for (uint32_t i = 0; i < given; i++) {
        if (items[i].kind != VALUE_STRING)
            return err_set(err, ERR_BAD_REQUEST,
                           "tags must be a string or a list of strings, not %s",
                           value_kind_name(items[i].kind));
        if (items[i].bytes.size > from->limits->tag_bytes)
            return err_set(err, ERR_RULE, "a tag is longer than %u characters",
                           from->limits->tag_bytes);
        if (!name_check(NAME_TAG, items[i].bytes, err))
            return false;
        value_add(from->arena, &tags, items[i]);
    }
    if (given > from->limits->tags)
        return err_set(err, ERR_RULE, "at most %u tags are allowed, %u were given",
                       from->limits->tags, given);
    *packed = tags_pack(from->arena, &tags);
    return true;
}

/* ---- a run's ----------------------------------------------------------------------------- */

/* A string, {name}, or, as a client's slip makes it, {name: {name}}. */
static bool queue_read(const struct trigger_options_from *from, const struct value *options,
                       struct slice *name, struct err *err)
{
    const struct value *value = option(options, "queue");

    for (int depth = 0; depth < 2 && value != NULL && value->kind == VALUE_MAP; depth++)
        value = option(value, "name");
    if (value == NULL)
        return true;
    if (value->kind != VALUE_STRING)
        return err_set(err, ERR_BAD_REQUEST, "queue.name must be a string, not %s",
                       value_kind_name(value->kind));
    *name = arena_copy(from->arena, value->bytes);
    return name_check(NAME_QUEUE, *name, err);
}

static bool version_read(const struct trigger_options_from *from, const struct value *options,
                         struct slice *version, struct err *err)
{
    if (!option_text(options, "lockToVersion", VERSION_MAX, version, err))
        return false;
    *version = arena_copy(from->arena, *version);
    return true;
}

static bool superjson_read(struct arena *arena, struct slice text, struct value *value,
                           struct err *err)
{
    struct value whole;

    if (!posted_read(arena, text, &whole, err))
        return false;
    const struct value *json = value_find(&whole, "json");
    if (json == NULL)
        return err_set(err, ERR_BAD_REQUEST,
                       "what is of type application/super+json must be an object with a "
                       "member \"json\"");
    *value = *json;
    return true;
}

static bool metadata_read(const struct trigger_options_from *from, const struct value *options,
                          struct slice *packed, struct err *err)
{
    const struct value *value = option(options, "metadata");
    struct slice type = { 0 };
    struct value parsed;

    if (!option_text(options, "metadataType", TYPE_MAX, &type, err))
        return false;
    bool is_super = slice_is(type, "application/super+json");
    if (option(options, "metadataType") != NULL && !is_super &&
        !slice_is(type, "application/json"))
        return err_set(err, ERR_BAD_REQUEST,
                       "metadataType must be \"application/json\" or "
                       "\"application/super+json\"");
    if (value == NULL)
        return true;
    if (value->kind == VALUE_STRING) {
        if (!(is_super ? superjson_read(from->arena, value->bytes, &parsed, err)
                       : posted_read(from->arena, value->bytes, &parsed, err)))
            return false;
        value = &parsed;
    }
    if (value->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "metadata must be an object, not %s",
                       value_kind_name(value->kind));
    if (!value_fits_depth(value, VALUE_PAYLOAD_DEPTH))
        return err_set(err, ERR_BAD_REQUEST, "metadata is nested deeper than %d levels",
                       VALUE_PAYLOAD_DEPTH);
    if (value->count == 0)
        return true;
    for (uint32_t i = 0; i < value->count; i++)
        if (!name_check(NAME_METADATA, value->members[i].key, err))
            return false;
    *packed = pack_value(from->arena, value);
    return (int64_t)packed->size <= from->limits->metadata_bytes ||
           err_set(err, ERR_TOO_LARGE, "metadata has %zu bytes, %lld are allowed", packed->size,
                   (long long)from->limits->metadata_bytes);
}

static bool numbers_read(const struct trigger_options_from *from, const struct value *options,
                         struct trigger *trigger, struct err *err)
{
    const struct range priorities = { "priority", -(double)PRIORITY_MAX, PRIORITY_MAX, false };
    const struct range tries = { "maxAttempts", 1, from->limits->max_attempts, true };
    const struct range times = { "maxDuration", 0.001, (double)(DURATION_MAX_MS / 1000),
                                 false };
    const struct range totals = { "maxAttemptsTotal", 1, TOTAL_MAX, true };
    const struct range costs = { "cost", 1, RUN_COST_MOST, true };
    double priority = 0, attempts = 0, total = 0, duration = 0, cost = 0;

    if (!option_in_range(options, &priorities, &priority, err) ||
        !option_in_range(options, &tries, &attempts, err) ||
        !option_in_range(options, &totals, &total, err) ||
        !option_in_range(options, &times, &duration, err) ||
        !option_in_range(options, &costs, &cost, err))
        return false;
    trigger->cost = (uint32_t)cost;
    trigger->priority_ms = (int64_t)round(priority * 1000);
    trigger->has_priority = option(options, "priority") != NULL;
    trigger->max_attempts = (uint32_t)attempts;
    trigger->max_attempts_total = (uint32_t)total;
    trigger->limit_ms = (int64_t)round(duration * 1000);
    return total == 0 || total >= attempts ||
           err_set(err, ERR_BAD_REQUEST, "maxAttemptsTotal is below maxAttempts");
}

/* A flag that is none was meant to say something. */
static bool flag_read(const struct value *options, const char *name, bool *flag,
                      struct err *err)
{
    const struct value *value = option(options, name);

    if (value != NULL && value->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "%s must be true or false, not %s", name,
                       value_kind_name(value->kind));
    *flag = value != NULL && value->boolean;
    return true;
}

/* The run becomes a child of that one, with its keys global all the same. */
static bool parent_read(const struct value *options, struct trigger *trigger, struct err *err)
{
    struct slice parent = { 0 }, rule = { 0 };
    uint32_t word = CHILDREN_CANCEL;

    if (!option_text(options, "parentRunId", 100, &parent, err) ||
        !option_text(options, "onParentEnd", 100, &rule, err))
        return false;
    if (option(options, "parentRunId") != NULL && !id_parse("run", parent, &trigger->parent_id))
        return err_set(err, ERR_BAD_REQUEST,
                       "parentRunId must be the id of a run, \"run_...\"");
    trigger->is_outside = trigger->key_global = option(options, "parentRunId") != NULL;
    if (trigger->is_outside && trigger->parent_id == 0) /* which no run has */
        return err_set(err, ERR_RULE, "options.parentRunId is no run of this environment");
    if (!flag_read(options, "inheritTags", &trigger->inherits_tags, err))
        return false;
    if (trigger->inherits_tags && !trigger->is_outside)
        return err_set(err, ERR_BAD_REQUEST,
                       "inheritTags takes the tags of a parent, and no parentRunId is given");
    if (option(options, "onParentEnd") == NULL)
        return true;
    if (!trigger->is_outside)
        return err_set(err, ERR_BAD_REQUEST,
                       "onParentEnd says what becomes of a child, and no parentRunId is given");
    while (children_words[word] != NULL && !slice_is(rule, children_words[word]))
        word++;
    trigger->on_parent_end = word;
    return children_words[word] != NULL ||
           err_set(err, ERR_BAD_REQUEST,
                   "onParentEnd must be \"cancel\", \"abandon\" or \"wait\"");
}

bool trigger_options_read(const struct trigger_options_from *from, const struct value *options,
                          struct trigger *trigger, struct err *err)
{
    struct key_options keys = { 0 };

    if (options == NULL)
        return true;
    if (options->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "options must be an object, not %s",
                       value_kind_name(options->kind));
    if (!queue_read(from, options, &trigger->queue, err) ||
        !version_read(from, options, &trigger->version, err) ||
        !option_name(options, "concurrencyKey", NAME_LANE, &trigger->concurrency_key, err) ||
        !option_when(options, "delay", &trigger->due_ms, &trigger->delay_ms, err) ||
        !span_option(from->arena, options, "ttl", true, &trigger->ttl_ms, err) ||
        !span_option(from->arena, options, "totalTime", false, &trigger->total_ms, err) ||
        !span_option(from->arena, options, "cpuTime", false, &trigger->cpu_ms, err) ||
        !numbers_read(from, options, trigger, err) ||
        !flag_read(options, "test", &trigger->is_test, err) ||
        !tags_read(from, options, &trigger->tags, err) ||
        !metadata_read(from, options, &trigger->metadata, err) ||
        !key_options_read(from, options, &keys, err) ||
        !reuse_option(options, &trigger->reuse, err) || !parent_read(options, trigger, err) ||
        !debounce_read(options, trigger, err))
        return false;
    trigger->has_ttl = option(options, "ttl") != NULL;
    trigger->key = keys.key;
    trigger->key_text = keys.text;
    trigger->key_ttl_ms = keys.ttl_ms;
    return true;
}

/* ---- a token's --------------------------------------------------------------------------- */

bool token_options_read(const struct trigger_options_from *from, const struct value *options,
                        struct token_create *create, struct err *err)
{
    struct key_options keys = { 0 };

    if (options->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "the body must be an object, not %s",
                       value_kind_name(options->kind));
    if (!option_when(options, "timeout", &create->due_ms, &create->timeout_ms, err) ||
        !tags_read(from, options, &create->tags, err) ||
        !key_options_read(from, options, &keys, err))
        return false;
    create->key = keys.key;
    create->key_text = keys.text;
    create->key_ttl_ms = keys.ttl_ms;
    return true;
}

/* ---- payloads ---------------------------------------------------------------------------- */

bool payload_read(struct arena *arena, const struct value *payload, struct slice type,
                  struct value *value, struct err *err)
{
    *value = payload == NULL ? (struct value){ .kind = VALUE_NULL } : *payload;
    if (type.size == 0 || slice_is(type, "application/json") || payload == NULL)
        return true;
    if (slice_is(type, "application/store"))
        return err_set(
            err, ERR_BAD_REQUEST,
            "Payloads cannot be uploaded apart from their trigger here: send it inline, as "
            "payloadType \"application/json\"");
    if (!slice_is(type, "application/super+json") && !slice_is(type, "text/plain"))
        return err_set(
            err, ERR_BAD_REQUEST,
            "payloadType must be \"application/json\", \"application/super+json\" or "
            "\"text/plain\"");
    if (payload->kind != VALUE_STRING)
        return err_set(err, ERR_BAD_REQUEST, "a payload of type %.*s must be a string, not %s",
                       SLICE_ARG(type), value_kind_name(payload->kind));
    return slice_is(type, "text/plain") || superjson_read(arena, payload->bytes, value, err);
}
