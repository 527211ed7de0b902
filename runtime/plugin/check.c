/*
 * Checking: from what a plugin says of itself to copies that can be trusted.
 *
 * Rows are found by the size that the plugin gives for them. A struct that grows here after 1.0
 * is copied as far as the plugin has it, zeroes for what is missing. Pointers are checked for
 * NULL only: one that leads nowhere crashes this process, which is a nursery, and the host
 * reports just that.
 */
#include "plugin/check.h"

#include "base/duration.h"
#include "base/name.h"

#include <inttypes.h>
#include <string.h>

static const char magic[8] = BIDE_MAGIC;

/* ---- names ------------------------------------------------------------------------------- */

static bool text_is_good(struct slice text)
{
    if (text.size == 0 || text.size > PLUGIN_MAX_NAME)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < ' ' || (unsigned char)text.data[i] > '~')
            return false;
    return true;
}

/* ---- tasks ------------------------------------------------------------------------------- */

static bool check_segments(struct checking *checking, const struct bide_task_def *def,
                           struct plugin_task *task)
{
    const char *rows = (const char *)def->segments;

    task->segments = ARENA_ARRAY(checking->arena, struct plugin_segment, PLUGIN_MAX_SEGMENTS);
    for (uint32_t i = 0;; i++) {
        struct bide_segment row = { 0 };
        memcpy(&row, rows + (size_t)i * def->segment_size, sizeof row);
        if (row.name == NULL)
            break;
        if (i == PLUGIN_MAX_SEGMENTS)
            return err_set(checking->err, ERR_PLUGIN, "task %s has more than %d segments",
                           checking->task, PLUGIN_MAX_SEGMENTS);
        struct slice name = check_name(checking, row.name);
        if (!name_check(NAME_SYMBOL, name, NULL))
            return err_set(checking->err, ERR_PLUGIN,
                           "task %s: \"%.*s\" is no name for a segment", checking->task,
                           SLICE_ARG(name));
        if (row.run == NULL)
            return err_set(checking->err, ERR_PLUGIN, "task %s: segment %.*s has no function",
                           checking->task, SLICE_ARG(name));
        for (uint32_t j = 0; j < i; j++)
            if (slice_equal(task->segments[j].name, name))
                return err_set(checking->err, ERR_PLUGIN,
                               "task %s declares two segments of the name %.*s", checking->task,
                               SLICE_ARG(name));
        task->segments[task->segment_count++] = (struct plugin_segment){ name, row.run };
    }
    if (task->segment_count == 0)
        return err_set(checking->err, ERR_PLUGIN, "task %s has no segments", checking->task);
    return true;
}

static bool struct_has(const struct plugin_struct *state, struct slice name)
{
    for (uint32_t i = 0; i < state->field_count; i++) {
        const struct plugin_field *field = &state->fields[i];
        if (slice_equal(field->name, name) ||
            (field->inner != NULL && struct_has(field->inner, name)))
            return true;
    }
    return false;
}

static bool segment_is_listed(const struct plugin_task *task, struct slice name)
{
    for (uint32_t i = 0; i < task->segment_count; i++)
        if (slice_equal(task->segments[i].name, name))
            return true;
    return false;
}

static bool check_renames(struct checking *checking, const struct bide_rename *rows,
                          struct plugin_task *task)
{
    if (rows == NULL)
        return true;
    task->renames = ARENA_ARRAY(checking->arena, struct plugin_rename, PLUGIN_MAX_RENAMES);
    for (uint32_t i = 0; rows[i].old_name != NULL; i++) {
        struct slice old = check_name(checking, rows[i].old_name);
        struct slice new = check_name(checking, rows[i].new_name);
        if (i == PLUGIN_MAX_RENAMES)
            return err_set(checking->err, ERR_PLUGIN, "task %s has more than %d renames",
                           checking->task, PLUGIN_MAX_RENAMES);
        if (!name_check(NAME_SYMBOL, old, NULL) || !name_check(NAME_SYMBOL, new, NULL))
            return err_set(checking->err, ERR_PLUGIN,
                           "task %s: a rename from \"%.*s\" to \"%.*s\" names no field",
                           checking->task, SLICE_ARG(old), SLICE_ARG(new));
        if (!struct_has(&task->state, new) && !segment_is_listed(task, new))
            return err_set(checking->err, ERR_PLUGIN,
                           "task %s renames %.*s to %.*s, which is no field and no segment",
                           checking->task, SLICE_ARG(old), SLICE_ARG(new));
        task->renames[task->rename_count++] = (struct plugin_rename){ old, new };
    }
    return true;
}

/* NULL: nothing is wrong with it. */
static const char *retry_flaw(int64_t min_ms, int64_t max_ms, double factor)
{
    if (min_ms < 0 || max_ms < 0)
        return "a time is negative";
    if (min_ms > DURATION_MAX_MS || max_ms > DURATION_MAX_MS)
        return "a time is longer than 100 years";
    if (!(factor == 0 || (factor >= 1 && factor <= 1000)))
        return "retry_factor is below 1 or above 1000";
    return NULL;
}

