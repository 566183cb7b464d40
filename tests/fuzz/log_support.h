// A log on a disk in memory, and the disk's files as texts.

#ifndef CX_TESTS_FUZZ_LOG_SUPPORT_H
#define CX_TESTS_FUZZ_LOG_SUPPORT_H

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" {
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/log/segment.h"
#include "core/log/wal.h"
#include "tests/support/sim_disk.h"
}

using Files = std::map<std::string, std::string>;
using Records = std::vector<std::string>;

struct FuzzDisk {
  FuzzDisk() : disk(sim_disk_new()) {}
  ~FuzzDisk() { sim_disk_free(disk); }
  FuzzDisk(const FuzzDisk &) = delete;
  FuzzDisk &operator=(const FuzzDisk &) = delete;

  // All files but the lock.
  Files Content() const {
    std::vector<std::string> names;
    Files files;
    cx_disk *base = sim_disk_base(disk);
    auto add = [](void *arg, const char *name) {
      static_cast<std::vector<std::string> *>(arg)->push_back(name);
    };
    FUZZ_REQUIRE(base->ops->list(base, add, &names) == CX_OK, "the disk cannot list");
    for (const std::string &name : names) {
      size_t size;
      const uint8_t *data = sim_disk_content(disk, name.c_str(), &size);
      if (name != "LOCK") files[name] = FuzzText({data, size});
    }
    return files;
  }

  sim_disk *disk;
};

inline std::string LogName(uint64_t number) {
  char name[CX_SEGMENT_NAME_SIZE];
  cx_segment_name(CX_SEGMENT_NAME_LOG, number, name);
  return name;
}

// Numbers that are the same in every run.
struct FuzzRandom {
  cx_random base = {Fill};  // First, so that the cast below holds.
  mutable uint64_t state = 1;

  static void Fill(const cx_random *random, void *memory, size_t size) {
    auto *self = reinterpret_cast<const FuzzRandom *>(random);
    for (size_t i = 0; i < size; i++) {
      self->state = self->state * 6364136223846793005u + 1442695040888963407u;
      static_cast<uint8_t *>(memory)[i] = static_cast<uint8_t>(self->state >> 56);
    }
  }
};

class FuzzLog {
 public:
  FuzzLog(sim_disk *disk, uint64_t segment_size) {
    options.disk = sim_disk_base(disk);
    options.random = &random_.base;
    options.segment_size = segment_size;
    options.sync = true;
    options.describe = [](void *, cx_bytes, char *text, size_t) { text[0] = '\0'; };
  }
  ~FuzzLog() { Close(false); }

  // Opens the log. A refusal names its reason, in words.
  cx_status Open() {
    error = {};
    cx_status status = cx_wal_open(&options, &log, &report, &error);
    if (status != CX_OK) {
      FUZZ_REQUIRE(error.reason != CX_REASON_NONE && error.message[0] != '\0',
                   "refused without a word");
      FUZZ_REQUIRE((status == CX_DATA_LOSS) == (error.reason == CX_REASON_DAMAGED),
                   "the status is %d, the reason %s", status, cx_reason_name(error.reason));
      FUZZ_REQUIRE(status != CX_DATA_LOSS || cx_error_detail_get(&error, "file").size > 0,
                   "damage without a file");
    }
    return status;
  }

  void Close(bool clean) {
    if (log != nullptr) log->ops->close(log, clean);
    log = nullptr;
  }

  // All the records, which must be there, in their order.
  Records ReadAll() {
    Walk walk;
    uint64_t tail = log->ops->tail(log).revision;
    cx_status status = tail == 0 ? CX_OK : log->ops->read(log, 1, tail, OnRecord, &walk);
    FUZZ_REQUIRE(status == CX_OK, "an open log cannot be read: %d", status);
    FUZZ_REQUIRE(walk.records.size() == tail, "%zu of %llu records", walk.records.size(),
                 static_cast<unsigned long long>(tail));
    return walk.records;
  }

  cx_wal_options options = {};
  cx_log *log = nullptr;
  cx_wal_report report = {};
  cx_error error = {};

 private:
  struct Walk {
    Records records;
  };

  static cx_status OnRecord(void *arg, const cx_log_record *record) {
    auto *walk = static_cast<Walk *>(arg);
    walk->records.push_back(FuzzText(record->payload));
    FUZZ_REQUIRE(record->revision == walk->records.size(), "a revision is out of order");
    return CX_OK;
  }

  FuzzRandom random_;
};

#endif  // CX_TESTS_FUZZ_LOG_SUPPORT_H
