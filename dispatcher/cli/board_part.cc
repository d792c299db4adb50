#include "dispatcher/cli/board_part.h"

#include <filesystem>

#include "dispatcher/board/builtin_board.h"
#include "dispatcher/board/remote/label_board.h"
#include "dispatcher/server/gate.h"
#include "dispatcher/system/chance.h"

namespace holdfast::cli {

Or<std::unique_ptr<Board>> make_board(const Config& config, LedgerMode mode) {
  if (config.board.url.empty()) {
    auto board = open_board(places_of(config).ledger,
                            mode == LedgerMode::dispatcher ? LedgerMode::command_line : mode);
    if (!board) return bad(board.error());
    return std::unique_ptr<Board>(std::move(*board));
  }
  HttpClientOptions options;
  const auto url = parse_url(config.board.url);
  if (!url) return bad("board: expected " + url.error());
  options.url = *url;
  options.ca_file = config.board.ca_file;
  options.user_agent = "holdfast/" HOLDFAST_VERSION;
  options.within = config.policy.call_deadline;
  options.now = wall_clock;
  options.random = chance;
  if (const std::string& path = config.board.token_file; !path.empty()) {
    std::error_code none;
    if (!std::filesystem::exists(path, none)) return bad(path + ": is not there; it holds the board's token");
    auto token = server::read_or_make_token(path);
    if (!token) return bad(token.error());
    options.token = std::move(*token);
  }
  RemoteBoardParts parts{config.board.shape, std::make_unique<HttpClient>(options), random_name};
  switch (config.board.shape.kind) {
    case BoardKind::transitions: return make_remote_board(std::move(parts));
    case BoardKind::labels: return make_label_board(std::move(parts));
  }
  __builtin_unreachable();
}

}  // namespace holdfast::cli
