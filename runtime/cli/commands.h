/* The commands, in the order of `bide help`: each is a struct in a file of its own. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cli/cli.h"

#define CLI_COMMAND_MAP(X) \
    X(serve)               \
    X(trigger)             \
    X(keys_reset)          \
    X(runs_list)           \
    X(runs_show)           \
    X(runs_watch)          \
    X(runs_why)            \
    X(runs_cancel)         \
    X(runs_replay)         \
    X(runs_states)         \
    X(runs_redrive)        \
    X(runs_bundle)         \
    X(runs_wait)           \
    X(runs_send)           \
    X(runs_messages)       \
    X(runs_metadata)       \
    X(runs_tag)            \
    X(runs_reschedule)     \
    X(batches_create)      \
    X(batches_show)        \
    X(batches_items)       \
    X(batches_results)     \
    X(tokens_list)         \
    X(tokens_show)         \
    X(tokens_create)       \
    X(tokens_complete)     \
    X(tokens_timeout)      \
    X(tokens_close)        \
    X(tokens_move)         \
    X(queues_list)         \
    X(queues_show)         \
    X(queues_pause)        \
    X(queues_resume)       \
    X(queues_limit)        \
    X(queues_rate)         \
    X(queues_pools)        \
    X(env_list)            \
    X(env_pause)           \
    X(env_resume)          \
    X(schedules_list)      \
    X(schedules_show)      \
    X(schedules_create)    \
    X(schedules_pause)     \
    X(schedules_resume)    \
    X(schedules_run)       \
    X(schedules_delete)    \
    X(schedules_backfill)  \
    X(schedules_next)      \
    X(bulk_cancel)         \
    X(bulk_replay)         \
    X(bulk_list)           \
    X(bulk_show)           \
    X(bulk_stop)           \
    X(prune)               \
    X(store_compact)       \
    X(deploy)              \
    X(plugins_list)        \
    X(plugins_inspect)     \
    X(plugins_lint)        \
    X(plugins_promote)     \
    X(plugins_rollback)    \
    X(plugins_plan)        \
    X(replay)              \
    X(schemas_check)       \
    X(schemas_header)      \
    X(schemas_diff)        \
    X(config_check)        \
    X(new_plugin)          \
    X(bench)

#define X(name) extern const struct cli_command name##_command;
CLI_COMMAND_MAP(X)
#undef X

#endif
