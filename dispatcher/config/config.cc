// Reads a document along the list of fields, and turns what stands there into what the dispatcher needs.
#include "dispatcher/config/config.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "dispatcher/config/fields.h"
#include "dispatcher/config/json_places.h"
#include "dispatcher/config/quantities.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string in_quotes(std::string_view text) {
  return "\"" + printable(text, 60) + "\"";
}

std::string shown(const json& value) {
  switch (value.type()) {
    case json::value_t::null: return "null";
    case json::value_t::object: return "an object";
    case json::value_t::array: return "a list";
    case json::value_t::string: return in_quotes(value.get_ref<const std::string&>());
    case json::value_t::boolean: return value.get<bool>() ? "true" : "false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float: return value.dump();
    case json::value_t::binary:
    case json::value_t::discarded: return "something else";
  }
  return "something else";
}

// The first thing that is wrong ends the reading; what comes after it is only passed over.
class Reader final : public FieldVisitor {
 public:
  Reader(const json& root, std::string_view text, const JsonPlaces& places, std::string file)
      : text_(text), places_(places), file_(std::move(file)) {
    enter(root, "");
  }

  [[nodiscard]] const std::optional<ConfigError>& error() const { return error_; }

  void text(Field field, std::string& value, std::string_view words,
            bool (*fine)(std::string_view)) override {
    if (const json* j = take(field, "a text", json::value_t::string)) {
      const auto& given = j->get_ref<const std::string&>();
      if (given.find('\0') != std::string::npos || !fine(given))
        return wrong(field.key, "expected " + std::string(words) + ", not " + in_quotes(given));
      value = given;
    }
  }

  void number(Field field, int& value, int least, int most) override {
    const json* j = find(field.key);
    if (j == nullptr) return;
    const std::string range = std::to_string(least) + " to " + std::to_string(most);
    if (!j->is_number_integer())
      return wrong(field.key, "expected a whole number from " + range + ", not " + shown(*j));
    if ((j->is_number_unsigned() && j->get<std::uint64_t>() > static_cast<std::uint64_t>(most)) ||
        j->get<std::int64_t>() < least || j->get<std::int64_t>() > most)
      return wrong(field.key, "expected a whole number from " + range + ", not " + shown(*j));
    value = j->get<int>();
  }

  void duration(Field field, Duration& value, Duration least, Duration most) override {
    const json* j = find(field.key);
    if (j == nullptr) return;
    const auto given = j->is_string() ? duration_from(j->get_ref<const std::string&>()) : std::nullopt;
    if (!given)
      return wrong(field.key, "expected a duration such as \"10s\", \"5m\" or \"250ms\", not " + shown(*j));
    if (*given < least || *given > most)
      return wrong(field.key, "expected a duration from " + words_for(least) + " to " + words_for(most) +
                                  ", not " + shown(*j));
    value = *given;
  }

  void bytes(Field field, std::int64_t& value) override {
    const json* j = find(field.key);
    if (j == nullptr) return;
    const auto given = j->is_string() ? bytes_from(j->get_ref<const std::string&>()) : std::nullopt;
    if (!given || (*given != 0 && *given < (1 << 20)))
      return wrong(field.key,
                   "expected a size such as \"512MiB\" or \"2GiB\" (at least 1MiB), or \"none\", "
                   "not " +
                       shown(*j));
    value = *given;
  }

  void list(Field field, std::vector<std::string>& value, std::size_t most) override {
    const json* j = take(field, "a list of texts", json::value_t::array);
    if (j == nullptr) return;
    if (j->size() > most) return wrong(field.key, "expected at most " + std::to_string(most) + " texts");
    value.clear();
    for (std::size_t n = 0; n < j->size(); ++n) {
      const json& one = (*j)[n];
      if (!is_text(one))
        return wrong(std::string(field.key) + "/" + std::to_string(n), "expected a text, not " + shown(one));
      value.push_back(one.get<std::string>());
    }
  }

  void table(Field field, std::map<std::string, std::string>& value) override {
    const json* j = take(field, "an object of texts", json::value_t::object);
    if (j == nullptr) return;
    for (const auto& [name, one] : j->items()) {
      const std::string path = std::string(field.key) + "/" + pointer_part(name);
      if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
        return wrong(path, "expected the name of a variable");
      if (!is_text(one)) return wrong(path, "expected a text, not " + shown(one));
      value[name] = one.get<std::string>();
    }
  }

