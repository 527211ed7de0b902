/* One setting: from the text of the file, or of the schema's default, to a member of struct
 * config. */
#include "config/setting.h"

#include "base/duration.h"

#include <math.h>
#include <unistd.h>

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

/* ---- where it is ------------------------------------------------------------------------- */

const struct node *setting_find(const struct node *root, const struct setting *setting)
{
    const struct entry *entry = NULL;

    if (setting->section != NULL) {
        entry = node_find(root, setting->section);
        root = entry == NULL ? NULL : &entry->node;
    }
    entry = node_find(root, setting->name);
    return entry == NULL ? NULL : &entry->node;
}

static const struct node *property_schema(const struct node *schema, const char *name)
{
    const struct entry *properties = node_find(schema, "properties");
    const struct entry *entry = properties == NULL ? NULL : node_find(&properties->node, name);

    return entry == NULL ? NULL : &entry->node;
}

const struct node *setting_schema(const struct node *schema, const struct setting *setting)
{
    if (setting->section != NULL)
        schema = property_schema(schema, setting->section);
    return schema == NULL ? NULL : property_schema(schema, setting->name);
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

/* host:port; an IPv6 address stands in brackets. The schema has seen to the rest. */
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
    if (host.size > 2 && host.data[0] == '[')
        host = (struct slice){ host.data + 1, host.size - 2 };
    config->host = arena_text(&config->arena, host);
    config->port = (uint16_t)port;
    return true;
}

static bool origin_set(struct config *config, const struct setting *setting, struct slice text)
{
    while (text.size > 0 && text.data[text.size - 1] == '/')
        text.size--;
    text_set(config, setting, text);
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

/* 5.0 is a whole number, too, for JSON Schema. */
static bool amount_read(const struct setting *setting, const struct node *node, int64_t *number)
{
    if (node->kind == VALUE_INT) {
        *number = node->integer;
        return true;
    }
    if (node->kind == VALUE_DOUBLE && fabs(node->number) < 0x1p53) {
        *number = (int64_t)node->number;
        return (double)*number == node->number;
    }
    if (node->kind != VALUE_STRING)
        return false;
    if (setting->kind == SETTING_BYTES)
        return bytes_parse(node->text, number);
    if (setting->kind == SETTING_DURATION)
        return duration_parse(node->text, number);
    *number = slots_auto();
    return setting->kind == SETTING_SLOTS;
}

/* The schema has compared it with its range, which a test has compared with the member. */
static bool amount_set(struct config *config, const struct setting *setting,
                       const struct node *node)
{
    int64_t number;

    if (!amount_read(setting, node, &number))
        return false;
    if (setting->kind == SETTING_COUNT || setting->kind == SETTING_SLOTS)
        *(uint32_t *)member_at(config, setting) = (uint32_t)number;
    else
        *(int64_t *)member_at(config, setting) = number;
    return true;
}

static bool factor_set(struct config *config, const struct setting *setting,
                       const struct node *node)
{
    *(double *)member_at(config, setting) =
        node->kind == VALUE_INT ? (double)node->integer : node->number;
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
    if (setting->kind == SETTING_LISTEN)
        return listen_set(config, node->text);
    if (setting->kind == SETTING_ORIGIN)
        return origin_set(config, setting, node->text);
    text_set(config, setting,
             setting->kind == SETTING_PATH ? path_join(&config->arena, base, node->text)
                                           : node->text);
    return true;
}

static bool paths_set(struct config *config, const struct setting *setting,
                      const struct node *node, struct slice base)
{
    const struct node *items = node->kind == VALUE_LIST ? node->items : node;
    uint32_t count = node->kind == VALUE_LIST ? node->count : 1;
    const char **paths = ARENA_ARRAY(&config->arena, const char *, (size_t)count + 1);

    for (uint32_t i = 0; i < count; i++)
        paths[i] = path_join(&config->arena, base, items[i].text).data;
    *(const char ***)member_at(config, setting) = paths;
    return true;
}

bool setting_read(const struct setting *setting, const struct node *node, struct config *config,
                  struct slice base)
{
    switch (setting->kind) {
    case SETTING_COUNT:
    case SETTING_SLOTS:
    case SETTING_BYTES:
    case SETTING_DURATION:
        return amount_set(config, setting, node);
    case SETTING_FACTOR:
        return factor_set(config, setting, node);
    case SETTING_REFUSE:
        *(bool *)member_at(config, setting) = slice_is(node->text, "refuse");
        return true;
    case SETTING_PATHS:
        return paths_set(config, setting, node, base);
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_LISTEN:
    case SETTING_ORIGIN:
        break;
    }
    return words_set(config, setting, node, base);
}

void settings_init(struct config *config, const struct node *schema, struct slice base)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct entry *standard =
            node_find(setting_schema(schema, &settings[i]), "default");
        if (standard != NULL)
            (void)setting_read(&settings[i], &standard->node, config, base); /* a test tries */
    }
}

/* ---- the file as a value ----------------------------------------------------------------- */

static struct value *member_of(struct value *map, const char *key)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->count; i++)
        if (slice_is(map->members[i].key, key))
            return &map->members[i].value;
    return NULL;
}

struct value settings_value(struct arena *arena, const struct node *root)
{
    struct value value = node_value(arena, root);

    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        const struct node *node = setting_find(root, setting);
        struct value *map =
            setting->section == NULL ? &value : member_of(&value, setting->section);
        int64_t number;
        if (node == NULL || node->kind != VALUE_STRING ||
            (setting->kind != SETTING_BYTES && setting->kind != SETTING_DURATION) ||
            !amount_read(setting, node, &number))
            continue;
        *member_of(map, setting->name) = value_int(number);
    }
    return value;
}
