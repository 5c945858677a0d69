// What is found in the kernel rather than made here: objects pinned in bpffs, BTF, who is attached to an interface.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <cstdint>

namespace bng {

// Opens what is pinned at the path given as an argument. `inode` is how the kernel calls its kind (`bpf-map`), since
// nothing else tells one kind from another; `expected` says it in words. The caller closes the descriptor.
int openPinnedDescriptor(Napi::Value path, const char *operation, const char *inode, const char *expected);

// The raw bytes of a BTF object that the kernel holds; it gives them to CAP_SYS_ADMIN alone.
Napi::Uint8Array kernelBtf(Napi::Env env, const char *operation, uint32_t id);

// The addon's xdpOf(ifindex).
Napi::Value xdpOf(const Napi::CallbackInfo &info);

}  // namespace bng
