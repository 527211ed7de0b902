/* A store that refuses what it is told to, from any thread. */
#ifndef PUMP_FAULTY_H
#define PUMP_FAULTY_H

#include "store/store.h"

/* Gets between `store` and its callers; one store at a time. */
void faulty_install(struct store *store);
/* From now on no change is written (flushes and commits fail), or all is well again. */
void faulty_refuse(bool refuses);
/* The `count`th batch from now on fails at its begin, that one alone; 0: none. */
void faulty_begin(int count);

#endif
