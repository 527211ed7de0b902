/* Settings: the keys of bide.yaml, and how each becomes a member of struct config. Internal to
 * config/. */
#ifndef SETTING_H
#define SETTING_H

#include "config/config.h"
#include "schema/document/document.h"

enum setting_kind {
    SETTING_TEXT,
    SETTING_PATH,     /* relative to the directory that config_load says */
    SETTING_PATHS,    /* one or a list of them; an array that ends with NULL */
    SETTING_LISTEN,   /* host:port, two members */
    SETTING_ORIGIN,   /* kept without its last slashes */
    SETTING_COUNT,    /* uint32_t */
    SETTING_SLOTS,    /* uint32_t, or "auto": by the machine's processors */
    SETTING_BYTES,    /* int64_t: 4MiB or a plain number */
    SETTING_DURATION, /* int64_t milliseconds: 5m or a plain number */
    SETTING_FACTOR,   /* double */
    SETTING_REFUSE,   /* bool: the word is "refuse" */
};

struct setting {
    const char *section; /* NULL: at the top level */
    const char *name;
    enum setting_kind kind;
    size_t offset; /* in struct config */
};

extern const struct setting settings[];
extern const size_t setting_count;

/* What the file says, or the schema: "default" and the like are below it. NULL: nothing. */
const struct node *setting_find(const struct node *root, const struct setting *setting);
const struct node *setting_schema(const struct node *schema, const struct setting *setting);

/* Read `node`, which fits its schema, into config. False: no number comes of its text. `base`:
 * where relative paths begin. */
bool setting_read(const struct setting *setting, const struct node *node, struct config *config,
                  struct slice base);
/* Put every default of the schema in. */
void settings_init(struct config *config, const struct node *schema, struct slice base);
/* The file as a value, with sizes and durations as numbers, which have ranges. */
struct value settings_value(struct arena *arena, const struct node *root);

/* "4MiB", "1 GB", "4096" or 4096. */
bool bytes_parse(struct slice text, int64_t *bytes);

void environments_read(const struct node *map, struct config *config, struct slice base,
                       struct report *report);
struct slice path_join(struct arena *arena, struct slice base, struct slice path);

#endif
