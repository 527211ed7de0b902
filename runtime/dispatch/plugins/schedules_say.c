/* What another schedules.yaml changes, a line a change, for who reads the log. */
#include "base/log.h"
#include "catalogs.h"
#include "codec/json.h"

enum { LINES_MOST = 20 };

static const struct config_schedule *find(const struct config_schedules *schedules,
                                          struct slice name)
{
    for (uint32_t i = 0; i < schedules->count; i++)
        if (slice_equal(schedules->items[i].name, name))
            return &schedules->items[i];
    return NULL;
}

/* As JSON; "-" where it says nothing but the usual. */
static struct slice word_text(struct arena *arena, const struct value *said, const char *key)
{
    const struct value *value = value_find(said, key);
    struct buffer out = { 0 };

    if (value == NULL)
        return SLICE("-");
    json_write(&out, value);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

static void words_say(struct arena *arena, uint32_t *lines,
                      const struct config_schedule *before, const struct config_schedule *after)
{
    struct value was =
        before == NULL ? value_map() : schedule_rules_value(arena, &before->rules);
    struct value is = after == NULL ? value_map() : schedule_rules_value(arena, &after->rules);

    for (int i = 0; i < SCHEDULE_WORDS; i++) {
        const char *key = schedule_words[i].key;
        struct slice from = word_text(arena, &was, key), to = word_text(arena, &is, key);
        if (!slice_equal(from, to) && (*lines)++ < LINES_MOST)
            log_info("schedules.changed", "schedule=%.*s %s %.*s -> %.*s",
                     SLICE_ARG((after == NULL ? before : after)->name), key, SLICE_ARG(from),
                     SLICE_ARG(to));
    }
}

void schedules_say(const struct config_schedules *before, const struct config_schedules *after)
{
    struct arena arena = { 0 };
    uint32_t lines = 0;

    for (uint32_t i = 0; i < after->count; i++)
        words_say(&arena, &lines, find(before, after->items[i].name), &after->items[i]);
    for (uint32_t i = 0; i < before->count; i++)
        if (find(after, before->items[i].name) == NULL)
            words_say(&arena, &lines, &before->items[i], NULL);
    if (lines > LINES_MOST)
        log_info("schedules.changed", "and more");
    arena_finish(&arena);
}
