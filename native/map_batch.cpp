// NativeMap's verbs over many entries: batched system calls, and one call an entry where the kernel has no batch.
// Knows per-CPU values as arrays of u64, not their names. SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "errors.h"
#include "map.h"

namespace bng {

namespace {

// Entries asked for with one system call: enough to hide its cost, few enough to stay in the cache.
constexpr uint32_t kChunkEntries = 4096;
// Without a batch verb the kernel answers its own ENOTSUPP.
constexpr int kKernelNotSupported = 524;

bool lacksBatch(int error) { return error == -kKernelNotSupported || error == -EOPNOTSUPP; }

struct Entries {
  std::vector<uint8_t> keys;
  std::vector<uint8_t> values;
  size_t count = 0;
};

// A map that changes while it is read may send the walk back to its start: give up rather than never end.
size_t entryLimit(const MapShape &shape) { return 2 * static_cast<size_t>(shape.maxEntries) + kChunkEntries; }

int readBatches(int descriptor, const MapShape &shape, Entries &entries) {
  uint32_t chunk = std::min(kChunkEntries, std::max(shape.maxEntries, 1U));
  // The kernel's position: a bucket number for hashes, a key for the others.
  std::vector<uint8_t> position(std::max<size_t>(shape.keySize, sizeof(uint32_t)));
  std::vector<uint8_t> next(position.size());
  bool started = false;
  for (;;) {
    if (entries.count > entryLimit(shape)) return -EAGAIN;
    entries.keys.resize((entries.count + chunk) * shape.keySize);
    entries.values.resize((entries.count + chunk) * shape.valueSize);
    uint32_t count = chunk;
    const int error = bpf_map_lookup_batch(descriptor, started ? position.data() : nullptr, next.data(),
                                           entries.keys.data() + entries.count * shape.keySize,
                                           entries.values.data() + entries.count * shape.valueSize, &count, nullptr);
    if (error == -ENOSPC && chunk < entryLimit(shape)) {
      chunk *= 2;  // one bucket of the hash holds more than the chunk
      continue;
    }
    if (error != 0 && error != -ENOENT) return error;
    entries.count += count;
    if (error == -ENOENT) return 0;
    position.swap(next);
    started = true;
  }
}

int readOneByOne(int descriptor, const MapShape &shape, Entries &entries) {
  std::vector<uint8_t> key(shape.keySize);
  std::vector<uint8_t> value(shape.valueSize);
  bool started = false;
  entries.count = 0;
  entries.keys.clear();
  entries.values.clear();
  for (;;) {
    if (entries.count > entryLimit(shape)) return -EAGAIN;
    int error = bpf_map_get_next_key(descriptor, started ? key.data() : nullptr, key.data());
    if (error == -ENOENT) return 0;
    if (error != 0) return error;
    started = true;
    error = bpf_map_lookup_elem(descriptor, key.data(), value.data());
    if (error == -ENOENT) continue;  // deleted between the two calls
    if (error != 0) return error;
    entries.keys.insert(entries.keys.end(), key.begin(), key.end());
    entries.values.insert(entries.values.end(), value.begin(), value.end());
    entries.count += 1;
  }
}

int updateOneByOne(int descriptor, const MapShape &shape, size_t valueSize, const Bytes &keys, const Bytes &values,
                   uint32_t *count) {
  const uint32_t wanted = *count;
  for (*count = 0; *count < wanted; *count += 1) {
    const size_t at = *count;
    const int error =
        bpf_map_update_elem(descriptor, keys.data + at * shape.keySize, values.data + at * valueSize, BPF_ANY);
    if (error != 0) return error;
  }
  return 0;
}

// Adds the values of one entry's CPUs into `words` counters.
void addCpus(const uint64_t *values, size_t cpus, size_t words, uint64_t *sums) {
  std::memcpy(sums, values, words * sizeof(uint64_t));
  for (size_t cpu = 1; cpu < cpus; cpu += 1) {
    const uint64_t *value = values + cpu * words;
    for (size_t word = 0; word < words; word += 1) sums[word] += value[word];
  }
}

int sumBatches(int descriptor, uint32_t first, uint32_t count, size_t cpus, size_t words, uint64_t *sums) {
  const uint32_t chunk = std::min(kChunkEntries, count);
  std::vector<uint32_t> keys(chunk);
  std::vector<uint64_t> values(static_cast<size_t>(chunk) * cpus * words);
  for (uint32_t done = 0; done < count;) {
    // An array's position is the key before the next one.
    uint32_t position = first + done - 1;
    uint32_t next = 0;
    uint32_t got = std::min(chunk, count - done);
    const int error = bpf_map_lookup_batch(descriptor, first + done == 0 ? nullptr : &position, &next, keys.data(),
                                           values.data(), &got, nullptr);
    // ENOENT is the end of the map; the entries before it count.
    if (error != 0 && error != -ENOENT) return error;
    if (got == 0 || keys[0] != first + done) return -kKernelNotSupported;
    for (size_t entry = 0; entry < got; entry += 1) {
      addCpus(values.data() + entry * cpus * words, cpus, words, sums + (done + entry) * words);
    }
    done += got;
  }
  return 0;
}

int sumOneByOne(int descriptor, uint32_t first, uint32_t count, size_t cpus, size_t words, uint64_t *sums) {
  std::vector<uint64_t> values(cpus * words);
  for (uint32_t entry = 0; entry < count; entry += 1) {
    const uint32_t key = first + entry;
    const int error = bpf_map_lookup_elem(descriptor, &key, values.data());
    if (error != 0) return error;
    addCpus(values.data(), cpus, words, sums + static_cast<size_t>(entry) * words);
  }
  return 0;
}

// Words that the kernel writes while they are read: a part for each CPU, one after another.
struct Parts {
  uint64_t *words;
  size_t inPart;
  size_t inAll;
};

void sumParts(const Parts &parts, size_t first, size_t count, uint64_t *sums) {
  std::fill_n(sums, count, 0);
  for (size_t part = 0; part < parts.inAll; part += parts.inPart) {
    const uint64_t *from = parts.words + part + first;
    for (size_t word = 0; word < count; word += 1) sums[word] += __atomic_load_n(from + word, __ATOMIC_RELAXED);
  }
}

void clearParts(const Parts &parts, size_t first, size_t count) {
  for (size_t part = 0; part < parts.inAll; part += parts.inPart) {
    uint64_t *to = parts.words + part + first;
    for (size_t word = 0; word < count; word += 1) __atomic_store_n(to + word, 0, __ATOMIC_RELAXED);
  }
}

}  // namespace

void Map::updateBatch(const Napi::CallbackInfo &info) {
  const char *operation = "map.updateBatch";
  const Napi::Env env = info.Env();
  requireUsable(env, operation);
  const Bytes keys = takeBytes(info[0], operation, "keys");
  const Bytes values = takeBytes(info[1], operation, "values");
  const uint32_t wanted = takeUnsigned(info[2], operation, "count", 0, UINT32_MAX);
  requireLength(env, operation, "keys", static_cast<size_t>(wanted) * shape_.keySize, keys.length);
  requireLength(env, operation, "values", wanted * transferSize(), values.length);
  if (wanted == 0) return;
  uint32_t count = wanted;
  DECLARE_LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_ANY);
  int error = bpf_map_update_batch(descriptor_, keys.data, values.data, &count, &options);
  if (lacksBatch(error)) {
    count = wanted;
    error = updateOneByOne(descriptor_, shape_, transferSize(), keys, values, &count);
  }
  if (error != 0) refuse(env, operation, error, {{"map", name_}, {"written", std::to_string(count)}});
}

