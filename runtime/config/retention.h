/* Retention of one thing: its map of that name. Internal to config/. */
#ifndef CONFIG_RETENTION_H
#define CONFIG_RETENTION_H

#include "config/config.h"
#include "schema/document/document.h"

/* Milliseconds, of a number or a text like 30d; 0: it says none. */
int64_t span_of(const struct node *node);

/* False: a report was added. `owner` fits its schema. */
bool retention_read(const struct node *owner, struct config_retention *retention,
                    struct report *report);

#endif
