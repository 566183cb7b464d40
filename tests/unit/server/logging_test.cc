// What logging.h promises about the lines of the server's log.

extern "C" {
#include "server/logging.h"
}

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <regex>
#include <string>

namespace {

class LoggingTest : public testing::Test {
 protected:
  LoggingTest() { EXPECT_EQ(0, pipe(pipe_)); }
  ~LoggingTest() override {
    cx_logging_configure(CX_LOGGING_TEXT, CX_LOGGING_INFO, STDERR_FILENO);
    close(pipe_[0]);
    close(pipe_[1]);
  }

  void Configure(cx_logging_format format, cx_logging_level level) {
    cx_logging_configure(format, level, pipe_[1]);
  }

  // What was written, in one read: a line goes out in one write.
  std::string Written() {
    char text[2 * CX_LOGGING_LINE_MAX];
    ssize_t size = read(pipe_[0], text, sizeof text);
    return std::string(text, size > 0 ? static_cast<size_t>(size) : 0);
  }

  // The same, without the time that each line begins with.
  std::string Line() {
    return std::regex_replace(
        Written(), std::regex("20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d\\d\\dZ"), "TIME");
  }

  cx_logging_line line_;

 private:
  int pipe_[2];
};

TEST_F(LoggingTest, TextIsATimeALevelAMessageAndFields) {
  Configure(CX_LOGGING_TEXT, CX_LOGGING_INFO);
  cx_logging_begin(&line_, CX_LOGGING_INFO, "serving");
  cx_logging_text(&line_, "address", "127.0.0.1:7420");
  cx_logging_number(&line_, "port", 7420);
  cx_logging_end(&line_);
  EXPECT_EQ("TIME info    serving address=127.0.0.1:7420 port=7420\n", Line());
}

TEST_F(LoggingTest, JsonIsOneObjectPerLine) {
  Configure(CX_LOGGING_JSON, CX_LOGGING_INFO);
  cx_logging_begin(&line_, CX_LOGGING_WARNING, "disk full");
  cx_logging_text(&line_, "dir", "a\"b\\c\n\x01");
  cx_logging_number(&line_, "free", -1);
  cx_logging_end(&line_);
  EXPECT_EQ(
      "{\"time\":\"TIME\",\"level\":\"warning\",\"message\":\"disk full\","
      "\"dir\":\"a\\\"b\\\\c\\u000a\\u0001\",\"free\":-1}\n",
      Line());
}

TEST_F(LoggingTest, NoValueBreaksALineOrForgesAField) {
  Configure(CX_LOGGING_TEXT, CX_LOGGING_INFO);
  cx_logging_begin(&line_, CX_LOGGING_INFO, "opened");
  cx_logging_text(&line_, "dir", "x level=error");
  cx_logging_text(&line_, "file", "y\nTIME error forged");
  cx_logging_text(&line_, "none", "");
  cx_logging_end(&line_);
  EXPECT_EQ(
      "TIME info    opened dir=\"x level=error\" file=\"y\\u000aTIME error forged\" "
      "none=\"\"\n",
      Line());
}

TEST_F(LoggingTest, LeavesOutWhatIsBelowTheLevel) {
  Configure(CX_LOGGING_TEXT, CX_LOGGING_WARNING);
  cx_logging_say(CX_LOGGING_INFO, "unheard");
  cx_logging_say(CX_LOGGING_WARNING, "heard");
  EXPECT_EQ("TIME warning heard\n", Line());
}

TEST_F(LoggingTest, CutsWhatOutgrowsALineAndStaysWellFormed) {
  for (size_t size = CX_LOGGING_LINE_MAX - 120; size < CX_LOGGING_LINE_MAX + 10; size++) {
    SCOPED_TRACE(size);
    Configure(CX_LOGGING_JSON, CX_LOGGING_INFO);
    cx_logging_begin(&line_, CX_LOGGING_INFO, "long");
    cx_logging_text(&line_, "value", std::string(size, 'x').c_str());
    cx_logging_number(&line_, "number", 1234567890123456789);
    cx_logging_text(&line_, "more", "value");
    cx_logging_end(&line_);

    std::string written = Written();
    EXPECT_LE(written.size(), size_t{CX_LOGGING_LINE_MAX});
    EXPECT_TRUE(std::regex_match(written.substr(0, 90), std::regex("\\{\"time\":\"[^\"]*\".*")));
    EXPECT_TRUE(
        std::regex_match(written.substr(written.size() - 10), std::regex("[^\n]*[\"\\d]\\}\n")));
    EXPECT_EQ(0, std::count(written.begin(), written.end(), '"') % 2);
  }
}

TEST_F(LoggingTest, NeverCutsInsideACharacter) {
  for (size_t size = 0; size < 4; size++) {
    SCOPED_TRACE(size);
    Configure(CX_LOGGING_JSON, CX_LOGGING_INFO);
    cx_logging_begin(&line_, CX_LOGGING_INFO, "long");
    std::string value(size, 'x');
    for (int i = 0; i < 2000; i++) value += "\xe2\x82\xac";
    cx_logging_text(&line_, "value", value.c_str());
    cx_logging_end(&line_);
    std::string written = Written();
    EXPECT_EQ("\xac\"}\n", written.substr(written.size() - 4));
  }
}

}  // namespace
