#include "dispatcher/config/board_shape.h"

#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

BoardShape own_shape() {
  BoardShape shape;
  shape.kind = BoardKind::transitions;
  shape.paths = {"/api/v1/board/changes?since={since}&limit={limit}", "/api/v1/tickets/{id}",
                 "/api/v1/tickets/{id}/transitions", "/api/v1/tickets/{id}/comments", ""};
  shape.fields = {
      "/tickets", "/cursor", "/complete",   "/id",      "/title",      "/body",       "/state",  "/priority",
      "/profile", "/labels", "/depends_on", "/version", "/created_at", "/changed_at", "/reason", "/moved_by",
      "",         "",        "/ticket"};
  shape.sends = {"/version", "/to", "/key", "/reason", "/cause", "/evidence", "/text"};
  for (const BoardState state :
       {BoardState::backlog, BoardState::todo, BoardState::in_progress, BoardState::in_review,
        BoardState::blocked, BoardState::done, BoardState::cancelled})
    shape.states[state] = words_for(state);
  shape.headers = {{"Holdfast-By", "dispatcher"}};
  return shape;
}

BoardShape issues_with_labels() {
  BoardShape shape;
  shape.kind = BoardKind::labels;
  shape.paths = {"/issues?state=all&sort=updated&direction=asc&since={since}&per_page=100&page={page}",
                 "/issues/{id}", "/issues/{id}", "/issues/{id}/comments",
                 "/issues/{id}/comments?per_page=100&page={page}"};
  shape.fields.id = "/number";
  shape.fields.title = "/title";
  shape.fields.body = "/body";
  shape.fields.state = "/state";
  shape.fields.labels = "/labels";
  shape.fields.label_name = "/name";
  shape.fields.created_at = "/created_at";
  shape.fields.changed_at = "/updated_at";
  shape.fields.reason = "/state_reason";
  shape.fields.skip = "/pull_request";
  shape.sends.text = "/body";
  shape.states = {{BoardState::backlog, ""},
                  {BoardState::todo, "todo"},
                  {BoardState::in_progress, "in progress"},
                  {BoardState::in_review, "in review"},
                  {BoardState::blocked, "blocked"},
                  {BoardState::done, ""},
                  {BoardState::cancelled, ""}};
  shape.priority_label = "priority:";
  shape.profile_label = "profile:";
  shape.headers = {{"Accept", "application/vnd.github+json"}, {"X-GitHub-Api-Version", "2022-11-28"}};
  return shape;
}

}  // namespace

const std::map<std::string_view, BoardShape>& known_board_shapes() {
  static const std::map<std::string_view, BoardShape> known{{"holdfast", own_shape()},
                                                            {"labels", issues_with_labels()}};
  return known;
}

}  // namespace holdfast
