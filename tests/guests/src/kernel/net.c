#include "net.h"
#include "clock.h"
#include "text.h"

enum { feature_mac = 5 };
enum { receive_buffers = 16, buffer_bytes = 2048, header_bytes = 12, ethernet_bytes = 14, least_frame = 60 };
enum { type_arp = 0x0806, type_ipv4 = 0x0800, protocol_icmp = 1, echo_reply = 0, echo_request = 8, identifier = 0x4865 };

static struct net nets[1];
static u8 received[receive_buffers][buffer_bytes] __attribute__((aligned(64)));
static u8 outgoing[buffer_bytes] __attribute__((aligned(64)));
static u8 buffer_of[queue_slots];

/* What the waiting functions look for: the last ARP answer and the last echo reply. */
static u8 answer_ip[4], answer_mac[6];
static u32 answered_sequence;

static u32 get16(const u8 *p) {
    return (u32)p[0] << 8 | p[1];
}
static void put16(u8 *p, u32 value) {
    p[0] = (u8)(value >> 8);
    p[1] = (u8)value;
}

/* RFC 1071 */
static u32 checksum(const u8 *p, u32 bytes) {
    u32 sum = 0;
    for (u32 i = 0; i < bytes; i += 2) {
        sum += (u32)p[i] << 8 | (i + 1 < bytes ? p[i + 1] : 0);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}

static void offer(struct net *net, u32 buffer) {
    struct part part = {received[buffer], buffer_bytes, true};
    int id = queue_add(&net->receive, &part, 1);
    if (id >= 0) {
        buffer_of[id] = (u8)buffer;
    }
}

struct net *net_open(u32 n, const u8 ip[4]) {
    struct device *device = virtio_find(virtio_net, n);
    struct net *net = &nets[0];
    if (net->device || !device) {
        return net->device ? net : 0;
    }
    if (!virtio_start(device, 1ull << feature_mac) || !queue_open(&net->receive, device, 0) || !queue_open(&net->transmit, device, 1)) {
        return 0;
    }
    virtio_ready(device);
    net->device = device;
    memcpy(net->ip, ip, 4);
    for (u32 i = 0; i < 6; i++) {
        net->mac[i] = device->features >> feature_mac & 1 ? virtio_config8(device, i) : (u8)(i == 0 ? 2 : ip[i % 4]);
    }
    for (u32 i = 0; i < receive_buffers; i++) {
        offer(net, i);
    }
    queue_want_interrupt(&net->receive);
    queue_kick(&net->receive);
    return net;
}

/* Sends the `bytes` behind the Ethernet header in `outgoing`. */
static void send(struct net *net, const u8 to[6], u32 type, u32 bytes) {
    u8 *frame = outgoing + header_bytes;
    memset(outgoing, 0, header_bytes);
    memcpy(frame, to, 6);
    memcpy(frame + 6, net->mac, 6);
    put16(frame + 12, type);
    u32 total = ethernet_bytes + bytes;
    if (total < least_frame) {
        memset(frame + total, 0, least_frame - total);
        total = least_frame;
    }
    struct part part = {outgoing, header_bytes + total, false};
    queue_add(&net->transmit, &part, 1);
    queue_kick(&net->transmit);
    queue_wait(&net->transmit, 0);
}

static void send_arp(struct net *net, u32 operation, const u8 to_mac[6], const u8 to_ip[4]) {
    static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, nobody[6];
    u8 *arp = outgoing + header_bytes + ethernet_bytes;
    static const u8 fixed[6] = {0, 1, 8, 0, 6, 4};
    memcpy(arp, fixed, 6);
    put16(arp + 6, operation);
    memcpy(arp + 8, net->mac, 6);
    memcpy(arp + 14, net->ip, 4);
    memcpy(arp + 18, operation == 1 ? nobody : to_mac, 6);
    memcpy(arp + 24, to_ip, 4);
    send(net, operation == 1 ? broadcast : to_mac, type_arp, 28);
}

/* The ICMP message is already in place, 20 bytes behind the Ethernet header. */
static void send_icmp(struct net *net, const u8 mac[6], const u8 ip[4], u32 bytes) {
    u8 *packet = outgoing + header_bytes + ethernet_bytes, *icmp = packet + 20;
    put16(icmp + 2, 0);
    put16(icmp + 2, checksum(icmp, bytes));
    memset(packet, 0, 20);
    packet[0] = 0x45;
    put16(packet + 2, 20 + bytes);
    packet[8] = 64;
    packet[9] = protocol_icmp;
    memcpy(packet + 12, net->ip, 4);
    memcpy(packet + 16, ip, 4);
    put16(packet + 10, checksum(packet, 20));
    send(net, mac, type_ipv4, 20 + bytes);
}

static void take_arp(struct net *net, const u8 *arp, u32 bytes) {
    if (bytes < 28) {
        return;
    }
    u32 operation = get16(arp + 6);
    if (operation == 2) {
        memcpy(answer_mac, arp + 8, 6);
        memcpy(answer_ip, arp + 14, 4);
    } else if (operation == 1 && memcmp(arp + 24, net->ip, 4) == 0) {
        u8 mac[6], ip[4];
        memcpy(mac, arp + 8, 6);
        memcpy(ip, arp + 14, 4);
        send_arp(net, 2, mac, ip);
    }
}

static void take_icmp(struct net *net, const u8 *frame, const u8 *packet, u32 bytes) {
    u32 total = get16(packet + 2);
    if (total > bytes || total < 28 || packet[0] != 0x45 || packet[9] != protocol_icmp ||
        memcmp(packet + 16, net->ip, 4) != 0 || checksum(packet, 20) != 0 || checksum(packet + 20, total - 20) != 0) {
        return;
    }
    const u8 *icmp = packet + 20;
    if (icmp[0] == echo_request) {
        u8 *copy = outgoing + header_bytes + ethernet_bytes + 20;
        memcpy(copy, icmp, total - 20);
        copy[0] = echo_reply;
        net->echoes_answered++;
        send_icmp(net, frame + 6, packet + 12, total - 20);
    } else if (icmp[0] == echo_reply && get16(icmp + 4) == identifier) {
        for (u32 i = 8; i < total - 20; i++) {
            if (icmp[i] != (u8)(i * 7)) {
                return;
            }
        }
        answered_sequence = get16(icmp + 6);
    }
}

bool net_serve(struct net *net) {
    u32 bytes;
    int id = queue_take(&net->receive, &bytes);
    if (id < 0) {
        queue_want_interrupt(&net->receive);
        id = queue_take(&net->receive, &bytes);
    }
    if (id < 0) {
        return false;
    }
    u32 buffer = buffer_of[id];
    const u8 *frame = received[buffer] + header_bytes;
    net->frames_received++;
    if (bytes > header_bytes + ethernet_bytes && bytes <= buffer_bytes) {
        u32 type = get16(frame + 12), length = bytes - header_bytes - ethernet_bytes;
        if (type == type_arp) {
            take_arp(net, frame + ethernet_bytes, length);
        } else if (type == type_ipv4) {
            take_icmp(net, frame, frame + ethernet_bytes, length);
        }
    }
    offer(net, buffer);
    queue_kick(&net->receive);
    return true;
}

/* Serves until a frame has come, or the deadline; false at the deadline. With IRQs masked between look and sleep, no frame
   arrives unseen. */
static bool serve_until(struct net *net, u64 deadline) {
    u64 daif = READ(daif);
    irq_mask();
    bool served = net_serve(net), late = (long)(clock_now() - deadline) >= 0;
    if (!served && !late) {
        clock_sleep(deadline);
    }
    WRITE(daif, daif);
    return served || !late;
}

bool net_resolve(struct net *net, const u8 ip[4], u8 mac[6], u32 tries) {
    for (; tries; tries--) {
        memset(answer_ip, 0, 4);
        send_arp(net, 1, mac, ip);
        u64 deadline = clock_now() + clock_ticks(20000);
        do {
            if (memcmp(answer_ip, ip, 4) == 0) {
                memcpy(mac, answer_mac, 6);
                return true;
            }
        } while (serve_until(net, deadline));
    }
    return false;
}

bool net_ping(struct net *net, const u8 ip[4], const u8 mac[6], u16 sequence, u32 bytes) {
    u8 *icmp = outgoing + header_bytes + ethernet_bytes + 20;
    icmp[0] = echo_request;
    icmp[1] = 0;
    put16(icmp + 4, identifier);
    put16(icmp + 6, sequence);
    for (u32 i = 8; i < 8 + bytes; i++) {
        icmp[i] = (u8)(i * 7);
    }
    answered_sequence = ~0u;
    send_icmp(net, mac, ip, 8 + bytes);
    u64 deadline = clock_now() + clock_ticks(200000);
    do {
        if (answered_sequence == sequence) {
            return true;
        }
    } while (serve_until(net, deadline));
    return false;
}
