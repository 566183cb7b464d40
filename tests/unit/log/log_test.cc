// Frames as the caller of the log makes them: log.h.

extern "C" {
#include "core/log/log.h"
#include "core/log/record.h"
}

#include <gtest/gtest.h>

#include <vector>

namespace {

TEST(LogTest, FramesAreAligned) {
  EXPECT_EQ(40u, cx_log_frame_size(0));
  EXPECT_EQ(48u, cx_log_frame_size(1));
  EXPECT_EQ(48u, cx_log_frame_size(8));
  EXPECT_EQ(56u, cx_log_frame_size(9));
}

TEST(LogTest, BeginsAFrameAroundItsPayload) {
  std::vector<uint8_t> frame(cx_log_frame_size(3), 0xee);
  cx_log_frame_begin(frame.data(), 7, -5, 3);
  cx_record record;
  cx_record_decode(frame.data(), &record);
  EXPECT_EQ(CX_RECORD_DATA, record.kind);
  EXPECT_EQ(3u, record.payload_size);
  EXPECT_EQ(7u, record.revision);
  EXPECT_EQ(-5, record.time_us);
  EXPECT_EQ(std::vector<uint8_t>({0xee, 0xee, 0xee, 0, 0, 0, 0, 0}),
            std::vector<uint8_t>(frame.begin() + CX_LOG_HEADER_SIZE, frame.end()));
}

}  // namespace
