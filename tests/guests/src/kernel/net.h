/* virtio network device (virtio 1.2, 5.1) and as much IPv4 over Ethernet as a ping needs: ARP (RFC 826) and ICMP echo
 * (RFC 792), asked and answered. No fragments, no options. */
#pragma once
#include "virtio.h"

struct net {
    struct device *device;
    struct queue receive, transmit;
    u8 mac[6];
    u8 ip[4];
    u32 frames_received;
    u32 echoes_answered;
};

/* The n-th network device, with this address; or 0. */
struct net *net_open(u32 n, const u8 ip[4]);
/* Who has `ip`? False after `tries` requests, 20 ms apart. */
bool net_resolve(struct net *net, const u8 ip[4], u8 mac[6], u32 tries);
/* One echo request with `bytes` of data that the answer must repeat. False after 200 ms. */
bool net_ping(struct net *net, const u8 ip[4], const u8 mac[6], u16 sequence, u32 bytes);
/* Takes what has arrived, answers what is for us; false if nothing had arrived. */
bool net_serve(struct net *net);
