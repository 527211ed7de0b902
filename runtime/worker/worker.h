/*
 * Worker: the child's side. `bide nursery` loads one build, describes it and forks slots; a
 * slot runs segments. Plugin code runs only here.
 */
#ifndef WORKER_H
#define WORKER_H

/*
 * The control socket is descriptor 3. Arguments: the path of the plugin's private copy, and the
 * memory limit of a slot in bytes (0: none). More may follow, each a number (0 or absent: no
 * limit): the largest state, output, metadata and payload in bytes, the log lines of a segment,
 * the bytes of a line, the ids in one wait, the calls of a segment. The next is what callback
 * URLs begin with; empty: the host makes them. The last say when a slot is worn (wear.h): after
 * so many segments, descriptors more than at its fork, threads, and bytes. Behind them: 1 when
 * any debugger may look at its slots, and the directories whose sources crashes are shown from.
 * Never returns to the host's code; the value is the exit code.
 */
int nursery_main(int argc, char **argv);

#endif
