// For tests: the routes over a real ledger's file, with attempts led to every stage.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"
#include "dispatcher/server/api.h"
#include "dispatcher/system/file_records.h"

namespace holdfast::server::kit {

// Git as a test wants it: what it sees of every branch, and what comes of a landing.
class ToldWorktrees final : public Worktrees {
 public:
  BranchFacts facts, facts_after_landing;
  Landed landing;
  RawReply raw{Transport::answered, 0, {}, {}};
  std::vector<LandOrder> landed;

  Reply<BranchFacts> inspect(const BranchOrder&, Duration) override {
    return {raw, landed.empty() || landing.answer != LandAnswer::landed ? facts : facts_after_landing};
  }
  Reply<Landed> land(const LandOrder& order, Duration) override {
    landed.push_back(order);
    return {raw, landing};
  }
  Reply<std::vector<SlotSighting>> ensure_pool(int, const std::string&, Duration) override { return {}; }
  Reply<std::vector<SlotSighting>> look_at_pool(Duration) override { return {}; }
  Reply<Prepared> prepare(const PrepareOrder&, Duration) override { return {}; }
  Reply<Salvaged> pin(const BranchOrder&, PinWhen, Duration) override { return {}; }
  Reply<Salvaged> salvage(const BranchOrder&, Duration) override { return {}; }
  Reply<SlotSighting> release(const SlotOrder&, const CommitId&, const std::string&, Duration) override {
    return {};
  }
  Reply<Nothing> push(const BranchOrder&, Duration) override { return {}; }
  Reply<std::vector<AttemptId>> traces(Duration) override { return {}; }
};

class House {
 public:
  House() {
    policy_.profiles["shell"] = {};
    policy_.default_profile = "shell";
    api_ = std::make_unique<ApiParts>(ApiParts{*ledger_, *desk_, records_, *book_, policy_, "1.2.3",
                                               [] { return Instant{1'700'000'000'000}; }, [this] { ++woken; },
                                               [this] { return "r" + std::to_string(++names_); }});
    api_->worktrees = &worktrees;
    api_->press = [this](const Attempt&, const std::string& key) -> Taken<Nothing> {
      pressed.push_back(key);
      return Nothing{};
    };
  }
  [[nodiscard]] ApiParts& api() { return *api_; }
  [[nodiscard]] SqliteLedger& ledger() { return *ledger_; }

  HttpAnswer ask(const std::string& method, const std::string& target, const std::string& body = "",
                 std::map<std::string, std::string> headers = {}) {
    HttpRequest request;
    request.method = method;
    auto parsed = parse_target("/api/v1/" + target);
    EXPECT_TRUE(parsed) << target;
    request.path = parsed->path;
    request.query = parsed->query;
    request.headers = std::move(headers);
    request.body = body;
    return answer_request(*api_, request);
  }
  Json json(const std::string& method, const std::string& target, const std::string& body = "") {
    return Json::parse(ask(method, target, body).body);
  }
  void add(const std::string& id) {
    EXPECT_EQ(ask("POST", "tickets", R"({"id": ")" + id + R"(", "title": "Fix it"})").status, 201);
  }
  AttemptId attempt(const std::string& ticket, holdfast::kit::Stage stage) {
    Instant now{1'700'000'001'000};
    ledger_->write(StoreSlot{holdfast::kit::free_slot(++slots_)}, now);
    EXPECT_EQ(ledger_->write(holdfast::kit::claim_of(ticket), now).raw.code, 0);
    const AttemptId id{{ticket}, {1}};
    for (const LedgerWrite& write : holdfast::kit::way_to(stage, id)) {
      now = now + seconds(1);
      EXPECT_EQ(ledger_->write(write, now).raw.code, 0);
    }
    return id;
  }
  void write(const LedgerWrite& what) {
    EXPECT_EQ(ledger_->write(what, Instant{1'700'000'100'000}).raw.code, 0);
  }
  [[nodiscard]] std::string records_folder() const { return folder_.path().string() + "/records"; }
  [[nodiscard]] Desk& desk() { return *desk_; }
  std::atomic<int> woken = 0;
  ToldWorktrees worktrees;
  std::vector<std::string> pressed;  // keys

 private:
  TempFolder folder_;
  Policy policy_;
  std::unique_ptr<SqliteLedger> ledger_ =
      *open_ledger(folder_.path().string() + "/holdfast.db", LedgerMode::command_line);
  std::unique_ptr<Desk> desk_ =
      *open_desk(folder_.path().string() + "/holdfast.db", LedgerMode::command_line);
  std::unique_ptr<AnswerBook> book_ = *open_answer_book(folder_.path().string() + "/holdfast.db");
  FileRecords records_{folder_.path().string() + "/records"};
  std::unique_ptr<ApiParts> api_;
  std::atomic<int> names_ = 0;
  int slots_ = 0;
};

}  // namespace holdfast::server::kit
