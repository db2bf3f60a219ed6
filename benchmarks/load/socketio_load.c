/*
 * socketio_load: thousands of Socket.IO clients in one thread, to load a server and to say when its events arrive.
 *
 *   cc -O2 -Wall -Wextra -std=c11 -o socketio_load socketio_load.c
 *   socketio_load PORT [PATH]                 PATH is /socket.io/ unless given; the address is always 127.0.0.1
 *
 * Each client opens a WebSocket (RFC 6455), hears Engine.IO's open packet, asks for the main namespace with the
 * given auth, answers pings, and counts what it hears by event name. The client is cheap so that the figures are
 * the server's: one read buffer for all, bytes are kept per client only while a frame is incomplete, and payloads
 * are looked at as far as the event's name and no further.
 *
 * It is driven through lines on stdin and answers with one JSON object a line on stdout:
 *
 *   auth JSON                          sent with CONNECT from now on (a line, so that no token is in a process list)
 *   deflate                            {"reply":"deflating"}: clients connected from now on offer permessage-deflate;
 *                                      a compressed message counts as the event "(deflated)", whatever is in it
 *   connect N [INFLIGHT [TIMEOUT_MS]]  {"reply":"connected","ready":..,"failed":..,"elapsed_us":..,"error":..}
 *   expect EVENT COUNT TIMEOUT_MS      {"reply":"expecting","event":..} at once, and later
 *                                      {"reply":"reached"|"missed","event":..,"have":..,"first_ns":..,"last_ns":..}
 *   arrivals EVENT MARKER_NS           {"reply":"arrivals",..,"histogram":[[us,count],..]}: arrivals of the last
 *                                      expectation after an instant of CLOCK_MONOTONIC, in microseconds; buckets
 *                                      are log-linear (64 to the octave), so a value is at most 1.6 % too low
 *   timed EVENT                        {"reply":"timed",..}: its first argument is the CLOCK_MONOTONIC nanosecond at
 *                                      which it was sent; arrivals EVENT 0 is then how long each took
 *   send WHO TIMES TEXT                {"reply":"sent","packets":..}; WHO is a client's index or "all", TEXT an
 *                                      Engine.IO packet as it stands, such as 42["go",5]
 *   roundtrip WHO TIMES TEXT           as send, one outstanding: the next goes out when an ack has come in
 *   stats                              {"reply":"stats",..}
 *   quit                               (or the end of stdin)
 *
 * Acks count as the event "(ack)". What cannot be understood is answered with {"reply":"error","message":..}.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CLIENTS = 200000,
    MAX_EVENTS = 64,
    MAX_NAME = 64,
    MAX_LINE = 16384,
    MAX_FRAME = 64 << 20,
    READ_CHUNK = 256 << 10,
    CLIENTS_PER_ADDRESS = 20000, /* a source address has some 28,000 ephemeral ports; 127.0.0.0/8 has addresses */
};

/* How far a client has come. Each state waits for exactly one thing. */
enum state {
    CLOSED,
    UPGRADING, /* for the 101 of the WebSocket handshake */
    OPENING,   /* for Engine.IO's open packet, 0{...} */
    JOINING,   /* for Socket.IO's CONNECT, 40{...} */
    READY,     /* for events */
};

struct client {
    int fd;
    enum state state;
    bool in_fragments; /* the name was counted with the first fragment; the others are only skipped */
    uint32_t roundtrips_left;
    unsigned char *held; /* an incomplete frame */
    size_t held_length;
    unsigned char *unsent;
    size_t unsent_length;
};

struct event {
    char name[MAX_NAME];
    uint64_t count;
    uint64_t want, have; /* of the running or last expectation */
    int64_t *arrivals_ns;
    bool timed; /* arrivals are counted from the time that the event itself says */
    int64_t deadline_ns; /* 0: none is running */
};

static struct client *clients;
static size_t client_count;
static struct event events[MAX_EVENTS];
static size_t event_count;
static int poller;
static uint16_t port;
static const char *path = "/socket.io/";
static char auth[MAX_LINE];
static const char *extensions = "";
static char roundtrip_text[MAX_LINE];
static unsigned char *incoming;
static size_t incoming_size;

static uint64_t bytes_in, packets_in, pings, closed_by_peer;

static struct {
    bool running;
    size_t wanted, started, ready, failed, inflight, first;
    int64_t began_ns, deadline_ns;
    char error[256];
} connecting;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "socketio_load: out of memory\n");
        exit(3);
    }
    return memory;
}

