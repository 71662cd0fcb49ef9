/* Many browsers in one process: open websockets, then count what arrives, or talk to an echo.
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
 *   rounds MILLISECONDS DEPTH SIZE
 *                  count from zero; every browser sends texts of SIZE bytes to an echo for so long,
 *                  the next one as soon as an answer came, so that DEPTH are under way; print a
 *                  result when all are answered, or when nobody waits for them any more
 *
 *   result deliveries=.. bytes=.. seconds=.. disorder=.. mismatch=.. missing=.. closed=..
 *          p50_us=.. p99_us=.. max_us=.. cpu_us=..
 *
 * A delivery is a text or binary frame whose payload starts with a digit: "SSSSSSSSSS NNNN... " where
 * S (10 digits) counts the messages of one run from 0 and N (19 digits) is CLOCK_MONOTONIC in ns when
 * it was sent. `seconds` lies between the first delivery and the last; `disorder` counts deliveries
 * that were not the successor of the one before on their connection; `cpu_us` is what this process
 * itself took for the run. Other frames are read over, pings are answered.
 *
 * In rounds a text is such a delivery too, with the number of its browser behind the time, and masked
 * with a random key. Its latency is that of the whole round; `seconds` begin with the first text.
 * `disorder` counts answers to another text than the oldest unanswered one of their connection,
 * `mismatch` answers to that one which are not its echo, `missing` texts that were not answered.
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

#include "frames.h"
#include "latencies.h"

#define BUFFER (1 << 20) /* more than one read brings, and than any frame we expect */
#define READ (1 << 18)
#define SEQUENCE 10
#define STAMP 19
#define NUMBER 5
#define SMALLEST (SEQUENCE + 1 + STAMP + 1 + NUMBER)
#define ASKED (1 << 20) /* bytes that one browser may have under way */
#define PATIENCE 5000000000u /* ns after which an answer is missing: far above any latency */

enum stage { CONNECTING, SHAKING, OPEN, GONE };

struct browser {
    int fd;
    enum stage stage;
    uint64_t next;   /* sequence number of the next delivery */
    uint64_t sent;   /* ... and of the next text */
    uint8_t *texts;  /* the last DEPTH texts, each in the place of its number modulo DEPTH */
    uint32_t kept;   /* bytes of an incomplete head or frame */
    uint8_t *rest;   /* ... and where they are */
};

struct run {
    uint64_t expected, deliveries, bytes, disorder, mismatch, first, last, cpu;
    struct latencies latencies;
    uint64_t depth, size, until, under_way; /* of rounds; `depth` is 0 where nothing is asked */
    int active;
};

static int poller, port, total, inflight;
static int opened, failed, closed;
static struct browser *browsers;
static struct run run;
static uint8_t buffer[BUFFER];
static uint8_t asking[ASKED];
static size_t asking_bytes;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
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
    if (run.depth)
        run.under_way -= b->sent - b->next;
}

/* ---- what a run counts ---- */

static void report(void)
{
    printf("result deliveries=%lu bytes=%lu seconds=%.6f disorder=%lu mismatch=%lu missing=%lu"
           " closed=%d p50_us=%lu p99_us=%lu max_us=%lu cpu_us=%lu\n",
           run.deliveries, run.bytes, (double)(run.last - run.first) * 1e-9, run.disorder,
           run.mismatch, run.under_way, closed, percentile(&run.latencies, 0.5),
           percentile(&run.latencies, 0.99), run.latencies.slowest,
           (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - run.cpu) / 1000);
    fflush(stdout);
    run.active = 0;
    run.depth = 0;
}

static void begin(void)
{
    memset(&run, 0, sizeof run);
    run.active = 1;
    run.cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < total; i++)
        browsers[i].next = browsers[i].sent = 0;
}

static void count(uint64_t size, uint64_t sent, uint64_t now)
{
    add_latency(&run.latencies, now > sent ? (now - sent) / 1000 : 0);
    run.deliveries++;
    if (!run.first)
        run.first = now;
    run.last = now;
    run.bytes += size;
}

static uint64_t digits(const uint8_t *at, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value * 10 + (uint64_t)(at[i] - '0');
    return value;
}

