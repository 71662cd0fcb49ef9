/* load's browsers connect and shake hands: one after another, or all at once, from any source address. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

static const char OFFER[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
static const char AGREED[] = "permessage-deflate";

static int port, opened, failed, compressed;
static int wants_init, offers_deflate;
static const char *path = "/";
static struct in_addr source;
static struct latencies openings;

/* Obey a word of the command line; return 0 if it is none. */
int set_option(const char *word)
{
    if (!strcmp(word, "init"))
        wants_init = 1;
    else if (!strcmp(word, "deflate"))
        offers_deflate = 1;
    else if (!strcmp(word, "socket.io"))
        wants_init = speaks_socket_io = 1, path = SOCKET_IO_PATH;
    else if (strncmp(word, "from=", 5) || !inet_aton(word + 5, &source))
        return 0;
    return 1;
}

/* Bind to a source address, so that more connections than one has ports reach one listener. */
static void come_from(int fd)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = source};
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from))
        die("bind");
}

static void dial(struct browser *b)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (b->fd < 0)
        die("socket");
    int on = 1;
    setsockopt(b->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (source.s_addr)
        come_from(b->fd);
    b->dialled = now_ns();
    if (connect(b->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        die("connect");
    b->stage = CONNECTING;
    watch(b, EPOLL_CTL_ADD, EPOLLOUT);
}

/* Ask for the upgrade. */
void connected(struct browser *b)
{
    char request[320];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                        path, port, offers_deflate ? OFFER : "");
    b->stage = SHAKING;
    send_bytes(b, (uint8_t *)request, (size_t)size);
    if (b->stage == SHAKING)
        watch(b, EPOLL_CTL_MOD, EPOLLIN);
}

/* Read the answer; return how many bytes it has, or 0 while it is not whole. */
size_t read_head(struct browser *b, const uint8_t *data, size_t size)
{
    const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (size < 12 || memcmp(data, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "refused: %.*s\n", (int)(end - data), data);
        leave(b);
        return size;
    }
    if (memmem(data, (size_t)(end - data), AGREED, sizeof AGREED - 1))
        compressed++;
    b->stage = GREETING;
    if (!wants_init)
        greeted(b);
    return (size_t)(end + 4 - data);
}

/* Count a browser as open: it has been told who it is, or nobody would tell it. */
void greeted(struct browser *b)
{
    add_latency(&openings, (now_ns() - b->dialled) / 1000);
    b->stage = OPEN;
    opened++;
}

/* Count a browser that ended before, and say how far it came and why it did. */
void not_opened(const struct browser *b)
{
    static const char *const stages[] = {"connecting", "shaking hands", "waiting for its init"};
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    fprintf(stderr, "ended while %s, after %lu ms: %s\n", stages[b->stage],
            (now_ns() - b->dialled) / 1000000, strerror(error ? error : errno));
    failed++;
}

/* Open all browsers, some at a time, and say how that went. */
void open_all(int to, int inflight, void (*turn)(void))
{
    port = to;
    uint64_t begin = now_ns();
    for (int dialled = 0; opened + failed < total; turn())
        while (dialled < total && dialled - opened - failed < inflight)
            dial(&browsers[dialled++]);
    printf("ready connections=%d failed=%d compressed=%d seconds=%.6f p50_us=%lu p99_us=%lu"
           " max_us=%lu\n",
           opened, failed, compressed, (double)(now_ns() - begin) * 1e-9,
           percentile(&openings, 0.5), percentile(&openings, 0.99), openings.slowest);
    fflush(stdout);
}
