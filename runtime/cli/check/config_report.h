/* `bide config check`: read the configuration and the queues, and say what is wrong. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "base/buffer.h"

#include <stdbool.h>

/*
 * Append a report to `out`, as text or as one JSON object {"file", "queues", "valid",
 * "problems"}. `path` NULL: config/bide.yaml. Returns the exit code: 0, or 2 when something is
 * wrong.
 */
int config_report(const char *path, bool json, struct buffer *out);

#endif
