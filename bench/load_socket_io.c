/* load's browsers speak Socket.IO 5 over Engine.IO 4: each packet is the payload of one text frame.
 *
 *   <- 0{"sid":..}           Engine.IO is open    -> 40   join the main namespace
 *   <- 40{"sid":..}          joined: the browser is open
 *   <- 42["message","TEXT"]  an event; TEXT is a message that needs no escapes
 *   <- 2                     ping                 -> 3
 */
#include <string.h>

#include "load.h"

static const char EVENT[] = "42[\"message\",\"";
#define EVENT_HEAD (sizeof EVENT - 1)
#define EVENT_END 2 /* bytes behind the text */

int speaks_socket_io;

static void answer(struct browser *b, const char *packet)
{
    uint8_t frame[FRAME_HEAD + 8];
    send_bytes(b, frame, put_masked_frame(frame, 1, (const uint8_t *)packet, strlen(packet)));
}

static int begins(const uint8_t *payload, uint64_t size, const char *with)
{
    return size >= strlen(with) && !memcmp(payload, with, strlen(with));
}

/* Obey a packet; if it is an event, return its text, of *size bytes. */
const uint8_t *read_packet(struct browser *b, const uint8_t *payload, uint64_t *size)
{
    if (begins(payload, *size, EVENT) && *size >= EVENT_HEAD + EVENT_END) {
        *size -= EVENT_HEAD + EVENT_END;
        return payload + EVENT_HEAD;
    }
    if (begins(payload, *size, "0{"))
        answer(b, "40");
    else if (begins(payload, *size, "40") && b->stage == GREETING)
        greeted(b);
    else if (begins(payload, *size, "2"))
        answer(b, "3");
    return NULL;
}