Napi::Value Map::readAll(const Napi::CallbackInfo &info) {
  const char *operation = "map.readAll";
  const Napi::Env env = info.Env();
  requireUsable(env, operation);
  if (isPerCpu()) reject(env, operation, EINVAL, "expected a map that is not per CPU, found one", {{"map", name_}});
  if (shape_.keySize == 0 || shape_.valueSize == 0) {
    reject(env, operation, EINVAL, "expected a map with keys and values, found one without", {{"map", name_}});
  }
  Entries entries;
  int error = readBatches(descriptor_, shape_, entries);
  // EINTR: an entry vanished under a batch once too often.
  if (lacksBatch(error) || error == -EINTR) error = readOneByOne(descriptor_, shape_, entries);
  if (error != 0) refuse(env, operation, error, {{"map", name_}});
  Napi::Object result = Napi::Object::New(env);
  result.Set("keys", giveBytes(env, entries.keys.data(), entries.count * shape_.keySize));
  result.Set("values", giveBytes(env, entries.values.data(), entries.count * shape_.valueSize));
  result.Set("count", Napi::Number::New(env, static_cast<double>(entries.count)));
  return result;
}

uint32_t Map::summedEntries() const {
  if (isParted()) return shape_.maxEntries / static_cast<uint32_t>(libbpf_num_possible_cpus());
  const bool isArray = shape_.type == BPF_MAP_TYPE_PERCPU_ARRAY && shape_.valueSize % sizeof(uint64_t) == 0;
  return isArray ? shape_.maxEntries : 0;
}

