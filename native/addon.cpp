// The addon's table of contents: which classes there are, and the verbs of NativeBinding itself.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <napi.h>
#include <net/if.h>

#include <cerrno>
#include <string>

#include "arguments.h"
#include "datagram.h"
#include "errors.h"
#include "kernel_log.h"
#include "link.h"
#include "map.h"
#include "object.h"
#include "packet_socket.h"
#include "pinned.h"
#include "program.h"
#include "ring_buffer.h"
#include "wrapped.h"

namespace bng {

namespace {

Napi::Value interfaceIndex(const Napi::CallbackInfo &info) {
  const std::string name = takeString(info[0], "interfaceIndex", "name");
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) refuse(info.Env(), "interfaceIndex", errno, {{"interface", name}});
  return Napi::Number::New(info.Env(), index);
}

Napi::Value possibleCpus(const Napi::CallbackInfo &info) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) refuse(info.Env(), "possibleCpus", cpus);
  return Napi::Number::New(info.Env(), cpus);
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Addon());
  silenceLibbpf();
  Object::define(env);
  Map::define(env);
  Program::define(env);
  Link::define(env);
  RingBuffer::define(env);
  PacketSocket::define(env);
  exports.Set("openObject", Napi::Function::New<Object::open>(env, "openObject"));
  exports.Set("createArray", Napi::Function::New<Map::createArray>(env, "createArray"));
  exports.Set("openPinnedMap", Napi::Function::New<Map::openPinned>(env, "openPinnedMap"));
  exports.Set("openPinnedLink", Napi::Function::New<Link::openPinned>(env, "openPinnedLink"));
  exports.Set("xdpOf", Napi::Function::New<xdpOf>(env, "xdpOf"));
  exports.Set("openRingBuffer", Napi::Function::New<RingBuffer::open>(env, "openRingBuffer"));
  exports.Set("openPacketSocket", Napi::Function::New<PacketSocket::open>(env, "openPacketSocket"));
  exports.Set("interfaceIndex", Napi::Function::New<interfaceIndex>(env, "interfaceIndex"));
  exports.Set("sendDatagram", Napi::Function::New<sendDatagram>(env, "sendDatagram"));
  exports.Set("possibleCpus", Napi::Function::New<possibleCpus>(env, "possibleCpus"));
  return exports;
}

}  // namespace

}  // namespace bng

static Napi::Object initializeAddon(Napi::Env env, Napi::Object exports) { return bng::initialize(env, exports); }

NODE_API_MODULE(bng_native, initializeAddon)
