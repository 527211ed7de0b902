/*
 * Settings: which server, and which key. What is nearest wins:
 *
 *   url   --url  >  $BIDE_URL  >  $TRIGGER_API_URL  >  http://127.0.0.1:8030
 *   key   --data or --env given: <data>/keys/<env>
 *         >  $BIDE_KEY  >  $TRIGGER_SECRET_KEY  >  what a server of this user on this
 *         machine has noted (config/place.h)  >  data/keys/dev
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

/* The same as if --env said `environment`; where that has no key file, the key of the variables
 * counts: the server says whose it is. NULL: settings_find. */
bool settings_find_in(struct call *call, const char *environment, struct settings *settings,
                      struct err *err);
/* Names of the environments whose keys are at hand, sorted; 0 when a key or an environment is
 * given. */
uint32_t settings_environments(struct call *call, char ***names);

/* Does the URL lead to this machine? */
bool settings_is_local(const char *url);
/* What the server at this URL has noted: its key ("key", "dev"), its directory of plugins
 * ("plugins", ""); NULL: nothing. */
const char *settings_place(struct call *call, const char *url, const char *what,
                           const char *name);

#endif
