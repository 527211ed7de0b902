/* The whole HTTP surface. `:name` captures one path segment. */
#include "http/api/routes.h"

#include "http/server/route.h"

enum { TOKEN_BODY_BYTES = 10 * 1024 };

/* clang-format off */
const struct route routes[] = {
    { "POST", "/api/v1/tasks/:task/trigger",                       run_trigger,      ROUTE_CORS, 0 },
    { "POST", "/api/v1/idempotencyKeys/:key/reset",                key_reset,        0, 0 },
    { "GET",  "/api/v3/runs/:run",                                 run_show,         ROUTE_CORS, 0 },
    { "GET",  "/api/v1/runs",                                      run_list,         ROUTE_CORS, 0 },
    { "GET",  "/api/v1/projects/:project/runs",                    run_list,         ROUTE_CORS, 0 },
    { "POST", "/api/v2/runs/:run/cancel",                          run_cancel,       0, 0 },
    { "POST", "/api/v1/runs/:run/replay",                          run_replay,       0, 0 },
    { "GET",  "/api/v1/runs/:run/save-points",                     run_save_points,  0, 0 },
    { "GET",  "/api/v1/runs/:run/bundle",                          run_bundle,       0, 0 },
    { "POST", "/api/v1/runs/:run/reschedule",                      run_reschedule,   0, 0 },
    { "PUT",  "/api/v1/runs/:run/metadata",                        run_metadata_edit, 0, 0 },
    { "GET",  "/api/v1/runs/:run/metadata",                        run_metadata_show, 0, 0 },
    { "POST", "/api/v1/runs/:run/tags",                            run_tags_add,     0, 0 },
    { "GET",  "/api/v1/runs/:run/logs",                            run_logs,         0, 0 },
    { "GET",  "/api/v1/runs/:run/why",                             run_why,          0, 0 },
    { "POST", "/api/v1/runs/redrive",                              runs_redrive,     0, 0 },
    { "POST", "/api/v1/runs/:run/redrive",                         run_redrive,      0, 0 },
    { "POST", "/api/v1/runs/:run/wait/complete",                   run_wait_complete, 0, 0 },
    { "POST", "/api/v1/runs/:run/wait/timeout",                    run_wait_timeout, 0, 0 },
    { "POST", "/api/v1/runs/:run/wait/skip",                       run_wait_skip,    0, 0 },
    { "POST", "/api/v1/runs/:run/wait/move",                       run_wait_move,    0, 0 },
    { "POST", "/api/v1/runs/:run/messages",                        message_send,     0, 0 },
    { "GET",  "/api/v1/runs/:run/messages",                        message_list,     0, 0 },

    { "POST", "/api/v3/batches",                                   batch_create,     ROUTE_CORS, 0 },
    { "POST", "/api/v3/batches/:batch/items",                      batch_items,      ROUTE_CORS | ROUTE_ITEMS, 0 },
    { "POST", "/api/v2/tasks/batch",                               batch_trigger,    ROUTE_CORS, 0 },
    { "GET",  "/api/v1/batches/:batch",                            batch_show,       ROUTE_CORS, 0 },
    { "GET",  "/api/v2/batches/:batch",                            batch_show,       ROUTE_CORS, 0 },
    { "GET",  "/api/v1/batches/:batch/items",                      batch_items_list, 0, 0 },
    { "GET",  "/api/v1/batches/:batch/results",                    batch_results,    0, 0 },

    { "POST", "/api/v1/waitpoints/tokens",                         token_create,     0, TOKEN_BODY_BYTES },
    { "GET",  "/api/v1/waitpoints/tokens",                         token_list,       0, 0 },
    { "GET",  "/api/v1/waitpoints/tokens/:token",                  token_show,       0, 0 },
    { "POST", "/api/v1/waitpoints/tokens/:token/complete",         token_complete,   ROUTE_CORS, 0 },
    { "POST", "/api/v1/waitpoints/tokens/:token/timeout",          token_timeout,    0, 0 },
    { "POST", "/api/v1/waitpoints/tokens/:token/close",            token_close,      0, 0 },
    { "POST", "/api/v1/waitpoints/tokens/:token/move",             token_move,       0, 0 },
    { "POST", "/api/v1/waitpoints/tokens/:token/callback/:hash",   token_callback,   ROUTE_HASH, 0 },

    { "GET",  "/api/v1/queues",                                    queue_list,       0, 0 },
    { "GET",  "/api/v1/queues/:queue",                             queue_show,       0, 0 },
    { "POST", "/api/v1/queues/:queue/pause",                       queue_pause,      0, 0 },
    { "POST", "/api/v1/queues/:queue/concurrency/override",        queue_limit_override, 0, 0 },
    { "POST", "/api/v1/queues/:queue/concurrency/reset",           queue_limit_reset, 0, 0 },
    { "POST", "/api/v1/queues/:queue/rate/override",               queue_rate_override, 0, 0 },
    { "POST", "/api/v1/queues/:queue/rate/reset",                  queue_rate_reset, 0, 0 },
    { "GET",  "/api/v1/queues/:queue/statistics",                  queue_statistics, 0, 0 },

    { "POST", "/api/v1/schedules",                                 schedule_create,  0, 0 },
    { "GET",  "/api/v1/schedules",                                 schedule_list,    0, 0 },
    { "GET",  "/api/v1/schedules/:schedule",                       schedule_show,    0, 0 },
    { "PUT",  "/api/v1/schedules/:schedule",                       schedule_update,  0, 0 },
    { "DELETE", "/api/v1/schedules/:schedule",                     schedule_delete,  0, 0 },
    { "POST", "/api/v1/schedules/:schedule/activate",              schedule_activate, 0, 0 },
    { "POST", "/api/v1/schedules/:schedule/deactivate",            schedule_deactivate, 0, 0 },
    { "POST", "/api/v1/schedules/:schedule/run",                   schedule_run,     0, 0 },
    { "POST", "/api/v1/schedules/:schedule/backfill",              schedule_backfill, 0, 0 },
    { "DELETE", "/api/v1/schedules/:schedule/backfill",            schedule_backfill_stop, 0, 0 },
    { "GET",  "/api/v1/timezones",                                 timezone_list,    ROUTE_OPEN, 0 },

    { "POST", "/api/v1/bulk-actions",                              bulk_create,      0, 0 },
    { "GET",  "/api/v1/bulk-actions",                              bulk_list,        0, 0 },
    { "GET",  "/api/v1/bulk-actions/:bulk",                        bulk_show,        0, 0 },
    { "POST", "/api/v1/bulk-actions/:bulk/abort",                  bulk_abort,       0, 0 },

    { "GET",  "/api/v1/pools",                                     pool_list,        0, 0 },

    { "GET",  "/api/v1/environments",                              environment_list, 0, 0 },
    { "GET",  "/api/v1/environments/:environment",                 environment_show, 0, 0 },
    { "POST", "/api/v1/environments/:environment/pause",           environment_pause, 0, 0 },
    { "POST", "/api/v1/prune",                                     prune_old,        0, 0 },

    { "GET",  "/api/v1/plugins",                                   plugin_list,      0, 0 },
    { "POST", "/api/v1/plugins/promote",                           plugin_promote,   0, 0 },
    { "POST", "/api/v1/plugins/rollback",                          plugin_rollback,  0, 0 },
    { "POST", "/api/v1/plugins/plan",                              plugin_plan,      0, 0 },
    { "GET",  "/api/v1/builds/:build/file",                        build_file,       0, 0 },

    { "GET",  "/healthz",                                          health_show,      ROUTE_OPEN, 0 },
    { "GET",  "/readyz",                                           ready_show,       ROUTE_OPEN, 0 },
    { "GET",  "/metrics",                                          metrics_show,     ROUTE_METRICS, 0 },
    { NULL, NULL, NULL, 0, 0 },
};
/* clang-format on */
