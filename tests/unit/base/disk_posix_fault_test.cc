// The promises of core/base/disk.h when system calls fail, one after the other: interrupted
// and short ones go on, the others are told by the right name, and nothing is left open.

extern "C" {
#include "core/base/disk.h"
#include "core/base/memory.h"
#include "tests/support/sim_posix.h"
}

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

cx_bytes BytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class DiskPosixFaultTest : public testing::Test {
 protected:
  DiskPosixFaultTest() : before_(cx_memory_used()) {
    simulated_ = sim_disk_new();
    sim_posix_mount("/sim", simulated_);
    EXPECT_EQ(CX_OK, cx_disk_posix_open("/sim", &disk_));
    EXPECT_EQ(CX_OK, disk_->ops->open(disk_, "file", CX_DISK_OPEN_NEW, &file_));
    sim_posix_set_hook(OnCall, this);
  }

  ~DiskPosixFaultTest() override {
    sim_posix_set_hook(nullptr, nullptr);
    file_->ops->close(file_);
    cx_disk_posix_close(disk_);
    EXPECT_EQ(0u, sim_posix_open_count()) << "everything is closed";
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
    sim_posix_unmount();
    sim_disk_free(simulated_);
  }

  static void OnCall(void *arg, const sim_call *call, sim_verdict *verdict) {
    auto *self = static_cast<DiskPosixFaultTest *>(arg);
    self->calls_++;
    if (call->kind == self->kind_ && self->times_ > 0) {
      self->times_--;
      *verdict = self->verdict_;
    }
  }

  // The next `times` calls of this kind end so.
  void Fail(sim_call_kind kind, sim_verdict verdict, int times = 1) {
    kind_ = kind;
    verdict_ = verdict;
    times_ = times;
    calls_ = 0;
  }

  std::string Content(const char *name) {
    size_t size = 0;
    const uint8_t *data = sim_disk_content(simulated_, name, &size);
    return data != nullptr ? std::string(data, data + size) : "none";
  }

  cx_status OpenAndClose(cx_disk_open how, const char *name = "other") {
    cx_file *file;
    cx_status status = disk_->ops->open(disk_, name, how, &file);
    if (status == CX_OK) file->ops->close(file);
    return status;
  }

  cx_status Read(std::string *ret_text = nullptr) {
    char memory[16];
    size_t size = 0;
    cx_status status = file_->ops->read(file_, 0, memory, sizeof memory, &size);
    if (ret_text != nullptr) *ret_text = std::string(memory, size);
    return status;
  }

  cx_status List(std::set<std::string> *ret_names = nullptr) {
    std::set<std::string> names;
    auto each = [](void *arg, const char *name) {
      static_cast<std::set<std::string> *>(arg)->insert(name);
    };
    cx_status status = disk_->ops->list(disk_, each, &names);
    if (ret_names != nullptr) *ret_names = names;
    return status;
  }

  // Every function, and the call whose failure it tells.
  std::map<sim_call_kind, std::function<cx_status()>> Functions() {
    return {
        {SIM_CALL_OPEN, [this] { return OpenAndClose(CX_DISK_OPEN_LOCKED); }},
        {SIM_CALL_LOCK, [this] { return OpenAndClose(CX_DISK_OPEN_LOCKED); }},
        {SIM_CALL_READ, [this] { return Read(); }},
        {SIM_CALL_WRITE, [this] { return file_->ops->write(file_, 0, BytesOf("hello")); }},
        {SIM_CALL_SYNC, [this] { return file_->ops->sync(file_); }},
        {SIM_CALL_ALLOCATE, [this] { return file_->ops->allocate(file_, 100); }},
        {SIM_CALL_SIZE,
         [this] {
           uint64_t size;
           return file_->ops->size(file_, &size);
         }},
        {SIM_CALL_RENAME, [this] { return disk_->ops->rename(disk_, "file", "file"); }},
        {SIM_CALL_REMOVE, [this] { return disk_->ops->remove(disk_, "file"); }},
        {SIM_CALL_SYNC_DIRECTORY, [this] { return disk_->ops->sync_directory(disk_); }},
        {SIM_CALL_OPEN_DIRECTORY, [this] { return List(); }},
        {SIM_CALL_LIST, [this] { return List(); }},
        {SIM_CALL_LIST_NEXT, [this] { return List(); }},
    };
  }

  int64_t before_;
  sim_disk *simulated_;
  cx_disk *disk_ = nullptr;
  cx_file *file_ = nullptr;
  sim_call_kind kind_ = SIM_CALL_COUNT;
  sim_verdict verdict_ = {};
  int times_ = 0;
  size_t calls_ = 0;
};

TEST_F(DiskPosixFaultTest, TellsEveryFailureByItsName) {
  const std::map<int, cx_status> statuses = {
      {EIO, CX_UNAVAILABLE},           {ENOSPC, CX_RESOURCE_EXHAUSTED},
      {EDQUOT, CX_RESOURCE_EXHAUSTED}, {EFBIG, CX_RESOURCE_EXHAUSTED},
      {ENOMEM, CX_RESOURCE_EXHAUSTED}, {EACCES, CX_PERMISSION_DENIED},
      {EPERM, CX_PERMISSION_DENIED},   {EROFS, CX_PERMISSION_DENIED},
      {ENOENT, CX_NOT_FOUND},          {EEXIST, CX_ALREADY_EXISTS},
      {EMFILE, CX_UNAVAILABLE},
  };
  for (const auto &function : Functions()) {
    for (const auto &expected : statuses) {
      Fail(function.first, {expected.first, 0, SIM_SYNC_RETRIED});
      EXPECT_EQ(expected.second, function.second())
          << sim_call_name(function.first) << ": " << strerror(expected.first);
      EXPECT_EQ(0, times_) << "the call was made";
    }
  }
  EXPECT_EQ("", Content("file")) << "and nothing has happened";
}

