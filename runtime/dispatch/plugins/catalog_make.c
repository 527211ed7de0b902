#include "catalog_make.h"

#include "base/memory.h"
#include "catalog_check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Problems of a file as one line. */
static const char *problems_line(struct making *making, const struct problems *problems)
{
    struct buffer text = { 0 };

    problems_text(&text, problems);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\n')
            text.data[i] = ';';
    const char *line = arena_text(&making->arena, buffer_view(&text));
    buffer_finish(&text);
    return line;
}

static void queues_load(struct making *making)
{
    struct problems problems = { 0 };

    making->problem = "";
    making->has_queues =
        config_queues_load(making->config->queues_path, making->config->limits.max_attempts,
                           &making->queues, &making->arena, &problems);
    if (!making->has_queues)
        making->problem = problems_line(making, &problems);
}

static void schedules_load(struct making *making)
{
    struct problems problems = { 0 };

    making->schedules_problem = "";
    making->has_schedules =
        config_schedules_load(making->config->schedules_path, making->config, making->zones,
                              &making->schedules, &making->arena, &problems);
    if (!making->has_schedules)
        making->schedules_problem = problems_line(making, &problems);
}

/* The good one just read, else the one before, else none: the config's own rules apply then. */
static const struct config_queues *queues_of(const struct making *making)
{
    return making->has_queues ? &making->queues : making->old_queues;
}

static struct slice schema_path(struct making *making, const struct task_description *task)
{
    struct slice name = task->input_schema.size > 0 ? task->input_schema : task->id;

    return arena_format(&making->arena, "%s/%.*s.yaml", making->config->schemas,
                        SLICE_ARG(name));
}

