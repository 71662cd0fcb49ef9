/* Many browsers in one process: open websockets, then count what arrives, or talk to an echo.
 *
 *   load PORT CONNECTIONS INFLIGHT [OPTION...]
 *
 * Opens CONNECTIONS websockets to 127.0.0.1:PORT, INFLIGHT handshakes at a time, and prints
 *
 *   ready connections=4000 failed=0 compressed=0 seconds=1.234 p50_us=.. p99_us=.. max_us=..
 *
 * The last three are times from connect() to an open websocket. Options are the words
 *
 *   init           a websocket is not open before its first message has come
 *   deflate        offer permessage-deflate; what comes compressed is inflated (and `compressed`
 *                  counts who agreed)
 *   from=ADDRESS   connect from this address: each has its own 28,000 ports
 *   socket.io      speak Socket.IO inside of websocket's frames (load_socket_io.c)
 *
 * Then it obeys lines on stdin, and ends when stdin does:
 *
 *   expect COUNT   count from zero; print a result as soon as COUNT deliveries have come, each the
 *                  successor of the one before on its connection
 *   expect COUNT rising
 *                  the same for messages that go to some browsers only: their numbers must rise on
 *                  each connection
 *   rounds MILLISECONDS DEPTH SIZE
 *                  count from zero; every browser sends texts of SIZE bytes to an echo for so long,
 *                  the next one as soon as an answer came, so that DEPTH are under way; print a
 *                  result when all are answered, or when nobody waits for them any more
 *   send COUNT RATE SIZE
 *                  send COUNT texts of SIZE bytes that nobody answers, RATE a second, browsers taking
 *                  turns; whose socket is full is left out. When all are sent, print
 *                  "sent messages=.. seconds=.. closed=.. cpu_us=.."
 *   quantiles      print "quantiles us=.." with the least latency of the last run, that which one in a
 *                  hundred was below, and so on to the greatest
 *
 *   result deliveries=.. bytes=.. sum=.. seconds=.. disorder=.. mismatch=.. missing=.. closed=..
 *          p50_us=.. p99_us=.. max_us=.. cpu_us=..
 *
 * A delivery is a text or binary frame whose payload is a message as messages.h has it: its number in
 * the run, from 0, and CLOCK_MONOTONIC in ns when it was sent. `sum` adds up the numbers, so that
 * who knows what was sent sees whether something was lost and something else doubled; `seconds`
 * lies between the first delivery and the last; `disorder` counts deliveries out of order, `mismatch`
 * what could not be inflated; `cpu_us` is what this process itself took for the run. Other frames
 * are read over, pings are answered.
 *
 * In rounds a text is such a message too, with the number of its browser behind the time, and masked
 * with a random key. Its latency is that of the whole round; `seconds` begin with the first text.
 * `disorder` counts answers to another text than the oldest unanswered one of their connection,
 * `mismatch` answers to that one which are not its echo, `missing` texts that were not answered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "inflating.h"
#include "load.h"
#include "messages.h"

#define BUFFER (1 << 20) /* more than one read brings, and than any frame we expect */
#define READ (1 << 18)
#define PATIENCE 5000000000u /* ns after which an answer is missing: far above any latency */

struct run run;
struct browser *browsers;
int total;

int closed;

static int poller;
static uint8_t buffer[BUFFER];

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void die(const char *what)
{
    perror(what);
    exit(1);
}

void watch(struct browser *b, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = b};
    if (epoll_ctl(poller, how, b->fd, &event))
        die("epoll_ctl");
}

void leave(struct browser *b)
{
    if (b->stage == OPEN)
        closed++;
    else
        not_opened(b);
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
    printf("result deliveries=%lu bytes=%lu sum=%lu seconds=%.6f disorder=%lu mismatch=%lu"
           " missing=%lu closed=%d p50_us=%lu p99_us=%lu max_us=%lu cpu_us=%lu\n",
           run.deliveries, run.bytes, run.sum, (double)(run.last - run.first) * 1e-9, run.disorder,
           run.mismatch, run.under_way, closed, percentile(&run.latencies, 0.5),
           percentile(&run.latencies, 0.99), run.latencies.slowest,
           (cpu_ns() - run.cpu) / 1000);
    fflush(stdout);
    run.active = 0;
    run.depth = 0;
}

static void report_quantiles(void)
{
    printf("quantiles us=");
    for (int i = 0; i < 100; i++)
        printf("%lu,", percentile(&run.latencies, i / 100.0));
    printf("%lu\n", run.latencies.slowest);
    fflush(stdout);
}

void begin(void)
{
    memset(&run, 0, sizeof run);
    run.active = 1;
    run.cpu = cpu_ns();
    for (int i = 0; i < total; i++)
        browsers[i].next = browsers[i].sent = 0;
}

static void expect(uint64_t deliveries, int rising)
{
    begin();
    run.expected = deliveries;
    run.rising = rising;
    printf("expecting\n");
    fflush(stdout);
}

void count(uint64_t size, uint64_t sent, uint64_t now)
{
    add_latency(&run.latencies, now > sent ? (now - sent) / 1000 : 0);
    run.deliveries++;
    if (!run.first)
        run.first = now;
    run.last = now;
    run.bytes += size;
}

