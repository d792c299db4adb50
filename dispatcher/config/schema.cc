// The JSON Schema, written from the list of fields; defaults are the built-in ones.
#include <nlohmann/json.hpp>

#include "dispatcher/config/fields.h"
#include "dispatcher/config/quantities.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

Json object(std::string_view doc) {
  Json j = {{"type", "object"}};
  if (!doc.empty()) j["description"] = doc;
  j["additionalProperties"] = false;
  j["properties"] = Json::object();
  return j;
}

class Describer final : public FieldVisitor {
 public:
  explicit Describer(bool with_defaults) : defaults_(with_defaults) {}
  Json whole = object("");

  void text(Field f, std::string& value, std::string_view words, bool (*)(std::string_view)) override {
    Json j = {{"type", "string"}, {"description", doc(f)}};
    if (words != "a text") j["$comment"] = words;
    add(f, j, value);
  }
  void number(Field f, int& value, int least, int most) override {
    add(f, {{"type", "integer"}, {"description", doc(f)}, {"minimum", least}, {"maximum", most}}, value);
  }
  void duration(Field f, Duration& value, Duration least, Duration most) override {
    add(f,
        {{"type", "string"},
         {"description", doc(f)},
         {"pattern", "^[0-9]+(ms|s|m|h|d)$"},
         {"$comment", words_for(least) + " to " + words_for(most)}},
        words_for(value));
  }
  void bytes(Field f, std::int64_t& value) override {
    add(f, {{"type", "string"}, {"description", doc(f)}, {"pattern", "^(none|[0-9]+(B|KiB|MiB|GiB|TiB))$"}},
        words_for_bytes(value));
  }
  void list(Field f, std::vector<std::string>& value, std::size_t most) override {
    add(f, {{"type", "array"}, {"description", doc(f)}, {"maxItems", most}, {"items", {{"type", "string"}}}},
        value);
  }
  void table(Field f, std::map<std::string, std::string>& value) override {
    add(f, {{"type", "object"}, {"description", doc(f)}, {"additionalProperties", {{"type", "string"}}}},
        Json(value));
  }
  void choice(Field f, const std::vector<std::string_view>& words, std::size_t& chosen) override {
    add(f, {{"description", doc(f)}, {"enum", words}}, words.at(chosen));
  }
  void section(Field f, const std::function<void()>& inside) override {
    Json outer = std::exchange(whole, object(f.doc));
    inside();
    outer["properties"][std::string(f.key)] = std::move(whole);
    whole = std::move(outer);
  }
  void shape(Field f, BoardShape& value, const std::function<void(BoardShape&)>& inside) override {
    Json outer = std::exchange(whole, object(""));
    Json names = Json::array();
    for (const auto& [name, known] : known_board_shapes()) names.push_back(name);
    whole["properties"]["like"] = {{"description", "The one that it starts from."}, {"enum", names}};
    const bool outer_defaults = std::exchange(defaults_, false);  // they are those of the one it starts from
    inside(value);
    defaults_ = outer_defaults;
    Json one_of = Json::array();
    one_of.push_back({{"enum", names}});
    one_of.push_back(std::move(whole));
    outer["properties"][std::string(f.key)] = {{"description", f.doc}, {"oneOf", std::move(one_of)}};
    if (defaults_) outer["properties"][std::string(f.key)]["default"] = "holdfast";
    whole = std::move(outer);
  }
  void profiles(Field f, Draft&, const std::function<void(Profile&)>& inside) override {
    const bool outer_defaults = std::exchange(defaults_, false);  // they differ from profile to profile
    Json outer = std::exchange(whole, object(""));
    std::vector<std::string> names;
    for (const auto& [name, profile] : built_in_profiles()) names.push_back(name);
    whole["properties"]["extends"] = {
        {"description",
         "The built-in profile that it starts from: its own where it is named like one, else generic."},
        {"enum", names}};
    Profile any;
    inside(any);
    outer["properties"][std::string(f.key)] = {
        {"type", "object"},
        {"description", f.doc},
        {"propertyNames", {{"pattern", "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}}},
        {"additionalProperties", std::move(whole)}};
    whole = std::move(outer);
    defaults_ = outer_defaults;
  }

 private:
  static std::string doc(Field f) { return std::string(f.doc); }
  void add(Field f, Json j, const Json& value) {
    if (defaults_) j["default"] = value;
    whole["properties"][std::string(f.key)] = std::move(j);
  }
  bool defaults_;
};

}  // namespace

std::string config_schema() {
  Describer describer(true);
  Draft draft;
  describer.whole["properties"]["$schema"] = {{"type", "string"}, {"description", "Where this schema is."}};
  visit_fields(describer, draft);
  Json& whole = describer.whole;
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "holdfast.json"},
              {"description", "Configuration of one Holdfast installation. Comments are allowed."}};
  out["type"] = "object";
  out["required"] = {"repository"};
  whole["properties"]["repository"].erase("default");
  out["additionalProperties"] = false;
  out["properties"] = std::move(whole["properties"]);
  return out.dump(2) + "\n";
}

}  // namespace holdfast
