/* Latencies in buckets: 32 per power of two of microseconds, so that a percentile is within 3 %. */
#ifndef LATENCIES_H
#define LATENCIES_H

#include <stdint.h>

#define STEPS 32
#define BUCKETS (STEPS * 40)

struct latencies {
    uint64_t count, slowest, buckets[BUCKETS];
};

static inline unsigned bucket_of(uint64_t us)
{
    if (us < STEPS)
        return (unsigned)us;
    unsigned power = 63u - (unsigned)__builtin_clzll(us); /* at least 5 */
    unsigned bucket = (power - 4) * STEPS + (unsigned)((us >> (power - 5)) & (STEPS - 1));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static inline uint64_t lower_end(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned power = bucket / STEPS + 4;
    return (uint64_t)(STEPS + bucket % STEPS) << (power - 5);
}

static inline void add_latency(struct latencies *all, uint64_t us)
{
    all->count++;
    all->buckets[bucket_of(us)]++;
    if (us > all->slowest)
        all->slowest = us;
}

static inline uint64_t percentile(const struct latencies *all, double part)
{
    uint64_t wanted = (uint64_t)((double)all->count * part), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += all->buckets[i];
        if (seen > wanted)
            return lower_end(i);
    }
    return 0;
}

#endif
