// The one way the addon throws: an Error with `operation`, `code` and `errno` on it. Knows no verb and no map.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <initializer_list>
#include <string>

namespace bng {

// One `[key:value]` pair at the end of a message.
struct Tag {
  const char *key;
  std::string value;
};

using Tags = std::initializer_list<Tag>;

// The name of an errno (`EEXIST`), of the kernel's ENOTSUPP and of libbpf's own numbers.
std::string codeName(int error);

// Makes `operation: text [key:value] CODE` with the three properties of NativeFailure.
Napi::Error makeFailure(Napi::Env env, const char *operation, int error, const std::string &text, Tags tags = {});

// The kernel or libbpf refused; `error` may be negative as libbpf returns it.
[[noreturn]] void refuse(Napi::Env env, const char *operation, int error, Tags tags = {});

// The caller gave something impossible, or the handle is in the wrong state for the verb.
[[noreturn]] void reject(Napi::Env env, const char *operation, int error, const std::string &text, Tags tags = {});

// An argument has the wrong JavaScript type: a TypeError with code EINVAL.
[[noreturn]] void rejectType(Napi::Env env, const char *operation, const std::string &text);

}  // namespace bng
