/* load's browsers talk to an echo: each sends its next text as soon as an answer came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "messages.h"

#define NUMBER 5
#define SMALLEST (STAMPED + 1 + NUMBER)
#define ASKED (1 << 20) /* bytes that one browser may have under way */

static uint8_t asking[ASKED];
static size_t asking_bytes;

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

void send_asked(struct browser *b)
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
        text[SEQUENCE] = text[STAMPED] = ' ';
        put_digits(text + STAMPED + 1, NUMBER, (uint64_t)number);
    }
}

void start_rounds(uint64_t milliseconds, uint64_t depth, uint64_t size)
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

void answered(struct browser *b, const uint8_t *payload, uint64_t size, uint64_t now)
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
