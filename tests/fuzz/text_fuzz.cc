// The small decoders: UTF-8 and names, numbers of the log, names of files.
//
//  - UTF-8 is what RFC 3629 says, told by a second reader that goes by code points.
//  - A text that is cut at its whole size stays UTF-8.
//  - A name that passes keeps to the rules that core/base/text.h lists.
//  - Numbers and runs read back as they were written, and any bytes are read in bounds.
//  - A file's name that parses is the one that its number makes.

#include "tests/fuzz/input.h"

extern "C" {
#include "core/base/text.h"
#include "core/log/segment.h"
#include "core/state/wire.h"
}

namespace {

// The size of the character at `at`, by its code point; 0: it is none. *ret_point is it.
size_t CharacterAt(const std::string &text, size_t at, uint32_t *ret_point) {
  auto byte = [&](size_t i) -> uint32_t {
    return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : 0;
  };
  static const uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  uint32_t first = byte(0);
  size_t size = first < 0x80       ? 1
                : first >> 5 == 6  ? 2
                : first >> 4 == 14 ? 3
                : first >> 3 == 30 ? 4
                                   : 0;
  if (size == 0) return 0;
  uint32_t point = size == 1 ? first : first & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    if (byte(i) >> 6 != 2) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  *ret_point = point;
  bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < kLeast[size] || point > 0x10ffff || surrogate ? 0 : size;
}

struct Reading {
  bool utf8 = true;
  bool control = false;
  bool nul = false;
};

Reading Read(const std::string &text) {
  Reading reading;
  for (size_t at = 0, size; at < text.size(); at += size) {
    uint32_t point;
    size = CharacterAt(text, at, &point);
    if (size == 0) {
      reading.utf8 = false;
      return reading;
    }
    reading.nul = reading.nul || point == 0;
    reading.control = reading.control || point < 0x20 || (point >= 0x7f && point <= 0x9f);
  }
  return reading;
}

void CheckText(const std::string &text, size_t size_min, size_t size_max) {
  Reading reading = Read(text);
  bool fits = text.size() >= size_min && text.size() <= size_max;
  FUZZ_REQUIRE(cx_text_is_utf8(FuzzBytes(text)) == reading.utf8, "%s", FuzzHex(text).c_str());
  bool name = cx_name_check(FuzzBytes(text), size_min, size_max) == nullptr;
  FUZZ_REQUIRE(name == (fits && reading.utf8 && !reading.control), "%s", FuzzHex(text).c_str());
  bool free_text = cx_text_check(FuzzBytes(text), size_max) == nullptr;
  FUZZ_REQUIRE(free_text == (text.size() <= size_max && reading.utf8 && !reading.nul), "%s",
               FuzzHex(text).c_str());

  size_t whole = cx_text_whole_size(FuzzBytes(text));
  FUZZ_REQUIRE(whole <= text.size(), "a prefix of %zu bytes", whole);
  for (size_t size = 0; reading.utf8 && size <= text.size(); size++) {
    std::string cut = text.substr(0, size);
    cut.resize(cx_text_whole_size(FuzzBytes(cut)));
    FUZZ_REQUIRE(size < cut.size() + 4 && Read(cut).utf8, "cut at %zu: %s", size,
                 FuzzHex(text).c_str());
  }
  bool is_namespace = cx_namespace_check(FuzzBytes(text)) == nullptr;
  size_t allowed = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.");
  bool expected = !text.empty() && text.size() <= 63 && allowed == std::string::npos &&
                  text.find_first_of("-_.") != 0;
  FUZZ_REQUIRE(is_namespace == expected, "%s", FuzzHex(text).c_str());
}

void CheckWire(Input *input) {
  cx_buffer buffer = {};
  cx_wire_writer writer = {&buffer, CX_OK};
  uint64_t number = input->Number();
  uint64_t fixed = input->Number();
  std::string run = input->Run();
  cx_wire_put_number(&writer, number);
  cx_wire_put_bytes(&writer, FuzzBytes(run));
  cx_wire_put_fixed64(&writer, fixed);
  cx_wire_reader reader = {cx_buffer_bytes(&buffer), false};
  FUZZ_REQUIRE(cx_wire_get_number(&reader) == number, "another number");
  FUZZ_REQUIRE(cx_bytes_equal(cx_wire_get_bytes(&reader), FuzzBytes(run)), "another run");
  FUZZ_REQUIRE(cx_wire_get_fixed64(&reader) == fixed, "another fixed number");
  FUZZ_REQUIRE(!reader.bad && reader.rest.size == 0, "something is left");
  cx_buffer_done(&buffer);

  std::string any = input->Rest();
  reader = {FuzzBytes(any), false};
  for (size_t i = 0; !reader.bad && reader.rest.size > 0; i++) {
    size_t before = reader.rest.size;
    if (i % 3 == 0) (void)cx_wire_get_number(&reader);
    if (i % 3 == 1) (void)cx_wire_get_bytes(&reader);
    if (i % 3 == 2) (void)cx_wire_get_fixed64(&reader);
    FUZZ_REQUIRE(reader.rest.size < before, "nothing was read");
  }
}

void CheckFileName(const std::string &text) {
  char made[CX_SEGMENT_NAME_SIZE];
  enum cx_segment_name kind;
  uint64_t number;
  std::string name = text.c_str();
  if (!cx_segment_name_parse(name.c_str(), &kind, &number)) return;
  cx_segment_name(kind, number, made);
  FUZZ_REQUIRE(name == made, "%s is read as %s", name.c_str(), made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  uint8_t kind = input.Byte();
  if (kind < 0x80) {
    size_t size_min = input.Below(3);
    size_t size_max = size_min + input.Byte();
    CheckText(input.Rest(), size_min, size_max);
  } else if (kind < 0xc0) {
    CheckWire(&input);
  } else {
    CheckFileName(input.Rest());
  }
  return 0;
}
