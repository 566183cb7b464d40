// What config.h promises about where settings come from, and about saying everything
// that is wrong with them.

#include "tests/unit/config/config_harness.h"

namespace {

TEST_F(ConfigTest, HasTheDefaultsOfTheTable) {
  ASSERT_EQ(CX_OK, Load({}));
  EXPECT_STREQ("127.0.0.1:7420", config_->listen);
  EXPECT_STREQ("./data", config_->data_dir);
  EXPECT_STREQ("", config_->port_file);
  EXPECT_EQ(uint64_t{CX_DURABILITY_SYNCED}, config_->durability);
  EXPECT_EQ(1u << 20, config_->value_size_max);
  EXPECT_EQ(4u << 20, config_->message_size_max);
  EXPECT_EQ(16u, config_->version_retention);
  EXPECT_EQ(24 * 3600 * 1000000ull, config_->undelete_window_us);
  EXPECT_EQ(30 * 24 * 3600 * 1000000ull, config_->tombstone_window_us);
  EXPECT_EQ(600 * 1000000ull, config_->request_id_window_us);
  EXPECT_EQ(8000000u, config_->request_ids_max);
  EXPECT_EQ(1000000u, config_->history_count_max);
  EXPECT_EQ(256u << 20, config_->history_bytes_max);
  EXPECT_EQ(1000u, config_->recovery_points_max);
  EXPECT_EQ(256u << 20, config_->in_flight_bytes_max);
  EXPECT_EQ(20000u, config_->connections_max);
  EXPECT_EQ(60 * 1000000ull, config_->stream_stall_max_us);
  EXPECT_EQ(10 * 1000000ull, config_->shutdown_grace_us);
  EXPECT_EQ(CX_CONFIG_SERVE, config_->action);
  EXPECT_FALSE(config_->insecure);
  EXPECT_FALSE(config_->accept_data_loss);
}

TEST_F(ConfigTest, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  std::string file = File("connections_max: 1\nrequest_ids_max: 1\nversion_retention: 1\n");
  Texts environment{"CONTEXTD_REQUEST_IDS_MAX=2", "CONTEXTD_VERSION_RETENTION=2", "HOME=x"};

  ASSERT_EQ(CX_OK, Load({"--config", file, "--version-retention", "3"}, environment)) << Problems();
  EXPECT_EQ(1u, config_->connections_max);
  EXPECT_EQ(2u, config_->request_ids_max);
  EXPECT_EQ(3u, config_->version_retention);
}

TEST_F(ConfigTest, TakesAFlagsValueWithAndWithoutAnEqualsSign) {
  ASSERT_EQ(CX_OK, Load({"--connections-max=7", "--data-dir", "a=b"}));
  EXPECT_EQ(7u, config_->connections_max);
  EXPECT_STREQ("a=b", config_->data_dir);
}

TEST_F(ConfigTest, TellsEveryProblemAtOnceAndWhereEachComesFrom) {
  std::string file = File("data_dir: x\nvalue_size_max: huge\n");

  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--config", file, "--log-level", "loud", "extra"},
                                      {"CONTEXTD_CONNECTIONS_MAX=0"}));
  EXPECT_EQ(4u, problems_->count);
  EXPECT_NE(std::string::npos,
            Problems().find(file + ":2: value_size_max: 'huge' is not a size, such as "));
  EXPECT_NE(std::string::npos,
            Problems().find("CONTEXTD_CONNECTIONS_MAX: '0' is out of bounds: 1 to 1000000\n"));
  EXPECT_NE(std::string::npos,
            Problems().find("--log-level: 'loud' is none of debug, info, warning, error\n"));
  EXPECT_NE(std::string::npos, Problems().find("extra: this is no flag"));
}

TEST_F(ConfigTest, RefusesUnknownNamesWhereverTheyStandAndGuessesWhatWasMeant) {
  std::string file = File("value_size_mx: 1MiB\n");

  ASSERT_EQ(CX_INVALID_ARGUMENT,
            Load({"--config", file, "--data_dir", "--zzz", "1"}, {"CONTEXTD_LISTENER=x"}));
  EXPECT_NE(std::string::npos, Problems().find("value_size_mx: there is no such setting; was "
                                               "value_size_max meant?"));
  EXPECT_NE(std::string::npos,
            Problems().find("--data_dir: there is no such setting; was data_dir meant?"));
  EXPECT_NE(std::string::npos, Problems().find("--zzz: there is no such setting; --help lists"));
  EXPECT_NE(std::string::npos, Problems().find("CONTEXTD_LISTENER: there is no such setting"));
}