  void choice(Field field, const std::vector<std::string_view>& words, std::size_t& chosen) override {
    const json* j = find(field.key);
    if (j == nullptr) return;
    std::string all;
    for (std::size_t n = 0; n < words.size(); ++n)
      all += (n == 0 ? "" : n + 1 == words.size() ? " or " : ", ") + ("\"" + std::string(words[n]) + "\"");
    const auto found =
        j->is_string() ? std::ranges::find(words, j->get_ref<const std::string&>()) : words.end();
    if (found == words.end()) return wrong(field.key, "expected " + all + ", not " + shown(*j));
    chosen = static_cast<std::size_t>(found - words.begin());
  }

  void section(Field field, const std::function<void()>& inside) override {
    if (const json* j = take(field, "an object", json::value_t::object)) within(*j, field.key, inside);
  }

  void profiles(Field field, Draft& draft, const std::function<void(Profile&)>& inside) override {
    auto& made = draft.config.policy.profiles;
    made = built_in_profiles();
    const json* j = take(field, "an object of worker profiles", json::value_t::object);
    if (j == nullptr) return;
    within(*j, field.key, [&] {
      for (const auto& [name, one] : j->items()) {
        if (!is_profile_name(name))
          return wrong(pointer_part(name), "expected a name of letters, digits, '-', '_' and '.'");
        seen_.insert(name);
        if (!one.is_object()) return wrong(pointer_part(name), "expected an object, not " + shown(one));
        within(one, pointer_part(name), [&] { profile(name, made, inside); });
        if (error_) return;
      }
    });
  }

  void shape(Field field, BoardShape& value, const std::function<void(BoardShape&)>& inside) override {
    const json* j = find(field.key);
    if (j == nullptr) return;
    std::string all;
    for (const auto& [name, known] : known_board_shapes())
      all += (all.empty() ? "\"" : " or \"") + std::string(name) + "\"";
    const auto take_known = [&](const json& name) {
      const auto known = name.is_string() ? known_board_shapes().find(name.get_ref<const std::string&>())
                                          : known_board_shapes().end();
      if (known == known_board_shapes().end()) return false;
      value = known->second;
      return true;
    };
    if (!j->is_object()) {
      if (!take_known(*j)) wrong(field.key, "expected " + all + ", or an object, not " + shown(*j));
      return;
    }
    within(*j, field.key, [&] {
      const json* like = find("like");
      if (like != nullptr && !take_known(*like))
        return wrong("like", "expected " + all + ", not " + shown(*like));
      inside(value);
    });
  }

  // After all fields were visited.
  void no_others() {
    if (error_) return;
    for (const auto& [name, value] : here_->items())
      if (!seen_.contains(name)) {
        const std::string pointer = path_ + "/" + pointer_part(name);
        return at(places_.keys.at(pointer), pointer, "expected no such key" + nearest(name));
      }
  }

  // About a value that may stand in the file or may be a default.
  void wrong(std::string_view key, const std::string& words) {
    const std::string pointer = path_ + "/" + std::string(key);
    const auto place = places_.values.find(pointer);
    at(place == places_.values.end() ? places_.values.at(path_) : place->second, pointer, words);
  }

 private:
  static bool is_text(const json& j) {
    return j.is_string() && j.get_ref<const std::string&>().find('\0') == std::string::npos;
  }

  void at(std::size_t offset, const std::string& pointer, const std::string& words) {
    if (error_) return;
    const auto [line, column] = line_and_column(text_, offset);
    error_ = ConfigError{file_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                         printable(pointer.empty() ? "/" : pointer, 200) + ": " + words};
  }

  const json* find(std::string_view key) {
    known_.push_back(std::string(key));
    if (error_) return nullptr;
    const auto found = here_->find(std::string(key));
    if (found == here_->end()) return nullptr;
    seen_.insert(std::string(key));
    return &*found;
  }
  const json* take(Field field, const std::string& what, json::value_t type) {
    const json* j = find(field.key);
    if (j == nullptr || j->type() == type) return j;
    wrong(field.key, "expected " + what + ", not " + shown(*j));
    return nullptr;
  }

  void enter(const json& value, std::string path) {
    here_ = &value;
    path_ = std::move(path);
    seen_.clear();
    known_.clear();
  }
  void within(const json& value, std::string_view part, const std::function<void()>& inside) {
    const json* const outer = here_;
    const std::string outer_path = path_;
    auto outer_seen = std::move(seen_);
    auto outer_known = std::move(known_);
    enter(value, outer_path + "/" + std::string(part));
    inside();
    no_others();
    here_ = outer;
    path_ = outer_path;
    seen_ = std::move(outer_seen);
    known_ = std::move(outer_known);
  }

