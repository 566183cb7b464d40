// The configuration: file, environment and flags of any content.
//
//  - It is refused with every problem as a line, or every value is within its bounds and
//    no two contradict.
//  - What is in force, printed and read back as a file, is in force again.
//  - Taking over from another configuration leaves one that is right.
//
// The input is the file; behind it, each after a byte 0x1e, what begins with E is a
// variable and with A an argument. No other file is ever read.

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" {
#include "core/base/limits.h"
#include "server/config/config.h"
#include "server/config/setting.h"
}

namespace {

constexpr char kSeparator = '\x1e';

// A file in memory that the configuration can be read from.
class File {
 public:
  File() : fd_(memfd_create("config", MFD_CLOEXEC)) {
    FUZZ_REQUIRE(fd_ >= 0, "no file in memory");
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }

  const char *Hold(const std::string &content) {
    FUZZ_REQUIRE(ftruncate(fd_, 0) == 0, "not cut");
    ssize_t written = pwrite(fd_, content.data(), content.size(), 0);
    FUZZ_REQUIRE(written == static_cast<ssize_t>(content.size()), "not written");
    return path_.c_str();
  }

 private:
  int fd_;
  std::string path_;
};

struct Sources {
  std::string file;
  std::vector<std::string> environment;
  std::vector<std::string> arguments;
};

// Whether it would make the configuration read a file of the input's choice.
bool NamesAFile(const std::string &text) {
  return text.compare(0, 8, "--config") == 0 || text.compare(0, 15, "CONTEXTD_CONFIG") == 0;
}

Sources Split(const std::string &input) {
  Sources sources;
  size_t end = input.find(kSeparator);
  sources.file = input.substr(0, end);
  while (end != std::string::npos) {
    size_t start = end + 1;
    end = input.find(kSeparator, start);
    // As a process is handed them: without NUL.
    std::string piece = input.substr(start, end == std::string::npos ? end : end - start).c_str();
    if (piece.empty() || NamesAFile(piece.substr(1))) continue;
    if (piece[0] == 'E') sources.environment.push_back(piece.substr(1));
    if (piece[0] == 'A') sources.arguments.push_back(piece.substr(1));
  }
  return sources;
}

cx_status Load(const Sources &sources, cx_config *config, cx_config_problems *problems) {
  static File file;
  std::string path = std::string("CONTEXTD_CONFIG=") + file.Hold(sources.file);
  std::vector<const char *> argv = {"contextd"};
  std::vector<const char *> environment = {path.c_str()};
  for (const std::string &each : sources.arguments) argv.push_back(each.c_str());
  for (const std::string &each : sources.environment) environment.push_back(each.c_str());
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  return cx_config_load(argv.data(), environment.data(), config, problems);
}

bool IsText(const cx_setting &setting) {
  return setting.type == CX_SETTING_PATH || setting.type == CX_SETTING_ADDRESS;
}

const void *ValueOf(const cx_config &config, const cx_setting &setting) {
  return reinterpret_cast<const char *>(&config) + setting.offset;
}

void CheckSetting(const cx_config &config, const cx_setting &setting) {
  if (IsText(setting)) {
    auto *text = static_cast<const char *>(ValueOf(config, setting));
    size_t size_max = setting.type == CX_SETTING_PATH ? setting.max : CX_CONFIG_ADDRESS_MAX - 1;
    size_t size = strnlen(text, size_max + 1);
    FUZZ_REQUIRE(size >= setting.min && size <= size_max, "%s has %zu bytes", setting.name, size);
    return;
  }
  uint64_t value;
  memcpy(&value, ValueOf(config, setting), sizeof value);
  // A share of the machine's memory may be less than what may be asked for.
  FUZZ_REQUIRE((value >= setting.min && value <= setting.max), "%s is %llu", setting.name,
               static_cast<unsigned long long>(value));
}

void CheckLoaded(const cx_config &config) {
  for (size_t i = 0; i < cx_setting_count; i++) CheckSetting(config, cx_setting_table[i]);
  FUZZ_REQUIRE(config.message_size_max >= 3 * config.value_size_max + 64 * CX_KIB &&
                   config.in_flight_bytes_max >= config.message_size_max,
               "sizes that contradict");
  FUZZ_REQUIRE(config.tombstone_window_us >= config.undelete_window_us &&
                   config.tombstone_window_us >= config.request_id_window_us,
               "windows that contradict");
  FUZZ_REQUIRE((config.tls_cert[0] != '\0') == (config.tls_key[0] != '\0'), "half of TLS");
  FUZZ_REQUIRE(config.tls_client_ca[0] == '\0' || config.tls_cert[0] != '\0', "half of mTLS");
  FUZZ_REQUIRE(
      config.insecure || config.tls_cert[0] != '\0' || cx_address_is_loopback(config.listen),
      "open to everybody");
}

void CheckProblems(const cx_config_problems &problems) {
  size_t size = strnlen(problems.text, sizeof problems.text);
  FUZZ_REQUIRE(problems.count > 0, "refused without a problem");
  FUZZ_REQUIRE(size == problems.text_size && size > 0, "%zu bytes of problems", size);
  FUZZ_REQUIRE(problems.text[size - 1] == '\n', "a problem without an end");
}

std::string Print(const cx_config &config) {
  char *memory = nullptr;
  size_t size = 0;
  FILE *out = open_memstream(&memory, &size);
  cx_config_print(&config, out);
  fclose(out);
  std::string text(memory, size);
  free(memory);
  return text;
}

void CheckPrinted(const cx_config &config) {
  static cx_config again;
  static cx_config_problems problems;
  Sources sources;
  sources.file = Print(config);
  if (config.insecure) sources.arguments.push_back("--insecure");
  FUZZ_REQUIRE(Load(sources, &again, &problems) == CX_OK, "what is in force is refused:\n%s%s",
               problems.text, sources.file.c_str());
  for (size_t i = 0; i < cx_setting_count; i++) {
    const cx_setting &setting = cx_setting_table[i];
    char before[CX_SETTING_TEXT_MAX], after[CX_SETTING_TEXT_MAX];
    cx_setting_format(&setting, &config, before);
    cx_setting_format(&setting, &again, after);
    FUZZ_REQUIRE(strcmp(before, after) == 0, "%s is %s, and read back %s", setting.name, before,
                 after);
  }
}

void CheckReload(const cx_config &fresh) {
  static cx_config config;
  static cx_config_problems problems;
  char refused[64];
  FUZZ_REQUIRE(Load(Sources(), &config, &problems) == CX_OK, "the defaults are refused");
  cx_config_reload(&config, &fresh, refused, sizeof refused);
  FUZZ_REQUIRE(memchr(refused, '\0', sizeof refused) != nullptr, "no end");
  CheckLoaded(config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static cx_config config;
  static cx_config_problems problems;
  static cx_config_value values[CX_CONFIG_SETTINGS_MAX];
  Input input(data, size);
  Sources sources = Split(input.Rest());
  if (Load(sources, &config, &problems) != CX_OK) {
    CheckProblems(problems);
    return 0;
  }
  FUZZ_REQUIRE(problems.count == 0, "taken with a problem");
  CheckLoaded(config);
  CheckPrinted(config);
  CheckReload(config);
  for (size_t i = 0, count = cx_config_values(&config, values); i < count; i++) {
    FUZZ_REQUIRE(strnlen(values[i].text, sizeof values[i].text) < sizeof values[i].text, "no end");
  }
  return 0;
}
