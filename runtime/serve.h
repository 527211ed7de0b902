/* Serve: the host. Wires config, store, engine, workers and HTTP together and runs them. */
#ifndef SERVE_H
#define SERVE_H

/* argv[0] is "serve". Exit codes: 0 stopped cleanly, 1 it could not run, 2 wrong use or
 * configuration. */
int serve_main(int argc, char **argv);

#endif
