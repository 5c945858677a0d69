// NativePacketSocket: whole Ethernet frames through AF_PACKET. Knows no protocol beyond the place of a VLAN tag.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "wrapped.h"

namespace bng {

class PacketEndpoint;

class PacketSocket : public Napi::ObjectWrap<PacketSocket> {
 public:
  static constexpr Kind kKind = Kind::kPacketSocket;
  struct Seed {
    std::shared_ptr<PacketEndpoint> endpoint;
  };

  static void define(Napi::Env env);
  // The addon's openPacketSocket(options).
  static Napi::Value open(const Napi::CallbackInfo &info);

  explicit PacketSocket(const Napi::CallbackInfo &info);
  ~PacketSocket() override;

 private:
  Napi::Value send(const Napi::CallbackInfo &info);
  void close(const Napi::CallbackInfo &info);

  std::shared_ptr<PacketEndpoint> endpoint_;
};

}  // namespace bng
