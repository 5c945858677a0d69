// One verb for the service manager: a datagram to a unix socket, which Node.js has not. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

namespace bng {

// sendDatagram(path, bytes): a leading `@` means the abstract namespace, as systemd writes it.
Napi::Value sendDatagram(const Napi::CallbackInfo &info);

}  // namespace bng
