// The socket behind NativePacketSocket: bound, polled, read frame by frame. SPDX-License-Identifier: Apache-2.0
#include "packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>
#include <vector>

#include "arguments.h"
#include "errors.h"
#include "poll_handle.h"

namespace bng {

namespace {

// Frames taken in one turn of the loop, so that a flood leaves the loop time for others.
constexpr int kReceiveBufferBytes = 4 << 20;
constexpr int kFramesPerTurn = 64;
// The largest frame that segmentation offload makes, with link header and tags.
constexpr size_t kMaxFrameBytes = 65536 + 256;
constexpr size_t kTagBytes = 4;
constexpr size_t kAddressesBytes = 2 * ETH_ALEN;

bool setOption(int descriptor, int option) {
  const int on = 1;
  return setsockopt(descriptor, SOL_PACKET, option, &on, sizeof on) == 0;
}

const tpacket_auxdata *findAuxdata(msghdr *message) {
  for (cmsghdr *part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level == SOL_PACKET && part->cmsg_type == PACKET_AUXDATA) {
      return reinterpret_cast<const tpacket_auxdata *>(CMSG_DATA(part));
    }
  }
  return nullptr;
}

}  // namespace

class PacketEndpoint final : public std::enable_shared_from_this<PacketEndpoint> {
 public:
  explicit PacketEndpoint(Napi::Env env) : env_(env) {}
  ~PacketEndpoint() { close(); }

  bool isClosed() const { return descriptor_ < 0; }

  // 0 or a negative errno. An undefined `onFrame` makes a socket that only sends.
  int start(int ifindex, Napi::Value onFrame) {
    // Protocol 0 until bound: nothing is queued from other interfaces, nor at all when nobody reads.
    descriptor_ = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) return -errno;
    const bool receives = onFrame.IsFunction();
    if (receives && (!setOption(descriptor_, PACKET_AUXDATA) || !setOption(descriptor_, PACKET_IGNORE_OUTGOING))) {
      return -errno;
    }
    // As much as the machine allows for a reader that does not get its turn; with less it merely loses frames sooner.
    if (receives) setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = receives ? htons(ETH_P_ALL) : 0;
    address.sll_ifindex = ifindex;
    if (bind(descriptor_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) return -errno;
    if (!receives) return 0;
    onFrame_ = Napi::Persistent(onFrame.As<Napi::Function>());
    frame_.resize(kMaxFrameBytes + kTagBytes);
    int error = 0;
    poll_ = PollHandle::start(env_, descriptor_,
                              {[self = shared_from_this()](int status) { self->onReadable(status); },
                               [self = shared_from_this()] { self->close(); }},
                              &error);
    return error;
  }

  // 0 or a negative errno.
  int send(const Bytes &frame) {
    const ssize_t sent = ::send(descriptor_, frame.data, frame.length, MSG_DONTWAIT);
    return sent < 0 ? -errno : 0;
  }

  void close() {
    if (poll_ != nullptr) std::exchange(poll_, nullptr)->close();
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    onFrame_.Reset();
  }

 private:
  void onReadable(int status) {
    if (status != 0) {
      // The interface went down: the kernel leaves the error on the socket until it is asked for.
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    for (int count = 0; count < kFramesPerTurn && descriptor_ >= 0; count += 1) {
      size_t length = 0;
      const Received received = receive(&length);
      if (received == Received::kNothing) return;
      if (received == Received::kSkipped) continue;
      const Napi::HandleScope scope(env_);
      callFromLoop(env_, onFrame_, {giveBytes(env_, start_, length)});
    }
  }

  enum class Received { kFrame, kSkipped, kNothing };

  // Leaves the frame at start_, its outer tag back in its place.
  Received receive(size_t *length) {
    // Room for the tag in front: addresses move forward, the rest stays.
    uint8_t *body = frame_.data() + kTagBytes;
    iovec part{body, kMaxFrameBytes};
    alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(tpacket_auxdata))];
    sockaddr_ll from{};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(descriptor_, &message, MSG_DONTWAIT);
    if (got < 0) return errno == EINTR || errno == ENETDOWN ? Received::kSkipped : Received::kNothing;
    // A frame longer than any that a device makes cannot be given whole, and half a frame is none.
    if ((message.msg_flags & MSG_TRUNC) != 0 || from.sll_pkttype == PACKET_OUTGOING) return Received::kSkipped;

    start_ = body;
    *length = static_cast<size_t>(got);
    const tpacket_auxdata *auxdata = findAuxdata(&message);
    if (auxdata == nullptr || (auxdata->tp_status & TP_STATUS_VLAN_VALID) == 0 || *length < kAddressesBytes) {
      return Received::kFrame;
    }
    const bool hasTpid = (auxdata->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    const uint16_t tag[2] = {htons(hasTpid ? auxdata->tp_vlan_tpid : ETH_P_8021Q), htons(auxdata->tp_vlan_tci)};
    start_ = frame_.data();
    std::memmove(start_, body, kAddressesBytes);
    std::memcpy(start_ + kAddressesBytes, tag, kTagBytes);
    *length += kTagBytes;
    return Received::kFrame;
  }

  Napi::Env env_;
  Napi::FunctionReference onFrame_;
  int descriptor_ = -1;
  PollHandle *poll_ = nullptr;
  std::vector<uint8_t> frame_;
  uint8_t *start_ = nullptr;
};

void PacketSocket::define(Napi::Env env) {
  registerClass<PacketSocket>(env, DefineClass(env, "NativePacketSocket",
                                               {
                                                   InstanceMethod<&PacketSocket::send>("send"),
                                                   InstanceMethod<&PacketSocket::close>("close"),
                                               }));
}

Napi::Value PacketSocket::open(const Napi::CallbackInfo &info) {
  const char *operation = "packetSocket.open";
  const Napi::Env env = info.Env();
  const Napi::Object options = takeObject(info[0], operation, "options");
  const Napi::Value ifindexValue = options.Get("ifindex");
  const Napi::Value onFrame = options.Get("onFrame");
  const uint32_t ifindex = takeUnsigned(ifindexValue, operation, "ifindex", 1, INT_MAX);
  if (!onFrame.IsUndefined()) takeFunction(onFrame, operation, "onFrame");
  auto endpoint = std::make_shared<PacketEndpoint>(env);
  const int error = endpoint->start(static_cast<int>(ifindex), onFrame);
  if (error != 0) refuse(env, operation, error, {{"ifindex", std::to_string(ifindex)}});
  return construct<PacketSocket>(env, {std::move(endpoint)});
}

PacketSocket::PacketSocket(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<PacketSocket>(info), endpoint_(std::move(takeSeed<PacketSocket>(info).endpoint)) {}

PacketSocket::~PacketSocket() = default;

Napi::Value PacketSocket::send(const Napi::CallbackInfo &info) {
  const char *operation = "packetSocket.send";
  const Napi::Env env = info.Env();
  const Bytes frame = takeBytes(info[0], operation, "frame");
  if (endpoint_->isClosed()) reject(env, operation, EBADF, "expected an open socket, found a closed one");
  const int error = endpoint_->send(frame);
  if (error == -ENOBUFS || error == -EAGAIN) return Napi::Boolean::New(env, false);
  if (error != 0) refuse(env, operation, error, {{"length", std::to_string(frame.length)}});
  return Napi::Boolean::New(env, true);
}

void PacketSocket::close(const Napi::CallbackInfo &) { endpoint_->close(); }

}  // namespace bng