  void profile(const std::string& name, std::map<std::string, Profile>& made,
               const std::function<void(Profile&)>& inside) {
    const bool built_in = built_in_profiles().contains(name);
    std::string base = built_in ? name : "generic";
    if (const json* j = find("extends")) {
      if (!j->is_string() || !built_in_profiles().contains(j->get_ref<const std::string&>()))
        return wrong("extends", "expected the name of a built-in profile, not " + shown(*j));
      base = j->get<std::string>();
    }
    Profile p = built_in_profiles().at(base);
    p.name = name;
    inside(p);
    if (error_) return;
    if (p.command.empty() || p.command.front().empty())
      return wrong("command", "expected the worker's command (profile " + in_quotes(name) + " has none)");
    if (p.ready_by == ReadyBy::pattern && p.ready_pattern.empty())
      return wrong("ready_pattern", "expected a text, because \"ready\" is \"pattern\"");
    const char* const needed = p.prompt_by == PromptBy::argument ? "{prompt}"
                               : p.prompt_by == PromptBy::file   ? "{prompt_file}"
                                                                 : nullptr;
    if (needed != nullptr && p.prompt_by == PromptBy::argument &&
        std::ranges::find(p.command, needed) == p.command.end())
      return wrong("command", "expected an argument {prompt}, because \"prompt\" is \"argument\"");
    made[name] = std::move(p);
  }

  // "; is "capacity" meant?" where one known key is nearly the same.
  [[nodiscard]] std::string nearest(const std::string& name) const {
    const auto distance = [](std::string_view a, std::string_view b) {
      std::vector<std::size_t> row(b.size() + 1);
      for (std::size_t i = 0; i <= b.size(); ++i) row[i] = i;
      for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t k = 1; k <= b.size(); ++k) {
          const std::size_t changed = diagonal + (a[i - 1] == b[k - 1] ? 0 : 1);
          diagonal = std::exchange(row[k], std::min({row[k] + 1, row[k - 1] + 1, changed}));
        }
      }
      return row[b.size()];
    };
    std::string best;
    std::size_t least = 3;
    if (name.size() <= 64)
      for (const std::string& known : known_)
        if (const std::size_t d = distance(name, known); d < least) {
          least = d;
          best = known;
        }
    return best.empty() ? "" : "; is \"" + best + "\" meant?";
  }

  std::string_view text_;
  const JsonPlaces& places_;
  std::string file_;
  const json* here_ = nullptr;
  std::string path_;
  std::set<std::string> seen_;
  std::vector<std::string> known_;
  std::optional<ConfigError> error_;
};

bool lies_within(const fs::path& inner, const fs::path& outer) {
  const auto [end, rest] = std::ranges::mismatch(outer, inner);
  return end == outer.end();
}

fs::path resolved(const std::string& given, const fs::path& folder) {
  std::error_code none;
  const fs::path whole = (folder / given).lexically_normal();
  fs::path real = fs::weakly_canonical(whole, none);
  if (none) real = whole;
  return real.has_filename() ? real : real.parent_path();
}

// Of the first that is no kind of notice; past the last one where all are.
std::size_t first_unknown_notice(const std::vector<std::string>& about) {
  const std::vector<std::string> all = NotifyConfig{}.about;
  std::size_t at = 0;
  while (at < about.size() && std::ranges::find(all, about[at]) != all.end()) ++at;
  return at;
}

// Where, and what is expected there.
std::optional<std::pair<std::string, std::string>> what_is_wrong_with(const BoardShape& shape) {
  std::map<std::string_view, BoardState> names;
  for (const auto& [state, name] : shape.states) {
    if (name.empty()) continue;
    const auto [other, fresh] = names.emplace(name, state);
    if (!fresh)
      return std::pair{std::string("/states/") + words_for(state),
                       "expected another name than that of " + std::string(words_for(other->second))};
  }
  const bool labels = shape.kind == BoardKind::labels;
  for (const BoardState needed : {BoardState::todo, BoardState::in_progress, BoardState::in_review,
                                  BoardState::blocked, BoardState::backlog, BoardState::done})
    if (const auto known = shape.states.find(needed);
        (known == shape.states.end() || known->second.empty()) &&
        !(labels && (needed == shape.unlabelled || needed == BoardState::done)))
      return std::pair{std::string("/states/") + words_for(needed),
                       std::string("expected the board's name for it")};
  for (const auto& [name, value] : shape.headers) {
    const bool fine = std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    const bool one_line =
        std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (!fine || !one_line)
      return std::pair{"/headers/" + pointer_part(name), std::string("expected a header of one line")};
  }
  return std::nullopt;
}

}  // namespace

