/* "debounce" in the options of a trigger. */
#include "base/duration.h"
#include "http/body/trigger_options.h"

static const char *const modes[] = {
    [DEBOUNCE_LEADING] = "leading", [DEBOUNCE_TRAILING] = "trailing", [DEBOUNCE_MERGE] = "merge"
};

static bool words_check(const struct value *map, struct err *err)
{
    static const char *const words[] = { "key", "delay", "mode", "maxDelay" };

    for (uint32_t i = 0; i < map->count; i++) {
        size_t at = 0;
        while (at < sizeof words / sizeof *words && !slice_is(map->members[i].key, words[at]))
            at++;
        if (at == sizeof words / sizeof *words)
            return err_set(err, ERR_BAD_REQUEST,
                           "debounce.%.*s is not known: key, delay, mode and maxDelay are",
                           SLICE_ARG(map->members[i].key));
        if (map->members[i].value.kind != VALUE_STRING)
            return err_set(err, ERR_BAD_REQUEST, "debounce.%s must be a string, not %s",
                           words[at], value_kind_name(map->members[i].value.kind));
    }
    return true;
}

static struct slice text_of(const struct value *map, const char *name)
{
    const struct value *value = value_find(map, name);

    return value == NULL ? (struct slice){ 0 } : value->bytes;
}

static void mode_read(struct slice word, struct debounce *debounce)
{
    unsigned at = 0;

    while (word.size > 0 && at < sizeof modes / sizeof *modes && !slice_is(word, modes[at]))
        at++;
    debounce->mode = at; /* one too many is none */
}

/* An hour and less of ten years: their sum is a time. */
static bool spans_read(const struct value *map, struct debounce *debounce, struct err *err)
{
    if (!duration_parse(text_of(map, "delay"), &debounce->delay_ms))
        debounce->delay_ms = 0;
    return value_find(map, "maxDelay") == NULL ||
           (duration_parse(text_of(map, "maxDelay"), &debounce->most_ms) &&
            debounce->most_ms > 0) ||
           err_set(err, ERR_BAD_REQUEST, "debounce.maxDelay must be a duration, like \"5m\"");
}

bool debounce_read(const struct value *options, struct trigger *trigger, struct err *err)
{
    const struct value *map = value_find(options, "debounce");
    struct debounce *debounce = &trigger->debounce;

    if (map == NULL || map->kind == VALUE_NULL)
        return true;
    if (map->kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "debounce must be an object, not %s",
                       value_kind_name(map->kind));
    if (!words_check(map, err))
        return false;
    debounce->key = text_of(map, "key");
    mode_read(text_of(map, "mode"), debounce);
    if (!spans_read(map, debounce, err) || !debounce_check(debounce, err))
        return false;
    if (trigger->due_ms != 0 || trigger->delay_ms != 0)
        return err_set(err, ERR_BAD_REQUEST,
                       "delay: a run that is debounced starts after debounce.delay; leave it "
                       "out");
    trigger->delay_ms = debounce->delay_ms;
    return true;
}
