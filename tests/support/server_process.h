// The real server in a process of its own, to be talked to, stopped and killed.
//
// It is ready when it says so on its standard error: nothing here sleeps or polls.

#ifndef CX_TESTS_SUPPORT_SERVER_PROCESS_H
#define CX_TESTS_SUPPORT_SERVER_PROCESS_H

#include <sys/types.h>

#include <string>
#include <vector>

class ServerProcess {
 public:
  ServerProcess() = default;
  ~ServerProcess();  // Kills it if it runs.

  ServerProcess(const ServerProcess &) = delete;
  ServerProcess &operator=(const ServerProcess &) = delete;

  // Starts the server on a free port of the loopback interface. Returns whether it
  // serves; if it ended instead, output() and exit_code() tell why.
  bool Start(const std::vector<std::string> &arguments);

  // SIGKILL, and waits for the end.
  void Kill();

  // SIGTERM, and waits for the end. Returns the exit code, or minus the signal.
  int Stop();

  // "127.0.0.1:PORT".
  const std::string &address() const { return address_; }
  pid_t pid() const { return pid_; }

  // What it wrote until it was ready, or until it ended.
  const std::string &output() const { return output_; }
  int exit_code() const { return exit_code_; }

 private:
  int Wait();

  pid_t pid_ = 0;
  int pipe_ = -1;
  int exit_code_ = 0;
  std::string address_;
  std::string output_;
};

// Where a file that the test's rule names lies.
std::string TestFile(const std::string &path);

// A new empty directory, of the test's own.
std::string TestDirectory();

#endif  // CX_TESTS_SUPPORT_SERVER_PROCESS_H
