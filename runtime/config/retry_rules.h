/* Retries: what tasks and queues may say of them. */
#ifndef CONFIG_RETRY_RULES_H
#define CONFIG_RETRY_RULES_H

#include <stdint.h>

/* Whose fault it was that an attempt failed. */
enum retry_class {
    RETRY_USER,     /* its code said so */
    RETRY_CRASH,    /* a signal, an exit */
    RETRY_TIMEOUT,  /* it took longer than it may */
    RETRY_UPSTREAM, /* its code said that somebody else failed */
    RETRY_CLASSES
};

/* As files, plugins and people call them. */
extern const char *const retry_class_words[RETRY_CLASSES];

/* What becomes of a run whose attempts are used up; the SDK's numbers. */
enum exhausted_rule {
    EXHAUSTED_UNSAID,
    EXHAUSTED_FAIL,       /* it has failed: what is always so */
    EXHAUSTED_PAUSE,      /* it is kept, until somebody lets it go on, or cancels it */
    EXHAUSTED_DEAD_LETTER /* it has failed, and a new run may go on where it has ended */
};
extern const char *const exhausted_words[]; /* the last is NULL */

/* 0: it is not said. */
struct retry_rule {
    uint32_t attempts; /* from one save point, the first included */
    int64_t min_ms, max_ms;
    double factor;
};

#endif
