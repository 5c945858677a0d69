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

#include "errors.h"
#include "kernel_log.h"
#include "program.h"

namespace bng {

namespace {

class XdpAttachment final : public Attachment {
 public:
  explicit XdpAttachment(int descriptor) : descriptor_(descriptor) {}
  ~XdpAttachment() override { XdpAttachment::close(); }

  bool isClosed() const override { return descriptor_ < 0; }

  int replace(int programDescriptor) override { return bpf_link_update(descriptor_, programDescriptor, nullptr); }

  void close() override {
    if (descriptor_ < 0) return;
    // Detaching first makes the effect immediate; it fails only when the interface is gone, and then nothing is left.
    bpf_link_detach(descriptor_);
    ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

class TcAttachment final : public Attachment {
 public:
  TcAttachment(uint32_t ifindex, bool ingress)
      : ifindex_(static_cast<int>(ifindex)), point_(ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS) {}
  ~TcAttachment() override { TcAttachment::close(); }

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

  void close() override {
    if (programId_ == 0) return;
    const KernelLog log;
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex_, .attach_point = point_);
    LIBBPF_OPTS(bpf_tc_opts, present, .handle = kHandle, .priority = kPriority);
    // Only our own program is taken away; whoever replaced it at the handle keeps theirs.
    if (bpf_tc_query(&hook, &present) == 0 && present.prog_id == programId_) {
      LIBBPF_OPTS(bpf_tc_opts, gone, .handle = kHandle, .priority = kPriority);
      bpf_tc_detach(&hook, &gone);
    }
    programId_ = 0;
  }

 private:
  static constexpr uint32_t kHandle = 1;
  static constexpr uint32_t kPriority = 1;

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

Link::Link(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Link>(info) {
  Seed &seed = takeSeed<Link>(info);
  object_ = std::move(seed.object);
  attachment_ = std::move(seed.attachment);
}

void Link::replace(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const Program *program = takeWrapped<Program>(info[0], "link.replace", "a NativeProgram as program");
  if (attachment_->isClosed()) reject(env, "link.replace", EBADF, "expected an open link, found a closed one");
  program->requireUsable(env, "link.replace");
  const int error = attachment_->replace(program->descriptor());
  if (error != 0) refuse(env, "link.replace", error, {{"program", program->name()}});
  // The link follows its program, so that the object of the replaced one can close without a gap in forwarding.
  object_->release(attachment_);
  object_ = program->object();
  object_->adopt(attachment_);
}

void Link::close(const Napi::CallbackInfo &) {
  attachment_->close();
  object_->release(attachment_);
}

}  // namespace bng
