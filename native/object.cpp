// NativeObject's verbs over libbpf's bpf_object. SPDX-License-Identifier: Apache-2.0
#include "object.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <string>

#include "arguments.h"
#include "errors.h"
#include "kernel_log.h"
#include "map.h"
#include "program.h"

namespace bng {

namespace {

constexpr size_t kLogTailBytes = 4096;
constexpr char kRodata[] = ".rodata";

void requireUnloaded(Napi::Env env, const ObjectState &state, const char *operation) {
  requireOpen(env, state, operation);
  if (state.phase() != ObjectState::Phase::kOpen) {
    reject(env, operation, EBUSY, "expected an object that was never loaded, found one after load");
  }
}

void requireLoaded(Napi::Env env, const ObjectState &state, const char *operation) {
  requireOpen(env, state, operation);
  if (state.phase() != ObjectState::Phase::kLoaded) {
    reject(env, operation, EINVAL, "expected a loaded object, found one before load");
  }
}

bpf_map *findMap(Napi::Env env, const ObjectState &state, const char *operation, const std::string &name) {
  bpf_map *map = bpf_object__find_map_by_name(state.get(), name.c_str());
  if (map == nullptr) reject(env, operation, ENOENT, "expected a map of the object, found none", {{"map", name}});
  return map;
}

// The bytes that libbpf will give to the map of `.rodata`.
const void *initialRodata(Napi::Env env, const ObjectState &state, const char *operation, bpf_map **map, size_t *size) {
  *map = findMap(env, state, operation, kRodata);
  const void *bytes = bpf_map__initial_value(*map, size);
  if (bytes == nullptr) reject(env, operation, ENOENT, "expected initial bytes, found none", {{"map", kRodata}});
  return bytes;
}

void requireSameShape(Napi::Env env, const char *operation, const bpf_map *own, const MapShape &given) {
  const auto compare = [&](const char *what, uint32_t expected, uint32_t found) {
    if (expected == found) return;
    reject(env, operation, EINVAL,
           std::string("expected a map whose ") + what + " is " + std::to_string(expected) + ", found " +
               std::to_string(found),
           {{"map", bpf_map__name(own)}});
  };
  compare("type", bpf_map__type(own), given.type);
  compare("key size", bpf_map__key_size(own), given.keySize);
  compare("value size", bpf_map__value_size(own), given.valueSize);
}

}  // namespace

void Object::define(Napi::Env env) {
  registerClass<Object>(env, DefineClass(env, "NativeObject",
                                         {
                                             InstanceMethod<&Object::btf>("btf"),
                                             InstanceMethod<&Object::mapNames>("mapNames"),
                                             InstanceMethod<&Object::mapShape>("mapShape"),
                                             InstanceMethod<&Object::programNames>("programNames"),
                                             InstanceMethod<&Object::rodata>("rodata"),
                                             InstanceMethod<&Object::setRodata>("setRodata"),
                                             InstanceMethod<&Object::setMaxEntries>("setMaxEntries"),
                                             InstanceMethod<&Object::reuseMap>("reuseMap"),
                                             InstanceMethod<&Object::load>("load"),
                                             InstanceMethod<&Object::map>("map"),
                                             InstanceMethod<&Object::program>("program"),
                                             InstanceMethod<&Object::close>("close"),
                                         }));
}

Napi::Value Object::open(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string path = takeString(info[0], "object.open", "path");
  const KernelLog log;
  bpf_object *object = bpf_object__open_file(path.c_str(), nullptr);
  if (object == nullptr) refuse(env, "object.open", errno, {{"path", path}});
  return construct<Object>(env, {std::make_shared<ObjectState>(env, object)});
}

Object::Object(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<Object>(info), state_(std::move(takeSeed<Object>(info).state)) {}

Napi::Value Object::btf(const Napi::CallbackInfo &info) {
  requireOpen(info.Env(), *state_, "object.btf");
  const struct btf *btf = bpf_object__btf(state_->get());
  uint32_t size = 0;
  const void *bytes = btf == nullptr ? nullptr : btf__raw_data(btf, &size);
  if (bytes == nullptr) reject(info.Env(), "object.btf", ENOENT, "expected a .BTF section, found none");
  return giveBytes(info.Env(), bytes, size);
}

Napi::Value Object::mapNames(const Napi::CallbackInfo &info) {
  requireOpen(info.Env(), *state_, "object.mapNames");
  Napi::Array names = Napi::Array::New(info.Env());
  uint32_t index = 0;
  const bpf_map *map = nullptr;
  bpf_object__for_each_map(map, state_->get()) names.Set(index++, Napi::String::New(info.Env(), bpf_map__name(map)));
  return names;
}

Napi::Value Object::mapShape(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string name = takeString(info[0], "object.mapShape", "mapName");
  requireOpen(env, *state_, "object.mapShape");
  const bpf_map *map = findMap(env, *state_, "object.mapShape", name);
  Napi::Object shape = Napi::Object::New(env);
  const auto set = [&](const char *key, uint32_t value) { shape.Set(key, Napi::Number::New(env, value)); };
  set("type", bpf_map__type(map));
  set("keySize", bpf_map__key_size(map));
  set("valueSize", bpf_map__value_size(map));
  set("maxEntries", bpf_map__max_entries(map));
  set("flags", bpf_map__map_flags(map));
  set("keyTypeId", bpf_map__btf_key_type_id(map));
  set("valueTypeId", bpf_map__btf_value_type_id(map));
  return shape;
}

Napi::Value Object::programNames(const Napi::CallbackInfo &info) {
  requireOpen(info.Env(), *state_, "object.programNames");
  Napi::Array names = Napi::Array::New(info.Env());
  uint32_t index = 0;
  bpf_program *program = nullptr;
  bpf_object__for_each_program(program, state_->get()) {
    names.Set(index++, Napi::String::New(info.Env(), bpf_program__name(program)));
  }
  return names;
}

Napi::Value Object::rodata(const Napi::CallbackInfo &info) {
  requireUnloaded(info.Env(), *state_, "object.rodata");
  bpf_map *map = nullptr;
  size_t size = 0;
  const void *bytes = initialRodata(info.Env(), *state_, "object.rodata", &map, &size);
  return giveBytes(info.Env(), bytes, size);
}

void Object::setRodata(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const Bytes bytes = takeBytes(info[0], "object.setRodata", "bytes");
  requireUnloaded(env, *state_, "object.setRodata");
  bpf_map *map = nullptr;
  size_t size = 0;
  initialRodata(env, *state_, "object.setRodata", &map, &size);
  if (bytes.length != size) {
    reject(env, "object.setRodata", EINVAL,
           "expected " + std::to_string(size) + " bytes, found " + std::to_string(bytes.length), {{"map", kRodata}});
  }
  const int error = bpf_map__set_initial_value(map, bytes.data, bytes.length);
  if (error != 0) refuse(env, "object.setRodata", error, {{"map", kRodata}});
}

void Object::setMaxEntries(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string name = takeString(info[0], "object.setMaxEntries", "mapName");
  const uint32_t entries = takeUnsigned(info[1], "object.setMaxEntries", "maxEntries", 1, UINT32_MAX);
  requireUnloaded(env, *state_, "object.setMaxEntries");
  const int error = bpf_map__set_max_entries(findMap(env, *state_, "object.setMaxEntries", name), entries);
  if (error != 0) refuse(env, "object.setMaxEntries", error, {{"map", name}});
}

void Object::reuseMap(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string name = takeString(info[0], "object.reuseMap", "mapName");
  const Map *given = takeWrapped<Map>(info[1], "object.reuseMap", "a NativeMap as map");
  requireUnloaded(env, *state_, "object.reuseMap");
  given->requireUsable(env, "object.reuseMap");
  bpf_map *own = findMap(env, *state_, "object.reuseMap", name);
  requireSameShape(env, "object.reuseMap", own, given->shape());
  const int error = bpf_map__reuse_fd(own, given->descriptor());
  if (error != 0) refuse(env, "object.reuseMap", error, {{"map", name}});
}

void Object::load(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  requireUnloaded(env, *state_, "object.load");
  const KernelLog log;
  const int error = bpf_object__load(state_->get());
  if (error == 0) {
    state_->setPhase(ObjectState::Phase::kLoaded);
    return;
  }
  state_->setPhase(ObjectState::Phase::kRefused);
  reject(env, "object.load", -error, "the kernel refused the object\n" + log.tail(kLogTailBytes));
}

Napi::Value Object::map(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string name = takeString(info[0], "object.map", "name");
  requireLoaded(env, *state_, "object.map");
  bpf_map *map = findMap(env, *state_, "object.map", name);
  return Map::ofObject(env, state_, map);
}

Napi::Value Object::program(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string name = takeString(info[0], "object.program", "name");
  requireLoaded(env, *state_, "object.program");
  bpf_program *program = bpf_object__find_program_by_name(state_->get(), name.c_str());
  if (program == nullptr) {
    reject(env, "object.program", ENOENT, "expected a program of the object, found none", {{"program", name}});
  }
  return construct<Program>(env, {state_, program});
}

void Object::close(const Napi::CallbackInfo &) { state_->close(); }

}  // namespace bng
