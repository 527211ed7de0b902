/*
 * Scans: one pass over the plugin directory, on a thread of libuv's pool, since it reads and
 * copies files. New content is copied to <builds>/<sha256>.so, which is what nurseries load: a
 * path that never changes its content.
 */
#ifndef DISPATCH_SCAN_H
#define DISPATCH_SCAN_H

#include "base/arena.h"
#include "base/crypto.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SCAN_MAX_NAMES = 20000, /* of files; those above the limit are listed as refused */
    SCAN_MAX_FILE_BYTES = 256 << 20,
    SCAN_SETTLE_MS = 1000, /* a file younger than this may still be being written */
};

/* What tells one content of a file from the next without reading it. */
struct signature {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

enum seen_kind {
    SEEN_SAME,      /* as it was known */
    SEEN_COPIED,    /* new content, now in builds/ */
    SEEN_UNSETTLED, /* is not whole yet, or changes: look again soon */
    SEEN_BAD,       /* stays like this: `reason` */
    SEEN_OVER,      /* one too many: `reason` */
    SEEN_FAILED     /* the system refuses just now: `reason`; tried again with each scan */
};

/* One file that was known before, or is found now. */
struct seen {
    const char *name;
    struct signature signature;
    enum seen_kind kind;
    char sha[SHA256_HEX_SIZE];
    const char *reason;
    const char *warning; /* COPIED: empty: none */
    bool was_found;      /* of known files: it is still there */
};

struct scan {
    struct arena arena;
    const char *plugins, *builds;
    struct seen *known; /* in: what to compare with */
    uint32_t known_count;
    struct seen *files; /* out */
    uint32_t count, capacity;
    uint32_t limit;       /* of files that are looked into */
    bool is_cut;          /* there are more than SCAN_MAX_NAMES */
    uint64_t environment; /* out: changes when a schema, queues.yaml or schedules.yaml does */
    const char *schemas, *queues, *schedules;
    char problem[200]; /* why the directory cannot be read; empty: it can */
};

void scan_run(struct scan *scan);

/* Age in ms of the content by the system's clock; files from the future are old. */
int64_t signature_age_ms(const struct signature *signature);
bool signature_equal(const struct signature *a, const struct signature *b);

#endif