TEST_F(ConfigTest, NamesTheFlagOfWhatOnlyTheCommandLineTakes) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({}, {"CONTEXTD_INSECURE=1", "CONTEXTD_ACCEPT_DATA_LOSS=1",
                                           "CONTEXTD_INSECUR=1", "CONTEXTD_INSECURELY=1"}));
  EXPECT_EQ(
      "CONTEXTD_INSECURE: is no setting; give the flag --insecure\n"
      "CONTEXTD_ACCEPT_DATA_LOSS: is no setting; give the flag --accept-data-loss\n"
      "CONTEXTD_INSECUR: there is no such setting; --help lists them\n"
      "CONTEXTD_INSECURELY: there is no such setting; --help lists them\n",
      Problems());
}

TEST_F(ConfigTest, DoesNotTakeTheVariablesOfClientsAndOfKubernetesForItsOwn) {
  EXPECT_EQ(CX_OK,
            Load({}, {"CONTEXTD_ADDRESS=x", "CONTEXTD_SERVICE_HOST=10.0.0.1",
                      "CONTEXTD_PORT=tcp://10.0.0.1:7420", "CONTEXTD_PORT_7420_TCP_ADDR=10.0.0.1"}))
      << Problems();
  EXPECT_EQ(CX_INVALID_ARGUMENT, Load({}, {"CONTEXTD_PORT_FIL=x"}));
}

TEST_F(ConfigTest, RefusesAFlagThatIsGivenTwiceOrHasNoValue) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--data-dir", "a", "--data-dir", "b"}));
  EXPECT_EQ("--data-dir: given twice\n", Problems());
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--data-dir", "--insecure"}));
  EXPECT_EQ("--data-dir: needs a value\n", Problems());
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--config"}));
  EXPECT_EQ("--config: needs a value\n", Problems());
}

TEST_F(ConfigTest, AnUnknownFlagIsOneProblemTogetherWithItsValue) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--nonsense", "value", "--connections-max", "0"}));
  EXPECT_EQ(
      "--nonsense: there is no such setting; --help lists them\n"
      "--connections-max: '0' is out of bounds: 1 to 1000000\n",
      Problems());
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--nonsense=x", "extra"}));
  EXPECT_EQ(2u, problems_->count);
}

TEST_F(ConfigTest, RefusesAValueForAFlagThatTakesNone) {
  for (std::string flag : {"--check-config", "--insecure", "--help", "--version"}) {
    ASSERT_EQ(CX_INVALID_ARGUMENT, Load({flag + "=yes"}));
    EXPECT_EQ(flag + ": takes no value\n", Problems());
  }
}

TEST_F(ConfigTest, AnEmptyVariableIsOneThatIsNotSet) {
  ASSERT_EQ(CX_OK, Load({}, {"CONTEXTD_DATA_DIR=", "CONTEXTD_CONFIG=", "CONTEXTD_NONSENSE="}))
      << Problems();
  EXPECT_STREQ("./data", config_->data_dir);
}

TEST_F(ConfigTest, RefusesContradictionsAndNamesBothSides) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--value-size-max", "2MiB"}));
  EXPECT_EQ(
      "message_size_max 4MiB (default) must be at least 64KiB and three times "
      "value_size_max 2MiB (--value-size-max)\n",
      Problems());

  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({}, {"CONTEXTD_TOMBSTONE_WINDOW=5m"}));
  EXPECT_EQ(
      "tombstone_window 5m (CONTEXTD_TOMBSTONE_WINDOW) must be at least undelete_window 24h "
      "(default)\n"
      "tombstone_window 5m (CONTEXTD_TOMBSTONE_WINDOW) must be at least request_id_window 10m "
      "(default)\n",
      Problems());

  std::string file = File("\nvalue_size_max: 2MiB\n");
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--config", file}));
  EXPECT_NE(std::string::npos, Problems().find("value_size_max 2MiB (" + file + ":2)\n"));

  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--in-flight-bytes-max=1MiB"}));
  EXPECT_EQ(1u, problems_->count);
}

TEST_F(ConfigTest, AcceptsAMessageThatJustHoldsThreeValues) {
  EXPECT_EQ(CX_OK, Load({"--value-size-max=64KiB", "--message-size-max=256KiB"}));
  EXPECT_EQ(CX_INVALID_ARGUMENT, Load({"--value-size-max=64KiB", "--message-size-max=262143"}));
}

TEST_F(ConfigTest, ServesOtherMachinesOnlyWhenInsecureIsSaidAloud) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--listen", "0.0.0.0:7420"}));
  EXPECT_NE(std::string::npos, Problems().find("there is no TLS"));
  EXPECT_NE(std::string::npos, Problems().find("give tls_cert and tls_key"));
  ASSERT_EQ(CX_OK, Load({"--listen", "0.0.0.0:7420", "--insecure"}));
  EXPECT_TRUE(config_->insecure);
}