static bool is_there(const char *path)
{
    struct stat stat_;

    return stat(path, &stat_) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* NULL when no earlier file offers it. */
static const struct catalog_source *owner_of(const struct making *making, uint32_t before,
                                             struct slice task)
{
    for (uint32_t i = 0; i < before; i++)
        if (!making->items[i].is_refused &&
            description_task(&making->items[i].build->about, task) != NULL)
            return &making->items[i];
    return NULL;
}

static void item_refuse(struct catalog_source *item, struct slice reason)
{
    item->is_refused = true;
    item->reason = reason.data;
}

static void item_check(struct making *making, uint32_t index)
{
    struct catalog_source *item = &making->items[index];
    const struct description *about = &item->build->about;

    for (uint32_t i = 0; i < about->task_count && !item->is_refused && !item->is_kept; i++) {
        const struct task_description *task = &about->tasks[i];
        const struct catalog_source *owner = owner_of(making, index, task->id);
        if (owner != NULL)
            item_refuse(item,
                        arena_format(&making->arena, "task \"%.*s\" is offered by %s already",
                                     SLICE_ARG(task->id), owner->file));
    }
}

/* As messages of schemas themselves name it. */
static struct slice place_of(const struct making *making, struct slice path)
{
    size_t hidden = config_hidden(making->config, path.data);

    return (struct slice){ path.data + hidden, path.size - hidden };
}

struct slice catalog_schema_place(const struct making *making, struct slice task)
{
    for (uint32_t i = 0; i < making->path_count; i++)
        if (slice_equal(making->paths[i].task, task))
            return place_of(making, making->paths[i].path);
    return (struct slice){ 0 };
}

/* False: the task cannot be offered, `reason` says why. */
static bool schema_add(struct making *making, struct catalog_task *entry,
                       const struct task_description *task)
{
    struct slice path = schema_path(making, task);
    struct problems problems = { 0 };
    struct held_catalog *held = making->held;
    struct schema_file *file;

    uint32_t place = making->path_count++;
    making->paths[place].task = task->id;
    making->paths[place].path = path;
    making->paths[place].file = NULL;
    for (uint32_t i = 0; i < place && entry->schema == NULL; i++)
        if (slice_equal(making->paths[i].path, path))
            entry->schema = making->paths[place].file = making->paths[i].file;
    if (entry->schema != NULL)
        return true; /* it is read once for all builds that name it */
    if (!is_there(path.data) && task->input_schema.size == 0)
        return true; /* nothing is checked then */
    if (!is_there(path.data)) {
        entry->reason =
            arena_format(&held->catalog->arena, "it names a missing schema: there is no %s",
                         place_of(making, path).data);
        entry->is_refusing = true;
        return false;
    }
    /* The catalog's arena: what a schema file names in messages must live as long as it does.
     */
    const char *kept = arena_text(&held->catalog->arena, path);
    if (!schema_file_load_below(kept, config_hidden(making->config, kept), &file,
                                &making->arena, &problems)) {
        entry->reason = arena_format(&held->catalog->arena, "its schema is wrong: %s",
                                     problems_line(making, &problems));
        entry->is_refusing = true;
        return false;
    }
    held->schemas[held->schema_count++] = file;
    making->paths[place].file = file;
    entry->schema = file;
    return true;
}

/* What queues.yaml says of it. */
static struct config_task task_rules(const struct making *making,
                                     const struct task_description *task)
{
    const struct config_queues *queues = queues_of(making);

    for (uint32_t i = 0; queues != NULL && i < queues->task_count; i++)
        if (slice_equal(queues->tasks[i].task, task->id))
            return queues->tasks[i];
    return (struct config_task){ 0 };
}

static void retries_fill(const struct config *config, const struct task_description *task,
                         struct catalog_task *entry)
{
    entry->max_attempts = task->max_attempts > 0 ? task->max_attempts : config->max_attempts;
    entry->retry_min_ms = task->retry_min_ms > 0 ? task->retry_min_ms : config->retry_min_ms;
    entry->retry_max_ms = task->retry_max_ms > 0 ? task->retry_max_ms : config->retry_max_ms;
    if (entry->retry_max_ms < entry->retry_min_ms)
        entry->retry_max_ms = entry->retry_min_ms;
    entry->retry_factor = task->retry_factor >= 1 ? task->retry_factor : config->retry_factor;
    entry->retry_from = task->retry_from;
    memcpy(entry->retry_of, task->retry_of, sizeof entry->retry_of);
    entry->max_attempts_total = task->max_attempts_total;
    entry->on_exhausted = task->on_exhausted;
    entry->children = task->children;
    entry->hooks = task->hooks;
    entry->abort_attempts = task->abort_attempts;
    entry->total_ms = task->total_ms > 0 ? task->total_ms : 0;
    entry->grace_ms = task->grace_ms > 0 ? task->grace_ms : 0;
    entry->limit_ms = task->limit_ms > 0 ? task->limit_ms : config->segment_time_ms;
}

static void task_add(struct making *making, const struct catalog_source *item,
                     const struct task_description *task)
{
    struct catalog *catalog = making->held->catalog;
    struct arena *arena = &catalog->arena;
    const struct description *about = &item->build->about;
    const struct config_task rules = task_rules(making, task);
    struct catalog_task *entry = &catalog->tasks[catalog->task_count++];

    *entry = (struct catalog_task){
        .id = arena_copy(arena, task->id),
        .plugin = arena_copy(arena, about->plugin),
        .version = arena_copy(arena, about->version),
        .build = arena_copy(arena, (struct slice){ item->build->sha, 16 }),
        .queue = arena_copy(arena, rules.queue.size > 0 ? rules.queue : task->queue),
        .keep_states = rules.keep_states > 0 ? rules.keep_states : task->keep_states,
        .collect = rules.rules.collect,
        .segments = ARENA_ARRAY(arena, struct slice, task->segment_count),
        .segment_count = task->segment_count,
        .is_kept = item->is_kept,
        .follows = rules.follows,
        .rank_ms = item->rank_ms,
        .heir = arena_copy(arena, item->heir),
        .ramp_percent = item->ramp_percent,
        .ramp_from_ms = item->ramp_from_ms,
        .ramp_ms = item->ramp_ms
    };
    for (uint32_t i = 0; i < task->segment_count; i++)
        entry->segments[i] = arena_copy(arena, task->segments[i]);
    retries_fill(making->config, task, entry);
    if (item->is_refused)
        entry->reason = arena_copy(arena, slice_of(item->reason));
    else
        entry->available = schema_add(making, entry, task);
    if (entry->available && !item->is_kept)
        catalog_check_fields(making, entry, task);
}

/* Refused plugins' tasks are listed as not available, unless another plugin has them. */
static void tasks_add(struct making *making, bool are_refused)
{
    for (uint32_t i = 0; i < making->count; i++) {
        const struct catalog_source *item = &making->items[i];
        for (uint32_t j = 0; j < item->build->about.task_count; j++) {
            const struct task_description *task = &item->build->about.tasks[j];
            bool is_taken =
                are_refused && owner_of(making, making->current_count, task->id) != NULL;
            for (uint32_t k = 0; are_refused && !is_taken && k < i; k++)
                is_taken = description_task(&making->items[k].build->about, task->id) != NULL;
            if (item->is_kept ? !are_refused : item->is_refused == are_refused && !is_taken)
                task_add(making, item, task);
        }
    }
}

static void queues_add(struct making *making)
{
    const struct config_queues *queues = queues_of(making);
    struct catalog *catalog = making->held->catalog;

    catalog->limits = making->config->limits;
    catalog->slots = making->config->slots;
    catalog->queue_limit = queues != NULL ? queues->concurrency : making->config->slots;
    if (queues == NULL)
        return;
    catalog->pools = ARENA_ARRAY(&catalog->arena, struct catalog_pool, queues->pool_count);
    for (uint32_t i = 0; i < queues->pool_count; i++)
        catalog->pools[catalog->pool_count++] = (struct catalog_pool){
            .name = slice_of(arena_text(&catalog->arena, queues->pools[i].name)),
            .tokens = queues->pools[i].tokens
        };
    catalog->queues = ARENA_ARRAY(&catalog->arena, struct catalog_queue, queues->queue_count);
    for (uint32_t i = 0; i < queues->queue_count; i++) {
        struct catalog_queue *queue = &catalog->queues[catalog->queue_count++];
        *queue =
            (struct catalog_queue){ .name = arena_copy(&catalog->arena, queues->queues[i].name),
                                    .rules = queues->queues[i].rules };
        queue_rules_own(&catalog->arena, &queue->rules);
    }
}

/* Of those that say anything; tokens stay at least as long as an answer may come early. */
static void retention_add(struct catalog *catalog, struct catalog_retention *items,
                          uint32_t *count, struct slice name,
                          const struct config_retention *said)
{
    struct config_retention retention = *said;
    bool has_any = false;

    for (int kind = 0; kind < RETAIN_KINDS; kind++)
        has_any |= retention.span_ms[kind] != 0;
    if (!has_any)
        return;
    if (retention.span_ms[RETAIN_TOKENS] != 0 &&
        retention.span_ms[RETAIN_TOKENS] < catalog->early_ms)
        retention.span_ms[RETAIN_TOKENS] = catalog->early_ms;
    items[(*count)++] =
        (struct catalog_retention){ arena_copy(&catalog->arena, name), retention };
}

/* When queues.yaml cannot be read nothing goes: it may say that something is kept for longer.
 */
static void retentions_add(struct making *making)
{
    const struct config *config = making->config;
    const struct config_queues *queues = queues_of(making);
    struct catalog *catalog = making->held->catalog;
    struct arena *arena = &catalog->arena;
    uint32_t count = config->environment_count, all = 0;
    struct config_retention *environments = ARENA_ARRAY(arena, struct config_retention, count);
    struct catalog_retention item;

    catalog->early_ms = config->early_answers_ms;
    catalog->statistics_ms = config->statistics_ms;
    for (uint32_t i = 0; i < catalog->task_count; i++)
        if (catalog->tasks[i].limit_ms > catalog->early_ms)
            catalog->early_ms = catalog->tasks[i].limit_ms;
    if (queues == NULL)
        return;
    retention_add(catalog, &item, &all, SLICE(""), &config->retention);
    if (all > 0)
        catalog->retention = item.retention;
    for (uint32_t i = 0; i < count; i++) {
        all = 0;
        retention_add(catalog, &item, &all, SLICE(""), &config->environments[i].retention);
        if (all > 0)
            environments[i] = item.retention;
    }
    catalog->environment_retentions = environments;
    catalog->task_retentions = ARENA_ARRAY(arena, struct catalog_retention, queues->task_count);
    catalog->queue_retentions =
        ARENA_ARRAY(arena, struct catalog_retention, queues->queue_count);
    for (uint32_t i = 0; i < queues->task_count; i++)
        retention_add(catalog, catalog->task_retentions, &catalog->task_retention_count,
                      queues->tasks[i].task, &queues->tasks[i].retention);
    for (uint32_t i = 0; i < queues->queue_count; i++)
        retention_add(catalog, catalog->queue_retentions, &catalog->queue_retention_count,
                      queues->queues[i].name, &queues->queues[i].retention);
}

static void environments_add(struct making *making)
{
    const struct config *config = making->config;
    struct catalog *catalog = making->held->catalog;
    uint32_t count = config->environment_count;
    uint32_t *numbers = ARENA_ARRAY(&catalog->arena, uint32_t, count);
    uint32_t *shares = ARENA_ARRAY(&catalog->arena, uint32_t, count);
    struct config_burst *limits = ARENA_ARRAY(&catalog->arena, struct config_burst, count);
    const char **names = ARENA_ARRAY(&catalog->arena, const char *, count);

    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = config->environments[i].number;
        names[i] = config->environments[i].name;
        shares[i] = config->environments[i].share;
        limits[i] = config->environments[i].limit;
    }
    catalog->environments = numbers;
    catalog->environment_shares = shares;
    catalog->environment_limits = limits;
    catalog->environment_names = names;
    catalog->environment_count = count;
}

