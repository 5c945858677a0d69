// NativeMap: one loaded or pinned map, verbs over its entries. Closing the handle leaves the map in place.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <string>

#include "arguments.h"
#include "object_state.h"
#include "wrapped.h"

struct bpf_map;
struct bpf_map_info;

namespace bng {

struct MapShape {
  uint32_t type;
  uint32_t keySize;
  uint32_t valueSize;
  uint32_t maxEntries;
  uint32_t flags;
};

class Map : public Napi::ObjectWrap<Map> {
 public:
  static constexpr Kind kKind = Kind::kMap;
  struct Seed {
    std::shared_ptr<ObjectState> object;
    std::string name;
    MapShape shape;
    int descriptor;
    // Whether the handle closes the descriptor; otherwise the object does.
    bool owned;
  };

  static void define(Napi::Env env);

  // A map of a loaded object.
  static Napi::Value ofObject(Napi::Env env, const std::shared_ptr<ObjectState> &object, const bpf_map *map);
  // The addon's createArray(name, value).
  static Napi::Value createArray(const Napi::CallbackInfo &info);
  // The addon's openPinnedMap(path).
  static Napi::Value openPinned(const Napi::CallbackInfo &info);

  explicit Map(const Napi::CallbackInfo &info);
  ~Map() override;

  const MapShape &shape() const { return shape_; }
  const std::string &name() const { return name_; }
  // Only valid while requireUsable() passes.
  int descriptor() const { return descriptor_; }
  const std::shared_ptr<ObjectState> &object() const { return object_; }
  // Throws EBADF when the handle or its object is closed.
  void requireUsable(Napi::Env env, const char *operation) const;

 private:
  Napi::Value lookup(const Napi::CallbackInfo &info);
  void update(const Napi::CallbackInfo &info);
  Napi::Value remove(const Napi::CallbackInfo &info);
  void updateBatch(const Napi::CallbackInfo &info);
  Napi::Value readAll(const Napi::CallbackInfo &info);
  Napi::Value readSums(const Napi::CallbackInfo &info);
  void clearSums(const Napi::CallbackInfo &info);
  void store(const Napi::CallbackInfo &info);
  void pin(const Napi::CallbackInfo &info);
  Napi::Value id(const Napi::CallbackInfo &info);
  Napi::Value types(const Napi::CallbackInfo &info);
  Napi::Value btf(const Napi::CallbackInfo &info);
  void close(const Napi::CallbackInfo &info);

  bool isPerCpu() const;
  // Whether the map is an array of u64 words that can be mapped into memory.
  bool isMappable() const;
  // Whether it is one with a part for each possible CPU.
  bool isParted() const;
  // Such a map's first word; mapped at the first call, until the handle goes. Throws.
  uint64_t *words(Napi::Env env, const char *operation);
  size_t mappedBytes() const;
  // Entries that sums are of.
  uint32_t summedEntries() const;
  void requireSums(Napi::Env env, const char *operation) const;
  // What the kernel says of it. Throws.
  bpf_map_info found(Napi::Env env, const char *operation) const;
  // Bytes of one entry's value as bpf(2) copies it.
  size_t transferSize() const;
  Bytes takeKey(Napi::Value value, const char *operation) const;
  void requireLength(Napi::Env env, const char *operation, const char *what, size_t expected, size_t found) const;

  std::shared_ptr<ObjectState> object_;
  std::string name_;
  MapShape shape_{};
  int descriptor_ = -1;
  void *mapped_ = nullptr;
  bool owned_ = false;
  bool closed_ = false;
};

}  // namespace bng
