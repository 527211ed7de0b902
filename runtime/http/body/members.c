#include "http/body/members.h"

#include "base/suggest.h"
#include "http/server/reply.h"

enum { SHOWN_MAX = 100 };

/* Text that came from anywhere as what a header may carry: percent-encoded as in a URL where it
 * must be, and `others`. */
static struct slice text_for_header(struct arena *arena, struct slice text, const char *others)
{
    struct buffer out = { 0 };

    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= ' ' && c < 0x7f && strchr(others, c) == NULL)
            buffer_byte(&out, (char)c);
        else
            buffer_format(&out, "%%%02X", c);
    }
    struct slice shown = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return shown;
}

static struct slice name_for_header(struct arena *arena, const char *where, struct slice name)
{
    bool is_long = name.size > SHOWN_MAX;

    name.size = is_long ? SHOWN_MAX : name.size;
    struct slice shown = text_for_header(arena, name, " ,%");
    return arena_format(arena, "%s%.*s%s", where, SLICE_ARG(shown), is_long ? "..." : "");
}

void unheard_warn(struct unheard *unheard, struct slice sentence)
{
    unheard->warning = arena_format(unheard->arena, "%.*s%s%.*s", SLICE_ARG(unheard->warning),
                                    unheard->warning.size > 0 ? "; " : "", SLICE_ARG(sentence));
}

static void unheard_add(struct unheard *unheard, const char *where, struct slice name,
                        const struct suggestion *near)
{
    struct arena *arena = unheard->arena;

    if (unheard->count++ >= UNHEARD_MAX) {
        if (unheard->count == UNHEARD_MAX + 1)
            unheard->names = arena_format(arena, "%.*s, ...", SLICE_ARG(unheard->names));
        return;
    }
    struct slice shown = name_for_header(arena, where, name);
    unheard->names = arena_format(arena, "%.*s%s%.*s", SLICE_ARG(unheard->names),
                                  unheard->names.size > 0 ? ", " : "", SLICE_ARG(shown));
    if (near != NULL && near->best.size > 0)
        unheard_warn(unheard, arena_format(arena, "%.*s is not known; did you mean %s%.*s?",
                                           SLICE_ARG(shown), where, SLICE_ARG(near->best)));
}

const char *unheard_text(const struct unheard *unheard)
{
    struct slice text =
        unheard->warning.size > 0
            ? unheard->warning
            : arena_format(unheard->arena, "%.*s is not known here", SLICE_ARG(unheard->names));
    return arena_text(unheard->arena, text);
}

void unheard_tell(struct request *request, const struct unheard *unheard)
{
    if (unheard->names.size > 0)
        reply_header(request, "x-bide-ignored", arena_text(&request->arena, unheard->names));
    if (unheard->warning.size > 0)
        reply_header(request, "x-bide-warning",
                     text_for_header(&request->arena, unheard->warning, "").data);
}

static const struct member_rule *rule_find(const struct member_rule *rules, struct slice name)
{
    for (; rules->name != NULL; rules++)
        if (slice_is(name, rules->name))
            return rules;
    return NULL;
}

bool member_is_known(const struct member_rule *rules, struct slice name)
{
    return rule_find(rules, name) != NULL;
}

static void unknown_add(const struct member_rule *rules, const char *where, struct slice name,
                        struct unheard *unheard)
{
    struct suggestion near;

    suggestion_init(&near, name);
    for (; rules->name != NULL; rules++)
        if (rules->kind == MEMBER_TAKEN)
            suggestion_offer(&near, slice_of(rules->name));
    unheard_add(unheard, where, name, &near);
}

bool members_check(const struct member_rule *rules, const char *where, const struct value *map,
                   struct unheard *unheard, struct err *err)
{
    if (map->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "The body must be an object, not %s%s",
                       value_kind_name(map->kind),
                       map->kind == VALUE_STRING ? "; is it sent as application/json?" : "");
    for (uint32_t i = 0; i < map->count; i++) {
        struct slice name = map->members[i].key;
        const struct member_rule *rule = rule_find(rules, name);
        if (rule == NULL) {
            unknown_add(rules, where, name, unheard);
            continue;
        }
        const struct value *value = &map->members[i].value;
        if (rule->kind < MEMBER_IGNORED || value->kind == VALUE_NULL ||
            (rule->kind < MEMBER_ELSEWHERE && value->kind == VALUE_BOOL && !value->boolean))
            continue;
        if (rule->kind == MEMBER_IGNORED)
            unheard_add(unheard, where, name, NULL);
        else
            return err_set(err, rule->kind == MEMBER_NOT_BUILT ? ERR_RULE : ERR_BAD_REQUEST,
                           "%s%s %s", where, rule->name, rule->text);
    }
    return true;
}

