/* The system's time zones: files of /usr/share/zoneinfo, each read when it is first asked for.
 */
#ifndef ZONES_H
#define ZONES_H

#include "schedule/zone.h"

#define ZONES_FOLDER "/usr/share/zoneinfo"

enum { ZONES_VERSION_SIZE = 32 };

struct zones;

/* NULL: the system's folder, or that of the environment variable TZDIR. Any thread may ask. */
struct zones *zones_create(const char *folder);
void zones_destroy(struct zones *zones);

/* As long as `zones` lives, also when there is newer data. Errors: RULE (no such zone), CONFIG.
 */
const struct zone *zones_find(struct zones *zones, struct slice name, struct err *err);

/* "2025b"; "unknown" where the system does not say. Looks whether it has changed, and if so,
 * zones are read anew from here on. */
void zones_version(struct zones *zones, char version[ZONES_VERSION_SIZE]);

/* As the engine asks for them. */
struct zone_source zones_source(struct zones *zones);

/* Calls `on_name` for each zone that the system lists (tzdata.zi), in no order. */
bool zones_list(struct zones *zones, void (*on_name)(void *context, struct slice name),
                void *context);

#endif