/* What it says of one class of errors. */
static const char *class_flaw(const struct bide_retry_policy *policy)
{
    if (policy->min_ms > policy->max_ms && policy->max_ms > 0)
        return "the min_ms of a class of errors is above its max_ms";
    return retry_flaw(policy->min_ms, policy->max_ms, policy->factor);
}

static bool check_settings(const struct checking *checking, const struct bide_task_def *def,
                           struct plugin_task *task)
{
    const char *flaw = NULL;

    const struct bide_retry_policy classes[4] = { def->retry_user, def->retry_crash,
                                                  def->retry_timeout, def->retry_upstream };

    task->max_attempts = def->max_attempts;
    task->max_attempts_total = def->max_attempts_total;
    task->on_exhausted = def->on_exhausted;
    memcpy(task->retry_of, classes, sizeof classes);
    task->retry_from = def->retry_from;
    task->retry_min_ms = def->retry_min_ms;
    task->retry_max_ms = def->retry_max_ms;
    task->retry_factor = def->retry_factor;
    task->limit_ms = def->limit_ms;
    task->cpu_ms = def->cpu_ms;
    task->total_ms = def->total_time_ms;
    task->grace_ms = def->grace_ms;
    task->children = def->children;
    task->abort_attempts = def->abort_attempts;
    task->keep_states = def->keep_states;
    task->on_start = def->on_start;
    task->on_suspend = def->on_suspend;
    task->on_resume = def->on_resume;
    task->on_success = def->on_success;
    task->on_failure = def->on_failure;
    task->on_cancel = def->on_cancel;
    task->cleanup = def->cleanup;
    task->migrate = def->migrate;
    struct err found;

    if (task->input_schema.size != 0 && !name_check(NAME_SCHEMA, task->input_schema, NULL))
        flaw = "input_schema is the name of a file in schemas/ without .yaml";
    else if (task->queue.size != 0 && !name_check(NAME_QUEUE, task->queue, &found))
        flaw = found.text;
    else if (def->retry_from > BIDE_RETRY_START)
        flaw = "retry_from is neither BIDE_RETRY_SEGMENT nor BIDE_RETRY_START";
    else if (def->children > BIDE_CHILDREN_WAIT)
        flaw = "children is none of enum bide_children";
    else if (def->abort_attempts > PLUGIN_MAX_TRIES)
        flaw = "abort_attempts is above 1000";
    else if (def->keep_states > PLUGIN_MAX_STATES)
        flaw = "keep_states is above 20";
    else if (def->on_exhausted > BIDE_EXHAUSTED_DEAD_LETTER)
        flaw = "on_exhausted is none of enum bide_exhausted";
    else if (def->limit_ms < 0 || def->cpu_ms < 0 || def->total_time_ms < 0)
        flaw = "a time is negative";
    else if (def->limit_ms > DURATION_MAX_MS || def->cpu_ms > DURATION_MAX_MS ||
             def->total_time_ms > DURATION_MAX_MS)
        flaw = "a time is longer than 100 years";
    else if (def->grace_ms < 0 || def->grace_ms > PLUGIN_MAX_GRACE_MS)
        flaw = "grace_ms is below 0 or above 600000, ten minutes";
    else if (def->max_attempts_total != 0 && def->max_attempts_total < def->max_attempts)
        flaw = "max_attempts_total is below max_attempts";
    else if (def->state_size == 0 || def->state_size > PLUGIN_MAX_STATE)
        flaw = "the state struct is larger than 16 MiB; keep what is large in a VALUE";
    else if (def->segments == NULL || def->segment_size < sizeof(struct bide_segment) ||
             def->field_size < offsetof(struct bide_field, initial))
        flaw = "its lists are not those of a BIDE_TASK";
    if (flaw == NULL)
        flaw = retry_flaw(def->retry_min_ms, def->retry_max_ms, def->retry_factor);
    for (int i = 0; i < 4 && flaw == NULL; i++)
        flaw = class_flaw(&classes[i]);
    if (flaw != NULL)
        return err_set(checking->err, ERR_PLUGIN, "task %s: %s", checking->task, flaw);
    return true;
}

static bool check_task(struct checking *checking, const struct bide_task_def *said,
                       struct plugin_task *task)
{
    struct bide_task_def def = { 0 };
    uint32_t size;

