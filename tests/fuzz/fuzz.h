/* What the fuzzers share. A broken promise ends in abort(), which libFuzzer keeps the input of.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/arena.h"
#include "base/buffer.h"
#include "codec/value.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(condition)                                                          \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

#endif
