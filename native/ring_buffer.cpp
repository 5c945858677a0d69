// Reads a ring buffer when its epoll descriptor is readable. JavaScript is never called while libbpf consumes, so a
// callback may close anything. SPDX-License-Identifier: Apache-2.0
#include "ring_buffer.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "arguments.h"
#include "errors.h"
#include "map.h"
#include "poll_handle.h"

namespace bng {

namespace {

constexpr uint32_t kMinSlabBytes = 64;
constexpr uint32_t kMaxSlabBytes = 1U << 30;
// Slabs handed over in one turn of the loop, so that a flood leaves the loop time for others.
constexpr int kSlabsPerTurn = 8;
// u32 length and u32 zero in front of a record.
constexpr size_t kHeadBytes = 8;

size_t paddedSize(size_t length) { return kHeadBytes + (length + 7) / 8 * 8; }

void writeRecord(uint8_t *target, const void *data, size_t length) {
  const uint32_t head[2] = {static_cast<uint32_t>(length), 0};
  std::memcpy(target, head, kHeadBytes);
  std::memcpy(target + kHeadBytes, data, length);
  std::memset(target + kHeadBytes + length, 0, paddedSize(length) - kHeadBytes - length);
}

}  // namespace

class RingReader final : public Child, public std::enable_shared_from_this<RingReader> {
 public:
  RingReader(Napi::Env env, std::shared_ptr<ObjectState> object, Napi::Function onBatch, uint32_t slabBytes)
      : env_(env), object_(std::move(object)), onBatch_(Napi::Persistent(onBatch)), slabBytes_(slabBytes) {}
  ~RingReader() override { RingReader::close(); }

  // 0 or a negative errno. While open the reader keeps itself, and so its object, alive through the poll handle.
  int start(int mapDescriptor) {
    ring_ = ring_buffer__new(mapDescriptor, onSample, this, nullptr);
    if (ring_ == nullptr) return -errno;
    freshSlab();  // too large a slab fails here, not on the loop
    int error = 0;
    poll_ = PollHandle::start(
        env_, ring_buffer__epoll_fd(ring_),
        {[self = shared_from_this()](int) { self->readAll(); }, [self = shared_from_this()] { self->close(); }},
        &error);
    if (poll_ == nullptr) return error;
    object_->adopt(shared_from_this());
    return 0;
  }

  void close() override {
    if (poll_ != nullptr) std::exchange(poll_, nullptr)->close();
    if (ring_ != nullptr) ring_buffer__free(std::exchange(ring_, nullptr));
    if (object_ == nullptr) return;
    onBatch_.Reset();
    slab_.Reset();
    const std::shared_ptr<RingReader> self = weak_from_this().lock();
    if (self != nullptr) std::exchange(object_, nullptr)->release(self);
  }

 private:
  static int onSample(void *self, void *data, size_t length) {
    return static_cast<RingReader *>(self)->take(data, length);
  }

  // libbpf counts the record as consumed even when told to stop, so one that does not fit is put aside.
  int take(const void *data, size_t length) {
    const size_t size = paddedSize(length);
    if (size > slabBytes_ - used_) {
      aside_.resize(size);
      writeRecord(aside_.data(), data, length);
      return -1;
    }
    writeRecord(target_ + used_, data, length);
    used_ += size;
    records_ += 1;
    return 0;
  }

  void readAll() {
    for (int slab = 0; ring_ != nullptr; slab += 1) {
      const Napi::HandleScope scope(env_);
      Napi::Uint8Array bytes = freshSlab();
      const bool oversize = aside_.size() > slabBytes_;
      if (oversize) bytes = giveBytes(env_, aside_.data(), aside_.size());
      used_ = aside_.size();
      records_ = aside_.empty() ? 0 : 1;
      if (!oversize && used_ > 0) std::memcpy(target_, aside_.data(), used_);
      aside_.clear();
      // The last slab of a turn carries only what was put aside: the kernel still holds the rest.
      const bool last = slab >= kSlabsPerTurn;
      if (!oversize && !last) ring_buffer__consume(ring_);
      if (records_ > 0) {
        callFromLoop(env_, onBatch_,
                     {bytes, Napi::Number::New(env_, static_cast<double>(used_)), Napi::Number::New(env_, records_)});
      }
      if (aside_.empty() && (last || !oversize)) return;
    }
  }

  // The slab as it is now: JavaScript may have detached its memory.
  Napi::Uint8Array freshSlab() {
    if (!slab_.IsEmpty()) {
      const Bytes bytes = takeBytes(slab_.Value(), "ringBuffer.read", "slab");
      if (bytes.length == slabBytes_) {
        target_ = const_cast<uint8_t *>(bytes.data);
        return slab_.Value();
      }
    }
    Napi::Uint8Array slab = Napi::Uint8Array::New(env_, slabBytes_);
    slab_ = Napi::Persistent(slab);
    target_ = slab.Data();
    return slab;
  }

  Napi::Env env_;
  std::shared_ptr<ObjectState> object_;
  Napi::FunctionReference onBatch_;
  Napi::Reference<Napi::Uint8Array> slab_;
  uint32_t slabBytes_;
  ring_buffer *ring_ = nullptr;
  PollHandle *poll_ = nullptr;
  uint8_t *target_ = nullptr;
  size_t used_ = 0;
  uint32_t records_ = 0;
  std::vector<uint8_t> aside_;
};

void RingBuffer::define(Napi::Env env) {
  registerClass<RingBuffer>(env, DefineClass(env, "NativeRingBuffer", {InstanceMethod<&RingBuffer::close>("close")}));
}

Napi::Value RingBuffer::open(const Napi::CallbackInfo &info) {
  const char *operation = "ringBuffer.open";
  const Napi::Env env = info.Env();
  const Map *map = takeWrapped<Map>(info[0], operation, "a NativeMap as map");
  const Napi::Object options = takeObject(info[1], operation, "options");
  // Getters run JavaScript: the map is judged after them.
  const Napi::Value slabValue = options.Get("slabBytes");
  const Napi::Value callbackValue = options.Get("onBatch");
  const uint32_t slabBytes = takeUnsigned(slabValue, operation, "slabBytes", kMinSlabBytes, kMaxSlabBytes);
  const Napi::Function onBatch = takeFunction(callbackValue, operation, "onBatch");
  map->requireUsable(env, operation);
  if (map->shape().type != BPF_MAP_TYPE_RINGBUF) {
    reject(env, operation, EINVAL, "expected a map of type RINGBUF, found another", {{"map", map->name()}});
  }
  auto reader = std::make_shared<RingReader>(env, map->object(), onBatch, slabBytes);
  const int error = reader->start(map->descriptor());
  if (error != 0) refuse(env, operation, error, {{"map", map->name()}});
  return construct<RingBuffer>(env, {std::move(reader)});
}

RingBuffer::RingBuffer(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<RingBuffer>(info), reader_(std::move(takeSeed<RingBuffer>(info).reader)) {}

void RingBuffer::close(const Napi::CallbackInfo &) { reader_->close(); }

}  // namespace bng
