/* Payloads: JSON given on the command line, in a file or on stdin. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "cli/cli.h"
#include "codec/value.h"

/*
 * The option's JSON: as it stands, from a file ("@path"), or from stdin ("-"). The text is kept
 * as it was given, so that numbers are not rewritten; `value` (may be NULL) is it parsed. Not
 * given: empty. Errors: BAD_REQUEST with the place, SYSTEM when it cannot be read.
 */
bool payload_option(struct call *call, const char *name, struct slice *text,
                    struct value *value, struct err *err);

/* A whole file into the arena; "-" is stdin. Errors: SYSTEM, TOO_LARGE over `max_bytes`. */
bool payload_file(struct arena *arena, const char *path, size_t max_bytes, struct slice *text,
                  struct err *err);

#endif
