#include "description.h"

#include "base/name.h"
#include "codec/pack.h"

#include <stdio.h>

static struct slice text_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    return value != NULL && value->kind == VALUE_STRING ? value->bytes : (struct slice){ 0 };
}

static int64_t number_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    return value != NULL && value->kind == VALUE_INT && value->integer > 0 ? value->integer : 0;
}

static double factor_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    if (value != NULL && value->kind == VALUE_DOUBLE)
        return value->number;
    return (double)number_of(map, key);
}

static uint32_t count_of(const struct value *map, const char *key)
{
    int64_t count = number_of(map, key);

    return count > INT32_MAX ? INT32_MAX : (uint32_t)count;
}

static void retries_read(const struct value *map, struct task_description *task)
{
    for (int i = 0; map != NULL && i < RETRY_CLASSES; i++) {
        const struct value *said = value_find(map, retry_class_words[i]);
        if (said != NULL)
            task->retry_of[i] = (struct retry_rule){ .attempts = count_of(said, "max_attempts"),
                                                     .min_ms = number_of(said, "min_ms"),
                                                     .max_ms = number_of(said, "max_ms"),
                                                     .factor = factor_of(said, "factor") };
    }
}

/* Printable ASCII without spaces: names end up in URLs, file names and log lines. */
static bool is_name(struct slice name)
{
    if (name.size == 0 || name.size > DESCRIPTION_MAX_NAME)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~' || name.data[i] == '/')
            return false;
    return name.data[0] != '.';
}

static bool segments_read(struct arena *arena, const struct value *list,
                          struct task_description *task, struct err *err)
{
    if (list == NULL || list->kind != VALUE_LIST || list->count == 0 ||
        list->count > DESCRIPTION_MAX_SEGMENTS)
        return err_set(err, ERR_PLUGIN, "task \"%.*s\" has no segments, or more than %d",
                       SLICE_ARG(task->id), DESCRIPTION_MAX_SEGMENTS);
    task->segments = ARENA_ARRAY(arena, struct slice, list->count);
    task->segment_count = list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != VALUE_STRING ||
            !name_check(NAME_SYMBOL, list->items[i].bytes, NULL))
            return err_set(err, ERR_PLUGIN, "task \"%.*s\" has a segment without a usable name",
                           SLICE_ARG(task->id));
        task->segments[i] = list->items[i].bytes;
    }
    return true;
}

/* Only for warnings: what is no field of that kind is passed over. */
static void texts_read(struct arena *arena, const struct value *list,
                       struct task_description *task)
{
    if (list == NULL || list->kind != VALUE_LIST)
        return;
    task->texts = ARENA_ARRAY(arena, struct text_field, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        struct text_field field = { text_of(&list->items[i], "name"),
                                    number_of(&list->items[i], "size") };
        if (slice_is(text_of(&list->items[i], "kind"), "STR") && field.size > 0 &&
            name_check(NAME_SYMBOL, field.name, NULL))
            task->texts[task->text_count++] = field;
    }
}

static bool task_read(struct arena *arena, const struct value *map,
                      struct task_description *task, struct err *err)
{
    struct slice from = text_of(map, "retry_from");
    int64_t children = number_of(map, "children");
    uint32_t exhausted = count_of(map, "on_exhausted");
    int64_t aborts = number_of(map, "abort_attempts");
    int64_t states = number_of(map, "keep_states");
    struct err found;

