/*
 * A pump with its real thread over a real store; the caller is the loop thread. No Criterion in
 * it, for tests/tsan uses it too: what goes wrong ends the program with a line.
 */
#ifndef PUMP_BENCH_H
#define PUMP_BENCH_H

#include "store/pump.h"

#include <stdbool.h>
#include <stdint.h>

enum pump_store { PUMP_MEMORY, PUMP_SQLITE };

struct pump_bench {
    struct store *store; /* pump_faulty.h */
    struct pump *pump;
    uint32_t environment, slots;
    int wake_fd;
    char directory[64]; /* of the database */
    bool ends_at_once;  /* each segment is done as soon as it is assigned */
    uint32_t submitted, replied, refused, assigned, ended;
    uint64_t last_order; /* of the replies */
    bool in_order;
};

extern struct pump_bench bench;

struct operation {
    struct command command;
    struct arena arena;
    uint64_t order; /* of submission */
    bool is_kept;   /* the caller looks at it, and frees it; else it goes with its reply */
    bool is_replied;
};

void pump_bench_open(enum pump_store kind, uint32_t max_commands, uint32_t max_batch);
void pump_bench_start(void);
/* Stops, collects what is left and closes all. */
void pump_bench_close(void);
/* A catalog that offers the task `name`; waits for its reply. */
void pump_bench_offer(const char *name);

struct operation *operation_create(enum command_kind kind);
struct operation *operation_trigger(const char *task);
void operation_destroy(struct operation *operation);
/* False: refused, and still the caller's. */
bool pump_bench_submit(struct operation *operation, struct err *err);
/* Submit, wait for the reply and keep it. */
struct operation *pump_bench_ask(struct operation *operation);
/* Collect until it is so; a minute is enough for anything. */
void pump_bench_until(bool (*is_so)(void));
bool all_replied(void);
bool store_is_ok(void);

#define EXPECT(condition) \
    ((condition) ? (void)0 : pump_bench_die(__FILE__, __LINE__, #condition))
_Noreturn void pump_bench_die(const char *file, int line, const char *what);

#endif
