/* What the commands that act on tokens and waits have in common. */
#ifndef ACT_WORDS_H
#define ACT_WORDS_H

#include "base/err.h"
#include "cli/cli.h"

/* clang-format off */
#define ACT_OPTIONS                                                                            \
    { "reason", "TEXT", "why, for whoever looks at it" },                                      \
    { "by", "NAME", "who does it (default: $USER)" }
/* clang-format on */

extern const struct cli_option act_options[];

/* The body of the request: the options that there are, `when` (NULL: none), and of a completion
 * its data. Errors: of the payload. */
bool act_body(struct call *call, bool completes, const char *when, struct slice *body,
              struct err *err);

#endif
