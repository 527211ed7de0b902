/* The functions behind the table in routes.c, one file a resource. */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdint.h>

struct request;

void run_trigger(struct request *request);
void key_reset(struct request *request);
void run_show(struct request *request);
/* As that, of a request that has been decided. */
void run_show_now(struct request *request, int64_t id);
void run_list(struct request *request);
void run_cancel(struct request *request);
void run_replay(struct request *request);
void run_save_points(struct request *request);
void run_reschedule(struct request *request);
void run_metadata_edit(struct request *request);
void run_metadata_show(struct request *request);
void run_tags_add(struct request *request);
void run_logs(struct request *request);
void run_why(struct request *request);
void run_redrive(struct request *request);
void run_bundle(struct request *request);
void runs_redrive(struct request *request);
void message_send(struct request *request);
void message_list(struct request *request);

void batch_create(struct request *request);
void batch_items(struct request *request);
void batch_trigger(struct request *request);
void batch_show(struct request *request);
void batch_items_list(struct request *request);
void batch_results(struct request *request);

void token_create(struct request *request);
void token_list(struct request *request);
void token_show(struct request *request);
void token_complete(struct request *request);
void token_timeout(struct request *request);
void token_close(struct request *request);
void token_move(struct request *request);
void run_wait_complete(struct request *request);
void run_wait_timeout(struct request *request);
void run_wait_skip(struct request *request);
void run_wait_move(struct request *request);
void token_callback(struct request *request);

void queue_list(struct request *request);
void queue_show(struct request *request);
void queue_pause(struct request *request);
void queue_limit_override(struct request *request);
void queue_limit_reset(struct request *request);
void queue_rate_override(struct request *request);
void queue_rate_reset(struct request *request);
void queue_statistics(struct request *request);

void bulk_create(struct request *request);
void bulk_list(struct request *request);
void bulk_show(struct request *request);
void bulk_abort(struct request *request);

void schedule_create(struct request *request);
void schedule_list(struct request *request);
void schedule_show(struct request *request);
void schedule_update(struct request *request);
void schedule_delete(struct request *request);
void schedule_activate(struct request *request);
void schedule_deactivate(struct request *request);
void schedule_run(struct request *request);
void schedule_backfill(struct request *request);
void schedule_backfill_stop(struct request *request);
void timezone_list(struct request *request);

void pool_list(struct request *request);

void environment_list(struct request *request);
void environment_show(struct request *request);
void environment_pause(struct request *request);

void prune_old(struct request *request);

void plugin_list(struct request *request);
void plugin_promote(struct request *request);
void plugin_rollback(struct request *request);
void plugin_plan(struct request *request);
void build_file(struct request *request);

void health_show(struct request *request);
void ready_show(struct request *request);
void metrics_show(struct request *request);

#endif
