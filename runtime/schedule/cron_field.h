/* One field of a cron expression. */
#ifndef CRON_FIELD_H
#define CRON_FIELD_H

#include "schedule/cron.h"

enum cron_field_kind {
    CRON_SECOND,
    CRON_MINUTE,
    CRON_HOUR,
    CRON_DAY,
    CRON_MONTH,
    CRON_WEEKDAY,
    CRON_YEAR,
    CRON_FIELD_COUNT
};

/* What is being read: `at` moves through `text`, and `end` is where the field ends. */
struct cron_text {
    struct slice text;
    size_t at, end;
    struct cron *cron;
    struct cron_flaw *flaw;
    bool warns; /* a step that does not divide its field is the flaw that is looked for */
    uint32_t warnings_left;
};

bool cron_field_read(struct cron_text *text, enum cron_field_kind kind);
bool cron_flaw_set(struct cron_text *text, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
