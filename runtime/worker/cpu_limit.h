/* How much processor time a segment may use, all its threads together. */
#ifndef CPU_LIMIT_H
#define CPU_LIMIT_H

#include <stdint.h>

/* From now on; then the process gets SIGXCPU, which ends it (crash.c). 0: any. */
void cpu_limit_begin(int64_t limit_ms);
void cpu_limit_end(void);

#endif
