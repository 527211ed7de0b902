/* The keys of bide.yaml but environments, and where each goes. What they mean, their defaults
 * and their ranges are in schemas/config/bide.yaml. */
#include "config/setting.h"

#define AT(member) offsetof(struct config, member)

// clang-format off
const struct setting settings[] = {
    { NULL, "data", SETTING_PATH, AT(data) },
    { NULL, "plugins", SETTING_PATH, AT(plugins) },
    { NULL, "schemas", SETTING_PATH, AT(schemas) },
    { NULL, "queues", SETTING_PATH, AT(queues_path) },
    { NULL, "sources", SETTING_PATHS, AT(sources) },
    { NULL, "unknown_tasks", SETTING_REFUSE, AT(refuses_unknown_tasks) },
    { NULL, "on_payload_mismatch", SETTING_REFUSE, AT(refuses_payload_mismatch) },

    { "server", "listen", SETTING_LISTEN, AT(host) },
    { "server", "origin", SETTING_ORIGIN, AT(origin) },
    { "server", "max_connections", SETTING_COUNT, AT(max_connections) },
    { "server", "max_connections_per_ip", SETTING_COUNT, AT(max_connections_per_ip) },
    { "server", "max_body", SETTING_BYTES, AT(max_body_bytes) },
    { "server", "max_header", SETTING_BYTES, AT(max_header_bytes) },
    { "server", "request_time", SETTING_DURATION, AT(request_time_ms) },
    { "server", "idle_time", SETTING_DURATION, AT(idle_time_ms) },
    { "server", "max_replies", SETTING_BYTES, AT(max_reply_bytes) },
    { "server", "reply_rate", SETTING_BYTES, AT(reply_rate) },
    { "server", "reply_time", SETTING_DURATION, AT(reply_time_ms) },
    { "server", "metrics", SETTING_TEXT, AT(metrics) },
    { "server", "max_commands", SETTING_COUNT, AT(max_commands) },
    { "server", "awake", SETTING_DURATION, AT(awake_ms) },

    { "store", "low_water", SETTING_BYTES, AT(low_water_bytes) },
    { "store", "log", SETTING_BYTES, AT(log_bytes) },

    { "workers", "slots", SETTING_SLOTS, AT(slots) },
    { "workers", "segment_time", SETTING_DURATION, AT(segment_time_ms) },
    { "workers", "grace", SETTING_DURATION, AT(grace_ms) },
    { "workers", "load_time", SETTING_DURATION, AT(load_time_ms) },
    { "workers", "rollback_crashes", SETTING_COUNT, AT(rollback_crashes) },
    { "workers", "rollback_percent", SETTING_COUNT, AT(rollback_percent) },
    { "workers", "idle_slot", SETTING_DURATION, AT(idle_slot_ms) },
    { "workers", "memory", SETTING_BYTES, AT(memory_bytes) },
    { "workers", "slot_segments", SETTING_COUNT, AT(slot_segments) },
    { "workers", "slot_descriptors", SETTING_COUNT, AT(slot_descriptors) },
    { "workers", "slot_threads", SETTING_COUNT, AT(slot_threads) },
    { "workers", "slot_growth", SETTING_BYTES, AT(slot_growth_bytes) },

    { "retry", "max_attempts", SETTING_COUNT, AT(max_attempts) },
    { "retry", "min", SETTING_DURATION, AT(retry_min_ms) },
    { "retry", "max", SETTING_DURATION, AT(retry_max_ms) },
    { "retry", "factor", SETTING_FACTOR, AT(retry_factor) },

    { "limits", "payload", SETTING_BYTES, AT(limits.payload_bytes) },
    { "limits", "state", SETTING_BYTES, AT(limits.state_bytes) },
    { "limits", "kept_states", SETTING_BYTES, AT(limits.kept_states_bytes) },
    { "limits", "output", SETTING_BYTES, AT(limits.output_bytes) },
    { "limits", "metadata", SETTING_BYTES, AT(limits.metadata_bytes) },
    { "limits", "token", SETTING_BYTES, AT(limits.token_bytes) },
    { "limits", "tags", SETTING_COUNT, AT(limits.tags) },
    { "limits", "tag", SETTING_COUNT, AT(limits.tag_bytes) },
    { "limits", "log_lines", SETTING_COUNT, AT(limits.log_lines) },
    { "limits", "log_line", SETTING_COUNT, AT(limits.log_line_bytes) },
    { "limits", "queues", SETTING_COUNT, AT(limits.queues) },
    { "limits", "idle_queue", SETTING_DURATION, AT(limits.idle_queue_ms) },
    { "limits", "waits", SETTING_COUNT, AT(limits.waits) },
    { "limits", "batch_items", SETTING_COUNT, AT(limits.batch_items) },
    { "limits", "batch_open", SETTING_DURATION, AT(limits.batch_open_ms) },
    { "limits", "depth", SETTING_COUNT, AT(limits.depth) },
    { "limits", "mailbox", SETTING_COUNT, AT(limits.mailbox) },
    { "limits", "mailbox_bytes", SETTING_BYTES, AT(limits.mailbox_bytes) },
    { "limits", "calls", SETTING_COUNT, AT(limits.calls) },
    { "limits", "max_attempts", SETTING_COUNT, AT(limits.max_attempts) },
    { "limits", "plugins", SETTING_COUNT, AT(limits.plugins) },
    { "limits", "builds", SETTING_COUNT, AT(limits.builds) },
    { "limits", "steps", SETTING_COUNT, AT(limits.steps) },

    { "retention", "ended_runs", SETTING_DURATION, AT(retention.span_ms[RETAIN_RUNS]) },
    { "retention", "tokens", SETTING_DURATION, AT(retention.span_ms[RETAIN_TOKENS]) },
    { "retention", "logs", SETTING_DURATION, AT(retention.span_ms[RETAIN_LOGS]) },
    { "retention", "early_answers", SETTING_DURATION, AT(early_answers_ms) },
    { "retention", "statistics", SETTING_DURATION, AT(statistics_ms) },

    { "log", "level", SETTING_TEXT, AT(log_level) },
};
// clang-format on

const size_t setting_count = sizeof settings / sizeof settings[0];