    *task = (struct task_description){
        .id = text_of(map, "id"),
        .input_schema = text_of(map, "input_schema"),
        .queue = text_of(map, "queue"),
        .max_attempts = count_of(map, "max_attempts"),
        .max_attempts_total = count_of(map, "max_attempts_total"),
        .on_exhausted = exhausted > EXHAUSTED_DEAD_LETTER ? EXHAUSTED_UNSAID : exhausted,
        .retry_min_ms = number_of(map, "retry_min_ms"),
        .retry_max_ms = number_of(map, "retry_max_ms"),
        .limit_ms = number_of(map, "limit_ms"),
        .total_ms = number_of(map, "total_time_ms"),
        .grace_ms = number_of(map, "grace_ms"),
        .retry_factor = factor_of(map, "retry_factor"),
        .retry_from = slice_is(from, "start") ? RETRY_FROM_START : RETRY_FROM_SEGMENT,
        .children =
            children < 0 || children > CHILDREN_WAIT ? CHILDREN_UNSAID : (uint32_t)children,
        .hooks = (uint32_t)number_of(map, "hooks") & (HOOK_ON_FAILURE | HOOK_ON_CANCEL),
        .abort_attempts = aborts > INT32_MAX ? INT32_MAX : (uint32_t)aborts,
        .keep_states = states > KEEP_STATES_MAX ? KEEP_STATES_MAX : (uint32_t)states
    };
    retries_read(value_find(map, "retry"), task);
    if (!name_check(NAME_TASK, task->id, &found))
        return err_set(err, ERR_PLUGIN, "%s", found.text);
    if ((task->input_schema.size > 0 && !name_check(NAME_SCHEMA, task->input_schema, &found)) ||
        (task->queue.size > 0 && !name_check(NAME_QUEUE, task->queue, &found)))
        return err_set(err, ERR_PLUGIN, "task %.*s: %s", SLICE_ARG(task->id), found.text);
    texts_read(arena, value_find(map, "fields"), task);
    return segments_read(arena, value_find(map, "segments"), task, err);
}

static bool tasks_read(struct description *description, const struct value *list,
                       struct err *err)
{
    if (list == NULL || list->kind != VALUE_LIST || list->count == 0 ||
        list->count > DESCRIPTION_MAX_TASKS)
        return err_set(err, ERR_PLUGIN, "the plugin has no tasks, or more than %d",
                       DESCRIPTION_MAX_TASKS);
    description->tasks = ARENA_ARRAY(&description->arena, struct task_description, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        struct task_description *task = &description->tasks[i];
        if (!task_read(&description->arena, &list->items[i], task, err))
            return false;
        if (description_task(description, task->id) != NULL)
            return err_set(err, ERR_PLUGIN, "task \"%.*s\" is there twice",
                           SLICE_ARG(task->id));
        description->task_count++;
    }
    return true;
}

bool description_read(struct description *description, struct slice packed, struct err *err)
{
    struct value map;

    *description = (struct description){ 0 };
    description->packed = packed = arena_copy(&description->arena, packed);
    if (!pack_read(&description->arena, packed, &map, err))
        return false;
    description->plugin = text_of(&map, "plugin");
    description->version = text_of(&map, "version");
    if (!is_name(description->plugin) || description->version.size > DESCRIPTION_MAX_NAME)
        return err_set(err, ERR_PLUGIN, "the plugin's name or version cannot be used");
    return tasks_read(description, value_find(&map, "tasks"), err);
}

static bool attempts_fit(const struct task_description *task, const char *prefix,
                         const char *word, uint32_t attempts, uint32_t most, struct err *err)
{
    return attempts <= most ||
           err_set(err, ERR_PLUGIN,
                   "task %.*s: %s%smax_attempts is %u, %u are allowed (limits.max_attempts)",
                   SLICE_ARG(task->id), prefix, word, attempts, most);
}

bool description_fits(const struct description *description, const struct config_limits *limits,
                      struct err *err)
{
    uint32_t most = limits->max_attempts;
    char word[32];

    for (uint32_t i = 0; i < description->task_count; i++) {
        const struct task_description *task = &description->tasks[i];
        if (!attempts_fit(task, "", "", task->max_attempts, most, err))
            return false;
        for (int k = 0; k < RETRY_CLASSES; k++) {
            (void)snprintf(word, sizeof word, "%s.", retry_class_words[k]);
            if (!attempts_fit(task, "retry_", word, task->retry_of[k].attempts, most, err))
                return false;
        }
    }
    return true;
}

void description_finish(struct description *description)
{
    arena_finish(&description->arena);
    *description = (struct description){ 0 };
}

const struct task_description *description_task(const struct description *description,
                                                struct slice task)
{
    for (uint32_t i = 0; i < description->task_count; i++)
        if (slice_equal(description->tasks[i].id, task))
            return &description->tasks[i];
    return NULL;
}

bool description_has(const struct description *description, struct slice task,
                     struct slice segment)
{
    const struct task_description *offered = description_task(description, task);

    if (offered == NULL)
        return false;
    for (uint32_t i = 0; i < offered->segment_count; i++)
        if (slice_equal(offered->segments[i], segment))
            return true;
    return segment.size == 0 || segment.data[0] == HOOK_MARK;
}
