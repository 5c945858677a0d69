// Watches one descriptor for reading on the event loop. The callback may close the handle; the environment's end
// closes it too. Owns no descriptor. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <initializer_list>

namespace bng {

class PollHandle {
 public:
  struct Callbacks {
    // `status` is 0, or a negative errno after which polling goes on.
    std::function<void(int status)> onReadable;
    // The environment ends: the owner must call close() from within.
    std::function<void()> onTeardown;
  };

  // Null when libuv cannot watch the descriptor; `*error` is then a negative errno. Freed by its own close().
  static PollHandle *start(Napi::Env env, int descriptor, Callbacks callbacks, int *error);

  // Stops at once and forgets the callbacks; the descriptor may be closed after it.
  void close();

 private:
  PollHandle(Napi::Env env, Callbacks callbacks) : env_(env), callbacks_(std::move(callbacks)) {}
  ~PollHandle() = default;
  static void onPoll(uv_poll_t *handle, int status, int events);
  static void onClosed(uv_handle_t *handle);
  static void onHook(napi_async_cleanup_hook_handle hook, void *self);

  napi_env env_;
  Callbacks callbacks_;
  uv_poll_t poll_{};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
};

// Calls a JavaScript function from the event loop; what it throws becomes an uncaught exception, and the caller goes on.
void callFromLoop(napi_env env, const Napi::FunctionReference &callback, std::initializer_list<napi_value> arguments);

}  // namespace bng
