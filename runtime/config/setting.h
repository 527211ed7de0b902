/* Settings: the table of everything bide.yaml may say, and how one of them is read. Internal to
 * config/. */
#ifndef SETTING_H
#define SETTING_H

#include "config/config.h"
#include "schema/document.h"

enum setting_kind {
    SETTING_TEXT,
    SETTING_PATH,     /* relative to the directory that config_load says */
    SETTING_LISTEN,   /* host:port, two members */
    SETTING_ORIGIN,   /* http:// or https://, without a path's last slash */
    SETTING_LEVEL,    /* a log level */
    SETTING_COUNT,    /* uint32_t */
    SETTING_SLOTS,    /* uint32_t, or "auto": by the machine's processors */
    SETTING_BYTES,    /* int64_t: 4MiB or a plain number */
    SETTING_DURATION, /* int64_t milliseconds: 5m or a plain number */
    SETTING_FACTOR,   /* double */
};

struct setting {
    const char *section; /* NULL: at the top level */
    const char *name;
    enum setting_kind kind;
    size_t offset;        /* in struct config */
    const char *standard; /* as one would write it; NULL: none */
    int64_t least, most;  /* in the unit of the kind */
    const char *help;
};

extern const struct setting settings[];
extern const size_t setting_count;

/* Read `node` into config; complains and returns false. `base`: where relative paths begin. */
bool setting_read(const struct setting *setting, const struct node *node, struct config *config,
                  struct slice base, struct report *report);
/* Put every default in. */
void settings_init(struct config *config, struct slice base);

/* "4MiB", "1 GB", "4096" or 4096. */
bool bytes_parse(struct slice text, int64_t *bytes);
/* "a duration like 5m, from 1s to 1h" */
struct slice setting_wants(struct arena *arena, const struct setting *setting);

/* [a-z][a-z0-9-]*, at most ENVIRONMENT_NAME_MAX. */
bool environment_name_is_valid(struct slice name);
void environments_read(const struct entry *entry, struct config *config, struct slice base,
                       struct report *report);
struct slice path_join(struct arena *arena, struct slice base, struct slice path);

#endif
