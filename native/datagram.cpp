// Sends and forgets: the socket lives for one datagram. SPDX-License-Identifier: Apache-2.0
#include "datagram.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "arguments.h"
#include "errors.h"

namespace bng {

Napi::Value sendDatagram(const Napi::CallbackInfo &info) {
  const char *operation = "sendDatagram";
  const Napi::Env env = info.Env();
  std::string path = takeString(info[0], operation, "path");
  const Bytes bytes = takeBytes(info[1], operation, "bytes");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    reject(env, operation, EINVAL, "expected a socket path of 1 to 107 bytes", {{"path", path}});
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';

  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) refuse(env, operation, errno, {{"path", path}});
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const ssize_t sent = sendto(descriptor, bytes.data, bytes.length, MSG_NOSIGNAL | MSG_DONTWAIT,
                              reinterpret_cast<const sockaddr *>(&address), length);
  const int error = errno;
  close(descriptor);
  if (sent < 0) refuse(env, operation, error, {{"path", path}});
  return env.Undefined();
}

}  // namespace bng
