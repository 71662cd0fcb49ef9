/* Messages compressed as RFC 7692 has it, each on its own: no context is taken over. */
#ifndef INFLATING_H
#define INFLATING_H

#include <stdint.h>
#include <zlib.h>

#define INFLATED (1 << 20) /* bytes of the largest message expected */

struct inflated {
    uint8_t data[INFLATED];
    uint64_t size;
};

/* Inflate a message; return 0, or -1 if it is broken or too large. */
static inline int inflate_message(struct inflated *to, const uint8_t *payload, uint64_t size)
{
    static z_stream stream;
    static const uint8_t end[] = {0, 0, 0xff, 0xff}; /* what the sender took off */
    if (stream.state ? inflateReset(&stream) : inflateInit2(&stream, -MAX_WBITS))
        return -1;
    stream.next_out = to->data;
    stream.avail_out = INFLATED;
    stream.next_in = (uint8_t *)payload;
    stream.avail_in = (uInt)size;
    int begun = inflate(&stream, Z_SYNC_FLUSH);
    stream.next_in = (uint8_t *)end;
    stream.avail_in = sizeof end;
    int ended = inflate(&stream, Z_SYNC_FLUSH);
    int is_whole = stream.data_type & 128; /* a block has ended, and no other has begun */
    to->size = INFLATED - stream.avail_out;
    return begun == Z_OK && ended == Z_OK && is_whole && stream.avail_out ? 0 : -1;
}

#endif
