// Guards: JavaScript values into C++ ones, or an error that says what was expected and what was found.
// None of them runs JavaScript, so bytes stay valid until the verb returns. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace bng {

// A view on the caller's memory; only for the duration of the verb.
struct Bytes {
  const uint8_t *data;
  size_t length;
};

// What a JavaScript value is, for messages: `number`, `null`, `undefined`, …
std::string describeType(Napi::Value value);

// A string without NUL bytes.
std::string takeString(Napi::Value value, const char *operation, const char *what);

// A Uint8Array (or Buffer); a detached one has length 0.
Bytes takeBytes(Napi::Value value, const char *operation, const char *what);

// A whole number from `least` to `most`; no coercion, so NaN and fractions are refused.
uint32_t takeUnsigned(Napi::Value value, const char *operation, const char *what, uint32_t least, uint32_t most);

// true or false; no coercion.
bool takeBoolean(Napi::Value value, const char *operation, const char *what);

Napi::Object takeObject(Napi::Value value, const char *operation, const char *what);

Napi::Function takeFunction(Napi::Value value, const char *operation, const char *what);

// Copies into a fresh Uint8Array.
Napi::Uint8Array giveBytes(Napi::Env env, const void *data, size_t length);

}  // namespace bng