    if (said == NULL)
        return err_set(checking->err, ERR_PLUGIN, "one of its tasks is NULL");
    memcpy(&size, said, sizeof size);
    if (size < offsetof(struct bide_task_def, children))
        return err_set(checking->err, ERR_PLUGIN, "one of its tasks is no BIDE_TASK");
    memcpy(&def, said, size < sizeof def ? size : sizeof def);
    task->id = check_name(checking, def.id);
    task->input_schema = check_name(checking, def.input_schema);
    task->queue = check_text(checking, def.queue, PLUGIN_MAX_NAME + sizeof "task/");
    checking->task = task->id.data == NULL ? "" : task->id.data;
    if (task->id.size == 0)
        return err_set(checking->err, ERR_PLUGIN, "one of its tasks has no .id");
    struct err found;
    if (!name_check(NAME_TASK, task->id, &found))
        return err_set(checking->err, ERR_PLUGIN, "%s", found.text);
    checking->fields_left = PLUGIN_MAX_FIELDS * PLUGIN_MAX_NESTING;
    return check_settings(checking, &def, task) && check_segments(checking, &def, task) &&
           check_fields(checking, def.fields, def.field_size, def.state_size, 1,
                        &task->state) &&
           check_renames(checking, def.renamed, task);
}

/* ---- the plugin -------------------------------------------------------------------------- */

static bool check_prefix(const struct bide_plugin *about, struct err *err)
{
    if (memcmp(about->magic, magic, sizeof magic) != 0)
        return err_set(
            err, ERR_PLUGIN,
            "bide_plugin_describe() gives no bide plugin: it must come from BIDE_PLUGIN");
    if (about->abi_major != BIDE_ABI_MAJOR || about->abi_minor > BIDE_ABI_MINOR)
        return err_set(err, ERR_PLUGIN,
                       "made for plugin ABI %" PRIu32 ".%" PRIu32 ", this bide has %u.%u: %s",
                       about->abi_major, about->abi_minor, BIDE_ABI_MAJOR, BIDE_ABI_MINOR,
                       about->abi_major < BIDE_ABI_MAJOR
                           ? "rebuild it with this bide's header"
                           : "rebuild it with this bide's header, or install a newer bide");
    if (about->size < sizeof *about)
        return err_set(err, ERR_PLUGIN, "its description has %" PRIu32 " bytes, %zu are needed",
                       about->size, sizeof *about);
    return true;
}

bool plugin_check(struct arena *arena, const struct bide_plugin *about, struct plugin *plugin,
                  struct err *err)
{
    struct checking checking = { arena, err, "", 0 };

    *plugin = (struct plugin){ 0 };
    if (about == NULL)
        return err_set(err, ERR_PLUGIN, "bide_plugin_describe() gives NULL");
    if (!check_prefix(about, err))
        return false;
    plugin->abi_major = about->abi_major;
    plugin->abi_minor = about->abi_minor;
    plugin->name = check_name(&checking, about->name);
    plugin->version = check_name(&checking, about->version);
    if (!text_is_good(plugin->name) || !text_is_good(plugin->version))
        return err_set(err, ERR_PLUGIN,
                       "its name or version is empty, too long or not plain text");
    if (about->task_count == 0 || about->task_count > PLUGIN_MAX_TASKS || about->tasks == NULL)
        return err_set(err, ERR_PLUGIN, "it has %" PRIu32 " tasks; 1 to %d are possible",
                       about->task_count, PLUGIN_MAX_TASKS);
    plugin->tasks = ARENA_ARRAY(arena, struct plugin_task, about->task_count);
    for (uint32_t i = 0; i < about->task_count; i++) {
        bide_task_fn describe = about->tasks[i];
        struct plugin_task *task = &plugin->tasks[i];
        if (!check_task(&checking, describe == NULL ? NULL : describe(), task))
            return false;
        if (plugin_task_find(plugin, task->id) != NULL)
            return err_set(err, ERR_PLUGIN, "it has two tasks of the id %.*s",
                           SLICE_ARG(task->id));
        plugin->task_count++;
    }
    return true;
}

const struct plugin_task *plugin_task_find(const struct plugin *plugin, struct slice id)
{
    for (uint32_t i = 0; i < plugin->task_count; i++)
        if (slice_equal(plugin->tasks[i].id, id))
            return &plugin->tasks[i];
    return NULL;
}

const struct plugin_segment *plugin_segment_find(const struct plugin_task *task,
                                                 struct slice name)
{
    if (name.size == 0)
        return &task->segments[0];
    for (uint32_t i = 0; i < task->segment_count; i++)
        if (slice_equal(task->segments[i].name, name))
            return &task->segments[i];
    for (uint32_t i = 0; i < task->rename_count; i++)
        if (slice_equal(task->renames[i].old_name, name) &&
            segment_is_listed(task, task->renames[i].new_name))
            return plugin_segment_find(task, task->renames[i].new_name);
    return NULL;
}

const struct plugin_segment *plugin_segment_of(const struct plugin_task *task,
                                               bide_segment_fn run)
{
    for (uint32_t i = 0; i < task->segment_count; i++)
        if (task->segments[i].run == run)
            return &task->segments[i];
    return NULL;
}
