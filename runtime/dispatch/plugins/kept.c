#include "kept.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "dispatch/host.h"
#include "dispatch/processes/build.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kept *kept_find(struct dispatch *dispatch, struct slice build)
{
    LIST_EACH(&dispatch->kept.all, node, after)
    {
        struct kept *kept = container_of(node, struct kept, node);
        if (build.size >= 16 && build.size <= kept->row.sha.size &&
            memcmp(kept->row.sha.data, build.data, build.size) == 0)
            return kept;
    }
    return NULL;
}

static struct kept *highest(struct dispatch *dispatch, struct slice file,
                            const struct kept *below)
{
    struct kept *best = NULL;

    LIST_EACH(&dispatch->kept.all, node, after)
    {
        struct kept *kept = container_of(node, struct kept, node);
        if (slice_equal(kept->row.file, file) && kept->row.rank_ms > 0 &&
            (below == NULL || kept->row.rank_ms < below->row.rank_ms) &&
            (best == NULL || kept->row.rank_ms > best->row.rank_ms))
            best = kept;
    }
    return best;
}

struct kept *kept_current(struct dispatch *dispatch, struct slice file)
{
    return highest(dispatch, file, NULL);
}

struct kept *kept_before(struct dispatch *dispatch, const struct kept *current)
{
    return highest(dispatch, current->row.file, current);
}

bool kept_is_current(const struct kept *kept)
{
    return kept->row.rank_ms > 0 &&
           highest(kept->build->dispatch, kept->row.file, NULL) == kept;
}

int64_t kept_rank_next(struct dispatch *dispatch)
{
    int64_t rank_ms = clock_now_ms();

    LIST_EACH(&dispatch->kept.all, node, after)
    {
        const struct kept *kept = container_of(node, struct kept, node);
        if (kept->row.rank_ms >= rank_ms)
            rank_ms = kept->row.rank_ms + 1;
    }
    return rank_ms;
}

/* ---- rows -------------------------------------------------------------------------------- */

static void row_take(struct kept *kept, const struct build_row *row)
{
    struct arena old = kept->arena;

    kept->arena = (struct arena){ 0 };
    kept->row = *(const struct build_row *)row_copy(ROW_BUILD, &kept->arena, &row->row, 0);
    kept->row.row = (struct row){ 0 };
    arena_finish(&old);
}

static struct kept *kept_add(struct dispatch *dispatch, const struct build_row *row,
                             struct build *build)
{
    struct kept *kept = memory_zeroed(1, sizeof *kept);

    row_take(kept, row);
    kept->build = build;
    build->users++;
    list_push(&dispatch->kept.all, &kept->node);
    return kept;
}

static void kept_drop(struct kept *kept)
{
    list_remove(&kept->node);
    plugin_file_drop_build(&kept->build);
    arena_finish(&kept->arena);
    free(kept);
}

void kept_write(struct dispatch *dispatch, const struct build_row *row)
{
    struct outgoing *outgoing = outgoing_take(dispatch, COMMAND_BUILDS_PUT);

    outgoing->command.builds_put.items =
        (const struct build_row *)row_copy(ROW_BUILD, &outgoing->arena, &row->row, 0);
    outgoing->command.builds_put.count = 1;
    outgoing_submit(outgoing);
}

void kept_apply(struct dispatch *dispatch, const struct build_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct kept *kept = kept_find(dispatch, rows[i].sha);
        if (kept == NULL)
            continue;
        row_take(kept, &rows[i]);
        kept->build->starts = kept->build->crashes = 0;
        if (rows[i].row.is_deleted)
            kept_drop(kept);
    }
    kept_settle(dispatch);
    kept_walk_want(dispatch);
}

bool kept_is_full(const struct dispatch *dispatch)
{
    uint32_t count = 0;

    LIST_EACH(&dispatch->kept.all, node, after)
    count++;
    return dispatch->config->limits.builds != 0 && count >= dispatch->config->limits.builds;
}

void kept_retire(struct dispatch *dispatch, struct kept *kept)
{
    struct build_row gone = kept->row;

    log_info("build.retired", "file=%.*s plugin=%.*s version=%.*s build=%.16s",
             SLICE_ARG(kept->row.file), SLICE_ARG(kept->row.plugin),
             SLICE_ARG(kept->row.version), kept->build->sha);
    gone.row.is_deleted = true;
    kept_write(dispatch, &gone);
    kept_drop(kept);
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        const struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (file->candidate != NULL && file->candidate->state == BUILD_READY)
            watch_settled(dispatch, file->candidate); /* there is room for it now */
    }
}

/* ---- files ------------------------------------------------------------------------------- */

static bool is_of_a_file(const struct build *build)
{
    LIST_EACH(&build->dispatch->watch.files, node, after)
    {
        const struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (file->build == build || file->candidate == build)
            return true;
    }
    return false;
}

void kept_settle(struct dispatch *dispatch)
{
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        struct plugin_file *file = container_of(node, struct plugin_file, node);
        struct kept *current = kept_current(dispatch, slice_of(file->name));
        struct build *build = current == NULL ? NULL : current->build;
        if (build == NULL || build == file->build || file->kind == SEEN_OVER)
            continue;
        build->users++;
        plugin_file_drop_build(&file->build);
        file->build = build;
    }
    LIST_EACH(&dispatch->kept.all, other, next)
    {
        const struct kept *kept = container_of(other, struct kept, node);
        kept->build->rests = !is_of_a_file(kept->build);
    }
    dispatch_stir(dispatch);
    catalogs_want(dispatch);
}

