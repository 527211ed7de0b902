/*
 * Places: where a server on this machine keeps its keys and takes its plugins from, noted for
 * the clients of the same user, who may stand in any directory. One file a port, as text:
 *
 *   ${XDG_STATE_HOME:-~/.local/state}/bide/servers/8030
 *       pid 4711
 *       key dev /srv/bide/data/keys/dev
 *       plugins /srv/bide/plugins
 *
 * It holds no secret, and is worth nothing: who cannot write or read it does without.
 */
#ifndef PLACE_H
#define PLACE_H

#include "config/config.h"

bool place_write(const struct config *config, uint16_t port);
void place_remove(uint16_t port);
/* The second words of the lines that start with `word` ("key"). */
uint32_t place_names(struct arena *arena, uint16_t port, const char *word, char ***names);
/* What stands behind `word` ("key dev", "plugins"), in the arena. NULL: nothing is noted, or by
 * somebody else. */
const char *place_find(struct arena *arena, uint16_t port, const char *word);

#endif
