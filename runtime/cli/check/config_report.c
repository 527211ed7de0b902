#include "cli/check/config_report.h"

#include "codec/json.h"
#include "config/config.h"
#include "config/schedules_file.h"
#include "schedule/zones.h"
#include "schema/document/problem.h"

#include <inttypes.h>
#include <netdb.h>
#include <unistd.h>

static const char standard_path[] = "config/bide.yaml";

static void json_report(const char *path, const char *queues_path, const char *schedules_path,
                        struct arena *arena, const struct problems *problems,
                        struct buffer *out)
{
    struct value root = value_map(), list = problems_value(arena, problems);

    value_put(arena, &root, "file", value_text(path));
    value_put(arena, &root, "queues", value_text(queues_path));
    if (schedules_path != NULL) /* without bide.yaml it is not known whose they are */
        value_put(arena, &root, "schedules", value_text(schedules_path));
    value_put(arena, &root, "valid", value_bool(problems->count == 0));
    value_put(arena, &root, "problems", *value_find(&list, "problems"));
    json_write_pretty(out, &root);
    buffer_byte(out, '\n');
}

static void text_report(const char *path, const struct config *config,
                        const struct config_queues *queues,
                        const struct config_schedules *schedules, struct buffer *out)
{
    bool has_queues = access(config->queues_path, F_OK) == 0;
    bool has_schedules = access(config->schedules_path, F_OK) == 0;

    buffer_format(out, "%s: fine, %" PRIu32 " environment%s:", path, config->environment_count,
                  config->environment_count == 1 ? "" : "s");
    for (uint32_t i = 0; i < config->environment_count; i++)
        buffer_format(out, "%s %s", i == 0 ? "" : ",", config->environments[i].name);
    buffer_format(out, "\n%s: ", config->queues_path);
    if (has_queues)
        buffer_format(out, "fine, %" PRIu32 " queue%s and %" PRIu32 " task%s named\n",
                      queues->queue_count, queues->queue_count == 1 ? "" : "s",
                      queues->task_count, queues->task_count == 1 ? "" : "s");
    else
        buffer_text(out, "not there, every queue gets the default limit\n");
    if (has_schedules)
        buffer_format(out, "%s: fine, %" PRIu32 " schedule%s\n", config->schedules_path,
                      schedules->count, schedules->count == 1 ? "" : "s");
}

/* What the file refers to: the address, and keys that are elsewhere. */
static bool outside_check(const char *path, const struct config *config, struct arena *arena,
                          struct problems *problems)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
    struct report report = { arena, problems, slice_of(path) };
    int problem = getaddrinfo(config->host, NULL, &hints, &found);

    if (problem == 0)
        freeaddrinfo(found);
    else
        report_add(&report, 0, 0, "server.listen: there is no address %s: %s", config->host,
                   gai_strerror(problem));
    for (uint32_t i = 0; i < config->environment_count; i++) {
        struct err err = { 0 };
        if (!config_keys_check(config, i, &err))
            report_add(&report, 0, 0, "%s", err.text);
    }
    return problems->count == 0;
}

/* Where it says anything: the environments that schedules name are those of bide.yaml. */
static bool schedules_check(const struct config *config, struct config_schedules *schedules,
                            struct arena *arena, struct problems *problems)
{
    struct zones *zones = zones_create(NULL);
    struct zone_source source = zones_source(zones);
    bool fine = config_schedules_load(config->schedules_path, config, &source, schedules, arena,
                                      problems);

    zones_destroy(zones); /* nothing of them is in the schedules */
    return fine;
}

int config_report(const char *path, bool json, struct buffer *out)
{
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct config_queues queues = { 0 };
    struct config_schedules schedules = { 0 };
    struct config config;

    if (path == NULL)
        path = standard_path;
    bool fine = config_load(path, &config, &arena, &problems);
    const char *schedules_path = fine ? config.schedules_path : NULL;
    const char *queues_path = fine ? config.queues_path : config_queues_beside(&arena, path);
    fine &= !fine || outside_check(path, &config, &arena, &problems);
    fine &= config_queues_load(queues_path, fine ? config.limits.max_attempts : UINT32_MAX,
                               &queues, &arena, &problems);
    if (schedules_path != NULL)
        fine &= schedules_check(&config, &schedules, &arena, &problems);
    if (json)
        json_report(path, queues_path, schedules_path, &arena, &problems, out);
    else if (fine)
        text_report(path, &config, &queues, &schedules, out);
    else
        problems_text(out, &problems);
    config_queues_finish(&queues);
    config_schedules_finish(&schedules);
    config_finish(&config);
    arena_finish(&arena);
    return fine ? 0 : 2;
}