static void complain(const char *message, const char *about)
{
    printf("{\"reply\":\"error\",\"message\":\"%s\",\"about\":\"", message);
    for (const char *c = about; *c && c < about + 80; c++)
        putchar(*c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? '?' : *c);
    printf("\"}\n");
}

/* ---- Events and expectations ------------------------------------------------------------------------------- */

static struct event *event_named(const char *name, size_t length)
{
    if (length >= MAX_NAME)
        length = MAX_NAME - 1;
    for (size_t i = 0; i < event_count; i++)
        if (strncmp(events[i].name, name, length) == 0 && events[i].name[length] == 0)
            return &events[i];
    /* The last slot gathers what no longer fits: a server that invents names cannot grow this table. */
    if (event_count == MAX_EVENTS - 1) {
        name = "(other)";
        length = strlen(name);
    }
    if (event_count == MAX_EVENTS)
        return &events[MAX_EVENTS - 1];
    struct event *fresh = &events[event_count++];
    memcpy(fresh->name, name, length);
    return fresh;
}

static void settle(struct event *event, const char *reply)
{
    event->deadline_ns = 0;
    int64_t first = event->have ? event->arrivals_ns[0] : 0;
    int64_t last = event->have ? event->arrivals_ns[event->have - 1] : 0;
    printf("{\"reply\":\"%s\",\"event\":\"%s\",\"have\":%llu,\"first_ns\":%lld,\"last_ns\":%lld}\n", reply, event->name,
           (unsigned long long)event->have, (long long)first, (long long)last);
}

static void heard(const char *name, size_t length, int64_t at_ns, const char *arguments)
{
    struct event *event = event_named(name, length);
    event->count++;
    if (!event->deadline_ns)
        return;
    event->arrivals_ns[event->have++] = event->timed ? at_ns - strtoll(arguments, NULL, 10) : at_ns;
    if (event->have == event->want)
        settle(event, "reached");
}

/* ---- Bytes out --------------------------------------------------------------------------------------------- */

static void watch(struct client *client, int operation)
{
    uint32_t interest = EPOLLIN | (client->unsent_length ? EPOLLOUT : 0);
    struct epoll_event e = {.events = interest, .data.u32 = (uint32_t)(client - clients)};
    epoll_ctl(poller, operation, client->fd, &e);
}

static void close_client(struct client *client, const char *why)
{
    if (client->state == CLOSED)
        return;
    if (client->state != READY && connecting.running) {
        connecting.failed++;
        connecting.inflight--;
        if (!connecting.error[0])
            for (size_t i = 0; why[i] && i < sizeof connecting.error - 1; i++)
                connecting.error[i] = why[i] == '"' || why[i] == '\\' || (unsigned char)why[i] < ' ' ? ' ' : why[i];
    } else {
        closed_by_peer++;
    }
    close(client->fd);
    free(client->held);
    free(client->unsent);
    memset(client, 0, sizeof *client);
    client->fd = -1;
}

static void flush_client(struct client *client)
{
    size_t done = 0;
    while (done < client->unsent_length) {
        ssize_t sent = send(client->fd, client->unsent + done, client->unsent_length - done, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN && errno != ENOTCONN) {
                close_client(client, strerror(errno));
                return;
            }
            break;
        }
        done += (size_t)sent;
    }
    client->unsent_length -= done;
    memmove(client->unsent, client->unsent + done, client->unsent_length);
    if (!client->unsent_length) {
        free(client->unsent);
        client->unsent = NULL;
    }
    watch(client, EPOLL_CTL_MOD);
}

static void write_bytes(struct client *client, const void *bytes, size_t length)
{
    if (!client->unsent_length) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent == (ssize_t)length)
            return;
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            close_client(client, strerror(errno));
            return;
        }
        if (sent > 0) {
            bytes = (const char *)bytes + sent;
            length -= (size_t)sent;
        }
    }
    client->unsent = must(realloc(client->unsent, client->unsent_length + length));
    memcpy(client->unsent + client->unsent_length, bytes, length);
    client->unsent_length += length;
    watch(client, EPOLL_CTL_MOD);
}

/* RFC 6455 5.3: "All frames sent from client to server have this bit set to 1." The key is always the same, which
 * is bad for the open internet and no easier for a server. */
static const unsigned char masking_key[4] = {0x37, 0xfa, 0x21, 0x3d};

