// NativeProgram: one loaded program; attaching it and running it on bytes. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "object_state.h"
#include "wrapped.h"

struct bpf_program;

namespace bng {

class Program : public Napi::ObjectWrap<Program> {
 public:
  static constexpr Kind kKind = Kind::kProgram;
  struct Seed {
    std::shared_ptr<ObjectState> object;
    bpf_program *program;
  };

  static void define(Napi::Env env);

  explicit Program(const Napi::CallbackInfo &info);

  // Only valid while requireUsable() passes.
  int descriptor() const { return descriptor_; }
  const std::shared_ptr<ObjectState> &object() const { return object_; }
  const std::string &name() const { return name_; }
  // Throws EBADF when the object is closed.
  void requireUsable(Napi::Env env, const char *operation) const;

 private:
  Napi::Value attachXdp(const Napi::CallbackInfo &info);
  Napi::Value attachTc(const Napi::CallbackInfo &info);
  Napi::Value testRun(const Napi::CallbackInfo &info);

  void requireType(Napi::Env env, const char *operation, uint32_t type, const char *expected) const;

  std::shared_ptr<ObjectState> object_;
  std::string name_;
  uint32_t type_ = 0;
  int descriptor_ = -1;
};

}  // namespace bng
