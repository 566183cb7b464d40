// A write-ahead log over a simulated disk, and what tests do with it.

#ifndef CX_TESTS_UNIT_LOG_WAL_FIXTURE_H
#define CX_TESTS_UNIT_LOG_WAL_FIXTURE_H

extern "C" {
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/log/segment.h"
#include "core/log/wal.h"
#include "tests/support/fail_nth.h"
#include "tests/support/sim_disk.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

using Records = std::vector<std::string>;

inline cx_bytes BytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

// Numbers that are the same in every run.
struct CountingRandom {
  cx_random base = {Fill};
  mutable uint64_t state = 1;

  static void Fill(const cx_random *random, void *memory, size_t size) {
    auto *self = reinterpret_cast<const CountingRandom *>(random);
    for (size_t i = 0; i < size; i++) {
      self->state = self->state * 6364136223846793005u + 1442695040888963407u;
      static_cast<uint8_t *>(memory)[i] = static_cast<uint8_t>(self->state >> 56);
    }
  }
};

// When the record of a revision is made.
using TimeOf = std::function<int64_t(uint64_t revision)>;

inline int64_t MicrosecondsApart(uint64_t revision) {
  return static_cast<int64_t>(1000 + revision);
}

// Frames in a row, as the engine hands them to append().
class Batch {
 public:
  Batch(uint64_t first, const Records &payloads, const TimeOf &time_of = MicrosecondsApart) {
    for (size_t i = 0; i < payloads.size(); i++) {
      size_t at = data_.size();
      data_.resize(at + cx_log_frame_size(payloads[i].size()), 0xee);
      std::memcpy(&data_[at + CX_LOG_HEADER_SIZE], payloads[i].data(), payloads[i].size());
      cx_log_frame_begin(&data_[at], first + i, time_of(first + i), payloads[i].size());
    }
    batch_ = {data_.data(), data_.size(), first, payloads.size()};
  }
  cx_log_batch *get() { return &batch_; }

 private:
  std::vector<uint8_t> data_;
  cx_log_batch batch_;
};

// One opened log. Closes it in the end, without the clean mark.
class Wal {
 public:
  explicit Wal(sim_disk *disk, uint64_t segment_size = 4096) {
    options.disk = sim_disk_base(disk);
    options.random = &random_.base;
    options.segment_size = segment_size;
    options.sync = true;
    options.describe = Describe;
    options.wake_prepare = Wake;
    options.arg = this;
  }
  ~Wal() { Close(false); }

  cx_status Open() {
    Close(false);
    return cx_wal_open(&options, &log, &report, &error);
  }

  void Close(bool clean) {
    if (log != nullptr) log->ops->close(log, clean);
    log = nullptr;
  }

  cx_status Prepare() { return log->ops->prepare(log); }
  cx_log_position Tail() { return log->ops->tail(log); }

  // Admits one payload; lets the log prepare if it needs that.
  cx_reason Admit(const std::string &payload) {
    size_t size = cx_log_frame_size(payload.size());
    cx_reason reason = log->ops->admit(log, size);
    if (reason != CX_REASON_OVERLOADED && reason != CX_REASON_STORAGE_FULL) return reason;
    if (Prepare() == CX_UNAVAILABLE) return CX_REASON_STORAGE_FAILED;
    return log->ops->admit(log, size);
  }

  // Admits and appends the payloads as one batch. With `fail`, no memory is left for appending.
  cx_status Append(const Records &payloads, fail_nth *fail = nullptr) {
    for (const std::string &payload : payloads) {
      cx_reason reason = Admit(payload);
      if (reason != CX_REASON_NONE) return cx_reason_status(reason);
    }
    cx_log_position prev = Tail();
    Batch batch(prev.revision + 1, payloads, time_of);
    cx_log_position tail = {};
    if (fail != nullptr) fail_nth_begin(fail, 1);
    cx_status status = log->ops->append(log, prev, batch.get(), &tail);
    if (fail != nullptr) fail_nth_end(fail);
    if (status == CX_OK) {
      EXPECT_EQ(prev.revision + payloads.size(), tail.revision);
      EXPECT_EQ(tail.identity, Tail().identity);
    }
    return status;
  }

  cx_status Read(uint64_t from, uint64_t to, Records *ret_records) {
    ret_records->clear();
    next_ = from;
    return log->ops->read(
        log, from, to,
        [](void *arg, const cx_log_record *record) {
          auto *call = static_cast<std::pair<Wal *, Records *> *>(arg);
          EXPECT_EQ(call->first->next_++, record->revision);
          EXPECT_EQ(call->first->time_of(record->revision), record->time_us);
          call->second->emplace_back(record->payload.data,
                                     record->payload.data + record->payload.size);
          return CX_OK;
        },
        std::make_unique<std::pair<Wal *, Records *>>(this, ret_records).get());
  }

  Records ReadAll() {
    Records records;
    EXPECT_EQ(CX_OK, Read(1, Tail().revision, &records));
    return records;
  }

  cx_wal_options options = {};
  cx_log *log = nullptr;
  TimeOf time_of = MicrosecondsApart;
  cx_wal_report report = {};
  cx_error error = {};
  int wakes = 0;

 private:
  // Says what the payload begins with, up to a space.
  static void Describe(void *, cx_bytes payload, char *text, size_t size) {
    size_t i = 0;
    while (i < payload.size && i + 1 < size && payload.data[i] > ' ' && payload.data[i] < 0x7f) {
      text[i] = static_cast<char>(payload.data[i]);
      i++;
    }
    text[i] = '\0';
  }
  static void Wake(void *arg) { static_cast<Wal *>(arg)->wakes++; }

  CountingRandom random_;
  uint64_t next_ = 0;
};

inline std::string Detail(const cx_error &error, const char *key) {
  cx_bytes value = cx_error_detail_get(&error, key);
  return {reinterpret_cast<const char *>(value.data), value.size};
}

// A disk that frees itself.
struct SimDisk {
  SimDisk() : disk(sim_disk_new()) {}
  explicit SimDisk(sim_disk *owned) : disk(owned) {}
  SimDisk(const SimDisk &) = delete;
  SimDisk &operator=(const SimDisk &) = delete;
  ~SimDisk() { sim_disk_free(disk); }
  operator sim_disk *() const { return disk; }
  sim_disk *disk;
};

inline std::string LogName(uint64_t number) {
  char name[CX_SEGMENT_NAME_SIZE];
  cx_segment_name(CX_SEGMENT_NAME_LOG, number, name);
  return name;
}

// Records of sizes and times that a seed has chosen: small and large, in bursts and slowly.
struct RandomRecords {
  explicit RandomRecords(unsigned seed, size_t count) : random(seed) {
    int64_t time_us = 1000;
    for (size_t i = 0; i < count; i++) {
      size_t size = random() % 10 == 0 ? random() % 20000 : random() % 500;
      payloads.push_back(std::string(size, static_cast<char>('a' + i % 26)));
      if (random() % 20 == 0) time_us += static_cast<int64_t>(random() % 3000000);
      times_us.push_back(time_us += static_cast<int64_t>(random() % 2000));
    }
  }
  TimeOf time_of() {
    return [this](uint64_t revision) { return times_us[revision - 1]; };
  }
  // Appends all, in batches of some.
  void AppendTo(Wal *wal) {
    wal->time_of = time_of();
    for (size_t i = 0; i < payloads.size();) {
      size_t end = std::min(payloads.size(), i + 1 + random() % 20);
      ASSERT_EQ(CX_OK, wal->Append(Records(payloads.begin() + i, payloads.begin() + end)));
      i = end;
    }
  }

  std::mt19937 random;
  Records payloads;
  std::vector<int64_t> times_us;
};

// A log that tests fill with records.
class FilledLog : public testing::Test {
 protected:
  // Payloads of a frame of `frame_size` bytes, each different.
  std::string Payload(size_t frame_size, int number) {
    std::string text = "context-" + std::to_string(number) + " ";
    text.resize(frame_size - CX_LOG_HEADER_SIZE, static_cast<char>('a' + number % 26));
    return text;
  }

  // Appends one record after the other and remembers them.
  void AppendSome(int count, size_t frame_size, fail_nth *fail = nullptr) {
    for (int i = 0; i < count; i++) {
      appended_.push_back(Payload(frame_size, static_cast<int>(appended_.size())));
      ASSERT_EQ(CX_OK, wal_.Append({appended_.back()}, fail));
    }
  }

  SimDisk disk_;
  Wal wal_{disk_};
  Records appended_;
};

#endif  // CX_TESTS_UNIT_LOG_WAL_FIXTURE_H
