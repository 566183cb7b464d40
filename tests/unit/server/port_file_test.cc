// What port_file.h promises about the file that tells the port.

extern "C" {
#include "server/port_file.h"
}

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

namespace {

std::string Content(const std::string &path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(PortFileTest, HoldsTheNumberAndNothingElse) {
  std::string path = testing::TempDir() + "port";
  std::ofstream(path) << "an older and longer content";
  ASSERT_EQ(CX_OK, cx_port_file_write(path.c_str(), 7420));
  EXPECT_EQ("7420\n", Content(path));
  EXPECT_NE(0, access((path + ".new").c_str(), F_OK));
}

TEST(PortFileTest, IsGoneAfterRemove) {
  std::string path = testing::TempDir() + "port";
  ASSERT_EQ(CX_OK, cx_port_file_write(path.c_str(), 1));
  cx_port_file_remove(path.c_str());
  EXPECT_NE(0, access(path.c_str(), F_OK));
  cx_port_file_remove("");
}

TEST(PortFileTest, SaysWhyItCannotBeWrittenAndLeavesNothing) {
  std::string path = testing::TempDir() + "no/such/directory/port";
  EXPECT_EQ(CX_UNAVAILABLE, cx_port_file_write(path.c_str(), 1));
  EXPECT_EQ(ENOENT, errno);

  // The name is taken by a directory: the second step fails.
  EXPECT_EQ(CX_UNAVAILABLE, cx_port_file_write(testing::TempDir().c_str(), 1));
  EXPECT_NE(0, access((testing::TempDir() + ".new").c_str(), F_OK));

  EXPECT_EQ(CX_UNAVAILABLE, cx_port_file_write(std::string(5000, 'x').c_str(), 1));
  EXPECT_EQ(ENAMETOOLONG, errno);
}

TEST(PortFileTest, ACheckTellsWhetherItCouldBeWrittenAndWritesNothing) {
  std::string path = testing::TempDir() + "checked";
  EXPECT_EQ(CX_OK, cx_port_file_check(path.c_str()));
  EXPECT_NE(0, access(path.c_str(), F_OK));
  EXPECT_EQ(CX_OK, cx_port_file_check("port"));

  EXPECT_EQ(CX_UNAVAILABLE, cx_port_file_check((testing::TempDir() + "no/such/port").c_str()));
  EXPECT_EQ(ENOENT, errno);
  EXPECT_EQ(CX_UNAVAILABLE, cx_port_file_check(testing::TempDir().c_str()));
  EXPECT_EQ(EISDIR, errno);
  EXPECT_EQ(CX_UNAVAILABLE, cx_port_file_check(std::string(5000, 'x').c_str()));
  EXPECT_EQ(ENAMETOOLONG, errno);
}

}  // namespace
