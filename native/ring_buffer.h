// NativeRingBuffer: records of a BPF ring buffer, handed to JavaScript a slab at a time. Knows no record's content.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "object_state.h"
#include "wrapped.h"

namespace bng {

class RingReader;

class RingBuffer : public Napi::ObjectWrap<RingBuffer> {
 public:
  static constexpr Kind kKind = Kind::kRingBuffer;
  struct Seed {
    std::shared_ptr<RingReader> reader;
  };

  static void define(Napi::Env env);
  // The addon's openRingBuffer(map, options).
  static Napi::Value open(const Napi::CallbackInfo &info);

  explicit RingBuffer(const Napi::CallbackInfo &info);

 private:
  void close(const Napi::CallbackInfo &info);

  std::shared_ptr<RingReader> reader_;
};

}  // namespace bng
