/*
 * Plugins: what a shared object offers, checked and copied.
 *
 * Nothing that a plugin says is used as it stands: plugin_check() walks it once, with the sizes
 * that the plugin gives for its own rows, and makes the host's copies. Offsets lie inside the
 * state, kinds are known, names are unique, counts are bounded; who reads a struct plugin need
 * not ask again.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "base/arena.h"
#include "base/err.h"

#include <bide/bide.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PLUGIN_MAX_TASKS = 256,
    PLUGIN_MAX_SEGMENTS = 256,
    PLUGIN_MAX_FIELDS = 256, /* of one struct */
    PLUGIN_MAX_RENAMES = 256,
    PLUGIN_MAX_NESTING = 8,       /* structs in structs */
    PLUGIN_MAX_NAME = 128,        /* bytes of any name */
    PLUGIN_MAX_INITIAL = 4096,    /* bytes of what a field begins with */
    PLUGIN_MAX_TRIES = 1000,      /* of one compensation */
    PLUGIN_MAX_STATES = 20,       /* save points of a run that are kept */
    PLUGIN_MAX_GRACE_MS = 600000, /* as workers.grace in bide.yaml */
    PLUGIN_MAX_STATE = 16 << 20   /* bytes of the state struct */
};

struct plugin_field {
    struct slice name;
    uint32_t offset, size;    /* in the struct it belongs to */
    uint32_t kind, item_kind; /* enum bide_field_kind */
    uint32_t capacity, item_size, item_capacity;
    const struct plugin_struct *inner; /* STRUCT, LIST of STRUCT; else NULL */
    const struct value *initial;       /* what it begins with; NULL: zero */
};

struct plugin_struct {
    uint32_t size;
    uint32_t field_count;
    struct plugin_field *fields;
    bool has_initial; /* some field of it, or inside of one, does not begin with zero */
};

struct plugin_segment {
    struct slice name;
    bide_segment_fn run;
};

struct plugin_rename {
    struct slice old_name, new_name;
};

struct plugin_task {
    struct slice id, input_schema, queue; /* empty: not said */
    uint32_t max_attempts, max_attempts_total, on_exhausted;
    struct bide_retry_policy retry_of[4]; /* user, crash, timeout, upstream */
    uint32_t retry_from;
    int64_t retry_min_ms, retry_max_ms;
    double retry_factor;
    int64_t limit_ms, cpu_ms, total_ms, grace_ms;
    uint32_t children, abort_attempts, keep_states;
    bide_hook_fn on_start, on_suspend, on_resume, on_success, on_failure, on_cancel, cleanup;
    struct plugin_struct state;
    struct plugin_segment *segments; /* the entry first */
    uint32_t segment_count;
    struct plugin_rename *renames;
    uint32_t rename_count;
    bide_migrate_fn migrate; /* NULL: none */
};

struct plugin {
    struct slice name, version;
    uint32_t abi_major, abi_minor;
    struct plugin_task *tasks;
    uint32_t task_count;
};

/*
 * Look at a file without running anything of it: is it a shared object for this machine that
 * exports bide_plugin_describe? Errors (PLUGIN) say what it is instead.
 */
bool plugin_probe(const char *path, struct err *err);

/* Probe, load for good, describe and check. Runs the plugin's constructors: in a child only.
 * The copies live in `arena`. Errors: PLUGIN. */
bool plugin_load(struct arena *arena, const char *path, struct plugin *plugin, struct err *err);

/* Check what a plugin says of itself and copy it. Errors (PLUGIN) name the task and the field.
 */
bool plugin_check(struct arena *arena, const struct bide_plugin *about, struct plugin *plugin,
                  struct err *err);

/* By id; NULL when the plugin has none of that id. */
const struct plugin_task *plugin_task_find(const struct plugin *plugin, struct slice id);

/* By its name, or by one it had before; an empty name is the entry. NULL: none. */
const struct plugin_segment *plugin_segment_find(const struct plugin_task *task,
                                                 struct slice name);
/* The one that a plugin named by its function; NULL when it is not listed. */
const struct plugin_segment *plugin_segment_of(const struct plugin_task *task,
                                               bide_segment_fn run);

/* "STR", "LIST"; "?" for a number that is none. */
const char *plugin_kind_name(uint32_t kind);

#endif
