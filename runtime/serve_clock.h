/* Somebody sets the system's clock: the kernel tells, and the pump looks at once. */
#ifndef SERVE_CLOCK_H
#define SERVE_CLOCK_H

#include "store/pump.h"

#include <uv.h>

struct clock_setting;

/* NULL, with a line in the log, where the system cannot tell: then it is seen within a minute.
 * `pump` must live until clock_setting_close. */
struct clock_setting *clock_setting_watch(uv_loop_t *loop, struct pump *pump);
/* Nothing more is told. The handle closes with the loop's next turn; NULL does nothing. */
void clock_setting_close(struct clock_setting *setting);
/* After that turn. */
void clock_setting_free(struct clock_setting *setting);

#endif
