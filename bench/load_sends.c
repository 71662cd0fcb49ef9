/* load's browsers send in turn, at a given rate, and nobody answers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"
#include "messages.h"

static struct {
    uint64_t count, rate, size, sent, begun, cpu;
    int turn, stuck; /* whose turn it is, and how many have bytes that their socket did not take */
} sending;

static uint8_t text[FRAME_MOST], bytes[FRAME_HEAD + FRAME_MOST];

int is_sending(void)
{
    return sending.count != 0;
}

void start_sending(uint64_t count, uint64_t rate, uint64_t size)
{
    if (!rate || size <= STAMPED || size > FRAME_MOST) {
        fprintf(stderr, "send: texts of %d bytes to %d, 1 a second or more\n", STAMPED + 1, FRAME_MOST);
        exit(1);
    }
    begin();
    run.active = 0; /* nothing is expected */
    memset(&sending, 0, sizeof sending);
    sending.count = count;
    sending.rate = rate;
    sending.size = size;
    sending.begun = now_ns();
    sending.cpu = cpu_ns();
    memset(text, 'x', size);
    text[SEQUENCE] = text[STAMPED] = ' ';
}

/* Send bytes, and keep what the socket does not take; return whether it took all. `data` may be what
 * was kept. */
static int pass_on(struct browser *b, const uint8_t *data, size_t size)
{
    ssize_t taken = send(b->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno != EAGAIN) {
        leave(b);
        return 0;
    }
    size_t left = size - (size_t)(taken < 0 ? 0 : taken);
    if (left && !(b->texts = realloc(b->texts, sizeof bytes)))
        die("what is unsent");
    if (left)
        memmove(b->texts, data + size - left, left);
    sending.stuck += (left != 0) - (b->unsent != 0);
    b->unsent = (uint32_t)left;
    return !left;
}

static void send_text(struct browser *b)
{
    put_digits(text, SEQUENCE, b->sent++);
    put_digits(text + SEQUENCE + 1, STAMP, now_ns());
    sending.sent++;
    pass_on(b, bytes, put_masked_frame(bytes, 1, text, sending.size));
}

static void report_sent(void)
{
    printf("sent messages=%lu seconds=%.6f closed=%d cpu_us=%lu\n", sending.sent,
           (double)(now_ns() - sending.begun) * 1e-9, closed, (cpu_ns() - sending.cpu) / 1000);
    fflush(stdout);
    sending.count = 0;
}

static uint64_t due(void)
{
    double seconds = (double)(now_ns() - sending.begun) * 1e-9;
    double texts = seconds * (double)sending.rate;
    return texts < (double)sending.count ? (uint64_t)texts : sending.count;
}

void send_due(void)
{
    uint64_t target = due();
    /* Everybody once at the most: whose socket is full waits for the next call. */
    for (int i = 0; i < total && (sending.sent < target || sending.stuck); i++) {
        struct browser *b = &browsers[sending.turn++ % total];
        if (b->stage != OPEN || (b->unsent && !pass_on(b, b->texts, b->unsent)))
            continue;
        if (sending.sent < target)
            send_text(b);
    }
    sending.turn %= total;
    if (closed || (sending.sent == sending.count && !sending.stuck))
        report_sent();
}
