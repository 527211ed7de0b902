/* Everything bide.yaml may say but environments: one line a key. */
#include "config/setting.h"

#include <inttypes.h>

#define AT(member) offsetof(struct config, member)
#define MIB        INT64_C(1048576)
#define SECONDS(n) (INT64_C(1000) * (n))
#define DAYS(n)    (INT64_C(86400000) * (n))

// clang-format off
const struct setting settings[] = {
    { NULL, "data", SETTING_PATH, AT(data), "data", 0, 0,
      "directory of the database and the keys" },
    { NULL, "plugins", SETTING_PATH, AT(plugins), "plugins", 0, 0,
      "directory of the tasks' .so files; watched" },
    { NULL, "schemas", SETTING_PATH, AT(schemas), "schemas", 0, 0,
      "directory of the tasks' schemas; watched" },
    { NULL, "queues", SETTING_PATH, AT(queues_path), NULL, 0, 0,
      "file of the queues' limits; watched, may be absent; else queues.yaml beside this file" },

    { "server", "listen", SETTING_LISTEN, AT(host), "127.0.0.1:8030", 0, 0,
      "address and port; port 0 is any free one" },
    { "server", "origin", SETTING_ORIGIN, AT(origin), NULL, 0, 0,
      "what callback URLs begin with, when clients reach the server by another name" },
    { "server", "max_connections", SETTING_COUNT, AT(max_connections), "10000", 1, 1000000,
      "open connections; more are closed at once" },
    { "server", "max_connections_per_ip", SETTING_COUNT, AT(max_connections_per_ip), "0", 0, 1000000,
      "open connections from one address; 0 is no limit" },
    { "server", "max_body", SETTING_BYTES, AT(max_body_bytes), "4MiB", 1024, 64 * MIB,
      "size of a request's body" },
    { "server", "max_header", SETTING_BYTES, AT(max_header_bytes), "8KiB", 1024, MIB,
      "size of a request's headers together" },
    { "server", "request_time", SETTING_DURATION, AT(request_time_ms), "30s", SECONDS(1), SECONDS(3600),
      "time in which headers and body must have come" },
    { "server", "idle_time", SETTING_DURATION, AT(idle_time_ms), "60s", SECONDS(1), SECONDS(3600),
      "time after which an idle connection is closed" },
    { "server", "max_commands", SETTING_COUNT, AT(max_commands), "10000", 1, 1000000,
      "requests waiting for the database; more are answered 503" },
    { "server", "awake", SETTING_DURATION, AT(awake_ms), "1ms", 0, SECONDS(1),
      "on virtual machines: how long processors are kept from halting after a request; 0 is never" },

    { "workers", "slots", SETTING_SLOTS, AT(slots), "auto", 1, 1024,
      "segments that run at a time; auto is 16 for each processor" },
    { "workers", "segment_time", SETTING_DURATION, AT(segment_time_ms), "5m", 1, DAYS(7),
      "how long a segment may run when its task does not say" },
    { "workers", "grace", SETTING_DURATION, AT(grace_ms), "2s", 0, SECONDS(600),
      "time between asking a segment to stop and killing it" },
    { "workers", "load_time", SETTING_DURATION, AT(load_time_ms), "10s", 100, SECONDS(600),
      "time in which a plugin must have loaded" },
    { "workers", "idle_slot", SETTING_DURATION, AT(idle_slot_ms), "30s", 100, DAYS(1),
      "time after which an idle slot goes; one stays" },
    { "workers", "memory", SETTING_BYTES, AT(memory_bytes), "0", 0, INT64_C(1) << 44,
      "address space of a slot, at least 16MiB; 0 is no limit" },

    { "retry", "max_attempts", SETTING_COUNT, AT(max_attempts), "3", 1, 1000,
      "attempts of a run, the first included, when its task does not say" },
    { "retry", "min", SETTING_DURATION, AT(retry_min_ms), "1s", 0, DAYS(7),
      "pause before the second attempt" },
    { "retry", "max", SETTING_DURATION, AT(retry_max_ms), "1m", 0, DAYS(30),
      "longest pause" },
    { "retry", "factor", SETTING_FACTOR, AT(retry_factor), "2", 1, 100,
      "each pause is so many times the one before" },

    { "limits", "payload", SETTING_BYTES, AT(limits.payload_bytes), "3MiB", 64, 48 * MIB,
      "size of a run's payload" },
    { "limits", "state", SETTING_BYTES, AT(limits.state_bytes), "1MiB", 64, 48 * MIB,
      "size of a run's state" },
    { "limits", "output", SETTING_BYTES, AT(limits.output_bytes), "3MiB", 64, 48 * MIB,
      "size of a run's output" },
    { "limits", "metadata", SETTING_BYTES, AT(limits.metadata_bytes), "256KiB", 64, 16 * MIB,
      "size of a run's metadata" },
    { "limits", "token", SETTING_BYTES, AT(limits.token_bytes), "3MiB", 64, 48 * MIB,
      "size of what completes a token" },
    { "limits", "tags", SETTING_COUNT, AT(limits.tags), "10", 0, 100,
      "tags of a run or token" },
    { "limits", "tag", SETTING_COUNT, AT(limits.tag_bytes), "128", 1, 1024,
      "bytes of a tag" },
    { "limits", "log_lines", SETTING_COUNT, AT(limits.log_lines), "1000", 0, 100000,
      "log lines kept of a run" },
    { "limits", "log_line", SETTING_COUNT, AT(limits.log_line_bytes), "4096", 64, 65536,
      "bytes of a log line; the rest is cut" },
    { "limits", "queues", SETTING_COUNT, AT(limits.queues), "1000", 1, 100000,
      "queues, of all environments together" },
    { "limits", "waits", SETTING_COUNT, AT(limits.waits), "1000", 1, 10000,
      "tokens or runs that one wait names" },
    { "limits", "depth", SETTING_COUNT, AT(limits.depth), "32", 1, 1000,
      "child runs of child runs" },
    { "limits", "calls", SETTING_COUNT, AT(limits.calls), "63", 1, 63,
      "tokens, children and recorded results of one segment" },
    { "limits", "max_attempts", SETTING_COUNT, AT(limits.max_attempts), "100", 1, 1000,
      "attempts that a task or a trigger may ask for" },

    { "log", "level", SETTING_LEVEL, AT(log_level), "info", 0, 0,
      "least important lines that are written: debug, info, warn or error" },
};
// clang-format on

