/*
 * Settings: which server, and which key. What is nearest wins:
 *
 *   url   --url  >  $BIDE_URL  >  $TRIGGER_API_URL  >  http://127.0.0.1:8030
 *   key   --data or --env given: <data>/keys/<env>
 *         >  $BIDE_KEY  >  $TRIGGER_SECRET_KEY  >  data/keys/dev
 *
 * --env beats the variables because "--env prod" must never act on the dev key that is
 * exported.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "cli/cli.h"

struct settings {
    const char *url; /* without a slash at the end */
    const char *key; /* NULL: none was found, `missing` says where it was looked for */
    const char *missing;
};

/* Everything lives in the call's arena. Errors: BAD_REQUEST (a URL that is none, an
 * environment's name with a slash in it), CONFIG (a key file that cannot be read or is empty).
 */
bool settings_find(struct call *call, struct settings *settings, struct err *err);

#endif
