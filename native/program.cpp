// NativeProgram's verbs. SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <climits>

#include "arguments.h"
#include "errors.h"
#include "link.h"

namespace bng {

namespace {

// Room for what a program may push in front of the frame: XDP's headroom.
constexpr size_t kGrowthBytes = 256;
// Far above what the kernel takes (a page), far below what overflows.
constexpr size_t kMaxFrameBytes = 1 << 20;

uint32_t takeIfindex(Napi::Value value, const char *operation) {
  return takeUnsigned(value, operation, "ifindex", 1, INT_MAX);
}

}  // namespace

void Program::define(Napi::Env env) {
  registerClass<Program>(env, DefineClass(env, "NativeProgram",
                                          {
                                              InstanceMethod<&Program::attachXdp>("attachXdp"),
                                              InstanceMethod<&Program::attachTc>("attachTc"),
                                              InstanceMethod<&Program::testRun>("testRun"),
                                          }));
}

Program::Program(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Program>(info) {
  Seed &seed = takeSeed<Program>(info);
  object_ = std::move(seed.object);
  name_ = bpf_program__name(seed.program);
  type_ = bpf_program__type(seed.program);
  descriptor_ = bpf_program__fd(seed.program);
  info.This().As<Napi::Object>().DefineProperty(
      Napi::PropertyDescriptor::Value("name", Napi::String::New(info.Env(), name_), napi_enumerable));
}

void Program::requireUsable(Napi::Env env, const char *operation) const {
  if (object_->isClosed()) {
    reject(env, operation, EBADF, "expected an open program, found one of a closed object", {{"program", name_}});
  }
}

void Program::requireType(Napi::Env env, const char *operation, uint32_t type, const char *expected) const {
  if (type_ == type) return;
  reject(env, operation, EINVAL, std::string("expected ") + expected + ", found another type of program",
         {{"program", name_}});
}

Napi::Value Program::attachXdp(const Napi::CallbackInfo &info) {
  const char *operation = "program.attachXdp";
  const Napi::Env env = info.Env();
  requireUsable(env, operation);
  const uint32_t ifindex = takeIfindex(info[0], operation);
  const std::string mode = takeString(info[1], operation, "mode");
  if (mode != "native" && mode != "generic") {
    reject(env, operation, EINVAL, "expected mode native or generic, found " + mode);
  }
  requireType(env, operation, BPF_PROG_TYPE_XDP, "an XDP program");
  return Link::attachXdp(env, *this, ifindex, mode == "native");
}

Napi::Value Program::attachTc(const Napi::CallbackInfo &info) {
  const char *operation = "program.attachTc";
  const Napi::Env env = info.Env();
  requireUsable(env, operation);
  const uint32_t ifindex = takeIfindex(info[0], operation);
  const std::string direction = takeString(info[1], operation, "direction");
  if (direction != "ingress" && direction != "egress") {
    reject(env, operation, EINVAL, "expected direction ingress or egress, found " + direction);
  }
  requireType(env, operation, BPF_PROG_TYPE_SCHED_CLS, "a tc program");
  return Link::attachTc(env, *this, ifindex, direction == "ingress");
}

Napi::Value Program::testRun(const Napi::CallbackInfo &info) {
  const char *operation = "program.testRun";
  const Napi::Env env = info.Env();
  const Napi::Object given = takeObject(info[0], operation, "options");
  // Getters run JavaScript: fetch everything before bytes are looked at and before the object is known to be open.
  const Napi::Value dataValue = given.Get("data");
  const Napi::Value repeatValue = given.Get("repeat");
  const Napi::Value ingressValue = given.Get("ingressIfindex");
  const Napi::Value liveValue = given.Get("liveFrames");
  requireUsable(env, operation);
  const Bytes data = takeBytes(dataValue, operation, "data");
  const uint32_t repeat = repeatValue.IsUndefined() ? 1 : takeUnsigned(repeatValue, operation, "repeat", 1, INT_MAX);
  const bool live = !liveValue.IsUndefined() && takeBoolean(liveValue, operation, "liveFrames");
  if (data.length > kMaxFrameBytes) {
    reject(env, operation, EMSGSIZE,
           "expected at most " + std::to_string(kMaxFrameBytes) + " bytes, found " + std::to_string(data.length));
  }

  xdp_md context{};
  __sk_buff packet{};
  Napi::ArrayBuffer output = Napi::ArrayBuffer::New(env, data.length + kGrowthBytes);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = data.data;
  options.data_size_in = static_cast<uint32_t>(data.length);
  if (live) {
    options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  } else {
    options.data_out = output.Data();
    options.data_size_out = static_cast<uint32_t>(output.ByteLength());
  }
  options.repeat = static_cast<int>(repeat);
  if (!ingressValue.IsUndefined()) {
    const uint32_t ifindex = takeUnsigned(ingressValue, operation, "ingressIfindex", 1, INT_MAX);
    context.data_end = static_cast<uint32_t>(data.length);
    context.ingress_ifindex = ifindex;
    packet.ifindex = ifindex;
    if (type_ == BPF_PROG_TYPE_XDP) {
      options.ctx_in = &context;
      options.ctx_size_in = sizeof context;
    } else {
      options.ctx_in = &packet;
      options.ctx_size_in = sizeof packet;
    }
  }
  const int error = bpf_prog_test_run_opts(descriptor_, &options);
  if (error != 0) refuse(env, operation, error, {{"program", name_}});

  Napi::Object result = Napi::Object::New(env);
  result.Set("returnValue", Napi::Number::New(env, options.retval));
  result.Set("dataOut", Napi::Uint8Array::New(env, live ? 0 : options.data_size_out, output, 0));
  result.Set("durationNs", Napi::Number::New(env, options.duration));
  return result;
}

}  // namespace bng
