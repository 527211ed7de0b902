/* What people are shown of the plugins and the slots. */
#include "base/clock.h"
#include "dispatch/host.h"
#include "dispatch/processes/build.h"
#include "dispatch/segments/job.h"
#include "engine/builds/builds.h"

static const char *const state_words[] = {
    [BUILD_NEW] = "loading",           [BUILD_LOADING] = "loading", [BUILD_READY] = "loaded",
    [BUILD_RESTARTING] = "restarting", [BUILD_REFUSED] = "refused", [BUILD_RESTING] = "loaded"
};

static struct value task_list(struct arena *arena, const struct description *about)
{
    struct value list = value_list();

    for (uint32_t i = 0; i < about->task_count; i++)
        value_add(arena, &list, value_string(arena_copy(arena, about->tasks[i].id)));
    return list;
}

static struct value text_value(struct arena *arena, const char *text)
{
    return value_string(arena_copy(arena, slice_of(text)));
}

/* Tasks of this build that are not available though it is loaded: [{task, reason}]. */
static struct value refusing_list(struct arena *arena, const struct build *build)
{
    const struct catalog *catalog =
        build == NULL ? NULL : catalogs_newest(&build->dispatch->catalogs);
    struct value list = value_list();

    for (uint32_t i = 0; build != NULL && i < build->about.task_count; i++) {
        const struct catalog_task *task = catalog_task(catalog, build->about.tasks[i].id);
        struct value map = value_map();
        if (task == NULL || !task->is_refusing ||
            !slice_equal(task->build, (struct slice){ build->sha, 16 }))
            continue;
        value_put(arena, &map, "task", value_string(arena_copy(arena, task->id)));
        value_put(arena, &map, "reason", value_string(arena_copy(arena, task->reason)));
        value_add(arena, &list, map);
    }
    return list;
}

/* Those that start in this build. */
static struct value current_list(struct arena *arena, const struct build *build)
{
    struct value list = value_list();

    for (uint32_t i = 0; build != NULL && i < build->about.task_count; i++) {
        const struct catalog_task *task =
            catalog_task(catalogs_newest(&build->dispatch->catalogs), build->about.tasks[i].id);
        if (task != NULL && !task->is_refusing &&
            slice_equal(task->build, (struct slice){ build->sha, 16 }))
            value_add(arena, &list, value_string(arena_copy(arena, task->id)));
    }
    return list;
}

/* How many runs are locked to it, once they were counted, and how much of what starts takes it.
 */
static void kept_describe(struct arena *arena, struct value *map, const struct build *build)
{
    const struct kept *kept =
        build == NULL ? NULL : kept_find(build->dispatch, slice_of(build->sha));

    if (kept == NULL)
        return;
    if (kept->was_counted)
        value_put(arena, map, "runs", value_int(kept->runs));
    if (kept->row.ramp_percent > 0 && kept_is_current(kept)) {
        struct catalog_task task = { .ramp_percent = kept->row.ramp_percent,
                                     .ramp_from_ms = kept->row.ramp_from_ms,
                                     .ramp_ms = kept->row.ramp_ms };
        value_put(arena, map, "percent", value_int(ramp_share(&task, clock_now_ms()) / 100));
    }
}

static void build_describe(struct arena *arena, struct value *map, const struct build *build)
{
    const struct description empty = { 0 }, *about = build == NULL ? &empty : &build->about;
    struct slice id = { build == NULL ? "" : build->sha, build == NULL ? 0 : 16 };

    value_put(arena, map, "plugin", value_string(arena_copy(arena, about->plugin)));
    value_put(arena, map, "version", value_string(arena_copy(arena, about->version)));
    value_put(arena, map, "build", value_string(arena_copy(arena, id)));
    value_put(arena, map, "tasks", task_list(arena, about));
    value_put(arena, map, "current", current_list(arena, build));
    value_put(arena, map, "unavailable", refusing_list(arena, build));
    if (build != NULL && build_is_aside(build) && build->retry_ms != 0) {
        int64_t left_ms = build->retry_ms - dispatch_now(build->dispatch);
        value_put(arena, map, "nextTryInMs", value_int(left_ms > 0 ? left_ms : 0));
    }
    value_put(arena, map, "slots", value_int(build == NULL ? 0 : build->slot_count));
    kept_describe(arena, map, build);
}

static void entry_add(struct arena *arena, struct value *list, const char *file,
                      const struct build *build, const char *status, const char *reason)
{
    struct value map = value_map();

    value_put(arena, &map, "file", text_value(arena, file));
    value_put(arena, &map, "status", text_value(arena, status));
    value_put(arena, &map, "reason", text_value(arena, reason));
    build_describe(arena, &map, build);
    value_add(arena, list, map);
}

