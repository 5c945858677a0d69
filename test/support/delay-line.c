// SPDX-License-Identifier: Apache-2.0
/*
 * delay-line A B MICROSECONDS: carries frames between two interfaces of its
 * namespace, each held for so long, in order. Stands for netem, which not every
 * kernel has. Prints "ready", then ends with its parent. Frames longer than a
 * slot (GSO, GRO) are refused aloud, since a delayed burst would be none of the
 * wire's.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
  SLOTS = 8192, /* a power of two; 20 ms of 1514-byte frames at 4 Gbit/s */
  FRAME_BYTES = 2048,
  SOCKET_BYTES = 16 << 20,
};

struct held {
  uint64_t due_ns;
  ssize_t length;
  uint8_t frame[FRAME_BYTES];
};

struct direction {
  int from;
  int to;
  uint32_t head;
  uint32_t tail;
  struct held *slots;
};

static uint64_t now_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void set(int socket, int level, int option, int value) {
  if (setsockopt(socket, level, option, &value, sizeof(value)))
    fail("setsockopt");
}

static int open_interface(const char *name) {
  struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_ALL),
                                .sll_ifindex = if_nametoindex(name)};
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

  if (fd < 0 || !address.sll_ifindex)
    fail(name);
  set(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BYTES);
  set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BYTES);
  set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
    fail(name);
  return fd;
}

static void take_in(struct direction *way, uint64_t due_ns) {
  while (way->head - way->tail < SLOTS) {
    struct held *slot = &way->slots[way->head % SLOTS];

    slot->length =
        recv(way->from, slot->frame, FRAME_BYTES, MSG_DONTWAIT | MSG_TRUNC);
    if (slot->length <= 0)
      return;
    if (slot->length > FRAME_BYTES) {
      fprintf(stderr, "a frame of %zd bytes: switch off gro, gso and tso\n",
              slot->length);
      continue;
    }
    slot->due_ns = due_ns;
    way->head++;
  }
}

/* When the next frame is due; UINT64_MAX for none. */
static uint64_t let_out(struct direction *way, uint64_t now) {
  while (way->tail != way->head) {
    struct held *slot = &way->slots[way->tail % SLOTS];

    if (slot->due_ns > now)
      return slot->due_ns;
    if (send(way->to, slot->frame, slot->length, MSG_DONTWAIT) < 0)
      perror("send");
    way->tail++;
  }
  return UINT64_MAX;
}

int main(int count, char **words) {
  struct direction ways[2] = {};
  uint64_t delay_ns;
  int a, b;

  if (count != 4)
    return 2;
  prctl(PR_SET_TIMERSLACK, 1000);
  a = open_interface(words[1]);
  b = open_interface(words[2]);
  delay_ns = strtoull(words[3], NULL, 10) * 1000;
  ways[0] = (struct direction){
      .from = a, .to = b, .slots = calloc(SLOTS, sizeof(struct held))};
  ways[1] = (struct direction){
      .from = b, .to = a, .slots = calloc(SLOTS, sizeof(struct held))};
  if (!ways[0].slots || !ways[1].slots)
    fail("calloc");
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd polled[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    uint64_t now = now_ns(), next = UINT64_MAX;
    struct timespec wait;

    for (int i = 0; i < 2; i++) {
      uint64_t due;

      take_in(&ways[i], now + delay_ns);
      due = let_out(&ways[i], now);
      next = due < next ? due : next;
    }
    now = now_ns();
    next = next > now ? next - now : 0;
    wait.tv_sec = next / 1000000000;
    wait.tv_nsec = next % 1000000000;
    if (ppoll(polled, 2, next == UINT64_MAX - now ? NULL : &wait, NULL) < 0)
      fail("ppoll");
  }
}
