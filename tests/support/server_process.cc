#include "tests/support/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

ServerProcess::~ServerProcess() { Kill(); }

bool ServerProcess::Start(const std::vector<std::string> &arguments) {
  std::string binary = TestFile("server/contextd");
  std::vector<std::string> words = {binary, "--listen", "127.0.0.1:0"};
  std::vector<char *> argv;
  int ends[2];

  words.insert(words.end(), arguments.begin(), arguments.end());
  for (std::string &word : words) argv.push_back(&word[0]);
  argv.push_back(nullptr);
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    for (const char *own : {"CONTEXTD_SEED", "CONTEXTD_SECONDS"}) {
      unsetenv(own);  // The tests' own: the server would take them for settings.
    }
    dup2(ends[1], STDERR_FILENO);
    execv(binary.c_str(), argv.data());
    _exit(127);
  }
  close(ends[1]);
  pipe_ = ends[0];
  address_.clear();
  output_.clear();

  const std::string ready = "serving address=";
  char piece[4096];
  for (ssize_t size; (size = read(pipe_, piece, sizeof piece)) > 0;) {
    output_.append(piece, static_cast<size_t>(size));
    size_t at = output_.find(ready);
    size_t end = at == std::string::npos ? at : output_.find_first_of(" \n", at + ready.size());
    if (end != std::string::npos) {
      address_ = output_.substr(at + ready.size(), end - at - ready.size());
      return true;
    }
  }
  exit_code_ = Wait();
  return false;
}

int ServerProcess::Wait() {
  int status = 0;

  // What it still says must not fill the pipe and keep it from ending.
  char piece[4096];
  for (ssize_t size; (size = read(pipe_, piece, sizeof piece)) > 0;) {
    output_.append(piece, static_cast<size_t>(size));
  }
  waitpid(pid_, &status, 0);
  close(pipe_);
  pid_ = 0;
  pipe_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ServerProcess::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  Wait();
}

int ServerProcess::Stop() {
  kill(pid_, SIGTERM);
  exit_code_ = Wait();
  return exit_code_;
}

std::string TestFile(const std::string &path) {
  const char *runfiles = getenv("TEST_SRCDIR");
  return runfiles != nullptr ? std::string(runfiles) + "/contextd/" + path : path;
}

std::string TestDirectory() {
  const char *base = getenv("TEST_TMPDIR");
  std::string path = std::string(base != nullptr ? base : "/tmp") + "/contextd-XXXXXX";
  if (mkdtemp(&path[0]) == nullptr) throw std::runtime_error("no directory at " + path);
  return path;
}
