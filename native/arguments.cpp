// The guards' code. SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <cmath>
#include <cstring>

#include "errors.h"

namespace bng {

namespace {

[[noreturn]] void rejectFound(Napi::Value value, const char *operation, const char *what, const char *expected) {
  rejectType(value.Env(), operation,
             std::string("expected ") + expected + " as " + what + ", found " + describeType(value));
}

}  // namespace

std::string describeType(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    case napi_external: return "an external";
    case napi_object: return value.IsTypedArray() ? "another typed array" : "an object";
  }
  return "something unknown";
}

std::string takeString(Napi::Value value, const char *operation, const char *what) {
  if (!value.IsString()) rejectFound(value, operation, what, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) {
    reject(value.Env(), operation, EINVAL, std::string("expected no NUL character in ") + what + ", found one");
  }
  return text;
}

Bytes takeBytes(Napi::Value value, const char *operation, const char *what) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray()) rejectFound(value, operation, what, "a Uint8Array");
  napi_typedarray_type type = napi_int8_array;
  void *data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    rejectFound(value, operation, what, "a Uint8Array");
  }
  if (data == nullptr) length = 0;
  return {static_cast<const uint8_t *>(data), length};
}

uint32_t takeUnsigned(Napi::Value value, const char *operation, const char *what, uint32_t least, uint32_t most) {
  if (!value.IsNumber()) rejectFound(value, operation, what, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  // Written so that NaN is refused too.
  if (!(number >= least && number <= most) || std::floor(number) != number) {
    reject(value.Env(), operation, EINVAL,
           std::string("expected ") + what + " to be a whole number from " + std::to_string(least) + " to " +
               std::to_string(most) + ", found " + value.ToString().Utf8Value());
  }
  return static_cast<uint32_t>(number);
}

bool takeBoolean(Napi::Value value, const char *operation, const char *what) {
  if (!value.IsBoolean()) rejectFound(value, operation, what, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

Napi::Object takeObject(Napi::Value value, const char *operation, const char *what) {
  if (!value.IsObject()) rejectFound(value, operation, what, "an object");
  return value.As<Napi::Object>();
}

Napi::Function takeFunction(Napi::Value value, const char *operation, const char *what) {
  if (!value.IsFunction()) rejectFound(value, operation, what, "a function");
  return value.As<Napi::Function>();
}

Napi::Uint8Array giveBytes(Napi::Env env, const void *data, size_t length) {
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, length);
  if (length > 0) std::memcpy(bytes.Data(), data, length);
  return bytes;
}

}  // namespace bng
