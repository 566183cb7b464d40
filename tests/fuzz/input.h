// What a fuzz target makes of its bytes, and how it says that a promise was broken.
//
// Any bytes are an input: what is not there reads as zero or empty. So an input that is
// cut or grown still means nearly the same, and the fuzzer learns from it.

#ifndef CX_TESTS_FUZZ_INPUT_H
#define CX_TESTS_FUZZ_INPUT_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" {
#include "core/base/bytes.h"
#include "core/base/memory.h"
}

// Ends the process, with what should have held: a find.
#define FUZZ_REQUIRE(condition, ...)                                  \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      fprintf(stderr, __VA_ARGS__);                                   \
      fputc('\n', stderr);                                            \
      abort();                                                        \
    }                                                                 \
  } while (0)

class Input {
 public:
  Input(const uint8_t *data, size_t size) : data_(data), size_(size) {}

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  uint8_t Byte() {
    if (size_ == 0) return 0;
    size_--;
    return *data_++;
  }

  // A number of `bytes` bytes, the lowest first.
  uint64_t Number(size_t bytes = 8) {
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) number |= static_cast<uint64_t>(Byte()) << (8 * i);
    return number;
  }

  // 0 to `count` - 1. `count` is at least 1.
  uint64_t Below(uint64_t count) {
    return Number(count <= 256 ? 1 : count <= 65536 ? 2 : 4) % count;
  }

  bool Flag() { return (Byte() & 1) != 0; }

  // Up to `size` bytes, as they are.
  std::string Take(size_t size) {
    size = size < size_ ? size : size_;
    std::string taken(reinterpret_cast<const char *>(data_), size);
    data_ += size;
    size_ -= size;
    return taken;
  }

  // Bytes behind their size, which is one byte, or two from 0xe0 on.
  std::string Run() {
    size_t size = Byte();
    if (size >= 0xe0) size = (size & 0x1f) << 8 | Byte();
    return Take(size);
  }

  std::string Rest() { return Take(size_); }

 private:
  const uint8_t *data_;
  size_t size_;
};

inline cx_bytes FuzzBytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

inline std::string FuzzText(cx_bytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

// For messages about a find.
inline std::string FuzzHex(const std::string &bytes) {
  std::string hex;
  for (unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

// Requires that whatever core/ allocated meanwhile is free again.
class NoLeaks {
 public:
  NoLeaks() : before_(cx_memory_used()) {}
  ~NoLeaks() {
    long long more = cx_memory_used() - before_;
    FUZZ_REQUIRE(more == 0, "%lld bytes of core/ were not freed", more);
  }

 private:
  int64_t before_;
};

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif  // CX_TESTS_FUZZ_INPUT_H
