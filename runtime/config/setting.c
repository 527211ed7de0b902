/* One setting: from the text of the file, or of the table's default, to a member of struct
 * config. */
#include "config/setting.h"

#include "base/duration.h"
#include "base/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOST_MAX_BYTES = 255, TEXT_MAX_BYTES = 1024 };

static const struct {
    const char *name;
    int64_t bytes;
} units[] = {
    { "B", 1 },
    { "KiB", INT64_C(1) << 10 },
    { "MiB", INT64_C(1) << 20 },
    { "GiB", INT64_C(1) << 30 },
    { "TiB", INT64_C(1) << 40 },
    { "kB", 1000 },
    { "KB", 1000 },
    { "MB", 1000000 },
    { "GB", 1000000000 },
    { "TB", INT64_C(1000000000000) },
};

static bool digits_take(struct slice *text, int64_t most, int64_t *number)
{
    size_t used = 0;

    *number = 0;
    for (; used < text->size && text->data[used] >= '0' && text->data[used] <= '9'; used++) {
        *number = *number * 10 + (text->data[used] - '0');
        if (*number > most)
            return false;
    }
    *text = (struct slice){ text->data + used, text->size - used };
    return used > 0;
}

bool bytes_parse(struct slice text, int64_t *bytes)
{
    int64_t number;

    if (!digits_take(&text, INT64_C(1) << 50, &number))
        return false;
    while (text.size > 0 && text.data[0] == ' ')
        text = (struct slice){ text.data + 1, text.size - 1 };
    *bytes = number;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (slice_is(text, units[i].name)) {
            if (number > (INT64_C(1) << 50) / units[i].bytes)
                return false;
            *bytes = number * units[i].bytes;
            return true;
        }
    return text.size == 0;
}

static struct slice bytes_format(struct arena *arena, int64_t bytes)
{
    for (size_t i = 4; i > 0; i--)
        if (bytes >= units[i].bytes && bytes % units[i].bytes == 0)
            return arena_format(arena, "%" PRId64 "%s", bytes / units[i].bytes, units[i].name);
    return arena_format(arena, "%" PRId64, bytes);
}

/* ---- what a setting accepts, in words ---------------------------------------------------- */

static struct slice range_wants(struct arena *arena, const struct setting *setting)
{
    char least[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];

    if (setting->kind == SETTING_DURATION)
        return arena_format(arena, "a duration like 30s or 5m, from %s to %s",
                            duration_format(setting->least, least),
                            duration_format(setting->most, most));
    if (setting->kind == SETTING_BYTES)
        return arena_format(arena, "a size like 64KiB or 4MiB, from %.*s to %.*s",
                            SLICE_ARG(bytes_format(arena, setting->least)),
                            SLICE_ARG(bytes_format(arena, setting->most)));
    return arena_format(arena, "%s from %" PRId64 " to %" PRId64,
                        setting->kind == SETTING_FACTOR ? "a number" : "a whole number",
                        setting->least, setting->most);
}

