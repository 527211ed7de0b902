#include "filter.h"

#include "base/duration.h"
#include "base/id.h"
#include "base/name.h"
#include "base/suggest.h"
#include "engine/rows/labels.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum { PAGE_SIZE = 25, PAGE_MAX = 100, PAGE_NUMBER_MAX = 1000000 };

/* clang-format off */
#define PAGE_WORDS                                                                              \
    "page[size]", "page[after]", "page[before]", "filter[createdAt][period]",                   \
    "filter[createdAt][from]", "filter[createdAt][to]"
/* clang-format on */

/* A cursor is the id of the row it stands behind, or before. */
static bool cursor_read(const struct params *params, const char *name, const char *prefix,
                        int64_t *id, struct err *err)
{
    struct slice text;

    return !params_find(params, name, &text) || (id_parse(prefix, text, id) && *id != 0) ||
           err_set(err, ERR_BAD_REQUEST, "%s is no cursor of this list", name);
}

bool filter_page_read(const struct filter_from *from, const char *prefix, uint32_t *limit,
                      int64_t *after, int64_t *before, struct err *err)
{
    int64_t size = PAGE_SIZE;

    if (!params_number(from->params, "page[size]", 1, PAGE_MAX, &size, err) ||
        !cursor_read(from->params, "page[after]", prefix, after, err) ||
        !cursor_read(from->params, "page[before]", prefix, before, err))
        return false;
    if (*after != 0 && *before != 0)
        return err_set(err, ERR_BAD_REQUEST,
                       "page[after] and page[before] ask for two pages; give one of them");
    *limit = (uint32_t)size;
    return true;
}

/* Milliseconds since 1970, or a date. */
static bool date_read(const struct params *params, const char *name, int64_t *at_ms,
                      struct err *err)
{
    struct slice text;

    if (!params_find(params, name, &text) || time_parse(text, at_ms))
        return true;
    return params_number(params, name, 0, INT64_C(1) << 52, at_ms, NULL) ||
           err_set(err, ERR_BAD_REQUEST, "%s must be a date or milliseconds since 1970", name);
}

static bool created_read(const struct filter_from *from, int64_t *from_ms, int64_t *to_ms,
                         struct err *err)
{
    struct slice period;
    int64_t duration_ms;

    if (params_find(from->params, "filter[createdAt][period]", &period)) {
        if (!duration_parse(period, &duration_ms))
            return err_set(
                err, ERR_BAD_REQUEST,
                "filter[createdAt][period] must be a duration like \"7d\", at most 100 "
                "years");
        *from_ms = from->now_ms - duration_ms;
    }
    return date_read(from->params, "filter[createdAt][from]", from_ms, err) &&
           date_read(from->params, "filter[createdAt][to]", to_ms, err);
}

static bool statuses_read(const struct filter_from *from, struct run_filter *filter,
                          struct err *err)
{
    struct slices words;

    if (!params_list(from->arena, from->params, "filter[status]", &words, err))
        return false;
    for (uint32_t i = 0; i < words.count; i++) {
        uint32_t at = filter->status_count;
        if (at == sizeof filter->statuses / sizeof filter->statuses[0])
            return err_set(err, ERR_BAD_REQUEST, "filter[status] names too many statuses");
        if (!run_status_find(words.items[i], &filter->statuses[at].status,
                             &filter->statuses[at].outcome))
            return err_set(err, ERR_BAD_REQUEST, "filter[status]: there is no status %.*s",
                           SLICE_ARG(words.items[i]));
        filter->status_count++;
    }
    return true;
}

/* One that ends in a bracket is the beginning of many. */
static bool word_is(struct slice name, const char *known)
{
    size_t size = strlen(known);

    return known[size - 1] == '[' ? name.size > size && memcmp(name.data, known, size) == 0
                                  : slice_is(name, known);
}

