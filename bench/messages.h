/* A message of a run: "SSSSSSSSSS NNNNNNNNNNNNNNNNNNN ...", its number and when it was sent, in ns. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdint.h>

#define SEQUENCE 10
#define STAMP 19
#define STAMPED (SEQUENCE + 1 + STAMP)

static inline uint64_t digits(const uint8_t *at, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value * 10 + (uint64_t)(at[i] - '0');
    return value;
}

static inline void put_digits(uint8_t *at, int count, uint64_t value)
{
    while (count--) {
        at[count] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

/* Find where a message is stamped: at its begin, or behind `["`, which makes it a JSON list. NULL if
 * it is none of a run. */
static inline const uint8_t *stamp_of(const uint8_t *payload, uint64_t size)
{
    uint64_t skip = size > 2 && payload[0] == '[' && payload[1] == '"' ? 2 : 0;
    if (size < skip + STAMPED || payload[skip] < '0' || payload[skip] > '9')
        return 0;
    return payload + skip;
}

#endif
