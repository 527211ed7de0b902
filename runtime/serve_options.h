/* What `bide serve` is told on its command line. */
#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include "config/config.h"

struct serve_options {
    const char *config, *listen, *data, *plugins, *schemas; /* NULL: not given */
    bool starts_paused, copies_older;
};

/* -1: go on; else the exit code, and all is said. */
int serve_options_read(int argc, char **argv, struct serve_options *options);
/* HOST:PORT; false: it is none. */
bool serve_listen_read(struct config *config, const char *text);

#endif