static void write_frame(struct client *client, unsigned opcode, const void *payload, size_t length)
{
    unsigned char frame[MAX_LINE + 16];
    size_t head = 2;
    frame[0] = 0x80 | (unsigned char)opcode;
    if (length < 126) {
        frame[1] = 0x80 | (unsigned char)length;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(length >> 8);
        frame[3] = (unsigned char)length;
        head = 4;
    }
    memcpy(frame + head, masking_key, 4);
    for (size_t i = 0; i < length; i++)
        frame[head + 4 + i] = ((const unsigned char *)payload)[i] ^ masking_key[i & 3];
    write_bytes(client, frame, head + 4 + length);
}

static void write_packet(struct client *client, const char *packet)
{
    write_frame(client, 1, packet, strlen(packet));
}

/* ---- Packets in -------------------------------------------------------------------------------------------- */

static void connected(struct client *client)
{
    client->state = READY;
    if (connecting.running) {
        connecting.ready++;
        connecting.inflight--;
    }
}

/* Socket.IO: <type>[<attachments>-][<namespace>,][<ack id>][payload]; the name is the payload's first string. */
static void take_socketio(struct client *client, const char *packet, size_t length, int64_t at_ns)
{
    if (!length)
        return;
    switch (packet[0]) {
    case '0':
        if (client->state == JOINING)
            connected(client);
        return;
    case '1':
        close_client(client, "the server sent DISCONNECT");
        return;
    case '2':
    case '5': {
        const char *bracket = memchr(packet, '[', length < 200 ? length : 200);
        if (!bracket || bracket[1] != '"')
            return;
        const char *name = bracket + 2;
        const char *end = memchr(name, '"', (size_t)(packet + length - name));
        if (end)
            heard(name, (size_t)(end - name), at_ns, end + 2 < packet + length ? end + 2 : "0");
        return;
    }
    case '3':
    case '6':
        heard("(ack)", 5, at_ns, "0");
        if (client->roundtrips_left && --client->roundtrips_left)
            write_packet(client, roundtrip_text);
        return;
    case '4': {
        char why[200];
        snprintf(why, sizeof why, "refused: %.*s", (int)(length > 150 ? 150 : length), packet + 1);
        close_client(client, why);
        return;
    }
    }
}

static void take_engineio(struct client *client, const char *packet, size_t length, int64_t at_ns)
{
    packets_in++;
    if (!length)
        return;
    switch (packet[0]) {
    case '0':
        if (client->state == OPENING) {
            char connect[MAX_LINE + 8];
            client->state = JOINING;
            snprintf(connect, sizeof connect, "40%s", auth);
            write_packet(client, connect);
        }
        return;
    case '1':
        close_client(client, "the server closed the session");
        return;
    case '2':
        pings++;
        write_packet(client, "3");
        return;
    case '4':
        take_socketio(client, packet + 1, length - 1, at_ns);
        return;
    }
}

static void take_frame(struct client *client, unsigned char first, const unsigned char *payload, size_t length,
                       int64_t at_ns)
{
    bool final = first & 0x80;
    if (first & 0x40) {
        /* RSV1: compressed (RFC 7692 6). This client does not inflate: what comes first can only be the open packet,
         * what comes then the answer to CONNECT, and four bytes or less can only be a ping. */
        client->in_fragments = !final;
        if (client->state == OPENING)
            take_engineio(client, "0", 1, at_ns);
        else if (client->state == JOINING)
            take_engineio(client, "40", 2, at_ns);
        else if (length <= 4)
            take_engineio(client, "2", 1, at_ns);
        else
            heard("(deflated)", 10, at_ns, "0");
        return;
    }
    switch (first & 0x0f) {
    case 0x0:
        client->in_fragments = !final;
        return;
    case 0x1:
        client->in_fragments = !final;
        take_engineio(client, (const char *)payload, length, at_ns);
        return;
    case 0x8:
        close_client(client, "the server closed the WebSocket");
        return;
    case 0x9:
        write_frame(client, 0xA, payload, length < 126 ? length : 125);
        return;
    }
}

