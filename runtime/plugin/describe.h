/*
 * Descriptions: what a plugin says of itself, as the msgpack map that a nursery sends in
 * LOADED:
 *
 *   { plugin, version, abi_major, abi_minor, abi_newest,
 *     tasks: [ { id, input_schema, queue, max_attempts, retry_min_ms, retry_max_ms,
 *                retry_factor, retry_from: "segment"|"start", limit_ms, children, hooks,
 *                abort_attempts, keep_states, called: [name of a hook…],
 *                segments: [name…], fields: [ { name, kind, size } ] } ] }
 *
 * Zeroes and empty strings mean "not said". Strings are checked UTF-8, lists are bounded; the
 * host checks again, because plugin code shares the process that made them.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "base/buffer.h"

struct plugin;

void plugin_describe(const struct plugin *plugin, struct buffer *out);

#endif
