// Builds the addon's errors. SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace bng {

namespace {

// Known to the kernel, leaked to user space by bpf(2), absent from errno.h.
constexpr int kKernelNotSupported = 524;

const char *libbpfCode(int error) {
  switch (error) {
    case LIBBPF_ERRNO__LIBELF: return "LIBBPF_LIBELF";
    case LIBBPF_ERRNO__FORMAT: return "LIBBPF_FORMAT";
    case LIBBPF_ERRNO__KVERSION: return "LIBBPF_KVERSION";
    case LIBBPF_ERRNO__ENDIAN: return "LIBBPF_ENDIAN";
    case LIBBPF_ERRNO__INTERNAL: return "LIBBPF_INTERNAL";
    case LIBBPF_ERRNO__RELOC: return "LIBBPF_RELOC";
    case LIBBPF_ERRNO__LOAD: return "LIBBPF_LOAD";
    case LIBBPF_ERRNO__VERIFY: return "LIBBPF_VERIFY";
    case LIBBPF_ERRNO__PROG2BIG: return "LIBBPF_PROG2BIG";
    case LIBBPF_ERRNO__KVER: return "LIBBPF_KVER";
    case LIBBPF_ERRNO__PROGTYPE: return "LIBBPF_PROGTYPE";
    case LIBBPF_ERRNO__WRNGPID: return "LIBBPF_WRNGPID";
    case LIBBPF_ERRNO__INVSEQ: return "LIBBPF_INVSEQ";
    case LIBBPF_ERRNO__NLPARSE: return "LIBBPF_NLPARSE";
    default: return nullptr;
  }
}

std::string describe(int error) {
  if (error == kKernelNotSupported) return "Operation is not supported by the kernel";
  char text[128] = "";
  libbpf_strerror(error, text, sizeof text);
  return text;
}

std::string compose(const char *operation, int error, const std::string &text, Tags tags) {
  std::string message = std::string(operation) + ": " + text;
  for (const Tag &tag : tags) message += std::string(" [") + tag.key + ":" + tag.value + "]";
  return message + " " + codeName(error);
}

template <typename ErrorType>
ErrorType decorate(Napi::Env env, ErrorType failure, const char *operation, int error) {
  failure.Set("operation", Napi::String::New(env, operation));
  failure.Set("code", Napi::String::New(env, codeName(error)));
  failure.Set("errno", Napi::Number::New(env, error));
  return failure;
}

}  // namespace

std::string codeName(int error) {
  if (error == kKernelNotSupported) return "ENOTSUPP";
  if (const char *name = libbpfCode(error)) return name;
  if (const char *name = strerrorname_np(error)) return name;
  return "E" + std::to_string(error);
}

Napi::Error makeFailure(Napi::Env env, const char *operation, int error, const std::string &text, Tags tags) {
  return decorate(env, Napi::Error::New(env, compose(operation, error, text, tags)), operation, error);
}

void refuse(Napi::Env env, const char *operation, int error, Tags tags) {
  const int positive = std::abs(error);
  throw makeFailure(env, operation, positive, describe(positive), tags);
}

void reject(Napi::Env env, const char *operation, int error, const std::string &text, Tags tags) {
  throw makeFailure(env, operation, error, text, tags);
}

void rejectType(Napi::Env env, const char *operation, const std::string &text) {
  throw decorate(env, Napi::TypeError::New(env, compose(operation, EINVAL, text, {})), operation, EINVAL);
}

}  // namespace bng
