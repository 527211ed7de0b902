/* `bide schemas check`: compile schema files and say what is wrong. */
#ifndef SCHEMA_REPORT_H
#define SCHEMA_REPORT_H

#include "base/buffer.h"

#include <stdbool.h>

/*
 * Append a report on each of `count` paths to `out`: as text, or as one JSON object {"valid",
 * "files": [{"file", "valid", "input", "output", "tokens", "children", "problems"}]}. A
 * directory stands for its *.yaml. Returns the exit code: 0, or 2 when something is wrong.
 */
int schema_report(const char *const *paths, int count, bool json, struct buffer *out);

/*
 * Append what the schema file at `path` says of the value in the file at `value_path`, YAML or
 * JSON: each problem with its line there. `part` is input, output, tokens.<name> or
 * children.<task>. As JSON: {"valid", "value", "problems"}, the value as a task would get it,
 * without secrets. Returns the exit code: 0, or 2 when something is wrong.
 */
int schema_report_value(const char *path, const char *part, const char *value_path, bool json,
                        struct buffer *out);

#endif
