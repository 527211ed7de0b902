#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int raw_connect(struct server *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)server->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        give_up("cannot connect: %s", strerror(errno));
    return fd;
}

bool raw_send(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        struct pollfd ready = { .fd = fd, .events = POLLOUT };
        if (poll(&ready, 1, 20000) <= 0)
            return false;
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool raw_say(int fd, const char *words)
{
    return raw_send(fd, words, strlen(words));
}

const char *raw_hear(int fd, int limit_ms)
{
    static char heard[65536];
    size_t size = 0;
    long long deadline = now_ms() + limit_ms;
    while (size < sizeof heard - 1) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        long long left = deadline - now_ms();
        if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
            break;
        ssize_t got = recv(fd, heard + size, sizeof heard - 1 - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
        heard[size] = 0;
        if (strstr(heard, "\r\n\r\n") != NULL)
            deadline = now_ms() + 300;
    }
    heard[size] = 0;
    return heard;
}

bool raw_closes(int fd, int limit_ms)
{
    char bytes[4096];
    long long deadline = now_ms() + limit_ms;
    for (;;) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        long long left = deadline - now_ms();
        if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
            return false;
        if (recv(fd, bytes, sizeof bytes, 0) <= 0)
            return true;
    }
}

int raw_status(const char *heard)
{
    int status = 0;
    return sscanf(heard, "HTTP/1.%*1d %d", &status) == 1 ? status : 0;
}