/* Each in the environments that it is meant for. */
static void schedules_add(struct making *making)
{
    const struct config_schedules *schedules =
        making->has_schedules ? &making->schedules : making->old_schedules;
    const struct config *config = making->config;
    struct catalog *catalog = making->held->catalog;
    struct arena *arena = &catalog->arena;

    catalog->has_schedules = schedules != NULL;
    if (schedules == NULL)
        return;
    catalog->schedules = ARENA_ARRAY(arena, struct catalog_schedule,
                                     schedules->count * config->environment_count + 1);
    for (uint32_t i = 0; i < schedules->count; i++) {
        const struct config_schedule *schedule = &schedules->items[i];
        struct slice rules = schedule_rules_pack(arena, &schedule->rules);
        struct slice name = arena_copy(arena, schedule->name);
        for (uint32_t k = 0; k < config->environment_count; k++)
            if (config_schedule_is_for(schedule, config->environments[k].name))
                catalog->schedules[catalog->schedule_count++] =
                    (struct catalog_schedule){ config->environments[k].number, name, rules };
    }
}

void catalog_make(struct making *making)
{
    struct held_catalog *held = memory_zeroed(1, sizeof *held);
    uint32_t tasks = 0;

    queues_load(making);
    schedules_load(making);
    for (uint32_t i = 0; i < making->count; i++) {
        item_check(making, i);
        tasks += making->items[i].build->about.task_count;
    }
    list_init(&held->node);
    held->catalog = catalog_create();
    held->catalog->tasks = ARENA_ARRAY(&held->catalog->arena, struct catalog_task, tasks);
    held->schemas = memory_zeroed(tasks + 1, sizeof(struct schema_file *));
    making->paths = arena_alloc(&making->arena, (tasks + 1) * sizeof *making->paths);
    making->held = held;
    tasks_add(making, false);
    tasks_add(making, true);
    queues_add(making);
    environments_add(making);
    retentions_add(making);
    schedules_add(making);
    catalog_sort(held->catalog);
    catalog_check_children(making);
    catalog_check_strays(making);
}
