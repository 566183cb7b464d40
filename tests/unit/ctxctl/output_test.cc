// What output.h promises: columns, escapes, sizes, times, base64.

extern "C" {
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/progress.h"
#include "clients/ctxctl/timing.h"
}

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <tuple>

namespace {

class OutputTest : public testing::Test {
 protected:
  ~OutputTest() override { ctl_pool_done(&ctl_.pool); }

  std::string Escape(const std::string &text, size_t width_max = 0) {
    return ctl_text_escape(&ctl_.pool, text.data(), text.size(), width_max);
  }

  std::string Print(const ctl_table &table) {
    char *text = nullptr;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    ctl_table_print(&ctl_, &table, file);
    fclose(file);
    std::string printed(text, size);
    free(text);
    return printed;
  }

  ctl ctl_ = {};
};

TEST_F(OutputTest, AlignsColumnsByCharacters) {
  ctl_table table;
  ctl_table_init(&table, &ctl_.pool, "ID,SIZE>,NOTE");
  const char *rows[][3] = {{"caf\xC3\xA9", "7", "x"}, {"a", "1,000", ""}, {"longer", "10", "last"}};
  for (auto &row : rows) ctl_table_add(&table, row);
  EXPECT_EQ(
      "ID       SIZE  NOTE\n"
      "caf\xC3\xA9        7  x\n"
      "a       1,000\n"
      "longer     10  last\n",
      Print(table));
}

TEST_F(OutputTest, PrintsATableWithoutRowsAndOneWithMany) {
  ctl_table table;
  ctl_table_init(&table, &ctl_.pool, "A,B>");
  EXPECT_EQ("A  B\n", Print(table));
  for (int i = 0; i < 1000; i++) {
    const char *row[] = {"a", "b"};
    ctl_table_add(&table, row);
  }
  EXPECT_EQ(1001 * 5u, Print(table).size());
}

TEST_F(OutputTest, EscapesWhatWouldMoveTheCursor) {
  EXPECT_EQ("a\\nb\\tc\\r", Escape("a\nb\tc\r"));
  EXPECT_EQ("\\x1b[2J", Escape("\033[2J"));
  EXPECT_EQ("\\x00\\x7f", Escape(std::string("\0\x7f", 2)));
  EXPECT_EQ("\\xc2\\x9b", Escape("\xC2\x9B"));  // A control character of two bytes.
  EXPECT_EQ("\\xff\\xc3", Escape("\xFF\xC3"));
  EXPECT_EQ("\xE2\x82\xAC", Escape("\xE2\x82\xAC"));
}

TEST_F(OutputTest, CutsLongTextAtItsWidth) {
  EXPECT_EQ("abcdefghij", Escape("abcdefghij", 10));
  std::string cut = Escape("abcdefghijk", 10);
  EXPECT_EQ("...", cut.substr(cut.size() - 3));
  EXPECT_LE(ctl_text_width(cut.c_str()), 10u);
  EXPECT_LE(ctl_text_width(Escape(std::string(100000, 'x'), 60).c_str()), 60u);
  std::string euros;
  for (int i = 0; i < 100; i++) euros += "\xE2\x82\xAC";
  EXPECT_LE(ctl_text_width(Escape(euros, 10).c_str()), 10u);
}

TEST_F(OutputTest, ShowsSizesWithUnits) {
  const std::pair<uint64_t, const char *> cases[] = {
      {0, "0 B"},           {1023, "1023 B"},     {1024, "1.0 KiB"},       {1536, "1.5 KiB"},
      {1048575, "1.0 MiB"}, {1048576, "1.0 MiB"}, {UINT64_MAX, "16.0 EiB"}};
  for (const auto &[bytes, expected] : cases) {
    EXPECT_STREQ(expected, ctl_text_size(&ctl_.pool, bytes));
  }
}

TEST_F(OutputTest, ShowsTimesInUtc) {
  Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  time.seconds = 1763722398;
  time.nanos = 59603000;
  EXPECT_STREQ("2025-11-21 10:53:18Z", ctl_text_time(&ctl_.pool, &time, false));
  EXPECT_STREQ("2025-11-21T10:53:18.059603Z", ctl_text_time(&ctl_.pool, &time, true));
  EXPECT_STREQ("", ctl_text_time(&ctl_.pool, nullptr, true));
}

TEST_F(OutputTest, ShowsDurationsInTwoUnits) {
  const std::tuple<int64_t, int32_t, const char *> cases[] = {
      {0, 0, "0ms"},    {0, 850999999, "850ms"}, {1, 500000000, "1.5s"}, {59, 999999999, "59.9s"},
      {61, 0, "1m01s"}, {3599, 0, "59m59s"},     {3600, 0, "1h00m"},     {90061, 0, "25h01m"}};
  for (const auto &[seconds, nanos, expected] : cases) {
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    duration.seconds = seconds;
    duration.nanos = nanos;
    EXPECT_STREQ(expected, ctl_text_duration(&ctl_.pool, &duration));
  }
  EXPECT_STREQ("", ctl_text_duration(&ctl_.pool, nullptr));
}

TEST_F(OutputTest, ShowsMillionthsWithAllTheirDigits) {
  EXPECT_STREQ("0.000000", ctl_text_micros(&ctl_.pool, 0));
  EXPECT_STREQ("0.012500", ctl_text_micros(&ctl_.pool, 12500));
  EXPECT_STREQ("18446744073709.551615", ctl_text_micros(&ctl_.pool, UINT64_MAX));
}

TEST_F(OutputTest, GivesScriptsTheLargestNumbersAsReals) {
  json_t *object = json_object();
  ctl_json_set_number(object, "exact", INT64_MAX);
  ctl_json_set_number(object, "near", UINT64_MAX);
  EXPECT_EQ(INT64_MAX, json_integer_value(json_object_get(object, "exact")));
  EXPECT_EQ(18446744073709551616.0, json_real_value(json_object_get(object, "near")));
  json_decref(object);
}

TEST_F(OutputTest, LeavesOutWhatIsNotSet) {
  json_t *object = json_object();
  ctl_json_set_text(object, "text", "");
  ctl_json_set_time(object, "time", nullptr);
  EXPECT_EQ(0u, json_object_size(object));
  json_decref(object);
}

TEST_F(OutputTest, HasNoColoursAwayFromATerminal) {
  FILE *file = tmpfile();
  EXPECT_STREQ("", ctl_color_on(&ctl_, file, CTL_BOLD));
  EXPECT_STREQ("", ctl_color_off(&ctl_, file));
  fclose(file);
}

TEST_F(OutputTest, HasColoursWhereTheyAreAlwaysWanted) {
  FILE *file = tmpfile();
  ctl_.coloring = CTL_COLOR_ALWAYS;
  EXPECT_STREQ("\033[32m", ctl_color_on(&ctl_, file, CTL_GREEN));
  EXPECT_STREQ("\033[0m", ctl_color_off(&ctl_, file));
  ctl_.coloring = CTL_COLOR_NEVER;
  EXPECT_STREQ("", ctl_color_on(&ctl_, file, CTL_GREEN));
  fclose(file);
}

TEST_F(OutputTest, ShowsBytesAsTextOrAsBase64) {
  json_t *text = ctl_json_bytes("caf\xC3\xA9", 5);
  EXPECT_STREQ("caf\xC3\xA9", json_string_value(text));
  json_decref(text);
  json_t *bytes = ctl_json_bytes("\xFF\x00", 2);
  EXPECT_STREQ("/wA=", json_string_value(json_object_get(bytes, "base64")));
  json_decref(bytes);
  json_t *empty = ctl_json_bytes(nullptr, 0);
  EXPECT_STREQ("", json_string_value(empty));
  json_decref(empty);
}

TEST_F(OutputTest, DecodesItsOwnBase64) {
  std::mt19937 random(7);
  for (size_t size = 0; size < 200; size++) {
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>(random());
    std::string text = ctl_base64_encode(&ctl_.pool, bytes.data(), size);
    void *decoded;
    size_t decoded_size;
    ASSERT_TRUE(ctl_base64_decode(&ctl_.pool, text.data(), text.size(), &decoded, &decoded_size));
    ASSERT_EQ(bytes, std::string(static_cast<char *>(decoded), decoded_size));
  }
  EXPECT_STREQ("Zm9vYg==", ctl_base64_encode(&ctl_.pool, "foob", 4));
}

TEST_F(OutputTest, RefusesBase64ThatNoEncoderWrites) {
  for (std::string text : {"A", "AA", "AAA", "A===", "AA=A", "=AAA", "AB==", "AAB=", "A A=", "AA-_",
                           "AAAA=", "====", "AA==AAAA"}) {
    SCOPED_TRACE(text);
    void *bytes;
    size_t size;
    EXPECT_FALSE(ctl_base64_decode(&ctl_.pool, text.data(), text.size(), &bytes, &size));
  }
}

// ---- The bar. ----------------------------------------------------------------

TEST(ProgressTest, FillsTheBarFromTheLeft) {
  char text[11];
  ctl_progress_bar(0, 100, 10, text);
  EXPECT_STREQ("[>       ]", text);
  ctl_progress_bar(50, 100, 10, text);
  EXPECT_STREQ("[====>   ]", text);
  ctl_progress_bar(100, 100, 10, text);
  EXPECT_STREQ("[========]", text);
  ctl_progress_bar(101, 100, 10, text);  // A file that grew meanwhile.
  EXPECT_STREQ("[========]", text);
}

// ---- Times that were measured. -----------------------------------------------

TEST(TimingTest, TellsTheLeastThatSoManyPercentDoNotExceed) {
  ctl_timing timing = {};
  EXPECT_EQ(0, ctl_timing_at(&timing, 50));
  for (int64_t us = 2000; us > 0; us--) ctl_timing_add(&timing, us);
  ctl_timing_sort(&timing);
  EXPECT_EQ(1, ctl_timing_at(&timing, 0));
  EXPECT_EQ(1000, ctl_timing_at(&timing, 50));
  EXPECT_EQ(1980, ctl_timing_at(&timing, 99));
  EXPECT_EQ(2000, ctl_timing_at(&timing, 100));
  ctl_timing_done(&timing);
}

TEST(TimingTest, RoundsTheRankUp) {
  ctl_timing timing = {};
  for (int64_t us : {30, 10, 20}) ctl_timing_add(&timing, us);
  ctl_timing_sort(&timing);
  EXPECT_EQ(20, ctl_timing_at(&timing, 50));
  EXPECT_EQ(30, ctl_timing_at(&timing, 67));
  ctl_timing_done(&timing);
}

}  // namespace
