// Verbs over what the kernel holds already. SPDX-License-Identifier: Apache-2.0
#include "pinned.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>

#include "arguments.h"
#include "errors.h"
#include "kernel_log.h"

namespace bng {

namespace {

// Such as `bpf-map` of `anon_inode:bpf-map`.
std::string kindOf(int descriptor) {
  std::array<char, 64> target{};
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  const std::string name(target.data(), length < 0 ? 0 : static_cast<size_t>(length));
  std::string kind = name.substr(name.find(':') + 1);
  std::replace(kind.begin(), kind.end(), '_', '-');  // kernels call a link both bpf_link and bpf-link
  return kind;
}

}  // namespace

int openPinnedDescriptor(Napi::Value value, const char *operation, const char *inode, const char *expected) {
  const Napi::Env env = value.Env();
  const std::string path = takeString(value, operation, "path");
  const int descriptor = bpf_obj_get(path.c_str());
  if (descriptor < 0) refuse(env, operation, errno, {{"path", path}});
  const std::string kind = kindOf(descriptor);
  if (kind == inode) return descriptor;
  close(descriptor);
  reject(env, operation, EINVAL, std::string("expected ") + expected + ", found " + kind, {{"path", path}});
}

Napi::Uint8Array kernelBtf(Napi::Env env, const char *operation, uint32_t id) {
  const KernelLog log;
  struct btf *btf = btf__load_from_kernel_by_id(id);
  if (btf == nullptr) refuse(env, operation, errno);
  uint32_t size = 0;
  const void *bytes = btf__raw_data(btf, &size);
  const Napi::Uint8Array result = giveBytes(env, bytes, bytes == nullptr ? 0 : size);
  btf__free(btf);
  return result;
}

Napi::Value xdpOf(const Napi::CallbackInfo &info) {
  const char *operation = "xdpOf";
  const Napi::Env env = info.Env();
  const uint32_t ifindex = takeUnsigned(info[0], operation, "ifindex", 1, INT_MAX);
  const KernelLog log;
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &found);
  if (error != 0) refuse(env, operation, error, {{"ifindex", std::to_string(ifindex)}});
  if (found.attach_mode != XDP_ATTACHED_DRV && found.attach_mode != XDP_ATTACHED_SKB) return env.Null();
  const bool native = found.attach_mode == XDP_ATTACHED_DRV;
  Napi::Object result = Napi::Object::New(env);
  result.Set("mode", Napi::String::New(env, native ? "native" : "generic"));
  result.Set("programId", Napi::Number::New(env, native ? found.drv_prog_id : found.skb_prog_id));
  return result;
}

}  // namespace bng
