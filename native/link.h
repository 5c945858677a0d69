// NativeLink: a program attached to an interface, through a bpf_link (XDP) or a clsact filter (tc).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "object_state.h"
#include "wrapped.h"

namespace bng {

class Program;

// An attachment, whichever way it was made. Closing detaches.
class Attachment : public Child {
 public:
  virtual bool isClosed() const = 0;
  // Puts another program in the place of the present one, without a gap; 0 or a negative errno.
  virtual int replace(int programDescriptor) = 0;
};

class Link : public Napi::ObjectWrap<Link> {
 public:
  static constexpr Kind kKind = Kind::kLink;
  struct Seed {
    std::shared_ptr<ObjectState> object;
    std::shared_ptr<Attachment> attachment;
  };

  static void define(Napi::Env env);
  static Napi::Value attachXdp(Napi::Env env, const Program &program, uint32_t ifindex, bool native);
  static Napi::Value attachTc(Napi::Env env, const Program &program, uint32_t ifindex, bool ingress);

  explicit Link(const Napi::CallbackInfo &info);

 private:
  void replace(const Napi::CallbackInfo &info);
  void close(const Napi::CallbackInfo &info);

  // The object of the program that is attached now; it owns the attachment.
  std::shared_ptr<ObjectState> object_;
  std::shared_ptr<Attachment> attachment_;
};

}  // namespace bng
