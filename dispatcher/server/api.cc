#include "dispatcher/server/api.h"

#include <nlohmann/json.hpp>

namespace holdfast::server {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    parts.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(std::min(parts.back().size() + 1, path.size()));
  }
  return parts;
}

bool fits(const std::vector<std::string>& path, std::string_view route) {
  const auto wanted = segments(route);
  if (path.size() != wanted.size() + 2 || path[0] != "api" || path[1] != "v1") return false;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!wanted[i].starts_with('{') && wanted[i] != path[i + 2]) return false;
  return true;
}

}  // namespace

HttpAnswer answer_request(const ApiParts& parts, const HttpRequest& request) {
  std::string allowed;
  for (const Route& route : routes()) {
    if (!fits(request.path, route.path)) continue;
    if (route.method != request.method && !(request.method == "HEAD" && route.method == "GET")) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    try {
      return route.handle(parts, request);
    } catch (const std::exception& e) {  // of a library; none of ours throws
      return problem(500, "failed", e.what());
    }
  }
  if (allowed.empty())
    return problem(404, "no_such_path", "there is nothing at this path; see /api/v1/openapi.json");
  HttpAnswer answer = problem(405, "method_not_allowed", "this path takes " + allowed);
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

Json openapi(const std::string& version) {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    Json operation;
    operation["summary"] = route.summary;
    operation["parameters"] = Json::array();
    if (route.path.find("{id}") != std::string_view::npos)
      operation["parameters"].push_back(
          {{"name", "id"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    for (const std::string_view name : route.asks)
      operation["parameters"].push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    if (!route.body.empty())
      operation["requestBody"] = {
          {"content",
           {{"application/json", {{"schema", {{"type", "object"}}}, {"example", Json::parse(route.body)}}}}}};
    operation["responses"]["default"] = {{"description", "done"}};
    for (const auto& [status, code] : route.refusals) {
      Json& refusal = operation["responses"][std::to_string(status)];
      const std::string before = refusal.is_object() ? refusal["description"].get<std::string>() + ", " : "";
      refusal = {{"description", before + std::string(code)},
                 {"content",
                  {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/problem"}}}}}}}};
    }
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    paths["/api/v1/" + std::string(route.path)][method] = operation;
  }
  Json j;
  j["openapi"] = "3.1.0";
  j["info"] = {{"title", "holdfast"}, {"version", version}};
  j["paths"] = paths;
  j["components"]["schemas"]["problem"] = {{"type", "object"},
                                           {"required", {"status", "code", "detail"}},
                                           {"properties",
                                            {{"status", {{"type", "integer"}}},
                                             {"code", {{"type", "string"}}},
                                             {"detail", {{"type", "string"}}}}}};
  return j;
}

}  // namespace holdfast::server