TEST_F(DiskPosixFaultTest, RepeatsWhatWasInterrupted) {
  for (const auto &function : Functions()) {
    switch (function.first) {
      case SIM_CALL_SIZE:
      case SIM_CALL_RENAME:
      case SIM_CALL_REMOVE:
      case SIM_CALL_LIST:
      case SIM_CALL_LIST_NEXT:
        continue;  // Are never interrupted.
      default:
        Fail(function.first, {EINTR, 0, SIM_SYNC_RETRIED}, 3);
        EXPECT_EQ(CX_OK, function.second()) << sim_call_name(function.first);
        EXPECT_EQ(0, times_);
    }
  }
  EXPECT_EQ("hello", Content("file").substr(0, 5));
}

TEST_F(DiskPosixFaultTest, GoesOnWithWhatWasShort) {
  Fail(SIM_CALL_WRITE, {0, 2, SIM_SYNC_RETRIED}, 100);
  EXPECT_EQ(CX_OK, file_->ops->write(file_, 0, BytesOf("hello, world")));
  EXPECT_EQ(6u, calls_);
  std::string text;
  Fail(SIM_CALL_READ, {0, 5, SIM_SYNC_RETRIED}, 100);
  EXPECT_EQ(CX_OK, Read(&text));
  EXPECT_EQ("hello, world", text);
  EXPECT_EQ(4u, calls_) << "and one that finds the end";
}

TEST_F(DiskPosixFaultTest, FailsAWriteThatTheDiskHasRoomForAPartOf) {
  sim_disk_set_capacity(simulated_, 5);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, file_->ops->write(file_, 0, BytesOf("hello, world")));
  EXPECT_EQ("hello", Content("file"));
}

TEST_F(DiskPosixFaultTest, FailsAReadInTheMiddle) {
  ASSERT_EQ(CX_OK, file_->ops->write(file_, 0, BytesOf("hello, world")));
  int reads = 0;
  auto second_fails = [](void *arg, const sim_call *, sim_verdict *verdict) {
    bool first = (*static_cast<int *>(arg))++ == 0;
    *verdict = first ? sim_verdict{0, 4, SIM_SYNC_RETRIED} : sim_verdict{EIO, 0, SIM_SYNC_RETRIED};
  };
  sim_posix_set_hook(second_fails, &reads);
  EXPECT_EQ(CX_UNAVAILABLE, Read());
  EXPECT_EQ(2, reads);
}

TEST_F(DiskPosixFaultTest, SyncsAFailedFileOnlyOnce) {
  ASSERT_EQ(CX_OK, file_->ops->write(file_, 0, BytesOf("x")));
  Fail(SIM_CALL_SYNC, {EIO, 0, SIM_SYNC_KEPT});
  EXPECT_EQ(CX_UNAVAILABLE, file_->ops->sync(file_));
  EXPECT_EQ(1u, calls_) << "a second one would tell of success";
}

TEST_F(DiskPosixFaultTest, OpensNoDirectoryThatCannotBeMadeOrRead) {
  cx_disk *disk;
  for (sim_call_kind kind : {SIM_CALL_CREATE_DIRECTORY, SIM_CALL_OPEN_DIRECTORY}) {
    Fail(kind, {EROFS, 0, SIM_SYNC_RETRIED});
    EXPECT_EQ(CX_PERMISSION_DENIED, cx_disk_posix_open("/sim", &disk));
    Fail(kind, {ENOSPC, 0, SIM_SYNC_RETRIED});
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_disk_posix_open("/sim", &disk));
    Fail(kind, {ENOTDIR, 0, SIM_SYNC_RETRIED});
    EXPECT_EQ(CX_FAILED_PRECONDITION, cx_disk_posix_open("/sim", &disk));
  }
}

TEST_F(DiskPosixFaultTest, ForgetsWhatTheSystemKeptOfAFailedSync) {
  ASSERT_EQ(CX_OK, disk_->ops->sync_directory(disk_));
  ASSERT_EQ(CX_OK, file_->ops->write(file_, 0, BytesOf("old")));
  ASSERT_EQ(CX_OK, file_->ops->sync(file_));
  ASSERT_EQ(CX_OK, file_->ops->write(file_, 0, BytesOf("new")));
  Fail(SIM_CALL_SYNC, {EIO, 0, SIM_SYNC_KEPT});
  EXPECT_EQ(CX_UNAVAILABLE, file_->ops->sync(file_));
  std::string text;
  EXPECT_EQ(CX_OK, Read(&text));
  EXPECT_EQ("new", text);
  file_->ops->drop_cache(file_);
  EXPECT_EQ(CX_OK, Read(&text));
  EXPECT_EQ("old", text);
}

}  // namespace
