/* Client: an HTTP client of the tests, so small that it cannot share a mistake with bide's own.
 */
#ifndef INTEGRATION_CLIENT_H
#define INTEGRATION_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Lives until client_forget(): a test asks some dozens of times and need not. */
struct reply {
    long status; /* 0: no answer (refused, cut off, timed out); `text` says why */
    char *text, *headers;
    size_t size;
    json_t *json; /* NULL when the body is not JSON */
};

/* A request as it is sent; zeroes are a GET without a key. */
struct request {
    const char *method, *url, *key; /* key: bearer token; NULL: no authorization header */
    const char *body;
    size_t size; /* of the body; 0: its length as a string */
    const char *headers[4];
    long timeout_ms; /* 0: a minute */
};

const struct reply *client_send(const struct request *request);
/* Free what this thread got from here, text() included; and its connection too. */
void client_forget(void);
void client_close(void);

/* A member by its path, "metadata.approval_url" or "data.0.id"; NULL when there is none. */
json_t *reply_at(const struct reply *reply, const char *path);
/* The same as text: "" when it is not there or not a string. */
const char *reply_text(const struct reply *reply, const char *path);
long long reply_number(const struct reply *reply, const char *path);

/* printf into memory that lives until client_forget(). */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say what is wrong: the test has failed. */
void give_up_report(const char *sentence);
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

long long now_ms(void); /* monotonic */
void pause_ms(int ms);

#endif