/* The bytes that the parse used up; 0 means: more is needed. A closed client uses up all of them. */
static size_t take_frames(struct client *client, const unsigned char *bytes, size_t length, int64_t at_ns)
{
    size_t used = 0;
    while (length - used >= 2) {
        const unsigned char *frame = bytes + used;
        uint64_t payload = frame[1] & 0x7f;
        size_t head = payload == 127 ? 10 : payload == 126 ? 4 : 2;
        if (length - used < head)
            break;
        if (head > 2) {
            payload = 0;
            for (size_t i = 2; i < head; i++)
                payload = payload << 8 | frame[i];
        }
        if (payload > MAX_FRAME) {
            close_client(client, "a frame above 64 MiB");
            return length;
        }
        if (length - used < head + payload)
            break;
        take_frame(client, frame[0], frame + head, (size_t)payload, at_ns);
        if (client->state == CLOSED)
            return length;
        used += head + (size_t)payload;
    }
    return used;
}

static size_t take_upgrade(struct client *client, const unsigned char *bytes, size_t length)
{
    const unsigned char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) {
        if (length > MAX_LINE)
            close_client(client, "an endless response head");
        return 0;
    }
    size_t head = (size_t)(end + 4 - bytes);
    /* The key is constant, so its answer is (RFC 6455 1.3 works out this very pair). */
    if (length < 12 || memcmp(bytes, "HTTP/1.1 101", 12) ||
        !memmem(bytes, head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28)) {
        char why[120];
        const unsigned char *line = memchr(bytes, '\r', head);
        snprintf(why, sizeof why, "not upgraded: %.*s", (int)(line - bytes > 90 ? 90 : line - bytes), bytes);
        close_client(client, why);
        return 0;
    }
    client->state = OPENING;
    return head;
}

static void read_client(struct client *client)
{
    size_t held = client->held_length;
    if (incoming_size < held + READ_CHUNK) {
        incoming_size = held + READ_CHUNK;
        incoming = must(realloc(incoming, incoming_size));
    }
    memcpy(incoming, client->held, held);
    ssize_t got = recv(client->fd, incoming + held, READ_CHUNK, 0);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        close_client(client, got ? strerror(errno) : "the server hung up");
        return;
    }
    int64_t at_ns = now_ns();
    bytes_in += (uint64_t)got;
    size_t length = held + (size_t)got, used = 0;
    if (client->state == UPGRADING)
        used = take_upgrade(client, incoming, length);
    if (client->state >= OPENING)
        used += take_frames(client, incoming + used, length - used, at_ns);
    if (client->state == CLOSED)
        return;
    client->held_length = length - used;
    if (client->held_length) {
        client->held = must(realloc(client->held, client->held_length));
        memcpy(client->held, incoming + used, client->held_length);
    } else {
        free(client->held);
        client->held = NULL;
    }
}

/* ---- Connecting -------------------------------------------------------------------------------------------- */

static void open_client(size_t index)
{
    struct client *client = &clients[index];
    memset(client, 0, sizeof *client);
    client->state = UPGRADING;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connecting.inflight++;
    if (client->fd < 0) {
        close_client(client, strerror(errno));
        return;
    }
    int on = 1;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in here = {.sin_family = AF_INET};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index / CLIENTS_PER_ADDRESS));
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)};
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(client->fd, (struct sockaddr *)&here, sizeof here) ||
        (connect(client->fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS)) {
        close_client(client, strerror(errno));
        return;
    }
    char request[2048]; /* with the fields that a browser sends: a server may have to keep them */
    int length = snprintf(request, sizeof request,
                          "GET %s?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                          "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
                          "Accept: */*\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\n"
                          "Accept-Encoding: gzip, deflate, br, zstd\r\nSec-WebSocket-Version: 13\r\n"
                          "Origin: http://127.0.0.1:%u\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Connection: keep-alive, Upgrade\r\nSec-Fetch-Dest: empty\r\n"
                          "Sec-Fetch-Mode: websocket\r\nSec-Fetch-Site: same-origin\r\nPragma: no-cache\r\n"
                          "Cache-Control: no-cache\r\nUpgrade: websocket\r\n%s\r\n",
                          path, port, port, extensions);
    client->unsent = must(malloc((size_t)length));
    memcpy(client->unsent, request, (size_t)length);
    client->unsent_length = (size_t)length;
    watch(client, EPOLL_CTL_ADD);
}

static void go_on_connecting(size_t window)
{
    bool late = now_ns() > connecting.deadline_ns;
    while (!late && connecting.started < connecting.wanted && connecting.inflight < window)
        open_client(connecting.first + connecting.started++);
    if (!late && (connecting.started < connecting.wanted || connecting.inflight))
        return;
    if (late && !connecting.error[0])
        snprintf(connecting.error, sizeof connecting.error, "not connected in time");
    connecting.running = false;
    printf("{\"reply\":\"connected\",\"ready\":%zu,\"failed\":%zu,\"elapsed_us\":%lld,\"error\":\"%s\"}\n",
           connecting.ready, connecting.wanted - connecting.ready,
           (long long)((now_ns() - connecting.began_ns) / 1000), connecting.error);
}

