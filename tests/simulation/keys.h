/* What the model knows of idempotency keys; part of model.h. rules_trigger.c */
#ifndef SIMULATION_KEYS_H
#define SIMULATION_KEYS_H

#include "engine/command.h"

struct look;

struct shadow_key {
    uint64_t hash;
    uint32_t kind, reuse; /* enum key_kind, enum reuse */
    int64_t target, expires_ms;
    struct slice payload;
    bool is_released;
    bool is_shared; /* with other triggers of a run that has collected them */
};

/* NULL: there are too many. */
struct shadow_key *key_of(const struct look *look, uint32_t kind, uint32_t environment,
                          struct slice task, int64_t owner, struct slice text);
void key_set(const struct look *look, struct shadow_key *key, int64_t target, int64_t ttl_ms);
bool key_is_over(const struct look *look, const struct shadow_key *key);
/* debounce.c; true: it is one with a run that was there. */
bool rule_debounced(const struct look *look, const struct trigger *trigger);
/* The run has ended. */
void rule_keys_released(const struct look *look, const struct run *run);
void rule_key_reset(const struct look *look, const struct command *command);
/* The run's, in this batch. */
bool rule_key_was_reset(const struct look *look, const struct run *run);

#endif