void kept_loaded(struct dispatch *dispatch, const struct plugin_file *file, struct build *build,
                 bool is_drop)
{
    struct slice sha = slice_of(build->sha);
    struct kept *kept = kept_find(dispatch, sha);

    LIST_EACH(&dispatch->kept.all, node, after)
    {
        struct kept *other = container_of(node, struct kept, node);
        if (other != kept && other->row.in_file && slice_is(other->row.file, file->name)) {
            other->row.in_file = false;
            kept_write(dispatch, &other->row);
        }
    }
    bool was_here = kept != NULL && kept->row.in_file && slice_is(kept->row.file, file->name);
    if (kept == NULL) {
        struct build_row row = { .id = build_row_id(sha),
                                 .sha = sha,
                                 .file = slice_of(file->name),
                                 .plugin = build->about.plugin,
                                 .version = build->about.version,
                                 .about = build->about.packed,
                                 .created_ms = clock_now_ms() };
        kept = kept_add(dispatch, &row, build);
    }
    if (!was_here || is_drop) {
        struct build_row row = kept->row;
        row.file = slice_of(file->name);
        row.in_file = true;
        row.rank_ms = kept_rank_next(dispatch);
        row.heir = 0;
        row.ramp_percent = 0;
        row.note = (struct slice){ 0 };
        row_take(kept, &row);
        build->starts = build->crashes = 0;
        kept_write(dispatch, &kept->row);
    }
    kept->is_leaving = false;
    kept_settle(dispatch);
    kept_walk_want(dispatch);
}

void kept_file_gone(struct dispatch *dispatch, const char *file)
{
    LIST_EACH(&dispatch->kept.all, node, after)
    {
        struct kept *kept = container_of(node, struct kept, node);
        if (!slice_is(kept->row.file, file) || (!kept->row.in_file && kept->row.rank_ms == 0))
            continue;
        kept->row.in_file = false;
        kept->row.rank_ms = 0;
        kept_write(dispatch, &kept->row);
    }
    kept_settle(dispatch);
    kept_walk_want(dispatch);
}

bool kept_has_file(const struct kept *kept)
{
    LIST_EACH(&kept->build->dispatch->watch.files, node, after)
    if (slice_is(kept->row.file, container_of(node, struct plugin_file, node)->name))
        return true;
    return false;
}

void kept_check_files(struct dispatch *dispatch)
{
    LIST_EACH(&dispatch->kept.all, node, after)
    {
        struct kept *kept = container_of(node, struct kept, node);
        if (kept->row.rank_ms == 0 || kept_has_file(kept))
            continue;
        log_info("plugin.removed", "file=%.*s (while the server was down)",
                 SLICE_ARG(kept->row.file));
        kept_file_gone(dispatch, arena_text(&kept->arena, kept->row.file));
    }
    kept_settle(dispatch);
}

/* ---- its life ---------------------------------------------------------------------------- */

static void row_restore(struct dispatch *dispatch, const struct build_row *row)
{
    char sha[SHA256_HEX_SIZE] = "";
    struct err err = { 0 };

    if (row->sha.size != sizeof sha - 1)
        return;
    memcpy(sha, row->sha.data, row->sha.size);
    struct build *build =
        build_create(dispatch, sha, arena_text(&dispatch->arena, row->file), watch_settled);
    if (access(build->path, R_OK) != 0) {
        log_error("build.lost",
                  "plugin=%.*s version=%.*s build=%.16s is not in %s any more: runs that are "
                  "locked to it go on in the current build",
                  SLICE_ARG(row->plugin), SLICE_ARG(row->version), sha, dispatch->builds_path);
        struct build_row gone = *row;
        gone.row = (struct row){ .is_deleted = true };
        kept_write(dispatch, &gone);
        return; /* nobody uses it: it goes with the first turn */
    }
    build_rest(build, row->about, &err); /* or it is loaded, and says so itself */
    (void)kept_add(dispatch, row, build);
}

/* Copies that no row names: of files that were never loaded, or of a build that has gone. */
static void copies_sweep(struct dispatch *dispatch)
{
    DIR *directory = opendir(dispatch->builds_path);

    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        size_t size = strlen(entry->d_name);
        bool is_copy = size == SHA256_HEX_SIZE - 1 + 3;
        if (is_copy ? kept_find(dispatch, (struct slice){ entry->d_name, size - 3 }) == NULL
                    : strncmp(entry->d_name, ".copy-", 6) == 0)
            (void)unlinkat(dirfd(directory), entry->d_name, 0); /* harmless when it stays */
    }
    (void)closedir(directory); /* was only read */
}

bool kept_load(struct dispatch *dispatch, struct err *err)
{
    struct store *store = dispatch->options.store;
    struct kept_builds *all = &dispatch->kept;
    struct build_row **rows = NULL;
    struct arena arena = { 0 };
    uint32_t count = 0;
    bool done = true;

    if (store != NULL && store->ops->reader_open != NULL) {
        all->reader = store->ops->reader_open(store, err);
        done = all->reader != NULL &&
               all->reader->ops->builds(all->reader, &arena, &rows, &count, err);
    }
    for (uint32_t i = 0; done && i < count; i++)
        row_restore(dispatch, rows[i]);
    arena_finish(&arena);
    arena_reset(&dispatch->arena);
    if (done)
        copies_sweep(dispatch);
    kept_walk_want(dispatch);
    return done;
}

void kept_stop(struct dispatch *dispatch)
{
    LIST_EACH(&dispatch->kept.all, node, after)
    kept_drop(container_of(node, struct kept, node));
    if (dispatch->kept.page != NULL)
        (void)uv_cancel((uv_req_t *)&dispatch->kept.work); /* or it ends soon */
}

void kept_finish(struct dispatch *dispatch)
{
    if (dispatch->kept.reader != NULL)
        dispatch->kept.reader->ops->close(dispatch->kept.reader);
}
