// A gRPC server for tests whose methods are lambdas. Each call runs on a thread of
// its own, as a straight line.

#ifndef CX_TESTS_FAKE_SERVER_H
#define CX_TESTS_FAKE_SERVER_H

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct grpc_server;
struct grpc_completion_queue;

class FakeServer {
 public:
  // What a message is answered with. A code other than 0 ends the call.
  struct Answer {
    std::vector<std::string> messages;
    int code = 0;
    std::string text = "";
    std::string details = "";  // A packed google.rpc.Status.
    bool silent = false;  // Leaves the call open, behind the messages, until the client gives up.
  };
  using Handler = std::function<Answer(const std::string &message)>;

  // On a free port, or on the address of one that is gone. `prepare` is called before
  // the first client can come.
  explicit FakeServer(const std::string &address = "127.0.0.1:0",
                      const std::function<void(FakeServer *)> &prepare = nullptr);
  ~FakeServer();

  // Before the first call. A unary method and one that streams its answer are called
  // with the one request; a bidirectional one with each message until the client
  // has finished.
  void Method(const std::string &path, Handler handler);
  void Stream(const std::string &path, Handler handler);

  // What each call had as `authorization`, in the order of their arrival; "" for nothing.
  std::vector<std::string> authorizations();

  // "127.0.0.1:<port>".
  const std::string &address() const { return address_; }

 private:
  struct Call;
  struct Method_ {
    Handler handler;
    bool stream;
  };

  void Accept();
  void NoteAuthorization(const Call &call);
  void Serve(Call *call);
  Method_ Find(const std::string &path);

  grpc_server *server_;
  grpc_completion_queue *queue_;
  std::string address_;
  std::mutex mutex_;  // Guards the next two.
  std::map<std::string, Method_> methods_;
  std::vector<std::string> authorizations_;
  std::thread acceptor_;
  std::vector<std::thread> calls_;
};

#endif  // CX_TESTS_FAKE_SERVER_H
