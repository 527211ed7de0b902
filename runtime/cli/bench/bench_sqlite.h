/*
 * Limits: what bare SQLite does here with the rows of a workload, for `bide bench` to print
 * beside what bide did. Same tables, same statements, same sync, same number of rows a commit;
 * nothing is loaded or decided and nobody asks over a network.
 */
#ifndef BENCH_SQLITE_H
#define BENCH_SQLITE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum sqlite_limit {
    LIMIT_INGEST, /* a queued run with its input */
    LIMIT_ECHO,   /* triggered, then done with an output */
    LIMIT_WAIT    /* triggered, waiting for a token, completed, done: four commits */
};

/*
 * For about `time_ms`, `per_commit` of them at a time, in a new file in `directory` that is
 * removed again. *per_second counts whole ones.
 */
bool bench_sqlite_limit(const char *directory, enum sqlite_limit limit, uint32_t per_commit,
                        uint32_t time_ms, double *per_second, struct err *err);

#endif