/* ---- what is sent ---- */

size_t put_masked_frame(uint8_t *to, int opcode, const uint8_t *payload, size_t size)
{
    static uint32_t random = 0x9e3779b9;
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    return put_frame(to, opcode, payload, size, (const uint8_t *)&random);
}

void send_bytes(struct browser *b, const uint8_t *data, size_t size)
{
    if (send(b->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
        leave(b);
}

static void pong(struct browser *b, const uint8_t *payload, size_t size)
{
    uint8_t frame[FRAME_HEAD + 125];
    send_bytes(b, frame, put_masked_frame(frame, 10, payload, size));
}

/* ---- what arrives ---- */

static void deliver(struct browser *b, const uint8_t *payload, uint64_t size, uint64_t now)
{
    const uint8_t *stamp = stamp_of(payload, size);
    if (!run.active || !stamp)
        return;
    if (run.depth) {
        answered(b, payload, size, now);
        return;
    }
    uint64_t sequence = digits(stamp, SEQUENCE);
    if (run.rising ? sequence < b->next : sequence != b->next)
        run.disorder++;
    b->next = sequence + 1;
    run.sum += sequence;
    count(size, digits(stamp + SEQUENCE + 1, STAMP), now);
}

static void packet(struct browser *b, const struct frame *frame, uint64_t now)
{
    uint64_t size = frame->size;
    const uint8_t *text = read_packet(b, frame->payload, &size);
    if (text)
        deliver(b, text, size, now);
}

static void message(struct browser *b, const struct frame *frame, uint64_t now)
{
    static struct inflated clear;
    if (speaks_socket_io)
        packet(b, frame, now);
    else if (b->stage == GREETING)
        greeted(b);
    else if (!frame->compressed)
        deliver(b, frame->payload, frame->size, now);
    else if (inflate_message(&clear, frame->payload, frame->size))
        run.mismatch++;
    else
        deliver(b, clear.data, clear.size, now);
}

/* Read the frames in `data`; return how many bytes were used. */
static size_t read_frames(struct browser *b, const uint8_t *data, size_t size, uint64_t now)
{
    size_t at = 0, bytes;
    struct frame frame;
    while (b->stage != GONE && (bytes = read_frame(data + at, size - at, &frame))) {
        at += bytes;
        if (frame.opcode <= 2)
            message(b, &frame, now);
        else if (frame.opcode == 9)
            pong(b, frame.payload, frame.size);
        else if (frame.opcode == 8)
            leave(b);
    }
    return at;
}

static void keep(struct browser *b, const uint8_t *data, size_t size)
{
    if (size > BUFFER - READ) {
        fprintf(stderr, "a frame is larger than this program expects\n");
        exit(1);
    }
    b->kept = (uint32_t)size;
    if (b->kept) {
        b->rest = realloc(b->rest, b->kept);
        if (!b->rest)
            die("rest of a frame");
        memcpy(b->rest, data, b->kept);
    }
}

static void readable(struct browser *b)
{
    if (b->kept)
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
    if (b->stage == GREETING || b->stage == OPEN)
        used += read_frames(b, buffer + used, size - used, now_ns());
    send_asked(b);
    if (b->stage != GONE)
        keep(b, buffer + used, size - used);
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
        if (sscanf(line, "expect %lu", &first) == 1)
            expect(first, strstr(line, " rising") != NULL);
        else if (sscanf(line, "rounds %lu %lu %lu", &first, &depth, &size) == 3)
            start_rounds(first, depth, size);
        else if (sscanf(line, "send %lu %lu %lu", &first, &depth, &size) == 3)
            start_sending(first, depth, size);
        else if (!strcmp(line, "quantiles"))
            report_quantiles();
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
}

static int is_over(void)
{
    if (run.depth)
        return !run.under_way || now_ns() > run.until + PATIENCE;
    return run.deliveries + run.mismatch >= run.expected;
}

static void turn(void)
{
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, is_sending() ? 1 : run.depth ? 1000 : -1);
    for (int i = 0; i < count; i++) {
        struct browser *b = events[i].data.ptr;
        if (!b)
            obey();
        else if (b->stage == CONNECTING)
            (events[i].events & (EPOLLERR | EPOLLHUP)) ? leave(b) : connected(b);
        else if (b->stage != GONE)
            readable(b);
    }
    if (is_sending())
        send_due();
    if (run.active && is_over())
        report();
}

static int has_known_options(int argc, char **argv)
{
    for (int i = 4; i < argc; i++)
        if (!set_option(argv[i]))
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 4 || !has_known_options(argc, argv)) {
        fprintf(stderr, "usage: load PORT CONNECTIONS INFLIGHT [OPTION...]\n");
        return 2;
    }
    total = atoi(argv[2]);
    browsers = calloc((size_t)total, sizeof *browsers);
    poller = epoll_create1(0);
    if (!browsers || poller < 0)
        die("start");
    open_all(atoi(argv[1]), atoi(argv[3]), turn);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input))
        die("stdin");
    for (;;)
        turn();
}
