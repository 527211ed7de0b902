/*
 * Fields: what is durable of each kind of row, told once. From these lists come the descriptors
 * (kind.c), and with them loading, comparing, flushing, both stores and what the simulation
 * compares.
 *
 * X(row, number, type, member): numbers are stored, each is given once and for ever; 0 is for
 * what is not packed with the others. Types are those of enum field_type. Of a kind that is
 * stored in columns, members are the columns' names, in this order.
 */
#ifndef FIELDS_H
#define FIELDS_H

/* clang-format off */
#define RUN_FIELDS(X, row)                                                                     \
    X(row, 0, ID, id) X(row, 41, SAME, root_id) X(row, 1, CREATED, created_ms)                 \
    X(row, 2, COUNT, status) X(row, 3, COUNT, outcome) X(row, 4, COUNT, seq)                   \
    X(row, 5, COUNT, attempt) X(row, 6, COUNT, max_attempts) X(row, 7, COUNT, entry)           \
    X(row, 8, COUNT, depth) X(row, 9, COUNT, remaining) X(row, 10, COUNT, progress)            \
    X(row, 11, COUNT, log_lines) X(row, 12, COUNT, secrets) X(row, 13, COUNT, node)            \
    X(row, 14, COUNT, epoch) X(row, 15, COUNT, home) X(row, 16, NUMBER, ttl_ms)                \
    X(row, 17, NUMBER, priority_ms) X(row, 18, NUMBER, limit_ms) X(row, 19, NUMBER, busy_us)   \
    X(row, 20, NUMBER, given)                                                                 \
    X(row, 24, FLAG, is_test) X(row, 25, FLAG, needs_parent) X(row, 26, FLAG, due_is_span)     \
    X(row, 27, FLAG, has_tokens) X(row, 28, FLAG, is_out) X(row, 32, TIME, rank_ms)            \
    X(row, 33, TIME, updated_ms) X(row, 34, TIME, started_ms) X(row, 35, TIME, finished_ms)    \
    X(row, 36, TIME, due_ms) X(row, 40, REF, queue) X(row, 45, SAME, lane)                     \
    X(row, 42, REF, id_block) X(row, 43, REF, parent_id) X(row, 44, REF, swept_id)             \
    X(row, 48, WORD, segment) X(row, 49, WORD, version) X(row, 50, WORD, build)                \
    X(row, 0, PLACE, environment) X(row, 51, TASK, task) X(row, 56, BYTES, tags)               \
    X(row, 57, BYTES, metadata) X(row, 58, BYTES, error) X(row, 59, BYTES, wait)               \
    X(row, 60, BYTES, once) X(row, 61, BYTES, timeline) X(row, 62, BYTES, key)                 \
    X(row, 63, BYTES, key_text) X(row, 64, BYTES, schema) X(row, 65, BYTES, schema_now)        \
    X(row, 21, NUMBER, frozen_ms) X(row, 66, BYTES, deaths) X(row, 67, BYTES, concurrency_key)        \
    X(row, 68, BYTES, tenant) X(row, 22, NUMBER, choices) X(row, 46, REF, batch)                \
    X(row, 69, BYTES, left) X(row, 23, NUMBER, mailed) X(row, 29, COUNT, tries)                 \
    X(row, 47, REF, bulk) X(row, 52, REF, replayed)                                            \
    X(row, 30, FLAG, is_dead)                                                                  \
    X(row, 53, REF, schedule) X(row, 90, FLAG, is_backfill)                                    \
    X(row, 80, COUNT, ending) X(row, 81, COUNT, undo_number) X(row, 82, COUNT, undo_tries)          \
    X(row, 83, COUNT, hooks) X(row, 84, BYTES, aborts) X(row, 85, BYTES, undo_errors)          \
    X(row, 91, TIME, bounce_ms)                                                                \
    X(row, 102, COUNT, collected) X(row, 103, COUNT, collect_most)                             \
    X(row, 104, COUNT, bounces) X(row, 105, BYTES, bounce_key)                                 \
    X(row, 96, COUNT, keeps) X(row, 97, COUNT, kept) X(row, 98, TIME, saved_ms)                \
    X(row, 92, NUMBER, total_ms) X(row, 93, TIME, total_end_ms) X(row, 94, FLAG, is_total_warned)   \
    X(row, 95, COUNT, max_attempts_total) X(row, 86, NUMBER, cpu_ms)                            \
    X(row, 0, PART, input) X(row, 0, PART, state) X(row, 0, PART, output) X(row, 0, PART, mail) \
    X(row, 0, PART, states)

