/* Schedules in the bench: made, acted on, and looked at. */
#ifndef SCHEDULES_BENCH_H
#define SCHEDULES_BENCH_H

#include "base/duration.h"
#include "bench.h"
#include "codec/json.h"
#include "codec/pack.h"
#include "config/schedule_rules.h"
#include "engine/rows/schedule.h"

#include <stdio.h>

static inline void open_with_zones(void)
{
    struct zone_source zones;

    bench_open();
    bench.look_for_due = true;
    bench.zones = zones_create(NULL);
    zones = zones_source(bench.zones);
    engine_zones(bench.engine, &zones);
    cr_assert(time_parse(SLICE("2027-03-01T00:00:30Z"), &bench.now_ms));
}

static inline void close_with_zones(void)
{
    bench_close();
    zones_destroy(bench.zones);
}

/* JSON of what a schedule says. */
static inline struct slice rules_of(const char *text)
{
    struct schedule_rules rules = schedule_rules_standard();
    struct value map;
    struct cron_flaw flaw;
    struct err err;

    cr_assert(json_read(bench_arena(), slice_of(text), &map, &err), "%s", err.text);
    for (uint32_t i = 0; i < map.count; i++)
        cr_assert(schedule_rules_set(bench_arena(), &rules, map.members[i].key,
                                     &map.members[i].value, &flaw),
                  "%s", flaw.text);
    return schedule_rules_pack(bench_arena(), &rules);
}

static inline int64_t put(const char *name, const char *rules)
{
    struct command *command = add(COMMAND_SCHEDULE_PUT);

    command->schedule_put = (struct schedule_put){
        .environment = DEV, .name = slice_of(name), .creates = true, .rules = rules_of(rules)
    };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->schedule_put.schedule_id;
}

static inline struct command *act(int64_t id, enum schedule_what what, bool is_forced)
{
    struct command *command = add(COMMAND_SCHEDULE_ACT);

    command->schedule_act = (struct schedule_act){
        .environment = DEV, .id = id, .what = what, .is_forced = is_forced
    };
    cr_assert(commit());
    return command;
}

static inline const struct schedule *row(int64_t id)
{
    return (const struct schedule *)store_memory_get(bench.store, ROW_SCHEDULE, id);
}

static inline uint32_t runs(void)
{
    return store_memory_count(bench.store, ROW_RUN);
}

static inline const struct run *last_run(void)
{
    return (const struct run *)store_memory_at(bench.store, ROW_RUN, runs() - 1);
}

/* A member of the payload of the run that was made last. */
static inline const char *payload(const char *key)
{
    struct buffer out = { 0 };
    struct value map;
    struct err err;

    cr_assert(pack_read(bench_arena(), last_run()->input, &map, &err), "%s", err.text);
    const struct value *member = value_find(&map, key);
    if (member == NULL)
        return "none";
    json_write(&out, member);
    const char *text = arena_text(bench_arena(), buffer_view(&out));
    buffer_finish(&out);
    return text;
}

static inline const char *events(int64_t id)
{
    struct buffer out = { 0 };

    json_write_packed(&out, row(id)->events);
    const char *text = arena_text(bench_arena(), buffer_view(&out));
    buffer_finish(&out);
    return text;
}

#endif
