// Page tokens: what server/services/token.h promises.
//
//  - A text that is taken back is exactly the one that its content makes.
//  - What was encoded is taken back, for its own list and log alone.
//  - One that was altered is refused.

#include "tests/fuzz/input.h"

extern "C" {
#include "core/base/arena.h"
#include "core/base/limits.h"
#include "server/services/token.h"
}

namespace {

class Tokens {
 public:
  ~Tokens() { cx_arena_done(&arena_); }

  std::string Encode(const cx_token_scope &scope, const cx_token &token) {
    const char *text = cx_token_encode(&allocator_, &scope, &token);
    FUZZ_REQUIRE(text != nullptr, "no token");
    return text;
  }

  bool Decode(const cx_token_scope &scope, const std::string &text, cx_token *ret_token) {
    return cx_token_decode(&allocator_, &scope, FuzzBytes(text), ret_token);
  }

  // Any text: refused, or the one token of its content.
  void DecodeAny(const cx_token_scope &scope, const std::string &text) {
    cx_token token;
    if (!Decode(scope, text, &token)) return;
    FUZZ_REQUIRE(token.key.size <= CX_TOKEN_KEY_SIZE_MAX, "a key of %zu bytes", token.key.size);
    FUZZ_REQUIRE(Encode(scope, token) == text, "two texts for one token");
  }

 private:
  cx_arena arena_ = {};
  cx_allocator allocator_ = cx_allocator_of_arena(&arena_);
};

cx_token_scope Scope(Input *input) {
  cx_token_scope scope = {};
  scope.kind = static_cast<cx_token_kind>(CX_TOKEN_CONTEXTS + input->Below(CX_TOKEN_RESOURCES));
  scope.filters = input->Number();
  scope.log = input->Number(2);
  scope.epoch = input->Number(1);
  return scope;
}

void TryAltered(Tokens *tokens, Input *input, const cx_token_scope &scope,
                const std::string &text) {
  cx_token token;
  std::string altered = text;
  size_t at = input->Number(2) % text.size();
  switch (input->Below(4)) {
    case 0:
      altered[at] = static_cast<char>(input->Byte());
      break;
    case 1:
      altered.resize(at);
      break;
    case 2:
      altered.insert(at, input->Run());
      break;
    default:
      altered.replace(at, input->Below(64), input->Run());
  }
  FUZZ_REQUIRE(altered == text || !tokens->Decode(scope, altered, &token),
               "an altered token is taken: %s", FuzzHex(altered).c_str());
}

void TryElsewhere(Tokens *tokens, Input *input, const cx_token_scope &scope,
                  const std::string &text) {
  cx_token token;
  cx_token_scope other = Scope(input);
  bool same = other.kind == scope.kind && other.filters == scope.filters && other.log == scope.log;
  FUZZ_REQUIRE(same == tokens->Decode(other, text, &token), "a token of another list");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  NoLeaks no_leaks;
  Tokens tokens;
  cx_token_scope scope = Scope(&input);
  if (input.Flag()) {
    tokens.DecodeAny(scope, input.Rest());
    return 0;
  }
  cx_token made = {};
  made.epoch = input.Number();
  made.position = input.Number();
  std::string key = input.Run().substr(0, CX_TOKEN_KEY_SIZE_MAX);
  made.key = FuzzBytes(key);
  std::string text = tokens.Encode(scope, made);
  cx_token back;
  FUZZ_REQUIRE(tokens.Decode(scope, text, &back), "a token is refused");
  FUZZ_REQUIRE(back.epoch == made.epoch && back.position == made.position &&
                   cx_bytes_equal(back.key, made.key),
               "a token decodes to another");
  tokens.DecodeAny(scope, text);
  TryAltered(&tokens, &input, scope, text);
  TryElsewhere(&tokens, &input, scope, text);
  return 0;
}
