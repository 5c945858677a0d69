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

// What the kernel says of an attachment; no interface when it is gone.
struct AttachmentInfo {
  uint32_t ifindex;
  uint32_t programId;
};

// An attachment, whichever way it was made. Closing detaches, unless it was left in place.
class Attachment : public Child {
 public:
  void close() final {
    if (!isClosed()) left_ ? forget() : detach();
  }
  virtual bool isClosed() const = 0;
  // Puts another program in the place of the present one, without a gap; 0 or a negative errno.
  virtual int replace(int programDescriptor) = 0;
  // 0 or a negative errno.
  virtual int pin(const char *path) = 0;
  virtual int inspect(AttachmentInfo *info) const = 0;
  // Takes the program off its interface, left or not; the handle is closed afterwards.
  virtual void detach() = 0;
  // Closing gives up the handle only from now on.
  void leave() { left_ = true; }

 protected:
  // Closes the handle and leaves the rest as it is.
  virtual void forget() = 0;

 private:
  bool left_ = false;
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
  // The addon's openPinnedLink(path).
  static Napi::Value openPinned(const Napi::CallbackInfo &info);

  explicit Link(const Napi::CallbackInfo &info);

 private:
  void replace(const Napi::CallbackInfo &info);
  void pin(const Napi::CallbackInfo &info);
  void leave(const Napi::CallbackInfo &info);
  Napi::Value info(const Napi::CallbackInfo &info);
  void detach(const Napi::CallbackInfo &info);
  void close(const Napi::CallbackInfo &info);

  void requireUsable(Napi::Env env, const char *operation) const;

  // The object of the program that is attached now; it owns the attachment.
  std::shared_ptr<ObjectState> object_;
  std::shared_ptr<Attachment> attachment_;
};

}  // namespace bng