#define WAITPOINT_FIELDS(X, row)                                                               \
    X(row, 0, ID, id) X(row, 1, CREATED, created_ms) X(row, 2, COUNT, environment)             \
    X(row, 3, COUNT, kind) X(row, 4, COUNT, status) X(row, 6, COUNT, is_shared)                \
    X(row, 5, FLAG, due_is_span) X(row, 16, TIME, timeout_ms) X(row, 17, TIME, completed_ms)   \
    X(row, 18, TIME, key_expires_ms) X(row, 19, TIME, due_ms) X(row, 20, TIME, used_ms)         \
    X(row, 24, REF, run_id) X(row, 32, TASK, task) X(row, 33, WORD, schema) X(row, 40, BYTES, tags)                    \
    X(row, 41, BYTES, key_text) X(row, 42, BYTES, secret)                            \
    X(row, 43, BYTES, key) X(row, 44, BYTES, note) X(row, 0, BESIDE, result)

/* Of what can be paused, beside what is told of it already. */
#define PAUSE_FIELDS(X, row)                                                                   \
    X(row, 0, FLAG, frozen) X(row, 0, FLAG, refuses) X(row, 0, FLAG, due_is_span)              \
    X(row, 0, TIME, due_ms) X(row, 0, TIME, until_ms) X(row, 0, NUMBER, frozen_ms)             \
    X(row, 0, NUMBER, frozen_at_ms) X(row, 0, TIME, ramp_from_ms) X(row, 0, NUMBER, ramp_ms)

#define ENVIRONMENT_FIELDS(X, row)                                                             \
    X(row, 0, NUMBER, number) X(row, 0, TEXT, name) X(row, 0, FLAG, paused)                    \
    X(row, 0, TIME, paused_ms) X(row, 0, TEXT, paused_by) X(row, 0, TEXT, paused_why)          \
    PAUSE_FIELDS(X, row)

#define QUEUE_FIELDS(X, row)                                                                   \
    X(row, 0, ID, id) X(row, 0, COUNT, environment) X(row, 0, TEXT, name)                      \
    X(row, 0, FLAG, paused) X(row, 0, TIME, paused_ms) X(row, 0, NUMBER, created_ms)           \
    X(row, 0, SUM, completed) X(row, 0, SUM, failed) X(row, 0, SUM, canceled)                  \
    X(row, 0, SUM, wait_ms) X(row, 0, SUM, busy_us) X(row, 0, MOST, used_ms)                   \
    X(row, 0, FLAG, removed) X(row, 0, COUNT, override_limit) X(row, 0, TIME, override_ms)      \
    X(row, 0, TEXT, override_by) X(row, 0, TEXT, paused_by) X(row, 0, TEXT, paused_why)        \
    PAUSE_FIELDS(X, row) X(row, 0, MOST, pushed_ms) X(row, 0, BYTES, rates)                     \
    X(row, 0, TEXT, rates_by) X(row, 0, SUM, unstarted)

#define NODE_FIELDS(X, row)                                                                    \
    X(row, 0, NUMBER, number) X(row, 0, COUNT, epoch) X(row, 0, NUMBER, lease_ms)              \
    X(row, 0, BYTES, offers)

#define GRANT_FIELDS(X, row)                                                                   \
    X(row, 0, NUMBER, scope) X(row, 0, BYTES, holders) X(row, 0, BYTES, hungry)

#define RATE_FIELDS(X, row)                                                                    \
    X(row, 0, NUMBER, scope) X(row, 0, NUMBER, tat_us) X(row, 0, NUMBER, interval_us)          \
    X(row, 0, COUNT, burst) X(row, 0, NUMBER, pushed_ms)

#define LANE_FIELDS(X, row)                                                                    \
    X(row, 0, ID, id) X(row, 0, COUNT, environment) X(row, 0, NUMBER, queue)                   \
    X(row, 0, TEXT, key) X(row, 0, NUMBER, created_ms) X(row, 0, NUMBER, last)

#define KEY_FIELDS(X, row)                                                                     \
    X(row, 0, RAW, hash) X(row, 0, NUMBER, target) X(row, 0, TIME, expires_ms)                 \
    X(row, 0, RAW, payload)

#define EDGE_FIELDS(X, row) X(row, 0, NUMBER, waitpoint_id) X(row, 0, NUMBER, run_id)

#define LOG_LINE_FIELDS(X, row)                                                                \
    X(row, 0, NUMBER, run_id) X(row, 0, COUNT, line) X(row, 0, NUMBER, at_ms)                  \
    X(row, 0, COUNT, level) X(row, 0, COUNT, attempt) X(row, 0, WORD, segment)                 \
    X(row, 0, TEXT, text)

