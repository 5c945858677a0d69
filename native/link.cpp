// Both kinds of attachment and NativeLink's verbs over them. SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "arguments.h"
#include "errors.h"
#include "kernel_log.h"
#include "pinned.h"
#include "program.h"

namespace bng {

namespace {

class XdpAttachment final : public Attachment {
 public:
  explicit XdpAttachment(int descriptor) : descriptor_(descriptor) {}
  ~XdpAttachment() override { close(); }

  bool isClosed() const override { return descriptor_ < 0; }

  int replace(int programDescriptor) override { return bpf_link_update(descriptor_, programDescriptor, nullptr); }

  int pin(const char *path) override {
    if (bpf_obj_pin(descriptor_, path) != 0) return -errno;
    leave();
    return 0;
  }

  int inspect(AttachmentInfo *info) const override {
    bpf_link_info found{};
    uint32_t size = sizeof found;
    if (bpf_obj_get_info_by_fd(descriptor_, &found, &size) != 0) return -errno;
    *info = {found.xdp.ifindex, found.prog_id};
    return 0;
  }

  void detach() override {
    // Detaching first makes the effect immediate; it fails only when the interface is gone, and then nothing is left.
    bpf_link_detach(descriptor_);
    forget();
  }

 private:
  void forget() override { ::close(std::exchange(descriptor_, -1)); }

  int descriptor_;
};

class TcAttachment final : public Attachment {
 public:
  TcAttachment(uint32_t ifindex, bool ingress)
      : ifindex_(static_cast<int>(ifindex)), point_(ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS) {}
  ~TcAttachment() override { close(); }

  // Makes clsact when missing and takes the place of a filter that an earlier process left at our handle.
  int attach(int programDescriptor) {
    const KernelLog log;
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex_, .attach_point = point_);
    const int error = bpf_tc_hook_create(&hook);
    if (error != 0 && error != -EEXIST) return error;
    return put(hook, programDescriptor);
  }

  bool isClosed() const override { return programId_ == 0; }

  int replace(int programDescriptor) override {
    const KernelLog log;
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex_, .attach_point = point_);
    return put(hook, programDescriptor);
  }

  int pin(const char *) override { return -EOPNOTSUPP; }

  int inspect(AttachmentInfo *info) const override {
    const KernelLog log;
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex_, .attach_point = point_);
    LIBBPF_OPTS(bpf_tc_opts, present, .handle = kHandle, .priority = kPriority);
    const int error = bpf_tc_query(&hook, &present);
    *info = {static_cast<uint32_t>(ifindex_), present.prog_id};
    return error;
  }

  void detach() override {
    const KernelLog log;
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex_, .attach_point = point_);
    LIBBPF_OPTS(bpf_tc_opts, present, .handle = kHandle, .priority = kPriority);
    // Only our own program is taken away; whoever replaced it at the handle keeps theirs.
    if (bpf_tc_query(&hook, &present) == 0 && present.prog_id == programId_) {
      LIBBPF_OPTS(bpf_tc_opts, gone, .handle = kHandle, .priority = kPriority);
      bpf_tc_detach(&hook, &gone);
    }
    forget();
  }

 private:
  static constexpr uint32_t kHandle = 1;
  static constexpr uint32_t kPriority = 1;

  void forget() override { programId_ = 0; }

  int put(const bpf_tc_hook &hook, int programDescriptor) {
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = programDescriptor, .flags = BPF_TC_F_REPLACE, .handle = kHandle,
                .priority = kPriority);
    const int error = bpf_tc_attach(&hook, &options);
    if (error == 0) programId_ = options.prog_id;
    return error;
  }

  int ifindex_;
  bpf_tc_attach_point point_;
  uint32_t programId_ = 0;
};

}  // namespace

void Link::define(Napi::Env env) {
  registerClass<Link>(env, DefineClass(env, "NativeLink",
                                       {
                                           InstanceMethod<&Link::replace>("replace"),
                                           InstanceMethod<&Link::pin>("pin"),
                                           InstanceMethod<&Link::leave>("leave"),
                                           InstanceMethod<&Link::info>("info"),
                                           InstanceMethod<&Link::detach>("detach"),
                                           InstanceMethod<&Link::close>("close"),
                                       }));
}