bool filter_words_check(const struct params *params, const char *const *known, struct err *err)
{
    for (uint32_t i = 0; params != NULL && i < params->count; i++) {
        struct slice name = params->items[i].name;
        struct suggestion near;
        const char *const *one = known;
        if (!member_is_filter(name))
            continue;
        suggestion_init(&near, name);
        for (; *one != NULL && !word_is(name, *one); one++)
            suggestion_offer(&near, slice_of(*one));
        if (*one == NULL)
            return err_set(err, ERR_BAD_REQUEST, "this list cannot be asked by %.*s%.*s%.*s%s",
                           SLICE_ARG(name), SUGGESTION_ARG(&near));
        if (!params_given(name, params->items[i].value, err))
            return false;
    }
    return true;
}

/* A name that nothing can have is a slip, not a list of nothing. */
static bool names_read(const struct filter_from *from, const char *name, enum name_kind kind,
                       struct slices *list, struct err *err)
{
    if (!params_list(from->arena, from->params, name, list, err))
        return false;
    for (uint32_t i = 0; i < list->count; i++)
        if (!name_check(kind, list->items[i], err))
            return false;
    return true;
}

/* A key sees one environment; naming others asks for what it cannot show. */
static bool environments_check(const struct filter_from *from, struct err *err)
{
    struct slices names;

    if (!params_list(from->arena, from->params, "filter[env]", &names, err))
        return false;
    for (uint32_t i = 0; i < names.count; i++)
        if (!slice_is(names.items[i], from->environment_name))
            return err_set(err, ERR_BAD_REQUEST,
                           "filter[env]: this key sees the environment %s only, not %.*s",
                           from->environment_name, SLICE_ARG(names.items[i]));
    return true;
}

#define MEMBER_WORD "filter[metadata]["

static bool members_read(const struct filter_from *from, struct run_filter *filter,
                         struct err *err)
{
    const size_t most = sizeof filter->members / sizeof filter->members[0];

    for (uint32_t i = 0; from->params != NULL && i < from->params->count; i++) {
        struct slice name = from->params->items[i].name, text = from->params->items[i].value;
        size_t begin = sizeof MEMBER_WORD - 1;
        if (!word_is(name, MEMBER_WORD))
            continue;
        struct slice key = { name.data + begin, name.size - begin - 1 };
        if (name.data[name.size - 1] != ']' || !name_check(NAME_METADATA, key, err))
            return err_set(err, ERR_BAD_REQUEST, "filter[metadata][KEY]: %.*s names no key",
                           SLICE_ARG(name));
        if (text.size > LABEL_BYTES)
            return err_set(err, ERR_BAD_REQUEST,
                           "%.*s: runs are found by values of at most %d bytes",
                           SLICE_ARG(name), LABEL_BYTES);
        if (filter->member_count == most)
            return err_set(err, ERR_BAD_REQUEST,
                           "filter[metadata] is given more than %zu times", most);
        filter->members[filter->member_count].key = key;
        filter->members[filter->member_count++].text = text;
    }
    return true;
}

/* Ids, or names. */
static bool schedules_read(const struct filter_from *from, struct run_filter *filter,
                           struct err *err)
{
    int64_t id;

    if (!names_read(from, "filter[schedule]", NAME_KEY, &filter->schedules, err))
        return false;
    for (uint32_t i = 0; i < filter->schedules.count; i++)
        if (slice_starts(filter->schedules.items[i], "sched_") &&
            !id_parse("sched", filter->schedules.items[i], &id))
            return err_set(err, ERR_BAD_REQUEST, "filter[schedule]: %.*s is no schedule's id",
                           SLICE_ARG(filter->schedules.items[i]));
    return true;
}

