// NativeObject: an ELF object from opening to closing. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "object_state.h"
#include "wrapped.h"

namespace bng {

class Object : public Napi::ObjectWrap<Object> {
 public:
  static constexpr Kind kKind = Kind::kObject;
  struct Seed {
    std::shared_ptr<ObjectState> state;
  };

  static void define(Napi::Env env);
  // The addon's openObject(path).
  static Napi::Value open(const Napi::CallbackInfo &info);

  explicit Object(const Napi::CallbackInfo &info);

 private:
  Napi::Value btf(const Napi::CallbackInfo &info);
  Napi::Value mapNames(const Napi::CallbackInfo &info);
  Napi::Value mapShape(const Napi::CallbackInfo &info);
  Napi::Value programNames(const Napi::CallbackInfo &info);
  Napi::Value rodata(const Napi::CallbackInfo &info);
  void setRodata(const Napi::CallbackInfo &info);
  void setMaxEntries(const Napi::CallbackInfo &info);
  void reuseMap(const Napi::CallbackInfo &info);
  void load(const Napi::CallbackInfo &info);
  Napi::Value map(const Napi::CallbackInfo &info);
  Napi::Value program(const Napi::CallbackInfo &info);
  void close(const Napi::CallbackInfo &info);

  std::shared_ptr<ObjectState> state_;
};

}  // namespace bng
