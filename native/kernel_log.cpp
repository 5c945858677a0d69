// libbpf's print callback and the collector behind it. SPDX-License-Identifier: Apache-2.0
#include "kernel_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <utility>

namespace bng {

namespace {

thread_local KernelLog *current = nullptr;

int collect(libbpf_print_level level, const char *format, va_list arguments) {
  if (current == nullptr || level != LIBBPF_WARN) return 0;
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  if (length > 0) {
    std::string text(static_cast<size_t>(length) + 1, '\0');
    std::vsnprintf(text.data(), text.size(), format, again);
    text.pop_back();
    current->append(std::move(text));
  }
  va_end(again);
  return 0;
}

}  // namespace

void silenceLibbpf() { libbpf_set_print(collect); }

KernelLog::KernelLog() : outer_(current) { current = this; }

KernelLog::~KernelLog() { current = outer_; }

void KernelLog::append(std::string text) { text_ += text; }

std::string KernelLog::tail(size_t limit) const {
  const size_t end = text_.find_last_not_of('\n') + 1;
  if (end <= limit) return text_.substr(0, end);
  const size_t start = end - limit;
  const size_t line = text_.find('\n', start);
  return line < end ? text_.substr(line + 1, end - line - 1) : text_.substr(start, limit);
}

}  // namespace bng
