/* Websocket frames, as both sides of the bench read and write them. No fragments. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAME_HEAD 8 /* most bytes before a payload that put_frame writes */
#define FRAME_MOST 65535

struct frame {
    int opcode, compressed;
    const uint8_t *mask; /* four bytes, or NULL */
    const uint8_t *payload;
    uint64_t size;
};

/* Read the frame that `data` begins with; return its bytes, or 0 if it is not whole. */
static inline size_t read_frame(const uint8_t *data, size_t have, struct frame *frame)
{
    if (have < 2)
        return 0;
    uint64_t size = data[1] & 127;
    size_t head = 2, wide = size < 126 ? 0 : size == 126 ? 2 : 8;
    if (have < head + wide)
        return 0;
    if (wide)
        size = 0;
    for (size_t i = 0; i < wide; i++)
        size = size << 8 | data[head + i];
    head += wide;
    int masked = data[1] >> 7;
    frame->opcode = data[0] & 15;
    frame->compressed = data[0] >> 6 & 1;
    frame->mask = masked ? data + head : NULL;
    head += masked ? 4 : 0;
    if (have < head || have - head < size)
        return 0;
    frame->payload = data + head;
    frame->size = size;
    return head + size;
}

static inline void put_masked(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *mask)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i] ^ mask[i & 3];
}

/* Write a frame of at most FRAME_MOST bytes, masked if there is a mask; return its bytes. */
static inline size_t put_frame(uint8_t *to, int opcode, const uint8_t *payload, size_t size,
                               const uint8_t *mask)
{
    size_t head = 2;
    to[0] = (uint8_t)(0x80 | opcode);
    to[1] = (uint8_t)size;
    if (size > 125) {
        head = 4;
        to[1] = 126;
        to[2] = (uint8_t)(size >> 8);
        to[3] = (uint8_t)size;
    }
    if (!mask) {
        memcpy(to + head, payload, size);
        return head + size;
    }
    to[1] |= 0x80;
    memcpy(to + head, mask, 4);
    put_masked(to + head + 4, payload, size, mask);
    return head + 4 + size;
}

#endif