/* To the entry added last: of the file, and of its tasks. */
static void warning_put(struct arena *arena, struct value *list, const struct plugin_file *file)
{
    const struct build *build = file->build;
    struct slice text = arena_copy(arena, slice_of(file->warning));

    for (uint32_t i = 0; build != NULL && i < build->about.task_count; i++) {
        const struct catalog_task *task =
            catalog_task(catalogs_newest(&build->dispatch->catalogs), build->about.tasks[i].id);
        if (task != NULL && task->warning.size > 0 &&
            slice_equal(task->build, (struct slice){ build->sha, 16 }))
            text = arena_format(arena, "%.*s%stask %.*s: %.*s", SLICE_ARG(text),
                                text.size > 0 ? "; " : "", SLICE_ARG(task->id),
                                SLICE_ARG(task->warning));
    }
    value_put(arena, &list->items[list->count - 1], "warning", value_string(text));
}

/* A file is what its newest content is; what goes on with older content stands in a line of its
 * own. */
static void file_add(struct arena *arena, struct value *list, const struct plugin_file *file)
{
    const struct build *newest = file->candidate != NULL ? file->candidate : file->build;
    bool is_bad =
        file->kind == SEEN_BAD || file->kind == SEEN_FAILED || file->kind == SEEN_OVER;

    if (is_bad || (file->reason[0] != '\0' && file->confirm_ms == 0))
        entry_add(arena, list, file->name, is_bad ? NULL : newest, "refused", file->reason);
    else if (newest != NULL && build_is_aside(newest))
        entry_add(arena, list, file->name, newest, "refused", newest->reason);
    else if (newest == NULL || file->confirm_ms != 0)
        entry_add(arena, list, file->name, newest, "loading", "");
    else
        entry_add(arena, list, file->name, newest, state_words[newest->state], newest->reason);
    warning_put(arena, list, file);
    if (file->build != NULL && (is_bad || file->candidate != NULL))
        entry_add(arena, list, file->name, file->build, state_words[file->build->state],
                  "older content of this file");
}

/* One that only runs that are locked to it want, or a rollback. */
static void kept_entry(struct dispatch *dispatch, struct arena *arena, struct value *list,
                       const struct kept *kept)
{
    const struct kept *current = kept_current(dispatch, kept->row.file);
    const char *file = arena_text(arena, kept->row.file);
    struct slice aside = arena_format(arena, "cannot be loaded now: %s", kept->build->reason);

    if (build_is_aside(kept->build))
        entry_add(arena, list, file, kept->build, "aside", aside.data);
    else if (kept->row.note.size > 0)
        entry_add(arena, list, file, kept->build, "withdrawn",
                  arena_text(arena, kept->row.note));
    else if (kept->row.heir != 0)
        entry_add(arena, list, file, kept->build, "kept", "its runs go on in another build");
    else if (current != NULL && kept_before(dispatch, current) == kept)
        entry_add(arena, list, file, kept->build, "previous",
                  "what a rollback goes back to, and for runs that are locked to it");
    else
        entry_add(arena, list, file, kept->build, "kept", "for runs that are locked to it");
}

struct value dispatch_plugins(struct dispatch *dispatch, struct arena *arena)
{
    struct value list = value_list();

    LIST_EACH(&dispatch->watch.files, node, after)
    file_add(arena, &list, container_of(node, struct plugin_file, node));
    LIST_EACH(&dispatch->kept.all, other, next)
    {
        const struct kept *kept = container_of(other, struct kept, node);
        if (kept->build->rests)
            kept_entry(dispatch, arena, &list, kept);
    }
    LIST_EACH(&dispatch->builds, node, after)
    {
        const struct build *build = container_of(node, struct build, node);
        if (build->users == 0 && build->was_loaded)
            entry_add(arena, &list, build->name, build, "draining",
                      "finishes the runs that it has begun");
    }
    return list;
}

static void slots_count(const struct build *build, struct dispatch_stats *stats)
{
    LIST_EACH(&build->slots, node, after)
    {
        const struct slot *slot = container_of(node, struct slot, node);
        stats->busy += slot->job_count > 0;
        stats->idle += slot->job_count == 0 && slot->state == SLOT_LIVE;
    }
}

void dispatch_stats(const struct dispatch *dispatch, struct dispatch_stats *stats)
{
    *stats = (struct dispatch_stats){ .slots = dispatch->slot_count,
                                      .segments = dispatch->segments,
                                      .crashes = dispatch->crashes,
                                      .timeouts = dispatch->timeouts,
                                      .forks = dispatch->forks };
    LIST_EACH(&dispatch->builds, node, after)
    {
        const struct build *build = container_of(node, struct build, node);
        stats->builds += build->state != BUILD_REFUSED;
        slots_count(build, stats);
    }
    LIST_EACH(&dispatch->watch.files, node, after)
    stats->refused += container_of(node, struct plugin_file, node)->reason[0] != '\0';
}
