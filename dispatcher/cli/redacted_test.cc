// No line of a log holds a secret.
#include "dispatcher/cli/redacted.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "dispatcher/cli/progress.h"
#include "dispatcher/cli/shell_kit.h"

namespace holdfast::cli {
namespace {

TEST(Redacted, WhatIsSecretIsTakenOut) {
  const Redactor redactor({"a-long-secret", "short"});
  const struct {
    const char* text;
    const char* redacted;
  } table[] = {
      {"it said a-long-secret twice: a-long-secret", "it said [redacted] twice: [redacted]"},
      {"a short word stays", "a short word stays"},
      {"fatal: https://bob:hunter22@git.example/x.git: no",
       "fatal: https://[redacted]@git.example/x.git: no"},
      {"https://x@y:z@git.example/a@b", "https://[redacted]@git.example/a@b"},
      {"https://git.example/a@b and mail to a@b", "https://git.example/a@b and mail to a@b"},
      {"Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"},
      {"'basic dXNlcg=='", "'basic [redacted]'"},
      {"Bearer ", "Bearer "},
      {"://", "://"},
      {"", ""},
  };
  for (const auto& row : table) EXPECT_EQ(redactor.redacted(row.text), row.redacted);
}

TEST(Redacted, SecretsOfAnInstallation) {
  kit::Place place;
  place.install();
  auto config = load_config(place.folder + "/holdfast.json");
  ASSERT_TRUE(config);
  EXPECT_TRUE(secrets_of(*config).empty());
  place.write("state/http-token", "the http token\n");
  place.write("state/webhook-secret", "the webhook secret\n");
  place.write("board-token", "the board's token");
  config->board.token_file = place.folder + "/board-token";
  EXPECT_EQ(secrets_of(*config),
            (std::vector<std::string>{"the http token", "the board's token", "the webhook secret"}));
}

// A claim's token is nobody's who reads the log; what a remote answers may hold what it was asked with.
TEST(Redacted, LinesOfTheLog) {
  for (const bool json : {true, false}) {
    std::ostringstream out;
    EffectLog log(out, json, Redactor({"the-http-token"}));
    Claim claim;
    claim.ticket = {"T-1"};
    claim.title = "the-attempts-token";
    claim.token = "the-attempts-token";
    const Effect effect = WriteLedger{claim};
    Answer answer{effect,
                  {Transport::answered,
                   1,
                   {},
                   "https://bob:hunter22@git.example, the-http-token, the-attempts-token, Bearer abcdef"},
                  {},
                  {2000},
                  {1000}};
    log.write({effect, nullptr}, {1000});
    log.write({effect, &answer}, {2000});
    const std::string text = out.str();
    for (const char* secret : {"hunter22", "the-http-token", "the-attempts-token", "abcdef"})
      EXPECT_EQ(text.find(secret), std::string::npos) << text;
    EXPECT_NE(text.find("git.example"), std::string::npos) << text;
    EXPECT_NE(text.find("[redacted]"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace holdfast::cli