bool run_filter_read(const struct filter_from *from, struct run_filter *filter, struct err *err)
{
    static const char *const known[] = {
        PAGE_WORDS,    "filter[status]",     "filter[taskIdentifier]", "filter[version]",
        "filter[tag]", "filter[queue]",      "filter[isTest]",         "filter[env]",
        MEMBER_WORD,   "filter[bulkAction]", "filter[schedule]",       NULL
    };
    const struct params *params = from->params;
    struct slice text;

    *filter = (struct run_filter){ .environment = from->environment, .is_test = -1 };
    if (!filter_words_check(params, known, err) || !environments_check(from, err))
        return false;
    if (params_find(params, "filter[isTest]", &text)) {
        if (!slice_is(text, "true") && !slice_is(text, "false"))
            return err_set(err, ERR_BAD_REQUEST, "filter[isTest] must be true or false");
        filter->is_test = slice_is(text, "true");
    }
    if (params_find(params, "filter[bulkAction]", &text) &&
        !id_parse("bulk", text, &filter->bulk))
        return err_set(err, ERR_BAD_REQUEST,
                       "filter[bulkAction] must be the id of a bulk action");
    return filter_page_read(from, "run", &filter->limit, &filter->after, &filter->before,
                            err) &&
           statuses_read(from, filter, err) &&
           created_read(from, &filter->from_ms, &filter->to_ms, err) &&
           names_read(from, "filter[taskIdentifier]", NAME_ASKED, &filter->tasks, err) &&
           params_list(from->arena, params, "filter[version]", &filter->versions, err) &&
           names_read(from, "filter[tag]", NAME_TAG, &filter->tags, err) &&
           members_read(from, filter, err) &&
           names_read(from, "filter[queue]", NAME_QUEUE, &filter->queues, err) &&
           schedules_read(from, filter, err);
}

static bool token_statuses_read(const struct filter_from *from, uint32_t *statuses,
                                struct err *err)
{
    struct slices words;

    if (!params_list(from->arena, from->params, "filter[status]", &words, err))
        return false;
    for (uint32_t i = 0; i < words.count; i++) {
        if (slice_is(words.items[i], "WAITING"))
            *statuses |= 1u << WAITPOINT_PENDING;
        else if (slice_is(words.items[i], "COMPLETED"))
            *statuses |= 1u << WAITPOINT_COMPLETED | 1u << WAITPOINT_CANCELLED;
        else if (slice_is(words.items[i], "TIMED_OUT"))
            *statuses |= 1u << WAITPOINT_TIMED_OUT;
        else if (slice_is(words.items[i], "CANCELED")) /* ours: the client knows three */
            *statuses |= 1u << WAITPOINT_CANCELLED;
        else
            return err_set(err, ERR_BAD_REQUEST, "filter[status]: there is no status %.*s",
                           SLICE_ARG(words.items[i]));
    }
    return true;
}

bool token_filter_read(const struct filter_from *from, struct token_filter *filter,
                       struct err *err)
{
    static const char *const known[] = { PAGE_WORDS, "filter[status]", "filter[tags]",
                                         "filter[idempotencyKey]", NULL };

    *filter = (struct token_filter){ .environment = from->environment };
    if (!filter_words_check(from->params, known, err))
        return false;
    if (params_find(from->params, "filter[idempotencyKey]", &filter->key_text) &&
        !name_check(NAME_KEY, filter->key_text, err))
        return false;
    return filter_page_read(from, "waitpoint", &filter->limit, &filter->after, &filter->before,
                            err) &&
           token_statuses_read(from, &filter->statuses, err) &&
           created_read(from, &filter->from_ms, &filter->to_ms, err) &&
           names_read(from, "filter[tags]", NAME_TAG, &filter->tags, err);
}

bool pages_read(struct request *request, int64_t usual, int64_t *page, int64_t *per_page)
{
    static const char *const known[] = { "page", "perPage", NULL };
    struct err err = { 0 };

    *page = 1;
    *per_page = usual;
    if (!request_params(request, known))
        return false;
    if (filter_words_check(request->params, known, &err) &&
        params_number(request->params, "page", 1, PAGE_NUMBER_MAX, page, &err) &&
        params_number(request->params, "perPage", 1, PAGE_MAX, per_page, &err))
        return true;
    reply_query_error(request, &err);
    return false;
}

void pages_write(struct out *out, int64_t page, int64_t per_page, int64_t total)
{
    out_map(out, "pagination");
    out_int(out, "currentPage", page);
    out_int(out, "totalPages", (total + per_page - 1) / per_page);
    out_int(out, "count", total);
    out_end_map(out);
}
