/* The floor: what it costs to send() a frame to each of many sockets, or back, and nothing else.
 *
 *   floor
 *
 * Listens on a free port of 127.0.0.1 and prints "ready port=12345". Answers any HTTP request with
 * 101 and a constant, which is all that a client needs that does not check the answer; any frame is
 * sent back. Obeys lines on stdin, and ends when stdin does:
 *
 *   rounds COUNT INTERVAL_US SIZE [PER_SEND]
 *
 * sends COUNT messages to every connection, a round every INTERVAL_US (0: back to back), and prints
 * "done sends=.. connections=.. walk_us=..", the last being the 99th percentile of the time that a
 * round took. A round is one send() to each connection, of PER_SEND messages in the mean (1): where
 * that is no whole number, rounds of one more and one less take turns so that it comes true.
 * A message is a text frame of SIZE bytes as messages.h has it. Nothing is accepted meanwhile.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
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
#include "messages.h"

#define MOST 20000     /* sockets: as many files as a process may open at the most */
#define LARGEST 60000  /* bytes of a message */
#define LARGEST_SEND (1 << 20) /* bytes of a send() */
#define READ (1 << 18) /* bytes read at a time: more than load.c has under way on a socket */

static const char ANSWER[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static int poller, listener;
static int sockets[MOST], open_sockets;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
}

static int listening(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, 4096))
        die("listen");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    getsockname(fd, (struct sockaddr *)&at, &size);
    printf("ready port=%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_one(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (open_sockets == MOST) {
        fprintf(stderr, "more than %d connections\n", MOST);
        exit(1);
    }
    sockets[open_sockets++] = fd;
    watch(fd);
}

static void forget(int fd)
{
    for (int i = 0; i < open_sockets; i++)
        if (sockets[i] == fd)
            sockets[i] = sockets[--open_sockets];
    close(fd);
}

/* Send every frame back, all in one send(). What load.c has under way comes in whole frames. */
static void echo(int fd, const uint8_t *data, size_t size)
{
    static uint8_t clear[FRAME_MOST], answers[READ];
    size_t at = 0, out = 0, bytes;
    struct frame frame;
    while ((bytes = read_frame(data + at, size - at, &frame))) {
        at += bytes;
        if (!frame.mask || frame.size > FRAME_MOST) {
            fprintf(stderr, "a browser would not send such a frame\n");
            exit(1);
        }
        put_masked(clear, frame.payload, frame.size, frame.mask);
        out += put_frame(answers + out, frame.opcode, clear, frame.size, NULL);
    }
    if (at < size) {
        fprintf(stderr, "a frame came in pieces: have fewer or smaller texts under way\n");
        exit(1);
    }
    send(fd, answers, out, MSG_NOSIGNAL);
}

static void read_one(int fd)
{
    static uint8_t data[READ];
    ssize_t got = recv(fd, data, sizeof data, 0);
    if (got > 4 && !memcmp(data, "GET ", 4))
        send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
    else if (got > 0)
        echo(fd, data, (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        forget(fd);
}

static size_t put_message(uint8_t *to, unsigned long sequence, size_t size)
{
    static uint8_t text[LARGEST];
    memset(text, 'x', size);
    put_digits(text, SEQUENCE, sequence);
    put_digits(text + SEQUENCE + 1, STAMP, now_ns());
    text[SEQUENCE] = text[STAMPED] = ' ';
    return put_frame(to, 1, text, size, NULL);
}

static void send_all(int fd, const uint8_t *frame, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, frame, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            die("send");
        if (sent < 0) {
            struct pollfd full = {.fd = fd, .events = POLLOUT};
            poll(&full, 1, -1);
            continue;
        }
        frame += sent;
        size -= (size_t)sent;
    }
}

static void walk(const uint8_t *data, size_t size, struct latencies *walks)
{
    uint64_t begin = now_ns();
    for (int i = 0; i < open_sockets; i++)
        send_all(sockets[i], data, size);
    add_latency(walks, (now_ns() - begin) / 1000);
}

static void rounds(unsigned long count, unsigned long interval_us, size_t size, double per_send)
{
    static uint8_t data[LARGEST_SEND];
    struct latencies walks = {0};
    uint64_t due = now_ns();
    unsigned long sequence = 0, round = 0;
    while (sequence < count) {
        size_t bytes = 0;
        unsigned long end = (unsigned long)((double)++round * per_send + 1e-9);
        while (sequence < count && sequence < end)
            bytes += put_message(data + bytes, sequence++, size);
        walk(data, bytes, &walks);
        due += interval_us * 1000u;
        struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        if (interval_us)
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    printf("done sends=%lu connections=%d walk_us=%lu\n", round * (unsigned long)open_sockets,
           open_sockets, percentile(&walks, 0.99));
    fflush(stdout);
}

static int is_sendable(size_t size, double per_send)
{
    return size > STAMPED && size <= LARGEST && per_send >= 1
        && (per_send + 1) * (double)(size + FRAME_HEAD) <= LARGEST_SEND;
}

static void obey(void)
{
    char line[128];
    unsigned long count, interval_us, size;
    double per_send = 1;
    ssize_t got = read(STDIN_FILENO, line, sizeof line - 1);
    if (got <= 0)
        exit(0);
    line[got] = 0;
    if (sscanf(line, "rounds %lu %lu %lu %lf", &count, &interval_us, &size, &per_send) >= 3
        && is_sendable(size, per_send))
        rounds(count, interval_us, size, per_send);
    else
        fprintf(stderr, "not understood: %s", line);
}

int main(void)
{
    poller = epoll_create1(0);
    listener = listening();
    watch(listener);
    watch(STDIN_FILENO);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO)
                obey();
            else if (fd == listener)
                accept_one();
            else
                read_one(fd);
        }
    }
}
