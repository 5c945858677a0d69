// NativeMap's verbs over single entries; map_batch.cpp has those over many. SPDX-License-Identifier: Apache-2.0
#include "map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "errors.h"
#include "pinned.h"

namespace bng {

namespace {

uint64_t takeMode(Napi::Value value) {
  if (value.IsUndefined()) return BPF_ANY;
  const std::string mode = takeString(value, "map.update", "mode");
  if (mode == "any") return BPF_ANY;
  if (mode == "create") return BPF_NOEXIST;
  if (mode == "replace") return BPF_EXIST;
  reject(value.Env(), "map.update", EINVAL, "expected mode any, create or replace, found " + mode);
}

}  // namespace

void Map::define(Napi::Env env) {
  registerClass<Map>(env, DefineClass(env, "NativeMap",
                                      {
                                          InstanceMethod<&Map::lookup>("lookup"),
                                          InstanceMethod<&Map::update>("update"),
                                          InstanceMethod<&Map::remove>("delete"),
                                          InstanceMethod<&Map::updateBatch>("updateBatch"),
                                          InstanceMethod<&Map::readAll>("readAll"),
                                          InstanceMethod<&Map::readSums>("readSums"),
                                          InstanceMethod<&Map::clearSums>("clearSums"),
                                          InstanceMethod<&Map::store>("store"),
                                          InstanceMethod<&Map::pin>("pin"),
                                          InstanceMethod<&Map::id>("id"),
                                          InstanceMethod<&Map::types>("types"),
                                          InstanceMethod<&Map::btf>("btf"),
                                          InstanceMethod<&Map::close>("close"),
                                      }));
}

Napi::Value Map::ofObject(Napi::Env env, const std::shared_ptr<ObjectState> &object, const bpf_map *map) {
  const MapShape shape{bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
                       bpf_map__map_flags(map)};
  return construct<Map>(env, {object, bpf_map__name(map), shape, bpf_map__fd(map), false});
}

Napi::Value Map::createArray(const Napi::CallbackInfo &info) {
  const char *operation = "map.createArray";
  const Napi::Env env = info.Env();
  const std::string name = takeString(info[0], operation, "name");
  const Bytes value = takeBytes(info[1], operation, "value");
  const MapShape shape{BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), static_cast<uint32_t>(value.length), 1, 0};
  const int descriptor = bpf_map_create(BPF_MAP_TYPE_ARRAY, name.c_str(), shape.keySize, shape.valueSize, 1, nullptr);
  if (descriptor < 0) refuse(env, operation, descriptor, {{"map", name}});
  const uint32_t first = 0;
  const int error = bpf_map_update_elem(descriptor, &first, value.data, BPF_ANY);
  if (error != 0) {
    ::close(descriptor);
    refuse(env, operation, error, {{"map", name}});
  }
  auto owner = std::make_shared<ObjectState>(env, nullptr);
  return construct<Map>(env, {std::move(owner), name, shape, descriptor, true});
}

Napi::Value Map::openPinned(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const int descriptor = openPinnedDescriptor(info[0], "map.openPinned", "bpf-map", "a map");
  bpf_map_info found{};
  uint32_t size = sizeof found;
  if (bpf_obj_get_info_by_fd(descriptor, &found, &size) != 0) {
    const int error = errno;
    ::close(descriptor);
    refuse(env, "map.openPinned", error);
  }
  const MapShape shape{found.type, found.key_size, found.value_size, found.max_entries, found.map_flags};
  // An object of its own, with nothing in it, so that a ring buffer over the map has an owner.
  auto owner = std::make_shared<ObjectState>(env, nullptr);
  return construct<Map>(env, {std::move(owner), found.name, shape, descriptor, true});
}

