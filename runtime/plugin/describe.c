/* See describe.h for the shape. */
#include "plugin/describe.h"

#include "codec/pack.h"
#include "plugin/plugin.h"

static void pack_key(struct buffer *out, const char *key)
{
    pack_string(out, slice_of(key));
}

static void describe_field(struct buffer *out, const struct plugin_field *field)
{
    pack_map(out, 3);
    pack_key(out, "name");
    pack_string(out, field->name);
    pack_key(out, "kind");
    pack_key(out, plugin_kind_name(field->kind));
    pack_key(out, "size");
    pack_int(out, field->size);
}

static bool rename_is_segment(const struct plugin_task *task,
                              const struct plugin_rename *rename)
{
    const struct plugin_segment *segment = plugin_segment_find(task, rename->old_name);
    return segment != NULL && !slice_equal(segment->name, rename->old_name);
}

/* Old names follow the present ones: a run that waits for one of them can resume here. */
static void describe_segments(struct buffer *out, const struct plugin_task *task)
{
    uint32_t renamed = 0;

    for (uint32_t i = 0; i < task->rename_count; i++)
        renamed += rename_is_segment(task, &task->renames[i]);
    pack_list(out, task->segment_count + renamed);
    for (uint32_t i = 0; i < task->segment_count; i++)
        pack_string(out, task->segments[i].name);
    for (uint32_t i = 0; i < task->rename_count; i++)
        if (rename_is_segment(task, &task->renames[i]))
            pack_string(out, task->renames[i].old_name);
}

/* Of each class of errors, as config/retry_rules.h calls them. */
static void describe_retries(struct buffer *out, const struct plugin_task *task)
{
    static const char *const words[] = { "user", "crash", "timeout", "upstream" };

    pack_map(out, 4);
    for (int i = 0; i < 4; i++) {
        const struct bide_retry_policy *policy = &task->retry_of[i];
        pack_key(out, words[i]);
        pack_map(out, 4);
        pack_key(out, "max_attempts");
        pack_int(out, policy->max_attempts);
        pack_key(out, "min_ms");
        pack_int(out, policy->min_ms);
        pack_key(out, "max_ms");
        pack_int(out, policy->max_ms);
        pack_key(out, "factor");
        pack_double(out, policy->factor);
    }
}

static bool has_classes(const struct plugin_task *task)
{
    for (int i = 0; i < 4; i++)
        if (task->retry_of[i].max_attempts > 0 || task->retry_of[i].min_ms > 0 ||
            task->retry_of[i].max_ms > 0 || task->retry_of[i].factor > 0)
            return true;
    return false;
}

static void describe_hooks(struct buffer *out, const struct plugin_task *task)
{
    const struct {
        const char *name;
        bide_hook_fn hook;
    } hooks[] = {
        { "on_start", task->on_start },     { "on_suspend", task->on_suspend },
        { "on_resume", task->on_resume },   { "on_success", task->on_success },
        { "on_failure", task->on_failure }, { "on_cancel", task->on_cancel },
        { "cleanup", task->cleanup },
    };
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        count += hooks[i].hook != NULL;
    pack_list(out, count + (task->migrate != NULL));
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        if (hooks[i].hook != NULL)
            pack_key(out, hooks[i].name);
    if (task->migrate != NULL)
        pack_key(out, "migrate");
}

static void describe_task(struct buffer *out, const struct plugin_task *task)
{
    pack_map(out, 19U + has_classes(task) + (task->total_ms > 0) + (task->grace_ms > 0));
    pack_key(out, "id");
    pack_string(out, task->id);
    pack_key(out, "input_schema");
    pack_string(out, task->input_schema);
    pack_key(out, "queue");
    pack_string(out, task->queue);
    pack_key(out, "max_attempts");
    pack_int(out, task->max_attempts);
    pack_key(out, "retry_min_ms");
    pack_int(out, task->retry_min_ms);
    pack_key(out, "retry_max_ms");
    pack_int(out, task->retry_max_ms);
    pack_key(out, "retry_factor");
    pack_double(out, task->retry_factor);
    pack_key(out, "retry_from");
    pack_key(out, task->retry_from == BIDE_RETRY_START ? "start" : "segment");
    pack_key(out, "limit_ms");
    pack_int(out, task->limit_ms);
    pack_key(out, "cpu_ms");
    pack_int(out, task->cpu_ms);
    if (task->total_ms > 0) {
        pack_key(out, "total_time_ms");
        pack_int(out, task->total_ms);
    }
    if (task->grace_ms > 0) {
        pack_key(out, "grace_ms");
        pack_int(out, task->grace_ms);
    }
    pack_key(out, "children");
    pack_int(out, task->children);
    pack_key(out, "max_attempts_total");
    pack_int(out, task->max_attempts_total);
    pack_key(out, "on_exhausted");
    pack_int(out, task->on_exhausted);
    if (has_classes(task)) {
        pack_key(out, "retry");
        describe_retries(out, task);
    }
    pack_key(out, "hooks"); /* those that the host must know of: enum task_hook */
    pack_int(out, (task->on_failure != NULL ? 1 : 0) + (task->on_cancel != NULL ? 2 : 0));
    pack_key(out, "abort_attempts");
    pack_int(out, task->abort_attempts);
    pack_key(out, "keep_states");
    pack_int(out, task->keep_states);
    pack_key(out, "called"); /* all hooks, for people */
    describe_hooks(out, task);
    pack_key(out, "segments");
    describe_segments(out, task);
    pack_key(out, "fields");
    pack_list(out, task->state.field_count);
    for (uint32_t i = 0; i < task->state.field_count; i++)
        describe_field(out, &task->state.fields[i]);
}

void plugin_describe(const struct plugin *plugin, struct buffer *out)
{
    pack_map(out, 6);
    pack_key(out, "plugin");
    pack_string(out, plugin->name);
    pack_key(out, "version");
    pack_string(out, plugin->version);
    pack_key(out, "abi_major");
    pack_int(out, plugin->abi_major);
    pack_key(out, "abi_minor");
    pack_int(out, plugin->abi_minor);
    pack_key(out, "abi_newest"); /* minor one that this bide has */
    pack_int(out, BIDE_ABI_MINOR);
    pack_key(out, "tasks");
    pack_list(out, plugin->task_count);
    for (uint32_t i = 0; i < plugin->task_count; i++)
        describe_task(out, &plugin->tasks[i]);
}