#define MINUTE_FIELDS(X, row)                                                                  \
    X(row, 0, NUMBER, minute) X(row, 0, NUMBER, queue) X(row, 0, TEXT, key)                    \
    X(row, 0, SUM, started) X(row, 0, SUM, completed) X(row, 0, SUM, failed)                   \
    X(row, 0, SUM, canceled) X(row, 0, SUM, w0) X(row, 0, SUM, w1) X(row, 0, SUM, w2)          \
    X(row, 0, SUM, w3) X(row, 0, SUM, w4) X(row, 0, SUM, w5) X(row, 0, SUM, w6)                \
    X(row, 0, SUM, w7) X(row, 0, SUM, w8) X(row, 0, SUM, w9) X(row, 0, SUM, w10)               \
    X(row, 0, SUM, w11) X(row, 0, SUM, w12) X(row, 0, SUM, w13) X(row, 0, SUM, w14)            \
    X(row, 0, SUM, w15) X(row, 0, SUM, w16) X(row, 0, SUM, w17) X(row, 0, SUM, w18)            \
    X(row, 0, SUM, w19) X(row, 0, SUM, w20) X(row, 0, SUM, w21) X(row, 0, SUM, w22)            \
    X(row, 0, SUM, w23) X(row, 0, SUM, w24) X(row, 0, SUM, w25)

#define RUN_BATCH_FIELDS(X, row)                                                               \
    X(row, 0, ID, id) X(row, 1, CREATED, created_ms) X(row, 2, COUNT, environment)             \
    X(row, 3, COUNT, status) X(row, 4, COUNT, expected) X(row, 5, COUNT, room)                 \
    X(row, 6, COUNT, received) X(row, 7, COUNT, most) X(row, 8, COUNT, refused)                \
    X(row, 9, COUNT, made) X(row, 10, COUNT, ended) X(row, 11, COUNT, failed)                  \
    X(row, 16, FLAG, due_is_span) X(row, 17, FLAG, is_atomic) X(row, 24, TIME, due_ms)         \
    X(row, 25, TIME, sealed_ms) X(row, 26, TIME, finished_ms) X(row, 27, TIME, used_ms)        \
    X(row, 32, REF, first_id) X(row, 33, REF, parent_id) X(row, 40, BYTES, key)                \
    X(row, 41, BYTES, key_text) X(row, 42, BYTES, why)

#define BATCH_ITEM_FIELDS(X, row)                                                              \
    X(row, 0, ID, id) X(row, 1, CREATED, created_ms) X(row, 2, COUNT, kind)                    \
    X(row, 8, NUMBER, given) X(row, 16, REF, batch) X(row, 17, REF, target) X(row, 24, BYTES, task)                     \
    X(row, 25, BYTES, error) X(row, 0, BESIDE, asked)

#define SCHEDULE_FIELDS(X, row)                                                                \
    X(row, 0, ID, id) X(row, 0, COUNT, environment) X(row, 0, TEXT, name)                      \
    X(row, 0, FLAG, is_declared) X(row, 0, FLAG, active) X(row, 0, COUNT, dropped)             \
    X(row, 0, TIME, due_ms) X(row, 0, TIME, next_ms) X(row, 0, TIME, last_ms)                  \
    X(row, 0, TEXT, zone_data) X(row, 0, BYTES, rules) X(row, 0, NUMBER, created_ms)           \
    X(row, 0, NUMBER, updated_ms) X(row, 0, NUMBER, fired) X(row, 0, NUMBER, skipped)          \
    X(row, 0, NUMBER, missed) X(row, 0, NUMBER, refused) X(row, 0, COUNT, failures)            \
    X(row, 0, BYTES, runs) X(row, 0, BYTES, waiting) X(row, 0, BYTES, events)                  \
    X(row, 0, TEXT, note) X(row, 0, BYTES, backfill)

#define BUILD_FIELDS(X, row)                                                                   \
    X(row, 0, NUMBER, id) X(row, 0, TEXT, sha) X(row, 0, TEXT, file) X(row, 0, TEXT, plugin)   \
    X(row, 0, TEXT, version) X(row, 0, BYTES, about) X(row, 0, NUMBER, created_ms)             \
    X(row, 0, NUMBER, rank_ms) X(row, 0, FLAG, in_file) X(row, 0, NUMBER, heir)                \
    X(row, 0, COUNT, ramp_percent) X(row, 0, TIME, ramp_from_ms) X(row, 0, NUMBER, ramp_ms)    \
    X(row, 0, TEXT, note)

#define BULK_ACTION_FIELDS(X, row)                                                             \
    X(row, 0, ID, id) X(row, 1, CREATED, created_ms) X(row, 2, COUNT, environment)             \
    X(row, 3, COUNT, status) X(row, 4, COUNT, what) X(row, 5, COUNT, total)                    \
    X(row, 6, COUNT, done) X(row, 7, COUNT, unchanged) X(row, 8, COUNT, failed)                \
    X(row, 9, COUNT, at) X(row, 16, FLAG, due_is_span) X(row, 24, TIME, due_ms)                \
    X(row, 25, TIME, finished_ms) X(row, 32, REF, cursor) X(row, 40, BYTES, filter)            \
    X(row, 41, BYTES, runs) X(row, 42, BYTES, failures) X(row, 43, BYTES, name)                \
    X(row, 44, BYTES, by) X(row, 45, BYTES, why) X(row, 46, BYTES, stopped)
/* clang-format on */

#endif
