// What all wrapped classes share: construction by the addon alone, and arguments that are surely of the right class.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "errors.h"

namespace bng {

enum class Kind : uint64_t { kObject, kMap, kProgram, kLink, kRingBuffer, kPacketSocket, kCount };

// One per environment (main thread or worker).
struct Addon {
  std::array<Napi::FunctionReference, static_cast<size_t>(Kind::kCount)> constructors;
  // Set only while construct() runs, so a constructor called from JavaScript finds nothing and throws.
  Kind seedKind = Kind::kCount;
  void *seed = nullptr;
};

inline napi_type_tag typeTag(Kind kind) {
  return {0x626e675f6e617469ULL, 0x7665000000000000ULL | static_cast<uint64_t>(kind)};
}

template <typename Wrapper>
void registerClass(Napi::Env env, Napi::Function constructor) {
  env.GetInstanceData<Addon>()->constructors[static_cast<size_t>(Wrapper::kKind)] = Napi::Persistent(constructor);
}

// Makes a JavaScript object of the class; `seed` is moved from by its constructor.
template <typename Wrapper>
Napi::Object construct(Napi::Env env, typename Wrapper::Seed seed) {
  Addon *addon = env.GetInstanceData<Addon>();
  addon->seedKind = Wrapper::kKind;
  addon->seed = &seed;
  return addon->constructors[static_cast<size_t>(Wrapper::kKind)].New({});
}

// For the constructor of a wrapped class: its seed, after marking the object as of this class.
template <typename Wrapper>
typename Wrapper::Seed &takeSeed(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  Addon *addon = env.GetInstanceData<Addon>();
  void *seed = addon->seedKind == Wrapper::kKind ? addon->seed : nullptr;
  addon->seed = nullptr;
  if (seed == nullptr) rejectType(env, "construct", "expected to be made by the addon, found a direct call");
  const napi_type_tag tag = typeTag(Wrapper::kKind);
  if (napi_type_tag_object(env, info.This(), &tag) != napi_ok) {
    rejectType(env, "construct", "expected a fresh object, found a tagged one");
  }
  return *static_cast<typename Wrapper::Seed *>(seed);
}

// The C++ side of an argument; a TypeError when it is anything but an instance of the class.
template <typename Wrapper>
Wrapper *takeWrapped(Napi::Value value, const char *operation, const char *expected) {
  const Napi::Env env = value.Env();
  const napi_type_tag tag = typeTag(Wrapper::kKind);
  bool matches = false;
  if (!value.IsObject() || napi_check_object_type_tag(env, value, &tag, &matches) != napi_ok || !matches) {
    rejectType(env, operation, std::string("expected ") + expected + ", found something else");
  }
  return Wrapper::Unwrap(value.As<Napi::Object>());
}

}  // namespace bng