Map::Map(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Map>(info) {
  Seed &seed = takeSeed<Map>(info);
  object_ = std::move(seed.object);
  name_ = std::move(seed.name);
  shape_ = seed.shape;
  descriptor_ = seed.descriptor;
  owned_ = seed.owned;

  // Own values instead of accessors: V8 does not check the receiver of an accessor.
  const Napi::Env env = info.Env();
  const auto number = [&](const char *name, uint32_t value) {
    return Napi::PropertyDescriptor::Value(name, Napi::Number::New(env, value), napi_enumerable);
  };
  info.This().As<Napi::Object>().DefineProperties({
      Napi::PropertyDescriptor::Value("name", Napi::String::New(env, name_), napi_enumerable),
      number("type", shape_.type),
      number("keySize", shape_.keySize),
      number("valueSize", shape_.valueSize),
      number("maxEntries", shape_.maxEntries),
      number("flags", shape_.flags),
      number("summedEntries", summedEntries()),
  });
}

void Map::requireUsable(Napi::Env env, const char *operation) const {
  if (closed_ || object_->isClosed()) {
    reject(env, operation, EBADF, "expected an open map, found a closed one", {{"map", name_}});
  }
}

bool Map::isPerCpu() const {
  return shape_.type == BPF_MAP_TYPE_PERCPU_HASH || shape_.type == BPF_MAP_TYPE_PERCPU_ARRAY ||
         shape_.type == BPF_MAP_TYPE_LRU_PERCPU_HASH || shape_.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

bool Map::isMappable() const {
  return shape_.type == BPF_MAP_TYPE_ARRAY && (shape_.flags & BPF_F_MMAPABLE) != 0 &&
         shape_.valueSize % sizeof(uint64_t) == 0;
}

bool Map::isParted() const {
  return isMappable() && shape_.maxEntries % static_cast<uint32_t>(libbpf_num_possible_cpus()) == 0;
}

size_t Map::mappedBytes() const {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t bytes = static_cast<size_t>(shape_.maxEntries) * shape_.valueSize;
  return (bytes + page - 1) / page * page;
}

uint64_t *Map::words(Napi::Env env, const char *operation) {
  if (mapped_ == nullptr) {
    void *mapped = mmap(nullptr, mappedBytes(), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (mapped == MAP_FAILED) refuse(env, operation, errno, {{"map", name_}});
    mapped_ = mapped;
  }
  return static_cast<uint64_t *>(mapped_);
}

size_t Map::transferSize() const {
  if (!isPerCpu()) return shape_.valueSize;
  const size_t padded = (static_cast<size_t>(shape_.valueSize) + 7) / 8 * 8;
  return padded * static_cast<size_t>(libbpf_num_possible_cpus());
}

void Map::requireLength(Napi::Env env, const char *operation, const char *what, size_t expected, size_t found) const {
  if (expected == found) return;
  reject(env, operation, EINVAL,
         std::string("expected ") + what + " of " + std::to_string(expected) + " bytes, found " + std::to_string(found),
         {{"map", name_}});
}

Bytes Map::takeKey(Napi::Value value, const char *operation) const {
  const Bytes key = takeBytes(value, operation, "key");
  requireLength(value.Env(), operation, "a key", shape_.keySize, key.length);
  return key;
}

Napi::Value Map::lookup(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  requireUsable(env, "map.lookup");
  const Bytes key = takeKey(info[0], "map.lookup");
  Napi::Uint8Array value = Napi::Uint8Array::New(env, transferSize());
  const int error = bpf_map_lookup_elem(descriptor_, key.data, value.Data());
  if (error == 0) return value;
  if (error == -ENOENT) return env.Null();
  refuse(env, "map.lookup", error, {{"map", name_}});
}

void Map::update(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  requireUsable(env, "map.update");
  const Bytes key = takeKey(info[0], "map.update");
  const Bytes value = takeBytes(info[1], "map.update", "value");
  requireLength(env, "map.update", "a value", transferSize(), value.length);
  const int error = bpf_map_update_elem(descriptor_, key.data, value.data, takeMode(info[2]));
  if (error != 0) refuse(env, "map.update", error, {{"map", name_}});
}

Napi::Value Map::remove(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  requireUsable(env, "map.delete");
  const Bytes key = takeKey(info[0], "map.delete");
  const int error = bpf_map_delete_elem(descriptor_, key.data);
  if (error != 0 && error != -ENOENT) refuse(env, "map.delete", error, {{"map", name_}});
  return Napi::Boolean::New(env, error == 0);
}

void Map::pin(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string path = takeString(info[0], "map.pin", "path");
  requireUsable(env, "map.pin");
  if (bpf_obj_pin(descriptor_, path.c_str()) != 0) refuse(env, "map.pin", errno, {{"map", name_}, {"path", path}});
}

bpf_map_info Map::found(Napi::Env env, const char *operation) const {
  requireUsable(env, operation);
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(descriptor_, &info, &size) != 0) refuse(env, operation, errno, {{"map", name_}});
  return info;
}

Napi::Value Map::id(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  return Napi::Number::New(env, found(env, "map.id").id);
}

Napi::Value Map::types(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const bpf_map_info map = found(env, "map.types");
  if (map.btf_id == 0) return env.Null();
  Napi::Object result = Napi::Object::New(env);
  result.Set("keyTypeId", Napi::Number::New(env, map.btf_key_type_id));
  result.Set("valueTypeId", Napi::Number::New(env, map.btf_value_type_id));
  return result;
}

Napi::Value Map::btf(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const bpf_map_info map = found(env, "map.btf");
  if (map.btf_id == 0) return env.Null();
  return kernelBtf(env, "map.btf", map.btf_id);
}

Map::~Map() {
  if (mapped_ != nullptr) munmap(mapped_, mappedBytes());
  if (owned_ && !closed_) ::close(descriptor_);
}

void Map::close(const Napi::CallbackInfo &) {
  if (closed_) return;
  closed_ = true;
  if (!owned_) return;
  object_->close();
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace bng
