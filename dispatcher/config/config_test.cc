// holdfast.json: defaults, every kind of mistake with its place, and the schema and the pages that describe
// it.
#include "dispatcher/config/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "dispatcher/config/fields.h"
#include "dispatcher/config/quantities.h"

namespace holdfast {
namespace {

using nlohmann::json;

std::string error_of(const std::string& text) {
  const auto config = parse_config(text, "/etc/holdfast-test/holdfast.json");
  return config ? "fine" : config.error().words;
}

TEST(Config, TheLeastOne) {
  const auto c =
      parse_config(R"({"repository": "../repo", "default_profile": "shell"})", "/srv/hf/holdfast.json");
  ASSERT_TRUE(c) << c.error().words;
  EXPECT_EQ(c->repository, "/srv/repo");
  EXPECT_EQ(c->state, "/srv/hf/state");
  EXPECT_EQ(c->target, "main");
  EXPECT_EQ(c->policy.target, "refs/heads/main");
  EXPECT_EQ(c->policy.start, "refs/heads/main");
  EXPECT_EQ(c->policy.capacity, 4);
  EXPECT_EQ(c->policy.profiles.count("claude"), 1U);
  EXPECT_EQ(c->policy.profiles.count("generic"), 0U);  // it has no command, so nobody can use it
}

TEST(Config, EverythingHasItsPlace) {
  const auto c = parse_config(R"(// A comment.
{
  "repository": "/srv/repo", "target": "release/2.x", "remote": "origin", "state": "/var/lib/hf",
  "gate": "land", "check": ["make", "check"], "check_timeout": "20m", "recovered": "continue",
  "capacity": 32, "shards": 4, "labels": ["bot"], "default_profile": "tiny", /* another */
  "budgets": {"attempts": 5, "backoff_first": "250ms"},
  "patience": {"look_every": "2s", "pool_deadline": "1h"},
  "git": {"name": "Robot", "ignored_files": "set_aside"},
  "screen": {"columns": 120},
  "profiles": {
    "tiny": {"extends": "shell", "memory": "512MiB", "environment": {"A": "b"}, "term_grace": "1s"},
    "claude": {"command": ["claude", "--model", "x"]}
  }
})",
                              "/srv/hf/holdfast.json");
  ASSERT_TRUE(c) << c.error().words;
  EXPECT_EQ(c->policy.start, "refs/remotes/origin/release/2.x");
  EXPECT_EQ(c->policy.gate, GatePolicy::land);
  EXPECT_EQ(c->policy.check, (std::vector<std::string>{"make", "check"}));
  EXPECT_EQ(c->policy.check_timeout, minutes(20));
  EXPECT_EQ(c->policy.recovered, RecoveredPolicy::continue_branch);
  EXPECT_EQ(c->policy.attempts_max, 5);
  EXPECT_EQ(c->policy.backoff_first, millis(250));
  EXPECT_EQ(c->pool_deadline, minutes(60));
  EXPECT_TRUE(c->set_ignored_aside);
  EXPECT_EQ(c->policy.columns, 120);
  const Profile& tiny = c->policy.profiles.at("tiny");
  EXPECT_EQ(tiny.name, "tiny");
  EXPECT_EQ(tiny.prompt_by, PromptBy::file);  // from shell
  EXPECT_EQ(tiny.memory_limit_bytes, 512LL << 20);
  EXPECT_EQ(tiny.environment_set.at("A"), "b");
  EXPECT_EQ(c->policy.profiles.at("claude").ready_by, ReadyBy::pattern);  // what was not changed
}

TEST(Config, MistakesHaveLineColumnAndPath) {
  const struct {
    const char* text;
    const char* error;
  } table[] = {
      {"",
       "holdfast.json:1:1: syntax error while parsing value - unexpected end of input; expected '[', '{', or "
       "a literal"},
      {"[]", "holdfast.json:1:1: /: expected an object, not a list"},
      {"{}",
       "holdfast.json:1:1: /repository: expected the path of the git repository that the work is about"},
      {"{\"repository\": \"/r\",}",
       "holdfast.json:1:21: syntax error while parsing object key - unexpected '}'; expected string literal; "
       "take "
       "away the comma before it"},
      {"{\n  \"repository\": 3\n}", "holdfast.json:2:17: /repository: expected a text, not 3"},
      {"{\"repository\": \"/r\",\n \"capcity\": 3}",
       "holdfast.json:2:2: /capcity: expected no such key; is \"capacity\" meant?"},
      {"{\"repository\": \"/r\",\n \"zzz\": 3}", "holdfast.json:2:2: /zzz: expected no such key"},
      {"{\"capacity\": 3,\n // c\n \"capacity\": 4}",
       "holdfast.json:3:2: /capacity: this key stands here twice"},
      {"{\"repository\": \"/r\", \"capacity\": 0}",
       "holdfast.json:1:34: /capacity: expected a whole number from 1 to 1000, not 0"},
      {"{\"repository\": \"/r\", \"capacity\": 18446744073709551615}",
       "holdfast.json:1:34: /capacity: expected a whole number from 1 to 1000, not 18446744073709551615"},
      {"{\"repository\": \"/r\", \"capacity\": 1.5}",
       "holdfast.json:1:34: /capacity: expected a whole number from 1 to 1000, not 1.5"},
      {"{\"repository\": \"/r\", \"gate\": \"auto\"}",
       "holdfast.json:1:30: /gate: expected \"review\" or \"land\", not \"auto\""},
      {"{\"repository\": \"/r\", \"target\": \"-x\"}",
       "holdfast.json:1:32: /target: expected a branch name such as \"main\", not \"-x\""},
      {"{\"repository\": \"/r\", \"check_timeout\": \"10\"}",
       "holdfast.json:1:39: /check_timeout: expected a duration such as \"10s\", \"5m\" or \"250ms\", not "
       "\"10\""},
      {"{\"repository\": \"/r\", \"check\": [\"a\", 2]}",
       "holdfast.json:1:37: /check/1: expected a text, not 2"},
      {"{\"repository\": \"/r\", \"profiles\": {\n\"x\": {\"extends\": \"shell\", \"memory\": 7}}}",
       "holdfast.json:2:37: /profiles/x/memory: expected a size such as \"512MiB\" or \"2GiB\" (at least "
       "1MiB), or "
       "\"none\", not 7"},
      {"{\"repository\": \"/r\", \"profiles\": {\n\"x\": {\"prompt\": \"file\"}}}",
       "holdfast.json:2:6: /profiles/x/command: expected the worker's command (profile \"x\" has none)"},
      {"{\"repository\": \"/r\", \"profiles\": {\"a b\": {}}}",
       "holdfast.json:1:42: /profiles/a b: expected a name of letters, digits, '-', '_' and '.'"},
      {"{\"repository\": \"/r\", \"profiles\": {\"claude\": {\"prompt\": \"argument\"}}}",
       "holdfast.json:1:45: /profiles/claude/command: expected an argument {prompt}, because \"prompt\" is "
       "\"argument\""},
      {"{\"repository\": \"/r\", \"default_profile\": \"nobody\"}",
       "holdfast.json:1:41: /default_profile: expected the name of a profile, not \"nobody\""},
      {"{\"repository\": \"/r\", \"start_from\": \"remote\"}",
       "holdfast.json:1:36: /start_from: expected a \"remote\" to start from"},
      {"{\"repository\": \"/r\\u0000\"}",
       "holdfast.json:1:16: /repository: expected the path of a git repository, not \"/r \""},
      {"{\"repository\": \"/r\", \"budgets\": {\"attempts\": true}}",
       "holdfast.json:1:46: /budgets/attempts: expected a whole number from 1 to 100, not true"},
  };
  for (const auto& row : table) EXPECT_EQ(error_of(row.text), row.error) << row.text;
}

TEST(Config, ABoardElsewhere) {
  const auto config = [](const std::string& board) {
    return parse_config(R"({"repository": "/r", "default_profile": "shell", "board": )" + board + "}",
                        "/srv/hf/holdfast.json");
  };
  const auto plain = config(R"({"url": "https://board.example", "token_file": "/etc/token"})");
  ASSERT_TRUE(plain) << plain.error().words;
  EXPECT_EQ(plain->board.url, "https://board.example");
  EXPECT_EQ(plain->board.shape, known_board_shapes().at("holdfast"));
  EXPECT_EQ(config(R"({"url": "http://x", "shape": "labels"})")->board.shape,
            known_board_shapes().at("labels"));
  const auto changed = config(
      R"({"url": "http://x", "shape": {"like": "labels", "states": {"todo": "ready", "backlog": "later"},
    "paths": {"ticket": "/items/{id}"}, "fields": {"title": "/name"}, "headers": {"X-Api": "1"}, "unlabelled": "todo"}})");
  ASSERT_TRUE(changed) << changed.error().words;
  EXPECT_EQ(changed->board.shape.kind, BoardKind::labels);
  EXPECT_EQ(changed->board.shape.states.at(BoardState::todo), "ready");
  EXPECT_EQ(changed->board.shape.states.at(BoardState::blocked), "blocked");
  EXPECT_EQ(changed->board.shape.paths.ticket, "/items/{id}");
  EXPECT_EQ(changed->board.shape.fields.title, "/name");
  EXPECT_EQ(changed->board.shape.unlabelled, BoardState::todo);
  EXPECT_EQ(changed->board.shape.headers.at("X-Api"), "1");

  const auto error = [&](const std::string& board) { return config(board).error().words; };
  const struct {
    const char* board;
    const char* says;
  } table[] = {
      {R"({"url": "board.example"})", "/board/url: expected \"\", or an address that begins with http://"},
      {R"({"url": "http://bob:secret@x"})", "/board/url: expected"},
      {R"({"url": "http://x", "token_file": "token"})", "/board/token_file: expected an absolute path"},
      {R"({"token_file": "/t"})", "/board/url: expected the address of the board"},
      {R"({"url": "http://x", "shape": "github"})",
       "/board/shape: expected \"holdfast\" or \"labels\", or an object, not \"github\""},
      {R"({"url": "http://x", "shape": {"like": "jira"}})", "/board/shape/like: expected \"holdfast\" or"},
      {R"({"url": "http://x", "shape": {"states": {"todo": ""}}})",
       "/board/shape/states/todo: expected the board's"},
      {R"({"url": "http://x", "shape": {"states": {"todo": "x", "blocked": "x"}}})",
       "/board/shape/states/blocked: expected another name than that of todo"},
      {R"({"url": "http://x", "shape": {"fields": {"title": "name"}}})",
       "/board/shape/fields/title: expected a JSON pointer"},
      {R"({"url": "http://x", "shape": {"fields": {"tilte": "/x"}}})", "is \"title\" meant?"},
      {R"({"url": "http://x", "shape": {"paths": {"move": "x y"}}})",
       "/board/shape/paths/move: expected a path"},
      {R"({"url": "http://x", "shape": {"headers": {"X-A": "1\r\nHost: y"}}})",
       "/board/shape/headers/X-A: expected a header of one line"},
  };
  for (const auto& row : table)
    EXPECT_NE(error(row.board).find(row.says), std::string::npos) << error(row.board);
}

TEST(Config, WhoIsTold) {
  const auto config = [](const std::string& notify) {
    return parse_config(R"({"repository": "/r", "default_profile": "shell", "notify": )" + notify + "}",
                        "/srv/hf/holdfast.json");
  };
  const auto c = config(
      R"({"webhook": "https://hooks.example/x", "command": ["notify-send", "--", "{summary}"], "about": ["question"]})");
  ASSERT_TRUE(c) << c.error().words;
  EXPECT_EQ(c->notify.webhook, "https://hooks.example/x");
  EXPECT_EQ(c->notify.command.size(), 3U);
  EXPECT_EQ(c->notify.about, std::vector<std::string>{"question"});
  EXPECT_EQ(config("{}")->notify.about.size(), 8U);
  const struct {
    const char* notify;
    const char* says;
  } table[] = {
      {R"({"webhook": "hooks.example"})", "/notify/webhook: expected \"\", or an address"},
      {R"({"about": ["question", "everything"]})", "/notify/about/1: expected question, blocked"},
      {R"({"command": [""]})", "/notify/command/0: expected the name of a program"},
      {R"({"secret_file": "secret"})", "/notify/secret_file: expected an absolute path"},
  };
  for (const auto& row : table)
    EXPECT_NE(config(row.notify).error().words.find(row.says), std::string::npos)
        << config(row.notify).error().words;
}

TEST(Config, NoErrorHoldsAControlCharacterOrASecondLine) {
  for (const char* text :
       {"{\"a\\u001b[2J\\nb\": 1, \"repository\": \"/r\"}",
        "{\"repository\": \"\\u001b\", \"gate\": \"\\n\"}", "{\"repository\": \"\x1b[2J\"}", "\xff\xfe{}",
        "{\"repository\": \"/r\", \"target\": \"\\u0007\"}"}) {
    const std::string error = error_of(text);
    EXPECT_NE(error, "fine");
    for (const char c : error) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << error;
  }
}

TEST(Config, DeepNestingIsRefusedAndNotFollowed) {
  std::string text = R"({"repository": )";
  for (int i = 0; i < 100'000; ++i) text += '[';
  EXPECT_NE(error_of(text).find("nested too deeply"), std::string::npos);
}

TEST(Config, PositionsAreRightAfterEscapesCommentsAndNumbers) {
  EXPECT_EQ(
      error_of("{\"$schema\": \"a\\\"//b\\\\\", /* \" */ \"capacity\": 7/* x */, // \"\n  \"gate\": 1}"),
      "holdfast.json:2:11: /gate: expected \"review\" or \"land\", not 1");
}

// Found by the fuzzer: a comment that ends with a carriage return or a NUL was followed past its end.
TEST(Config, ACommentEndsWhereTheParserEndsIt) {
  EXPECT_EQ(error_of("{//\"a\": \"b\", \r\"rNNN\": \"a\", \r\"rNNN/i\"}"),
            "holdfast.json:1:37: syntax error while parsing object separator - unexpected '}'; expected ':'");
  constexpr char with_nul[] = "{\"repository\": \"/r\", //\0 \"gate\": 1}";
  EXPECT_EQ(error_of(std::string(with_nul, sizeof with_nul - 1)),
            "holdfast.json:1:34: /gate: expected \"review\" or \"land\", not 1");
  EXPECT_EQ(error_of("{\"repository\": \"/r\", //\r \"gate\": 1}"),
            "holdfast.json:1:34: /gate: expected \"review\" or \"land\", not 1");
}

TEST(Config, TheStateFolderMustNotLieInTheCheckout) {
  const std::string folder = testing::TempDir() + "holdfast-config-test";
  std::filesystem::create_directories(folder + "/repo");
  const auto c =
      parse_config(R"({"repository": "repo", "state": "repo/.holdfast", "default_profile": "shell"})",
                   folder + "/holdfast.json");
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().words.find("/state: expected a folder outside the repository"), std::string::npos);
}

TEST(Config, ThereIsNoPathThatCannotBeSaid) {
  EXPECT_NE(load_config("/nowhere/holdfast.json").error().words.find("cannot be read"), std::string::npos);
  EXPECT_NE(load_config("/").error().words.find("it is a folder"), std::string::npos);
}

TEST(Config, TheNearestFileIsFound) {
  EXPECT_EQ(find_config("a.json", "b.json", "/").value(), "a.json");
  EXPECT_EQ(find_config({}, "b.json", "/").value(), "b.json");
  EXPECT_FALSE(find_config({}, {}, "/"));
  const std::string folder = testing::TempDir() + "holdfast-find-test";
  std::system(("mkdir -p " + folder + "/a/b && touch " + folder + "/holdfast.json").c_str());  // NOLINT
  EXPECT_EQ(find_config({}, {}, folder + "/a/b").value(), folder + "/holdfast.json");
}

// --- the shipped schema

// Every path of the schema, with objects of named members as "*".
void paths_of(const json& schema, const std::string& path, std::set<std::string>& paths) {
  if (schema.contains("properties"))
    for (const auto& [key, value] : schema["properties"].items()) {
      paths.insert(path + "/" + key);
      paths_of(value, path + "/" + key, paths);
    }
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
    paths_of(schema["additionalProperties"], path + "/*", paths);
}

json shipped_schema() {
  std::ifstream file(HOLDFAST_SOURCE_DIR "/docs/holdfast.schema.json");
  return json::parse(file);
}

TEST(Schema, TheShippedOneIsTheReadersOwn) {
  std::ifstream file(HOLDFAST_SOURCE_DIR "/docs/holdfast.schema.json");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), config_schema())
      << "write it anew with `holdfast schema > docs/holdfast.schema.json`";
}

// The schema as a validator, as far as it goes; so that what it allows can be given to the reader.
json example_of(const json& schema) {
  if (schema.contains("default")) return schema["default"];
  if (schema.contains("enum")) return schema["enum"].back();
  if (schema.contains("oneOf")) return example_of(schema["oneOf"].back());
  const std::string type = schema.value("type", "");
  if (type == "integer") return schema["minimum"];
  if (type == "array") return json::array({"x"});
  if (type == "object") {
    json whole = json::object();
    if (schema.contains("properties"))
      for (const auto& [key, value] : schema["properties"].items()) whole[key] = example_of(value);
    return whole;
  }
  const std::string pattern = schema.value("pattern", "");
  if (pattern.find("ms") != std::string::npos) return "30s";
  if (pattern.find("GiB") != std::string::npos) return "2GiB";
  return "x";
}

TEST(Schema, WhatItDescribesIsRead) {
  const json schema = shipped_schema();
  json whole = example_of(schema);
  whole["default_profile"] = "shell";
  whole["profiles"] = {{"x", example_of(schema["properties"]["profiles"]["additionalProperties"])}};
  whole["profiles"]["x"]["command"] = {"x", "{prompt}"};
  const auto c = parse_config(whole.dump(2), "/srv/hf/holdfast.json");
  EXPECT_TRUE(c) << c.error().words;
  std::set<std::string> paths;
  paths_of(schema, "", paths);
  EXPECT_GT(paths.size(), 60U);
  for (const char* path : {"/repository", "/budgets/attempts", "/profiles/*/memory", "/patience/look_every"})
    EXPECT_TRUE(paths.contains(path)) << path;
}

TEST(Schema, WhatTheReaderRefusesTheSchemaDoesNotKnow) {
  // One wrong key in every object that the schema knows.
  const json schema = shipped_schema();
  for (const auto& [key, value] : schema["properties"].items()) {
    if (!value.contains("properties")) continue;
    json whole = {{"repository", "/r"}, {"default_profile", "shell"}, {key, {{"nonsense", 1}}}};
    EXPECT_NE(error_of(whole.dump()).find("/" + key + "/nonsense: expected no such key"), std::string::npos);
  }
}

// --- quantities

TEST(Quantities, ThereAndBack) {
  for (const char* text : {"0s", "250ms", "10s", "5m", "2h", "30d"})
    EXPECT_EQ(words_for(duration_from(text).value()), text);
  for (const char* text : {"none", "1MiB", "512MiB", "2GiB", "1TiB"})
    EXPECT_EQ(words_for_bytes(bytes_from(text).value()), text);
  for (const char* text :
       {"", "5", "s", "-5s", "5 s", "5S", "5.5s", "99999999999999999999s", "9007199254740993d", "0x5s"})
    EXPECT_FALSE(duration_from(text)) << text;
  for (const char* text : {"", "5", "5G", "5gib", "-1GiB", "9999999999TiB"})
    EXPECT_FALSE(bytes_from(text)) << text;
}

TEST(Names, BranchesThatGitWouldTakeApart) {
  for (const char* name : {"main", "release/2.x", "a-b_c", "ümlaut", "feature.x"})
    EXPECT_TRUE(is_plain_branch(name)) << name;
  for (const char* name :
       {"",   "-x",   "a..b",  "a b", "a:b",  "refs/heads/main", "a~1",  "a^", "HEAD", "@",  "a/",
        "/a", "a//b", "a@{1}", ".a",  "a/.b", "a.lock",          "a\nb", "a*", "a?",   "a[", "a\\b",
        "a."})
    EXPECT_FALSE(is_plain_branch(name)) << name;
}

}  // namespace
}  // namespace holdfast