std::expected<Config, ConfigError> parse_config(std::string_view text, const std::string& path) {
  const std::string file = fs::path(path).filename().string();
  const JsonPlaces places = places_in(text);
  if (places.trouble) {
    const auto [line, column] = line_and_column(text, places.trouble->offset);
    std::string pointer = places.trouble->pointer;
    if (!pointer.empty()) pointer += ": ";
    const auto before = text.substr(0, places.trouble->offset).find_last_not_of(" \t\r\n");
    const bool comma = before != std::string_view::npos && text[before] == ',' &&
                       text.substr(places.trouble->offset).starts_with('}');
    return std::unexpected(ConfigError{file + ":" + std::to_string(line) + ":" + std::to_string(column) +
                                       ": " + printable(pointer + places.trouble->words, 400) +
                                       (comma ? "; take away the comma before it" : "")});
  }
  const json root = json::parse(text, nullptr, true, true);
  if (!root.is_object())
    return std::unexpected(ConfigError{file + ":1:1: /: expected an object, not " + shown(root)});

  Draft draft;
  Reader reader(root, text, places, file);
  std::string schema;  // editors look here for the schema's address
  reader.text({"$schema", ""}, schema, "a text", [](std::string_view) { return true; });
  visit_fields(reader, draft);
  reader.no_others();

  Config& c = draft.config;
  Policy& p = c.policy;
  const fs::path folder = fs::path(path).parent_path();
  if (!reader.error()) {
    const Profile* usual = profile_of(p, p.default_profile);
    if (draft.repository.empty())
      reader.wrong("repository", "expected the path of the git repository that the work is about");
    else if (draft.start_from == "remote" && draft.remote.empty())
      reader.wrong("start_from", "expected a \"remote\" to start from");
    else if (usual == nullptr)
      reader.wrong("default_profile", "expected the name of a profile, not " + in_quotes(p.default_profile));
    else if (usual->command.empty())
      reader.wrong("default_profile", "expected a profile with a command; give one at /profiles/" +
                                          p.default_profile +
                                          "/command, or name \"shell\", \"claude\" or "
                                          "\"codex\"");
    else if (c.board.url.empty() && !(c.board.token_file.empty() && c.board.ca_file.empty()))
      reader.wrong("board/url", "expected the address of the board that the others are about");
    else if (const auto at = first_unknown_notice(c.notify.about); at < c.notify.about.size())
      reader.wrong(
          "notify/about/" + std::to_string(at),
          "expected question, blocked, stranded, unknown, undying, drift, crash_loop or attention, not " +
              in_quotes(c.notify.about[at]));
    else if (!c.notify.command.empty() && c.notify.command.front().empty())
      reader.wrong("notify/command/0", "expected the name of a program");
    else if (auto wrong = what_is_wrong_with(c.board.shape))
      reader.wrong("board/shape" + wrong->first, wrong->second);
    else if (p.backoff_max < p.backoff_first)
      reader.wrong("budgets/backoff_max", "expected at least backoff_first, " + words_for(p.backoff_first));
  }
  c.file = path;
  const fs::path repository = resolved(draft.repository, folder), state = resolved(draft.state, folder);
  c.repository = repository.string();
  c.state = state.string();
  std::error_code none;
  if (!reader.error() && (lies_within(state, repository) || lies_within(repository, state)) &&
      fs::exists(repository, none))
    reader.wrong("state", "expected a folder outside the repository " + in_quotes(c.repository) +
                              " (it would be " + in_quotes(c.state) + ")");
  if (reader.error()) return std::unexpected(*reader.error());

  c.target = draft.target;
  p.target = "refs/heads/" + draft.target;
  p.remote = draft.remote;
  const bool from_remote = draft.start_from == "remote" || (draft.start_from.empty() && !p.remote.empty());
  p.start = from_remote ? "refs/remotes/" + p.remote + "/" + draft.target : p.target;
  // A profile without a command can be used by nobody; a ticket that names it waits, with these words.
  std::erase_if(p.profiles, [](const auto& entry) { return entry.second.command.empty(); });
  return std::move(c);
}

}  // namespace holdfast