/* ---- Commands ---------------------------------------------------------------------------------------------- */

static size_t window = 64;

static void command_connect(const char *arguments)
{
    unsigned long wanted = 0, inflight = 64, timeout_ms = 60000;
    if (sscanf(arguments, "%lu %lu %lu", &wanted, &inflight, &timeout_ms) < 1 || !wanted || !inflight ||
        client_count + wanted > MAX_CLIENTS || connecting.running) {
        complain("connect N [INFLIGHT [TIMEOUT_MS]], up to 200000 clients, one connect at a time", arguments);
        return;
    }
    memset(&connecting, 0, sizeof connecting);
    connecting.running = true;
    connecting.wanted = wanted;
    connecting.first = client_count;
    connecting.began_ns = now_ns();
    connecting.deadline_ns = connecting.began_ns + (int64_t)timeout_ms * 1000000;
    window = inflight;
    client_count += wanted;
}

static void command_expect(const char *arguments)
{
    char name[MAX_NAME];
    unsigned long long count;
    unsigned long timeout_ms;
    if (sscanf(arguments, "%63s %llu %lu", name, &count, &timeout_ms) != 3 || !count || count > 100000000) {
        complain("expect EVENT COUNT TIMEOUT_MS", arguments);
        return;
    }
    struct event *event = event_named(name, strlen(name));
    event->arrivals_ns = must(realloc(event->arrivals_ns, count * sizeof *event->arrivals_ns));
    event->want = count;
    event->have = 0;
    event->deadline_ns = now_ns() + (int64_t)timeout_ms * 1000000;
    printf("{\"reply\":\"expecting\",\"event\":\"%s\"}\n", event->name);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Log-linear: exact below 128 us, then 64 steps to the octave; the value is the bucket's lower end. */
static int64_t bucket(int64_t us)
{
    int shift = 0;
    while ((us >> shift) >= 128)
        shift++;
    return (us >> shift) << shift;
}

static void command_arrivals(const char *arguments)
{
    char name[MAX_NAME];
    long long marker_ns;
    if (sscanf(arguments, "%63s %lld", name, &marker_ns) != 2) {
        complain("arrivals EVENT MARKER_NS", arguments);
        return;
    }
    struct event *event = event_named(name, strlen(name));
    qsort(event->arrivals_ns, event->have, sizeof *event->arrivals_ns, by_time);
    printf("{\"reply\":\"arrivals\",\"event\":\"%s\",\"count\":%llu,\"histogram\":[", event->name,
           (unsigned long long)event->have);
    for (uint64_t i = 0, same; i < event->have; i += same) {
        /* An event may overtake the marker that the driver took; that is no time at all, not a negative one. */
        int64_t us = (event->arrivals_ns[i] - marker_ns) / 1000;
        int64_t low = bucket(us < 0 ? 0 : us);
        for (same = 1; i + same < event->have; same++) {
            int64_t next = (event->arrivals_ns[i + same] - marker_ns) / 1000;
            if (bucket(next < 0 ? 0 : next) != low)
                break;
        }
        printf("%s[%lld,%llu]", i ? "," : "", (long long)low, (unsigned long long)same);
    }
    printf("]}\n");
}

static void command_timed(const char *arguments)
{
    struct event *event = event_named(arguments, strlen(arguments));
    event->timed = true;
    printf("{\"reply\":\"timed\",\"event\":\"%s\"}\n", event->name);
}

static void command_send(const char *arguments, bool one_outstanding)
{
    char who[16];
    unsigned long times;
    int text_at = 0;
    if (sscanf(arguments, "%15s %lu %n", who, &times, &text_at) < 2 || !text_at || !times || times > 10000000) {
        complain("send|roundtrip WHO TIMES TEXT", arguments);
        return;
    }
    const char *text = arguments + text_at;
    bool all = strcmp(who, "all") == 0;
    size_t first = all ? 0 : strtoul(who, NULL, 10), last = all ? client_count : first + 1;
    uint64_t packets = 0;
    if (one_outstanding)
        snprintf(roundtrip_text, sizeof roundtrip_text, "%s", text);
    for (size_t i = first; i < last && i < client_count; i++) {
        struct client *client = &clients[i];
        for (unsigned long n = 0; n < (one_outstanding ? 1 : times) && client->state == READY; n++, packets++)
            write_packet(client, text);
        client->roundtrips_left = one_outstanding ? (uint32_t)times : 0;
    }
    printf("{\"reply\":\"sent\",\"packets\":%llu}\n", (unsigned long long)packets);
}

static void command_stats(void)
{
    size_t ready = 0;
    for (size_t i = 0; i < client_count; i++)
        ready += clients[i].state == READY;
    printf("{\"reply\":\"stats\",\"clients\":%zu,\"ready\":%zu,\"closedByPeer\":%llu,\"bytesIn\":%llu,"
           "\"packetsIn\":%llu,\"pings\":%llu,\"events\":{",
           client_count, ready, (unsigned long long)closed_by_peer, (unsigned long long)bytes_in,
           (unsigned long long)packets_in, (unsigned long long)pings);
    for (size_t i = 0; i < event_count; i++)
        printf("%s\"%s\":%llu", i ? "," : "", events[i].name, (unsigned long long)events[i].count);
    printf("}}\n");
}

static void obey(char *line)
{
    size_t verb = strcspn(line, " ");
    char *arguments = line + verb + (line[verb] == ' ');
    line[verb] = 0;
    if (!strcmp(line, "auth"))
        snprintf(auth, sizeof auth, "%s", arguments);
    else if (!strcmp(line, "deflate")) {
        extensions = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        printf("{\"reply\":\"deflating\"}\n");
    } else if (!strcmp(line, "connect"))
        command_connect(arguments);
    else if (!strcmp(line, "expect"))
        command_expect(arguments);
    else if (!strcmp(line, "arrivals"))
        command_arrivals(arguments);
    else if (!strcmp(line, "timed"))
        command_timed(arguments);
    else if (!strcmp(line, "send"))
        command_send(arguments, false);
    else if (!strcmp(line, "roundtrip"))
        command_send(arguments, true);
    else if (!strcmp(line, "stats"))
        command_stats();
    else if (!strcmp(line, "quit"))
        exit(0);
    else
        complain("no such command", line);
}

static void read_commands(void)
{
    static char lines[MAX_LINE];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, lines + length, sizeof lines - 1 - length);
    if (got <= 0)
        exit(0);
    length += (size_t)got;
    lines[length] = 0;
    char *line = lines, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        obey(line);
        line = end + 1;
    }
    length -= (size_t)(line - lines);
    memmove(lines, line, length);
    if (length == sizeof lines - 1) {
        complain("a line above 16 kB", lines);
        length = 0;
    }
}