const char *const list_words[] = { NULL };

void params_check(const struct params *params, const char *const *names,
                  struct unheard *unheard)
{
    for (uint32_t i = 0; params != NULL && i < params->count; i++) {
        struct slice name = params->items[i].name;
        struct suggestion near;
        const char *const *known = names;
        suggestion_init(&near, name);
        for (; *known != NULL && !slice_is(name, *known); known++)
            suggestion_offer(&near, slice_of(*known));
        if (*known == NULL && (names != list_words || !member_is_filter(name)))
            unheard_add(unheard, "?", name, &near);
    }
}

bool body_data(const struct member_rule *rules, const struct value *body,
               const struct value **data, struct err *err)
{
    *data = value_find(body, "data");
    if (*data != NULL)
        return value_fits_depth(*data, VALUE_PAYLOAD_DEPTH) ||
               err_set(err, ERR_BAD_REQUEST, "The data is nested deeper than %d levels",
                       VALUE_PAYLOAD_DEPTH);
    for (uint32_t i = 0; i < body->count; i++)
        if (!member_is_known(rules, body->members[i].key))
            return err_set(err, ERR_BAD_REQUEST,
                           "The body has a member %.*s but no \"data\", which is what the run "
                           "would get; write {\"data\": {\"%.*s\": …}}",
                           SLICE_ARG(body->members[i].key), SLICE_ARG(body->members[i].key));
    return true;
}

bool body_text(struct request *request, const struct value *body, const char *name, size_t most,
               struct slice *text, struct err *err)
{
    const struct value *value = value_find(body, name);

    if (value == NULL || value->kind == VALUE_NULL)
        return true;
    if (value->kind != VALUE_STRING || value->bytes.size == 0 || value->bytes.size > most)
        return err_set(err, ERR_BAD_REQUEST, "%s must be a string of 1 to %zu bytes", name,
                       most);
    *text = arena_copy(&request->arena, value->bytes);
    return true;
}

struct slice by_or_key(struct request *request, struct slice by)
{
    return by.size > 0 ? by
                       : arena_format(&request->arena, "the key of %s",
                                      request->world->environment->name);
}

static bool tree_check(struct request *request, const struct member_rule *rules,
                       const struct value *body)
{
    struct unheard unheard = { .arena = &request->arena };
    struct err err = { 0 };

    if (!members_check(rules, "", body, &unheard, &err)) {
        reply_err(request, &err);
        return false;
    }
    params_check(request->params, (const char *const[]){ NULL }, &unheard);
    unheard_tell(request, &unheard);
    return true;
}

bool request_members(struct request *request, const struct member_rule *rules,
                     struct value *body)
{
    return request_json(request, body) && tree_check(request, rules, body);
}

bool request_members_kept(struct request *request, const struct member_rule *rules,
                          struct value *body)
{
    return request_json_in(request, &request->arena, body) && tree_check(request, rules, body);
}

bool request_params(struct request *request, const char *const *names)
{
    struct unheard unheard = { .arena = &request->arena };
    const struct params *params = request->params;
    struct err err = { 0 };

    for (uint32_t i = 0; params != NULL && i < params->count; i++)
        for (const char *const *known = names; *known != NULL; known++)
            if (slice_is(params->items[i].name, *known) &&
                !params_given(params->items[i].name, params->items[i].value, &err)) {
                reply_query_error(request, &err);
                return false;
            }
    params_check(params, names, &unheard);
    unheard_tell(request, &unheard);
    return true;
}

bool member_is_filter(struct slice name)
{
    return slice_starts(name, "filter") || slice_starts(name, "page");
}