struct slice setting_wants(struct arena *arena, const struct setting *setting)
{
    switch (setting->kind) {
    case SETTING_TEXT:
        return SLICE("text");
    case SETTING_PATH:
        return SLICE("the name of a file or directory");
    case SETTING_LISTEN:
        return SLICE("an address like 127.0.0.1:8030, [::1]:8030 or 0.0.0.0:0");
    case SETTING_ORIGIN:
        return SLICE("a URL like https://bide.example.com");
    case SETTING_LEVEL:
        return SLICE("debug, info, warn or error");
    case SETTING_SLOTS:
        return arena_format(arena, "auto, or %.*s", SLICE_ARG(range_wants(arena, setting)));
    case SETTING_COUNT:
    case SETTING_BYTES:
    case SETTING_DURATION:
    case SETTING_FACTOR:
        break;
    }
    return range_wants(arena, setting);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void *member_at(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

static void text_set(struct config *config, const struct setting *setting, struct slice text)
{
    const char **member = member_at(config, setting);
    *member = arena_text(&config->arena, text);
}

/* host:port; an IPv6 address stands in brackets. */
static bool listen_set(struct config *config, struct slice text)
{
    size_t colon = text.size;
    int64_t port;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    struct slice host = { text.data, colon - 1 };
    struct slice rest = { text.data + colon, text.size - colon };
    if (!digits_take(&rest, UINT16_MAX, &port) || rest.size > 0)
        return false;
    bool is_bracketed = host.data[0] == '[' && host.data[host.size - 1] == ']';
    if (is_bracketed && host.size > 2)
        host = (struct slice){ host.data + 1, host.size - 2 };
    else if (memchr(host.data, ':', host.size) != NULL || is_bracketed)
        return false;
    if (host.size > HOST_MAX_BYTES || memchr(host.data, ' ', host.size) != NULL)
        return false;
    config->host = arena_text(&config->arena, host);
    config->port = (uint16_t)port;
    return true;
}

static bool origin_set(struct config *config, const struct setting *setting, struct slice text)
{
    size_t head = slice_starts(text, "https://") ? 8 : slice_starts(text, "http://") ? 7 : 0;

    while (text.size > head && text.data[text.size - 1] == '/')
        text.size--;
    if (head == 0 || text.size == head || strpbrk(text.data + head, " \"<>?#") != NULL)
        return false;
    text_set(config, setting, text);
    return true;
}

static bool level_set(struct config *config, const struct setting *setting, struct slice text)
{
    enum log_level level;

    if (!log_level_find(text.data, &level))
        return false;
    text_set(config, setting, text);
    return true;
}

static bool number_set(struct config *config, const struct setting *setting, int64_t number)
{
    if (number < setting->least || number > setting->most)
        return false;
    if (setting->kind == SETTING_COUNT || setting->kind == SETTING_SLOTS)
        *(uint32_t *)member_at(config, setting) = (uint32_t)number;
    else
        *(int64_t *)member_at(config, setting) = number;
    return true;
}

/*
 * Many times the processors: a segment mostly waits, for the commit behind a call or for what
 * it asked others for, and a slot that waits costs a process and no processor.
 */
static int64_t slots_auto(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 1 ? 16 : processors > 64 ? 1024 : processors * 16;
}

static bool amount_set(struct config *config, const struct setting *setting,
                       const struct node *node)
{
    int64_t number = 0;
    bool is_read = false;

    if (node->kind == VALUE_INT) {
        number = node->integer;
        is_read = true;
    } else if (node->kind == VALUE_STRING && setting->kind == SETTING_BYTES) {
        is_read = bytes_parse(node->text, &number);
    } else if (node->kind == VALUE_STRING && setting->kind == SETTING_DURATION) {
        is_read = duration_parse(node->text, &number);
    } else if (setting->kind == SETTING_SLOTS && slice_is(node->text, "auto")) {
        number = slots_auto();
        is_read = true;
    }
    return is_read && number_set(config, setting, number);
}

static bool factor_set(struct config *config, const struct setting *setting,
                       const struct node *node)
{
    double number = node->kind == VALUE_INT      ? (double)node->integer
                    : node->kind == VALUE_DOUBLE ? node->number
                                                 : NAN;

    if (!(number >= (double)setting->least && number <= (double)setting->most))
        return false;
    *(double *)member_at(config, setting) = number;
    return true;
}

struct slice path_join(struct arena *arena, struct slice base, struct slice path)
{
    if (path.data[0] == '/' || base.size == 0)
        return arena_copy(arena, path);
    return arena_format(arena, "%.*s%s%.*s", SLICE_ARG(base),
                        base.data[base.size - 1] == '/' ? "" : "/", SLICE_ARG(path));
}

static bool words_set(struct config *config, const struct setting *setting,
                      const struct node *node, struct slice base)
{
    struct slice text = node->text;

    if (node->kind != VALUE_STRING || text.size == 0 || text.size > TEXT_MAX_BYTES ||
        strlen(text.data) != text.size)
        return false;
    switch (setting->kind) {
    case SETTING_LISTEN:
        return listen_set(config, text);
    case SETTING_ORIGIN:
        return origin_set(config, setting, text);
    case SETTING_LEVEL:
        return level_set(config, setting, text);
    case SETTING_PATH:
        text = path_join(&config->arena, base, text);
        break;
    case SETTING_TEXT:
    case SETTING_COUNT:
    case SETTING_SLOTS:
    case SETTING_BYTES:
    case SETTING_DURATION:
    case SETTING_FACTOR:
        break;
    }
    text_set(config, setting, text);
    return true;
}

static bool setting_set(const struct setting *setting, const struct node *node,
                        struct config *config, struct slice base)
{
    switch (setting->kind) {
    case SETTING_COUNT:
    case SETTING_SLOTS:
    case SETTING_BYTES:
    case SETTING_DURATION:
        return amount_set(config, setting, node);
    case SETTING_FACTOR:
        return factor_set(config, setting, node);
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_LISTEN:
    case SETTING_ORIGIN:
    case SETTING_LEVEL:
        break;
    }
    return words_set(config, setting, node, base);
}

bool setting_read(const struct setting *setting, const struct node *node, struct config *config,
                  struct slice base, struct report *report)
{
    if (setting_set(setting, node, config, base))
        return true;
    struct value value = node_value(report->arena, node);
    return report_add(report, node->line, node->column, "%s%s%s must be %.*s, not %.*s",
                      setting->section == NULL ? "" : setting->section,
                      setting->section == NULL ? "" : ".", setting->name,
                      SLICE_ARG(setting_wants(report->arena, setting)),
                      SLICE_ARG(value_describe(report->arena, &value)));
}

void settings_init(struct config *config, struct slice base)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].standard == NULL)
            continue;
        struct node node = { .text = slice_of(settings[i].standard), .is_plain = true };
        scalar_resolve(&node);
        (void)setting_set(&settings[i], &node, config, base); /* a test tries each */
    }
}