const size_t setting_count = sizeof settings / sizeof settings[0];

/* What a key without a default may look like. */
static const char *sample_of(const struct setting *setting)
{
    return setting->kind == SETTING_ORIGIN ? "https://bide.example.com" : "queues.yaml";
}

/* Written as YAML, so that it can be the start of a file of one's own; config/reference.yaml is
 * it. */
void config_describe(struct buffer *out)
{
    const char *section = NULL;

    buffer_text(out,
                "# Every key of bide.yaml with its default. Sizes are plain bytes or 64KiB, "
                "4MiB; durations\n# are plain milliseconds or 30s, 5m, 1h30m. Relative "
                "paths begin at the file's directory,\n# or above it when it is called "
                "config.\n\n");
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        if (setting->section != section) {
            section = setting->section;
            buffer_format(out, "\n%s:\n", section);
        }
        buffer_format(out, "%s# %s\n", section == NULL ? "" : "  ", setting->help);
        buffer_format(out, "%s%s%s: %s\n", section == NULL ? "" : "  ",
                      setting->standard == NULL ? "# " : "", setting->name,
                      setting->standard == NULL ? sample_of(setting) : setting->standard);
    }
    buffer_text(out,
                "\n# worlds of their own: each has its key, queues, runs and tokens\n"
                "environments:\n"
                "  dev:\n"
                "    # name of a variable that holds the key; or\n"
                "    # key_env: BIDE_DEV_KEY\n"
                "    # a file of mode 0600 that does; or neither: <data>/keys/dev is made\n"
                "    # key_file: /etc/bide/dev.key\n");
}
