/* Raw: bytes on a socket, for requests that no HTTP client would send. */
#ifndef INTEGRATION_RAW_H
#define INTEGRATION_RAW_H

#include "server.h"

int raw_connect(struct server *server);
/* False when the other side closed before everything was taken. */
bool raw_send(int fd, const char *bytes, size_t size);
bool raw_say(int fd, const char *words);
/* What comes until the other side closes, a whole head and `limit_ms` without more, or 64 KiB.
 */
const char *raw_hear(int fd, int limit_ms);
/* True when the other side closes within that time. */
bool raw_closes(int fd, int limit_ms);
int raw_status(const char *heard); /* 0: no status line */

#endif
