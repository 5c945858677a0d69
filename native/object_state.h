// Who owns what: a libbpf object, and the links and ring buffers made from it. Handles that JavaScript holds share it,
// so it outlives the garbage collection of any one of them. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>
#include <set>

struct bpf_object;

namespace bng {

// A child that must go before its object does.
class Child {
 public:
  virtual ~Child() = default;
  // Idempotent; never throws and never runs JavaScript.
  virtual void close() = 0;
};

class ObjectState : public std::enable_shared_from_this<ObjectState> {
 public:
  enum class Phase { kOpen, kLoaded, kRefused, kClosed };

  // Takes ownership; closes with the environment at the latest.
  ObjectState(Napi::Env env, bpf_object *object);
  ~ObjectState();
  ObjectState(const ObjectState &) = delete;
  ObjectState &operator=(const ObjectState &) = delete;

  bpf_object *get() const { return object_; }
  Phase phase() const { return phase_; }
  void setPhase(Phase phase) { phase_ = phase; }
  bool isClosed() const { return phase_ == Phase::kClosed; }

  void adopt(std::shared_ptr<Child> child);
  // Forgets a child that closed by itself or moved to another object.
  void release(const std::shared_ptr<Child> &child);
  void close();

 private:
  static void onTeardown(void *self);

  napi_env env_;
  bpf_object *object_;
  Phase phase_ = Phase::kOpen;
  std::set<std::shared_ptr<Child>> children_;
};

// Throws EBADF when the object is closed.
void requireOpen(Napi::Env env, const ObjectState &state, const char *operation);

}  // namespace bng
