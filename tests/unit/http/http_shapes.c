/*
 * Hostile shapes: requests that two parsers might read differently, raw over a socket. Behind
 * each stands a request that starts a run. Of one that is refused there is one reply, in JSON,
 * then the connection ends and nothing behind it has run; of one that is served the request
 * behind it is served too, so that its end was found where it is.
 */
#include "codec/json.h"
#include "site.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
    site.config.max_header_bytes = 2048;
    site_start(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(shapes, .init = setup, .fini = teardown, .timeout = 120);

#define AUTH "authorization: Bearer " KEY_DEV "\r\n"
#define FOLLOW                                                     \
    "POST /api/v1/tasks/hold/trigger HTTP/1.1\r\nHost: a\r\n" AUTH \
    "Content-Length: 14\r\n\r\n{\"payload\":{}}"
#define GET     "GET /healthz HTTP/1.1\r\nHost: a\r\n"
#define POST    "POST /api/v1/tasks/hold/trigger HTTP/1.1\r\nHost: a\r\n" AUTH
#define BODY    "{\"payload\":{}}" /* 14 bytes */
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKS  "e\r\n" BODY "\r\n0\r\n\r\n"

struct shape {
    const char *name, *bytes;
    size_t size;
    int status; /* of the one reply */
    bool is_served;
};

#define NO(status, name, bytes)                       \
    {                                                 \
        name, bytes, sizeof(bytes) - 1, status, false \
    }
#define YES(status, name, bytes)                     \
    {                                                \
        name, bytes, sizeof(bytes) - 1, status, true \
    }

/* clang-format off */
static const struct shape shapes[] = {
    /* lengths: RFC 9112, 6.2 and 6.3 */
    NO(400, "two lengths that differ", POST "Content-Length: 14\r\nContent-Length: 0\r\n\r\n" BODY),
    NO(400, "the other way round", POST "Content-Length: 0\r\nContent-Length: 14\r\n\r\n" BODY),
    NO(400, "two lengths that agree", POST "Content-Length: 14\r\nContent-Length: 14\r\n\r\n" BODY),
    NO(400, "a list of lengths", POST "Content-Length: 14, 14\r\n\r\n" BODY),
    NO(400, "a length with a plus", POST "Content-Length: +14\r\n\r\n" BODY),
    NO(400, "a length with a minus", POST "Content-Length: -14\r\n\r\n" BODY),
    NO(400, "a length in hex", POST "Content-Length: 0xe\r\n\r\n" BODY),
    NO(400, "a length with a point", POST "Content-Length: 14.0\r\n\r\n" BODY),
    NO(400, "a length with a unit", POST "Content-Length: 14b\r\n\r\n" BODY),
    NO(400, "a length with a space in it", POST "Content-Length: 1 4\r\n\r\n" BODY),
    NO(400, "a length with an underscore", POST "Content-Length: 1_4\r\n\r\n" BODY),
    NO(400, "an empty length", POST "Content-Length:\r\n\r\n" BODY),
    NO(400, "a length beyond 64 bits", POST "Content-Length: 18446744073709551630\r\n\r\n" BODY),
    NO(400, "a length in quotes", POST "Content-Length: \"14\"\r\n\r\n" BODY),
    NO(413, "a length beyond the limit", POST "Content-Length: 1048577\r\n\r\n" BODY),
    NO(400, "a length with a space before the colon", POST "Content-Length : 14\r\n\r\n" BODY),
    NO(400, "a length behind a vertical tab", POST "Content-Length: \v14\r\n\r\n" BODY),
    YES(200, "a length with zeroes before it", POST "Content-Length: 00014\r\n\r\n" BODY),
    YES(200, "a length between blanks", POST "Content-Length: \t 14  \r\n\r\n" BODY),
    YES(200, "a length without blanks", POST "Content-Length:14\r\n\r\n" BODY),
    YES(200, "a length in capitals", POST "CONTENT-LENGTH: 14\r\n\r\n" BODY),
    YES(200, "no length, no body", POST "\r\n"),
    YES(200, "a length of nothing", GET "Content-Length: 0\r\n\r\n"),
    YES(200, "a GET with a body", GET "Content-Length: 5\r\n\r\nhello"),

    /* transfer-encoding: 6.1 */
    NO(400, "length and chunked", POST "Content-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS),
    NO(400, "chunked and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 14\r\n\r\n" CHUNKS),
    NO(400, "chunked and no length", POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" CHUNKS),
    NO(400, "chunked with a space before the colon", POST "Transfer-Encoding : chunked\r\n\r\n" CHUNKS),
    NO(400, "chunked with a tab before the colon", POST "Transfer-Encoding\t: chunked\r\n\r\n" CHUNKS),
    NO(400, "chunked on a folded line", POST "Transfer-Encoding:\r\n chunked\r\n\r\n" CHUNKS),
    NO(400, "identity and chunked", POST "Transfer-Encoding: identity, chunked\r\n\r\n" CHUNKS),
    NO(400, "identity, then chunked", POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS),
    NO(400, "chunked, then identity", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" CHUNKS),
    NO(400, "identity", POST "Transfer-Encoding: identity\r\n\r\n" CHUNKS),
    NO(400, "chunked twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS),
    NO(400, "chunked twice in a list", POST "Transfer-Encoding: chunked, chunked\r\n\r\n" CHUNKS),
    NO(400, "nearly chunked", POST "Transfer-Encoding: xchunked\r\n\r\n" CHUNKS),
    NO(400, "nearly chunked, behind", POST "Transfer-Encoding: chunkedx\r\n\r\n" CHUNKS),
    NO(400, "chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n" CHUNKS),
    NO(400, "chunked behind a vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n" CHUNKS),
    NO(400, "chunked with a parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n" CHUNKS),
    NO(400, "chunked behind a comma", POST "Transfer-Encoding: , chunked\r\n\r\n" CHUNKS),
    NO(400, "chunked before a comma", POST "Transfer-Encoding: chunked,\r\n\r\n" CHUNKS),
    NO(400, "an empty encoding", POST "Transfer-Encoding:\r\n\r\n" CHUNKS),
    NO(501, "gzip and chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n" CHUNKS),
    NO(400, "gzip alone", POST "Transfer-Encoding: gzip\r\n\r\n" CHUNKS),
    NO(400, "chunked in HTTP/1.0", "POST /api/v1/tasks/hold/trigger HTTP/1.0\r\nHost: a\r\n" AUTH "Transfer-Encoding: chunked\r\n\r\n" CHUNKS),
    YES(200, "chunked", CHUNKED CHUNKS),
    YES(200, "chunked in capitals", POST "TRANSFER-ENCODING: CHUNKED\r\n\r\n" CHUNKS),

    /* chunks: 7.1 */
    NO(400, "chunk lines of LF", CHUNKED "e\n" BODY "\n0\n\n"),
    NO(400, "a size ended by LF", CHUNKED "e\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "data ended by LF", CHUNKED "e\r\n" BODY "\n0\r\n\r\n"),
    NO(400, "data ended by CR", CHUNKED "e\r\n" BODY "\r0\r\n\r\n"),
    NO(400, "a size ended by CR", CHUNKED "e\r" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size with a space behind", CHUNKED "e \r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size with a space before", CHUNKED " e\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size with 0x", CHUNKED "0xe\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size with a plus", CHUNKED "+e\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size with a minus", CHUNKED "-e\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size beyond 64 bits", CHUNKED "1000000000000000e\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "an empty size", CHUNKED "\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "a size that is none", CHUNKED "zz\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "more data than said", CHUNKED "d\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "an extension with LF in it", CHUNKED "e;a\nb\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "an extension with CR in it", CHUNKED "e;a\rb\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "an extension with NUL in it", CHUNKED "e;a\0b\r\n" BODY "\r\n0\r\n\r\n"),
    NO(400, "an empty extension", CHUNKED "e;\r\n" BODY "\r\n0\r\n\r\n"),
    NO(413, "a chunk beyond the limit", CHUNKED "110000\r\n"), /* filled up by the test */
    NO(400, "a trailer ended by LF", CHUNKED "e\r\n" BODY "\r\n0\r\nA: b\n\r\n"),
    NO(400, "a folded trailer", CHUNKED "e\r\n" BODY "\r\n0\r\nA: b\r\n c\r\n\r\n"),
    NO(400, "a trailer without a name", CHUNKED "e\r\n" BODY "\r\n0\r\n: b\r\n\r\n"),
    NO(400, "a trailer with NUL in it", CHUNKED "e\r\n" BODY "\r\n0\r\nA: \0\r\n\r\n"),
    NO(400, "a trailer that frames", CHUNKED "e\r\n" BODY "\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    YES(200, "an extension", CHUNKED "e;name=value\r\n" BODY "\r\n0\r\n\r\n"),
    YES(200, "a trailer", CHUNKED "e\r\n" BODY "\r\n0\r\nA: b\r\n\r\n"),
    YES(200, "chunks of a byte", CHUNKED "1\r\n{\r\n00c\r\n\"payload\":{}\r\n1\r\n}\r\n000\r\n\r\n"),
    YES(200, "a size in capitals", CHUNKED "E\r\n" BODY "\r\n0\r\n\r\n"),

    /* lines and names: 2.2, 5 */
    NO(400, "lines of LF", "GET /healthz HTTP/1.1\nHost: a\n\n"),
    NO(400, "a header ended by LF", GET "A: b\nC: d\r\n\r\n"),
    NO(400, "the head ended by LF", GET "A: b\r\n\n"),
    NO(400, "CR in a value", GET "A: b\rC: d\r\n\r\n"),
    NO(400, "two CR before LF", GET "A: b\r\r\n\r\n"),
    NO(400, "CR LF LF", GET "A: b\r\n\n\r\n"),
    NO(400, "NUL in a value", GET "A: b\0c\r\n\r\n"),
    NO(400, "NUL behind the key", "GET /api/v1/runs HTTP/1.1\r\nHost: a\r\nauthorization: Bearer " KEY_DEV "\0x\r\n\r\n"),
    NO(400, "NUL in a name", GET "A\0: b\r\n\r\n"),
    NO(400, "a bell in a value", GET "A: \a\r\n\r\n"),
    NO(400, "DEL in a value", GET "A: \x7f\r\n\r\n"),
    NO(400, "a folded header", GET "A: b\r\n c\r\n\r\n"),
    NO(400, "a header folded with a tab", GET "A: b\r\n\tc\r\n\r\n"),
    NO(400, "a space before the first header", "GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n"),
    NO(400, "a line of a space", GET " \r\n\r\n"),
    NO(400, "a header without a colon", GET "Nothing\r\n\r\n"),
    NO(400, "a header without a name", GET ": b\r\n\r\n"),
    NO(400, "a name with a space", GET "A b: c\r\n\r\n"),
    NO(400, "a name with a bracket", GET "A(b): c\r\n\r\n"),
    NO(400, "a name with a comma", GET "A,b: c\r\n\r\n"),
    NO(400, "a name beyond ASCII", GET "\xc3\xa4: c\r\n\r\n"),
    NO(400, "two keys", GET AUTH "Authorization: Bearer x\r\n\r\n"),
    NO(400, "two content types", POST "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 14\r\n\r\n" BODY),
    YES(200, "a value of UTF-8", GET "A: \xc3\xa4\r\n\r\n"),
    YES(200, "an empty value", GET "A:\r\nB: \r\n\r\n"),
    YES(200, "one header twice that may be", GET "Accept: a\r\nAccept: b\r\n\r\n"),
    YES(200, "every character of a name", GET "!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n"),

    /* host: 3.2 */
    NO(400, "no host", "GET /healthz HTTP/1.1\r\n\r\n"),
    NO(400, "two hosts", GET "Host: b\r\n\r\n"),
    NO(400, "the same host twice", GET "Host: a\r\n\r\n"),
    NO(400, "an empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"),
    NO(400, "a host with a path", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    NO(400, "a host with a user", "GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    NO(400, "a host with a space", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"),
    NO(400, "two hosts in one", "GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    NO(400, "a port that is none", "GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    NO(400, "a port too long", "GET /healthz HTTP/1.1\r\nHost: a:123456\r\n\r\n"),
    NO(400, "half an IPv6 address", "GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    NO(400, "a host with a space before the colon", "GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n"),
    YES(200, "an IPv6 host", "GET /healthz HTTP/1.1\r\nHost: [::1]:8030\r\n\r\n"),
    YES(200, "a host and a port", "GET /healthz HTTP/1.1\r\nHost: bide.example.com:8030\r\n\r\n"),

    /* the first line: 3 */
    NO(400, "two spaces behind the method", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "two spaces before the version", "GET /healthz  HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "tabs", "GET\t/healthz\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a space before the method", " GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a space behind the version", "GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n"),
    NO(400, "a space in the URL", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "NUL in the URL", "GET /health\0z HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a fragment", "GET /healthz#a HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a quote in the URL", "GET /healthz?\" HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a backslash in the path", "GET /x\\healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a URL beyond ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "no slash", "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "no URL", "GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "no version", "GET /healthz\r\nHost: a\r\n\r\n"),
    NO(400, "a version in small letters", "GET /healthz http/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a version of two digits", "GET /healthz HTTP/1.10\r\nHost: a\r\n\r\n"),
    NO(400, "a version without a point", "GET /healthz HTTP/11\r\nHost: a\r\n\r\n"),
    NO(400, "RTSP", "SETUP /healthz RTSP/1.0\r\nHost: a\r\n\r\n"),
    NO(400, "ICE", "SOURCE /healthz ICE/1.0\r\nHost: a\r\n\r\n"),
    NO(400, "* for a GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a URL without a host", "GET http:///healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a URL with a user", "GET http://u@a/healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a URL of another scheme", "GET ftp://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "two empty lines before it", "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "a line of LF before it", "\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(400, "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    NO(505, "HTTP/9.9", "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n"),
    NO(505, "HTTP/2.0", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n"),
    NO(505, "HTTP/0.9", "GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n"),
    NO(505, "the first words of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    NO(501, "a method nobody knows", "FETCH /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(501, "a method in small letters", "get /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(501, "CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
    NO(417, "an expectation nobody knows", POST "Expect: more\r\nContent-Length: 14\r\n\r\n" BODY),
    NO(401, "an expectation of someone unknown", "POST /api/v1/tasks/hold/trigger HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n"),
    YES(200, "HTTP/1.2", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n"),
    YES(200, "an absolute URL", "GET http://a/healthz HTTP/1.1\r\nHost: b\r\n\r\n"),
    YES(200, "an absolute URL of a proxy", "GET HTTPS://a:443/healthz?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    YES(404, "an absolute URL without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
    YES(404, "an absolute URL with a query alone", "GET http://a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    YES(204, "OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    YES(405, "TRACE", "TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
    YES(200, "an empty line before it", "\r\n" GET "\r\n"),
    YES(200, "an upgrade nobody takes", GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
    YES(200, "a kept connection of HTTP/1.0", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    YES(400, "a query of 65 parameters", "GET /healthz?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a HTTP/1.1\r\nHost: a\r\n\r\n"),
    NO(200, "a connection that is to close", GET "Connection: close\r\n\r\n"),
    NO(200, "close beside keep-alive", GET "Connection: keep-alive, close\r\n\r\n"),
    NO(200, "HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n"),
};
/* clang-format on */

enum { SHAPES = sizeof shapes / sizeof shapes[0], MOST = 1 << 17 };

static size_t runs(void)
{
    return answer_find(site_get(&site, "/api/v1/runs?page%5Bsize%5D=100"), "data")->count;
}

/* Everything until the other side ends; false: it does not, within the socket's patience. */
static bool hear(int fd, char *heard, size_t *size)
{
    ssize_t got;

    *size = 0;
    while ((got = recv(fd, heard + *size, MOST - 1 - *size, 0)) > 0)
        *size += (size_t)got;
    heard[*size] = '\0';
    return got == 0;
}

/* The replies of `heard`, each whole and JSON; false: something is no reply. */
static bool replies_read(const char *heard, size_t size, int statuses[8], uint32_t *count)
{
    for (*count = 0; size > 0; ++*count) {
        const char *end = memmem(heard, size, "\r\n\r\n", 4);
        if (end == NULL || *count == 8 || strncmp(heard, "HTTP/1.1 ", 9) != 0)
            return false;
        size_t head = (size_t)(end - heard) + 4, length = 0;
        struct answer answer = {
            .head = { arena_text(&site.arena, (struct slice){ heard, head }), head }
        };
        struct slice text;
        struct value json;
        statuses[*count] = atoi(heard + 9);
        if (answer_header(answer, "content-length", &text))
            length = strtoul(text.data, NULL, 10);
        if (statuses[*count] != 204 &&
            (!answer_header(answer, "content-type", &text) ||
             !slice_starts(text, "application/json") || length == 0 || head + length > size ||
             !json_read(&site.arena, (struct slice){ heard + head, length }, &json, NULL)))
            return false;
        heard += head + length;
        size -= head + length;
    }
    return true;
}

static void send_pieces(int fd, const char *bytes, size_t size, size_t piece)
{
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (size_t at = 0; at < size; at += piece)
        site_send(fd, bytes + at, size - at < piece ? size - at : piece);
}

static void try_shape(const struct shape *shape, size_t piece)
{
    static char heard[MOST];
    struct buffer out = { 0 };
    size_t before = runs(), size;
    int statuses[8], fd = site_connect(&site);
    uint32_t count = 0;

    buffer_add(&out, shape->bytes, shape->size);
    if (shape->status == 413)
        for (int i = 0; i < 70; i++)
            buffer_format(&out, "%16384d", 0);
    buffer_text(&out, FOLLOW);
    send_pieces(fd, out.data, out.size, piece);
    if (shape->is_served)
        shutdown(fd, SHUT_WR);
    bool ended = hear(fd, heard, &size);
    close(fd);
    buffer_finish(&out);

    cr_expect(ended, "%s: the connection is not closed", shape->name);
    cr_expect(replies_read(heard, size, statuses, &count), "%s: %s", shape->name, heard);
    cr_expect_eq(count, shape->is_served ? 2 : 1, "%s: %u replies: %s", shape->name, count,
                 heard);
    cr_expect(count > 0 && statuses[0] == shape->status, "%s: %s", shape->name, heard);
    cr_expect(count < 2 || statuses[1] == 200, "%s: %s", shape->name, heard);
    size_t more = runs() - before,
           own = shape->status == 200 && strncmp(shape->bytes, "POST", 4) == 0;
    cr_expect_eq(more, shape->is_served + own, "%s: %zu runs more", shape->name, more);
}

Test(shapes, of_a_refused_one_there_is_one_reply_and_nothing_behind_it_runs)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (i % 20 == 19) { /* the list of runs has a hundred at most */
            teardown();
            setup();
        }
        try_shape(&shapes[i], SIZE_MAX);
    }
}

Test(shapes, it_does_not_matter_how_the_bytes_are_cut)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (i % 20 == 19) {
            teardown();
            setup();
        }
        if (shapes[i].status != 413)
            try_shape(&shapes[i], 1 + i % 3);
    }
}

/* A head of so many bytes. */
static int status_of_head(size_t size, bool in_url)
{
    static const char start[] = "GET /healthz", version[] = " HTTP/1.1\r\nHost: a\r\n",
                      name[] = "A: ";
    char *bytes = arena_alloc(&site.arena, size + 1), *at = bytes;
    size_t fill = size - strlen(start) - strlen(version) - (in_url ? 3 : strlen(name) + 4);

    at = stpcpy(at, start);
    if (in_url) {
        *at++ = '?';
        memset(at, 'x', fill);
        at += fill;
    }
    at = stpcpy(at, version);
    if (!in_url) {
        at = stpcpy(at, name);
        memset(at, 'x', fill);
        at = stpcpy(at + fill, "\r\n");
    }
    stpcpy(at, "\r\n");
    cr_assert_eq(strlen(bytes), size);
    int fd = site_connect(&site);
    site_send(fd, bytes, size);
    int status = site_receive(&site, fd).status;
    close(fd);
    return status;
}

Test(shapes, the_limit_of_a_head_is_exact)
{
    cr_expect_eq(status_of_head(2048, false), 200);
    cr_expect_eq(status_of_head(2049, false), 431);
    cr_expect_eq(status_of_head(2048, true), 200);
    cr_expect_eq(status_of_head(2100, true), 414);
    cr_expect_eq(status_of_head(60000, true), 414);
    cr_expect_eq(status_of_head(60000, false), 431);
}

Test(shapes, a_hundred_headers_are_enough)
{
    for (int count = 99; count <= 100; count++) { /* and the host */
        struct buffer out = { 0 };
        buffer_text(&out, GET);
        for (int i = 0; i < count; i++)
            buffer_text(&out, "a: b\r\n");
        buffer_text(&out, "\r\n");
        int fd = site_connect(&site);
        site_send(fd, out.data, out.size);
        struct answer answer = site_receive(&site, fd);
        cr_expect_eq(answer.status, count == 99 ? 200 : 431);
        cr_expect_eq(answer.was_closed, count == 100);
        close(fd);
        buffer_finish(&out);
    }
}

Test(shapes, who_asks_is_told_to_go_on)
{
    int fd = site_connect(&site);
    char bytes[64] = { 0 };

    site_send(fd, POST "Expect: 100-Continue\r\nContent-Length: 14\r\n\r\n",
              strlen(POST "Expect: 100-Continue\r\nContent-Length: 14\r\n\r\n"));
    cr_assert_eq(recv(fd, bytes, 25, MSG_WAITALL), 25);
    cr_assert_str_eq(bytes, "HTTP/1.1 100 Continue\r\n\r\n");
    site_send(fd, BODY, 14);
    cr_assert_eq(site_receive(&site, fd).status, 200);
    close(fd);
}

/* Half a request is none. */
Test(shapes, what_is_not_whole_does_not_run)
{
    static const char *const halves[] = { POST "Content-Length: 14\r\n\r\n{\"payload\":{}",
                                          CHUNKED "e\r\n" BODY,
                                          CHUNKED "e\r\n" BODY "\r\n0\r\n",
                                          "GET /healthz HTTP/1.1\r\nHost: a\r\n" };

    for (size_t i = 0; i < 4; i++) {
        static char heard[MOST];
        size_t size;
        int fd = site_connect(&site);
        site_send(fd, halves[i], strlen(halves[i]));
        shutdown(fd, SHUT_WR);
        cr_expect(hear(fd, heard, &size));
        cr_expect_eq(size, 0, "%s", heard);
        close(fd);
    }
    cr_expect_eq(runs(), 0);
}

Test(shapes, a_query_of_many_parameters_is_answered_at_once)
{
    struct buffer out = { 0 };

    buffer_text(&out, "/metrics?");
    for (int i = 0; i < 143; i++)
        buffer_format(&out, "p%d=1&", i);
    buffer_byte(&out, '\0');
    struct answer answer = site_ask(&site, "GET", out.data, "", NULL);
    cr_expect_eq(answer.status, 400);
    cr_expect_not_null(strstr(answer_text(&site, answer, "error"), "64 parameters"));
    buffer_finish(&out);
}