static void put_digits(uint8_t *at, int count, uint64_t value)
{
    while (count--) {
        at[count] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

/* ---- what is sent ---- */

static size_t put_masked_frame(uint8_t *to, int opcode, const uint8_t *payload, size_t size)
{
    static uint32_t random = 0x9e3779b9;
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    return put_frame(to, opcode, payload, size, (const uint8_t *)&random);
}

static void send_bytes(struct browser *b, const uint8_t *data, size_t size)
{
    if (send(b->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
        leave(b);
}

static uint8_t *text_of(struct browser *b, uint64_t sequence)
{
    return b->texts + sequence % run.depth * run.size;
}

/* Put the next text of a browser behind those that are to be sent. */
static void ask(struct browser *b, uint64_t now)
{
    uint8_t *text = text_of(b, b->sent);
    put_digits(text, SEQUENCE, b->sent++);
    put_digits(text + SEQUENCE + 1, STAMP, now);
    asking_bytes += put_masked_frame(asking + asking_bytes, 1, text, run.size);
    run.under_way++;
}

static void send_asked(struct browser *b)
{
    size_t size = asking_bytes;
    asking_bytes = 0;
    if (size && b->stage == OPEN)
        send_bytes(b, asking, size);
}

static void prepare_texts(struct browser *b, int number)
{
    b->texts = realloc(b->texts, run.depth * run.size);
    if (!b->texts)
        die("texts");
    memset(b->texts, 'x', run.depth * run.size);
    for (uint64_t i = 0; i < run.depth; i++) {
        uint8_t *text = text_of(b, i);
        text[SEQUENCE] = text[SEQUENCE + 1 + STAMP] = ' ';
        put_digits(text + SEQUENCE + 1 + STAMP + 1, NUMBER, (uint64_t)number);
    }
}

static void start_rounds(uint64_t milliseconds, uint64_t depth, uint64_t size)
{
    if (!depth || size < SMALLEST || size > FRAME_MOST || depth * (FRAME_HEAD + size) > ASKED) {
        fprintf(stderr, "rounds: from 1 text of %d bytes to %d bytes at a time\n", SMALLEST, ASKED);
        exit(1);
    }
    begin();
    run.depth = depth;
    run.size = size;
    run.first = run.last = now_ns();
    run.until = run.first + milliseconds * 1000000u;
    for (int i = 0; i < total; i++) {
        struct browser *b = &browsers[i];
        if (b->stage != OPEN)
            continue;
        prepare_texts(b, i);
        for (uint64_t k = 0; k < depth; k++)
            ask(b, now_ns());
        send_asked(b);
    }
}

/* ---- what arrives ---- */

static void answered(struct browser *b, const uint8_t *payload, uint64_t size, uint64_t now)
{
    const uint8_t *text = text_of(b, b->next);
    if (b->next == b->sent || memcmp(payload, text, SEQUENCE))
        run.disorder++;
    else if (size != run.size || memcmp(payload, text, size))
        run.mismatch++;
    if (b->next == b->sent)
        return;
    count(size, digits(text + SEQUENCE + 1, STAMP), now);
    b->next++;
    run.under_way--;
    if (now < run.until)
        ask(b, now);
}

static void deliver(struct browser *b, const uint8_t *payload, uint64_t size, uint64_t now)
{
    if (!run.active || size < SEQUENCE + 1 + STAMP || payload[0] < '0' || payload[0] > '9')
        return;
    if (run.depth) {
        answered(b, payload, size, now);
        return;
    }
    uint64_t sequence = digits(payload, SEQUENCE);
    if (sequence != b->next)
        run.disorder++;
    b->next = sequence + 1;
    count(size, digits(payload + SEQUENCE + 1, STAMP), now);
}

static void pong(struct browser *b, const uint8_t *payload, size_t size)
{
    uint8_t frame[FRAME_HEAD + 125];
    send_bytes(b, frame, put_masked_frame(frame, 10, payload, size));
}

/* Read the frames in `data`; return how many bytes were used. */
static size_t read_frames(struct browser *b, const uint8_t *data, size_t size, uint64_t now)
{
    size_t at = 0, bytes;
    struct frame frame;
    while (b->stage == OPEN && (bytes = read_frame(data + at, size - at, &frame))) {
        at += bytes;
        if (frame.opcode <= 2)
            deliver(b, frame.payload, frame.size, now);
        else if (frame.opcode == 9)
            pong(b, frame.payload, frame.size);
        else if (frame.opcode == 8)
            leave(b);
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
    send_asked(b);
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
        unsigned long first, depth, size;
        if (sscanf(line, "expect %lu", &first) == 1) {
            begin();
            run.expected = first;
            printf("expecting\n");
            fflush(stdout);
        } else if (sscanf(line, "rounds %lu %lu %lu", &first, &depth, &size) == 3) {
            start_rounds(first, depth, size);
        } else if (!strcmp(line, "report")) {
            report();
        }
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
}

static int is_over(void)
{
    if (run.depth)
        return !run.under_way || now_ns() > run.until + PATIENCE;
    return run.deliveries >= run.expected;
}

static void turn(void)
{
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, run.depth ? 1000 : -1);
    for (int i = 0; i < count; i++) {
        struct browser *b = events[i].data.ptr;
        if (!b)
            obey();
        else if (b->stage == CONNECTING)
            (events[i].events & (EPOLLERR | EPOLLHUP)) ? leave(b) : ask_for_upgrade(b);
        else if (b->stage != GONE)
            readable(b);
    }
    if (run.active && is_over())
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
