#include "sim/cli/trace_file.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace holdfast::sim::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* format = "holdfast trace 1";

struct Number {
  const char* name;
  int WorldPlan::* field;
};
constexpr Number numbers[] = {
    {"tickets", &WorldPlan::tickets},
    {"dispatchers", &WorldPlan::dispatchers},
    {"capacity", &WorldPlan::capacity},
    {"shards", &WorldPlan::shards},
    {"attempts_max", &WorldPlan::attempts_max},
    {"effects_at_once", &WorldPlan::effects_at_once},
    {"backoff_s", &WorldPlan::backoff_s},
    {"look_s", &WorldPlan::look_s},
    {"review_s", &WorldPlan::review_s},
    {"newborn_s", &WorldPlan::newborn_s},
    {"finish_s", &WorldPlan::finish_s},
    {"term_s", &WorldPlan::term_s},
    {"faults", &WorldPlan::faults},
    {"crashes", &WorldPlan::crashes},
    {"persons", &WorldPlan::persons},
};
struct Choice {
  const char* name;
  bool WorldPlan::* field;
};
constexpr Choice choices[] = {{"land", &WorldPlan::land},
                              {"continue_branch", &WorldPlan::continue_branch},
                              {"cgroups", &WorldPlan::cgroups},
                              {"echoes", &WorldPlan::echoes}};

}  // namespace

std::string as_json(const Trace& t) {
  Json plan;
  for (const Number& n : numbers) plan[n.name] = t.plan.*n.field;
  for (const Choice& c : choices) plan[c.name] = t.plan.*c.field;
  plan["kinds"] = Json::array();
  for (std::size_t i = 1; i < fault_ids; ++i)
    if (const auto id = static_cast<FaultId>(i); t.plan.kinds.has(id)) plan["kinds"].push_back(name_of(id));
  plan["triggers"] = Json::array();
  for (const Trigger& one : t.plan.triggers) plan["triggers"].push_back(words_for(one));
  Json file = {{"format", format}, {"dispatcher", t.dispatcher}, {"seed", t.seed}};
  file["violates"] = Json::array();
  for (const Invariant i : t.violates) file["violates"].push_back(name_of(i));
  file["words"] = t.words;
  file["plan"] = plan;
  file["events"] = t.events;
  file["heals"] = t.heals;
  if (t.converges) file["converges"] = true;
  return file.dump(1) + "\n";
}

std::optional<Trace> trace_from_json(const std::string& text, std::string& error) {
  const Json file = Json::parse(text, nullptr, false);
  const auto wrong = [&](std::string why) -> std::optional<Trace> {
    error = std::move(why);
    return std::nullopt;
  };
  if (file.is_discarded()) return wrong("it is not JSON");
  if (!file.is_object() || file.value("format", "") != format)
    return wrong(std::string("it has no \"format\": \"") + format + "\"");
  try {
    Trace t;
    t.dispatcher = file.value("dispatcher", "shipped");
    t.seed = file.value("seed", std::uint64_t{0});
    t.words = file.value("words", "");
    t.heals = file.value("heals", false);
    t.converges = file.value("converges", false);
    t.events = file.at("events").get<std::vector<std::string>>();
    for (const auto& name : file.value("violates", Json::array())) {
      const auto i = invariant_named(name.get<std::string>());
      if (!i) return wrong("no such invariant: " + name.dump());
      t.violates.push_back(*i);
    }
    const Json& plan = file.at("plan");
    for (const Number& n : numbers) t.plan.*n.field = plan.value(n.name, t.plan.*n.field);
    for (const Choice& c : choices) t.plan.*c.field = plan.value(c.name, t.plan.*c.field);
    if (t.plan.tickets < 1 || t.plan.tickets > 4) return wrong("\"tickets\" is 1 to 4");
    if (t.plan.dispatchers < 1 || t.plan.dispatchers > 4) return wrong("\"dispatchers\" is 1 to 4");
    for (const auto& name : plan.value("kinds", Json::array())) {
      const auto id = fault_named(name.get<std::string>());
      if (!id) return wrong("no such fault: " + name.dump());
      t.plan.kinds.add(*id);
    }
    for (const auto& words : plan.value("triggers", Json::array())) {
      std::string why;
      const auto trigger = trigger_from(words.get<std::string>(), why);
      if (!trigger) return wrong(why);
      t.plan.triggers.push_back(*trigger);
    }
    return t;
  } catch (const nlohmann::json::exception& e) {
    return wrong(e.what());
  }
}

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  return out.good();
}

}  // namespace holdfast::sim::cli