Napi::Value Link::attachXdp(Napi::Env env, const Program &program, uint32_t ifindex, bool native) {
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  const int descriptor = bpf_link_create(program.descriptor(), static_cast<int>(ifindex), BPF_XDP, &options);
  if (descriptor < 0) {
    refuse(
        env, "program.attachXdp", descriptor,
        {{"program", program.name()}, {"ifindex", std::to_string(ifindex)}, {"mode", native ? "native" : "generic"}});
  }
  auto attachment = std::make_shared<XdpAttachment>(descriptor);
  program.object()->adopt(attachment);
  return construct<Link>(env, {program.object(), attachment});
}

Napi::Value Link::attachTc(Napi::Env env, const Program &program, uint32_t ifindex, bool ingress) {
  auto attachment = std::make_shared<TcAttachment>(ifindex, ingress);
  const int error = attachment->attach(program.descriptor());
  if (error != 0) {
    refuse(env, "program.attachTc", error,
           {{"program", program.name()},
            {"ifindex", std::to_string(ifindex)},
            {"direction", ingress ? "ingress" : "egress"}});
  }
  program.object()->adopt(attachment);
  return construct<Link>(env, {program.object(), attachment});
}

Napi::Value Link::openPinned(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const int descriptor = openPinnedDescriptor(info[0], "link.openPinned", "bpf-link", "a link");
  bpf_link_info found{};
  uint32_t size = sizeof found;
  const int error = bpf_obj_get_info_by_fd(descriptor, &found, &size) == 0 ? 0 : errno;
  if (error != 0 || found.type != BPF_LINK_TYPE_XDP) {
    ::close(descriptor);
    if (error != 0) refuse(env, "link.openPinned", error);
    reject(env, "link.openPinned", EINVAL, "expected an XDP link, found a link of another type");
  }
  auto attachment = std::make_shared<XdpAttachment>(descriptor);
  attachment->leave();
  // Of no object until a program of one replaces the present one.
  auto owner = std::make_shared<ObjectState>(env, nullptr);
  owner->adopt(attachment);
  return construct<Link>(env, {std::move(owner), std::move(attachment)});
}

Link::Link(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Link>(info) {
  Seed &seed = takeSeed<Link>(info);
  object_ = std::move(seed.object);
  attachment_ = std::move(seed.attachment);
}

void Link::replace(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const Program *program = takeWrapped<Program>(info[0], "link.replace", "a NativeProgram as program");
  requireUsable(env, "link.replace");
  program->requireUsable(env, "link.replace");
  const int error = attachment_->replace(program->descriptor());
  if (error != 0) refuse(env, "link.replace", error, {{"program", program->name()}});
  // The link follows its program, so that the object of the replaced one can close without a gap in forwarding.
  object_->release(attachment_);
  object_ = program->object();
  object_->adopt(attachment_);
}

void Link::requireUsable(Napi::Env env, const char *operation) const {
  if (attachment_->isClosed()) reject(env, operation, EBADF, "expected an open link, found a closed one");
}

void Link::pin(const Napi::CallbackInfo &info) {
  const std::string path = takeString(info[0], "link.pin", "path");
  requireUsable(info.Env(), "link.pin");
  const int error = attachment_->pin(path.c_str());
  if (error != 0) refuse(info.Env(), "link.pin", error, {{"path", path}});
}

void Link::leave(const Napi::CallbackInfo &info) {
  requireUsable(info.Env(), "link.leave");
  attachment_->leave();
}

Napi::Value Link::info(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  requireUsable(env, "link.info");
  AttachmentInfo found{};
  const int error = attachment_->inspect(&found);
  if (error != 0) refuse(env, "link.info", error);
  Napi::Object result = Napi::Object::New(env);
  result.Set("ifindex", Napi::Number::New(env, found.ifindex));
  result.Set("programId", Napi::Number::New(env, found.programId));
  return result;
}

void Link::detach(const Napi::CallbackInfo &) {
  if (!attachment_->isClosed()) attachment_->detach();
  object_->release(attachment_);
}

void Link::close(const Napi::CallbackInfo &) {
  attachment_->close();
  object_->release(attachment_);
}

}  // namespace bng