TEST_F(ConfigTest, ServesOtherMachinesWithTLS) {
  ASSERT_EQ(CX_OK, Load({"--listen", "0.0.0.0:7420", "--tls-cert", "a"},
                        {"CONTEXTD_TLS_KEY=b", "CONTEXTD_TLS_CLIENT_CA=c"}))
      << Problems();
  EXPECT_STREQ("a", config_->tls_cert);
  EXPECT_STREQ("b", config_->tls_key);
  EXPECT_STREQ("c", config_->tls_client_ca);
}

TEST_F(ConfigTest, WantsTheFilesOfTLSTogether) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--tls-cert", "a"}));
  EXPECT_EQ("tls_cert a (--tls-cert) needs tls_key, the file with its private key\n", Problems());
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({}, {"CONTEXTD_TLS_KEY=b"}));
  EXPECT_EQ("tls_key b (CONTEXTD_TLS_KEY) needs tls_cert, the file with its certificate\n",
            Problems());
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--tls-client-ca=c", "--insecure"}));
  EXPECT_EQ("tls_client_ca c (--tls-client-ca) needs tls_cert and tls_key, the server's own\n",
            Problems());
}

TEST_F(ConfigTest, LeavesTheVariablesOfClientsAlone) {
  EXPECT_EQ(CX_OK,
            Load({}, {"CONTEXTD_ADDRESS=a:1", "CONTEXTD_TLS=1", "CONTEXTD_CA=c", "CONTEXTD_CERT=c",
                      "CONTEXTD_CERT_KEY=k", "CONTEXTD_SERVER_NAME=n", "CONTEXTD_TOKEN_FILE=t"}))
      << Problems();
}

TEST_F(ConfigTest, ObeysWhatTheCommandLineAsksFor) {
  ASSERT_EQ(CX_OK, Load({"--check-config"}));
  EXPECT_EQ(CX_CONFIG_CHECK, config_->action);
  ASSERT_EQ(CX_OK, Load({"--print-config"}));
  EXPECT_EQ(CX_CONFIG_PRINT, config_->action);
  ASSERT_EQ(CX_OK, Load({"--accept-data-loss"}));
  EXPECT_TRUE(config_->accept_data_loss);
}

TEST_F(ConfigTest, HelpsAlsoWhenTheRestIsWrong) {
  ASSERT_EQ(CX_OK, Load({"--nonsense", "--help"}));
  EXPECT_EQ(CX_CONFIG_HELP, config_->action);
  ASSERT_EQ(CX_OK, Load({"-h"}));
  EXPECT_EQ(CX_CONFIG_HELP, config_->action);
  ASSERT_EQ(CX_OK, Load({"--version"}, {"CONTEXTD_NONSENSE=1"}));
  EXPECT_EQ(CX_CONFIG_VERSION, config_->action);
}

TEST_F(ConfigTest, TheEnvironmentCanNameTheFileAndAFlagAnother) {
  std::string file = File("connections_max: 5\n");

  ASSERT_EQ(CX_OK, Load({}, {"CONTEXTD_CONFIG=" + file})) << Problems();
  EXPECT_EQ(5u, config_->connections_max);
  ASSERT_EQ(CX_OK, Load({"--config=" + file}, {"CONTEXTD_CONFIG=missing.yaml"})) << Problems();
  EXPECT_EQ(5u, config_->connections_max);
}

TEST_F(ConfigTest, CountsTheProblemsThatFindNoRoom) {
  Texts flags;
  for (int i = 0; i < 1000; i++) flags.push_back("--unknown-" + std::to_string(i));

  ASSERT_EQ(CX_INVALID_ARGUMENT, Load(flags));
  EXPECT_EQ(1000u, problems_->count);
  EXPECT_LT(Problems().size(), size_t{CX_CONFIG_PROBLEMS_TEXT_MAX});
  EXPECT_EQ('\n', Problems().back());
}

TEST_F(ConfigTest, AReloadTakesOverWhatCanChangeAndNamesWhatCannot) {
  ASSERT_EQ(CX_OK, Load({"--log-level", "debug", "--data-dir", "b", "--connections-max", "2"}));
  cx_config fresh = *config_;
  ASSERT_EQ(CX_OK, Load({}));
  char refused[256];

  cx_config_reload(config_.get(), &fresh, refused, sizeof refused);
  EXPECT_EQ(uint64_t{CX_LOGGING_DEBUG}, config_->log_level);
  EXPECT_STREQ("./data", config_->data_dir);
  EXPECT_STREQ("connections_max, data_dir", refused);
}

}  // namespace