void Map::requireSums(Napi::Env env, const char *operation) const {
  requireUsable(env, operation);
  if (summedEntries() > 0) return;
  reject(env, operation, EINVAL,
         "expected a per-CPU array of u64 words, or one mapped into memory in as many parts as CPUs, found another map",
         {{"map", name_}});
}

Napi::Value Map::readSums(const Napi::CallbackInfo &info) {
  const char *operation = "map.readSums";
  const Napi::Env env = info.Env();
  requireSums(env, operation);
  const uint32_t first = takeUnsigned(info[0], operation, "first", 0, summedEntries());
  const uint32_t count = takeUnsigned(info[1], operation, "count", 0, summedEntries() - first);
  const size_t words = shape_.valueSize / sizeof(uint64_t);
  Napi::BigUint64Array sums = Napi::BigUint64Array::New(env, words * count);
  if (count == 0) return sums;
  if (isParted()) {
    sumParts({this->words(env, operation), summedEntries() * words, shape_.maxEntries * words}, first * words,
             words * count, sums.Data());
    return sums;
  }
  const size_t cpus = transferSize() / shape_.valueSize;
  int error = sumBatches(descriptor_, first, count, cpus, words, sums.Data());
  if (lacksBatch(error)) error = sumOneByOne(descriptor_, first, count, cpus, words, sums.Data());
  if (error != 0) refuse(env, operation, error, {{"map", name_}});
  return sums;
}

void Map::clearSums(const Napi::CallbackInfo &info) {
  const char *operation = "map.clearSums";
  const Napi::Env env = info.Env();
  requireSums(env, operation);
  const uint32_t entry = takeUnsigned(info[0], operation, "entry", 0, summedEntries() - 1);
  if (isParted()) {
    const size_t words = shape_.valueSize / sizeof(uint64_t);
    clearParts({this->words(env, operation), summedEntries() * words, shape_.maxEntries * words}, entry * words, words);
    return;
  }
  const std::vector<uint8_t> zeros(transferSize());
  const int error = bpf_map_update_elem(descriptor_, &entry, zeros.data(), BPF_ANY);
  if (error != 0) refuse(env, operation, error, {{"map", name_}});
}

void Map::store(const Napi::CallbackInfo &info) {
  const char *operation = "map.store";
  const Napi::Env env = info.Env();
  requireUsable(env, operation);
  if (!isMappable()) {
    reject(env, operation, EINVAL, "expected an array of u64 words mapped into memory, found another map",
           {{"map", name_}});
  }
  const uint32_t entry = takeUnsigned(info[0], operation, "entry", 0, shape_.maxEntries - 1);
  const uint32_t first = takeUnsigned(info[1], operation, "first", 0, shape_.valueSize / sizeof(uint64_t) - 1);
  const Bytes bytes = takeBytes(info[2], operation, "words");
  const size_t room = shape_.valueSize - first * sizeof(uint64_t);
  if (bytes.length % sizeof(uint64_t) != 0 || bytes.length > room) {
    reject(env, operation, EINVAL,
           "expected whole words, at most " + std::to_string(room) + " bytes, found " + std::to_string(bytes.length),
           {{"map", name_}});
  }
  uint64_t *to = words(env, operation) + static_cast<size_t>(entry) * (shape_.valueSize / sizeof(uint64_t)) + first;
  for (size_t word = 0; word < bytes.length / sizeof(uint64_t); word += 1) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data + word * sizeof(uint64_t), sizeof value);
    __atomic_store_n(to + word, value, __ATOMIC_RELEASE);
  }
}

}  // namespace bng
