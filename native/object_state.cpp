// Ownership of a libbpf object and its children. SPDX-License-Identifier: Apache-2.0
#include "object_state.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <utility>

#include "errors.h"

namespace bng {

ObjectState::ObjectState(Napi::Env env, bpf_object *object) : env_(env), object_(object) {
  napi_add_env_cleanup_hook(env_, onTeardown, this);
}

ObjectState::~ObjectState() { close(); }

void ObjectState::onTeardown(void *self) { static_cast<ObjectState *>(self)->close(); }

void ObjectState::adopt(std::shared_ptr<Child> child) { children_.insert(std::move(child)); }

void ObjectState::release(const std::shared_ptr<Child> &child) { children_.erase(child); }

void ObjectState::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  napi_remove_env_cleanup_hook(env_, onTeardown, this);
  // A child may call release(), and may hold the last reference to this state: work on a copy and stay alive.
  const std::shared_ptr<ObjectState> self = weak_from_this().lock();
  const std::set<std::shared_ptr<Child>> children = std::exchange(children_, {});
  for (const std::shared_ptr<Child> &child : children) child->close();
  bpf_object__close(std::exchange(object_, nullptr));
}

void requireOpen(Napi::Env env, const ObjectState &state, const char *operation) {
  if (state.isClosed()) reject(env, operation, EBADF, "expected an open object, found a closed one");
}

}  // namespace bng
