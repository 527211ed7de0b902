/*
 * Messages: the framing of requests on a connection, from bytes to a head and pieces of a body.
 *
 *   message_find ──a whole head──▶ message_head ──▶ message_body … until is_whole ──▶ (next)
 *
 * llhttp, the parser of Node.js, reads every byte, with none of its lenient flags but the one
 * for versions, which are looked at here. What it lets pass and another parser might read
 * differently is refused here: a line ends in CR LF and these stand nowhere else, no other
 * control characters, no folded lines, one space where the grammar has one, one Host, framing
 * headers once and without any doubt. Whoever refuses must close: where the next message
 * begins is not known.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "base/slice.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

enum { MESSAGE_HEADERS = 100 };

/* Why a message is refused; status 0: it is not. */
struct refusal {
    unsigned status;
    const char *text;
};

struct header {
    struct slice name, value;
};

struct head {
    struct slice method, target;
    struct header headers[MESSAGE_HEADERS];
    uint32_t header_count;
    uint64_t length; /* of the body, as announced */
    bool has_body, is_chunked;
    bool expects;    /* waits for 100 before it sends its body */
    bool keeps_open; /* the connection, when all is well */
    bool is_old;     /* HTTP/1.0 */
};

struct message {
    llhttp_t parser;
    struct head *head; /* being filled */
    bool (*take)(void *context, struct slice piece);
    void *context;
    size_t scanned, line; /* of a head: looked at, and where the last line began */
    uint32_t lines;
    const char *mark; /* what lies behind it is framing not looked at yet */
    char last;        /* byte of the framing */
    uint64_t framing_bytes, body_bytes;
    bool in_value, is_whole;
};

/* For the next message. */
void message_init(struct message *message);

/*
 * How many bytes are the head, at most `most`; 0: more must come, or *refusal says otherwise.
 * `bytes` begin with the same ones until it was found.
 */
size_t message_find(struct message *message, struct slice bytes, size_t most,
                    struct refusal *refusal);
/* `bytes` are what message_find found; *head points into them. */
bool message_head(struct message *message, struct slice bytes, struct head *head,
                  struct refusal *refusal);
/*
 * The next bytes of the body; `take` gets its pieces, and false from it means: enough. Returns
 * how many were used: all, unless the message is whole, refused or too much. `most`: of
 * trailers and what else is no body.
 */
size_t message_body(struct message *message, struct slice bytes,
                    bool (*take)(void *context, struct slice piece), void *context, size_t most,
                    struct refusal *refusal);

#endif
