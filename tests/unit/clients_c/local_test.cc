// What local.h promises, and that a token goes in plain text to no other machine.

extern "C" {
#include "clients/c/local.h"
#include "clients/c/contextd.h"
}

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

namespace {

const char *const kLocal[] = {
    "127.0.0.1:7420",       "127.9.9.9:1",         "127.0.0.1",
    "localhost:7420",       "localhost",           "dns:///localhost:7420",
    "dns:localhost:7420",   "[::1]:7420",          "::1",
    "[::ffff:127.0.0.1]:1", "ipv4:127.0.0.1:7420", "ipv6:[::1]:7420",
    "unix:/run/contextd",   "unix-abstract:x",
};

const char *const kElsewhere[] = {
    "contextd.example:7420",
    "10.0.0.1:7420",
    "127.0.0.1.example:7420",
    "127.example:7420",
    "localhost.example:7420",
    "dns://127.0.0.1/example:7420",
    "[2001:db8::1]:7420",
    "[::ffff:10.0.0.1]:7420",
    "ipv4:127.0.0.1:1,10.0.0.1:1",
    "ipv6:[::1]:1,[2001:db8::1]:1",
    "a.name.that.is.longer.than.any.address.in.numbers.may.be.example:7420",
    "",
};

TEST(LocalTest, KnowsTheAddressesOfThisMachine) {
  for (const char *address : kLocal) {
    EXPECT_TRUE(cxc_address_is_local(address)) << address;
  }
}

TEST(LocalTest, TakesAllOthersForOtherMachines) {
  for (const char *address : kElsewhere) {
    EXPECT_FALSE(cxc_address_is_local(address)) << address;
  }
}

bool Give(void *asked, char text[CXC_TOKEN_SIZE]) {
  *static_cast<bool *>(asked) = true;
  strcpy(text, "secret");
  return true;
}

TEST(LocalTest, SendsNoTokenInPlainTextToAnotherMachine) {
  cxc_error error;
  bool asked = false;
  cxc_options options = {};
  options.address = "contextd.example:7420";
  options.token = Give;
  options.token_arg = &asked;
  EXPECT_EQ(CXC_INVALID_ARGUMENT, cxc_options_check(&options, &error));
  EXPECT_STREQ("the token would go to contextd.example:7420 in plain text", error.message);

  std::unique_ptr<cxc_client, decltype(&cxc_client_free)> client(cxc_client_new(&options),
                                                                 cxc_client_free);
  Contextd__V1__GetServerInfoRequest request = CONTEXTD__V1__GET_SERVER_INFO_REQUEST__INIT;
  Contextd__V1__GetServerInfoResponse *response = nullptr;
  EXPECT_EQ(CXC_INVALID_ARGUMENT, cxc_get_server_info(client.get(), &request, &response, &error));
  EXPECT_STREQ("the token would go to contextd.example:7420 in plain text", error.message);
  EXPECT_FALSE(asked);
}

TEST(LocalTest, TakesATokenForThisMachineAndForAnyWithTLS) {
  cxc_error error;
  bool asked = false;
  const cxc_tls tls = {};
  cxc_options options = {};
  options.token = Give;
  options.token_arg = &asked;
  EXPECT_EQ(CXC_OK, cxc_options_check(&options, &error));
  options.address = "contextd.example:7420";
  options.tls = &tls;
  EXPECT_EQ(CXC_OK, cxc_options_check(&options, &error));
  options.token = nullptr;
  options.tls = nullptr;
  EXPECT_EQ(CXC_OK, cxc_options_check(&options, &error));
}

}  // namespace
