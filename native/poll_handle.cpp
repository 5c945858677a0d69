// uv_poll with the lifetimes that Node-API asks for. SPDX-License-Identifier: Apache-2.0
#include "poll_handle.h"

#include <utility>

namespace bng {

PollHandle *PollHandle::start(Napi::Env env, int descriptor, Callbacks callbacks, int *error) {
  uv_loop_t *loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    *error = UV_EINVAL;
    return nullptr;
  }
  auto *self = new PollHandle(env, std::move(callbacks));
  self->poll_.data = self;
  *error = uv_poll_init(loop, &self->poll_, descriptor);
  if (*error != 0) {
    delete self;  // libuv does not know the handle
    return nullptr;
  }
  *error = uv_poll_start(&self->poll_, UV_READABLE, onPoll);
  if (*error != 0 || napi_add_async_cleanup_hook(env, onHook, self, &self->hook_) != napi_ok) {
    if (*error == 0) *error = UV_EINVAL;
    self->close();
    return nullptr;
  }
  return self;
}

void PollHandle::close() {
  if (closing_) return;
  closing_ = true;
  uv_close(reinterpret_cast<uv_handle_t *>(&poll_), onClosed);
}

void PollHandle::onPoll(uv_poll_t *handle, int status, int) {
  auto *self = static_cast<PollHandle *>(handle->data);
  // Freed only by a later turn of the loop, so the callback may close this handle.
  self->callbacks_.onReadable(status);
  // libuv stops polling when it reports an error.
  if (status != 0 && !self->closing_) uv_poll_start(handle, UV_READABLE, onPoll);
}

void PollHandle::onClosed(uv_handle_t *handle) {
  auto *self = static_cast<PollHandle *>(handle->data);
  if (self->hook_ != nullptr) napi_remove_async_cleanup_hook(self->hook_);
  delete self;
}

void PollHandle::onHook(napi_async_cleanup_hook_handle, void *pointer) {
  auto *self = static_cast<PollHandle *>(pointer);
  if (!self->closing_) self->callbacks_.onTeardown();
  self->close();
}

void callFromLoop(napi_env env, const Napi::FunctionReference &callback, std::initializer_list<napi_value> arguments) {
  napi_value global = nullptr;
  if (napi_get_global(env, &global) != napi_ok) return;
  const napi_status status =
      napi_make_callback(env, nullptr, global, callback.Value(), arguments.size(), arguments.begin(), nullptr);
  // Any other status means that the environment is ending and runs no JavaScript any more.
  if (status != napi_pending_exception) return;
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

}  // namespace bng
