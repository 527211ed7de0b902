/* Commands that have the database itself, and so no server. */
#ifndef OFFLINE_H
#define OFFLINE_H

/* argv[0] is "store", argv[1] "compact". */
int offline_compact_main(int argc, char **argv);

#endif
