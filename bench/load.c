/* Many browsers in one process: open websockets, then count what arrives on them.
 *
 *   load PORT CONNECTIONS INFLIGHT
 *
 * Opens CONNECTIONS websockets to 127.0.0.1:PORT, INFLIGHT handshakes at a time, and prints
 *
 *   ready connections=4000 failed=0 seconds=1.234
 *
 * Then it obeys lines on stdin, and ends when stdin does:
 *
 *   expect COUNT   count from zero; print a result as soon as COUNT deliveries have come
 *   report         print a result now
 *
 *   result deliveries=.. bytes=.. seconds=.. disorder=.. closed=.. p50_us=.. p99_us=.. max_us=..
 *
 * A delivery is a text or binary frame whose payload starts with a digit: "SSSSSSSSSS NNNN... " where
 * S (10 digits) counts the messages of one run from 0 and N (19 digits) is CLOCK_MONOTONIC in ns when
 * it was sent. `seconds` lies between the first delivery and the last; `disorder` counts deliveries
 * that were not the successor of the one before on their connection. Other frames are read over,
 * pings are answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (1 << 20) /* more than one read brings, and than any frame we expect */
#define READ (1 << 18)
#define SEQUENCE 10
#define STAMP 19

enum stage { CONNECTING, SHAKING, OPEN, GONE };

struct browser {
    int fd;
    enum stage stage;
    uint64_t next;   /* sequence number of the next delivery */
    uint32_t kept;   /* bytes of an incomplete head or frame */
    uint8_t *rest;   /* ... and where they are */
};

/* Latencies in buckets: 32 per power of two of microseconds, so that a percentile is within 3 %. */
#define STEPS 32
#define BUCKETS (STEPS * 40)

struct run {
    uint64_t expected, deliveries, bytes, disorder, first, last, slowest;
    uint64_t latency[BUCKETS];
    int active;
};

static int poller, port, total, inflight;
static int opened, failed, closed;
static struct browser *browsers;
static struct run run;
static uint8_t buffer[BUFFER];

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void leave(struct browser *b)
{
    if (b->stage == OPEN)
        closed++;
    else
        failed++;
    b->stage = GONE;
    close(b->fd);
    free(b->rest);
    b->rest = NULL;
    b->kept = 0;
}

/* ---- what a run counts ---- */

static unsigned bucket_of(uint64_t us)
{
    if (us < STEPS)
        return (unsigned)us;
    unsigned power = 63u - (unsigned)__builtin_clzll(us); /* at least 5 */
    unsigned bucket = (power - 4) * STEPS + (unsigned)((us >> (power - 5)) & (STEPS - 1));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t lower_end(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned power = bucket / STEPS + 4;
    return (uint64_t)(STEPS + bucket % STEPS) << (power - 5);
}

static uint64_t percentile(double part)
{
    uint64_t wanted = (uint64_t)((double)run.deliveries * part), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += run.latency[i];
        if (seen > wanted)
            return lower_end(i);
    }
    return 0;
}

static void report(void)
{
    printf("result deliveries=%lu bytes=%lu seconds=%.6f disorder=%lu closed=%d"
           " p50_us=%lu p99_us=%lu max_us=%lu\n",
           run.deliveries, run.bytes, (double)(run.last - run.first) * 1e-9, run.disorder, closed,
           percentile(0.5), percentile(0.99), run.slowest);
    fflush(stdout);
    run.active = 0;
}

static uint64_t digits(const uint8_t *at, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value * 10 + (uint64_t)(at[i] - '0');
    return value;
}

static void deliver(struct browser *b, const uint8_t *payload, uint64_t size, uint64_t now)
{
    if (!run.active || size < SEQUENCE + 1 + STAMP || payload[0] < '0' || payload[0] > '9')
        return;
    uint64_t sequence = digits(payload, SEQUENCE);
    uint64_t sent = digits(payload + SEQUENCE + 1, STAMP);
    uint64_t us = now > sent ? (now - sent) / 1000 : 0;
    if (sequence != b->next)
        run.disorder++;
    b->next = sequence + 1;
    run.latency[bucket_of(us)]++;
    if (us > run.slowest)
        run.slowest = us;
    if (!run.deliveries++)
        run.first = now;
    run.last = now;
    run.bytes += size;
}

/* ---- one browser ---- */

static void send_frame(struct browser *b, int opcode, const uint8_t *payload, size_t size)
{
    uint8_t frame[6 + 125] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | size)}; /* mask 0 0 0 0 */
    memcpy(frame + 6, payload, size);
    if (send(b->fd, frame, 6 + size, MSG_NOSIGNAL) < 0)
        leave(b);
}