static int milliseconds_to_next_deadline(void)
{
    int64_t next = connecting.running ? connecting.deadline_ns : 0;
    for (size_t i = 0; i < event_count; i++)
        if (events[i].deadline_ns && (!next || events[i].deadline_ns < next))
            next = events[i].deadline_ns;
    if (!next)
        return -1;
    int64_t wait_ms = (next - now_ns()) / 1000000 + 1;
    return wait_ms < 0 ? 0 : (int)wait_ms;
}

static void pass_deadlines(void)
{
    int64_t now = now_ns();
    for (size_t i = 0; i < event_count; i++)
        if (events[i].deadline_ns && events[i].deadline_ns < now)
            settle(&events[i], "missed");
}

int main(int argument_count, char **arguments)
{
    if (argument_count < 2 || argument_count > 3 || !(port = (uint16_t)atoi(arguments[1]))) {
        fprintf(stderr, "usage: socketio_load PORT [PATH]\n");
        return 2;
    }
    if (argument_count == 3)
        path = arguments[2];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stdout, NULL, _IOLBF, 0);
    clients = must(calloc(MAX_CLIENTS, sizeof *clients)); /* untouched pages cost nothing */
    poller = epoll_create1(0);
    struct epoll_event commands = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands);

    struct epoll_event ready[512];
    for (;;) {
        int count = epoll_wait(poller, ready, 512, milliseconds_to_next_deadline());
        for (int i = 0; i < count; i++) {
            if (ready[i].data.u32 == UINT32_MAX) {
                read_commands();
                continue;
            }
            struct client *client = &clients[ready[i].data.u32];
            if (client->state != CLOSED && ready[i].events & EPOLLOUT)
                flush_client(client);
            if (client->state != CLOSED && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_client(client);
        }
        if (connecting.running)
            go_on_connecting(window);
        pass_deadlines();
    }
}
