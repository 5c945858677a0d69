// Keeps what libbpf would print to stderr, so that a refused load can quote the verifier. Prints nothing itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace bng {

// Takes libbpf's output away from stderr, for the whole process.
void silenceLibbpf();

// Collects the warnings that libbpf gives on this thread while it lives.
class KernelLog {
 public:
  KernelLog();
  ~KernelLog();
  KernelLog(const KernelLog &) = delete;
  KernelLog &operator=(const KernelLog &) = delete;

  // The last `limit` bytes, starting at a line.
  std::string tail(size_t limit) const;

  void append(std::string text);

 private:
  KernelLog *outer_;
  std::string text_;
};

}  // namespace bng
