/* What the parts of load share: its browsers and the run under way. load.c says what it does. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "latencies.h"

enum stage { CONNECTING, SHAKING, GREETING, OPEN, GONE };

struct browser {
    int fd;
    enum stage stage;
    uint64_t dialled; /* when connect() was called */
    uint64_t next;    /* least sequence number that the next delivery may have */
    uint64_t sent;    /* sequence number of the next text */
    uint8_t *texts;   /* the last DEPTH texts, each in the place of its number modulo DEPTH; or what */
    uint32_t unsent;  /* ... its socket did not take, and how many bytes that are */
    uint32_t kept;    /* bytes of an incomplete head or frame */
    uint8_t *rest;    /* ... and where they are */
};

struct run {
    uint64_t expected, deliveries, bytes, sum, disorder, mismatch, first, last, cpu;
    struct latencies latencies;
    uint64_t depth, size, until, under_way; /* of rounds; `depth` is 0 where nothing is asked */
    int active, rising;
};

extern struct run run;
extern struct browser *browsers;
extern int total, closed;

/* load.c */
void die(const char *what);
uint64_t now_ns(void);
uint64_t cpu_ns(void);
void watch(struct browser *b, int how, uint32_t events);
void leave(struct browser *b);
void begin(void);
void count(uint64_t size, uint64_t sent, uint64_t now);
size_t put_masked_frame(uint8_t *to, int opcode, const uint8_t *payload, size_t size);
void send_bytes(struct browser *b, const uint8_t *data, size_t size);

/* load_opening.c */
int set_option(const char *word);
void open_all(int port, int inflight, void (*turn)(void));
void connected(struct browser *b);
size_t read_head(struct browser *b, const uint8_t *data, size_t size);
void greeted(struct browser *b);
void not_opened(const struct browser *b);

/* load_rounds.c */
void start_rounds(uint64_t milliseconds, uint64_t depth, uint64_t size);
void send_asked(struct browser *b);
void answered(struct browser *b, const uint8_t *payload, uint64_t size, uint64_t now);

/* load_sends.c */
void start_sending(uint64_t count, uint64_t rate, uint64_t size);
int is_sending(void);
void send_due(void);

/* load_socket_io.c */
#define SOCKET_IO_PATH "/socket.io/?EIO=4&transport=websocket"
extern int speaks_socket_io;
const uint8_t *read_packet(struct browser *b, const uint8_t *payload, uint64_t *size);

#endif
