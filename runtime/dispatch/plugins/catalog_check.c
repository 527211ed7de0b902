/*
 * What can only be said of schema files once all of them are read: what a task expects of its
 * children, what a plugin's fields hold, and files that are wrong though no task needs them.
 */
#include "catalog_check.h"

#include "base/table.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { STRAYS_MAX = 1000 };

static void warning_add(struct making *making, struct catalog_task *task, struct slice text)
{
    task->warning =
        arena_format(&making->held->catalog->arena, "%.*s%s%.*s", SLICE_ARG(task->warning),
                     task->warning.size > 0 ? "; " : "", SLICE_ARG(text));
}

/* ---- children ---------------------------------------------------------------------------- */

/* Problems as one line. */
static struct slice text_join(struct arena *arena, const struct problems *problems)
{
    struct buffer text = { 0 }, joined = { 0 };

    problems_text(&text, problems);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    for (size_t i = 0; i < text.size; i++) {
        buffer_byte(&joined, text.data[i] == '\n' ? ';' : text.data[i]);
        if (text.data[i] == '\n')
            buffer_byte(&joined, ' ');
    }
    struct slice kept = arena_copy(arena, buffer_view(&joined));
    buffer_finish(&text);
    buffer_finish(&joined);
    return kept;
}

/* "schemas/child.yaml:3", and what is so when there is nothing in line 3. */
static struct slice promise_place(struct making *making, const struct catalog_task *child)
{
    struct slice path = catalog_schema_place(making, child->id);
    uint32_t line = schema_line(schema_output(child->schema));

    if (child->schema == NULL)
        return arena_format(&making->arena, "nothing promises, there is no %.*s",
                            SLICE_ARG(path));
    if (line == 0)
        return arena_format(&making->arena, "%.*s, which has no output, does not promise",
                            SLICE_ARG(path));
    return arena_format(&making->arena, "%.*s:%u does not promise", SLICE_ARG(path), line);
}

/* One expectation; a child that is not loaded, or whose own file is wrong, is looked at when it
 * comes. */
static void child_check(struct making *making, struct catalog_task *task, struct slice name)
{
    struct catalog *catalog = making->held->catalog;
    const struct catalog_task *child = catalog_task(catalog, name);
    const struct schema *wanted = schema_child(task->schema, name);
    struct problems problems = { 0 };

    if (child == NULL || (child->schema == NULL && !child->available))
        return;
    enum schema_answer answer =
        schema_covers(wanted, schema_output(child->schema), &making->arena, &problems);
    if (answer == SCHEMA_YES)
        return;
    struct slice own = catalog_schema_place(making, task->id),
                 other = promise_place(making, child);
    struct slice why = text_join(&making->arena, &problems);
    struct slice text = arena_format(
        &catalog->arena, "%.*s:%u expects of the output of task %.*s what %.*s%s: %.*s",
        SLICE_ARG(own), schema_line(wanted), SLICE_ARG(name), SLICE_ARG(other),
        answer == SCHEMA_NO ? "" : ", as far as can be told", SLICE_ARG(why));
    if (answer == SCHEMA_UNKNOWN) {
        warning_add(making, task, text);
        return;
    }
    task->available = false;
    task->is_refusing = true;
    task->reason = text;
}

void catalog_check_children(struct making *making)
{
    struct catalog *catalog = making->held->catalog;

    for (uint32_t i = 0; i < catalog->task_count; i++) {
        struct catalog_task *task = &catalog->tasks[i];
        uint32_t count =
            task->available && !task->is_kept ? schema_child_count(task->schema) : 0;
        for (uint32_t k = 0; k < count && task->available; k++)
            child_check(making, task, schema_child_name(task->schema, k));
    }
}

/* ---- fields ------------------------------------------------------------------------------ */

static void field_check(struct making *making, struct catalog_task *task,
                        const struct text_field *field)
{
    struct slice warning =
        schema_text_flaw(schema_input(task->schema), catalog_schema_place(making, task->id),
                         field->name, (uint64_t)field->size, &making->arena);

    if (warning.size > 0)
        warning_add(making, task, warning);
}

void catalog_check_fields(struct making *making, struct catalog_task *task,
                          const struct task_description *about)
{
    for (uint32_t i = 0; i < about->text_count; i++)
        field_check(making, task, &about->texts[i]);
}

/* ---- strays ------------------------------------------------------------------------------ */

static bool is_used(const struct making *making, struct slice path)
{
    for (uint32_t i = 0; i < making->path_count; i++)
        if (slice_equal(making->paths[i].path, path))
            return true;
    return false;
}

static void stray_check(struct making *making, struct slice path)
{
    struct schema_file *file = NULL;
    struct problems problems = { 0 };

    if (!schema_file_load_below(path.data, config_hidden(making->config, path.data), &file,
                                &making->arena, &problems))
        making->strays[making->stray_count++] = text_join(&making->arena, &problems);
    schema_file_destroy(file);
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

void catalog_check_strays(struct making *making)
{
    DIR *directory = opendir(making->config->schemas);

    if (directory == NULL)
        return; /* each task that needs one says so */
    making->strays = ARENA_ARRAY(&making->arena, struct slice, STRAYS_MAX);
    for (struct dirent *entry;
         making->stray_count < STRAYS_MAX && (entry = readdir(directory)) != NULL;) {
        size_t size = strlen(entry->d_name);
        if (size < 6 || entry->d_name[0] == '.' ||
            strcmp(entry->d_name + size - 5, ".yaml") != 0)
            continue;
        struct slice path =
            arena_format(&making->arena, "%s/%s", making->config->schemas, entry->d_name);
        if (!is_used(making, path))
            stray_check(making, path);
    }
    (void)closedir(directory); /* was only read */
    if (making->stray_count > 1)
        qsort(making->strays, making->stray_count, sizeof *making->strays, by_text);
}