/* Read the frames in `data`; return how many bytes were used. */
static size_t read_frames(struct browser *b, const uint8_t *data, size_t size, uint64_t now)
{
    size_t at = 0;
    while (size - at >= 2) {
        const uint8_t *f = data + at;
        uint64_t length = f[1] & 127, head = 2;
        if (length == 126) {
            if (size - at < (head = 4))
                break;
            length = (uint64_t)f[2] << 8 | f[3];
        } else if (length == 127) {
            if (size - at < (head = 10))
                break;
            length = 0;
            for (int i = 2; i < 10; i++)
                length = length << 8 | f[i];
        }
        if (size - at < head + length)
            break;
        at += head + length;
        int opcode = f[0] & 15;
        if (opcode <= 2) {
            deliver(b, f + head, length, now);
        } else if (opcode == 9) {
            send_frame(b, 10, f + head, length);
        } else if (opcode == 8) {
            leave(b);
        }
        if (b->stage == GONE)
            return size;
    }
    return at;
}

static size_t read_head(struct browser *b, const uint8_t *data, size_t size)
{
    const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (size < 12 || memcmp(data, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "refused: %.*s\n", (int)(end - data), data);
        leave(b);
        return size;
    }
    b->stage = OPEN;
    opened++;
    return (size_t)(end + 4 - data);
}

static void readable(struct browser *b)
{
    memcpy(buffer, b->rest, b->kept);
    ssize_t got = recv(b->fd, buffer + b->kept, READ, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            leave(b);
        return;
    }
    size_t size = b->kept + (size_t)got, used = 0;
    if (b->stage == SHAKING)
        used = read_head(b, buffer, size);
    if (b->stage == OPEN)
        used += read_frames(b, buffer + used, size - used, now_ns());
    if (b->stage == GONE)
        return;
    if (size - used > BUFFER - READ) {
        fprintf(stderr, "a frame is larger than this program expects\n");
        exit(1);
    }
    b->kept = (uint32_t)(size - used);
    if (b->kept) {
        b->rest = realloc(b->rest, b->kept);
        memcpy(b->rest, buffer + used, b->kept);
    }
}

static void watch(struct browser *b, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = b};
    if (epoll_ctl(poller, how, b->fd, &event))
        die("epoll_ctl");
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
    if (connect(b->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        die("connect");
    b->stage = CONNECTING;
    watch(b, EPOLL_CTL_ADD, EPOLLOUT);
}

static void ask_for_upgrade(struct browser *b)
{
    char request[256];
    int size = snprintf(request, sizeof request,
                        "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        port);
    if (send(b->fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        leave(b);
        return;
    }
    b->stage = SHAKING;
    watch(b, EPOLL_CTL_MOD, EPOLLIN);
}

/* ---- the whole ---- */

static void obey(void)
{
    static char line[128];
    static size_t have;
    ssize_t got = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
    if (got <= 0)
        exit(0);
    have += (size_t)got;
    line[have] = 0;
    char *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        unsigned long count;
        if (sscanf(line, "expect %lu", &count) == 1) {
            memset(&run, 0, sizeof run);
            run.expected = count;
            run.active = 1;
            for (int i = 0; i < total; i++)
                browsers[i].next = 0;
            printf("expecting\n");
            fflush(stdout);
        } else if (!strcmp(line, "report")) {
            report();
        }
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
}

static void turn(void)
{
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
        struct browser *b = events[i].data.ptr;
        if (!b)
            obey();
        else if (b->stage == CONNECTING)
            (events[i].events & (EPOLLERR | EPOLLHUP)) ? leave(b) : ask_for_upgrade(b);
        else if (b->stage != GONE)
            readable(b);
    }
    if (run.active && run.deliveries >= run.expected)
        report();
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: load PORT CONNECTIONS INFLIGHT\n");
        return 2;
    }
    port = atoi(argv[1]);
    total = atoi(argv[2]);
    inflight = atoi(argv[3]);
    browsers = calloc((size_t)total, sizeof *browsers);
    poller = epoll_create1(0);
    if (!browsers || poller < 0)
        die("start");
    uint64_t begin = now_ns();
    for (int dialled = 0; opened + failed < total; turn())
        while (dialled < total && dialled - opened - failed < inflight)
            dial(&browsers[dialled++]);
    printf("ready connections=%d failed=%d seconds=%.6f\n", opened, failed,
           (double)(now_ns() - begin) * 1e-9);
    fflush(stdout);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input))
        die("stdin");
    for (;;)
        turn();
}
